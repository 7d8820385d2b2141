//! The live organization.

mod progress;
mod reading;

use std::pin::pin;

use aws::permissions::PROGRAM;
use aws::{Outside, SystemClock, errors};
use exposure::wire::WireSection;
use miette::{IntoDiagnostic, Report, WrapErr, miette};
use pipeline::collect::{self, CollectError, CollectSettings};
use pipeline::pace::{Pace, PaceSettings};
use pipeline::snapshot::{Snapshot, SnapshotGap};
use serde::Serialize;

use crate::args::{ExposureArgs, ReadingArgs};
use progress::{TICK, bar};

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

/// Reads the live organization, and exposure where that is wanted, and gives back its snapshot in
/// JSON, with a warning for each gap.
///
/// # Errors
/// AWS gives no access, or does not answer.
pub fn snapshot(
    reading: &ReadingArgs,
    exposure: Option<&ExposureArgs>,
    quiet: bool,
) -> miette::Result<String> {
    let exposure = exposure.filter(|args| args.exposure);
    let (snapshot, section) = block_on(async || {
        let outside = outside().await?;
        let snapshot = read(&outside, reading, quiet).await?;
        if !quiet {
            snapshot.gaps.iter().map(warning).for_each(|warning| crate::output::say(&warning));
        }
        let section = match exposure {
            Some(args) => Some(reading::read(&outside, args, &snapshot, quiet).await?),
            None => None,
        };
        miette::Result::<_>::Ok((snapshot, section))
    })??;
    let whole = Whole { snapshot, exposure: section.as_ref().map(WireSection::from) };
    let mut text = serde_json::to_string_pretty(&whole)
        .into_diagnostic()
        .wrap_err("the snapshot cannot be written down")?;
    text.push('\n');
    Ok(text)
}

/// A snapshot with what was read beside the organization.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    snapshot: Snapshot,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<WireSection>,
}

async fn outside() -> miette::Result<Outside> {
    let outside = Outside::from_environment(PROGRAM.calls).await;
    if outside.region().is_none() {
        return Err(miette!(help = errors::REGION_HELP, "no AWS Region is configured"));
    }
    Ok(outside)
}

async fn read(outside: &Outside, reading: &ReadingArgs, quiet: bool) -> miette::Result<Snapshot> {
    let organizations = outside.organizations();
    let pace = Pace::new(PaceSettings {
        share: reading.organizations_share,
        seed: aws::function::seed(),
        ..PaceSettings::default()
    });
    let settings =
        CollectSettings { unit_names: !reading.no_unit_names, ..CollectSettings::default() };
    let bar = bar(quiet, "{spinner} reading Organizations: {msg}");
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

fn warning(gap: &SnapshotGap) -> Report {
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
