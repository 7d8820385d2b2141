//! The live organization.

use std::io::{self, IsTerminal};
use std::pin::pin;
use std::time::Duration;

use aws::permissions::PROGRAM;
use aws::{Outside, SystemClock, errors};
use indicatif::{ProgressBar, ProgressStyle};
use miette::{IntoDiagnostic, Report, WrapErr, miette};
use pipeline::collect::{self, CollectError, CollectSettings};
use pipeline::pace::{Pace, PaceSettings};
use pipeline::snapshot::{Gap, Snapshot};

use crate::args::ReadingArgs;

/// How often the progress is drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// The stack of the thread that waits for AWS, in bytes: unoptimized, the SDK's reader of findings
/// takes more than a main thread has.
const STACK: usize = 64 << 20;

/// Runs what waits for AWS, on a thread with a wide stack.
///
/// # Errors
/// The system refuses what waiting takes.
pub fn block_on<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> miette::Result<T> {
    let refused = "the program cannot wait for AWS";
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(work()))
        });
        let thread = thread.into_diagnostic().wrap_err(refused)?;
        let ended = thread.join().map_err(|_| miette!("{refused}: it panicked"))?;
        ended.into_diagnostic().wrap_err(refused)
    })
}

/// Reads the live organization and gives back its snapshot in JSON, with a warning for each gap.
///
/// # Errors
/// AWS gives no access, or does not answer.
pub fn snapshot(reading: &ReadingArgs, quiet: bool) -> miette::Result<String> {
    let snapshot = block_on(async || read(reading, quiet).await)??;
    if !quiet {
        snapshot.gaps.iter().map(warning).for_each(|warning| crate::say(&warning));
    }
    let mut text = serde_json::to_string_pretty(&snapshot)
        .into_diagnostic()
        .wrap_err("the snapshot cannot be written down")?;
    text.push('\n');
    Ok(text)
}

async fn read(reading: &ReadingArgs, quiet: bool) -> miette::Result<Snapshot> {
    let outside = Outside::from_environment(PROGRAM.calls).await;
    if outside.region().is_none() {
        return Err(miette!(help = errors::REGION_HELP, "no AWS Region is configured"));
    }
    let organizations = outside.organizations();
    let pace = Pace::new(PaceSettings {
        share: reading.organizations_share,
        seed: aws::function::seed(),
        ..PaceSettings::default()
    });
    let settings =
        CollectSettings { unit_names: !reading.no_unit_names, ..CollectSettings::default() };
    let bar = if quiet || !io::stderr().is_terminal() {
        ProgressBar::hidden()
    } else {
        ProgressBar::new_spinner()
    };
    if let Ok(style) = ProgressStyle::with_template("{spinner} reading Organizations: {msg}") {
        bar.set_style(style);
    }
    let mut whole = pin!(collect::whole(&organizations, &SystemClock, &pace, &settings));
    let read = loop {
        match tokio::time::timeout(TICK, whole.as_mut()).await {
            Ok(read) => break read,
            Err(_) => {
                bar.set_message(format!("{} calls", pace.tally().calls));
                bar.tick();
            }
        }
    };
    bar.finish_and_clear();
    read.map_err(|error| refused(&error))
}

/// Why there is no snapshot, and what to do.
fn refused(error: &CollectError) -> Report {
    let help = match error {
        CollectError::Call(call) => errors::access_help(call),
        CollectError::NoRoot => {
            "use credentials of the organization's management account, or of a delegated \
             administrator"
        }
        CollectError::RepeatedToken { .. } | CollectError::OddRoot(_) => "try again in a minute",
    };
    miette!(help = help, "{error}")
}

fn warning(gap: &Gap) -> Report {
    let about = gap.target_id.as_ref().or(gap.policy_id.as_ref());
    let about = about.map_or_else(String::new, |id| format!(" of {id}"));
    miette!(
        severity = miette::Severity::Warning,
        help = "what it touches is undecided, never passed",
        "{}{about} could not be read: {}",
        gap.operation,
        gap.reason
    )
}
