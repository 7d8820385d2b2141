//! The record of what was published.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::asff::{account_of, control_of, title};
use crate::results::StatusEntry;

/// The version of the shape.
const SCHEMA_VERSION: u32 = 1;

/// What was published of one shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// 1.
    pub schema_version: u32,
    /// The organization.
    pub organization_id: String,
    /// Every finding by its id, archived ones too until Security Hub forgets them.
    pub findings: BTreeMap<String, Entry>,
    /// What the last run did.
    pub tally: ShardTally,
    /// When the newest results were evaluated that were published, RFC 3339: older ones are not any
    /// more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluated_at: Option<String>,
    /// Where rebuilding the record from Security Hub goes on; none where it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuilding: Option<String>,
    /// Whether it was rebuilt over findings that were there: archived ones may be there too, and
    /// nobody knows them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rebuilt: bool,
    /// Accounts that refuse to hold findings, by id. Each is asked again by every run that has
    /// something to write there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given_up: BTreeMap<String, GivenUp>,
}

/// That an account refuses to hold its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GivenUp {
    /// The run that was refused first.
    pub run_id: String,
    /// When that was, RFC 3339.
    pub since: String,
    /// Whether the account is closed, suspended or not in the organization any more.
    pub closed: bool,
    /// The error code of the last refusal.
    pub code: String,
    /// Its message.
    pub reason: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// The account's name, for the day on which nobody else knows it.
    pub account_name: String,
    /// `CreatedAt`, for ever.
    pub created_at: String,
    /// What Security Hub has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<FindingState>,
    /// What was going to be sent; nobody knows whether it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intended>,
    /// Whether its workflow is still to be resolved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resolve: bool,
}

/// One state of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindingState {
    /// The verdict.
    pub status: StatusEntry,
    /// The digest of what a reader acts on; empty for an archived one.
    pub digest: String,
    /// Whether it is archived.
    pub archived: bool,
    /// `UpdatedAt`.
    pub updated_at: String,
    /// `FirstObservedAt`.
    pub first_observed_at: String,
    /// The time of day when it was written, from which retention counts.
    pub written_at: String,
}

/// A state on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Intended {
    /// The state.
    #[serde(flatten)]
    pub state: FindingState,
    /// Whether the workflow is to be resolved once it is there.
    pub resolve: bool,
}

/// What a run did to a shard, over all invocations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShardTally {
    /// The run.
    pub run_id: String,
    /// Findings written.
    pub written: u64,
    /// Findings archived.
    pub archived: u64,
    /// Findings whose workflow was resolved.
    pub resolved: u64,
    /// Verdicts that changed, in order.
    pub changes: Vec<Change>,
    /// How many of these were announced, from the first.
    pub announced: usize,
}

/// A verdict that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// The run that noticed.
    pub run_id: String,
    /// The finding.
    pub finding_id: String,
    /// The account.
    pub account_id: String,
    /// Its name.
    pub account_name: String,
    /// The control.
    pub control_id: String,
    /// The status before; none for a new finding or one that comes back from the archive.
    pub before: Option<StatusEntry>,
    /// The status now; none where the finding was archived.
    pub after: Option<StatusEntry>,
    /// The title.
    pub title: String,
}

/// A finding as Security Hub shows it, to start a record from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The id.
    pub id: String,
    /// The account's name.
    pub account_name: String,
    /// The verdict, from `ProductFields`.
    pub status: StatusEntry,
    /// The digest, from `ProductFields`; empty where it has none.
    pub digest: String,
    /// `CreatedAt`.
    pub created_at: String,
    /// `UpdatedAt`.
    pub updated_at: String,
    /// `FirstObservedAt`.
    pub first_observed_at: Option<String>,
    /// Whether its workflow is `NEW` or `NOTIFIED`.
    pub open: bool,
}

/// What came of a settled write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettledWrite {
    /// It counts now.
    Now,
    /// It does not any more: the record has moved on.
    Stale,
}

/// Why a record is of no use.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is no JSON of the expected shape.
    #[error("the record of what was published cannot be read")]
    Unreadable(#[from] serde_json::Error),
    /// Written by another version.
    #[error("the record has version {0}, and this program reads version {SCHEMA_VERSION}")]
    Version(u32),
    /// Of another organization.
    #[error("the record is of organization `{found}`, and the run of `{expected}`")]
    Organization {
        /// The record's.
        found: String,
        /// The run's.
        expected: String,
    },
}

