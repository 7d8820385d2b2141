//! The same reason for many verdicts, told once.

use std::collections::{BTreeMap, BTreeSet};

use organization::AccountIdx;
use ses_perimeter::control::ControlId;

/// Collects verdicts by their reason.
pub struct Grouping<K> {
    /// For each reason the accounts, each with the controls that it concerns.
    by_key: BTreeMap<K, BTreeMap<AccountIdx, BTreeSet<ControlId>>>,
}

/// Accounts for which a reason concerns the same controls.
pub struct Group<K> {
    /// The reason.
    pub key: K,
    /// The controls.
    pub controls: BTreeSet<ControlId>,
    /// The accounts, in the order of the snapshot.
    pub accounts: Vec<AccountIdx>,
}

impl<K> Default for Grouping<K> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Grouping<K> {
    /// Takes in one verdict.
    pub fn add(&mut self, key: K, control: ControlId, account: AccountIdx) {
        self.by_key.entry(key).or_default().entry(account).or_default().insert(control);
    }

    /// The groups, those with the most accounts first.
    pub fn groups(&self) -> Vec<Group<K>> {
        let mut groups = Vec::new();
        for (key, accounts) in &self.by_key {
            let mut by_controls: BTreeMap<&BTreeSet<ControlId>, Vec<AccountIdx>> = BTreeMap::new();
            for (account, controls) in accounts {
                by_controls.entry(controls).or_default().push(*account);
            }
            groups.extend(by_controls.into_iter().map(|(controls, accounts)| Group {
                key: key.clone(),
                controls: controls.clone(),
                accounts,
            }));
        }
        groups.sort_by_key(|group| {
            (std::cmp::Reverse(group.accounts.len()), group.controls.first().copied())
        });
        groups
    }
}
