//! What stands in accounts, beside what the check of their service control policies says.
//!
//! # Source
//! Clauses 11, 20 to 28 and 60 to 68 of `docs/exposure.md`.

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use organization::{AccountIdx, Organization};
use ses_perimeter::check::{Exclusions, Now, Options};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::{DisabledRegions, Perimeter};
use ses_perimeter::report::{Cell, FoundInAccount, Report, Status, Verdict, Why};

use crate::control::{Checker, ExposureControl};
use crate::inside::Inside;
use crate::level::standing;
use crate::model::{AccountExposure, Exposure, MailManager, Part, RegionExposure, RegionStatus};

/// How far the clock of whoever read may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_mins(15);

/// How old what was read in an account may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// As old as it is: of a saved snapshot nothing is younger.
    Any,
    /// So many hours; what is older counts as not read.
    Hours(u32),
}

/// Decides the controls about exposure, account after account.
pub struct Finder<'a> {
    organization: &'a Organization,
    perimeter: &'a Perimeter,
    checker: Checker<'a>,
    scope: Exclusions<'a>,
    regions: &'a [&'a str],
    now: Now,
    age: Age,
    /// The controls that it decides, in order.
    controls: Vec<(ControlId, ExposureControl)>,
    /// Why nobody can say which accounts the organization has.
    hidden: Option<String>,
}

impl<'a> Finder<'a> {
    /// For the accounts of `organization`, which [`Inside::of`] made `inside` of.
    ///
    /// `regions` are the Regions of the partition in which SES has an endpoint
    /// ([`ses_perimeter::facts::regions::ses`]).
    #[must_use]
    pub fn new(
        organization: &'a Organization,
        inside: &'a Inside,
        perimeter: &'a Perimeter,
        regions: &'a [&'a str],
        now: Now,
        age: Age,
        options: &Options,
    ) -> Self {
        let controls = options
            .decided(perimeter)
            .filter_map(|id| Some((id, ExposureControl::of(id)?)))
            .collect();
        let moment = now.epoch_seconds;
        Self {
            organization,
            perimeter,
            checker: Checker::new(inside, perimeter, regions, moment, options.budget),
            scope: Exclusions::new(organization, perimeter),
            regions,
            now,
            age,
            controls,
            hidden: hidden_accounts(organization),
        }
    }

    /// What was found in `account`, whose entry in the exposure section is `exposure`, if it has
    /// one.
    pub fn found(
        &mut self,
        account: AccountIdx,
        exposure: Option<&AccountExposure>,
    ) -> Rc<FoundInAccount> {
        let id = self.organization.account(account).map(|found| found.id.to_string());
        let id = id.unwrap_or_default();
        let too_old = exposure.and_then(|exposure| self.too_old(exposure));
        let exposure = too_old.as_ref().or(exposure);
        let settled = exposure.and_then(|exposure| self.without_mail_manager(exposure));
        let (exposure, absent) = match &settled {
            Some((exposure, absent)) => (Some(exposure), absent.as_str()),
            None => (exposure, ""),
        };
        let left_out = self.scope.left_out(account);
        let cells = self.controls.clone().into_iter().map(|(control_id, control)| {
            let verdict = match &left_out {
                Some(reason) => Verdict::NotApplicable(reason.clone()),
                None => self.verdict(control, &id, exposure),
            };
            self.cell(control_id, control, verdict, exposure, absent)
        });
        let cells = cells.collect();
        Rc::new(FoundInAccount { cells, standing: standing(exposure, self.regions) })
    }

    /// The entry as one of which nothing was read, where it is too old to count.
    fn too_old(&self, exposure: &AccountExposure) -> Option<AccountExposure> {
        let Age::Hours(hours) = self.age else { return None };
        let now = Timestamp::from_second(self.now.epoch_seconds).ok()?;
        let reason = untimely(&exposure.read_at, now, hours)?;
        Some(AccountExposure::unread(exposure.account, &exposure.read_at, self.regions, &reason))
    }

    /// The entry without gaps in Mail Manager where the perimeter says that there is none, and
    /// the Regions; none where that changes nothing.
    fn without_mail_manager(
        &self,
        exposure: &AccountExposure,
    ) -> Option<(AccountExposure, String)> {
        let named = &self.perimeter.exposure.without_mail_manager;
        let settles = |region: &RegionExposure| {
            let RegionStatus::Read(facts) = &region.status else { return false };
            facts.mail_manager.gap().is_some() && named.contains(&region.region)
        };
        let absent = exposure.regions.iter().filter(|region| settles(region));
        let absent: Vec<&str> = absent.map(|region| region.region.as_str()).collect();
        if absent.is_empty() {
            return None;
        }
        let mut settled = exposure.clone();
        for region in settled.regions.iter_mut().filter(|region| settles(region)) {
            if let RegionStatus::Read(facts) = &mut region.status {
                facts.mail_manager = Part::Read(MailManager::Unavailable);
            }
        }
        Some((settled, absent.join(", ")))
    }

    fn verdict(
        &mut self,
        control: ExposureControl,
        account: &str,
        exposure: Option<&AccountExposure>,
    ) -> Verdict {
        let verdict = self.checker.check(control, account, exposure);
        let hangs_on_accounts = match control {
            ExposureControl::IdentityPolicies
            | ExposureControl::EndpointPrincipals
            | ExposureControl::EndpointResources => true,
            ExposureControl::MailManagerHosts | ExposureControl::ManagementAccount => false,
        };
        match (&self.hidden, verdict.status()) {
            (Some(hidden), Status::Failed | Status::Passed) if hangs_on_accounts => {
                Verdict::undecided(vec![Why::InAccount(hidden.clone())])
            }
            _ => verdict,
        }
    }

    fn cell(
        &self,
        control_id: ControlId,
        control: ExposureControl,
        verdict: Verdict,
        exposure: Option<&AccountExposure>,
        absent: &str,
    ) -> Cell {
        let mut assumptions = Vec::new();
        if verdict.status() == Status::Passed {
            if control != ExposureControl::ManagementAccount {
                assumptions.extend(self.taken_as_empty(exposure));
            }
            let hangs = [ExposureControl::MailManagerHosts, ExposureControl::ManagementAccount]
                .contains(&control);
            if hangs && !absent.is_empty() {
                assumptions
                    .push(format!("the perimeter says that there is no Mail Manager in {absent}"));
            }
        }
        Cell { control: control_id, verdict, assumptions }
    }

    /// The Regions that the perimeter says are empty without anybody having looked.
    fn taken_as_empty(&self, exposure: Option<&AccountExposure>) -> Option<String> {
        if self.perimeter.exposure.disabled_regions == DisabledRegions::Unknown {
            return None;
        }
        let regions = exposure.into_iter().flat_map(|exposure| &exposure.regions);
        let switched_off: Vec<&str> = regions
            .filter(|region| matches!(region.status, RegionStatus::RegionDisabled))
            .map(|region| region.region.as_str())
            .collect();
        (!switched_off.is_empty()).then(|| {
            format!(
                "the perimeter says that nothing is left in Regions that are switched off ({})",
                switched_off.join(", ")
            )
        })
    }
}

