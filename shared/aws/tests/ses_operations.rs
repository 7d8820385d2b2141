//! Every operation of the SES APIs stands in the action table.
//!
//! The SDK is made from AWS's own models, so an operation that appears there is one that AWS has
//! added. Which SDK is asked stands in Cargo.lock.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use ses_perimeter::table::{Api, operations};

/// The folder of a crate that Cargo.lock names.
fn source_of(name: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == name).unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().to_owned()
}

/// The operations of an SDK crate, as its requests name them.
fn sdk_operations(name: &str, service: &str) -> BTreeSet<String> {
    let folder = source_of(name).join("src/operation");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        // `Metadata::new("SendEmail", "SES")`
        let operation = text
            .split_once("Metadata::new(")
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(arguments, _)| arguments.split('"').collect::<Vec<_>>());
        match operation.as_deref() {
            Some([_, operation, _, own, ..]) if *own == service => {
                found.insert((*operation).to_owned());
            }
            other => panic!("{} names no operation of {service}: {other:?}", path.display()),
        }
    }
    found
}

fn table_operations(apis: &[Api]) -> BTreeSet<String> {
    let rows = operations().iter().filter(|row| apis.contains(&row.api));
    rows.map(|row| row.operation.to_owned()).collect()
}

fn compare(name: &str, service: &str, apis: &[Api], api: &str, least: usize) {
    let sdk = sdk_operations(name, service);
    // A change in the layout of the crate must not make this an empty comparison.
    assert!(sdk.len() >= least, "only {} operations were found in {name}", sdk.len());
    let table = table_operations(apis);
    let unknown: Vec<&String> = sdk.difference(&table).collect();
    assert!(
        unknown.is_empty(),
        "{name} has operations that the action table does not know: {unknown:?}\n\
         Add each to \"operations\" in shared/ses-perimeter/data/ses-actions.json with \
         \"api\": \"{api}\", and its IAM action to \"actions\" there; \
         CONTRIBUTING.md, \"An SES action\", says how. If it sends mail, it may need a control."
    );
}

#[test]
fn the_action_table_knows_every_operation_of_api_v1() {
    compare("aws-sdk-ses", "SES", &[Api::V1], "v1", 70);
}

#[test]
fn the_action_table_knows_every_operation_of_api_v2() {
    compare("aws-sdk-sesv2", "SESv2", &[Api::V2], "v2", 100);
}
