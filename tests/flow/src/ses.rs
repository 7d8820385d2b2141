//! SES, Mail Manager and the VPC endpoints of many accounts, in simulated time.
//!
//! The fake is strict: it refuses calls without a session, a second call of an API within a second
//! in the same account and Region, tokens of other lists, and more names than AWS takes. It keeps a
//! log of every call.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use exposure::{
    Enforcement, Identity, IdentityKind, MailManager, Part, RegionFacts, RegionStatus,
    RuleActionKind,
};
use pipeline::ports::{CallError, Failure, Page};
use pipeline::reading::{
    AccountAnswer, AccountRegion, ActionItem, Api, DataPoint, EndpointItem, InRegion,
    IngressPointItem, Opened, QuotaItem, RegionItem, RegionState, RelayItem, RuleItem, RuleSetItem,
    SesReader, VerifiedItem,
};
use tokio::time::{Instant, sleep};

mod build;

pub use build::{Mix, account_id};

use crate::faults::Random;

/// A call as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Twelve digits.
    pub account: String,
    /// The Region; empty for calls about the account.
    pub region: String,
    /// What was called.
    pub api: Api,
    /// When, from the beginning of the simulation.
    pub at: Duration,
}

/// What goes wrong for good: the account, the Region where it is about one, the call.
pub type Spot = (String, String, Api);

/// Accounts with what they hold. The truth is the model that reading them must give.
pub struct FakeSes {
    world: BTreeMap<String, BTreeMap<String, RegionStatus>>,
    began: Instant,
    open: RefCell<BTreeSet<String>>,
    last: RefCell<BTreeMap<Spot, Instant>>,
    log: RefCell<Vec<Call>>,
    violations: Cell<u64>,
    random: RefCell<Random>,
    serial: Cell<u64>,
    /// Accounts without the role.
    pub roles_missing: RefCell<BTreeSet<String>>,
    /// Calls that are denied for good.
    pub denied: RefCell<BTreeSet<Spot>>,
    /// Regions in which Mail Manager has no endpoint.
    pub without_mail_manager: RefCell<BTreeSet<String>>,
    /// Calls that never get an answer but 503.
    pub broken: RefCell<BTreeSet<Spot>>,
    /// Lists that return the token they were given; the first page has one.
    pub repeats: RefCell<BTreeSet<Spot>>,
    /// Lists whose pages are all empty, each with a new token.
    pub endless: RefCell<BTreeSet<Spot>>,
    /// What is listed and gone when it is described: account, Region, identity or id.
    pub gone: RefCell<BTreeSet<(String, String, String)>>,
    /// How many calls of a hundred are throttled, get a 5xx or are reset.
    pub failing_percent: Cell<usize>,
    /// How many calls of a hundred take a minute.
    pub slow_percent: Cell<usize>,
    /// How many pages of a hundred are empty although the list goes on.
    pub empty_percent: Cell<usize>,
    /// Whether GetAccount leaves out what AWS does not promise and other calls tell.
    pub sparse: Cell<bool>,
    /// Whether tokens of lists are forgotten when a session is opened again.
    pub forgets_tokens: Cell<bool>,
    /// How long a call takes.
    pub latency: Cell<Duration>,
    /// Items on a page. AWS has more than the 3 of a new fake, and most tests want many pages.
    pub page_size: Cell<usize>,
}

type Answer<T> = Result<T, CallError>;

impl FakeSes {
    /// Accounts that hold this.
    #[must_use]
    pub fn around(world: BTreeMap<String, BTreeMap<String, RegionStatus>>) -> Self {
        Self {
            world,
            began: Instant::now(),
            open: RefCell::default(),
            last: RefCell::default(),
            log: RefCell::default(),
            violations: Cell::new(0),
            random: RefCell::new(Random::new(0)),
            serial: Cell::new(0),
            roles_missing: RefCell::default(),
            denied: RefCell::default(),
            without_mail_manager: RefCell::default(),
            broken: RefCell::default(),
            repeats: RefCell::default(),
            endless: RefCell::default(),
            gone: RefCell::default(),
            failing_percent: Cell::new(0),
            slow_percent: Cell::new(0),
            empty_percent: Cell::new(0),
            sparse: Cell::new(false),
            forgets_tokens: Cell::new(false),
            latency: Cell::new(Duration::from_millis(200)),
            page_size: Cell::new(3),
        }
    }

