//! What has to be written so that Security Hub shows the last results, and nothing else.
//!
//! Pure: the record of what was published, results and the time go in, a [`Plan`] comes out. The
//! order in which a publisher has to proceed, so that a crash at any point loses nothing and
//! writes nothing twice:
//!
//! 1. [`plan()`], then [`Plan::intend`] writes every planned state into the record with the exact
//!    `UpdatedAt` it will have; save the record.
//! 2. Import. Where it is not known whether an import arrived, the next plan sends it again with
//!    the same `UpdatedAt`, which Security Hub ignores if it did.
//! 3. [`Record::settle`] what was accepted; save the record. From here on the verdict changes
//!    are in the record too, and leave it only after they were announced.
//! 4. Resolve, announce, save.

mod moment;
mod plan;
mod record;

pub use moment::moment;
pub use plan::{FindingSource, Plan, PlanError, Settings, Write, WriteKind, plan};
pub use record::{
    Adopted, Change, Entry, FindingState, GivenUp, Intended, Record, RecordError, SettledWrite,
    ShardTally,
};
