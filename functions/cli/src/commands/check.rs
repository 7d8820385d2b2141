//! `ses-perimeter check`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use findings::results::{Origin, Summary};
use findings::stand_ins::StandIns;
use reports::{Checked, Fix};
use ses_perimeter::check::Options;
use ses_perimeter::model;
use ses_perimeter::report::Report;

use crate::args::CheckArgs;
use crate::commands::fix;
use crate::deciding::{decide, exit_code};
use crate::input::{self, CheckInput};
use crate::output::{page, plain, to_file};
use crate::text::paint::width;

/// Runs the command and returns the exit code.
///
/// # Errors
/// When the input or the place for the results is unusable.
pub fn run(args: &CheckArgs, quiet: bool) -> miette::Result<u8> {
    let input = input::read(&args.input, quiet)?;
    if !quiet {
        input.warnings.iter().for_each(crate::output::say);
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
    let path = args.out.as_deref();
    let write = |out: &mut dyn Write, width| write(out, args, &input, &report, fixes, width);
    match path {
        _ if format.coloured => page(path, "results", write)?,
        Some(path) => to_file(path, "results", |out| write(out, width(false)))?,
        None => plain(|out| write(out, width(true)))?,
    }
    Ok(exit_code(&Summary::of(&report)))
}

fn write(
    out: &mut dyn Write,
    args: &CheckArgs,
    input: &CheckInput,
    report: &Report,
    fixes: Vec<Fix>,
    width: usize,
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
        width,
        files: BTreeMap::new(),
        fixes,
        warnings: Vec::new(),
        notes: Vec::new(),
        stand_ins: StandIns::default(),
    };
    (args.format.0.write)(out, &checked)
}
