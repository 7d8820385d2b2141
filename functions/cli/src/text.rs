//! Results for people.

mod failures;
mod grouping;
mod levels;
mod matrix;
mod page;
pub mod paint;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

use findings::names::{self, Names, count};
use findings::results::Summary;
use organization::{AccountIdx, Organization, TargetIdx};
use reports::{Checked, Format};
use ses_perimeter::control::ControlId;
use ses_perimeter::notes::UNCHECKED_FIELD;
use ses_perimeter::perimeter::Undocumented;
use ses_perimeter::report::{Report, Status};
use ses_perimeter::view::ObstacleView;

use grouping::Grouping;
use page::{NAMED, cut, each_view};
pub use page::{Page, heading};
use paint::{BOLD, DIM, GOOD, OPEN, PLAIN, Paragraph};

/// Groups of undecided or inapplicable controls, or of notes, before the rest is counted.
const GROUPS: usize = 30;

/// Results for people, beside the forms of [`reports::FORMATS`].
pub static FORMAT: Format =
    Format { name: "text", about: "For people", coloured: true, shows_fixes: false, write };

/// Writes the results of a check.
fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let page = &Page {
        organization: checked.organization,
        catalog: checked.catalog,
        report: checked.report,
        evaluated_at: checked.origin.evaluated_at,
        perimeter_settings: checked.perimeter,
        snapshot: checked.snapshot.map(Path::new),
        perimeter: checked.perimeter_file.map(Path::new),
        width: checked.width,
    };
    let names = Names::new(page.organization);
    headline(out, page)?;
    origin(out, page)?;
    if page.report.rows.is_empty() || page.report.controls.is_empty() {
        return Ok(());
    }
    matrix::write(out, page, &names)?;
    failures::write(out, page, &names)?;
    levels::write(out, page, &names)?;
    undecided(out, page, &names)?;
    not_applicable(out, page, &names)?;
    notes(out, page, &names)?;
    hint(out, page)
}

fn headline(out: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    let report = page.report;
    let with = |status: Status| {
        report.rows.iter().filter(|row| row.all().any(|c| c.status() == status)).count()
    };
    let (failing, open) = (with(Status::Failed), with(Status::Undecided));
    let all = report.rows.len();
    let accounts = count(all, "account");
    let summary = Summary::of(report);
    let (style, text) = if all == 0 {
        (OPEN, "Nothing was checked: there is no account".to_owned())
    } else if report.controls.is_empty() {
        (OPEN, "Nothing was checked: the perimeter disables every control asked for".to_owned())
    } else if all == 1 && failing > 0 {
        (paint::BAD, "The account checked fails some control".to_owned())
    } else if all == 1 && open > 0 {
        (OPEN, "The account checked is undecided for some control, and fails none".to_owned())
    } else if failing > 0 {
        let verb = if failing == 1 { "fails" } else { "fail" };
        let of = format!("{} of {accounts} checked {verb} some control", names::number(failing));
        (paint::BAD, of)
    } else if open > 0 {
        let verb = if open == 1 { "is" } else { "are" };
        (
            OPEN,
            format!(
                "{} of {accounts} checked {verb} undecided for some control, and none fails",
                names::number(open)
            ),
        )
    } else if summary.passed == 0 {
        (OPEN, format!("No control applies to the {accounts} checked"))
    } else if all == 1 {
        (GOOD, "The account checked passes every control that applies to it".to_owned())
    } else {
        (GOOD, format!("All {accounts} checked pass every control that applies to them"))
    };
    let counts = [
        (summary.failed, "failed"),
        (summary.passed, "passed"),
        (summary.undecided, "undecided"),
        (summary.not_applicable, "not applicable"),
    ]
    .map(|(n, what)| format!("{} {what}", names::number(n)))
    .join(", ");
    Paragraph { head: &text, style, text: "", indent: 0 }.write(out, page.width)?;
    let verdicts = report.rows.iter().map(|row| row.all().count()).sum();
    let text = format!("{}: {counts}", count(verdicts, "verdict"));
    Paragraph::of(&text).write(out, page.width)
}

