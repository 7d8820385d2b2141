//! Runs `tests/cases/condition` and `tests/cases/stack` through the plain evaluator.
//!
//! Both folders hold questions with their answers; `tests/cases/README.md` documents the fields.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "the cases are files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use policy::condition::{BareMultivalued, Judge, Open, OpenPoint, Readings, Truth};
use policy::evaluate::{Outcome, Place, Stack, evaluate, permitted_for_certain, statement_matches};
use policy::keys::{KeyCatalog, KeyInfo, KeyKind};
use policy::model::Policy;
use policy::parse::{Limits, parse};
use policy::request::{Context, ContextValue, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");

/// One file: what it is about, and its cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<C> {
    name: String,
    source: String,
    because: String,
    cases: Vec<C>,
}

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

#[derive(Deserialize)]
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

/// The files of a folder; each must say what it is about and hold cases.
fn files<C: DeserializeOwned>(folder: &str) -> Vec<(String, File<C>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(Path::new(CASES).join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{folder}/{}", path.file_name().unwrap().to_string_lossy());
        assert!(path.extension().is_some_and(|found| found == "json"), "{name} is no case file");
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File<C> = match serde_json::from_str(&text) {
            Ok(file) => file,
            Err(problem) => panic!("{name}: {problem}"),
        };
        let heads = [&file.name, &file.source, &file.because];
        assert!(heads.iter().all(|head| !head.is_empty()), "{name} has an empty head");
        assert!(!file.cases.is_empty(), "{name} has no cases");
        files.push((name, file));
    }
    assert!(!files.is_empty(), "there are no cases in {folder}");
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

#[test]
fn every_condition_case_gets_its_answer() {
    let catalog = catalog();
    let mut failures = String::new();
    for (file, contents) in files::<ConditionCase>("condition") {
        for (index, case) in contents.cases.iter().enumerate() {
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
            let [statement] = policy.statements.as_slice() else {
                panic!("{file}: case {index} has one statement")
            };
            let (answer, point) = match statement_matches(statement, &request, &judge) {
                Truth::Yes => (Answer::Yes, None),
                Truth::No => (Answer::No, None),
                Truth::Open(open) => (Answer::Open, Some(points(&open))),
            };
            if answer != case.expect || point != case.point {
                writeln!(
                    failures,
                    "{file}, case {index} ({}): expected {:?} {:?}, got {answer:?} {point:?}\n  {}",
                    case.because.as_deref().unwrap_or(&contents.name),
                    case.expect,
                    case.point,
                    case.condition,
                )
                .unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn every_stack_case_gets_its_decision() {
    let catalog = catalog();
    let mut failures = String::new();
    for (file, contents) in files::<StackCase>("stack") {
        for case in &contents.cases {
            let policies: Vec<Vec<Policy>> =
                case.levels.iter().map(|level| level.iter().map(read).collect()).collect();
            let stack =
                Stack { levels: policies.iter().map(|level| level.iter().collect()).collect() };
            let request = Request {
                action: case.action.clone(),
                resource: case.resource.clone(),
                context: context(&case.context),
            };
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
            let under = |readings| evaluate(&stack, &request, readings, &catalog).outcome;
            let every = Readings::every().all(|readings| under(readings) == Outcome::Permitted);
            assert_eq!(
                permitted_for_certain(&stack, &request, &catalog),
                every || under(Readings::default()) == Outcome::Permitted,
                "{file}, `{}`",
                case.name
            );
            let expect = &case.expect;
            if outcome != expect.outcome
                || denies != expect.denies
                || allowed_by != expect.allowed_by
                || point != expect.point
            {
                writeln!(
                    failures,
                    "{file}, `{}`: expected {:?} {:?} {:?} {:?}, got {outcome:?} {denies:?} \
                     {allowed_by:?} {point:?}",
                    case.name, expect.outcome, expect.denies, expect.allowed_by, expect.point,
                )
                .unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
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
