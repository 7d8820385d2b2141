//! What a plan does, while it is read; at the end the edits in an order that can be made.

use std::collections::{BTreeMap, BTreeSet};

use organization::{
    AccountId, Edit, FULL_ACCESS, Organization, OwnedTargetId, ParentId, PolicyId, PolicyKind,
    StoredPolicy, UnitId, unused_id,
};
use text::diagnostic::{Diagnostic, Problems, Refusal as PlanError};
use text::span::Span;
use text::words::quote;

use super::fields::{PLAN, same_document};
use super::outcome::{Choice, Plan, Unknown};
use super::secrets::Secrets;

/// Where something stands in the plan, and what it is called there.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlanSource<'a> {
    /// The address or logical id.
    pub(super) name: &'a str,
    pub(super) span: Span,
}

/// What is known of a policy id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KnownPolicy {
    /// A service control policy.
    Scp(PolicyId),
    /// A policy of another type, which is passed over.
    Other,
}

#[derive(Debug)]
struct Creation {
    policy: PolicyId,
    name: String,
    content: String,
    by: String,
    span: Span,
}

/// The id of a unit or account that is not there yet.
#[derive(Debug, Clone)]
pub(super) enum MadeId {
    Unit(UnitId),
    Account(AccountId),
}

impl MadeId {
    pub(super) fn target(&self) -> OwnedTargetId {
        match self {
            Self::Unit(id) => OwnedTargetId::Unit(id.clone()),
            Self::Account(id) => OwnedTargetId::Account(*id),
        }
    }
}

/// A unit or account that is not there yet.
#[derive(Debug)]
struct Made {
    id: MadeId,
    name: String,
    parent: ParentId,
}

#[derive(Debug)]
struct Mention {
    by: String,
    span: Span,
}

type Attachment = (PolicyId, OwnedTargetId);

/// Everything that a plan does to policies, attachments and accounts.
#[derive(Debug)]
pub(super) struct PlanBuilder<'o> {
    pub(super) organization: &'o Organization,
    pub(super) problems: Problems,
    /// What no sentence may show.
    pub(super) secrets: Secrets,
    notes: Vec<String>,
    /// By type, how many resources were passed over.
    others: BTreeMap<String, usize>,
    created: Vec<Creation>,
    made: Vec<Made>,
    replaced: Vec<(PolicyId, String)>,
    deleted: BTreeMap<PolicyId, Mention>,
    attached: BTreeMap<Attachment, Mention>,
    detached: BTreeMap<Attachment, Mention>,
    moved: BTreeMap<AccountId, ParentId>,
    /// Documents and targets of which nobody knows what they will be, with the reasons.
    unknown: Vec<(Option<PolicyId>, Option<OwnedTargetId>, String, Span)>,
    /// Targets that get one of several policies, with the reasons.
    choices: Vec<(OwnedTargetId, BTreeSet<Option<PolicyId>>, String, Span)>,
    /// Targets that are gone afterwards.
    gone: BTreeSet<OwnedTargetId>,
    /// Ids that were made up, of policies and of targets.
    ids: BTreeSet<PolicyId>,
    targets: BTreeSet<OwnedTargetId>,
    text: &'o str,
}

impl<'o> PlanBuilder<'o> {
    /// For a plan of this text.
    pub(super) fn new(organization: &'o Organization, text: &'o str) -> Self {
        Self {
            organization,
            problems: Problems::of(PLAN),
            secrets: Secrets::default(),
            notes: Vec::new(),
            others: BTreeMap::new(),
            created: Vec::new(),
            made: Vec::new(),
            replaced: Vec::new(),
            deleted: BTreeMap::new(),
            attached: BTreeMap::new(),
            detached: BTreeMap::new(),
            moved: BTreeMap::new(),
            unknown: Vec::new(),
            choices: Vec::new(),
            gone: BTreeSet::new(),
            ids: BTreeSet::new(),
            targets: BTreeSet::new(),
            text,
        }
    }

