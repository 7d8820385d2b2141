//! Plans that Terraform made of generated configurations, and the attachments that it then makes:
//! what is said about each plan is what is true of the organization afterwards, or UNDECIDED.
//!
//! `tests/plans/generate.py` made the runs in `tests/plans/runs`, one a line. With `PLAN_RUNS` set
//! to a file, those in it are looked at as well.
#![allow(clippy::disallowed_methods, reason = "the runs are files")]
#![allow(clippy::print_stdout, reason = "what was looked at, for whoever asks")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};

use changes::edit::{Draft, Edit};
use changes::plan::{self, Parameters};
use changes::worlds::{Ways, merged, worlds};
use organization::Organization;
use policy::parse::Limits;
use serde::Deserialize;
use ses_perimeter::check::{Now, Options, Report, Status, check};
use ses_perimeter::perimeter::{self, Perimeter};

const RUNS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/plans/runs");

#[derive(Deserialize)]
struct Run {
    plan: serde_json::Value,
    snapshot: serde_json::Value,
    truth: Vec<Attached>,
}

/// An attachment that Terraform makes.
#[derive(Deserialize)]
struct Attached {
    /// The address of the policy.
    policy: String,
    /// Its id, where it was there before.
    id: Option<String>,
    target: String,
    content: String,
}

fn read(text: &str) -> Organization {
    organization::read(text, &Limits::default()).unwrap()
}

fn decide(organization: &Organization, perimeter: &Perimeter) -> Report {
    let now = Now::from_epoch_seconds(1_795_000_000).unwrap();
    check(organization, perimeter, now, &Options::default(), &mut |_, _| {})
}

fn statuses(report: &Report) -> Vec<Status> {
    report.rows.iter().flat_map(|row| row.all()).map(|cell| cell.status).collect()
}

/// What is said about the plan.
fn said(run: &Run, perimeter: &Perimeter) -> Vec<Status> {
    let snapshot = run.snapshot.to_string();
    let organization = read(&snapshot);
    let plan = plan::read(&run.plan.to_string(), &Parameters::default(), &organization)
        .unwrap_or_else(|error| {
            panic!("{error}: {:?}\n{}", error.problems(), run.plan);
        });
    let mut draft = Draft::new(&organization, &snapshot).unwrap();
    plan.edits.iter().for_each(|edit| draft.make(edit).unwrap());
    let after = |edits: &[Edit]| {
        let mut draft = draft.clone();
        edits.iter().for_each(|edit| draft.make(edit).unwrap());
        read(&draft.into_text())
    };
    let (mut choices, mut unknown) = (plan.choices, plan.unknown);
    let ways = match worlds(&choices, &after(&[])) {
        Ways::All(ways) => ways,
        Ways::TooMany => {
            unknown.extend(std::mem::take(&mut choices).into_iter().map(plan::Unknown::from));
            vec![Vec::new()]
        }
    };
    let organizations: Vec<Organization> = ways.iter().map(|way| after(way)).collect();
    let reports = organizations.iter().map(|it| decide(it, perimeter)).collect();
    statuses(&merged(&organizations[0], reports, &choices, &unknown))
}

/// What is true once the plan is applied.
fn truth(run: &Run, perimeter: &Perimeter) -> Vec<Status> {
    let mut snapshot = run.snapshot.clone();
    for (number, attached) in run.truth.iter().enumerate() {
        let id = attached.id.clone().unwrap_or_else(|| {
            let id = format!("p-applied{number:03}");
            let policy = serde_json::json!({"id": id, "name": format!("{} {number}", attached.policy),
                "type": "SERVICE_CONTROL_POLICY", "awsManaged": false, "content": attached.content});
            snapshot["policies"].as_array_mut().unwrap().push(policy);
            id
        });
        let attachment = serde_json::json!({"policyId": id, "targetId": attached.target});
        snapshot["attachments"].as_array_mut().unwrap().push(attachment);
    }
    statuses(&decide(&read(&snapshot.to_string()), perimeter))
}

fn files() -> Vec<PathBuf> {
    let kept = std::fs::read_dir(RUNS).unwrap().map(|entry| entry.unwrap().path());
    kept.chain(std::env::var_os("PLAN_RUNS").map(|path| Path::new(&path).to_owned())).collect()
}

#[test]
fn nothing_is_said_of_a_plan_that_is_not_so_once_it_is_applied() {
    let perimeter = perimeter::parse("[trusted]\nrecipients = [\"*@example.com\"]\n").unwrap();
    let (mut runs, mut verdicts, mut undecided, mut exact) = (0, 0, 0, 0);
    for file in files() {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let run: Run = serde_json::from_str(line).unwrap();
            let (said, truth) = (said(&run, &perimeter), truth(&run, &perimeter));
            assert_eq!(said.len(), truth.len());
            let open = said.iter().filter(|status| **status == Status::Undecided).count();
            for (said, truth) in said.iter().zip(&truth) {
                assert!(said == truth || *said == Status::Undecided, "{said:?}, {truth:?}: {line}");
            }
            runs += 1;
            verdicts += said.len();
            undecided += open;
            exact += usize::from(open == 0);
        }
    }
    println!("{runs} runs, {exact} decided whole; {undecided} of {verdicts} verdicts undecided");
    assert!(runs >= 200, "{runs}");
    // A program that calls everything undecided is never wrong.
    assert!(exact * 5 > runs, "{exact} of {runs}");
}
