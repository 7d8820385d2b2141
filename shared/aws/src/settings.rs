//! The settings of each function, from its environment variables.

use std::time::Duration;

use pipeline::collect::CollectSettings;
use pipeline::evaluate::{DEFAULT_STEPS, EvaluateSettings};
use pipeline::fetch::FetchSettings;
use pipeline::pace::PaceSettings;
use pipeline::publish::PublishSettings;
use pipeline::reading::function::ReadExposureSettings;
use pipeline::reading::{CallSettings, PlanSettings, ReadSettings};
use pipeline::start::StartSettings;

use crate::environment::{Environment, SettingError};
use crate::schedule::longest_gap;
use crate::{Addresses, ExposureAccess, HubAccess};

/// What `BUCKET` takes.
const BUCKET: &str = "the name of the bucket that holds requests, snapshots and results";

/// The share of Security Hub's rates that one publisher uses: the state machine runs four at once
/// (`MaxConcurrency`), and what is left is for others.
const PUBLISHER_SHARE: f64 = 0.2;

/// `start-check`.
#[derive(Debug, Clone)]
pub struct StartCheck {
    /// `BUCKET`.
    pub bucket: String,
    /// `STATE_MACHINE_ARN`.
    pub state_machine: String,
    /// `DEBOUNCE_SECONDS`, 0 to 3600.
    pub start: StartSettings,
}

/// Reads the settings of `start-check`.
///
/// # Errors
/// The first variable that is missing or unusable.
pub fn start_check(environment: &Environment<'_>) -> Result<StartCheck, SettingError> {
    let expected = "the ARN of the state machine, \
                    `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME`";
    let variable = "STATE_MACHINE_ARN";
    let state_machine = environment.required(variable, expected)?;
    if !state_machine.contains(":stateMachine:") {
        let expected = expected.to_owned();
        return Err(SettingError::Unusable { variable, expected, found: state_machine });
    }
    Ok(StartCheck {
        bucket: environment.required("BUCKET", BUCKET)?,
        state_machine,
        start: StartSettings {
            debounce_seconds: environment.number("DEBOUNCE_SECONDS", &(0..=3600), 60)?,
        },
    })
}

/// `fetch-scps`.
#[derive(Debug, Clone)]
pub struct FetchScps {
    /// `BUCKET`.
    pub bucket: String,
    /// `ORGANIZATIONS_SHARE`, `UNIT_NAMES`, `FULL_WALK_MAX_AGE_HOURS`, `SCHEDULE`.
    pub fetch: FetchSettings,
}

/// Reads the settings of `fetch-scps`. `seed` is that of the jitter.
///
/// # Errors
/// The first variable that is missing or unusable.
pub fn fetch_scps(environment: &Environment<'_>, seed: u64) -> Result<FetchScps, SettingError> {
    let default = FetchSettings::default();
    let most = environment.number("FULL_WALK_MAX_AGE_HOURS", &(1..=8760), 24)?;
    let most = Duration::from_secs(most * 3600);
    let period = period(environment.text("SCHEDULE"))?;
    let share = environment.number("ORGANIZATIONS_SHARE", &(0.01..=1.0), default.pace.share)?;
    Ok(FetchScps {
        bucket: environment.required("BUCKET", BUCKET)?,
        fetch: FetchSettings {
            pace: PaceSettings { share, seed, ..default.pace },
            collect: CollectSettings {
                unit_names: environment.flag("UNIT_NAMES", default.collect.unit_names)?,
                ..default.collect
            },
            full_walk_age: most.min(period.saturating_add(SCHEDULE_SPARE)),
            ..default
        },
    })
}

/// How long after it is due a scheduled run may begin to read: it waits for the run under way, and
/// for further changes.
const SCHEDULE_SPARE: Duration = Duration::from_secs(60 * 60);

/// The longest time between two runs of the schedule.
fn period(schedule: Option<String>) -> Result<Duration, SettingError> {
    let found = schedule.unwrap_or_else(|| "rate(6 hours)".to_owned());
    longest_gap(&found).ok_or_else(|| {
        let expected = "`rate(6 hours)`, or cron with six fields".to_owned();
        SettingError::Unusable { variable: "SCHEDULE", expected, found }
    })
}

