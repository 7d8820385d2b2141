//! The program `ses-perimeter`.

mod args;
mod change;
mod commands;
mod comment;
mod comparison;
mod deciding;
mod emit;
mod input;
#[cfg(feature = "live")]
mod live;
mod output;
mod text;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Color, Command};
use commands::{check, diff, explain, fix, lint, manual, what_if};
#[cfg(feature = "live")]
use commands::{doctor, fetch};

/// Most of the time of a large check goes by in allocations.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Nothing was decided.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    set_up(cli.color);
    let outcome = match &cli.command {
        Command::Check(args) => check::run(args, cli.quiet),
        Command::Explain(args) => explain::run(args, cli.quiet),
        Command::Fix(args) => fix::run(args, cli.quiet),
        Command::Diff(args) => diff::run(args, cli.quiet),
        Command::WhatIf(args) => what_if::run(args, cli.quiet),
        Command::Lint(args) => lint::run(args, cli.quiet),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { out } => manual::pages(out.as_deref()),
        #[cfg(feature = "live")]
        Command::Fetch(args) => fetch::run(args, cli.quiet),
        #[cfg(feature = "live")]
        Command::Doctor(args) => doctor::run(args),
        #[cfg(not(feature = "live"))]
        Command::Fetch(_) | Command::Doctor(_) => Err(input::no_live_access()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(report) => {
            output::say(&report);
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Settles colour and the look of diagnostics.
fn set_up(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let choice = color;
    // A hook that is set already stays; there is none.
    let _ = miette::set_hook(Box::new(move |_| {
        // Ids must stay whole, so that they can be copied.
        let options = miette::MietteHandlerOpts::new()
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let options = match choice {
            Color::Auto => options,
            Color::Always => options.color(true),
            Color::Never => options.color(false),
        };
        Box::new(options.build())
    }));
}
