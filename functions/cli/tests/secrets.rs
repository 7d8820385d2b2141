//! A secret in every place of a plan where one can stand, the plan broken in many ways, and
//! everything that the program and the action write searched for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]
#![cfg(unix)]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use common::{NOW, Place, no_mail, organization};
use serde_json::{Value, json};
use support::organization::document;

const SECRET: &str = "correct-horse-battery";

/// A change of a resource that an attribute of holds the secret.
fn change(address: &str, kind: &str, actions: &Value, before: &Value, after: &Value) -> Value {
    json!({"address": address, "mode": "managed", "type": kind,
        "name": address.rsplit('.').next().unwrap(),
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {"actions": actions, "before": before, "after": after, "after_unknown": {},
            "before_sensitive": {"password": true, "nested": [{}, {"key": true}]},
            "after_sensitive": {"password": true, "map": true}}})
}

/// A plan with one new policy, and the secret wherever Terraform puts one.
fn plan() -> Value {
    let own = |n: usize| format!("{SECRET}-{n}");
    let policy = json!({"address": "aws_organizations_policy.mail", "mode": "managed",
        "type": "aws_organizations_policy", "name": "mail", "change": {"actions": ["create"],
        "before": null, "after": {"name": "mail", "type": "SERVICE_CONTROL_POLICY",
            "content": no_mail().to_string(), "description": own(1), "tags": {"owner": own(2)}},
        "after_unknown": {"id": true, "arn": true}, "before_sensitive": false,
        "after_sensitive": {"description": true, "tags": true}}});
    json!({
        "format_version": "1.2", "terraform_version": "1.11.4",
        "variables": {"password": {"value": own(3)}, "settings": {"value": {own(4): own(5)}}},
        "planned_values": {
            "outputs": {"password": {"sensitive": true, "type": "string", "value": own(6)}},
            "root_module": {"resources": [{"address": "aws_db_instance.db", "mode": "managed",
                "type": "aws_db_instance", "name": "db", "values": {"password": own(7)},
                "sensitive_values": {"password": true}}]}},
        "resource_drift": [change("aws_db_instance.db", "aws_db_instance", &json!(["update"]),
            &json!({"password": own(8)}), &json!({"password": own(9)}))],
        "resource_changes": [
            change("aws_db_instance.db", "aws_db_instance", &json!(["update"]),
                &json!({"password": own(10), "nested": [{"key": "plain"}, {"key": own(11)}]}),
                &json!({"password": own(12), "map": {own(13): own(14)}})),
            policy,
            {"address": "aws_organizations_policy_attachment.mail", "mode": "managed",
                "type": "aws_organizations_policy_attachment", "name": "mail",
                "change": {"actions": ["create"], "before": null,
                    "after": {"target_id": "ou-exam-workload"},
                    "after_unknown": {"id": true, "policy_id": true},
                    "before_sensitive": false, "after_sensitive": {}}},
            change("terraform_data.seed", "terraform_data", &json!(["create"]), &Value::Null,
                &json!({"password": own(15)}))],
        "output_changes": {"password": {"actions": ["create"], "before": null, "after": own(16),
            "after_unknown": false, "before_sensitive": false, "after_sensitive": true}},
        "prior_state": {"format_version": "1.0", "values": {
            "outputs": {"password": {"sensitive": true, "value": own(17)}},
            "root_module": {"child_modules": [{"address": "module.m", "resources": [
                {"address": "module.m.aws_db_instance.db", "mode": "managed",
                    "type": "aws_db_instance", "name": "db", "values": {"password": own(18)},
                    "sensitive_values": {"password": true}}]}]}}},
        "configuration": {
            "provider_config": {"aws": {"name": "aws", "expressions": {
                "secret_key": {"constant_value": own(19)}}}},
            "root_module": {
                "variables": {"password": {"default": own(20), "sensitive": true},
                    "settings": {"default": {own(21): own(22)}, "sensitive": true}},
                "outputs": {"password": {"sensitive": true,
                    "expression": {"constant_value": own(23)}}},
                "resources": [
                    {"address": "aws_db_instance.db", "mode": "managed", "type": "aws_db_instance",
                        "name": "db", "expressions": {"password": {"constant_value": own(24)}},
                        "provisioners": [{"type": "local-exec", "expressions": {
                            "command": {"constant_value": own(25)}}}]},
                    {"address": "aws_organizations_policy.mail", "mode": "managed",
                        "type": "aws_organizations_policy", "name": "mail", "expressions": {}},
                    {"address": "aws_organizations_policy_attachment.mail", "mode": "managed",
                        "type": "aws_organizations_policy_attachment", "name": "mail",
                        "expressions": {"target_id": {"constant_value": "ou-exam-workload"},
                            "policy_id": {"references": ["aws_organizations_policy.mail.id",
                                "aws_organizations_policy.mail"]}}}],
                "module_calls": {"m": {"source": "./m", "expressions": {
                        "password": {"constant_value": own(26)}},
                    "module": {"variables": {"password": {"sensitive": true}}}}}}},
        "checks": [{"address": {"kind": "resource"}, "status": "fail", "instances": [
            {"problems": [{"message": own(27)}]}]}],
        "timestamp": "2026-11-23T00:00:00Z", "applyable": true, "complete": true, "errored": false})
}

