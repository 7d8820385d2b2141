//! What `check` says, where it says it, and how it ends, from the program itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::collections::BTreeMap;

use common::{NOW, Place, Ran, misspelt, no_mail, organization};
use serde_json::{Value, json};
use support::organization::document;

fn results(ran: &Ran) -> Vec<Value> {
    let whole: Value = serde_json::from_str(&ran.out).unwrap();
    whole["results"].as_array().unwrap().clone()
}

fn cells(ran: &Ran) -> Vec<(String, String, String)> {
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    results(ran)
        .iter()
        .map(|e| (text(e, "accountId"), text(e, "controlId"), text(e, "status")))
        .collect()
}

#[test]
fn zero_when_every_control_passed() {
    let place = Place::with("zero", &organization(&[no_mail()]));
    let ran = place.check(&["--format", "json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(cells(&ran).len(), 2 * 19);
    assert!(
        cells(&ran).iter().all(|(_, _, status)| status == "PASSED" || status == "NOT_APPLICABLE")
    );
}

#[test]
fn one_when_some_control_failed() {
    let ran = Place::with("one", &organization(&[])).check(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert!(ran.out.contains("FAILED") || ran.out.contains("failed"), "{}", ran.out);
}

#[test]
fn one_when_some_failed_and_some_are_undecided() {
    let mut snapshot = organization(&[]);
    snapshot["gaps"] = json!([
        {"targetId": "222222222222", "operation": "ListPoliciesForTarget", "reason": "denied"}]);
    let ran = Place::with("one-and-three", &snapshot).check(&["--format", "json"]);
    assert_eq!(ran.code, 1);
    let of = |account: &str, wanted: &str| {
        cells(&ran).iter().any(|(id, _, status)| id == account && status == wanted)
    };
    assert!(of("222222222222", "UNDECIDED") && !of("222222222222", "FAILED"));
    assert!(of("333333333333", "FAILED") && !of("333333333333", "UNDECIDED"));
}

#[test]
fn three_when_an_operator_is_unknown() {
    let place = Place::with("three-operator", &organization(&[misspelt()]));
    let ran = place.check(&["--format", "json", "--control", "8"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    for entry in results(&ran) {
        assert_eq!(entry["status"], "UNDECIDED");
        let obstacle = &entry["obstacles"][0];
        assert_eq!(obstacle["policyId"], "p-number0000");
        assert_eq!(obstacle["sid"], "Misspelt");
        assert!(obstacle["message"].as_str().unwrap().contains("StringNotLikes"), "{obstacle}");
    }
}

#[test]
fn three_when_a_gap_touches_everything() {
    let mut snapshot = organization(&[no_mail()]);
    snapshot["gaps"] = json!([
        {"targetId": "r-exam", "operation": "ListPoliciesForTarget", "reason": "AccessDenied"}]);
    let ran = Place::with("three-gap", &snapshot).check(&["--format", "json"]);
    assert_eq!(ran.code, 3);
    assert!(cells(&ran).iter().all(|(_, _, s)| s == "UNDECIDED" || s == "NOT_APPLICABLE"));
    assert!(ran.out.contains("AccessDenied"));
}

#[test]
fn three_when_a_policy_is_unreadable() {
    let ran =
        Place::with("three-unreadable", &organization(&[no_mail(), json!("{\"Statement\": [")]))
            .check(&["--format", "json"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("unreadable"));
}

#[test]
fn three_when_the_budget_is_spent() {
    let place = Place::with(
        "three-budget",
        &organization(&[document(json!([
        {"Effect": "Deny", "Action": "ses:*", "Resource": "*",
         "Condition": {"ForAnyValue:StringNotLike": {"ses:Recipients": "*@example.com"}}}]))]),
    );
    let ran = place.check(&["--format", "json", "--control", "8", "--budget", "1"]);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("--budget"), "{}", ran.out);
    assert_eq!(place.check(&["--control", "8"]).code, 0);
}

#[test]
fn json_has_the_shape_that_scripts_rely_on() {
    let mut snapshot = organization(&[document(json!([
        {"Sid": "NoBulk", "Effect": "Deny", "Action": "ses:SendBulkEmail", "Resource": "*"}]))]);
    snapshot["accounts"][1]["parentId"] = json!("r-exam");
    snapshot["attachments"]
        .as_array_mut()
        .unwrap()
        .push(json!({"policyId": "p-misspelt0", "targetId": "333333333333"}));
    snapshot["policies"].as_array_mut().unwrap().push(json!({"id": "p-misspelt0",
        "name": "misspelt", "type": "SERVICE_CONTROL_POLICY", "content": misspelt()}));
    let ran = Place::with("shape", &snapshot).check(&["--format", "json"]);
    assert_eq!(ran.code, 1);
    let whole: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(whole["schemaVersion"], 1);
    assert_eq!(
        whole["tool"],
        json!({"name": "ses-perimeter", "version": env!("CARGO_PKG_VERSION")})
    );
    assert_eq!(whole["organizationId"], "o-exampleorgid");
    assert_eq!(whole["evaluatedAt"], NOW);
    let digest = whole["snapshotDigest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{digest}");
    let mut counts: BTreeMap<&str, u64> =
        [("FAILED", 0), ("PASSED", 0), ("UNDECIDED", 0), ("NOT_APPLICABLE", 0)].into();
    for entry in whole["results"].as_array().unwrap() {
        *counts.get_mut(entry["status"].as_str().unwrap()).unwrap() += 1;
        check_entry(entry);
    }
    assert!(counts.values().all(|count| *count > 0), "{counts:?}");
    assert_eq!(
        whole["summary"],
        json!({"passed": counts["PASSED"], "failed": counts["FAILED"],
               "undecided": counts["UNDECIDED"], "notApplicable": counts["NOT_APPLICABLE"]})
    );
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    // Their order is a feature of `serde_json` that some other crate of the build may turn on.
    keys.sort_unstable();
    keys
}

/// One entry of the results, by its status.
fn check_entry(entry: &Value) {
    for key in ["accountId", "accountName", "controlId", "status"] {
        assert!(entry[key].is_string(), "{key} {entry}");
    }
    for key in ["path", "decidedBy", "assumptions", "obstacles"] {
        assert!(entry[key].is_array(), "{key} {entry}");
    }
    let path = entry["path"].as_array().unwrap();
    assert_eq!(path.first().unwrap(), "r-exam");
    assert_eq!(path.last(), entry.get("accountId"));
    let status = entry["status"].as_str().unwrap();
    let filled = |key: &str| !entry[key].as_array().unwrap().is_empty();
    assert_eq!(entry.get("witness").is_some(), status == "FAILED", "{entry}");
    assert_eq!(entry.get("reason").is_some(), status == "NOT_APPLICABLE", "{entry}");
    assert_eq!(filled("decidedBy"), status == "PASSED", "{entry}");
    assert_eq!(filled("obstacles"), status == "UNDECIDED", "{entry}");
    for decider in entry["decidedBy"].as_array().unwrap() {
        if decider.get("reason").is_some() {
            assert_eq!(keys(decider), ["reason", "targetId"]);
        } else {
            assert_eq!(
                keys(decider),
                ["policyId", "policyName", "sid", "statementIndex", "targetId"]
            );
        }
    }
    let Some(witness) = entry.get("witness") else { return };
    for key in ["action", "resource", "principalArn", "sendPath"] {
        assert!(witness[key].is_string(), "{key} {witness}");
    }
    let context = witness["context"].as_object().unwrap();
    assert_eq!(context["aws:PrincipalArn"], witness["principalArn"]);
    for key in [
        "aws:PrincipalAccount",
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:PrincipalType",
        "aws:userid",
        "aws:RequestedRegion",
        "aws:SecureTransport",
        "aws:ViaAWSService",
        "aws:CurrentTime",
        "aws:EpochTime",
        "aws:PrincipalIsAWSService",
    ] {
        assert!(context.contains_key(key), "{key} {witness}");
    }
    for (key, value) in context {
        let many =
            ["aws:PrincipalOrgPaths", "ses:Recipients", "aws:TagKeys"].contains(&key.as_str());
        assert_eq!(value.is_array(), many, "{key} {value}");
        assert_eq!(value.is_string(), !many, "{key} {value}");
    }
}

#[test]
fn jsonl_has_one_object_for_each_cell() {
    let place = Place::with("jsonl", &organization(&[]));
    let lines = place.check(&["--format", "jsonl"]);
    assert_eq!(lines.code, 1);
    let parsed: Vec<Value> =
        lines.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(parsed, results(&place.check(&["--format", "json"])));
    assert_eq!(parsed.len(), 2 * 19);
}

#[test]
fn filters_leave_what_they_name() {
    let place = Place::with("filters", &organization(&[]));
    let ran = place.check(&[
        "--format",
        "json",
        "--account",
        "bank",
        "--control",
        "sesdp.9",
        "--control",
        "2",
    ]);
    let failed =
        |control: &str| ("333333333333".to_owned(), control.to_owned(), "FAILED".to_owned());
    assert_eq!(cells(&ran), [failed("SESDP.2"), failed("SESDP.9")]);
    let both = place.check(&[
        "--format",
        "json",
        "--account",
        "222222222222",
        "--account",
        "333333333333",
        "--control",
        "8",
    ]);
    assert_eq!(cells(&both).len(), 2);
}

#[test]
fn the_exit_code_is_about_what_was_asked() {
    let place = Place::with(
        "asked",
        &organization(&[document(json!([
        {"Effect": "Deny", "Action": "ses:SendBulkEmail", "Resource": "*"}]))]),
    );
    assert_eq!(place.check(&["--control", "9"]).code, 0);
    assert_eq!(place.check(&["--control", "8"]).code, 1);
    assert_eq!(place.check(&["--control", "9", "--control", "8"]).code, 1);
}

#[test]
fn disabled_controls_are_left_out() {
    let place = Place::with("disabled", &organization(&[]));
    place.write(
        "perimeter.toml",
        "[trusted]\nrecipients = [\"*@example.com\"]\n[controls]\ndisabled = [\"SESDP.8\"]\n",
    );
    let ran = place.check(&["--format", "json"]);
    assert_eq!(cells(&ran).len(), 2 * 18);
    assert!(cells(&ran).iter().all(|(_, control, _)| control != "SESDP.8"));
}

#[test]
fn warnings_are_on_standard_error_and_silenced_by_quiet() {
    let place = Place::with("warnings", &organization(&[no_mail()]));
    place.write(
        "perimeter.toml",
        "[trusted]\nrecipients = [\"*@example.com\"]\n\
         [[allowed_targets]]\nid = \"222222222223\"\nreason = \"left\"\n",
    );
    let loud = place.check(&["--format", "json"]);
    insta::assert_snapshot!("allowed_target_nowhere", loud.err);
    assert_eq!(loud.code, 0);
    let quiet = place.check(&["--format", "json", "--quiet"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""));
    assert_eq!(quiet.out, loud.out);
}

#[test]
fn the_perimeter_beside_the_snapshot_comes_first_and_a_given_one_before_it() {
    let place = Place::with("default-perimeter", &organization(&[]));
    let elsewhere = Place::empty("default-perimeter-elsewhere");
    let disable = |control: u8| {
        format!(
            "[trusted]\nrecipients = [\"*@a.example\"]\n[controls]\ndisabled = [\"SESDP.{control}\"]\n"
        )
    };
    place.write("perimeter.toml", &disable(1));
    place.write("given.toml", &disable(3));
    elsewhere.write("perimeter.toml", &disable(2));
    let missing = |ran: &Ran| {
        let shown = cells(ran);
        (1..=18)
            .map(|n| format!("SESDP.{n}"))
            .find(|name| shown.iter().all(|(_, control, _)| control != name))
            .unwrap()
    };
    let snapshot = place.path("snapshot.json").display().to_string();
    let asked = ["check", "--snapshot", &snapshot, "--format", "json"];
    assert_eq!(missing(&elsewhere.run(&asked)), "SESDP.1");
    let given = place.path("given.toml").display().to_string();
    let ran = elsewhere.run(&[&asked[..], &["--perimeter", &given]].concat());
    assert_eq!(missing(&ran), "SESDP.3");
    std::fs::remove_file(place.path("perimeter.toml")).unwrap();
    assert_eq!(missing(&elsewhere.run(&asked)), "SESDP.2");
}

#[test]
fn exemptions_expire_against_the_moment_that_is_given() {
    let place = Place::with(
        "moment",
        &organization(&[document(json!([
        {"Effect": "Deny", "Action": "ses:SendRawEmail", "Resource": "*",
         "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/News"}}}]))]),
    );
    place.write(
        "perimeter.toml",
        "[trusted]\nrecipients = [\"*@example.com\"]\n[[exemptions]]\n\
         principal_arn = \"arn:aws:iam::*:role/News\"\nreason = \"r\"\nexpires = 2026-06-30\n",
    );
    let code = |now: &str| {
        let asked = ["check", "--snapshot", "snapshot.json", "--control", "3", "--now", now];
        place.run(&asked).code
    };
    assert_eq!(code("2026-06-30T23:59:59Z"), 0);
    assert_eq!(code("2026-07-01T00:00:00Z"), 1);
    // In UTC, whatever the offset of the moment.
    assert_eq!(code("2026-07-01T01:00:00+02:00"), 0);
}

#[test]
fn two_runs_print_the_same() {
    let place = Place::with("same", &organization(&[misspelt()]));
    for format in ["text", "json", "jsonl"] {
        let (first, second) =
            (place.check(&["--format", format]), place.check(&["--format", format]));
        assert_eq!(first.out, second.out, "{format}");
        assert!(!first.out.is_empty());
    }
}

#[test]
fn a_document_may_be_an_object_or_a_string() {
    let objects = organization(&[no_mail()]);
    let mut strings = objects.clone();
    for policy in strings["policies"].as_array_mut().unwrap() {
        policy["content"] = json!(policy["content"].to_string());
    }
    let one = Place::with("as-object", &objects).check(&["--format", "jsonl"]);
    let other = Place::with("as-string", &strings).check(&["--format", "jsonl"]);
    assert_eq!(one.code, 0);
    assert_eq!(one.out, other.out);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let place = Place::with("mark", &organization(&[no_mail()]));
    let plain = place.check(&["--format", "jsonl"]);
    place.write("snapshot.json", &format!("\u{feff}{}", place.read("snapshot.json")));
    let marked = place.check(&["--format", "jsonl"]);
    assert_eq!((marked.code, marked.out), (0, plain.out), "{}", marked.err);
}

#[test]
fn a_retired_status_is_read_where_the_state_is_missing() {
    let mut snapshot = organization(&[]);
    let account = snapshot["accounts"][0].as_object_mut().unwrap();
    account.remove("state");
    account.insert("status".to_owned(), json!("SUSPENDED"));
    let ran = Place::with("status", &snapshot).check(&[
        "--format",
        "json",
        "--account",
        "shop",
        "--control",
        "8",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(cells(&ran)[0].2, "NOT_APPLICABLE");
}

#[test]
fn an_organization_without_accounts_has_no_results_and_nothing_failed() {
    let mut snapshot = organization(&[]);
    snapshot["accounts"] = json!([]);
    snapshot["attachments"] = json!([]);
    let ran = Place::with("no-accounts", &snapshot).check(&["--format", "json"]);
    assert_eq!((ran.code, results(&ran).len()), (0, 0), "{}", ran.err);
}

#[test]
fn results_in_a_file_are_the_results_on_standard_output() {
    let place = Place::with("out-file", &organization(&[]));
    place.write("results.json", "older");
    let ran = place.check(&["--format", "json", "--out", "results.json"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert_eq!(place.read("results.json"), place.check(&["--format", "json"]).out);
    assert!(!place.path("results.json.part").exists());
}
