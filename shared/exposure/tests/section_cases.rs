//! Runs `tests/cases/exposure/ok` and `err`: whole exposure sections.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "the cases are files")]

use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme, NamedSource, Report};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases/exposure");

fn cases(folder: &str) -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(Path::new(CASES).join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let with = |extension: &str| {
        let fits = |path: &&PathBuf| path.extension().is_some_and(|found| found == extension);
        paths.iter().filter(fits).map(|path| path.with_extension("")).collect::<Vec<_>>()
    };
    let inputs = with("json");
    let orphans: Vec<_> = with("snap").into_iter().filter(|path| !inputs.contains(path)).collect();
    assert!(orphans.is_empty(), "expected outcomes without a section: {orphans:?}");
    inputs
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path.with_extension("json")).unwrap())
        })
        .collect()
}

fn rendered(name: &str, text: &str, error: exposure::ExposureError) -> String {
    let source = NamedSource::new(format!("{name}.json"), text.to_owned());
    let report = Report::new(error).with_source_code(source);
    let mut shown = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut shown, report.as_ref())
        .unwrap();
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[test]
fn a_bad_section_is_refused_with_the_expected_report() {
    let cases = cases("err");
    assert!(cases.len() >= 20);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(CASES).join("err"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, text) in cases {
            let error = exposure::read(&text).err().unwrap_or_else(|| panic!("{name} was read"));
            for problem in error.problems() {
                assert!(problem.help.is_some(), "{name}: {problem} says not what to do");
            }
            insta::assert_snapshot!(name.clone(), rendered(&name, &text, error));
        }
    });
}

#[test]
fn a_good_section_is_read_and_written_without_a_loss() {
    let cases = cases("ok");
    assert!(cases.len() >= 2);
    for (name, text) in cases {
        let section = exposure::read(&text)
            .unwrap_or_else(|error| panic!("{}", rendered(&name, &text, error)));
        assert!(!section.accounts.is_empty(), "{name}");
        let written = serde_json::to_value(exposure::wire::Section::from(&section)).unwrap();
        assert_eq!(exposure::read(&written.to_string()).unwrap(), section, "{name}");
        // Numbers may be written otherwise; every field must be there again.
        let original: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(paths_of(&written), paths_of(&original), "{name}");
    }
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
fn the_example_of_the_page_is_read() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/exposure.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let section = exposure::read(example).unwrap();
    let standing = exposure::standing(section.accounts.first(), &["us-east-1", "af-south-1"]);
    assert_eq!(standing.level, ses_perimeter::severity::Level::Sending);
}
