//! Runs `tests/cases/exposure/ok` and `err`: whole exposure sections.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use support::cases::{self, Input};

fn inputs(folder: &str) -> Vec<(String, Input)> {
    cases::inputs(&format!("exposure/{folder}"), &["json"], &["snap"])
}

#[test]
fn a_bad_section_is_refused_with_the_expected_report() {
    cases::run(20, inputs("err"), |input| {
        let error = exposure::read(&input.text).err().unwrap_or_else(|| panic!("it was read"));
        for problem in error.problems() {
            assert!(problem.help.is_some(), "{problem} says not what to do");
        }
        input.compare(&input.report(error));
    });
}

#[test]
fn a_good_section_is_read_and_written_without_a_loss() {
    cases::run(2, inputs("ok"), |input| {
        let section =
            exposure::read(&input.text).unwrap_or_else(|error| panic!("{}", input.report(error)));
        assert!(!section.accounts.is_empty());
        let written = serde_json::to_value(exposure::wire::WireSection::from(&section)).unwrap();
        assert_eq!(exposure::read(&written.to_string()).unwrap(), section);
        // Numbers may be written otherwise; every field must be there again.
        assert_eq!(paths_of(&written), paths_of(&input.json()));
    });
}

/// Every place in a document.
fn paths_of(value: &serde_json::Value) -> Vec<String> {
    fn walk(value: &serde_json::Value, place: &str, found: &mut Vec<String>) {
        found.push(place.to_owned());
        if let Some(object) = value.as_object() {
            object.iter().for_each(|(key, value)| walk(value, &format!("{place}.{key}"), found));
        }
        if let Some(list) = value.as_array() {
            let each = list.iter().enumerate();
            each.for_each(|(index, value)| walk(value, &format!("{place}[{index}]"), found));
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found.sort();
    found
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the page is a file")]
fn the_example_of_the_page_is_read() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/exposure.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let section = exposure::read(example).unwrap();
    let standing = exposure::standing(section.accounts.first(), &["us-east-1", "af-south-1"]);
    assert_eq!(standing.level, ses_perimeter::severity::Level::Sending);
}
