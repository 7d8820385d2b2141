//! One Region of an account: its parts side by side, each at its pace.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::future::join;

use super::api::Api;
use super::calls::Paced;
use super::draft::{Known, List, LostCall, PolicyText, RegionDraft, SendingItem};
use super::ports::{AccountRegion, InRegion, SesReader};
use crate::ports::{CallError, Failure, Page};

/// The most names that GetIdentityPolicies takes.
pub(super) const POLICIES_AT_ONCE: usize = 20;

/// Reads one Region into a draft, which holds whatever was read when this is dropped.
pub(super) struct RegionReader<'r, 'p, 'c, R> {
    pub(super) reader: &'r R,
    pub(super) calls: Paced<'p, 'c>,
    pub(super) place: &'r AccountRegion,
    pub(super) draft: &'r RefCell<RegionDraft>,
}

impl<R: SesReader> RegionReader<'_, '_, '_, R> {
    pub(super) async fn read(&self) {
        let account = join(self.sending(), self.statistics());
        let resources = join(self.identities(), self.endpoints());
        join(join(account, resources), self.mail_manager()).await;
    }

    async fn sending(&self) {
        if self.draft.borrow().sending.is_some() {
            return;
        }
        let read = self.read_sending().await.map_or_else(Known::Lost, Known::Read);
        self.draft.borrow_mut().sending = Some(read);
    }

    async fn read_sending(&self) -> Result<SendingItem, LostCall> {
        let (reader, place) = (self.reader, self.place);
        let lost = |error: CallError| LostCall::from(&error);
        let account = || reader.account(place);
        let answer = self.calls.call(Api::GetAccount, account).await.map_err(lost)?;
        let lacks =
            |what: &str| LostCall::new(Api::GetAccount, format!("the answer has no `{what}`"));
        let production_access =
            answer.production_access.ok_or_else(|| lacks("ProductionAccessEnabled"))?;
        let enforcement_status =
            answer.enforcement_status.ok_or_else(|| lacks("EnforcementStatus"))?;
        let enabled = match answer.sending_enabled {
            Some(enabled) => enabled,
            None => {
                let ask = || reader.sending_enabled(place);
                self.calls.call(Api::GetAccountSendingEnabled, ask).await.map_err(lost)?
            }
        };
        let quota = match answer.quota {
            Some(quota) => quota,
            None => {
                let ask = || reader.send_quota(place);
                self.calls.call(Api::GetSendQuota, ask).await.map_err(lost)?
            }
        };
        Ok(SendingItem { enabled, production_access, enforcement_status, quota })
    }

    async fn statistics(&self) {
        if self.draft.borrow().sent.is_some() {
            return;
        }
        let ask = || self.reader.send_statistics(self.place);
        let read = match self.calls.call(Api::GetSendStatistics, ask).await {
            Ok(points) => {
                let attempts = points.iter().map(|point| point.delivery_attempts);
                Known::Read(attempts.fold(0_u64, u64::saturating_add))
            }
            Err(error) => Known::Lost((&error).into()),
        };
        self.draft.borrow_mut().sent = Some(read);
    }

    async fn identities(&self) {
        let (reader, place) = (self.reader, self.place);
        self.list(
            Api::ListEmailIdentities,
            |draft| &mut draft.identities,
            async |token| reader.identities(place, token.as_deref()).await.map(InRegion::Here),
        )
        .await;
        if self.draft.borrow().identities.lost.is_some() {
            return;
        }
        // There may be ten thousand, so those that are known are passed once only.
        let mut from = 0;
        loop {
            let next = {
                let draft = self.draft.borrow();
                let mut items = draft.identities.items.iter().enumerate().skip(from);
                items
                    .find(|(_, item)| !draft.policies.contains_key(&item.name))
                    .map(|(index, item)| (index, item.name.clone()))
            };
            let Some((index, identity)) = next else { return };
            from = index + 1;
            let read = self.policies_of(&identity).await;
            self.draft.borrow_mut().policies.insert(identity, read);
        }
    }

    async fn policies_of(&self, identity: &str) -> Known<Vec<PolicyText>> {
        let (reader, place) = (self.reader, self.place);
        let ask = || reader.policy_names(place, identity);
        let names = match self.calls.call(Api::ListIdentityPolicies, ask).await {
            Ok(names) => names,
            Err(error) => return gone_or_lost(&error),
        };
        let mut found = Vec::new();
        for names in names.chunks(POLICIES_AT_ONCE) {
            let ask = || reader.policies(place, identity, names);
            let answer = match self.calls.call(Api::GetIdentityPolicies, ask).await {
                Ok(answer) => answer,
                Err(error) => return gone_or_lost(&error),
            };
            // All policies of an identity together decide, so one less is no answer.
            if let Some(name) = names.iter().find(|name| answer.iter().all(|(n, _)| n != *name)) {
                let why = format!("the answer lacks the policy `{name}`, which was listed");
                return Known::Lost(LostCall::new(Api::GetIdentityPolicies, why));
            }
            found.extend(answer);
        }
        found.sort();
        Known::Read(found)
    }

    async fn endpoints(&self) {
        let (reader, place) = (self.reader, self.place);
        self.list(
            Api::DescribeVpcEndpoints,
            |draft| &mut draft.endpoints,
            async |token| reader.endpoints(place, token.as_deref()).await.map(InRegion::Here),
        )
        .await;
    }

    async fn mail_manager(&self) {
        join(join(self.relays(), self.rule_sets()), self.ingress_points()).await;
    }

    async fn ingress_points(&self) {
        let (reader, place) = (self.reader, self.place);
        self.list(
            Api::ListIngressPoints,
            |draft| &mut draft.ingress_points,
            async |token| reader.ingress_points(place, token.as_deref()).await,
        )
        .await;
    }

    async fn relays(&self) {
        let (reader, place) = (self.reader, self.place);
        self.list(
            Api::ListRelays,
            |draft| &mut draft.relay_ids,
            async |token| reader.relays(place, token.as_deref()).await,
        )
        .await;
        self.describe(
            Api::GetRelay,
            |draft| (&draft.relay_ids, &mut draft.relays),
            async |id| reader.relay(place, &id).await,
        )
        .await;
    }

    async fn rule_sets(&self) {
        let (reader, place) = (self.reader, self.place);
        self.list(
            Api::ListRuleSets,
            |draft| &mut draft.rule_set_ids,
            async |token| reader.rule_sets(place, token.as_deref()).await,
        )
        .await;
        self.describe(
            Api::GetRuleSet,
            |draft| (&draft.rule_set_ids, &mut draft.rule_sets),
            async |id| reader.rule_set(place, &id).await,
        )
        .await;
    }

    /// Asks about everything listed that is not known yet, where all of it was listed.
    async fn describe<T>(
        &self,
        api: Api,
        parts: impl Fn(&mut RegionDraft) -> (&List<String>, &mut BTreeMap<String, Known<T>>),
        fetch: impl AsyncFn(String) -> Result<T, CallError>,
    ) {
        loop {
            let next = {
                let mut draft = self.draft.borrow_mut();
                let (ids, known) = parts(&mut draft);
                if ids.lost.is_some() {
                    return;
                }
                ids.items.iter().find(|id| !known.contains_key(*id)).cloned()
            };
            let Some(id) = next else { return };
            let answer = self.calls.call(api, || fetch(id.clone())).await;
            let read = answer.map_or_else(|error| gone_or_lost(&error), Known::Read);
            parts(&mut self.draft.borrow_mut()).1.insert(id, read);
        }
    }

    /// Reads a list to its end, page by page into the draft.
    async fn list<T>(
        &self,
        api: Api,
        list: impl Fn(&mut RegionDraft) -> &mut List<T>,
        fetch: impl AsyncFn(Option<String>) -> Result<InRegion<Page<T>>, CallError>,
    ) {
        loop {
            let token = {
                let mut draft = self.draft.borrow_mut();
                let list = list(&mut draft);
                if list.pages.is_done() {
                    return;
                }
                list.pages.token()
            };
            let answer = self.calls.call(api, || fetch(token.clone())).await;
            let mut draft = self.draft.borrow_mut();
            let list = list(&mut draft);
            match answer {
                Ok(InRegion::Here(page)) => list.absorb(api, page.items, page.next),
                Ok(InRegion::Unavailable) => {
                    list.unavailable = true;
                    list.pages.finish();
                }
                // A token of an earlier invocation, which the service may have forgotten.
                Err(error) if error.failure == Failure::Other && list.pages.restarts() => {
                    list.items.clear();
                }
                Err(error) => list.lose((&error).into()),
            }
        }
    }
}

fn gone_or_lost<T>(error: &CallError) -> Known<T> {
    if error.failure == Failure::NotFound { Known::Gone } else { Known::Lost(error.into()) }
}
