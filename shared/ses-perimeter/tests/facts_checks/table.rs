//! The action table.

use std::collections::{BTreeMap, BTreeSet};

use super::{known, sorted, sources};
use crate::build::facts;
use crate::build::report::Report;
use crate::build::table::{APIS, FILE, Needs, Operation, ResourceType, Table, base, resolve};

/// Interfaces that have a published list of reviewed operations.
const REVIEWED_APIS: [&str; 2] = ["v1", "v2"];

/// What is wrong with the table in `text`; `others` are the keys of the list of condition keys.
pub fn check(text: &str, others: &[String]) -> Result<(), Vec<String>> {
    let mut report = Report::of(FILE);
    let table: Table = report.read(text)?;
    check_sources(&table, &mut report);
    check_keys(&table, others, &mut report);
    check_resource_types(&table.resource_types, &mut report);
    check_actions(&table, others, &mut report);
    check_operations(&table, &mut report);
    report.end(())
}

fn check_sources(table: &Table, report: &mut Report) {
    let mut used: Vec<(String, &str)> = Vec::new();
    used.extend(table.keys.iter().map(|key| (format!("key `{}`", key.name), key.source.as_str())));
    used.extend(table.resource_types.iter().map(|t| (type_entry(t), t.source.as_str())));
    for action in &table.actions {
        let entry = format!("action `{}`", action.name);
        used.push((entry.clone(), action.source.as_str()));
        used.extend(action.per_api.values().map(|o| (entry.clone(), o.source.as_str())));
    }
    for operation in &table.operations {
        let entry = format!("operation `{} {}`", operation.api, operation.operation);
        if operation.sources.is_empty() {
            used.push((entry.clone(), ""));
        }
        used.extend(operation.sources.iter().map(|id| (entry.clone(), id.as_str())));
        let guided = operation.sources.iter().any(|id| id == "guidance");
        if guided != operation.reviewed {
            report.say(&entry, "`reviewed` and the source `guidance` go together; fix one");
        }
    }
    sources(report, &table.sources, used);
}

fn type_entry(kind: &ResourceType) -> String {
    format!("resource type `{}`", kind.name)
}

fn check_keys(table: &Table, others: &[String], report: &mut Report) {
    sorted(report, "keys", table.keys.iter().map(|key| key.name.as_str()));
    for key in &table.keys {
        let entry = format!("key `{}`", key.name);
        if !key.name.contains(':') || key.name.starts_with("aws:") {
            report.say(
                &entry,
                format!("must carry the prefix of a service; global keys go to {}", facts::KEYS),
            );
        }
        if others.iter().any(|other| other.eq_ignore_ascii_case(&key.name)) {
            report.say(&entry, format!("is listed in {} as well; keep one", facts::KEYS));
        }
        sorted(report, &entry, key.values.iter().map(String::as_str));
    }
}

fn check_resource_types(types: &[ResourceType], report: &mut Report) {
    sorted(report, "resourceTypes", types.iter().map(|t| t.name.as_str()));
    for kind in types {
        let entry = type_entry(kind);
        if kind.owner.as_ref().is_some_and(|owner| owner != "aws") {
            report.say(&entry, "owner can only be `aws`; leave it out for the account's own");
        }
        if kind.service.is_empty() || !kind.service.bytes().all(|b| b.is_ascii_lowercase()) {
            report.say(&entry, "service must be the third part of the ARN, such as `ses`");
        }
        let fixed = kind.tail.split_once("/${").map(|(fixed, _)| fixed);
        if fixed != Some(kind.name.as_str()) || !kind.tail.ends_with('}') {
            report.say(&entry, format!("tail `{}` must read `{}/${{Name}}`", kind.tail, kind.name));
        }
    }
}

