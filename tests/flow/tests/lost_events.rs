//! Events that never arrive: after the next schedule every finding is right all the same.
//!
//! More seeds: `LOST_SEEDS=20000 cargo test -p flow --test lost_events`; one seed alone:
//! `LOST_SEED=17`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop at the first surprise, and says what it saw"
)]

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flow::clock::FakeClock;
use flow::executions::FakeExecutions;
use flow::faults::Random;
use flow::hub::FakeHub;
use flow::machine::{CHECKER, Chaos, Machine, Outbox, REGION, Settings, Tap};
use flow::objects::FakeBucket;
use flow::organizations::FakeOrganizations;
use pipeline::objects;
use pipeline::start::events;
use pipeline::wire::Latest;
use serde_json::json;
use tokio::time::sleep;

mod deployed;

use deployed::{PERIMETER, SIZE, each_seed, event, expected, published};

/// Two controls are enough to tell right from wrong, and keep a seed cheap.
fn perimeter() -> String {
    PERIMETER.replace("\"SESDP.1\"", "\"SESDP.1\", \"SESDP.2\", \"SESDP.6\", \"SESDP.9\"")
}

const SCHEDULE: Duration = Duration::from_secs(6 * 60 * 60);
const ROOT: &str = "r-exam";

/// A checker for which nothing fails but that events are lost.
struct World {
    organizations: FakeOrganizations,
    bucket: FakeBucket,
    hub: FakeHub,
    executions: FakeExecutions,
    events: Tap,
    mailer: Outbox,
    clock: FakeClock,
    perimeter: RefCell<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let world = Self {
            organizations: FakeOrganizations::new(SIZE, seed),
            bucket: FakeBucket::default(),
            hub: FakeHub::new(REGION, &[CHECKER], Duration::from_secs(3)),
            executions: FakeExecutions::default(),
            events: Tap::default(),
            mailer: Outbox::default(),
            clock: FakeClock::new("2026-11-23T00:00:00Z".parse().unwrap()),
            perimeter: RefCell::default(),
        };
        world.put_perimeter(&perimeter());
        world
    }

    fn machine(&self) -> Machine<'_, FakeOrganizations, FakeBucket, FakeHub> {
        Machine {
            organizations: &self.organizations,
            objects: &self.bucket,
            hub: &self.hub,
            executions: &self.executions,
            events: &self.events,
            mailer: &self.mailer,
            clock: self.clock,
            settings: Settings::default(),
            chaos: Chaos::none(),
            failures: RefCell::default(),
        }
    }

    fn put_perimeter(&self, text: &str) {
        self.bucket.set(objects::PERIMETER, text);
        text.clone_into(&mut self.perimeter.borrow_mut());
    }

    /// Somebody edits the perimeter.
    fn edit_perimeter(&self, random: &mut Random) {
        let mut text = perimeter();
        if random.chance(50) {
            text = text.replace("*@example.com", "*");
        }
        if random.chance(50) {
            text = text.replace("\"SESDP.9\", ", "");
        }
        self.put_perimeter(&text);
    }

    async fn schedule(&self) {
        let machine = self.machine();
        machine.trigger(&json!({"schemaVersion": 1, "source": "schedule"})).await.unwrap();
        machine.drain().await;
        assert_eq!(machine.failures.borrow().as_slice(), [""; 0]);
    }

    fn assert_right(&self, what: &str) {
        let expected = expected(&self.organizations, &self.perimeter.borrow());
        assert_eq!(published(&self.hub), expected, "{what}");
    }

    /// When the oldest content of the last snapshot was read, by its own word.
    fn oldest_content(&self) -> Option<jiff::Timestamp> {
        let latest: Latest =
            serde_json::from_str(&self.bucket.text(objects::LATEST).unwrap()).unwrap();
        let text = self.bucket.text(&latest.snapshot.key).unwrap();
        let snapshot: pipeline::snapshot::Snapshot = serde_json::from_str(&text).unwrap();
        snapshot.oldest_content_at.map(|at| at.parse().unwrap())
    }
}

