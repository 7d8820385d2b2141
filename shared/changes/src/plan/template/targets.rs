//! Units and accounts of a template: which of the snapshot's they are.

use organization::OwnedTargetId;
use text::diagnostic::label_span;
use text::json::Value;
use text::words::quote;

use super::resolve::{Resolved, Resolver};
use super::resource::{ACCOUNT, Resource, UNIT, property};
use crate::plan::book::PlanBuilder;
use crate::plan::unresolved::Unresolved;

/// Finds the units and accounts, so that references to them can be resolved.
pub(super) fn find<'v, 't>(
    book: &mut PlanBuilder<'_>,
    resolver: &mut Resolver<'v, 't, '_>,
    resources: &[&Resource<'v, 't>],
) {
    for resource in resources.iter().filter(|resource| resource.kind == ACCOUNT) {
        match account(book, resolver, resource) {
            Ok(Some(id)) => resolver.set_id(resource.name, id),
            Ok(None) => resolver.set_id(resource.name, book.made_up_account().to_string()),
            Err(problem) => resolver.set_lost(resource.name, problem),
        }
    }
    // A unit may be in another one that stands further down.
    let mut open: Vec<_> = resources.iter().filter(|resource| resource.kind == UNIT).collect();
    while !open.is_empty() {
        let before = open.len();
        open.retain(|resource| match unit(book, resolver, resource) {
            Ok(id) => {
                resolver.set_id(resource.name, id);
                false
            }
            Err(_) => true,
        });
        if open.len() == before {
            break;
        }
    }
    for resource in open {
        if let Err(problem) = unit(book, resolver, resource) {
            resolver.set_lost(resource.name, problem);
        }
    }
}

/// The account of this name; accounts have no other property by which a snapshot knows them.
fn account<'t>(
    book: &PlanBuilder<'_>,
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
) -> Result<Option<String>, Unresolved> {
    let name = property(resource, "AccountName")
        .ok_or_else(|| Unresolved::new(resource.span, "it has no `AccountName`"))?;
    let name = resolver.text(name)?;
    let mut named = book.organization.accounts().filter(|(_, account)| *account.name == *name);
    let first = named.next().map(|(_, account)| account.id.to_string());
    if named.next().is_some() {
        let message = format!("two accounts are named {}", quote(&name));
        return Err(Unresolved::new(resource.span, message)
            .help("describe a change set, which names the account by its id"));
    }
    Ok(first)
}

/// The unit of this name below this parent, or a new one.
fn unit<'t>(
    book: &mut PlanBuilder<'_>,
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
) -> Result<String, Unresolved> {
    let name = property(resource, "Name")
        .ok_or_else(|| Unresolved::new(resource.span, "it has no `Name`"))?;
    let name = resolver.text(name)?;
    let parent = property(resource, "ParentId")
        .ok_or_else(|| Unresolved::new(resource.span, "it has no `ParentId`"))?;
    let parent = resolver.text(parent)?;
    let organization = book.organization;
    let index = organization.target(&parent);
    if index.is_none() && !book.is_made_up(&parent) {
        let message = format!("it is in {}, which is not in the snapshot", quote(&parent));
        return Err(Unresolved::new(resource.span, message));
    }
    let mut units = organization.units().iter();
    if let Some(unit) = units.find(|it| Some(it.parent) == index && *it.name == *name) {
        return Ok(unit.id.to_string());
    }
    let id = book.made_up_unit(resource.name);
    book.create_unit(id.clone(), &name, &parent, resource.source());
    Ok(id.to_string())
}

/// The ids in `TargetIds`; `None` where the property resolves to nothing.
pub(super) fn ids<'t>(
    resolver: &mut Resolver<'_, 't, '_>,
    listed: &Value<'t>,
) -> Result<Option<Vec<String>>, Unresolved> {
    let mut ids = Vec::new();
    if let text::json::Kind::Array(list) = &listed.kind {
        for item in list {
            ids.extend(resolver.maybe_text(item)?);
        }
        return Ok(Some(ids));
    }
    let Resolved::Value(value) = resolver.value(listed)? else { return Ok(None) };
    if value.is_null() {
        return Ok(None);
    }
    if !matches!(value.kind, text::json::Kind::Array(_)) {
        let message = format!("its `TargetIds` are {}", value.kind_name());
        return Err(Unresolved::new(label_span(&value), message).help("write a list of ids"));
    }
    for item in value.elements() {
        ids.extend(resolver.maybe_text(item)?);
    }
    Ok(Some(ids))
}

/// An account that is in another place than the template says moves, and one that is not there
/// yet is put there.
pub(super) fn read_account<'t>(
    book: &mut PlanBuilder<'_>,
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
) {
    let by = resource.source();
    let account = match resolver.id(resource.name) {
        Ok(id) => id,
        Err(problem) => return book.problems.push(|| problem.about(by.name)),
    };
    let parent = parent(resolver, resource);
    if let Some(made) = book.made_up(&account) {
        // That it can be told is why the account was found not to be there.
        let name = property(resource, "AccountName").map(|name| resolver.text(name));
        let name = name.and_then(Result::ok).unwrap_or_else(|| by.name.to_owned());
        let parent = parent.unwrap_or_else(|problem| {
            let why = format!(
                "which unit {} is in cannot be told: {}",
                quote(by.name),
                problem.message()
            );
            book.unknown_below(OwnedTargetId::Account(made), by, why);
            None
        });
        let parent = parent.unwrap_or_else(|| book.root());
        return book.create_account(made, &name, &parent, by);
    }
    match parent {
        Ok(Some(parent)) => book.move_account(&account, &parent, by),
        Ok(None) => {}
        Err(problem) => book.problems.push(|| problem.about(by.name)),
    }
}

/// The root or unit that an account is in, if the template says.
fn parent<'t>(
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
) -> Result<Option<String>, Unresolved> {
    let Some(parents) = property(resource, "ParentIds") else { return Ok(None) };
    match resolver.value_or_list(parents)?.as_slice() {
        [] => Ok(None),
        [parent] => resolver.maybe_text(parent),
        [_, second, ..] => Err(Unresolved::new(label_span(second), "an account has one parent")),
    }
}
