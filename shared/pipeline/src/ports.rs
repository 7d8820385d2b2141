//! The outside, one ability a trait.

use std::fmt;

use jiff::Timestamp;

/// Why a call failed, as far as it matters for what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The service asked to slow down (`TooManyRequestsException` and the like).
    Throttled,
    /// Another change is in progress (`ConcurrentModificationException`,
    /// `PolicyChangesInProgressException`).
    Concurrent,
    /// The service failed: 5xx, time-out.
    Unavailable,
    /// The way there failed: no such name, no connection, reset.
    Unreachable,
    /// What the call names does not exist, or does not any more.
    NotFound,
    /// The caller may not do this.
    Denied,
    /// Anything else: the call itself is wrong, or the answer cannot be understood.
    Other,
}

/// A call to AWS that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CallError {
    /// The permission that the call needs, for instance `organizations:DescribePolicy`.
    pub permission: &'static str,
    /// What kind of failure it is.
    pub failure: Failure,
    /// The service's error code, for instance `AccessDeniedException`.
    pub code: String,
    /// The service's message.
    pub message: String,
}

impl CallError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self.failure {
            Failure::Throttled
            | Failure::Concurrent
            | Failure::Unavailable
            | Failure::Unreachable => true,
            Failure::NotFound | Failure::Denied | Failure::Other => false,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.permission, self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if self.failure == Failure::Denied {
            write!(f, " (grant `{}` to the role that made the call)", self.permission)?;
        }
        Ok(())
    }
}

/// One page of a list. A page may be empty and still not be the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where to go on; `None` on the last page.
    pub next: Option<String>,
}

/// The organization itself (DescribeOrganization).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadItem {
    /// `o-...`.
    pub id: String,
    /// Twelve digits.
    pub management_account: String,
    /// `ALL` or `CONSOLIDATED_BILLING`.
    pub feature_set: String,
}

/// The root (ListRoots).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootItem {
    /// `r-...`.
    pub id: String,
    /// `arn:PARTITION:organizations::MANAGEMENT:root/ORGANIZATION/ROOT`.
    pub arn: String,
    /// The name.
    pub name: String,
    /// Policy types and their status, an open set: (`SERVICE_CONTROL_POLICY`, `ENABLED`).
    pub policy_types: Vec<(String, String)>,
}

/// An account (ListAccounts, ListAccountsForParent, DescribeAccount).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountItem {
    /// Twelve digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// The mail address of its root user.
    pub email: String,
    /// `State`, or the retired `Status` where there is none; empty where neither is there.
    pub state: String,
    /// `Paths`, each `o-.../r-.../ou-.../.../ACCOUNT/`; empty where the service does not fill it.
    pub paths: Vec<String>,
}

/// An organizational unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitItem {
    /// `ou-...`.
    pub id: String,
    /// The name.
    pub name: String,
}

/// A policy without its content (ListPolicies, ListPoliciesForTarget).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyItem {
    /// `p-...`.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether AWS manages it.
    pub aws_managed: bool,
}

/// A policy with its content (DescribePolicy).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyContent {
    /// The policy.
    pub item: PolicyItem,
    /// `SERVICE_CONTROL_POLICY` or another type.
    pub kind: String,
    /// The document as Organizations stores it.
    pub content: String,
}

/// The tree of an organization, page by page. Pages hold at most 20 items.
pub trait ReadTree {
    /// ListRoots.
    async fn roots(&self, next: Option<&str>) -> Result<Page<RootItem>, CallError>;
    /// ListAccounts.
    async fn accounts(&self, next: Option<&str>) -> Result<Page<AccountItem>, CallError>;
    /// ListAccountsForParent: direct children only.
    async fn accounts_in(
        &self,
        parent: &str,
        next: Option<&str>,
    ) -> Result<Page<AccountItem>, CallError>;
    /// ListOrganizationalUnitsForParent: direct children only.
    async fn units_in(&self, parent: &str, next: Option<&str>)
    -> Result<Page<UnitItem>, CallError>;
}

/// Service control policies and where they are attached, page by page.
pub trait ReadPolicies {
    /// ListPolicies with the filter SERVICE_CONTROL_POLICY.
    async fn policies(&self, next: Option<&str>) -> Result<Page<PolicyItem>, CallError>;
    /// ListTargetsForPolicy: ids of the root, units and accounts.
    async fn targets_of(&self, policy: &str, next: Option<&str>)
    -> Result<Page<String>, CallError>;
    /// DescribePolicy.
    async fn content(&self, policy: &str) -> Result<PolicyContent, CallError>;
}

