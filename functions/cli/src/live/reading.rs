//! Exposure of the live organization: `fetch --exposure`.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use aws::{ExposureAccess, ExposureReader, Outside, SystemClock};
use exposure::{Exposure, RegionStatus};
use futures_util::stream::{self, StreamExt};
use miette::{IntoDiagnostic, WrapErr, miette};
use pipeline::ports::Clock;
use pipeline::reading::{
    Batch, BatchAccount, BatchCheckpoint, CallSettings, READING_VERSION, ReadSettings, is_complete,
    read_batch,
};
use pipeline::snapshot::Snapshot;
use ses_perimeter::facts::regions;
use tokio::time::{Instant, timeout};

use super::progress::{TICK, bar};
use crate::args::ExposureArgs;

/// How many accounts are read side by side.
const ACCOUNTS_AT_ONCE: usize = 8;
/// How many calls are under way in an account, over all its Regions.
const CALLS_AT_ONCE: usize = 32;
/// Longer than reading takes: an account with ten thousand identities takes three hours, and a
/// person can stop it at any time.
const NO_END: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Reads exposure of every active account, and says how much of it there is.
///
/// # Errors
/// Nobody knows which Regions to read; a snapshot names an account that is none. What fails in an
/// account is in the section as what it is.
pub async fn read(
    outside: &Outside,
    args: &ExposureArgs,
    snapshot: &Snapshot,
    quiet: bool,
) -> miette::Result<Exposure> {
    let regions = regions(args, &snapshot.partition)?;
    let active = snapshot.accounts.iter().filter(|account| account.state == "ACTIVE");
    let accounts: Vec<&str> = active.map(|account| account.id.as_str()).collect();
    let reader = outside.exposure(ExposureAccess {
        partition: snapshot.partition.clone(),
        role: args.read_role.clone(),
        external_id: args.external_id.clone(),
    });
    let bar = bar(quiet, "{spinner} reading exposure: {pos} of {len} accounts, {msg}");
    bar.set_length(accounts.len() as u64);
    let calls = Cell::new(0_u64);
    let one = async |account: &str| {
        let read = account_of(&reader, account, &regions).await?;
        calls.set(calls.get() + read.1);
        bar.inc(1);
        miette::Result::<_>::Ok(read.0)
    };
    let all =
        stream::iter(&accounts).map(|account| one(account)).buffer_unordered(ACCOUNTS_AT_ONCE);
    let mut all = pin!(all.collect::<Vec<_>>());
    let read = loop {
        match timeout(TICK, all.as_mut()).await {
            Ok(read) => break read,
            Err(_) => {
                bar.set_message(format!("{} calls", calls.get()));
                bar.tick();
            }
        }
    };
    bar.finish_and_clear();
    let mut exposure = Exposure::default();
    for section in read {
        exposure.accounts.extend(section?.accounts);
    }
    exposure.accounts.sort_by_key(|account| account.account);
    if !quiet {
        anstream::eprintln!("{}", summary(&exposure));
    }
    Ok(exposure)
}

/// The Regions to read: those that are named, else those where SES has an endpoint.
fn regions(args: &ExposureArgs, partition: &str) -> miette::Result<Vec<String>> {
    if !args.exposure_regions.is_empty() {
        return Ok(args.exposure_regions.clone());
    }
    let known = regions::ses(partition).ok_or_else(|| {
        miette!(
            help = "name them with --exposure-regions",
            "nobody knows the Regions of SES in the partition `{partition}`"
        )
    })?;
    Ok(known.iter().map(|region| (*region).to_owned()).collect())
}

/// Reads one account as a batch of its own; with the number of calls.
async fn account_of(
    reader: &ExposureReader,
    account: &str,
    regions: &[String],
) -> miette::Result<(Exposure, u64)> {
    let batch = Batch {
        schema_version: READING_VERSION,
        run_id: "fetch".to_owned(),
        batch: 0,
        batches: 1,
        planned_at: SystemClock.now().to_string(),
        accounts: vec![BatchAccount { account: account.to_owned(), regions: regions.to_vec() }],
        estimated_calls: 0,
        estimated_seconds: 0,
    };
    let settings = ReadSettings {
        calls: CallSettings {
            calls_at_once: CALLS_AT_ONCE,
            seed: aws::function::seed(),
            ..CallSettings::default()
        },
        ..ReadSettings::default()
    };
    let deadline = Instant::now() + NO_END;
    let read =
        read_batch(reader, &SystemClock, &settings, BatchCheckpoint::begin(&batch), deadline).await;
    let read = read.into_diagnostic().wrap_err("exposure cannot be read")?;
    Ok((read.section, read.tally.calls))
}

/// How many Regions of accounts there are of each kind.
fn summary(exposure: &Exposure) -> String {
    let (mut read, mut with_gaps, mut unread, mut closed) = (0_usize, 0_usize, 0_usize, 0_usize);
    for region in exposure.accounts.iter().flat_map(|account| &account.regions) {
        match &region.status {
            RegionStatus::Read(_) => {
                read += 1;
                with_gaps += usize::from(!is_complete(&region.status));
            }
            RegionStatus::RegionDisabled | RegionStatus::NotOptedIn => closed += 1,
            RegionStatus::RoleMissing
            | RegionStatus::Denied { .. }
            | RegionStatus::Failed { .. } => unread += 1,
        }
    }
    let accounts = exposure.accounts.len();
    format!(
        "exposure of {accounts} accounts: {read} Regions read, {} gaps ({with_gaps} of these \
         Regions in part, {unread} not at all), {closed} switched off",
        with_gaps + unread
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use exposure::{AccountExposure, RegionExposure};

    use super::*;

    #[test]
    fn what_was_not_read_counts_as_a_gap_and_a_closed_region_does_not() {
        let statuses = [
            RegionStatus::Denied { call: "sts:AssumeRole".to_owned() },
            RegionStatus::Failed { reason: "no answer".to_owned() },
            RegionStatus::RoleMissing,
            RegionStatus::RegionDisabled,
        ];
        let regions = statuses
            .into_iter()
            .enumerate()
            .map(|(index, status)| RegionExposure { region: format!("eu-west-{index}"), status });
        let account = AccountExposure {
            account: "222222222222".parse().unwrap(),
            read_at: "2026-11-23T00:00:00Z".to_owned(),
            regions: regions.collect(),
        };
        assert_eq!(
            summary(&Exposure { accounts: vec![account] }),
            "exposure of 1 accounts: 0 Regions read, 3 gaps (0 of these Regions in part, 3 not at \
             all), 1 switched off"
        );
    }
}
