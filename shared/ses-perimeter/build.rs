//! Checks the action table of `data/ses-actions.json` and turns it into Rust statics.
//!
//! A mistake in the table could turn a leak into a pass, so every entry is checked here
//! and the build stops with a message that names the file, the entry and the remedy.
#![allow(
    clippy::disallowed_methods,
    reason = "a build script reads its file and is told where to write"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

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

/// Value types of condition keys, each with its Rust variant.
const KINDS: [(&str, &str); 6] = [
    ("String", "String"),
    ("ARN", "Arn"),
    ("Bool", "Bool"),
    ("Numeric", "Number"),
    ("Date", "Date"),
    ("IPAddress", "Ip"),
];

/// Partitions that must be listed, even where SES has no region.
const PARTITIONS: [&str; 4] = ["aws", "aws-us-gov", "aws-eusc", "aws-cn"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Table {
    sources: Vec<Source>,
    regions: Regions,
    global_keys: Vec<String>,
    keys: Vec<Key>,
    resource_types: Vec<ResourceType>,
    actions: Vec<Action>,
    operations: Vec<Operation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    id: String,
    name: String,
    url: Option<String>,
    date: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Regions {
    source: String,
    partitions: BTreeMap<String, Vec<String>>,
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
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceType {
    name: String,
    service: String,
    tail: String,
    owner: Option<String>,
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
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Override {
    resource_types: Option<Vec<String>>,
    required_resource_types: Option<Vec<String>>,
    condition_keys: Option<Vec<String>>,
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
    sources: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={FILE}");
    println!("cargo:rerun-if-changed=build.rs");
    let folder = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let text = std::fs::read_to_string(folder.join(FILE))
        .map_err(|error| format!("cannot read {FILE}: {error}"))?;
    let rust = compile(&text).map_err(|problems| problems.join("\n"))?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?).join("ses_actions.rs");
    std::fs::write(&out, rust)
        .map_err(|error| format!("cannot write {}: {error}", out.display()))?;
    Ok(())
}

/// The Rust statics for the table in `text`, or every problem found in it.
pub fn compile(text: &str) -> Result<String, Vec<String>> {
    let table: Table = serde_json::from_str(text).map_err(|error| {
        vec![format!("{FILE}: {error}; write the entry in the shape of its neighbours")]
    })?;
    let problems = check(&table);
    if problems.is_empty() { Ok(generate(&table)) } else { Err(problems) }
}

/// Collects what is wrong; each message names the file and the entry.
struct Report(Vec<String>);

impl Report {
    fn say(&mut self, entry: &str, message: impl AsRef<str>) {
        self.0.push(format!("{FILE}: {entry}: {}", message.as_ref()));
    }

    /// Names must be unique and sorted without regard to case.
    fn sorted<'a>(&mut self, entry: &str, names: impl IntoIterator<Item = &'a str>) {
        let mut previous: Option<&str> = None;
        for name in names {
            if let Some(before) = previous {
                match before.to_ascii_lowercase().cmp(&name.to_ascii_lowercase()) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal => {
                        self.say(entry, format!("`{name}` is listed twice; keep one"));
                    }
                    std::cmp::Ordering::Greater => {
                        self.say(entry, format!("`{name}` stands after `{before}`; sort by name"));
                    }
                }
            }
            previous = Some(name);
        }
    }

    fn known(&mut self, entry: &str, what: &str, name: &str, known: &BTreeSet<&str>) {
        if !known.contains(name) {
            self.say(entry, format!("unknown {what} `{name}`; correct it or list it in the file"));
        }
    }
}

fn check(table: &Table) -> Vec<String> {
    let mut report = Report(Vec::new());
    check_sources(table, &mut report);
    check_regions(&table.regions, &mut report);
    check_keys(table, &mut report);
    check_resource_types(&table.resource_types, &mut report);
    check_actions(table, &mut report);
    check_operations(table, &mut report);
    report.0
}

fn check_sources(table: &Table, report: &mut Report) {
    let mut ids = BTreeSet::new();
    for source in &table.sources {
        let entry = format!("source `{}`", source.id);
        if !ids.insert(source.id.as_str()) {
            report.say(&entry, "is listed twice; keep one");
        }
        if source.name.trim().is_empty() || source.date.trim().is_empty() {
            report.say(&entry, "name and date must not be empty; say what it is and how old");
        }
        if source.url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
            report.say(&entry, "the url must begin with `https://`");
        }
    }
    let mut used = BTreeSet::new();
    used.insert(("regions".to_owned(), table.regions.source.as_str()));
    used.extend(table.keys.iter().map(|key| (format!("key `{}`", key.name), key.source.as_str())));
    used.extend(
        table.resource_types.iter().map(|t| (format!("type `{}`", t.name), t.source.as_str())),
    );
    for action in &table.actions {
        let entry = format!("action `{}`", action.name);
        used.insert((entry.clone(), action.source.as_str()));
        used.extend(action.per_api.values().map(|o| (entry.clone(), o.source.as_str())));
    }
    for operation in &table.operations {
        let entry = format!("operation `{} {}`", operation.api, operation.operation);
        if operation.sources.is_empty() {
            report.say(&entry, "no source; name where the actions are from");
        }
        used.extend(operation.sources.iter().map(|id| (entry.clone(), id.as_str())));
        let guided = operation.sources.iter().any(|id| id == "guidance");
        if guided != operation.reviewed {
            report.say(&entry, "`reviewed` and the source `guidance` go together; fix one");
        }
    }
    for (entry, id) in &used {
        report.known(entry, "source", id, &ids);
    }
    for id in ids {
        if !used.iter().any(|(_, used)| *used == id) {
            report.say(&format!("source `{id}`"), "nothing refers to it; remove it");
        }
    }
}

