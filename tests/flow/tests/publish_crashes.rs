//! Whatever happens on the way, Security Hub ends up with the last results and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod publish_world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use findings::asff;
use findings::results::StatusEntry;
use flow::crash::crashing;
use flow::faults::Random;
use pipeline::objects;
use pipeline::wire::{PublishInput, Shard};
use publish_world::{CHECKER, DELAY, Model, ORGANIZATION, SHARDS, World, pick};
use tokio::time::Instant;

const STATUSES: [StatusEntry; 4] =
    [StatusEntry::Failed, StatusEntry::Undecided, StatusEntry::Passed, StatusEntry::NotApplicable];

/// How rough a simulation is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// Nothing goes wrong.
    Quiet,
    /// Crashes, faults, refusals, deadlines and rivals.
    Rough,
    /// The same, and the record is lost now and then.
    Forgetful,
}

struct Simulation {
    world: World,
    random: Random,
    weather: Weather,
    model: Model,
    suppressed: BTreeSet<String>,
    runs: u32,
}

impl Simulation {
    fn new(seed: u64, weather: Weather) -> Self {
        let accounts: Vec<String> =
            (0..6).map(|n| format!("{:012}", 222_222_222_000_u64 + n)).collect();
        let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
        let model = Model::new(&accounts, &[1, 8, 16], StatusEntry::Passed);
        let world = World::central();
        if weather != Weather::Quiet {
            world.hub.faults.seed(seed, 8, 8);
        }
        let random = Random::new(seed);
        Self { world, random, weather, model, suppressed: BTreeSet::new(), runs: 0 }
    }

    /// Something happens in the organization.
    fn change(&mut self) {
        let accounts: Vec<String> = self.model.accounts.keys().cloned().collect();
        let controls: Vec<String> = self.model.enabled.iter().cloned().collect();
        for _ in 0..self.random.below(6) {
            let account = pick(&mut self.random, &accounts);
            let control = pick(&mut self.random, &controls);
            match self.random.below(12) {
                0..=7 => {
                    let (status, cause) = (pick(&mut self.random, &STATUSES), self.random.below(2));
                    self.model.set(&account, &control, status, u8::try_from(cause).unwrap());
                }
                8 if accounts.len() > 2 => {
                    self.model.accounts.remove(&account);
                }
                9 => {
                    let back = format!("{:012}", 222_222_222_000 + self.random.below(8));
                    self.model.join(&back, pick(&mut self.random, &STATUSES));
                }
                10 => {
                    let state = pick(&mut self.random, &["ACTIVE", "SUSPENDED", "CLOSED"]);
                    if let Some(found) = self.model.accounts.get_mut(&account) {
                        state.clone_into(found);
                    }
                }
                _ => {
                    let control = pick(&mut self.random, &["SESDP.1", "SESDP.16"]).to_owned();
                    if !self.model.enabled.remove(&control) {
                        self.model.enabled.insert(control);
                    }
                }
            }
        }
        // A verdict for everything that a check would look at.
        for account in self.model.accounts.keys() {
            for control in &self.model.enabled {
                let key = (account.clone(), control.clone());
                self.model.verdicts.entry(key).or_insert((StatusEntry::Undecided, 0));
            }
        }
    }

    /// A customer suppresses or notes something that is there.
    fn customer(&mut self) {
        let ids: Vec<String> = self.world.active().into_keys().collect();
        if !ids.is_empty() && self.random.chance(30) {
            let id = pick(&mut self.random, &ids);
            self.world.hub.suppress(CHECKER, &id);
            self.world.hub.note(CHECKER, &id, "ours");
            self.suppressed.insert(id);
        }
    }

    async fn pass(&mut self) {
        let day = Duration::from_secs(86_400);
        let long = self.random.below(40);
        let time = pick(&mut self.random, &[DELAY * 2, Duration::from_secs(600), day]);
        tokio::time::sleep(if long == 0 { day * 59 } else { time }).await;
    }

