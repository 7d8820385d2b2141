//! The whole checker in simulated time, while the organization changes and everything fails.
//!
//! More seeds: `FLOW_SEEDS=20000 cargo test -p flow --test simulation`; one seed alone:
//! `FLOW_SEED=17`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop at the first surprise, and says what it saw"
)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flow::clock::FakeClock;
use flow::executions::FakeExecutions;
use flow::faults::Random;
use flow::flaky::Flaky;
use flow::hub::FakeHub;
use flow::machine::{CHECKER, Chaos, Machine, Outbox, REGION, Settings, Tap};
use flow::objects::FakeBucket;
use flow::organizations::FakeOrganizations;
use pipeline::objects;
use pipeline::wire::{Change, Latest};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

mod deployed;

use deployed::{PERIMETER, SIZE, cell_of, each_seed, event, expected, published};

type Deployed<'w> = Machine<'w, FakeOrganizations, Flaky<'w, FakeBucket>, FakeHub>;

/// Changes the organization now and then and delivers the events: late, in another order, twice.
async fn live(machine: &Deployed<'_>, random: &RefCell<Random>, gone: &RefCell<BTreeSet<String>>) {
    let roll = |bound: usize| random.borrow_mut().below(bound);
    let mut due: Vec<(Instant, Value)> = Vec::new();
    let mut left = 2 + roll(5);
    let mut next = Instant::now() + Duration::from_secs(roll(30) as u64);
    let mut serial = 0;
    loop {
        due.sort_by_key(|(at, _)| *at);
        let delivery = due.first().map(|(at, _)| *at);
        match delivery {
            Some(at) if left == 0 || at <= next => {
                sleep_until(at).await;
                let (_, event) = due.remove(0);
                // An event that Lambda gave up on comes back from the dead-letter queue.
                while machine.trigger(&event).await.is_err() {}
            }
            _ if left > 0 => {
                sleep_until(next).await;
                left -= 1;
                let changes = machine.organizations.change(&mut random.borrow_mut());
                let closed = closed(machine.organizations);
                for change in &changes {
                    if let Change::Account(id) = change
                        && closed(id.as_str())
                    {
                        gone.borrow_mut().insert(id.clone());
                    }
                }
                for change in &changes {
                    serial += 1;
                    let event = event(change, machine.now(), serial);
                    for _ in 0..1 + usize::from(roll(5) == 0) {
                        let delay = Duration::from_millis(roll(20_000) as u64);
                        due.push((Instant::now() + delay, event.clone()));
                    }
                }
                next = Instant::now() + Duration::from_secs(roll(30) as u64);
            }
            _ => return,
        }
    }
}

/// Tells whether an account is closed, or not there any more.
fn closed(organizations: &FakeOrganizations) -> impl Fn(&str) -> bool + use<> {
    let open: BTreeSet<String> = organizations
        .truth()
        .accounts
        .iter()
        .filter(|account| account.state == "ACTIVE")
        .map(|account| account.id.clone())
        .collect();
    move |id: &str| !open.contains(id)
}

/// All of a finding that anybody acts on.
fn substance(asff: &Value) -> Value {
    let fields = &asff["ProductFields"];
    json!([
        asff["RecordState"],
        asff["Compliance"],
        asff["Title"],
        fields["ses-perimeter/contentDigest"]
    ])
}

/// How much happened, over all seeds.
#[derive(Debug, Default)]
struct Tally {
    writes: AtomicUsize,
    failures: AtomicUsize,
    rescued: AtomicUsize,
    gaps: AtomicUsize,
}

