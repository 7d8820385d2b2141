//! How grave failures are, and how far SES is in use where they are.

use std::collections::BTreeMap;

use organization::AccountIdx;
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::{Perimeter, Severity};
use ses_perimeter::report::{Report, Row, Status};
use ses_perimeter::severity::Level;

/// How grave a failure of a control is, wherever it fails: what the perimeter says, else what we
/// say.
#[must_use]
pub fn severity(perimeter: &Perimeter, control: ControlId) -> Severity {
    perimeter.severity.get(&control).copied().unwrap_or(control.entry().severity)
}

/// Accounts in which SES is in use alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfLevel {
    /// How far.
    pub level: Level,
    /// The accounts, in the order of the report.
    pub accounts: Vec<AccountIdx>,
    /// The rule that the gravest failure of the first that has one is graded by.
    pub rule: Option<String>,
}

/// The accounts of a report by level, the one where mail flows first but for the unknown ones;
/// nothing where nobody looked.
#[must_use]
pub fn levels(perimeter: &Perimeter, report: &Report) -> Vec<OfLevel> {
    let mut by_level: BTreeMap<Level, Vec<&Row>> = BTreeMap::new();
    for row in &report.rows {
        if let Some(found) = &row.found {
            by_level.entry(found.standing.level).or_default().push(row);
        }
    }
    let all = by_level.into_iter().rev().map(|(level, rows)| OfLevel {
        level,
        accounts: rows.iter().map(|row| row.account).collect(),
        rule: rows.into_iter().find_map(|row| severity_rule(perimeter, row)),
    });
    all.collect()
}

/// The rule that the gravest failure of an account's service control policies is graded by; none
/// where nothing fails, or nobody looked how far SES is in use in the account.
fn severity_rule(perimeter: &Perimeter, row: &Row) -> Option<String> {
    let failed = row.cells.iter().filter(|cell| cell.status() == Status::Failed);
    let own = failed.map(|cell| severity(perimeter, cell.control)).max()?;
    let standing = &row.found.as_ref()?.standing;
    Some(perimeter.exposure.severity.grade(own, standing).sentence)
}
