//! Attachments, accounts and units of a Terraform plan.

use std::collections::{BTreeMap, BTreeSet};

use organization::{OwnedTargetId, PolicyId};
use text::json::Value;
use text::span::Span;
use text::words::quote;

use super::policies::{PolicyThen, known_policies};
use super::references::{Configuration, Trace};
use super::resource::{ACCOUNT, Action, After, ORGANIZATION, POLICY, Resource, UNIT, missing};
use crate::plan::book::{KnownPolicy, MadeId, PlanBuilder, PlanSource, is_attached};

/// What is asked about every attachment and account.
pub(super) struct PlanReader<'r, 'v, 't> {
    configuration: Configuration<'r, 'v, 't>,
    resources: &'r [Resource<'v, 't>],
    known: BTreeMap<&'v str, bool>,
    /// Ids of units and accounts that are not there yet, by address.
    made: BTreeMap<&'v str, MadeId>,
}

/// A target after apply, by the id in the plan.
enum TargetThen {
    Known(String),
    /// One of these, and why it is not told which.
    OneOf(Vec<String>, String, Span),
    /// Nobody can say, and why.
    Open(String),
}

/// The policy of an attachment after apply.
enum Attached {
    One(PolicyThen),
    /// One of these, why it is not told which, and where the expression stands.
    OneOf(BTreeSet<Option<PolicyId>>, String, Span),
}

impl<'r, 'v, 't> PlanReader<'r, 'v, 't> {
    pub(super) fn new(
        book: &mut PlanBuilder<'_>,
        plan: &'v Value<'t>,
        resources: &'r [Resource<'v, 't>],
    ) -> Self {
        let mut made = BTreeMap::new();
        for resource in resources.iter().filter(|it| it.action.creates()) {
            if resource.is(UNIT) {
                let unit = book.made_up_unit(&resource.address.short());
                made.insert(resource.text, MadeId::Unit(unit));
            } else if resource.is(ACCOUNT) {
                made.insert(resource.text, MadeId::Account(book.made_up_account()));
            }
        }
        Self {
            made,
            configuration: Configuration::new(plan, resources),
            resources,
            known: known_policies(plan, resources),
        }
    }

    /// The configuration of a resource.
    pub(super) fn configuration(&self, resource: &Resource<'v, 't>) -> Option<&'v Value<'t>> {
        self.configuration.of(resource).ok()
    }

