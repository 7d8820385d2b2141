//! What collecting works with, and why it can fail.

use std::cell::RefCell;

use super::calls::Calls;
use super::contents::Contents;
use crate::ports::{CallError, Clock, Failure, Organizations, PolicyContent};
use crate::snapshot::SCP;

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

/// What collecting works with.
pub(crate) struct Collector<'c, O, C> {
    pub(crate) calls: Calls<'c, O>,
    pub(crate) clock: &'c C,
    pub(crate) settings: &'c CollectSettings,
    pub(crate) contents: &'c RefCell<Contents>,
}

impl<O: Organizations, C: Clock> Collector<'_, O, C> {
    /// DescribePolicy; the content is kept for this run.
    pub(crate) async fn read_content(&self, policy: &str) -> Result<PolicyContent, CallError> {
        // The moment before the call: what changes during it is newer than what was read.
        let before = self.clock.now();
        let read = self.calls.content(policy).await?;
        if read.kind == SCP {
            self.contents.borrow_mut().put(policy, &read.content, before);
        }
        Ok(read)
    }
}