    /// Notes what was passed over, once.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A policy has a document that nobody knows, `why` is a sentence without a stop: what it
    /// touches is undecided.
    pub(super) fn unknown_document(&mut self, policy: PolicyId, by: PlanSource<'_>, why: String) {
        self.unknown.push((Some(policy), None, why, by.span));
    }

    /// Nobody knows what becomes of a target and what is below it.
    pub(super) fn unknown_below(&mut self, target: OwnedTargetId, by: PlanSource<'_>, why: String) {
        self.unknown.push((None, Some(target), why, by.span));
    }

    /// One of these attachments is made, or none where one is missing; `why` is a sentence
    /// without a stop.
    pub(super) fn attach_one_of(
        &mut self,
        target: OwnedTargetId,
        policies: BTreeSet<Option<PolicyId>>,
        why: String,
        by: PlanSource<'_>,
    ) {
        self.choices.push((target, policies, why, by.span));
    }

    /// The ids of the service control policies of the snapshot.
    pub(super) fn all_scps(&self) -> Vec<PolicyId> {
        let scps = self.organization.policies().map(|(_, policy)| policy);
        scps.filter(|policy| policy.is_scp()).map(|policy| policy.id.clone()).collect()
    }

    /// Counts a resource of a type that has nothing to do with service control policies.
    pub(super) fn pass_over(&mut self, kind: &str) {
        *self.others.entry(kind.to_owned()).or_default() += 1;
    }

    /// What the snapshot knows of a policy id; a problem where it knows nothing.
    pub(super) fn policy(&mut self, id: &str, by: PlanSource<'_>) -> Option<KnownPolicy> {
        let organization = self.organization;
        let found = organization.find_policy(id).and_then(|index| organization.policy(index));
        if let Some(found) = found {
            return Some(match found.kind {
                PolicyKind::ServiceControl => KnownPolicy::Scp(found.id.clone()),
                PolicyKind::Other(_) => KnownPolicy::Other,
            });
        }
        self.problems.push(|| {
            let message = format!(
                "{} is about the policy {}, which is not in the snapshot",
                quote(by.name),
                quote(id)
            );
            Diagnostic::error_at(by.span, message).here("unknown policy").help(suggestion(
                organization,
                id,
                "policy",
            ))
        });
        None
    }

    /// A target that the snapshot has, or will have; a problem where it has not.
    pub(super) fn target(&mut self, id: &str, by: PlanSource<'_>) -> Option<OwnedTargetId> {
        let organization = self.organization;
        if let Ok(found) = id.parse::<OwnedTargetId>()
            && (organization.find_target(found.borrowed()).is_some()
                || self.targets.contains(&found))
        {
            return Some(found);
        }
        self.problems.push(|| {
            let message = format!(
                "{} names the target {}, which is not in the snapshot",
                quote(by.name),
                quote(id)
            );
            Diagnostic::error_at(by.span, message).here("unknown target").help(suggestion(
                organization,
                id,
                "root, unit or account",
            ))
        });
        None
    }

    /// An id for a policy that has none yet: made from its address, and nobody else's.
    pub(super) fn made_up_id(&mut self, address: &str) -> PolicyId {
        let organization = self.organization;
        let id = fresh("p-new", address, 80, |id: &PolicyId| {
            self.ids.contains(id) || organization.find_policy(id.as_str()).is_some()
        });
        self.ids.insert(id.clone());
        id
    }

    /// The same for a unit.
    pub(super) fn made_up_unit(&mut self, address: &str) -> UnitId {
        let organization = self.organization;
        let root = organization.root().id.to_string();
        let start = format!("ou-{}-new", root.trim_start_matches("r-"));
        let id = fresh(&start, address, 20, |id: &UnitId| {
            self.targets.contains(&OwnedTargetId::Unit(id.clone()))
                || organization.target(id.as_str()).is_some()
        });
        self.targets.insert(OwnedTargetId::Unit(id.clone()));
        id
    }