impl Record {
    /// A record of nothing.
    #[must_use]
    pub fn new(organization_id: &str) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            organization_id: organization_id.to_owned(),
            findings: BTreeMap::new(),
            tally: ShardTally::default(),
            rebuilding: None,
            rebuilt: false,
            evaluated_at: None,
            given_up: BTreeMap::new(),
        }
    }

    /// Notes that an account refuses to hold findings. The run and the time of the first refusal
    /// stay.
    pub fn give_up(&mut self, account: &str, refused: GivenUp) {
        let GivenUp { closed, code, reason, .. } = refused.clone();
        let known = self.given_up.entry(account.to_owned()).or_insert(refused);
        (known.closed, known.code, known.reason) = (closed, code, reason);
    }

    /// Notes that an account holds findings again.
    pub fn take_up(&mut self, account: &str) {
        self.given_up.remove(account);
    }

    /// Reads a record of this organization.
    ///
    /// # Errors
    /// [`RecordError`]. Nothing is repaired: a record that was misread would archive findings.
    pub fn read(bytes: &[u8], organization_id: &str) -> Result<Self, RecordError> {
        let record: Self = serde_json::from_slice(bytes)?;
        if record.schema_version != SCHEMA_VERSION {
            return Err(RecordError::Version(record.schema_version));
        }
        if record.organization_id != organization_id {
            return Err(RecordError::Organization {
                found: record.organization_id,
                expected: organization_id.to_owned(),
            });
        }
        Ok(record)
    }

    /// The record in JSON.
    ///
    /// # Errors
    /// [`RecordError::Unreadable`], should serializing fail.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Takes over a finding that Security Hub has, unless the record knows it.
    ///
    /// Findings of other organizations or with ids of another form are left out.
    pub fn adopt(&mut self, found: Adopted) {
        if account_of(&found.id, &self.organization_id).is_none() {
            return;
        }
        self.rebuilt = true;
        let entry = Entry {
            account_name: found.account_name,
            created_at: found.created_at.clone(),
            settled: Some(FindingState {
                status: found.status,
                digest: found.digest,
                archived: false,
                written_at: found.updated_at.clone(),
                updated_at: found.updated_at,
                first_observed_at: found.first_observed_at.unwrap_or(found.created_at),
            }),
            intent: None,
            resolve: found.status == StatusEntry::Passed && found.open,
        };
        self.findings.entry(found.id).or_insert(entry);
    }

    /// When newer results were evaluated than those of that moment, where some were published.
    #[must_use]
    pub fn newer_than(&self, evaluated_at: jiff::Timestamp) -> Option<&str> {
        let newest = self.evaluated_at.as_deref()?;
        // What is no time is not known to be older.
        let is_newer = newest.parse::<jiff::Timestamp>().is_ok_and(|at| at > evaluated_at);
        is_newer.then_some(newest)
    }

    /// Begins the tally of a run, if it is another one than the last, whose results were evaluated
    /// at that moment. Changes that were not announced yet move over.
    pub fn begin(&mut self, run_id: &str, evaluated_at: jiff::Timestamp) {
        self.evaluated_at = Some(evaluated_at.to_string());
        if self.tally.run_id == run_id {
            return;
        }
        let left = self.tally.changes.split_off(self.tally.announced.min(self.tally.changes.len()));
        self.tally =
            ShardTally { run_id: run_id.to_owned(), changes: left, ..ShardTally::default() };
    }

    /// Notes that the write of `id` with this `UpdatedAt` was accepted.
    ///
    /// Settling twice changes nothing, and neither does settling a write that a later intent
    /// has replaced.
    pub fn settle(&mut self, id: &str, updated_at: &str) -> SettledWrite {
        let Some(entry) = self.findings.get_mut(id) else { return SettledWrite::Stale };
        let Some(intent) = entry.intent.take_if(|intent| intent.state.updated_at == updated_at)
        else {
            return SettledWrite::Stale;
        };
        let shown = |state: &FindingState| (!state.archived).then_some(state.status);
        let before = entry.settled.as_ref().and_then(shown);
        let after = shown(&intent.state);
        if intent.state.archived {
            self.tally.archived += 1;
        } else {
            self.tally.written += 1;
        }
        let names =
            account_of(id, &self.organization_id).zip(control_of(id, &self.organization_id));
        if let Some((account, control)) = names.filter(|_| before != after) {
            self.tally.changes.push(Change {
                run_id: self.tally.run_id.clone(),
                finding_id: id.to_owned(),
                account_id: account.to_owned(),
                account_name: entry.account_name.clone(),
                control_id: control.to_string(),
                before,
                after,
                title: title(&entry.account_name, account, control, intent.state.status),
            });
        }
        entry.resolve = intent.resolve;
        entry.settled = Some(intent.state);
        SettledWrite::Now
    }

    /// The ids of findings whose workflow is still to be resolved.
    #[must_use]
    pub fn to_resolve(&self) -> Vec<String> {
        let due = |entry: &Entry| {
            let passes = |s: &FindingState| !s.archived && s.status == StatusEntry::Passed;
            entry.resolve && entry.intent.is_none() && entry.settled.as_ref().is_some_and(passes)
        };
        self.findings.iter().filter(|(_, e)| due(e)).map(|(id, _)| id.clone()).collect()
    }

    /// Notes that the workflow of `id` needs nothing more; `ours` tells that we resolved it.
    pub fn resolved(&mut self, id: &str, ours: bool) {
        if let Some(entry) = self.findings.get_mut(id).filter(|entry| entry.resolve) {
            entry.resolve = false;
            self.tally.resolved += u64::from(ours);
        }
    }
}
