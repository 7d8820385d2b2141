//! An organization of results, and all that publishing them needs.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use findings::asff;
use findings::lifecycle;
use findings::results::{
    DeciderEntry, ObstacleEntry, PolicyEntry, ResultEntry, ShardHeader, StatementEntry,
    StatusEntry, ValueEntry, WitnessEntry,
};
use findings::run::RunFacts;
use findings::slots::shard_of;
use flow::clock::FakeClock;
use flow::faults::Random;
use flow::hub::FakeHub;
use pipeline::objects;
use pipeline::pace::PaceSettings;
use pipeline::ports::{CallError, Condition, Events, Mail, Mailer, Object, Objects, Written};
use pipeline::publish::{PublishSettings, Publisher};
use pipeline::wire::{Pointer, Shard, VerdictChange, digest};
use ses_perimeter::control::ControlId;

pub const CHECKER: &str = "999999999999";
pub const ORGANIZATION: &str = "o-exampleorgid";
pub const REGION: &str = "us-east-1";
pub const SHARDS: u32 = 4;
/// After this time GetFindings shows what was written.
pub const DELAY: Duration = Duration::from_secs(3);

/// A bucket in memory.
#[derive(Default)]
pub struct Store {
    objects: RefCell<BTreeMap<String, (Vec<u8>, u64)>>,
    count: Cell<u64>,
    /// Writes of these keys by somebody else come first, once each.
    pub rivals: RefCell<BTreeSet<String>>,
}

impl Store {
    pub fn insert(&self, key: &str, bytes: Vec<u8>) {
        self.count.set(self.count.get() + 1);
        self.objects.borrow_mut().insert(key.to_owned(), (bytes, self.count.get()));
    }

    pub fn remove(&self, key: &str) {
        self.objects.borrow_mut().remove(key);
    }
}

impl Objects for Store {
    async fn get(&self, key: &str) -> Result<Option<Object>, CallError> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let found = self.objects.borrow().get(key).cloned();
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(found.map(|(bytes, tag)| Object { bytes, tag: tag.to_string() }))
    }

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<Written, CallError> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let tag = self.objects.borrow().get(key).map(|(_, tag)| tag.to_string());
        let rival = self.rivals.borrow_mut().remove(key);
        if rival && let Some(found) = self.objects.borrow_mut().get_mut(key) {
            self.count.set(self.count.get() + 1);
            found.1 = self.count.get();
            return Ok(Written::Conflict);
        }
        let holds = match condition {
            Condition::Always => true,
            Condition::IfAbsent => tag.is_none(),
            Condition::IfTag(wanted) => tag.as_deref() == Some(wanted),
        };
        if holds {
            self.insert(key, bytes);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(if holds { Written::Yes(self.count.get().to_string()) } else { Written::Conflict })
    }

    async fn delete(&self, key: &str) -> Result<(), CallError> {
        self.remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        let objects = self.objects.borrow();
        Ok(objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }
}

/// Events and mails that were sent.
#[derive(Default)]
pub struct Sent {
    pub events: RefCell<Vec<VerdictChange>>,
    pub mails: RefCell<Vec<Mail>>,
    pub mail_error: RefCell<Option<CallError>>,
    /// How long a call with events takes.
    pub event_delay: Cell<Duration>,
    /// Events are refused this many times.
    pub refuse: Cell<usize>,
}

impl Events for Sent {
    async fn put(&self, detail_type: &str, details: &[String]) -> Result<usize, CallError> {
        assert_eq!(detail_type, pipeline::publish::VERDICT_CHANGED);
        assert!((1..=10).contains(&details.len()));
        tokio::time::sleep(Duration::from_millis(5)).await;
        tokio::time::sleep(self.event_delay.get()).await;
        if self.refuse.get() > 0 {
            self.refuse.set(self.refuse.get() - 1);
            return Ok(1);
        }
        let events = details.iter().map(|detail| serde_json::from_str(detail).unwrap());
        self.events.borrow_mut().extend(events);
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(0)
    }
}

impl Mailer for Sent {
    async fn send(&self, mail: &Mail) -> Result<(), CallError> {
        match self.mail_error.borrow().clone() {
            Some(error) => Err(error),
            None => {
                self.mails.borrow_mut().push(mail.clone());
                Ok(())
            }
        }
    }
}

/// What a run found, and on what terms.
#[derive(Debug, Clone)]
pub struct Model {
    /// Accounts with their states.
    pub accounts: BTreeMap<String, String>,
    /// By account and control the status and which one of several causes it has.
    pub verdicts: BTreeMap<(String, String), (StatusEntry, u8)>,
    pub enabled: BTreeSet<String>,
    pub scope: (BTreeSet<String>, BTreeSet<String>),
    pub complete: bool,
}