    /// Faults that pass, by this seed.
    pub fn chaos(&self, seed: u64, failing: usize, slow: usize, empty: usize) {
        *self.random.borrow_mut() = Random::new(seed);
        self.failing_percent.set(failing);
        self.slow_percent.set(slow);
        self.empty_percent.set(empty);
    }

    /// What the accounts hold, by account and Region.
    #[must_use]
    pub const fn truth(&self) -> &BTreeMap<String, BTreeMap<String, RegionStatus>> {
        &self.world
    }

    /// Every call so far, in order.
    #[must_use]
    pub fn log(&self) -> Vec<Call> {
        self.log.borrow().clone()
    }

    /// How many calls came too early.
    #[must_use]
    pub fn violations(&self) -> u64 {
        self.violations.get()
    }

    /// Ends all sessions, as a new process has none.
    pub fn close(&self) {
        self.open.borrow_mut().clear();
        if self.forgets_tokens.get() {
            self.serial.set(self.serial.get() + 1_000_000);
        }
    }

    fn chance(&self, percent: &Cell<usize>) -> bool {
        percent.get() > 0 && self.random.borrow_mut().chance(percent.get())
    }

    /// One call on its way there and back.
    async fn call(&self, account: &str, region: &str, api: Api) -> Answer<()> {
        let now = Instant::now();
        let spot = (account.to_owned(), region.to_owned(), api);
        self.log.borrow_mut().push(Call {
            account: spot.0.clone(),
            region: spot.1.clone(),
            api,
            at: now - self.began,
        });
        let before = self.last.borrow_mut().insert(spot.clone(), now);
        let early =
            api.is_paced() && before.is_some_and(|before| now - before < Duration::from_secs(1));
        let slow = self.chance(&self.slow_percent);
        sleep(if slow { Duration::from_secs(60) } else { self.latency.get() }).await;
        if early {
            self.violations.set(self.violations.get() + 1);
            return Err(error(api, Failure::Throttled, "ThrottlingException"));
        }
        if api != Api::AssumeRole && !self.open.borrow().contains(account) {
            return Err(error(api, Failure::Other, "ExpiredToken"));
        }
        if self.denied.borrow().contains(&spot) {
            return Err(error(api, Failure::Denied, "AccessDenied"));
        }
        if is_mail_manager(api) && self.without_mail_manager.borrow().contains(region) {
            return Err(error(api, Failure::Unreachable, "Unreachable"));
        }
        if self.broken.borrow().contains(&spot) {
            return Err(error(api, Failure::Unavailable, "ServiceUnavailable"));
        }
        if self.chance(&self.failing_percent) {
            let kinds = [
                (Failure::Throttled, "ThrottlingException"),
                (Failure::Unavailable, "InternalFailure"),
                (Failure::Unreachable, "ConnectionReset"),
            ];
            let (failure, code) = kinds[self.random.borrow_mut().below(kinds.len())];
            return Err(error(api, failure, code));
        }
        Ok(())
    }

    fn facts(&self, place: &AccountRegion, api: Api) -> Answer<&RegionFacts> {
        let region = self.world.get(&place.account).and_then(|all| all.get(&place.region));
        match region {
            Some(RegionStatus::Read(facts)) => Ok(facts),
            _ => Err(error(api, Failure::Other, "OptInRequired")),
        }
    }

    async fn ask(&self, place: &AccountRegion, api: Api) -> Answer<&RegionFacts> {
        self.call(&place.account, &place.region, api).await?;
        self.facts(place, api)
    }

