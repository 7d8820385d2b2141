//! Checks the facts of `data/` and turns them into Rust statics: the action table here, the other
//! lists in `build/facts.rs`.
//!
//! A mistake in the facts could turn a leak into a pass, so every entry is checked
//! and the build stops with a message that names the file, the entry and the remedy.
#![allow(
    clippy::disallowed_methods,
    reason = "a build script reads its file and is told where to write"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

#[path = "build/facts.rs"]
pub mod facts;
#[path = "build/report.rs"]
pub mod report;

use report::{KINDS, Report, Source, date_rust};

/// The table, relative to the crate.
const FILE: &str = "data/ses-actions.json";

/// Interfaces in the order of the file, each with its Rust variant.
const APIS: [(&str, &str); 7] = [
    ("v1", "V1"),
    ("v2", "V2"),
    ("mailmanager", "MailManager"),
    ("pinpoint-email", "PinpointEmail"),
    ("smtp", "Smtp"),
    ("iam", "Iam"),
    ("sts", "Sts"),
];

/// Interfaces that have a published list of reviewed operations.
const REVIEWED_APIS: [&str; 2] = ["v1", "v2"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Table {
    date: String,
    sources: Vec<Source>,
    keys: Vec<Key>,
    resource_types: Vec<ResourceType>,
    actions: Vec<Action>,
    operations: Vec<Operation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    multivalued: bool,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceType {
    name: String,
    service: String,
    tail: String,
    owner: Option<String>,
    #[serde(default)]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Action {
    name: String,
    apis: Vec<String>,
    resource_types: Vec<String>,
    required_resource_types: Vec<String>,
    condition_keys: Vec<String>,
    #[serde(default)]
    per_api: BTreeMap<String, Override>,
    #[serde(default)]
    sends_mail: bool,
    #[serde(default)]
    permission_only: bool,
    #[serde(default)]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Override {
    resource_types: Option<Vec<String>>,
    required_resource_types: Option<Vec<String>>,
    condition_keys: Option<Vec<String>>,
    #[serde(default)]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    api: String,
    operation: String,
    actions: Vec<String>,
    #[serde(default)]
    reviewed: bool,
    #[serde(default)]
    sources: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    let lists = [facts::KEYS, facts::PREFIXES, facts::REGIONS, facts::ORGANIZATIONS];
    for file in ["build.rs", "build", FILE].into_iter().chain(lists) {
        println!("cargo:rerun-if-changed={file}");
    }
    let read = |file: &str| {
        std::fs::read_to_string(folder.join(file))
            .map_err(|error| format!("cannot read {file}: {error}"))
    };
    let write = |name: &str, rust: String| {
        let path = out.join(name);
        std::fs::write(&path, rust)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    let told = |problems: Vec<String>| problems.join("\n");
    let (keys, names) = facts::keys(&read(facts::KEYS)?).map_err(told)?;
    write("condition_keys.rs", keys)?;
    write("ses_actions.rs", compile(&read(FILE)?, &names).map_err(told)?)?;
    write("service_prefixes.rs", facts::prefixes(&read(facts::PREFIXES)?).map_err(told)?)?;
    write("regions.rs", facts::regions(&read(facts::REGIONS)?).map_err(told)?)?;
    facts::organizations(&read(facts::ORGANIZATIONS)?).map_err(told)?;
    Ok(())
}

/// The Rust statics for the table in `text`, or every problem found in it; `others` are the
/// keys of the list of condition keys.
pub fn compile(text: &str, others: &[String]) -> Result<String, Vec<String>> {
    let mut report = Report::of(FILE);
    let table: Table = report.read(text)?;
    let mut rust = date_rust(&table.date, report.day("the table", &table.date));
    check(&table, others, &mut report);
    if report.problems.is_empty() {
        // Writing to a String cannot fail.
        let _ = write_statics(&table, &mut rust);
        Ok(rust)
    } else {
        Err(report.problems)
    }
}

fn check(table: &Table, others: &[String], report: &mut Report) {
    check_sources(table, report);
    check_keys(table, others, report);
    check_resource_types(&table.resource_types, report);
    check_actions(table, others, report);
    check_operations(table, report);
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
    report.sources(&table.sources, used);
}

fn type_entry(kind: &ResourceType) -> String {
    format!("resource type `{}`", kind.name)
}

fn check_keys(table: &Table, others: &[String], report: &mut Report) {
    report.sorted("keys", table.keys.iter().map(|key| key.name.as_str()));
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
        report.kind(&entry, &key.kind);
        report.sorted(&entry, key.values.iter().map(String::as_str));
    }
}

fn check_resource_types(types: &[ResourceType], report: &mut Report) {
    report.sorted("resourceTypes", types.iter().map(|t| t.name.as_str()));
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
    report.sorted("actions", table.actions.iter().map(|action| action.name.as_str()));
    let apis: BTreeSet<&str> = APIS.iter().map(|(name, _)| *name).collect();
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
        report.known(&entry, "service prefix", service, &services);
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            report.say(&entry, "write the name as `service:Name`, letters and digits only");
        }
        if action.apis.is_empty() {
            report.say(&entry, "no interface; list the ones that know it in `apis`");
        }
        for api in &action.apis {
            report.known(&entry, "interface", api, &apis);
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

/// What an action asks for through one interface, after its override was applied.
struct Needs<'a> {
    resource_types: &'a [String],
    required_resource_types: &'a [String],
    condition_keys: &'a [String],
}

fn base(action: &Action) -> Needs<'_> {
    Needs {
        resource_types: &action.resource_types,
        required_resource_types: &action.required_resource_types,
        condition_keys: &action.condition_keys,
    }
}

fn resolve<'a>(action: &'a Action, own: &'a Override) -> Needs<'a> {
    Needs {
        resource_types: own.resource_types.as_ref().unwrap_or(&action.resource_types),
        required_resource_types: own
            .required_resource_types
            .as_ref()
            .unwrap_or(&action.required_resource_types),
        condition_keys: own.condition_keys.as_ref().unwrap_or(&action.condition_keys),
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
        report.sorted(entry, names.iter().map(String::as_str));
    }
    for name in needs.resource_types {
        report.known(entry, "resource type", name, types);
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
        report.known(entry, "condition key", name, keys);
    }
}

fn check_operations(table: &Table, report: &mut Report) {
    let actions: BTreeSet<&str> = table.actions.iter().map(|a| a.name.as_str()).collect();
    let mut by_api: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    let mut last = 0;
    for operation in &table.operations {
        let entry = format!("operation `{} {}`", operation.api, operation.operation);
        match APIS.iter().position(|(name, _)| *name == operation.api) {
            None => {
                report.say(&entry, format!("unknown interface `{}`; correct it", operation.api));
            }
            Some(place) if place < last => {
                report.say(&entry, "keep the operations of one interface together, in order");
            }
            Some(place) => last = place,
        }
        if operation.actions.is_empty() {
            report.say(&entry, "no action; an operation is checked as at least one");
        }
        report.sorted(&entry, operation.actions.iter().map(String::as_str));
        for name in &operation.actions {
            report.known(&entry, "action", name, &actions);
        }
        by_api.entry(&operation.api).or_default().push(operation);
    }
    for (api, operations) in &by_api {
        report.sorted(
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

fn write_statics(table: &Table, out: &mut String) -> std::fmt::Result {
    writeln!(out, "static ACTIONS: &[ActionInfo] = &[")?;
    for action in &table.actions {
        let per_api: Vec<String> = action
            .per_api
            .iter()
            .map(|(api, own)| format!("({}, {})", api_path(api), needs_rust(&resolve(action, own))))
            .collect();
        let apis: Vec<String> = action.apis.iter().map(|api| api_path(api)).collect();
        writeln!(
            out,
            "ActionInfo {{ name: {:?}, apis: &[{}], base: {}, per_api: &[{}], sends_mail: {}, permission_only: {} }},",
            action.name,
            apis.join(", "),
            needs_rust(&base(action)),
            per_api.join(", "),
            action.sends_mail,
            action.permission_only,
        )?;
    }
    writeln!(out, "];\nstatic OPERATIONS: &[OperationInfo] = &[")?;
    for operation in &table.operations {
        writeln!(
            out,
            "OperationInfo {{ api: {}, operation: {:?}, actions: &{:?}, reviewed: {} }},",
            api_path(&operation.api),
            operation.operation,
            operation.actions,
            operation.reviewed,
        )?;
    }
    writeln!(out, "];\nstatic SERVICE_KEYS: &[ServiceKey] = &[")?;
    for key in &table.keys {
        let kind = KINDS.iter().find(|(name, _)| *name == key.kind).map_or("", |(_, kind)| kind);
        writeln!(
            out,
            "ServiceKey {{ name: {:?}, kind: KeyKind::{kind}, multivalued: {}, values: &{:?} }},",
            key.name, key.multivalued, key.values,
        )?;
    }
    writeln!(out, "];\nstatic RESOURCE_TYPES: &[ResourceType] = &[")?;
    for kind in &table.resource_types {
        writeln!(
            out,
            "ResourceType {{ name: {:?}, service: {:?}, tail: {:?}, owner_is_aws: {} }},",
            kind.name,
            kind.service,
            kind.tail,
            kind.owner.is_some(),
        )?;
    }
    writeln!(out, "];")
}

fn api_path(api: &str) -> String {
    let variant = APIS.iter().find(|(name, _)| *name == api).map_or("", |(_, variant)| variant);
    format!("Api::{variant}")
}

fn needs_rust(needs: &Needs<'_>) -> String {
    format!(
        "Requirements {{ resource_types: &{:?}, required_resource_types: &{:?}, condition_keys: &{:?} }}",
        needs.resource_types, needs.required_resource_types, needs.condition_keys,
    )
}
