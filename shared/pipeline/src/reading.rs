//! Reading where SES is in use, account by account and Region by Region.
//!
//! [`plan_batches`] says what is due and cuts it into batches for a distributed run,
//! [`run_batch`] reads one of them against [`SesReader`], over as many invocations as it takes, and
//! [`merge()`] makes one exposure section of what became of the batches by [`outcome`].
//! [`mod@function`] does that with all accounts, some of the [`PARTS`] in which they stand in the
//! bucket at a time.
//!
//! # What a failed call means
//! Nothing that fails is left out, and nothing that fails reads as empty:
//! - The role is not in the account, or may not be assumed: every Region of the account says so.
//! - The Regions of the account cannot be listed: every Region says so.
//! - A call in a Region fails, or a list does not end: a [`exposure::Gap`] in its part, with the
//!   permission of the call. The other parts stand.
//! - Something is gone between the list that named it and the call that describes it: it is gone.
//! - A batch failed: each of its Regions is `failed` and names the batch, and what an earlier run
//!   read there no longer counts.

mod api;
mod batch;
mod calls;
mod draft;
pub mod function;
mod merge;
mod parts;
mod plan;
mod ports;
mod region;
mod run;
mod wire;

pub use api::Api;
pub use batch::{BatchRead, ReadError, ReadSettings, read_batch};
pub use calls::{CallSettings, PACE};
pub use merge::{BatchOutcome, Reading, merge};
pub use parts::{PARTS, PartAccounts, PartError, groups, part_of, read_part};
pub use plan::{Estimate, Load, PlanSettings, is_complete, load_of, number, plan_batches};
pub use ports::{
    AccountAnswer, AccountRegion, ActionItem, DataPoint, EndpointItem, InRegion, IngressPointItem,
    Opened, QuotaItem, RegionItem, RegionState, RelayItem, RuleItem, RuleSetItem, SesReader,
    VerifiedItem,
};
pub use run::{BatchError, BatchPorts, BatchProgress, outcome, run_batch};
pub use wire::{Batch, BatchAccount, BatchCheckpoint, READING_VERSION, Times, WireError};
