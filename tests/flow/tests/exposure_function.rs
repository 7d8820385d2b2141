//! `read-exposure` from the plan to the parts, with everything in between that can go wrong.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use exposure::RegionStatus;
use flow::crash::crashing;
use flow::exposing::{Exposing, LONG, MIX, assert_same};
use flow::faults::Random;
use flow::flaky::Flaky;
use flow::objects::{Access, FakeBucket};
use flow::ses::{Mix, account_id};
use jiff::{SignedDuration, Timestamp};
use pipeline::objects;
use pipeline::ports::{CallError, Clock, Condition, Failure, Object, Objects, Written};
use pipeline::reading::function::{Output, PlanInput, ReadExposureError, ReadExposureInput};
use pipeline::reading::{Batch, PARTS, PartError, part_of, read_part};
use serde_json::json;
use tokio::time::advance;

const SEED: u64 = 3;
const SMALL: Mix = Mix { accounts: 24, using_percent: 60, ..MIX };

const HOUR: Duration = Duration::from_secs(3_600);

fn only(run_id: &str, numbers: impl Iterator<Item = u32>) -> PlanInput {
    let accounts = numbers.map(account_id).collect();
    PlanInput { run_id: run_id.to_owned(), accounts, ..PlanInput::default() }
}

fn all(run_id: &str) -> PlanInput {
    only(run_id, 0..0)
}

fn active(numbers: impl Iterator<Item = u32>) -> Vec<(String, &'static str)> {
    numbers.map(|number| (account_id(number), "ACTIVE")).collect()
}

fn places(batches: &[Batch]) -> BTreeSet<(String, String)> {
    let accounts = batches.iter().flat_map(|batch| &batch.accounts);
    let places = accounts.flat_map(|account| {
        account.regions.iter().map(|region| (account.account.clone(), region.clone()))
    });
    places.collect()
}

/// A bucket that answers now sooner, now later, counts conflicts, and can make every conditional
/// write one.
struct Watched<'b> {
    bucket: &'b FakeBucket,
    random: RefCell<Random>,
    conflicts: Cell<u32>,
    refuses: bool,
}

impl<'b> Watched<'b> {
    fn new(bucket: &'b FakeBucket) -> Self {
        let random = RefCell::new(Random::new(SEED));
        Self { bucket, random, conflicts: Cell::new(0), refuses: false }
    }

    async fn wait(&self) {
        let times = self.random.borrow_mut().below(4);
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }
}

