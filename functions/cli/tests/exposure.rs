//! What is set up in the accounts: the controls about it and the severity that it makes, from the
//! program itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::collections::BTreeMap;

use common::{NOW, Place, Ran};
use serde_json::{Value, json};

fn example() -> Place {
    Place::example("exposure")
}

fn run(place: &Place, command: &[&str]) -> Ran {
    place.run(&[command, &["--snapshot", "snapshot.json", "--now", NOW]].concat())
}

fn results(place: &Place, arguments: &[&str]) -> Value {
    let ran = run(place, &[&["check", "--format", "json"], arguments].concat());
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

/// Account to control to the part of its result under `field`.
fn by_account(results: &Value, field: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut found: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for entry in results["results"].as_array().unwrap() {
        let [account, control] = ["accountName", "controlId"].map(|f| entry[f].as_str().unwrap());
        found
            .entry(account.to_owned())
            .or_default()
            .insert(control.to_owned(), entry[field].clone());
    }
    found
}

fn edit(place: &Place, change: impl FnOnce(&mut Value)) {
    let mut snapshot: Value = serde_json::from_str(&place.read("snapshot.json")).unwrap();
    change(&mut snapshot);
    place.write("snapshot.json", &snapshot.to_string());
}

#[test]
fn the_level_of_an_account_makes_the_severity_of_its_failures_and_the_finding_says_by_which_rule() {
    let place = example();
    let controls = "\n[controls]\nseverity = { \"SESDP.5\" = \"CRITICAL\" }\n";
    place.write("perimeter.toml", &format!("{}{controls}", place.read("perimeter.toml")));
    let severities = by_account(&results(&place, &[]), "severity");
    let ran = run(&place, &["check", "--format", "asff"]);
    let findings: Value = serde_json::from_str(&ran.out).unwrap();
    for (account, level, [critical, high, low]) in [
        ("shop", "SENDING", ["CRITICAL", "CRITICAL", "LOW"]),
        ("newsletter", "PRODUCTION", ["HIGH", "HIGH", "LOW"]),
        ("lab", "SANDBOX", ["MEDIUM", "MEDIUM", "LOW"]),
        ("archive", "PAUSED", ["MEDIUM", "MEDIUM", "LOW"]),
        ("idle", "NOT_IN_USE", ["LOW", "LOW", "LOW"]),
        ("secret", "UNKNOWN", ["CRITICAL", "HIGH", "LOW"]),
    ] {
        // SESDP.9 is HIGH and SESDP.11 LOW by itself.
        for (control, label) in [("SESDP.5", critical), ("SESDP.9", high), ("SESDP.11", low)] {
            let found = &severities[account][control];
            assert_eq!(
                (&found["level"], &found["label"]),
                (&json!(level), &json!(label)),
                "{account} {control}"
            );
            let rule = found["rule"].as_str().unwrap();
            let all = findings.as_array().unwrap();
            let finding = all.iter().find(|finding| {
                let fields = &finding["ProductFields"];
                fields["ses-perimeter/accountName"] == account
                    && fields["ses-perimeter/control"] == control
            });
            let finding = finding.unwrap();
            assert_eq!(finding["FindingProviderFields"]["Severity"]["Label"], *label);
            assert_eq!(finding["FindingProviderFields"]["Severity"]["Original"], found["own"]);
            assert_eq!(finding["ProductFields"]["ses-perimeter/severityRule"], rule);
            assert!(finding["Description"].as_str().unwrap().contains(rule), "{finding:#}");
        }
        assert_eq!(severities[account]["SESDP.2"], Value::Null, "only failures are graded");
    }
}

#[test]
fn controls_about_what_is_set_up_say_what_is_at_fault_and_show_a_request_where_a_policy_is() {
    let place = example();
    let results = results(&place, &[]);
    let statuses = by_account(&results, "status");
    let expected = |statuses: [&str; 5]| -> BTreeMap<String, Value> {
        (19..).zip(statuses).map(|(n, status)| (format!("SESDP.{n}"), json!(status))).collect()
    };
    let (passed, failed, open, none) = ("PASSED", "FAILED", "UNDECIDED", "NOT_APPLICABLE");
    for (account, wanted) in [
        ("quillmark", [passed, passed, passed, passed, failed]),
        ("shop", [failed, passed, passed, passed, none]),
        ("newsletter", [passed, failed, failed, passed, none]),
        ("lab", [passed, passed, passed, passed, none]),
        ("archive", [passed, passed, passed, failed, none]),
        ("idle", [passed, passed, passed, passed, none]),
        ("secret", [open, open, open, open, none]),
    ] {
        let mut found = statuses[account].clone();
        found.retain(|control, _| expected(wanted).contains_key(control));
        assert_eq!(found, expected(wanted), "{account}");
    }
    let (witnesses, faults) = (by_account(&results, "witness"), by_account(&results, "faults"));
    let outsider = &witnesses["shop"]["SESDP.19"];
    assert_eq!(outsider["action"], "ses:SendEmail");
    assert_eq!(outsider["context"]["aws:PrincipalAccount"], "999999999999");
    assert_eq!(faults["shop"]["SESDP.19"][0]["witness"], *outsider);
    assert_eq!(faults["archive"]["SESDP.22"][0]["region"], "us-east-1");
    assert_eq!(witnesses["archive"]["SESDP.22"], Value::Null, "a relay is no request");
    assert_eq!(results["uncheckedFields"][0]["status"], none);
}

#[test]
fn text_and_explain_show_what_is_set_up() {
    let place = example();
    let shown = |name: &str, ran: &Ran| {
        let mut settings = insta::Settings::clone_current();
        settings.add_filter("sha256:[0-9a-f]+", "sha256:...");
        settings.bind(|| insta::assert_snapshot!(name, ran.out));
    };
    let ran = run(&place, &["check"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    shown("text", &ran);
    shown("explain_failed", &run(&place, &["explain", "shop", "SESDP.19"]));
    shown("explain_undecided", &run(&place, &["explain", "secret", "SESDP.22"]));
    shown("explain_account", &run(&place, &["explain", "newsletter"]));
}

#[test]
fn without_the_section_nothing_is_said_about_what_is_set_up() {
    let place = example();
    edit(&place, |snapshot| {
        snapshot.as_object_mut().unwrap().remove("exposure");
    });
    let results = results(&place, &[]);
    assert_eq!(results["uncheckedFields"], Value::Null);
    let all = results["results"].as_array().unwrap();
    assert!(all.iter().all(|entry| entry["severity"].is_null()), "nothing is graded");
    let controls: std::collections::BTreeSet<&str> =
        all.iter().map(|entry| entry["controlId"].as_str().unwrap()).collect();
    assert_eq!(controls.len(), 19, "{controls:?}");
    for command in [&["check", "--control", "SESDP.19"][..], &["explain", "shop", "SESDP.19"]] {
        let ran = run(&place, command);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains("is decided by what is set up in the accounts"), "{}", ran.err);
        assert!(ran.err.contains("fetch --exposure"), "{}", ran.err);
    }
}

#[test]
fn fix_refuses_what_no_policy_of_the_organization_closes() {
    let ran = run(&example(), &["fix", "--control", "SESDP.19"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("no service control policy closes SESDP.19"), "{}", ran.err);
    assert!(ran.err.contains("sending authorization policy"), "{}", ran.err);
}

#[test]
fn a_damaged_section_is_refused_with_its_place_in_the_snapshot() {
    let place = example();
    place.write("snapshot.json", &place.read("snapshot.json").replace("notOptedIn", "never"));
    let ran = run(&place, &["check"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("`never`") && ran.err.contains("snapshot.json:"), "{}", ran.err);
}

#[test]
fn an_account_that_the_section_lacks_is_undecided_and_keeps_its_severities() {
    let place = example();
    edit(&place, |snapshot| {
        let all = snapshot["exposure"]["accounts"].as_array_mut().unwrap();
        all.retain(|entry| entry["account"] != "666666666666");
    });
    let results = results(&place, &["--account", "idle"]);
    let statuses = &by_account(&results, "status")["idle"];
    for control in ["SESDP.19", "SESDP.20", "SESDP.21", "SESDP.22"] {
        assert_eq!(statuses[control], "UNDECIDED", "{control}");
    }
    let severity = &by_account(&results, "severity")["idle"]["SESDP.9"];
    assert_eq!((&severity["level"], &severity["label"]), (&json!("UNKNOWN"), &json!("HIGH")));
}

#[test]
fn a_gap_in_the_list_of_accounts_leaves_open_who_is_an_outsider() {
    let place = example();
    edit(&place, |snapshot| {
        snapshot["gaps"] = json!([{
            "targetId": "ou-quil-workload", "operation": "ListAccountsForParent", "reason": "denied"
        }]);
    });
    let statuses = by_account(&results(&place, &[]), "status");
    for control in ["SESDP.19", "SESDP.20", "SESDP.21"] {
        assert_eq!(statuses["shop"][control], "UNDECIDED", "{control}");
        assert_eq!(statuses["quillmark"][control], "UNDECIDED", "{control}");
    }
    assert_eq!(statuses["archive"]["SESDP.22"], "FAILED", "hosts hang on no account");
}

#[test]
fn regions_that_are_switched_off_are_open_unless_the_perimeter_says_that_they_are_empty() {
    let place = example();
    place.write(
        "snapshot.json",
        &place.read("snapshot.json").replace("notOptedIn", "regionDisabled"),
    );
    assert_eq!(by_account(&results(&place, &[]), "status")["idle"]["SESDP.19"], "UNDECIDED");
    let perimeter = place.read("perimeter.toml").replace("\"unknown\"", "\"empty\"");
    place.write("perimeter.toml", &perimeter);
    let results = results(&place, &[]);
    assert_eq!(by_account(&results, "status")["idle"]["SESDP.19"], "PASSED");
    let assumed = by_account(&results, "assumptions")["idle"]["SESDP.19"].to_string();
    assert!(assumed.contains("switched off (eu-south-1"), "{assumed}");
    assert_eq!(by_account(&results, "severity")["idle"]["SESDP.9"]["level"], "NOT_IN_USE");
}

#[test]
fn accounts_that_may_mail_anyone_are_left_out_of_these_controls_too() {
    let place = example();
    let perimeter = place.read("perimeter.toml");
    let target = "\n[[allowed_targets]]\nid = \"222222222222\"\nreason = \"by design\"\n";
    place.write("perimeter.toml", &format!("{perimeter}{target}"));
    let statuses = by_account(&results(&place, &[]), "status");
    assert!(statuses["shop"].values().all(|status| status == "NOT_APPLICABLE"), "{statuses:?}");
}

#[test]
fn where_the_perimeter_says_that_there_is_no_mail_manager_its_gap_leaves_nothing_open() {
    let place = example();
    edit(&place, |snapshot| {
        for entry in snapshot["exposure"]["accounts"].as_array_mut().unwrap() {
            for region in entry["regions"].as_array_mut().unwrap() {
                if region["region"] == "ap-northeast-3" && region["status"] == "read" {
                    region["mailManager"] = json!({"gap": {
                        "call": "ses:ListRelays", "reason": "the name does not resolve"
                    }});
                }
            }
        }
    });
    let open = results(&place, &["--account", "idle"]);
    assert_eq!(by_account(&open, "status")["idle"]["SESDP.22"], "UNDECIDED");
    assert_eq!(by_account(&open, "severity")["idle"]["SESDP.9"]["level"], "UNKNOWN");

    let setting = "without_mail_manager = [\"ap-northeast-3\", \"us-east-1\"]\ndisabled_regions";
    let perimeter = place.read("perimeter.toml").replacen("disabled_regions", setting, 1);
    place.write("perimeter.toml", &perimeter);
    let told = results(&place, &["--account", "idle", "--account", "archive"]);
    assert_eq!(by_account(&told, "status")["idle"]["SESDP.22"], "PASSED");
    let assumed = by_account(&told, "assumptions")["idle"]["SESDP.22"].to_string();
    assert!(assumed.contains("no Mail Manager in ap-northeast-3"), "{assumed}");
    assert_eq!(by_account(&told, "severity")["idle"]["SESDP.9"]["level"], "NOT_IN_USE");
    // What was read stands, whatever the perimeter says: the relay is in us-east-1.
    assert_eq!(by_account(&told, "status")["archive"]["SESDP.22"], "FAILED");
}
