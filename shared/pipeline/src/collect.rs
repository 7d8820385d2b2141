//! The collector: from Organizations to a draft of a snapshot.
//!
//! A full walk reads lists in parallel streams (`walk`); a run that knows what changed brings
//! the last snapshot up to date (`changes`). Both keep their state where it can be written
//! down, so that a walk goes on in the next invocation.
//!
//! # What a failed call means
//! - ListRoots, ListAccounts, ListPolicies: the walk fails. An account that is missing from a
//!   snapshot counts as gone and a policy that is missing cannot be covered by a gap that names
//!   it, so a short list must not become a snapshot.
//! - ListTargetsForPolicy: a gap that covers everything, since the policy may be anywhere.
//! - DescribePolicy: a gap that covers the accounts with the policy on their path.
//! - ListAccountsForParent, ListOrganizationalUnitsForParent: accounts come from ListAccounts, so
//!   none is lost; each one whose place is not known then is looked up, or becomes a gap.
//!
//! # Changes during a walk
//! A snapshot of Organizations is not atomic. What cannot be so in any organization is looked up
//! again (`mend`), and becomes a gap where that fails: accounts in unknown units, attachments to
//! unknown targets, targets without a policy (Organizations keeps at least one on each),
//! policies and units that vanished. What could have been so and never was, for instance one
//! policy detached and another attached while a walk is between the two, goes unnoticed here: its
//! events arrive during the walk, and the run after this one answers them.

pub(crate) mod calls;
pub(crate) mod changes;
mod collector;
pub(crate) mod contents;
pub(crate) mod draft;
pub(crate) mod look;
pub(crate) mod mend;
pub(crate) mod pages;
pub(crate) mod path;
pub(crate) mod streams;
pub(crate) mod walk;

use std::cell::RefCell;

use crate::pace::Pace;
use crate::ports::{Clock, Organizations};
use crate::snapshot::Snapshot;
use calls::Calls;
pub(crate) use collector::Collector;
pub use collector::{CollectError, CollectSettings};
use contents::Contents;
use mend::Mending;

/// Reads the whole organization, without a bucket and without a deadline.
///
/// `pace` counts the calls. What could not be read is among the snapshot's gaps.
///
/// # Errors
/// [`CollectError`] where a call failed without which nothing can be said.
pub async fn whole<O: Organizations, C: Clock>(
    organizations: &O,
    clock: &C,
    pace: &Pace,
    settings: &CollectSettings,
) -> Result<Snapshot, CollectError> {
    let contents = RefCell::<Contents>::default();
    let calls = Calls { source: organizations, pace };
    let collector = Collector { calls, clock, settings, contents: &contents };
    let fetched_at = clock.now().to_string();
    let walk = RefCell::default();
    collector.walk(&walk).await?;
    let draft = walk.borrow().draft(&contents.borrow(), settings.unit_names);
    let mut mending = Mending::new(draft.ok_or(CollectError::NoRoot)?, settings.look_ups);
    collector.mend(&mut mending).await?;
    Ok(mending.draft.into_snapshot(fetched_at, &contents.borrow()))
}
