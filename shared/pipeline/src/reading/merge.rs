//! One exposure section of what became of the batches.

use std::collections::{BTreeMap, BTreeSet};

use exposure::{AccountExposure, Exposure, RegionExposure, RegionStatus};
use jiff::Timestamp;
use organization::AccountId;

use super::wire::{Batch, Times};

/// What is known of the accounts, and since when.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What was read.
    pub exposure: Exposure,
    /// When. A Region whose batch failed has no time.
    pub times: Times,
}

/// Statuses by account and Region.
pub(super) type Index<'e> = BTreeMap<AccountId, BTreeMap<&'e str, &'e RegionStatus>>;

pub(super) fn index<'e>(accounts: impl IntoIterator<Item = &'e AccountExposure>) -> Index<'e> {
    let mut found = Index::new();
    for account in accounts {
        let regions = account.regions.iter();
        let regions = regions.map(|region| (region.region.as_str(), &region.status));
        found.entry(account.account).or_default().extend(regions);
    }
    found
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
/// where it read nothing, whatever was known before the run; what another run read meanwhile
/// stands, so that two runs may be merged in any order, and one of them twice. A time after `now`
/// counts as none. `read_at` of an account is the earliest of its Regions; where there is none,
/// when the run was planned that left it without.
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
    let before = index(&last.exposure.accounts);
    let since: BTreeMap<AccountId, &str> =
        last.exposure.accounts.iter().map(|a| (a.account, a.read_at.as_str())).collect();
    let ids: BTreeMap<String, AccountId> =
        accounts.iter().map(|account| (account.to_string(), *account)).collect();
    let fresh = Fresh::of(batches, &ids);
    let mut merged = Reading::default();
    let mut seen = BTreeSet::new();
    for account in accounts {
        if !seen.insert(*account) {
            continue;
        }
        let id = account.to_string();
        let known = before.get(account);
        let known_times = last.times.accounts.get(&id);
        let mut times = BTreeMap::new();
        let mut found = Vec::new();
        let mut planned_at = None;
        for region in regions {
            let known = known.and_then(|all| all.get(region.as_str()));
            let known_at = known_times.and_then(|times| times.get(region)).map(String::as_str);
            let fresh = fresh.status(*account, &id, region);
            planned_at = planned_at.or(fresh.as_ref().map(|fresh| fresh.planned_at));
            let (status, at) = match (fresh, known) {
                (Some(fresh), Some(known)) if is_newer(known_at, &fresh, now) => {
                    ((*known).clone(), known_at)
                }
                (Some(fresh), _) => (fresh.status, fresh.read_at),
                (None, Some(known)) => ((*known).clone(), known_at),
                (None, None) => {
                    let reason = "no batch had to read it".to_owned();
                    (RegionStatus::Failed { reason }, None)
                }
            };
            if let Some(at) = at {
                times.insert(region.clone(), at.to_owned());
            }
            found.push(RegionExposure { region: region.clone(), status });
        }
        let earliest = times.values().filter_map(|at| at.parse::<Timestamp>().ok()).min();
        let read_at = match (earliest, since.get(account), planned_at) {
            (Some(earliest), _, _) => earliest.to_string(),
            // It had none before, either: a run that is merged again changes nothing.
            (None, Some(since), _) if known_times.is_none() => (*since).to_owned(),
            (None, _, Some(planned_at)) => planned_at.to_owned(),
            (None, _, None) => now.to_string(),
        };
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

/// Whether what is known of a Region is newer than what a batch says of it.
fn is_newer(known_at: Option<&str>, fresh: &FreshStatus<'_>, now: Timestamp) -> bool {
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    let known_at = known_at.and_then(moment).filter(|at| *at <= now);
    let fresh_at = moment(fresh.read_at.unwrap_or(fresh.planned_at));
    matches!((known_at, fresh_at), (Some(known_at), Some(fresh_at)) if known_at > fresh_at)
}

/// What a batch says of a Region that it had to read.
struct FreshStatus<'b> {
    status: RegionStatus,
    /// When it was read; none where it was not.
    read_at: Option<&'b str>,
    planned_at: &'b str,
}

/// What the batches of this run say.
struct Fresh<'b> {
    /// Which batch has to read what.
    batch_of: BTreeMap<(&'b str, &'b str), &'b (Batch, BatchOutcome)>,
    statuses: Vec<(u32, Index<'b>)>,
    started: BTreeMap<(u32, AccountId), &'b str>,
}

impl<'b> Fresh<'b> {
    /// Of these accounts only: a part has few of those that its batches read.
    fn of(batches: &'b [(Batch, BatchOutcome)], ids: &BTreeMap<String, AccountId>) -> Self {
        let wanted: BTreeSet<AccountId> = ids.values().copied().collect();
        let mut fresh =
            Self { batch_of: BTreeMap::new(), statuses: Vec::new(), started: BTreeMap::new() };
        for pair in batches {
            let (batch, outcome) = pair;
            for account in &batch.accounts {
                if ids.contains_key(&account.account) {
                    let regions = account.regions.iter();
                    let places = regions.map(|region| (account.account.as_str(), region.as_str()));
                    fresh.batch_of.extend(places.map(|place| (place, pair)));
                }
            }
            let sections = match outcome {
                BatchOutcome::Read(sections) | BatchOutcome::Failed { sections, .. } => sections,
            };
            let read = sections.iter().flat_map(|section| &section.accounts);
            let read = read.filter(|account| wanted.contains(&account.account));
            let starts = read.clone();
            let starts = starts.map(|read| ((batch.batch, read.account), read.read_at.as_str()));
            fresh.started.extend(starts);
            fresh.statuses.push((batch.batch, index(read)));
        }
        fresh.statuses.sort_by_key(|(batch, _)| *batch);
        fresh
    }

    /// What became of a Region; none where no batch had to read it.
    fn status(&self, account: AccountId, id: &str, region: &str) -> Option<FreshStatus<'b>> {
        let (batch, outcome) = self.batch_of.get(&(id, region))?;
        let number = batch.batch;
        let planned_at = batch.planned_at.as_str();
        let place = self.statuses.binary_search_by_key(&number, |(batch, _)| *batch);
        let index = place.ok().and_then(|place| self.statuses.get(place));
        let read = index.and_then(|(_, index)| index.get(&account)?.get(region).copied());
        if let Some(status) = read {
            let read_at = self.started.get(&(number, account)).copied();
            return Some(FreshStatus { status: status.clone(), read_at, planned_at });
        }
        let reason = match outcome {
            BatchOutcome::Read(_) => format!("batch {number} ended without it"),
            BatchOutcome::Failed { reason, .. } => format!("batch {number} failed: {reason}"),
        };
        Some(FreshStatus { status: RegionStatus::Failed { reason }, read_at: None, planned_at })
    }
}
