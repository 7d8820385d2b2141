//! `read-exposure`: what is due is planned, batches are read, and the parts brought up to date.
//!
//! A run is one plan, its batches in any order and side by side, and one merge. A merge goes by
//! what is in the bucket: a batch that failed, or never ran, ends as gaps in its part.

use std::collections::{BTreeMap, BTreeSet};

use organization::{AccountId, AccountState};
use serde::{Deserialize, Serialize};
use ses_perimeter::facts::regions;
use tokio::time::Instant;

use super::batch::ReadSettings;
use super::plan::PlanSettings;
use super::ports::SesReader;
use super::run::{BatchError, BatchPorts, BatchProgress, run_batch};
use super::wire::{Batch, READING_VERSION};
use crate::defect::Defect;
use crate::objects;
use crate::ports::{CallError, Clock, Objects};
use crate::stored::{StoredError, read_optional, read_snapshot};
use crate::wire::{Latest, Pointer, SCHEMA_VERSION, digest};

mod merging;
mod planning;

/// How often a conflict over a part is taken up again.
const CONFLICTS: usize = 8;

/// What `read-exposure` is told at deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadExposureSettings {
    /// The bucket's name, for the state machine's map.
    pub bucket: String,
    /// How to read a batch; its margin is kept before the deadline by plans and merges too.
    pub read: ReadSettings,
    /// What is due, and how much of it is a batch.
    pub plan: PlanSettings,
    /// The Regions to read; every one of the partition with an SES endpoint where none are given.
    pub regions: Option<Vec<String>>,
}

/// What an invocation is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ReadExposureInput {
    /// Begin a run: write down what is due, in batches.
    Plan(PlanInput),
    /// Read a batch of the manifest, or go on with it.
    Batch(Batch),
    /// End a run: bring the parts up to date.
    Merge(MergeInput),
}

/// What to plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PlanInput {
    /// 1.
    pub schema_version: u32,
    /// The run; a new one, named for the time, where empty.
    pub run_id: String,
    /// Only these accounts; all active ones where empty.
    pub accounts: Vec<String>,
    /// Read again what is fresh, too.
    pub full: bool,
}

impl Default for PlanInput {
    fn default() -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            run_id: String::new(),
            accounts: Vec::new(),
            full: false,
        }
    }
}

/// What to merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MergeInput {
    /// 1.
    #[serde(default = "crate::wire::current")]
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// Where to begin: 0, or what the last answer said.
    #[serde(default)]
    pub part: u32,
}

/// What an invocation answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Output {
    /// To a plan.
    Plan(Planned),
    /// To a batch.
    Batch(BatchProgress),
    /// To a merge.
    Merge(Merged),
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Planned {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// The bucket, for the state machine's map.
    pub bucket: String,
    /// The batches as a JSON array of [`Batch`].
    pub manifest: Pointer,
    /// How many there are.
    pub batches: u64,
    /// Regions of accounts that are due.
    pub regions: u64,
    /// How many calls they should take.
    pub estimated_calls: u64,
    /// How many seconds they should take one after another.
    pub estimated_seconds: u64,
    /// What a person should know about the plan; sentences without a stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How far a merge is. While `done` is false, `run_id` and `part` are the next input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Merged {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// Whether every part is up to date.
    pub done: bool,
    /// The part to go on with; their number once done.
    pub part: u32,
    /// Accounts in the parts that this invocation brought up to date.
    pub accounts: u64,
    /// Regions of these accounts.
    pub regions: u64,
    /// Of these, those that were not read without a gap.
    pub gaps: u64,
    /// What a person should know about the parts; sentences without a stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Why an invocation failed. The same input may be given again.
#[derive(Debug, thiserror::Error)]
pub enum ReadExposureError {
    /// The input makes no sense.
    #[error("{0}")]
    Input(String),
    /// The input is of another version.
    #[error("the input has version {0}, and this function understands version {SCHEMA_VERSION}")]
    Version(u32),
    /// The settings name a Region without SES, or the partition is not known.
    #[error("{0}")]
    Regions(String),
    /// The latest snapshot cannot be used.
    #[error(transparent)]
    Snapshot(#[from] StoredError),
    /// The run has no manifest.
    #[error("there is no `{key}` in the bucket; plan the run first")]
    NoManifest {
        /// Its key.
        key: String,
    },
    /// The manifest is not what was planned.
    #[error("`{key}` in the bucket is damaged: {reason}; start a new run")]
    Manifest {
        /// Its key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A batch could not be read.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// There is no time to do anything.
    #[error(
        "{left:?} are left and the last {margin:?} are kept for writing; raise the function's \
         timeout"
    )]
    NoTime {
        /// The time to the deadline.
        left: std::time::Duration,
        /// The margin before it.
        margin: std::time::Duration,
    },
    /// Somebody else keeps writing a part.
    #[error("`{key}` keeps changing; let one run end before the next, and try again")]
    Contended {
        /// Its key.
        key: String,
    },
    /// Our own mistake.
    #[error(transparent)]
    Defect(#[from] Defect),
    /// The bucket failed.
    #[error(transparent)]
    Bucket(#[from] CallError),
}

impl ReadExposureError {
    /// Whether the same input may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Bucket(error)
            | Self::Snapshot(StoredError::Call(error))
            | Self::Batch(BatchError::Bucket(error)) => error.is_retryable(),
            Self::Contended { .. } => true,
            Self::Input(_)
            | Self::Version(_)
            | Self::Regions(_)
            | Self::Snapshot(_)
            | Self::NoManifest { .. }
            | Self::Manifest { .. }
            | Self::Batch(_)
            | Self::NoTime { .. }
            | Self::Defect(_) => false,
        }
    }
}

/// Does what one invocation of `read-exposure` is asked for. It ends, or stops where the next one
/// goes on, before `deadline`, as far as the bucket answers within the margin.
///
/// # Errors
/// [`ReadExposureError`]; the same input may be given again.
pub async fn run<R: SesReader, S: Objects, C: Clock>(
    ports: BatchPorts<'_, R, S, C>,
    settings: &ReadExposureSettings,
    input: ReadExposureInput,
    deadline: Instant,
) -> Result<Output, ReadExposureError> {
    let margin = settings.read.margin;
    let no_time = |left| ReadExposureError::NoTime { left, margin };
    let left = deadline.saturating_duration_since(Instant::now());
    if left <= margin {
        return Err(no_time(left));
    }
    let cut = deadline.checked_sub(margin).unwrap_or(deadline);
    let function = Function { objects: ports.objects, clock: ports.clock, settings, cut };
    match input {
        ReadExposureInput::Plan(input) => function.plan(input).await.map(Output::Plan),
        ReadExposureInput::Batch(batch) => {
            check(batch.schema_version, READING_VERSION, &batch.run_id)?;
            let progress = run_batch(ports, &settings.read, &batch, deadline).await?;
            Ok(Output::Batch(progress))
        }
        ReadExposureInput::Merge(input) => function.merge(&input).await.map(Output::Merge),
    }
}

/// What plans and merges work with.
struct Function<'f, S, C> {
    objects: &'f S,
    clock: &'f C,
    settings: &'f ReadExposureSettings,
    /// From here on nothing new begins.
    cut: Instant,
}

