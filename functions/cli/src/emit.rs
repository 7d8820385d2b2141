//! A comparison in the format that was asked for.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::args::ChangeFormat;
use crate::comparison::Comparison;
use crate::output::{to_file, unless_closed};
use crate::text::paint::width;

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
    match out {
        Some(path) => to_file(path, "comparison", |out| {
            // A file keeps no colour, whatever --color says of the terminal.
            let mut plain = anstream::StripStream::new(Vec::new());
            write(&mut plain, width(false))?;
            out.write_all(&plain.into_inner())
        }),
        None => {
            let mut out = BufWriter::new(anstream::stdout().lock());
            unless_closed(write(&mut out, width(true)).and_then(|()| out.flush()))
        }
    }
}
