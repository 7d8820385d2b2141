//! Reading where SES is in use: the model against the fake's truth, faults, pace, deadlines.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::time::Duration;

use exposure::{
    Checker, Exposure, ExposureControl, Gap, Inside, MailManager, Part, RegionFacts, RegionStatus,
};
use flow::clock::FakeClock;
use flow::exposing::{MIX, Statuses, assert_same};
use flow::flaky::Flaky;
use flow::objects::FakeBucket;
use flow::ses::{FakeSes, Mix, account_id};
use jiff::{SignedDuration, Timestamp};
use organization::AccountId;
use pipeline::reading::{
    Api, Batch, BatchAccount, BatchCheckpoint, BatchOutcome, BatchPorts, CallSettings,
    PlanSettings, ReadSettings, Reading, merge, outcome, plan_batches, read_batch, run_batch,
};
use ses_perimeter::report::Verdict;
use tokio::time::Instant;

const SEED: u64 = 3;
const SMALL: Mix = Mix { accounts: 12, using_percent: 60, ..MIX };
const LONG: Duration = Duration::from_secs(1_000_000);

fn clock() -> FakeClock {
    FakeClock::new("2026-11-23T00:00:00Z".parse().unwrap())
}

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// Patience enough that no fault that passes becomes a gap.
fn settings() -> ReadSettings {
    let calls = CallSettings { retries: 14, reconnects: 14, seed: SEED, ..CallSettings::default() };
    ReadSettings { calls, margin: Duration::from_secs(1), ..ReadSettings::default() }
}

fn plan(mix: &Mix, last: &Reading, at: Timestamp) -> Vec<Batch> {
    let plan = PlanSettings { most_regions: 300, ..PlanSettings::default() };
    let (accounts, regions) = (mix.account_ids(), mix.region_names());
    plan_batches("run-1", &accounts, &regions, last, at, &settings(), &plan)
}

/// Reads a batch in invocations of `time` each; the sections, and how many invocations it took.
async fn read(
    ses: &FakeSes,
    clock: &FakeClock,
    settings: &ReadSettings,
    batch: &Batch,
    time: Duration,
) -> (Vec<Exposure>, u32) {
    let (mut sections, mut work, mut invocations) =
        (Vec::new(), Some(BatchCheckpoint::begin(batch)), 0);
    while let Some(left) = work {
        ses.close();
        let text = serde_json::to_string(&left).unwrap();
        let left = BatchCheckpoint::read(&text).unwrap();
        let read = read_batch(ses, clock, settings, left, Instant::now() + time).await.unwrap();
        sections.push(read.section);
        work = read.rest;
        invocations += 1;
        assert!(invocations < 1_000, "it never ends");
    }
    (sections, invocations)
}

async fn read_all(ses: &FakeSes, mix: &Mix, clock: &FakeClock, last: &Reading) -> Reading {
    let mut done = Vec::new();
    for batch in plan(mix, last, now()) {
        let (sections, _) = read(ses, clock, &settings(), &batch, LONG).await;
        // What goes through the bucket must come back the same.
        let sections = sections.iter().map(through_text).collect();
        done.push((batch, BatchOutcome::Read(sections)));
    }
    merge(&mix.account_ids(), &mix.region_names(), last, &done, now())
}

fn through_text(section: &Exposure) -> Exposure {
    let text = serde_json::to_string(&exposure::wire::WireSection::from(section)).unwrap();
    exposure::read(&text).unwrap()
}

/// Statuses by account and Region, to compare without times.
fn statuses(exposure: &Exposure) -> Statuses {
    let accounts = exposure.accounts.iter().map(|account| {
        let regions = account.regions.iter();
        let regions = regions.map(|region| (region.region.clone(), region.status.clone()));
        (account.account.to_string(), regions.collect())
    });
    accounts.collect()
}

#[track_caller]
fn assert_paced(ses: &FakeSes) {
    let mut last: BTreeMap<(String, String, Api), Duration> = BTreeMap::new();
    for call in ses.log() {
        if !call.api.is_paced() {
            continue;
        }
        let key = (call.account.clone(), call.region.clone(), call.api);
        if let Some(before) = last.insert(key, call.at) {
            assert!(call.at - before >= Duration::from_secs(1), "{call:?} after {before:?}");
        }
    }
    assert_eq!(ses.violations(), 0);
}