/// Single facts, for what changed since the last snapshot.
pub trait ReadOne {
    /// DescribeOrganization.
    async fn head(&self) -> Result<HeadItem, CallError>;
    /// DescribeAccount.
    async fn account(&self, account: &str) -> Result<AccountItem, CallError>;
    /// DescribeOrganizationalUnit.
    async fn unit(&self, unit: &str) -> Result<UnitItem, CallError>;
    /// ListParents: the id of the root or unit that an account or unit is in.
    async fn parent_of(&self, child: &str) -> Result<String, CallError>;
    /// ListPoliciesForTarget with the filter SERVICE_CONTROL_POLICY: directly attached ones.
    async fn policies_on(
        &self,
        target: &str,
        next: Option<&str>,
    ) -> Result<Page<PolicyItem>, CallError>;
}

/// All that the collector reads of Organizations.
pub trait Organizations: ReadTree + ReadPolicies + ReadOne {}

impl<T: ReadTree + ReadPolicies + ReadOne> Organizations for T {}

/// An object with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The content.
    pub bytes: Vec<u8>,
    /// The entity tag, for [`Condition::IfTag`].
    pub tag: String,
}

/// When a write counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Whatever is there.
    Always,
    /// Only where nothing is there (`If-None-Match: *`).
    IfAbsent,
    /// Only over this version (`If-Match`).
    IfTag(&'a str),
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is there, with this entity tag.
    Yes(String),
    /// The condition did not hold; nothing was written.
    Conflict,
}

/// A bucket of objects with conditional writes and strong consistency.
pub trait Objects {
    /// The object under a key; `None` where there is none.
    async fn get(&self, key: &str) -> Result<Option<Object>, CallError>;
    /// Writes an object under a key.
    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<Written, CallError>;
    /// Removes an object; none there is no error.
    async fn delete(&self, key: &str) -> Result<(), CallError>;
    /// The keys that start with a prefix, in order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError>;
}

/// The time of day.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// How an execution of the state machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// It runs.
    Running,
    /// It ended, in whichever way.
    Ended,
    /// There is none of this name.
    Unknown,
}

/// Executions of the state machine.
pub trait Executions {
    /// Starts an execution of this name; one that has the name already is no error.
    async fn start(&self, name: &str, input: &str) -> Result<(), CallError>;
    /// How the execution of this name stands.
    async fn status(&self, name: &str) -> Result<ExecutionStatus, CallError>;
}

/// An item of a batch that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The finding's id.
    pub id: String,
    /// The error code, for instance `InvalidAccess`.
    pub code: String,
    /// The message.
    pub message: String,
}

/// A finding as Security Hub has it, as far as we ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFinding {
    /// The id.
    pub id: String,
    /// The product, for calls that name a finding.
    pub product_arn: String,
    /// The account in which it was imported.
    pub aws_account_id: String,
    /// `CreatedAt`.
    pub created_at: String,
    /// `UpdatedAt`.
    pub updated_at: String,
    /// `FirstObservedAt`, where set.
    pub first_observed_at: Option<String>,
    /// `Compliance.Status`, where set.
    pub compliance: Option<String>,
    /// `ACTIVE` or `ARCHIVED`.
    pub record_state: String,
    /// `NEW`, `NOTIFIED`, `RESOLVED` or `SUPPRESSED`.
    pub workflow: String,
    /// `ProductFields`.
    pub product_fields: std::collections::BTreeMap<String, String>,
}

/// Which findings to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingQuery<'a> {
    /// Those of this product name that are active.
    OfProduct {
        /// `ProductName`.
        product: &'a str,
        /// Only those with one of these slots in their `ProductFields`; at most 20, and none for
        /// all. See [`findings::slots`].
        slots: &'a [u32],
    },
    /// Those with one of these ids; at most 20.
    WithIds(&'a [String]),
}

/// Findings in Security Hub, as one account may see and write them.
pub trait Hub {
    /// BatchImportFindings: 1 to 100 findings in ASFF, all of the account `account`.
    ///
    /// Returns those that were refused, the other ones were accepted.
    async fn import(
        &self,
        account: &str,
        findings: &[serde_json::Value],
    ) -> Result<Vec<Refused>, CallError>;
    /// BatchUpdateFindings: sets the workflow of 1 to 100 findings (id, product ARN) to RESOLVED.
    async fn resolve(
        &self,
        account: &str,
        findings: &[(String, String)],
    ) -> Result<Vec<Refused>, CallError>;
    /// GetFindings, page by page, at most 100 a page.
    async fn find(
        &self,
        account: &str,
        wanted: FindingQuery<'_>,
        next: Option<&str>,
    ) -> Result<Page<PublishedFinding>, CallError>;
}

/// Events of our own on the default bus.
pub trait Events {
    /// PutEvents: 1 to 10 details in JSON, of one detail type. Returns how many were refused.
    async fn put(&self, detail_type: &str, details: &[String]) -> Result<usize, CallError>;
}

/// A mail with a text and an HTML part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
}

/// Mail to the people who asked for a digest.
pub trait Mailer {
    /// SendEmail to the configured recipients; nothing where none are configured.
    async fn send(&self, mail: &Mail) -> Result<(), CallError>;
}
