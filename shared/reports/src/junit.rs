//! To be written.

use std::io::{self, Write};

use crate::Checked;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn write(_out: &mut dyn Write, _checked: &Checked<'_>) -> io::Result<()> {
    Ok(())
}