    /// Digits for an account that has no id yet: those that nothing names.
    pub(super) fn made_up_account(&mut self) -> AccountId {
        let organization = self.organization;
        let documents = organization.documents().filter_map(|(_, document)| document.text());
        let texts: Vec<&str> = documents.chain([self.text]).collect();
        // The texts last: they are long.
        let is_taken = |id: &AccountId| {
            let digits = id.to_string();
            self.targets.contains(&OwnedTargetId::Account(*id))
                || organization.find_account(*id).is_some()
                || texts.iter().any(|text| text.contains(&digits))
        };
        let id = unused_id(|number| format!("{number:012}"), is_taken);
        self.targets.insert(OwnedTargetId::Account(id));
        id
    }

    /// Puts a unit that is not there yet under an id of [`Self::made_up_unit`].
    pub(super) fn create_unit(&mut self, id: UnitId, name: &str, parent: &str, by: PlanSource<'_>) {
        self.make(MadeId::Unit(id), format!("new unit {name}"), parent, by);
    }

    /// Puts an account that is not there yet under an id of [`Self::made_up_account`].
    pub(super) fn create_account(
        &mut self,
        id: AccountId,
        name: &str,
        parent: &str,
        by: PlanSource<'_>,
    ) {
        let mut label = format!("new account {name}");
        let is_taken = |label: &str| {
            let stored = self.organization.accounts().any(|(_, it)| *it.name == *label);
            stored || self.made.iter().any(|it| it.name == label)
        };
        if is_taken(&label) {
            label = format!("{label} ({})", by.name);
        }
        self.note(format!(
            "{} creates an account, which has no id yet; where it would stand is {}",
            quote(by.name),
            quote(&format!("<{label}>"))
        ));
        self.make(MadeId::Account(id), label, parent, by);
    }

    fn make(&mut self, id: MadeId, name: String, parent: &str, by: PlanSource<'_>) {
        let organization = self.organization;
        let Some(found) = self.target(parent, by) else { return };
        let Some(parent) = found.borrowed().as_parent() else {
            return self.unfit(parent, "root or unit", by);
        };
        if organization.scp_enabled && organization.find_policy(FULL_ACCESS).is_none() {
            let why = format!(
                "AWS attaches {} to {}, and the snapshot does not have it",
                quote(FULL_ACCESS),
                quote(by.name)
            );
            self.unknown_below(id.target(), by, why);
        }
        self.made.push(Made { id, name, parent });
    }

    /// Notes an id that is none of what it should be.
    fn unfit(&mut self, id: &str, kind: &str, by: PlanSource<'_>) {
        let organization = self.organization;
        self.problems.push(|| {
            let message =
                format!("{} names {}, no {kind} of the snapshot", quote(by.name), quote(id));
            Diagnostic::error_at(by.span, message).here(format!("unknown {kind}")).help(suggestion(
                organization,
                id,
                kind,
            ))
        });
    }

    /// Whether a target is not there yet.
    pub(super) fn is_made_up(&self, target: &str) -> bool {
        target.parse().is_ok_and(|target: OwnedTargetId| self.targets.contains(&target))
    }

    /// The account of this id, where it is not there yet.
    pub(super) fn made_up(&self, account: &str) -> Option<AccountId> {
        let id = account.parse().ok()?;
        self.targets.contains(&OwnedTargetId::Account(id)).then_some(id)
    }

    /// The id of the root of the organization.
    pub(super) fn root(&self) -> String {
        self.organization.root().id.to_string()
    }

    /// Everything in the organization, as a target.
    pub(super) fn everywhere(&self) -> OwnedTargetId {
        OwnedTargetId::Root(self.organization.root().id.clone())
    }

    /// Puts a new service control policy, attached nowhere yet, under an id of [`Self::made_up_id`].
    pub(super) fn create(&mut self, id: PolicyId, name: &str, content: String, by: PlanSource<'_>) {
        self.created.push(Creation {
            policy: id,
            name: name.to_owned(),
            content,
            by: by.name.to_owned(),
            span: by.span,
        });
    }

