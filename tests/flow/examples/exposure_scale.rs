//! What reading an organization takes: batches by the planner itself, a sample of them read in
//! simulated time, and the bill at list prices.
//!
//! `cargo run -p flow --release --example exposure_scale [ACCOUNTS] [REGIONS] [USING_PERCENT]`;
//! `docs/scale.md` shows and explains its output.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "rounded figures")]

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use exposure::{
    AccountExposure, Exposure, Identity, IdentityKind, Part, RegionExposure, RegionStatus,
};
use flow::clock::FakeClock;
use flow::ses::{FakeSes, Mix, account_id};
use jiff::{SignedDuration, Timestamp};
use organization::AccountId;
use pipeline::reading::{
    Batch, BatchCheckpoint, PartAccounts, PlanSettings, ReadSettings, Reading, Times, groups,
    plan_batches, read_batch,
};
use tokio::time::Instant;

const SEED: u64 = 20_261_123;
const SAMPLES: usize = 8;
/// Child executions at once.
const CONCURRENCY: [usize; 3] = [20, 50, 200];
const INVOCATION: Duration = Duration::from_secs(900);

/// Lambda, arm64: dollars a GB-second, dollars a request; memory for one whole vCPU.
const GB_SECOND: f64 = 0.000_013_333_4;
const REQUEST: f64 = 0.20 / 1e6;
const MEMORY_GB: f64 = 1_769.0 / 1_024.0;
/// Step Functions, Standard: dollars a state transition; transitions of a batch beside those of
/// each invocation.
const TRANSITION: f64 = 0.025 / 1e3;
const TRANSITIONS_A_BATCH: f64 = 2.0;
const TRANSITIONS_AN_INVOCATION: f64 = 2.0;
/// S3: dollars a write, dollars a read.
const PUT: f64 = 0.005 / 1e3;
const GET: f64 = 0.000_4 / 1e3;
/// CloudTrail: dollars an event of a second copy of management events.
const SECOND_COPY: f64 = 2.0 / 1e5;

/// Regions without an endpoint of Mail Manager.
type Away = BTreeSet<String>;

/// What reading a sample took.
#[derive(Default)]
struct Sample {
    batches: usize,
    estimated_seconds: f64,
    seconds: f64,
    longest_seconds: f64,
    estimated_calls: u64,
    calls: u64,
    regions: usize,
    invocations: usize,
    bytes: usize,
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u32| -> Result<u32, std::num::ParseIntError> {
        arguments.next().map_or(Ok(default), |text| text.parse())
    };
    let mix = Mix {
        accounts: number(50_000)?,
        regions: usize::try_from(number(30)?)?,
        all_on: true,
        using_percent: usize::try_from(number(10)?)?,
        used_regions: 2,
        identities: 20,
        mail_manager_percent: 10,
    };
    println!(
        "{} accounts x {} Regions, {} % of the accounts use SES, each in {} Regions with 1 to {} \
         identities, one in ten of these with Mail Manager",
        mix.accounts, mix.regions, mix.using_percent, mix.used_regions, mix.identities
    );
    let now: Timestamp = "2026-11-23T00:00:00Z".parse()?;
    let read = ReadSettings::default();
    let plan = PlanSettings::default();
    let nothing = Reading::default();
    let mut first = Vec::new();
    for group in groups(&mix.account_ids()) {
        let accounts = accounts_of(&group);
        let regions = mix.region_names();
        first.extend(plan_batches("first", &accounts, &regions, &nothing, now, &read, &plan));
    }
    let everywhere = Away::new();
    report("first run, nothing known", &mix, &read, &first, Some(&everywhere)).await?;
    let away: Away = mix.region_names().into_iter().take(mix.regions / 3).collect();
    let title = format!("the same, {} Regions without an endpoint of Mail Manager", away.len());
    report(&title, &mix, &read, &first, Some(&away)).await?;

