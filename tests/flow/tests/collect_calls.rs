//! How many calls a walk makes, how long it takes, and that pages are read to their end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may")]

use std::collections::BTreeMap;

use flow::fetching::Fetching;
use flow::organizations::{FakeOrganizations, Size};
use pipeline::ports::Clock;
use pipeline::snapshot::Snapshot;
use pipeline::wire::FetchInput;

/// Pages of 20.
fn pages(count: usize) -> usize {
    count.div_ceil(20)
}

/// Calls by operation that a walk may make at most.
fn bound(truth: &Snapshot, names: bool) -> BTreeMap<&'static str, usize> {
    let mut targets: BTreeMap<&str, usize> =
        truth.policies.iter().map(|policy| (policy.id.as_str(), 0)).collect();
    for pair in &truth.attachments {
        *targets.get_mut(pair.policy_id.as_str()).unwrap() += 1;
    }
    let lists = targets.values().map(|count| pages(*count).max(1)).sum();
    BTreeMap::from([
        ("ListRoots", 1),
        ("ListAccounts", pages(truth.accounts.len())),
        (
            "ListOrganizationalUnitsForParent",
            if names { 1 + truth.organizational_units.len() } else { 0 },
        ),
        ("ListPolicies", pages(truth.policies.len())),
        ("ListTargetsForPolicy", lists),
        ("DescribePolicy", truth.policies.len()),
    ])
}

/// The least time for calls of one line in AWS's table: calls beyond the burst at the rate.
fn seconds(calls: usize, rate: u32, burst: usize) -> f64 {
    f64::from(u32::try_from(calls.saturating_sub(burst)).unwrap()) / f64::from(rate)
}

/// The least time that AWS's rates leave for these calls.
fn least_seconds(calls: &BTreeMap<&'static str, usize>) -> f64 {
    let of = |names: &[&str]| names.iter().filter_map(|name| calls.get(name)).sum::<usize>();
    [
        seconds(of(&["ListAccounts"]), 8, 12),
        seconds(of(&["ListOrganizationalUnitsForParent", "ListAccountsForParent"]), 5, 8),
        seconds(of(&["ListPolicies", "ListTargetsForPolicy"]), 5, 8),
        seconds(of(&["DescribePolicy"]), 2, 2),
    ]
    .into_iter()
    .fold(0.0, f64::max)
}

fn made(fetching: &Fetching) -> BTreeMap<&'static str, usize> {
    let log = fetching.organizations.log().into_iter();
    log.map(|(name, count)| (name, usize::try_from(count).unwrap())).collect()
}

async fn measure(size: Size) {
    let fetching = Fetching::new(FakeOrganizations::new(size, 1));
    let truth = fetching.organizations.truth();
    let fetched = fetching.fetch(FetchInput::default()).await.unwrap();
    let took = fetching.clock.elapsed().as_secs_f64();
    assert_eq!(fetching.timeless(&fetched).unwrap(), truth);
    let (bound, made) = (bound(&truth, true), made(&fetching));
    let (least, all, most) =
        (least_seconds(&bound), made.values().sum::<usize>(), bound.values().sum::<usize>());
    println!(
        "{} accounts, {} units, {} policies: {all} calls (bound {most}), {took:.1} s (least \
         {least:.1} s, {:+.1} %), {} throttled",
        size.accounts,
        size.units,
        size.policies,
        100.0 * (took / least - 1.0),
        fetched.throttled
    );
    for (operation, calls) in &made {
        assert!(Some(calls) <= bound.get(operation), "{operation}: {calls}");
    }
    assert_eq!(fetched.throttled, 0, "a walk that is alone is never throttled");
    assert!(took <= 1.1 * least, "{took} s are more than a tenth above {least} s");
}

#[tokio::test(start_paused = true)]
async fn a_walk_of_100_accounts_stays_within_its_bounds() {
    measure(Size { accounts: 100, units: 20, policies: 30, targets: 2 }).await;
}

#[tokio::test(start_paused = true)]
async fn a_walk_of_1_000_accounts_stays_within_its_bounds() {
    measure(Size { accounts: 1_000, units: 100, policies: 100, targets: 2 }).await;
}

#[tokio::test(start_paused = true)]
async fn a_walk_of_10_000_accounts_stays_within_its_bounds() {
    measure(Size { accounts: 10_000, units: 500, policies: 300, targets: 2 }).await;
}

