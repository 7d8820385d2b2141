//! Attachments, accounts and units of a Terraform plan.

use std::collections::BTreeMap;

use policy::json::Value;
use policy::words::quote;

use super::policies::{PolicyThen, known_policies};
use super::references::{Configuration, Leaf};
use super::{ACCOUNT, Action, After, ORGANIZATION, POLICY, Resource, UNIT, missing};
use crate::plan::book::{Book, Known, is_attached};
use crate::plan::error::PlanProblem;
use crate::plan::fields::text;

/// What is asked about every attachment and account.
pub(super) struct Reader<'r, 'v, 't> {
    configuration: Configuration<'r, 'v, 't>,
    resources: &'r [Resource<'v, 't>],
    known: BTreeMap<&'v str, bool>,
}

/// A target after apply.
enum TargetThen<'v> {
    Known(&'v str),
    Root,
    /// A unit or account that the plan creates.
    New,
}

impl<'r, 'v, 't> Reader<'r, 'v, 't> {
    pub(super) fn new(plan: &'v Value<'t>, resources: &'r [Resource<'v, 't>]) -> Self {
        Self {
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
        book: &mut Book<'_>,
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
        let Some(policy) = self.policy_then(book, resource, policies) else { return };
        let policy = match policy {
            PolicyThen::Scp(id) => id,
            PolicyThen::Other => {
                let note = "was passed over: it attaches no service control policy";
                return book.note(format!("{} {note}", quote(by.name)));
            }
        };
        let root = book.organization.root().id.clone();
        match self.target_then(book, resource, "target_id") {
            Some(TargetThen::Known(target)) if book.target(target, by) => {
                book.attach(&policy, target, by);
            }
            Some(TargetThen::Root) => book.attach(&policy, root.as_str(), by),
            Some(TargetThen::New) => book.note(format!(
                "{} was passed over: its target is created by this plan and has no accounts to \
                 judge yet",
                quote(by.name)
            )),
            Some(TargetThen::Known(_)) | None => {}
        }
    }

    fn detach(&self, book: &mut Book<'_>, resource: &Resource<'v, 't>) {
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
            Some(false) => Some(Known::Other),
            Some(true) | None => book.policy(policy, by),
        };
        match known {
            Some(Known::Scp) if book.target(target, by) => book.detach(policy, target, by),
            Some(Known::Other) => book.note(format!(
                "{} was passed over: it detaches no service control policy",
                quote(by.name)
            )),
            Some(Known::Scp) | None => {}
        }
    }

    /// The policy of an attachment after apply.
    fn policy_then(
        &self,
        book: &mut Book<'_>,
        resource: &Resource<'v, 't>,
        policies: &BTreeMap<&'v str, PolicyThen>,
    ) -> Option<PolicyThen> {
        match resource.after("policy_id") {
            After::Known(value) => {
                let Some(id) = text(value) else {
                    book.problems.push(|| missing(resource, "policy_id"));
                    return None;
                };
                if self.known.get(id) == Some(&false) {
                    return Some(PolicyThen::Other);
                }
                Some(match book.policy(id, resource.source())? {
                    Known::Scp => PolicyThen::Scp(id.to_owned()),
                    Known::Other => PolicyThen::Other,
                })
            }
            After::Missing => {
                book.problems.push(|| missing(resource, "policy_id"));
                None
            }
            After::Unknown => {
                let leaf = self.follow(book, resource, "policy_id", POLICY)?;
                // Where the policy itself is refused, that has been said.
                policies.get(leaf.text).cloned()
            }
        }
    }

    /// A target or parent after apply; nothing where it is not set or refused.
    fn target_then(
        &self,
        book: &mut Book<'_>,
        resource: &Resource<'v, 't>,
        attribute: &str,
    ) -> Option<TargetThen<'v>> {
        match resource.after(attribute) {
            After::Known(value) => {
                let target = text(value).map(TargetThen::Known);
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
                let leaf = self.follow(book, resource, attribute, "unit or account")?;
                if leaf.is(ORGANIZATION) {
                    return Some(TargetThen::Root);
                }
                Some(TargetThen::New)
            }
        }
    }

    /// The resource that a value comes from which is known only after apply.
    fn follow(
        &self,
        book: &mut Book<'_>,
        resource: &Resource<'v, 't>,
        attribute: &str,
        wanted: &str,
    ) -> Option<&Resource<'v, 't>> {
        let found = self.configuration.follow(resource, attribute).and_then(|leaf| {
            let Leaf { resource: at, attribute } = leaf;
            let leaf = self.resources.get(at).ok_or_else(|| "it leads nowhere".to_owned())?;
            let attribute = attribute.as_deref();
            let fits = if wanted == POLICY {
                leaf.is(POLICY) && matches!(attribute, None | Some("id"))
            } else if leaf.is(ORGANIZATION) {
                // An organization has one root, which the snapshot knows.
                attribute == Some("roots") && leaf.action == Action::Update
            } else {
                (leaf.is(UNIT) || leaf.is(ACCOUNT)) && matches!(attribute, None | Some("id"))
            };
            if fits {
                Ok(leaf)
            } else {
                Err(format!("it comes from {}, which is no id of a {wanted}", quote(leaf.text)))
            }
        });
        match found {
            Ok(leaf) => Some(leaf),
            Err(why) => {
                book.problems.push(|| {
                    let message = format!(
                        "`{attribute}` of {} is known only after apply, and the plan does not say \
                         what it refers to: {why}",
                        quote(resource.text)
                    );
                    PlanProblem::at(resource.span, message)
                        .here("what this attaches, or where, is open")
                        .help(
                            "refer to the resource directly (`aws_organizations_policy.NAME.id`), \
                             or apply what it refers to first (`terraform apply -target=...`) and \
                             plan again",
                        )
                });
                None
            }
        }
    }

    pub(super) fn account(&self, book: &mut Book<'_>, resource: &Resource<'v, 't>) {
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
        if resource.action.creates() {
            return book.note(format!(
                "{name} creates an account, which is not judged: take a snapshot once it is there"
            ));
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
        let root = book.organization.root().id.clone();
        match self.target_then(book, resource, "parent_id") {
            Some(TargetThen::Known(parent)) => book.move_account(account, parent, by),
            Some(TargetThen::Root) => book.move_account(account, root.as_str(), by),
            Some(TargetThen::New) => book.problems.push(|| {
                PlanProblem::at(by.span, format!("{name} moves into a unit that is not there yet"))
                    .here("which policies it will be under cannot be told")
                    .help("apply the unit and its attachments first, and take a new snapshot")
            }),
            None => {}
        }
    }
}

/// An attachment that Terraform leaves alone, and the snapshot does not have.
fn note_missing(book: &mut Book<'_>, resource: &Resource<'_, '_>) {
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

pub(super) fn unit(book: &mut Book<'_>, resource: &Resource<'_, '_>) {
    let name = quote(resource.text);
    if resource.action.deletes() {
        if let Some(id) = resource.before_text("id") {
            book.remove_target(id);
        }
        book.note(format!("{name} deletes a unit; AWS does so only when it is empty"));
    }
    if resource.action.creates() {
        book.note(format!("{name} creates a unit; it has no accounts to judge yet"));
    }
}
