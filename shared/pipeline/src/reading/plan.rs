//! What is due, in batches that fit into an invocation.

use std::time::Duration;

use exposure::{MailManager, Part, RegionStatus};
use jiff::{SignedDuration, Timestamp};
use organization::AccountId;

use super::batch::ReadSettings;
use super::calls::PACE;
use super::merge::{Reading, index};
use super::region::POLICIES_AT_ONCE;
use super::wire::{Batch, BatchAccount, READING_VERSION};

/// Calls that every account takes: AssumeRole and ListRegions, the latter in up to two pages.
const ACCOUNT_CALLS: u64 = 3;
/// Calls of a Region where nothing is set up: GetAccount, GetSendStatistics, ListEmailIdentities,
/// DescribeVpcEndpoints, ListRelays, ListRuleSets, ListIngressPoints.
const REGION_CALLS: u64 = 7;
/// Answers that follow one another in an account where nothing is set up: AssumeRole, two pages of
/// ListRegions, the calls of a Region.
const ACCOUNT_ANSWERS: u32 = 4;
/// Identities on a page of ListEmailIdentities.
const IDENTITIES_A_PAGE: u64 = 1_000;
/// Items on a page of Mail Manager.
const ITEMS_A_PAGE: u64 = 50;

/// What to plan for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSettings {
    /// What was read longer ago is read again.
    pub max_age: Duration,
    /// What was read with a gap longer ago than this is read again; a Region whose batch failed
    /// always is. Shorter than `max_age`, as a gap may be gone soon, and not nothing, as calls may
    /// be denied for good, for instance by an SCP that closes Regions.
    pub gap_age: Duration,
    /// How long a batch may take by its estimate. Retries and slow answers come on top, so this
    /// is well below the 900 s of an invocation.
    pub budget: Duration,
    /// The most Regions of accounts in a batch: what it reads is kept in memory.
    pub most_regions: usize,
    /// How long an answer takes.
    pub latency: Duration,
    /// What a Region takes of which nothing is known.
    pub unknown: Load,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(12 * 60 * 60),
            gap_age: Duration::from_secs(60 * 60),
            budget: Duration::from_secs(300),
            most_regions: 1_500,
            latency: Duration::from_millis(250),
            unknown: Load { calls: REGION_CALLS, longest: 1 },
        }
    }
}

/// What reading a Region of an account takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Calls.
    pub calls: u64,
    /// The most calls of one API: each takes a second and its answer.
    pub longest: u64,
}

impl Load {
    /// How long it takes while an answer takes `latency`.
    fn time(self, latency: Duration) -> Duration {
        (PACE + latency).mul_f64(as_f64(self.longest))
    }
}

/// What a batch takes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Estimate {
    /// Calls.
    pub calls: u64,
    /// Regions of accounts.
    pub regions: usize,
    /// Seconds of all accounts, one after another.
    pub sum_seconds: f64,
    /// Seconds of the slowest account.
    pub most_seconds: f64,
}

impl Estimate {
    /// Adds an account with these Regions.
    #[must_use]
    pub fn with(self, loads: &[Load], latency: Duration) -> Self {
        let longest = loads.iter().map(|load| load.time(latency)).max().unwrap_or_default();
        let seconds = longest + latency * ACCOUNT_ANSWERS;
        Self {
            calls: self.calls + ACCOUNT_CALLS + loads.iter().map(|load| load.calls).sum::<u64>(),
            regions: self.regions + loads.len(),
            sum_seconds: self.sum_seconds + seconds.as_secs_f64(),
            most_seconds: self.most_seconds.max(seconds.as_secs_f64()),
        }
    }

