//! `what-if` as it runs on every pull request of a repository: honest where something is wrong, and
//! silent where nothing changes.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::{NOW, Place, Ran, no_mail, organization};
use serde_json::{Value, json};
use support::organization::{document, everything};

const FORMATS: [&str; 3] = ["text", "json", "markdown"];

fn what_if(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&[&["what-if", "--snapshot", "snapshot.json", "--now", NOW], arguments].concat())
}

fn place(name: &str) -> Place {
    Place::with(name, &organization(&[]))
}

fn change(address: &str, actions: &[&str], before: &Value, after: &Value) -> Value {
    let kind = address.split('.').next().unwrap();
    json!({"address": address, "mode": "managed", "type": kind, "change": {"actions": actions,
        "before": before, "after": after, "after_unknown": {}}})
}

fn plan(changes: &[Value]) -> String {
    json!({"format_version": "1.2", "resource_changes": changes}).to_string()
}

/// A plan with a new policy of this document on the unit of both accounts.
fn attaches(content: &str) -> String {
    let policy = json!({"name": "guard", "type": "SERVICE_CONTROL_POLICY", "content": content});
    let mut created = change("aws_organizations_policy.p", &["create"], &Value::Null, &policy);
    created["change"]["after_unknown"] = json!({"id": true});
    let mut attached = change(
        "aws_organizations_policy_attachment.a",
        &["create"],
        &Value::Null,
        &json!({"target_id": "ou-exam-workload"}),
    );
    attached["change"]["after_unknown"] = json!({"id": true, "policy_id": true});
    let mut plan: Value = serde_json::from_str(&plan(&[created, attached])).unwrap();
    plan["configuration"] = json!({"root_module": {"resources": [
        {"mode": "managed", "type": "aws_organizations_policy_attachment", "name": "a",
            "expressions": {"policy_id": {"references":
                ["aws_organizations_policy.p.id", "aws_organizations_policy.p"]}}}]}});
    plan.to_string()
}

#[test]
fn a_plan_that_changes_no_policy_ends_with_zero_and_says_so() {
    let place = place("pull-nothing");
    let nobody = Value::Null;
    let policy = json!({"id": "p-FullAWSAccess", "type": "SERVICE_CONTROL_POLICY",
        "content": everything().to_string()});
    let plans = [
        plan(&[]),
        plan(&[change("aws_s3_bucket.b", &["create"], &nobody, &json!({"bucket": "b"}))]),
        plan(&[change("aws_organizations_policy.p", &["update"], &policy, &policy)]),
        plan(&[change("aws_organizations_policy.p", &["no-op"], &policy, &policy)]),
        plan(&[change("terraform_data.d", &["create"], &nobody, &json!({"input": "x"}))]),
        json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}).to_string(),
        json!({"Changes": [], "Status": "FAILED", "ChangeSetName": "c",
            "StatusReason": "The submitted information didn't contain changes."})
        .to_string(),
    ];
    for text in plans {
        place.write("plan.json", &text);
        for format in FORMATS {
            let ran = what_if(&place, &["--plan", "plan.json", "--format", format]);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{text}");
            assert!(
                ran.out.contains("the plan changes nothing about service control"),
                "{}",
                ran.out
            );
            assert!(format == "json" || ran.out.contains("No verdict changes"), "{}", ran.out);
            assert!(format != "markdown" || ran.out.contains("✅"), "{}", ran.out);
        }
    }
}

