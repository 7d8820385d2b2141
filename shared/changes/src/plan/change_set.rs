//! The description of a CloudFormation change set.
//!
//! What a resource has before and after stands in `BeforeContext` and `AfterContext`, texts of
//! JSON that are there only with `--include-property-values`.

use std::collections::BTreeSet;

use organization::OwnedTargetId;
use text::diagnostic::{Diagnostic, Problems, label_span};
use text::json::{self, Value};
use text::span::Span;
use text::words::quote;

use super::book::{KnownPolicy, PlanBuilder, PlanSource};
use super::fields::{PLAN, refuse_duplicates, same_document};
use super::template::resolve::Resolved;
use super::template::resource::{ACCOUNT, ORGANIZATION, POLICY, SCP, UNIT};
use super::template::{Other, control_tower, document, other};
use super::unresolved::{Unresolved, refuse_dynamic};

const DESCRIBE: &str = "describe it with `aws cloudformation describe-change-set \
                        --include-property-values`";

/// One change of a resource.
struct ResourceChange<'v, 't> {
    name: &'v str,
    kind: &'v str,
    action: &'v str,
    value: &'v Value<'t>,
    span: Span,
}

impl<'v> ResourceChange<'v, '_> {
    const fn source(&self) -> PlanSource<'v> {
        PlanSource { name: self.name, span: self.span }
    }

    fn physical_id(&self) -> Result<&'v str, Diagnostic> {
        self.value.get_str("PhysicalResourceId").filter(|id| !id.is_empty()).ok_or_else(|| {
            self.problem("has no `PhysicalResourceId`")
                .help("give the description as AWS prints it")
        })
    }

    fn problem(&self, what: &str) -> Diagnostic {
        Diagnostic::error_at(self.span, format!("{} {what}", quote(self.name))).here("this change")
    }

    /// `True`, `False` or `Conditional`.
    fn replacement(&self) -> &'v str {
        self.value.get_str("Replacement").unwrap_or("False")
    }

    /// Whether the old resource stays where it is removed or replaced.
    fn retains(&self) -> bool {
        matches!(self.value.get_str("PolicyAction"), Some("Retain" | "ReplaceAndRetain"))
    }
}

/// Reads a change set.
pub(super) fn read(book: &mut PlanBuilder<'_>, description: &Value<'_>) {
    if !check_head(book, description) {
        return;
    }
    for entry in description.get("Changes").map(Value::elements).unwrap_or_default() {
        let value = entry.get("ResourceChange").unwrap_or(entry);
        let name = value.get("LogicalResourceId");
        let span = name.map_or_else(|| label_span(entry), label_span);
        let (Some(name), Some(kind), Some(action)) =
            (name.and_then(Value::as_str), value.get_str("ResourceType"), value.get_str("Action"))
        else {
            book.problems.push(|| {
                Diagnostic::error_at(span, "a change has no name, type or action")
                    .here("this change")
                    .help("give the description as AWS prints it")
            });
            continue;
        };
        let change = ResourceChange { name, kind, action, value, span };
        if let Err(problem) = read_change(book, &change) {
            book.problems.push(|| problem);
        }
    }
}

/// Whether this is the whole of a change set that can be executed.
fn check_head(book: &mut PlanBuilder<'_>, description: &Value<'_>) -> bool {
    if let Some(token) = description.get_set("NextToken") {
        book.problems.push(|| {
            Diagnostic::error_at(label_span(token), "this is only the first page of the change set")
                .here("there is more")
                .help("describe it without `--no-paginate` and `--max-items`")
        });
        return false;
    }
    if description.get("Changes").is_none() {
        book.problems.push(|| {
            Diagnostic::error_at(label_span(description), "the change set has no `Changes`")
                .here("not a description")
                .help(DESCRIBE)
        });
        return false;
    }
    let Some(status) = description.get("Status") else { return true };
    let reason = description.get_str("StatusReason").unwrap_or_default();
    let empty = reason.contains("didn't contain changes") || reason.contains("No updates");
    match status.as_str().unwrap_or("?") {
        "CREATE_COMPLETE" => true,
        "FAILED" if empty => {
            book.note("the change set has no changes");
            false
        }
        other => {
            book.problems.push(|| {
                let message =
                    format!("the change set is {}, so nobody can execute it", quote(other));
                Diagnostic::error_at(label_span(status), message)
                    .here("expected `CREATE_COMPLETE`")
                    .help("wait until it is made, mend what `StatusReason` says, and describe it")
            });
            false
        }
    }
}

fn read_change(
    book: &mut PlanBuilder<'_>,
    change: &ResourceChange<'_, '_>,
) -> Result<(), Diagnostic> {
    match change.kind {
        POLICY => policy(book, change),
        ACCOUNT => account(book, change),
        UNIT => {
            unit(book, change);
            Ok(())
        }
        ORGANIZATION if change.action == "Modify" && change.replacement() == "False" => {
            book.note(format!("{} changes settings that do not matter here", quote(change.name)));
            Ok(())
        }
        ORGANIZATION if change.action == "Import" => Ok(()),
        ORGANIZATION => {
            let what = "creates, replaces or removes the organization";
            Err(change.problem(what).help("no control can be judged through this"))
        }
        kind => {
            match other(kind, Some(change.action)) {
                Other::Nothing => book.pass_over(kind),
                Other::Adds => book.note(control_tower(change.name)),
                Other::Hidden(why) => {
                    return Err(change.problem(why).help(
                        "give its template or change set by itself, and this one without it",
                    ));
                }
            }
            Ok(())
        }
    }
}

