//! Deciding what the arguments chose, and what comes of it.

use std::io::{self, IsTerminal};

use exposure::{Age, Finder, Inside, complete};
use findings::results::Summary;
use indicatif::{ProgressBar, ProgressStyle};
use ses_perimeter::check::{Options, Progress, check};
use ses_perimeter::facts::regions;
use ses_perimeter::report::Report;

use crate::input::CheckInput;

/// Decides, with a progress bar on a terminal.
pub fn decide(input: &CheckInput, options: &Options, quiet: bool) -> Report {
    let CheckInput { organization, perimeter, now, .. } = input;
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
