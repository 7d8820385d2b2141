//! Policies of a Terraform plan.

use std::collections::BTreeMap;

use organization::PolicyId;
use text::diagnostic::Diagnostic;
use text::json::Value;
use text::words::quote;

use super::resource::{Action, After, POLICY, Resource, SCP, missing};
use crate::plan::book::{KnownPolicy, PlanBuilder, stored_text};
use crate::plan::fields::same_document;

/// What a policy resource is once the plan is done.
#[derive(Debug, Clone)]
pub(super) enum PolicyThen {
    /// An SCP with this id, which may be made up.
    Scp(PolicyId),
    /// A policy of another type.
    Other,
}

/// The ids of policies that the plan tells the type of, and whether they are SCPs.
pub(super) fn known_policies<'v>(
    plan: &'v Value<'_>,
    resources: &[Resource<'v, '_>],
) -> BTreeMap<&'v str, bool> {
    let mut found = BTreeMap::new();
    for resource in resources.iter().filter(|resource| resource.is(POLICY)) {
        if let Some(id) = resource.before_text("id") {
            found.insert(id, resource.before_text("type").is_none_or(|kind| kind == SCP));
        }
    }
    // What was there before the plan, data sources included.
    let root = plan.get("prior_state").and_then(|state| state.get("values"));
    let mut open: Vec<_> = root.and_then(|values| values.get("root_module")).into_iter().collect();
    while let Some(module) = open.pop() {
        open.extend(module.get("child_modules").map(Value::elements).unwrap_or_default());
        for resource in module.get("resources").map(Value::elements).unwrap_or_default() {
            let Some(values) = resource.get("values") else { continue };
            let id = values.get_str("policy_id").or_else(|| values.get_str("id"));
            if resource.get_str("type") == Some(POLICY)
                && let (Some(id), Some(kind)) = (id, values.get_str("type"))
            {
                found.insert(id, kind == SCP);
            }
        }
    }
    found
}

/// Notes what becomes of a policy.
pub(super) fn policy(
    book: &mut PlanBuilder<'_>,
    resource: &Resource<'_, '_>,
) -> Option<PolicyThen> {
    let by = resource.source();
    let action = resource.action;
    let was_scp = resource.before_text("type").is_none_or(|kind| kind == SCP);
    if action.deletes() {
        delete_policy(book, resource, was_scp);
    }
    if matches!(action, Action::Forget | Action::ForgetAndCreate) {
        book.note(format!("{} is forgotten by Terraform, and stays as it is", quote(by.name)));
    }
    if action.creates() {
        return create_policy(book, resource);
    }
    let Some(id) = resource.before_text("id") else {
        if action == Action::Update {
            book.problems.push(|| missing(resource, "id"));
        }
        return None;
    };
    if !was_scp {
        if action == Action::Update {
            note_other_type(book, by.name, resource.before_text("type").unwrap_or_default());
        }
        return Some(PolicyThen::Other);
    }
    match action {
        Action::Update => update_policy(book, resource, id),
        Action::Nothing => note_drift(book, resource, id),
        Action::Create
        | Action::Delete
        | Action::Replace
        | Action::Forget
        | Action::ForgetAndCreate => {}
    }
    match id.parse() {
        Ok(id) => Some(PolicyThen::Scp(id)),
        // The snapshot has no such policy.
        Err(_) => {
            book.policy(id, by);
            None
        }
    }
}

fn delete_policy(book: &mut PlanBuilder<'_>, resource: &Resource<'_, '_>, was_scp: bool) {
    let by = resource.source();
    if !was_scp {
        return note_other_type(book, by.name, resource.before_text("type").unwrap_or_default());
    }
    if resource.skips_destroy() {
        return book
            .note(format!("{} has `skip_destroy`: its policy stays as it is", quote(by.name)));
    }
    let Some(id) = resource.before_text("id") else {
        return book.problems.push(|| missing(resource, "id"));
    };
    if let Some(KnownPolicy::Scp(id)) = book.policy(id, by) {
        book.delete(id, by);
    }
}

