//! `read-exposure` with its fakes, as tests run it.

use std::collections::BTreeMap;
use std::time::Duration;

use exposure::RegionStatus;
use jiff::Timestamp;
use pipeline::objects;
use pipeline::ports::Objects;
use pipeline::reading::function::{
    MergeInput, Merged, Output, PlanInput, Planned, ReadExposureError, ReadExposureInput,
    ReadExposureSettings, run,
};
use pipeline::reading::{
    Batch, BatchPorts, CallSettings, PARTS, PlanSettings, ReadSettings, Reading, read_part,
};
use pipeline::snapshot::{PolicyType, Root, SCP, Snapshot, SnapshotAccount, SnapshotHead};
use pipeline::wire::{SCHEMA_VERSION, digest};
use tokio::time::Instant;

use crate::clock::FakeClock;
use crate::objects::FakeBucket;
use crate::ses::{FakeSes, Mix, account_id};

/// All the time in the world.
pub const LONG: Duration = Duration::from_secs(1_000_000);

/// Statuses by account and Region.
pub type Statuses = BTreeMap<String, BTreeMap<String, RegionStatus>>;

/// An organization of middling size.
pub const MIX: Mix = Mix {
    accounts: 200,
    regions: 5,
    all_on: false,
    using_percent: 30,
    used_regions: 2,
    identities: 5,
    mail_manager_percent: 50,
};

/// Says which Region differs, rather than printing all of them.
#[track_caller]
pub fn assert_same(found: &Statuses, expected: &Statuses) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (account, regions) in expected {
        for (region, status) in regions {
            assert_eq!(found[account].get(region), Some(status), "{account} {region}");
        }
        assert_eq!(found[account].len(), regions.len(), "{account}");
    }
}

/// Accounts, a bucket with their snapshot, and the settings of the function.
pub struct Exposing {
    /// SES in the accounts.
    pub ses: FakeSes,
    /// The bucket.
    pub bucket: FakeBucket,
    /// The time of day.
    pub clock: FakeClock,
    /// The function's settings.
    pub settings: ReadExposureSettings,
}

impl Exposing {
    /// The accounts of a mix, all of them active, in as many Regions of `aws`.
    #[must_use]
    pub fn new(mix: &Mix, seed: u64) -> Self {
        let regions = ses_perimeter::facts::regions::ses("aws").unwrap_or_default();
        let regions: Vec<String> =
            regions.iter().take(mix.regions).map(|&region| region.to_owned()).collect();
        let account = |number| {
            let made = mix.account(seed, number).into_values();
            (account_id(number), regions.iter().cloned().zip(made).collect())
        };
        let calls = CallSettings { retries: 14, reconnects: 14, seed, ..CallSettings::default() };
        let exposing = Self {
            ses: FakeSes::around((0..mix.accounts).map(account).collect()),
            bucket: FakeBucket::default(),
            clock: FakeClock::new(Timestamp::from_second(1_795_000_000).unwrap_or_default()),
            settings: ReadExposureSettings {
                bucket: "bucket".to_owned(),
                read: ReadSettings {
                    calls,
                    margin: Duration::from_secs(1),
                    ..ReadSettings::default()
                },
                plan: PlanSettings { most_regions: 100, ..PlanSettings::default() },
                regions: Some(regions),
            },
        };
        let states: Vec<_> = (0..mix.accounts).map(|n| (account_id(n), "ACTIVE")).collect();
        exposing.organization("aws", &states);
        exposing
    }

    /// Makes these accounts with their states the latest snapshot.
    pub fn organization(&self, partition: &str, accounts: &[(String, &str)]) {
        let enabled = PolicyType { kind: SCP.to_owned(), status: "ENABLED".to_owned() };
        let snapshot = Snapshot {
            schema_version: 1,
            fetched_at: "2026-11-23T00:00:00Z".to_owned(),
            oldest_content_at: None,
            partition: partition.to_owned(),
            organization: SnapshotHead {
                id: "o-exampleorg1".to_owned(),
                management_account_id: account_id(0),
                feature_set: Some("ALL".to_owned()),
            },
            root: Root {
                id: "r-ab12".to_owned(),
                name: "Root".to_owned(),
                policy_types: vec![enabled],
            },
            organizational_units: Vec::new(),
            accounts: accounts
                .iter()
                .map(|(id, state)| SnapshotAccount {
                    id: id.clone(),
                    name: id.clone(),
                    email: String::new(),
                    state: (*state).to_owned(),
                    parent_id: "r-ab12".to_owned(),
                })
                .collect(),
            policies: Vec::new(),
            attachments: Vec::new(),
            gaps: Vec::new(),
        };
        let text = serde_json::to_string(&snapshot).unwrap_or_default();
        self.bucket.set_latest(&text);
    }

