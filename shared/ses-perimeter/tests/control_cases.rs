//! Runs the cases in `tests/cases/control`: an organization with one account in question, a
//! perimeter, and how every control must stand. `tests/cases/README.md` describes the fields.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};

use organization::{Organization, PolicyIdx, TargetIdx};
use policy::condition::Readings;
use policy::evaluate::{Outcome, Stack, evaluate};
use policy::parse::Limits;
use policy::request::ContextValue;
use prover::Witness;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use ses_perimeter::check::{Now, Options, check};
use ses_perimeter::control::ControlId;
use ses_perimeter::report::{Report, Status};
use ses_perimeter::view::{CellView, StopView, view};
use ses_perimeter::{model, perimeter};
use support::cases::{self, Input};
use support::organization::{Snapshot, everything};

const ACCOUNT: &str = "111111111111";
const MANAGEMENT: &str = "999900009999";
const FULL_ACCESS: &str = "FullAWSAccess";
const EVERY_CONTROL: &str = "*";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    name: String,
    source: String,
    because: String,
    #[serde(default)]
    perimeter: String,
    /// Root first, account last; each level a list of documents.
    #[serde(default)]
    levels: Vec<Vec<Value>>,
    /// The file of the case from which this one has its perimeter and its levels.
    base: Option<String>,
    /// What stands in place of a statement of the base, by Sid.
    #[serde(default)]
    statements: BTreeMap<String, Vec<Statement>>,
    #[serde(default = "aws")]
    partition: String,
    #[serde(default = "now")]
    now: String,
    #[serde(default = "active")]
    state: String,
    /// Further accounts of the organization, each with the target that it is in; a unit that no
    /// level is lies below the root. Nothing but FullAWSAccess is attached to either.
    #[serde(default)]
    members: BTreeMap<String, String>,
    #[serde(default)]
    management: bool,
    #[serde(default = "yes")]
    scp_enabled: bool,
    #[serde(default)]
    gaps: Vec<Value>,
    expect: BTreeMap<String, String>,
    #[serde(default)]
    witness: BTreeMap<String, Shown>,
    #[serde(default)]
    assumptions: BTreeMap<String, String>,
    #[serde(default)]
    decided_by: BTreeMap<String, BTreeSet<String>>,
    #[serde(default)]
    obstacles: BTreeMap<String, String>,
    #[serde(default)]
    reasons: BTreeMap<String, String>,
}

/// Fields in place of those of the statement that it stands for.
type Statement = Map<String, Value>;

/// What a witness must look like.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Shown {
    send_path: Option<String>,
    action: Option<String>,
    resource: Option<String>,
    /// Keys that must be there; a list must be the whole set, and `null` is any value.
    #[serde(default)]
    context: BTreeMap<String, Value>,
    #[serde(default)]
    absent: Vec<String>,
}

fn aws() -> String {
    "aws".to_owned()
}

fn now() -> String {
    "2026-11-23T00:00:00Z".to_owned()
}

fn active() -> String {
    "ACTIVE".to_owned()
}

const fn yes() -> bool {
    true
}

impl Case {
    /// The id of the target of a level.
    fn target(&self, level: usize) -> String {
        match level {
            0 => "r-case".to_owned(),
            last if last + 1 == self.levels.len() => ACCOUNT.to_owned(),
            unit => format!("ou-case-unit{unit:04}"),
        }
    }

    fn snapshot(&self) -> String {
        assert!(self.levels.len() >= 2, "a root and an account at least");
        let (last, root) = (self.levels.len() - 1, self.target(0));
        let management = if self.management { ACCOUNT } else { MANAGEMENT };
        let mut snapshot = Snapshot::of("o-caseorg0001", &root, management);
        for unit in 1..last {
            let name = format!("Unit {unit}");
            snapshot.unit(&self.target(unit), &name, &self.target(unit - 1));
        }
        snapshot.policy("p-FullAWSAccess", FULL_ACCESS, everything(), &[]);
        for (level, documents) in self.levels.iter().enumerate() {
            let target = self.target(level);
            for (index, document) in documents.iter().enumerate() {
                if document == FULL_ACCESS {
                    snapshot.attach("p-FullAWSAccess", &target);
                } else {
                    let id = format!("p-level{level}number{index}");
                    let name = format!("policy-{level}-{index}");
                    snapshot.policy(&id, &name, document.clone(), &[&target]);
                }
            }
        }
        let known: BTreeSet<String> = (0..=last).map(|at| self.target(at)).collect();
        let others: BTreeSet<&String> =
            self.members.values().filter(|unit| !known.contains(*unit)).collect();
        for id in others {
            snapshot.unit(id, &format!("Unit {id}"), &root).attach("p-FullAWSAccess", id);
        }
        for (id, parent) in &self.members {
            snapshot.account(id, &format!("member {id}"), parent).attach("p-FullAWSAccess", id);
        }
        // Last, so that nothing learned about another account may stand for this one.
        snapshot.account(ACCOUNT, "case", &self.target(last - 1)).state(&self.state);
        if !self.scp_enabled {
            snapshot.0["root"]["policyTypes"] = json!([]);
        }
        snapshot.0["partition"] = json!(self.partition);
        snapshot.0["gaps"] = json!(self.gaps);
        snapshot.to_string()
    }

