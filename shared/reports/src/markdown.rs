//! A comment for a pull request, in the Markdown of GitHub.
//!
//! It begins with the line `<!-- ses-perimeter -->`, by which a later run finds it again. It
//! never takes more than [`LIMIT`] bytes: what does not fit is left out from the end of each
//! section, and the last sentence says how much. Text from outside is escaped.

mod collect;
pub mod escape;
pub mod page;

use std::io::{self, Write};

use findings::asff::Limited;
use findings::names::{Names, controls, count, number};
use findings::results::Summary;
use organization::AccountIdx;

use crate::checked::{Checked, Fix};
use collect::{CauseEntry, CauseGroup, Reason, Story};
use escape::{code, prose};
use page::Comment;

/// GitHub takes 65,536 characters; a byte is never more than one.
pub const LIMIT: usize = 65_536;
/// UTF-16 units of a sentence from outside.
const SENTENCE: usize = 1_000;
/// Accounts that a line names before it counts the rest.
const NAMED: usize = 5;
/// Groups of accounts with one cause before the rest is counted.
const GROUPS: usize = 10;
/// Reasons that stand in the open.
const OPEN: usize = 5;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let story = Story::of(checked);
    let names = Names::new(checked.organization);
    let head = format!(
        "<!-- ses-perimeter -->\n## {}\n\n{}\n",
        headline(checked, &story),
        origin(checked, &story)
    );
    let table = table(&story);
    let mut page = Comment::new(head, LIMIT);
    page.keep(table.len());
    let causes = story.causes.iter().enumerate().map(|(at, cause)| block(at + 1, cause, &names));
    page.section("\n### Failed, by cause\n", "", causes, "cause");
    page.section(
        "\n### Changes that were proved\n",
        "",
        checked.fixes.iter().map(change),
        "proved change",
    );
    let (open, close) = if story.reasons.len() > OPEN {
        let summary = count(story.reasons.len(), "reason");
        (format!("\n### Undecided\n\n<details><summary>{summary}</summary>\n\n"), "\n</details>\n")
    } else {
        ("\n### Undecided\n\n".to_owned(), "")
    };
    page.section(&open, close, story.reasons.iter().map(|r| reason(r, &names)), "undecided reason");
    page.push(&table);
    out.write_all(page.finish("`--format csv` and `--format json` have everything").as_bytes())
}

/// One sentence that says it all.
fn headline(checked: &Checked<'_>, story: &Story) -> String {
    let rows = checked.report.rows.len();
    let all = count(rows, "account");
    let (mailing, failing, open) = (story.mailing.len(), story.failing.len(), story.open.len());
    let mut total = Summary::default();
    for summary in story.counts.values() {
        total.passed += summary.passed;
    }
    let causes = count(story.causes.len(), "cause");
    if rows == 0 || checked.report.controls.is_empty() {
        "Nothing was checked".to_owned()
    } else if mailing > 0 {
        let more = match failing - mailing {
            0 => String::new(),
            1 => ", 1 more fails another control".to_owned(),
            more => format!(", {} more fail another control", number(more)),
        };
        let of = format!("{} of {all}", number(mailing));
        format!("{of} can mail outside the trusted recipients{more}: {causes}")
    } else if failing > 0 {
        let verb = if failing == 1 { "fails" } else { "fail" };
        format!("{} of {all} {verb} some control of the mail perimeter: {causes}", number(failing))
    } else if open > 0 {
        let verb = if open == 1 { "is" } else { "are" };
        format!(
            "{} of {all} {verb} undecided for some control of the mail perimeter, none fails",
            number(open)
        )
    } else if total.passed == 0 {
        format!("No control of the mail perimeter applies to the {all} checked")
    } else if rows == 1 {
        "The account keeps its mail inside the perimeter".to_owned()
    } else {
        format!("All {all} keep their mail inside the perimeter")
    }
}

