//! The last snapshot, brought up to date.
//!
//! A change says what to read again, never what is true: events arrive late, twice and in any
//! order. Each change costs at most three calls; whatever then does not fit needs a full walk.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use policy::arn::is_account;

use super::Collector;
use super::draft::Draft;
use super::look::{Looked, Lost};
use super::path::is_unit;
use crate::pace::Operation;
use crate::ports::{Clock, Failure, Organizations, PolicyItem};
use crate::snapshot::SCP;
use crate::wire::Change;

/// A draft and what is still to be read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Updating {
    pub(crate) draft: Draft,
    pub(crate) todo: BTreeSet<Change>,
    /// Targets whose policies were read in this run.
    looked: BTreeSet<String>,
}

/// The changes do not lead to a whole snapshot, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeedsWalk(pub(crate) String);

impl From<Lost> for NeedsWalk {
    fn from(lost: Lost) -> Self {
        Self(format!("{}: {}", lost.operation.name(), lost.reason))
    }
}

impl Updating {
    pub(crate) const fn new(draft: Draft, todo: BTreeSet<Change>) -> Self {
        Self { draft, todo, looked: BTreeSet::new() }
    }
}

impl<O: Organizations, C: Clock> Collector<'_, O, C> {
    /// Reads again what changed. May be dropped between two calls and called again: a change is
    /// either applied whole or still to do.
    pub(crate) async fn update(&self, state: &mut Updating) -> Result<(), NeedsWalk> {
        while let Some(change) = state.todo.first().cloned() {
            let mut draft = state.draft.clone();
            let looked = self.apply(&mut draft, &state.looked, &change).await?;
            state.draft = draft;
            state.looked.extend(looked);
            state.todo.remove(&change);
        }
        match state.draft.problems(&state.looked).into_iter().next() {
            None => Ok(()),
            Some(problem) => Err(NeedsWalk(format!("something does not fit: {problem:?}"))),
        }
    }

    /// Returns the target whose policies were read, if any.
    async fn apply(
        &self,
        draft: &mut Draft,
        looked: &BTreeSet<String>,
        change: &Change,
    ) -> Result<Option<String>, NeedsWalk> {
        let target = match change {
            Change::Policy(id) => {
                self.apply_policy(draft, id).await?;
                return Ok(None);
            }
            Change::Account(id) | Change::Unit(id) => self.apply_place(draft, id).await?,
            Change::Target(id) if draft.is_target(id) => Some(id.clone()),
            Change::Target(id) => self.apply_place(draft, id).await?,
            Change::Everything => return Err(NeedsWalk("everything may have changed".to_owned())),
        };
        let Some(target) = target.filter(|target| !looked.contains(target)) else {
            return Ok(None);
        };
        self.apply_attached(draft, &target).await?;
        Ok(Some(target))
    }

    /// An account or a unit; its id is returned where it is new, so that its policies are read.
    async fn apply_place(&self, draft: &mut Draft, id: &str) -> Result<Option<String>, NeedsWalk> {
        if !is_account(id) && !is_unit(id) {
            return Err(NeedsWalk(format!("`{id}` is no account and no unit")));
        }
        let was_known = draft.is_target(id);
        let exists = self.look_at(draft, id).await?;
        Ok((exists && !was_known).then(|| id.to_owned()))
    }

    /// What is attached to a target.
    async fn apply_attached(&self, draft: &mut Draft, target: &str) -> Result<(), NeedsWalk> {
        let Some(policies) = self.look_on(target).await? else {
            if draft.root.id == target || self.look_at(draft, target).await? {
                return Err(NeedsWalk(format!("the policies on `{target}` were not found")));
            }
            return Ok(());
        };
        draft.attach_exactly(target, policies.iter().map(|policy| policy.id.clone()));
        for policy in &policies {
            if !draft.policies.contains_key(&policy.id) {
                self.look_at_new_policy(draft, &policy.id, Some(policy)).await?;
            }
        }
        Ok(())
    }

    /// A policy's content; for a new one, where it is attached, too.
    async fn apply_policy(&self, draft: &mut Draft, id: &str) -> Looked<()> {
        if !draft.policies.contains_key(id) {
            self.look_at_new_policy(draft, id, None).await?;
            return Ok(());
        }
        if self.contents.borrow().get(id).is_some() {
            // Read in this run already, after the change was reported.
            self.set_content(draft, id, None);
            return Ok(());
        }
        match self.read_content(id).await {
            Ok(read) if read.kind == SCP => self.set_content(draft, id, Some(&read.item)),
            Ok(_) => draft.remove_policy(id),
            Err(error) if error.failure == Failure::NotFound => draft.remove_policy(id),
            Err(error) => {
                let reason = error.to_string();
                return Err(Lost { operation: Operation::DescribePolicy, reason });
            }
        }
        Ok(())
    }

    fn set_content(&self, draft: &mut Draft, id: &str, item: Option<&PolicyItem>) {
        let content = self.contents.borrow().get(id).map(str::to_owned);
        if let Some(policy) = draft.policies.get_mut(id) {
            policy.content = content;
            if let Some(item) = item {
                policy.name.clone_from(&item.name);
                policy.aws_managed = item.aws_managed;
            }
        }
    }
}