    /// The case with what it takes from its base.
    fn on(mut self, base: &Self) -> Self {
        let name = &self.name;
        let own = !self.perimeter.is_empty() || !self.levels.is_empty();
        assert!(!own, "{name}: perimeter and levels are those of the base");
        assert!(base.base.is_none(), "{name}: a base has no base itself");
        assert!(!self.statements.is_empty(), "{name}: nothing changes");
        self.perimeter.clone_from(&base.perimeter);
        self.levels.clone_from(&base.levels);
        for (sid, instead) in &self.statements {
            let mut found = 0;
            for document in self.levels.iter_mut().flatten() {
                let statements = document.get_mut("Statement").and_then(Value::as_array_mut);
                let Some(statements) = statements else { continue };
                let named = |statement: &&Value| statement["Sid"] == **sid;
                found += statements.iter().filter(named).count();
                if let Some(at) = statements.iter().position(|statement| named(&statement)) {
                    let new = changed(&statements[at], instead, name);
                    statements.splice(at..=at, new);
                }
            }
            assert_eq!(found, 1, "{name}: statements {sid} in the base");
        }
        self
    }

    fn wanted(&self, control: &str) -> Option<&String> {
        self.expect.get(control).or_else(|| self.expect.get(EVERY_CONTROL))
    }
}

/// What stands in place of a statement.
fn changed(old: &Value, instead: &[Statement], name: &str) -> Vec<Value> {
    assert!(instead != [Statement::new()], "{name}: nothing changes in {old}");
    let one = |fields: &Statement| {
        let mut new = old.clone();
        for (field, value) in fields {
            assert_ne!(old.get(field), Some(value), "{name}: {field} stays as it is");
            new[field] = value.clone();
        }
        new
    };
    instead.iter().map(one).collect()
}

fn cases() -> Vec<(String, Case)> {
    let inputs = cases::inputs("control", &["json"], &[]);
    let of = |(name, input): &(String, Input)| {
        let case: Case = input.json();
        let Some(base) = &case.base else {
            assert!(case.statements.is_empty(), "{name} changes statements of no base");
            assert!(!case.perimeter.is_empty(), "{name} has no perimeter");
            return (name.clone(), case);
        };
        let base = inputs.iter().find(|(_, input)| input.file() == *base);
        let (_, base) = base.unwrap_or_else(|| panic!("{name}: there is no such base"));
        (name.clone(), case.on(&base.json()))
    };
    inputs.iter().map(of).collect()
}

fn moment(text: &str) -> Now {
    let at: jiff::Timestamp = text.parse().unwrap();
    Now::from_epoch_seconds(at.as_second()).unwrap()
}

/// The stack of the case's account, put together from the snapshot alone.
fn stack(organization: &Organization) -> Stack<'_> {
    let account = organization.find_account(ACCOUNT.parse().unwrap()).unwrap();
    if !organization.scp_enabled {
        return Stack::default();
    }
    let level = |level: &organization::LevelRef<'_>| {
        let documents = level.scps.iter().map(|scp| organization.document(scp.document).unwrap());
        documents.map(|document| document.policy().unwrap()).collect()
    };
    Stack { levels: organization.levels(account).iter().map(level).collect() }
}

fn values(value: &ContextValue) -> Value {
    match value {
        ContextValue::One(text) => json!(text),
        ContextValue::Many(texts) => json!(texts),
    }
}