    /// Gives an SCP of the snapshot another document, unless it says the same already.
    pub(super) fn replace(&mut self, id: PolicyId, content: String, by: PlanSource<'_>) {
        if !self.may_change(&id, by) {
            return;
        }
        if let Some(stored) = stored_text(self.organization, id.as_str())
            && same_document(stored, &content)
        {
            return;
        }
        if self.replaced.iter().any(|(other, _)| *other == id) {
            self.problems.push(|| {
                let message =
                    format!("{} gives the policy `{id}` a second document", quote(by.name));
                Diagnostic::error_at(by.span, message)
                    .here("the other one stands further up")
                    .help("manage each policy in one place")
            });
            return;
        }
        self.replaced.push((id, content));
    }

    /// Deletes an SCP of the snapshot.
    pub(super) fn delete(&mut self, id: PolicyId, by: PlanSource<'_>) {
        if self.may_change(&id, by) {
            self.deleted.insert(id, by.into());
        }
    }

    /// AWS's own policies are the same for everyone.
    fn may_change(&mut self, id: &PolicyId, by: PlanSource<'_>) -> bool {
        let managed = scp(self.organization, id).is_some_and(|policy| policy.aws_managed);
        if managed {
            self.problems.push(|| {
                let message =
                    format!("{} changes `{id}`, a policy that AWS maintains", quote(by.name));
                Diagnostic::error_at(by.span, message)
                    .here("AWS refuses this")
                    .help("make a policy of your own, with another name")
            });
        }
        !managed
    }

    /// Attaches an SCP to a target; both are known to be there.
    pub(super) fn attach(&mut self, policy: PolicyId, target: OwnedTargetId, by: PlanSource<'_>) {
        self.attached.insert((policy, target), by.into());
    }

    /// Detaches an SCP from a target; both are known to be there.
    pub(super) fn detach(&mut self, policy: PolicyId, target: OwnedTargetId, by: PlanSource<'_>) {
        self.detached.insert((policy, target), by.into());
    }

    /// The targets of an SCP in the snapshot.
    pub(super) fn targets_of(&self, policy: &PolicyId) -> Vec<OwnedTargetId> {
        let organization = self.organization;
        let Some(index) = organization.find_policy(policy.as_str()) else { return Vec::new() };
        let has = |target| organization.scps_on(target).iter().any(|scp| scp.policy == index);
        let targets = organization.targets().filter(|target| has(target.index));
        targets.map(|target| target.id.into()).collect()
    }

    /// Moves an account of the snapshot.
    pub(super) fn move_account(&mut self, account: &str, parent: &str, by: PlanSource<'_>) {
        let organization = self.organization;
        let id = account.parse::<AccountId>().ok();
        let Some((id, found)) = id.and_then(|id| Some((id, organization.find_account(id)?))) else {
            return self.unfit(account, "account", by);
        };
        let into = parent.parse::<ParentId>().ok().filter(|into| {
            let target = into.as_target();
            organization.find_target(target).is_some() || self.targets.contains(&target.into())
        });
        let Some(into) = into else { return self.unfit(parent, "root or unit", by) };
        let is_in = organization.account(found).map(|account| account.parent);
        if organization.find_target(into.as_target()) != is_in {
            self.moved.insert(id, into);
        }
    }

    /// A target that is gone when the plan is done.
    pub(super) fn remove_target(&mut self, id: &str) {
        // No target is called by anything else.
        self.gone.extend(id.parse::<OwnedTargetId>());
    }

    /// The SCP of this name; a problem where there are two.
    pub(super) fn scp_named(&mut self, name: &str, by: PlanSource<'_>) -> Option<PolicyId> {
        let mut found = self.organization.policies().map(|(_, policy)| policy);
        let mut found = found.by_ref().filter(|policy| policy.is_scp() && &*policy.name == name);
        let first = found.next().map(|policy| policy.id.clone());
        if found.next().is_some() {
            self.problems.push(|| {
                let message = format!("two policies are named {}", quote(name));
                Diagnostic::error_at(by.span, message)
                    .here(format!("{} may be either", quote(by.name)))
                    .help("describe a change set, which names the policy by its id")
            });
        }
        first
    }

