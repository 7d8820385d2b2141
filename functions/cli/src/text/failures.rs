//! Failed controls, grouped by why nothing stops the requests.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use findings::causes::{nothing_near, telling};
use findings::names::{Names, sid};
use findings::words;
use organization::{AccountIdx, PolicyIdx, TargetIdx};
use ses_perimeter::control::ControlId;
use ses_perimeter::explain::{NearMiss, near_misses};
use ses_perimeter::report::{GroupId, Row, Status};
use ses_perimeter::view::view;

use super::page::{NAMED, Page, cut, heading};
use super::paint::{BAD, BOLD, DIM, Paragraph};

/// Causes before the rest is counted.
const CAUSES: usize = 30;
/// Statements that came near, for each cause.
const NEAR: usize = 2;

/// Why a request gets through: where each statement that should have stopped it parts from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    /// The policy, the statement and what it wants and gets, the account's digits aside.
    parted: Vec<(PolicyIdx, usize, String)>,
    /// Whether other statements are about the action and do not match either.
    others: usize,
}

/// One control of one account with its cause.
#[derive(Clone)]
struct Failure {
    control: ControlId,
    cause: Cause,
    request: String,
    near: Vec<NearMiss>,
}

/// Accounts that fail the same controls for the same cause.
struct Group<'a> {
    accounts: &'a [AccountIdx],
    /// The failures of the first account.
    failures: Vec<&'a Failure>,
}

pub fn write(out: &mut dyn Write, page: &Page<'_>, names: &Names<'_>) -> io::Result<()> {
    let found = collect(page);
    let groups = merge(&found);
    if groups.is_empty() {
        return Ok(());
    }
    heading(out, "Failed, by cause")?;
    for (number, group) in groups.iter().take(CAUSES).enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let who = names.counted(group.accounts, NAMED);
        Paragraph { head: &who, style: BOLD, text: "", indent: 2 }.write(out, page.width)?;
        for failure in &group.failures {
            let head = format!("{:<8}", failure.control.to_string());
            Paragraph { head: &head, style: BAD, text: &failure.request, indent: 4 }
                .write(out, page.width)?;
        }
        causes(out, page, names, group)?;
    }
    cut(out, page, groups.len().saturating_sub(CAUSES), "more cause")
}

fn causes(
    out: &mut dyn Write,
    page: &Page<'_>,
    names: &Names<'_>,
    group: &Group<'_>,
) -> io::Result<()> {
    let Some(first) = group.failures.first() else { return Ok(()) };
    let them = if group.failures.len() > 1 { "these actions" } else { "this action" };
    let line = |out: &mut dyn Write, text: &str| {
        Paragraph { head: "because", style: DIM, text, indent: 4 }.write(out, page.width)
    };
    if first.near.is_empty() {
        line(out, &nothing_near(page.organization.scp_enabled, first.cause.others, them))?;
    }
    for near in &first.near {
        let why = near.first_miss().map(|(_, element)| element.message()).unwrap_or_default();
        let place = place(page, names, group, near);
        line(out, &format!("{place}, {}: {why}", sid(&near.statement)))?;
    }
    Ok(())
}

/// The policy, and where it is attached as the accounts of a group see it.
fn place(page: &Page<'_>, names: &Names<'_>, group: &Group<'_>, near: &NearMiss) -> String {
    let policy = near.statement.policy;
    let attached = |account: &AccountIdx| {
        let levels = page.organization.levels(*account);
        levels
            .iter()
            .find(|level| level.scps.iter().any(|scp| scp.policy == policy))
            .map(|l| l.target)
    };
    let elsewhere = |target: Option<TargetIdx>| target != Some(near.statement.target);
    let at = if group.accounts.iter().map(attached).any(elsewhere) {
        "several targets".to_owned()
    } else {
        names.target(near.statement.target)
    };
    format!("SCP {} at {at}", names.policy(policy))
}

/// For each control and cause the accounts.
fn collect(page: &Page<'_>) -> Vec<(Failure, Vec<AccountIdx>)> {
    let mut places: BTreeMap<(ControlId, Cause), usize> = BTreeMap::new();
    let mut all: Vec<(Failure, Vec<AccountIdx>)> = Vec::new();
    // Accounts with the same cells and the same policies fail for the same causes.
    let mut known: BTreeMap<(GroupId, Vec<PolicyIdx>), Vec<usize>> = BTreeMap::new();
    for row in &page.report.rows {
        if !row.cells.iter().any(|cell| cell.status() == Status::Failed) {
            continue;
        }
        let levels = page.organization.levels(row.account);
        let policies = levels.iter().flat_map(|level| level.scps).map(|scp| scp.policy).collect();
        let key = (row.group, policies);
        let indices = known.entry(key).or_insert_with(|| {
            failures(page, row)
                .into_iter()
                .map(|failure| {
                    let key = (failure.control, failure.cause.clone());
                    *places.entry(key).or_insert_with(|| {
                        all.push((failure, Vec::new()));
                        all.len() - 1
                    })
                })
                .collect()
        });
        for index in indices.iter() {
            if let Some((_, accounts)) = all.get_mut(*index) {
                accounts.push(row.account);
            }
        }
    }
    all
}

/// Controls that the same accounts fail for the same cause together, most verdicts first.
fn merge(found: &[(Failure, Vec<AccountIdx>)]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<(&Cause, &[AccountIdx]), Vec<&Failure>> = BTreeMap::new();
    for (failure, accounts) in found {
        groups.entry((&failure.cause, accounts)).or_default().push(failure);
    }
    let mut groups: Vec<Group<'_>> = groups
        .into_iter()
        .map(|((_, accounts), mut failures)| {
            failures.sort_by_key(|failure| failure.control);
            Group { accounts, failures }
        })
        .collect();
    groups.sort_by_key(|group| {
        let first = group.failures.first().map(|failure| failure.control);
        (Reverse(group.accounts.len() * group.failures.len()), group.accounts.first(), first)
    });
    groups
}

fn failures(page: &Page<'_>, row: &Row) -> Vec<Failure> {
    let id = page.organization.account(row.account).map(|found| found.id.to_string());
    let id = id.unwrap_or_default();
    let mut failures = Vec::new();
    for cell in row.cells.iter().filter(|cell| cell.status() == Status::Failed) {
        let cell = view(page.organization, page.catalog, row, cell);
        let Some((_, witness)) = &cell.witness else { continue };
        let all = near_misses(page.organization, page.catalog, row.account, witness);
        let near: Vec<NearMiss> = telling(&all, NEAR).into_iter().cloned().collect();
        let others = if near.is_empty() {
            all.iter().filter(|near| near.covers_action()).count()
        } else {
            0
        };
        let parted = near
            .iter()
            .map(|near| {
                let why = near.first_miss().map(|(_, element)| element.message());
                let why = why.unwrap_or_default().replace(&id, "");
                (near.statement.policy, near.statement.statement, why)
            })
            .collect();
        failures.push(Failure {
            control: cell.control,
            cause: Cause { parted, others },
            request: words::request(page.organization, cell.control, witness),
            near,
        });
    }
    failures
}
