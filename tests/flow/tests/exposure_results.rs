//! `evaluate-scps` with what was read in the accounts: verdicts, severities, what is too old.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;

use findings::results::{ResultEntry, ShardResults, StatusEntry};
use findings::run::{RunFacts, SeverityLabel};
use flow::clock::FakeClock;
use flow::objects::FakeBucket;
use jiff::Timestamp;
use pipeline::evaluate::{self, EvaluateError, EvaluateSettings};
use pipeline::objects;
use pipeline::ports::Objects;
use pipeline::reading::part_of;
use pipeline::wire::{EvaluateInput, Evaluated, Scope, Shard};
use serde_json::{Value, json};
use support::organization::Snapshot;

/// Two Regions have SES there, so an account is soon read.
const PARTITION: &str = "aws-us-gov";
const REGIONS: [&str; 2] = ["us-gov-west-1", "us-gov-east-1"];
const MANAGEMENT: &str = "111111111111";
const ACCOUNTS: [&str; 5] =
    [MANAGEMENT, "222222222222", "333333333333", "444444444444", "555555555555"];
const READ_AT: &str = "2026-11-23T06:00:00Z";

struct World {
    bucket: FakeBucket,
    clock: FakeClock,
    settings: EvaluateSettings,
}

impl World {
    fn new() -> Self {
        let now: Timestamp = "2026-11-23T07:00:00Z".parse().unwrap();
        let world = Self {
            bucket: FakeBucket::default(),
            clock: FakeClock::new(now),
            settings: EvaluateSettings {
                bucket: "bucket".to_owned(),
                shards: 3,
                trusted_recipients: vec!["*@example.com".to_owned()],
                tool_version: "0.0.0".to_owned(),
                exposure_hours: Some(72),
                steps: evaluate::DEFAULT_STEPS,
            },
        };
        let mut snapshot = Snapshot::of("o-exampleorg1", "r-exam", MANAGEMENT);
        for id in ACCOUNTS {
            snapshot.account(id, id, "r-exam");
        }
        snapshot.full_access().0["partition"] = json!(PARTITION);
        world.bucket.set_latest(&snapshot.to_string());
        world
    }

    /// Puts what was read in an account into its part.
    fn read(&self, account: &str, read_at: &str, first: &Value) {
        let part = part_of(account.parse().unwrap());
        let mut regions = REGIONS.map(|region| {
            json!({"region": region, "status": "read",
            "sending": sending(false, true), "sentLastTwoWeeks": 0, "identities": [],
            "mailManager": {"available": false}, "vpcEndpoints": []})
        });
        for (field, value) in first.as_object().unwrap() {
            regions[0][field] = value.clone();
        }
        let times: BTreeMap<&str, &str> = REGIONS.iter().map(|region| (*region, read_at)).collect();
        let head = json!({"schemaVersion": 1, "part": part, "readAt": {account: times}});
        let section = json!({"exposureVersion": 1, "accounts": [
            {"account": account, "readAt": read_at, "regions": regions}
        ]});
        self.bucket.set(&objects::exposure_part(part), &format!("{head}\n{section}\n"));
    }

    async fn evaluate(&self, scope: Scope) -> Result<Evaluated, EvaluateError> {
        let input = EvaluateInput::ByHand(scope);
        evaluate::run(&self.bucket, &self.clock, &self.settings, input).await
    }

    /// Account to control to result.
    async fn results(&self) -> BTreeMap<String, BTreeMap<String, ResultEntry>> {
        let evaluated = self.evaluate(Scope::default()).await.unwrap();
        let mut found: BTreeMap<String, BTreeMap<String, ResultEntry>> = BTreeMap::new();
        for Shard { results, .. } in evaluated.shards {
            let object = self.bucket.get(&results.unwrap().key).await.unwrap().unwrap();
            for entry in ShardResults::read(object.bytes).unwrap().entries() {
                let account = found.entry(entry.account_id.clone()).or_default();
                account.insert(entry.control_id.clone(), entry);
            }
        }
        found
    }

    async fn facts(&self) -> RunFacts {
        let evaluated = self.evaluate(Scope::default()).await.unwrap();
        let object = self.bucket.get(&objects::facts(&evaluated.run_id)).await.unwrap().unwrap();
        serde_json::from_slice(&object.bytes).unwrap()
    }
}

