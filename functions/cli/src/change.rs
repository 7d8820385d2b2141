//! What `fix`, `what-if` and `diff` have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use changes::compare::{CellChange, Direction, MailLoss};
use changes::fix::FixError;
use findings::names::{Names, list};
use findings::results::WitnessEntry;
use miette::{Report, miette};
use organization::{AccountId, AccountIdx, EditError, Organization};
use serde::Serialize;

use crate::text::heading;
use crate::text::paint::{BAD, BOLD, DIM, GOOD, Paragraph, plain};

/// Accounts that a line names before it counts the rest.
const NAMED: usize = 5;

/// An edit that cannot be made.
pub fn refused_edit(error: &EditError) -> Report {
    match &error.help {
        Some(help) => miette!(help = help.clone(), "{error}"),
        None => miette!("{error}"),
    }
}

/// Why there is no fix.
pub fn refused(organization: &Organization, error: &FixError) -> Report {
    match error {
        FixError::Edit(error) => refused_edit(error),
        FixError::Worse(cells) => {
            let first = cells.first().map(|cell| {
                let status =
                    |status: Option<_>| status.map_or("none", ses_perimeter::report::Status::name);
                format!(
                    "first of them: {} of {} from {} to {}",
                    cell.control,
                    name(organization, cell.account),
                    status(cell.before),
                    status(cell.after)
                )
            });
            miette!(help = first.unwrap_or_default(), "{error}")
        }
    }
}

/// The name of an account with its id.
pub fn name(organization: &Organization, id: AccountId) -> String {
    let found = organization.find_account(id).and_then(|index| organization.account(index));
    let found = found.filter(|found| *found.name != *id.to_string());
    found.map_or_else(|| id.to_string(), |found| format!("{} ({id})", found.name))
}

/// The beginning of a document for scripts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeHead<'a> {
    schema_version: u32,
    tool: ChangeTool,
    organization_id: String,
    snapshot_digest: &'a str,
    evaluated_at: &'a str,
}

#[derive(Debug, Serialize)]
struct ChangeTool {
    name: &'static str,
    version: &'static str,
}

impl<'a> ChangeHead<'a> {
    /// Of a document about an organization at a moment.
    pub fn new(organization: &'a Organization, evaluated_at: &'a str) -> Self {
        Self {
            schema_version: 1,
            tool: ChangeTool { name: "ses-perimeter", version: env!("CARGO_PKG_VERSION") },
            organization_id: organization.id.to_string(),
            snapshot_digest: &organization.digest,
            evaluated_at,
        }
    }
}

/// A verdict that differs, for scripts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CellOut {
    /// None where the account has no id yet.
    account_id: Option<String>,
    account_name: String,
    control_id: String,
    /// None where the account was not there.
    before: Option<&'static str>,
    /// None where the account is gone.
    after: Option<&'static str>,
    direction: &'static str,
}

impl CellOut {
    /// Of organizations before and after; `made` are accounts that have no id yet.
    pub fn new(
        sides: (&Organization, &Organization),
        change: &CellChange,
        made: &BTreeSet<AccountId>,
    ) -> Self {
        let account = |organization: &Organization| {
            let index = organization.find_account(change.account)?;
            Some(organization.account(index)?.name.to_string())
        };
        Self {
            account_id: (!made.contains(&change.account)).then(|| change.account.to_string()),
            account_name: account(sides.1).or_else(|| account(sides.0)).unwrap_or_default(),
            control_id: change.control.to_string(),
            before: change.before.map(ses_perimeter::report::Status::name),
            after: change.after.map(ses_perimeter::report::Status::name),
            direction: match change.direction {
                Direction::Worse => "WORSE",
                Direction::Other => "OTHER",
                Direction::Better => "BETTER",
            },
        }
    }
}

/// Mail to trusted recipients that an account loses, for scripts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LostOut {
    account_id: String,
    account_name: String,
    /// One request for each send path; it was permitted before.
    requests: Vec<WitnessEntry>,
}

impl LostOut {
    /// In the organization before.
    pub fn new(organization: &Organization, loss: &MailLoss) -> Self {
        let index = organization.find_account(loss.account);
        let found = index.and_then(|index| organization.account(index));
        Self {
            account_id: loss.account.to_string(),
            account_name: found.map(|found| found.name.to_string()).unwrap_or_default(),
            requests: loss.paths.iter().map(|(path, w)| WitnessEntry::new(w, path)).collect(),
        }
    }
}

/// Accounts that lose mail on the same send paths, together.
pub fn lost_alike(losses: &[MailLoss]) -> BTreeMap<Vec<&str>, Vec<AccountId>> {
    let mut groups: BTreeMap<Vec<&str>, Vec<AccountId>> = BTreeMap::new();
    for loss in losses {
        let paths = loss.paths.iter().map(|(path, _)| *path).collect();
        groups.entry(paths).or_default().push(loss.account);
    }
    groups
}

/// Which accounts lose which mail to trusted recipients.
///
/// # Errors
/// Those of the writer.
pub fn losses(
    out: &mut dyn Write,
    organization: &Organization,
    names: &Names<'_>,
    losses: &[MailLoss],
    width: usize,
) -> io::Result<()> {
    heading(out, "Mail to trusted recipients that is lost with it")?;
    if losses.is_empty() {
        let text = "None: where ordinary principals could mail trusted recipients, they still can.";
        return Paragraph { style: GOOD, indent: 2, ..Paragraph::of(text) }.write(out, width);
    }
    for (paths, accounts) in lost_alike(losses) {
        let accounts: Vec<AccountIdx> =
            accounts.into_iter().filter_map(|id| organization.find_account(id)).collect();
        let head = names.counted(&accounts, NAMED);
        let paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
        let bulk = paths == ["v2-bulk"];
        let why = if bulk { "; a bulk call shows no recipients to an SCP" } else { "" };
        let text = format!("all principals but exempt ones lose {}{why}", list(&paths));
        Paragraph { head: &head, style: BOLD, text: &text, indent: 2 }.write(out, width)?;
    }
    Ok(())
}

/// A unified diff in colour.
///
/// # Errors
/// Those of the writer.
pub fn diff(out: &mut dyn Write, diff: &str) -> io::Result<()> {
    for line in diff.lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') => GOOD,
            Some(b'-') => BAD,
            Some(b'@') => DIM,
            _ => anstyle::Style::new(),
        };
        writeln!(out, "{style}{}{style:#}", plain(line))?;
    }
    Ok(())
}