impl Model {
    pub fn new(accounts: &[&str], controls: &[u8], status: StatusEntry) -> Self {
        let enabled: BTreeSet<String> =
            controls.iter().map(|n| ControlId::new(*n).unwrap().to_string()).collect();
        let mut model = Self {
            accounts: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            enabled,
            scope: Default::default(),
            complete: true,
        };
        for account in accounts {
            model.join(account, status);
        }
        model
    }

    pub fn join(&mut self, account: &str, status: StatusEntry) {
        self.accounts.insert(account.to_owned(), "ACTIVE".to_owned());
        for control in &self.enabled {
            self.verdicts.insert((account.to_owned(), control.clone()), (status, 0));
        }
    }

    pub fn set(&mut self, account: &str, control: &str, status: StatusEntry, cause: u8) {
        self.verdicts.insert((account.to_owned(), control.to_owned()), (status, cause));
    }

    pub fn facts(&self, run: &str) -> RunFacts {
        RunFacts {
            schema_version: findings::run::SCHEMA_VERSION,
            run_id: run.to_owned(),
            dry_run: false,
            organization_id: ORGANIZATION.to_owned(),
            management_account_id: "111111111111".to_owned(),
            partition: "aws".to_owned(),
            snapshot_digest: digest(run.as_bytes()),
            snapshot_fetched_at: Some("2026-11-25T00:00:00Z".to_owned()),
            oldest_content_at: Some("2026-11-25T00:00:01Z".to_owned()),
            evaluated_at: "2026-11-25T00:00:01Z".to_owned(),
            tool_version: "0.1.0".to_owned(),
            accounts: self.scope.0.clone(),
            controls: self.scope.1.clone(),
            complete: self.complete,
            enabled: self.enabled.clone(),
            severity: BTreeMap::new(),
        }
    }

    fn decided(&self, facts: &RunFacts) -> Vec<ResultEntry> {
        let there = |account: &str, control: &str| {
            self.accounts.contains_key(account)
                && self.enabled.contains(control)
                && facts.covers(account, control)
        };
        let verdicts = self.verdicts.iter().filter(|((a, c), _)| there(a, c));
        verdicts.map(|((a, c), (status, cause))| entry(a, c, *status, *cause)).collect()
    }

    /// What Security Hub has to show of an open account, by finding: status and digest.
    pub fn wanted(
        &self,
        settings: &lifecycle::Settings,
    ) -> BTreeMap<String, (StatusEntry, String)> {
        let facts =
            RunFacts { accounts: BTreeSet::new(), controls: BTreeSet::new(), ..self.facts("x") };
        let catalog = ses_perimeter::model::catalog();
        let open = |entry: &ResultEntry| self.accounts[&entry.account_id] == "ACTIVE";
        let entries = self.decided(&facts).into_iter().filter(open);
        entries
            .map(|entry| {
                let control = ControlId::parse(&entry.control_id).unwrap();
                let target = settings.target(&entry.account_id);
                let times = asff::Times {
                    created_at: "2026-11-25T00:00:00Z".to_owned(),
                    updated_at: "2026-11-25T00:00:00Z".to_owned(),
                    first_observed_at: "2026-11-25T00:00:00Z".to_owned(),
                };
                let made = asff::finding(&entry, control, &facts, &catalog, &target, &times, None);
                (made.finding.id.to_string(), (entry.status, made.digest))
            })
            .collect()
    }
}

/// A result as `evaluate-scps` writes it.
pub fn entry(account: &str, control: &str, status: StatusEntry, cause: u8) -> ResultEntry {
    let policy = PolicyEntry {
        id: format!("p-mail000{cause}"),
        name: format!("mail {cause}"),
        aws_managed: false,
    };
    let failed = status == StatusEntry::Failed;
    ResultEntry {
        account_id: account.to_owned(),
        account_name: format!("account {}", &account[9..]),
        path: vec!["r-exam".to_owned(), account.to_owned()],
        control_id: control.to_owned(),
        status,
        witness: failed.then(|| WitnessEntry {
            action: "ses:SendRawEmail".to_owned(),
            resource: format!("arn:aws:ses:us-east-1:{account}:identity/example.com"),
            additional_resources: Vec::new(),
            principal_arn: format!("arn:aws:iam::{account}:role/app"),
            context: BTreeMap::from([
                ("ses:ApiVersion".to_owned(), ValueEntry::One("2".to_owned())),
                ("aws:CurrentTime".to_owned(), ValueEntry::One("2026-11-25T00:00:01Z".to_owned())),
            ]),
            send_path: "smtp".to_owned(),
        }),
        witness_text: failed.then(|| "The account can do it. No SCP stops it.".to_owned()),
        cause: failed
            .then(|| format!("statement S of SCP mail {cause} at Root: needs another value")),
        decided_by: if status == StatusEntry::Passed {
            vec![DeciderEntry::Statement(StatementEntry {
                policy_id: policy.id.clone(),
                policy_name: policy.name.clone(),
                target_id: "r-exam".to_owned(),
                sid: Some("S".to_owned()),
                statement_index: 0,
            })]
        } else {
            Vec::new()
        },
        assumptions: Vec::new(),
        obstacles: if status == StatusEntry::Undecided {
            vec![ObstacleEntry {
                message: format!("unknown condition operator `Op{cause}`"),
                policy_id: Some(policy.id.clone()),
                policy_name: Some(policy.name.clone()),
                target_id: None,
                sid: None,
                statement_index: Some(0),
            }]
        } else {
            Vec::new()
        },
        reason: (status == StatusEntry::NotApplicable)
            .then(|| format!("an allowed target: reason {cause}")),
        faults: Vec::new(),
        severity: None,
        policies: vec![policy],
    }
}