    pub(super) fn attachment(
        &self,
        book: &mut PlanBuilder<'_>,
        resource: &Resource<'v, 't>,
        policies: &BTreeMap<&'v str, PolicyThen>,
    ) {
        let by = resource.source();
        // Both ends are fixed when an attachment is made; should that change, this is what it does.
        let ends = ["policy_id", "target_id"];
        let moves = resource.action == Action::Update
            && ends.iter().any(|end| resource.before_text(end) != resource.after_text(end));
        if resource.action.deletes() || moves {
            self.detach(book, resource);
        }
        if matches!(resource.action, Action::Forget | Action::ForgetAndCreate) {
            book.note(format!("{} is forgotten by Terraform, and stays as it is", quote(by.name)));
        }
        if resource.action == Action::Nothing && !resource.deposed {
            note_missing(book, resource);
        }
        if !resource.action.creates() && !moves {
            return;
        }
        let Some(attached) = self.policy_then(book, resource, policies) else { return };
        if matches!(attached, Attached::One(PolicyThen::Other)) {
            let note = "was passed over: it attaches no service control policy";
            return book.note(format!("{} {note}", quote(by.name)));
        }
        let attach = |book: &mut PlanBuilder<'_>, target: OwnedTargetId| match &attached {
            Attached::One(PolicyThen::Scp(policy)) => book.attach(policy.clone(), target, by),
            Attached::One(PolicyThen::Other) => {}
            Attached::OneOf(policies, why, span) => {
                let at = PlanSource { span: *span, ..by };
                book.attach_one_of(target, policies.clone(), why.clone(), at);
            }
        };
        match self.target_then(book, resource, "target_id") {
            Some(TargetThen::Known(target)) => {
                if let Some(target) = book.target(&target, by) {
                    attach(book, target);
                }
            }
            // More than can be: each of them gets it or not.
            Some(TargetThen::OneOf(targets, why, span)) => {
                let at = PlanSource { span, ..by };
                let mut policies = match &attached {
                    Attached::One(PolicyThen::Scp(policy)) => [Some(policy.clone())].into(),
                    Attached::One(PolicyThen::Other) => BTreeSet::new(),
                    Attached::OneOf(policies, ..) => policies.clone(),
                };
                policies.insert(None);
                for target in targets {
                    if let Some(target) = book.target(&target, by) {
                        book.attach_one_of(target, policies.clone(), why.clone(), at);
                    }
                }
            }
            Some(TargetThen::Open(why)) => book.unknown_below(book.everywhere(), by, why),
            None => {}
        }
    }

    fn detach(&self, book: &mut PlanBuilder<'_>, resource: &Resource<'v, 't>) {
        let by = resource.source();
        let policy = resource.before_text("policy_id");
        let target = resource.before_text("target_id");
        let (Some(policy), Some(target)) = (policy, target) else {
            let name = if policy.is_none() { "policy_id" } else { "target_id" };
            return book.problems.push(|| missing(resource, name));
        };
        if resource.skips_destroy() {
            return book
                .note(format!("{} has `skip_destroy`: the policy stays attached", quote(by.name)));
        }
        let known = match self.known.get(policy) {
            Some(false) => Some(KnownPolicy::Other),
            Some(true) | None => book.policy(policy, by),
        };
        match known {
            Some(KnownPolicy::Scp(policy)) => {
                if let Some(target) = book.target(target, by) {
                    book.detach(policy, target, by);
                }
            }
            Some(KnownPolicy::Other) => book.note(format!(
                "{} was passed over: it detaches no service control policy",
                quote(by.name)
            )),
            None => {}
        }
    }

    /// The policy of an attachment after apply.
    fn policy_then(
        &self,
        book: &mut PlanBuilder<'_>,
        resource: &Resource<'v, 't>,
        policies: &BTreeMap<&'v str, PolicyThen>,
    ) -> Option<Attached> {
        match resource.after("policy_id") {
            After::Known(value) => {
                let Some(id) = value.as_str() else {
                    book.problems.push(|| missing(resource, "policy_id"));
                    return None;
                };
                if self.known.get(id) == Some(&false) {
                    return Some(Attached::One(PolicyThen::Other));
                }
                Some(Attached::One(match book.policy(id, resource.source())? {
                    KnownPolicy::Scp(id) => PolicyThen::Scp(id),
                    KnownPolicy::Other => PolicyThen::Other,
                }))
            }
            After::Missing => {
                book.problems.push(|| missing(resource, "policy_id"));
                None
            }
            After::Unknown => Some(self.one_of(book, resource, policies)),
        }
    }

    /// A target or parent after apply; nothing where it is not set or refused.
    fn target_then(
        &self,
        book: &mut PlanBuilder<'_>,
        resource: &Resource<'v, 't>,
        attribute: &str,
    ) -> Option<TargetThen> {
        match resource.after(attribute) {
            After::Known(value) => {
                let target = value.as_str().map(|id| TargetThen::Known(id.to_owned()));
                if target.is_none() {
                    book.problems.push(|| missing(resource, attribute));
                }
                target
            }
            After::Missing => {
                if attribute == "target_id" {
                    book.problems.push(|| missing(resource, attribute));
                }
                None
            }
            After::Unknown => {
                let trace = self.configuration.trace(resource, attribute, is_target);
                if trace.elsewhere.is_some() {
                    return Some(TargetThen::Open(open(resource, attribute, &trace, &[])));
                }
                let found = trace.candidates.iter().filter_map(|at| self.resources.get(*at));
                let found: Vec<&Resource<'v, 't>> = found.collect();
                let names: Vec<&str> = found.iter().map(|leaf| leaf.text).collect();
                let id = |leaf: &&Resource<'v, 't>| {
                    if leaf.is(ORGANIZATION) {
                        // An organization has one root, which the snapshot knows.
                        return Some(book.root());
                    }
                    let there = || leaf.before_text("id").map(str::to_owned);
                    self.made.get(leaf.text).map(|id| id.target().to_string()).or_else(there)
                };
                let there: Vec<String> = found.iter().filter_map(id).collect();
                let why = open(resource, attribute, &trace, &names);
                match there.as_slice() {
                    [only] if found.len() == 1 => return Some(TargetThen::Known(only.clone())),
                    all if all.len() == found.len() => {}
                    _ => return Some(TargetThen::Open(why)),
                }
                Some(TargetThen::OneOf(there, why, trace.span.unwrap_or(resource.span)))
            }
        }
    }

    /// What the `policy_id` may be that is known only after apply.
    fn one_of(
        &self,
        book: &PlanBuilder<'_>,
        resource: &Resource<'v, 't>,
        policies: &BTreeMap<&'v str, PolicyThen>,
    ) -> Attached {
        let trace = self.configuration.trace(resource, "policy_id", |it| it.is(POLICY));
        let found = trace.candidates.iter().filter_map(|at| self.resources.get(*at));
        let mut names: Vec<&str> = found.map(|leaf| leaf.text).collect();
        let mut possible: Vec<Option<PolicyThen>> =
            names.iter().map(|name| policies.get(name).cloned()).collect();
        if trace.elsewhere.is_none()
            && let [Some(only)] = possible.as_slice()
        {
            return Attached::One(only.clone());
        }
        if trace.elsewhere.is_some() {
            names.clear();
            possible = policies.values().cloned().map(Some).collect();
            possible.extend(book.all_scps().into_iter().map(|id| Some(PolicyThen::Scp(id))));
            possible.push(Some(PolicyThen::Other));
        }
        let ids = possible.into_iter().flatten().map(|policy| match policy {
            PolicyThen::Scp(id) => Some(id),
            PolicyThen::Other => None,
        });
        let span = trace.span.unwrap_or(resource.span);
        Attached::OneOf(ids.collect(), open(resource, "policy_id", &trace, &names), span)
    }

    pub(super) fn account(&self, book: &mut PlanBuilder<'_>, resource: &Resource<'v, 't>) {
        let by = resource.source();
        let name = quote(by.name);
        if resource.action.deletes() {
            if let Some(id) = resource.before_text("id") {
                book.remove_target(id);
            }
            book.note(format!(
                "{name} removes an account from Terraform; it is judged as if it stayed"
            ));
        }
        if let Some(id) = self.made.get(resource.text) {
            return self.create(book, resource, id);
        }
        if resource.action != Action::Update {
            return;
        }
        let Some(account) = resource.before_text("id") else {
            return book.problems.push(|| missing(resource, "id"));
        };
        let was = resource.before_text("parent_id");
        if was.is_some() && was == resource.after_text("parent_id") {
            return;
        }
        match self.target_then(book, resource, "parent_id") {
            Some(TargetThen::Known(parent)) => book.move_account(account, &parent, by),
            Some(TargetThen::Open(why) | TargetThen::OneOf(_, why, _)) => match account.parse() {
                Ok(account) => book.unknown_below(OwnedTargetId::Account(account), by, why),
                Err(_) => book.move_account(account, &book.root(), by),
            },
            None => {}
        }
    }

    pub(super) fn unit(&self, book: &mut PlanBuilder<'_>, resource: &Resource<'v, 't>) {
        if resource.action.deletes() {
            if let Some(id) = resource.before_text("id") {
                book.remove_target(id);
            }
            let name = quote(resource.text);
            book.note(format!("{name} deletes a unit; AWS does so only when it is empty"));
        }
        if let Some(id) = self.made.get(resource.text) {
            self.create(book, resource, id);
        }
    }

    /// Puts a unit or account that is not there yet where the plan says; where it does not say,
    /// everything about it is open.
    fn create(&self, book: &mut PlanBuilder<'_>, resource: &Resource<'v, 't>, id: &MadeId) {
        let by = resource.source();
        let account = matches!(id, MadeId::Account(_));
        let name = match resource.after("name") {
            After::Known(name) if !book.secrets.touches(name) => name.as_str().unwrap_or(by.name),
            After::Known(_) | After::Unknown | After::Missing => by.name,
        };
        let written = self.configuration(resource).and_then(|it| it.get("expressions"));
        let written = written.is_none_or(|it| it.get("parent_id").is_some());
        let then = match resource.after("parent_id") {
            // AWS puts a new account into the root.
            After::Unknown if account && !written => None,
            After::Unknown | After::Known(_) | After::Missing => {
                self.target_then(book, resource, "parent_id")
            }
        };
        let parent = match then {
            Some(TargetThen::Known(parent)) => parent,
            Some(TargetThen::Open(why) | TargetThen::OneOf(_, why, _)) => {
                book.unknown_below(id.target(), by, why);
                book.root()
            }
            None if account => book.root(),
            None => return book.problems.push(|| missing(resource, "parent_id")),
        };
        match id {
            MadeId::Account(id) => book.create_account(*id, name, &parent, by),
            MadeId::Unit(id) => book.create_unit(id.clone(), name, &parent, by),
        }
    }
}