/// Why something that was read at this moment does not count; a sentence without a stop.
fn untimely(read_at: &str, now: Timestamp, hours: u32) -> Option<String> {
    let age = read_at.parse::<Timestamp>().map(|at| now.duration_since(at));
    let why = match age {
        // Otherwise it would count for ever.
        Ok(age) if age < -AHEAD => "which has not come yet".to_owned(),
        Ok(age) if age <= SignedDuration::from_hours(i64::from(hours)) => return None,
        Ok(_) | Err(_) => format!("and what is older than {hours} hours does not count"),
    };
    Some(format!("it was read at {read_at}, {why}"))
}

/// Calls whose gaps leave the list of accounts whole.
const NOT_ABOUT_ACCOUNTS: [&str; 4] =
    ["ListPolicies", "ListTargetsForPolicy", "ListPoliciesForTarget", "DescribePolicy"];

/// Why accounts of the organization may be missing in the snapshot.
fn hidden_accounts(organization: &Organization) -> Option<String> {
    let gap = organization.gaps().iter().find(|gap| {
        let operation = gap.operation.as_deref();
        operation.is_none_or(|operation| !NOT_ABOUT_ACCOUNTS.contains(&operation))
    })?;
    Some(format!("the list of the organization's accounts may not be whole: {gap}"))
}

/// Adds to each row of `report` what `exposure` says of the account.
pub fn complete(report: &mut Report, finder: &mut Finder<'_>, exposure: &Exposure) {
    let entries: BTreeMap<String, &AccountExposure> =
        exposure.accounts.iter().map(|entry| (entry.account.to_string(), entry)).collect();
    for row in &mut report.rows {
        let id = finder.organization.account(row.account).map(|found| found.id.to_string());
        let entry = id.and_then(|id| entries.get(&id).copied());
        row.found = Some(finder.found(row.account, entry));
    }
    report.controls.extend(finder.controls.iter().map(|(control, _)| *control));
    report.controls.sort_unstable();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn what_is_too_old_or_has_not_come_yet_does_not_count() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for (read_at, counts) in [
            ("2026-11-23T12:00:00Z", true),
            ("2026-11-22T12:00:00Z", true),
            ("2026-11-22T11:59:59Z", false),
            ("2026-11-23T12:15:00Z", true),
            ("2026-11-23T12:15:01Z", false),
            ("2099-01-01T00:00:00Z", false),
            ("yesterday", false),
        ] {
            assert_eq!(untimely(read_at, now, 24).is_none(), counts, "{read_at}");
        }
    }
}
