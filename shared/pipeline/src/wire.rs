//! What goes into the functions and what comes out, version 1.
//!
//! Every field has a default, so that each function can be invoked by hand with `{}`; unknown
//! versions are refused. `docs/functions.md` describes them for people.

/// The digest of bytes, as [`Pointer`] has it; that of a snapshot is the organization's own.
pub use organization::digest;
use serde::{Deserialize, Serialize};

/// The version of these shapes.
pub const SCHEMA_VERSION: u32 = 1;

/// The `source` of the events that the checker puts on the bus.
pub const EVENT_SOURCE: &str = "ses-perimeter";

/// The current version, where an input names none.
#[must_use]
pub const fn current() -> u32 {
    SCHEMA_VERSION
}

/// The most accounts that a scope names; more of them are all.
pub const MOST_ACCOUNTS: usize = 1_000;

/// Which accounts and controls are meant; an empty list means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Scope {
    /// Ids of accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// Ids of controls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<String>,
}

impl Scope {
    /// Whether it covers everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.accounts.is_empty() && self.controls.is_empty()
    }

    /// The smallest scope that covers both. Where the two limit different things, it is wider
    /// than both together.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let join = |mine: &[String], theirs: &[String]| {
            if mine.is_empty() || theirs.is_empty() {
                return Vec::new();
            }
            let all: std::collections::BTreeSet<&String> = mine.iter().chain(theirs).collect();
            if all.len() > MOST_ACCOUNTS {
                return Vec::new();
            }
            all.into_iter().cloned().collect()
        };
        Self {
            accounts: join(&self.accounts, &other.accounts),
            controls: join(&self.controls, &other.controls),
        }
    }
}

/// Something in the organization that changed and has to be read again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "id")]
pub enum Change {
    /// The content or the existence of a policy.
    Policy(String),
    /// What is attached to a root, unit or account.
    Target(String),
    /// An account's existence, state or place.
    Account(String),
    /// A unit's existence, name or place.
    Unit(String),
    /// Nobody can say what: everything has to be read.
    Everything,
}

/// What asked for a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOrigin {
    /// An Organizations event.
    Organizations,
    /// The schedule.
    Schedule,
    /// The custom action in Security Hub.
    SecurityHub,
    /// The perimeter in the bucket was written or removed.
    Perimeter,
    /// Somebody, by hand or from a script.
    Demand,
}

/// One wish for a check, as it is kept until a run has answered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// 1.
    pub schema_version: u32,
    /// What asked.
    pub source: CheckOrigin,
    /// When it was received, RFC 3339.
    pub received_at: String,
    /// What to decide.
    #[serde(default)]
    pub scope: Scope,
    /// Whether everything is to be read again, contents of policies too.
    #[serde(default)]
    pub full: bool,
    /// What changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// The requests that a run answers, as `runs/RUN/claim.json` has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunClaim {
    /// Keys in the bucket.
    pub requests: Vec<String>,
}

/// An object with the digest of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pointer {
    /// The key in the bucket.
    pub key: String,
    /// `sha256:` and hexadecimal digits.
    pub digest: String,
}

/// The input of `fetch-scps`, and of the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct FetchInput {
    /// 1.
    pub schema_version: u32,
    /// The run; a new one, named for the time, where empty.
    pub run_id: String,
    /// Read everything again, contents of policies too.
    pub full: bool,
    /// Publish nothing, leave the state as it is, answer no requests.
    pub dry_run: bool,
    /// What to decide, beside what the waiting requests ask for. A run that answers requests
    /// and is given no accounts and no controls decides what they ask for.
    pub accounts: Vec<String>,
    /// As `accounts`.
    pub controls: Vec<String>,
    /// Whether the run answers the waiting requests; runs of the state machine do.
    pub answers_requests: bool,
}

impl Default for FetchInput {
    fn default() -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            run_id: String::new(),
            full: false,
            dry_run: false,
            accounts: Vec::new(),
            controls: Vec::new(),
            answers_requests: false,
        }
    }
}

/// How a snapshot came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FetchMode {
    /// The whole organization was read.
    Full,
    /// The last snapshot was brought up to date.
    Changes,
}

/// The output of `fetch-scps`, which is the input of `evaluate-scps`; and while `done` is false,
/// the input of the next `fetch-scps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fetched {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// Whether the snapshot is there; otherwise a checkpoint is, and fetching goes on.
    pub done: bool,
    /// Publish nothing.
    pub dry_run: bool,
    /// What to decide.
    pub scope: Scope,
    /// The snapshot, once done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Pointer>,
    /// How it came about, once done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FetchMode>,
    /// When the whole organization was last read, RFC 3339; once done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_walk_at: Option<String>,
    /// Whether the run answers requests, and so becomes the latest.
    #[serde(default)]
    pub answers_requests: bool,
    /// Calls to Organizations so far, retried ones included.
    pub calls: u64,
    /// Of these, throttled ones.
    pub throttled: u64,
    /// Things that could not be read.
    pub gaps: u64,
    /// What a person should know about the run; sentences without a stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The input of `evaluate-scps`: what `fetch-scps` answered, or by hand what to decide anew of the
/// latest snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvaluateInput {
    /// The output of `fetch-scps`.
    Fetched(Fetched),
    /// Accounts and controls of the latest snapshot.
    ByHand(Scope),
}