    /// A page of a list; a token is the number of items before it, and never given twice.
    fn page<T: Clone>(
        &self,
        account: &str,
        region: &str,
        api: Api,
        next: Option<&str>,
        all: &[T],
    ) -> Answer<Page<T>> {
        let list = format!("{account}/{region}/{api:?}");
        let spot = (account.to_owned(), region.to_owned(), api);
        let (offset, serial) = match next {
            None => (0, self.serial.get()),
            Some(token) => read_token(token, &list)
                .ok_or_else(|| error(api, Failure::Other, "InvalidNextToken"))?,
        };
        if self.forgets_tokens.get() && serial / 1_000_000 != self.serial.get() / 1_000_000 {
            return Err(error(api, Failure::Other, "InvalidNextToken"));
        }
        let token = |offset: usize| {
            self.serial.set(self.serial.get() + 1);
            format!("{list}|{offset}|{}", self.serial.get())
        };
        if self.repeats.borrow().contains(&spot) {
            let next = next.map_or_else(|| token(0), str::to_owned);
            return Ok(Page { items: all.iter().take(1).cloned().collect(), next: Some(next) });
        }
        if self.endless.borrow().contains(&spot) || self.chance(&self.empty_percent) {
            return Ok(Page { items: Vec::new(), next: Some(token(offset)) });
        }
        let items: Vec<T> = all.iter().skip(offset).take(self.page_size.get()).cloned().collect();
        let end = offset + items.len();
        Ok(Page { items, next: (end < all.len()).then(|| token(end)) })
    }

    fn mail_page<T: Clone>(
        &self,
        place: &AccountRegion,
        api: Api,
        next: Option<&str>,
        all: impl FnOnce(&MailManager) -> Option<Vec<T>>,
    ) -> Answer<InRegion<Page<T>>> {
        let Part::Read(mail_manager) = &self.facts(place, api)?.mail_manager else {
            return Err(error(api, Failure::Other, "Fake"));
        };
        match all(mail_manager) {
            None => Ok(InRegion::Unavailable),
            Some(all) => {
                self.page(&place.account, &place.region, api, next, &all).map(InRegion::Here)
            }
        }
    }

    fn here(&self, place: &AccountRegion, id: &str, api: Api) -> Answer<()> {
        let gone = (place.account.clone(), place.region.clone(), id.to_owned());
        if self.gone.borrow().contains(&gone) {
            return Err(error(api, Failure::NotFound, "ResourceNotFoundException"));
        }
        Ok(())
    }

    fn identity(&self, place: &AccountRegion, name: &str, api: Api) -> Answer<&Identity> {
        self.here(place, name, api)?;
        let identities = self.facts(place, api)?.identities.read();
        let found = identities.and_then(|all| all.iter().find(|identity| identity.name == name));
        found.ok_or_else(|| error(api, Failure::NotFound, "NotFoundException"))
    }
}