    /// One invocation through this bucket with this much time to its deadline.
    ///
    /// # Errors
    /// As the function.
    pub async fn through<S: Objects>(
        &self,
        bucket: &S,
        input: ReadExposureInput,
        time: Duration,
    ) -> Result<Output, ReadExposureError> {
        let ports = BatchPorts { reader: &self.ses, objects: bucket, clock: &self.clock };
        // A new process has no sessions.
        self.ses.close();
        run(ports, &self.settings, input, Instant::now() + time).await
    }

    /// Plans a run.
    ///
    /// # Errors
    /// As the function.
    pub async fn plan(&self, input: PlanInput) -> Result<Planned, ReadExposureError> {
        match self.through(&self.bucket, ReadExposureInput::Plan(input), LONG).await? {
            Output::Plan(planned) => Ok(planned),
            other @ (Output::Batch(_) | Output::Merge(_)) => {
                Err(ReadExposureError::Input(format!("answered {other:?}")))
            }
        }
    }

    /// Plans everything that is due.
    ///
    /// # Errors
    /// As the function.
    pub async fn plan_all(&self, run_id: &str) -> Result<Planned, ReadExposureError> {
        self.plan(PlanInput { run_id: run_id.to_owned(), ..PlanInput::default() }).await
    }

    /// The batches that were planned.
    #[must_use]
    pub fn batches(&self, planned: &Planned) -> Vec<Batch> {
        let text = self.bucket.text(&planned.manifest.key).unwrap_or_default();
        let sound = digest(text.as_bytes()) == planned.manifest.digest;
        Batch::read_manifest(&text).ok().filter(|_| sound).unwrap_or_default()
    }

    /// Reads a batch to its end, in invocations of `time`.
    ///
    /// # Errors
    /// As the function.
    pub async fn read(&self, batch: &Batch, time: Duration) -> Result<(), ReadExposureError> {
        loop {
            let input = ReadExposureInput::Batch(batch.clone());
            match self.through(&self.bucket, input, time).await? {
                Output::Batch(progress) if progress.done => return Ok(()),
                Output::Batch(_) => {}
                other @ (Output::Plan(_) | Output::Merge(_)) => {
                    return Err(ReadExposureError::Input(format!("answered {other:?}")));
                }
            }
        }
    }

    /// One invocation of a merge.
    ///
    /// # Errors
    /// As the function.
    pub async fn merge_through<S: Objects>(
        &self,
        bucket: &S,
        run_id: &str,
        part: u32,
        time: Duration,
    ) -> Result<Merged, ReadExposureError> {
        let run_id = run_id.to_owned();
        let input = MergeInput { schema_version: SCHEMA_VERSION, run_id, part };
        match self.through(bucket, ReadExposureInput::Merge(input), time).await? {
            Output::Merge(merged) => Ok(merged),
            other @ (Output::Plan(_) | Output::Batch(_)) => {
                Err(ReadExposureError::Input(format!("answered {other:?}")))
            }
        }
    }

    /// Merges a run in one go.
    ///
    /// # Errors
    /// As the function.
    pub async fn merge(&self, run_id: &str) -> Result<Merged, ReadExposureError> {
        self.merge_through(&self.bucket, run_id, 0, LONG).await
    }

    /// A whole run.
    ///
    /// # Errors
    /// As the function.
    pub async fn run(&self, input: PlanInput) -> Result<(Planned, Merged), ReadExposureError> {
        let planned = self.plan(input).await?;
        for batch in self.batches(&planned) {
            self.read(&batch, LONG).await?;
        }
        let merged = self.merge(&planned.run_id).await?;
        Ok((planned, merged))
    }

    /// What the parts say; a damaged one says nothing.
    pub async fn known(&self) -> Reading {
        let mut known = Reading::default();
        for part in 0..PARTS {
            let part = read_part(&self.bucket, part).await.unwrap_or_default();
            known.exposure.accounts.extend(part.exposure.accounts);
            known.times.accounts.extend(part.times.accounts);
        }
        known
    }

    /// What the parts say, to compare with the truth.
    pub async fn statuses(&self) -> Statuses {
        let accounts = self.known().await.exposure.accounts.into_iter().map(|account| {
            let regions = account.regions.into_iter().map(|region| (region.region, region.status));
            (account.account.to_string(), regions.collect())
        });
        accounts.collect()
    }

    /// The parts as they stand in the bucket.
    #[must_use]
    pub fn parts(&self) -> Vec<Option<String>> {
        (0..PARTS).map(|part| self.bucket.text(&objects::exposure_part(part))).collect()
    }
}