type Break = (&'static str, Box<dyn Fn(&str) -> String>);

/// The text with the member at a JSON pointer changed.
fn at(pointer: &'static str, value: Value) -> Box<dyn Fn(&str) -> String> {
    Box::new(move |text| {
        let mut plan: Value = serde_json::from_str(text).unwrap();
        *plan.pointer_mut(pointer).unwrap() = value.clone();
        plan.to_string()
    })
}

fn text(change: impl Fn(&str) -> String + 'static) -> Box<dyn Fn(&str) -> String> {
    Box::new(change)
}

/// What can be wrong with a plan.
fn breaks() -> Vec<Break> {
    let changes = "/resource_changes/1/change";
    assert!(plan().pointer(changes).is_some());
    let mut breaks: Vec<Break> = vec![
        ("whole", text(str::to_owned)),
        (
            "pretty",
            text(|text| {
                let plan: Value = serde_json::from_str(text).unwrap();
                serde_json::to_string_pretty(&plan).unwrap()
            }),
        ),
        (
            "a quote is missing before a secret",
            text(|text| text.replace(&format!("\"{SECRET}-12\""), &format!("{SECRET}-12\""))),
        ),
        (
            "a quote is missing behind a secret",
            text(|text| text.replace(&format!("\"{SECRET}-12\""), &format!("\"{SECRET}-12"))),
        ),
        (
            "a line break in a secret",
            text(|text| text.replace(&format!("{SECRET}-12"), &format!("{SECRET}-1\n2"))),
        ),
        (
            "a bad escape behind a secret",
            text(|text| text.replace(&format!("{SECRET}-12"), &format!("{SECRET}-12\\x"))),
        ),
        ("a comma too many", text(|text| text.replacen("},{", "},,{", 1))),
        ("a colon is missing", text(|text| text.replacen("\"password\":", "\"password\" ", 1))),
        ("twice", text(|text| format!("{text}{text}"))),
        ("a byte is missing at the start", text(|text| text[1..].to_owned())),
        ("a word in front", text(|text| format!("plan: {text}"))),
        ("inside a list", text(|text| format!("[{text}]"))),
        (
            "a key twice",
            text(|text| {
                let again = format!("\"password\":\"{SECRET}-28\",\"password\":");
                text.replace("\"password\":", &again)
            }),
        ),
        ("another format", at("/format_version", json!("3.0"))),
        ("failed", at("/errored", json!(true))),
        ("an unknown action", at("/resource_changes/0/change/actions", json!(["burn"]))),
        ("no address", at("/resource_changes/0/address", json!(7))),
        (
            "a type that is known after apply",
            at("/resource_changes/1/change/after_unknown", json!({"type": true})),
        ),
        (
            "a document that is known after apply",
            at("/resource_changes/1/change/after_unknown", json!({"content": true})),
        ),
        (
            "a target that is not there",
            at("/resource_changes/2/change/after/target_id", json!("ou-exam-elsewhere")),
        ),
        ("no configuration", at("/configuration", json!({}))),
        (
            "an expression that leads nowhere",
            at(
                "/configuration/root_module/resources/2/expressions/policy_id",
                json!({"references": ["local.secret"]}),
            ),
        ),
        (
            "a document that is no policy",
            at("/resource_changes/1/change/after/content", json!("{\"Statement\":")),
        ),
        (
            "marks of another shape",
            at("/resource_changes/0/change/after_sensitive", json!([["x"]])),
        ),
        (
            "a sensitive name",
            text(|text| {
                let mut plan: Value = serde_json::from_str(text).unwrap();
                plan["resource_changes"][1]["change"]["after"]["name"] = json!(SECRET);
                plan["resource_changes"][1]["change"]["after_sensitive"]["name"] = json!(true);
                plan.to_string()
            }),
        ),
        (
            "a sensitive document",
            text(|text| {
                let mut plan: Value = serde_json::from_str(text).unwrap();
                let content = document(json!([{"Sid": "Mail", "Effect": "Deny", "Action": "ses:*",
                "Resource": "*", "Condition": {"StringNotEquals":
                    {"aws:PrincipalTag/pass": SECRET}}}]));
                plan["resource_changes"][1]["change"]["after"]["content"] =
                    json!(content.to_string());
                plan["resource_changes"][1]["change"]["after_sensitive"]["content"] = json!(true);
                plan.to_string()
            }),
        ),
        (
            "a sensitive target",
            text(|text| {
                let mut plan: Value = serde_json::from_str(text).unwrap();
                plan["resource_changes"][2]["change"]["after"]["target_id"] = json!(SECRET);
                plan["resource_changes"][2]["change"]["after_sensitive"]["target_id"] = json!(true);
                plan.to_string()
            }),
        ),
        (
            "a sensitive type of policy",
            text(|text| {
                let mut plan: Value = serde_json::from_str(text).unwrap();
                plan["resource_changes"][1]["change"]["after"]["type"] = json!(SECRET);
                plan["resource_changes"][1]["change"]["after_sensitive"]["type"] = json!(true);
                plan.to_string()
            }),
        ),
    ];
    // Cut behind, before and in the midst of each secret.
    for cut in 1..=27 {
        breaks.push((
            "cut off",
            text(move |text| {
                let end = text.find(&format!("{SECRET}-{cut}")).unwrap();
                let behind = [0, SECRET.len() - 2, SECRET.len() + 5][cut % 3];
                text.get(..end + behind).unwrap().to_owned()
            }),
        ));
    }
    breaks
}

#[test]
fn no_format_and_no_message_shows_what_a_plan_holds_as_a_secret() {
    let place = Place::with("secrets", &organization(&[]));
    let whole = plan().to_string();
    let half = &SECRET[..SECRET.len() - 2];
    let mut codes = [0; 4];
    let mut shown = String::new();
    for (what, change) in breaks() {
        place.write("plan.json", &change(&whole));
        for format in ["text", "json", "markdown", "sarif"] {
            let ran = place.run(&[
                "what-if",
                "--snapshot",
                "snapshot.json",
                "--now",
                NOW,
                "--plan",
                "plan.json",
                "--format",
                format,
            ]);
            let said = format!("{}{}", ran.out, ran.err);
            assert!(!said.contains(half), "{what}, as {format}: {said}");
            assert!(ran.code != 2 || ran.err.len() < 20_000, "{what}: {}", ran.err.len());
            assert!(!ran.err.contains("panicked"), "{what}: {}", ran.err);
            codes[usize::try_from(ran.code).unwrap()] += 1;
            if format == "markdown" {
                write!(shown, "--- {what}\n{said}").unwrap();
            }
        }
    }
    // Otherwise this looks at one message only.
    assert!(codes[0] >= 8 && codes[2] >= 150, "{codes:?}");
    assert!(shown.contains("aws_organizations_policy.mail"), "{shown}");
}

#[test]
fn no_format_and_no_message_shows_the_value_of_a_parameter_with_no_echo() {
    let place = Place::with("secrets-parameters", &organization(&[]));
    let policy = |name: &str, content: &Value| {
        json!({"Type": "AWS::Organizations::Policy", "Properties": {"Name": name,
            "Type": "SERVICE_CONTROL_POLICY", "Content": content}})
    };
    let plain = policy("Guard", &no_mail());
    let mut conditional = plain.clone();
    conditional["Condition"] = json!("Keyed");
    let shown = policy("Shown", &json!({"Fn::Sub": "{\"${Key}\": 1}"}));
    let mapped = policy("Mapped", &json!({"Fn::FindInMap": ["M", {"Ref": "Key"}, "x"]}));
    let template = |resource: &Value, key: &Value| {
        json!({"Parameters": {"Key": key},
            "Conditions": {"Keyed": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Key"}, ""]}]}},
            "Resources": {"Guard": resource}})
        .to_string()
    };
    let key = json!({"Type": "String", "NoEcho": true});
    let list = json!({"Type": "List<Number>", "NoEcho": "true",
        "AllowedValues": [SECRET, format!("{SECRET}-1")], "Default": SECRET});
    let file = json!([{"ParameterKey": "Key", "ParameterValue": SECRET}]).to_string();
    let mut codes = [0; 4];
    for resource in [&plain, &conditional, &shown, &mapped] {
        for key in [&key, &list] {
            place.write("template.json", &template(resource, key));
            for given in [
                vec![file.clone()],
                vec![json!([format!("Key={SECRET}")]).to_string()],
                vec![json!({"Key": SECRET}).to_string()],
                vec![json!({"Parameters": {"Key": [SECRET]}}).to_string()],
                vec![json!({"Kye": SECRET}).to_string()],
                vec![file.trim_end_matches(']').to_owned()],
                vec![file.replace("\"ParameterKey\"", "ParameterKey")],
                vec![format!("Key: {SECRET}")],
                vec![file.clone(), format!("Key={SECRET}")],
                vec!["{}".to_owned(), SECRET.to_owned()],
                vec!["{}".to_owned(), format!("={SECRET}")],
                vec!["{}".to_owned(), format!("Key={SECRET}")],
                vec!["{}".to_owned(), format!("ParameterKey=Key,ParameterValue={SECRET}")],
            ] {
                place.write("parameters.json", &given[0]);
                for format in ["text", "json", "markdown", "sarif"] {
                    let mut arguments =
                        vec!["what-if", "--snapshot", "snapshot.json", "--now", NOW];
                    arguments.extend(["--plan", "template.json", "--format", format]);
                    arguments.extend(["--parameters", "parameters.json"]);
                    for assignment in &given[1..] {
                        arguments.extend(["--parameter", assignment]);
                    }
                    let ran = place.run(&arguments);
                    let said = format!("{}{}", ran.out, ran.err);
                    assert!(!said.contains(&SECRET[..SECRET.len() - 2]), "{given:?}: {said}");
                    codes[usize::try_from(ran.code).unwrap()] += 1;
                }
            }
        }
    }
    assert!(codes[0] >= 16 && codes[2] >= 100, "{codes:?}");
}

#[test]
fn the_action_writes_no_secret_into_comment_log_summary_or_outputs() {
    let place = Place::with("secrets-action", &organization(&[]));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/github-action/what-if.sh");
    let whole = plan().to_string();
    let half = &SECRET[..SECRET.len() - 2];
    for (what, change) in breaks().into_iter().take(30) {
        place.write("plan.json", &change(&whole));
        let temporary = place.path("temporary");
        let _ = std::fs::remove_dir_all(&temporary);
        std::fs::create_dir(&temporary).unwrap();
        let output = Command::new("bash")
            .arg(&script)
            .current_dir(place.path(""))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs([("NAME", "what-if"), ("PLAN", "plan.json"), ("SNAPSHOT", "snapshot.json")])
            .envs([
                ("PARAMETERS", ""),
                ("PERIMETER", ""),
                ("VERSION", ""),
                ("PULL_REQUEST", ""),
                ("BASE", ""),
            ])
            .env("PROGRAM", env!("CARGO_BIN_EXE_ses-perimeter"))
            .env("GITHUB_WORKSPACE", place.path(""))
            .env("RUNNER_TEMP", &temporary)
            .env("GITHUB_OUTPUT", temporary.join("outputs"))
            .env("GITHUB_STEP_SUMMARY", temporary.join("summary"))
            .output()
            .unwrap();
        let mut said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let mut files = 0;
        let mut open = vec![temporary];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    said.push_str(&std::fs::read_to_string(path).unwrap());
                    files += 1;
                }
            }
        }
        assert!(files >= 4, "{what}: {said}");
        assert!(!said.contains(half), "{what}: {said}");
    }
}
