//! The decision procedure against the plain evaluator on every request of a small class.
#![allow(clippy::print_stderr, reason = "the counts say how much was compared")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::generate::{Menu, Tape, levels, shape};
use common::world::{World, has_variables};
use common::{Levels, policies, stack};
use policy::condition::Readings;
use policy::evaluate::{Outcome, Stack, evaluate};
use policy::request::Request;
use proptest::prelude::*;
use prover::applicable::Applicable;
use prover::{DEFAULT_BUDGET, Obstacle, Prover, Verdict};

/// More requests than this are not listed.
const MOST_REQUESTS: usize = 2000;

fn config(cases: u32) -> ProptestConfig {
    // `PROPTEST_CASES`, where set, is meant for the first suite; the others keep the proportion.
    let base = ProptestConfig::default();
    let asked = if std::env::var_os("PROPTEST_CASES").is_some() { base.cases } else { 1500 };
    let cases = u32::try_from(u64::from(asked) * u64::from(cases) / 1500).unwrap_or(asked).max(1);
    ProptestConfig { cases, max_shrink_iters: 20_000, failure_persistence: None, ..base }
}

fn all_readings() -> impl Iterator<Item = Readings> {
    Readings::every()
}

/// The outcome for a request with all its resources.
fn outcome(world: &World, stack: &Stack<'_>, parts: &[Request], readings: Readings) -> Outcome {
    let mut worst = Outcome::Permitted;
    for request in parts {
        match evaluate(stack, request, readings, &world.catalog).outcome {
            Outcome::Denied => return Outcome::Denied,
            Outcome::Open => worst = Outcome::Open,
            Outcome::Permitted => {}
        }
    }
    worst
}

/// What listing every request shows.
#[derive(Debug, Default)]
struct Listed {
    /// A certain request that is permitted whatever is open.
    permitted: Option<Vec<Request>>,
    /// A certain request that is permitted under each reading.
    under_every_reading: Option<Vec<Request>>,
    /// A possible request that some reading does not deny.
    possible: Option<(Vec<Request>, Readings)>,
}

fn list(world: &World, stack: &Stack<'_>, requests: Vec<Vec<Request>>) -> Listed {
    let mut listed = Listed::default();
    for (index, parts) in requests.into_iter().enumerate() {
        let open = outcome(world, stack, &parts, Readings::default());
        let sure = world.is_sure(&parts);
        if open != Outcome::Open && index % 64 != 0 {
            if open == Outcome::Permitted {
                listed.possible.get_or_insert((parts.clone(), Readings::default()));
                if !sure {
                    continue;
                }
                listed.under_every_reading.get_or_insert_with(|| parts.clone());
                listed.permitted = Some(parts);
                // There is no more to learn.
                return listed;
            }
            continue;
        }
        let mut every = sure;
        for readings in all_readings() {
            let found = outcome(world, stack, &parts, readings);
            // Leaving points open may hide an answer, but never gives another one.
            assert!(open == Outcome::Open || open == found, "{open:?} {found:?} {parts:?}");
            every &= found == Outcome::Permitted;
            if found != Outcome::Denied {
                listed.possible.get_or_insert((parts.clone(), readings));
            }
            if !every && listed.possible.is_some() && index % 64 != 0 {
                break;
            }
        }
        if open == Outcome::Permitted && sure {
            listed.permitted.get_or_insert(parts.clone());
        }
        if every {
            listed.under_every_reading.get_or_insert(parts);
        }
    }
    listed
}

static COMPARED: AtomicUsize = AtomicUsize::new(0);
static SKIPPED: AtomicUsize = AtomicUsize::new(0);
static PROVED: AtomicUsize = AtomicUsize::new(0);
static REFUTED: AtomicUsize = AtomicUsize::new(0);
static UNDECIDED: AtomicUsize = AtomicUsize::new(0);
static INCOMPLETE: AtomicUsize = AtomicUsize::new(0);

