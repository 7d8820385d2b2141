//! Comma-separated values (RFC 4180), one row a verdict, for spreadsheets.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@` or a few others for a formula,
//! and names in an organization are anybody's: such a cell gets a `'` in front, which
//! spreadsheets take for the mark of plain text. Control characters, line breaks among them,
//! become spaces, so that a row is a line.

use std::io::{self, Write};

use findings::asff::{deciders, obstacles};
use findings::names::Names;
use findings::results::{ResultEntry, StatusEntry};

use crate::cells::{each, one_line, path, severity};
use crate::checked::Checked;

/// The first row.
pub const HEADER: [&str; 14] = [
    "account_id",
    "account_name",
    "path",
    "path_names",
    "control_id",
    "control_title",
    "status",
    "witness",
    "cause",
    "decided_by",
    "obstacles",
    "assumptions",
    "reason",
    "severity",
];

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let names = Names::new(checked.organization);
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(HEADER).map_err(own)?;
    each(checked, |row, cell, entry| {
        let target = checked.organization.target_of(row.account);
        let path_names = names.path(target);
        let title = cell.control.title();
        let severity = match entry.status {
            StatusEntry::Failed => severity(checked, cell.control, entry).name(),
            StatusEntry::Passed | StatusEntry::Undecided | StatusEntry::NotApplicable => "",
        };
        rows.write_record(record(entry, title, &path_names, severity)).map_err(own)
    })?;
    rows.flush()
}

/// The writer's own error, so that a closed pipe is still known for one.
fn own(error: csv::Error) -> io::Error {
    let csv::ErrorKind::Io(own) = error.into_kind() else {
        // Rows are of one length and of text, so that there is nothing else to go wrong.
        return io::Error::other("a row could not be written");
    };
    own
}

fn record(
    entry: &ResultEntry,
    title: &str,
    path_names: &str,
    severity: &str,
) -> [String; HEADER.len()] {
    let obstacles = if entry.obstacles.is_empty() { String::new() } else { obstacles(entry) };
    [
        &entry.account_id,
        &entry.account_name,
        &path(entry),
        path_names,
        &entry.control_id,
        title,
        entry.status.name(),
        entry.witness_text.as_deref().unwrap_or_default(),
        entry.cause.as_deref().unwrap_or_default(),
        &deciders(entry),
        &obstacles,
        &entry.assumptions.join("; "),
        entry.reason.as_deref().unwrap_or_default(),
        severity,
    ]
    .map(guarded)
}

/// `text` as a cell that no spreadsheet takes for a formula.
#[must_use]
pub fn guarded(text: &str) -> String {
    let text = one_line(text);
    // Some programs trim before they look, and some take the wide forms for the narrow ones.
    let first = text.trim_start().chars().next();
    let formula = first.is_some_and(|c| "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(c));
    if formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for text in ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u{ff1d}1"] {
            assert!(guarded(text).starts_with('\''), "{text:?}");
        }
        for text in ["", "shop", "a=b", "'=1", "222222222222"] {
            assert_eq!(guarded(text), text);
        }
    }
}