#[tokio::test]
async fn a_call_that_keeps_no_pace_is_made_while_time_really_passes() {
    let place = BTreeMap::from([(MIX.region_names()[0].clone(), RegionStatus::RoleMissing)]);
    let ses = FakeSes::around(BTreeMap::from([(account_id(0), place)]));
    let account =
        BatchAccount { account: account_id(0), regions: vec![MIX.region_names()[0].clone()] };
    let batch =
        Batch { accounts: vec![account], ..plan(&SMALL, &Reading::default(), now()).remove(0) };
    let (clock, settings) = (clock(), settings());
    let read = read(&ses, &clock, &settings, &batch, LONG);
    let (sections, _) = tokio::time::timeout(Duration::from_secs(60), read).await.unwrap();
    assert_eq!(sections[0].accounts[0].regions.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_hundred_accounts_are_read_as_they_are() {
    let ses = FakeSes::of(&MIX, SEED);
    let reading = read_all(&ses, &MIX, &clock(), &Reading::default()).await;
    assert_same(&statuses(&reading.exposure), ses.truth());
    assert_paced(&ses);
    let all = MIX.accounts as usize * MIX.regions;
    assert_eq!(reading.times.accounts.values().map(BTreeMap::len).sum::<usize>(), all);
}

#[tokio::test(start_paused = true)]
async fn faults_that_pass_change_nothing_that_is_read() {
    for seed in 1..=3 {
        let ses = FakeSes::of(&MIX, SEED);
        ses.chaos(seed, 8, 1, 10);
        ses.sparse.set(seed == 2);
        let reading = read_all(&ses, &MIX, &clock(), &Reading::default()).await;
        assert_same(&statuses(&reading.exposure), ses.truth());
        assert_paced(&ses);
    }
}

fn facts<'t>(truth: &'t mut Statuses, account: &str, region: &str) -> &'t mut RegionFacts {
    match truth.get_mut(account).unwrap().get_mut(region) {
        Some(RegionStatus::Read(facts)) => facts,
        other => panic!("{account} {region} is {other:?}"),
    }
}

fn gap<T>(api: Api, reason: &str) -> Part<T> {
    Part::Gap(Gap { call: api.permission().to_owned(), reason: reason.to_owned() })
}

/// Regions in which SES and Mail Manager are in use, in the order of the accounts.
fn used(truth: &Statuses) -> Vec<(String, String)> {
    let uses = |facts: &RegionFacts| {
        let relays = match facts.mail_manager.read() {
            Some(MailManager::Available { relays, .. }) => relays.len(),
            _ => 0,
        };
        relays > 1 && facts.identities.read().is_some_and(|all| all.len() > 1)
    };
    let mut found = Vec::new();
    for (account, regions) in truth {
        for (region, status) in regions {
            if matches!(status, RegionStatus::Read(facts) if uses(facts)) {
                found.push((account.clone(), region.clone()));
                // One Region an account, so that faults of an account do not meet.
                break;
            }
        }
    }
    found
}

