//! `fix`, `what-if` and `diff`, from the program itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use common::{NOW, Place, Ran, misspelt, no_mail, organization};
use serde_json::{Value, json};
use support::organization::document;

fn example() -> Place {
    Place::example("organization")
}

fn run(place: &Place, command: &str, arguments: &[&str]) -> Ran {
    let whole = [&[command, "--snapshot", "snapshot.json", "--now", NOW], arguments].concat();
    place.run(&whole)
}

fn parsed(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

/// Puts the policies and attachments of `fix --format json` into the snapshot of the folder.
fn put_in(place: &Place, fix: &Value) {
    let mut snapshot: Value = serde_json::from_str(&place.read("snapshot.json")).unwrap();
    for policy in fix["policies"].as_array().unwrap() {
        let all = snapshot["policies"].as_array_mut().unwrap();
        all.retain(|other| other["id"] != policy["id"]);
        all.push(policy.clone());
    }
    let all = snapshot["attachments"].as_array_mut().unwrap();
    all.extend(fix["attachments"].as_array().unwrap().iter().cloned());
    place.write("snapshot.json", &snapshot.to_string());
}

/// A policy that splits by version, as published examples do: SMTP slips through.
fn by_version() -> Value {
    // Text, because its order shows.
    r#"{"Version": "2012-10-17", "Statement": [{"Sid": "OnlyTrusted", "Effect": "Deny", "Action": ["ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail", "ses:SendBulkTemplatedEmail"], "Resource": "*", "Condition": {"StringEquals": {"ses:ApiVersion": "1"}, "ForAnyValue:StringNotLike": {"ses:Recipients": "*@example.com"}}}]}"#.into()
}

/// Compares without digests, which hang on the order of the snapshot's members.
fn assert_shown(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("sha256:[0-9a-f]+", "sha256:...");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn the_json_of_a_fix_put_into_the_example_makes_every_control_pass() {
    let place = example();
    let ran = run(&place, "fix", &["--format", "json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let fix = parsed(&ran);
    assert!(fix["closed"].as_array().unwrap().len() > 50);
    put_in(&place, &fix);
    let ran = place.check(&["--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[test]
fn one_policy_below_5120_characters_closes_the_guidance_smtp_and_bulk() {
    let place = Place::with("changes-guidance", &organization(&[by_version()]));
    let controls: Vec<String> = (1..=9).map(|n| n.to_string()).collect();
    let chosen: Vec<&str> = controls.iter().flat_map(|n| ["--control", n.as_str()]).collect();
    let fix = parsed(&run(&place, "fix", &[&chosen[..], &["--format", "json"]].concat()));
    assert_eq!(fix["left"], json!([]));
    let policies = fix["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 1);
    assert!(policies[0]["content"].as_str().unwrap().chars().count() < 5_120);
    put_in(&place, &fix);
    assert_eq!(place.check(&chosen).code, 0);
}

#[test]
fn statements_go_into_a_policy_that_is_about_ses_already() {
    let place = Place::with("changes-extend", &organization(&[by_version()]));
    let ran = run(&place, "fix", &["--control", "8"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_shown("fix_extends", &ran.out);
}

#[test]
fn a_fix_of_one_account_touches_no_other() {
    let place = Place::with("changes-account", &organization(&[by_version()]));
    let fix = parsed(&run(&place, "fix", &["bank", "--control", "8", "--format", "json"]));
    let at: Vec<&str> = fix["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|attachment| attachment["targetId"].as_str())
        .collect();
    assert_eq!(at, ["333333333333"]);
    assert!(fix["changed"].as_array().unwrap().iter().all(|cell| cell["accountName"] == "bank"));
}

#[test]
fn a_fix_in_every_format() {
    let place = Place::with("changes-formats", &organization(&[by_version()]));
    for format in ["terraform", "cloudformation", "aws-cli"] {
        for (kind, arguments) in [("new", ["shop"].as_slice()), ("changed", &[])] {
            let whole = [arguments, &["--control", "8", "--format", format]].concat();
            let ran = run(&place, "fix", &whole);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""));
            assert_shown(&format!("fix_{format}_{kind}"), &ran.out);
        }
    }
    let template = parsed(&run(&place, "fix", &["--control", "8", "--format", "cloudformation"]));
    let policy = &template["Resources"]["Policy0"]["Properties"];
    assert_eq!(policy["TargetIds"], json!(["ou-exam-workload"]));
    assert_eq!(policy["Content"]["Statement"].as_array().unwrap().len(), 3);
}

/// The script is given to the shell with an `aws` that only writes down what it is asked.
#[cfg(unix)]
#[test]
fn the_script_of_a_fix_calls_the_aws_cli_with_the_document_as_it_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::with("changes-script", &organization(&[]));
    let hostile = "p'$(touch x)`id`";
    let mut snapshot = organization(&[by_version()]);
    snapshot["policies"][1]["name"] = hostile.into();
    place.write("snapshot.json", &snapshot.to_string());
    let fix = parsed(&run(&place, "fix", &["--control", "8", "--format", "json"]));
    let script = run(&place, "fix", &["--control", "8", "--format", "aws-cli"]).out;
    place.write("fix.sh", &script);
    place.write(
        "aws",
        "#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done >> calls\necho p-given001\n",
    );
    std::fs::set_permissions(place.path("aws"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let folder = place.path("").canonicalize().unwrap();
    let status = std::process::Command::new("/bin/sh")
        .arg("fix.sh")
        .current_dir(&folder)
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .status()
        .unwrap();
    assert!(status.success());
    let calls = place.read("calls");
    let words: Vec<&str> = calls.split('\0').collect();
    let after = |word: &str| words[words.iter().position(|found| *found == word).unwrap() + 1];
    assert_eq!(words[..2], ["organizations", "update-policy"]);
    assert_eq!(after("--policy-id"), "p-number0000");
    assert_eq!(after("--content"), fix["policies"][0]["content"].as_str().unwrap());
    assert!(!place.path("x").exists());
}

#[test]
fn what_cannot_be_fixed_is_said_with_the_number_that_is_missing() {
    let mut snapshot = organization(&[]);
    snapshot["gaps"] = json!([
        {"targetId": "222222222222", "operation": "ListPoliciesForTarget", "reason": "denied"}]);
    let place = Place::with("changes-left", &snapshot);
    let ran = run(&place, "fix", &["--control", "8"]);
    assert_eq!(ran.code, 1);
    assert_shown("fix_left_gap", &ran.out);
    let mut snapshot = organization(&[]);
    snapshot["policies"][0]["awsManaged"] = true.into();
    let place = Place::with("changes-full", &snapshot);
    let ran = run(&place, "fix", &["--control", "8", "--quota-policies", "1"]);
    assert_eq!(ran.code, 1);
    assert_shown("fix_left_full", &ran.out);
    let ran = run(&place, "fix", &["--control", "8", "--quota-characters", "200"]);
    assert_eq!(ran.code, 1);
    assert_shown("fix_left_long", &ran.out);
}

#[test]
fn nothing_to_fix_is_said() {
    let ran = run(&Place::with("changes-none", &organization(&[no_mail()])), "fix", &[]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.starts_with("Nothing is to be fixed"), "{}", ran.out);
}

#[test]
fn a_regression_is_shown_with_its_request_and_ends_with_one() {
    let place = Place::with("changes-worse", &organization(&[no_mail()]));
    place.write("new.json", by_version().as_str().unwrap());
    let edit = ["--policy", "p-number0000=new.json"];
    let ran = run(&place, "what-if", &[&edit[..], &["--quiet"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert_shown("what_if_worse", &ran.out);
    let found =
        parsed(&run(&place, "what-if", &[&edit[..], &["--quiet", "--format", "json"]].concat()));
    let worse =
        found["changed"].as_array().unwrap().iter().filter(|cell| cell["direction"] == "WORSE");
    assert!(worse.clone().count() > 0);
    assert!(worse.into_iter().all(|cell| cell["witness"]["action"].is_string()));
    let comment =
        run(&place, "what-if", &[&edit[..], &["--quiet", "--format", "markdown"]].concat());
    assert_shown("what_if_comment", &comment.out);
}

#[test]
fn a_restriction_shows_the_trusted_mail_that_it_costs_and_ends_with_zero() {
    let place = Place::with("changes-restrict", &organization(&[]));
    place.write("no-mail.json", &no_mail().to_string());
    let ran =
        run(&place, "what-if", &["--new-policy", "none=no-mail.json", "--attach", "none=shop"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_shown("what_if_restricts", &ran.out);
}

#[test]
fn a_comment_warns_of_lost_mail_and_tells_it_once_for_all_accounts() {
    let place = Place::with("changes-lost-comment", &organization(&[]));
    place.write("no-mail.json", &no_mail().to_string());
    let change = ["--new-policy", "none=no-mail.json", "--attach", "none=Workloads"];
    let ran = run(&place, "what-if", &[&change[..], &["--format", "markdown"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_shown("what_if_comment_lost", &ran.out);
}

#[test]
fn a_reason_that_many_controls_share_is_told_once() {
    let place = Place::with("changes-one-reason", &organization(&[no_mail()]));
    place.write("unknown.json", &misspelt().to_string());
    for format in ["text", "markdown"] {
        let arguments = ["--policy", "policy-0=unknown.json", "--format", format];
        let ran = run(&place, "what-if", &arguments);
        assert_eq!(ran.code, 1, "{}", ran.err);
        let told = ran.out.matches("StringNotLikes").count();
        assert!((1..=2).contains(&told), "{told} times in {}", ran.out);
    }
}

#[test]
fn a_move_is_a_change() {
    let place = Place::with("changes-move", &organization(&[no_mail()]));
    let ran = run(&place, "what-if", &["--move", "shop=r-exam", "--control", "8"]);
    assert_eq!(ran.code, 2, "what-if compares every control: {}", ran.err);
    let ran = run(&place, "what-if", &["--move", "shop=r-exam"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("shop (222222222222) moves to Root (r-exam)"), "{}", ran.out);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_decided() {
    let place = Place::with("changes-refused", &organization(&[no_mail()]));
    // As text: the report shows it, and the order of members hangs on serde_json's features.
    let document = r#"{"Version":"2012-10-17","Statement":[{"Sid":"NoMail","Effect":"Deny","Action":"ses:*","Resource":"*"}]}"#;
    place.write("no-mail.json", document);
    place.write("misspelt.json", "{\"Version\": \"2012-10-17\",\n  \"Statements\": []}");
    place.write("plan.json", "{\"rows\": 3}");
    for (name, arguments) in [
        ("nothing", vec![]),
        ("unknown_policy", vec!["--attach", "p-number0001=shop"]),
        ("unknown_target", vec!["--attach", "p-number0000=shopp"]),
        ("no_pair", vec!["--attach", "p-number0000"]),
        ("missing_file", vec!["--policy", "p-number0000=absent.json"]),
        ("syntax", vec!["--policy", "p-number0000=misspelt.json"]),
        ("attached_already", vec!["--attach", "p-number0000=ou-exam-workload"]),
        ("last_policy", vec!["--detach", "p-FullAWSAccess=shop"]),
        ("quota_policies", vec!["--attach", "p-number0000=shop", "--quota-policies", "1"]),
        ("quota_characters", vec!["--new-policy", "n=no-mail.json", "--quota-characters", "20"]),
        ("no_plan", vec!["--plan", "plan.json"]),
    ] {
        let ran = run(&place, "what-if", &arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{name}: {}", ran.err);
        assert!(!ran.err.contains("panicked"), "{name}: {}", ran.err);
        assert_shown(&format!("what_if_refuses_{name}"), &ran.err);
    }
}

#[test]
fn each_difference_of_two_snapshots_is_explained() {
    let place = Place::with("changes-diff", &organization(&[no_mail()]));
    place.write(
        "perimeter.toml",
        "[trusted]\nrecipients = [\"*@example.com\"]\n[[exemptions]]\n\
         principal_arn = \"arn:aws:iam::222222222222:role/app\"\nreason = \"r\"\n\
         expires = 2026-11-23\n",
    );
    // Harmless beside what matters: a policy about something else.
    let other = document(json!([{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]));
    let mut after = organization(&[by_version(), other]);
    after["fetchedAt"] = "2026-11-25T00:00:00Z".into();
    after["accounts"][0]["parentId"] = "r-exam".into();
    after["accounts"].as_array_mut().unwrap().push(json!({"id": "444444444444", "name": "new",
        "email": "n@example.com", "state": "ACTIVE", "parentId": "ou-exam-workload"}));
    place.write("after.json", &after.to_string());
    let ran = place.run(&["diff", "snapshot.json", "after.json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_shown("diff", &ran.out);
    let same = place.run(&["diff", "after.json", "after.json", "--format", "json"]);
    assert_eq!((same.code, &parsed(&same)["changed"]), (0, &json!([])));
}

#[test]
fn an_expired_exemption_explains_a_verdict() {
    // Only the exempt role may send at all.
    let only = document(json!([{"Effect": "Deny", "Action": "ses:*", "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}}}]));
    let place = Place::with("changes-expired", &organization(std::slice::from_ref(&only)));
    place.write(
        "perimeter.toml",
        "[trusted]\nrecipients = [\"*@example.com\"]\n[[exemptions]]\n\
         principal_arn = \"arn:aws:iam::*:role/app\"\nreason = \"r\"\nexpires = 2026-11-23\n",
    );
    let mut after = organization(&[only]);
    after["fetchedAt"] = "2026-11-24T00:00:00Z".into();
    place.write("after.json", &after.to_string());
    let ran = place.run(&["diff", "snapshot.json", "after.json"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let told = "the selector for arn:aws:iam::*:role/app expired on 2026-11-23";
    assert!(ran.out.contains(told), "{}", ran.out);
}

#[test]
fn sarif_points_into_the_policy_file_that_was_given() {
    let place = Place::with("changes-sarif", &organization(&[no_mail()]));
    place.write(
        "new.json",
        &by_version().as_str().unwrap().replace(", \"Statement", ",\n\"Statement"),
    );
    let ran = run(
        &place,
        "what-if",
        &["--policy", "p-number0000=new.json", "--format", "sarif", "--quiet"],
    );
    assert_eq!(ran.code, 1);
    let found = parsed(&ran);
    let results = found["runs"][0]["results"].as_array().unwrap();
    let regions: Vec<&Value> = results
        .iter()
        .flat_map(|result| result["locations"].as_array().unwrap())
        .map(|location| &location["physicalLocation"])
        .filter(|place| place["artifactLocation"]["uri"] == "new.json")
        .map(|place| &place["region"])
        .collect();
    assert!(!regions.is_empty(), "{}", ran.out);
    assert!(regions.iter().all(|region| region["startLine"] == 2), "{regions:?}");
}

/// Names and documents of every kind that `fix` lays out in its own way. The snapshots hold the
/// format without Terraform.
#[test]
fn what_fix_writes_for_terraform_stays_as_it_is_under_terraform_fmt() {
    use std::process::{Command, Stdio};
    let hostile = json!({"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Deny",
        "Action": "ses:SendBounce", "Resource": "*",
        "Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/${aws:username}%{x"}}}]});
    let mut organization = organization(&[by_version(), hostile]);
    organization["policies"][2]["name"] = "a \"long\" ${name} 😀\\".into();
    let place = Place::with("changes-terraform-fmt", &organization);
    let laid = serde_json::to_string_pretty(&by_version()).unwrap();
    let mut written = Vec::new();
    for targets in [["shop"].as_slice(), &["bank", "--control", "8"], &[]] {
        written.push(run(&place, "fix", &[targets, &["--format", "terraform"]].concat()).out);
    }
    organization["policies"][1]["content"] = laid.into();
    place.write("snapshot.json", &organization.to_string());
    written.push(run(&place, "fix", &["--format", "terraform"]).out);
    for text in written {
        // What stands in lines of its own, and `=` in a column with its neighbours.
        let mut before: Option<(usize, bool)> = None;
        let mut document = false;
        for line in text.lines() {
            let end = line == "DOCUMENT";
            document = !end && (document || line.ends_with("<<DOCUMENT"));
            let whole = !line.ends_with("<<DOCUMENT");
            let at = line.strip_prefix("  ").filter(|_| !document || !whole);
            let at = at.and_then(|line| line.find(" = "));
            if let (Some((other, true)), Some(at), true) = (before, at, whole) {
                assert_eq!(other, at, "{line}");
            }
            if let Some(at) = at.filter(|_| !whole) {
                let (name, _) = line.trim().split_once(" = ").unwrap();
                assert_eq!(at, name.len(), "{line}");
            }
            before = at.map(|at| (at, whole));
        }
        let fmt = Command::new("terraform")
            .args(["fmt", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut fmt) = fmt else { continue };
        std::io::Write::write_all(&mut fmt.stdin.take().unwrap(), text.as_bytes()).unwrap();
        let formatted = fmt.wait_with_output().unwrap();
        assert_eq!(text, String::from_utf8(formatted.stdout).unwrap());
    }
}
