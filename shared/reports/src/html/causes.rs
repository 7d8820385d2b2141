//! One card for each cause of failures.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use findings::names::{self, count, list, sid_text};
use organization::{AccountIdx, PolicyIdx, TargetIdx};
use ses_perimeter::control::ControlId;

use super::escape::{Piece, pieces};
use super::survey::{CauseLines, Line, Survey};
use crate::checked::{Checked, Fix};

/// Cards before the rest is counted.
pub const CARDS: usize = 60;
/// Statements that a card tells.
const LINES: usize = 5;
/// Accounts that a card names.
const NAMED: usize = 24;
/// Fixes that a card names, where it does not show more.
const FIXES: usize = 4;

/// A card.
pub struct Card<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// Whether it lets mail out.
    pub mail: bool,
    /// The statements that came near, or a sentence that none did.
    pub lines: Vec<CardLine>,
    /// How many statements are not told, where some are not.
    pub more_lines: Option<String>,
    /// The controls, each with how many accounts fail it.
    pub controls: Vec<CardControl>,
    /// `3 accounts`.
    pub accounts: String,
    /// Ids and names.
    pub named: Vec<(String, String)>,
    /// `and 9,976 more`, where some are not named.
    pub more_accounts: Option<String>,
    /// The request that gets through.
    pub witness: Option<CardWitness>,
    /// Proved changes.
    pub fixes: Vec<CardFix<'a>>,
}

/// A statement that came near.
pub struct CardLine {
    /// The policy, where there is one.
    pub policy: String,
    /// The statements and where the policy is attached.
    pub place: String,
    /// Where they part.
    pub why: Vec<Piece>,
}

/// A control on a card.
pub struct CardControl {
    /// For instance `SESDP.8`.
    pub id: String,
    /// Its name.
    pub title: &'static str,
    /// How many accounts fail it, where not all of the card do.
    pub some: Option<String>,
}

/// A request on a card.
pub struct CardWitness {
    /// For instance `SESDP.8`.
    pub control: String,
    /// The account's name.
    pub name: String,
    /// The request in words.
    pub sentence: String,
    /// The request in JSON.
    pub json: String,
}

/// A fix on a card.
pub struct CardFix<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// The card that shows it, where that is another one.
    pub shown_at: Option<usize>,
    /// Its title.
    pub title: Vec<Piece>,
    /// `SESDP.1 to 4 and 8`.
    pub closes: String,
    /// `12 lines`.
    pub lines: String,
    /// The lines of the diff, each with a word for its style.
    pub diff: Vec<(&'static str, &'a str)>,
}

/// The cards, and how many causes have none.
pub fn cards<'c>(checked: &'c Checked<'_>, survey: &Survey<'_>) -> (Vec<Card<'c>>, Option<String>) {
    let causes = || survey.causes.iter().take(CARDS).enumerate();
    // A diff is shown once, under the cause with whose controls the fix agrees most.
    let home = |fix: &Fix| {
        causes()
            .map(|(index, cause)| (agreement(fix, cause), Reverse(index)))
            .max()
            .filter(|(agreement, _)| *agreement > 0)
            .map(|(_, Reverse(index))| index + 1)
    };
    let homes: Vec<Option<usize>> = checked.fixes.iter().map(home).collect();
    let cards: Vec<Card<'c>> =
        causes().map(|(index, cause)| card(checked, survey, cause, index + 1, &homes)).collect();
    (cards, more(survey.causes.len(), CARDS, "more cause"))
}

/// How much of the controls of a fix or a cause are controls of both, in thousandths.
fn agreement(fix: &Fix, cause: &CauseLines) -> usize {
    let both = fix.controls.iter().filter(|c| cause.controls.contains_key(c)).count();
    let either = fix.controls.len() + cause.controls.len() - both;
    both * 1000 / either.max(1)
}

fn more(all: usize, shown: usize, what: &str) -> Option<String> {
    (all > shown).then(|| format!("and {}", count(all - shown, what)))
}

