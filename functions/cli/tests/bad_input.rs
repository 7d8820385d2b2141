//! Input that cannot be used: exit code 2, nothing on standard output, and a message on standard
//! error that names the file and the place.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;

use common::{Place, Ran, no_mail, organization};
use serde_json::{Value, json};

/// The message of a run that was refused.
fn refused(ran: &Ran) -> &str {
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out, "");
    assert!(!ran.err.is_empty());
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    &ran.err
}

/// Runs `check` on a snapshot with this text and gives back the message.
fn message(name: &str, snapshot: &str) -> String {
    let place = Place::with(name, &json!({}));
    place.write("snapshot.json", snapshot);
    refused(&place.check(&[])).to_owned()
}

/// `text` with its file, and the line and column of `at`.
fn says_where(message: &str, text: &str, at: &str) {
    let before = text.split(at).next().unwrap();
    assert!(before.len() < text.len(), "{at} is not in the text");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    let place = format!("snapshot.json:{line}:{column}");
    assert!(message.contains(&place), "no {place} in\n{message}");
}

fn pretty(snapshot: &Value) -> String {
    serde_json::to_string_pretty(&sorted(snapshot)).unwrap()
}

/// The same with sorted keys. Whether `serde_json` keeps their order is a feature that some other
/// crate of the build may turn on.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            sorted.into_iter().map(|(key, value)| (key.clone(), self::sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[test]
fn without_arguments_the_usage_is_shown() {
    let place = Place::empty("no-arguments");
    let ran = place.run(&[]);
    assert!(refused(&ran).contains("Usage: ses-perimeter"), "{}", ran.err);
}

#[test]
fn a_misspelt_command_or_option_gets_a_suggestion() {
    let place = Place::empty("misspelt-option");
    assert!(refused(&place.run(&["chek"])).contains("'check'"));
    assert!(refused(&place.run(&["check", "--snapshto", "x"])).contains("'--snapshot'"));
    assert!(refused(&place.run(&["check", "--format", "xml"])).contains("jsonl"));
    assert!(refused(&place.run(&["check", "--now", "yesterday"])).contains("--now"));
}

#[cfg(not(feature = "live"))]
#[test]
fn without_live_access_the_help_says_how_to_give_a_snapshot() {
    let place = Place::with("no-snapshot", &json!({}));
    for arguments in [&["check"][..], &["explain", "shop"], &["fetch", "--out", "x"], &["doctor"]] {
        let ran = place.run(arguments);
        assert!(refused(&ran).contains("without live access"), "{}", ran.err);
        assert!(ran.err.contains("--snapshot FILE"), "{}", ran.err);
    }
}

#[test]
fn a_missing_snapshot_is_named() {
    let ran = Place::empty("missing-file").run(&["check", "--snapshot", "nowhere.json"]);
    insta::assert_snapshot!("missing_snapshot", refused(&ran));
}

#[test]
fn a_folder_is_no_snapshot() {
    let place = Place::empty("folder-as-file");
    std::fs::create_dir(place.path("folder")).unwrap();
    assert!(refused(&place.run(&["check", "--snapshot", "folder"])).contains("folder"));
}

#[test]
fn what_is_not_json_is_shown_with_its_place() {
    let text = "{\n  \"schemaVersion\": 1,\n  accounts: []\n}";
    let said = message("not-json", text);
    says_where(&said, text, "accounts");
    insta::assert_snapshot!("not_json", said);
}

#[test]
fn a_truncated_snapshot_is_refused_wherever_it_was_cut() {
    let whole = pretty(&organization(&[no_mail()]));
    let place = Place::with("truncated", &json!({}));
    for part in 0..40 {
        let cut = whole.len() * part / 40;
        place.write("snapshot.json", whole.get(..cut).unwrap());
        let ran = place.check(&[]);
        assert!(refused(&ran).contains("snapshot.json:"), "cut at {cut}: {}", ran.err);
    }
}

#[test]
fn what_is_not_utf_8_is_refused_with_its_place() {
    let place = Place::with("not-utf-8", &json!({}));
    std::fs::write(place.path("snapshot.json"), b"{\"schemaVersion\": \"\xff\"}").unwrap();
    let ran = place.check(&[]);
    assert!(refused(&ran).contains("snapshot.json"), "{}", ran.err);
    assert!(!ran.err.contains("Failed to read"), "{}", ran.err);
}

