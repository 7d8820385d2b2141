//! What goes wrong around Security Hub is told, and touches no finding that it does not concern.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with tests that need more of it")]
mod publish_world;

use findings::asff;
use findings::results::StatusEntry;
use findings::slots::shard_of;
use pipeline::objects;
use pipeline::ports::{CallError, Failure};
use pipeline::publish::PublishError;
use pipeline::wire::{PublishInput, Published, RunRef, Shard, digest};
use publish_world::{CHECKER, DELAY, Model, ORGANIZATION, World};
use tokio::time::Instant;

const SHOP: &str = "222222222222";
const MAIL: &str = "333333333333";

fn failing() -> Model {
    Model::new(&[SHOP, MAIL], &[1, 8], StatusEntry::Failed)
}

async fn publish(world: &World, shard: &Shard) -> Result<Published, PublishError> {
    let input = PublishInput::Shard(shard.clone());
    world.publisher().publish(&input, Instant::now() + DELAY * 200).await
}

async fn publish_all(world: &World, shards: &[Shard]) -> Vec<Published> {
    let mut all = Vec::new();
    for shard in shards {
        all.push(publish(world, shard).await.unwrap());
    }
    all
}

async fn report(world: &World, run: &str) -> Published {
    let input = PublishInput::Report(RunRef { run_id: run.to_owned() });
    world.publisher().publish(&input, Instant::now() + DELAY).await.unwrap()
}

