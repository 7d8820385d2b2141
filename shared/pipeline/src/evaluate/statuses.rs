//! The statuses of all cells, small enough to compare runs of any size.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ses_perimeter::control::ControlId;
use ses_perimeter::report::{Row, Status};

use crate::wire::SCHEMA_VERSION;

/// The statuses of all cells that some run decided: `runs/RUN/statuses.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statuses {
    /// 1.
    pub schema_version: u32,
    /// For each account one letter for each control from SESDP.1 on: `P`, `F`, `U`, `N`, or `-`
    /// where it was not decided.
    pub accounts: BTreeMap<String, String>,
}

/// A cell whose status is another than in the last run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedCell {
    /// The account.
    pub account_id: String,
    /// The control.
    pub control_id: String,
    /// The status before; none where there was none.
    pub before: Option<&'static str>,
    /// The status now.
    pub after: &'static str,
}

impl Default for Statuses {
    fn default() -> Self {
        Self { schema_version: SCHEMA_VERSION, accounts: BTreeMap::new() }
    }
}

const UNKNOWN: char = '-';

const fn letter(status: Status) -> char {
    match status {
        Status::Passed => 'P',
        Status::Failed => 'F',
        Status::Undecided => 'U',
        Status::NotApplicable => 'N',
    }
}

fn name(letter: char) -> Option<&'static str> {
    let all = [Status::Passed, Status::Failed, Status::Undecided, Status::NotApplicable];
    all.into_iter().find(|status| self::letter(*status) == letter).map(Status::name)
}

impl Statuses {
    /// Takes over what a run decided for an account, and tells what that changed.
    pub fn take(&mut self, account: &str, row: &Row) -> Vec<ChangedCell> {
        let known = self.accounts.entry(account.to_owned()).or_default();
        let mut letters: Vec<char> = known.chars().collect();
        letters.resize(ControlId::ALL.len(), UNKNOWN);
        let mut changed = Vec::new();
        for cell in row.all() {
            let mut slots = ControlId::all().zip(&mut letters);
            let Some((_, slot)) = slots.find(|(control, _)| *control == cell.control) else {
                continue;
            };
            let before = std::mem::replace(slot, letter(cell.status()));
            if before != *slot {
                changed.push(ChangedCell {
                    account_id: account.to_owned(),
                    control_id: cell.control.to_string(),
                    before: name(before),
                    after: cell.status().name(),
                });
            }
        }
        *known = letters.into_iter().collect();
        changed
    }

    /// Forgets accounts that are not in the organization any more.
    pub fn keep(&mut self, is_there: impl Fn(&str) -> bool) {
        self.accounts.retain(|account, _| is_there(account));
    }
}
