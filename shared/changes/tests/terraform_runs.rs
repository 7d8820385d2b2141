//! Plans that Terraform made of generated configurations, and the attachments that it then makes:
//! what is said about each plan is what is true of the organization afterwards, or UNDECIDED.
//!
//! `tests/plans/generate.py` made the runs in `tests/plans/runs`, one a line. With `PLAN_RUNS` set
//! to a file, those in it are looked at as well. `tests/plans/layouts.py` made those of
//! `tests/plans/layouts`, each of a configuration as public modules have them.
#![allow(clippy::disallowed_methods, reason = "the runs are files")]
#![allow(clippy::print_stdout, reason = "what was looked at, for whoever asks")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use changes::plan::{self, Parameters};
use changes::worlds::{Ways, merged, worlds};
use organization::Organization;
use policy::parse::Limits;
use serde::Deserialize;
use serde_json::Value;
use ses_perimeter::check::{Now, Options, check};
use ses_perimeter::perimeter::{self, Perimeter};
use ses_perimeter::report::{Report, Row, Status, Verdict, Why};
use support::organization::Snapshot;

const RUNS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/plans/runs");

#[derive(Deserialize)]
struct Run {
    plan: Value,
    snapshot: Value,
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
    report.rows.iter().flat_map(|row| row.all()).map(|cell| cell.status()).collect()
}

/// What is said about a plan: the organization as the first way has it, and the verdicts.
fn said(plan: &Value, snapshot: &Value, perimeter: &Perimeter) -> (Organization, Report) {
    let organization = read(&snapshot.to_string());
    let text = plan.to_string();
    let plan = plan::read(&text, &Parameters::default(), &organization).unwrap_or_else(|error| {
        panic!("{error}: {:?}\n{text}", error.problems());
    });
    let settled = organization.edited(&plan.edits).unwrap();
    let (mut choices, mut unknown) = (plan.choices, plan.unknown);
    let mut ways = worlds(&choices, &settled);
    if ways == Ways::TooMany {
        unknown.extend(std::mem::take(&mut choices).into_iter().map(plan::Unknown::from));
        ways = Ways::All(vec![Vec::new()]);
    }
    let mut organizations: Vec<Organization> =
        ways.attachments().iter().map(|way| settled.edited(way).unwrap()).collect();
    let reports = organizations.iter().map(|it| decide(it, perimeter)).collect();
    let report = merged(&organizations[0], reports, &choices, &unknown, &ways);
    (organizations.swap_remove(0), report)
}

/// What is true once the plan is applied.
fn truth(run: &Run, perimeter: &Perimeter) -> Vec<Status> {
    let mut snapshot = Snapshot(run.snapshot.clone());
    for (number, attached) in run.truth.iter().enumerate() {
        let id = attached.id.clone().unwrap_or_else(|| {
            let id = format!("p-applied{number:03}");
            let name = format!("{} {number}", attached.policy);
            snapshot.policy(&id, &name, &*attached.content, &[]);
            id
        });
        snapshot.attach(&id, &attached.target);
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
            let said = statuses(&said(&run.plan, &run.snapshot, &perimeter).1);
            let truth = truth(&run, &perimeter);
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

const LAYOUTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/plans/layouts");

/// A layout of `tests/plans/layouts`, planned and applied.
#[derive(Deserialize)]
struct Applied {
    plan: Value,
    before: Value,
    after: Value,
}

/// What a layout must show.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    because: String,
    /// Accounts of which nothing can be said, with a part of the reason.
    #[serde(default)]
    undecided: BTreeMap<String, String>,
    /// Accounts that get no mail out afterwards.
    closed: BTreeSet<String>,
}

/// The rows by what their accounts are called.
fn by_name<'r>(organization: &Organization, report: &'r Report) -> BTreeMap<String, &'r Row> {
    let name = |row: &Row| organization.account(row.account).unwrap().name.to_string();
    let rows: BTreeMap<String, &Row> = report
        .rows
        .iter()
        .map(|row| (name(row).trim_start_matches("new account ").to_owned(), row))
        .collect();
    assert_eq!(rows.len(), report.rows.len(), "two accounts of one name");
    rows
}

/// Why something about an account is open, if it is.
fn open(row: &Row) -> Option<String> {
    let cell = row.all().find(|cell| cell.status() == Status::Undecided)?;
    let Verdict::Undecided(whys) = &cell.verdict else { return None };
    whys.iter().find_map(|why| {
        let Why::Unread(_, _, why) = why else { return None };
        Some(why.clone())
    })
}

#[test]
fn every_layout_of_a_public_module_gets_an_answer_that_is_so_once_it_is_applied() {
    let perimeter = perimeter::parse("[trusted]\nrecipients = [\"*@example.com\"]\n").unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(LAYOUTS).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap();
        let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let applied: Applied = serde_json::from_str(&text("run.json")).unwrap();
        let expected: Expected = serde_json::from_str(&text("expected.json")).unwrap();
        assert!(!expected.because.is_empty(), "`{name}` must say why");
        let (organization, said) = said(&applied.plan, &applied.before, &perimeter);
        let after = read(&applied.after.to_string());
        let truth = decide(&after, &perimeter);
        let (said, truth) = (by_name(&organization, &said), by_name(&after, &truth));
        assert_eq!(said.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>(), "{name}");
        let mut closed = BTreeSet::new();
        let mut undecided = BTreeMap::new();
        for (account, row) in said {
            for (said, truth) in row.all().zip(truth[&account].all()) {
                assert!(
                    said.status() == truth.status() || said.status() == Status::Undecided,
                    "{name}, {account}: {} where {} is true",
                    said.status().name(),
                    truth.status().name()
                );
            }
            if row.all().take(15).all(|cell| cell.status() == Status::Passed) {
                closed.insert(account.clone());
            }
            if let Some(why) = open(row) {
                undecided.insert(account, why);
            }
        }
        assert_eq!(closed, expected.closed, "{name}, undecided: {undecided:#?}");
        let parts = &expected.undecided;
        let fit = undecided.keys().eq(parts.keys())
            && parts.iter().all(|(account, part)| undecided[account].contains(part));
        assert!(fit, "{name}: {undecided:#?}");
        count += 1;
    }
    assert!(count >= 5, "{count}");
}
