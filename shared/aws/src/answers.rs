//! What the functions answer, and how their errors are told apart.

use pipeline::collect::CollectError;
use pipeline::evaluate::EvaluateError;
use pipeline::fetch::FetchError;
use pipeline::objects;
use pipeline::ports::{CallError, Clock, Failure, Objects};
use pipeline::publish::PublishError;
use pipeline::reading::BatchError;
use pipeline::reading::function::{Output, ReadExposureError};
use pipeline::start::{StartError, Started};
use pipeline::stored::StoredError;
use pipeline::wire::{Evaluated, Fetched, Finish, Latest, Published};
use serde::Serialize;

use crate::bucket::NO_BUCKET;
use crate::errors::NO_CREDENTIALS;
use crate::function::{Answer, Failed, FailureKind};
use crate::metrics::Metric;

impl Answer for Fetched {
    fn run_id(&self) -> Option<&str> {
        Some(&self.run_id)
    }

    fn metrics(&self) -> Vec<Metric> {
        // The counts are those since the run began: told once, at its end.
        if !self.done {
            return Vec::new();
        }
        vec![
            Metric::count("Calls", self.calls),
            Metric::count("Throttled", self.throttled),
            Metric::count("SnapshotGaps", self.gaps),
        ]
    }
}

impl Answer for Evaluated {
    fn run_id(&self) -> Option<&str> {
        Some(&self.run_id)
    }

    fn metrics(&self) -> Vec<Metric> {
        // The counts of a part would look like a change of the whole.
        if self.dry_run || !self.scope.is_everything() {
            return Vec::new();
        }
        vec![
            Metric::count("Passed", self.summary.passed),
            Metric::count("Failed", self.summary.failed),
            Metric::count("Undecided", self.summary.undecided),
            Metric::count("NotApplicable", self.summary.not_applicable),
            Metric::count("VerdictsChanged", self.changed),
            Metric::count("UnknownActions", self.unknown_action_count),
            Metric::count("FactsAgeDays", self.facts_age_days),
        ]
    }
}

/// What `publish-findings` answers.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct PublishAnswer {
    /// As the pipeline has it.
    pub published: Published,
    /// Whether the counts are those of the whole run. Those of findings were told by each shard
    /// before; those of accounts are told by the report alone, once a run.
    #[serde(skip)]
    pub is_report: bool,
}

impl Answer for PublishAnswer {
    fn run_id(&self) -> Option<&str> {
        Some(&self.published.run_id)
    }

    fn metrics(&self) -> Vec<Metric> {
        if self.is_report {
            let Published { given_up_count, given_up_new, .. } = &self.published;
            return vec![
                Metric::count("AccountsGivenUp", *given_up_new),
                Metric::count("AccountsRefusing", *given_up_count),
            ];
        }
        let Published { written, archived, resolved, failed_count, .. } = &self.published;
        vec![
            Metric::count("FindingsWritten", *written),
            Metric::count("FindingsArchived", *archived),
            Metric::count("FindingsResolved", *resolved),
            Metric::count("FindingsFailed", *failed_count),
        ]
    }
}

impl Answer for Output {
    fn run_id(&self) -> Option<&str> {
        Some(match self {
            Self::Plan(planned) => &planned.run_id,
            Self::Batch(progress) => &progress.run_id,
            Self::Merge(merged) => &merged.run_id,
        })
    }

    /// Each invocation tells its own share, so that the sums are those of the run.
    fn metrics(&self) -> Vec<Metric> {
        match self {
            Self::Plan(_) => Vec::new(),
            Self::Batch(progress) => vec![
                Metric::count("ExposureCalls", progress.calls),
                Metric::count("ExposureThrottled", progress.throttled),
            ],
            Self::Merge(merged) => vec![
                Metric::count("ExposureRegions", merged.regions),
                Metric::count("ExposureGaps", merged.gaps),
            ],
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Well, with everything decided.
    Complete,
    /// Well, with some accounts or controls decided. It says nothing about the others, so it does
    /// not count against the alarm that no complete run ended.
    Partial,
    /// Not well.
    Failed,
}

impl Ended {
    /// From the input of `start-check`; none where it is about something else.
    #[must_use]
    pub fn of(input: &serde_json::Value) -> Option<Self> {
        let finish: Finish = serde_json::from_value(input.get("finish")?.clone()).ok()?;
        Some(match (finish.succeeded, finish.scope.is_everything()) {
            (true, true) => Self::Complete,
            (true, false) => Self::Partial,
            (false, _) => Self::Failed,
        })
    }

    fn metric(self) -> Metric {
        match self {
            Self::Complete => Metric::count("CompleteRuns", 1),
            Self::Partial => Metric::count("PartialRuns", 1),
            Self::Failed => Metric::count("FailedRuns", 1),
        }
    }
}

/// What `start-check` answers.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct StartAnswer {
    /// As the pipeline has it.
    pub started: Started,
    /// How a run ended, where this was about its end.
    #[serde(skip)]
    pub ended: Option<Ended>,
    /// Seconds since the last complete run was evaluated.
    #[serde(skip)]
    pub age_seconds: Option<f64>,
}

impl Answer for StartAnswer {
    fn run_id(&self) -> Option<&str> {
        match &self.started {
            Started::Started { run_id } | Started::Waiting { run_id } => Some(run_id),
            Started::Ignored { .. } | Started::Finished => None,
        }
    }