/// Reads the settings of `evaluate-scps`: `BUCKET`, `SHARDS`, `TRUSTED_RECIPIENTS`, `EXPOSURE`,
/// `EXPOSURE_USABLE_HOURS` and `STEPS`.
///
/// # Errors
/// The first variable that is missing or unusable.
pub fn evaluate_scps(environment: &Environment<'_>) -> Result<EvaluateSettings, SettingError> {
    let exposure = environment.choice("EXPOSURE", &[("off", false), ("on", true)], false)?;
    let hours = environment.number("EXPOSURE_USABLE_HOURS", &(1..=8760), 72)?;
    Ok(EvaluateSettings {
        bucket: environment.required("BUCKET", BUCKET)?,
        shards: environment.number("SHARDS", &(1..=1000), 16)?,
        trusted_recipients: environment.list("TRUSTED_RECIPIENTS"),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        exposure_hours: exposure.then_some(hours),
        steps: environment.number("STEPS", &(1_000..=1_000_000_000), DEFAULT_STEPS)?,
    })
}

/// `publish-findings`.
#[derive(Debug, Clone)]
pub struct PublishFindings {
    /// `BUCKET`.
    pub bucket: String,
    /// `MODE`, and for `member` also `MEMBER_ROLE_NAME` and `EXTERNAL_ID`.
    pub mode: Mode,
    /// `REFRESH_DAYS`, 1 to 89.
    pub refresh_days: u8,
    /// `DIGEST_FROM` and `DIGEST_TO`, where mail is wanted.
    pub digest: Option<Addresses>,
}

/// Where findings go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// All of them into the function's own account.
    Central,
    /// Each into the account it is about.
    Member {
        /// The role to assume there.
        role: String,
        /// What its trust policy asks for, if anything.
        external_id: Option<String>,
    },
}

/// Reads the settings of `publish-findings`.
///
/// # Errors
/// The first variable that is missing or unusable.
pub fn publish_findings(environment: &Environment<'_>) -> Result<PublishFindings, SettingError> {
    let member = environment.choice("MODE", &[("central", false), ("member", true)], false)?;
    let mode = if member {
        let expected = "the name of the role to assume in each member, since MODE is `member`";
        Mode::Member {
            role: environment.required("MEMBER_ROLE_NAME", expected)?,
            external_id: environment.text("EXTERNAL_ID"),
        }
    } else {
        Mode::Central
    };
    let to = environment.list("DIGEST_TO");
    let digest = match environment.text("DIGEST_FROM") {
        Some(from) if !to.is_empty() => Some(Addresses { from, to }),
        // One without the other is a slip, and nobody would notice the missing mail.
        Some(_) => {
            let expected = "addresses between commas, since DIGEST_FROM is set".to_owned();
            return Err(SettingError::Missing { variable: "DIGEST_TO", expected });
        }
        None if !to.is_empty() => {
            let expected = "the sender's address, since DIGEST_TO is set".to_owned();
            return Err(SettingError::Missing { variable: "DIGEST_FROM", expected });
        }
        None => None,
    };
    let default = findings::lifecycle::Settings::REFRESH_DAYS;
    Ok(PublishFindings {
        bucket: environment.required("BUCKET", BUCKET)?,
        mode,
        refresh_days: environment.number("REFRESH_DAYS", &(1..=89), default)?,
        digest,
    })
}

/// `read-exposure`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadExposure {
    /// `READ_ROLE_NAME`, with its path where it has one.
    pub role: String,
    /// `EXTERNAL_ID`.
    pub external_id: Option<String>,
    /// `BUCKET`, `EXPOSURE_MAX_AGE_HOURS`, 1 to 8760, `EXPOSURE_BATCH_SECONDS`, 10 to 600, and
    /// `EXPOSURE_REGIONS`.
    pub exposure: ReadExposureSettings,
}

/// The role in each account that exposure is read as, where no other is named.
pub const READ_ROLE_NAME: &str = "SesPerimeterReadExposure";

