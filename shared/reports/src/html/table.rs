//! The accounts and controls as a plain table, for readers without JavaScript.

use std::collections::BTreeMap;

use findings::names::{count, number};
use organization::AccountIdx;

use super::cells::Letter;
use super::survey::Survey;
use crate::checked::Checked;

/// Rows before the rest is counted.
const ROWS: usize = 150;
/// Accounts that a row names.
const NAMED: usize = 8;

/// The table.
pub struct PlainTable {
    /// The controls: `1`, `SESDP.1` and the name.
    pub controls: Vec<(u8, String, &'static str)>,
    /// Accounts with the same statuses in one row.
    pub rows: Vec<PlainRow>,
    /// What is left out.
    pub more: Option<String>,
}

/// A row.
pub struct PlainRow {
    /// The accounts' names.
    pub accounts: String,
    /// The marks with their words.
    pub cells: Vec<Mark>,
}

/// How a status is shown.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// A word for the style.
    pub tone: &'static str,
    /// The mark.
    pub mark: &'static str,
    /// The word.
    pub word: &'static str,
}

/// The mark of a status.
pub const fn mark(letter: Letter) -> Mark {
    match letter {
        Letter::F => Mark { tone: "bad", mark: "✗", word: "failed" },
        Letter::U => Mark { tone: "open", mark: "?", word: "undecided" },
        Letter::P => Mark { tone: "good", mark: "✓", word: "passed" },
        Letter::N => Mark { tone: "none", mark: "·", word: "not applicable" },
    }
}

/// The table of `checked`, equal rows folded, the worst ones first.
pub fn plain(checked: &Checked<'_>, survey: &Survey<'_>) -> PlainTable {
    let mut folded: BTreeMap<Vec<Letter>, Vec<AccountIdx>> = BTreeMap::new();
    for member in &survey.members {
        let statuses = survey.row(member.row).map(|cell| cell.status).collect();
        folded.entry(statuses).or_default().push(member.account);
    }
    let failed = |statuses: &[Letter]| statuses.iter().filter(|s| **s == Letter::F).count();
    let mut order: Vec<(Vec<Letter>, Vec<AccountIdx>)> = folded.into_iter().collect();
    order.sort_by_key(|(statuses, accounts)| {
        let worst = statuses.iter().min().copied();
        (worst, std::cmp::Reverse(failed(statuses)), accounts.first().copied())
    });
    let more = order.len().saturating_sub(ROWS);
    let left: usize = order.iter().skip(ROWS).map(|(_, accounts)| accounts.len()).sum();
    PlainTable {
        controls: checked
            .report
            .controls
            .iter()
            .map(|control| (control.number(), control.to_string(), control.title()))
            .collect(),
        rows: order
            .iter()
            .take(ROWS)
            .map(|(statuses, accounts)| PlainRow {
                accounts: names(survey, accounts),
                cells: statuses.iter().map(|status| mark(*status)).collect(),
            })
            .collect(),
        more: (more > 0).then(|| format!("{} in {}", count(left, "account"), count(more, "row"))),
    }
}

fn names(survey: &Survey<'_>, accounts: &[AccountIdx]) -> String {
    let shown: Vec<String> =
        accounts.iter().take(NAMED).map(|account| survey.names.account(*account)).collect();
    match accounts.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), number(more)),
    }
}
