//! One invocation over a batch, with its checkpoint in the bucket.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::batch::{BatchRead, ReadError, ReadSettings, read_batch};
use super::merge::BatchOutcome;
use super::ports::SesReader;
use super::wire::{Batch, BatchCheckpoint, READING_VERSION, WireError};
use crate::defect::{Defect, to_json};
use crate::objects;
use crate::ports::{CallError, Clock, Condition, Objects};

/// What an invocation works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPorts<'p, R, S, C> {
    /// AWS in the accounts.
    pub reader: &'p R,
    /// The bucket.
    pub objects: &'p S,
    /// The time of day.
    pub clock: &'p C,
}

/// What an invocation did; while `done` is false the same batch is given again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchProgress {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// The number of the batch.
    pub batch: u32,
    /// Whether all of it is read.
    pub done: bool,
    /// Regions of accounts that are left.
    pub regions_left: u64,
    /// Calls of this invocation, repeated ones included.
    pub calls: u64,
    /// Of these, throttled ones.
    pub throttled: u64,
}

/// Why an invocation failed; the same batch may be given again.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The batch makes no sense.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The checkpoint is not what this program wrote.
    #[error("`{key}` in the bucket is damaged: {source}; remove it, and the batch starts again")]
    Damaged {
        /// Its key.
        key: String,
        /// What is wrong with it.
        source: WireError,
    },
    /// Our own mistake.
    #[error(transparent)]
    Defect(#[from] Defect),
    /// The bucket failed.
    #[error(transparent)]
    Bucket(#[from] CallError),
}

/// Reads a batch from where its last invocation stopped, and writes what it read, then what is
/// left. One that stops between the two reads the same again and writes it over; one whose answer
/// was lost changes nothing when the batch is given again.
///
/// # Errors
/// [`BatchError`].
pub async fn run_batch<R: SesReader, S: Objects, C: Clock>(
    ports: BatchPorts<'_, R, S, C>,
    settings: &ReadSettings,
    batch: &Batch,
    deadline: Instant,
) -> Result<BatchProgress, BatchError> {
    let key = objects::batch_work(&batch.run_id, batch.batch);
    let work = match ports.objects.get(&key).await? {
        None => BatchCheckpoint::begin(batch),
        Some(object) => BatchCheckpoint::read(&String::from_utf8_lossy(&object.bytes))
            .map_err(|source| BatchError::Damaged { key: key.clone(), source })?,
    };
    if work.regions() == 0 && work.invocations() > 0 {
        return Ok(progress(batch, &work, crate::pace::CallTally::default()));
    }
    let invocation = work.invocations();
    let read = read_batch(ports.reader, ports.clock, settings, work, deadline).await?;
    let BatchRead { section, rest, tally } = read;
    let at = objects::batch_section(&batch.run_id, batch.batch, invocation);
    let text = to_json(&at, &exposure::wire::WireSection::from(&section))?;
    ports.objects.put(&at, text, Condition::Always).await?;
    let rest = rest.unwrap_or_else(|| BatchCheckpoint::ended(batch, invocation + 1));
    ports.objects.put(&key, to_json(&key, &rest)?, Condition::Always).await?;
    Ok(progress(batch, &rest, tally))
}

fn progress(batch: &Batch, work: &BatchCheckpoint, tally: crate::pace::CallTally) -> BatchProgress {
    BatchProgress {
        schema_version: READING_VERSION,
        run_id: batch.run_id.clone(),
        batch: batch.batch,
        done: work.regions() == 0,
        regions_left: u64::try_from(work.regions()).unwrap_or(u64::MAX),
        calls: tally.calls,
        throttled: tally.throttled,
    }
}

/// What became of a batch by what is in the bucket, whatever the state machine says of it.
///
/// A section that cannot be read makes the batch a failed one: its Regions are gaps then.
///
/// # Errors
/// [`CallError`] where the bucket fails.
pub async fn outcome<S: Objects>(bucket: &S, batch: &Batch) -> Result<BatchOutcome, CallError> {
    let key = objects::batch_work(&batch.run_id, batch.batch);
    let failed = |sections, reason: String| BatchOutcome::Failed { sections, reason };
    let Some(object) = bucket.get(&key).await? else {
        return Ok(failed(Vec::new(), "no invocation of it ended".to_owned()));
    };
    let work = match BatchCheckpoint::read(&String::from_utf8_lossy(&object.bytes)) {
        Ok(work) => work,
        Err(error) => return Ok(failed(Vec::new(), format!("`{key}` is damaged: {error}"))),
    };
    let mut sections = Vec::new();
    for invocation in 0..work.invocations() {
        let key = objects::batch_section(&batch.run_id, batch.batch, invocation);
        let Some(object) = bucket.get(&key).await? else {
            return Ok(failed(sections, format!("`{key}` is not in the bucket")));
        };
        match exposure::read(&String::from_utf8_lossy(&object.bytes)) {
            Ok(section) => sections.push(section),
            Err(error) => return Ok(failed(sections, format!("`{key}` is damaged: {error}"))),
        }
    }
    if work.regions() > 0 {
        let (left, invocations) = (work.regions(), work.invocations());
        let reason = format!("{left} Regions were left after {invocations} invocations");
        return Ok(failed(sections, reason));
    }
    Ok(BatchOutcome::Read(sections))
}
