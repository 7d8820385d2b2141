//! `ses-perimeter check`.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal, Write};

use exposure::{Age, Finder, Inside, complete};
use findings::results::{self, Maker, Origin, Summary};
use findings::stand_ins::StandIns;
use indicatif::{ProgressBar, ProgressStyle};
use miette::{IntoDiagnostic, WrapErr};
use reports::{Checked, Fix};
use ses_perimeter::check::{Options, Progress, Report, check};
use ses_perimeter::facts::regions;
use ses_perimeter::model;

use crate::args::{CheckArgs, Format};
use crate::fix;
use crate::input::{self, Input};
use crate::output::to_file;
use crate::text::{self, Page};

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
    let fixes = match args.format {
        Format::Html | Format::Markdown => fix::proved(&input, &options, quiet),
        Format::Text
        | Format::Json
        | Format::Jsonl
        | Format::Csv
        | Format::Junit
        | Format::Sarif
        | Format::Asff
        | Format::Ocsf => Vec::new(),
    };
    match (&args.out, args.format) {
        (Some(path), _) => {
            to_file(path, "results", |out| write(out, args, &input, &report, &fixes))?;
        }
        (None, Format::Text) => {
            let mut out = BufWriter::new(anstream::stdout().lock());
            let written = write(&mut out, args, &input, &report, &fixes).and_then(|()| out.flush());
            unless_closed(written)?;
        }
        (None, _) => plain(|out| write(out, args, &input, &report, &fixes))?,
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
    fixes: &[Fix],
) -> io::Result<()> {
    let catalog = model::catalog();
    let origin = Origin { version: env!("CARGO_PKG_VERSION"), evaluated_at: &input.evaluated_at };
    let snapshot = args.input.snapshot.as_ref().map(|path| path.display().to_string());
    let checked = Checked {
        organization: &input.organization,
        perimeter: &input.perimeter,
        catalog: &catalog,
        report,
        origin: origin.clone(),
        now: input.now,
        snapshot: snapshot.as_deref(),
        files: BTreeMap::new(),
        fixes: fixes.to_vec(),
        warnings: Vec::new(),
        notes: Vec::new(),
        stand_ins: StandIns::default(),
    };
    match args.format {
        Format::Text => {
            let page = Page {
                organization: &input.organization,
                catalog: &catalog,
                report,
                evaluated_at: &input.evaluated_at,
                perimeter_settings: &input.perimeter,
                snapshot: args.input.snapshot.as_deref(),
                perimeter: args.input.perimeter.as_deref(),
                width: text::paint::width(args.out.is_none()),
            };
            if args.out.is_some() {
                // A file keeps no colour, whatever --color says of the terminal.
                let mut plain = anstream::StripStream::new(Vec::new());
                text::write(&mut plain, &page)?;
                return out.write_all(&plain.into_inner());
            }
            text::write(out, &page)
        }
        Format::Json => results::write_json(
            out,
            &input.organization,
            &input.perimeter,
            &catalog,
            report,
            &origin,
        ),
        Format::Jsonl => {
            let maker = Maker::new(&input.organization, &input.perimeter, &catalog);
            results::write_jsonl(out, maker, report)
        }
        Format::Csv => reports::csv::write(out, &checked),
        Format::Markdown => reports::markdown::write(out, &checked),
        Format::Junit => reports::junit::write(out, &checked),
        Format::Sarif => reports::sarif::write(out, &checked),
        Format::Asff => reports::asff::write(out, &checked),
        Format::Ocsf => reports::ocsf::write(out, &checked),
        Format::Html => reports::html::write(out, &checked),
    }
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
