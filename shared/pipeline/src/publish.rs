//! `publish-findings`: Security Hub shows the results of a run, and nothing else.
//!
//! One invocation publishes one shard. [`findings::lifecycle`] plans; this does, in an order in
//! which a crash at any point loses nothing and writes nothing twice: intents into the record,
//! imports, what was accepted into the record, then workflows, events, and what the run did.

mod announce;
mod book;
mod inputs;
mod limits;
mod report;
mod resolve;
mod send;

use findings::lifecycle::{self, GivenUp, Plan, PlanError};
use findings::results::ShardResults;
use findings::run::RunFacts;
use policy::keys::KeyCatalog;
use tokio::time::Instant;

use crate::pace::PaceSettings;
use crate::ports::{CallError, Clock, Events, Hub, Mailer, Objects};
use crate::wire::{MOST_FAILED, PublishInput, Published, SCHEMA_VERSION, Shard};
use book::{Book, Opened};
pub use report::Outcome;
use send::Members;

/// The detail type of events about changed verdicts.
pub const VERDICT_CHANGED: &str = "SES Perimeter Verdict Changed";

/// How often a conflict over the record is taken up again.
const CONFLICTS: usize = 8;

/// How to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishSettings {
    /// Where findings go and when they are refreshed.
    pub lifecycle: lifecycle::Settings,
    /// The share of Security Hub's rates for one invocation, and how often to try. Invocations
    /// that run side by side share the same buckets of AWS.
    pub pace: PaceSettings,
    /// Whether a run that changed verdicts is told by mail.
    pub digest: bool,
}

/// Publishes findings through ports.
pub struct Publisher<'a, O, H, E, M, C> {
    /// The bucket.
    pub objects: &'a O,
    /// Security Hub.
    pub hub: &'a H,
    /// The event bus.
    pub events: &'a E,
    /// Mail.
    pub mailer: &'a M,
    /// The time of day.
    pub clock: &'a C,
    /// How to publish.
    pub settings: &'a PublishSettings,
}

/// Why a shard could not be published. Unless it says otherwise, no finding was touched.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The run is a dry one.
    #[error("run `{0}` is a dry run, so nothing of it is published; start one without `dryRun`")]
    DryRun(String),
    /// An object is not there.
    #[error("there is no `{key}`; run `evaluate-scps` for this run first")]
    Missing {
        /// Its key.
        key: String,
    },
    /// An object is not the one that was handed over.
    #[error(
        "`{key}` is damaged: its digest is `{found}`, expected `{expected}`; no finding was \
         touched, start the check again"
    )]
    Damaged {
        /// Its key.
        key: String,
        /// As handed over.
        expected: String,
        /// As found.
        found: String,
    },
    /// An object cannot be understood.
    #[error("`{key}` cannot be understood; no finding was touched")]
    Unreadable {
        /// Its key.
        key: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The input names no results.
    #[error(
        "shard {shard} of run `{run}` comes without results; even a shard without accounts has \
         some, since what is missing would be taken for gone"
    )]
    NoResults {
        /// The run.
        run: String,
        /// The shard.
        shard: u32,
    },
    /// The results are those of other accounts or another run.
    #[error("the results in `{key}` are not those of the shard: {what}")]
    Misplaced {
        /// Their key.
        key: String,
        /// A sentence without a stop.
        what: String,
    },
    /// The results go beyond what the run decided.
    #[error("nothing can be planned; no finding was touched")]
    Plan(#[from] PlanError),
    /// A call failed. Findings that were accepted before are in the record; the same input goes
    /// on from there.
    #[error("{doing}")]
    Call {
        /// What was being done.
        doing: &'static str,
        /// What failed.
        #[source]
        source: CallError,
    },
    /// Security Hub does not take findings.
    #[error("{0}")]
    Hub(HubOff),
    /// Every member that was asked refuses findings.
    #[error(
        "{refused} accounts that are open refuse their findings and none takes them, so this is no \
         matter of single accounts: see that the role of publish-findings may assume the role in \
         the members, and that its StackSet (member-role.yaml) is deployed; account `{account}`: \
         {code}: {reason}"
    )]
    AllRefused {
        /// How many were refused in this run or before.
        refused: usize,
        /// One of them.
        account: String,
        /// Its code.
        code: String,
        /// Its message.
        reason: String,
    },
    /// Somebody else keeps writing the record.
    #[error("`{key}` keeps changing; see to it that one run at a time publishes, and try again")]
    Contended {
        /// Its key.
        key: String,
    },
}

