//! The state of a full walk: what was read, and what is still to be read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::contents::Contents;
use super::draft::Draft;
use super::pages::Pages;
use super::path::TreePlace;
use crate::pace::RateGroup;
use crate::ports::{AccountItem, PolicyItem, UnitItem};
use crate::snapshot::{Root, SnapshotGap, SnapshotHead};

/// One thing to read: a whole list or one document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Job {
    /// All accounts.
    Accounts,
    /// The units directly in a root or unit.
    Units(String),
    /// The accounts directly in a root or unit.
    Children(String),
    /// All service control policies.
    Policies,
    /// Where a policy is attached.
    Targets(String),
    /// The content of a policy.
    Content(String),
}

impl Job {
    /// Jobs of one group wait for the same bucket.
    pub(crate) const fn group(&self) -> RateGroup {
        match self {
            Self::Accounts => RateGroup::Accounts,
            Self::Units(_) | Self::Children(_) => RateGroup::Tree,
            Self::Policies | Self::Targets(_) => RateGroup::Policies,
            Self::Content(_) => RateGroup::Content,
        }
    }
}

/// The organization and its root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Top {
    pub(crate) partition: String,
    pub(crate) organization: SnapshotHead,
    pub(crate) root: Root,
}

/// An account as a list showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    name: String,
    email: String,
    state: String,
    place: Option<TreePlace>,
    /// The parents in whose lists it was found.
    found_in: BTreeSet<String>,
}

/// A full walk, as far as it has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FullWalk {
    pub(crate) top: Option<Top>,
    /// Whether accounts carry usable paths, so that the tree need not be searched for them.
    pub(crate) has_paths: Option<bool>,
    pub(crate) account_pages: Pages,
    pub(crate) policy_pages: Pages,
    pub(crate) unit_pages: BTreeMap<String, Pages>,
    pub(crate) child_pages: BTreeMap<String, Pages>,
    pub(crate) target_pages: BTreeMap<String, Pages>,
    accounts: BTreeMap<String, Seen>,
    /// Name and parent.
    units: BTreeMap<String, (String, String)>,
    /// Name and whether AWS manages it.
    policies: BTreeMap<String, (String, bool)>,
    /// Target and policy.
    attachments: BTreeSet<(String, String)>,
    /// Policies that went away during the walk.
    gone: BTreeSet<String>,
    /// Policies whose content could not be read.
    unread: BTreeSet<String>,
    gaps: BTreeSet<SnapshotGap>,
    /// Whether some units could not be listed.
    units_incomplete: bool,
}

impl FullWalk {
    /// Whether service control policies count at all.
    pub(crate) fn scp_enabled(&self) -> bool {
        self.top.as_ref().is_some_and(|top| top.root.scp_enabled())
    }

    fn root_id(&self) -> &str {
        self.top.as_ref().map_or("", |top| &top.root.id)
    }

    /// What is left to read, in an order that is the same every time.
    pub(crate) fn pending(&self, contents: &Contents, unit_names: bool) -> Vec<Job> {
        let mut jobs = Vec::new();
        if !self.account_pages.is_done() {
            jobs.push(Job::Accounts);
        }
        let search = self.has_paths == Some(false);
        let containers = self.units.keys().map(String::as_str).chain([self.root_id()]);
        for id in containers {
            if (unit_names || search) && !is_done(&self.unit_pages, id) {
                jobs.push(Job::Units(id.to_owned()));
            }
            if search && !is_done(&self.child_pages, id) {
                jobs.push(Job::Children(id.to_owned()));
            }
        }
        if self.scp_enabled() {
            if !self.policy_pages.is_done() {
                jobs.push(Job::Policies);
            }
            let policies = self.policies.keys().filter(|id| !self.gone.contains(*id));
            jobs.extend(policies.flat_map(|id| self.pending_of(id, contents)));
        }
        jobs
    }

    fn pending_of(&self, policy: &str, contents: &Contents) -> Vec<Job> {
        let mut jobs = Vec::new();
        if !is_done(&self.target_pages, policy) {
            jobs.push(Job::Targets(policy.to_owned()));
        }
        if contents.get(policy).is_none() && !self.unread.contains(policy) {
            jobs.push(Job::Content(policy.to_owned()));
        }
        jobs
    }