impl Objects for Watched<'_> {
    async fn get(&self, key: &str) -> Result<Option<Object>, CallError> {
        self.wait().await;
        self.bucket.get(key).await
    }

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<Written, CallError> {
        self.wait().await;
        let written = if self.refuses && condition != Condition::Always {
            Written::Conflict
        } else {
            self.bucket.put(key, bytes, condition).await?
        };
        if written == Written::Conflict {
            self.conflicts.set(self.conflicts.get() + 1);
        }
        Ok(written)
    }

    async fn delete(&self, key: &str) -> Result<(), CallError> {
        self.bucket.delete(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.bucket.list(prefix).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_over_two_hundred_accounts_is_what_they_hold_and_the_next_one_reads_nothing() {
    let it = Exposing::new(&MIX, SEED);
    let planned = it.plan_all("run-1").await.unwrap();
    assert_eq!(planned.bucket, "bucket");
    assert_eq!(planned.manifest.key, "exposure/run-1/manifest.json");
    assert_eq!(planned.regions, 1_000);
    assert_eq!(planned.notes, Vec::<String>::new());
    let batches = it.batches(&planned);
    assert_eq!(batches.len() as u64, planned.batches);
    assert_eq!(places(&batches).len(), 1_000);
    for (number, batch) in (0..).zip(&batches) {
        assert_eq!((batch.batch, batch.batches), (number, 10), "100 Regions a batch");
        // The first invocations are cut, as they may be.
        it.read(batch, Duration::from_secs(20)).await.unwrap();
    }
    let merged = it.merge("run-1").await.unwrap();
    assert!(merged.done);
    assert_eq!((merged.part, merged.accounts, merged.regions, merged.gaps), (PARTS, 200, 1_000, 0));
    assert_same(&it.statuses().await, it.ses.truth());
    assert_eq!(it.ses.violations(), 0);
    for part in 0..PARTS {
        for account in read_part(&it.bucket, part).await.unwrap().exposure.accounts {
            assert_eq!(part_of(account.account), part);
        }
    }

    advance(HOUR).await;
    let (parts, calls) = (it.parts(), it.ses.log().len());
    let (planned, merged) = it.run(all("run-2")).await.unwrap();
    assert_eq!((planned.batches, planned.regions, planned.estimated_calls), (0, 0, 0));
    assert_eq!(it.bucket.text(&planned.manifest.key).unwrap(), "[]");
    assert_eq!((merged.accounts, merged.regions, merged.gaps), (200, 1_000, 0));
    assert_eq!(it.ses.log().len(), calls);
    assert_eq!(it.parts(), parts, "nothing is written either");

    advance(24 * HOUR).await;
    assert_eq!(it.plan_all("run-3").await.unwrap().regions, 1_000, "now all of it is too old");
}

#[tokio::test(start_paused = true)]
async fn calls_that_fail_now_and_then_change_nothing_that_a_run_finds() {
    let it = Exposing::new(&MIX, SEED);
    it.ses.chaos(SEED, 8, 1, 10);
    let (_, merged) = it.run(all("run-1")).await.unwrap();
    assert_eq!((merged.accounts, merged.regions, merged.gaps), (200, 1_000, 0));
    assert_same(&it.statuses().await, it.ses.truth());
    assert_eq!(it.ses.violations(), 0);
}

#[tokio::test(start_paused = true)]
async fn full_reads_what_is_fresh_too() {
    let it = Exposing::new(&SMALL, SEED);
    it.run(all("run-1")).await.unwrap();
    let before = it.known().await;
    advance(HOUR).await;
    let (planned, _) = it.run(PlanInput { full: true, ..all("run-2") }).await.unwrap();
    assert_eq!(planned.regions, 120);
    assert_same(&it.statuses().await, it.ses.truth());
    for (account, times) in it.known().await.times.accounts {
        for (region, at) in times {
            let at: Timestamp = at.parse().unwrap();
            let then: Timestamp = before.times.accounts[&account][&region].parse().unwrap();
            assert!(at.duration_since(then) >= SignedDuration::from_hours(1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failed_batches_leave_gaps_over_what_was_known_and_the_next_run_reads_just_these() {
    for known_before in [false, true] {
        let it = Exposing::new(&MIX, SEED);
        if known_before {
            it.run(all("run-0")).await.unwrap();
            advance(25 * HOUR).await;
        }
        let planned = it.plan_all("run-1").await.unwrap();
        let batches = it.batches(&planned);
        for batch in &batches {
            match batch.batch {
                // One never runs, one ends in the middle.
                1 => {}
                2 => {
                    let input = ReadExposureInput::Batch(batch.clone());
                    let short = Duration::from_secs(4);
                    let answer = it.through(&it.bucket, input, short).await.unwrap();
                    let Output::Batch(progress) = answer else { panic!("{answer:?}") };
                    assert!(!progress.done && progress.regions_left < 100, "{progress:?}");
                }
                _ => it.read(batch, LONG).await.unwrap(),
            }
        }
        let merged = it.merge("run-1").await.unwrap();
        let statuses = it.statuses().await;
        let mut lost = BTreeSet::new();
        for (account, regions) in &statuses {
            for (region, status) in regions {
                let RegionStatus::Failed { reason } = status else {
                    assert_eq!(status, &it.ses.truth()[account][region]);
                    continue;
                };
                let known = [
                    "batch 1 failed: no invocation of it ended",
                    "Regions were left after 1 invocations",
                ];
                assert!(known.iter().any(|end| reason.ends_with(end)), "{reason}");
                lost.insert((account.clone(), region.clone()));
            }
        }
        assert!(lost.is_superset(&places(&batches[1..2])));
        assert!(lost.is_subset(&places(&batches[1..3])));
        assert_eq!(merged.gaps, lost.len() as u64);

        let parts = it.parts();
        assert_eq!(it.merge("run-1").await.unwrap(), merged);
        assert_eq!(it.parts(), parts, "merged again, it is the same");
        advance(Duration::from_secs(60)).await;
        assert_eq!(it.merge("run-1").await.unwrap(), merged);
        assert_eq!(it.parts(), parts, "and later, too");

        let next = it.plan_all("run-2").await.unwrap();
        assert_eq!(places(&it.batches(&next)), lost);
        it.run(all("run-2")).await.unwrap();
        assert_same(&it.statuses().await, it.ses.truth());
    }
}

#[tokio::test(start_paused = true)]
async fn two_merges_at_the_same_time_lose_nothing() {
    let it = Exposing::new(&MIX, SEED);
    for (run, numbers) in [("run-a", 0..110), ("run-b", 90..200)] {
        let planned = it.plan(only(run, numbers)).await.unwrap();
        for batch in it.batches(&planned) {
            it.read(&batch, LONG).await.unwrap();
        }
    }
    let watched = Watched::new(&it.bucket);
    for _ in 0..10 {
        let (a, b) = tokio::join!(
            it.merge_through(&watched, "run-a", 0, LONG),
            it.merge_through(&watched, "run-b", 0, LONG)
        );
        assert!(a.unwrap().done && b.unwrap().done);
        assert_same(&it.statuses().await, it.ses.truth());
        for part in 0..PARTS {
            it.bucket.remove(&objects::exposure_part(part));
        }
    }
    assert!(watched.conflicts.get() > 10, "they meet: {}", watched.conflicts.get());
}

#[tokio::test(start_paused = true)]
async fn a_part_that_always_changes_is_named_and_may_be_tried_again() {
    let it = Exposing::new(&SMALL, SEED);
    let planned = it.plan_all("run-1").await.unwrap();
    for batch in it.batches(&planned) {
        it.read(&batch, LONG).await.unwrap();
    }
    let watched = Watched { refuses: true, ..Watched::new(&it.bucket) };
    let error = it.merge_through(&watched, "run-1", 0, LONG).await.unwrap_err();
    assert!(error.is_retryable());
    assert!(matches!(&error, ReadExposureError::Contended { key }
        if key.starts_with("exposure/latest/")));
    assert!(it.merge("run-1").await.unwrap().done);
    assert_same(&it.statuses().await, it.ses.truth());
}

#[tokio::test(start_paused = true)]
async fn in_whichever_order_runs_are_merged_the_newer_reading_stands() {
    let mut ends = Vec::new();
    for order in [["run-a", "run-b", "run-a"], ["run-b", "run-a", "run-b"]] {
        let it = Exposing::new(&SMALL, SEED);
        let planned = it.plan_all("run-a").await.unwrap();
        for batch in it.batches(&planned) {
            it.read(&batch, LONG).await.unwrap();
        }
        advance(HOUR).await;
        // The second one reads the same accounts later, and cannot read the first of them.
        it.ses.roles_missing.borrow_mut().insert(account_id(0));
        let planned = it.plan_all("run-b").await.unwrap();
        assert_eq!(planned.regions, 120, "nothing is known before a merge");
        for batch in it.batches(&planned) {
            it.read(&batch, LONG).await.unwrap();
        }
        for run in order {
            it.merge(run).await.unwrap();
        }
        let statuses = it.statuses().await;
        assert!(statuses[&account_id(0)].values().all(|s| *s == RegionStatus::RoleMissing));
        ends.push(it.parts());
    }
    assert_eq!(ends[0], ends[1]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_takes_nothing_from_what_another_read_after_its_plan() {
    for failed_first in [false, true] {
        let it = Exposing::new(&SMALL, SEED);
        it.plan_all("failed").await.unwrap();
        advance(HOUR).await;
        let planned = it.plan_all("good").await.unwrap();
        for batch in it.batches(&planned) {
            it.read(&batch, LONG).await.unwrap();
        }
        let runs = if failed_first { ["failed", "good"] } else { ["good", "failed"] };
        for run in runs {
            it.merge(run).await.unwrap();
        }
        assert_same(&it.statuses().await, it.ses.truth());
    }
}

#[tokio::test(start_paused = true)]
async fn a_merge_that_is_cut_after_every_part_ends_as_one_in_one_go() {
    let it = Exposing::new(&MIX, SEED);
    let planned = it.plan_all("run-1").await.unwrap();
    for batch in it.batches(&planned) {
        it.read(&batch, LONG).await.unwrap();
    }
    let flaky = Flaky::new(&it.bucket);
    // Each call of the bucket takes longer than is left.
    let time = it.settings.read.margin + Duration::from_millis(1);
    let (mut part, mut sums) = (0, [0; 3]);
    for invocation in 1..=PARTS {
        let merged = it.merge_through(&flaky, "run-1", part, time).await.unwrap();
        assert_eq!(merged.part, invocation);
        assert_eq!(merged.done, invocation == PARTS);
        part = merged.part;
        for (sum, more) in sums.iter_mut().zip([merged.accounts, merged.regions, merged.gaps]) {
            *sum += more;
        }
    }
    assert_eq!(sums, [200, 1_000, 0]);
    assert_same(&it.statuses().await, it.ses.truth());
    let parts = it.parts();
    for part in 0..PARTS {
        it.bucket.remove(&objects::exposure_part(part));
    }
    it.merge("run-1").await.unwrap();
    assert_eq!(it.parts(), parts);
}

#[tokio::test(start_paused = true)]
async fn a_plan_or_merge_that_crashes_anywhere_goes_on_with_the_same_input() {
    let it = Exposing::new(&Mix { accounts: 6, ..SMALL }, SEED);
    it.run(all("run-1")).await.unwrap();
    let whole = it.parts();
    let (mut plans, mut merges) = (true, true);
    let mut at = 0;
    while plans || merges {
        at += 1;
        assert!(at < 1_000, "it never ends by itself");
        for part in 0..PARTS {
            it.bucket.remove(&objects::exposure_part(part));
        }
        let run = format!("run-at-{at}");
        plans &= crashing(it.plan_all(&run), Some(at)).await.is_none();
        assert_eq!(it.plan_all(&run).await.unwrap().regions, 30);
        merges &= crashing(it.merge("run-1"), Some(at)).await.is_none();
        let merged = it.merge("run-1").await.unwrap();
        assert_eq!((merged.done, merged.accounts, merged.gaps), (true, 6, 0));
        assert_eq!(it.parts(), whole);
    }
    assert!(at > 50, "both have more awaits than {at}");
}

#[tokio::test(start_paused = true)]
async fn through_a_failing_bucket_a_run_ends_as_through_a_sound_one() {
    for seed in 1..=3 {
        let it = Exposing::new(&SMALL, SEED);
        let flaky = Flaky::new(&it.bucket);
        flaky.faults.seed(seed, 5, 5);
        let insist = async |input: ReadExposureInput| {
            for _ in 0..500 {
                match it.through(&flaky, input.clone(), Duration::from_secs(30)).await {
                    Ok(Output::Batch(progress)) if !progress.done => {}
                    Ok(answer) => return answer,
                    Err(error) => assert!(error.is_retryable(), "{error}"),
                }
            }
            panic!("it never ends");
        };
        let answer = insist(ReadExposureInput::Plan(all("run-1"))).await;
        let Output::Plan(planned) = answer else { panic!("{answer:?}") };
        assert_eq!(planned.regions, 120);
        for batch in it.batches(&planned) {
            insist(ReadExposureInput::Batch(batch)).await;
        }
        // One part an invocation, or the next failure is always sooner than the end.
        let time = it.settings.read.margin + Duration::from_millis(1);
        let (mut part, mut done) = (0, false);
        for _ in 0..1_000 {
            match it.merge_through(&flaky, "run-1", part, time).await {
                Ok(merged) => (part, done) = (merged.part, merged.done),
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
            if done {
                break;
            }
        }
        assert!(done, "it never ends");
        assert_same(&it.statuses().await, it.ses.truth());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_is_never_taken_for_nothing() {
    let it = Exposing::new(&SMALL, SEED);
    it.run(all("run-1")).await.unwrap();
    let parts = it.parts();
    for prefix in ["state/latest.json", "runs/", "exposure/run-2/", "exposure/latest/"] {
        it.bucket.fail(Access::Get, prefix, Failure::Denied, 1);
        let error = it.plan_all("run-2").await.unwrap_err();
        assert!(error.to_string().starts_with("s3:GetObject failed"), "{error}");
        assert_eq!(it.bucket.text("exposure/run-2/manifest.json"), None);
    }
    it.plan_all("run-2").await.unwrap();
    for prefix in ["state/latest.json", "runs/", "exposure/run-2/", "exposure/latest/"] {
        it.bucket.fail(Access::Get, prefix, Failure::Denied, 1);
        let error = it.merge("run-2").await.unwrap_err();
        assert!(error.to_string().starts_with("s3:GetObject failed"), "{error}");
        assert_eq!(it.parts(), parts);
    }
    let full = it.plan(PlanInput { full: true, ..all("run-3") }).await.unwrap();
    for batch in it.batches(&full) {
        it.read(&batch, LONG).await.unwrap();
    }
    it.bucket.fail(Access::Get, "exposure/run-3/000000/", Failure::Unavailable, 1);
    assert!(it.merge("run-3").await.unwrap_err().is_retryable());
    assert_eq!(it.parts(), parts);
}

/// The first part that is there, and the accounts in it.
fn some_part(it: &Exposing) -> (u32, Vec<String>) {
    let part = (0..).zip(it.parts()).find(|(_, text)| text.is_some()).unwrap().0;
    let ids = it.ses.truth().keys().filter(|id| part_of(id.parse().unwrap()) == part);
    (part, ids.cloned().collect())
}

#[tokio::test(start_paused = true)]
async fn a_damaged_part_is_named_and_read_again_and_the_others_stand() {
    let it = Exposing::new(&MIX, SEED);
    it.run(all("run-1")).await.unwrap();
    let (part, ids) = some_part(&it);
    let key = objects::exposure_part(part);
    let text = it.bucket.text(&key).unwrap();
    let other = it.parts().into_iter().flatten().nth(1).unwrap();
    let (head, section) = text.split_once('\n').unwrap();
    let (_, other_section) = other.split_once('\n').unwrap();
    let damages = [
        String::new(),
        "{}".to_owned(),
        text[..text.len() / 2].to_owned(),
        head.to_owned(),
        format!("{head}\n{{\"exposureVersion\":1}}\n"),
        format!("{head}\n{other_section}"),
        format!("{}\n{section}", head.replace("\"schemaVersion\":1", "\"schemaVersion\":2")),
        other.clone(),
    ];
    let before = it.parts();
    for (number, damage) in damages.into_iter().enumerate() {
        let run = format!("other-{number}");
        it.bucket.set(&key, &damage);
        let error = read_part(&it.bucket, part).await.unwrap_err();
        assert!(matches!(&error, PartError::Damaged { key: named, .. } if *named == key));

        // A merge that has nothing to put in its place leaves it as it is, and names it.
        let planned = it.plan_all(&run).await.unwrap();
        assert_eq!(planned.notes, [error.to_string()]);
        let due = places(&it.batches(&planned));
        assert_eq!(
            due.iter().map(|(id, _)| id.clone()).collect::<BTreeSet<_>>(),
            ids.iter().cloned().collect()
        );
        assert_eq!(due.len(), ids.len() * MIX.regions);
        it.bucket.set("exposure/empty/manifest.json", "[]");
        let merged = it.merge("empty").await.unwrap();
        assert_eq!(merged.notes, [error.to_string()]);
        assert_eq!(merged.accounts, 200 - ids.len() as u64);
        assert_eq!(it.bucket.text(&key).unwrap(), damage);

        for batch in it.batches(&planned) {
            it.read(&batch, LONG).await.unwrap();
        }
        let merged = it.merge(&run).await.unwrap();
        assert_eq!((merged.notes.len(), merged.accounts, merged.gaps), (1, 200, 0));
        assert_same(&it.statuses().await, it.ses.truth());
        for (number, (now, then)) in (0..).zip(it.parts().iter().zip(&before)) {
            assert!(number == part || now == then, "part {number} is not concerned");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn accounts_that_are_gone_or_suspended_are_not_read_and_not_kept() {
    let it = Exposing::new(&SMALL, SEED);
    let mut states = active(0..23);
    states[5].1 = "SUSPENDED";
    states[6].1 = "PENDING_CLOSURE";
    states[7].1 = "";
    it.organization("aws", &states);
    let (planned, merged) = it.run(all("run-1")).await.unwrap();
    assert_eq!((planned.regions, merged.accounts), (100, 20));
    let unread = [5, 6, 7, 23].map(account_id);
    assert!(it.ses.log().iter().all(|call| !unread.contains(&call.account)));
    assert!(unread.iter().all(|id| !it.ses.truth()[id].is_empty()));
    let mut expected = it.ses.truth().clone();
    expected.retain(|id, _| !unread.contains(id));
    assert_same(&it.statuses().await, &expected);

    // One is suspended, one leaves: no batch says so.
    let mut states = active(0..5);
    states[3].1 = "SUSPENDED";
    states.extend(active(8..22));
    it.organization("aws", &states);
    let (planned, merged) = it.run(all("run-2")).await.unwrap();
    assert_eq!((planned.batches, merged.accounts), (0, 18));
    expected.remove(&account_id(3));
    expected.remove(&account_id(22));
    assert_same(&it.statuses().await, &expected);

    for (number, why) in [
        (3, "is SUSPENDED, and only ACTIVE accounts are read"),
        (22, "is not in the latest snapshot"),
    ] {
        let error = it.plan(only("run-3", number..number + 1)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("account `{}` {why}", account_id(number)));
    }
}

#[tokio::test(start_paused = true)]
async fn accounts_that_were_not_asked_for_keep_what_is_known_or_stay_unread() {
    let it = Exposing::new(&SMALL, SEED);
    let (planned, merged) = it.run(only("run-1", 3..7)).await.unwrap();
    assert_eq!((planned.regions, merged.accounts), (20, 4));
    let mut expected = it.ses.truth().clone();
    expected.retain(|id, _| (3..7).map(account_id).any(|asked| asked == *id));
    assert_same(&it.statuses().await, &expected);

    it.run(all("run-2")).await.unwrap();
    let before = it.known().await;
    advance(HOUR).await;
    let asked = PlanInput { full: true, ..only("run-3", 3..5) };
    let calls = it.ses.log().len();
    it.run(asked).await.unwrap();
    let two = [3, 4].map(account_id);
    assert!(it.ses.log().iter().skip(calls).all(|call| two.contains(&call.account)));
    assert_same(&it.statuses().await, it.ses.truth());
    for (id, times) in it.known().await.times.accounts {
        assert_eq!(times == before.times.accounts[&id], !two.contains(&id), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_keeps_its_plan() {
    let it = Exposing::new(&SMALL, SEED);
    let planned = it.plan_all("run-1").await.unwrap();
    let text = it.bucket.text(&planned.manifest.key).unwrap();
    it.read(&it.batches(&planned)[0], LONG).await.unwrap();
    advance(HOUR).await;
    let again = it.plan(only("run-1", 0..1)).await.unwrap();
    assert_eq!(again.notes, ["the run was planned before, and keeps that plan"]);
    assert_eq!((again.manifest, again.regions), (planned.manifest.clone(), planned.regions));
    assert_eq!(it.bucket.text(&planned.manifest.key).unwrap(), text);

    it.bucket.set(&planned.manifest.key, &text.replace("run-1", "run-2"));
    for error in [it.plan_all("run-1").await.unwrap_err(), it.merge("run-1").await.unwrap_err()] {
        let expected = "`exposure/run-1/manifest.json` in the bucket is damaged: it has a batch of \
                        run `run-2`; start a new run";
        assert_eq!(error.to_string(), expected);
    }
    let error = it.merge("run-9").await.unwrap_err();
    assert!(matches!(error, ReadExposureError::NoManifest { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn regions_are_those_of_the_partition_unless_others_are_named() {
    let mut it = Exposing::new(&SMALL, SEED);
    let all_of = ses_perimeter::facts::regions::ses("aws").unwrap().len() as u64;
    it.settings.regions = None;
    assert_eq!(it.plan_all("run-1").await.unwrap().regions, 24 * all_of);
    it.settings.regions = Some(vec!["us-east-1".to_owned(), "us-east-1".to_owned()]);
    assert_eq!(it.plan_all("run-2").await.unwrap().regions, 24);
    it.settings.regions = Some(vec!["us-gov-west-1".to_owned()]);
    let error = it.plan_all("run-3").await.unwrap_err();
    assert!(error.to_string().starts_with("`us-gov-west-1` is no Region of `aws`"), "{error}");
    it.organization("aws-us-gov", &active(0..24));
    assert_eq!(it.plan_all("run-3").await.unwrap().regions, 24);

    it.settings.regions = None;
    it.organization("aws-cn", &active(0..24));
    let (planned, merged) = it.run(all("run-4")).await.unwrap();
    assert_eq!((planned.batches, merged.done, merged.regions), (0, true, 0));
    assert_eq!(planned.notes, ["nothing is read: SES has no endpoint in `aws-cn`"]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_not_what_was_written_is_not_used() {
    let it = Exposing::new(&SMALL, SEED);
    it.run(all("run-1")).await.unwrap();
    let parts = it.parts();
    let key = objects::of_run("check", "snapshot.json");
    let text = it.bucket.text(&key).unwrap();
    it.bucket.set(&key, &text.replace("ACTIVE", "CLOSED"));
    for error in [it.plan_all("run-2").await.unwrap_err(), it.merge("run-1").await.unwrap_err()] {
        let error = error.to_string();
        assert!(error.starts_with(&format!("`{key}` in the bucket is damaged: its digest")));
    }
    it.bucket.remove(objects::LATEST);
    for error in [it.plan_all("run-2").await.unwrap_err(), it.merge("run-1").await.unwrap_err()] {
        let error = error.to_string();
        assert!(error.starts_with("there is no object `state/latest.json` in the bucket"));
    }
    assert_eq!(it.parts(), parts);
}

#[tokio::test(start_paused = true)]
async fn inputs_without_sense_are_refused_before_anything_is_read() {
    for input in [
        json!({}),
        json!({"plan": {"runId": "run-1", "account": []}}),
        json!({"merge": {"part": 0}}),
        json!({"merge": {"runId": "run-1", "parts": 0}}),
        json!({"plan": {"runId": "run-1"}, "merge": {"runId": "run-1"}}),
        json!({"batch": {"runId": "run-1"}}),
        json!({"read": {}}),
    ] {
        assert!(serde_json::from_value::<ReadExposureInput>(input.clone()).is_err(), "{input}");
    }
    let it = Exposing::new(&SMALL, SEED);
    let planned = it.plan_all("run-1").await.unwrap();
    let batch = |run_id: &str| {
        let batch = Batch { run_id: run_id.to_owned(), ..it.batches(&planned)[0].clone() };
        json!({"batch": batch})
    };
    let keys = it.bucket.keys();
    for run_id in ["../state", "a/b", "latest", " ", &"x".repeat(81)] {
        let plan = json!({"plan": {"runId": run_id}});
        let merge = json!({"merge": {"runId": run_id}});
        for input in [plan, merge, batch(run_id)] {
            let input = serde_json::from_value(input).unwrap();
            let error = it.through(&it.bucket, input, LONG).await.unwrap_err();
            assert!(error.to_string().starts_with("the run id `"), "{error}");
        }
    }
    let mut other = batch("run-1");
    other["batch"]["schemaVersion"] = json!(2);
    for input in [
        json!({"plan": {"schemaVersion": 2}}),
        json!({"merge": {"schemaVersion": 2, "runId": "run-1"}}),
        other,
    ] {
        let input = serde_json::from_value(input).unwrap();
        let error = it.through(&it.bucket, input, LONG).await.unwrap_err();
        assert!(matches!(error, ReadExposureError::Version(2)), "{error}");
    }
    let input = json!({"merge": {"runId": "run-1", "part": 65}});
    let input: ReadExposureInput = serde_json::from_value(input).unwrap();
    let error = it.through(&it.bucket, input.clone(), LONG).await.unwrap_err();
    assert_eq!(error.to_string(), "there are 64 parts, and no part 65");
    let error = it.through(&it.bucket, input, it.settings.read.margin).await.unwrap_err();
    assert!(matches!(error, ReadExposureError::NoTime { .. }), "{error}");
    let error = it.plan(PlanInput { accounts: vec!["12".to_owned()], ..all("run-2") }).await;
    assert!(matches!(error, Err(ReadExposureError::Input(_))), "{error:?}");
    assert_eq!(it.bucket.keys(), keys);
    assert_eq!(it.ses.log(), []);
    let planned = it.plan(PlanInput::default()).await.unwrap();
    assert!(it.clock.now().to_string().starts_with("2026-"));
    assert!(planned.run_id.starts_with("2026"), "a run without a name has that of the time");
}