fn card<'c>(
    checked: &'c Checked<'_>,
    survey: &Survey<'_>,
    cause: &CauseLines,
    number: usize,
    homes: &[Option<usize>],
) -> Card<'c> {
    let all = cause.accounts.len();
    let controls = cause.controls.iter().map(|(control, failing)| CardControl {
        id: control.to_string(),
        title: control.title(),
        some: (*failing < all).then(|| count(*failing, "account")),
    });
    let organization = checked.organization;
    let named = cause.accounts.iter().take(NAMED).filter_map(|account| {
        let found = organization.account(*account)?;
        Some((found.id.to_string(), found.name.to_string()))
    });
    Card {
        number,
        mail: cause.lets_mail_out(),
        lines: lines(checked, survey, cause),
        more_lines: more(cause.lines.len(), LINES, "more statement"),
        controls: controls.collect(),
        accounts: count(all, "account"),
        named: named.collect(),
        more_accounts: (all > NAMED).then(|| format!("and {} more", names::number(all - NAMED))),
        witness: cause.witness.as_ref().map(|witness| {
            let account = organization.account(witness.account);
            CardWitness {
                control: witness.control.to_string(),
                name: account.map(|found| found.name.to_string()).unwrap_or_default(),
                sentence: witness.sentence.clone(),
                // A request is texts alone, which JSON always holds.
                json: serde_json::to_string_pretty(&witness.entry).unwrap_or_default(),
            }
        }),
        fixes: fixes(checked, cause, number, homes),
    }
}

fn lines(checked: &Checked<'_>, survey: &Survey<'_>, cause: &CauseLines) -> Vec<CardLine> {
    if cause.lines.is_empty() {
        let text = match (checked.organization.scp_enabled, cause.general) {
            (false, _) => "No SCP is in force",
            (true, false) => "No Deny statement on the path is about these actions",
            (true, true) => {
                "No Deny statement on the path names these actions; those about every action do \
                 not match"
            }
        };
        return vec![CardLine { policy: String::new(), place: String::new(), why: pieces(text) }];
    }
    let shown = cause.lines.iter().take(LINES);
    shown
        .map(|line| CardLine {
            policy: checked
                .organization
                .policy(line.policy)
                .map(|found| found.name.to_string())
                .unwrap_or_default(),
            place: place(checked, survey, cause, line),
            why: pieces(&line.why),
        })
        .collect()
}

/// The statements and where the policy is attached, as the accounts of the cause see it.
fn place(checked: &Checked<'_>, survey: &Survey<'_>, cause: &CauseLines, line: &Line) -> String {
    let statements: Vec<String> =
        line.statements.iter().map(|(index, sid)| sid_text(sid.as_deref(), *index)).collect();
    let mut targets = BTreeSet::new();
    for account in &cause.accounts {
        targets.extend(attached(checked, *account, line.policy));
        if targets.len() > 1 {
            return format!("{}, at several targets", list(&statements));
        }
    }
    match targets.first() {
        Some(only) => format!("{} at {}", list(&statements), survey.names.target(*only)),
        None => list(&statements),
    }
}

fn attached(checked: &Checked<'_>, account: AccountIdx, policy: PolicyIdx) -> Option<TargetIdx> {
    let levels = checked.organization.levels(account);
    let found = levels.iter().find(|level| level.scps.iter().any(|scp| scp.policy == policy));
    found.map(|level| level.target)
}

/// The fixes that close controls of the cause.
fn fixes<'c>(
    checked: &'c Checked<'_>,
    cause: &CauseLines,
    card: usize,
    homes: &[Option<usize>],
) -> Vec<CardFix<'c>> {
    let mut found: Vec<(usize, CardFix<'c>)> = Vec::new();
    for (index, (fix, home)) in checked.fixes.iter().zip(homes).enumerate() {
        let agreement = agreement(fix, cause);
        if agreement == 0 {
            continue;
        }
        let here = *home == Some(card);
        let shown = CardFix {
            number: index + 1,
            shown_at: home.filter(|_| !here),
            title: pieces(&fix.title),
            closes: spelled(&fix.controls),
            lines: count(fix.diff.lines().count(), "line"),
            diff: if here { diff(&fix.diff) } else { Vec::new() },
        };
        // Those that are shown here come first, and are never left out.
        found.push((if here { 1000 + agreement } else { agreement }, shown));
    }
    found.sort_by_key(|(rank, fix)| (Reverse(*rank), fix.number));
    let own = found.iter().filter(|(rank, _)| *rank > 1000).count();
    found.into_iter().take(FIXES.max(own)).map(|(_, fix)| fix).collect()
}

fn diff(text: &str) -> Vec<(&'static str, &str)> {
    let style = |line: &str| match line.chars().next() {
        Some('+') if line.starts_with("+++") => "head",
        Some('-') if line.starts_with("---") => "head",
        Some('+') => "add",
        Some('-') => "del",
        Some('@') => "hunk",
        Some(_) | None => "same",
    };
    text.lines().map(|line| (style(line), line)).collect()
}

/// `SESDP.1 to 4 and 8`.
pub fn spelled(controls: &[ControlId]) -> String {
    names::controls(controls.iter().copied().collect::<BTreeSet<_>>())
}
