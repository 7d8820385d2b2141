//! Runs `tests/cases/condition` and `tests/cases/stack` through the plain evaluator.
//!
//! Both folders hold questions with their answers; `tests/cases/README.md` documents the fields.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};

use policy::condition::{BareMultivalued, Judge, Open, OpenPoint, Readings, Truth};
use policy::evaluate::{Outcome, Place, Stack, evaluate, permitted_for_certain, statement_matches};
use policy::keys::{KeyCatalog, KeyInfo, KeyKind};
use policy::model::Policy;
use policy::parse::{Limits, parse};
use policy::request::{Context, ContextValue, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use support::cases;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionCase {
    condition: Value,
    #[serde(default = "version_2012")]
    version: String,
    #[serde(default)]
    context: BTreeMap<String, Given>,
    expect: Answer,
    point: Option<String>,
    #[serde(default)]
    readings: Taken,
    because: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct StackCase {
    name: String,
    levels: Vec<Vec<Value>>,
    #[serde(default = "action")]
    action: String,
    #[serde(default = "resource")]
    resource: String,
    #[serde(default)]
    context: BTreeMap<String, Given>,
    #[serde(default)]
    readings: Taken,
    expect: ExpectedDecision,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ExpectedDecision {
    outcome: ExpectedOutcome,
    denies: Vec<[usize; 3]>,
    allowed_by: Vec<Option<[usize; 2]>>,
    point: Option<String>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Yes,
    No,
    Open,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum ExpectedOutcome {
    Permitted,
    Denied,
    Open,
}

/// The value of a context key: a text for one value, a list for a set.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    One(String),
    Many(Vec<String>),
}

/// The readings taken; those that are left out stay open.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Taken {
    any_value_if_exists: Option<bool>,
    bare_multivalued: Option<Bare>,
    short_arn_as_glob: Option<bool>,
    resource_as_glob: Option<bool>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Bare {
    Never,
    AnyValue,
    AnyValueOrMissing,
}

impl From<Bare> for BareMultivalued {
    fn from(bare: Bare) -> Self {
        match bare {
            Bare::Never => Self::Never,
            Bare::AnyValue => Self::AnyValue,
            Bare::AnyValueOrMissing => Self::AnyValueOrMissing,
        }
    }
}

fn version_2012() -> String {
    "2012-10-17".to_owned()
}

fn action() -> String {
    "ses:SendEmail".to_owned()
}

fn resource() -> String {
    "arn:aws:ses:us-east-1:111111111111:identity/example.com".to_owned()
}

impl From<&Taken> for Readings {
    fn from(taken: &Taken) -> Self {
        Self {
            any_value_if_exists: taken.any_value_if_exists,
            bare_multivalued: taken.bare_multivalued.map(Into::into),
            short_arn_as_glob: taken.short_arn_as_glob,
            resource_as_glob: taken.resource_as_glob,
        }
    }
}

fn catalog() -> KeyCatalog {
    let many = ["aws:CalledVia", "aws:PrincipalOrgPaths", "aws:TagKeys", "ses:Recipients"];
    KeyCatalog::new(many.map(|name| KeyInfo {
        name,
        kind: KeyKind::String,
        multivalued: true,
        family: false,
    }))
}

fn context(given: &BTreeMap<String, Given>) -> Context {
    let mut context = Context::default();
    for (key, value) in given {
        let value = match value {
            Given::One(text) => ContextValue::One(text.clone()),
            Given::Many(texts) => {
                assert!(!texts.is_empty(), "a set in a request is not empty: {key}");
                ContextValue::Many(texts.clone())
            }
        };
        assert!(context.get(key).is_none(), "context key `{key}` is given twice");
        context.insert(key, value);
    }
    context
}

fn read(document: &Value) -> Policy {
    let text = document.to_string();
    match parse(&text, &Limits::default()) {
        Ok(parsed) => parsed.policy,
        Err(problem) => panic!("the policy of a case must be readable: {problem:?}\n{text}"),
    }
}

/// The points of `open`, each once, by name.
fn points<'a>(open: impl IntoIterator<Item = &'a Open>) -> String {
    let name = |open: &Open| {
        if let OpenPoint::Statement(kind) = open.point {
            format!("{kind:?}")
        } else {
            format!("{:?}", open.point)
        }
    };
    let names: BTreeSet<String> = open.into_iter().map(name).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

#[test]
fn every_condition_case_gets_its_answer() {
    let catalog = catalog();
    cases::run(1, cases::groups("condition"), |case: ConditionCase| {
        let policy = read(&json!({
            "Version": case.version,
            "Statement": {
                "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": case.condition,
            },
        }));
        let request =
            Request { action: action(), resource: resource(), context: context(&case.context) };
        let readings = Readings::from(&case.readings);
        let judge = Judge { context: &request.context, readings, catalog: &catalog };
        let [statement] = policy.statements.as_slice() else { panic!("a case is one statement") };
        let answer = match statement_matches(statement, &request, &judge) {
            Truth::Yes => (Answer::Yes, None),
            Truth::No => (Answer::No, None),
            Truth::Open(open) => (Answer::Open, Some(points(&open))),
        };
        let about = (case.because, case.condition);
        assert_eq!(answer, (case.expect, case.point), "{about:?}");
    });
}

#[test]
fn every_stack_case_gets_its_decision() {
    let catalog = catalog();
    cases::run(1, cases::groups("stack"), |case: StackCase| {
        assert!(!case.name.is_empty(), "a case says what must hold");
        let policies: Vec<Vec<Policy>> =
            case.levels.iter().map(|level| level.iter().map(read).collect()).collect();
        let stack = Stack { levels: policies.iter().map(|level| level.iter().collect()).collect() };
        let context = context(&case.context);
        let request = Request { action: case.action, resource: case.resource, context };
        let decision = evaluate(&stack, &request, Readings::from(&case.readings), &catalog);
        let outcome = match decision.outcome {
            Outcome::Permitted => ExpectedOutcome::Permitted,
            Outcome::Denied => ExpectedOutcome::Denied,
            Outcome::Open => ExpectedOutcome::Open,
        };
        let denies: Vec<[usize; 3]> = decision
            .explicit_denies
            .iter()
            .map(|place| [place.level, place.policy, place.statement])
            .collect();
        let allowed_by: Vec<Option<[usize; 2]>> = decision
            .allowed_by
            .iter()
            .enumerate()
            .map(|(level, place)| {
                place.map(|place: Place| {
                    assert_eq!(place.level, level, "an Allow of another level");
                    [place.policy, place.statement]
                })
            })
            .collect();
        let point = (outcome == ExpectedOutcome::Open)
            .then(|| points(decision.open.iter().map(|(_, open)| open)));
        assert_eq!(ExpectedDecision { outcome, denies, allowed_by, point }, case.expect);
        let under = |readings| evaluate(&stack, &request, readings, &catalog).outcome;
        let every = Readings::every().all(|readings| under(readings) == Outcome::Permitted);
        assert_eq!(
            permitted_for_certain(&stack, &request, &catalog),
            every || under(Readings::default()) == Outcome::Permitted,
        );
    });
}

#[test]
fn a_request_that_every_reading_permits_is_permitted_for_certain() {
    // Of the two Allows each reading of the wildcard in the resource leaves one.
    let policies = [
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "arn:*example.com"},
            {"Effect": "Allow", "Action": "*", "NotResource": "arn:*example.com"},
        ]}),
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "arn:*example.com"},
        ]}),
    ];
    let [both, one] = policies.map(|document| read(&document));
    let request = Request { action: action(), resource: resource(), context: Context::default() };
    let catalog = catalog();
    let certain = |policy: &Policy| {
        let stack = Stack { levels: vec![vec![policy]] };
        let open = evaluate(&stack, &request, Readings::default(), &catalog).outcome;
        assert_eq!(open, Outcome::Open);
        permitted_for_certain(&stack, &request, &catalog)
    };
    assert!(certain(&both));
    assert!(!certain(&one));
}