    fn metrics(&self) -> Vec<Metric> {
        let started = matches!(self.started, Started::Started { .. });
        let started = started.then(|| Metric::count("RunsStarted", 1));
        let ended = self.ended.map(Ended::metric);
        let age = self.age_seconds.map(|age| Metric::seconds("AgeOfLastRun", age));
        started.into_iter().chain(ended).chain(age).collect()
    }
}

/// Seconds since the last complete run was evaluated; none where there is none, or where that
/// cannot be found out, which is no reason to fail.
pub async fn age_of_last_run(objects: &impl Objects, clock: &impl Clock) -> Option<f64> {
    let object = match objects.get(objects::LATEST).await {
        Ok(object) => object?,
        Err(error) => {
            tracing::warn!(%error, "the age of the last run is unknown");
            return None;
        }
    };
    let latest: Latest = serde_json::from_slice(&object.bytes).ok()?;
    let evaluated: jiff::Timestamp = latest.evaluated_at.parse().ok()?;
    Some(clock.now().duration_since(evaluated).as_secs_f64())
}

/// The kind of a call's failure.
fn kind(error: &CallError) -> FailureKind {
    match error.failure {
        Failure::Throttled | Failure::Concurrent | Failure::Unavailable | Failure::Unreachable => {
            FailureKind::Retryable
        }
        Failure::Denied if error.code.starts_with("InvalidAccess") => FailureKind::SecurityHubOff,
        Failure::Denied => FailureKind::Permission,
        Failure::NotFound => FailureKind::Call,
        Failure::Other => match error.code.as_str() {
            NO_CREDENTIALS => FailureKind::Permission,
            NO_BUCKET => FailureKind::Settings,
            _ => FailureKind::Call,
        },
    }
}

impl From<StartError> for Failed {
    fn from(error: StartError) -> Self {
        let kind = match &error {
            StartError::Input(_) | StartError::Version(_) => FailureKind::Input,
            StartError::Call(call) => kind(call),
            StartError::Damaged { .. } => FailureKind::DamagedObject,
            StartError::Races => FailureKind::Retryable,
        };
        Self::new(kind, &error)
    }
}

impl From<FetchError> for Failed {
    fn from(error: FetchError) -> Self {
        let kind = match &error {
            FetchError::Input(_) | FetchError::Version(_) => FailureKind::Input,
            FetchError::NotHolder { .. } => FailureKind::Superseded,
            FetchError::Damaged { .. } | FetchError::NoCheckpoint(_) => FailureKind::DamagedObject,
            FetchError::NoTime { .. } | FetchError::Collect(CollectError::NoRoot) => {
                FailureKind::Settings
            }
            FetchError::Bucket(call) | FetchError::Collect(CollectError::Call(call)) => kind(call),
            FetchError::Collect(CollectError::RepeatedToken { .. }) => FailureKind::Retryable,
            FetchError::Collect(CollectError::OddRoot(_)) => FailureKind::Call,
            FetchError::Defect(_) => FailureKind::Defect,
        };
        Self::new(kind, &error)
    }
}

fn kind_of_stored(error: &StoredError) -> FailureKind {
    match error {
        StoredError::Missing { .. } => FailureKind::Input,
        StoredError::Damaged { .. } | StoredError::Snapshot { .. } => FailureKind::DamagedObject,
        StoredError::Call(call) => kind(call),
    }
}

impl From<EvaluateError> for Failed {
    fn from(error: EvaluateError) -> Self {
        let kind = match &error {
            EvaluateError::Input(_) => FailureKind::Input,
            EvaluateError::Perimeter { .. } => FailureKind::Settings,
            EvaluateError::Superseded { .. } => FailureKind::Superseded,
            EvaluateError::Defect(_) => FailureKind::Defect,
            EvaluateError::Stored(stored) => kind_of_stored(stored),
        };
        Self::new(kind, &error)
    }
}

impl From<PublishError> for Failed {
    fn from(error: PublishError) -> Self {
        let kind = match &error {
            PublishError::DryRun(_)
            | PublishError::Missing { .. }
            | PublishError::NoResults { .. }
            | PublishError::Misplaced { .. }
            | PublishError::Plan(_) => FailureKind::Input,
            PublishError::Damaged { .. } | PublishError::Unreadable { .. } => {
                FailureKind::DamagedObject
            }
            PublishError::Call { source, .. } => kind(source),
            PublishError::Hub(_) | PublishError::AllRefused { .. } => FailureKind::SecurityHubOff,
            PublishError::Contended { .. } => FailureKind::Retryable,
            PublishError::Superseded { .. } => FailureKind::Superseded,
            PublishError::Defect(_) => FailureKind::Defect,
        };
        Self::new(kind, &error)
    }
}

impl From<ReadExposureError> for Failed {
    fn from(error: ReadExposureError) -> Self {
        let kind = match &error {
            ReadExposureError::Input(_)
            | ReadExposureError::Version(_)
            | ReadExposureError::NoManifest { .. }
            | ReadExposureError::Batch(BatchError::Read(_)) => FailureKind::Input,
            ReadExposureError::Regions(_) | ReadExposureError::NoTime { .. } => {
                FailureKind::Settings
            }
            ReadExposureError::Manifest { .. }
            | ReadExposureError::Batch(BatchError::Damaged { .. }) => FailureKind::DamagedObject,
            ReadExposureError::Snapshot(stored) => kind_of_stored(stored),
            ReadExposureError::Bucket(call)
            | ReadExposureError::Batch(BatchError::Bucket(call)) => kind(call),
            ReadExposureError::Contended { .. } => FailureKind::Retryable,
            ReadExposureError::Defect(_) | ReadExposureError::Batch(BatchError::Defect(_)) => {
                FailureKind::Defect
            }
        };
        Self::new(kind, &error)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(failure: Failure, code: &str) -> CallError {
        let (code, message) = (code.to_owned(), "m".to_owned());
        CallError { permission: "s3:GetObject", failure, code, message }
    }

    #[test]
    fn only_what_may_succeed_later_is_retryable() {
        for (failure, code, expected) in [
            (Failure::Throttled, "TooManyRequestsException", "RetryableError"),
            (Failure::Concurrent, "ConcurrentModificationException", "RetryableError"),
            (Failure::Unavailable, "HTTP 500", "RetryableError"),
            (Failure::Denied, "AccessDenied", "PermissionError"),
            (Failure::Denied, "InvalidAccessException", "SecurityHubOffError"),
            (Failure::Other, NO_CREDENTIALS, "PermissionError"),
            (Failure::Other, "NoSuchBucket", "SettingsError"),
            (Failure::Other, "InvalidInputException", "CallError"),
            (Failure::NotFound, "PolicyNotFoundException", "CallError"),
        ] {
            let error = call(failure, code);
            assert_eq!(kind(&error).error_type(), expected, "{code}");
            assert_eq!(kind(&error) == FailureKind::Retryable, error.is_retryable(), "{code}");
        }
    }

    #[test]
    fn a_denied_call_tells_the_whole_way_down() {
        let source = call(Failure::Denied, "AccessDenied");
        let error = PublishError::Call { doing: "the facts cannot be read", source };
        let failed = Failed::from(error);
        assert_eq!(failed.kind, FailureKind::Permission);
        assert!(failed.message.starts_with("the facts cannot be read: s3:GetObject failed"));
        assert!(failed.message.contains("grant `s3:GetObject`"), "{failed}");
    }

    fn published() -> Published {
        Published { run_id: "run-1".to_owned(), written: 2, archived: 1, ..Published::default() }
    }

    #[test]
    fn what_shards_counted_is_not_counted_again_by_the_report() {
        let shard = PublishAnswer { published: published(), is_report: false };
        let names: Vec<&str> = shard.metrics().iter().map(|metric| metric.name).collect();
        assert_eq!(
            names,
            ["FindingsWritten", "FindingsArchived", "FindingsResolved", "FindingsFailed"]
        );
        let report = PublishAnswer { published: published(), is_report: true };
        let names: Vec<&str> = report.metrics().iter().map(|metric| metric.name).collect();
        assert_eq!(names, ["AccountsGivenUp", "AccountsRefusing"]);
        assert_eq!(
            serde_json::to_value(&report).unwrap(),
            serde_json::to_value(published()).unwrap()
        );
    }

    #[test]
    fn the_end_of_a_run_is_counted_as_what_it_was() {
        for (scope, succeeded, name) in [
            (json!({}), true, "CompleteRuns"),
            (json!({"accounts": ["222222222222"]}), true, "PartialRuns"),
            (json!({"controls": ["SESDP.8"]}), true, "PartialRuns"),
            (json!({}), false, "FailedRuns"),
        ] {
            let finish = json!({"runId": "run-1", "succeeded": succeeded, "scope": scope});
            let answer = StartAnswer {
                started: Started::Finished,
                ended: Ended::of(&json!({"finish": finish})),
                age_seconds: None,
            };
            assert_eq!(answer.metrics(), [Metric::count(name, 1)]);
        }
        assert_eq!(Ended::of(&json!({"accounts": ["222222222222"]})), None);
    }
}