fn check_regions(regions: &Regions, report: &mut Report) {
    for partition in PARTITIONS {
        if !regions.partitions.contains_key(partition) {
            report
                .say("regions", format!("partition `{partition}` is missing; list it, even empty"));
        }
    }
    let mut seen = BTreeSet::new();
    for (partition, names) in &regions.partitions {
        let entry = format!("regions of `{partition}`");
        if !PARTITIONS.contains(&partition.as_str()) {
            report.say(&entry, "unknown partition; correct it or teach build.rs its name");
        }
        for name in names {
            if !is_region(name) {
                report.say(&entry, format!("`{name}` is no region; write it like `us-east-1`"));
            }
            if !seen.insert(name) {
                report.say(&entry, format!("`{name}` is listed twice; keep one"));
            }
        }
    }
    if regions.partitions.get("aws").and_then(|names| names.first()).map(String::as_str)
        != Some("us-east-1")
    {
        report.say("regions of `aws`", "`us-east-1` must come first: witnesses prefer it");
    }
}

/// `us-east-1`: words of lower-case letters, then a number, joined by hyphens.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words.iter().all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

fn check_keys(table: &Table, report: &mut Report) {
    report.sorted("keys", table.keys.iter().map(|key| key.name.as_str()));
    report.sorted("globalKeys", table.global_keys.iter().map(String::as_str));
    for name in &table.global_keys {
        if !name.starts_with("aws:") {
            report.say("globalKeys", format!("`{name}` is no global key; move it to `keys`"));
        }
    }
    for key in &table.keys {
        let entry = format!("key `{}`", key.name);
        if !key.name.contains(':') || key.name.starts_with("aws:") {
            report
                .say(&entry, "must carry the prefix of a service; global keys go to `globalKeys`");
        }
        if !KINDS.iter().any(|(name, _)| *name == key.kind) {
            let kinds: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
            report.say(&entry, format!("unknown type `{}`; use {}", key.kind, kinds.join(", ")));
        }
        report.sorted(&entry, key.values.iter().map(String::as_str));
    }
}

fn check_resource_types(types: &[ResourceType], report: &mut Report) {
    report.sorted("resourceTypes", types.iter().map(|t| t.name.as_str()));
    for kind in types {
        let entry = format!("resource type `{}`", kind.name);
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

fn check_actions(table: &Table, report: &mut Report) {
    report.sorted("actions", table.actions.iter().map(|action| action.name.as_str()));
    let apis: BTreeSet<&str> = APIS.iter().map(|(name, _)| *name).collect();
    let services: BTreeSet<&str> = ["ses", "iam", "sts"].into();
    let keys: BTreeSet<&str> = table
        .keys
        .iter()
        .map(|key| key.name.as_str())
        .chain(table.global_keys.iter().map(String::as_str))
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
            if !action.apis.contains(api) {
                report.say(&entry, format!("`perApi` names `{api}`, `apis` does not; fix one"));
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

fn generate(table: &Table) -> String {
    let mut rust = String::new();
    // Writing to a String cannot fail.
    let _ = write_statics(table, &mut rust);
    rust
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
    writeln!(out, "];\nstatic REGIONS: &[(&str, &[&str])] = &[")?;
    for (partition, names) in &table.regions.partitions {
        writeln!(out, "({partition:?}, &{names:?}),")?;
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
