//! The report for engineers and auditors: one HTML file that needs no network.
//!
//! The headline, the causes, the perimeter and a plain table stand in the HTML itself. Everything
//! else is JSON in a data block, from which a script of ours draws the tree, the matrix and the
//! pages of accounts. Text from outside is escaped by the template or reaches the document as
//! text nodes; the policy in the head lets no other script or style in, and no request out.

mod causes;
mod cells;
mod data;
mod escape;
mod headline;
mod perimeter;
mod survey;
mod table;

use std::io::{self, Write};

use askama::Template;

use crate::checked::Checked;
use causes::Card;
use escape::source_hash;
use headline::{Headline, Segment, Tally};
use perimeter::{Exception, Fact, Reason};
use survey::Survey;
use table::PlainTable;

const STYLE: &str = include_str!("../templates/report.css");
const SCRIPT: &str = concat!(
    include_str!("../templates/report.js"),
    include_str!("../templates/report-tree.js"),
    include_str!("../templates/report-matrix.js"),
    include_str!("../templates/report-account.js"),
    include_str!("../templates/report-start.js"),
);

#[derive(Template)]
#[template(path = "report.html")]
struct HtmlPage<'a> {
    style: &'static str,
    script: &'static str,
    style_hash: String,
    script_hash: String,
    organization: String,
    evaluated_at: &'a str,
    headline: Headline,
    /// What the bars count, how, and their parts.
    bars: [(&'static str, &'static str, Vec<Segment>); 2],
    cards: Vec<Card<'a>>,
    /// How many causes have no card, where some have none.
    more_causes: Option<String>,
    /// Ids and titles of sections, with sentences behind verdicts.
    reasons: [(&'static str, &'static str, Vec<Reason>); 3],
    outside: Vec<Reason>,
    exceptions: Vec<Exception<'a>>,
    /// Ids and titles of sections, with facts.
    facts: [(&'static str, &'static str, Vec<Fact>); 3],
    table: PlainTable,
    data: String,
}

/// Writes the report.
///
/// Equal inputs give equal bytes.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let survey = Survey::of(checked);
    let tally = Tally::of(checked, &survey);
    let (cards, more_causes) = causes::cards(checked, &survey);
    let page = HtmlPage {
        style: STYLE,
        script: SCRIPT,
        style_hash: source_hash(STYLE),
        script_hash: source_hash(SCRIPT),
        organization: checked.organization.id.to_string(),
        evaluated_at: checked.origin.evaluated_at,
        headline: headline::headline(checked, &survey, &tally),
        cards,
        more_causes,
        bars: [
            ("Accounts", "by their worst verdict", tally.by_account.segments()),
            ("Verdicts", "of one control for one account", tally.by_verdict.segments()),
        ],
        reasons: [
            (
                "set-up",
                "Failed, by what is set up in the accounts",
                perimeter::faults(checked, &survey),
            ),
            ("undecided", "Undecided", perimeter::undecided(checked, &survey)),
            (
                "hanging",
                "Verdicts that hang on an assumption",
                perimeter::hanging(checked, &survey),
            ),
        ],
        outside: perimeter::outside(checked, &survey),
        exceptions: perimeter::exceptions(checked),
        facts: [
            (
                "levels",
                "How far SES is in use, and how grave that makes failures",
                perimeter::levels(checked, &survey),
            ),
            ("assumptions", "Assumptions in force", perimeter::assumptions(checked)),
            ("made", "How this report was made", perimeter::made(checked)),
        ],
        table: table::plain(checked, &survey),
        data: data::json(checked, &survey)?,
    };
    let mut out = out;
    page.write_into(&mut out)
}
