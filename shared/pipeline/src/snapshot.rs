//! The wire form of a snapshot: to write it, to read it again and to bring it up to date.
//!
//! `organization::read` is the judge of snapshots; these shapes only carry them. Lists are kept
//! sorted by id, so that the same organization gives the same bytes apart from the two times.

use serde::{Deserialize, Serialize};

/// The only policy type that is collected.
pub const SCP: &str = "SERVICE_CONTROL_POLICY";

/// A snapshot of an organization, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// 1.
    pub schema_version: u32,
    /// When reading began, RFC 3339.
    pub fetched_at: String,
    /// When the oldest of the contents was read, RFC 3339; none where no policy has a content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_content_at: Option<String>,
    /// `aws`, `aws-us-gov`, ...
    pub partition: String,
    /// The organization.
    pub organization: SnapshotHead,
    /// The root.
    pub root: Root,
    /// Units, by id.
    pub organizational_units: Vec<SnapshotUnit>,
    /// Accounts, by id.
    pub accounts: Vec<SnapshotAccount>,
    /// Service control policies, by id.
    pub policies: Vec<SnapshotPolicy>,
    /// Attachments, by target and policy.
    pub attachments: Vec<SnapshotAttachment>,
    /// What could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<SnapshotGap>,
}

/// The organization itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotHead {
    /// `o-...`.
    pub id: String,
    /// Twelve digits.
    pub management_account_id: String,
    /// `ALL` or `CONSOLIDATED_BILLING`; none where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_set: Option<String>,
}

/// The root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Root {
    /// `r-...`.
    pub id: String,
    /// The name.
    pub name: String,
    /// Policy types and their status.
    pub policy_types: Vec<PolicyType>,
}

impl Root {
    /// Whether service control policies count.
    #[must_use]
    pub fn scp_enabled(&self) -> bool {
        self.policy_types.iter().any(|kind| kind.kind == SCP && kind.status == "ENABLED")
    }
}

/// A policy type with its status on the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyType {
    /// For instance `SERVICE_CONTROL_POLICY`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For instance `ENABLED`.
    pub status: String,
}

/// An organizational unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotUnit {
    /// `ou-...`.
    pub id: String,
    /// The name; the id where names are not read.
    pub name: String,
    /// The root or unit that it is in.
    pub parent_id: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotAccount {
    /// Twelve digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// The mail address of its root user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Organizations' state; left out where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// The root or unit that it is in.
    pub parent_id: String,
}

/// A service control policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotPolicy {
    /// `p-...`.
    pub id: String,
    /// The name.
    pub name: String,
    /// `SERVICE_CONTROL_POLICY`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether AWS manages it.
    pub aws_managed: bool,
    /// The document as Organizations stores it; none where a gap says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// A policy on a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotAttachment {
    /// The policy.
    pub policy_id: String,
    /// The root, unit or account.
    pub target_id: String,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotGap {
    /// The target asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// The policy asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// The operation, for instance `DescribePolicy`.
    pub operation: String,
    /// Why it failed.
    pub reason: String,
}