/// What the latest snapshot says that is to be read.
struct Places {
    /// The active accounts, in the snapshot's order.
    accounts: Vec<AccountId>,
    /// The Regions of each.
    regions: Vec<String>,
    /// Accounts in another state, with that.
    others: BTreeMap<AccountId, AccountState>,
    partition: String,
}

impl<S: Objects, C: Clock> Function<'_, S, C> {
    fn is_late(&self) -> bool {
        Instant::now() >= self.cut
    }

    async fn places(&self) -> Result<Places, ReadExposureError> {
        let latest: Option<(Latest, _)> = read_optional(self.objects, objects::LATEST).await?;
        let (latest, _) = latest.ok_or_else(StoredError::missing_latest)?;
        let organization = read_snapshot(self.objects, &latest.snapshot).await?;
        let mut places = Places {
            accounts: Vec::new(),
            regions: regions(&organization.partition, self.settings.regions.as_deref())?,
            others: BTreeMap::new(),
            partition: organization.partition.clone(),
        };
        for (_, account) in organization.accounts() {
            if account.state == AccountState::Active {
                places.accounts.push(account.id);
            } else {
                places.others.insert(account.id, account.state);
            }
        }
        Ok(places)
    }

    /// The batches of a run, with the digest of their manifest; none where it has no plan.
    async fn manifest(
        &self,
        run_id: &str,
    ) -> Result<Option<(Vec<Batch>, Pointer)>, ReadExposureError> {
        let key = objects::batches(run_id);
        let Some(object) = self.objects.get(&key).await? else { return Ok(None) };
        let damaged = |reason| ReadExposureError::Manifest { key: key.clone(), reason };
        let text = std::str::from_utf8(&object.bytes).map_err(|e| damaged(e.to_string()))?;
        let batches = Batch::read_manifest(text).map_err(|error| damaged(error.to_string()))?;
        if let Some(strange) = batches.iter().find(|batch| batch.run_id != run_id) {
            return Err(damaged(format!("it has a batch of run `{}`", strange.run_id)));
        }
        let pointer = Pointer { digest: digest(&object.bytes), key };
        Ok(Some((batches, pointer)))
    }
}

/// The Regions to read: those of the settings, or all of the partition.
fn regions(partition: &str, chosen: Option<&[String]>) -> Result<Vec<String>, ReadExposureError> {
    let known = regions::ses(partition).ok_or_else(|| {
        ReadExposureError::Regions(format!(
            "the partition `{partition}` is not in the action table, so nobody can say which \
             Regions to read"
        ))
    })?;
    let Some(chosen) = chosen else {
        return Ok(known.iter().map(|&region| region.to_owned()).collect());
    };
    if let Some(strange) = chosen.iter().find(|region| !known.contains(&region.as_str())) {
        return Err(ReadExposureError::Regions(format!(
            "`{strange}` is no Region of `{partition}` with an SES endpoint; name others, or none \
             to read them all"
        )));
    }
    let mut seen = BTreeSet::new();
    Ok(chosen.iter().filter(|region| seen.insert(region.as_str())).cloned().collect())
}

/// Refuses an input of another version, and a run whose keys would be those of something else.
fn check(version: u32, understood: u32, run_id: &str) -> Result<(), ReadExposureError> {
    if version != understood {
        return Err(ReadExposureError::Version(version));
    }
    let run_id = objects::usable_run_id(run_id);
    let run_id = run_id.map_err(|error| ReadExposureError::Input(error.to_string()))?;
    if run_id == objects::EXPOSURE_LATEST {
        let message = format!("the run id `{run_id}` is taken by the parts; give another");
        return Err(ReadExposureError::Input(message));
    }
    Ok(())
}
