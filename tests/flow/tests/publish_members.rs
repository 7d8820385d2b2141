//! Where each member holds its findings, one that refuses them stops nobody.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with tests that need more of it")]
mod publish_world;

use std::cell::RefCell;
use std::time::Duration;

use findings::results::StatusEntry;
use flow::clock::FakeClock;
use flow::executions::FakeExecutions;
use flow::hub::FakeHub;
use flow::machine::{Chaos, Machine, Outbox, REGION, Settings, Tap};
use flow::objects::FakeBucket;
use flow::organizations::{FakeOrganizations, Size};
use pipeline::objects;
use pipeline::ports::Failure;
use pipeline::publish::PublishError;
use pipeline::wire::{FailedItem, PublishInput, Published, RunRef};
use publish_world::{DELAY, Model, World};
use serde_json::json;
use tokio::time::Instant;

const SHOP: &str = "222222222222";
const MAIL: &str = "333333333333";
const DESK: &str = "444444444444";
const ALL: [&str; 3] = [SHOP, MAIL, DESK];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What AssumeRole says where the account is closed, or where the role is missing or does not
/// trust the caller.
const NO_ROLE: (Failure, &str) = (Failure::Denied, "AccessDenied");

/// One run over everything: what could not be written, and the report.
async fn run(
    world: &World,
    run: &str,
    model: &Model,
) -> (Vec<FailedItem>, Result<Published, PublishError>) {
    let mut failed = Vec::new();
    for shard in world.stage(run, model) {
        let input = PublishInput::Shard(shard);
        let published =
            world.publisher().publish(&input, Instant::now() + DELAY * 2000).await.unwrap();
        assert!(published.done);
        failed.extend(published.failed);
    }
    let report = PublishInput::Report(RunRef { run_id: run.to_owned() });
    (failed, world.publisher().publish(&report, Instant::now() + DELAY * 200).await)
}

/// A run that ends well: the accounts that refuse, and how many of them are new.
async fn good(world: &World, name: &str, model: &Model) -> (Vec<String>, u64) {
    let (failed, report) = run(world, name, model).await;
    assert_eq!(failed, []);
    let report = report.unwrap();
    let refuse = report.given_up.iter().map(|account| account.account_id.clone());
    (refuse.collect(), report.given_up_new)
}

fn with(status: StatusEntry) -> Model {
    Model::new(&ALL, &[1, 8], status)
}

