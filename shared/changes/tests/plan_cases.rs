//! Runs the plans in `tests/cases/plan`: each `NAME.json` or `NAME.yaml` has its outcome beside it
//! in `NAME.expected.json`, and one that is refused has its report in `NAME.snap`.
//! `tests/cases/README.md` describes the fields.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::fmt::Display;

use changes::plan::{self, Parameters, Plan, PlanError};
use organization::{Edit, Organization};
use policy::parse::Limits;
use serde::Deserialize;
use serde_json::Value;
use support::cases::{self, Input};
use support::render;
use text::clipped::Clipped;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    because: String,
    #[serde(default)]
    refused: bool,
    /// `NAME=VALUE` for parameters of a template.
    #[serde(default)]
    parameters: Vec<String>,
    #[serde(default)]
    edits: Vec<Vec<Value>>,
    #[serde(default)]
    notes: Vec<String>,
    /// The target of each attachment that is open, and the policies.
    #[serde(default)]
    choices: Vec<(String, Vec<Option<String>>)>,
    /// For each thing that is known only after apply, a part of the reason.
    #[serde(default)]
    unknown: Vec<String>,
}

fn organization() -> Organization {
    let snapshot = cases::input("plan/organization/snapshot.json");
    organization::read(&snapshot.text, &Limits::default()).unwrap()
}

/// Every plan with its outcome; none without the other.
fn plans() -> Vec<(String, (Input, Expected))> {
    let beside = ["expected.json", "snap", "organization"];
    let inputs = cases::inputs("plan", &["json", "yaml", "txt"], &beside);
    let with_outcome = |(name, input): (String, Input)| {
        let expected: Expected = input.beside("expected.json").json();
        assert!(!expected.because.is_empty(), "`{name}` must say why");
        let outcome = expected.edits.len() + expected.notes.len();
        assert!(outcome == 0 || !expected.refused, "`{name}` is refused and has no edits");
        (name, (input, expected))
    };
    inputs.into_iter().map(with_outcome).collect()
}

fn read(input: &Input, expected: &Expected, now: &Organization) -> Result<Plan, PlanError> {
    let mut parameters = Parameters::default();
    expected.parameters.iter().for_each(|it| parameters.assign(it).unwrap());
    plan::read(&input.text, &parameters, now)
}

fn render(input: &Input, error: PlanError) -> String {
    let shown = plan::shown(&input.text, &error);
    render::trimmed(&render::report(error, Clipped::new(input.file(), shown)))
}

/// An edit as the cases write it; a document as an object, if it is one.
fn written(edit: &Edit) -> Vec<Value> {
    let document = |content: &String| {
        serde_json::from_str(content).unwrap_or_else(|_| Value::String(content.clone()))
    };
    let words = |words: &[&dyn Display]| words.iter().map(|it| it.to_string().into()).collect();
    let (verb, mut rest): (&str, Vec<Value>) = match edit {
        Edit::Replace { policy, content } => {
            ("replace", vec![Value::from(policy.as_str()), document(content)])
        }
        Edit::Create { policy, name, content } => {
            let (policy, name) = (policy.as_str(), name.as_str());
            ("create", vec![Value::from(policy), Value::from(name), document(content)])
        }
        Edit::Delete { policy } => ("delete", words(&[policy])),
        Edit::Attach { policy, target } => ("attach", words(&[policy, target])),
        Edit::Detach { policy, target } => ("detach", words(&[policy, target])),
        Edit::CreateUnit { unit, name, parent } => ("unit", words(&[unit, name, parent])),
        Edit::CreateAccount { account, name, parent } => {
            ("account", words(&[account, name, parent]))
        }
        Edit::Move { account, parent } => ("move", words(&[account, parent])),
    };
    rest.insert(0, Value::from(verb));
    rest
}

#[test]
fn every_plan_becomes_the_edits_beside_it_or_is_refused() {
    let organization = organization();
    cases::run(25, plans(), |(input, expected)| {
        match (read(&input, &expected, &organization), expected.refused) {
            (Ok(plan), false) => compare(&plan, &expected),
            (Ok(plan), true) => panic!("it must be refused: {plan:#?}"),
            (Err(error), false) => panic!("{}", render(&input, error)),
            (Err(error), true) => {
                for problem in error.problems() {
                    assert!(problem.help.is_some(), "{problem} says not what to do");
                }
                input.compare(&render(&input, error));
            }
        }
    });
}

/// Holds a plan against what it should do.
fn compare(plan: &Plan, expected: &Expected) {
    let edits: Vec<Vec<Value>> = plan.edits.iter().map(written).collect();
    assert_eq!(edits, expected.edits, "{}", serde_json::to_string(&edits).unwrap());
    let choices: Vec<(String, Vec<Option<String>>)> = plan
        .choices
        .iter()
        .map(|choice| {
            let policies = choice.policies.iter().map(|it| it.as_ref().map(ToString::to_string));
            (choice.target.to_string(), policies.collect())
        })
        .collect();
    assert_eq!(choices, expected.choices);
    let unknown = plan.unknown.iter().map(|unknown| unknown.why.as_str());
    for (what, found, parts) in [
        ("known only after apply", unknown.collect::<Vec<&str>>(), &expected.unknown),
        ("notes", plan.notes.iter().map(|note| &**note).collect(), &expected.notes),
    ] {
        let fit = found.iter().zip(parts).all(|(text, part)| text.contains(part.as_str()));
        assert!(fit && found.len() == parts.len(), "{what}: {found:#?}");
    }
}

#[test]
fn the_edits_of_every_plan_can_be_made_one_after_the_other() {
    let organization = organization();
    let plans = plans().into_iter().filter(|(_, (_, expected))| !expected.refused);
    cases::run(1, plans, |(input, expected)| {
        let mut now = organization.clone();
        for edit in &read(&input, &expected, &organization).unwrap().edits {
            now = now.edited([edit]).unwrap_or_else(|error| panic!("{edit:?}: {error}"));
            let bare = now.targets().filter(|target| now.scps_on(target.index).is_empty()).count();
            assert_eq!(bare, 0, "a target is without policies after {edit:?}");
        }
    });
}
