//! What was read of a Region so far, as it is written down between two invocations, and what it
//! comes to in the end.

use std::collections::BTreeMap;

use exposure::{
    Endpoint, Enforcement, Gap, Identity, IdentityKind, IdentityPolicy, IngressPoint, MailManager,
    Part, Quota, RegionFacts, Relay, RuleAction, RuleActionKind, RuleSet, Sending,
};
use serde::{Deserialize, Serialize};

use super::api::Api;
use super::ports::{
    ActionItem, EndpointItem, IngressPointItem, QuotaItem, RelayItem, RuleItem, RuleSetItem,
    VerifiedItem,
};
use crate::collect::pages::Pages;
use crate::ports::CallError;

/// Empty pages in a row after which a list is given up: AWS may send some, not ever more.
const MOST_EMPTY_PAGES: u32 = 100;

/// A call that failed for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LostCall {
    pub(super) call: String,
    pub(super) reason: String,
}

impl LostCall {
    pub(super) fn new(api: Api, reason: impl Into<String>) -> Self {
        Self { call: api.permission().to_owned(), reason: reason.into() }
    }

    fn gap(&self) -> Gap {
        Gap { call: self.call.clone(), reason: self.reason.clone() }
    }
}

impl From<&CallError> for LostCall {
    fn from(error: &CallError) -> Self {
        let mut reason = error.code.clone();
        if !error.message.is_empty() {
            reason.push_str(": ");
            reason.push_str(error.message.trim_end_matches('.'));
        }
        Self { call: error.permission.to_owned(), reason }
    }
}

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Known<T> {
    Read(T),
    /// What was asked about is gone.
    Gone,
    Lost(LostCall),
}

/// A list so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    pub(super) pages: Pages,
    empty_pages: u32,
    /// The Region does not have what is listed.
    pub(super) unavailable: bool,
    pub(super) lost: Option<LostCall>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        let (items, pages) = (Vec::new(), Pages::default());
        Self { items, pages, empty_pages: 0, unavailable: false, lost: None }
    }
}

impl<T> List<T> {
    pub(super) fn absorb(&mut self, api: Api, items: Vec<T>, next: Option<String>) {
        self.empty_pages = if items.is_empty() { self.empty_pages + 1 } else { 0 };
        self.items.extend(items);
        if self.pages.advance(next).is_err() {
            let why = "it returned the same page token twice, so its list cannot be told to be \
                       complete";
            self.lose(LostCall::new(api, why));
        } else if !self.pages.is_done() && self.empty_pages >= MOST_EMPTY_PAGES {
            let why = format!("{MOST_EMPTY_PAGES} pages in a row were empty and none was the last");
            self.lose(LostCall::new(api, why));
        }
    }

    pub(super) fn lose(&mut self, lost: LostCall) {
        self.lost = Some(lost);
        self.pages.finish();
    }

    fn whole(&self) -> Result<&[T], Gap> {
        self.lost.as_ref().map_or(Ok(&self.items), |lost| Err(lost.gap()))
    }
}

/// What was read of the account's sending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendingItem {
    pub(super) enabled: bool,
    pub(super) production_access: bool,
    pub(super) enforcement_status: String,
    pub(super) quota: QuotaItem,
}

/// A policy of an identity: name and document.
pub(super) type PolicyText = (String, String);

/// A Region so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RegionDraft {
    pub(super) sending: Option<Known<SendingItem>>,
    pub(super) sent: Option<Known<u64>>,
    pub(super) identities: List<VerifiedItem>,
    /// By name of the identity.
    pub(super) policies: BTreeMap<String, Known<Vec<PolicyText>>>,
    pub(super) relay_ids: List<String>,
    pub(super) relays: BTreeMap<String, Known<RelayItem>>,
    pub(super) rule_set_ids: List<String>,
    pub(super) rule_sets: BTreeMap<String, Known<RuleSetItem>>,
    pub(super) ingress_points: List<IngressPointItem>,
    pub(super) endpoints: List<EndpointItem>,
}

