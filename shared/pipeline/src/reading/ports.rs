//! What reading needs of AWS, one ability a method. None of them writes.

use serde::{Deserialize, Serialize};

use crate::ports::{CallError, Page};

/// A Region of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountRegion {
    /// Twelve digits.
    pub account: String,
    /// For instance `us-east-1`.
    pub region: String,
}

/// Whether there is a session in an account now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// There is.
    Open,
    /// The role is not in the account. STS answers `AccessDenied` for a role that is missing as
    /// for one whose trust policy refuses the caller, so this is for adapters that know it from
    /// elsewhere; where nobody knows, the call is an error of the kind `Denied`.
    RoleMissing,
}

/// Whether an account has a Region switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RegionState {
    /// It has, or is about to have or to lose it: calls are worth a try.
    Enabled,
    /// It has switched the Region off, or nobody knows whether it ever had it.
    Disabled,
    /// It never had the Region, so nothing can be there. `DISABLED` in the answer of ListRegions
    /// does not tell this from [`RegionState::Disabled`]; an adapter says it only of what it
    /// knows, as controls pass over such a Region.
    NeverEnabled,
}

/// A Region with its state (Account Management ListRegions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionItem {
    /// The name.
    pub name: String,
    /// The state.
    pub state: RegionState,
}

/// What a Region answers that may not have the feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InRegion<T> {
    /// It has it.
    Here(T),
    /// It does not. An adapter says so by its list of endpoints or an answer of AWS that can mean
    /// nothing else; a name that does not resolve or a reset is an error of the kind `Unavailable`.
    Unavailable,
}

/// Sending quotas (GetSendQuota, and part of GetAccount).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaItem {
    /// Messages in 24 hours; -1 where there is no limit.
    pub max_24_hour: f64,
    /// Messages a second.
    pub max_send_rate: f64,
    /// Messages sent in the last 24 hours.
    pub sent_last_24_hours: f64,
}

/// The account's sending (SESv2 GetAccount). AWS promises none of the fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountAnswer {
    /// `SendingEnabled`.
    pub sending_enabled: Option<bool>,
    /// `ProductionAccessEnabled`.
    pub production_access: Option<bool>,
    /// `EnforcementStatus`.
    pub enforcement_status: Option<String>,
    /// `SendQuota`.
    pub quota: Option<QuotaItem>,
}

/// A quarter of an hour (GetSendStatistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataPoint {
    /// `DeliveryAttempts`.
    pub delivery_attempts: u64,
}

/// An identity (SESv2 ListEmailIdentities).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedItem {
    /// `IdentityName`.
    pub name: String,
    /// `IdentityType`, an open set.
    pub kind: String,
    /// `SendingEnabled`, or `VerificationStatus` is `SUCCESS`.
    pub verified: bool,
}

/// A relay (Mail Manager GetRelay).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayItem {
    /// `RelayId`.
    pub id: String,
    /// `RelayName`.
    pub name: String,
    /// `ServerName`.
    pub server_name: String,
    /// `ServerPort`.
    pub server_port: u16,
}

/// An action of a rule, as far as mail can leave by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ActionItem {
    /// `Relay`: its `Relay`, an id or an ARN.
    Relay(String),
    /// `Send`.
    Send,
    /// `ReplaceRecipient`: its `ReplaceWith`.
    ReplaceRecipient(Vec<String>),
    /// Another one that the adapter knows.
    Inside,
    /// One that the adapter does not know.
    Unknown,
}

/// A rule of a rule set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleItem {
    /// `Name`, or its number where it has none.
    pub name: String,
    /// `Actions`, all of them in order.
    pub actions: Vec<ActionItem>,
}

/// A rule set (Mail Manager GetRuleSet).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleSetItem {
    /// `RuleSetId`.
    pub id: String,
    /// `RuleSetName`.
    pub name: String,
    /// `Rules`, in order.
    pub rules: Vec<RuleItem>,
}

/// An ingress point (Mail Manager ListIngressPoints).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngressPointItem {
    /// `IngressPointId`.
    pub id: String,
    /// `IngressPointName`.
    pub name: String,
    /// `Status`.
    pub status: String,
}

/// A VPC endpoint for SES (EC2 DescribeVpcEndpoints).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointItem {
    /// `VpcEndpointId`.
    pub id: String,
    /// `ServiceName`.
    pub service: String,
    /// `VpcId`.
    pub vpc: String,
    /// `State`.
    pub state: String,
    /// `PolicyDocument`, where there is one.
    pub policy: Option<String>,
}

/// AWS as reading sees it, by account and Region.
///
/// Lists come page by page: a page may be empty and still carry a token, and no token, whatever
/// the page holds, ends the list. An adapter hands every token on as it is, also an empty one.
///
/// # Errors
/// [`CallError`] with the permission of [`super::Api::permission`]. What a call names and is gone is
/// of the kind `NotFound`; a refusal by any policy is `Denied`.
pub trait SesReader {
    /// Makes sure that there is a session in an account, for all calls below. It lasts as long as
    /// the longest invocation.
    async fn open(&self, account: &str) -> Result<Opened, CallError>;
    /// ListRegions: every Region of the partition as the account has it.
    async fn regions(
        &self,
        account: &str,
        next: Option<&str>,
    ) -> Result<Page<RegionItem>, CallError>;
    /// SESv2 GetAccount.
    async fn account(&self, place: &AccountRegion) -> Result<AccountAnswer, CallError>;
    /// GetAccountSendingEnabled; asked where GetAccount leaves it out.
    async fn sending_enabled(&self, place: &AccountRegion) -> Result<bool, CallError>;
    /// GetSendQuota; asked where GetAccount leaves it out.
    async fn send_quota(&self, place: &AccountRegion) -> Result<QuotaItem, CallError>;
    /// GetSendStatistics: two weeks, in no order.
    async fn send_statistics(&self, place: &AccountRegion) -> Result<Vec<DataPoint>, CallError>;
    /// ListEmailIdentities, which unlike ListIdentities says what is verified.
    async fn identities(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<Page<VerifiedItem>, CallError>;
    /// ListIdentityPolicies: all names.
    async fn policy_names(
        &self,
        place: &AccountRegion,
        identity: &str,
    ) -> Result<Vec<String>, CallError>;
    /// GetIdentityPolicies: (name, document) for 1 to 20 names.
    async fn policies(
        &self,
        place: &AccountRegion,
        identity: &str,
        names: &[String],
    ) -> Result<Vec<(String, String)>, CallError>;
    /// ListRelays: ids.
    async fn relays(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<InRegion<Page<String>>, CallError>;
    /// GetRelay.
    async fn relay(&self, place: &AccountRegion, id: &str) -> Result<RelayItem, CallError>;
    /// ListRuleSets: ids.
    async fn rule_sets(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<InRegion<Page<String>>, CallError>;
    /// GetRuleSet.
    async fn rule_set(&self, place: &AccountRegion, id: &str) -> Result<RuleSetItem, CallError>;
    /// ListIngressPoints.
    async fn ingress_points(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<InRegion<Page<IngressPointItem>>, CallError>;
    /// DescribeVpcEndpoints, those for SES and Mail Manager only, each with its policy.
    async fn endpoints(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<Page<EndpointItem>, CallError>;
}
