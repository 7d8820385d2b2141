//! Failed controls, grouped by why nothing stops the requests.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use findings::causes::{nothing_near, parted};
use findings::names::{Names, sid};
use organization::{AccountIdx, PolicyIdx, TargetIdx};
use reports::story::{Failure, Story};
use ses_perimeter::explain::NearMiss;

use super::page::{NAMED, Page, cut, heading};
use super::paint::{BAD, BOLD, DIM, Paragraph};

/// Causes before the rest is counted.
const CAUSES: usize = 30;
/// Accounts that fail the same controls for the same cause.
struct FailedGroup<'a> {
    accounts: Vec<AccountIdx>,
    /// The failures of the first account.
    failures: Vec<&'a Failure>,
}

pub fn write(out: &mut dyn Write, page: &Page<'_>, names: &Names<'_>) -> io::Result<()> {
    let story = Story::of(page.organization, page.catalog, page.report);
    let groups = groups(&story);
    if groups.is_empty() {
        return Ok(());
    }
    heading(out, "Failed, by cause")?;
    for (number, group) in groups.iter().take(CAUSES).enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let who = names.counted(&group.accounts, NAMED);
        Paragraph { head: &who, style: BOLD, text: "", indent: 2 }.write(out, page.width)?;
        for failure in &group.failures {
            let head = format!("{:<8}", failure.control.to_string());
            Paragraph { head: &head, style: BAD, text: &failure.request.words, indent: 4 }
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
    group: &FailedGroup<'_>,
) -> io::Result<()> {
    let Some(first) = group.failures.first() else { return Ok(()) };
    let them = if group.failures.len() > 1 { "these actions" } else { "this action" };
    let line = |out: &mut dyn Write, text: &str| {
        Paragraph { head: "because", style: DIM, text, indent: 4 }.write(out, page.width)
    };
    if first.cause.near.is_empty() {
        line(out, &nothing_near(page.organization.scp_enabled, first.cause.general, them))?;
    }
    for near in &first.cause.near {
        let why = parted(near);
        let place = place(page, names, group, near);
        line(out, &format!("{place}, {}: {why}", sid(&near.statement)))?;
    }
    Ok(())
}

/// The policy, and where it is attached as the accounts of a group see it.
fn place(page: &Page<'_>, names: &Names<'_>, group: &FailedGroup<'_>, near: &NearMiss) -> String {
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

/// The statements that came near and where they part, or how many of every action there are.
type NearKey<'s> = (Vec<(PolicyIdx, usize, &'s str)>, usize);

fn parting(failure: &Failure) -> NearKey<'_> {
    let partings = failure.partings.iter();
    let partings = partings.map(|it| (it.policy, it.statement, it.why.as_str())).collect();
    (partings, failure.cause.general)
}

/// Controls that the same accounts fail for the same cause together, wherever its policies are
/// attached; most verdicts first.
fn groups(story: &Story) -> Vec<FailedGroup<'_>> {
    let mut groups: BTreeMap<(NearKey<'_>, Vec<AccountIdx>), Vec<&Failure>> = BTreeMap::new();
    for (failure, accounts) in story.merged(|failure| (failure.control, parting(failure))) {
        groups.entry((parting(failure), accounts)).or_default().push(failure);
    }
    let mut groups: Vec<FailedGroup<'_>> = groups
        .into_iter()
        .map(|((_, accounts), mut failures)| {
            failures.sort_by_key(|failure| failure.control);
            FailedGroup { accounts, failures }
        })
        .collect();
    groups.sort_by_key(|group| {
        let first = group.failures.first().map(|failure| failure.control);
        (
            Reverse(group.accounts.len() * group.failures.len()),
            group.accounts.first().copied(),
            first,
        )
    });
    groups
}