/// Reads the settings of `read-exposure`. `seed` is that of the jitter.
///
/// # Errors
/// The first variable that is missing or unusable.
pub fn read_exposure(
    environment: &Environment<'_>,
    seed: u64,
) -> Result<ReadExposure, SettingError> {
    let (read, plan) = (ReadSettings::default(), PlanSettings::default());
    let default = plan.max_age.as_secs() / 3600;
    let hours = environment.number("EXPOSURE_MAX_AGE_HOURS", &(1..=8760), default)?;
    let budget =
        environment.number("EXPOSURE_BATCH_SECONDS", &(10..=600), plan.budget.as_secs())?;
    let regions = environment.list("EXPOSURE_REGIONS");
    Ok(ReadExposure {
        role: environment.text("READ_ROLE_NAME").unwrap_or_else(|| READ_ROLE_NAME.to_owned()),
        external_id: environment.text("EXTERNAL_ID"),
        exposure: ReadExposureSettings {
            bucket: environment.required("BUCKET", BUCKET)?,
            read: ReadSettings { calls: CallSettings { seed, ..read.calls }, ..read },
            plan: PlanSettings {
                max_age: Duration::from_secs(hours * 3600),
                budget: Duration::from_secs(budget),
                ..plan
            },
            regions: (!regions.is_empty()).then_some(regions),
        },
    })
}

impl ReadExposure {
    /// As whom accounts are read from there.
    #[must_use]
    pub fn access(&self, home: &Home) -> ExposureAccess {
        ExposureAccess {
            partition: home.partition.clone(),
            role: self.role.clone(),
            external_id: self.external_id.clone(),
        }
    }
}

/// Where a function runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// `aws`, `aws-us-gov`, ...
    pub partition: String,
    /// The Region.
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

impl Home {
    /// The home of the function with this ARN,
    /// `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`.
    #[must_use]
    pub fn of(function_arn: &str) -> Option<Self> {
        let mut parts = function_arn.split(':');
        let (Some("arn"), Some(partition), Some("lambda"), Some(region), Some(account)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !partition.is_empty() && !region.is_empty()).then(|| Self {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
        })
    }
}

impl PublishFindings {
    /// As whom findings are written from there.
    #[must_use]
    pub fn access(&self, home: &Home) -> HubAccess {
        match &self.mode {
            Mode::Central => HubAccess::Central,
            Mode::Member { role, external_id } => HubAccess::Members {
                partition: home.partition.clone(),
                role: role.clone(),
                external_id: external_id.clone(),
            },
        }
    }