/// Everything around the publisher.
pub struct World {
    pub hub: FakeHub,
    pub store: Store,
    pub sent: Sent,
    pub clock: FakeClock,
    pub settings: PublishSettings,
}

impl World {
    /// Findings held by the checker's account.
    pub fn central() -> Self {
        Self::new(&[CHECKER], Some(CHECKER.to_owned()))
    }

    pub fn new(hubs: &[&str], holder: Option<String>) -> Self {
        Self {
            hub: FakeHub::new(REGION, hubs, DELAY),
            store: Store::default(),
            sent: Sent::default(),
            clock: FakeClock::new("2026-11-25T00:00:00Z".parse().unwrap()),
            settings: PublishSettings {
                lifecycle: lifecycle::Settings {
                    holder,
                    region: REGION.to_owned(),
                    refresh_days: lifecycle::Settings::REFRESH_DAYS,
                },
                pace: PaceSettings { share: 1.0, ..PaceSettings::default() },
                digest: true,
            },
        }
    }

    pub fn publisher(&self) -> Publisher<'_, Store, FakeHub, Sent, Sent, FakeClock> {
        Publisher {
            objects: &self.store,
            hub: &self.hub,
            events: &self.sent,
            mailer: &self.sent,
            clock: &self.clock,
            settings: &self.settings,
        }
    }

    /// Puts the facts and results of a run into the bucket, as `evaluate-scps` does.
    pub fn stage(&self, run: &str, model: &Model) -> Vec<Shard> {
        self.stage_with(&model.facts(run), model)
    }

    /// The same with facts of the caller's.
    pub fn stage_with(&self, facts: &RunFacts, model: &Model) -> Vec<Shard> {
        let run = facts.run_id.as_str();
        let written = serde_json::to_vec(facts).unwrap();
        let facts_digest = digest(&written);
        self.store.insert(&objects::facts(run), written);
        let entries = model.decided(facts);
        (0..SHARDS)
            .map(|shard| {
                let inside = |account: &str| shard_of(account, SHARDS) == shard;
                let header = ShardHeader {
                    schema_version: findings::results::SCHEMA_VERSION,
                    run_id: run.to_owned(),
                    shard,
                    shards: SHARDS,
                    facts_digest: facts_digest.clone(),
                    accounts: model
                        .accounts
                        .clone()
                        .into_iter()
                        .filter(|(a, _)| inside(a))
                        .collect(),
                };
                let mut lines = vec![serde_json::to_string(&header).unwrap()];
                let entries = entries.iter().filter(|entry| inside(&entry.account_id));
                lines.extend(entries.map(|entry| serde_json::to_string(entry).unwrap()));
                let bytes = lines.join("\n").into_bytes();
                let key = objects::results(run, shard);
                let pointer = Pointer { digest: digest(&bytes), key };
                self.store.insert(&pointer.key, bytes);
                Shard { run_id: run.to_owned(), shard, shards: SHARDS, results: Some(pointer) }
            })
            .collect()
    }

    /// The active findings: status and digest by id.
    pub fn active(&self) -> BTreeMap<String, (StatusEntry, String)> {
        let findings = self.hub.findings().into_iter();
        findings
            .filter(|(_, stored)| stored.asff["RecordState"] == "ACTIVE")
            .map(|((_, id), stored)| {
                let fields = &stored.asff["ProductFields"];
                let status = serde_json::from_value(fields[asff::fields::STATUS].clone()).unwrap();
                let digest = fields[asff::fields::CONTENT_DIGEST].as_str().unwrap().to_owned();
                (id, (status, digest))
            })
            .collect()
    }
}

#[allow(dead_code, reason = "not every test file draws")]
pub fn pick<T: Clone>(random: &mut Random, items: &[T]) -> T {
    items[random.below(items.len())].clone()
}