async fn simulate(seed: u64, tally: &Tally) {
    let mut random = Random::new(seed);
    let organizations = FakeOrganizations::new(SIZE, seed);
    organizations.with_paths.set(random.chance(70));
    organizations.empty_percent.set(10);
    organizations.failing_percent.set(5);
    let bucket = FakeBucket::default();
    bucket.set(objects::PERIMETER, PERIMETER);
    let flaky = Flaky::new(&bucket);
    flaky.faults.seed(random.draw(), 2, 2);
    let hub = FakeHub::new(REGION, &[CHECKER], Duration::from_secs(3));
    hub.faults.seed(random.draw(), 5, 5);
    let (executions, events, mailer) =
        (FakeExecutions::default(), Tap::default(), Outbox::default());
    executions.faults.seed(random.draw(), 5, 5);
    let chaos = Chaos::none();
    chaos.crash_percent.set(20);
    chaos.longest.set(Duration::from_secs(25));
    *chaos.random.borrow_mut() = Random::new(random.draw());
    let machine = Machine {
        organizations: &organizations,
        objects: &flaky,
        hub: &hub,
        executions: &executions,
        events: &events,
        mailer: &mailer,
        clock: FakeClock::new("2026-11-23T00:00:00Z".parse().unwrap()),
        settings: Settings::default(),
        chaos,
        failures: RefCell::default(),
    };
    let schedule = json!({"schemaVersion": 1, "source": "schedule"});

    // Rough weather: the first run and all that follows from the changes.
    while machine.trigger(&schedule).await.is_err() {}
    let random = RefCell::new(random);
    let gone = RefCell::new(BTreeSet::new());
    let over = Cell::new(false);
    let work = async {
        loop {
            machine.drain().await;
            if over.get() && executions.running() == 0 {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::join!(work, async {
        live(&machine, &random, &gone).await;
        over.set(true);
    });

    // The weather clears. What failed for good is waiting for a trigger, and for nothing else.
    organizations.failing_percent.set(0);
    flaky.faults.seed(0, 0, 0);
    hub.faults.seed(0, 0, 0);
    executions.faults.seed(0, 0, 0);
    machine.chaos.crash_percent.set(0);
    machine.chaos.longest.set(Duration::from_secs(900));
    let waiting = bucket.keys().iter().any(|key| key.starts_with(objects::REQUESTS));
    let has_gaps = || {
        let latest: Latest = serde_json::from_str(&bucket.text(objects::LATEST)?).ok()?;
        let snapshot: Value = serde_json::from_str(&bucket.text(&latest.snapshot.key)?).ok()?;
        snapshot["gaps"].as_array().map(|gaps| !gaps.is_empty())
    };
    let gaps = has_gaps().unwrap_or(false);
    if waiting || gaps {
        machine.trigger(&schedule).await.unwrap();
        machine.drain().await;
        tally.rescued.fetch_add(1, Ordering::Relaxed);
        tally.gaps.fetch_add(usize::from(gaps), Ordering::Relaxed);
    }
    let failures = machine.failures.borrow().clone();
    let seen = || format!("seed {seed}; failures {failures:#?}");
    let expected = expected(&organizations, PERIMETER);
    assert_eq!(published(&hub), expected, "{}", seen());

    // A run without a change writes nothing.
    let before = hub.log().len();
    machine.trigger(&schedule).await.unwrap();
    machine.drain().await;
    assert_eq!(hub.log().len(), before, "a second run wrote; {}", seen());
    assert!(bucket.keys().iter().all(|key| !key.starts_with(objects::REQUESTS)), "{}", seen());

    let gone = gone.borrow();
    for logged in hub.log() {
        if let Some(before) = &logged.before {
            assert_ne!(
                substance(before),
                substance(&logged.after),
                "written for nothing; {}",
                seen()
            );
        }
        let (account, _) = cell_of(&logged.id);
        if logged.after["RecordState"] == "ARCHIVED" {
            assert!(gone.contains(&account), "{account} is archived and still there; {}", seen());
        }
    }
    tally.writes.fetch_add(hub.log().len(), Ordering::Relaxed);
    tally.failures.fetch_add(failures.len(), Ordering::Relaxed);
}

#[test]
fn whatever_fails_the_findings_end_as_those_of_a_quiet_run() {
    let tally = Tally::default();
    let count = each_seed("FLOW", 1000, async |seed| simulate(seed, &tally).await);
    eprintln!(
        "{count} seeds: {} findings written, {} invocations given up, {} organizations needed \
         another trigger in the end, {} of them for a gap",
        tally.writes.load(Ordering::Relaxed),
        tally.failures.load(Ordering::Relaxed),
        tally.rescued.load(Ordering::Relaxed),
        tally.gaps.load(Ordering::Relaxed)
    );
    // Weather in which nothing ever fails for good would show little.
    assert!(count < 100 || tally.failures.load(Ordering::Relaxed) > 0, "nothing went wrong");
}