/// Injects every fault that stays, and says what must be read instead.
fn lasting_faults(ses: &FakeSes) -> Statuses {
    const REPEATED: &str = "it returned the same page token twice, so its list cannot be told to \
                            be complete";
    const ENDLESS: &str = "100 pages in a row were empty and none was the last";
    const DENIED: &str = "AccessDenied: as the test wants";
    const BROKEN: &str = "ServiceUnavailable: as the test wants";
    let mut truth = ses.truth().clone();
    let places = used(&truth);
    let mut places = places.into_iter();
    let mut next = || places.next().unwrap();
    let whole = |truth: &mut Statuses, account: &str, status: &RegionStatus| {
        truth.get_mut(account).unwrap().values_mut().for_each(|region| *region = status.clone());
    };

    let (a, _) = next();
    ses.roles_missing.borrow_mut().insert(a.clone());
    whole(&mut truth, &a, &RegionStatus::RoleMissing);

    let (a, _) = next();
    ses.denied.borrow_mut().insert((a.clone(), String::new(), Api::AssumeRole));
    whole(&mut truth, &a, &RegionStatus::Denied { call: "sts:AssumeRole".to_owned() });

    let (a, _) = next();
    ses.denied.borrow_mut().insert((a.clone(), String::new(), Api::ListRegions));
    whole(&mut truth, &a, &RegionStatus::Denied { call: "account:ListRegions".to_owned() });

    let (a, _) = next();
    ses.broken.borrow_mut().insert((a.clone(), String::new(), Api::AssumeRole));
    let reason = format!("`sts:AssumeRole` failed: {BROKEN}");
    whole(&mut truth, &a, &RegionStatus::Failed { reason });

    let (a, _) = next();
    ses.repeats.borrow_mut().insert((a.clone(), String::new(), Api::ListRegions));
    let reason = format!("`account:ListRegions` failed: {REPEATED}");
    whole(&mut truth, &a, &RegionStatus::Failed { reason });

    for (api, reason) in [(Api::GetAccount, DENIED), (Api::GetAccount, BROKEN)] {
        let (a, r) = next();
        let set = if reason == DENIED { &ses.denied } else { &ses.broken };
        set.borrow_mut().insert((a.clone(), r.clone(), api));
        facts(&mut truth, &a, &r).sending = gap(api, reason);
    }
    for (api, reason) in [(Api::GetSendStatistics, DENIED), (Api::GetSendStatistics, BROKEN)] {
        let (a, r) = next();
        let set = if reason == DENIED { &ses.denied } else { &ses.broken };
        set.borrow_mut().insert((a.clone(), r.clone(), api));
        facts(&mut truth, &a, &r).sent_last_two_weeks = gap(api, reason);
    }
    for (set, reason) in [
        (&ses.denied, DENIED),
        (&ses.broken, BROKEN),
        (&ses.repeats, REPEATED),
        (&ses.endless, ENDLESS),
    ] {
        let (a, r) = next();
        let api = Api::ListEmailIdentities;
        set.borrow_mut().insert((a.clone(), r.clone(), api));
        facts(&mut truth, &a, &r).identities = gap(api, reason);
        let (a, r) = next();
        let api = Api::DescribeVpcEndpoints;
        set.borrow_mut().insert((a.clone(), r.clone(), api));
        facts(&mut truth, &a, &r).endpoints = gap(api, reason);
        for api in [Api::ListRelays, Api::ListRuleSets, Api::ListIngressPoints] {
            let (a, r) = next();
            set.borrow_mut().insert((a.clone(), r.clone(), api));
            facts(&mut truth, &a, &r).mail_manager = gap(api, reason);
        }
    }
    for (set, reason) in [(&ses.denied, DENIED), (&ses.broken, BROKEN)] {
        let (a, r) = next();
        set.borrow_mut().insert((a.clone(), r.clone(), Api::ListIdentityPolicies));
        if let Part::Read(all) = &mut facts(&mut truth, &a, &r).identities {
            all.iter_mut().for_each(|i| i.policies = gap(Api::ListIdentityPolicies, reason));
        }
        for api in [Api::GetRelay, Api::GetRuleSet] {
            let (a, r) = next();
            set.borrow_mut().insert((a.clone(), r.clone(), api));
            facts(&mut truth, &a, &r).mail_manager = gap(api, reason);
        }
    }
    // What is gone is gone, and the rest is read.
    let (a, r) = next();
    if let Part::Read(MailManager::Available { relays, .. }) =
        &mut facts(&mut truth, &a, &r).mail_manager
    {
        ses.gone.borrow_mut().insert((a, r, relays.remove(0).id));
    }
    let (a, r) = next();
    if let Part::Read(all) = &mut facts(&mut truth, &a, &r).identities {
        ses.gone.borrow_mut().insert((a, r, all.remove(0).name));
    }
    truth
}

