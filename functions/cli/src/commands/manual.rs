//! `ses-perimeter completions` and `ses-perimeter man`, from the definitions of the arguments.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use miette::{IntoDiagnostic, WrapErr};

use crate::args::Cli;
use crate::output::{to_file, unless_closed};

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
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .into_diagnostic()
                .wrap_err_with(|| format!("the pages cannot be written to {}", folder.display()))?;
            let mut program = Cli::command().disable_help_subcommand(true);
            program.build();
            all(folder, program)?;
        }
        None => {
            let mut page = Vec::new();
            let made = Man::new(Cli::command()).render(&mut page);
            unless_closed(made.and_then(|()| io::stdout().lock().write_all(&page)))?;
        }
    }
    Ok(0)
}

/// Writes the page of a command and those of the commands below it.
fn all(folder: &Path, command: clap::Command) -> miette::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        all(folder, below.clone())?;
    }
    let page = Man::new(command);
    to_file(&folder.join(page.get_filename()), "page", |mut out| page.render(&mut out))
}