    /// How many seconds it takes at most while nothing fails: accounts side by side take no longer
    /// than their share and the slowest of them, and to that comes the wait for the calls under
    /// way.
    #[must_use]
    pub fn seconds(&self, read: &ReadSettings, latency: Duration) -> f64 {
        let side_by_side = self.sum_seconds / as_f64(read.accounts_at_once.max(1) as u64);
        let calls_at_once = as_f64(read.calls.calls_at_once.max(1) as u64);
        let calls = as_f64(self.calls) * latency.as_secs_f64() / calls_at_once;
        side_by_side + self.most_seconds + calls
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls stay far below 2^52")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

/// What reading a Region took by what was found there, retries not counted; `None` where that
/// tells nothing.
#[must_use]
pub fn load_of(status: &RegionStatus) -> Option<Load> {
    let facts = match status {
        RegionStatus::Read(facts) => facts,
        RegionStatus::RegionDisabled | RegionStatus::NotOptedIn => return Some(Load::default()),
        RegionStatus::RoleMissing | RegionStatus::Denied { .. } | RegionStatus::Failed { .. } => {
            return None;
        }
    };
    let Part::Read(identities) = &facts.identities else { return None };
    let count = identities.len() as u64;
    let names = |policies: &Part<Vec<_>>| policies.read().map_or(0, Vec::len) as u64;
    let texts: u64 = identities
        .iter()
        .map(|identity| names(&identity.policies).div_ceil(POLICIES_AT_ONCE as u64))
        .sum();
    let pages = count.div_ceil(IDENTITIES_A_PAGE).max(1) - 1;
    let (relays, rule_sets) = match &facts.mail_manager {
        Part::Read(MailManager::Available { relays, rule_sets, .. }) => {
            (relays.len() as u64, rule_sets.len() as u64)
        }
        Part::Read(MailManager::Unavailable) | Part::Gap(_) => (0, 0),
    };
    let more = [relays, rule_sets].map(|items| items + items.div_ceil(ITEMS_A_PAGE).max(1) - 1);
    Some(Load {
        calls: REGION_CALLS + pages + count + texts + more.iter().sum::<u64>(),
        longest: [1, count, texts, relays, rule_sets].into_iter().max().unwrap_or(1),
    })
}

/// Whether a Region was read without a gap.
#[must_use]
pub fn is_complete(status: &RegionStatus) -> bool {
    match status {
        RegionStatus::Read(facts) => {
            let policies = match &facts.identities {
                Part::Read(all) => all.iter().all(|identity| identity.policies.gap().is_none()),
                Part::Gap(_) => false,
            };
            policies && facts.gaps().next().is_none()
        }
        RegionStatus::RegionDisabled | RegionStatus::NotOptedIn => true,
        RegionStatus::RoleMissing | RegionStatus::Denied { .. } | RegionStatus::Failed { .. } => {
            false
        }
    }
}

/// Cuts what is due into batches.
///
/// Due is every Region of every account that is not in `last` or has no time there, and what was
/// read longer ago than `max_age` before `now`, or than `gap_age` where it has a gap; a time after
/// `now` counts as none. Accounts keep
/// their order, and the Regions of an account stay together, but for those that take longer than
/// the budget: each of them is a batch of its own, which goes on over several invocations.
#[must_use]
pub fn plan_batches(
    run_id: &str,
    accounts: &[AccountId],
    regions: &[String],
    last: &Reading,
    now: Timestamp,
    read: &ReadSettings,
    settings: &PlanSettings,
) -> Vec<Batch> {
    let known = index(&last.exposure.accounts);
    let mut planned = Planned {
        read,
        settings,
        batches: Vec::new(),
        open: Vec::new(),
        estimate: Estimate::default(),
    };
    for account in accounts {
        let statuses = known.get(account);
        let times = last.times.accounts.get(&account.to_string());
        let (mut usual, mut loads) = (Vec::new(), Vec::new());
        for region in regions {
            let status = statuses.and_then(|all| all.get(region.as_str()).copied());
            let at = times.and_then(|times| times.get(region));
            if !is_due(status, at.map(String::as_str), now, settings) {
                continue;
            }
            let load = status.and_then(load_of).unwrap_or(settings.unknown);
            if load.time(settings.latency) > settings.budget {
                planned.alone(account, region, load);
            } else {
                usual.push(region.clone());
                loads.push(load);
            }
        }
        planned.add(account, usual, &loads);
    }
    planned.finish(run_id, now)
}

/// Numbers batches that were planned group by group through.
pub fn number(batches: &mut [Batch]) {
    let count = u32::try_from(batches.len()).unwrap_or(u32::MAX);
    for (number, batch) in (0..count).zip(batches) {
        batch.batch = number;
        batch.batches = count;
    }
}

fn is_due(
    status: Option<&RegionStatus>,
    read_at: Option<&str>,
    now: Timestamp,
    settings: &PlanSettings,
) -> bool {
    let read_at = read_at.and_then(|at| at.parse::<Timestamp>().ok());
    let (Some(status), Some(read_at)) = (status, read_at) else { return true };
    let age = now.duration_since(read_at);
    let most = if is_complete(status) { settings.max_age } else { settings.gap_age };
    age.is_negative() || age > SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX)
}

struct Planned<'p> {
    read: &'p ReadSettings,
    settings: &'p PlanSettings,
    batches: Vec<(Vec<BatchAccount>, Estimate)>,
    open: Vec<BatchAccount>,
    estimate: Estimate,
}

impl Planned<'_> {
    fn alone(&mut self, account: &AccountId, region: &str, load: Load) {
        let regions = vec![region.to_owned()];
        let account = BatchAccount { account: account.to_string(), regions };
        let estimate = Estimate::default().with(&[load], self.settings.latency);
        self.batches.push((vec![account], estimate));
    }

    fn add(&mut self, account: &AccountId, regions: Vec<String>, loads: &[Load]) {
        if regions.is_empty() {
            return;
        }
        let latency = self.settings.latency;
        let with = self.estimate.with(loads, latency);
        let fits = with.seconds(self.read, latency) <= self.settings.budget.as_secs_f64()
            && with.regions <= self.settings.most_regions;
        if fits {
            self.estimate = with;
        } else {
            self.close();
            self.estimate = Estimate::default().with(loads, latency);
        }
        self.open.push(BatchAccount { account: account.to_string(), regions });
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            let estimate = std::mem::take(&mut self.estimate);
            self.batches.push((std::mem::take(&mut self.open), estimate));
        }
    }

    fn finish(mut self, run_id: &str, now: Timestamp) -> Vec<Batch> {
        self.close();
        let mut batches: Vec<Batch> = std::mem::take(&mut self.batches)
            .into_iter()
            .map(|(accounts, estimate)| Batch {
                schema_version: READING_VERSION,
                run_id: run_id.to_owned(),
                batch: 0,
                batches: 0,
                planned_at: now.to_string(),
                accounts,
                estimated_calls: estimate.calls,
                estimated_seconds: ceiling(estimate.seconds(self.read, self.settings.latency)),
            })
            .collect();
        number(&mut batches);
        batches
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of seconds")]
fn ceiling(seconds: f64) -> u64 {
    seconds.ceil() as u64
}
