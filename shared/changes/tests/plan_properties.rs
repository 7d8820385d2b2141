//! Whatever a plan holds, it is read or refused, and the edits of one that is read can be made.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::sync::LazyLock;

use changes::plan::{self, Parameters};
use organization::{Edit, Organization};
use policy::parse::Limits;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::cases;

static SNAPSHOT: LazyLock<String> =
    LazyLock::new(|| cases::input("plan/organization/snapshot.json").text);

static ORGANIZATION: LazyLock<Organization> =
    LazyLock::new(|| organization::read(&SNAPSHOT, &Limits::default()).unwrap());

/// The plans of the cases, good and bad.
static PLANS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let beside = ["expected.json", "snap", "organization"];
    let inputs = cases::inputs("plan", &["json", "yaml", "txt"], &beside);
    inputs.into_iter().map(|(_, input)| input.text).collect()
});

/// Words that plans are made of, so that arbitrary values come near them.
const WORDS: &[&str] = &[
    "format_version",
    "1.2",
    "resource_changes",
    "address",
    "change",
    "actions",
    "create",
    "update",
    "delete",
    "no-op",
    "before",
    "after",
    "after_unknown",
    "policy_id",
    "target_id",
    "parent_id",
    "id",
    "type",
    "name",
    "content",
    "aws_organizations_policy.a",
    "aws_organizations_policy_attachment.b",
    "aws_organizations_account.c",
    "configuration",
    "root_module",
    "resources",
    "expressions",
    "references",
    "module_calls",
    "p-denymail01",
    "ou-exam-workload",
    "222222222222",
    "Resources",
    "Type",
    "Properties",
    "AWS::Organizations::Policy",
    "Name",
    "Content",
    "TargetIds",
    "Ref",
    "Fn::Sub",
    "Fn::If",
    "Fn::Join",
    "Conditions",
    "Condition",
    "Fn::Not",
    "Fn::And",
    "Parameters",
    "Default",
    "Changes",
    "ResourceChange",
    "LogicalResourceId",
    "ResourceType",
    "Action",
    "Modify",
    "AfterContext",
    "BeforeContext",
    "SERVICE_CONTROL_POLICY",
    "{\"Properties\":{}}",
    "${A}",
    "A",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => proptest::sample::select(WORDS).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i16>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((word(), inner), 0..6)
                .prop_map(|pairs| Value::from(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// How many values a document has.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Puts `new` in the place of the value that is number `at`.
fn put(value: &mut Value, at: &mut usize, new: &Value) {
    if *at == 0 {
        *value = new.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| put(element, at, new)),
        Value::Object(members) => members.values_mut().for_each(|member| put(member, at, new)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Reads the plan, and makes its edits if it has some.
fn try_plan(text: &str) -> Result<(), TestCaseError> {
    let Ok(plan) = plan::read(text, &Parameters::default(), &ORGANIZATION) else { return Ok(()) };
    let made = ORGANIZATION.edited(&plan.edits);
    made.map_err(|error| TestCaseError::fail(format!("{:?}: {error}", plan.edits)))?;
    Ok(())
}

proptest! {
    #[test]
    fn arbitrary_json_is_read_or_refused(value in value()) {
        try_plan(&value.to_string())?;
    }

    #[test]
    fn arbitrary_resources_are_read_or_refused(value in value(), kind in 0..3) {
        let text = match kind {
            0 => format!(r#"{{"format_version":"1.2","resource_changes":[{value}]}}"#),
            1 => format!(r#"{{"Resources":{{"A":{value}}}}}"#),
            _ => format!(r#"{{"Changes":[{{"ResourceChange":{value}}}]}}"#),
        };
        try_plan(&text)?;
    }

    #[test]
    fn arbitrary_text_is_read_or_refused(text in "(Resources:\n)?[ -~\n]{0,80}") {
        try_plan(&text)?;
    }

    #[test]
    fn a_plan_with_another_value_somewhere_is_read_or_refused(
        which in any::<proptest::sample::Index>(),
        place in any::<proptest::sample::Index>(),
        new in value(),
    ) {
        if let Ok(mut plan) = serde_json::from_str::<Value>(which.get(&PLANS).as_str()) {
            let mut at = place.index(size(&plan));
            put(&mut plan, &mut at, &new);
            try_plan(&plan.to_string())?;
        }
    }

    #[test]
    fn a_plan_with_a_piece_cut_out_is_read_or_refused(
        which in any::<proptest::sample::Index>(),
        place in any::<proptest::sample::Index>(),
        length in 1_usize..40,
    ) {
        let characters: Vec<char> = which.get(&PLANS).chars().collect();
        let start = place.index(characters.len());
        let rest = characters.iter().skip(start + length);
        let text: String = characters.iter().take(start).chain(rest).collect();
        try_plan(&text)?;
    }
}

#[test]
fn an_id_is_followed_through_200_nested_modules() {
    const DEEP: usize = 200;
    let kind = "aws_organizations_policy";
    let attachment = format!("{kind}_attachment");
    let references = |names: &[&str]| json!({"references": names});
    let own = [format!("{kind}.guard.id"), format!("{kind}.guard")];
    let mut module = json!({"variables": {"id": {}}, "resources": [{"mode": "managed",
        "type": attachment, "name": "a", "expressions": {"policy_id": references(&["var.id"])}}]});
    let mut planned = json!({"resources": [{"address": "a.b", "values": {}}]});
    for level in (0..DEEP).rev() {
        let given: &[&str] = if level == 0 { &[&own[0], &own[1]] } else { &["var.id"] };
        module = json!({"module_calls": {"m": {"source": "./m", "module": module,
            "expressions": {"id": references(given)}}}, "variables": {"id": {}}});
        planned = json!({"child_modules": [planned]});
    }
    let change = |address: String, kind: &str, after: Value, unknown: Value| {
        json!({"address": address, "mode": "managed", "type": kind, "change": {"actions":
            ["create"], "before": null, "after": after, "after_unknown": unknown}})
    };
    let policy = json!({"name": "guard", "type": "SERVICE_CONTROL_POLICY", "content": "{}"});
    let changes = [
        change(format!("{kind}.guard"), kind, policy, json!({"id": true})),
        change(
            format!("{}{attachment}.a", "module.m.".repeat(DEEP)),
            &attachment,
            json!({"target_id": "ou-exam-workload"}),
            json!({"id": true, "policy_id": true}),
        ),
    ];
    let text = json!({"format_version": "1.2", "resource_changes": changes,
        "planned_values": {"root_module": planned}, "configuration": {"root_module": module}});
    let plan = plan::read(&text.to_string(), &Parameters::default(), &ORGANIZATION).unwrap();
    let attached = Edit::Attach {
        policy: "p-newguard".parse().unwrap(),
        target: "ou-exam-workload".parse().unwrap(),
    };
    assert!(plan.edits.contains(&attached), "{plan:?}");
    assert!(plan.choices.is_empty() && plan.unknown.is_empty(), "{plan:?}");
}
