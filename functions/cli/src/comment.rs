//! A comparison as a comment for a pull request.

use std::io::{self, Write};

use changes::compare::Direction;
use findings::names::{self, count, list};
use reports::markdown::escape::{code, prose};
use reports::markdown::page::{Page, Section};

use crate::change::lost_alike;
use crate::comparison::{Called, Comparison, Group, Renewed};

/// GitHub takes 65,536 characters, and the action has remarks of its own.
const LIMIT: usize = 60_000;

/// Writes the comment; it begins with a line by which a later run finds it again, and it never
/// takes more than GitHub does.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, comparison: &Comparison<'_>) -> io::Result<()> {
    let called = &comparison.called();
    let renewed = comparison.renewed.as_ref().filter(|renewed| !renewed.says.is_empty());
    let clean = comparison.mistakes.is_empty() && comparison.losses.is_empty();
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
    let more = [comparison.stands(), lost, renewed.and_then(Renewed::headline)];
    for sentence in more.into_iter().flatten() {
        head.push_str(&format!("\n**{}.**\n", prose(&sentence)));
    }
    let mut sections = vec![
        sentences("The change", &comparison.edits),
        sentences("New accounts", &comparison.about_new()),
        sentences("Mistakes in the documents", &comparison.mistakes),
        groups(&heading("Worse"), called, &comparison.groups(Direction::Worse)),
        losses(called, comparison),
    ];
    if let Some(renewed) = renewed {
        let ways = [Direction::Worse, Direction::Better, Direction::Other];
        let turned = ways.into_iter().flat_map(|way| comparison.renewed_groups(renewed, way));
        let turned: Vec<Group> = turned.collect();
        sections.push(sentences("The perimeter changes", &renewed.says));
        let open = "\nVerdicts under the proposed perimeter:\n\n";
        sections.push(groups(open, called, &turned));
    }
    sections.extend([
        groups(&heading("Better"), called, &comparison.groups(Direction::Better)),
        groups(&heading("Neither better nor worse"), called, &comparison.groups(Direction::Other)),
        sentences("Passed over and assumed", &comparison.notes),
    ]);
    let mut page = Page::new(head, LIMIT);
    page.sections(sections);
    out.write_all(page.finish("`--format json` has everything").as_bytes())
}

fn heading(title: &str) -> String {
    format!("\n### {title}\n\n")
}

fn sentences(title: &str, sentences: &[String]) -> Section {
    let lines = sentences.iter().map(|sentence| format!("- {}\n", prose(sentence)));
    Section { open: heading(title), what: "sentence", blocks: lines.collect() }
}

fn groups(open: &str, called: &Called<'_>, groups: &[Group]) -> Section {
    let blocks = groups.iter().map(|group| block(called, group));
    Section { open: open.to_owned(), what: "verdict group", blocks: blocks.collect() }
}

fn losses(called: &Called<'_>, comparison: &Comparison<'_>) -> Section {
    let alike = lost_alike(&comparison.losses).into_iter().map(|(paths, accounts)| {
        let paths: Vec<String> = paths.into_iter().map(code).collect();
        format!("- **{}**: {}\n", prose(&called.who(&accounts)), list(&paths))
    });
    let open = heading("Mail to trusted recipients that is lost");
    Section { open, what: "account group", blocks: alike.collect() }
}

fn block(called: &Called<'_>, group: &Group) -> String {
    let mut text = format!(
        "- **{} {}**: {}\n",
        names::controls(group.controls.iter().copied()),
        group.turn(),
        prose(&called.who(&group.accounts)),
    );
    if let Some(why) = group.why() {
        text.push_str(&format!("  - {}\n", prose(&why)));
    }
    for reason in &group.reasons {
        text.push_str(&format!("  - because {}\n", prose(reason)));
    }
    text
}
