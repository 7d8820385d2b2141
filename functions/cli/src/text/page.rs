//! What every part of a page works with.

use std::io::{self, Write};
use std::path::Path;

use findings::names::count;
use organization::{AccountIdx, Organization};
use policy::keys::KeyCatalog;
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::{Report, Status};
use ses_perimeter::view::{CellView, view};

use super::paint::{BOLD, DIM, Paragraph, plain};

/// Accounts that a line names before it counts the rest.
pub const NAMED: usize = 5;
/// What a page of results shows.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    /// The organization.
    pub organization: &'a Organization,
    /// All keys.
    pub catalog: &'a KeyCatalog,
    /// The results.
    pub report: &'a Report,
    /// The moment of the evaluation, in RFC 3339.
    pub evaluated_at: &'a str,
    /// The perimeter.
    pub perimeter_settings: &'a Perimeter,
    /// The snapshot's file; none where the organization was read live.
    pub snapshot: Option<&'a Path>,
    /// The perimeter's file, where it was named.
    pub perimeter: Option<&'a Path>,
    /// Columns of the page.
    pub width: usize,
}

/// The heading of a section.
///
/// # Errors
/// Those of the writer.
pub fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{BOLD}{}{BOLD:#}", plain(text))
}

/// The last line of a list that was cut short.
pub fn cut(out: &mut dyn Write, page: &Page<'_>, left: usize, what: &str) -> io::Result<()> {
    if left == 0 {
        return Ok(());
    }
    let text = format!(
        "and {}; --account or --control shows a part, --format json everything",
        count(left, what)
    );
    Paragraph { style: DIM, indent: 2, ..Paragraph::of(&text) }.write(out, page.width)
}

/// Shows every cell of a status in the terms of its account.
pub fn each_view(
    page: &Page<'_>,
    status: Status,
    mut show: impl FnMut(AccountIdx, ControlId, &CellView),
) {
    for row in &page.report.rows {
        for cell in row.all().filter(|cell| cell.status() == status) {
            show(row.account, cell.control, &view(page.organization, page.catalog, row, cell));
        }
    }
}