/// The shard that holds the results of an account.
fn shard_with(shards: &[Shard], account: &str) -> Shard {
    let of = |shard: &&Shard| shard_of(account, shard.shards) == shard.shard;
    shards.iter().find(of).unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_refused_digest_mail_fails_no_report_and_is_sent_by_the_next_one() {
    let world = World::central();
    publish_all(&world, &world.stage("run-1", &failing())).await;
    *world.sent.mail_error.borrow_mut() = Some(CallError {
        permission: "ses:SendEmail",
        failure: Failure::Denied,
        code: "AccessDeniedException".to_owned(),
        message: "with an explicit deny in a service control policy".to_owned(),
    });
    let told = report(&world, "run-1").await;
    assert_eq!((told.done, told.written), (true, 4));
    assert!(world.sent.mails.borrow().is_empty());

    *world.sent.mail_error.borrow_mut() = None;
    report(&world, "run-1").await;
    report(&world, "run-1").await;
    let mails = world.sent.mails.borrow();
    assert_eq!(mails.len(), 1, "sent once, and not again");
    assert!(mails[0].text.contains(SHOP) && mails[0].html.contains(SHOP), "{:?}", mails[0]);
}

#[tokio::test(start_paused = true)]
async fn events_that_do_not_fit_into_the_time_are_put_by_the_next_invocations_each_once() {
    let world = World::central();
    let model = Model::new(&[SHOP], &(1..=18).collect::<Vec<_>>(), StatusEntry::Failed);
    let shard = shard_with(&world.stage("run-1", &model), SHOP);
    world.sent.event_delay.set(DELAY * 300);
    let mut invocations = Vec::new();
    loop {
        let published = publish(&world, &shard).await.unwrap();
        invocations.push((published.written, published.events_pending));
        if published.done {
            break;
        }
        assert!(invocations.len() < 10, "it never ends: {invocations:?}");
    }
    // Ten events a call, and a call is all that there is time for.
    assert_eq!(invocations, [(18, 8), (0, 0)]);
    assert_eq!(world.sent.events.borrow().len(), 18);
}

#[tokio::test(start_paused = true)]
async fn refused_events_are_pending_and_put_by_the_same_input() {
    let world = World::central();
    let shard = shard_with(&world.stage("run-1", &failing()), SHOP);
    world.sent.refuse.set(1000);
    let first = publish(&world, &shard).await.unwrap();
    assert!(first.done && first.failed.is_empty());
    assert!(first.events_pending > 0 && world.sent.events.borrow().is_empty());

    world.sent.refuse.set(0);
    let second = publish(&world, &shard).await.unwrap();
    assert_eq!((second.written, second.events_pending), (0, 0));
    assert_eq!(world.sent.events.borrow().len(), usize::try_from(first.events_pending).unwrap());
}

#[tokio::test(start_paused = true)]
async fn security_hub_off_is_explained_and_made_good_once_it_is_on() {
    let world = World::central();
    let model = failing();
    world.hub.disable(CHECKER);
    for shard in world.stage("run-1", &model) {
        let error = publish(&world, &shard).await.unwrap_err();
        assert!(!error.is_retryable());
        let text = error.to_string();
        for word in [CHECKER, "us-east-1", "InvalidAccessException", "enable Security Hub CSPM"] {
            assert!(text.contains(word), "{word} is not in: {text}");
        }
    }
    assert!(world.hub.findings().is_empty() && world.sent.events.borrow().is_empty());

    world.hub.enable(CHECKER);
    publish_all(&world, &world.stage("run-2", &model)).await;
    assert_eq!(world.active(), model.wanted(&world.settings.lifecycle));
}

#[tokio::test(start_paused = true)]
async fn damaged_results_touch_no_finding() {
    let world = World::central();
    let mut model = failing();
    publish_all(&world, &world.stage("run-1", &model)).await;
    let before = world.hub.log().len();

    model.set(SHOP, "SESDP.8", StatusEntry::Passed, 0);
    let shard = shard_with(&world.stage("run-2", &model), SHOP);
    let pointer = shard.results.as_ref().unwrap();
    world.store.insert(&pointer.key, b"{}".to_vec());
    let error = publish(&world, &shard).await.unwrap_err();
    assert!(matches!(&error, PublishError::Damaged { key, .. } if *key == pointer.key), "{error}");
    assert!(error.to_string().contains(&pointer.digest), "{error}");
    assert_eq!(world.hub.log().len(), before);
}

#[tokio::test(start_paused = true)]
async fn facts_of_another_version_or_run_touch_no_finding() {
    for (field, value) in [("schemaVersion", serde_json::json!(99)), ("runId", "other".into())] {
        let world = World::central();
        let shard = shard_with(&world.stage("run-1", &failing()), SHOP);
        let mut facts = serde_json::to_value(failing().facts("run-1")).unwrap();
        facts[field] = value;
        world.store.insert(&objects::facts("run-1"), facts.to_string().into_bytes());
        let error = publish(&world, &shard).await.unwrap_err();
        assert!(matches!(error, PublishError::Unreadable { .. }), "{field}: {error}");
        assert!(world.hub.findings().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn facts_that_were_exchanged_after_the_results_touch_no_finding() {
    let world = World::central();
    let shard = shard_with(&world.stage("run-1", &failing()), SHOP);
    let mut facts = failing().facts("run-1");
    facts.snapshot_digest = digest(b"another snapshot");
    world.store.insert(&objects::facts("run-1"), serde_json::to_vec(&facts).unwrap());
    let error = publish(&world, &shard).await.unwrap_err();
    let key = objects::facts("run-1");
    assert!(matches!(&error, PublishError::Damaged { key: at, .. } if *at == key), "{error}");
    assert!(world.hub.findings().is_empty());
}

#[tokio::test(start_paused = true)]
async fn results_of_an_older_run_do_not_replace_those_of_a_newer_one() {
    let world = World::central();
    let mut better = failing();
    better.set(SHOP, "SESDP.8", StatusEntry::Passed, 0);
    let old = world.stage("run-1", &better);
    let mut facts = failing().facts("run-2");
    facts.evaluated_at = "2026-11-25T06:00:00Z".to_owned();
    publish_all(&world, &world.stage_with(&facts, &failing())).await;
    let before = (world.active(), world.hub.log().len());

    let error = publish(&world, &shard_with(&old, SHOP)).await.unwrap_err();
    assert!(matches!(error, PublishError::Superseded { .. }), "{error}");
    assert!(error.to_string().contains("2026-11-25T06:00:00Z"), "{error}");
    assert_eq!((world.active(), world.hub.log().len()), before);
    // The same run may publish again.
    publish_all(&world, &world.stage_with(&facts, &failing())).await;
    assert_eq!(world.active(), before.0);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_cannot_be_published() {
    let world = World::central();
    let shard = shard_with(&world.stage("run-1", &failing()), SHOP);
    let mut facts = failing().facts("run-1");
    facts.dry_run = true;
    world.store.insert(&objects::facts("run-1"), serde_json::to_vec(&facts).unwrap());
    let error = publish(&world, &shard).await.unwrap_err();
    assert!(matches!(error, PublishError::DryRun(_)), "{error}");
    assert!(world.hub.findings().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_member_holds_its_own_findings_where_the_members_are_to() {
    let world = World::new(&[SHOP, MAIL], None);
    let model = failing();
    let done = publish_all(&world, &world.stage("run-1", &model)).await;
    assert!(done.iter().all(|one| one.done && one.failed.is_empty()));
    assert_eq!(world.active(), model.wanted(&world.settings.lifecycle));
    for (holder, id) in world.hub.findings().into_keys() {
        assert_eq!(asff::account_of(&id, ORGANIZATION), Some(holder.as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn one_member_without_security_hub_stops_no_other_and_is_named() {
    let world = World::new(&[SHOP], None);
    let done = publish_all(&world, &world.stage("run-1", &failing())).await;
    assert!(done.iter().all(|one| one.done && one.failed.is_empty()));
    let given_up: Vec<_> = done.iter().flat_map(|one| &one.given_up).collect();
    assert_eq!(given_up.len(), 1);
    assert_eq!((given_up[0].account_id.as_str(), given_up[0].new), (MAIL, true));
    assert!(given_up[0].reason.contains("not subscribed"), "{}", given_up[0].reason);
    let holders: Vec<_> = world.hub.findings().into_keys().map(|(holder, _)| holder).collect();
    assert_eq!(holders, [SHOP, SHOP]);

    world.hub.enable(MAIL);
    publish_all(&world, &world.stage("run-2", &failing())).await;
    assert_eq!(world.active(), failing().wanted(&world.settings.lifecycle));
}

#[tokio::test(start_paused = true)]
async fn a_finding_refused_for_good_is_reported_by_id_and_sent_by_the_next_run() {
    let world = World::central();
    let id = asff::id(ORGANIZATION, SHOP, "SESDP.8");
    world.hub.refuse(&id, 1000);
    let shards = world.stage("run-1", &failing());
    let done = publish_all(&world, &shards).await;
    let failed: Vec<_> = done.iter().flat_map(|one| &one.failed).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].id.as_str(), failed[0].code.as_str()), (&*id, "InternalError"));
    assert_eq!(world.hub.findings().len(), 3, "the rest of the batch was taken");
    assert_eq!(report(&world, "run-1").await.failed_count, 1);

    world.hub.refuse(&id, 0);
    publish_all(&world, &world.stage("run-2", &failing())).await;
    assert_eq!(world.active(), failing().wanted(&world.settings.lifecycle));
}

/// Accounts whose findings fill several pages of GetFindings.
fn many() -> Model {
    let accounts: Vec<String> =
        (0..500).map(|n| format!("{:012}", 222_222_222_000_u64 + n)).collect();
    let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
    Model::new(&accounts, &[1, 8], StatusEntry::Failed)
}

/// A world in which the findings of `model` are published and shown.
async fn published(model: &Model) -> World {
    let world = World::central();
    publish_all(&world, &world.stage("run-1", model)).await;
    tokio::time::sleep(DELAY * 2).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_list_of_findings_that_goes_in_circles_ends_the_run_and_changes_nothing() {
    let model = many();
    let world = published(&model).await;
    let before = world.hub.log().len();

    let shards = world.stage("run-2", &model);
    let shard = shards.first().unwrap();
    world.store.remove(&objects::record(shard.shards, shard.shard));
    world.hub.circle(true);
    let error = publish(&world, shard).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    let PublishError::Call { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.code, "RepeatedToken");

    world.hub.circle(false);
    publish_all(&world, &shards).await;
    assert_eq!(world.hub.log().len(), before, "what Security Hub shows already is not written");
    assert_eq!(world.active(), model.wanted(&world.settings.lifecycle));
}

#[tokio::test(start_paused = true)]
async fn a_lost_record_is_rebuilt_over_pages_and_invocations_without_a_write() {
    let model = many();
    let world = published(&model).await;
    let before = world.hub.log().len();
    assert_eq!(before, 1000);
    let shown = world.hub.shown();

    for shard in world.stage("run-2", &model) {
        world.store.remove(&objects::record(shard.shards, shard.shard));
        let input = PublishInput::Shard(shard);
        let mut invocations = 1;
        // So little time that each invocation reads one page.
        let step = std::time::Duration::from_millis(35);
        while !world.publisher().publish(&input, Instant::now() + step).await.unwrap().done {
            invocations += 1;
            assert!(invocations < 50, "rebuilding does not end");
        }
        assert!(invocations > 2, "{invocations} invocations");
    }
    assert_eq!(world.hub.log().len(), before, "what Security Hub shows already is not written");
    assert_eq!(world.hub.shown(), shown + 1000, "a shard asks for no finding of another one");
    assert_eq!(world.active(), model.wanted(&world.settings.lifecycle));
}
