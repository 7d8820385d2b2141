//! Whatever accounts, units and policies are called, every format can be read back.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::{Case, HOSTILE};
use proptest::prelude::*;
use quick_junit::TestCaseStatus;
use serde_json::Value;

/// Names with more of what is special than chance would give.
fn names() -> impl Strategy<Value = Vec<String>> {
    let special = prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned);
    let name = prop_oneof![special, "\\PC{1,20}", "[=+@|<>&\"'`\\]\\[{}\\n\\r\\t #-]{1,12}"];
    prop::collection::vec(name, 1..5)
}

/// `text` as formats of one line show it.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn check_csv(case: &Case, names: &[String]) {
    let text = case.write(reports::csv::write);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(text.lines().count(), rows.len() + 1, "a row is a line");
    for (row, name) in rows.iter().zip(names) {
        let shown = &row[1];
        // An account without a name is shown by its id.
        let name = if name.trim().is_empty() { row[0].to_owned() } else { name.clone() };
        assert_eq!(
            shown.strip_prefix('\'').unwrap_or(shown).trim_start_matches('\''),
            one_line(&name).trim_start_matches('\'')
        );
        for cell in row {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?}");
        }
    }
}

fn check_junit(case: &Case, accounts: usize) {
    let text = case.write(reports::junit::write);
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    assert_eq!(report.test_suites.len(), accounts);
    for suite in &report.test_suites {
        assert_eq!(suite.test_cases.len(), suite.tests);
        let failed = suite
            .test_cases
            .iter()
            .filter(|case| matches!(case.status, TestCaseStatus::NonSuccess { .. }));
        assert_eq!(failed.count(), suite.failures + suite.errors);
    }
}

fn check_json(case: &Case, accounts: usize) {
    let sarif: Value = serde_json::from_str(&case.write(reports::sarif::write)).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let asff: Value = serde_json::from_str(&case.write(reports::asff::write)).unwrap();
    assert_eq!(asff.as_array().unwrap().len(), accounts);
    let ocsf = case.write(reports::ocsf::write);
    assert_eq!(ocsf.lines().count(), accounts);
    for line in ocsf.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["class_uid"], 2003);
    }
}

/// No name opens a tag, a table cell, code or a list item of its own.
fn check_markdown(case: &Case) {
    let text = case.write(reports::markdown::write);
    assert!(text.len() <= reports::markdown::LIMIT);
    let tags = [
        "<!-- ses-perimeter -->",
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "<code>",
        "</code>",
    ];
    let bare = tags.iter().fold(text.clone(), |text, tag| text.replace(tag, ""));
    assert!(!bare.contains(['<', '>']), "{text}");
    assert_eq!(text.matches("<code>").count(), text.matches("</code>").count());
    for line in text.lines() {
        let own = line.is_empty()
            || ["#", "<", "-", "**", "|"].iter().any(|start| line.starts_with(start))
            || line.starts_with(|c: char| c.is_ascii_digit())
            || line.starts_with("The same cause");
        assert!(own, "{line:?}");
        if line.starts_with('|') {
            assert_eq!(line.matches('|').count(), 7, "{line}");
        }
    }
}

fn all(names: &[String]) {
    let texts: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut case = Case::of_names(&texts, &[8]);
    case.snapshot = names.first().cloned();
    case.files = [("p-versionone".to_owned(), names.concat())].into();
    check_csv(&case, names);
    check_junit(&case, names.len());
    check_json(&case, names.len());
    check_markdown(&case);
}

#[test]
fn hostile_names_stay_text() {
    all(&HOSTILE.map(str::to_owned));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_name_stays_text(names in names()) {
        all(&names);
    }
}
