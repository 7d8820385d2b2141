//! Runs the plans in `tests/cases/plan`: each `NAME.json` or `NAME.yaml` has its outcome beside it
//! in `NAME.expected.json`, and one that is refused has its report in `NAME.snap`.
//! `tests/cases/README.md` describes the fields.
#![allow(clippy::disallowed_methods, reason = "the cases are files")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use changes::plan::{self, Parameters, Plan, PlanError};
use miette::{GraphicalReportHandler, GraphicalTheme, Report};
use organization::{Edit, Organization};
use policy::parse::Limits;
use serde::Deserialize;
use serde_json::Value;
use text::clipped::Clipped;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases/plan");

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

struct Case {
    file: PathBuf,
    name: String,
    text: String,
    expected: Expected,
}

fn organization() -> Organization {
    let snapshot = Path::new(CASES).join("organization/snapshot.json");
    organization::read(&std::fs::read_to_string(snapshot).unwrap(), &Limits::default()).unwrap()
}

fn parameters(expected: &Expected) -> Parameters {
    let mut parameters = Parameters::default();
    expected.parameters.iter().for_each(|it| parameters.assign(it).unwrap());
    parameters
}

/// Every plan with its outcome; none without the other.
fn cases() -> Vec<Case> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let names: BTreeSet<String> = files.iter().map(name).collect();
    let mut cases = Vec::new();
    let mut outcomes = 0;
    for file in files {
        let full = name(&file);
        if full.ends_with(".expected.json") {
            outcomes += 1;
            continue;
        }
        let stem = full.strip_suffix(".json").or_else(|| full.strip_suffix(".yaml"));
        let stem = stem.or_else(|| full.strip_suffix(".txt"));
        let Some(stem) = stem else {
            let stem = full.split('.').next().unwrap();
            let is_report = full.ends_with(".snap") || full.ends_with(".snap.new");
            let outcome = names.contains(&format!("{stem}.expected.json"));
            assert!(file.is_dir() || (is_report && outcome), "what is `{full}` for?");
            continue;
        };
        let outcome = std::fs::read_to_string(file.with_file_name(format!("{stem}.expected.json")));
        let outcome = outcome.unwrap_or_else(|_| panic!("`{full}` has no outcome beside it"));
        let expected: Expected =
            serde_json::from_str(&outcome).unwrap_or_else(|error| panic!("`{stem}`: {error}"));
        assert!(!expected.because.is_empty(), "`{stem}` must say why");
        let outcome = expected.edits.len() + expected.notes.len();
        assert!(outcome == 0 || !expected.refused, "`{stem}` is refused and has no edits");
        let text = std::fs::read_to_string(&file).unwrap();
        cases.push(Case { name: stem.to_owned(), text, expected, file });
    }
    assert_eq!(cases.len(), outcomes, "an outcome has no plan, or two");
    cases
}

fn render(file: &Path, text: &str, error: PlanError) -> String {
    let name = file.file_name().unwrap().to_str().unwrap();
    let shown = plan::shown(text, &error);
    let report = Report::new(error).with_source_code(Clipped::new(name, shown));
    let mut rendered = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut rendered, report.as_ref())
        .unwrap();
    let lines: Vec<&str> = rendered.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
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
    let cases = cases();
    assert!(cases.len() >= 25);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(CASES);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut wrong = Vec::new();
    for case in cases {
        let outcome = plan::read(&case.text, &parameters(&case.expected), &organization);
        let name = &case.name;
        if case.expected.refused {
            match outcome {
                Ok(plan) => wrong.push(format!("`{name}` must be refused: {plan:#?}")),
                Err(error) => {
                    wrong.extend(error.problems().iter().filter_map(|problem| {
                        let silent = problem.help.is_none();
                        silent.then(|| format!("`{name}` must say what to do: {problem}"))
                    }));
                    let shown = render(&case.file, &case.text, error);
                    settings.bind(|| insta::assert_snapshot!(name.clone(), shown));
                }
            }
            continue;
        }
        match outcome {
            Ok(plan) => wrong.extend(differences(&case, &plan)),
            Err(error) => {
                wrong.push(format!("`{name}`:\n{}", render(&case.file, &case.text, error)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a plan should have done otherwise.
fn differences(case: &Case, plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    let edits: Vec<Vec<Value>> = plan.edits.iter().map(written).collect();
    if edits != case.expected.edits {
        let shown: Vec<String> =
            edits.iter().map(|edit| serde_json::to_string(edit).unwrap()).collect();
        wrong.push(format!("`{}` makes\n  {}", case.name, shown.join("\n  ")));
    }
    let choices: Vec<(String, Vec<Option<String>>)> = plan
        .choices
        .iter()
        .map(|choice| {
            let policies = choice.policies.iter().map(|it| it.as_ref().map(ToString::to_string));
            (choice.target.to_string(), policies.collect())
        })
        .collect();
    if choices != case.expected.choices {
        let shown = serde_json::to_string(&choices).unwrap();
        wrong.push(format!("`{}` leaves open {shown}", case.name));
    }
    let unknown = plan.unknown.iter().zip(&case.expected.unknown);
    if plan.unknown.len() != case.expected.unknown.len()
        || !unknown.clone().all(|(found, part)| found.why.contains(part))
    {
        wrong.push(format!("`{}` does not know {:#?}", case.name, plan.unknown));
    }
    let (notes, expected) = (&plan.notes, &case.expected.notes);
    let fit = notes.iter().zip(expected).all(|(note, part)| note.contains(part));
    if notes.len() != expected.len() || !fit {
        wrong.push(format!("`{}` has the notes {notes:#?}", case.name));
    }
    wrong
}

#[test]
fn the_edits_of_every_plan_can_be_made_one_after_the_other() {
    let organization = organization();
    for Case { name, text, expected, .. } in cases() {
        if expected.refused {
            continue;
        }
        let Plan { edits, .. } = plan::read(&text, &parameters(&expected), &organization).unwrap();
        let mut now = organization.clone();
        for edit in &edits {
            now = now.edited([edit]).unwrap_or_else(|error| panic!("`{name}`, {edit:?}: {error}"));
            let bare = now.targets().filter(|target| now.scps_on(target.index).is_empty()).count();
            assert_eq!(bare, 0, "`{name}` leaves a target without policies after {edit:?}");
        }
    }
}
