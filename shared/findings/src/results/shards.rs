//! The results of some accounts of a run, as one function hands them to the next.
//!
//! The first line is a [`ShardHeader`], every further line a [`ResultEntry`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::ops::Range;

use organization::AccountState;
use serde::{Deserialize, Serialize};
use ses_perimeter::control::ControlId;
use ses_perimeter::report::Row;

use super::{ResultBuilder, ResultEntry, SCHEMA_VERSION, Summary};

/// What a file of results is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShardHeader {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// The number of the shard.
    pub shard: u32,
    /// How many shards the run has.
    pub shards: u32,
    /// The digest of the run's facts, which stand in an object of their own; empty in results of
    /// versions that did not write it.
    #[serde(default)]
    pub facts_digest: String,
    /// Every account of the snapshot that belongs to the shard, whether or not it was decided,
    /// with its state as Organizations spells it. What is not here has left the organization.
    pub accounts: BTreeMap<String, String>,
}

impl ShardHeader {
    /// Whether the account is in a state in which it cannot call anything.
    #[must_use]
    pub fn is_closed(&self, account: &str) -> bool {
        let state = self.accounts.get(account).and_then(|name| AccountState::from_name(name));
        state.is_some_and(|state| !state.can_send())
    }
}

/// A file of results. Its lines stay text until one is asked for: ten thousand entries take a
/// multiple of the memory of their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardResults {
    /// Its first line.
    pub header: ShardHeader,
    text: Vec<u8>,
    /// Where the others are in the text.
    lines: Vec<Range<usize>>,
}

/// Why a file of results is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ReadShardError {
    /// A line is no JSON of the expected shape.
    #[error("line {line} of the results cannot be read")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// There is not even a first line.
    #[error("the results are empty; even a shard without accounts has a first line")]
    Empty,
    /// Written by another version.
    #[error("the results have version {0}, and this program reads version {SCHEMA_VERSION}")]
    Version(u32),
    /// A line says something that cannot be.
    #[error("line {line} of the results: {what}")]
    Content {
        /// From 1.
        line: usize,
        /// A sentence without a stop.
        what: String,
    },
}

/// Writes the results of `rows`, one line a cell, after their header.
///
/// The bytes of a shard without accounts are not empty either: the header says so. Returns how
/// many cells have each status; a witness that does not replay counts as undecided.
///
/// # Errors
/// Those of the writer.
pub fn write_shard<'r>(
    out: &mut dyn Write,
    header: &ShardHeader,
    maker: &mut ResultBuilder<'_>,
    rows: impl IntoIterator<Item = &'r Row>,
) -> io::Result<Summary> {
    serde_json::to_writer(&mut *out, header)?;
    out.write_all(b"\n")?;
    let mut summary = Summary::default();
    for row in rows {
        for cell in row.all() {
            let entry = maker.entry(row, cell);
            summary.count(entry.status.into());
            serde_json::to_writer(&mut *out, &entry)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(summary)
}

impl ShardResults {
    /// Reads what [`write_shard`] wrote.
    ///
    /// # Errors
    /// [`ReadShardError`] for anything that `write_shard` would not have written: nothing is
    /// skipped, since what is missing here might be taken for gone.
    pub fn read(text: Vec<u8>) -> Result<Self, ReadShardError> {
        let mut start = 0;
        let ranges = text.split(|byte| *byte == b'\n').map(|line| {
            let range = start..start + line.len();
            start = range.end + 1;
            (range, line)
        });
        let mut lines = ranges.zip(1..).filter(|((range, _), _)| !range.is_empty());
        let ((_, first), line) = lines.next().ok_or(ReadShardError::Empty)?;
        let header: ShardHeader = serde_json::from_slice(first)
            .map_err(|source| ReadShardError::Line { line, source })?;
        if header.schema_version != SCHEMA_VERSION {
            return Err(ReadShardError::Version(header.schema_version));
        }
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        for ((range, text), line) in lines {
            let entry: ResultEntry = serde_json::from_slice(text)
                .map_err(|source| ReadShardError::Line { line, source })?;
            let wrong = |what: String| ReadShardError::Content { line, what };
            if !header.accounts.contains_key(&entry.account_id) {
                return Err(wrong(format!("the header lacks account `{}`", entry.account_id)));
            }
            let control = ControlId::parse(&entry.control_id)
                .filter(|control| control.to_string() == entry.control_id)
                .ok_or_else(|| wrong(format!("there is no control `{}`", entry.control_id)))?;
            if !seen.insert((entry.account_id.clone(), control)) {
                let what = format!("{control} of account `{}` is there twice", entry.account_id);
                return Err(wrong(what));
            }
            entries.push(range);
        }
        Ok(Self { header, lines: entries, text })
    }

    /// The entry at this position, from 0; none behind the last.
    #[must_use]
    pub fn entry(&self, position: usize) -> Option<ResultEntry> {
        let line = self.text.get(self.lines.get(position)?.clone())?;
        // Every line was read once before.
        serde_json::from_slice(line).ok()
    }

    /// All entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = ResultEntry> {
        (0..self.lines.len()).filter_map(|position| self.entry(position))
    }
}
