//! Root, organizational units and accounts.

use crate::account::AccountState;
use crate::id::{AccountId, RootId, TargetId, UnitId};

/// A target by its position: the root, then the units, then the accounts, each in the order of
/// the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetIdx(pub(crate) u32);

/// An account by its position in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountIdx(pub(crate) u32);

impl TargetIdx {
    /// The root.
    pub const ROOT: Self = Self(0);

    /// The position as a number, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl AccountIdx {
    /// The position as a number, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An organizational unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// Its name; the id where the snapshot has no name.
    pub name: Box<str>,
    /// The root or unit that it is in.
    pub parent: TargetIdx,
}

/// The root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Its id.
    pub id: RootId,
    /// Its name; the id where the snapshot has no name.
    pub name: Box<str>,
}

/// An account of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name; the id where the snapshot has no name.
    pub name: Box<str>,
    /// Its state.
    pub state: AccountState,
    /// The root or unit that it is in.
    pub parent: TargetIdx,
}

/// A target with its id and name at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetRef<'a> {
    /// Its position.
    pub index: TargetIdx,
    /// Its id.
    pub id: TargetId<'a>,
    /// Its name; the id where the snapshot has no name.
    pub name: &'a str,
}

/// The tree in three flat lists, with sorted positions for look-ups.
///
/// Indices are only made here and in the reader, which keeps them in range; look-ups by an index
/// from another organization answer as for the root rather than stopping the program.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) root: Root,
    pub(crate) units: Vec<Unit>,
    pub(crate) accounts: Vec<Account>,
    /// Positions of the units, by id.
    pub(crate) units_by_id: Vec<u32>,
    /// Positions of the accounts, by id.
    pub(crate) accounts_by_id: Vec<u32>,
}

/// A position as the 32 bits it is kept in; a snapshot with more entries does not fit in memory.
pub(crate) fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The positions of `items`, sorted by `key`; equal keys stay in order.
pub(crate) fn sorted_positions<'a, T, K: Ord>(
    items: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> Vec<u32> {
    let mut positions: Vec<u32> = (0..narrow(items.len())).collect();
    positions.sort_by_key(|position| items.get(*position as usize).map(&key));
    positions
}

/// Neighbours in `positions`, which are sorted by what `key` says, of which it says the same.
pub(crate) fn twins<K: PartialEq>(
    positions: &[u32],
    key: impl Fn(usize) -> Option<K>,
) -> Vec<(usize, usize)> {
    let mut twins = Vec::new();
    for pair in positions.windows(2) {
        let [first, second] = pair else { continue };
        let (first, second) = (*first as usize, *second as usize);
        if let (Some(one), Some(other)) = (key(first), key(second))
            && one == other
        {
            twins.push((first, second));
        }
    }
    twins
}

/// How deep units may nest below the root by Organizations' quota.
pub(crate) const UNIT_LEVELS: usize = 5;

/// What a walk over all units finds; they are told by their positions among the units.
#[derive(Debug, Default)]
pub(crate) struct UnitWalk {
    /// Units that are in one another, each loop once.
    pub(crate) loops: Vec<Vec<usize>>,
    /// The first units below the quota's levels.
    pub(crate) too_deep: Vec<usize>,
}

/// How far the walk has come with a unit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    /// On the walk under way.
    Walking,
    /// Its levels below the root are known; a unit on or below a loop has none.
    Done(usize),
}

impl Tree {
    /// Walks over every unit once.
    pub(crate) fn walk(&self) -> UnitWalk {
        let mut walk = UnitWalk::default();
        let mut marks = vec![Mark::Unseen; self.units.len()];
        for start in 0..self.units.len() {
            let mut trail = Vec::new();
            let mut at = Some(start);
            let mut depth = loop {
                let Some(unit) = at else { break 0 };
                match marks.get(unit).copied().unwrap_or(Mark::Done(0)) {
                    Mark::Done(depth) => break depth,
                    Mark::Walking => {
                        let from = trail.iter().position(|passed| *passed == unit);
                        walk.loops.extend(trail.get(from.unwrap_or(0)..).map(<[usize]>::to_vec));
                        break 0;
                    }
                    Mark::Unseen => {
                        if let Some(mark) = marks.get_mut(unit) {
                            *mark = Mark::Walking;
                        }
                        trail.push(unit);
                        let parent = self.units.get(unit).map(|unit| unit.parent.index());
                        at = parent.and_then(|parent| parent.checked_sub(1));
                    }
                }
            };
            for unit in trail.into_iter().rev() {
                depth += 1;
                if let Some(mark) = marks.get_mut(unit) {
                    *mark = Mark::Done(depth);
                }
                if depth == UNIT_LEVELS + 1 {
                    walk.too_deep.push(unit);
                }
            }
        }
        walk
    }