fn compare(tape: &[u16], menu: Menu) {
    let mut tape = Tape::new(tape);
    let world = World::new(shape(&mut tape, menu));
    let levels: Levels = levels(&mut tape, menu);
    let documents = policies(&levels);
    let stack = stack(&documents);
    let Some(requests) = world.requests(&stack, MOST_REQUESTS) else {
        SKIPPED.fetch_add(1, Ordering::Relaxed);
        return;
    };
    COMPARED.fetch_add(1, Ordering::Relaxed);
    let listed = list(&world, &stack, requests);
    let question = world.question();
    let applicable = Applicable::of(&stack, question.action);
    let mut prover = Prover::new(world.catalog.clone(), DEFAULT_BUDGET);
    let verdict = prover.decide(&stack, &applicable, &question);
    let told = || {
        format!(
            "{}\n{:?}\n{verdict:?}\n{listed:?}",
            serde_json::to_string_pretty(&levels).unwrap(),
            world.shape
        )
    };
    match &verdict {
        Verdict::Proved(_) => {
            PROVED.fetch_add(1, Ordering::Relaxed);
            assert!(listed.possible.is_none(), "false proof\n{}", told());
        }
        Verdict::Refuted(witness) => {
            REFUTED.fetch_add(1, Ordering::Relaxed);
            let parts: Vec<Request> = witness.requests().collect();
            for readings in all_readings() {
                let found = outcome(&world, &stack, &parts, readings);
                assert_eq!(found, Outcome::Permitted, "false witness\n{}", told());
            }
            if let Some(reason) = world.outside(witness) {
                panic!("the witness is not in the class: {reason}\n{}", told());
            }
            if world.exact(&stack) {
                let known = listed.under_every_reading.is_some();
                assert!(known, "the listing has a hole\n{}", told());
            }
        }
        Verdict::Undecided(obstacles) => {
            UNDECIDED.fetch_add(1, Ordering::Relaxed);
            assert!(!obstacles.contains(&Obstacle::Disagreement), "disagreement\n{}", told());
            assert!(!obstacles.contains(&Obstacle::Budget), "budget\n{}", told());
            assert!(!obstacles.is_empty());
            let incomplete = obstacles.iter().any(|o| matches!(o, Obstacle::Incomplete(_)));
            if incomplete {
                INCOMPLETE.fetch_add(1, Ordering::Relaxed);
            }
            if !has_variables(&stack) && !incomplete {
                assert!(listed.permitted.is_none(), "a permitted request missed\n{}", told());
                assert!(
                    listed.under_every_reading.is_none(),
                    "a request permitted under every reading missed\n{}",
                    told()
                );
                if world.exact(&stack) && !world.has_riddles(&stack) {
                    assert!(listed.possible.is_some(), "a proof missed\n{}", told());
                }
            }
        }
    }
}

fn report(suite: &str) {
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    eprintln!(
        "so far, at the end of {suite}: {} compared, {} with too many requests, {} proved, \
         {} refuted, {} undecided, {} of them incomplete",
        of(&COMPARED),
        of(&SKIPPED),
        of(&PROVED),
        of(&REFUTED),
        of(&UNDECIDED),
        of(&INCOMPLETE)
    );
}

fn run(suite: &str, cases: u32, menu: Menu) {
    let mut runner = proptest::test_runner::TestRunner::new(config(cases));
    let tapes = prop::collection::vec(any::<u16>(), 40..160);
    runner
        .run(&tapes, |tape| {
            compare(&tape, menu);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    report(suite);
    // A comparison that never happens would pass as well.
    let compared = COMPARED.load(Ordering::Relaxed);
    assert!(compared * 4 >= usize::try_from(config(cases).cases).unwrap(), "{compared} compared");
}

#[test]
fn without_variables_the_verdict_is_what_listing_every_request_shows() {
    run("plain", 900, Menu::default());
}

#[test]
fn with_variables_no_verdict_contradicts_a_listed_request() {
    run("variables", 500, Menu { variables: true, ..Menu::default() });
}

#[test]
fn with_free_texts_and_accounts_no_listed_request_escapes_a_proof() {
    run("free", 500, Menu { free: true, ..Menu::default() });
}

#[test]
fn with_doubtful_keys_only_certain_requests_refute_and_all_possible_ones_are_ruled_out() {
    run("doubts", 900, Menu { doubts: true, ..Menu::default() });
}

#[test]
fn with_doubtful_keys_in_variables_no_verdict_contradicts_a_listed_request() {
    run("doubts in variables", 500, Menu { doubts: true, variables: true, ..Menu::default() });
}
