//! The last snapshot brought up to date, and walks that are cut and go on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use flow::faults::Random;
use flow::fetching::Fetching;
use flow::organizations::{FakeOrganizations, Size};
use pipeline::fetch::Input;
use pipeline::snapshot::Snapshot;
use pipeline::wire::{Change, FetchInput, FetchMode, Fetched, Latest, digest};

const TINY: Size = Size { accounts: 12, units: 4, policies: 5, targets: 3 };

/// A first, full run.
async fn begun(size: Size, seed: u64) -> Fetching {
    let fetching = Fetching::new(FakeOrganizations::new(size, seed));
    let fetched = fetching.fetch(fetching.answering("first")).await.unwrap();
    assert_eq!(fetched.mode, Some(FetchMode::Full));
    fetching.complete(&fetched);
    fetching.organizations.reset();
    fetching
}

async fn answer(fetching: &Fetching, run_id: &str) -> Fetched {
    let fetched = fetching.fetch(fetching.answering(run_id)).await.unwrap();
    fetching.complete(&fetched);
    fetched
}

#[tokio::test(start_paused = true)]
async fn changes_applied_one_run_after_another_equal_a_full_walk() {
    let (mut runs, mut changes_only) = (0, 0);
    for seed in 0..300 {
        let fetching = begun(TINY, seed).await;
        fetching.organizations.with_paths.set(seed % 2 == 0);
        let mut random = Random::new(seed);
        for run in 0..4 {
            for _ in 0..=random.below(4) {
                let changes = fetching.organizations.change(&mut random);
                if changes.is_empty() {
                    continue;
                }
                // Every other event arrives twice.
                for _ in 0..=random.below(2) {
                    fetching.request(changes.clone());
                }
            }
            if !fetching.bucket.keys().iter().any(|key| key.starts_with("requests/")) {
                continue;
            }
            runs += 1;
            let fetched = answer(&fetching, &format!("run{run}")).await;
            changes_only += usize::from(fetched.mode == Some(FetchMode::Changes));
            assert_eq!(
                fetching.timeless(&fetched).unwrap(),
                fetching.organizations.truth(),
                "seed {seed}, run {run}, notes {:?}",
                fetched.notes
            );
        }
    }
    assert!(runs > 900, "only {runs} runs");
    assert!(changes_only * 10 > runs * 9, "only {changes_only} of {runs} did without a walk");
}