    let day = now.checked_add(SignedDuration::from_hours(25))?;
    let (mut later, mut same_day, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for group in groups(&mix.account_ids()) {
        let slice = &accounts_of(&group)[..];
        let mut last = known(&mix, slice, now);
        later.extend(plan_batches("later", slice, &mix.region_names(), &last, day, &read, &plan));
        let hour = now.checked_add(SignedDuration::from_hours(2))?;
        same_day.extend(plan_batches(
            "soon",
            slice,
            &mix.region_names(),
            &last,
            hour,
            &read,
            &plan,
        ));
        // One account in a hundred has no role: it is asked again in every run.
        for account in last.exposure.accounts.iter_mut().step_by(100) {
            let regions = account.regions.iter_mut();
            regions.for_each(|region| region.status = RegionStatus::RoleMissing);
        }
        missing.extend(plan_batches("soon", slice, &mix.region_names(), &last, hour, &read, &plan));
    }
    report("a run after the age, loads known", &mix, &read, &later, Some(&everywhere)).await?;
    report("a run within the age", &mix, &read, &same_day, None).await?;
    report(
        "a run within the age, 1 % of the accounts without the role",
        &mix,
        &read,
        &missing,
        None,
    )
    .await?;
    largest(&mix, now, &read, &plan).await
}

/// A Region with as many identities as SES allows.
async fn largest(
    mix: &Mix,
    now: Timestamp,
    read: &ReadSettings,
    plan: &PlanSettings,
) -> Result<(), Box<dyn std::error::Error>> {
    let one = Mix { accounts: 1, regions: 1, using_percent: 100, used_regions: 1, ..*mix };
    let mut world = one.account(SEED, 0);
    for status in world.values_mut() {
        if let RegionStatus::Read(facts) = status {
            let identity = |number: u32| Identity {
                name: format!("id{number:05}.example.com"),
                kind: IdentityKind::Domain,
                verified: true,
                policies: Part::Read(Vec::new()),
            };
            facts.identities = Part::Read((0..10_000).map(identity).collect());
        }
    }
    let (accounts, names) = (one.account_ids(), one.region_names());
    let mut last = Reading::default();
    for account in &accounts {
        let regions = world.iter().map(|(region, status)| RegionExposure {
            region: region.clone(),
            status: status.clone(),
        });
        let (read_at, regions) = (now.to_string(), regions.collect());
        last.exposure.accounts.push(AccountExposure { account: *account, read_at, regions });
    }
    let ses = FakeSes::around(BTreeMap::from([(account_id(0), world)]));
    ses.page_size.set(1_000);
    let clock = FakeClock::new(now);
    for batch in plan_batches("largest", &accounts, &names, &last, now, read, plan) {
        let began = Instant::now();
        let (mut work, mut invocations) = (Some(BatchCheckpoint::begin(&batch)), 0);
        while let Some(left) = work {
            ses.close();
            work = read_batch(&ses, &clock, read, left, Instant::now() + INVOCATION).await?.rest;
            invocations += 1;
        }
        println!(
            "\na Region with 10,000 identities: {} s estimated; read in {} s and {invocations} \
             invocations",
            batch.estimated_seconds,
            began.elapsed().as_secs()
        );
    }
    Ok(())
}

/// The accounts that `read-exposure` plans at once.
fn accounts_of(group: &[PartAccounts]) -> Vec<AccountId> {
    group.iter().flat_map(|part| &part.accounts).copied().collect()
}

/// A complete reading of these accounts.
fn known(mix: &Mix, accounts: &[AccountId], at: Timestamp) -> Reading {
    let (mut exposure, mut times) = (Exposure::default(), Times::default());
    for account in accounts {
        let number = number_of(&account.to_string());
        let regions = mix.account(SEED, number);
        let read_at = regions.keys().map(|region| (region.clone(), at.to_string())).collect();
        times.accounts.insert(account.to_string(), read_at);
        let regions = regions.into_iter();
        let regions = regions.map(|(region, status)| RegionExposure { region, status }).collect();
        let read_at = at.to_string();
        exposure.accounts.push(AccountExposure { account: *account, read_at, regions });
    }
    Reading { exposure, times }
}

fn number_of(account: &str) -> u32 {
    let base: u64 = account_id(0).parse().unwrap_or(0);
    let number = account.parse::<u64>().unwrap_or(0) - base;
    u32::try_from(number).unwrap_or(0)
}

async fn report(
    title: &str,
    mix: &Mix,
    read: &ReadSettings,
    batches: &[Batch],
    sampled: Option<&Away>,
) -> Result<(), Box<dyn std::error::Error>> {
    let calls: u64 = batches.iter().map(|batch| batch.estimated_calls).sum();
    let seconds: u64 = batches.iter().map(|batch| batch.estimated_seconds).sum();
    let longest = batches.iter().map(|batch| batch.estimated_seconds).max().unwrap_or(0);
    let manifest = Batch::manifest(batches)?;
    let mut longest_item = 0;
    for batch in batches {
        longest_item = longest_item.max(serde_json::to_string(batch)?.len());
    }
    println!("\n{title}");
    println!(
        "  plan: {} batches, {calls} calls, {seconds} s in all, the longest batch {longest} s; \
         manifest {} KB, its longest item {} KB",
        batches.len(),
        manifest.len() / 1_000,
        longest_item / 1_000
    );
    if batches.is_empty() {
        return Ok(());
    }
    let mut factor = 1.0;
    let mut calls = calls as f64;
    let mut invocations = batches.len() as f64;
    if let Some(away) = sampled {
        let sample = sample(mix, read, batches, away).await?;
        factor = sample.seconds / sample.estimated_seconds;
        calls *= sample.calls as f64 / sample.estimated_calls as f64;
        invocations *= sample.invocations as f64 / sample.batches as f64;
        println!(
            "  sample of {} batches read: {:.0} s where {:.0} s were estimated, the longest {:.0} \
             s; {} calls where {} were; {} invocations; {} bytes a Region",
            sample.batches,
            sample.seconds,
            sample.estimated_seconds,
            sample.longest_seconds,
            sample.calls,
            sample.estimated_calls,
            sample.invocations,
            sample.bytes / sample.regions.max(1)
        );
        println!(
            "  the whole section by that: {:.0} MB",
            (sample.bytes as f64 / sample.regions.max(1) as f64)
                * f64::from(mix.accounts)
                * mix.regions as f64
                / 1e6
        );
    }
    for children in CONCURRENCY {
        let makespan = makespan(batches, children, factor);
        let accounts: usize = batches.iter().map(|batch| batch.accounts.len()).sum();
        println!(
            "  {children} children at once: {:.1} min; {:.0} AssumeRole a second on average",
            makespan / 60.0,
            accounts as f64 / makespan
        );
    }
    let lambda = seconds as f64 * factor * MEMORY_GB * GB_SECOND + invocations * REQUEST;
    let steps = (batches.len() as f64 * TRANSITIONS_A_BATCH
        + invocations * TRANSITIONS_AN_INVOCATION)
        * TRANSITION;
    let bucket = invocations * (2.0 * PUT + 2.0 * GET);
    println!(
        "  calls {:.2} million; cost: Lambda {lambda:.2} $, Step Functions {steps:.2} $, S3 \
         {bucket:.2} $, together {:.2} $; a second copy of CloudTrail's management events would \
         add {:.0} $",
        calls / 1e6,
        lambda + steps + bucket,
        calls * SECOND_COPY
    );
    Ok(())
}

/// Reads some batches, evenly spread, in simulated time.
async fn sample(
    mix: &Mix,
    read: &ReadSettings,
    batches: &[Batch],
    away: &Away,
) -> Result<Sample, Box<dyn std::error::Error>> {
    let mut sample = Sample::default();
    for batch in batches.iter().step_by(batches.len().div_ceil(SAMPLES).max(1)) {
        let numbers = batch.accounts.iter().map(|account| number_of(&account.account));
        let ses = FakeSes::some(mix, SEED, numbers);
        ses.page_size.set(50);
        ses.without_mail_manager.borrow_mut().clone_from(away);
        let clock = FakeClock::new("2026-11-24T00:00:00Z".parse()?);
        let began = Instant::now();
        let mut work = Some(BatchCheckpoint::begin(batch));
        while let Some(left) = work {
            ses.close();
            let deadline = Instant::now() + INVOCATION;
            let answer = read_batch(&ses, &clock, read, left, deadline).await?;
            sample.invocations += 1;
            sample.calls += answer.tally.calls;
            let section = exposure::wire::WireSection::from(&answer.section);
            sample.bytes += serde_json::to_string(&section)?.len();
            work = answer.rest;
        }
        let seconds = began.elapsed().as_secs_f64();
        sample.batches += 1;
        sample.seconds += seconds;
        sample.longest_seconds = sample.longest_seconds.max(seconds);
        sample.estimated_seconds += batch.estimated_seconds as f64;
        sample.estimated_calls += batch.estimated_calls;
        sample.regions += batch.accounts.iter().map(|account| account.regions.len()).sum::<usize>();
    }
    Ok(sample)
}

/// When the last batch ends if each next one starts as soon as a child is free.
fn makespan(batches: &[Batch], children: usize, factor: f64) -> f64 {
    let mut free: BinaryHeap<std::cmp::Reverse<u64>> =
        std::iter::repeat_n(std::cmp::Reverse(0), children).collect();
    let mut end = 0;
    for batch in batches {
        let std::cmp::Reverse(at) = free.pop().unwrap_or_default();
        // Milliseconds, as heaps want whole numbers.
        let done =
            at + Duration::from_secs(batch.estimated_seconds).mul_f64(factor).as_millis() as u64;
        end = end.max(done);
        free.push(std::cmp::Reverse(done));
    }
    end as f64 / 1_000.0
}