    /// Edits and notes, or what is wrong; `text` is the plan's.
    pub(super) fn finish(mut self, text: &str) -> Result<Plan, PlanError> {
        self.check_names();
        self.drop_empty_steps();
        self.check_deleted();
        let made_again = self.made_again();
        self.leave_what_is_gone();
        self.check_last_policies();
        let secrets = self.secrets;
        self.problems.reword(|words| secrets.hide(words));
        if let Some(error) = self.problems.into_refusal() {
            return Err(error);
        }
        let id = |policy: &PolicyId| made_again.get(policy).unwrap_or(policy).clone();
        let mut edits = Vec::new();
        for (policy, content) in self.replaced {
            if !self.deleted.contains_key(&policy) {
                edits.push(Edit::Replace { policy, content });
            }
        }
        for Creation { policy, name, content, .. } in self.created {
            edits.push(match made_again.get(&policy) {
                Some(old) => Edit::Replace { policy: old.clone(), content },
                None => Edit::Create { policy, name, content },
            });
        }
        edits.extend(parents_first(self.made));
        let attached: BTreeSet<Attachment> =
            self.attached.keys().map(|(policy, target)| (id(policy), target.clone())).collect();
        let attach = attached.iter().filter(|(policy, target)| {
            !self.detached.contains_key(&(policy.clone(), target.clone()))
        });
        edits.extend(attach.map(|(policy, target)| Edit::Attach {
            policy: policy.clone(),
            target: target.clone(),
        }));
        let detached_at_last: BTreeSet<Attachment> = self.detached.keys().cloned().collect();
        for (policy, target) in self.detached.into_keys() {
            if !attached.contains(&(policy.clone(), target.clone())) {
                edits.push(Edit::Detach { policy, target });
            }
        }
        edits
            .extend(self.moved.into_iter().map(|(account, parent)| Edit::Move { account, parent }));
        let place = |span: Span| span.line_column(text);
        let unknown = self.unknown.into_iter().map(|(policy, target, why, span)| Unknown {
            policy: policy.as_ref().map(&id),
            target,
            why: format!("{} (at {})", secrets.hide(&why), place(span)),
        });
        let unknown: Vec<Unknown> = unknown.collect();
        let deleted_policies: BTreeSet<&PolicyId> = self.deleted.keys().collect();
        let (organization, detached, targets) =
            (self.organization, &detached_at_last, &self.targets);
        let choices = self.choices.into_iter().map(|(target, policies, why, span)| {
            let possible =
                policies.into_iter().map(|policy| policy.as_ref().map(&id)).filter(|it| {
                    let Some(policy) = it else { return true };
                    // AWS refuses what is there already, and what is gone.
                    let pair = (policy.clone(), target.clone());
                    !(is_attached(organization, policy.as_str(), &target.to_string())
                        && !detached.contains(&pair)
                        || gets_full_access(organization, targets, policy, &target)
                        || attached.contains(&pair)
                        || deleted_policies.contains(policy)
                            && !made_again.values().any(|it| it == policy))
                });
            Choice {
                policies: possible.collect(),
                target,
                why: format!("{} (at {})", secrets.hide(&why), place(span)),
            }
        });
        let choices: Vec<Choice> = choices.collect();
        let stays: BTreeSet<&PolicyId> = made_again.values().collect();
        let deleted = self.deleted.into_keys().filter(|policy| !stays.contains(policy));
        edits.extend(deleted.map(|policy| Edit::Delete { policy }));
        let mut notes: Vec<String> = self.notes.iter().map(|note| secrets.hide(note)).collect();
        if !self.others.is_empty() {
            let count: usize = self.others.values().sum();
            let kinds =
                self.others.iter().map(|(kind, count)| format!("{} ({count})", quote(kind)));
            let kinds: Vec<String> = kinds.collect();
            notes.push(format!(
                "resources of other types were passed over: {count}, of {}",
                kinds.join(", ")
            ));
        }
        Ok(Plan { edits, notes, unknown, choices })
    }

