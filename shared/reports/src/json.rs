//! Results as JSON: one document, or one object a line.

use std::io::{self, Write};

use findings::results::{write_json, write_jsonl};

use crate::cells::maker;
use crate::checked::Checked;

/// Writes one document.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let Checked { organization, perimeter, catalog, report, origin, .. } = checked;
    write_json(out, organization, perimeter, catalog, report, origin)
}

/// Writes one object a line.
///
/// # Errors
/// Those of the writer.
pub fn write_lines(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    write_jsonl(out, maker(checked), checked.report)
}
