//! `ses-perimeter check`.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use exposure::{Age, Finder, Inside, complete};
use findings::results::{Origin, Summary};
use findings::stand_ins::StandIns;
use indicatif::{ProgressBar, ProgressStyle};
use miette::{IntoDiagnostic, WrapErr};
use reports::{Checked, Fix};
use ses_perimeter::check::{Options, Progress, check};
use ses_perimeter::facts::regions;
use ses_perimeter::model;
use ses_perimeter::report::Report;

use crate::args::CheckArgs;
use crate::fix;
use crate::input::{self, Input};
use crate::output::to_file;
use crate::text;

/// Runs the command and returns the exit code.
///
/// # Errors
/// When the input or the place for the results is unusable.
pub fn run(args: &CheckArgs, quiet: bool) -> miette::Result<u8> {
    let input = input::read(&args.input, quiet)?;
    if !quiet {
        input.warnings.iter().for_each(crate::say);
    }
    let options = Options {
        controls: args
            .controls
            .iter()
            .map(|text| input::control(text))
            .collect::<Result<_, _>>()?,
        accounts: input::accounts(&input.organization, &args.accounts)?,
        budget: args.input.budget,
        ..Options::default()
    };
    options.controls.iter().try_for_each(|control| input::decidable(&input, *control))?;
    let report = decide(&input, &options, quiet);
    let format = args.format.0;
    let fixes = if format.shows_fixes { fix::proved(&input, &options, quiet) } else { Vec::new() };
    match &args.out {
        // A file keeps no colour, whatever --color says of the terminal.
        Some(path) if format.coloured => to_file(path, "results", |out| {
            let mut plain = anstream::StripStream::new(Vec::new());
            write(&mut plain, args, &input, &report, fixes)?;
            out.write_all(&plain.into_inner())
        })?,
        Some(path) => to_file(path, "results", |out| write(out, args, &input, &report, fixes))?,
        None if format.coloured => {
            let mut out = BufWriter::new(anstream::stdout().lock());
            let written = write(&mut out, args, &input, &report, fixes).and_then(|()| out.flush());
            unless_closed(written)?;
        }
        None => plain(|out| write(out, args, &input, &report, fixes))?,
    }
    Ok(exit_code(&Summary::of(&report)))
}

/// Decides, with a progress bar on a terminal.
pub fn decide(input: &Input, options: &Options, quiet: bool) -> Report {
    let Input { organization, perimeter, now, .. } = input;
    let mut report = progress(quiet, |tell| check(organization, perimeter, *now, options, tell));
    if let Some(exposure) = &input.exposure {
        let inside = Inside::of(organization);
        let regions = regions::ses(&organization.partition).unwrap_or_default();
        let mut finder =
            Finder::new(organization, &inside, perimeter, regions, *now, Age::Any, options);
        complete(&mut report, &mut finder, exposure);
    }
    report
}

/// Works with a progress bar on a terminal.
pub fn progress<T>(quiet: bool, work: impl FnOnce(Progress<'_>) -> T) -> T {
    let bar = if quiet || !io::stderr().is_terminal() {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(0)
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} accounts") {
        bar.set_style(style);
    }
    let done = work(&mut |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    done
}

fn write(
    out: &mut dyn Write,
    args: &CheckArgs,
    input: &Input,
    report: &Report,
    fixes: Vec<Fix>,
) -> io::Result<()> {
    let catalog = model::catalog();
    let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let (snapshot, perimeter_file) = (shown(&args.input.snapshot), shown(&args.input.perimeter));
    let checked = Checked {
        organization: &input.organization,
        perimeter: &input.perimeter,
        catalog: &catalog,
        report,
        origin: Origin { version: env!("CARGO_PKG_VERSION"), evaluated_at: &input.evaluated_at },
        now: input.now,
        snapshot: snapshot.as_deref(),
        perimeter_file: perimeter_file.as_deref(),
        width: text::paint::width(args.out.is_none()),
        files: BTreeMap::new(),
        fixes,
        warnings: Vec::new(),
        notes: Vec::new(),
        stand_ins: StandIns::default(),
    };
    (args.format.0.write)(out, &checked)
}

/// Writes to standard output what other programs read: byte for byte, whatever `--color` says.
///
/// # Errors
/// As for [`unless_closed`].
pub fn plain(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> miette::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    unless_closed(write(&mut out).and_then(|()| out.flush()))
}

/// A reader that stops reading, such as `head`, is no error.
pub fn unless_closed(written: io::Result<()>) -> miette::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.into_diagnostic().wrap_err("the results cannot be written"),
    }
}

/// The exit code of a check.
#[must_use]
pub const fn exit_code(summary: &Summary) -> u8 {
    if summary.failed > 0 {
        1
    } else if summary.undecided > 0 {
        3
    } else {
        0
    }
}
