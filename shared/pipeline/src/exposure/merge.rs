//! One exposure section of what became of the batches.

use std::collections::{BTreeMap, BTreeSet};

use ::exposure::{AccountExposure, Exposure, RegionExposure, RegionStatus};
use jiff::Timestamp;
use organization::AccountId;

use super::plan::{Index, index};
use super::wire::{Batch, Times};

/// What is known of the accounts, and since when.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What was read.
    pub exposure: Exposure,
    /// When. A Region whose batch failed has no time.
    pub times: Times,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchOutcome {
    /// The sections of its invocations.
    Read(Vec<Exposure>),
    /// It failed, after invocations that may have read something.
    Failed {
        /// The sections that are there.
        sections: Vec<Exposure>,
        /// Why it failed; a sentence without a stop.
        reason: String,
    },
}

/// Joins the batches of a run with what was known before.
///
/// The section has every one of `accounts` with every one of `regions`, in this order; what else
/// was known is dropped. A Region that a batch had to read is what the batch read, and `failed`
/// where it read nothing, whatever was known before. `read_at` of an account is the earliest of
/// its Regions, `now` where there is none.
///
/// `batches` are all batches of the manifest, also those of which nothing came: without them what was
/// known before would stand for what they had to read.
///
/// An account needs its own batches only, so that parts of an organization can be merged one
/// after another.
#[must_use]
pub fn merge(
    accounts: &[AccountId],
    regions: &[String],
    last: &Reading,
    batches: &[(Batch, BatchOutcome)],
    now: Timestamp,
) -> Reading {
    let before = index([&last.exposure]);
    let fresh = Fresh::of(batches);
    let mut merged = Reading::default();
    let mut seen = BTreeSet::new();
    for account in accounts {
        if !seen.insert(*account) {
            continue;
        }
        let id = account.to_string();
        let mut times = BTreeMap::new();
        let mut found = Vec::new();
        for region in regions {
            let (status, at) = match fresh.status(*account, &id, region) {
                Some((status, at)) => (status, at),
                None => {
                    let known = before.get(account).and_then(|all| all.get(region.as_str()));
                    let at = last.times.accounts.get(&id).and_then(|times| times.get(region));
                    match known {
                        Some(status) => ((*status).clone(), at.map(String::as_str)),
                        None => {
                            let reason = "no batch had to read it".to_owned();
                            (RegionStatus::Failed { reason }, None)
                        }
                    }
                }
            };
            if let Some(at) = at {
                times.insert(region.clone(), at.to_owned());
            }
            found.push(RegionExposure { region: region.clone(), status });
        }
        let moments = times.values().filter_map(|at| at.parse::<Timestamp>().ok());
        let read_at = moments.min().unwrap_or(now).to_string();
        merged.exposure.accounts.push(AccountExposure {
            account: *account,
            read_at,
            regions: found,
        });
        if !times.is_empty() {
            merged.times.accounts.insert(id, times);
        }
    }
    merged
}

/// What the batches of this run say.
struct Fresh<'b> {
    /// Which batch has to read what.
    batch_of: BTreeMap<(&'b str, &'b str), &'b (Batch, BatchOutcome)>,
    statuses: Vec<(u32, Index<'b>)>,
    started: BTreeMap<(u32, AccountId), &'b str>,
}

impl<'b> Fresh<'b> {
    fn of(batches: &'b [(Batch, BatchOutcome)]) -> Self {
        let mut fresh =
            Self { batch_of: BTreeMap::new(), statuses: Vec::new(), started: BTreeMap::new() };
        for pair in batches {
            let (batch, outcome) = pair;
            for account in &batch.accounts {
                let regions = account.regions.iter();
                let places = regions.map(|region| (account.account.as_str(), region.as_str()));
                fresh.batch_of.extend(places.map(|place| (place, pair)));
            }
            let sections = match outcome {
                BatchOutcome::Read(sections) | BatchOutcome::Failed { sections, .. } => sections,
            };
            for account in sections.iter().flat_map(|section| &section.accounts) {
                fresh.started.insert((batch.batch, account.account), &account.read_at);
            }
            fresh.statuses.push((batch.batch, index(sections)));
        }
        fresh.statuses.sort_by_key(|(batch, _)| *batch);
        fresh
    }

    /// The status of a Region that a batch had to read, with its time.
    fn status(
        &self,
        account: AccountId,
        id: &str,
        region: &str,
    ) -> Option<(RegionStatus, Option<&'b str>)> {
        let (batch, outcome) = self.batch_of.get(&(id, region))?;
        let number = batch.batch;
        let place = self.statuses.binary_search_by_key(&number, |(batch, _)| *batch);
        let index = place.ok().and_then(|place| self.statuses.get(place));
        let read = index.and_then(|(_, index)| index.get(&account)?.get(region).copied());
        if let Some(status) = read {
            return Some((status.clone(), self.started.get(&(number, account)).copied()));
        }
        let reason = match outcome {
            BatchOutcome::Read(_) => format!("batch {number} ended without it"),
            BatchOutcome::Failed { reason, .. } => format!("batch {number} failed: {reason}"),
        };
        Some((RegionStatus::Failed { reason }, None))
    }
}
