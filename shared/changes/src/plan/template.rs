//! A CloudFormation template, which describes a whole stack.
//!
//! It does not name the policies by id. They are found by name in the snapshot, and what is there
//! is made equal to what the template says.

use organization::PolicyId;
use text::diagnostic::{Diagnostic, label_span, short};
use text::json::{Kind, Member, Value};
use text::span::Span;
use text::words::quote;

use self::resolve::{Resolved, Resolver};
use self::resource::{ACCOUNT, ORGANIZATION, POLICY, Resource, SCP, UNIT, property};
use super::book::PlanBuilder;
use super::parameters::{self, Parameters};
use super::unresolved::Unresolved;

pub(super) mod resolve;
pub(super) mod resource;
mod targets;

const PROCESSED: &str = "give the template as CloudFormation has it after its transforms (`aws \
                         cloudformation get-template --template-stage Processed`), or a change set";

/// Reads a template; `doubtful` are the places of scalars that may mean something else.
pub(super) fn read(
    book: &mut PlanBuilder<'_>,
    template: &Value<'_>,
    doubtful: &[Span],
    given: &Parameters,
) {
    refuse_macros(book, template);
    parameters::check(&mut book.problems, template, doubtful, given);
    let resources = resources(book, template);
    if book.problems.total() > 0 {
        return;
    }
    let organization = book.organization;
    let mut resolver = Resolver::new(template, doubtful, given, organization);
    let mut present = Vec::new();
    for resource in &resources {
        match is_present(&mut resolver, resource) {
            Ok(true) => present.push(resource),
            Ok(false) => absent(book, &mut resolver, resource),
            Err(problem) => book.problems.push(|| problem.about(resource.name)),
        }
    }
    // Before any reference to a policy is resolved, all of them have their ids.
    let mut policies = Vec::new();
    for resource in present.iter().filter(|resource| resource.kind == POLICY) {
        if let Some(policy) = identify(book, &mut resolver, resource) {
            policies.push((resource, policy));
        }
    }
    targets::find(book, &mut resolver, &present);
    for (resource, policy) in policies {
        read_policy(book, &mut resolver, resource, &policy);
    }
    for resource in &present {
        match resource.kind {
            POLICY | UNIT => {}
            ACCOUNT => targets::read_account(book, &mut resolver, resource),
            ORGANIZATION => book.note(format!(
                "{} was passed over: whether service control policies are in force is taken from \
                 the snapshot",
                quote(resource.name)
            )),
            kind => read_other(book, resource, kind),
        }
    }
    for note in resolver.into_notes() {
        book.note(note);
    }
    book.note(
        "a template does not say which policies an earlier version of the stack had: those that \
         it no longer lists are judged as if they stayed; a change set names them",
    );
}

/// Macros may add or change resources.
fn refuse_macros(book: &mut PlanBuilder<'_>, template: &Value<'_>) {
    for (key, value) in template.entries().filter(|(key, _)| key.starts_with("Fn::")) {
        book.problems.push(|| {
            Diagnostic::error_at(label_span(value), format!("{} may add any resource", quote(key)))
                .here("not read")
                .help(PROCESSED)
        });
    }
    let Some(transform) = template.get_set("Transform") else { return };
    let named = transform.as_str().map(|name| (name, transform));
    let listed = transform.elements().iter().map(|name| (name.as_str().unwrap_or("?"), name));
    let known = ["AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"];
    for (name, value) in named.into_iter().chain(listed) {
        if !known.contains(&name) {
            book.problems.push(|| {
                let message = format!("the transform {} may change any resource", quote(name));
                Diagnostic::error_at(label_span(value), message).here("not read").help(PROCESSED)
            });
        }
    }
    if matches!(transform.kind, Kind::Object(_)) {
        book.problems.push(|| {
            Diagnostic::error_at(label_span(transform), "this transform may change any resource")
                .here("not read")
                .help(PROCESSED)
        });
    }
}