impl PublishError {
    /// Whether the same input may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Call { source, .. } => source.is_retryable(),
            Self::Contended { .. } => true,
            Self::DryRun(_)
            | Self::Missing { .. }
            | Self::Damaged { .. }
            | Self::Unreadable { .. }
            | Self::NoResults { .. }
            | Self::Misplaced { .. }
            | Self::Plan(_)
            | Self::Hub(_)
            | Self::AllRefused { .. } => false,
        }
    }
}

/// That Security Hub of an account refuses findings as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubOff {
    /// The account that was to hold them.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The error code.
    pub code: String,
    /// The message.
    pub message: String,
}

impl std::fmt::Display for HubOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { account, region, code, message } = self;
        write!(
            f,
            "Security Hub of account `{account}` in `{region}` does not take findings: {code}: \
             {message}; this code stands for several things: Security Hub is not enabled in that \
             account and Region (enable Security Hub CSPM there), the caller is not account \
             `{account}` (findings can only be imported by the account they name, and the \
             administrator is no exception), or its role lacks \
             `securityhub:BatchImportFindings` and `securityhub:GetFindings`"
        )
    }
}

/// All that one shard is published from.
struct Job<'a> {
    shard: &'a Shard,
    facts: RunFacts,
    results: ShardResults,
    catalog: KeyCatalog,
    deadline: Instant,
}

impl Job<'_> {
    /// Whether the organization has the account and it can be used.
    fn is_open(&self, account: &str) -> bool {
        let header = &self.results.header;
        header.accounts.contains_key(account) && !header.is_closed(account)
    }
}

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
        if facts.dry_run {
            return Err(PublishError::DryRun(facts.run_id));
        }
        let results = inputs::results(self.objects, shard, &facts).await?;
        let catalog = ses_perimeter::model::catalog();
        let job = Job { shard, facts, results, catalog, deadline };
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
    fn note(&self, job: &Job<'_>, book: &mut Book, members: &Members) {
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
    async fn intend(&self, job: &Job<'_>) -> Result<Option<(Book, Plan)>, PublishError> {
        for _ in 0..CONFLICTS {
            let mut book = match self.open(job).await? {
                Opened::Book(book) => *book,
                Opened::Rebuilding => return Ok(None),
                Opened::Conflict => continue,
            };
            let now = self.clock.now();
            let lifecycle = &self.settings.lifecycle;
            let Job { results, facts, catalog, .. } = job;
            let plan = lifecycle::plan(&book.record, results, facts, lifecycle, catalog, now)?;
            book.record.begin(&job.shard.run_id);
            plan.intend(&mut book.record);
            let nothing = plan.writes.is_empty() && plan.forgotten.is_empty();
            if (nothing && book.is_kept()) || book.save(self.objects).await? {
                return Ok(Some((book, plan)));
            }
        }
        Err(PublishError::Contended { key: Book::key(job.shard) })
    }

    /// Notes in the record what was accepted.
    async fn settle(
        &self,
        job: &Job<'_>,
        book: &mut Book,
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
                Opened::Book(book) => *book,
                Opened::Rebuilding | Opened::Conflict => break,
            };
            book.record.begin(&job.shard.run_id);
        }
        Err(PublishError::Contended { key: Book::key(job.shard) })
    }
}