/// Counts, and where the verdicts come from.
fn origin(checked: &Checked<'_>, story: &Story) -> String {
    let mut total = Summary::default();
    for one in story.counts.values() {
        total.failed += one.failed;
        total.passed += one.passed;
        total.undecided += one.undecided;
        total.not_applicable += one.not_applicable;
    }
    let counts = [
        (total.failed, "failed"),
        (total.undecided, "undecided"),
        (total.passed, "passed"),
        (total.not_applicable, "not applicable"),
    ]
    .map(|(n, what)| format!("{} {what}", number(n)))
    .join(", ");
    let organization = checked.organization;
    let digest: String = organization.digest.chars().take("sha256:".len() + 12).collect();
    let from = checked.snapshot.map_or_else(
        || "the live organization".to_owned(),
        |path| format!("the snapshot {}", code(Limited::<SENTENCE>::new(path).as_str())),
    );
    let mut text = format!(
        "{counts}. Evaluated {} from {from} ({digest}) of {}.",
        prose(checked.origin.evaluated_at),
        prose(&organization.id.to_string())
    );
    if !organization.scp_enabled {
        text.push_str(" The SCP policy type is not enabled on the root, so no SCP is in force.");
    }
    if story.assuming > 0 {
        let verb = if story.assuming == 1 { "hangs" } else { "hang" };
        let verdicts = count(story.assuming, "verdict");
        text.push_str(&format!(" {verdicts} {verb} on an assumption that `--format json` names."));
    }
    text
}

/// A sentence from outside, not too long.
fn sentence(text: &str) -> String {
    prose(Limited::<SENTENCE>::new(text).as_str())
}

/// A cause with its accounts and requests.
fn block(position: usize, cause: &CauseEntry, names: &Names<'_>) -> String {
    let text = crate::cells::capital(&cause.text);
    let mut brief = format!("\n#### {position}. {}\n", sentence(&text));
    let mut full = brief.clone();
    for group in cause.groups.iter().take(GROUPS) {
        let (shown, folded) = requests(group, names);
        brief.push_str(&shown);
        full.push_str(&shown);
        full.push_str(&folded);
    }
    let left = cause.groups.len().saturating_sub(GROUPS);
    if left > 0 {
        let accounts = cause.groups.iter().skip(GROUPS).map(|group| group.accounts.len()).sum();
        let more = format!("\nThe same cause concerns {} more.\n", count(accounts, "account"));
        brief.push_str(&more);
        full.push_str(&more);
    }
    // One cause must not take the room of all others.
    if full.len() > LIMIT / 4 { brief } else { full }
}

/// The accounts with their first request, and the other requests folded.
fn requests(group: &CauseGroup, names: &Names<'_>) -> (String, String) {
    let who = sentence(&names.counted(&group.accounts, NAMED));
    let which = controls(group.requests.keys().copied());
    let mut lines = group
        .requests
        .iter()
        .map(|(control, request)| format!("- **{control}** {}\n", sentence(request)));
    let shown = format!("\n**{who}** ({which})\n\n{}", lines.next().unwrap_or_default());
    let rest: String = lines.collect();
    let folded = if rest.is_empty() {
        rest
    } else {
        let more = count(group.requests.len().saturating_sub(1), "more request");
        format!("\n<details><summary>{more}</summary>\n\n{rest}\n</details>\n")
    };
    (shown, folded)
}

fn reason(reason: &Reason, names: &Names<'_>) -> String {
    let accounts: Vec<AccountIdx> = reason.accounts.iter().copied().collect();
    format!(
        "- **{}** {}: {}\n",
        controls(reason.controls.iter().copied()),
        sentence(&names.counted(&accounts, NAMED)),
        sentence(&reason.text)
    )
}

/// A proved change with its diff.
fn change(fix: &Fix) -> String {
    // A fence is closed by one as long as itself.
    let longest = fix.diff.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let closes = if fix.controls.is_empty() {
        String::new()
    } else {
        format!(" It closes {}.", controls(fix.controls.iter().copied()))
    };
    format!(
        "\n{}.{closes}\n\n<details><summary>The change</summary>\n\n{fence}diff\n{}\n{fence}\n\n\
         </details>\n",
        sentence(&fix.title),
        fix.diff.trim_end_matches('\n')
    )
}

/// How many verdicts each control has of each status.
fn table(story: &Story) -> String {
    if story.counts.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n<details><summary>Counts by control</summary>\n\n\
         | control | | failed | undecided | passed | not applicable |\n\
         |---|---|--:|--:|--:|--:|\n",
    );
    for (control, counts) in &story.counts {
        let Summary { passed, failed, undecided, not_applicable } = counts;
        text.push_str(&format!(
            "| {control} | {} | {failed} | {undecided} | {passed} | {not_applicable} |\n",
            control.title()
        ));
    }
    text.push_str("\n</details>\n");
    text
}
