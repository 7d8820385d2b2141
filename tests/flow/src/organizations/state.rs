//! The organization behind the service, with lists in an order that is nobody's.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use pipeline::ports::{AccountItem, HeadItem, PolicyContent, PolicyItem, RootItem, UnitItem};
use pipeline::snapshot::{
    PolicyType, Root, SCP, Snapshot, SnapshotAccount, SnapshotAttachment, SnapshotHead,
    SnapshotPolicy, SnapshotUnit,
};

/// What lists are sorted by: a hash of the id, and the id.
pub(super) type SortKey = (u64, String);

pub(super) const ROOT: &str = "r-exam";
pub(super) const ORGANIZATION: &str = "o-exampleorgid";
pub(super) const MANAGEMENT: &str = "111111111111";
pub(super) const FULL: &str = "p-FullAWSAccess";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) parent: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) aws_managed: bool,
    pub(super) content: String,
}

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) scp_enabled: bool,
    pub(super) units: BTreeMap<String, (String, String)>,
    pub(super) accounts: BTreeMap<String, Member>,
    pub(super) policies: BTreeMap<String, Document>,
    pub(super) by_policy: BTreeMap<String, BTreeSet<SortKey>>,
    pub(super) by_target: BTreeMap<String, BTreeSet<SortKey>>,
    pub(super) members: BTreeSet<SortKey>,
    pub(super) members_in: BTreeMap<String, BTreeSet<SortKey>>,
    pub(super) serial: u64,
}

/// FNV-1a.
fn key(id: &str) -> SortKey {
    let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    (id.bytes().fold(0xcbf2_9ce4_8422_2325, mix), id.to_owned())
}

fn after(set: Option<&BTreeSet<SortKey>>, from: Option<SortKey>) -> impl Iterator<Item = SortKey> {
    let from = from.map_or(Bound::Unbounded, Bound::Excluded);
    set.into_iter().flat_map(move |set| set.range((from.clone(), Bound::Unbounded))).cloned()
}

fn sorted<'s>(
    ids: impl Iterator<Item = &'s String>,
    from: Option<SortKey>,
) -> impl Iterator<Item = SortKey> {
    let all: BTreeSet<SortKey> = ids.map(|id| key(id)).collect();
    all.into_iter().filter(move |key| from.as_ref().is_none_or(|from| key > from))
}

impl State {
    pub(super) fn put_account(&mut self, id: &str, member: Member) {
        self.take_account(id);
        self.members.insert(key(id));
        self.members_in.entry(member.parent.clone()).or_default().insert(key(id));
        self.accounts.insert(id.to_owned(), member);
    }

    pub(super) fn take_account(&mut self, id: &str) -> Option<Member> {
        let member = self.accounts.remove(id)?;
        self.members.remove(&key(id));
        if let Some(siblings) = self.members_in.get_mut(&member.parent) {
            siblings.remove(&key(id));
        }
        Some(member)
    }

    pub(super) fn attach(&mut self, policy: &str, target: &str) -> bool {
        self.by_target.entry(target.to_owned()).or_default().insert(key(policy));
        self.by_policy.entry(policy.to_owned()).or_default().insert(key(target))
    }

    pub(super) fn detach(&mut self, policy: &str, target: &str) {
        if let Some(policies) = self.by_target.get_mut(target) {
            policies.remove(&key(policy));
        }
        if let Some(targets) = self.by_policy.get_mut(policy) {
            targets.remove(&key(target));
        }
    }

    pub(super) fn detach_target(&mut self, target: &str) {
        for (_, policy) in self.by_target.remove(target).unwrap_or_default() {
            self.detach(&policy, target);
        }
    }

    pub(super) fn is_attached(&self, policy: &str, target: &str) -> bool {
        self.by_policy.get(policy).is_some_and(|targets| targets.contains(&key(target)))
    }

    pub(super) fn is_empty(&self, container: &str) -> bool {
        let members = self.members_in.get(container).is_none_or(BTreeSet::is_empty);
        members && !self.units.values().any(|(_, parent)| parent == container)
    }

    pub(super) fn container(&self, id: &str) -> Option<()> {
        (id == ROOT || self.units.contains_key(id)).then_some(())
    }

    pub(super) fn target(&self, id: &str) -> Option<()> {
        (self.container(id).is_some() || self.accounts.contains_key(id)).then_some(())
    }

    pub(super) fn targets(&self) -> Vec<String> {
        let units = self.units.keys().chain(self.accounts.keys()).cloned();
        std::iter::once(ROOT.to_owned()).chain(units).collect()
    }

    pub(super) fn all_accounts(&self, from: Option<SortKey>) -> impl Iterator<Item = SortKey> {
        after(Some(&self.members), from)
    }

    pub(super) fn accounts_in(
        &self,
        id: &str,
        from: Option<SortKey>,
    ) -> impl Iterator<Item = SortKey> {
        after(self.members_in.get(id), from)
    }

    pub(super) fn units_in(
        &self,
        id: &str,
        from: Option<SortKey>,
    ) -> impl Iterator<Item = SortKey> {
        let units = self.units.iter().filter(move |(_, (_, parent))| parent == id);
        sorted(units.map(|(id, _)| id), from)
    }