/// An attachment that Terraform leaves alone, and the snapshot does not have.
fn note_missing(book: &mut PlanBuilder<'_>, resource: &Resource<'_, '_>) {
    let policy = resource.before_text("policy_id");
    let target = resource.before_text("target_id");
    let (Some(policy), Some(target)) = (policy, target) else { return };
    let organization = book.organization;
    let stored = organization.find_policy(policy).and_then(|index| organization.policy(index));
    let is_scp = stored.is_some_and(organization::StoredPolicy::is_scp);
    if is_scp && !is_attached(organization, policy, target) {
        book.note(format!(
            "{} leaves {} on {}, where the snapshot does not have it: take a new snapshot",
            quote(resource.text),
            quote(policy),
            quote(target)
        ));
    }
}

fn is_target(resource: &Resource<'_, '_>) -> bool {
    resource.is(UNIT) || resource.is(ACCOUNT) || resource.is(ORGANIZATION)
}

/// What a sentence names of several before it counts the rest.
const NAMED: usize = 4;

/// Why an attribute is open: its expression, and what it may be.
fn open(resource: &Resource<'_, '_>, attribute: &str, trace: &Trace, names: &[&str]) -> String {
    let shown = |texts: &[&str]| {
        let mut shown: Vec<String> = texts.iter().take(NAMED).map(|text| quote(text)).collect();
        if texts.len() > NAMED {
            shown.push(format!("{} more", texts.len() - NAMED));
        }
        shown
    };
    let expression: Vec<&str> = trace.expression.iter().map(String::as_str).collect();
    let mut text = format!("`{attribute}` of {} is known only after apply", quote(resource.text));
    if !expression.is_empty() {
        let expression = shown(&expression).join(", ");
        text.push_str(&format!(
            ", and of its expression the plan tells only what it refers to: {expression}"
        ));
    }
    match &trace.elsewhere {
        Some(why) => text.push_str(&format!("; it may be anything, as {why}")),
        None => text.push_str(&format!("; it may be {}", shown(names).join(" or "))),
    }
    text
}
