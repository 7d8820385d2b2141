//! An exposure section as it is written.
//!
//! The types mirror `docs/schema/exposure.schema.json` field by field; [`Section::from`] makes one
//! of the model, and [`crate::read()`] reads what it writes.

use serde::Serialize;

use crate::model;

/// The version of the format.
pub const VERSION: u32 = 1;

/// The section.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Section {
    exposure_version: u32,
    accounts: Vec<Account>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    account: String,
    read_at: String,
    regions: Vec<Region>,
}

#[derive(Debug, Clone, Serialize)]
struct Region {
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
    sending: Part<Sending>,
    sent_last_two_weeks: Part<u64>,
    identities: Part<Vec<Identity>>,
    mail_manager: Part<MailManager>,
    vpc_endpoints: Part<Vec<Endpoint>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Part<T> {
    Read(T),
    Gap { gap: Gap },
}

#[derive(Debug, Clone, Serialize)]
struct Gap {
    call: String,
    reason: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sending {
    enabled: bool,
    production_access: bool,
    enforcement_status: String,
    quota: Quota,
}

#[derive(Debug, Clone, Serialize)]
struct Quota {
    #[serde(rename = "max24Hour")]
    max_24_hour: f64,
    #[serde(rename = "maxSendRate")]
    max_send_rate: f64,
    #[serde(rename = "sentLast24Hours")]
    sent_last_24_hours: f64,
}

#[derive(Debug, Clone, Serialize)]
struct Identity {
    name: String,
    kind: &'static str,
    verified: bool,
    policies: Part<Vec<Policy>>,
}

#[derive(Debug, Clone, Serialize)]
struct Policy {
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
    relays: Vec<Relay>,
    rule_sets: Vec<RuleSet>,
    ingress_points: Vec<IngressPoint>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Relay {
    id: String,
    name: String,
    server_name: String,
    server_port: u16,
}

#[derive(Debug, Clone, Serialize)]
struct RuleSet {
    id: String,
    name: String,
    actions: Vec<Action>,
}

#[derive(Debug, Clone, Serialize)]
struct Action {
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
struct IngressPoint {
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

impl From<&model::Exposure> for Section {
    fn from(exposure: &model::Exposure) -> Self {
        let accounts = exposure.accounts.iter().map(|account| Account {
            account: account.account.to_string(),
            read_at: account.read_at.clone(),
            regions: account.regions.iter().map(region).collect(),
        });
        Self { exposure_version: VERSION, accounts: accounts.collect() }
    }
}

fn region(region: &model::RegionExposure) -> Region {
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
    Region { region: region.region.clone(), status }
}

fn part<T, W>(part: &model::Part<T>, write: impl FnOnce(&T) -> W) -> Part<W> {
    match part {
        model::Part::Read(value) => Part::Read(write(value)),
        model::Part::Gap(model::Gap { call, reason }) => {
            Part::Gap { gap: Gap { call: call.clone(), reason: reason.clone() } }
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
        quota: Quota { max_24_hour, max_send_rate, sent_last_24_hours },
    }
}

fn identity(identity: &model::Identity) -> Identity {
    Identity {
        name: identity.name.clone(),
        kind: match identity.kind {
            model::IdentityKind::Domain => "DOMAIN",
            model::IdentityKind::EmailAddress => "EMAIL_ADDRESS",
            model::IdentityKind::ManagedDomain => "MANAGED_DOMAIN",
        },
        verified: identity.verified,
        policies: part(&identity.policies, |all| {
            all.iter()
                .map(|policy| Policy { name: policy.name.clone(), text: policy.text.clone() })
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
                .map(|relay| Relay {
                    id: relay.id.clone(),
                    name: relay.name.clone(),
                    server_name: relay.server_name.clone(),
                    server_port: relay.server_port,
                })
                .collect(),
            rule_sets: rule_sets.iter().map(rule_set).collect(),
            ingress_points: ingress_points
                .iter()
                .map(|point| IngressPoint {
                    id: point.id.clone(),
                    name: point.name.clone(),
                    status: point.status.clone(),
                })
                .collect(),
        }),
    };
    MailManager { available: set_up.is_some(), set_up }
}

fn rule_set(rule_set: &model::RuleSet) -> RuleSet {
    let action = |action: &model::RuleAction| Action {
        rule: action.rule.clone(),
        kind: match &action.kind {
            model::RuleActionKind::Relay { relay } => ActionKind::Relay { relay: relay.clone() },
            model::RuleActionKind::Send { recipients } => {
                ActionKind::Send { recipients: recipients.clone() }
            }
        },
    };
    RuleSet {
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