    pub(crate) fn sort_units(&mut self) {
        self.units_by_id = sorted_positions(&self.units, |unit| unit.id.as_str());
    }

    pub(crate) fn sort_accounts(&mut self) {
        self.accounts_by_id = sorted_positions(&self.accounts, |account| account.id);
    }

    /// Adds a unit, behind the others and before the accounts.
    pub(crate) fn push_unit(&mut self, unit: Unit) -> TargetIdx {
        self.units.push(unit);
        self.sort_units();
        TargetIdx(narrow(self.units.len()))
    }

    /// Adds an account, behind the others.
    pub(crate) fn push_account(&mut self, account: Account) -> TargetIdx {
        self.accounts.push(account);
        self.sort_accounts();
        TargetIdx(narrow(self.len() - 1))
    }

    pub(crate) fn len(&self) -> usize {
        1 + self.units.len() + self.accounts.len()
    }

    pub(crate) fn unit(&self, target: TargetIdx) -> Option<&Unit> {
        self.units.get(target.index().checked_sub(1)?)
    }

    pub(crate) fn account_at(&self, target: TargetIdx) -> Option<AccountIdx> {
        let position = target.index().checked_sub(1 + self.units.len())?;
        (position < self.accounts.len()).then(|| AccountIdx(narrow(position)))
    }

    pub(crate) fn account(&self, account: AccountIdx) -> Option<&Account> {
        self.accounts.get(account.index())
    }

    pub(crate) fn target_of(&self, account: AccountIdx) -> TargetIdx {
        TargetIdx(narrow(1 + self.units.len() + account.index()))
    }

    pub(crate) fn parent(&self, target: TargetIdx) -> Option<TargetIdx> {
        if let Some(unit) = self.unit(target) {
            return Some(unit.parent);
        }
        Some(self.account(self.account_at(target)?)?.parent)
    }

    /// The root or the unit with this id.
    pub(crate) fn find_parent(&self, id: &str) -> Option<TargetIdx> {
        if id == self.root.id.as_str() {
            return Some(TargetIdx::ROOT);
        }
        let found = self.units_by_id.binary_search_by(|position| {
            self.units.get(*position as usize).map(|unit| unit.id.as_str()).cmp(&Some(id))
        });
        let position = self.units_by_id.get(found.ok()?)?;
        Some(TargetIdx(position + 1))
    }

    pub(crate) fn find_account(&self, id: AccountId) -> Option<AccountIdx> {
        let found = self.accounts_by_id.binary_search_by(|position| {
            self.accounts.get(*position as usize).map(|account| account.id).cmp(&Some(id))
        });
        Some(AccountIdx(*self.accounts_by_id.get(found.ok()?)?))
    }

    /// The root, unit or account with this id.
    pub(crate) fn find(&self, id: &str) -> Option<TargetIdx> {
        self.find_parent(id).or_else(|| Some(self.target_of(self.find_account(id.parse().ok()?)?)))
    }

    /// The target with this id.
    pub(crate) fn find_target(&self, id: TargetId<'_>) -> Option<TargetIdx> {
        match id {
            TargetId::Root(id) => self.find_parent(id.as_str()),
            TargetId::Unit(id) => self.find_parent(id.as_str()),
            TargetId::Account(id) => self.find_account(id).map(|account| self.target_of(account)),
        }
    }

    pub(crate) fn target_ref(&self, target: TargetIdx) -> TargetRef<'_> {
        if let Some(unit) = self.unit(target) {
            return TargetRef { index: target, id: TargetId::Unit(&unit.id), name: &unit.name };
        }
        if let Some(account) = self.account_at(target).and_then(|account| self.account(account)) {
            let id = TargetId::Account(account.id);
            return TargetRef { index: target, id, name: &account.name };
        }
        let id = TargetId::Root(&self.root.id);
        TargetRef { index: TargetIdx::ROOT, id, name: &self.root.name }
    }

    /// Root first, `target` last. The reader has refused loops, so this ends.
    pub(crate) fn path(&self, target: TargetIdx) -> Vec<TargetIdx> {
        let mut path: Vec<_> =
            std::iter::successors(Some(target), |target| self.parent(*target)).collect();
        path.reverse();
        path
    }

    /// Every target's id, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = String> {
        (0..narrow(self.len())).map(|index| self.target_ref(TargetIdx(index)).id.to_string())
    }

    /// The ids of the root and the units, in order.
    pub(crate) fn parent_ids(&self) -> impl Iterator<Item = &str> {
        let units = self.units.iter().map(|unit| unit.id.as_str());
        std::iter::once(self.root.id.as_str()).chain(units)
    }
}