#[test]
fn parameters_decide_what_a_template_does() {
    let place = place("pull-parameters");
    let guard = json!({"Type": "AWS::Organizations::Policy", "Properties": {"Name": "Guard",
        "Type": "SERVICE_CONTROL_POLICY", "Content": no_mail(), "TargetIds": {"Ref": "Units"}}});
    let template =
        json!({"Parameters": {"Units": {"Type": "CommaDelimitedList"}}, "Resources": {"G": guard}});
    place.write("template.json", &template.to_string());
    let with = |more: &[&str]| what_if(&place, &[&["--plan", "template.json"], more].concat());
    let ran = with(&[]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("--parameter NAME=VALUE"), "{}", ran.err);
    let given = with(&["--parameter", "Units=222222222222,333333333333"]);
    assert_eq!((given.code, given.err.as_str()), (0, ""));
    assert!(given.out.contains("FAILED to PASSED  2 accounts: shop and bank"), "{}", given.out);
    assert!(given.out.contains("has the value that is given"), "{}", given.out);
    place.write(
        "parameters.json",
        r#"[{"ParameterKey": "Units", "ParameterValue": "222222222222"}]"#,
    );
    let file = with(&["--parameters", "parameters.json"]);
    assert!(file.out.contains("FAILED to PASSED  1 account: shop"), "{}", file.out);
    let twice = with(&["--parameters", "parameters.json", "--parameter", "Units="]);
    assert_eq!(twice.code, 2);
    assert!(twice.err.contains("the parameter `Units` is given twice"), "{}", twice.err);
    let unknown = with(&["--parameter", "Unit=x", "--parameter", "Units=222222222222"]);
    assert!(unknown.err.contains("did you mean `Units`?"), "{}", unknown.err);
    let alone = what_if(&place, &["--parameter", "Units=x", "--policy", "p-FullAWSAccess=x"]);
    assert_eq!(alone.code, 2);
    assert!(alone.err.contains("--plan"), "{}", alone.err);
}

/// A template with a new account below a unit, and a policy on the unit.
fn new_account(parents: &Value, content: &Value) -> String {
    json!({"Parameters": {"Where": {"Type": "String"}}, "Resources": {
        "Fresh": {"Type": "AWS::Organizations::OrganizationalUnit",
            "Properties": {"Name": "Fresh", "ParentId": "ou-exam-workload"}},
        "Second": {"Type": "AWS::Organizations::Account",
            "Properties": {"AccountName": "second", "ParentIds": parents}},
        "Guard": {"Type": "AWS::Organizations::Policy", "Properties": {"Name": "Guard",
            "Type": "SERVICE_CONTROL_POLICY", "Content": content,
            "TargetIds": [{"Ref": "Fresh"}]}}}})
    .to_string()
}

#[test]
fn a_new_account_is_judged_by_the_policies_above_it_and_by_a_name_of_its_own() {
    let place = place("pull-new-account");
    let inside = new_account(&json!([{"Ref": "Fresh"}]), &no_mail());
    let beside = new_account(&json!(["ou-exam-workload"]), &no_mail());
    for (template, code, told) in [
        (
            &inside,
            0,
            "new account second under new unit Fresh (ou-exam-newfresh): PASSED (SESDP.1 to",
        ),
        (&beside, 0, "new account second under Workloads (ou-exam-workload): FAILED (SESDP.1 to"),
    ] {
        place.write("plan.json", template);
        for format in ["text", "markdown"] {
            let ran = what_if(&place, &["--plan", "plan.json", "--format", format]);
            assert_eq!((ran.code, ran.err.as_str()), (code, ""));
            let out = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(out.replace('\\', "").contains(told), "{out}");
            assert!(out.contains("has no id yet; where it would stand is"), "{out}");
        }
        // Digits that stand for the id are in no format.
        for format in FORMATS.into_iter().chain(["sarif"]) {
            let ran = what_if(&place, &["--plan", "plan.json", "--format", format]);
            assert!(!ran.out.contains("00000000000"), "{}", ran.out);
            assert!(
                template == &inside
                    || format == "markdown"
                    || ran.out.contains(":<new account second>")
            );
        }
        let ran = what_if(&place, &["--plan", "plan.json", "--format", "json"]);
        let out: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(out["newAccounts"][0]["accountName"], "new account second");
        let cells = out["changed"].as_array().unwrap();
        // Nobody can take it for an account that is there.
        assert!(
            !cells.is_empty()
                && cells.iter().all(|cell| cell["accountId"].is_null()
                    && cell["accountName"] == "new account second"
                    && cell["before"].is_null())
        );
    }
}