/// Every change's event is lost in a third of the worlds, in which there is one change; in the
/// others any of them may be.
async fn simulate(seed: u64, lost: &AtomicUsize, brought: &AtomicUsize) {
    let mut random = Random::new(seed);
    let world = World::new(seed);
    world.organizations.with_paths.set(random.chance(70));
    world.schedule().await;
    let alone = seed.is_multiple_of(3);
    let changes = if alone { 1 } else { 2 + random.below(3) };
    let pause = SCHEDULE / 8;
    let machine = world.machine();
    let mut serial = 0;
    for _ in 0..changes {
        sleep(pause).await;
        let kind = random.below(10);
        let changed = match kind {
            0 => {
                world.edit_perimeter(&mut random);
                lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            1 if alone => world.organizations.disable_scps(),
            // Contents are what a list does not show, so they change more often here.
            2..=4 => {
                let policies = world.organizations.truth().policies;
                let policy = policies.get(random.below(policies.len()));
                policy.map_or(Vec::new(), |it| world.organizations.update_policy(&it.id))
            }
            _ => world.organizations.change(&mut random),
        };
        for change in changed {
            if alone || random.chance(70) {
                lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            serial += 1;
            machine.trigger(&event(&change, machine.now(), serial)).await.unwrap();
            machine.drain().await;
            brought.fetch_add(1, Ordering::Relaxed);
        }
    }
    sleep(SCHEDULE - pause * u32::try_from(changes).unwrap()).await;
    let due = machine.now();
    world.schedule().await;
    world.assert_right(&format!("seed {seed}"));
    assert!(world.oldest_content().is_none_or(|oldest| oldest >= due), "seed {seed}");
}

#[test]
fn whatever_events_are_lost_every_finding_is_right_after_the_next_schedule() {
    let (lost, brought) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let count = each_seed("LOST", 1000, async |seed| simulate(seed, &lost, &brought).await);
    let (lost, brought) = (lost.into_inner(), brought.into_inner());
    eprintln!("{count} seeds: {lost} events lost, {brought} brought");
    assert!(count < 1000 || lost > 900 && brought > 200, "too little was lost or brought");
}

/// What an event would have told of, done without one; `None` where nothing that is read changes.
fn change_behind(name: &str, organizations: &FakeOrganizations) -> Option<usize> {
    let truth = organizations.truth();
    let account = |number: usize| truth.accounts[number % truth.accounts.len()].id.clone();
    // None where policies are not enabled.
    let custom = truth.policies.iter().find(|policy| !policy.aws_managed);
    let custom = custom.map_or_else(String::new, |policy| policy.id.clone());
    let unit = truth.organizational_units[0].id.clone();
    let attach_new = || {
        let (policy, mut made) = organizations.create_policy();
        made.extend(organizations.attach(&policy, &account(1)));
        made
    };
    let made = match name {
        "AcceptHandshake" | "AccountJoinedOrganization" | "CreateAccountResult" => {
            organizations.create_account()
        }
        "AccountDepartedOrganization" | "LeaveOrganization" | "RemoveAccountFromOrganization" => {
            organizations.remove_account(&account(3))
        }
        "AttachPolicy" | "CreatePolicy" => attach_new(),
        "CloseAccount" | "CloseAccountResult" => organizations.close_account(&account(4)),
        "CreateOrganizationalUnit" => organizations.create_unit(&unit),
        "DeleteOrganizationalUnit" => {
            let made = organizations.create_unit(ROOT);
            let Some(pipeline::wire::Change::Unit(id)) = made.first() else { panic!("{made:?}") };
            organizations.delete_unit(id)
        }
        "DeletePolicy" => {
            for attachment in truth.attachments.iter().filter(|it| it.policy_id == custom) {
                organizations.detach(&custom, &attachment.target_id);
            }
            organizations.delete_policy(&custom)
        }
        "DetachPolicy" => {
            let held = truth.attachments.iter().filter(|it| it.policy_id == custom);
            held.flat_map(|it| organizations.detach(&custom, &it.target_id)).collect()
        }
        "DisablePolicyType" => organizations.disable_scps(),
        "EnableAllFeatures" | "EnablePolicyType" => organizations.enable_scps(),
        "MoveAccount" => {
            let free = truth.accounts.iter().find(|it| it.parent_id != unit).unwrap();
            organizations.move_account(&free.id, &unit)
        }
        "UpdateOrganizationalUnit" => organizations.rename_unit(&unit),
        "UpdatePolicy" => organizations.update_policy(&custom),
        // They begin what another event ends, or are about who may read.
        "CreateAccount"
        | "CreateGovCloudAccount"
        | "DeleteResourcePolicy"
        | "DeregisterDelegatedAdministrator"
        | "PutResourcePolicy"
        | "RegisterDelegatedAdministrator" => return None,
        _ => panic!("say what `{name}` changes"),
    };
    Some(made.len())
}

#[tokio::test(start_paused = true)]
async fn an_event_of_each_kind_may_be_lost_alone() {
    for name in events::names() {
        let world = World::new(11);
        if matches!(name, "EnablePolicyType" | "EnableAllFeatures") {
            world.organizations.disable_scps();
        }
        world.schedule().await;
        world.assert_right("the first run");
        sleep(SCHEDULE / 2).await;
        match change_behind(name, &world.organizations) {
            Some(made) => assert!(made > 0, "`{name}` changed nothing"),
            None => continue,
        }
        sleep(SCHEDULE / 2).await;
        world.schedule().await;
        world.assert_right(name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_event_about_the_perimeter_or_a_reopened_account_waits_for_the_schedule() {
    let world = World::new(5);
    let account = world.organizations.truth().accounts[2].id.clone();
    world.organizations.close_account(&account);
    world.schedule().await;
    world.assert_right("closed");
    world.organizations.reopen_account(&account);
    sleep(SCHEDULE).await;
    world.schedule().await;
    world.assert_right("open again");
    world.put_perimeter(&perimeter().replace("*@example.com", "*"));
    sleep(SCHEDULE).await;
    world.schedule().await;
    world.assert_right("everybody is trusted");
}