    /// Publishes until everything is done, through crashes and cuts. The number of disturbances.
    async fn publish(&mut self, shards: &[Shard]) -> usize {
        let mut disturbed = 0;
        for shard in shards {
            let input = PublishInput::Shard(shard.clone());
            let mut calm = self.weather == Weather::Quiet;
            for attempt in 0.. {
                assert!(attempt < 200, "publishing does not end");
                calm |= attempt > 20;
                if calm {
                    self.world.hub.faults.seed(0, 0, 0);
                }
                let at = (!calm && self.random.chance(60)).then(|| 1 + self.random.below(60));
                let wait = if !calm && self.random.chance(20) { 200 } else { 900_000 };
                let deadline = Instant::now() + Duration::from_millis(wait);
                if !calm && self.random.chance(10) {
                    let key = objects::record(shard.shards, shard.shard);
                    self.world.store.rivals.borrow_mut().insert(key);
                }
                let publisher = self.world.publisher();
                match crashing(publisher.publish(&input, deadline), at).await {
                    Some(Ok(done))
                        if done.done
                            && done.failed.is_empty()
                            && done.resolves_pending == 0
                            && done.events_pending == 0 =>
                    {
                        break;
                    }
                    Some(Err(error)) => assert!(error.is_retryable(), "{error:?}"),
                    Some(Ok(_)) | None => {}
                }
                disturbed += 1;
            }
        }
        disturbed
    }

    fn last_words(&self) -> BTreeMap<String, String> {
        let events = self.world.sent.events.borrow();
        events.iter().map(|event| (event.finding_id.clone(), event.after.clone())).collect()
    }

    fn check_all(&self, context: &str) {
        let settings = &self.world.settings.lifecycle;
        assert_eq!(self.world.active(), self.model.wanted(settings), "{context}");
        let words = self.last_words();
        for ((_, id), stored) in self.world.hub.findings() {
            let archived = stored.asff["RecordState"] == "ARCHIVED";
            let status = stored.asff["ProductFields"][asff::fields::STATUS].as_str().unwrap();
            let workflow = stored.workflow.as_str();
            if self.suppressed.contains(&id) {
                assert_eq!((workflow, stored.note.as_deref()), ("SUPPRESSED", Some("ours")));
            } else if !archived && status == "PASSED" {
                assert_eq!(workflow, "RESOLVED", "{context}: {id}");
            } else if !archived {
                assert_eq!(workflow, "NEW", "{context}: {id}");
            }
            if self.weather != Weather::Forgetful {
                let now = if archived { "ARCHIVED" } else { status };
                assert_eq!(words.get(&id).map(String::as_str), Some(now), "{context}: {id}");
            }
        }
    }

