//! An exposure section as it is written.
//!
//! The types mirror `docs/schema/exposure.schema.json` field by field; [`WireSection::from`] makes one
//! of the model, and [`crate::read()`] reads what it writes.

use serde::Serialize;

use crate::model;

/// The version of the format.
pub const VERSION: u32 = 1;

/// The section.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WireSection {
    exposure_version: u32,
    accounts: Vec<WireAccount>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireAccount {
    account: String,
    read_at: String,
    regions: Vec<WireRegion>,
}

#[derive(Debug, Clone, Serialize)]
struct WireRegion {
    region: String,
    #[serde(flatten)]
    status: Status,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "status", rename_all = "camelCase")]
enum Status {
    Read(Box<Facts>),
    RegionDisabled,
    NotOptedIn,
    RoleMissing,
    Denied { call: String },
    Failed { reason: String },
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    sending: WirePart<Sending>,
    sent_last_two_weeks: WirePart<u64>,
    identities: WirePart<Vec<WireIdentity>>,
    mail_manager: WirePart<MailManager>,
    vpc_endpoints: WirePart<Vec<Endpoint>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum WirePart<T> {
    Read(T),
    Gap { gap: WireGap },
}

#[derive(Debug, Clone, Serialize)]
struct WireGap {
    call: String,
    reason: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sending {
    enabled: bool,
    production_access: bool,
    enforcement_status: String,
    quota: WireQuota,
}

#[derive(Debug, Clone, Serialize)]
struct WireQuota {
    #[serde(rename = "max24Hour")]
    max_24_hour: f64,
    #[serde(rename = "maxSendRate")]
    max_send_rate: f64,
    #[serde(rename = "sentLast24Hours")]
    sent_last_24_hours: f64,
}

#[derive(Debug, Clone, Serialize)]
struct WireIdentity {
    name: String,
    kind: &'static str,
    verified: bool,
    policies: WirePart<Vec<WirePolicy>>,
}

#[derive(Debug, Clone, Serialize)]
struct WirePolicy {
    name: String,
    text: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct MailManager {
    available: bool,
    #[serde(flatten)]
    set_up: Option<SetUp>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SetUp {
    relays: Vec<WireRelay>,
    rule_sets: Vec<WireRuleSet>,
    ingress_points: Vec<WireIngressPoint>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireRelay {
    id: String,
    name: String,
    server_name: String,
    server_port: u16,
}

#[derive(Debug, Clone, Serialize)]
struct WireRuleSet {
    id: String,
    name: String,
    actions: Vec<WireAction>,
}

#[derive(Debug, Clone, Serialize)]
struct WireAction {
    rule: String,
    #[serde(flatten)]
    kind: ActionKind,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "action", rename_all = "camelCase")]
enum ActionKind {
    Relay {
        relay: String,
    },
    Send {
        #[serde(skip_serializing_if = "Option::is_none")]
        recipients: Option<Vec<String>>,
    },
}

#[derive(Debug, Clone, Serialize)]
struct WireIngressPoint {
    id: String,
    name: String,
    status: String,
}

#[derive(Debug, Clone, Serialize)]
struct Endpoint {
    id: String,
    service: String,
    vpc: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
}

impl From<&model::Exposure> for WireSection {
    fn from(exposure: &model::Exposure) -> Self {
        let accounts = exposure.accounts.iter().map(|account| WireAccount {
            account: account.account.to_string(),
            read_at: account.read_at.clone(),
            regions: account.regions.iter().map(region).collect(),
        });
        Self { exposure_version: VERSION, accounts: accounts.collect() }
    }
}

fn region(region: &model::RegionExposure) -> WireRegion {
    let status = match &region.status {
        model::RegionStatus::Read(facts) => Status::Read(Box::new(Facts {
            sending: part(&facts.sending, sending),
            sent_last_two_weeks: part(&facts.sent_last_two_weeks, |count| *count),
            identities: part(&facts.identities, |all| all.iter().map(identity).collect()),
            mail_manager: part(&facts.mail_manager, mail_manager),
            vpc_endpoints: part(&facts.endpoints, |all| all.iter().map(endpoint).collect()),
        })),
        model::RegionStatus::RegionDisabled => Status::RegionDisabled,
        model::RegionStatus::NotOptedIn => Status::NotOptedIn,
        model::RegionStatus::RoleMissing => Status::RoleMissing,
        model::RegionStatus::Denied { call } => Status::Denied { call: call.clone() },
        model::RegionStatus::Failed { reason } => Status::Failed { reason: reason.clone() },
    };
    WireRegion { region: region.region.clone(), status }
}

fn part<T, W>(part: &model::Part<T>, write: impl FnOnce(&T) -> W) -> WirePart<W> {
    match part {
        model::Part::Read(value) => WirePart::Read(write(value)),
        model::Part::Gap(model::Gap { call, reason }) => {
            WirePart::Gap { gap: WireGap { call: call.clone(), reason: reason.clone() } }
        }
    }
}

fn sending(sending: &model::Sending) -> Sending {
    let enforcement_status = match &sending.enforcement {
        model::Enforcement::Healthy => "HEALTHY",
        model::Enforcement::Probation => "PROBATION",
        model::Enforcement::Shutdown => "SHUTDOWN",
        model::Enforcement::Other(word) => word,
    };
    let model::Quota { max_24_hour, max_send_rate, sent_last_24_hours } = sending.quota;
    Sending {
        enabled: sending.enabled,
        production_access: sending.production_access,
        enforcement_status: enforcement_status.to_owned(),
        quota: WireQuota { max_24_hour, max_send_rate, sent_last_24_hours },
    }
}

fn identity(identity: &model::Identity) -> WireIdentity {
    WireIdentity {
        name: identity.name.clone(),
        kind: match identity.kind {
            model::IdentityKind::Domain => "DOMAIN",
            model::IdentityKind::EmailAddress => "EMAIL_ADDRESS",
            model::IdentityKind::ManagedDomain => "MANAGED_DOMAIN",
        },
        verified: identity.verified,
        policies: part(&identity.policies, |all| {
            all.iter()
                .map(|policy| WirePolicy { name: policy.name.clone(), text: policy.text.clone() })
                .collect()
        }),
    }
}

fn mail_manager(mail_manager: &model::MailManager) -> MailManager {
    let set_up = match mail_manager {
        model::MailManager::Unavailable => None,
        model::MailManager::Available { relays, rule_sets, ingress_points } => Some(SetUp {
            relays: relays
                .iter()
                .map(|relay| WireRelay {
                    id: relay.id.clone(),
                    name: relay.name.clone(),
                    server_name: relay.server_name.clone(),
                    server_port: relay.server_port,
                })
                .collect(),
            rule_sets: rule_sets.iter().map(rule_set).collect(),
            ingress_points: ingress_points
                .iter()
                .map(|point| WireIngressPoint {
                    id: point.id.clone(),
                    name: point.name.clone(),
                    status: point.status.clone(),
                })
                .collect(),
        }),
    };
    MailManager { available: set_up.is_some(), set_up }
}

fn rule_set(rule_set: &model::RuleSet) -> WireRuleSet {
    let action = |action: &model::RuleAction| WireAction {
        rule: action.rule.clone(),
        kind: match &action.kind {
            model::RuleActionKind::Relay { relay } => ActionKind::Relay { relay: relay.clone() },
            model::RuleActionKind::Send { recipients } => {
                ActionKind::Send { recipients: recipients.clone() }
            }
        },
    };
    WireRuleSet {
        id: rule_set.id.clone(),
        name: rule_set.name.clone(),
        actions: rule_set.actions.iter().map(action).collect(),
    }
}

fn endpoint(endpoint: &model::Endpoint) -> Endpoint {
    Endpoint {
        id: endpoint.id.clone(),
        service: endpoint.service.clone(),
        vpc: endpoint.vpc.clone(),
        state: endpoint.state.clone(),
        policy: endpoint.policy.clone(),
    }
}
