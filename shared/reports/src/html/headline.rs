//! The sentence at the top, and what it counts.

use findings::names::{count, number};

use super::cells::Letter;
use super::survey::Survey;
use crate::checked::Checked;

/// The sentence at the top.
pub struct Headline {
    /// A sentence without a stop.
    pub text: String,
    /// A word for the style: `bad`, `open`, `good` or `none`.
    pub tone: &'static str,
    /// Further sentences without stops.
    pub rest: Vec<String>,
}

/// How many accounts and verdicts stand how.
#[derive(Debug, Default)]
pub struct Tally {
    /// Accounts.
    pub accounts: usize,
    /// Accounts from which mail can reach untrusted recipients.
    pub mailing: usize,
    /// Accounts by their worst status.
    pub by_account: Counts,
    /// Verdicts by their status.
    pub by_verdict: Counts,
}

/// Counts by status.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    /// Failed.
    pub failed: usize,
    /// Undecided.
    pub undecided: usize,
    /// Passed.
    pub passed: usize,
    /// Not applicable.
    pub outside: usize,
}

/// A part of a bar, in thousandths of its length.
pub struct Segment {
    /// A word for the style.
    pub tone: &'static str,
    /// The mark of the status.
    pub mark: &'static str,
    /// The word of the status.
    pub word: &'static str,
    /// How many.
    pub count: String,
    /// Where it begins.
    pub start: usize,
    /// How long it is.
    pub length: usize,
}

impl Counts {
    fn add(&mut self, letter: Letter, n: usize) {
        match letter {
            Letter::F => self.failed += n,
            Letter::U => self.undecided += n,
            Letter::P => self.passed += n,
            Letter::N => self.outside += n,
        }
    }

    /// The parts of a bar, one for each status.
    pub fn segments(&self) -> Vec<Segment> {
        let parts = [
            ("bad", "✗", "failed", self.failed),
            ("open", "?", "undecided", self.undecided),
            ("good", "✓", "passed", self.passed),
            ("none", "·", "not applicable", self.outside),
        ];
        let all = parts.iter().map(|(.., n)| n).sum::<usize>().max(1);
        let mut before = 0;
        parts
            .map(|(tone, mark, word, n)| {
                let start = before * 1000 / all;
                before += n;
                // What is there is seen, however little it is.
                let length = (before * 1000 / all - start).max(if n > 0 { 4 } else { 0 });
                Segment { tone, mark, word, count: number(n), start, length }
            })
            .into()
    }
}

impl Tally {
    /// Counts the accounts and verdicts of `survey`.
    pub fn of(checked: &Checked<'_>, survey: &Survey<'_>) -> Self {
        let mut tally = Self { accounts: survey.members.len(), ..Self::default() };
        let mut members = vec![0_usize; survey.tables.rows.list().len()];
        for member in &survey.members {
            if let Some(n) = members.get_mut(member.row) {
                *n += 1;
            }
        }
        for (row, n) in members.into_iter().enumerate() {
            let (mut worst, mut mails) = (Letter::N, false);
            for (control, cell) in checked.report.controls.iter().zip(survey.row(row)) {
                tally.by_verdict.add(cell.status, n);
                worst = worst.min(cell.status);
                mails |= cell.status == Letter::F && control.entry().about_mail;
            }
            tally.by_account.add(worst, n);
            tally.mailing += if mails { n } else { 0 };
        }
        tally
    }
}

/// The headline of a report.
pub fn headline(checked: &Checked<'_>, survey: &Survey<'_>, tally: &Tally) -> Headline {
    let (text, tone) = sentence(checked, survey, tally);
    let mut rest = Vec::new();
    let verb =
        |n: usize, one: &'static str, several: &'static str| if n == 1 { one } else { several };
    let other = tally.by_account.failed - tally.mailing;
    if tally.mailing > 0 && other > 0 {
        let verb = verb(other, "account fails", "accounts fail");
        rest.push(format!("{} more {verb} other controls", number(other)));
    }
    let (undecided, outside) = (tally.by_account.undecided, tally.by_account.outside);
    if undecided > 0 && tally.by_account.failed > 0 {
        let verb = verb(undecided, "is", "are");
        rest.push(format!("{} {verb} undecided for some control", count(undecided, "account")));
    }
    if outside > 0 && tone != "none" {
        rest.push(format!("No control applies to {}", count(outside, "account")));
    }
    Headline { text, tone, rest }
}

fn sentence(checked: &Checked<'_>, survey: &Survey<'_>, tally: &Tally) -> (String, &'static str) {
    let all = tally.accounts;
    let accounts = count(all, "account");
    let of = |n: usize| format!("{} of {accounts}", number(n));
    let (failed, undecided) = (tally.by_account.failed, tally.by_account.undecided);
    let causes = |mail: bool| {
        let n = survey.causes.iter().filter(|cause| !mail || cause.lets_mail_out()).count();
        count(n, "cause")
    };
    if all == 0 {
        return ("Nothing was checked: there is no account".to_owned(), "none");
    }
    if checked.report.controls.is_empty() {
        let text = "Nothing was checked: the perimeter disables every control asked for";
        return (text.to_owned(), "none");
    }
    let one = all == 1;
    if tally.mailing > 0 {
        let who = if one { "The account checked".to_owned() } else { of(tally.mailing) };
        let text = format!("{who} can mail outside the trusted domains, {}", causes(true));
        return (text, "bad");
    }
    if failed > 0 {
        let who = if one { "The account checked".to_owned() } else { of(failed) };
        let verb = if one || failed == 1 { "fails" } else { "fail" };
        return (format!("{who} {verb} some control, {}", causes(false)), "bad");
    }
    if undecided > 0 {
        let who = if one { "The account checked".to_owned() } else { of(undecided) };
        let verb = if one || undecided == 1 { "is" } else { "are" };
        let none = if one { "fails none" } else { "none fails" };
        return (format!("{who} {verb} undecided for some control, and {none}"), "open");
    }
    if tally.by_verdict.passed == 0 {
        let who = if one { "account".to_owned() } else { accounts };
        return (format!("No control applies to the {who} checked"), "none");
    }
    if one {
        return ("The account checked passes every control that applies to it".to_owned(), "good");
    }
    (format!("All {accounts} checked pass every control that applies to them"), "good")
}
