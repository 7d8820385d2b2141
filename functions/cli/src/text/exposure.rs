//! What is set up in the accounts: what is at fault there, and how grave that makes failures.

use std::collections::BTreeMap;
use std::io::{self, Write};

use findings::asff::severity_rule;
use findings::names::{Names, count};
use findings::results::fault_text;
use organization::AccountIdx;
use ses_perimeter::check::{Row, Status};
use ses_perimeter::severity::Level;

use super::paint::{BAD, BOLD, DIM, OPEN, PLAIN, Paragraph};
use super::{NAMED, Page, cut, each_view, heading};

/// Accounts with faults before the rest is counted.
const ACCOUNTS: usize = 30;
/// Faults of one control of an account before the rest is counted.
const FAULTS: usize = 5;

pub fn write(out: &mut dyn Write, page: &Page<'_>, names: &Names<'_>) -> io::Result<()> {
    faults(out, page, names)?;
    levels(out, page, names)
}

fn faults(out: &mut dyn Write, page: &Page<'_>, names: &Names<'_>) -> io::Result<()> {
    let mut found: BTreeMap<AccountIdx, Vec<(String, Vec<String>)>> = BTreeMap::new();
    each_view(page, Status::Failed, |account, control, cell| {
        if !cell.faults.is_empty() {
            let texts = cell.faults.iter().map(fault_text).collect();
            found.entry(account).or_default().push((control.to_string(), texts));
        }
    });
    if found.is_empty() {
        return Ok(());
    }
    heading(out, "Failed, by what is set up in the accounts")?;
    for (account, controls) in found.iter().take(ACCOUNTS) {
        let who = names.account(*account);
        Paragraph { head: &who, style: BOLD, text: "", indent: 2 }.write(out, page.width)?;
        for (control, texts) in controls {
            for text in texts.iter().take(FAULTS) {
                Paragraph { head: control, style: BAD, text, indent: 4 }.write(out, page.width)?;
            }
            if let Some(left) = texts.len().checked_sub(FAULTS + 1) {
                let text = format!("and {}", count(left + 1, "more fault"));
                Paragraph { head: control, style: DIM, text: &text, indent: 4 }
                    .write(out, page.width)?;
            }
        }
    }
    cut(out, page, found.len().saturating_sub(ACCOUNTS), "more account")
}

/// The accounts of each level, the one where mail flows first, and what the level does to the
/// gravest failure of these accounts.
fn levels(out: &mut dyn Write, page: &Page<'_>, names: &Names<'_>) -> io::Result<()> {
    let mut by_level: BTreeMap<Level, Vec<&Row>> = BTreeMap::new();
    for row in &page.report.rows {
        if let Some(found) = &row.found {
            by_level.entry(found.standing.level).or_default().push(row);
        }
    }
    if by_level.is_empty() {
        return Ok(());
    }
    heading(out, "How far SES is in use, and how grave that makes failures")?;
    for (level, rows) in by_level.iter().rev() {
        let style = match level {
            Level::Sending => BAD,
            Level::Unknown | Level::Production => OPEN,
            Level::NotInUse | Level::Paused | Level::Sandbox => PLAIN,
        };
        let accounts: Vec<AccountIdx> = rows.iter().map(|row| row.account).collect();
        let who = names.counted(&accounts, NAMED);
        Paragraph { head: level.name(), style, text: &who, indent: 2 }.write(out, page.width)?;
        let rule = rows.iter().find_map(|row| severity_rule(page.perimeter_settings, row));
        if let Some(rule) = rule {
            Paragraph { indent: 4, ..Paragraph::of(&rule) }.write(out, page.width)?;
        }
    }
    Ok(())
}
