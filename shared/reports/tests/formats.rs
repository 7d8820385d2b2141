//! Every format of small organizations, as it stands.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::{Case, HOSTILE, Writer};
use reports::Fix;
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
    for (ending, writer) in FORMATS {
        insta::assert_snapshot!(format!("{name}.{ending}"), case.write(writer));
    }
}

#[test]
fn a_small_organization() {
    let mut case = Case::of_names(&["shop", "bank", "old"], &[6, 8]);
    case.files = [("p-versionone".to_owned(), "scp/version one.json".to_owned())].into();
    case.fixes = vec![Fix {
        controls: vec![ControlId::new(6).unwrap(), ControlId::new(8).unwrap()],
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