    /// Takes a page of ListAccounts. A later sighting of an account is the newer one.
    pub(crate) fn absorb_accounts(&mut self, items: Vec<AccountItem>) {
        let root = self.root_id().to_owned();
        if self.has_paths.is_none() && !items.is_empty() {
            let usable = |item: &AccountItem| TreePlace::of(item, &root).is_some();
            self.has_paths = Some(items.iter().all(usable));
        }
        for item in items {
            self.see(item, &root);
        }
    }

    /// What searching the tree for accounts takes, beside the lists of units that are read
    /// anyway.
    pub(crate) fn search(&self, unit_names: bool) -> Vec<Job> {
        let containers = self.units.keys().map(String::as_str).chain([self.root_id()]);
        let children = containers.map(|id| Job::Children(id.to_owned()));
        let units = (!unit_names).then(|| Job::Units(self.root_id().to_owned()));
        children.chain(units).collect()
    }

    fn see(&mut self, item: AccountItem, root: &str) -> &mut Seen {
        let place = TreePlace::of(&item, root);
        let AccountItem { id, name, email, state, paths: _ } = item;
        let seen = self.accounts.entry(id).or_insert_with(|| Seen {
            name: String::new(),
            email: String::new(),
            state: String::new(),
            place: None,
            found_in: BTreeSet::new(),
        });
        (seen.name, seen.email, seen.state, seen.place) = (name, email, state, place);
        seen
    }

    /// Takes a page of ListAccountsForParent.
    pub(crate) fn absorb_children(&mut self, parent: &str, items: Vec<AccountItem>) {
        let root = self.root_id().to_owned();
        for item in items {
            self.see(item, &root).found_in.insert(parent.to_owned());
        }
    }

    /// Takes a page of ListOrganizationalUnitsForParent and returns what follows from it.
    pub(crate) fn absorb_units(&mut self, parent: &str, items: Vec<UnitItem>) -> Vec<Job> {
        let mut jobs = Vec::new();
        for UnitItem { id, name } in items {
            if self.units.insert(id.clone(), (name, parent.to_owned())).is_none() {
                jobs.push(Job::Units(id.clone()));
                if self.has_paths == Some(false) {
                    jobs.push(Job::Children(id));
                }
            }
        }
        jobs
    }

    /// Takes a page of ListPolicies and returns what follows from it: the policies that AWS
    /// manages first, as their lists of targets are the longest.
    pub(crate) fn absorb_policies(
        &mut self,
        mut items: Vec<PolicyItem>,
        contents: &Contents,
    ) -> Vec<Job> {
        items.sort_by_key(|item| !item.aws_managed);
        let mut jobs = Vec::new();
        for PolicyItem { id, name, aws_managed } in items {
            if self.policies.insert(id.clone(), (name, aws_managed)).is_none() {
                jobs.extend(self.pending_of(&id, contents));
            }
        }
        jobs
    }

    /// Takes a page of ListTargetsForPolicy.
    pub(crate) fn absorb_targets(&mut self, policy: &str, items: Vec<String>) {
        self.attachments.extend(items.into_iter().map(|target| (target, policy.to_owned())));
    }

    /// Forgets where a policy is attached.
    pub(crate) fn forget_targets(&mut self, policy: &str) {
        self.attachments.retain(|(_, other)| other != policy);
    }

    /// Notes that a policy went away.
    pub(crate) fn drop_policy(&mut self, policy: &str) {
        self.gone.insert(policy.to_owned());
    }

    /// Notes that it cannot be known where a policy is attached.
    pub(crate) fn lose_targets(&mut self, policy: &str, reason: String) {
        self.forget_targets(policy);
        self.target_pages.entry(policy.to_owned()).or_default().finish();
        self.lose(policy, "ListTargetsForPolicy", reason);
    }

    /// Notes that a policy's content cannot be known.
    pub(crate) fn lose_content(&mut self, policy: &str, reason: String) {
        self.unread.insert(policy.to_owned());
        self.lose(policy, "DescribePolicy", reason);
    }