fn resources<'v, 't>(book: &mut PlanBuilder<'_>, template: &'v Value<'t>) -> Vec<Resource<'v, 't>> {
    let mut found = Vec::new();
    let Some(Kind::Object(listed)) = template.get("Resources").map(|value| &value.kind) else {
        return found;
    };
    for Member { key, key_span, value } in listed {
        let (name, span) = (&**key, short(*key_span));
        if name.starts_with("Fn::") {
            book.problems.push(|| {
                Diagnostic::error_at(span, format!("{} makes resources", quote(name)))
                    .here("which ones is not read")
                    .help(PROCESSED)
            });
            continue;
        }
        let properties = value.get("Properties");
        let made = value.entries().chain(properties.into_iter().flat_map(Value::entries));
        let made = made.into_iter().any(|(key, _)| key.starts_with("Fn::"));
        match value.get_str("Type") {
            Some(kind) if made && kind.starts_with("AWS::Organizations::") => {
                book.problems.push(|| {
                    Diagnostic::error_at(span, format!("{} is made by a function", quote(name)))
                        .here("what it becomes is not read")
                        .help(PROCESSED)
                });
            }
            Some(kind) => {
                found.push(Resource { name, kind, value, span });
            }
            None => book.problems.push(|| {
                Diagnostic::error_at(span, format!("{} has no `Type`", quote(name)))
                    .here("this resource")
                    .help("write its type as text")
            }),
        }
    }
    found
}

/// Whether the condition of a resource holds; other types than ours are not asked.
fn is_present<'t>(
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
) -> Result<bool, Unresolved> {
    let Some(condition) = resource.value.get_set("Condition") else { return Ok(true) };
    if !resource.kind.starts_with("AWS::Organizations::") {
        return Ok(true);
    }
    let name = condition
        .as_str()
        .ok_or_else(|| Unresolved::new(label_span(condition), "its condition is no name"))?;
    resolver.condition(name, condition.span)
}

/// A resource whose condition does not hold is none of the stack's, or is removed from it.
fn absent<'t>(
    book: &mut PlanBuilder<'_>,
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
) {
    let name = quote(resource.name);
    if resource.kind != POLICY {
        return book.note(format!("{name} was passed over: its condition does not hold"));
    }
    let existing = match policy_name(resolver, resource) {
        Ok(policy) => book.scp_named(&policy, resource.source()),
        Err(problem) => return book.problems.push(|| problem.about(resource.name)),
    };
    match existing {
        None => book.note(format!("{name} was passed over: its condition does not hold")),
        Some(id) => book.problems.push(|| {
            let message = format!(
                "the condition of {name} does not hold, and the snapshot has its policy: {}",
                quote(id.as_str())
            );
            Diagnostic::error_at(resource.span, message)
                .here("whether CloudFormation deletes it cannot be told")
                .help("describe a change set and give that instead")
        }),
    }
}

fn policy_name<'t>(
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
) -> Result<String, Unresolved> {
    let name = property(resource, "Name")
        .ok_or_else(|| Unresolved::new(resource.span, "it has no `Name`"))?;
    resolver.text(name)
}

/// A policy of the template, and the one of the snapshot that it is.
struct TemplatePolicy {
    id: PolicyId,
    name: String,
    exists: bool,
}

/// Finds the id of a policy; none for policies of other types.
fn identify<'v, 't>(
    book: &mut PlanBuilder<'_>,
    resolver: &mut Resolver<'v, 't, '_>,
    resource: &Resource<'v, 't>,
) -> Option<TemplatePolicy> {
    let found = property(resource, "Type")
        .ok_or_else(|| Unresolved::new(resource.span, "it has no `Type` among its properties"))
        .and_then(|kind| resolver.text(kind))
        .and_then(|kind| Ok((kind, policy_name(resolver, resource)?)));
    let (kind, name) = match found {
        Ok(found) => found,
        Err(problem) => {
            book.problems.push(|| problem.about(resource.name));
            return None;
        }
    };
    if kind != SCP {
        book.note(format!(
            "{} was passed over: it is no service control policy but {}",
            quote(resource.name),
            quote(&kind)
        ));
        return None;
    }
    let existing = book.scp_named(&name, resource.source());
    let exists = existing.is_some();
    let id = existing.unwrap_or_else(|| book.made_up_id(resource.name));
    resolver.set_id(resource.name, id.to_string());
    Some(TemplatePolicy { id, name, exists })
}