impl<'de> Deserialize<'de> for EvaluateInput {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let value = serde_json::Value::deserialize(deserializer)?;
        let read = if value.get("runId").is_some() {
            Fetched::deserialize(value).map(Self::Fetched)
        } else {
            let mut value = value;
            if let Some(fields) = value.as_object_mut() {
                fields.remove("schemaVersion");
            }
            Scope::deserialize(value).map(Self::ByHand)
        };
        read.map_err(D::Error::custom)
    }
}

/// The last complete snapshot and its results, as `state/latest.json` has them. Written by
/// `evaluate-scps` for runs that answer requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latest {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// Its snapshot.
    pub snapshot: Pointer,
    /// When the whole organization was last read, RFC 3339.
    pub full_walk_at: String,
    /// When it was evaluated, RFC 3339.
    pub evaluated_at: String,
    /// The statuses of all cells known so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statuses: Option<Pointer>,
}

/// One shard of a run: the results of some accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shard {
    /// The run.
    pub run_id: String,
    /// The number of the shard.
    pub shard: u32,
    /// How many shards there are.
    pub shards: u32,
    /// Its results in JSON lines; none for a shard whose accounts all vanished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Pointer>,
}

/// How many cells have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatusCounts {
    /// Passed cells.
    pub passed: u64,
    /// Failed cells.
    pub failed: u64,
    /// Undecided cells.
    pub undecided: u64,
    /// Cells that do not apply.
    pub not_applicable: u64,
}

/// The output of `evaluate-scps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evaluated {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// Publish nothing.
    pub dry_run: bool,
    /// What was decided.
    pub scope: Scope,
    /// The shards as a JSON array of [`Shard`].
    pub manifest: Pointer,
    /// The bucket, for the state machine's map.
    pub bucket: String,
    /// How many shards the manifest has.
    pub shard_count: u32,
    /// The shards themselves where there are few, for an inline map.
    pub shards: Vec<Shard>,
    /// How many cells have each status.
    pub summary: StatusCounts,
    /// Cells whose status differs from the last run's, or that are new.
    pub changed: u64,
    /// `ses:` actions that the policies name and the action table does not know: the first ones,
    /// cut where they are long, since an answer that is too large fails the run.
    pub unknown_actions: Vec<String>,
    /// How many there are.
    #[serde(default)]
    pub unknown_action_count: u64,
    /// How many days before the evaluation the oldest list of facts was read.
    #[serde(default)]
    pub facts_age_days: u64,
}

/// The input of `publish-findings`: one shard, or the end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum PublishInput {
    /// Publish the findings of a shard.
    Shard(Shard),
    /// Tell what the run did: metrics and the digest.
    Report(RunRef),
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunRef {
    /// The run.
    pub run_id: String,
}

/// Findings that an answer names at most: what a state hands on has a limit of 256 KiB.
pub const MOST_FAILED: usize = 20;

/// A finding that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedItem {
    /// The finding.
    pub id: String,
    /// The error code.
    pub code: String,
    /// The message.
    pub message: String,
}

/// An account that refuses to hold its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GivenUpAccount {
    /// The account.
    pub account_id: String,
    /// Whether the organization says that it is closed or suspended.
    pub closed: bool,
    /// Whether this run is the first that was refused.
    pub new: bool,
    /// Since when, RFC 3339.
    pub since: String,
    /// The error code.
    pub code: String,
    /// The message.
    pub reason: String,
}

/// A verdict that changed, as it goes to the event bus and into the digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerdictChange {
    /// 1.
    pub schema_version: u32,
    /// The run that noticed.
    pub run_id: String,
    /// The account.
    pub account_id: String,
    /// Its name.
    pub account_name: String,
    /// The control.
    pub control_id: String,
    /// The status before; none for a new finding.
    pub before: Option<String>,
    /// The status now; `ARCHIVED` where the account or the control vanished.
    pub after: String,
    /// The finding's title.
    pub title: String,
    /// The finding.
    pub finding_id: String,
}

/// The output of `publish-findings` for a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// Whether the shard is published; otherwise the same input goes on where this stopped.
    pub done: bool,
    /// Findings written because something changed or retention would drop them.
    pub written: u64,
    /// Findings archived.
    pub archived: u64,
    /// Findings whose workflow was set to RESOLVED.
    pub resolved: u64,
    /// Findings that needed nothing.
    pub unchanged: u64,
    /// Findings that could not be written; the next run tries again.
    pub failed: Vec<FailedItem>,
    /// How many there are; `failed` has the first [`MOST_FAILED`] of them.
    #[serde(default)]
    pub failed_count: u64,
    /// Accounts that refuse to hold their findings; every run asks them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<GivenUpAccount>,
    /// How many there are; `given_up` has the first [`MOST_FAILED`] of them.
    #[serde(default)]
    pub given_up_count: u64,
    /// How many of them this run is the first to be refused by.
    #[serde(default)]
    pub given_up_new: u64,
    /// Recovered findings whose workflow is still to be resolved; the next run tries again.
    #[serde(default)]
    pub resolves_pending: u64,
    /// Events about changed verdicts that are still to be put; the next run tries again.
    #[serde(default)]
    pub events_pending: u64,
}

/// The end of a run, for `start-check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Finish {
    /// The run.
    pub run_id: String,
    /// Whether it ended well; its requests are answered only then.
    pub succeeded: bool,
    /// What it decided; everything where it is not said.
    #[serde(default)]
    pub scope: Scope,
}
