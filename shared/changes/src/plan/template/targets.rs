//! Units and accounts of a template: which of the snapshot's they are.

use policy::json::Value;
use policy::words::quote;

use super::resolve::{Place, Resolved, Resolver, Unresolved};
use super::{ACCOUNT, Resource, UNIT, property};
use crate::plan::book::Book;
use crate::plan::error::PlanProblem;
use crate::plan::fields::{elements, is_null, place};

/// Finds the units and accounts, so that references to them can be resolved.
pub(super) fn find<'v, 't>(
    book: &mut Book<'_>,
    resolver: &mut Resolver<'v, 't, '_>,
    resources: &[&Resource<'v, 't>],
) {
    for resource in resources.iter().filter(|resource| resource.kind == ACCOUNT) {
        match account(book, resolver, resource) {
            Ok(Some(id)) => resolver.set_id(resource.name, id),
            Ok(None) => {
                resolver.set_new(resource.name);
                book.note(format!(
                    "{} creates an account, which is not judged: take a snapshot once it is there",
                    quote(resource.name)
                ));
            }
            Err(problem) => resolver.set_lost(resource.name, problem),
        }
    }
    // A unit may be in another one that stands further down.
    let mut open: Vec<_> = resources.iter().filter(|resource| resource.kind == UNIT).collect();
    while !open.is_empty() {
        let before = open.len();
        open.retain(|resource| match unit(book, resolver, resource) {
            Ok(Place::Id(id)) => {
                resolver.set_id(resource.name, id);
                false
            }
            Ok(Place::New) => {
                resolver.set_new(resource.name);
                book.note(format!(
                    "{} creates a unit; it has no accounts to judge yet",
                    quote(resource.name)
                ));
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
    book: &Book<'_>,
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
    book: &Book<'_>,
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
) -> Result<Place, Unresolved> {
    let name = property(resource, "Name")
        .ok_or_else(|| Unresolved::new(resource.span, "it has no `Name`"))?;
    let name = resolver.text(name)?;
    let parent = property(resource, "ParentId")
        .ok_or_else(|| Unresolved::new(resource.span, "it has no `ParentId`"))?;
    let Place::Id(parent) = resolver.place(parent)? else { return Ok(Place::New) };
    let organization = book.organization;
    let Some(index) = organization.target(&parent) else {
        let message = format!("it is in {}, which is not in the snapshot", quote(&parent));
        return Err(Unresolved::new(resource.span, message));
    };
    let found = organization.units().iter().find(|it| it.parent == index && *it.name == *name);
    Ok(found.map_or(Place::New, |unit| Place::Id(unit.id.to_string())))
}

/// The ids in `TargetIds`; new units and accounts are left out with a note. `None` where the
/// property resolves to nothing.
pub(super) fn ids<'t>(
    book: &mut Book<'_>,
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
    listed: &Value<'t>,
) -> Result<Option<Vec<String>>, Unresolved> {
    let mut ids = Vec::new();
    let mut add = |place| match place {
        Place::Id(id) => ids.push(id),
        Place::New => book.note(format!(
            "{} attaches to a unit or account that the template creates; it has no accounts to \
             judge yet",
            quote(resource.name)
        )),
    };
    if let policy::json::Kind::Array(list) = &listed.kind {
        for item in list {
            if let Some(place) = resolver.maybe_place(item)? {
                add(place);
            }
        }
        return Ok(Some(ids));
    }
    let Resolved::Value(value) = resolver.value(listed)? else { return Ok(None) };
    if is_null(&value) {
        return Ok(None);
    }
    if !matches!(value.kind, policy::json::Kind::Array(_)) {
        let message = format!("its `TargetIds` are {}", value.kind_name());
        return Err(Unresolved::new(place(&value), message).help("write a list of ids"));
    }
    for item in elements(&value) {
        if let Some(place) = resolver.maybe_place(item)? {
            add(place);
        }
    }
    Ok(Some(ids))
}

/// An account that is in another place than the template says moves.
pub(super) fn read_account<'t>(
    book: &mut Book<'_>,
    resolver: &mut Resolver<'_, 't, '_>,
    resource: &Resource<'_, 't>,
) {
    let by = resource.source();
    let account = match resolver.id(resource.name) {
        Ok(Place::Id(id)) => id,
        Ok(Place::New) => return,
        Err(problem) => return book.problems.push(|| problem.about(by.name)),
    };
    let Some(parents) = property(resource, "ParentIds") else { return };
    let list = match resolver.value_or_list(parents) {
        Ok(list) => list,
        Err(problem) => return book.problems.push(|| problem.about(by.name)),
    };
    let parent = match list.as_slice() {
        [] => return,
        [parent] => resolver.place(parent),
        [_, second, ..] => Err(Unresolved::new(place(second), "an account has one parent")),
    };
    match parent {
        Ok(Place::Id(parent)) => book.move_account(&account, &parent, by),
        Ok(Place::New) => book.problems.push(|| {
            let message = format!("{} moves into a unit that is not there yet", quote(by.name));
            PlanProblem::at(by.span, message)
                .here("which policies it will be under cannot be told")
                .help("deploy the unit and its attachments first, and take a new snapshot")
        }),
        Err(problem) => book.problems.push(|| problem.about(by.name)),
    }
}
