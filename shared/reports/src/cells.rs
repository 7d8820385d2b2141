//! What the formats share: one entry after another, severities, moments.

use std::io;

use findings::asff;
use findings::results::{ResultBuilder, ResultEntry};
use findings::run::SeverityLabel;
use ses_perimeter::control::ControlId;
use ses_perimeter::report::{Cell, Row};

use crate::checked::Checked;

/// Shows every cell with its entry, made one by one: a large organization never stands in memory
/// as text.
pub fn each(
    checked: &Checked<'_>,
    mut show: impl FnMut(&Row, &Cell, &ResultEntry) -> io::Result<()>,
) -> io::Result<()> {
    let mut maker = maker(checked);
    for row in &checked.report.rows {
        for cell in row.all() {
            let entry = maker.entry(row, cell);
            show(row, cell, &entry)?;
        }
    }
    Ok(())
}

/// Makes the entries of a report.
pub fn maker<'a>(checked: &Checked<'a>) -> ResultBuilder<'a> {
    ResultBuilder::new(checked.organization, checked.perimeter, checked.catalog)
}

/// How grave a cell is: what the account's exposure makes of it, else what the control says.
pub fn severity(checked: &Checked<'_>, control: ControlId, entry: &ResultEntry) -> SeverityLabel {
    entry.severity.as_ref().map_or_else(|| of_control(checked, control), |graded| graded.label)
}

/// How grave a failure of a control is wherever it fails.
pub fn of_control(checked: &Checked<'_>, control: ControlId) -> SeverityLabel {
    asff::severity(checked.perimeter, control).into()
}

/// The moment of the evaluation with milliseconds, which some formats demand.
pub fn with_milliseconds(moment: &str) -> String {
    match moment.strip_suffix('Z') {
        Some(head) if !head.contains('.') => format!("{head}.000Z"),
        Some(_) | None => moment.to_owned(),
    }
}

/// The ids from the root to the account, for instance `r-exam/ou-exam-shop/222222222222`.
pub fn path(entry: &ResultEntry) -> String {
    entry.path.join("/")
}

/// `text` with every control character as a space, so that it stays on one line.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `text` with a capital in front.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