fn read_policy<'t>(
    book: &mut PlanBuilder<'_>,
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
    policy: &TemplatePolicy,
) {
    let by = resource.source();
    let content = property(resource, "Content")
        .ok_or_else(|| Unresolved::new(resource.span, "it has no `Content`"))
        .and_then(|content| resolver.value(content))
        .and_then(|resolved| document(resolved, resource.span));
    match content {
        Ok(content) if policy.exists => book.replace(policy.id.clone(), content, by),
        Ok(content) => book.create(policy.id.clone(), &policy.name, content, by),
        Err(problem) => book.problems.push(|| problem.about(resource.name)),
    }
    let attached = if policy.exists { book.targets_of(&policy.id) } else { Vec::new() };
    let listed = property(resource, "TargetIds");
    let resolved = listed.map(|listed| targets::ids(resolver, listed));
    let targets = match resolved {
        Some(Ok(Some(targets))) => targets,
        Some(Ok(None)) | None if attached.is_empty() => return,
        Some(Ok(None)) | None => {
            return book.problems.push(|| {
                let message = format!(
                    "{} lists no `TargetIds`, and its policy `{}` is attached to {}",
                    quote(by.name),
                    policy.id,
                    attached.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
                );
                Diagnostic::error_at(by.span, message)
                    .here("whether CloudFormation detaches it cannot be told")
                    .help("list the targets, or describe a change set and give that instead")
            });
        }
        Some(Err(problem)) => return book.problems.push(|| problem.about(resource.name)),
    };
    for target in &targets {
        if let Some(target) = book.target(target, by).filter(|it| !attached.contains(it)) {
            book.attach(policy.id.clone(), target, by);
        }
    }
    for target in attached.into_iter().filter(|it| !targets.contains(&it.to_string())) {
        book.note(format!(
            "{} does not list `{target}`, so `{}` is taken to be detached from it; CloudFormation \
             does that where an earlier version of the stack attached it",
            quote(by.name),
            policy.id
        ));
        book.detach(policy.id.clone(), target, by);
    }
}

/// The text of a document that stands as an object or as text.
pub(super) fn document(resolved: Resolved<'_>, span: Span) -> Result<String, Unresolved> {
    let Resolved::Value(value) = resolved else {
        return Err(Unresolved::new(span, "it has no `Content`"));
    };
    match value.as_str() {
        Some(document) => Ok(document.to_owned()),
        None if value.is_object() => Ok(value.to_string()),
        None => {
            let message = format!("its `Content` is {}", value.kind_name());
            Err(Unresolved::new(label_span(&value), message).help("write an object or a text"))
        }
    }
}

/// Types that have nothing to do with us, or more than can be seen here.
fn read_other(book: &mut PlanBuilder<'_>, resource: &Resource<'_, '_>, kind: &str) {
    match other(kind, None) {
        Other::Nothing if runs_anything(kind) && names_organizations(resource) => {
            book.problems.push(|| {
                let message =
                    format!("{} runs something that names AWS Organizations", quote(resource.name));
                Diagnostic::error_at(resource.span, message)
                    .here("what it does to service control policies is not read")
                    .help("leave it out, or manage policies with `AWS::Organizations::Policy`")
            });
        }
        Other::Nothing => book.pass_over(kind),
        Other::Adds => book.note(control_tower(resource.name)),
        Other::Hidden(why) => book.problems.push(|| {
            Diagnostic::error_at(resource.span, format!("{} {why}", quote(resource.name)))
                .here("what it does to service control policies is not read")
                .help("give its template or change set by itself")
        }),
    }
}

/// Custom resources do whatever their function does.
fn runs_anything(kind: &str) -> bool {
    kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource"
}

fn names_organizations(resource: &Resource<'_, '_>) -> bool {
    let all = format!("{} {} {}", resource.name, resource.kind, resource.value);
    all.to_ascii_lowercase().contains("organizations")
}

/// What a type that is not read may do.
pub(super) enum Other {
    Nothing,
    /// Policies of AWS Control Tower, which only deny.
    Adds,
    /// More than can be told, and why.
    Hidden(&'static str),
}

/// `action` is a change set's.
pub(super) fn other(kind: &str, action: Option<&str>) -> Other {
    match kind {
        "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
            Other::Hidden("is a stack of its own, which may have policies")
        }
        "AWS::CloudFormation::StackSet" => {
            Other::Hidden("is a set of stacks, which may have policies")
        }
        "AWS::Organizations::ResourcePolicy" => Other::Nothing,
        _ if kind.contains("::Organizations::") => {
            Other::Hidden("is of a type that is not read, and may be a service control policy")
        }
        _ if kind.ends_with("::MODULE") => Other::Hidden("is a module, which may have policies"),
        "AWS::ControlTower::EnabledControl"
        | "AWS::ControlTower::EnabledBaseline"
        | "AWS::ControlTower::LandingZone" => match action {
            None | Some("Add") => Other::Adds,
            Some(_) => Other::Hidden("may remove or change policies that AWS Control Tower made"),
        },
        _ => Other::Nothing,
    }
}

pub(super) fn control_tower(name: &str) -> String {
    format!(
        "{} was passed over: the policies that AWS Control Tower adds are not listed, and can only \
         deny more",
        quote(name)
    )
}