/// What is left where reading ended without an answer; it cannot be.
fn unread<T>(api: Api) -> Part<T> {
    Part::Gap(LostCall::new(api, "it was not called").gap())
}

impl RegionDraft {
    /// What the Region holds. Lists are in the order of their names or ids, each entry once: a
    /// list that changes while it is read may show one on two pages.
    pub(super) fn facts(&self) -> RegionFacts {
        RegionFacts {
            sending: match &self.sending {
                Some(Known::Read(item)) => Part::Read(sending(item)),
                Some(Known::Lost(lost)) => Part::Gap(lost.gap()),
                Some(Known::Gone) | None => unread(Api::GetAccount),
            },
            sent_last_two_weeks: match &self.sent {
                Some(Known::Read(sent)) => Part::Read(*sent),
                Some(Known::Lost(lost)) => Part::Gap(lost.gap()),
                Some(Known::Gone) | None => unread(Api::GetSendStatistics),
            },
            identities: part(self.identities()),
            mail_manager: part(self.mail_manager()),
            endpoints: part(self.endpoints()),
        }
    }

    fn identities(&self) -> Result<Vec<Identity>, Gap> {
        let mut found = BTreeMap::new();
        for item in self.identities.whole()? {
            let kind = match item.kind.as_str() {
                "DOMAIN" => IdentityKind::Domain,
                "EMAIL_ADDRESS" => IdentityKind::EmailAddress,
                "MANAGED_DOMAIN" => IdentityKind::ManagedDomain,
                other => {
                    let why = format!("identity `{}` is of the unknown type `{other}`", item.name);
                    return Err(LostCall::new(Api::ListEmailIdentities, why).gap());
                }
            };
            let policies = match self.policies.get(&item.name) {
                Some(Known::Gone) => continue,
                Some(Known::Read(policies)) => Part::Read(
                    policies
                        .iter()
                        .map(|(name, text)| IdentityPolicy {
                            name: name.clone(),
                            text: text.clone(),
                        })
                        .collect(),
                ),
                Some(Known::Lost(lost)) => Part::Gap(lost.gap()),
                None => unread(Api::ListIdentityPolicies),
            };
            let (name, verified) = (item.name.clone(), item.verified);
            found.insert(name.clone(), Identity { name, kind, verified, policies });
        }
        Ok(found.into_values().collect())
    }

    fn mail_manager(&self) -> Result<MailManager, Gap> {
        let relay_ids = self.relay_ids.whole()?;
        let rule_set_ids = self.rule_set_ids.whole()?;
        let points = self.ingress_points.whole()?;
        let lacks = [
            (Api::ListRelays, self.relay_ids.unavailable),
            (Api::ListRuleSets, self.rule_set_ids.unavailable),
            (Api::ListIngressPoints, self.ingress_points.unavailable),
        ];
        if lacks.iter().all(|(_, lacks)| *lacks) {
            return Ok(MailManager::Unavailable);
        }
        if let Some((api, _)) = lacks.iter().find(|(_, lacks)| *lacks) {
            let why = "it is not available in the Region, where other calls of Mail Manager are";
            return Err(LostCall::new(*api, why).gap());
        }
        let relays = described(relay_ids, &self.relays, Api::GetRelay)?;
        let rule_sets = described(rule_set_ids, &self.rule_sets, Api::GetRuleSet)?;
        let points: BTreeMap<&str, &IngressPointItem> =
            points.iter().map(|point| (point.id.as_str(), point)).collect();
        Ok(MailManager::Available {
            relays: relays
                .into_iter()
                .map(|relay| Relay {
                    id: relay.id.clone(),
                    name: relay.name.clone(),
                    server_name: relay.server_name.clone(),
                    server_port: relay.server_port,
                })
                .collect(),
            rule_sets: rule_sets.into_iter().map(rule_set).collect::<Result<_, _>>()?,
            ingress_points: points
                .into_values()
                .map(|point| IngressPoint {
                    id: point.id.clone(),
                    name: point.name.clone(),
                    status: point.status.clone(),
                })
                .collect(),
        })
    }