#[test]
fn what_is_not_utf_8_is_refused() {
    let place = Place::with("not-utf-8-at-all", &json!({}));
    std::fs::write(place.path("snapshot.json"), b"{\"schemaVersion\": \"\xff\"}").unwrap();
    assert!(refused(&place.check(&[])).contains("not UTF-8"));
}

#[test]
fn a_hundred_megabytes_of_nesting_do_no_harm() {
    let place = Place::with("deep", &json!({}));
    let mut file = std::fs::File::create(place.path("snapshot.json")).unwrap();
    let megabyte = vec![b'['; 1 << 20];
    for _ in 0..100 {
        file.write_all(&megabyte).unwrap();
    }
    drop(file);
    let ran = place.check(&[]);
    assert!(refused(&ran).contains("snapshot.json:1:"), "{}", ran.err);
    assert!(ran.err.len() < 4000, "the message must not hold the file: {}", ran.err.len());
}

#[test]
fn an_account_that_is_listed_twice_is_refused_with_both_places() {
    let mut snapshot = organization(&[]);
    let again = snapshot["accounts"][0].clone();
    snapshot["accounts"].as_array_mut().unwrap().push(again);
    let said = message("twice", &pretty(&snapshot));
    insta::assert_snapshot!("account_twice", said);
}

#[test]
fn a_loop_of_units_is_refused() {
    let mut snapshot = organization(&[]);
    snapshot["organizationalUnits"] = json!([
        {"id": "ou-exam-workload", "name": "One", "parentId": "ou-exam-other001"},
        {"id": "ou-exam-other001", "name": "Two", "parentId": "ou-exam-workload"}]);
    insta::assert_snapshot!("loop", message("loop", &pretty(&snapshot)));
}

#[test]
fn an_attachment_to_nowhere_is_refused() {
    let mut snapshot = organization(&[]);
    snapshot["attachments"][1]["targetId"] = json!("ou-exam-workloas");
    let text = pretty(&snapshot);
    let said = message("nowhere", &text);
    says_where(&said, &text, "\"ou-exam-workloas\"");
    insta::assert_snapshot!("attachment_to_nowhere", said);
}

#[test]
fn an_attachment_of_no_policy_is_refused() {
    let mut snapshot = organization(&[]);
    snapshot["attachments"][0]["policyId"] = json!("p-FullAWSAcces");
    let text = pretty(&snapshot);
    let said = message("no-policy", &text);
    says_where(&said, &text, "\"p-FullAWSAcces\"");
    assert!(
        said.contains("did you mean `p-FullAWSAccess`") || said.contains("p-FullAWSAccess?"),
        "{said}"
    );
}

#[test]
fn a_parent_that_is_missing_is_refused() {
    let mut snapshot = organization(&[]);
    snapshot["accounts"][1]["parentId"] = json!("ou-exam-gone0000");
    let text = pretty(&snapshot);
    says_where(&message("no-parent", &text), &text, "\"ou-exam-gone0000\"");
}

#[test]
fn another_schema_version_is_refused() {
    let mut snapshot = organization(&[]);
    snapshot["schemaVersion"] = json!(2);
    let text = pretty(&snapshot);
    let said = message("schema", &text);
    assert!(said.contains("snapshot.json:") && said.contains("schemaVersion"), "{said}");
}

/// Runs `check` beside a perimeter with this text.
fn perimeter(name: &str, text: &str) -> String {
    let place = Place::with(name, &organization(&[]));
    place.write("perimeter.toml", text);
    refused(&place.check(&[])).to_owned()
}

#[test]
fn an_unknown_key_of_the_perimeter_is_refused_by_name() {
    let said = perimeter(
        "unknown-key",
        "[trusted]\nrecipients = [\"*@example.com\"]\n\n[[exemption]]\nreason = \"r\"\n",
    );
    assert!(said.contains("perimeter.toml:4"), "{said}");
    insta::assert_snapshot!("perimeter_unknown_key", said);
}