fn check_witness(
    at: ControlId,
    shown: &Shown,
    path: &str,
    witness: &Witness,
    found: &mut Vec<String>,
) {
    let mut differs = |what: &str, wanted: &Value, got: Value| {
        if *wanted != got {
            found.push(format!("{at}: the witness's {what} must be {wanted}, and is {got}"));
        }
    };
    if let Some(wanted) = &shown.send_path {
        differs("send path", &json!(wanted), json!(path));
    }
    if let Some(wanted) = &shown.action {
        differs("action", &json!(wanted), json!(witness.action));
    }
    if let Some(wanted) = &shown.resource {
        differs("resource", &json!(wanted), json!(witness.resource));
    }
    for (key, wanted) in &shown.context {
        let got = witness.context.get(key).map(values);
        if wanted.is_null() && got.is_some() {
            continue;
        }
        let sorted = |value: Option<Value>| match value {
            Some(Value::Array(mut all)) => {
                all.sort_by_key(ToString::to_string);
                Value::Array(all)
            }
            other => other.unwrap_or_else(|| json!("(absent)")),
        };
        differs(key, &sorted(Some(wanted.clone())), sorted(got));
    }
    for key in &shown.absent {
        if let Some(got) = witness.context.get(key) {
            found.push(format!("{at}: the witness has {key} = {}", values(got)));
        }
    }
}

fn deciders(organization: &Organization, cell: &CellView) -> BTreeSet<String> {
    let target = |target: TargetIdx| organization.target_ref(target).id.to_string();
    let policy = |policy: PolicyIdx| organization.policy(policy).unwrap().name.to_string();
    cell.decided_by
        .iter()
        .map(|stop| match stop {
            StopView::Statement(found) => found
                .sid
                .clone()
                .unwrap_or_else(|| format!("{}/{}", policy(found.policy), found.statement)),
            StopView::ImplicitDeny(at) => format!("level {}", target(*at)),
        })
        .collect()
}

/// The part of `wanted` that no text holds.
fn lacks(texts: &[String], wanted: &str) -> bool {
    !texts.iter().any(|text| text.contains(wanted))
}

fn check_cell(case: &Case, org: &Organization, cell: &CellView) -> Vec<String> {
    let at = cell.control;
    let control = at.to_string();
    let mut found = Vec::new();
    if let Some(wanted) = case.wanted(&control)
        && wanted != cell.status.name()
    {
        let why: Vec<&String> = cell.obstacles.iter().map(|o| &o.message).collect();
        let witness = cell.witness.as_ref().map(|(path, w)| format!("{path} {w:?}"));
        found.push(format!(
            "{at}: must be {wanted}, and is {} {:?} {why:?} {witness:?}",
            cell.status.name(),
            deciders(org, cell),
        ));
        return found;
    }
    match cell.status {
        Status::Failed => {
            let (path, witness) = cell.witness.as_ref().expect("a failed control has a witness");
            let catalog = model::catalog();
            for request in witness.requests() {
                let decision = evaluate(&stack(org), &request, Readings::default(), &catalog);
                if decision.outcome != Outcome::Permitted {
                    found.push(format!("{at}: the witness does not replay: {request:?}"));
                }
            }
            if let Some(shown) = case.witness.get(&control) {
                check_witness(at, shown, path, witness, &mut found);
            }
        }
        Status::Passed => {
            let got = deciders(org, cell);
            // Where everybody is trusted or exempt, there is no request to be stopped.
            let none_left = case.decided_by.get(&control).is_some_and(BTreeSet::is_empty)
                || cell.assumptions.iter().any(|text| text.contains("trusts everybody"));
            if got.is_empty() && !none_left {
                found.push(format!("{at}: nothing is said to stop the requests"));
            }
            if let Some(wanted) = case.decided_by.get(&control)
                && *wanted != got
            {
                found.push(format!("{at}: must be decided by {wanted:?}, and is by {got:?}"));
            }
        }
        Status::Undecided => {
            let messages: Vec<String> = cell.obstacles.iter().map(|o| o.message.clone()).collect();
            if messages.is_empty() {
                found.push(format!("{at}: no obstacle is named"));
            }
            if let Some(wanted) = case.obstacles.get(&control)
                && lacks(&messages, wanted)
            {
                found.push(format!("{at}: no obstacle says `{wanted}`: {messages:?}"));
            }
        }
        Status::NotApplicable => {
            let reasons: Vec<String> = cell.reason.iter().cloned().collect();
            if reasons.is_empty() {
                found.push(format!("{at}: no reason is given"));
            }
            if let Some(wanted) = case.reasons.get(&control)
                && lacks(&reasons, wanted)
            {
                found.push(format!("{at}: no reason says `{wanted}`: {reasons:?}"));
            }
        }
    }
    match case.assumptions.get(&control).map(String::as_str) {
        Some("") if !cell.assumptions.is_empty() => {
            found.push(format!("{at}: assumes {:?}", cell.assumptions));
        }
        Some(wanted) if !wanted.is_empty() && lacks(&cell.assumptions, wanted) => {
            found.push(format!("{at}: no assumption says `{wanted}`: {:?}", cell.assumptions));
        }
        _ => {}
    }
    found
}

