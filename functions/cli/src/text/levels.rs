//! What is set up in the accounts: what is at fault there, and how grave that makes failures.

use std::collections::BTreeMap;
use std::io::{self, Write};

use findings::asff;
use findings::names::{Names, count};
use findings::results::fault_text;
use organization::AccountIdx;
use ses_perimeter::report::Verdict;
use ses_perimeter::severity::Level;

use super::page::{NAMED, Page, cut, heading};
use super::paint::{BAD, BOLD, DIM, OPEN, PLAIN, Paragraph};

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
    for row in &page.report.rows {
        for cell in row.all() {
            if let Verdict::Faults(faults) = &cell.verdict {
                let texts = faults.iter().map(fault_text).collect();
                found.entry(row.account).or_default().push((cell.control.to_string(), texts));
            }
        }
    }
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
    let all = asff::levels(page.perimeter_settings, page.report);
    if all.is_empty() {
        return Ok(());
    }
    heading(out, "How far SES is in use, and how grave that makes failures")?;
    for of in all {
        let style = match of.level {
            Level::Sending => BAD,
            Level::Unknown | Level::Production => OPEN,
            Level::NotInUse | Level::Paused | Level::Sandbox => PLAIN,
        };
        let who = names.counted(&of.accounts, NAMED);
        Paragraph { head: of.level.name(), style, text: &who, indent: 2 }.write(out, page.width)?;
        if let Some(rule) = of.rule {
            Paragraph { indent: 4, ..Paragraph::of(&rule) }.write(out, page.width)?;
        }
    }
    Ok(())
}