#[test]
fn an_invalid_pattern_of_the_perimeter_is_refused() {
    let said = perimeter("pattern", "[trusted]\nrecipients = [\"example.com\"]\n");
    assert!(said.contains("perimeter.toml:2"), "{said}");
    insta::assert_snapshot!("perimeter_pattern", said);
}

#[test]
fn a_perimeter_that_is_not_toml_is_refused() {
    let said = perimeter("not-toml", "[trusted]\nrecipients = [\"*@example.com\"\n");
    assert!(said.contains("perimeter.toml:"), "{said}");
}

#[test]
fn a_perimeter_that_is_nowhere_is_asked_for() {
    let place = Place::with("no-perimeter", &organization(&[]));
    std::fs::remove_file(place.path("perimeter.toml")).unwrap();
    insta::assert_snapshot!("no_perimeter", refused(&place.check(&[])));
    let ran = place.check(&["--perimeter", "elsewhere.toml"]);
    assert!(refused(&ran).contains("elsewhere.toml"), "{}", ran.err);
}

#[test]
fn an_account_that_is_not_there_gets_a_suggestion() {
    let place = Place::with("no-account", &organization(&[]));
    insta::assert_snapshot!(
        "unknown_account",
        refused(&place.check(&["--account", "222222222221"]))
    );
    assert!(refused(&place.check(&["--account", ""])).contains("no account"));
}

#[test]
fn a_name_of_two_accounts_is_refused() {
    let mut snapshot = organization(&[]);
    snapshot["accounts"][1]["name"] = json!("shop");
    let place = Place::with("ambiguous", &snapshot);
    let ran = place.check(&["--account", "shop"]);
    assert!(refused(&ran).contains("2 accounts are named `shop`"), "{}", ran.err);
}

#[test]
fn a_control_that_is_not_there_is_refused() {
    let place = Place::with("no-control", &organization(&[]));
    insta::assert_snapshot!("unknown_control", refused(&place.check(&["--control", "SESDP.25"])));
    for control in ["0", "SESDP.08", "SESDP.", "-1", "1.0", "999999999999999999999", ""] {
        let given = format!("--control={control}");
        refused(&place.check(&[&given]));
    }
}

#[test]
fn a_place_that_cannot_be_written_leaves_the_older_file() {
    let place = Place::with("unwritable", &organization(&[]));
    place.write("results.json", "older");
    // Where the new file would be put together, something is in the way.
    std::fs::create_dir(place.path("results.json.part")).unwrap();
    let ran = place.check(&["--format", "json", "--out", "results.json"]);
    assert!(refused(&ran).contains("results.json"), "{}", ran.err);
    assert_eq!(place.read("results.json"), "older");
    assert!(place.path("results.json.part").is_dir());
}

#[test]
fn a_folder_that_is_not_there_is_not_written_to() {
    let place = Place::with("no-folder", &organization(&[]));
    let ran = place.check(&["--out", "gone/results.json"]);
    assert!(refused(&ran).contains("gone/results.json"), "{}", ran.err);
    assert!(!place.path("gone").exists());
}

#[test]
fn a_folder_is_not_replaced_by_results() {
    let place = Place::with("folder-as-out", &organization(&[]));
    std::fs::create_dir(place.path("results")).unwrap();
    place.write("results/inside", "kept");
    refused(&place.check(&["--out", "results"]));
    assert_eq!(place.read("results/inside"), "kept");
    assert!(!place.path("results.part").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let place = Place::with("full", &organization(&[]));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for format in ["text", "json", "jsonl"] {
        let output = place
            .command(&["check", "--snapshot", "snapshot.json", "--format", format])
            .stdout(full.try_clone().unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{format}");
        assert!(
            String::from_utf8(output.stderr).unwrap().contains("cannot be written"),
            "{format}"
        );
    }
}

#[test]
fn every_command_refuses_a_bad_snapshot_alike() {
    let place = Place::with("alike", &json!({}));
    place.write("snapshot.json", "{");
    let ran = place.run(&["explain", "shop", "--snapshot", "snapshot.json"]);
    assert_eq!(refused(&ran), refused(&place.check(&[])));
}