fn check_actions(table: &Table, others: &[String], report: &mut Report) {
    sorted(report, "actions", table.actions.iter().map(|action| action.name.as_str()));
    let services: BTreeSet<&str> = ["ses", "iam", "sts"].into();
    let keys: BTreeSet<&str> = table
        .keys
        .iter()
        .map(|key| key.name.as_str())
        .chain(others.iter().map(String::as_str))
        .collect();
    let types: BTreeSet<&str> = table.resource_types.iter().map(|t| t.name.as_str()).collect();
    for action in &table.actions {
        let entry = format!("action `{}`", action.name);
        let (service, name) = action.name.split_once(':').unwrap_or_default();
        known(report, &entry, "service prefix", service, &services);
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            report.say(&entry, "write the name as `service:Name`, letters and digits only");
        }
        if action.apis.is_empty() {
            report.say(&entry, "no interface; list the ones that know it in `apis`");
        }
        for api in action.per_api.keys() {
            // An operation of another interface may be checked as the action.
            let through = table
                .operations
                .iter()
                .any(|operation| operation.api == *api && operation.actions.contains(&action.name));
            if !action.apis.contains(api) && !through {
                report.say(
                    &entry,
                    format!("`perApi` names `{api}`, `apis` and `operations` do not; fix one"),
                );
            }
        }
        for (api, needs) in std::iter::once((None, base(action)))
            .chain(action.per_api.iter().map(|(api, o)| (Some(api), resolve(action, o))))
        {
            let entry = api.map_or_else(|| entry.clone(), |api| format!("{entry} for `{api}`"));
            check_needs(&entry, &needs, &types, &keys, report);
        }
        // An interface that lists an action must have an operation that is checked as it.
        if !action.permission_only {
            for api in &action.apis {
                let called = table
                    .operations
                    .iter()
                    .any(|o| o.api == *api && o.actions.contains(&action.name));
                if !called {
                    report.say(
                        &entry,
                        format!("no operation of `{api}` is checked as it; add the operation, or mark the action `permissionOnly`"),
                    );
                }
            }
        }
    }
}

fn check_needs(
    entry: &str,
    needs: &Needs<'_>,
    types: &BTreeSet<&str>,
    keys: &BTreeSet<&str>,
    report: &mut Report,
) {
    for names in [needs.resource_types, needs.required_resource_types, needs.condition_keys] {
        sorted(report, entry, names.iter().map(String::as_str));
    }
    for name in needs.resource_types {
        known(report, entry, "resource type", name, types);
    }
    for name in needs.required_resource_types {
        if !needs.resource_types.contains(name) {
            report.say(
                entry,
                format!("required type `{name}` is not among its resource types; add it there"),
            );
        }
    }
    for name in needs.condition_keys {
        known(report, entry, "condition key", name, keys);
    }
}

fn check_operations(table: &Table, report: &mut Report) {
    let actions: BTreeSet<&str> = table.actions.iter().map(|a| a.name.as_str()).collect();
    let mut by_api: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    let mut last = 0;
    for operation in &table.operations {
        let entry = format!("operation `{} {}`", operation.api, operation.operation);
        match APIS.iter().position(|(name, _)| *name == operation.api) {
            // The build refuses it.
            None => {}
            Some(place) if place < last => {
                report.say(&entry, "keep the operations of one interface together, in order");
            }
            Some(place) => last = place,
        }
        if operation.actions.is_empty() {
            report.say(&entry, "no action; an operation is checked as at least one");
        }
        sorted(report, &entry, operation.actions.iter().map(String::as_str));
        for name in &operation.actions {
            known(report, &entry, "action", name, &actions);
        }
        by_api.entry(&operation.api).or_default().push(operation);
    }
    for (api, operations) in &by_api {
        sorted(
            report,
            &format!("operations of `{api}`"),
            operations.iter().map(|operation| operation.operation.as_str()),
        );
    }
    for api in REVIEWED_APIS {
        if !by_api.get(api).is_some_and(|all| all.iter().any(|operation| operation.reviewed)) {
            report.say(
                &format!("operations of `{api}`"),
                "none is marked `reviewed`; restore the marks of the guidance",
            );
        }
    }
}