#[test]
fn a_new_account_gets_worse_only_where_its_place_was_better_without_the_change() {
    let account = json!({"name": "second", "parent_id": "ou-exam-workload"});
    let mut created =
        change("aws_organizations_account.second", &["create"], &Value::Null, &account);
    created["change"]["after_unknown"] = json!({"id": true});
    let policy = |document: &Value| {
        json!({"id": "p-guard0000", "name": "policy-0", "type": "SERVICE_CONTROL_POLICY",
            "content": document.to_string()})
    };
    let opened = change(
        "aws_organizations_policy.guard",
        &["update"],
        &policy(&no_mail()),
        &policy(&everything()),
    );
    let guarded = organization(&[no_mail()]);
    let id = guarded["policies"].as_array().unwrap().last().unwrap()["id"].clone();
    let mut opened_here = opened;
    opened_here["change"]["before"]["id"] = id.clone();
    opened_here["change"]["after"]["id"] = id;
    for (snapshot, changes, code, told, mark) in [
        // Everybody fails there already.
        (organization(&[]), vec![created.clone()], 0, "No verdict changes", "⚠️"),
        (guarded.clone(), vec![created.clone()], 0, "No verdict changes", "✅"),
        (guarded, vec![created, opened_here], 1, "none to FAILED", "❌"),
    ] {
        let place = Place::with("pull-new-account-place", &snapshot);
        place.write("plan.json", &plan(&changes));
        let ran = what_if(&place, &["--plan", "plan.json", "--format", "markdown"]);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains(told) && ran.out.contains(mark), "{}", ran.out);
        assert!(ran.out.contains("1 new account starts with "), "{}", ran.out);
        let unchanged = ran.out.contains("the plan changes nothing about service control policies");
        assert_eq!(unchanged, changes.len() == 1, "{}", ran.out);
        let strict = ["--plan", "plan.json", "--fail-on", "failed"];
        assert_eq!(what_if(&place, &strict).code, i32::from(mark != "✅"));
    }
}

#[test]
fn a_new_account_is_undecided_where_its_place_or_its_id_may_matter() {
    let place = place("pull-new-account-open");
    let condition = |key: &str, value: &str| {
        document(json!([{"Effect": "Deny", "Action": "ses:*", "Resource": "*",
            "Condition": {"StringLike": {key: value}}}]))
    };
    let fresh = json!([{"Ref": "Fresh"}]);
    for (template, told) in [
        (
            new_account(&json!([{"Ref": "Where"}]), &no_mail()),
            "the parameter `Where` has no default",
        ),
        (
            new_account(&fresh, &condition("aws:PrincipalAccount", "1*")),
            "could hang on an id that is known only after apply",
        ),
        (
            new_account(&fresh, &condition("aws:PrincipalOrgPaths", "o-exampleorgid/*/ou-exam-n*")),
            "could hang on an id that is known only after apply",
        ),
    ] {
        place.write("plan.json", &template);
        let ran = what_if(&place, &["--plan", "plan.json"]);
        let out = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ran.code, 3, "{out}{}", ran.err);
        assert!(out.contains("UNDECIDED (SESDP.1 to"), "{out}");
        assert!(!out.contains("PASSED (SESDP.1") && !out.contains("FAILED (SESDP.1"), "{out}");
        assert!(out.contains(told), "{out}");
    }
    let named = condition("aws:PrincipalAccount", "222222222222");
    place.write("plan.json", &new_account(&fresh, &named));
    let ran = what_if(&place, &["--plan", "plan.json"]);
    assert!(ran.out.contains("FAILED (SESDP.1"), "{}", ran.out);
}