/// What a policy has at one moment.
struct Properties {
    name: String,
    kind: String,
    content: String,
    targets: BTreeSet<String>,
}

/// The properties in a context; its places lie in a text within the text, so problems point at
/// the whole.
fn context<T>(
    change: &ResourceChange<'_, '_>,
    name: &str,
    read: impl FnOnce(&Value<'_>) -> Result<T, Unresolved>,
) -> Result<T, Diagnostic> {
    let Some(context) = change.value.get_set(name) else {
        let what = format!("has no `{name}`, so what it changes cannot be told");
        return Err(change.problem(&what).help(DESCRIBE));
    };
    let at = label_span(context);
    let unreadable = |why: String| {
        Diagnostic::error_at(at, format!("`{name}` of {} {why}", quote(change.name)))
            .here("this text")
            .help(DESCRIBE)
    };
    let Some(inner) = context.as_str() else {
        return Err(unreadable("is no text".to_owned()));
    };
    let value = json::parse(inner, json::DEEPEST)
        .map_err(|error| unreadable(format!("is not JSON: {error}")))?;
    let mut problems = Problems::of(PLAN);
    refuse_duplicates(&mut problems, &value);
    if problems.total() > 0 {
        return Err(unreadable("has a key twice".to_owned()));
    }
    let properties =
        value.get("Properties").ok_or_else(|| unreadable("has no `Properties`".to_owned()))?;
    read(properties).map_err(|problem| problem.about(change.name).placed(|_| at))
}

fn properties(value: &Value<'_>) -> Result<Properties, Unresolved> {
    let property = |name: &str| {
        let missing = || Unresolved::new(Span::default(), format!("it has no `{name}`"));
        value.get_set(name).ok_or_else(missing)
    };
    let content = property("Content")?;
    refuse_anywhere(content)?;
    let content = document(Resolved::Value(content.clone()), Span::default())?;
    let name = known(property("Name")?)?;
    let kind = known(property("Type")?)?;
    let mut targets = BTreeSet::new();
    for target in value.get_set("TargetIds").map(Value::elements).unwrap_or_default() {
        targets.insert(known(target)?);
    }
    Ok(Properties { name, kind, content, targets })
}

fn known(value: &Value<'_>) -> Result<String, Unresolved> {
    let text = value.as_str().ok_or_else(|| {
        let message = format!("a text should stand where {} stands", value.kind_name());
        Unresolved::new(Span::default(), message)
    })?;
    refuse_dynamic(text, Span::default())?;
    Ok(text.to_owned())
}

fn refuse_anywhere(value: &Value<'_>) -> Result<(), Unresolved> {
    if let Some(text) = value.as_str() {
        refuse_dynamic(text, Span::default())?;
    }
    for element in value.elements() {
        refuse_anywhere(element)?;
    }
    value.entries().try_for_each(|(_, value)| refuse_anywhere(value))
}

fn policy(book: &mut PlanBuilder<'_>, change: &ResourceChange<'_, '_>) -> Result<(), Diagnostic> {
    match (change.action, change.replacement()) {
        ("Add", _) => create(book, change),
        ("Remove", _) => remove(book, change),
        ("Modify" | "SyncWithActual", "False") => modify(book, change),
        ("Modify", "True") => {
            remove(book, change)?;
            create(book, change)
        }
        ("Import", _) => {
            book.note(format!("{} is imported, and stays as it is", quote(change.name)));
            Ok(())
        }
        ("Modify", _) => {
            Err(change.problem("may be replaced or not, which CloudFormation does not know yet"))
                .map_err(|problem| problem.help("write its `Type` out"))
        }
        (action, _) => {
            let what = format!("has the action {}, which is not known", quote(action));
            Err(change.problem(&what).help(DESCRIBE))
        }
    }
}

fn passed_over(book: &mut PlanBuilder<'_>, change: &ResourceChange<'_, '_>, kind: &str) {
    book.note(format!(
        "{} was passed over: it is no service control policy but {}",
        quote(change.name),
        quote(kind)
    ));
}

fn create(book: &mut PlanBuilder<'_>, change: &ResourceChange<'_, '_>) -> Result<(), Diagnostic> {
    let by = change.source();
    let after = context(change, "AfterContext", properties)?;
    if after.kind != SCP {
        passed_over(book, change, &after.kind);
        return Ok(());
    }
    let id = book.made_up_id(change.name);
    book.create(id.clone(), &after.name, after.content, by);
    for target in &after.targets {
        if let Some(target) = book.target(target, by) {
            book.attach(id.clone(), target, by);
        }
    }
    Ok(())
}

fn modify(book: &mut PlanBuilder<'_>, change: &ResourceChange<'_, '_>) -> Result<(), Diagnostic> {
    let by = change.source();
    let after = context(change, "AfterContext", properties)?;
    if after.kind != SCP {
        passed_over(book, change, &after.kind);
        return Ok(());
    }
    let before = context(change, "BeforeContext", properties)?;
    let id = change.physical_id()?;
    let id = match book.policy(id, by) {
        Some(KnownPolicy::Scp(id)) => id,
        Some(KnownPolicy::Other) => {
            let what = "is a service control policy here and another policy in the snapshot";
            return Err(change.problem(what).help("take a new snapshot"));
        }
        None => return Ok(()),
    };
    if !same_document(&before.content, &after.content) {
        book.replace(id.clone(), after.content, by);
    }
    for target in after.targets.difference(&before.targets) {
        if let Some(target) = book.target(target, by) {
            book.attach(id.clone(), target, by);
        }
    }
    for target in before.targets.difference(&after.targets) {
        if let Some(target) = book.target(target, by) {
            book.detach(id.clone(), target, by);
        }
    }
    Ok(())
}

/// A policy is deleted once it is attached nowhere, so all its attachments go.
fn remove(book: &mut PlanBuilder<'_>, change: &ResourceChange<'_, '_>) -> Result<(), Diagnostic> {
    let by = change.source();
    // What it was tells its type; without it the snapshot does.
    if change.value.get_set("BeforeContext").is_some() {
        let before = context(change, "BeforeContext", properties)?;
        if before.kind != SCP {
            passed_over(book, change, &before.kind);
            return Ok(());
        }
    }
    if change.retains() {
        book.note(format!("{} is retained: its policy stays as it is", quote(by.name)));
        return Ok(());
    }
    let id = change.physical_id()?;
    match book.policy(id, by) {
        Some(KnownPolicy::Scp(id)) => {
            for target in book.targets_of(&id) {
                book.detach(id.clone(), target, by);
            }
            book.delete(id, by);
        }
        Some(KnownPolicy::Other) => passed_over(book, change, "of another type"),
        None => {}
    }
    Ok(())
}

fn account(book: &mut PlanBuilder<'_>, change: &ResourceChange<'_, '_>) -> Result<(), Diagnostic> {
    let by = change.source();
    let name = quote(by.name);
    match change.action {
        "Add" => create_account(book, change),
        "Import" => Ok(()),
        "Remove" => {
            book.note(format!("{name} removes an account; it is judged as if it stayed"));
            Ok(())
        }
        "Modify" | "SyncWithActual" if change.replacement() != "True" => {
            let after = context(change, "AfterContext", parents)?;
            let id = change.physical_id()?;
            match after.as_slice() {
                [] => {}
                [parent] => book.move_account(id, parent, by),
                [_, _, ..] => {
                    let problem = change.problem("has more than one parent");
                    return Err(problem.help("name one root or unit"));
                }
            }
            Ok(())
        }
        action => {
            let what = format!("replaces an account or does something unknown, {}", quote(action));
            Err(change.problem(&what).help(DESCRIBE))
        }
    }
}

fn parents(value: &Value<'_>) -> Result<Vec<String>, Unresolved> {
    let parents = value.get_set("ParentIds").map(Value::elements).unwrap_or_default();
    parents.iter().map(known).collect()
}

/// An account that is not there yet; where its parent is known only afterwards, it is open.
fn create_account(
    book: &mut PlanBuilder<'_>,
    change: &ResourceChange<'_, '_>,
) -> Result<(), Diagnostic> {
    let by = change.source();
    let told = change.value.get_set("AfterContext").is_some();
    let (name, parents) = if told {
        context(change, "AfterContext", |value| {
            let name = value.get_set("AccountName").map(known).and_then(Result::ok);
            Ok((name, Some(parents(value))))
        })?
    } else {
        (None, None)
    };
    let id = book.made_up_account();
    let parent = match parents.as_ref().map(|parents| parents.as_deref()) {
        Some(Ok([parent])) => parent.clone(),
        Some(Ok([])) => book.root(),
        Some(Ok([_, ..]) | Err(_)) => {
            let why = format!(
                "which unit {} will be in is known only after apply; give the template instead, \
                 which names it",
                quote(by.name)
            );
            book.unknown_below(OwnedTargetId::Account(id), by, why);
            book.root()
        }
        None => {
            let why = format!("which unit {} will be in is not told: {DESCRIBE}", quote(by.name));
            book.unknown_below(OwnedTargetId::Account(id), by, why);
            book.root()
        }
    };
    book.create_account(id, name.as_deref().unwrap_or(by.name), &parent, by);
    Ok(())
}

fn unit(book: &mut PlanBuilder<'_>, change: &ResourceChange<'_, '_>) {
    let name = quote(change.name);
    if change.action == "Remove" || change.replacement() == "True" {
        if let Ok(id) = change.physical_id() {
            book.remove_target(id);
        }
        book.note(format!("{name} deletes a unit; AWS does so only when it is empty"));
    }
    if change.action == "Add" || change.replacement() == "True" {
        book.note(format!("{name} creates a unit; it has no accounts to judge yet"));
    }
}
