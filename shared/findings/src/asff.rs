//! Findings in the AWS Security Finding Format (ASFF).
//!
//! Made by [`finding`] from a result and by [`farewell`] for what is gone. Every documented limit
//! holds by construction: texts are [`Limited`], lists are cut where they are made.
//!
//! # Source
//! AWS Security Hub API reference, `AwsSecurityFinding`; user guide, "Required top-level ASFF
//! attributes" and "Guidelines for using BatchImportFindings".

mod controls;
mod digest;
mod limited;
mod make;
mod texts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::run::SeverityLabel;

pub use controls::{OfLevel, levels, severity};
pub use limited::Limited;
pub use make::{Rendered, Target, Times, account_of, control_of, farewell, finding, id};
pub use texts::{account, deciders, description, obstacle, obstacles, title};

/// `CompanyName`; it stands where Security Hub would show "Personal".
pub const COMPANY: &str = "ses-perimeter";
/// `ProductName`, by which our findings are found again.
pub const PRODUCT: &str = "SES data perimeter";
/// `SchemaVersion`.
pub const SCHEMA_VERSION: &str = "2018-10-08";
/// The most bytes of one finding in JSON.
pub const MOST_BYTES: usize = 240_000;
/// The most `Resources`.
pub const MOST_RESOURCES: usize = 32;

/// Names of `ProductFields` that are read back.
pub mod fields {
    /// The control.
    pub const CONTROL: &str = "ses-perimeter/control";
    /// The account.
    pub const ACCOUNT: &str = "ses-perimeter/accountId";
    /// Its name.
    pub const ACCOUNT_NAME: &str = "ses-perimeter/accountName";
    /// One of 64 classes of accounts, by which the findings of some accounts can be found.
    pub const SLOT: &str = "ses-perimeter/slot";
    /// The status: more exact than `Compliance.Status`.
    pub const STATUS: &str = "ses-perimeter/status";
    /// How far SES is in use in the account.
    pub const EXPOSURE_LEVEL: &str = "ses-perimeter/exposureLevel";
    /// The rule that led to the severity.
    pub const SEVERITY_RULE: &str = "ses-perimeter/severityRule";
    /// The digest of what a reader acts on.
    pub const CONTENT_DIGEST: &str = "ses-perimeter/contentDigest";
    /// The digest of the snapshot that was evaluated.
    pub const SNAPSHOT_DIGEST: &str = "ses-perimeter/snapshotDigest";
    /// When that snapshot was taken.
    pub const SNAPSHOT_TIME: &str = "ses-perimeter/snapshotFetchedAt";
    /// When the oldest content in it was read.
    pub const OLDEST_CONTENT: &str = "ses-perimeter/oldestContentAt";
    /// When it was evaluated.
    pub const EVALUATED_AT: &str = "ses-perimeter/evaluatedAt";
    /// The run that wrote the finding.
    pub const RUN: &str = "ses-perimeter/runId";
    /// The version of the program that wrote the finding.
    pub const TOOL_VERSION: &str = "ses-perimeter/toolVersion";
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Finding {
    /// [`SCHEMA_VERSION`].
    pub schema_version: Limited<32>,
    /// One for each account and control, for ever.
    pub id: Limited<512>,
    /// The default product of the account that holds the finding.
    pub product_arn: Limited<2048>,
    /// The account that holds the finding.
    pub aws_account_id: Limited<12>,
    /// What makes such findings: the control.
    pub generator_id: Limited<512>,
    /// [`COMPANY`].
    pub company_name: Limited<128>,
    /// [`PRODUCT`].
    pub product_name: Limited<128>,
    /// When the finding was first written.
    pub created_at: String,
    /// When it was last written; strictly grows.
    pub updated_at: String,
    /// Since when the account has not been passing, or when it was first looked at.
    pub first_observed_at: String,
    /// The outcome.
    pub title: Limited<256>,
    /// The outcome with its reasons.
    pub description: Limited<1024>,
    /// Severity and types.
    pub finding_provider_fields: ProviderFields,
    /// What to do.
    pub remediation: Remediation,
    /// Everything else, by names that begin with `ses-perimeter/`.
    pub product_fields: BTreeMap<String, Limited<2048>>,
    /// The account first, then policies.
    pub resources: Vec<AsffResource>,
    /// The verdict in Security Hub's words.
    pub compliance: Compliance,
    /// Only in a finding that is written for the first time: afterwards it is the customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Workflow>,
    /// Whether it is current.
    pub record_state: RecordState,
}

/// `FindingProviderFields`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProviderFields {
    /// How grave it is.
    pub severity: SeverityEntry,
    /// What kind of finding it is.
    pub types: Vec<String>,
}

/// `Severity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SeverityEntry {
    /// Of this finding as it stands.
    pub label: SeverityLabel,
    /// Of the control, should it fail.
    pub original: Limited<64>,
}

/// `Remediation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Remediation {
    /// The advice.
    pub recommendation: Recommendation,
}

/// `Recommendation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Recommendation {
    /// What to do.
    pub text: Limited<512>,
    /// Where to read on.
    pub url: String,
}

/// One of `Resources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AsffResource {
    /// `AwsAccount` or `Other`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// `AWS::::Account:` and twelve digits, or the ARN of a policy.
    pub id: Limited<512>,
    /// Where it is one of those that Security Hub knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The Region of the hub; both kinds are global.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Names, and what else helps to find it.
    pub details: Details,
}

/// `Details` of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Details {
    /// Values are shorter than 1,024.
    pub other: BTreeMap<String, Limited<1023>>,
}

/// `Compliance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Compliance {
    /// The verdict.
    pub status: ComplianceStatus,
    /// At most 32.
    pub related_requirements: Vec<String>,
    /// Why it is neither passed nor failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_reasons: Vec<StatusReason>,
}

/// `Compliance.Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ComplianceStatus {
    /// Proved.
    Passed,
    /// Undecided.
    Warning,
    /// A request gets through.
    Failed,
    /// Does not apply.
    NotAvailable,
}

/// One of `StatusReasons`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StatusReason {
    /// `UNDECIDED` or `NOT_APPLICABLE`.
    pub reason_code: String,
    /// Why.
    pub description: Limited<1024>,
}

/// `Workflow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Workflow {
    /// Where the investigation stands.
    pub status: WorkflowStatus,
}

/// `Workflow.Status`, as far as we set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WorkflowStatus {
    /// To be looked at.
    New,
    /// Nothing to be done.
    Resolved,
}

/// `RecordState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordState {
    /// Current.
    Active,
    /// What it is about is gone.
    Archived,
}