#[test]
fn no_change_at_all_is_a_mistake_of_the_caller() {
    let ran = what_if(&place("pull-no-argument"), &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no change is given"), "{}", ran.err);
}

#[test]
fn what_was_passed_over_stands_in_every_format() {
    let place = place("pull-passed-over");
    let bucket = change("aws_s3_bucket.b", &["create"], &Value::Null, &json!({}));
    place.write("plan.json", &plan(&[bucket]));
    for format in FORMATS.into_iter().chain(["sarif"]) {
        let ran = what_if(&place, &["--plan", "plan.json", "--format", format]);
        assert!(
            ran.out.to_lowercase().contains("passed over") && ran.out.contains("aws"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn a_comment_counts_before_and_after_and_folds_long_lists_that_are_no_bad_news() {
    let place = place("pull-folded");
    let control = |n: usize| {
        let address = format!("aws_controltower_control.c[{n}]");
        change(&address, &["create"], &Value::Null, &json!({}))
    };
    // The sentence that nothing changes is a note as well.
    for (controls, folded) in [(9, false), (10, true)] {
        place.write("plan.json", &plan(&(0..controls).map(control).collect::<Vec<_>>()));
        let ran = what_if(&place, &["--plan", "plan.json", "--format", "markdown"]);
        assert!(ran.out.contains("| accounts | 2 | 2 |\n"), "{}", ran.out);
        let summary = format!("<details><summary>{} notes</summary>\n\n- ", controls + 1);
        assert_eq!(ran.out.contains(&summary), folded, "{}", ran.out);
        let tags = |tag: &str| ran.out.matches(tag).count();
        assert_eq!(tags("<details>"), tags("</details>"), "{}", ran.out);
        assert_eq!(ran.out.matches("AWS Control Tower adds").count(), controls);
    }
}

#[test]
fn types_that_may_touch_policies_and_are_not_read_are_refused() {
    let place = place("pull-unknown-types");
    let created =
        |address: &str, after: Value| plan(&[change(address, &["create"], &Value::Null, &after)]);
    let provisioned = json!({"format_version": "1.2",
        "resource_changes": [change("null_resource.n", &["create"], &Value::Null, &json!({}))],
        "configuration": {"root_module": {"resources": [{"mode": "managed",
            "type": "null_resource", "name": "n", "provisioners": [{"type": "local-exec",
            "expressions": {"command": {"constant_value": "aws organizations detach-policy"}}}]}]}}});
    let template = |kind: &str, properties: Value| {
        json!({"Resources": {"R": {"Type": kind, "Properties": properties}}}).to_string()
    };
    for text in [
        created("aws_organizations_policy_set.s", json!({})),
        created("awscc_organizations_policy.p", json!({})),
        created(
            "aws_cloudcontrolapi_resource.r",
            json!({"type_name": "AWS::Organizations::Policy"}),
        ),
        provisioned.to_string(),
        template("Community::Organizations::Policy", json!({})),
        template("AWS::Organizations::Responsibility", json!({})),
        template("Custom::Guardrail", json!({"Call": "organizations:AttachPolicy"})),
    ] {
        place.write("plan.json", &text);
        let ran = what_if(&place, &["--plan", "plan.json", "--format", "markdown"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text}");
        assert!(ran.err.contains("is not read"), "{}", ran.err);
    }
}

#[test]
fn a_broken_document_is_the_same_error_in_a_plan_a_template_and_a_file() {
    let place = place("pull-broken");
    for (document, word) in [
        ("{\"Version\": \"2012-10-17\", \"Statement\": [", "the text ends here"),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"deny","Action":"ses:*","Resource":"*"}]}"#,
            "deny",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ses:*"}]}"#,
            "Resource",
        ),
        (r#"{"Version":"2012-10-17"}"#, "Statement"),
        (r#"{"Version":"2012-10-17","Statement":[]}"#, "statement"),
    ] {
        place.write("policy.json", document);
        place.write("plan.json", &attaches(document));
        place.write(
            "template.json",
            &json!({"Resources": {"P": {"Type": "AWS::Organizations::Policy",
            "Properties": {"Name": "guard", "Type": "SERVICE_CONTROL_POLICY", "Content": document,
                "TargetIds": ["ou-exam-workload"]}}}})
            .to_string(),
        );
        let file =
            what_if(&place, &["--new-policy", "guard=policy.json", "--attach", "guard=Workloads"]);
        let refused = file.code == 2;
        for name in ["plan.json", "template.json"] {
            let ran = what_if(&place, &["--plan", name, "--format", "markdown"]);
            assert_eq!(ran.code == 2, refused, "{document}: {}{}", ran.out, file.err);
            if refused {
                assert_eq!(ran.out, "");
                assert!(ran.err.contains(name) && ran.err.contains("guard"), "{}", ran.err);
                assert!(ran.err.contains(word), "{}", ran.err);
            }
        }
        assert!(refused, "{document}: {}", file.out);
    }
}

#[test]
fn errors_that_lint_finds_stand_beside_the_verdicts() {
    let place = place("pull-lint");
    let wrong = document(json!([{"Effect": "Deny", "Action": "ses:*", "Resource": "*",
        "Principal": "*"}]));
    place.write("policy.json", &wrong.to_string());
    place.write("plan.json", &attaches(&wrong.to_string()));
    for format in FORMATS.into_iter().chain(["sarif"]) {
        for given in [
            &["--plan", "plan.json"][..],
            &["--new-policy", "guard=policy.json", "--attach", "guard=Workloads"],
        ] {
            let ran = what_if(&place, &[given, &["--format", format]].concat());
            assert!(ran.out.to_lowercase().contains("the policy guard, at 1:"), "{}", ran.out);
            assert!(!ran.out.contains("✅"), "{}", ran.out);
        }
    }
}

#[test]
fn a_failed_verdict_that_turns_undecided_is_not_better_and_no_mail_is_called_lost() {
    let place = place("pull-undecided");
    let open = document(json!([{"Sid": "Open", "Effect": "Deny", "Action": "ses:*",
        "Resource": "*", "Condition": {"StringNotEqualsIfExists":
            {"aws:ResourceOrgID": "${ORG_ID}"}}}]));
    place.write("plan.json", &attaches(&open.to_string()));
    let ran = what_if(&place, &["--plan", "plan.json", "--format", "markdown"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("⚠️") && !ran.out.contains("✅"), "{}", ran.out);
    assert!(
        ran.out.contains("FAILED to UNDECIDED") && ran.out.contains("Undecided:"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("neither") && !ran.out.contains("better\n"), "{}", ran.out);
    assert!(!ran.out.contains("is lost"), "{}", ran.out);
    let ran = what_if(&place, &["--plan", "plan.json", "--format", "json"]);
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(result["summary"]["better"], 0);
    assert_eq!(result["lostMail"], json!([]));
    assert!(result["changed"][0]["obstacles"].as_array().is_some_and(|it| !it.is_empty()));
}

#[test]
fn one_option_decides_whether_what_fails_already_may_pass() {
    let place = place("pull-fail-on");
    place.write("plan.json", &plan(&[]));
    for (fail_on, code, mark) in
        [("regression", 0, "✅"), ("failed", 1, "❌"), ("undecided", 1, "❌")]
    {
        let arguments = ["--plan", "plan.json", "--format", "markdown", "--fail-on", fail_on];
        let ran = what_if(&place, &arguments);
        assert_eq!(ran.code, code, "{fail_on}: {}", ran.out);
        assert!(ran.out.contains(mark), "{fail_on}: {}", ran.out);
        assert_eq!(ran.out.contains("verdicts stand"), code == 1, "{}", ran.out);
    }
    place.write("snapshot.json", &organization(&[no_mail()]).to_string());
    for fail_on in ["regression", "failed", "undecided"] {
        let ran = what_if(&place, &["--plan", "plan.json", "--fail-on", fail_on]);
        assert!(fail_on != "regression" || ran.code == 0, "{}", ran.out);
    }
}

#[test]
fn the_comparison_of_two_snapshots_names_both_with_digest_and_time() {
    let place = place("pull-diff");
    let mut after = organization(&[no_mail()]);
    after["fetchedAt"] = json!("2026-11-25T00:00:00Z");
    place.write("after.json", &after.to_string());
    let digest = |name: &str| {
        let ran = place.run(&["check", "--snapshot", name, "--now", NOW, "--format", "json"]);
        let result: Value = serde_json::from_str(&ran.out).unwrap();
        result["snapshotDigest"].as_str().unwrap().to_owned()
    };
    let (one, other) = (digest("snapshot.json"), digest("after.json"));
    let ran = place.run(&["diff", "snapshot.json", "after.json", "--format", "json"]);
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    let snapshots = &result["snapshots"];
    assert_eq!(
        (&snapshots["before"]["digest"], &snapshots["after"]["digest"]),
        (&json!(one), &json!(other))
    );
    assert_eq!(snapshots["before"]["fetchedAt"], NOW);
    assert_eq!(snapshots["after"]["fetchedAt"], "2026-11-25T00:00:00Z");
    let ran = place.run(&["diff", "snapshot.json", "after.json"]);
    let line: String = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, digest, at) in
        [("snapshot.json", one, NOW), ("after.json", other, "2026-11-25T00:00:00Z")]
    {
        let digest = &digest[..19];
        assert!(line.contains(&format!("snapshot {name} ({digest}, taken {at})")), "{line}");
    }
}

#[test]
fn files_in_utf_16_get_a_line_of_help_whatever_they_hold() {
    let place = place("pull-utf-16");
    let wide: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for name in ["wide.json", "wide.toml"] {
        std::fs::write(place.path(name), &wide).unwrap();
    }
    for arguments in [
        &["what-if", "--snapshot", "snapshot.json", "--plan", "wide.json"][..],
        &["what-if", "--snapshot", "snapshot.json", "--new-policy", "a=wide.json"],
        &["check", "--snapshot", "wide.json"],
        &["check", "--snapshot", "snapshot.json", "--perimeter", "wide.toml"],
        &["lint", "wide.json"],
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.err.contains("UTF-16") && ran.err.contains("Out-File"), "{}", ran.err);
    }
}

#[test]
fn an_account_with_a_blank_name_is_shown_by_its_id() {
    let mut snapshot = organization(&[]);
    snapshot["accounts"][0]["name"] = json!("");
    snapshot["accounts"][1]["name"] = json!(" ");
    let place = Place::with("pull-blank", &snapshot);
    place.write("plan.json", &attaches(&no_mail().to_string()));
    for format in ["text", "markdown"] {
        let ran = what_if(&place, &["--plan", "plan.json", "--format", format]);
        let both = "2 accounts: 222222222222 and 333333333333";
        assert!(ran.out.contains(both), "{}", ran.out);
    }
}

/// A plan with a policy for each of these documents, and attachments to both units by a key that
/// the plan does not tell.
fn by_key(documents: &[(&str, Value)], targets: &[&str]) -> String {
    let mut changes = Vec::new();
    for (key, document) in documents {
        let policy =
            json!({"name": key, "type": "SERVICE_CONTROL_POLICY", "content": document.to_string()});
        let address = format!("aws_organizations_policy.p[\"{key}\"]");
        let mut created = change(&address, &["create"], &Value::Null, &policy);
        created["change"]["after_unknown"] = json!({"id": true});
        changes.push(created);
    }
    for target in targets {
        let address = format!("aws_organizations_policy_attachment.a[\"{target}\"]");
        let after = json!({"target_id": target});
        let mut attached = change(&address, &["create"], &Value::Null, &after);
        attached["change"]["after_unknown"] = json!({"id": true, "policy_id": true});
        changes.push(attached);
    }
    let mut plan: Value = serde_json::from_str(&plan(&changes)).unwrap();
    plan["configuration"] = json!({"root_module": {"resources": [
        {"mode": "managed", "type": "aws_organizations_policy_attachment", "name": "a",
            "expressions": {"policy_id": {"references":
                ["aws_organizations_policy.p", "each.value"]}}}]}});
    plan.to_string()
}

/// A policy that says nothing about mail.
fn stay() -> Value {
    document(json!([{"Effect": "Deny", "Action": "organizations:LeaveOrganization",
        "Resource": "*"}]))
}

fn statuses(ran: &Ran) -> Vec<(String, String)> {
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    let cells = result["changed"].as_array().unwrap().iter();
    cells
        .map(|cell| {
            let text = |name: &str| cell[name].as_str().unwrap().to_owned();
            (text("accountName"), text("after"))
        })
        .collect()
}

#[test]
fn candidates_that_differ_are_undecided_and_name_the_expression_and_its_place() {
    let place = place("pull-candidates");
    place.write("plan.json", &by_key(&[("mail", no_mail()), ("stay", stay())], &["222222222222"]));
    let ran = what_if(&place, &["--plan", "plan.json", "--format", "json"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let found = statuses(&ran);
    assert!(found.len() > 10 && found.iter().all(|it| it == &("shop".into(), "UNDECIDED".into())));
    for part in
        ["`aws_organizations_policy.p`, `each.value`", "(at 1:", "p[\\\"mail\\\"]", "2 ways"]
    {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
}

#[test]
fn candidates_that_agree_give_their_verdict() {
    let place = place("pull-agree");
    let other = document(json!([{"Effect": "Deny", "Action": ["ses:*", "s3:*"],
        "Resource": "*"}]));
    place.write("plan.json", &by_key(&[("mail", no_mail()), ("more", other)], &["222222222222"]));
    let ran = what_if(&place, &["--plan", "plan.json", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(statuses(&ran).iter().all(|it| it == &("shop".into(), "PASSED".into())));
    // Both must go to the unit, since AWS attaches none twice.
    let unit = ["ou-exam-workload"; 2];
    let twice = by_key(&[("mail", no_mail()), ("stay", stay())], &unit).replacen(
        "a[\\\"ou-exam-workload\\\"]",
        "a[\\\"again\\\"]",
        1,
    );
    place.write("plan.json", &twice);
    let ran = what_if(&place, &["--plan", "plan.json", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(statuses(&ran).iter().all(|(_, after)| after == "PASSED"), "{}", ran.out);
}

#[test]
fn targets_on_one_path_are_decided_together() {
    let place = place("pull-path");
    let documents = [("mail", no_mail()), ("stay", stay())];
    let targets = ["ou-exam-workload", "222222222222"];
    place.write("plan.json", &by_key(&documents, &targets));
    let ran = what_if(&place, &["--plan", "plan.json", "--format", "json"]);
    // Both places may get the policy that says nothing about mail.
    assert!(statuses(&ran).iter().all(|(_, after)| after == "UNDECIDED"), "{}", ran.out);
    assert!(ran.out.contains("4 ways"), "{}", ran.out);
}

/// A plan that attaches one of 70 policies with this statement and one of their own to `shop`.
fn one_of_many(statement: &Value) -> String {
    let documents: Vec<(String, Value)> = (0..70)
        .map(|n| {
            let own = json!({"Effect": "Deny", "Action": format!("service{n}:*"), "Resource": "*"});
            (format!("k{n}"), document(json!([own, statement])))
        })
        .collect();
    let documents: Vec<(&str, Value)> =
        documents.iter().map(|(key, document)| (key.as_str(), document.clone())).collect();
    by_key(&documents, &["222222222222"])
}

#[test]
fn more_ways_than_are_looked_at_are_undecided_without_a_guess() {
    let place = place("pull-many");
    for effect in ["Deny", "Allow"] {
        let statement = json!({"Effect": effect, "Action": "ses:*", "Resource": "*"});
        place.write("plan.json", &one_of_many(&statement));
        let ran = what_if(&place, &["--plan", "plan.json", "--format", "json"]);
        assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
        assert!(statuses(&ran).iter().all(|it| it == &("shop".into(), "UNDECIDED".into())));
        assert!(ran.out.contains("more ways than are looked at"), "{}", ran.out);
    }
}

#[test]
fn many_ways_that_only_deny_are_answered_where_all_of_it_and_nothing_of_it_give_the_same() {
    let place = place("pull-many-denials");
    let other = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
    place.write("plan.json", &one_of_many(&other));
    for documents in [vec![], vec![no_mail()]] {
        place.write("snapshot.json", &organization(&documents).to_string());
        let ran = what_if(&place, &["--plan", "plan.json", "--format", "json"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(statuses(&ran).is_empty(), "{}", ran.out);
        assert!(ran.out.contains("with all of it and without it"), "{}", ran.out);
    }
}

#[test]
fn a_document_that_is_known_after_apply_leaves_undecided_what_it_touches() {
    let place = place("pull-known-later");
    let mut plan: Value = serde_json::from_str(&attaches("{}")).unwrap();
    plan["resource_changes"][0]["change"]["after_unknown"]["content"] = json!(true);
    place.write("plan.json", &plan.to_string());
    let ran = what_if(&place, &["--plan", "plan.json", "--format", "json"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(statuses(&ran).iter().all(|(_, after)| after == "UNDECIDED"), "{}", ran.out);
    assert!(
        ran.out.contains("`content` of `aws_organizations_policy.p` is known only after apply")
    );
    // What passed, and may be undone by it, is a regression.
    place.write("snapshot.json", &organization(&[no_mail()]).to_string());
    assert_eq!(what_if(&place, &["--plan", "plan.json"]).code, 1);
}

/// Two accounts, a deny on each alone, and a change of both that leaves a hole of its own in each.
#[test]
fn accounts_with_other_reasons_stand_in_groups_of_their_own() {
    let mut snapshot = organization(&[]);
    let guard = |condition: &Value| {
        document(
            json!([{"Sid": "Guard", "Effect": "Deny", "Action": "ses:SendBulkEmail", "Resource": "*", "Condition": condition}]),
        )
    };
    let whole = json!({"StringLike": {"aws:PrincipalArn": "*"}});
    let policies = snapshot["policies"].as_array_mut().unwrap();
    for id in ["p-shopguard", "p-bankguard"] {
        policies.push(json!({"id": id, "name": id, "type": "SERVICE_CONTROL_POLICY", "content": guard(&whole)}));
    }
    let attachments = snapshot["attachments"].as_array_mut().unwrap();
    attachments.push(json!({"policyId": "p-shopguard", "targetId": "222222222222"}));
    attachments.push(json!({"policyId": "p-bankguard", "targetId": "333333333333"}));
    let place = Place::with("pull-reasons", &snapshot);
    let region = guard(&json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}));
    place.write("shop.json", &region.to_string());
    place.write("bank.json", &guard(&json!({"StringEquals": {"ses:ApiVersion": "1"}})).to_string());
    for format in ["text", "markdown"] {
        let changes = ["--policy", "p-shopguard=shop.json", "--policy", "p-bankguard=bank.json"];
        let ran = what_if(&place, &[&changes[..], &["--format", format]].concat());
        assert_eq!(ran.code, 1, "{}", ran.err);
        let text = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["p-shopguard", "p-bankguard", "RequestedRegion", "ApiVersion"] {
            let worse = text.split_once("Worse").unwrap().1;
            assert!(worse.contains(part), "{format}, {part}: {worse}");
        }
    }
}

#[test]
fn a_proposed_perimeter_is_shown_with_what_it_changes_and_turns_no_verdict() {
    let place = Place::with("pull-perimeter", &organization(&[no_mail()]));
    let base = place.read("perimeter.toml");
    place.write("same.toml", &format!("# Another comment.\n{base}"));
    place.write("wide.toml", &base.replace("*@example.com", "*"));
    place.write(
        "narrow.toml",
        &format!(
            "{base}[[exemptions]]\nprincipal_arn = \"arn:aws:iam::*:role/App\"\nreason = \"r\"\n"
        ),
    );
    let detach = ["--detach", "policy-0=Workloads"];
    for name in ["same.toml", "wide.toml", "narrow.toml"] {
        let alone = what_if(&place, &[&detach[..], &["--format", "json"]].concat());
        let arguments = [&detach[..], &["--new-perimeter", name, "--format", "json"]].concat();
        let ran = what_if(&place, &arguments);
        assert_eq!((ran.code, alone.code), (1, 1), "{name}: {}", ran.err);
        let (ran, alone): (Value, Value) =
            (serde_json::from_str(&ran.out).unwrap(), serde_json::from_str(&alone.out).unwrap());
        assert_eq!(ran["changed"], alone["changed"], "{name}");
        assert_eq!(ran["summary"], alone["summary"], "{name}");
        assert!(alone.get("perimeter").is_none());
        let says = ran["perimeter"]["says"].as_array().unwrap();
        assert_eq!(says.is_empty(), name == "same.toml", "{name}");
    }
    let arguments = ["--new-perimeter", "wide.toml", "--format", "markdown"];
    let ran = what_if(&place, &[&detach[..], &arguments].concat());
    let first = "The perimeter changes. Verdicts here are those of the present one; under the \
                 proposed one";
    assert!(ran.out.lines().nth(3).unwrap().contains(first), "{}", ran.out);
    assert!(ran.out.contains("- new: the trusted recipient <code>&#42;</code>\n"), "{}", ran.out);
    let turned =
        "- **SESDP.1 to 4, 6, 8, 13 and 15 FAILED to PASSED**: 2 accounts: shop and bank\n";
    assert!(ran.out.contains(turned), "{}", ran.out);
}

#[test]
fn a_perimeter_may_be_all_that_changes_and_then_there_is_no_tick() {
    let place = Place::with("pull-perimeter-alone", &organization(&[no_mail()]));
    let base = place.read("perimeter.toml");
    place.write("wide.toml", &base.replace("*@example.com", "*"));
    for (name, mark) in [("perimeter.toml", "✅"), ("wide.toml", "⚠️")] {
        let ran = what_if(&place, &["--new-perimeter", name, "--format", "markdown"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains(&format!("## {mark}")), "{name}: {}", ran.out);
    }
    place.write("broken.toml", "[trusted]\nrecipient = []\n");
    let ran = what_if(&place, &["--new-perimeter", "broken.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("broken.toml:2"), "{}", ran.err);
}