/// What a case asks for must be about a control with the status that has it.
fn check_case(case: &Case) -> Vec<String> {
    let mut found = Vec::new();
    if case.source.is_empty() || case.because.is_empty() || case.name.is_empty() {
        found.push("name, source and because must be filled".to_owned());
    }
    for (control, status) in &case.expect {
        if control != EVERY_CONTROL && ControlId::parse(control).is_none() {
            found.push(format!("there is no control {control}"));
        }
        if !["PASSED", "FAILED", "UNDECIDED", "NOT_APPLICABLE"].contains(&status.as_str()) {
            found.push(format!("there is no status {status}"));
        }
    }
    let mut about = |field: &str, controls: Vec<&String>, status: &str| {
        for control in controls {
            if case.wanted(control).is_none_or(|wanted| wanted != status) {
                found.push(format!("{field} of {control}, which need not be {status}"));
            }
        }
    };
    about("witness", case.witness.keys().collect(), "FAILED");
    about("decidedBy", case.decided_by.keys().collect(), "PASSED");
    about("obstacles", case.obstacles.keys().collect(), "UNDECIDED");
    about("reasons", case.reasons.keys().collect(), "NOT_APPLICABLE");
    found
}

fn report(case: &Case, organization: &Organization) -> Report {
    let perimeter = perimeter::parse(&case.perimeter)
        .unwrap_or_else(|error| panic!("the perimeter is refused: {error:?}"));
    check(organization, &perimeter, moment(&case.now), &Options::default(), &mut |_, _| {})
}

#[test]
fn every_control_stands_as_the_cases_say() {
    let catalog = model::catalog();
    cases::run(60, cases(), |case| {
        let mut found = check_case(&case);
        let organization = organization::read(&case.snapshot(), &Limits::default())
            .unwrap_or_else(|error| panic!("the snapshot is refused: {error:?}"));
        let report = report(&case, &organization);
        let account = organization.find_account(ACCOUNT.parse().unwrap());
        let row = report.rows.iter().find(|row| Some(row.account) == account).unwrap();
        let cells: Vec<CellView> =
            row.cells.iter().map(|cell| view(&organization, &catalog, row, cell)).collect();
        for cell in &cells {
            found.extend(check_cell(&case, &organization, cell));
        }
        let shown: BTreeSet<String> = cells.iter().map(|cell| cell.control.to_string()).collect();
        for control in case.expect.keys().filter(|c| *c != EVERY_CONTROL && !shown.contains(*c)) {
            found.push(format!("no result for {control}"));
        }
        assert!(found.is_empty(), "{}", found.join("\n  "));
    });
}

/// Guards the collection itself: a control whose failure or success no case shows is untested.
#[test]
fn every_control_passes_in_some_case_and_fails_in_another() {
    let cases = cases();
    for control in ControlId::all() {
        let name = control.to_string();
        for status in ["PASSED", "FAILED"] {
            for worst in [false, true] {
                let shown = cases.iter().any(|(_, case)| {
                    case.wanted(&name).is_some_and(|wanted| wanted == status)
                        && case.perimeter.contains("worst-case") == worst
                });
                assert!(shown, "{name} is nowhere {status} with worst-case = {worst}");
            }
        }
    }
}

#[test]
fn names_of_cases_are_used_once() {
    let cases = cases();
    let names: BTreeSet<&String> = cases.iter().map(|(_, case)| &case.name).collect();
    assert_eq!(names.len(), cases.len());
}

#[test]
fn a_change_of_a_base_that_changes_nothing_is_refused() {
    let written = |name: &str| -> Case { cases::input(&format!("control/{name}")).json() };
    let base = written("closed-documented.json");
    let on = |statements: Value| {
        let mut case = written("leak-bounce-documented.json");
        case.statements = serde_json::from_value(statements).unwrap();
        std::panic::catch_unwind(|| case.on(&base).levels).ok()
    };
    assert_ne!(on(json!({"Bounces": []})), None);
    for wrong in [
        json!({}),
        json!({"NoSuchSid": []}),
        json!({"Bounces": [{}]}),
        json!({"Bounces": [{"Effect": "Deny"}]}),
    ] {
        assert_eq!(on(wrong.clone()), None, "{wrong}");
    }
}
