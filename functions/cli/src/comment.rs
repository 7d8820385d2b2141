//! A comparison as a comment for a pull request.

use std::collections::BTreeSet;
use std::io::{self, Write};

use changes::compare::Direction;
use findings::names::{self, count, list};
use reports::markdown::escape::{code, prose};
use reports::markdown::page::{Comment, PageSection};

use ses_perimeter::report::{Row, Status};

use crate::change::lost_alike;
use crate::comparison::{Called, ChangedGroup, Comparison, Renewed};

/// GitHub takes 65,536 characters, and the action has remarks of its own.
const LIMIT: usize = 60_000;
/// Lines that stand in the open where nothing gets worse by them.
const OPEN: usize = 10;

/// Writes the comment; it begins with a line by which a later run finds it again, and it never
/// takes more than GitHub does.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, comparison: &Comparison<'_>) -> io::Result<()> {
    let called = &comparison.called();
    let renewed = comparison.renewed.as_ref().filter(|renewed| !renewed.says.is_empty());
    let starts = comparison.starts();
    let clean = comparison.mistakes.is_empty()
        && comparison.losses.is_empty()
        && starts.as_ref().is_none_or(|(_, bad)| !bad);
    let mark = match comparison.exit_code() {
        0 if clean && renewed.is_none() => "✅",
        1 => "❌",
        _ => "⚠️",
    };
    let mut head = format!(
        "<!-- ses-perimeter -->\n## {mark} SES data perimeter: {}\n",
        prose(&comparison.headline())
    );
    let lost = (!comparison.losses.is_empty()).then(|| {
        let accounts = count(comparison.losses.len(), "account");
        format!("Mail to trusted recipients is lost in {accounts}")
    });
    let starts = starts.map(|(sentence, _)| sentence);
    let more = [comparison.stands(), starts, lost, renewed.and_then(Renewed::headline)];
    for sentence in more.into_iter().flatten() {
        head.push_str(&format!("\n**{}.**\n", prose(&sentence)));
    }
    head.push_str(&table(comparison));
    let mut sections = vec![
        folded(sentences("The change", "edit", &comparison.edits)),
        folded(sentences("New accounts", "new account", &comparison.about_new())),
        sentences("Mistakes in the documents", "mistake", &comparison.mistakes),
        groups(&heading("Worse"), called, &comparison.groups(Direction::Worse)),
        losses(called, comparison),
    ];
    if let Some(renewed) = renewed {
        let ways = [Direction::Worse, Direction::Better, Direction::Other];
        let turned = ways.into_iter().flat_map(|way| comparison.renewed_groups(renewed, way));
        let turned: Vec<ChangedGroup> = turned.collect();
        sections.push(sentences("The perimeter changes", "sentence", &renewed.says));
        let open = "\nVerdicts under the proposed perimeter:\n\n";
        sections.push(groups(open, called, &turned));
    }
    sections.extend([
        folded(groups(&heading("Better"), called, &comparison.groups(Direction::Better))),
        groups(&heading("Neither better nor worse"), called, &comparison.groups(Direction::Other)),
        folded(sentences("Passed over and assumed", "note", &comparison.notes)),
    ]);
    let mut page = Comment::new(head, LIMIT);
    page.sections(sections);
    out.write_all(page.finish("`--format json` has everything").as_bytes())
}

fn heading(title: &str) -> String {
    format!("\n### {title}\n\n")
}

/// How many verdicts there are of each kind, before and after.
fn table(comparison: &Comparison<'_>) -> String {
    let sides = [comparison.worlds.before.report, comparison.worlds.after.report];
    let rows = sides.map(|report| report.rows.as_slice());
    let of = |rows: &[Row], wanted: Status| {
        rows.iter().flat_map(Row::all).filter(|cell| cell.status() == wanted).count()
    };
    let statuses = [Status::Failed, Status::Undecided, Status::Passed, Status::NotApplicable];
    let verdicts = statuses.map(|status| (status.name(), rows.map(|rows| of(rows, status))));
    let accounts = ("accounts", rows.map(<[Row]>::len));
    let mut text = String::from("\n| verdicts | before | after |\n|---|--:|--:|\n");
    for (what, [before, after]) in verdicts.into_iter().chain([accounts]) {
        if before + after > 0 {
            let (before, after) = (names::number(before), names::number(after));
            text.push_str(&format!("| {} | {before} | {after} |\n", prose(what)));
        }
    }
    text
}

fn sentences(title: &str, what: &'static str, sentences: &[String]) -> PageSection {
    let lines = sentences.iter().map(|sentence| format!("- {}\n", prose(sentence)));
    PageSection { open: heading(title), close: "", what, blocks: lines.collect() }
}

/// The section with its blocks behind a line that counts them, where they are many.
fn folded(mut section: PageSection) -> PageSection {
    if section.blocks.len() > OPEN {
        let summary = count(section.blocks.len(), section.what);
        section.open.push_str(&format!("<details><summary>{summary}</summary>\n\n"));
        section.close = "\n</details>\n";
    }
    section
}

fn groups(open: &str, called: &Called<'_>, groups: &[ChangedGroup]) -> PageSection {
    let mut alike: Vec<Vec<&ChangedGroup>> = Vec::new();
    for group in groups {
        match alike.iter_mut().find(|other| other.iter().any(|other| same_story(other, group))) {
            Some(other) => other.push(group),
            None => alike.push(vec![group]),
        }
    }
    let blocks = alike.iter().map(|groups| block(called, groups)).collect();
    PageSection { open: open.to_owned(), close: "", what: "verdict group", blocks }
}

fn losses(called: &Called<'_>, comparison: &Comparison<'_>) -> PageSection {
    let alike = lost_alike(&comparison.losses).into_iter().map(|(paths, accounts)| {
        let paths: Vec<String> = paths.into_iter().map(code).collect();
        format!("- **{}**: {}\n", prose(&called.who(&accounts)), list(&paths))
    });
    let open = heading("Mail to trusted recipients that is lost");
    PageSection { open, close: "", what: "account group", blocks: alike.collect() }
}

/// Whether only controls and requests tell two groups apart.
fn same_story(one: &ChangedGroup, other: &ChangedGroup) -> bool {
    let why = |group: &ChangedGroup| group.witnessed().map(|(_, cause)| cause.to_owned());
    (one.before, one.after) == (other.before, other.after)
        && one.accounts == other.accounts
        && one.reasons == other.reasons
        && why(one).is_some()
        && why(one) == why(other)
}

/// Groups of one story: who and why once, then a request for each.
fn block(called: &Called<'_>, groups: &[&ChangedGroup]) -> String {
    let Some(first) = groups.first() else { return String::new() };
    let controls: BTreeSet<_> = groups.iter().flat_map(|group| &group.controls).copied().collect();
    let mut text = format!(
        "- **{} {}**: {}\n",
        names::controls(controls),
        first.turn(),
        prose(&called.who(&first.accounts)),
    );
    let mut line = |words: &str| text.push_str(&format!("  - {}\n", prose(words)));
    match (first.witnessed(), groups) {
        (Some((request, cause)), [_]) => {
            line(request);
            line(&format!("Why: {cause}."));
        }
        (Some((_, cause)), _) => {
            line(&format!("Why: {cause}."));
            for group in groups {
                if let Some((request, _)) = group.witnessed() {
                    let controls = names::controls(group.controls.iter().copied());
                    line(&format!("{controls}: {request}"));
                }
            }
        }
        (None, _) => first.why().iter().for_each(|why| line(why)),
    }
    for reason in &first.reasons {
        line(&format!("because {reason}"));
    }
    text
}
