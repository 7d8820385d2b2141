//! Reading one batch, as far as the time goes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use exposure::{AccountExposure, Exposure, RegionExposure, RegionStatus};
use futures_util::stream::{self, StreamExt};
use organization::AccountId;
use tokio::time::{Instant, timeout_at};

use super::api::Api;
use super::calls::{CallSettings, Calls};
use super::draft::LostCall;
use super::ports::{AccountRegion, Opened, RegionState, SesReader};
use super::region::RegionReader;
use super::wire::{AccountWork, BatchCheckpoint, READING_VERSION};
use crate::pace::CallTally;
use crate::ports::{CallError, Clock, Failure};

/// How an invocation reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSettings {
    /// How hard to try.
    pub calls: CallSettings,
    /// How many accounts are read at once; 0 counts as 1. Regions of an account all are.
    pub accounts_at_once: usize,
    /// How long before the deadline reading stops, to leave time for writing.
    pub margin: Duration,
    /// After so many invocations what is left of a batch is given up.
    pub most_invocations: u32,
}

impl Default for ReadSettings {
    /// Sixteen hours of invocations: an account with the most identities that SES allows, 10,000,
    /// takes three.
    fn default() -> Self {
        Self {
            calls: CallSettings::default(),
            accounts_at_once: 8,
            margin: Duration::from_secs(30),
            most_invocations: 64,
        }
    }
}

/// Why a batch cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is of another version.
    #[error("the batch has version {0}, and this program understands {READING_VERSION}")]
    Version(u32),
    /// It names something that is no account, or an account twice.
    #[error("the batch names `{0}`, which is no account id, or is there twice")]
    Account(String),
}

/// What an invocation read.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRead {
    /// The Regions that are finished. An account may be in the answers of several invocations,
    /// each time with other Regions and the same `read_at`, which is before its first call.
    pub section: Exposure,
    /// What is left, for the next invocation.
    pub rest: Option<BatchCheckpoint>,
    /// The calls of this invocation.
    pub tally: CallTally,
}

/// Reads a batch until it is finished or `deadline` is near.
///
/// Accounts are read side by side, as many as the settings say, and Regions of an account all at
/// once, at most one call a second per account, Region and API. Whatever fails is in the answer
/// as what it is; see [`crate::reading`].
///
/// # Errors
/// [`ReadError`] for work of another version or without sense. Nothing was called then.
pub async fn read_batch<R: SesReader, C: Clock>(
    reader: &R,
    clock: &C,
    settings: &ReadSettings,
    work: BatchCheckpoint,
    deadline: Instant,
) -> Result<BatchRead, ReadError> {
    if work.schema_version != READING_VERSION {
        return Err(ReadError::Version(work.schema_version));
    }
    let mut ids = BTreeMap::new();
    for account in &work.accounts {
        let id = account.account.parse::<AccountId>().ok();
        let fresh = id.filter(|id| ids.insert(account.account.clone(), *id).is_none());
        fresh.ok_or_else(|| ReadError::Account(account.account.clone()))?;
    }
    let BatchCheckpoint { schema_version, run_id, batch, invocations, accounts } = work;
    let calls = Calls::new(&settings.calls);
    let accounts: Vec<Progress> = accounts.into_iter().map(Progress::new).collect();
    if invocations < settings.most_invocations {
        let cut = deadline.checked_sub(settings.margin).unwrap_or(deadline);
        let read = stream::iter(&accounts)
            .for_each_concurrent(settings.accounts_at_once.max(1), |account| {
                AccountReader { reader, clock, calls: &calls, account }.read()
            });
        // Cut or not, what there is stands in `accounts`.
        let _ = timeout_at(cut, read).await;
    } else {
        let reason = format!("it was not read in {invocations} invocations of batch {batch}");
        accounts
            .iter()
            .for_each(|account| account.settle(&RegionStatus::Failed { reason: reason.clone() }));
    }
    let mut section = Exposure::default();
    let mut left = Vec::new();
    for account in accounts {
        let (work, done) = (account.work.into_inner(), account.done.into_inner());
        if !done.is_empty()
            && let Some(id) = ids.get(&work.account)
        {
            let read_at = work.started.clone().unwrap_or_else(|| clock.now().to_string());
            let regions = done.into_iter();
            let regions = regions.map(|(region, status)| RegionExposure { region, status });
            section.accounts.push(AccountExposure {
                account: *id,
                read_at,
                regions: regions.collect(),
            });
        }
        if !work.regions.is_empty() {
            left.push(work);
        }
    }
    let rest = (!left.is_empty()).then(|| BatchCheckpoint {
        schema_version,
        run_id,
        batch,
        invocations: invocations.saturating_add(1),
        accounts: left,
    });
    Ok(BatchRead { section, rest, tally: calls.tally() })
}