    fn endpoints(&self) -> Result<Vec<Endpoint>, Gap> {
        let items = self.endpoints.whole()?;
        let found: BTreeMap<&str, &EndpointItem> =
            items.iter().map(|item| (item.id.as_str(), item)).collect();
        let endpoint = |item: &EndpointItem| Endpoint {
            id: item.id.clone(),
            service: item.service.clone(),
            vpc: item.vpc.clone(),
            state: item.state.clone(),
            policy: item.policy.clone(),
        };
        Ok(found.into_values().map(endpoint).collect())
    }
}

fn part<T>(read: Result<T, Gap>) -> Part<T> {
    match read {
        Ok(value) => Part::Read(value),
        Err(gap) => Part::Gap(gap),
    }
}

fn sending(item: &SendingItem) -> Sending {
    let QuotaItem { max_24_hour, max_send_rate, sent_last_24_hours } = item.quota;
    Sending {
        enabled: item.enabled,
        production_access: item.production_access,
        enforcement: match item.enforcement_status.as_str() {
            "HEALTHY" => Enforcement::Healthy,
            "PROBATION" => Enforcement::Probation,
            "SHUTDOWN" => Enforcement::Shutdown,
            other => Enforcement::Other(other.to_owned()),
        },
        quota: Quota { max_24_hour, max_send_rate, sent_last_24_hours },
    }
}

/// The descriptions of what was listed, in the order of the ids, without what is gone.
fn described<'d, T>(
    ids: &[String],
    known: &'d BTreeMap<String, Known<T>>,
    api: Api,
) -> Result<Vec<&'d T>, Gap> {
    let ids: std::collections::BTreeSet<&String> = ids.iter().collect();
    let mut found = Vec::new();
    for id in ids {
        match known.get(id) {
            Some(Known::Read(item)) => found.push(item),
            Some(Known::Gone) => {}
            Some(Known::Lost(lost)) => return Err(lost.gap()),
            None => return Err(LostCall::new(api, format!("it was not called for `{id}`")).gap()),
        }
    }
    Ok(found)
}

fn rule_set(item: &RuleSetItem) -> Result<RuleSet, Gap> {
    let mut actions = Vec::new();
    for rule in &item.rules {
        actions.extend(rule_actions(item, rule)?);
    }
    Ok(RuleSet { id: item.id.clone(), name: item.name.clone(), actions })
}