    /// A name belongs to one SCP, or AWS refuses the second.
    fn check_names(&mut self) {
        let mut names: BTreeMap<&str, &PolicyId> = BTreeMap::new();
        for (_, policy) in self.organization.policies() {
            if policy.is_scp() && !self.deleted.contains_key(&policy.id) {
                names.insert(&policy.name, &policy.id);
            }
        }
        for Creation { name, policy, by, span, .. } in &self.created {
            let Some(other) = names.insert(name, policy) else { continue };
            self.problems.push(|| {
                let message = format!(
                    "{} creates a policy named {}, and `{other}` has that name",
                    quote(by),
                    quote(name)
                );
                Diagnostic::error_at(*span, message)
                    .here("AWS refuses a second policy of one name")
                    .help("choose another name, or import the policy that is there")
            });
        }
    }

    /// Attachments that are there already and detachments of what is not attached change nothing.
    fn drop_empty_steps(&mut self) {
        let (organization, targets) = (self.organization, &self.targets);
        let attached = |(policy, target): &Attachment| {
            is_attached(organization, policy.as_str(), &target.to_string())
                || gets_full_access(organization, targets, policy, target)
        };
        let mut notes = Vec::new();
        self.detached.retain(|pair, mention| {
            let there = attached(pair);
            if !there {
                let (policy, target) = pair;
                notes.push(format!(
                    "{} detaches `{policy}` from `{target}`, where the snapshot does not have it",
                    quote(&mention.by)
                ));
            }
            there
        });
        let detached = &self.detached;
        self.attached.retain(|pair, mention| {
            let there = attached(pair) && !detached.contains_key(pair);
            if there {
                let (policy, target) = pair;
                notes.push(format!(
                    "{} attaches `{policy}` to `{target}`, where it is already",
                    quote(&mention.by)
                ));
            }
            !there
        });
        notes.into_iter().for_each(|note| self.note(note));
    }

    /// AWS deletes a policy only when it is attached nowhere.
    fn check_deleted(&mut self) {
        for (policy, mention) in &self.deleted {
            let left: Vec<String> = self
                .targets_of(policy)
                .into_iter()
                .filter(|target| {
                    let pair = (policy.clone(), target.clone());
                    !self.gone.contains(target) && !self.detached.contains_key(&pair)
                })
                .map(|target| format!("`{target}`"))
                .collect();
            let shown = match left.as_slice() {
                [] => continue,
                [one] => one.clone(),
                [first, rest @ ..] => format!("{first} and {} more", rest.len()),
            };
            self.problems.push(|| {
                let message = format!(
                    "{} deletes the policy `{policy}` while it is attached to {shown}",
                    quote(&mention.by)
                );
                Diagnostic::error_at(mention.span, message)
                    .here("AWS refuses this")
                    .help("detach it in the same plan, or manage that attachment too")
            });
        }
    }

    /// A target that goes away is judged as if it stayed, so it keeps its policies: without them
    /// nothing would be allowed there, and every control would pass.
    fn leave_what_is_gone(&mut self) {
        let gone = &self.gone;
        self.detached.retain(|(_, target), _| !gone.contains(target));
        let kept: Vec<PolicyId> = self
            .deleted
            .keys()
            .filter(|policy| self.targets_of(policy).iter().any(|target| gone.contains(target)))
            .cloned()
            .collect();
        self.deleted.retain(|policy, _| !kept.contains(policy));
    }

    /// Policies that are deleted and made again under the same name: by the id of the new one the
    /// old one's, which the policy keeps here.
    fn made_again(&self) -> BTreeMap<PolicyId, PolicyId> {
        let mut found = BTreeMap::new();
        for policy in self.deleted.keys() {
            let Some(stored) = scp(self.organization, policy) else { continue };
            if let Some(new) = self.created.iter().find(|new| *new.name == *stored.name) {
                found.insert(new.policy.clone(), policy.clone());
            }
        }
        found
    }

