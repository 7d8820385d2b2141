//! The organization while it is put together, and what about it does not fit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::contents::Contents;
use super::path::TreePlace;
use crate::ports::AccountItem;
use crate::snapshot::{
    Root, SCP, Snapshot, SnapshotAccount, SnapshotAttachment, SnapshotGap, SnapshotHead,
    SnapshotPolicy, SnapshotUnit,
};

/// A snapshot that can be edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) partition: String,
    pub(crate) organization: SnapshotHead,
    pub(crate) root: Root,
    pub(crate) units: BTreeMap<String, SnapshotUnit>,
    pub(crate) accounts: BTreeMap<String, SnapshotAccount>,
    pub(crate) policies: BTreeMap<String, SnapshotPolicy>,
    /// Target and policy.
    pub(crate) attachments: BTreeSet<(String, String)>,
    pub(crate) gaps: BTreeSet<SnapshotGap>,
    /// The oldest reading among the contents of the snapshot that this one began as.
    #[serde(default)]
    pub(crate) oldest_content_at: Option<String>,
}

/// Something about a draft that cannot be so in an organization: it was read while it changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Inconsistency {
    /// An account whose place is not known.
    Adrift(String),
    /// A unit that something is in and that is not known.
    Unit(String),
    /// A target of an attachment that is not known.
    Target(String),
    /// An attached policy that is not known.
    Policy(String),
    /// A target without any policy, where AWS keeps at least one.
    Bare(String),
}

impl Draft {
    pub(crate) fn of(snapshot: Snapshot) -> Self {
        let attachments = snapshot.attachments.into_iter();
        Self {
            partition: snapshot.partition,
            organization: snapshot.organization,
            root: snapshot.root,
            units: by_id(snapshot.organizational_units, |unit| unit.id.clone()),
            accounts: by_id(snapshot.accounts, |account| account.id.clone()),
            policies: by_id(snapshot.policies, |policy| policy.id.clone()),
            attachments: attachments.map(|pair| (pair.target_id, pair.policy_id)).collect(),
            gaps: snapshot.gaps.into_iter().collect(),
            oldest_content_at: snapshot.oldest_content_at,
        }
    }

    /// When the oldest content was read: in this run, or before the snapshot that this one began
    /// as. `None` where there is no content, or where it is not known of one.
    fn oldest_content(&self, contents: &Contents) -> Option<Timestamp> {
        let before = self.oldest_content_at.as_ref().and_then(|at| at.parse().ok());
        let there = self.policies.values().filter(|policy| policy.content.is_some());
        let read = there.map(|policy| contents.read_at(&policy.id).or(before));
        read.reduce(|one, other| Some(one?.min(other?))).flatten()
    }

    pub(crate) fn into_snapshot(self, fetched_at: String, contents: &Contents) -> Snapshot {
        let oldest_content_at = self.oldest_content(contents).map(|at| at.to_string());
        let attachments = self.attachments.into_iter();
        Snapshot {
            schema_version: 1,
            fetched_at,
            oldest_content_at,
            partition: self.partition,
            organization: self.organization,
            root: self.root,
            organizational_units: self.units.into_values().collect(),
            accounts: self.accounts.into_values().collect(),
            policies: self.policies.into_values().collect(),
            attachments: attachments
                .map(|(target_id, policy_id)| SnapshotAttachment { policy_id, target_id })
                .collect(),
            gaps: self.gaps.into_iter().collect(),
        }
    }

    /// Whether this is the root or a known unit.
    pub(crate) fn is_container(&self, id: &str) -> bool {
        self.root.id == id || self.units.contains_key(id)
    }

    pub(crate) fn is_target(&self, id: &str) -> bool {
        self.is_container(id) || self.accounts.contains_key(id)
    }

