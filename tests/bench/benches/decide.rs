//! `make bench`.
#![allow(clippy::panic, reason = "a benchmark that cannot start has nothing to measure")]

use bench::{Dense, PERIMETER, Sequence, Size, dense_snapshot, snapshot, typical};
use changes::fix::{Problem, Selection, propose};
use changes::quota::Quotas;
use divan::{Bencher, black_box};
use organization::Organization;
use policy::parse::{Limits, parse};
use prover::applicable::Applicable;
use prover::{DEFAULT_BUDGET, Prover};
use ses_perimeter::ask::{AccountsInside, Circumstances, decide_path};
use ses_perimeter::check::{Checker, Now, Options, check};
use ses_perimeter::control::{ControlId, paths};
use ses_perimeter::facts::AccountFacts;
use ses_perimeter::model;
use ses_perimeter::perimeter::{self, Perimeter, Undocumented};
use support::organization::Snapshot;

fn main() {
    divan::main();
}

const EXAMPLE: &str = include_str!("../../../examples/organization/snapshot.json");
const EXAMPLE_PERIMETER: &str = include_str!("../../../examples/organization/perimeter.toml");

fn perimeter() -> Perimeter {
    read_perimeter(PERIMETER)
}

fn read_perimeter(text: &str) -> Perimeter {
    perimeter::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn read(text: &str) -> Organization {
    organization::read(text, &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn now() -> Now {
    Now::from_epoch_seconds(1_795_392_000).unwrap_or_else(|| panic!("a moment"))
}

fn options(control: Option<u8>) -> Options {
    Options {
        controls: control.and_then(ControlId::new).into_iter().collect(),
        ..Options::default()
    }
}

/// Parsing one usual document of about 900 characters.
#[divan::bench]
fn parse_typical_document(bencher: Bencher<'_, '_>) {
    let text = typical(1).to_string();
    bencher.bench(|| parse(black_box(&text), &Limits::default()).is_ok());
}

/// One question about one account under three levels of usual policies: encoding, searching,
/// proving or replaying, with the languages that earlier questions left behind.
#[divan::bench(args = [2, 3, 8])]
fn one_question_warm(bencher: Bencher<'_, '_>, control: u8) {
    one_question(bencher, &three_levels(), &perimeter(), control);
}

/// One question where the perimeter and a Deny list the same domains and what is below them, in
/// another order.
#[divan::bench(args = [5, 50, 500])]
fn one_question_trusted_domains(bencher: Bencher<'_, '_>, domains: usize) {
    let (text, perimeter) = trusted_domains(domains);
    one_question(bencher, &text, &read_perimeter(&perimeter), 2);
}

/// All controls for that account, as the first of a process.
#[divan::bench(args = [5, 50, 500])]
fn all_controls_trusted_domains(bencher: Bencher<'_, '_>, domains: usize) {
    let (text, perimeter) = trusted_domains(domains);
    let (organization, perimeter) = (read(&text), read_perimeter(&perimeter));
    bencher.bench_local(|| {
        check(&organization, &perimeter, now(), &options(None), &mut |_, _| {}).rows.len()
    });
}

fn one_question(bencher: Bencher<'_, '_>, snapshot: &str, perimeter: &Perimeter, control: u8) {
    let organization = read(snapshot);
    let Some((account, _)) = organization.accounts().nth(1) else { return };
    let Some(stack) = organization.stack(account) else { return };
    let (Some(facts), Some(control)) =
        (AccountFacts::of(&organization, account), ControlId::new(control))
    else {
        return;
    };
    let catalog = model::catalog();
    let left_out: Vec<_> = perimeter.exemptions.iter().map(|s| &s.matches).collect();
    let paths = paths(control, perimeter, &left_out, Undocumented::Documented).unwrap_or_default();
    let circumstances = Circumstances {
        facts: &facts,
        perimeter,
        left_out: &left_out,
        catalog: &catalog,
        members: AccountsInside::OnlyOwn,
        undocumented: Undocumented::Documented,
        moment: now().epoch_seconds,
    };
    let mut prover = Prover::new(catalog.clone(), DEFAULT_BUDGET);
    bencher.bench_local(|| {
        paths.first().map(|path| {
            let applicable = Applicable::of(&stack, path.action);
            decide_path(&mut prover, &stack, &applicable, path, circumstances, DEFAULT_BUDGET)
        })
    });
}

/// One control for one account, with nothing remembered: the first question of a process.
#[divan::bench(args = [2, 6, 8])]
fn one_control_cold(bencher: Bencher<'_, '_>, control: u8) {
    let organization = read(&three_levels());
    let (perimeter, options) = (perimeter(), options(Some(control)));
    let account = organization.accounts().nth(1).map(|(index, _)| index);
    bencher
        .with_inputs(|| Checker::new(&organization, &perimeter, now(), &options))
        .bench_local_refs(|checker| account.map(|account| checker.row(account).cells.len()));
}

#[divan::bench]
fn all_controls_one_account(bencher: Bencher<'_, '_>) {
    let organization = read(&three_levels());
    let perimeter = perimeter();
    bencher.bench_local(|| {
        check(&organization, &perimeter, now(), &options(None), &mut |_, _| {}).rows.len()
    });
}

fn three_levels() -> String {
    levels(&[(0, typical(0)), (1, typical(1)), (1, typical(3)), (2, typical(4))])
}

/// A snapshot and a perimeter that trust the same domains.
fn trusted_domains(domains: usize) -> (String, String) {
    let patterns: Vec<String> = (0..domains)
        .flat_map(|n| [format!("*@site{n}.example.com"), format!("*@*.site{n}.example.com")])
        .collect();
    let reversed: Vec<&String> = patterns.iter().rev().collect();
    let deny = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "ses:Send*", "Resource": "*",
        "Condition": {"ForAnyValue:StringNotLike": {"ses:Recipients": reversed}},
    }]});
    (levels(&[(1, deny)]), format!("[trusted]\nrecipients = {patterns:?}\n"))
}

