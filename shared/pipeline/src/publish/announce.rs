//! Verdict changes, to the event bus and to the end of the run.

use findings::lifecycle::Change;

use super::base::{Job, PublishError, Publisher, VERDICT_CHANGED};
use super::book::StoredRecord;
use super::report::Outcome;
use crate::defect::to_json;
use crate::objects;
use crate::ports::{CallError, Clock, Condition, Events, Failure, Hub, Mailer, Objects};
use crate::wire::{Published, SCHEMA_VERSION, VerdictChange};
use backon::Retryable;

/// The most events of one call.
const MOST_EVENTS: usize = 10;

/// A change as events and the digest carry it.
pub fn wire(change: &Change) -> VerdictChange {
    VerdictChange {
        schema_version: SCHEMA_VERSION,
        run_id: change.run_id.clone(),
        account_id: change.account_id.clone(),
        account_name: change.account_name.clone(),
        control_id: change.control_id.clone(),
        before: change.before.map(|status| status.name().to_owned()),
        after: change.after.map_or("ARCHIVED", |status| status.name()).to_owned(),
        title: change.title.clone(),
        finding_id: change.finding_id.clone(),
    }
}

/// What became of the events.
pub(super) struct Announced {
    /// How many are left.
    pub left: u64,
    /// Whether that is because the time is up.
    pub cut: bool,
}

impl<O: Objects, H: Hub, E: Events, M: Mailer, C: Clock> Publisher<'_, O, H, E, M, C> {
    /// Puts events about changes that were not announced yet, each at least once. What is left is
    /// put by this input again or by the next run.
    pub(super) async fn announce(&self, job: &Job<'_>, book: &mut StoredRecord) -> Announced {
        loop {
            let tally = &book.record.tally;
            let left = tally.changes.get(tally.announced..).unwrap_or_default();
            let group = left.get(..MOST_EVENTS.min(left.len())).unwrap_or_default();
            if group.is_empty() {
                return Announced { left: 0, cut: false };
            }
            let pending = u64::try_from(left.len()).unwrap_or(u64::MAX);
            // A first run has an event for every verdict, more than fit into what is left.
            if tokio::time::Instant::now() >= job.deadline {
                return Announced { left: pending, cut: true };
            }
            let count = group.len();
            let details: Result<Vec<String>, _> =
                group.iter().map(|change| serde_json::to_string(&wire(change))).collect();
            let put = match details {
                Ok(details) => self.put(&details).await,
                Err(error) => Err(refused(error.to_string())),
            };
            if let Err(error) = put {
                let left = left.len();
                tracing::warn!(run_id = tally.run_id, left, %error, "events could not be put yet");
                return Announced { left: pending, cut: false };
            }
            book.record.tally.announced += count;
        }
    }

    /// Which ones were refused is not told, so a group is put again as a whole.
    async fn put(&self, details: &[String]) -> Result<(), CallError> {
        let attempt = || async {
            match self.events.put(VERDICT_CHANGED, details).await? {
                0 => Ok(()),
                some => Err(refused(format!("{some} of {} events were refused", details.len()))),
            }
        };
        let pauses = self.settings.pace.pauses(0).with_max_times(self.settings.pace.retries.min(4));
        attempt.retry(pauses).when(CallError::is_retryable).await
    }

    /// Leaves for the end of the run what was done to the shard, over all invocations.
    pub(super) async fn tell(
        &self,
        job: &Job<'_>,
        book: &StoredRecord,
        published: &Published,
        answered: bool,
    ) -> Result<(), PublishError> {
        let tally = &book.record.tally;
        let outcome = Outcome {
            schema_version: SCHEMA_VERSION,
            run_id: job.shard.run_id.clone(),
            shard: job.shard.shard,
            written: tally.written,
            archived: tally.archived,
            resolved: tally.resolved,
            unchanged: published.unchanged,
            failed: published.failed.clone(),
            given_up: published.given_up.clone(),
            answered,
            others: self.others(job, book, answered),
            changes: tally.changes.iter().map(wire).collect(),
        };
        let key = objects::outcome(&job.shard.run_id, job.shard.shard);
        let bytes = to_json(&key, &outcome)?;
        self.objects.put(&key, bytes, Condition::Always).await.map_err(|source| {
            PublishError::Call { doing: "what was done cannot be written down", source }
        })?;
        Ok(())
    }
}

fn refused(message: String) -> CallError {
    CallError {
        permission: "events:PutEvents",
        failure: Failure::Unavailable,
        code: "Refused".to_owned(),
        message,
    }
}