/// An account while it is read.
struct Progress {
    work: RefCell<AccountWork>,
    /// By Region, so that the order does not hang on which answer came first.
    done: RefCell<BTreeMap<String, RegionStatus>>,
}

impl Progress {
    fn new(work: AccountWork) -> Self {
        Self { work: RefCell::new(work), done: RefCell::default() }
    }

    fn finish(&self, region: &str, status: RegionStatus) {
        self.work.borrow_mut().regions.remove(region);
        self.done.borrow_mut().insert(region.to_owned(), status);
    }

    /// The same for every Region that is left.
    fn settle(&self, status: &RegionStatus) {
        let left: Vec<String> = self.work.borrow().regions.keys().cloned().collect();
        left.iter().for_each(|region| self.finish(region, status.clone()));
    }
}

struct AccountReader<'a, 'c, R, C> {
    reader: &'a R,
    clock: &'a C,
    calls: &'a Calls<'c>,
    account: &'a Progress,
}

impl<R: SesReader, C: Clock> AccountReader<'_, '_, R, C> {
    async fn read(self) {
        if self.account.work.borrow().regions.is_empty() {
            return;
        }
        let id = {
            let mut work = self.account.work.borrow_mut();
            work.started.get_or_insert_with(|| self.clock.now().to_string());
            work.account.clone()
        };
        if let Err(status) = self.open(&id).await {
            return self.account.settle(&status);
        }
        let known = self.account.work.borrow().states.clone();
        let states = match known {
            Some(states) => states,
            None => match self.states(&id).await {
                Ok(states) => {
                    self.account.work.borrow_mut().states = Some(states.clone());
                    states
                }
                Err(status) => return self.account.settle(&status),
            },
        };
        let regions: Vec<String> = self.account.work.borrow().regions.keys().cloned().collect();
        let reads = regions.iter().map(|region| self.region(&id, region, states.get(region)));
        futures_util::future::join_all(reads).await;
    }

    async fn open(&self, account: &str) -> Result<(), RegionStatus> {
        let open = || self.reader.open(account);
        match self.calls.paced("").call(Api::AssumeRole, open).await {
            Ok(Opened::Open) => Ok(()),
            Ok(Opened::RoleMissing) => Err(RegionStatus::RoleMissing),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn states(&self, account: &str) -> Result<BTreeMap<String, RegionState>, RegionStatus> {
        let calls = self.calls.paced("");
        let mut found = BTreeMap::new();
        let mut list = super::draft::List::default();
        while !list.pages.is_done() {
            let token = list.pages.token();
            let ask = || self.reader.regions(account, token.as_deref());
            let page = calls.call(Api::ListRegions, ask).await.map_err(|error| failed(&error))?;
            list.absorb(Api::ListRegions, page.items, page.next);
        }
        if let Some(lost) = list.lost {
            return Err(RegionStatus::Failed { reason: sentence(&lost) });
        }
        for item in list.items {
            found.insert(item.name, item.state);
        }
        Ok(found)
    }

    async fn region(&self, account: &str, region: &str, state: Option<&RegionState>) {
        let status = match state {
            None => RegionStatus::Failed {
                reason: format!("`{}` does not name the Region", Api::ListRegions.permission()),
            },
            Some(RegionState::Disabled) => RegionStatus::RegionDisabled,
            Some(RegionState::NeverEnabled) => RegionStatus::NotOptedIn,
            Some(RegionState::Enabled) => {
                let taken = self
                    .account
                    .work
                    .borrow_mut()
                    .regions
                    .insert(region.to_owned(), Default::default());
                let draft = Kept {
                    account: self.account,
                    region,
                    draft: RefCell::new(taken.unwrap_or_default()),
                    keep: Cell::new(true),
                };
                let place =
                    AccountRegion { account: account.to_owned(), region: region.to_owned() };
                let calls = self.calls.paced(region);
                let reader =
                    RegionReader { reader: self.reader, calls, place: &place, draft: &draft.draft };
                reader.read().await;
                draft.keep.set(false);
                let facts = draft.draft.borrow().facts();
                RegionStatus::Read(Box::new(facts))
            }
        };
        self.account.finish(region, status);
    }
}

/// Puts a draft back into the work when reading it is cut.
struct Kept<'k> {
    account: &'k Progress,
    region: &'k str,
    draft: RefCell<super::draft::RegionDraft>,
    keep: Cell<bool>,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        if self.keep.get() {
            let draft = self.draft.take();
            self.account.work.borrow_mut().regions.insert(self.region.to_owned(), draft);
        }
    }
}

/// A call without which nothing of the account can be read.
fn failed(error: &CallError) -> RegionStatus {
    if error.failure == Failure::Denied {
        RegionStatus::Denied { call: error.permission.to_owned() }
    } else {
        RegionStatus::Failed { reason: sentence(&error.into()) }
    }
}

fn sentence(lost: &LostCall) -> String {
    format!("`{}` failed: {}", lost.call, lost.reason)
}