fn create_policy(book: &mut PlanBuilder<'_>, resource: &Resource<'_, '_>) -> Option<PolicyThen> {
    let by = resource.source();
    match resource.after("type") {
        // It may be a service control policy, and nobody knows what it says of itself.
        After::Unknown => {
            let id = book.made_up_id(&resource.address.short());
            book.unknown_document(id.clone(), by, unknown_until(resource, "type"));
            book.create(id.clone(), by.name, String::new(), by);
            return Some(PolicyThen::Scp(id));
        }
        After::Known(kind) if kind.as_str() != Some(SCP) => {
            note_other_type(book, by.name, kind.as_str().unwrap_or_default());
            return Some(PolicyThen::Other);
        }
        After::Known(_) | After::Missing => {}
    }
    let id = book.made_up_id(&resource.address.short());
    let name = match resource.after("name") {
        After::Known(name) if book.secrets.touches(name) => by.name,
        After::Known(name) => name.as_str().unwrap_or(by.name),
        After::Unknown | After::Missing => {
            book.note(format!(
                "the name of {} is known only after apply; it goes by its address here",
                quote(by.name)
            ));
            by.name
        }
    };
    if let Some(content) = content(book, resource, Some(&id)) {
        book.create(id.clone(), name, content.to_owned(), by);
    }
    Some(PolicyThen::Scp(id))
}

fn update_policy(book: &mut PlanBuilder<'_>, resource: &Resource<'_, '_>, id: &str) {
    let by = resource.source();
    // The type is fixed when a policy is made; should that change, nothing here fits.
    if matches!(resource.after("type"), After::Known(kind) if kind.as_str() != Some(SCP)) {
        return book.problems.push(|| unknown(resource, "type"));
    }
    let Some(content) = content(book, resource, id.parse().ok().as_ref()) else { return };
    let Some(KnownPolicy::Scp(known)) = book.policy(id, by) else { return };
    let before = resource.before_text("content");
    if before.is_some_and(|before| same_document(before, content)) {
        return note_drift(book, resource, id);
    }
    book.replace(known, content.to_owned(), by);
}

/// The document of a policy after apply; where it is open, an empty one that counts as unread.
fn content<'v>(
    book: &mut PlanBuilder<'_>,
    resource: &Resource<'v, '_>,
    id: Option<&PolicyId>,
) -> Option<&'v str> {
    match resource.after("content") {
        // Verdicts, requests and causes show what a document says.
        After::Known(value) if book.secrets.touches(value) => {
            book.problems.push(|| {
                let message = format!(
                    "the document of {} is marked as sensitive, and its verdicts would show it",
                    quote(resource.text)
                );
                Diagnostic::error_at(resource.span, message).here("nothing is said about this policy").help(
                    "service control policies are no secrets: every account can read them; make the \
                     document with `nonsensitive(...)`, or without the sensitive value",
                )
            });
            None
        }
        After::Known(value) => {
            let content = value.as_str();
            if content.is_none() {
                book.problems.push(|| missing(resource, "content"));
            }
            content
        }
        After::Unknown => {
            if let Some(id) = id {
                let why = unknown_until(resource, "content");
                book.unknown_document(id.clone(), resource.source(), why);
            }
            Some("")
        }
        After::Missing => {
            book.problems.push(|| missing(resource, "content"));
            None
        }
    }
}

/// A plan starts from what Terraform read; a snapshot that differs is of another moment.
fn note_drift(book: &mut PlanBuilder<'_>, resource: &Resource<'_, '_>, id: &str) {
    let before = resource.before_text("content");
    let stored = stored_text(book.organization, id);
    if let (Some(before), Some(stored)) = (before, stored)
        && !same_document(before, stored)
    {
        book.note(format!(
            "{} leaves the document of {} as Terraform read it, and the snapshot has another one: \
             take a new snapshot",
            quote(resource.text),
            quote(id)
        ));
    }
}

fn note_other_type(book: &mut PlanBuilder<'_>, name: &str, kind: &str) {
    book.note(format!(
        "{} was passed over: it is no service control policy but {}",
        quote(name),
        quote(kind)
    ));
}

fn unknown_until(resource: &Resource<'_, '_>, attribute: &str) -> String {
    format!("`{attribute}` of {} is known only after apply", quote(resource.text))
}

fn unknown(resource: &Resource<'_, '_>, attribute: &str) -> Diagnostic {
    let message = format!("`{attribute}` of {} is known only after apply", quote(resource.text));
    Diagnostic::error_at(resource.span, message).here("nothing can be said about this policy").help(
        "apply what it is made from first (`terraform apply -target=...`) and plan again, or \
             write it so that it does not depend on new resources",
    )
}