/// Where the results come from.
///
/// # Errors
/// Those of the writer.
pub fn origin(out: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    let Page { organization, evaluated_at, perimeter_settings, snapshot, width, .. } = *page;
    let undocumented = perimeter_settings.undocumented;
    Origin { organization, evaluated_at, undocumented, snapshot }.write(out, width)
}

/// What was looked at, when and on what terms.
pub struct Origin<'a> {
    /// The organization.
    pub organization: &'a Organization,
    /// The moment of the evaluation, in RFC 3339.
    pub evaluated_at: &'a str,
    /// The perimeter's setting.
    pub undocumented: Undocumented,
    /// The snapshot's file; none where the organization was read live.
    pub snapshot: Option<&'a Path>,
}

impl Origin<'_> {
    /// Writes it, and that no SCP is in force where this is so.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write, width: usize) -> io::Result<()> {
        let organization = self.organization;
        let digest: String = organization.digest.chars().take("sha256:".len() + 12).collect();
        let fetched =
            organization.fetched_at.as_ref().map_or_else(String::new, |at| format!(", taken {at}"));
        let setting = match self.undocumented {
            Undocumented::Documented => "documented",
            Undocumented::WorstCase => "worst-case",
        };
        let from = self.snapshot.map_or_else(
            || "live organization".to_owned(),
            |snapshot| format!("snapshot {}", snapshot.display()),
        );
        let text = format!(
            "Evaluated {}; {from} ({digest}{fetched}) of {}; undocumented = \"{setting}\"",
            self.evaluated_at, organization.id,
        );
        Paragraph { style: DIM, ..Paragraph::of(&text) }.write(out, width)?;
        if !organization.scp_enabled {
            let text = "The SCP policy type is not enabled on the root, so no SCP is in force";
            Paragraph { head: text, style: OPEN, text: "", indent: 0 }.write(out, width)?;
        }
        Ok(())
    }
}

/// `SESDP.8`, `SESDP.1 to 4 and 8`, or all of those that were checked.
fn controls(report: &Report, some: &BTreeSet<ControlId>) -> String {
    if some.len() == report.controls.len() && some.len() > 1 {
        return format!("all {} controls", some.len());
    }
    names::controls(some.iter().copied())
}

fn undecided(out: &mut dyn Write, page: &Page<'_>, names: &Names<'_>) -> io::Result<()> {
    let mut grouping: Grouping<(String, String)> = Grouping::default();
    let mut targets: BTreeMap<(String, String), BTreeMap<AccountIdx, TargetIdx>> = BTreeMap::new();
    each_view(page, Status::Undecided, |account, control, cell| {
        for obstacle in &cell.obstacles {
            // One policy may stand in the way at many targets.
            let (place, message) = obstacle_words(names, obstacle);
            let place = obstacle.statement.as_ref().map_or(place, |s| names.unplaced(s));
            let key = (place, message);
            if let (Some(_), Some(target)) = (&obstacle.statement, obstacle.target) {
                targets.entry(key.clone()).or_default().insert(account, target);
            }
            grouping.add(key, control, account);
        }
    });
    let groups = grouping.groups();
    if groups.is_empty() {
        return Ok(());
    }
    heading(out, "Undecided")?;
    for group in groups.iter().take(GROUPS) {
        let head = controls(page.report, &group.controls);
        let who = names.counted(&group.accounts, NAMED);
        Paragraph { head: &head, style: OPEN, text: &who, indent: 2 }.write(out, page.width)?;
        let (place, message) = &group.key;
        let at: BTreeSet<TargetIdx> = targets
            .get(&group.key)
            .map(|all| group.accounts.iter().filter_map(|account| all.get(account)).copied())
            .into_iter()
            .flatten()
            .collect();
        let at = match (at.len(), at.first()) {
            (1, Some(only)) => format!(" at {}", names.target(*only)),
            (0, _) => String::new(),
            (several, _) => format!(" at {several} targets"),
        };
        let text =
            if place.is_empty() { message.clone() } else { format!("{place}{at}: {message}") };
        Paragraph { indent: 4, ..Paragraph::of(&text) }.write(out, page.width)?;
    }
    cut(out, page, groups.len().saturating_sub(GROUPS), "more reason")
}