    fn lose(&mut self, policy: &str, operation: &str, reason: String) {
        self.gaps.insert(SnapshotGap {
            target_id: None,
            policy_id: Some(policy.to_owned()),
            operation: operation.to_owned(),
            reason,
        });
    }

    /// Gives up the units in a parent. What is in them comes to light through accounts and
    /// attachments, so that nothing is lost without a trace.
    pub(crate) fn lose_units(&mut self, parent: &str) {
        self.unit_pages.entry(parent.to_owned()).or_default().finish();
        self.units_incomplete = true;
    }

    /// Gives up the accounts in a parent: each one is in ListAccounts, and is looked up.
    pub(crate) fn lose_children(&mut self, parent: &str) {
        self.child_pages.entry(parent.to_owned()).or_default().finish();
        for seen in self.accounts.values_mut() {
            seen.found_in.remove(parent);
        }
    }

    /// How many accounts have no place of their own.
    pub(crate) fn adrift(&self) -> usize {
        self.accounts.values().filter(|seen| seen.parent().is_empty()).count()
    }

    /// Puts together what was read; `None` before the root was read.
    pub(crate) fn draft(&self, contents: &Contents, unit_names: bool) -> Option<Draft> {
        let top = self.top.clone()?;
        let mut draft = Draft {
            partition: top.partition,
            organization: top.organization,
            root: top.root,
            units: BTreeMap::new(),
            accounts: BTreeMap::new(),
            policies: BTreeMap::new(),
            attachments: self.attachments.clone(),
            gaps: self.gaps.clone(),
            oldest_content_at: None,
        };
        for (id, (name, parent)) in &self.units {
            draft.add_unit(id.clone(), name.clone(), parent.clone());
        }
        let has_paths = self.has_paths != Some(false);
        let partly = has_paths && (!unit_names || self.units_incomplete);
        for (id, seen) in &self.accounts {
            if partly && let Some(place) = &seen.place {
                add_units_of(&mut draft, place);
            }
            draft.add_account(seen.item(id), seen.parent());
        }
        for (id, (name, aws_managed)) in &self.policies {
            let content = contents.get(id).filter(|_| !self.unread.contains(id));
            draft.add_policy(id.clone(), name.clone(), *aws_managed, content.map(str::to_owned));
        }
        self.gone.iter().for_each(|policy| forget(&mut draft, policy));
        if partly {
            // A unit on no account's path holds no account, so what is on it touches nobody.
            let known: BTreeSet<String> = draft.units.keys().cloned().collect();
            let empty = |target: &str| super::path::is_unit(target) && !known.contains(target);
            draft.attachments.retain(|(target, _)| !empty(target));
        }
        Some(draft)
    }
}

impl Seen {
    /// The parent where there is exactly one, else an empty text.
    fn parent(&self) -> String {
        if let Some(place) = &self.place {
            return place.parent.clone();
        }
        let mut found = self.found_in.iter();
        match (found.next(), found.next()) {
            (Some(parent), None) => parent.clone(),
            (None | Some(_), _) => String::new(),
        }
    }

    fn item(&self, id: &str) -> AccountItem {
        AccountItem {
            id: id.to_owned(),
            name: self.name.clone(),
            email: self.email.clone(),
            state: self.state.clone(),
            paths: Vec::new(),
        }
    }
}

fn is_done(pages: &BTreeMap<String, Pages>, id: &str) -> bool {
    pages.get(id).is_some_and(Pages::is_done)
}

/// Adds the units of a path that are not known, named by their ids.
fn add_units_of(draft: &mut Draft, place: &TreePlace) {
    let mut parent = draft.root.id.clone();
    for unit in &place.units {
        if !draft.units.contains_key(unit) {
            draft.add_unit(unit.clone(), unit.clone(), parent.clone());
        }
        parent.clone_from(unit);
    }
}

/// Removes a policy that went away, and its gaps, which would name nothing any more.
fn forget(draft: &mut Draft, policy: &str) {
    draft.remove_policy(policy);
    draft.gaps.retain(|gap| gap.policy_id.as_deref() != Some(policy));
}