    pub(super) fn all_policies(&self, from: Option<SortKey>) -> impl Iterator<Item = SortKey> {
        sorted(self.policies.keys(), from)
    }

    pub(super) fn targets_of(
        &self,
        id: &str,
        from: Option<SortKey>,
    ) -> impl Iterator<Item = SortKey> {
        after(self.by_policy.get(id), from)
    }

    pub(super) fn policies_on(
        &self,
        id: &str,
        from: Option<SortKey>,
    ) -> impl Iterator<Item = SortKey> {
        after(self.by_target.get(id), from)
    }

    pub(super) fn parent_of(&self, id: &str) -> Option<String> {
        let unit = self.units.get(id).map(|(_, parent)| parent);
        unit.or_else(|| self.accounts.get(id).map(|member| &member.parent)).cloned()
    }

    fn path(&self, account: &str) -> String {
        let mut parts = vec![account.to_owned()];
        while let Some(parent) = parts.last().and_then(|id| self.parent_of(id)) {
            parts.push(parent);
        }
        parts.push(ORGANIZATION.to_owned());
        parts.reverse();
        format!("{}/", parts.join("/"))
    }

    pub(super) fn account_item(&self, id: &str) -> Option<AccountItem> {
        let member = self.accounts.get(id)?;
        Some(AccountItem {
            id: id.to_owned(),
            name: member.name.clone(),
            email: format!("{id}@example.com"),
            state: member.state.to_owned(),
            paths: vec![self.path(id)],
        })
    }

    pub(super) fn unit_item(&self, id: &str) -> Option<UnitItem> {
        let (name, _) = self.units.get(id)?;
        Some(UnitItem { id: id.to_owned(), name: name.clone() })
    }

    pub(super) fn policy_item(&self, id: &str) -> Option<PolicyItem> {
        let policy = self.policies.get(id)?;
        let (name, aws_managed) = (policy.name.clone(), policy.aws_managed);
        Some(PolicyItem { id: id.to_owned(), name, aws_managed })
    }

    pub(super) fn policy_content(&self, id: &str) -> Option<PolicyContent> {
        let item = self.policy_item(id)?;
        let content = self.policies.get(id)?.content.clone();
        Some(PolicyContent { item, kind: SCP.to_owned(), content })
    }

    pub(super) fn root_item(&self) -> RootItem {
        let status = self.scp_enabled.then(|| (SCP.to_owned(), "ENABLED".to_owned()));
        RootItem {
            id: ROOT.to_owned(),
            arn: format!("arn:aws:organizations::{MANAGEMENT}:root/{ORGANIZATION}/{ROOT}"),
            name: "Root".to_owned(),
            policy_types: status.into_iter().collect(),
        }
    }

    pub(super) fn head_item(&self) -> HeadItem {
        HeadItem {
            id: ORGANIZATION.to_owned(),
            management_account: MANAGEMENT.to_owned(),
            feature_set: "ALL".to_owned(),
        }
    }

    /// What a quiet walk that misses nothing brings home.
    pub(super) fn snapshot(&self) -> Snapshot {
        let units = self.units.iter().map(|(id, (name, parent))| SnapshotUnit {
            id: id.clone(),
            name: name.clone(),
            parent_id: parent.clone(),
        });
        let accounts = self.accounts.iter().map(|(id, member)| SnapshotAccount {
            id: id.clone(),
            name: member.name.clone(),
            email: format!("{id}@example.com"),
            state: member.state.to_owned(),
            parent_id: member.parent.clone(),
        });
        let policies = self.policies.iter().map(|(id, policy)| SnapshotPolicy {
            id: id.clone(),
            name: policy.name.clone(),
            kind: SCP.to_owned(),
            aws_managed: policy.aws_managed,
            content: Some(policy.content.clone()),
        });
        let pairs: BTreeSet<(String, String)> = self
            .by_policy
            .iter()
            .flat_map(|(policy, targets)| {
                targets.iter().map(|(_, target)| (target.clone(), policy.clone()))
            })
            .collect();
        let attachments = pairs
            .into_iter()
            .map(|(target_id, policy_id)| SnapshotAttachment { policy_id, target_id });
        let status = self
            .scp_enabled
            .then(|| PolicyType { kind: SCP.to_owned(), status: "ENABLED".to_owned() });
        Snapshot {
            schema_version: 1,
            fetched_at: String::new(),
            oldest_content_at: None,
            partition: "aws".to_owned(),
            organization: SnapshotHead {
                id: ORGANIZATION.to_owned(),
                management_account_id: MANAGEMENT.to_owned(),
                feature_set: Some("ALL".to_owned()),
            },
            root: Root {
                id: ROOT.to_owned(),
                name: "Root".to_owned(),
                policy_types: status.into_iter().collect(),
            },
            organizational_units: units.collect(),
            accounts: accounts.collect(),
            policies: if self.scp_enabled { policies.collect() } else { Vec::new() },
            attachments: attachments.collect(),
            gaps: Vec::new(),
        }
    }
}