fn sending(production: bool, enabled: bool) -> Value {
    json!({"enabled": enabled, "productionAccess": production, "enforcementStatus": "HEALTHY",
        "quota": {"max24Hour": 200, "maxSendRate": 1, "sentLast24Hours": 0}})
}

fn severity(entry: &ResultEntry) -> (&str, SeverityLabel) {
    let graded = entry.severity.as_ref().unwrap();
    (&graded.level, graded.label)
}

#[tokio::test]
async fn each_level_makes_its_severity_and_what_was_not_read_changes_none() {
    let world = World::new();
    world.read(MANAGEMENT, READ_AT, &json!({}));
    world.read("222222222222", READ_AT, &json!({"sentLastTwoWeeks": 9}));
    world.read("333333333333", READ_AT, &json!({"sending": sending(true, true)}));
    world.read("444444444444", READ_AT, &json!({"sending": sending(true, false)}));
    let results = world.results().await;
    let high = |account: &str| severity(&results[account]["SESDP.8"]);
    assert_eq!(high("222222222222"), ("SENDING", SeverityLabel::Critical));
    assert_eq!(high("333333333333"), ("PRODUCTION", SeverityLabel::High));
    assert_eq!(high("444444444444"), ("PAUSED", SeverityLabel::Medium));
    assert_eq!(high("555555555555"), ("UNKNOWN", SeverityLabel::High));
    let status = |account: &str, control: &str| results[account][control].status;
    assert_eq!(status(MANAGEMENT, "SESDP.23"), StatusEntry::Passed);
    for control in ["SESDP.19", "SESDP.20", "SESDP.21", "SESDP.22"] {
        assert_eq!(status("222222222222", control), StatusEntry::Passed, "{control}");
        assert_eq!(status("555555555555", control), StatusEntry::Undecided, "{control}");
    }
}

#[tokio::test]
async fn what_is_too_old_does_not_count() {
    let world = World::new();
    world.read("222222222222", "2026-11-20T06:59:59Z", &json!({"sentLastTwoWeeks": 9}));
    world.read("333333333333", "2026-11-20T07:00:00Z", &json!({"sentLastTwoWeeks": 9}));
    world.read("444444444444", "2026-11-23T07:00:01Z", &json!({"sentLastTwoWeeks": 9}));
    let results = world.results().await;
    let (old, young) = (&results["222222222222"], &results["333333333333"]);
    assert_eq!(severity(&old["SESDP.8"]).0, "UNKNOWN");
    assert_eq!(old["SESDP.22"].status, StatusEntry::Undecided);
    let why = &old["SESDP.22"].obstacles[0].message;
    assert!(why.contains("2026-11-20T06:59:59Z") && why.contains("72 hours"), "{why}");
    assert_eq!(severity(&young["SESDP.8"]).0, "SENDING");
    assert_eq!(young["SESDP.22"].status, StatusEntry::Passed);
    // A clock that is a second ahead is no reason to throw a reading away.
    assert_eq!(results["444444444444"]["SESDP.22"].status, StatusEntry::Passed);
}

#[tokio::test]
async fn a_damaged_part_leaves_its_accounts_open_and_is_named() {
    let world = World::new();
    let key = objects::exposure_part(part_of("222222222222".parse().unwrap()));
    world.bucket.set(&key, "{");
    world.read("333333333333", READ_AT, &json!({}));
    let results = world.results().await;
    let found = &results["222222222222"]["SESDP.19"];
    assert_eq!(found.status, StatusEntry::Undecided);
    assert!(found.obstacles[0].message.contains(&key), "{:?}", found.obstacles);
    assert_eq!(results["333333333333"]["SESDP.19"].status, StatusEntry::Passed);
}

#[tokio::test]
async fn where_nobody_reads_accounts_the_controls_about_them_are_not_there() {
    let mut world = World::new();
    world.read("222222222222", READ_AT, &json!({"sentLastTwoWeeks": 9}));
    assert!(world.facts().await.enabled.contains("SESDP.19"));
    world.settings.exposure_hours = None;
    assert!(!world.facts().await.enabled.contains("SESDP.19"), "or its findings would stay");
    let results = world.results().await;
    assert_eq!(results["222222222222"].len(), 19);
    assert!(results["222222222222"].values().all(|entry| entry.severity.is_none()));
    let asked = Scope { controls: vec!["SESDP.19".to_owned()], ..Scope::default() };
    let error = world.evaluate(asked).await.unwrap_err();
    assert!(error.to_string().contains("`Exposure`"), "{error}");
}
