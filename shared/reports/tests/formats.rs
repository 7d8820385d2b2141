//! Every format of small organizations, as it stands.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use std::collections::BTreeMap;

use common::{Case, HOSTILE, Writer};
use reports::Fix;
use serde_json::Value;
use ses_perimeter::control::ControlId;

/// The formats with the endings of their files.
const FORMATS: [(&str, Writer); 6] = [
    ("csv", reports::csv::write),
    ("md", reports::markdown::write),
    ("junit.xml", reports::junit::write),
    ("sarif", reports::sarif::write),
    ("asff.json", reports::asff::write),
    ("ocsf.jsonl", reports::ocsf::write),
];

fn snap(name: &str, case: &Case) {
    // Another crate's feature changes the order of members, and with it the snapshot's digest.
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("sha256:[0-9a-f]+", "sha256:...");
    settings.add_filter("\"sha-256\": \"[0-9a-f]+\"", "\"sha-256\": \"...\"");
    settings.bind(|| {
        for (ending, writer) in FORMATS {
            let text = case.write(writer);
            let text = if ending == "sarif" { in_order(&text) } else { text };
            insta::assert_snapshot!(format!("{name}.{ending}"), text);
        }
    });
}

/// JSON with the members of every object in alphabetical order.
fn in_order(text: &str) -> String {
    fn sorted(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let members: BTreeMap<String, Value> = members.into_iter().collect();
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect()
            }
            Value::Array(items) => items.into_iter().map(sorted).collect(),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
        }
    }
    serde_json::to_string_pretty(&sorted(serde_json::from_str(text).unwrap())).unwrap()
}

#[test]
fn a_small_organization() {
    let mut case = Case::of_names(&["shop", "bank", "old"], &[6, 8]);
    case.files = [("p-versionone".to_owned(), "scp/version one.json".to_owned())].into();
    case.fixes = vec![Fix {
        controls: vec![ControlId::V2Send, ControlId::Smtp],
        title: "policy `shop` without its condition on ses:ApiVersion".to_owned(),
        diff: "--- shop\n+++ shop\n@@ -4 +4 @@\n-\"```\"\n+\"b\"\n".to_owned(),
    }];
    snap("small", &case);
}

#[test]
fn names_that_mean_something_elsewhere() {
    snap("hostile", &Case::of_names(&HOSTILE, &[8]));
}

#[test]
fn nothing_to_report() {
    let mut case = Case::of_names(&[], &[8]);
    case.snapshot = None;
    snap("empty", &case);
}

#[test]
fn the_example_in_markdown_and_csv() {
    let case = Case::example();
    insta::assert_snapshot!("example.md", case.write(reports::markdown::write));
    insta::assert_snapshot!("example.csv", case.write(reports::csv::write));
}