/// Where an obstacle stands, which may be nothing, and what it is.
pub fn obstacle_words(names: &Names<'_>, obstacle: &ObstacleView) -> (String, String) {
    let place = match (&obstacle.statement, obstacle.policy, obstacle.target) {
        (Some(statement), _, _) => names.statement(statement),
        (None, Some(policy), Some(target)) => {
            format!("SCP {} at {}", names.policy(policy), names.target(target))
        }
        (None, Some(policy), None) => format!("SCP {}", names.policy(policy)),
        (None, None, Some(target)) => names.target(target),
        (None, None, None) => String::new(),
    };
    (place, obstacle.message.clone())
}

fn not_applicable(out: &mut dyn Write, page: &Page<'_>, names: &Names<'_>) -> io::Result<()> {
    let mut grouping: Grouping<VerdictReason> = Grouping::default();
    each_view(page, Status::NotApplicable, |account, control, cell| {
        if let Some(reason) = &cell.reason {
            grouping.add(VerdictReason { text: reason.clone(), status: None }, control, account);
        }
    });
    reasons(out, page, names, "Not applicable", DIM, &grouping)?;
    if !page.report.is_about_exposure() {
        return Ok(());
    }
    let (field, reason) = UNCHECKED_FIELD;
    Paragraph { head: field, style: DIM, text: "everywhere", indent: 2 }.write(out, page.width)?;
    Paragraph { indent: 4, ..Paragraph::of(reason) }.write(out, page.width)
}

fn notes(out: &mut dyn Write, page: &Page<'_>, names: &Names<'_>) -> io::Result<()> {
    let mut grouping: Grouping<VerdictReason> = Grouping::default();
    for row in &page.report.rows {
        for cell in row.all() {
            for note in &cell.assumptions {
                let reason = VerdictReason { text: note.clone(), status: Some(cell.status()) };
                grouping.add(reason, cell.control, row.account);
            }
        }
    }
    reasons(out, page, names, "Verdicts that hang on an assumption", PLAIN, &grouping)
}

/// A sentence behind verdicts, with their status where it is not told already.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct VerdictReason {
    text: String,
    status: Option<Status>,
}

fn reasons(
    out: &mut dyn Write,
    page: &Page<'_>,
    names: &Names<'_>,
    title: &str,
    style: anstyle::Style,
    grouping: &Grouping<VerdictReason>,
) -> io::Result<()> {
    let groups = grouping.groups();
    if groups.is_empty() {
        return Ok(());
    }
    heading(out, title)?;
    for group in groups.iter().take(GROUPS) {
        let head = controls(page.report, &group.controls);
        let head =
            group.key.status.map_or(head.clone(), |status| format!("{head} {}", status.name()));
        let who = names.counted(&group.accounts, NAMED);
        Paragraph { head: &head, style, text: &who, indent: 2 }.write(out, page.width)?;
        Paragraph { indent: 4, ..Paragraph::of(&group.key.text) }.write(out, page.width)?;
    }
    cut(out, page, groups.len().saturating_sub(GROUPS), "more reason")
}

/// What to do next.
fn hint(out: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    let first = |status: Status| {
        page.report.rows.iter().find_map(|row| {
            let cell = row.all().find(|cell| cell.status() == status)?;
            Some((page.organization.account(row.account)?.id, cell.control))
        })
    };
    let Some((account, control)) = first(Status::Failed).or_else(|| first(Status::Undecided))
    else {
        return Ok(());
    };
    writeln!(out, "\nThe whole story of one verdict:")?;
    writeln!(out, "  {BOLD}ses-perimeter explain {account} {control}{}{BOLD:#}", files(page))
}

/// The options that name this page's files, each with a space before it.
pub fn files(page: &Page<'_>) -> String {
    let mut text = String::new();
    if let Some(snapshot) = page.snapshot {
        text.push_str(&format!(" --snapshot {}", paint::shell(snapshot)));
    }
    if let Some(perimeter) = page.perimeter {
        text.push_str(&format!(" --perimeter {}", paint::shell(perimeter)));
    }
    text
}
