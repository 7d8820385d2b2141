//! A Terraform plan in JSON.
//!
//! `resource_changes` lists every resource with what is done to it, modules and instances laid
//! out flat. A value that is known only after apply is missing from `after` and marked in
//! `after_unknown`; [`references`] finds out which resource it comes from.

use std::collections::BTreeMap;

use text::diagnostic::{Diagnostic, label_span, short};
use text::json::Value;
use text::words::quote;

use self::address::Address;
use self::attachments::PlanReader;
use self::resource::{ACCOUNT, ATTACHMENT, Action, POLICY, Resource, UNIT};
use super::book::PlanBuilder;

mod address;
mod attachments;
mod others;
mod policies;
mod references;
mod resource;

/// Reads a plan.
pub(super) fn read(book: &mut PlanBuilder<'_>, plan: &Value<'_>) {
    if !check_head(book, plan) {
        return;
    }
    let resources = resources(book, plan);
    if book.problems.total() > 0 {
        return;
    }
    let reader = PlanReader::new(book, plan, &resources);
    let mut policies = BTreeMap::new();
    for resource in resources.iter().filter(|resource| resource.is(POLICY)) {
        let then = policies::policy(book, resource);
        // What is left over from before says nothing about what comes after.
        if let Some(then) = then.filter(|_| !resource.deposed) {
            policies.insert(resource.text, then);
        }
    }
    for resource in &resources {
        if resource.is(ATTACHMENT) {
            reader.attachment(book, resource, &policies);
        } else if resource.is(ACCOUNT) {
            reader.account(book, resource);
        } else if resource.is(UNIT) {
            reader.unit(book, resource);
        } else if !resource.is(POLICY) {
            others::read(book, resource, reader.configuration(resource));
        }
    }
}

/// Whether this is a whole plan of a format that is known.
fn check_head(book: &mut PlanBuilder<'_>, plan: &Value<'_>) -> bool {
    let version = plan.get("format_version");
    let major = version.and_then(Value::as_str).and_then(|version| version.split('.').next());
    if !matches!(major, Some("0" | "1")) {
        let at = version.map_or(plan.span, |version| version.span);
        book.problems.push(|| {
            Diagnostic::error_at(short(at), "unknown version of Terraform's format")
                .here("expected a text such as \"1.2\"")
                .help(format!(
                    "print the plan with Terraform 1 or OpenTofu 1, {}",
                    super::kind::PRINTED
                ))
        });
        return false;
    }
    if let Some(errored) = plan.get("errored").filter(|errored| errored.is_true()) {
        book.problems.push(|| {
            Diagnostic::error_at(errored.span, "Terraform failed while it made this plan")
                .here("what comes after the failure is missing")
                .help("mend what `terraform plan` reports, and plan again")
        });
        return false;
    }
    let planned = plan.get("planned_values").and_then(|values| values.get("root_module"));
    let planned = planned.is_some_and(|module| module.entries().next().is_some());
    if planned && plan.get("resource_changes").is_none() {
        book.problems.push(|| {
            Diagnostic::error_at(label_span(plan), "the plan has no `resource_changes`")
                .here("this plan")
                .help("give the plan as `terraform show -json` prints it")
        });
        return false;
    }
    if plan.get("complete").is_some_and(|complete| !complete.is_true()) {
        book.note(
            "the plan is not complete, as one with `-target` is: what it leaves out is judged as \
             the snapshot has it",
        );
    }
    for deferred in plan.get("deferred_changes").map(Value::elements).unwrap_or_default() {
        let address = deferred.get("resource_change").and_then(|it| it.get_str("address"));
        let address = address.unwrap_or("?");
        let concerned =
            Address::parse(address).is_none_or(|it| !it.data && others::matters(&it.kind));
        if concerned {
            book.problems.push(|| {
                let message = format!("the change of {} is deferred", quote(address));
                Diagnostic::error_at(label_span(deferred), message)
                    .here("what it will be is not known yet")
                    .help("apply what the plan has, and plan again")
            });
        }
    }
    true
}

fn resources<'v, 't>(book: &mut PlanBuilder<'_>, plan: &'v Value<'t>) -> Vec<Resource<'v, 't>> {
    let mut found = Vec::new();
    for value in plan.get("resource_changes").map(Value::elements).unwrap_or_default() {
        match resource(value) {
            Ok(resource) => found.push(resource),
            Err(problem) => book.problems.push(|| problem),
        }
    }
    found
}

fn resource<'v, 't>(value: &'v Value<'t>) -> Result<Resource<'v, 't>, Diagnostic> {
    let shape = |message: String| {
        Diagnostic::error_at(label_span(value), message)
            .here("in this resource change")
            .help("give the plan as `terraform show -json` prints it")
    };
    let address_value = value.get("address");
    let name = address_value.and_then(Value::as_str);
    let (Some(name), Some(change)) = (name, value.get("change")) else {
        return Err(shape("a resource change has no `address` or no `change`".to_owned()));
    };
    let address = Address::parse(name)
        .ok_or_else(|| shape(format!("{} is no address of a resource", quote(name))))?;
    let mut actions: Vec<&str> = change
        .get("actions")
        .map(Value::elements)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    actions.sort_unstable();
    let action = match actions.as_slice() {
        ["no-op" | "read"] => Action::Nothing,
        ["create"] => Action::Create,
        ["update"] => Action::Update,
        ["delete"] => Action::Delete,
        ["create", "delete"] => Action::Replace,
        ["forget"] => Action::Forget,
        ["create", "forget"] => Action::ForgetAndCreate,
        _ => return Err(shape(format!("what is done to {} is unknown", quote(name)))),
    };
    let span = address_value.map_or(value.span, |address| address.span);
    let deposed = value.get_set("deposed").is_some();
    Ok(Resource { text: name, address, action, deposed, change, span: short(span) })
}