    /// What was written since `from`, against what a reader could tell from before.
    fn check_log(&self, from: usize, disturbed: bool, context: &str) {
        for logged in self.world.hub.log().iter().skip(from) {
            let Some(before) = &logged.before else { continue };
            let time = |value: &serde_json::Value, field: &str| {
                value[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
            };
            let (old, new) = (time(before, "UpdatedAt"), time(&logged.after, "UpdatedAt"));
            assert!(old < new, "{context}: {}", logged.id);
            if self.weather != Weather::Forgetful {
                assert_eq!(before["CreatedAt"], logged.after["CreatedAt"], "{context}");
            }
            let content = |value: &serde_json::Value| {
                let digest = value["ProductFields"][asff::fields::CONTENT_DIGEST].clone();
                (value["RecordState"].clone(), digest)
            };
            let refreshed = new.duration_since(old).as_hours() >= 59 * 24;
            assert!(
                content(before) != content(&logged.after) || refreshed || disturbed,
                "{context}: {} was written without a change",
                logged.id
            );
        }
    }

    async fn step(&mut self, context: &str) {
        self.change();
        self.customer();
        self.pass().await;
        if self.weather == Weather::Forgetful && self.random.chance(40) {
            let shard = u32::try_from(self.random.below(2)).unwrap();
            self.world.store.remove(&objects::record(SHARDS, shard));
        }
        if self.weather != Weather::Quiet {
            self.world.hub.faults.seed(self.random.draw(), 8, 8);
            let ids: Vec<String> = self.world.active().into_keys().collect();
            if !ids.is_empty() && self.random.chance(40) {
                let times = self.random.below(8);
                self.world.hub.refuse(&pick(&mut self.random, &ids), times);
            }
        }
        let accounts: Vec<String> = self.model.accounts.keys().cloned().collect();
        let mut shown = self.model.clone();
        let partial = self.random.below(4);
        if partial == 0 {
            shown.scope.0.insert(pick(&mut self.random, &accounts));
        } else if partial == 1 {
            shown.complete = false;
        }
        self.runs += 1;
        let run = format!("run-{}", self.runs);
        let before = self.world.active();
        let from = self.world.hub.log().len();
        let shards = self.world.stage(&run, &shown);
        let disturbed = self.publish(&shards).await;
        self.check_log(from, disturbed > 0, context);
        match partial {
            // What the run did not decide is as it was.
            0 => {
                let asked = shown.scope.0.first().unwrap();
                let of_others = |all: BTreeMap<String, (StatusEntry, String)>| {
                    let others = all.into_iter().filter(|(id, _)| {
                        asff::account_of(id, ORGANIZATION) != Some(asked.as_str())
                    });
                    others.collect::<BTreeMap<_, _>>()
                };
                assert_eq!(of_others(self.world.active()), of_others(before), "{context}");
            }
            // Nothing is archived for being missing.
            1 => {
                let settings = &self.world.settings.lifecycle;
                let wanted = self.model.wanted(settings);
                let active = self.world.active();
                for (id, found) in &wanted {
                    assert_eq!(active.get(id), Some(found), "{context}: {id}");
                }
                for id in before.keys() {
                    let account = asff::account_of(id, ORGANIZATION).unwrap();
                    let closed =
                        self.model.accounts.get(account).is_some_and(|state| state != "ACTIVE");
                    assert!(active.contains_key(id) || closed, "{context}: {id}");
                }
            }
            _ => self.check_all(context),
        }
    }

    async fn settle(&mut self, context: &str) {
        self.world.hub.faults.seed(0, 0, 0);
        self.weather =
            if self.weather == Weather::Forgetful { Weather::Forgetful } else { Weather::Quiet };
        tokio::time::sleep(DELAY * 2).await;
        self.runs += 1;
        let shards = self.world.stage(&format!("run-{}", self.runs), &self.model.clone());
        let weather = std::mem::replace(&mut self.weather, Weather::Quiet);
        self.publish(&shards).await;
        self.weather = weather;
        self.check_all(context);
        // And again: nothing is written.
        let from = self.world.hub.log().len();
        self.runs += 1;
        let shards = self.world.stage(&format!("run-{}", self.runs), &self.model.clone());
        let weather = std::mem::replace(&mut self.weather, Weather::Quiet);
        self.publish(&shards).await;
        self.weather = weather;
        assert_eq!(self.world.hub.log().len(), from, "{context}: a second run wrote something");
    }
}

async fn simulate(seed: u64, weather: Weather) {
    let mut simulation = Simulation::new(seed, weather);
    for step in 0..8 {
        simulation.step(&format!("seed {seed}, step {step}")).await;
    }
    simulation.settle(&format!("seed {seed}, at the end")).await;
    assert_eq!(simulation.world.hub.throttled(), 0, "our pace stays below Security Hub's");
}

#[tokio::test(start_paused = true)]
async fn quiet_runs_publish_the_last_results_and_write_nothing_twice() {
    for seed in 0..30 {
        simulate(seed, Weather::Quiet).await;
    }
}

#[tokio::test(start_paused = true)]
async fn crashes_faults_refusals_and_rivals_lose_and_invent_nothing() {
    for seed in 1000..1100 {
        simulate(seed, Weather::Rough).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_record_is_rebuilt_from_security_hub() {
    for seed in 5000..5060 {
        simulate(seed, Weather::Forgetful).await;
    }
}

/// Every await of one publication, one after the other.
#[tokio::test(start_paused = true)]
async fn a_crash_at_any_await_of_a_publication_is_made_good_by_the_next() {
    for at in 1..200 {
        let world = World::central();
        let mut model = Model::new(&["222222222222", "333333333333"], &[8], StatusEntry::Failed);
        for shard in world.stage("run-1", &model) {
            let input = PublishInput::Shard(shard);
            world.publisher().publish(&input, Instant::now() + DELAY * 100).await.unwrap();
        }
        tokio::time::sleep(DELAY * 2).await;
        model.set("222222222222", "SESDP.8", StatusEntry::Passed, 0);
        model.accounts.remove("333333333333");
        let mut crashed = false;
        for shard in world.stage("run-2", &model) {
            let input = PublishInput::Shard(shard);
            let publisher = world.publisher();
            let first =
                crashing(publisher.publish(&input, Instant::now() + DELAY * 100), Some(at)).await;
            crashed |= first.is_none();
            let again = publisher.publish(&input, Instant::now() + DELAY * 100).await.unwrap();
            assert!(again.done && again.failed.is_empty() && again.resolves_pending == 0);
        }
        assert_eq!(world.active(), model.wanted(&world.settings.lifecycle), "await {at}");
        assert_eq!(
            world.hub.log().len(),
            4,
            "await {at}: two creations, one recovery, one farewell"
        );
        let stored = world.hub.findings();
        let id = asff::id(ORGANIZATION, "222222222222", "SESDP.8");
        assert_eq!(stored[&(CHECKER.to_owned(), id)].workflow, "RESOLVED", "await {at}");
        if !crashed {
            assert!(at > 20, "the publication has awaits");
            return;
        }
    }
    panic!("a publication has fewer awaits than that");
}
