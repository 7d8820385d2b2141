//! Results in JSON: the shape that scripts and later functions read.
//!
//! These types are the wire; nothing decides on them.

mod make;
mod shards;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ses_perimeter::report::{Report, Status};

use crate::run::SeverityLabel;

pub use make::{ResultBuilder, fault_text, permitted};
pub use shards::{ReadShardError, ShardHeader, ShardResults, write_shard};
pub use write::{write_json, write_jsonl};

/// The version of the shape.
pub const SCHEMA_VERSION: u32 = 1;

/// What was checked, when and by what.
#[derive(Debug, Clone)]
pub struct Origin<'a> {
    /// The program's version.
    pub version: &'a str,
    /// The moment of the evaluation, in RFC 3339.
    pub evaluated_at: &'a str,
}

/// How many cells have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Controls that no request gets past.
    pub passed: usize,
    /// Controls that a request gets past.
    pub failed: usize,
    /// Controls that nobody could decide.
    pub undecided: usize,
    /// Controls that do not apply.
    pub not_applicable: usize,
}

impl Summary {
    /// Counts the cells of `report`.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut summary = Self::default();
        for cell in report.rows.iter().flat_map(ses_perimeter::report::Row::all) {
            summary.count(cell.status());
        }
        summary
    }

    /// Counts one cell.
    pub fn count(&mut self, status: Status) {
        match status {
            Status::Passed => self.passed += 1,
            Status::Failed => self.failed += 1,
            Status::Undecided => self.undecided += 1,
            Status::NotApplicable => self.not_applicable += 1,
        }
    }
}

/// The result of one control for one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultEntry {
    /// Twelve digits.
    pub account_id: String,
    /// The account's name; its id where it has none.
    pub account_name: String,
    /// Ids from the root to the account.
    pub path: Vec<String>,
    /// For instance `SESDP.8`.
    pub control_id: String,
    /// How the control stands.
    pub status: StatusEntry,
    /// For a failed control a request that gets through; of one about exposure only where a policy
    /// is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<WitnessEntry>,
    /// The witness in two sentences with stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness_text: Option<String>,
    /// For a failed control why nothing stops the witness; a sentence without a stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// For a passed control what stops the requests.
    pub decided_by: Vec<DeciderEntry>,
    /// Settings and facts that the status hangs on.
    pub assumptions: Vec<String>,
    /// For an undecided control why.
    pub obstacles: Vec<ObstacleEntry>,
    /// For a control that does not apply why; for a passed one about exposure what was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For a failed control about exposure everything in the account that is at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultEntry>,
    /// For a failed control that service control policies decide how grave that is, where it is
    /// known how far SES is in use in the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<SeverityEntry>,
    /// The policies that the cause, the deciders and the obstacles name, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyEntry>,
}

/// A status in results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StatusEntry {
    /// A request gets through.
    Failed,
    /// Nobody could say.
    Undecided,
    /// No request gets through.
    Passed,
    /// The control does not apply.
    NotApplicable,
}

impl From<Status> for StatusEntry {
    fn from(status: Status) -> Self {
        match status {
            Status::Failed => Self::Failed,
            Status::Undecided => Self::Undecided,
            Status::Passed => Self::Passed,
            Status::NotApplicable => Self::NotApplicable,
        }
    }
}

impl From<StatusEntry> for Status {
    fn from(status: StatusEntry) -> Self {
        match status {
            StatusEntry::Failed => Self::Failed,
            StatusEntry::Undecided => Self::Undecided,
            StatusEntry::Passed => Self::Passed,
            StatusEntry::NotApplicable => Self::NotApplicable,
        }
    }
}

impl StatusEntry {
    /// The name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        Status::from(self).name()
    }
}

/// One complete request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WitnessEntry {
    /// The action that IAM checks.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// Further resources of the same request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_resources: Vec<String>,
    /// Who asks.
    pub principal_arn: String,
    /// Every context key that is present.
    pub context: BTreeMap<String, ValueEntry>,
    /// The send path, for instance `smtp`.
    pub send_path: String,
}

/// One thing in an account that lets mail past the perimeter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultEntry {
    /// The Region.
    pub region: String,
    /// The identity, endpoint, relay or rule; of the management account the use.
    pub subject: String,
    /// What is wrong; a sentence without a stop.
    pub message: String,
    /// Where a policy is at fault, a request that it permits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<WitnessEntry>,
}

/// How grave a failed control is in an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeverityEntry {
    /// As graded.
    pub label: SeverityLabel,
    /// Of the control, wherever it fails.
    pub own: SeverityLabel,
    /// How far SES is in use in the account, for instance `SANDBOX`.
    pub level: String,
    /// The rule that was applied, in a sentence with its stop.
    pub rule: String,
}

/// The value of a context key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ValueEntry {
    /// Of a single-valued key.
    One(String),
    /// Of a multivalued key.
    Many(Vec<String>),
}

/// What stops requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DeciderEntry {
    /// A Deny statement.
    Statement(StatementEntry),
    /// A target at which nothing allows them.
    #[serde(rename_all = "camelCase")]
    ImplicitDeny {
        /// The target.
        target_id: String,
        /// Always `IMPLICIT_DENY`.
        reason: ImplicitDeny,
    },
}

/// The word for an implicit deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImplicitDeny {
    /// `IMPLICIT_DENY`.
    #[serde(rename = "IMPLICIT_DENY")]
    ImplicitDeny,
}

/// A statement of a policy on an account's path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementEntry {
    /// `p-...`.
    pub policy_id: String,
    /// The policy's name.
    pub policy_name: String,
    /// Where it is attached.
    pub target_id: String,
    /// The statement's `Sid`.
    pub sid: Option<String>,
    /// Its position, from 0.
    pub statement_index: usize,
}

/// Why a control is undecided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObstacleEntry {
    /// A sentence without a stop.
    pub message: String,
    /// The policy, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    /// The target, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// The `Sid` of the statement, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Its position, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_index: Option<usize>,
}

/// A policy that a result names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyEntry {
    /// `p-...`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether AWS maintains it; its ARN is another then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aws_managed: bool,
}
