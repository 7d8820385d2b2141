//! A Terraform plan in JSON.
//!
//! `resource_changes` lists every resource with what is done to it, modules and instances laid
//! out flat. A value that is known only after apply is missing from `after` and marked in
//! `after_unknown`; [`references`] finds out which resource it comes from.

use std::collections::BTreeMap;

use text::diagnostic::{Diagnostic, label_span, short};
use text::json::Value;
use text::span::Span;
use text::words::quote;

use self::address::Address;
use self::attachments::Reader;
use super::book::{Book, Source};

mod address;
mod attachments;
mod others;
mod policies;
mod references;

const POLICY: &str = "aws_organizations_policy";
const ATTACHMENT: &str = "aws_organizations_policy_attachment";
const ACCOUNT: &str = "aws_organizations_account";
const UNIT: &str = "aws_organizations_organizational_unit";
const ORGANIZATION: &str = "aws_organizations_organization";

const SCP: &str = "SERVICE_CONTROL_POLICY";

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Nothing, or it is read.
    Nothing,
    Create,
    Update,
    Delete,
    /// Deleted and created, in either order.
    Replace,
    /// It stays, and Terraform no longer knows of it.
    Forget,
    /// The old one stays and is forgotten, and another is created.
    ForgetAndCreate,
}

impl Action {
    const fn creates(self) -> bool {
        match self {
            Self::Create | Self::Replace | Self::ForgetAndCreate => true,
            Self::Nothing | Self::Update | Self::Delete | Self::Forget => false,
        }
    }

    const fn deletes(self) -> bool {
        match self {
            Self::Delete | Self::Replace => true,
            Self::Nothing | Self::Create | Self::Update | Self::Forget | Self::ForgetAndCreate => {
                false
            }
        }
    }
}

/// One resource of a plan.
#[derive(Debug)]
struct Resource<'v, 't> {
    text: &'v str,
    address: Address,
    action: Action,
    /// An object that was left over when its successor had been created.
    deposed: bool,
    change: &'v Value<'t>,
    span: Span,
}

/// An attribute of a resource after apply.
enum After<'v, 't> {
    Known(&'v Value<'t>),
    /// Known only after apply.
    Unknown,
    /// Not set.
    Missing,
}

impl<'v, 't> Resource<'v, 't> {
    const fn source(&self) -> Source<'v> {
        Source { name: self.text, span: self.span }
    }

    fn is(&self, kind: &str) -> bool {
        self.address.kind == kind && !self.address.data
    }

    fn before(&self, name: &str) -> Option<&'v Value<'t>> {
        self.change.get("before")?.get_set(name)
    }

    fn before_text(&self, name: &str) -> Option<&'v str> {
        self.before(name)?.as_str()
    }

    fn after(&self, name: &str) -> After<'v, 't> {
        let unknown = self.change.get("after_unknown");
        if unknown.is_some_and(Value::is_true)
            || unknown.and_then(|unknown| unknown.get(name)).is_some_and(anything_unknown)
        {
            return After::Unknown;
        }
        let known = self.change.get("after").and_then(|after| after.get_set(name));
        known.map_or(After::Missing, After::Known)
    }

    fn after_text(&self, name: &str) -> Option<&'v str> {
        match self.after(name) {
            After::Known(value) => value.as_str(),
            After::Unknown | After::Missing => None,
        }
    }

    /// Whether destroying it leaves what it stands for as it is.
    fn skips_destroy(&self) -> bool {
        self.before("skip_destroy").is_some_and(Value::is_true)
    }
}

/// `after_unknown` mirrors the shape of the attribute, with `true` where something is open.
fn anything_unknown(value: &Value<'_>) -> bool {
    value.is_true()
        || value.elements().iter().any(anything_unknown)
        || value.entries().any(|(_, value)| anything_unknown(value))
}

/// Reads a plan.
pub(super) fn read(book: &mut Book<'_>, plan: &Value<'_>) {
    if !check_head(book, plan) {
        return;
    }
    let resources = resources(book, plan);
    if book.problems.total() > 0 {
        return;
    }
    let reader = Reader::new(book, plan, &resources);
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
fn check_head(book: &mut Book<'_>, plan: &Value<'_>) -> bool {
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

fn resources<'v, 't>(book: &mut Book<'_>, plan: &'v Value<'t>) -> Vec<Resource<'v, 't>> {
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

fn missing(resource: &Resource<'_, '_>, attribute: &str) -> Diagnostic {
    Diagnostic::error_at(resource.span, format!("{} has no `{attribute}`", quote(resource.text)))
        .here("this resource")
        .help("give the plan as `terraform show -json` prints it")
}