#[tokio::test(start_paused = true)]
async fn a_walk_of_50_000_accounts_stays_within_its_bounds() {
    measure(Size { accounts: 50_000, units: 2_000, policies: 1_000, targets: 2 }).await;
}

#[tokio::test(start_paused = true)]
async fn a_walk_of_50_000_accounts_and_10_000_policies_stays_within_its_bounds() {
    measure(Size { accounts: 50_000, units: 2_000, policies: 10_000, targets: 2 }).await;
}

#[tokio::test(start_paused = true)]
async fn each_walk_reads_every_content_once_however_soon_it_follows_another() {
    let fetching = Fetching::new(FakeOrganizations::new(Size::SMALL, 2));
    for (full, seconds) in [(false, 0), (false, 1), (true, 1), (false, 3600)] {
        fetching.organizations.reset();
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
        let began = fetching.clock.now();
        let input = FetchInput { full, ..FetchInput::default() };
        let fetched = fetching.fetch(input).await.unwrap();
        let described = made(&fetching).get("DescribePolicy").copied();
        assert_eq!(described, Some(6), "full {full}, {seconds} s later");
        assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
        let oldest = fetching.snapshot(&fetched).unwrap().oldest_content_at.unwrap();
        let oldest: jiff::Timestamp = oldest.parse().unwrap();
        assert!(began <= oldest && oldest < fetching.clock.now(), "{oldest}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_paths_the_tree_gives_the_same_snapshot() {
    for seed in 0..20 {
        let fetching = Fetching::new(FakeOrganizations::new(Size::SMALL, seed));
        fetching.organizations.with_paths.set(false);
        let fetched = fetching.fetch(FetchInput::default()).await.unwrap();
        assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
        let made = made(&fetching);
        assert!(made.contains_key("ListAccountsForParent"));
        assert_eq!(made.get("ListParents"), None, "nothing had to be looked up");
    }
}

#[tokio::test(start_paused = true)]
async fn without_names_units_on_paths_are_known_by_their_ids() {
    let mut fetching = Fetching::new(FakeOrganizations::new(Size::SMALL, 3));
    fetching.settings.collect.unit_names = false;
    let fetched = fetching.fetch(FetchInput::default()).await.unwrap();
    let (snapshot, mut truth) =
        (fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
    let made = made(&fetching);
    for (operation, calls) in &made {
        assert!(Some(calls) <= bound(&truth, false).get(operation), "{operation}: {calls}");
    }
    // Units without accounts below them are invisible, and so is what is attached there.
    let seen = |id: &str| snapshot.organizational_units.iter().any(|unit| unit.id == id);
    truth.organizational_units.retain(|unit| seen(&unit.id));
    truth.organizational_units.iter_mut().for_each(|unit| unit.name.clone_from(&unit.id));
    truth.attachments.retain(|pair| !pair.target_id.starts_with("ou-") || seen(&pair.target_id));
    assert_eq!(snapshot, truth);
    assert!(
        snapshot
            .accounts
            .iter()
            .all(|account| { seen(&account.parent_id) || account.parent_id == snapshot.root.id })
    );
}

#[tokio::test(start_paused = true)]
async fn empty_pages_do_not_end_a_list() {
    for seed in 0..20 {
        let fetching = Fetching::new(FakeOrganizations::new(Size::SMALL, seed));
        fetching.organizations.empty_percent.set(40);
        fetching.organizations.with_paths.set(seed % 2 == 0);
        let fetched = fetching.fetch(FetchInput::default()).await.unwrap();
        assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
    }
}

#[tokio::test(start_paused = true)]
async fn throttles_conflicts_and_server_errors_change_nothing() {
    for seed in 0..20 {
        let fetching = Fetching::new(FakeOrganizations::new(Size::SMALL, seed));
        fetching.organizations.failing_percent.set(30);
        let fetched = fetching.fetch(FetchInput::default()).await.unwrap();
        assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
        assert!(fetched.throttled > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_organization_gives_the_same_bytes_apart_from_the_times() {
    let texts = async |latency| {
        let fetching = Fetching::new(FakeOrganizations::new(Size::SMALL, 4));
        fetching.organizations.latency.set(std::time::Duration::from_millis(latency));
        fetching.organizations.failing_percent.set(10);
        let fetched = fetching.fetch(FetchInput::default()).await.unwrap();
        serde_json::to_string(&fetching.timeless(&fetched).unwrap()).unwrap()
    };
    assert_eq!(texts(10).await, texts(700).await);
}
