//! A comparison in the format that was asked for.

use std::io::Write;
use std::path::Path;

use crate::args::ChangeFormat;
use crate::comparison::Comparison;
use crate::output::page;

/// Writes the comparison.
///
/// # Errors
/// The place for it is unusable.
pub fn emit(
    comparison: &Comparison<'_>,
    format: ChangeFormat,
    out: Option<&Path>,
) -> miette::Result<()> {
    let write = |out: &mut dyn Write, width: usize| match format {
        ChangeFormat::Text => comparison.text(out, width),
        ChangeFormat::Json => comparison.json(out),
        ChangeFormat::Markdown => crate::comment::write(out, comparison),
        ChangeFormat::Sarif => comparison.sarif(out),
    };
    page(out, "comparison", write)
}