/// A root, a unit, an account and the management account, with policies at them by number.
fn levels(policies: &[(usize, serde_json::Value)]) -> String {
    let targets = ["r-bnch", "ou-bnch-00000000", "100000000000", "000000000001"];
    let [root, unit, shop, management] = targets;
    let mut snapshot = Snapshot::of("o-benchmark01", root, management);
    snapshot
        .unit(unit, "unit", root)
        .account(management, "management", root)
        .account(shop, "shop", unit)
        .full_access();
    for (number, (target, content)) in policies.iter().enumerate() {
        let id = format!("p-typical{number:02}");
        snapshot.policy(&id, &id, content.to_string(), &[targets[*target]]);
    }
    snapshot.to_string()
}

/// All controls for the largest stack that the quotas allow.
#[divan::bench(args = ["closing", "open", "tangled"], sample_count = 3, sample_size = 1)]
fn largest_stack(bencher: Bencher<'_, '_>, kind: &str) {
    let dense = match kind {
        "closing" => Dense::Closing,
        "open" => Dense::Open,
        _ => Dense::Tangled,
    };
    let organization = read(&dense_snapshot(dense));
    let perimeter = perimeter();
    bencher.bench_local(|| {
        check(&organization, &perimeter, now(), &options(None), &mut |_, _| {}).rows.len()
    });
}

/// Reading and checking organizations of growing size.
#[divan::bench(args = [500, 5_000, 50_000], sample_count = 3, sample_size = 1)]
fn whole_organization(bencher: Bencher<'_, '_>, accounts: usize) {
    let size = Size { accounts, units: accounts / 25, policies: accounts / 50 };
    let text = snapshot(size);
    let perimeter = perimeter();
    bencher.bench_local(|| {
        let organization = read(&text);
        check(&organization, &perimeter, now(), &options(None), &mut |_, _| {}).rows.len()
    });
}

/// A proved change that closes what fails: of the example organization, and of growing ones whose
/// failures have ten causes and more.
#[divan::bench(args = ["example", "1000", "10000"], sample_count = 3, sample_size = 1)]
fn fix(bencher: Bencher<'_, '_>, which: &str) {
    let (text, perimeter) = match which.parse() {
        Ok(accounts) => {
            let size = Size { accounts, units: accounts / 20, policies: accounts / 33 };
            (snapshot(size), perimeter())
        }
        Err(_) => (EXAMPLE.to_owned(), read_perimeter(EXAMPLE_PERIMETER)),
    };
    let organization = read(&text);
    let problem = Problem {
        organization: &organization,
        perimeter: &perimeter,
        now: now(),
        budget: DEFAULT_BUDGET,
        quotas: Quotas::default(),
    };
    bencher.bench_local(|| {
        let proposal = propose(problem, &Selection::default(), &mut |_, _| {});
        proposal.unwrap_or_else(|error| panic!("{error}")).policies.len()
    });
}

/// The generator itself, for comparison.
#[divan::bench]
fn sequence(bencher: Bencher<'_, '_>) {
    let mut random = Sequence::new(1);
    bencher.bench_local(|| random.below(1000));
}