    pub(crate) fn policies_on<'d>(&'d self, target: &str) -> impl Iterator<Item = &'d str> {
        let from = (target.to_owned(), String::new());
        let target = target.to_owned();
        let rest = self.attachments.range(from..);
        rest.take_while(move |(other, _)| *other == target).map(|(_, policy)| policy.as_str())
    }

    /// Puts exactly these policies on a target.
    pub(crate) fn attach_exactly(&mut self, target: &str, policies: impl Iterator<Item = String>) {
        self.detach_all(target);
        self.attachments.extend(policies.map(|policy| (target.to_owned(), policy)));
    }

    pub(crate) fn detach_all(&mut self, target: &str) {
        let old: Vec<String> = self.policies_on(target).map(ToOwned::to_owned).collect();
        for policy in old {
            self.attachments.remove(&(target.to_owned(), policy));
        }
    }

    /// Removes an account or a unit and what is attached to it.
    pub(crate) fn remove_target(&mut self, target: &str) {
        self.units.remove(target);
        self.accounts.remove(target);
        self.detach_all(target);
    }

    /// Removes a policy from wherever it is.
    pub(crate) fn remove_policy(&mut self, policy: &str) {
        self.policies.remove(policy);
        self.attachments.retain(|(_, other)| other != policy);
    }

    pub(crate) fn add_account(&mut self, item: AccountItem, parent: String) {
        let AccountItem { id, name, email, state, paths: _ } = item;
        let account = SnapshotAccount { id: id.clone(), name, email, state, parent_id: parent };
        self.accounts.insert(id, account);
    }

    pub(crate) fn add_unit(&mut self, id: String, name: String, parent: String) {
        self.units.insert(id.clone(), SnapshotUnit { id, name, parent_id: parent });
    }

    pub(crate) fn add_policy(
        &mut self,
        id: String,
        name: String,
        aws_managed: bool,
        content: Option<String>,
    ) {
        let policy =
            SnapshotPolicy { id: id.clone(), name, kind: SCP.to_owned(), aws_managed, content };
        self.policies.insert(id, policy);
    }

    /// Notes that something could not be read.
    pub(crate) fn gap(
        &mut self,
        target: Option<&str>,
        policy: Option<&str>,
        operation: &str,
        reason: String,
    ) {
        self.gaps.insert(SnapshotGap {
            target_id: target.map(ToOwned::to_owned),
            policy_id: policy.map(ToOwned::to_owned),
            operation: operation.to_owned(),
            reason,
        });
    }

    /// Where an account's path says it is, if that is inside this organization.
    pub(crate) fn place_of(&self, item: &AccountItem) -> Option<TreePlace> {
        TreePlace::of(item, &self.root.id)
    }

    /// Whether some gap covers every account, so that nothing else needs to be found out.
    pub(crate) fn is_open_everywhere(&self) -> bool {
        let attachments = |gap: &SnapshotGap| gap.operation != "DescribePolicy";
        self.gaps.iter().any(|gap| gap.target_id.is_none() && attachments(gap))
    }

    /// What does not fit; `looked` are targets whose policies were read for themselves.
    pub(crate) fn problems(&self, looked: &BTreeSet<String>) -> BTreeSet<Inconsistency> {
        let mut problems = self.misplaced();
        for (target, policy) in &self.attachments {
            if !self.is_target(target) {
                problems.insert(Inconsistency::Target(target.clone()));
            }
            if !self.policies.contains_key(policy) {
                problems.insert(Inconsistency::Policy(policy.clone()));
            }
        }
        if self.root.scp_enabled() && !self.is_open_everywhere() {
            problems.extend(self.bare().filter(|id| !looked.contains(id)).map(Inconsistency::Bare));
        }
        problems
    }

    fn misplaced(&self) -> BTreeSet<Inconsistency> {
        let accounts = self.accounts.values().map(|account| (&account.id, &account.parent_id));
        let units = self.units.values().map(|unit| (&unit.id, &unit.parent_id));
        let lost = accounts.chain(units).filter(|(_, parent)| !self.is_container(parent));
        lost.map(|(id, parent)| match parent.is_empty() {
            true => Inconsistency::Adrift(id.clone()),
            false => Inconsistency::Unit(parent.clone()),
        })
        .collect()
    }

    /// Targets without a policy.
    fn bare(&self) -> impl Iterator<Item = String> {
        let dressed: BTreeSet<&String> = self.attachments.iter().map(|(id, _)| id).collect();
        let targets = self.units.keys().chain(self.accounts.keys()).chain([&self.root.id]);
        targets.filter(move |id| !dressed.contains(id)).cloned()
    }
}

fn by_id<T>(items: Vec<T>, id: impl Fn(&T) -> String) -> BTreeMap<String, T> {
    items.into_iter().map(|item| (id(&item), item)).collect()
}
