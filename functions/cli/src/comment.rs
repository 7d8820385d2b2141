//! A comparison as a comment for a pull request.

use std::io::{self, Write};

use changes::compare::Direction;
use findings::names::{self, count, list};
use reports::markdown::LIMIT;
use reports::markdown::escape::{code, prose};

use crate::comparison::{Called, Comparison, Group, Renewed};

/// Bytes that are kept for the sentence about what was left out.
const LAST_WORDS: usize = 300;

/// Writes the comment; it begins with a line by which a later run finds it again, and it never
/// takes more than GitHub does.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, comparison: &Comparison<'_>) -> io::Result<()> {
    let mut page = Page { text: "<!-- ses-perimeter -->\n".to_owned(), left: 0 };
    let called = &comparison.called();
    let (worse, better, other) = comparison.counts();
    let renewed = comparison.renewed.as_ref().filter(|renewed| !renewed.says.is_empty());
    let mark = match comparison.exit_code() {
        0 if comparison.mistakes.is_empty() && renewed.is_none() => "✅",
        1 => "❌",
        _ => "⚠️",
    };
    page.put(&format!("## {mark} SES data perimeter: {}\n", prose(&comparison.headline())));
    if let Some(stands) = comparison.stands() {
        page.put(&format!("\n{}.\n", prose(&stands)));
    }
    if let Some(headline) = renewed.and_then(Renewed::headline) {
        page.put(&format!("\n**{}.**\n", prose(&headline)));
    }
    sentences(&mut page, "The change", &comparison.edits);
    sentences(&mut page, "New accounts", &comparison.about_new());
    sentences(&mut page, "Mistakes in the documents", &comparison.mistakes);
    section(&mut page, comparison, called, Direction::Worse, "Worse");
    if !comparison.losses.is_empty() {
        page.put("\n### Mail to trusted recipients that is lost\n\n");
        for loss in &comparison.losses {
            let paths: Vec<String> = loss.paths.iter().map(|(path, _)| code(path)).collect();
            let who = called.who(&[loss.account]);
            page.put(&format!("- {}: {}\n", prose(&who), list(&paths)));
        }
    }
    if let Some(renewed) = renewed {
        sentences(&mut page, "The perimeter changes", &renewed.says);
        let ways = [Direction::Worse, Direction::Better, Direction::Other];
        let groups: Vec<Group> =
            ways.into_iter().flat_map(|way| comparison.renewed_groups(renewed, way)).collect();
        if !groups.is_empty() {
            page.put("\nVerdicts under the proposed perimeter:\n\n");
        }
        for group in groups {
            page.put(&block(called, &group));
        }
    }
    section(&mut page, comparison, called, Direction::Better, "Better");
    section(&mut page, comparison, called, Direction::Other, "Neither better nor worse");
    sentences(&mut page, "Passed over and assumed", &comparison.notes);
    if worse == 0 && better == 0 && other == 0 {
        page.put("\nNo verdict gets worse.\n");
    }
    page.last_words();
    out.write_all(page.text.as_bytes())
}

fn sentences(page: &mut Page, title: &str, sentences: &[String]) {
    if !sentences.is_empty() {
        page.put(&format!("\n### {title}\n\n"));
    }
    for sentence in sentences {
        page.put(&format!("- {}\n", prose(sentence)));
    }
}

fn section(
    page: &mut Page,
    comparison: &Comparison<'_>,
    called: &Called<'_>,
    direction: Direction,
    title: &str,
) {
    let groups = comparison.groups(direction);
    if groups.is_empty() {
        return;
    }
    page.put(&format!("\n### {title}\n\n"));
    for group in groups {
        page.put(&block(called, &group));
    }
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

struct Page {
    text: String,
    /// Blocks that did not fit.
    left: usize,
}

impl Page {
    fn put(&mut self, block: &str) {
        if self.left > 0 || self.text.len() + block.len() + LAST_WORDS > LIMIT {
            self.left += 1;
        } else {
            self.text.push_str(block);
        }
    }

    fn last_words(&mut self) {
        if self.left > 0 {
            self.text.push_str(&format!(
                "\n**This comment is not complete:** {} did not fit. `--format json` has \
                 everything.\n",
                count(self.left, "line")
            ));
        }
    }
}
