//! Mending a draft that was read while the organization changed.
//!
//! What does not fit is looked up, within a budget of look-ups; what cannot be looked up is put
//! where its gap covers it: an account or a unit whose place is unknown goes below the root, with
//! a gap on itself, so that it is undecided and not lost.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use policy::arn::is_account;

use super::collector::{CollectError, Collector};
use super::draft::{Draft, Inconsistency};
use super::look::Lost;
use super::path::is_unit;
use crate::pace::Operation;
use crate::ports::{Clock, Organizations};

/// A draft on its way to fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mending {
    pub(crate) draft: Draft,
    /// Look-ups that are left.
    left: u32,
    /// Targets whose policies were looked up.
    looked: BTreeSet<String>,
    /// Units that do not exist any more.
    gone: BTreeSet<String>,
    /// Whether the root was read again.
    root_again: bool,
}

impl Mending {
    pub(crate) const fn new(draft: Draft, look_ups: u32) -> Self {
        Self {
            draft,
            left: look_ups,
            looked: BTreeSet::new(),
            gone: BTreeSet::new(),
            root_again: false,
        }
    }
}

impl<O: Organizations, C: Clock> Collector<'_, O, C> {
    /// Looks up what does not fit until everything fits. May be dropped between two calls and
    /// called again.
    pub(crate) async fn mend(&self, state: &mut Mending) -> Result<(), CollectError> {
        loop {
            let Some(problem) = state.draft.problems(&state.looked).into_iter().next() else {
                return Ok(());
            };
            if matches!(problem, Inconsistency::Bare(_)) && !state.root_again {
                self.look_at_root(&mut state.draft).await?;
                state.root_again = true;
                if !state.draft.root.scp_enabled() {
                    disable(&mut state.draft);
                }
                continue;
            }
            let Some(left) = state.left.checked_sub(1) else {
                settle_all(state);
                return Ok(());
            };
            state.left = left;
            if let Err(lost) = self.mend_one(state, &problem).await {
                settle(state, &problem, lost.operation, &lost.reason);
            }
        }
    }

    async fn mend_one(&self, state: &mut Mending, problem: &Inconsistency) -> Result<(), Lost> {
        match problem {
            Inconsistency::Adrift(id) | Inconsistency::Target(id) => {
                let exists = self.look_at(&mut state.draft, id).await?;
                if !exists {
                    state.draft.remove_target(id);
                }
            }
            Inconsistency::Unit(id) => {
                let known_gone = state.gone.contains(id);
                if known_gone || !self.look_at_unit(&mut state.draft, id).await? {
                    state.gone.insert(id.clone());
                    set_adrift(&mut state.draft, id);
                }
            }
            Inconsistency::Policy(id) => {
                self.look_at_new_policy(&mut state.draft, id, None).await?;
            }
            Inconsistency::Bare(id) => self.mend_bare(state, id).await?,
        }
        Ok(())
    }

    /// A target without a policy: it has some, or it is gone.
    async fn mend_bare(&self, state: &mut Mending, id: &str) -> Result<(), Lost> {
        let policies = self.look_on(id).await?;
        state.looked.insert(id.to_owned());
        match policies {
            Some(policies) => {
                let policies = policies.into_iter().map(|policy| policy.id);
                state.draft.attach_exactly(id, policies);
            }
            None => {
                if self.look_at(&mut state.draft, id).await? {
                    return Err(Lost {
                        operation: Operation::ListPoliciesForTarget,
                        reason: "the target is there, but not for this call".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The policy type was disabled meanwhile, and with it every policy detached.
fn disable(draft: &mut Draft) {
    draft.policies.clear();
    draft.attachments.clear();
    draft.gaps.retain(|gap| gap.policy_id.is_none());
}

/// What is in a unit that is gone must have moved.
fn set_adrift(draft: &mut Draft, unit: &str) {
    let accounts = draft.accounts.values_mut().map(|account| &mut account.parent_id);
    let units = draft.units.values_mut().map(|unit| &mut unit.parent_id);
    accounts.chain(units).filter(|parent| *parent == unit).for_each(String::clear);
}

/// Ends with a gap for everything that does not fit.
fn settle_all(state: &mut Mending) {
    let reason = "the organization changed while it was read, and too much of it to look up; run \
                  the check again";
    loop {
        let problems = state.draft.problems(&state.looked);
        if problems.is_empty() {
            return;
        }
        for problem in problems {
            let operation = match &problem {
                Inconsistency::Adrift(_) => Operation::ListParents,
                Inconsistency::Unit(_) => Operation::DescribeOrganizationalUnit,
                Inconsistency::Target(id) if is_unit(id) => Operation::DescribeOrganizationalUnit,
                Inconsistency::Target(_) => Operation::DescribeAccount,
                Inconsistency::Policy(_) => Operation::ListTargetsForPolicy,
                Inconsistency::Bare(_) => Operation::ListPoliciesForTarget,
            };
            settle(state, &problem, operation, reason);
        }
    }
}

/// Makes the draft fit at one place and covers the place with a gap.
fn settle(state: &mut Mending, problem: &Inconsistency, operation: Operation, reason: &str) {
    let draft = &mut state.draft;
    let (name, reason) = (operation.name(), reason.to_owned());
    match problem {
        // Something else than a unit cannot be put in its place.
        Inconsistency::Unit(id) if !is_unit(id) => set_adrift(draft, id),
        Inconsistency::Adrift(id) | Inconsistency::Unit(id) | Inconsistency::Target(id) => {
            place_below_root(draft, id);
            draft.gap(Some(id), None, name, reason);
            state.looked.insert(id.clone());
        }
        Inconsistency::Policy(id) => {
            draft.add_policy(id.clone(), id.clone(), false, None);
            // Whatever failed, it is also unknown where else the policy is attached.
            draft.gap(None, Some(id), Operation::ListTargetsForPolicy.name(), reason);
        }
        Inconsistency::Bare(id) => {
            draft.gap(Some(id), None, name, reason);
            state.looked.insert(id.clone());
        }
    }
}

/// Puts an account or unit below the root; an id of neither loses its attachments, and its gap
/// then covers everything.
fn place_below_root(draft: &mut Draft, id: &str) {
    let root = draft.root.id.clone();
    if let Some(account) = draft.accounts.get_mut(id) {
        account.parent_id = root;
    } else if let Some(unit) = draft.units.get_mut(id) {
        unit.parent_id = root;
    } else if is_account(id) {
        let item = crate::ports::AccountItem {
            id: id.to_owned(),
            name: id.to_owned(),
            email: String::new(),
            state: String::new(),
            paths: Vec::new(),
        };
        draft.add_account(item, root);
    } else if is_unit(id) {
        draft.add_unit(id.to_owned(), id.to_owned(), root);
    } else {
        draft.detach_all(id);
    }
}
