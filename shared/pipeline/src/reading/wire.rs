//! Batches, checkpoints and times as they stand in the bucket.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::draft::RegionDraft;
use super::ports::RegionState;

/// The version of these shapes.
pub const READING_VERSION: u32 = 1;

/// Why an object is not what this program wrote.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A line, or the whole, is not what it should be.
    #[error("line {line} cannot be read: {source}")]
    Shape {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It is of another version.
    #[error("line {line} has version {version}, and this program understands {READING_VERSION}")]
    Version {
        /// The number of the line, from 1.
        line: usize,
        /// Its version.
        version: u32,
    },
    /// A manifest is no array of batches.
    #[error("the manifest cannot be read: {source}")]
    Manifest {
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An item of a manifest is of another version.
    #[error("item {item} has version {version}, and this program understands {READING_VERSION}")]
    Item {
        /// The number of the item, from 0.
        item: usize,
        /// Its version.
        version: u32,
    },
}

/// What one child of a distributed run reads: one item of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// The number of the batch, from 0.
    pub batch: u32,
    /// How many batches the run has.
    pub batches: u32,
    /// When the run was planned, RFC 3339. What was read after that is newer than its failures.
    pub planned_at: String,
    /// What to read; no account and Region is in two batches of a run.
    pub accounts: Vec<BatchAccount>,
    /// How many calls it should take.
    pub estimated_calls: u64,
    /// How many seconds it should take at most while nothing fails.
    pub estimated_seconds: u64,
}

/// Regions of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchAccount {
    /// Twelve digits.
    pub account: String,
    /// For instance `us-east-1`.
    pub regions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    schema_version: u32,
}

pub(super) fn read_line<T: for<'de> Deserialize<'de>>(
    line: usize,
    text: &str,
) -> Result<T, WireError> {
    let shape = |source| WireError::Shape { line, source };
    let version = serde_json::from_str::<Versioned>(text).map_err(shape)?.schema_version;
    if version != READING_VERSION {
        return Err(WireError::Version { line, version });
    }
    serde_json::from_str(text).map_err(shape)
}

impl Batch {
    /// A manifest: a JSON array, for the item reader of a Distributed Map.
    ///
    /// # Errors
    /// None that input can reach.
    pub fn manifest(batches: &[Self]) -> Result<String, serde_json::Error> {
        serde_json::to_string(batches)
    }

    /// The batches of a manifest.
    ///
    /// # Errors
    /// [`WireError`] where it is no array, or an item is no batch of this version.
    pub fn read_manifest(text: &str) -> Result<Vec<Self>, WireError> {
        let shape = |source| WireError::Manifest { source };
        let versions: Vec<Versioned> = serde_json::from_str(text).map_err(shape)?;
        let other = versions.iter().map(|item| item.schema_version).enumerate();
        if let Some((item, version)) = other.into_iter().find(|(_, v)| *v != READING_VERSION) {
            return Err(WireError::Item { item, version });
        }
        serde_json::from_str(text).map_err(shape)
    }
}

/// When each Region of each account was last read, so that a later run can tell what is due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// Account to Region to a moment in RFC 3339.
    pub accounts: BTreeMap<String, BTreeMap<String, String>>,
}

/// What is still to be read of a batch: the checkpoint between two invocations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchCheckpoint {
    pub(super) schema_version: u32,
    pub(super) run_id: String,
    pub(super) batch: u32,
    /// Invocations before the next.
    pub(super) invocations: u32,
    pub(super) accounts: Vec<AccountWork>,
}

/// What is still to be read of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AccountWork {
    pub(super) account: String,
    /// When reading began, RFC 3339.
    pub(super) started: Option<String>,
    /// Its Regions, once they were listed.
    pub(super) states: Option<BTreeMap<String, RegionState>>,
    /// Region to what was read of it so far.
    pub(super) regions: BTreeMap<String, RegionDraft>,
}

impl BatchCheckpoint {
    /// All of a batch.
    #[must_use]
    pub fn begin(batch: &Batch) -> Self {
        let account = |account: &BatchAccount| AccountWork {
            account: account.account.clone(),
            started: None,
            states: None,
            regions: account.regions.iter().map(|r| (r.clone(), RegionDraft::default())).collect(),
        };
        Self {
            schema_version: batch.schema_version,
            run_id: batch.run_id.clone(),
            batch: batch.batch,
            invocations: 0,
            accounts: batch.accounts.iter().map(account).collect(),
        }
    }

    /// Nothing any more, after so many invocations.
    pub(super) fn ended(batch: &Batch, invocations: u32) -> Self {
        Self {
            schema_version: batch.schema_version,
            run_id: batch.run_id.clone(),
            batch: batch.batch,
            invocations,
            accounts: Vec::new(),
        }
    }

    /// How many invocations there were before the next; it numbers what the next one reads.
    #[must_use]
    pub const fn invocations(&self) -> u32 {
        self.invocations
    }

    /// How many Regions of accounts are not finished.
    #[must_use]
    pub fn regions(&self) -> usize {
        self.accounts.iter().map(|account| account.regions.len()).sum()
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`WireError`] for another shape or version.
    pub fn read(text: &str) -> Result<Self, WireError> {
        read_line(1, text)
    }
}