    /// How findings are published from there.
    #[must_use]
    pub fn publishing(&self, home: &Home) -> PublishSettings {
        PublishSettings {
            lifecycle: findings::lifecycle::Settings {
                holder: match self.mode {
                    Mode::Central => Some(home.account.clone()),
                    Mode::Member { .. } => None,
                },
                region: home.region.clone(),
                refresh_days: self.refresh_days,
            },
            pace: PaceSettings { share: PUBLISHER_SHARE, ..PaceSettings::default() },
            digest: self.digest.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn reading<T>(
        pairs: &[(&str, &str)],
        read: impl FnOnce(&Environment<'_>) -> Result<T, SettingError>,
    ) -> Result<T, String> {
        let map: BTreeMap<&str, &str> = pairs.iter().copied().collect();
        let lookup = |name: &str| map.get(name).map(|value| (*value).to_owned());
        read(&Environment::new(&lookup)).map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_has_no_default_is_needed() {
        let machine = "arn:aws:states:eu-west-1:111111111111:stateMachine:checker";
        let start =
            reading(&[("BUCKET", "b"), ("STATE_MACHINE_ARN", machine)], start_check).unwrap();
        assert_eq!((start.bucket.as_str(), start.state_machine.as_str()), ("b", machine));
        let evaluate = reading(&[("BUCKET", "b")], evaluate_scps).unwrap();
        assert_eq!(evaluate.trusted_recipients, [""; 0]);
        let fetch = reading(&[("BUCKET", "b")], |found| fetch_scps(found, 0)).unwrap();
        assert_eq!(fetch.fetch, FetchSettings::default());
        let publish = reading(&[("BUCKET", "b")], publish_findings).unwrap();
        assert_eq!((publish.mode, publish.digest), (Mode::Central, None));
        let exposure = reading(&[("BUCKET", "b")], |found| read_exposure(found, 0)).unwrap();
        let home = Home::of("arn:aws-us-gov:lambda:us-gov-west-1:111111111111:function:read");
        assert_eq!(
            exposure.access(&home.unwrap()),
            ExposureAccess {
                partition: "aws-us-gov".to_owned(),
                role: "SesPerimeterReadExposure".to_owned(),
                external_id: None,
            }
        );
        assert_eq!(exposure.exposure.plan, PlanSettings::default());
        assert_eq!((exposure.exposure.bucket.as_str(), exposure.exposure.regions), ("b", None));
    }

    #[test]
    fn no_partial_run_goes_on_from_a_walk_that_is_older_than_the_schedule_allows() {
        for (schedule, most, hours) in [
            ("rate(6 hours)", "24", 7),
            ("rate(1 hour)", "24", 2),
            ("rate(1 day)", "24", 24),
            ("cron(0 3 * * ? *)", "48", 25),
            ("rate(6 hours)", "2", 2),
        ] {
            let pairs =
                [("BUCKET", "b"), ("SCHEDULE", schedule), ("FULL_WALK_MAX_AGE_HOURS", most)];
            let fetch = reading(&pairs, |found| fetch_scps(found, 0)).unwrap().fetch;
            assert_eq!(fetch.full_walk_age, Duration::from_secs(hours * 3600), "{schedule} {most}");
        }
    }

    #[test]
    fn each_variable_that_is_missing_or_wrong_is_named() {
        let named = |text: Result<(), String>, variable: &str| {
            let message = text.unwrap_err();
            assert!(message.contains(&format!("`{variable}`")), "{message}");
        };
        let bucket = ("BUCKET", "b");
        named(reading(&[], evaluate_scps).map(drop), "BUCKET");
        named(reading(&[bucket], start_check).map(drop), "STATE_MACHINE_ARN");
        named(
            reading(&[bucket, ("STATE_MACHINE_ARN", "checker")], start_check).map(drop),
            "STATE_MACHINE_ARN",
        );
        named(reading(&[bucket, ("SHARDS", "0")], evaluate_scps).map(drop), "SHARDS");
        for (variable, found) in [
            ("ORGANIZATIONS_SHARE", "0"),
            ("ORGANIZATIONS_SHARE", "1.5"),
            ("UNIT_NAMES", "yes"),
            ("SCHEDULE", "daily"),
            ("FULL_WALK_MAX_AGE_HOURS", "1d"),
        ] {
            let pairs = [bucket, (variable, found)];
            named(reading(&pairs, |found| fetch_scps(found, 0)).map(drop), variable);
        }
        named(reading(&[], |found| read_exposure(found, 0)).map(drop), "BUCKET");
        for (variable, found) in [("EXPOSURE_MAX_AGE_HOURS", "0"), ("EXPOSURE_BATCH_SECONDS", "9")]
        {
            let pairs = [bucket, (variable, found)];
            named(reading(&pairs, |found| read_exposure(found, 0)).map(drop), variable);
        }
        for (pairs, variable) in [
            (vec![("MODE", "both")], "MODE"),
            (vec![("MODE", "member")], "MEMBER_ROLE_NAME"),
            (vec![("REFRESH_DAYS", "90")], "REFRESH_DAYS"),
            (vec![("DIGEST_FROM", "a@example.com")], "DIGEST_TO"),
            (vec![("DIGEST_TO", "a@example.com")], "DIGEST_FROM"),
        ] {
            let pairs: Vec<_> = pairs.into_iter().chain([bucket]).collect();
            named(reading(&pairs, publish_findings).map(drop), variable);
        }
    }

    #[test]
    fn findings_go_where_the_mode_says() {
        let home =
            Home::of("arn:aws-us-gov:lambda:us-gov-west-1:111111111111:function:publish").unwrap();
        let central = reading(&[("BUCKET", "b")], publish_findings).unwrap();
        assert_eq!(central.access(&home), HubAccess::Central);
        let settings = central.publishing(&home);
        assert_eq!(settings.lifecycle.holder.as_deref(), Some("111111111111"));
        assert_eq!(settings.lifecycle.region, "us-gov-west-1");
        let pairs = [
            ("BUCKET", "b"),
            ("MODE", "member"),
            ("MEMBER_ROLE_NAME", "Findings"),
            ("EXTERNAL_ID", ""),
        ];
        let member = reading(&pairs, publish_findings).unwrap();
        assert_eq!(member.publishing(&home).lifecycle.holder, None);
        assert_eq!(
            member.access(&home),
            HubAccess::Members {
                partition: "aws-us-gov".to_owned(),
                role: "Findings".to_owned(),
                external_id: None,
            }
        );
    }

    #[test]
    fn an_arn_that_is_no_functions_is_no_home() {
        for arn in ["", "arn:aws:lambda:us-east-1:function:x", "arn:aws:s3:::bucket:a:b"] {
            assert_eq!(Home::of(arn), None, "{arn}");
        }
    }
}