/// Recipients hold for a Send only where the same rule replaced them before it: what another rule
/// did hangs on whether its conditions held.
fn rule_actions(set: &RuleSetItem, rule: &RuleItem) -> Result<Vec<RuleAction>, Gap> {
    let mut found = Vec::new();
    let mut replaced: Option<Vec<String>> = None;
    for action in &rule.actions {
        let kind = match action {
            ActionItem::Relay(relay) => {
                let id = relay.rsplit('/').next().unwrap_or(relay);
                RuleActionKind::Relay { relay: id.to_owned() }
            }
            ActionItem::Send => RuleActionKind::Send { recipients: replaced.clone() },
            ActionItem::ReplaceRecipient(with) => {
                replaced = (!with.is_empty()).then(|| with.clone());
                continue;
            }
            ActionItem::Inside => continue,
            ActionItem::Unknown => {
                let why = format!(
                    "rule `{}` of rule set `{}` has an action that this program does not know",
                    rule.name, set.name
                );
                return Err(LostCall::new(Api::GetRuleSet, why).gap());
            }
        };
        found.push(RuleAction { rule: rule.name.clone(), kind });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str, kind: &str) -> VerifiedItem {
        VerifiedItem { name: name.to_owned(), kind: kind.to_owned(), verified: true }
    }

    fn rules(rules: &[&[ActionItem]]) -> Result<Vec<RuleActionKind>, Gap> {
        let rule =
            |actions: &&[ActionItem]| RuleItem { name: "r".to_owned(), actions: actions.to_vec() };
        let rules = rules.iter().map(rule).collect();
        let set = rule_set(&RuleSetItem { id: "rs-1".to_owned(), name: "set".to_owned(), rules });
        set.map(|set| set.actions.into_iter().map(|action| action.kind).collect())
    }

    fn replace(with: &[&str]) -> ActionItem {
        ActionItem::ReplaceRecipient(with.iter().map(|to| (*to).to_owned()).collect())
    }

    fn sends(to: &[&str]) -> RuleActionKind {
        let recipients = Some(to.iter().map(|to| (*to).to_owned()).collect());
        RuleActionKind::Send { recipients }
    }

    #[test]
    fn recipients_hold_for_a_send_only_after_the_same_rule_replaced_them() {
        let anyone = RuleActionKind::Send { recipients: None };
        assert_eq!(rules(&[&[ActionItem::Send]]), Ok(vec![anyone.clone()]));
        assert_eq!(rules(&[&[replace(&["a@x"]), ActionItem::Send]]), Ok(vec![sends(&["a@x"])]));
        assert_eq!(rules(&[&[ActionItem::Send, replace(&["a@x"])]]), Ok(vec![anyone.clone()]));
        let other_rule: &[&[ActionItem]] = &[&[replace(&["a@x"])], &[ActionItem::Send]];
        assert_eq!(rules(other_rule), Ok(vec![anyone.clone()]));
        let with_nobody: &[&[ActionItem]] = &[&[replace(&["a@x"]), replace(&[]), ActionItem::Send]];
        assert_eq!(rules(with_nobody), Ok(vec![anyone]));
    }

    #[test]
    fn a_relay_is_named_by_its_id_whether_the_rule_has_the_id_or_the_arn() {
        let arn = "arn:aws:ses:us-east-1:111122223333:mailmanager-smtp-relay/rl-1";
        for name in ["rl-1", arn] {
            let relay = RuleActionKind::Relay { relay: "rl-1".to_owned() };
            assert_eq!(rules(&[&[ActionItem::Relay(name.to_owned())]]), Ok(vec![relay]));
        }
    }

    #[test]
    fn an_action_that_nobody_knows_is_a_gap() {
        let gap = rules(&[&[ActionItem::Inside, ActionItem::Unknown]]);
        assert_eq!(gap.map_err(|gap| gap.call), Err("ses:GetRuleSet".to_owned()));
    }

    #[test]
    fn an_identity_of_an_unknown_type_is_a_gap_and_one_on_two_pages_is_one() {
        let mut draft = RegionDraft::default();
        let twice = vec![identity("a.example", "DOMAIN"); 2];
        draft.identities.absorb(Api::ListEmailIdentities, twice, None);
        draft.policies.insert("a.example".to_owned(), Known::Read(Vec::new()));
        assert_eq!(draft.identities().map(|all| all.len()), Ok(1));
        draft.identities.items.push(identity("b.example", "NEW"));
        assert!(draft.identities().is_err_and(|gap| gap.reason.contains("unknown type `NEW`")));
    }

    #[test]
    fn a_region_that_has_only_some_calls_of_mail_manager_is_a_gap() {
        let mut draft = RegionDraft::default();
        for list in [&mut draft.relay_ids, &mut draft.rule_set_ids] {
            list.unavailable = true;
        }
        let gap = draft.mail_manager();
        assert_eq!(gap.map_err(|gap| gap.call), Err("ses:ListRelays".to_owned()));
        draft.ingress_points.unavailable = true;
        assert_eq!(draft.mail_manager(), Ok(MailManager::Unavailable));
    }

    #[test]
    fn a_draft_that_was_never_read_is_all_gaps() {
        let facts = RegionDraft { identities: List::default(), ..RegionDraft::default() }.facts();
        assert!(facts.sending.gap().is_some() && facts.sent_last_two_weeks.gap().is_some());
    }
}
