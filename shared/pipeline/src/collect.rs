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
use crate::ports::{CallError, Clock, Failure, Organizations};
use crate::snapshot::Snapshot;
use calls::Calls;
use contents::Contents;
use mend::Mending;

/// What to collect and how hard to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectSettings {
    /// Whether to read the names of units, at one call a unit.
    pub unit_names: bool,
    /// How many single look-ups may mend a walk that raced a change.
    pub look_ups: u32,
}

impl Default for CollectSettings {
    fn default() -> Self {
        Self { unit_names: true, look_ups: 100 }
    }
}

/// Why an organization could not be collected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CollectError {
    /// A call failed without which nothing can be said.
    #[error("the organization cannot be read: {0}{hint}", hint = hint(.0))]
    Call(#[from] CallError),
    /// A list never ends.
    #[error(
        "`{operation}` returned the same page token twice, so its list cannot be told to be \
         complete; run the check again"
    )]
    RepeatedToken {
        /// The operation.
        operation: &'static str,
    },
    /// ListRoots returned none.
    #[error("`ListRoots` returned no root; the account may not be part of an organization")]
    NoRoot,
    /// The root's ARN names no partition.
    #[error("the root's ARN `{0}` names no partition")]
    OddRoot(String),
}

fn hint(error: &CallError) -> &'static str {
    if error.failure == Failure::Denied {
        "; the role must belong to the management account or to a delegated administrator of any \
         service, and a delegation policy can grant it to another account"
    } else {
        ""
    }
}

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

/// What collecting works with.
pub(crate) struct Collector<'c, O, C> {
    pub(crate) calls: Calls<'c, O>,
    pub(crate) clock: &'c C,
    pub(crate) settings: &'c CollectSettings,
    pub(crate) contents: &'c RefCell<Contents>,
}

impl<O: Organizations, C: Clock> Collector<'_, O, C> {
    /// DescribePolicy; the content is kept for this run.
    pub(crate) async fn read_content(
        &self,
        policy: &str,
    ) -> Result<crate::ports::PolicyContent, CallError> {
        // The moment before the call: what changes during it is newer than what was read.
        let before = self.clock.now();
        let read = self.calls.content(policy).await?;
        if read.kind == crate::snapshot::SCP {
            self.contents.borrow_mut().put(policy, &read.content, before);
        }
        Ok(read)
    }
}