#[tokio::test(start_paused = true)]
async fn a_closed_account_is_given_up_once_and_taken_up_when_it_is_open_again() {
    let world = World::new(&ALL, None);
    assert_eq!(good(&world, "run-1", &with(StatusEntry::Failed)).await, (Vec::new(), 0));
    let mails = world.sent.mails.borrow().len();

    let mut closed = with(StatusEntry::Passed);
    closed.accounts.insert(MAIL.to_owned(), "CLOSED".to_owned());
    world.hub.break_down(MAIL, NO_ROLE.0, NO_ROLE.1);
    assert_eq!(good(&world, "run-2", &closed).await, (vec![MAIL.to_owned()], 1));
    let told = world.sent.mails.borrow()[mails].text.clone();
    assert!(told.contains(&format!("{MAIL}, closed or gone: AccessDenied")), "{told}");
    for name in ["run-3", "run-4"] {
        assert_eq!(good(&world, name, &closed).await, (vec![MAIL.to_owned()], 0));
    }
    assert_eq!(world.sent.mails.borrow().len(), mails + 1, "told once");

    world.hub.mend(MAIL);
    assert_eq!(good(&world, "run-5", &with(StatusEntry::Passed)).await, (Vec::new(), 0));
    let wanted = with(StatusEntry::Passed).wanted(&world.settings.lifecycle);
    assert_eq!(world.active(), wanted);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_is_missing_in_one_open_account_stops_nobody_even_where_nothing_else_changed() {
    let world = World::new(&ALL, None);
    good(&world, "run-1", &with(StatusEntry::Failed)).await;
    world.hub.break_down(MAIL, NO_ROLE.0, NO_ROLE.1);
    let mut model = with(StatusEntry::Failed);
    model.set(MAIL, "SESDP.8", StatusEntry::Passed, 0);
    // Nothing is written anywhere else: others are asked whether the role is there.
    for name in ["run-2", "run-3"] {
        let new = u64::from(name == "run-2");
        assert_eq!(good(&world, name, &model).await, (vec![MAIL.to_owned()], new));
    }
    world.hub.mend(MAIL);
    good(&world, "run-4", &model).await;
    assert_eq!(world.active(), model.wanted(&world.settings.lifecycle));
}

#[tokio::test(start_paused = true)]
async fn a_role_that_every_open_account_refuses_fails_each_run_until_it_is_mended() {
    let world = World::new(&ALL, None);
    good(&world, "run-1", &with(StatusEntry::Failed)).await;
    let mut model = with(StatusEntry::Failed);
    model.set(MAIL, "SESDP.8", StatusEntry::Passed, 0);
    ALL.iter().for_each(|account| world.hub.break_down(account, NO_ROLE.0, NO_ROLE.1));
    for name in ["run-2", "run-3"] {
        let error = run(&world, name, &model).await.1.unwrap_err();
        assert!(matches!(error, PublishError::AllRefused { .. }), "{error}");
        assert!(!error.is_retryable());
        assert!(error.to_string().contains("member-role.yaml"), "{error}");
    }
    ALL.iter().for_each(|account| world.hub.mend(account));
    good(&world, "run-4", &model).await;
    assert_eq!(world.active(), model.wanted(&world.settings.lifecycle));
}

#[tokio::test(start_paused = true)]
async fn a_first_run_without_the_role_anywhere_fails() {
    let world = World::new(&ALL, None);
    ALL.iter().for_each(|account| world.hub.break_down(account, NO_ROLE.0, NO_ROLE.1));
    let error = run(&world, "run-1", &with(StatusEntry::Failed)).await.1.unwrap_err();
    assert!(error.to_string().starts_with("3 accounts that are open refuse"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn closed_accounts_alone_are_no_fault_of_the_deployment() {
    let world = World::new(&ALL, None);
    good(&world, "run-1", &with(StatusEntry::Failed)).await;
    let mut model = with(StatusEntry::Failed);
    for account in ALL {
        world.hub.break_down(account, NO_ROLE.0, NO_ROLE.1);
        model.accounts.insert(account.to_owned(), "SUSPENDED".to_owned());
    }
    assert_eq!(good(&world, "run-2", &model).await.1, 3);
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_given_up_by_nobody_and_fails_the_run() {
    for (failure, code) in [
        (Failure::Throttled, "ThrottlingException"),
        (Failure::Unavailable, "InternalServerError"),
        (Failure::Unreachable, "Unreachable"),
        // The session has ended, or the checker's own credentials are at fault.
        (Failure::Denied, "ExpiredTokenException"),
    ] {
        let world = World::new(&ALL, None);
        good(&world, "run-1", &with(StatusEntry::Passed)).await;
        world.hub.break_down(MAIL, failure, code);
        let (failed, report) = run(&world, "run-2", &with(StatusEntry::Failed)).await;
        assert_eq!(failed.len(), 2, "{code}");
        assert!(failed.iter().all(|item| item.code == code), "{failed:?}");
        assert_eq!(report.unwrap().given_up, []);
        world.hub.mend(MAIL);
        good(&world, "run-3", &with(StatusEntry::Failed)).await;
        let wanted = with(StatusEntry::Failed).wanted(&world.settings.lifecycle);
        assert_eq!(world.active(), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_gone_is_forgotten_once_security_hub_has_dropped_its_findings() {
    let world = World::new(&ALL, None);
    good(&world, "run-1", &with(StatusEntry::Failed)).await;
    let gone = Model::new(&[SHOP, DESK], &[1, 8], StatusEntry::Failed);
    world.hub.break_down(MAIL, NO_ROLE.0, NO_ROLE.1);
    assert_eq!(good(&world, "run-2", &gone).await, (vec![MAIL.to_owned()], 1));
    tokio::time::sleep(DAY * 99).await;
    assert_eq!(good(&world, "run-3", &gone).await, (vec![MAIL.to_owned()], 0));
    tokio::time::sleep(DAY * 2).await;
    assert_eq!(good(&world, "run-4", &gone).await, (Vec::new(), 0));
    assert_eq!(good(&world, "run-5", &gone).await, (Vec::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_recovered_finding_whose_account_refuses_is_resolved_once_it_does_not() {
    let world = World::new(&ALL, None);
    good(&world, "run-1", &with(StatusEntry::Failed)).await;
    let passed = with(StatusEntry::Passed);
    // Security Hub shows the recovery too late for this run to resolve it.
    world.hub.faults.latency.set(Duration::ZERO);
    good(&world, "run-2", &passed).await;
    world.hub.break_down(MAIL, NO_ROLE.0, NO_ROLE.1);
    good(&world, "run-3", &passed).await;
    world.hub.mend(MAIL);
    good(&world, "run-4", &passed).await;
    let findings = world.hub.findings();
    assert!(findings.values().all(|stored| stored.workflow == "RESOLVED"), "{findings:?}");
}

#[tokio::test(start_paused = true)]
async fn with_a_closed_account_runs_end_well_and_no_request_is_left() {
    let organizations =
        FakeOrganizations::new(Size { accounts: 5, units: 2, policies: 3, targets: 2 }, 3);
    let accounts = organizations.truth().accounts;
    let ids: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
    let hub = FakeHub::new(REGION, &ids, Duration::from_secs(3));
    let (bucket, executions) = (FakeBucket::default(), FakeExecutions::default());
    let (events, mailer) = (Tap::default(), Outbox::default());
    let mut settings = Settings::default();
    settings.publish.lifecycle.holder = None;
    let machine = Machine {
        organizations: &organizations,
        objects: &bucket,
        hub: &hub,
        executions: &executions,
        events: &events,
        mailer: &mailer,
        clock: FakeClock::new("2026-11-23T00:00:00Z".parse().unwrap()),
        settings,
        chaos: Chaos::none(),
        failures: RefCell::default(),
    };
    let schedule = json!({"schemaVersion": 1, "source": "schedule"});
    let waiting = || bucket.keys().iter().filter(|key| key.starts_with(objects::REQUESTS)).count();
    machine.trigger(&schedule).await.unwrap();
    machine.drain().await;
    assert_eq!(waiting(), 0);
    let closed = ids[2];
    assert!(!organizations.close_account(closed).is_empty());
    hub.break_down(closed, NO_ROLE.0, NO_ROLE.1);
    for _ in 0..3 {
        tokio::time::sleep(DAY / 4).await;
        machine.trigger(&schedule).await.unwrap();
        machine.drain().await;
        assert_eq!(waiting(), 0, "the run failed over one closed account");
    }
    assert_eq!(machine.failures.borrow().as_slice(), [""; 0]);
}
