//! `ses-perimeter fetch`.

use crate::args::FetchArgs;
use crate::live;
use crate::output::to_file;

/// Runs the command and returns the exit code.
///
/// # Errors
/// AWS gives no access, or the file cannot be written; then an older file stays as it is.
pub fn run(args: &FetchArgs, quiet: bool) -> miette::Result<u8> {
    let snapshot = live::snapshot(&args.reading, Some(&args.exposure), quiet)?;
    to_file(&args.out, "snapshot", |out| out.write_all(snapshot.as_bytes()))?;
    Ok(0)
}
