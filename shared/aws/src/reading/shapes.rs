//! What must be in the answers that are read from their bodies. What is not an `Option` must be
//! there.

use pipeline::reading::{
    AccountAnswer, ActionItem, IngressPointItem, QuotaItem, RelayItem, RuleItem, RuleSetItem,
    VerifiedItem,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// ListRegions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Regions {
    pub(super) regions: Vec<RegionOutput>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RegionOutput {
    pub(super) region_name: String,
    pub(super) region_opt_status: String,
}

/// GetAccount.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccountOutput {
    sending_enabled: Option<bool>,
    production_access_enabled: Option<bool>,
    enforcement_status: Option<String>,
    send_quota: Option<QuotaOutput>,
}

#[derive(Debug, Deserialize)]
struct QuotaOutput {
    #[serde(rename = "Max24HourSend")]
    max_24_hour: Option<f64>,
    #[serde(rename = "MaxSendRate")]
    max_send_rate: Option<f64>,
    #[serde(rename = "SentLast24Hours")]
    sent_last_24_hours: Option<f64>,
}

impl From<AccountOutput> for AccountAnswer {
    fn from(account: AccountOutput) -> Self {
        let quota = account.send_quota.and_then(|quota| {
            Some(QuotaItem {
                max_24_hour: quota.max_24_hour?,
                max_send_rate: quota.max_send_rate?,
                sent_last_24_hours: quota.sent_last_24_hours?,
            })
        });
        Self {
            sending_enabled: account.sending_enabled,
            production_access: account.production_access_enabled,
            enforcement_status: account.enforcement_status,
            quota,
        }
    }
}

/// ListEmailIdentities.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Identities {
    pub(super) email_identities: Vec<IdentityOutput>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct IdentityOutput {
    identity_name: String,
    identity_type: String,
    sending_enabled: Option<bool>,
    verification_status: Option<String>,
}

impl IdentityOutput {
    /// `None` where the answer does not tell whether the identity is verified.
    pub(super) fn item(self) -> Option<VerifiedItem> {
        let status = self.verification_status.map(|status| status == "SUCCESS");
        let verified = match (self.sending_enabled, status) {
            (Some(true), _) | (_, Some(true)) => true,
            (Some(false), Some(false)) => false,
            (None, _) | (_, None) => return None,
        };
        Some(VerifiedItem { name: self.identity_name, kind: self.identity_type, verified })
    }
}

/// ListRelays.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Relays {
    pub(super) relays: Vec<ListedRelay>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedRelay {
    pub(super) relay_id: String,
}

/// GetRelay.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RelayOutput {
    relay_id: String,
    relay_name: Option<String>,
    server_name: String,
    server_port: u16,
}

impl From<RelayOutput> for RelayItem {
    fn from(relay: RelayOutput) -> Self {
        Self {
            name: relay.relay_name.unwrap_or_else(|| relay.relay_id.clone()),
            id: relay.relay_id,
            server_name: relay.server_name,
            server_port: relay.server_port,
        }
    }
}

/// ListRuleSets.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RuleSets {
    pub(super) rule_sets: Vec<ListedRuleSet>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedRuleSet {
    pub(super) rule_set_id: String,
}

/// GetRuleSet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RuleSetOutput {
    rule_set_id: String,
    rule_set_name: String,
    rules: Vec<RuleOutput>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleOutput {
    name: Option<String>,
    actions: Vec<Map<String, Value>>,
}

impl From<RuleSetOutput> for RuleSetItem {
    fn from(set: RuleSetOutput) -> Self {
        let rule = |(index, rule): (usize, RuleOutput)| RuleItem {
            name: rule.name.unwrap_or_else(|| (index + 1).to_string()),
            actions: rule.actions.iter().map(action).collect(),
        };
        Self {
            id: set.rule_set_id,
            name: set.rule_set_name,
            rules: set.rules.into_iter().enumerate().map(rule).collect(),
        }
    }
}

/// An action of a rule, by clause 8 of docs/exposure.md.
///
/// # Source
/// Amazon SES Mail Manager API Reference, "RuleAction": exactly one member is there.
fn action(action: &Map<String, Value>) -> ActionItem {
    let mut members = action.iter();
    let (Some((kind, fields)), None) = (members.next(), members.next()) else {
        return ActionItem::Unknown;
    };
    match kind.as_str() {
        "Relay" => match fields.get("Relay") {
            Some(Value::String(relay)) => ActionItem::Relay(relay.clone()),
            _ => ActionItem::Unknown,
        },
        "Send" => ActionItem::Send,
        "ReplaceRecipient" => match fields.get("ReplaceWith") {
            Some(Value::Array(with)) => {
                let addresses = with.iter().map(|with| with.as_str().map(str::to_owned));
                addresses
                    .collect::<Option<Vec<_>>>()
                    .map_or(ActionItem::Unknown, ActionItem::ReplaceRecipient)
            }
            // With nothing said of whom, a send after it goes to whomever the mail names.
            None | Some(Value::Null) => ActionItem::ReplaceRecipient(Vec::new()),
            Some(_) => ActionItem::Unknown,
        },
        "AddHeader" | "Drop" => ActionItem::Inside,
        // What the rule's author wrote goes back to the sender of the mail, not the mail.
        "Bounce" => ActionItem::Inside,
        // The mail is given to a service, as the rule's role: policies of that role and of what
        // it is given to decide there, as for any other data.
        "Archive" | "DeliverToMailbox" | "DeliverToQBusiness" | "InvokeLambda" | "PublishToSns"
        | "WriteToS3" => ActionItem::Inside,
        _ => ActionItem::Unknown,
    }
}

/// ListIngressPoints.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct IngressPoints {
    pub(super) ingress_points: Vec<IngressPointOutput>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct IngressPointOutput {
    ingress_point_id: String,
    ingress_point_name: String,
    status: String,
}

impl From<IngressPointOutput> for IngressPointItem {
    fn from(point: IngressPointOutput) -> Self {
        Self { id: point.ingress_point_id, name: point.ingress_point_name, status: point.status }
    }
}
