//! The action table.
#![allow(
    dead_code,
    missing_docs,
    reason = "the fields are those of the files, and the checks read some alone"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::report::{KINDS, Report, Source, date_rust};

/// The table, relative to the crate.
pub const FILE: &str = "data/ses-actions.json";

/// Interfaces in the order of the file, each with its Rust variant.
pub const APIS: [(&str, &str); 7] = [
    ("v1", "V1"),
    ("v2", "V2"),
    ("mailmanager", "MailManager"),
    ("pinpoint-email", "PinpointEmail"),
    ("smtp", "Smtp"),
    ("iam", "Iam"),
    ("sts", "Sts"),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Table {
    pub date: String,
    pub sources: Vec<Source>,
    pub keys: Vec<Key>,
    pub resource_types: Vec<ResourceType>,
    pub actions: Vec<Action>,
    pub operations: Vec<Operation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub multivalued: bool,
    #[serde(default)]
    pub values: Vec<String>,
    #[serde(default)]
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceType {
    pub name: String,
    pub service: String,
    pub tail: String,
    pub owner: Option<String>,
    #[serde(default)]
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    pub name: String,
    pub apis: Vec<String>,
    pub resource_types: Vec<String>,
    pub required_resource_types: Vec<String>,
    pub condition_keys: Vec<String>,
    #[serde(default)]
    pub per_api: BTreeMap<String, Override>,
    #[serde(default)]
    pub sends_mail: bool,
    #[serde(default)]
    pub permission_only: bool,
    #[serde(default)]
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Override {
    pub resource_types: Option<Vec<String>>,
    pub required_resource_types: Option<Vec<String>>,
    pub condition_keys: Option<Vec<String>>,
    #[serde(default)]
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    pub api: String,
    pub operation: String,
    pub actions: Vec<String>,
    #[serde(default)]
    pub reviewed: bool,
    #[serde(default)]
    pub sources: Vec<String>,
}

/// The Rust statics for the table in `text`.
pub fn compile(text: &str) -> Result<String, Vec<String>> {
    let mut report = Report::of(FILE);
    let table: Table = report.read(text)?;
    let mut rust = date_rust(&table.date, report.day("the table", &table.date));
    // Writing to a String cannot fail.
    let _ = write_statics(&table, &mut rust, &mut report);
    report.end(rust)
}

/// What an action asks for through one interface, after its override was applied.
pub struct Needs<'a> {
    pub resource_types: &'a [String],
    pub required_resource_types: &'a [String],
    pub condition_keys: &'a [String],
}

pub fn base(action: &Action) -> Needs<'_> {
    Needs {
        resource_types: &action.resource_types,
        required_resource_types: &action.required_resource_types,
        condition_keys: &action.condition_keys,
    }
}

pub fn resolve<'a>(action: &'a Action, own: &'a Override) -> Needs<'a> {
    Needs {
        resource_types: own.resource_types.as_ref().unwrap_or(&action.resource_types),
        required_resource_types: own
            .required_resource_types
            .as_ref()
            .unwrap_or(&action.required_resource_types),
        condition_keys: own.condition_keys.as_ref().unwrap_or(&action.condition_keys),
    }
}

fn write_statics(table: &Table, out: &mut String, report: &mut Report) -> std::fmt::Result {
    let mut api =
        |entry: &str, api: &str| format!("Api::{}", report.word(entry, "interface", api, &APIS));
    writeln!(out, "static ACTIONS: &[ActionInfo] = &[")?;
    for action in &table.actions {
        let entry = format!("action `{}`", action.name);
        let per_api: Vec<String> = action
            .per_api
            .iter()
            .map(|(name, own)| {
                format!("({}, {})", api(&entry, name), needs_rust(&resolve(action, own)))
            })
            .collect();
        let apis: Vec<String> = action.apis.iter().map(|name| api(&entry, name)).collect();
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
            api(&format!("operation `{} {}`", operation.api, operation.operation), &operation.api),
            operation.operation,
            operation.actions,
            operation.reviewed,
        )?;
    }
    writeln!(out, "];\nstatic SERVICE_KEYS: &[ServiceKey] = &[")?;
    for key in &table.keys {
        let kind = report.word(&format!("key `{}`", key.name), "type", &key.kind, &KINDS);
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

fn needs_rust(needs: &Needs<'_>) -> String {
    format!(
        "Requirements {{ resource_types: &{:?}, required_resource_types: &{:?}, condition_keys: &{:?} }}",
        needs.resource_types, needs.required_resource_types, needs.condition_keys,
    )
}
