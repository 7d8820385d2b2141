//! What must hold of verdicts whatever the stack.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::collections::BTreeSet;

use common::generate::{Menu, Tape, levels, shape};
use common::world::{World, has_variables};
use common::{Levels, policies, stack};
use policy::evaluate::Place;
use proptest::prelude::*;
use prover::applicable::Applicable;
use prover::{DEFAULT_BUDGET, Decider, Obstacle, Prover, Verdict};
use serde_json::{Value, json};

const MENU: Menu = Menu { variables: true, free: true, doubts: true };

fn config(proportion: u32) -> ProptestConfig {
    let base = ProptestConfig::default();
    let asked = if std::env::var_os("PROPTEST_CASES").is_some() { base.cases } else { 600 };
    ProptestConfig { cases: (asked / proportion).max(1), failure_persistence: None, ..base }
}

fn tapes() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 40..160)
}

fn case(tape: &[u16]) -> (World, Levels) {
    let mut tape = Tape::new(tape);
    let world = World::new(shape(&mut tape, MENU));
    (world, levels(&mut tape, MENU))
}

fn decide_within(world: &World, levels: &[Vec<Value>], budget: u64) -> Verdict {
    let documents = policies(levels);
    let stack = stack(&documents);
    let question = world.question();
    let applicable = Applicable::of(&stack, question.action);
    let mut prover = Prover::new(world.catalog.clone(), budget);
    let verdict = prover.decide(&stack, &applicable, &question);
    if let Verdict::Undecided(obstacles) = &verdict {
        assert!(!obstacles.contains(&Obstacle::Disagreement), "{levels:?}");
    }
    verdict
}

fn decide(world: &World, levels: &[Vec<Value>]) -> Verdict {
    decide_within(world, levels, DEFAULT_BUDGET)
}

fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Proved(_) => "proved",
        Verdict::Refuted(_) => "refuted",
        Verdict::Undecided(_) => "undecided",
    }
}

/// Whether two verdicts on the same statements agree. With policy variables the order decides
/// which values are tried, so a witness may be found in one and missed in the other.
fn same(left: &Verdict, right: &Verdict, levels: &[Vec<Value>]) -> bool {
    let proofs = [left, right].map(|verdict| kind(verdict) == "proved");
    let variables = has_variables(&stack(&policies(levels)));
    kind(left) == kind(right) || (variables && proofs == [false, false])
}

fn told(levels: &[Vec<Value>]) -> String {
    serde_json::to_string(levels).unwrap()
}

fn statements(document: &mut Value) -> &mut Vec<Value> {
    document["Statement"].as_array_mut().unwrap()
}

/// The levels without the Deny statements for which `drop` holds, their places kept by
/// statements about another action.
fn without(levels: &Levels, drop: impl Fn(Place) -> bool) -> Levels {
    let mut levels = levels.clone();
    for (level, documents) in levels.iter_mut().enumerate() {
        for (policy, document) in documents.iter_mut().enumerate() {
            for (index, statement) in statements(document).iter_mut().enumerate() {
                let place = Place { level, policy, statement: index };
                if statement["Effect"] == "Deny" && drop(place) {
                    *statement =
                        json!({"Effect": "Deny", "Action": "none:Nothing", "Resource": "*"});
                }
            }
        }
    }
    levels
}

proptest! {
    #![proptest_config(config(1))]

    #[test]
    fn another_deny_never_undoes_a_proof(tape in tapes(), other in tapes()) {
        let (world, mut levels) = case(&tape);
        let before = decide(&world, &levels);
        let (_, extra) = case(&other);
        let denies: Vec<Value> = extra
            .into_iter()
            .flatten()
            .flat_map(|mut document| std::mem::take(statements(&mut document)))
            .filter(|statement| statement["Effect"] == "Deny")
            .take(1)
            .collect();
        statements(&mut levels[0][0]).extend(denies);
        let after = decide(&world, &levels);
        if kind(&before) == "proved" {
            prop_assert_eq!(kind(&after), "proved", "{}", told(&levels));
        }
    }

    #[test]
    fn order_and_repetition_change_no_verdict(tape in tapes(), at in any::<usize>()) {
        let (world, levels) = case(&tape);
        let before = decide(&world, &levels);

        let mut turned = levels.clone();
        for level in &mut turned {
            level.reverse();
            for document in level {
                statements(document).reverse();
            }
        }
        prop_assert!(same(&decide(&world, &turned), &before, &levels), "{}", told(&levels));

        let mut repeated = levels.clone();
        let count = statements(&mut repeated[0][0]).len();
        let again = statements(&mut repeated[0][0])[at % count].clone();
        statements(&mut repeated[0][0]).push(again);
        prop_assert!(same(&decide(&world, &repeated), &before, &levels), "{}", told(&levels));
    }

    #[test]
    fn the_deciders_of_a_proof_suffice_and_each_is_needed(tape in tapes()) {
        let (world, levels) = case(&tape);
        let Verdict::Proved(deciders) = decide(&world, &levels) else { return Ok(()) };
        let denies: BTreeSet<Place> = deciders
            .iter()
            .filter_map(|decider| match decider {
                Decider::Deny(place) => Some(*place),
                Decider::Level(_) => None,
            })
            .collect();
        let mut alone = without(&levels, |place| !denies.contains(&place));
        for (level, documents) in alone.iter_mut().enumerate() {
            if !deciders.contains(&Decider::Level(level)) {
                let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
                statements(&mut documents[0]).push(all);
            }
        }
        let verdict = decide(&world, &alone);
        prop_assert_eq!(kind(&verdict), "proved", "{:?} do not suffice in {}", denies, told(&levels));
        for place in &denies {
            let fewer = without(&alone, |other| other == *place);
            let verdict = decide(&world, &fewer);
            prop_assert_ne!(
                kind(&verdict), "proved", "{:?} of {:?} is not needed in {}", place, deciders,
                told(&levels)
            );
        }
    }
}

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn a_small_budget_gives_the_same_verdict_or_none(tape in tapes(), small in 0_u64..3000) {
        let (world, levels) = case(&tape);
        let full = decide(&world, &levels);
        for budget in [small % 8, small % 200, small] {
            let verdict = decide_within(&world, &levels, budget);
            let spent = verdict == Verdict::Undecided(vec![Obstacle::Budget]);
            prop_assert!(
                spent || kind(&verdict) == kind(&full),
                "{} with {} steps, {} with all: {}", kind(&verdict), budget, kind(&full),
                told(&levels)
            );
        }
    }

    #[test]
    fn a_second_question_to_the_same_prover_gets_the_same_answer(tape in tapes(), other in tapes()) {
        let (world, levels) = case(&tape);
        let (other_world, other_levels) = case(&other);
        let (documents, other_documents) = (policies(&levels), policies(&other_levels));
        let (stack, other_stack) = (stack(&documents), stack(&other_documents));
        let mut prover = Prover::new(world.catalog.clone(), DEFAULT_BUDGET);
        let question = other_world.question();
        let applicable = Applicable::of(&other_stack, question.action);
        prover.decide(&other_stack, &applicable, &question);
        let question = world.question();
        let applicable = Applicable::of(&stack, question.action);
        let again = prover.decide(&stack, &applicable, &question);
        prop_assert_eq!(again, decide(&world, &levels));
    }
}
