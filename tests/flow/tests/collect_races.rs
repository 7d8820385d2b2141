//! Changes during a walk: mended, or covered by a gap; nothing is lost or invented.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use flow::faults::Random;
use flow::fetching::Fetching;
use flow::organizations::{FakeOrganizations, Size};
use pipeline::snapshot::Snapshot;
use pipeline::wire::FetchInput;

const TINY: Size = Size { accounts: 30, units: 6, policies: 5, targets: 4 };

/// Every fact of a snapshot that a verdict can hang on.
fn facts(snapshot: &Snapshot) -> BTreeSet<String> {
    let units = snapshot.organizational_units.iter();
    let units = units.map(|unit| format!("unit {} in {}", unit.id, unit.parent_id));
    let accounts = snapshot.accounts.iter().map(|account| {
        format!("account {} {} in {}", account.id, account.state, account.parent_id)
    });
    let policies = snapshot.policies.iter();
    let policies = policies.map(|policy| format!("{} {:?}", policy.id, policy.content));
    let attachments = snapshot.attachments.iter();
    let attachments = attachments.map(|pair| format!("{} on {}", pair.policy_id, pair.target_id));
    units.chain(accounts).chain(policies).chain(attachments).collect()
}

/// Walks while `changes` changes happen at random calls; returns what was walked and all states
/// of the organization meanwhile.
async fn race(seed: u64, changes: usize) -> (Snapshot, Vec<Snapshot>) {
    let fetching = Fetching::new(FakeOrganizations::new(TINY, seed));
    fetching.organizations.with_paths.set(!seed.is_multiple_of(3));
    let states = Rc::new(RefCell::new(vec![fetching.organizations.truth()]));
    let random = Rc::new(RefCell::new(Random::new(seed)));
    for _ in 0..changes {
        let (states, dice) = (Rc::clone(&states), Rc::clone(&random));
        let at = 1 + random.borrow_mut().below(28);
        fetching.organizations.at_call(u64::try_from(at).unwrap(), move |organizations| {
            // Some choices are against the rules; try until one changes something.
            while organizations.change(&mut dice.borrow_mut()).is_empty() {}
            states.borrow_mut().push(organizations.truth());
        });
    }
    let fetched = fetching.fetch(FetchInput::default()).await.unwrap();
    let states = states.borrow().clone();
    (fetching.timeless(&fetched).unwrap(), states)
}

#[tokio::test(start_paused = true)]
async fn after_one_change_every_fact_is_the_one_before_or_after_it() {
    let mut whole = 0;
    for seed in 0..600 {
        let (walked, states) = race(seed, 1).await;
        whole += usize::from(check(seed, &walked, &states));
    }
    assert!(whole > 570, "only {whole} walks were whole, the others have gaps");
}

#[tokio::test(start_paused = true)]
async fn after_many_changes_every_fact_was_so_at_some_moment_and_none_that_stayed_is_missing() {
    let mut whole = 0;
    for seed in 0..400 {
        let (walked, states) = race(seed, 6).await;
        whole += usize::from(check(seed, &walked, &states));
    }
    assert!(whole > 380, "only {whole} walks were whole, the others have gaps");
}

/// Whether the walk has no gaps; then its facts are held against the states.
fn check(seed: u64, walked: &Snapshot, states: &[Snapshot]) -> bool {
    if !walked.gaps.is_empty() {
        return false;
    }
    let walked_facts = facts(walked);
    let all: Vec<BTreeSet<String>> = states.iter().map(facts).collect();
    for fact in &walked_facts {
        assert!(all.iter().any(|state| state.contains(fact)), "seed {seed}: invented: {fact}");
    }
    for fact in &all[0] {
        let stayed = all.iter().all(|state| state.contains(fact));
        assert!(!stayed || walked_facts.contains(fact), "seed {seed}: lost: {fact}");
    }
    for account in &states[0].accounts {
        let there = |state: &Snapshot| state.accounts.iter().any(|other| other.id == account.id);
        assert!(!states.iter().all(there) || there(walked), "seed {seed}: lost {}", account.id);
    }
    for target in walked.accounts.iter().map(|account| &account.id) {
        let dressed = walked.attachments.iter().any(|pair| &pair.target_id == target);
        assert!(dressed, "seed {seed}: nothing is attached to {target}");
    }
    true
}

#[tokio::test(start_paused = true)]
async fn policies_disabled_during_a_walk_do_not_count() {
    for at in 1..28 {
        let fetching = Fetching::new(FakeOrganizations::new(TINY, 1));
        fetching.organizations.at_call(at, |organizations| {
            organizations.disable_scps();
        });
        let before = fetching.organizations.truth();
        let fetched = fetching.fetch(FetchInput::default()).await.unwrap();
        let walked = fetching.timeless(&fetched).unwrap();
        let after = fetching.organizations.truth();
        let enabled = walked.root.scp_enabled();
        // Where every target had kept a policy in the walk, only some attachments are missing;
        // the event about the type makes the next run walk again.
        let known: BTreeSet<_> = before.attachments.iter().collect();
        assert!(walked.attachments.iter().all(|pair| known.contains(pair)), "call {at}");
        assert!(enabled || walked == after, "call {at}");
    }
}