#[tokio::test(start_paused = true)]
async fn faults_that_stay_are_gaps_that_name_the_call_and_nothing_else_changes() {
    for seed in 1..=3 {
        let mix = Mix { using_percent: 80, ..MIX };
        let ses = FakeSes::of(&mix, SEED);
        ses.chaos(seed, 4, 0, 5);
        let expected = lasting_faults(&ses);
        let reading = read_all(&ses, &mix, &clock(), &Reading::default()).await;
        assert_same(&statuses(&reading.exposure), &expected);
        assert_paced(&ses);
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_without_an_endpoint_holds_up_the_first_accounts_and_not_all() {
    let mix = Mix { accounts: 100, all_on: true, using_percent: 0, ..MIX };
    let plan = PlanSettings::default();
    let (accounts, regions) = (mix.account_ids(), mix.region_names());
    let nothing = Reading::default();
    let batches = plan_batches("run-1", &accounts, &regions, &nothing, now(), &settings(), &plan);
    assert_eq!(batches.len(), 1);
    let mut took = Vec::new();
    for without in [false, true] {
        let ses = FakeSes::of(&mix, SEED);
        ses.without_mail_manager.borrow_mut().extend(without.then(|| regions[0].clone()));
        let began = Instant::now();
        let read_settings = ReadSettings::default();
        let (sections, _) = read(&ses, &clock(), &read_settings, &batches[0], LONG).await;
        took.push(began.elapsed());
        let gaps = sections.iter().flat_map(|section| &section.accounts).filter(|account| {
            let mut regions = account.regions.iter();
            regions.any(|region| {
                matches!(&region.status, RegionStatus::Read(facts) if facts.mail_manager.read().is_none())
            })
        });
        assert_eq!(gaps.count(), if without { accounts.len() } else { 0 });
    }
    // The repetitions take up to 16 s, once and not in each of 13 rounds of 8 accounts.
    let more = took[1] - took[0];
    assert!(more < Duration::from_secs(20), "{more:?}");
}

#[tokio::test(start_paused = true)]
async fn many_short_invocations_read_the_same_as_one_long() {
    for (seconds, forgets) in [(4, false), (6, true), (30, false)] {
        let ses = FakeSes::of(&SMALL, SEED);
        ses.forgets_tokens.set(forgets);
        let settings = ReadSettings { most_invocations: 1_000, ..settings() };
        let mut done = Vec::new();
        let mut most = 0;
        for batch in plan(&SMALL, &Reading::default(), now()) {
            let time = Duration::from_secs(seconds);
            let (sections, invocations) = read(&ses, &clock(), &settings, &batch, time).await;
            most = most.max(invocations);
            done.push((batch, BatchOutcome::Read(sections)));
        }
        let (accounts, regions) = (SMALL.account_ids(), SMALL.region_names());
        let merged = merge(&accounts, &regions, &Reading::default(), &done, now());
        assert_same(&statuses(&merged.exposure), ses.truth());
        assert_paced(&ses);
        assert!(most > 1 || seconds == 30, "{seconds} s were enough for one invocation");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_never_gets_anywhere_is_given_up_as_failed() {
    let ses = FakeSes::of(&SMALL, SEED);
    ses.latency.set(Duration::from_secs(10));
    let settings = ReadSettings { most_invocations: 3, ..settings() };
    let batch = plan(&SMALL, &Reading::default(), now()).remove(0);
    let (sections, invocations) =
        read(&ses, &clock(), &settings, &batch, Duration::from_secs(5)).await;
    assert_eq!(invocations, 4);
    let reason = "it was not read in 3 invocations of batch 0".to_owned();
    let failed = RegionStatus::Failed { reason };
    let last = statuses(sections.last().unwrap());
    assert_eq!(last.len(), SMALL.accounts as usize);
    assert!(last.values().flat_map(BTreeMap::values).all(|status| *status == failed));
}

#[tokio::test(start_paused = true)]
async fn a_second_run_reads_only_what_is_older_than_its_age() {
    let ses = FakeSes::of(&SMALL, SEED);
    let (first, second) = (account_id(0), account_id(1));
    let first_region = SMALL.region_names().remove(0);
    ses.roles_missing.borrow_mut().insert(second.clone());
    let mut reading = read_all(&ses, &SMALL, &clock(), &Reading::default()).await;
    let read_first = reading.times.accounts[&first][&first_region].clone();

    // Everything is fresh but what has a gap.
    let batches = plan(&SMALL, &reading, now());
    let planned: Vec<_> = batches.iter().flat_map(|batch| &batch.accounts).collect();
    assert_eq!(planned.len(), 1);
    assert_eq!(planned[0].account, second);
    assert_eq!(planned[0].regions.len(), SMALL.regions);

    // A gap that is younger than its own age can wait, too.
    let patient =
        PlanSettings { gap_age: Duration::from_secs(24 * 3_600), ..PlanSettings::default() };
    let (accounts, regions) = (SMALL.account_ids(), SMALL.region_names());
    let none = plan_batches("run-2", &accounts, &regions, &reading, now(), &settings(), &patient);
    assert_eq!(none, []);

    // One Region of one account is too old.
    let old = now() - SignedDuration::from_hours(25);
    let times = reading.times.accounts.get_mut(&first).unwrap();
    times.insert(first_region.clone(), old.to_string());
    let calls = ses.log().len();
    let again = read_all(&ses, &SMALL, &clock(), &reading).await;
    let made: Vec<_> = ses.log().split_off(calls);
    let ses_calls = |call: &&flow::ses::Call| !call.region.is_empty();
    assert!(made.iter().filter(ses_calls).all(|c| c.account == first && c.region == first_region));
    assert!(made.iter().all(|call| call.account == first || call.account == second));
    assert_same(&statuses(&again.exposure), &statuses(&reading.exposure));
    assert_eq!(again.times.accounts[&first][&first_region], read_first, "it is read anew");
    // A time that is still to come says nothing.
    let later = now() + SignedDuration::from_hours(1);
    let times = reading.times.accounts.get_mut(&first).unwrap();
    times.insert(first_region.clone(), later.to_string());
    let planned = plan(&SMALL, &reading, now());
    assert!(planned.iter().flat_map(|b| &b.accounts).any(|account| account.account == first));
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_ends_as_gaps_over_what_was_known_and_nothing_of_it_passes() {
    let mix = Mix { all_on: true, using_percent: 0, ..SMALL };
    let ses = FakeSes::of(&mix, SEED);
    let (accounts, regions) = (mix.account_ids(), mix.region_names());
    let reading = read_all(&ses, &mix, &clock(), &Reading::default()).await;
    let names: Vec<&str> = regions.iter().map(String::as_str).collect();
    let of = |exposure: &Exposure, account: &AccountId| {
        exposure.accounts.iter().find(|a| a.account == *account).cloned()
    };
    let perimeter =
        ses_perimeter::perimeter::parse("[trusted]\nrecipients = [\"*@example.com\"]\n");
    let perimeter = perimeter.unwrap();
    let inside = Inside {
        organization: "o-exampleorg1".to_owned(),
        partition: "aws".to_owned(),
        management_account: account_id(0),
        accounts: accounts
            .iter()
            .map(|a| (a.to_string(), format!("o-exampleorg1/r-ab12/{a}/")))
            .collect(),
    };
    let mut checker = Checker::new(&inside, &perimeter, &names, 1_795_392_000, 10_000);
    for account in &accounts {
        let exposure = of(&reading.exposure, account);
        let verdict = checker.check(
            ExposureControl::IdentityPolicies,
            &account.to_string(),
            exposure.as_ref(),
        );
        assert!(matches!(verdict, Verdict::InOrder(_)), "without a fault it passes: {verdict:?}");
    }

    let settings = PlanSettings { most_regions: 20, ..PlanSettings::default() };
    let later = now() + SignedDuration::from_hours(30);
    let batches =
        plan_batches("run-2", &accounts, &regions, &reading, later, &self::settings(), &settings);
    assert_eq!(batches.len(), 3, "12 accounts of 5 Regions, 20 Regions a batch");
    let then = FakeClock::new(later);
    let mut done = Vec::new();
    let mut lost = Vec::new();
    for batch in batches {
        let outcome = match batch.batch {
            // One fails before it reads anything, one after a few seconds.
            0 | 1 => {
                let mut sections = Vec::new();
                if batch.batch == 1 {
                    let work = BatchCheckpoint::begin(&batch);
                    let deadline = Instant::now() + Duration::from_millis(2_500);
                    let settings = ReadSettings { accounts_at_once: 1, ..self::settings() };
                    let read = read_batch(&ses, &then, &settings, work, deadline).await.unwrap();
                    assert!(read.rest.is_some());
                    sections.push(read.section);
                }
                // What was finished before the failure counts.
                let read: Vec<AccountId> =
                    sections.iter().flat_map(|s| &s.accounts).map(|a| a.account).collect();
                let ids = batch.accounts.iter().map(|account| account.account.clone());
                lost.extend(ids.filter(|id| !read.iter().any(|read| read.to_string() == *id)));
                BatchOutcome::Failed { sections, reason: "Sandbox.Timedout".to_owned() }
            }
            _ => BatchOutcome::Read(read(&ses, &then, &self::settings(), &batch, LONG).await.0),
        };
        done.push((batch, outcome));
    }
    let merged = merge(&accounts, &regions, &reading, &done, later);
    assert_eq!(lost.len(), 7, "4 of the one batch, 3 of the other");
    for account in &accounts {
        let id = account.to_string();
        let exposure = of(&merged.exposure, account).unwrap();
        let failed = exposure.regions.iter().any(|region| {
            matches!(&region.status, RegionStatus::Failed { reason }
                if reason.ends_with("failed: Sandbox.Timedout"))
        });
        assert_eq!(failed, lost.contains(&id), "{id}");
        for control in ExposureControl::ALL {
            let verdict = checker.check(control, &id, Some(&exposure));
            let passed = matches!(verdict, Verdict::InOrder(_));
            assert!(!(failed && passed), "{control} of {id} passes although its batch failed");
        }
    }
    // The next run reads it.
    let soon = later + SignedDuration::from_mins(1);
    let next =
        plan_batches("run-3", &accounts, &regions, &merged, soon, &self::settings(), &settings);
    let planned: usize = next.iter().flat_map(|b| &b.accounts).map(|a| a.regions.len()).sum();
    assert_eq!(planned, lost.len() * mix.regions);
}

#[test]
fn manifests_come_back_as_they_were_and_other_versions_are_refused() {
    let batches = plan(&SMALL, &Reading::default(), now());
    let text = Batch::manifest(&batches).unwrap();
    assert_eq!(Batch::read_manifest(&text).unwrap(), batches);
    let error = Batch::read_manifest(&text.replace("\"schemaVersion\":1", "\"schemaVersion\":2"));
    assert_eq!(
        error.unwrap_err().to_string(),
        "item 0 has version 2, and this program understands 1"
    );
}

#[test]
fn every_account_and_region_is_in_one_batch_and_long_ones_are_alone() {
    let (accounts, regions) = (SMALL.account_ids(), SMALL.region_names());
    let mut last = Reading::default();
    let many = Mix { accounts: 1, all_on: true, using_percent: 100, used_regions: 1, ..SMALL };
    let mut found = many.account(SEED, 0);
    let mut long = None;
    for (region, status) in &mut found {
        let RegionStatus::Read(facts) = status else { panic!("{region} is {status:?}") };
        if let Some(first) = facts.identities.read().and_then(|all| all.first()).cloned() {
            let named = |n: usize| exposure::Identity { name: format!("{n}"), ..first.clone() };
            facts.identities = Part::Read((0..900).map(named).collect());
            long = Some(region.clone());
        }
    }
    let regions_of = found.into_iter();
    let regions_of = regions_of.map(|(region, status)| exposure::RegionExposure { region, status });
    last.exposure.accounts.push(exposure::AccountExposure {
        account: accounts[0],
        read_at: now().to_string(),
        regions: regions_of.collect(),
    });
    let plan = PlanSettings { most_regions: 12, ..PlanSettings::default() };
    let batches = plan_batches("run-1", &accounts, &regions, &last, now(), &settings(), &plan);
    let mut seen = std::collections::BTreeSet::new();
    for batch in &batches {
        for account in &batch.accounts {
            for region in &account.regions {
                assert!(seen.insert((account.account.clone(), region.clone())));
            }
        }
    }
    assert_eq!(seen.len(), accounts.len() * regions.len());
    let long = long.unwrap();
    let alone = batches.iter().find(|batch| batch.estimated_seconds > 900).unwrap();
    assert_eq!(alone.accounts[0].regions, [long]);
    assert_eq!(alone.accounts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_takes_no_longer_than_its_estimate_and_the_estimate_is_not_far_off() {
    let mix = Mix { accounts: 60, identities: 20, all_on: true, ..MIX };
    let ses = FakeSes::of(&mix, SEED);
    let first = read_all(&ses, &mix, &clock(), &Reading::default()).await;
    let later = now() + SignedDuration::from_hours(30);
    for batch in plan(&mix, &first, later) {
        let calls = ses.log().len();
        let began = Instant::now();
        read(&ses, &clock(), &settings(), &batch, LONG).await;
        let (seconds, estimated) = (began.elapsed().as_secs(), batch.estimated_seconds);
        assert!(seconds <= estimated, "{seconds} s where {estimated} s were estimated");
        assert!(seconds * 3 >= estimated, "{seconds} s where {estimated} s were estimated");
        // The fake's pages are small, so there are more of them than are planned for.
        let calls = (ses.log().len() - calls) as u64;
        assert!((batch.estimated_calls..batch.estimated_calls * 2).contains(&calls));
    }
}

#[tokio::test(start_paused = true)]
async fn through_a_failing_bucket_and_failing_calls_short_invocations_read_the_same() {
    for seed in 1..=4 {
        let ses = FakeSes::of(&SMALL, SEED);
        ses.chaos(seed, 6, 0, 10);
        let (bucket, clock) = (FakeBucket::default(), clock());
        let flaky = Flaky::new(&bucket);
        let ports = || BatchPorts { reader: &ses, objects: &flaky, clock: &clock };
        let settings = ReadSettings { most_invocations: 1_000, ..settings() };
        let mut done = Vec::new();
        for batch in plan(&SMALL, &Reading::default(), now()) {
            flaky.faults.seed(seed, 10, 10);
            let mut ended = false;
            for _ in 0..500 {
                ses.close();
                let deadline = Instant::now() + Duration::from_secs(8);
                let progress = run_batch(ports(), &settings, &batch, deadline).await;
                ended = progress.is_ok_and(|progress| progress.done);
                if ended {
                    break;
                }
            }
            assert!(ended, "it never ends");
            flaky.faults.seed(0, 0, 0);
            // Once more, as after a lost answer: nothing is called.
            let calls = ses.log().len();
            assert!(
                run_batch(ports(), &settings, &batch, Instant::now() + LONG).await.unwrap().done
            );
            assert_eq!(ses.log().len(), calls);
            let found = outcome(&bucket, &batch).await.unwrap();
            assert!(matches!(found, BatchOutcome::Read(_)), "{found:?}");
            done.push((batch, found));
        }
        let (accounts, regions) = (SMALL.account_ids(), SMALL.region_names());
        let merged = merge(&accounts, &regions, &Reading::default(), &done, now());
        assert_same(&statuses(&merged.exposure), ses.truth());
        assert_paced(&ses);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_which_nothing_or_not_all_is_in_the_bucket_counts_as_failed() {
    let ses = FakeSes::of(&SMALL, SEED);
    let (bucket, clock) = (FakeBucket::default(), clock());
    let ports = || BatchPorts { reader: &ses, objects: &bucket, clock: &clock };
    let batch = plan(&SMALL, &Reading::default(), now()).remove(0);
    let reason = |outcome| match outcome {
        BatchOutcome::Failed { reason, .. } => reason,
        BatchOutcome::Read(sections) => panic!("{sections:?}"),
    };
    let found = reason(outcome(&bucket, &batch).await.unwrap());
    assert_eq!(found, "no invocation of it ended");
    let short = Instant::now() + Duration::from_secs(3);
    assert!(!run_batch(ports(), &settings(), &batch, short).await.unwrap().done);
    let found = reason(outcome(&bucket, &batch).await.unwrap());
    assert!(found.ends_with("Regions were left after 1 invocations"), "{found}");
    assert!(run_batch(ports(), &settings(), &batch, Instant::now() + LONG).await.unwrap().done);
    let key = pipeline::objects::batch_section("run-1", batch.batch, 1);
    bucket.set(&key, "{}");
    let found = reason(outcome(&bucket, &batch).await.unwrap());
    assert!(found.starts_with(&format!("`{key}` is damaged: ")), "{found}");
}
