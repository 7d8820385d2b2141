//! Where a policy goes: as few targets as possible, none of them above an account that was not
//! chosen.

use std::collections::{BTreeMap, BTreeSet};

use organization::{AccountIdx, Organization, TargetIdx};

/// Accounts that may get more restricted, and what that says of the targets above them.
#[derive(Debug)]
pub struct Placement<'o> {
    organization: &'o Organization,
    /// Targets with an account below them that must not be touched.
    closed: BTreeSet<TargetIdx>,
}

impl<'o> Placement<'o> {
    /// `chosen` may be touched; so may the management account, which no SCP binds.
    #[must_use]
    pub fn new(organization: &'o Organization, chosen: &BTreeSet<AccountIdx>) -> Self {
        let mut closed = BTreeSet::new();
        for (index, account) in organization.accounts() {
            if chosen.contains(&index) || account.id == organization.management_account {
                continue;
            }
            let mut at = Some(organization.target_of(index));
            // What is above a closed target was closed with it.
            while let Some(target) = at.filter(|target| closed.insert(*target)) {
                at = organization.parent(target);
            }
        }
        Self { organization, closed }
    }

    /// Whether everything below a target may be touched.
    #[must_use]
    pub fn is_open(&self, target: TargetIdx) -> bool {
        !self.closed.contains(&target)
    }

    /// The fewest targets that are above all of `accounts` and above none that must not be
    /// touched, each as deep as that allows.
    #[must_use]
    pub fn cover(&self, accounts: &BTreeSet<AccountIdx>) -> Vec<TargetIdx> {
        let mut groups: BTreeMap<TargetIdx, Vec<AccountIdx>> = BTreeMap::new();
        for account in accounts {
            let mut top = self.organization.target_of(*account);
            while let Some(parent) = self.organization.parent(top).filter(|p| self.is_open(*p)) {
                top = parent;
            }
            groups.entry(top).or_default().push(*account);
        }
        groups.into_values().filter_map(|group| self.common(&group)).collect()
    }

    /// The deepest target above all of these accounts.
    fn common(&self, accounts: &[AccountIdx]) -> Option<TargetIdx> {
        let path = |account: &AccountIdx| -> Vec<TargetIdx> {
            self.organization.path(*account).iter().map(|target| target.index).collect()
        };
        let mut rest = accounts.iter().map(path);
        let mut common = rest.next()?;
        for path in rest {
            let same = common.iter().zip(&path).take_while(|(one, other)| one == other).count();
            common.truncate(same);
        }
        common.last().copied()
    }

    /// The targets directly below one that have some of `accounts` below them.
    #[must_use]
    pub fn below(&self, target: TargetIdx, accounts: &BTreeSet<AccountIdx>) -> Vec<TargetIdx> {
        let mut below = BTreeSet::new();
        for account in accounts {
            let path = self.organization.path(*account);
            let mut path = path.iter().map(|found| found.index).skip_while(|at| *at != target);
            below.extend(path.nth(1));
        }
        below.into_iter().collect()
    }
}