fn read_token(token: &str, list: &str) -> Option<(usize, u64)> {
    let mut parts = token.split('|');
    if parts.next() != Some(list) {
        return None;
    }
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

const fn is_mail_manager(api: Api) -> bool {
    use Api::{GetRelay, GetRuleSet, ListIngressPoints, ListRelays, ListRuleSets};
    matches!(api, ListRelays | GetRelay | ListRuleSets | GetRuleSet | ListIngressPoints)
}

fn error(api: Api, failure: Failure, code: &str) -> CallError {
    let permission = api.permission();
    CallError {
        permission,
        failure,
        code: code.to_owned(),
        message: "as the test wants".to_owned(),
    }
}

fn not_found(api: Api) -> CallError {
    error(api, Failure::NotFound, "ResourceNotFoundException")
}

impl SesReader for FakeSes {
    async fn open(&self, account: &str) -> Answer<Opened> {
        self.call(account, "", Api::AssumeRole).await?;
        if self.roles_missing.borrow().contains(account) {
            return Ok(Opened::RoleMissing);
        }
        self.open.borrow_mut().insert(account.to_owned());
        Ok(Opened::Open)
    }

    async fn regions(&self, account: &str, next: Option<&str>) -> Answer<Page<RegionItem>> {
        self.call(account, "", Api::ListRegions).await?;
        let item = |(name, status): (&String, &RegionStatus)| RegionItem {
            name: name.clone(),
            state: match status {
                RegionStatus::RegionDisabled => RegionState::Disabled,
                RegionStatus::NotOptedIn => RegionState::NeverEnabled,
                RegionStatus::Read(_)
                | RegionStatus::RoleMissing
                | RegionStatus::Denied { .. }
                | RegionStatus::Failed { .. } => RegionState::Enabled,
            },
        };
        let all: Vec<RegionItem> =
            self.world.get(account).into_iter().flatten().map(item).collect();
        self.page(account, "", Api::ListRegions, next, &all)
    }

    async fn account(&self, place: &AccountRegion) -> Answer<AccountAnswer> {
        let api = Api::GetAccount;
        let Part::Read(sending) = &self.ask(place, api).await?.sending else {
            return Err(error(api, Failure::Other, "Fake"));
        };
        let sparse = self.sparse.get();
        let word = match &sending.enforcement {
            Enforcement::Healthy => "HEALTHY",
            Enforcement::Probation => "PROBATION",
            Enforcement::Shutdown => "SHUTDOWN",
            Enforcement::Other(word) => word,
        };
        Ok(AccountAnswer {
            sending_enabled: (!sparse).then_some(sending.enabled),
            production_access: Some(sending.production_access),
            enforcement_status: Some(word.to_owned()),
            quota: (!sparse).then(|| quota(sending.quota)),
        })
    }

    async fn sending_enabled(&self, place: &AccountRegion) -> Answer<bool> {
        let api = Api::GetAccountSendingEnabled;
        let sending = self.ask(place, api).await?.sending.read();
        sending.map(|sending| sending.enabled).ok_or_else(|| not_found(api))
    }

    async fn send_quota(&self, place: &AccountRegion) -> Answer<QuotaItem> {
        let api = Api::GetSendQuota;
        let sending = self.ask(place, api).await?.sending.read();
        sending.map(|sending| quota(sending.quota)).ok_or_else(|| not_found(api))
    }

    async fn send_statistics(&self, place: &AccountRegion) -> Answer<Vec<DataPoint>> {
        let api = Api::GetSendStatistics;
        let sent = self.ask(place, api).await?.sent_last_two_weeks.read().copied();
        let sent = sent.ok_or_else(|| not_found(api))?;
        let points = [sent / 3, sent - sent / 3];
        let points = points.map(|delivery_attempts| DataPoint { delivery_attempts });
        Ok(points.into_iter().filter(|point| point.delivery_attempts > 0).collect())
    }

    async fn identities(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Answer<Page<VerifiedItem>> {
        let api = Api::ListEmailIdentities;
        let facts = self.ask(place, api).await?;
        let item = |identity: &Identity| VerifiedItem {
            name: identity.name.clone(),
            kind: match identity.kind {
                IdentityKind::Domain => "DOMAIN",
                IdentityKind::EmailAddress => "EMAIL_ADDRESS",
                IdentityKind::ManagedDomain => "MANAGED_DOMAIN",
            }
            .to_owned(),
            verified: identity.verified,
        };
        let all: Vec<_> = facts.identities.read().into_iter().flatten().map(item).collect();
        self.page(&place.account, &place.region, api, next, &all)
    }

    async fn policy_names(&self, place: &AccountRegion, identity: &str) -> Answer<Vec<String>> {
        let api = Api::ListIdentityPolicies;
        self.ask(place, api).await?;
        let policies = self.identity(place, identity, api)?.policies.read();
        Ok(policies.into_iter().flatten().map(|policy| policy.name.clone()).collect())
    }

    async fn policies(
        &self,
        place: &AccountRegion,
        identity: &str,
        names: &[String],
    ) -> Answer<Vec<(String, String)>> {
        let api = Api::GetIdentityPolicies;
        self.ask(place, api).await?;
        if names.is_empty() || names.len() > 20 {
            return Err(error(api, Failure::Other, "ValidationError"));
        }
        let policies = self.identity(place, identity, api)?.policies.read();
        let wanted = policies.into_iter().flatten().filter(|policy| names.contains(&policy.name));
        Ok(wanted.map(|policy| (policy.name.clone(), policy.text.clone())).collect())
    }

    async fn relays(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Answer<InRegion<Page<String>>> {
        let api = Api::ListRelays;
        self.ask(place, api).await?;
        self.mail_page(place, api, next, |all| match all {
            MailManager::Unavailable => None,
            MailManager::Available { relays, .. } => {
                Some(relays.iter().map(|relay| relay.id.clone()).collect())
            }
        })
    }

    async fn relay(&self, place: &AccountRegion, id: &str) -> Answer<RelayItem> {
        let api = Api::GetRelay;
        let facts = self.ask(place, api).await?;
        self.here(place, id, api)?;
        let Some(MailManager::Available { relays, .. }) = facts.mail_manager.read() else {
            return Err(not_found(api));
        };
        let relay = relays.iter().find(|relay| relay.id == id).ok_or_else(|| not_found(api))?;
        Ok(RelayItem {
            id: relay.id.clone(),
            name: relay.name.clone(),
            server_name: relay.server_name.clone(),
            server_port: relay.server_port,
        })
    }

    async fn rule_sets(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Answer<InRegion<Page<String>>> {
        let api = Api::ListRuleSets;
        self.ask(place, api).await?;
        self.mail_page(place, api, next, |all| match all {
            MailManager::Unavailable => None,
            MailManager::Available { rule_sets, .. } => {
                Some(rule_sets.iter().map(|set| set.id.clone()).collect())
            }
        })
    }

    async fn rule_set(&self, place: &AccountRegion, id: &str) -> Answer<RuleSetItem> {
        let api = Api::GetRuleSet;
        let facts = self.ask(place, api).await?;
        self.here(place, id, api)?;
        let Some(MailManager::Available { rule_sets, .. }) = facts.mail_manager.read() else {
            return Err(not_found(api));
        };
        let set = rule_sets.iter().find(|set| set.id == id).ok_or_else(|| not_found(api))?;
        let rules = set.actions.iter().map(|action| RuleItem {
            name: action.rule.clone(),
            actions: match &action.kind {
                RuleActionKind::Relay { relay } => {
                    let arn = format!("arn:aws:ses:us-east-1:1:mailmanager-smtp-relay/{relay}");
                    vec![ActionItem::Inside, ActionItem::Relay(arn)]
                }
                RuleActionKind::Send { recipients: None } => vec![ActionItem::Send],
                RuleActionKind::Send { recipients: Some(to) } => {
                    vec![ActionItem::ReplaceRecipient(to.clone()), ActionItem::Send]
                }
            },
        });
        Ok(RuleSetItem { id: set.id.clone(), name: set.name.clone(), rules: rules.collect() })
    }

    async fn ingress_points(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Answer<InRegion<Page<IngressPointItem>>> {
        let api = Api::ListIngressPoints;
        self.ask(place, api).await?;
        self.mail_page(place, api, next, |all| match all {
            MailManager::Unavailable => None,
            MailManager::Available { ingress_points, .. } => {
                let points = ingress_points.iter().map(|point| IngressPointItem {
                    id: point.id.clone(),
                    name: point.name.clone(),
                    status: point.status.clone(),
                });
                Some(points.collect())
            }
        })
    }

    async fn endpoints(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Answer<Page<EndpointItem>> {
        let api = Api::DescribeVpcEndpoints;
        let facts = self.ask(place, api).await?;
        let all: Vec<EndpointItem> = facts
            .endpoints
            .read()
            .into_iter()
            .flatten()
            .map(|endpoint| EndpointItem {
                id: endpoint.id.clone(),
                service: endpoint.service.clone(),
                vpc: endpoint.vpc.clone(),
                state: endpoint.state.clone(),
                policy: endpoint.policy.clone(),
            })
            .collect();
        self.page(&place.account, &place.region, api, next, &all)
    }
}

fn quota(quota: exposure::Quota) -> QuotaItem {
    QuotaItem {
        max_24_hour: quota.max_24_hour,
        max_send_rate: quota.max_send_rate,
        sent_last_24_hours: quota.sent_last_24_hours,
    }
}