    /// AWS keeps at least one SCP on every target. If the plan left one bare, nothing would be
    /// allowed below, and every control would pass for a reason that never comes about.
    fn check_last_policies(&mut self) {
        if !self.organization.scp_enabled {
            return;
        }
        let mut gained: BTreeSet<&OwnedTargetId> =
            self.attached.keys().map(|(_, target)| target).collect();
        let certain = self.choices.iter().filter(|(_, policies, ..)| !policies.contains(&None));
        gained.extend(certain.map(|(target, ..)| target));
        let mut lost: BTreeMap<&OwnedTargetId, (usize, &Mention)> = BTreeMap::new();
        for ((_, target), mention) in &self.detached {
            lost.entry(target).or_insert((0, mention)).0 += 1;
        }
        for (target, (count, mention)) in lost {
            let before = self.organization.find_target(target.borrowed());
            let before = before.map_or(0, |index| self.organization.scps_on(index).len());
            if count < before || gained.contains(target) {
                continue;
            }
            self.problems.push(|| {
                let message = format!(
                    "{} takes the last service control policy from `{target}`",
                    quote(&mention.by)
                );
                Diagnostic::error_at(mention.span, message)
                    .here("AWS refuses this")
                    .help("attach another policy first, for instance `p-FullAWSAccess`")
            });
        }
    }
}

/// An id from the letters and digits of an address that is not `taken`.
fn fresh<I: std::str::FromStr>(
    start: &str,
    address: &str,
    most: usize,
    taken: impl Fn(&I) -> bool,
) -> I {
    let word = |c: &char| c.is_ascii_alphanumeric();
    let name: String = address.chars().filter(word).take(most).collect();
    let base = format!("{start}{:0<5}", name.to_ascii_lowercase());
    unused_id(|n| if n == 1 { base.clone() } else { format!("{base}{n}") }, taken)
}

/// Units and accounts, none before the unit that it is in.
fn parents_first(made: Vec<Made>) -> Vec<Edit> {
    let mut open = made;
    let mut edits = Vec::new();
    while !open.is_empty() {
        let units = open.iter().filter_map(|it| match &it.id {
            MadeId::Unit(id) => Some(ParentId::Unit(id.clone())),
            MadeId::Account(_) => None,
        });
        let waiting: BTreeSet<ParentId> = units.collect();
        let (later, now): (Vec<Made>, Vec<Made>) =
            open.into_iter().partition(|it| waiting.contains(&it.parent));
        // None is in itself, which `Organization::edited` would refuse.
        let last = now.is_empty();
        let (now, later) = if last { (later, now) } else { (now, later) };
        edits.extend(now.into_iter().map(|Made { id, name, parent }| match id {
            MadeId::Account(account) => Edit::CreateAccount { account, name, parent },
            MadeId::Unit(unit) => Edit::CreateUnit { unit, name, parent },
        }));
        open = later;
    }
    edits
}

impl From<PlanSource<'_>> for Mention {
    fn from(source: PlanSource<'_>) -> Self {
        Self { by: source.name.to_owned(), span: source.span }
    }
}

fn scp<'o>(organization: &'o Organization, id: &PolicyId) -> Option<&'o StoredPolicy> {
    let policy = organization.policy(organization.find_policy(id.as_str())?)?;
    policy.is_scp().then_some(policy)
}

/// Whether the snapshot has an SCP on a target.
pub(super) fn is_attached(organization: &Organization, policy: &str, target: &str) -> bool {
    let policy = organization.find_policy(policy);
    let on = organization.target(target).map(|target| organization.scps_on(target));
    on.unwrap_or_default().iter().any(|scp| Some(scp.policy) == policy)
}

/// Whether AWS attaches a policy to a target that is not there yet.
fn gets_full_access(
    organization: &Organization,
    made: &BTreeSet<OwnedTargetId>,
    policy: &PolicyId,
    target: &OwnedTargetId,
) -> bool {
    organization.scp_enabled && policy.as_str() == FULL_ACCESS && made.contains(target)
}

/// The document of a policy as the snapshot has it.
pub(super) fn stored_text<'o>(organization: &'o Organization, id: &str) -> Option<&'o str> {
    let policy = organization.policy(organization.find_policy(id)?)?;
    organization.document(policy.document)?.text()
}

fn suggestion(organization: &Organization, id: &str, kind: &str) -> String {
    let fresh = format!(
        "if the {kind} is newer than the snapshot, take a new one with `ses-perimeter fetch`"
    );
    match organization.suggest(id) {
        Some(near) => format!("did you mean {near}? {fresh}"),
        None => fresh,
    }
}
