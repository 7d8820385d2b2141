//! `ses-perimeter completions` and `ses-perimeter man`, from the definitions of the arguments.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use miette::{IntoDiagnostic, WrapErr};

use crate::args::Cli;
use crate::check::unless_closed;

/// Prints a completion script.
///
/// # Errors
/// Standard output cannot be written.
pub fn completions(shell: Shell) -> miette::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ses-perimeter", &mut script);
    unless_closed(io::stdout().lock().write_all(&script))?;
    Ok(0)
}

/// Prints the page of the program, or writes the pages of all commands into a folder.
///
/// # Errors
/// Standard output or the folder cannot be written.
pub fn pages(folder: Option<&Path>) -> miette::Result<u8> {
    match folder {
        Some(folder) => std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .into_diagnostic()
            .wrap_err_with(|| format!("the pages cannot be written to {}", folder.display()))?,
        None => {
            let mut page = Vec::new();
            let made = Man::new(Cli::command()).render(&mut page);
            unless_closed(made.and_then(|()| io::stdout().lock().write_all(&page)))?;
        }
    }
    Ok(0)
}