#[tokio::test(start_paused = true)]
async fn one_change_costs_at_most_three_calls_and_under_ten_seconds() {
    for seed in 0..300 {
        let fetching = begun(TINY, seed).await;
        fetching.organizations.with_paths.set(seed % 2 == 0);
        let changes = fetching.organizations.change(&mut Random::new(seed));
        let Some(change) = changes.last() else { continue };
        fetching.request(vec![change.clone()]);
        let start = tokio::time::Instant::now();
        let fetched = answer(&fetching, "second").await;
        assert_eq!(fetched.mode, Some(FetchMode::Changes), "{change:?}: {:?}", fetched.notes);
        assert!(fetched.calls <= 3, "{change:?}: {:?}", fetching.organizations.log());
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_leads_to_a_full_walk() {
    type Spoil = fn(&Fetching);
    let cases: [(&str, Spoil); 6] = [
        ("no last snapshot", |it| it.bucket.remove("state/latest.json")),
        ("damaged", |it| it.bucket.set("runs/first/snapshot.json", "{}")),
        ("not there", |it| it.bucket.remove("runs/first/snapshot.json")),
        ("everything", |it| it.request(vec![Change::Everything])),
        ("things changed", |it| {
            let change = |number| Change::Account(format!("{number:012}"));
            it.request((0..26).map(change).collect());
        }),
        ("not fit", |it| {
            // The event about the new unit is lost.
            let made = it.organizations.create_unit("r-exam");
            let [Change::Unit(unit)] = made.as_slice() else { panic!("{made:?}") };
            it.request(it.organizations.move_account("111111111111", unit));
        }),
    ];
    for (why, spoil) in cases {
        let fetching = begun(TINY, 1).await;
        fetching.request(fetching.organizations.create_account());
        spoil(&fetching);
        let fetched = answer(&fetching, "second").await;
        assert_eq!(fetched.mode, Some(FetchMode::Full), "{why}");
        assert!(fetched.notes.iter().any(|note| note.contains(why)), "{why}: {:?}", fetched.notes);
        assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
    }
}

#[tokio::test(start_paused = true)]
async fn the_age_of_the_last_full_walk_survives_runs_that_read_changes_only() {
    let fetching = begun(TINY, 2).await;
    let mut modes = Vec::new();
    for run in 0..4 {
        tokio::time::sleep(Duration::from_secs(3 * 3600)).await;
        fetching.request(fetching.organizations.create_account());
        modes.push(answer(&fetching, &format!("run{run}")).await.mode.unwrap());
    }
    let (full, changes) = (FetchMode::Full, FetchMode::Changes);
    assert_eq!(modes, [changes, changes, full, changes]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_policy_of_which_no_event_told_is_read_by_the_next_schedule() {
    let fetching = begun(TINY, 3).await;
    tokio::time::sleep(Duration::from_secs(5 * 3600)).await;
    let policy = fetching.organizations.truth().policies[0].id.clone();
    assert!(!fetching.organizations.update_policy(&policy).is_empty());
    tokio::time::sleep(Duration::from_secs(3600)).await;
    fetching.request(Vec::new());
    let fetched = answer(&fetching, "second").await;
    assert_eq!(fetched.mode, Some(FetchMode::Full));
    assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
}

#[tokio::test(start_paused = true)]
async fn the_oldest_content_is_that_of_the_last_walk_until_every_content_is_read_again() {
    let fetching = begun(TINY, 3).await;
    let oldest = |fetched: &Fetched| fetching.snapshot(fetched).unwrap().oldest_content_at.unwrap();
    let policies: Vec<String> =
        fetching.organizations.truth().policies.iter().map(|policy| policy.id.clone()).collect();
    fetching.request(Vec::new());
    let first = oldest(&answer(&fetching, "walk").await);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    fetching.request(fetching.organizations.update_policy(&policies[0]));
    assert_eq!(oldest(&answer(&fetching, "one").await), first);
    fetching.request(policies.iter().map(|id| Change::Policy(id.clone())).collect());
    let fetched = answer(&fetching, "all").await;
    assert_eq!(fetched.mode, Some(FetchMode::Changes));
    assert!(oldest(&fetched) > first, "no content of the walk is left");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_does_not_say_how_old_its_contents_are_is_not_brought_up_to_date() {
    let fetching = begun(TINY, 4).await;
    let text = fetching.bucket.text("runs/first/snapshot.json").unwrap();
    let mut snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    snapshot.oldest_content_at = None;
    let text = serde_json::to_string(&snapshot).unwrap();
    fetching.bucket.set("runs/first/snapshot.json", &text);
    let latest = fetching.bucket.text("state/latest.json").unwrap();
    let mut latest: Latest = serde_json::from_str(&latest).unwrap();
    latest.snapshot.digest = digest(text.as_bytes());
    fetching.bucket.set("state/latest.json", &serde_json::to_string(&latest).unwrap());
    fetching.request(fetching.organizations.create_account());
    let fetched = answer(&fetching, "second").await;
    assert_eq!(fetched.mode, Some(FetchMode::Full));
    let text = &fetched.notes[0];
    assert!(text.contains("how old its contents are"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_taken_up_long_after_it_stopped_begins_anew() {
    for (hours, same) in [(11, true), (13, false)] {
        for go_on in [true, false] {
            let fetching = Fetching::new(FakeOrganizations::new(TINY, 7));
            fetching.request(Vec::new());
            let input = fetching.answering("a");
            let soon = fetching.settings.margin + Duration::from_millis(1500);
            let first = fetching.invoke(Input::Begin(input.clone()), soon).await.unwrap();
            assert!(!first.done);
            let policies = fetching.organizations.truth().policies;
            for policy in policies {
                fetching.organizations.update_policy(&policy.id);
            }
            tokio::time::sleep(Duration::from_secs(hours * 3600)).await;
            let next = if go_on { Input::GoOn(first) } else { Input::Begin(input) };
            let fetched = fetching.invoke(next, Duration::from_secs(3600)).await.unwrap();
            let snapshot = fetching.timeless(&fetched).unwrap();
            assert_eq!(snapshot == fetching.organizations.truth(), !same, "{hours} {go_on}");
            let told = fetched.notes.iter().any(|note| note.contains("too long ago"));
            assert_eq!(told, !same, "{hours} {go_on}: {:?}", fetched.notes);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_policy_is_read_again_in_a_full_walk_too_and_stays_so() {
    let fetching = begun(TINY, 3).await;
    let policy = fetching.organizations.truth().policies[0].id.clone();
    fetching.request(fetching.organizations.update_policy(&policy));
    fetching.request(Vec::new());
    for run in ["second", "third"] {
        let fetched = fetching.fetch(fetching.answering(run)).await.unwrap();
        assert_eq!(fetched.mode, Some(FetchMode::Full));
        assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
        // The requests are answered; what was read must not be forgotten for an older reading.
        fetching.complete(&fetched);
    }
}

/// Fetches in invocations of which the first is cut `cut` after it began.
async fn cut(fetching: &Fetching, input: FetchInput, cut: Duration) -> (Fetched, u32) {
    let margin = fetching.settings.margin;
    let mut fetched = fetching.invoke(Input::Begin(input), margin + cut).await.unwrap();
    let mut invocations = 1;
    while !fetched.done {
        let text = serde_json::to_string(&fetched).unwrap();
        let next: Input = serde_json::from_str(&text).unwrap();
        fetched = fetching.invoke(next, Duration::from_secs(3600)).await.unwrap();
        invocations += 1;
    }
    (fetched, invocations)
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_is_cut_anywhere_goes_on_without_repeating_calls() {
    for with_paths in [true, false] {
        let whole = Fetching::new(FakeOrganizations::new(Size::SMALL, 5));
        whole.organizations.with_paths.set(with_paths);
        let calls = whole.fetch(FetchInput::default()).await.unwrap().calls;
        let took = whole.clock.elapsed();
        let mut millis = 5;
        while Duration::from_millis(millis) < took {
            let fetching = Fetching::new(FakeOrganizations::new(Size::SMALL, 5));
            fetching.organizations.with_paths.set(with_paths);
            fetching.organizations.throttles.set(false);
            let (fetched, invocations) =
                cut(&fetching, FetchInput::default(), Duration::from_millis(millis)).await;
            assert_eq!(invocations, 2, "cut at {millis} ms");
            assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
            let repeated = fetched.calls - calls;
            assert!(repeated <= 20, "cut at {millis} ms: {repeated} calls were on their way");
            millis += 25;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn changes_that_are_cut_anywhere_go_on() {
    for millis in (5..1_500).step_by(40) {
        let fetching = begun(TINY, 6).await;
        let mut random = Random::new(6);
        for _ in 0..6 {
            fetching.request(fetching.organizations.change(&mut random));
        }
        let input = fetching.answering("second");
        let (fetched, _) = cut(&fetching, input, Duration::from_millis(millis)).await;
        assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_whose_answer_was_lost_is_taken_up_by_the_same_input() {
    let fetching = Fetching::new(FakeOrganizations::new(Size::SMALL, 7));
    fetching.request(Vec::new());
    let input = fetching.answering("a");
    let soon = fetching.settings.margin + Duration::from_millis(700);
    let first = fetching.invoke(Input::Begin(input.clone()), soon).await.unwrap();
    assert!(!first.done);
    // A request that arrives now is not this run's.
    fetching.request(Vec::new());
    let fetched = fetching.fetch(input).await.unwrap();
    assert!(fetched.done && fetched.calls > first.calls);
    let claim = fetching.bucket.text("runs/a/claim.json").unwrap();
    assert_eq!(claim.matches("requests/").count(), 1, "{claim}");
}
