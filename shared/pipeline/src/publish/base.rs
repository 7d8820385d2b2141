//! What `publish-findings` works with, and why it can fail.

use findings::lifecycle::{self, PlanError};
use findings::results::ShardResults;
use findings::run::RunFacts;
use jiff::Timestamp;
use policy::keys::KeyCatalog;
use tokio::time::Instant;

use crate::defect::Defect;
use crate::pace::PaceSettings;
use crate::ports::CallError;
use crate::wire::Shard;

/// The detail type of events about changed verdicts.
pub const VERDICT_CHANGED: &str = "SES Perimeter Verdict Changed";

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
    /// The findings tell of a later moment.
    #[error(
        "the results of run `{run}` were evaluated at {evaluated_at}, and the findings of the shard \
         are already those of {newest}; no finding was touched, as older results would hide what \
         became worse since: start a run"
    )]
    Superseded {
        /// The run.
        run: String,
        /// When its results were evaluated.
        evaluated_at: String,
        /// When those that were published were.
        newest: String,
    },
    /// The results go beyond what the run decided.
    #[error("nothing can be planned; no finding was touched")]
    Plan(#[from] PlanError),
    /// Our own mistake.
    #[error(transparent)]
    Defect(#[from] Defect),
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
            | Self::Superseded { .. }
            | Self::Defect(_)
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
pub(super) struct Job<'a> {
    pub(super) shard: &'a Shard,
    pub(super) facts: RunFacts,
    /// When the results were evaluated.
    pub(super) evaluated_at: Timestamp,
    pub(super) results: ShardResults,
    pub(super) catalog: KeyCatalog,
    pub(super) deadline: Instant,
}

impl Job<'_> {
    /// Whether the organization has the account and it can be used.
    pub(super) fn is_open(&self, account: &str) -> bool {
        let header = &self.results.header;
        header.accounts.contains_key(account) && !header.is_closed(account)
    }
}
