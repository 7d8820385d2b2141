//! `publish-findings`: Security Hub shows the results of a run, and nothing else.
//!
//! One invocation publishes one shard. [`findings::lifecycle`] plans; this does, in an order in
//! which a crash at any point loses nothing and writes nothing twice: intents into the record,
//! imports, what was accepted into the record, then workflows, events, and what the run did.

mod announce;
mod base;
mod book;
mod inputs;
mod limits;
mod report;
mod resolve;
mod send;

use findings::lifecycle::{self, GivenUp, Plan};
use tokio::time::Instant;

use crate::ports::{Clock, Events, Hub, Mailer, Objects};
use crate::wire::{MOST_FAILED, PublishInput, Published, SCHEMA_VERSION, Shard};
use base::Job;
pub use base::{HubOff, PublishError, PublishSettings, Publisher, VERDICT_CHANGED};
use book::{Opened, StoredRecord};
pub use report::Outcome;
use send::Members;

/// How often a conflict over the record is taken up again.
const CONFLICTS: usize = 8;

impl<O: Objects, H: Hub, E: Events, M: Mailer, C: Clock> Publisher<'_, O, H, E, M, C> {
    /// Publishes a shard, or reports a run.
    ///
    /// From `deadline` on nothing new is sent; what was is put away, which may take some seconds
    /// more. Where `done` is false then, the same input goes on. Counts are those of this
    /// invocation; of a report those of the run.
    ///
    /// # Errors
    /// [`PublishError`]. After any error the same input can be given again.
    pub async fn publish(
        &self,
        input: &PublishInput,
        deadline: Instant,
    ) -> Result<Published, PublishError> {
        let mut published = match input {
            PublishInput::Shard(shard) => self.shard(shard, deadline).await?,
            PublishInput::Report(run) => self.report(run).await?,
        };
        published.failed_count = published.failed.len() as u64;
        published.failed.truncate(MOST_FAILED);
        published.given_up_count = published.given_up.len() as u64;
        published.given_up_new = published.given_up.iter().filter(|one| one.new).count() as u64;
        published.given_up.truncate(MOST_FAILED);
        Ok(published)
    }

    async fn shard(&self, shard: &Shard, deadline: Instant) -> Result<Published, PublishError> {
        let facts = inputs::facts(self.objects, &shard.run_id).await?;
        if facts.facts.dry_run {
            return Err(PublishError::DryRun(facts.facts.run_id));
        }
        let results = inputs::results(self.objects, shard, &facts).await?;
        let inputs::Facts { facts, evaluated_at, .. } = facts;
        let catalog = ses_perimeter::model::catalog();
        let job = Job { shard, facts, evaluated_at, results, catalog, deadline };
        let mut published = Published {
            schema_version: SCHEMA_VERSION,
            run_id: shard.run_id.clone(),
            ..Published::default()
        };
        let Some((mut book, plan)) = self.intend(&job).await? else { return Ok(published) };
        let tally = &book.record.tally;
        let before = (tally.written, tally.archived);
        published.unchanged = plan.unchanged.saturating_sub(before.0);
        let sent = self.send(&job, &plan).await;
        drop(plan);
        if !sent.accepted.is_empty() {
            self.settle(&job, &mut book, &sent.accepted).await?;
        }
        published.failed = sent.failed;
        published.done = !sent.left;
        let after = &book.record.tally;
        published.written = after.written.saturating_sub(before.0);
        published.archived = after.archived.saturating_sub(before.1);
        // Findings come first: what was accepted is told even where the rest failed.
        let mut members = sent.members;
        let resolved = self.resolve(&job, &mut book, &mut members).await;
        self.note(&job, &mut book, &members);
        published.given_up = report::given_up(&book, &job.shard.run_id);
        published.resolved = resolved.ours;
        published.resolves_pending = resolved.left;
        published.done &= !resolved.cut;
        let announced = self.announce(&job, &mut book).await;
        published.events_pending = announced.left;
        published.done &= !announced.cut;
        self.tell(&job, &book, &published, !members.answered.is_empty()).await?;
        // Another writer's version may stand then; what is repeated because of it does no harm.
        book.save_changes(self.objects).await?;
        match sent.error {
            Some(error) => Err(error),
            None => Ok(published),
        }
    }

    /// Notes which members refuse findings, and which take them again.
    fn note(&self, job: &Job<'_>, book: &mut StoredRecord, members: &Members) {
        for (account, off) in &members.refused {
            let closed = !job.is_open(account);
            if !book.record.given_up.contains_key(account) {
                let run_id = job.shard.run_id.as_str();
                tracing::warn!(
                    run_id,
                    account,
                    closed,
                    code = off.code,
                    reason = off.message,
                    "the account refuses its findings; runs go on without it and ask it again"
                );
            }
            let refused = GivenUp {
                run_id: job.shard.run_id.clone(),
                since: self.clock.now().to_string(),
                closed,
                code: off.code.clone(),
                reason: off.message.clone(),
            };
            book.record.give_up(account, refused);
        }
        members.answered.iter().for_each(|account| book.record.take_up(account));
    }

    /// Opens the record and writes the intents into it; `None` where rebuilding it goes on.
    async fn intend(&self, job: &Job<'_>) -> Result<Option<(StoredRecord, Plan)>, PublishError> {
        for _ in 0..CONFLICTS {
            let mut book = match self.open(job).await? {
                Opened::StoredRecord(book) => *book,
                Opened::Rebuilding => return Ok(None),
                Opened::Conflict => continue,
            };
            if let Some(newest) = book.record.newer_than(job.evaluated_at) {
                return Err(PublishError::Superseded {
                    run: job.shard.run_id.clone(),
                    evaluated_at: job.facts.evaluated_at.clone(),
                    newest: newest.to_owned(),
                });
            }
            let now = self.clock.now();
            let lifecycle = &self.settings.lifecycle;
            let Job { results, facts, catalog, .. } = job;
            let plan = lifecycle::plan(&book.record, results, facts, lifecycle, catalog, now)?;
            book.record.begin(&job.shard.run_id, job.evaluated_at);
            plan.intend(&mut book.record);
            let nothing = plan.writes.is_empty() && plan.forgotten.is_empty();
            if (nothing && book.is_kept()) || book.save(self.objects).await? {
                return Ok(Some((book, plan)));
            }
        }
        Err(PublishError::Contended { key: StoredRecord::key(job.shard) })
    }

    /// Notes in the record what was accepted.
    async fn settle(
        &self,
        job: &Job<'_>,
        book: &mut StoredRecord,
        accepted: &[(String, String)],
    ) -> Result<(), PublishError> {
        for _ in 0..CONFLICTS {
            for (id, updated_at) in accepted {
                book.record.settle(id, updated_at);
            }
            if book.save(self.objects).await? {
                return Ok(());
            }
            // The intents were in the version that another writer started from, so whatever that
            // one sent was the same or later, and settling by `UpdatedAt` keeps the two apart.
            *book = match self.open(job).await? {
                Opened::StoredRecord(book) => *book,
                Opened::Rebuilding | Opened::Conflict => break,
            };
            book.record.begin(&job.shard.run_id, job.evaluated_at);
        }
        Err(PublishError::Contended { key: StoredRecord::key(job.shard) })
    }
}
