//! Times reading and checking a snapshot: `measure SNAPSHOT PERIMETER [BUDGET]`, one line for each part,
//! with the questions and steps that it took, and the peak memory of the process where the system
//! tells it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the command line")]

use std::process::ExitCode;
use std::time::Instant;

use ses_perimeter::check::{Checker, Now, Options};
use ses_perimeter::report::Status;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(snapshot), Some(perimeter)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: measure SNAPSHOT PERIMETER [BUDGET]");
        return ExitCode::from(2);
    };
    let (Ok(bytes), Ok(perimeter)) = (std::fs::read(&snapshot), std::fs::read_to_string(perimeter))
    else {
        eprintln!("cannot read the files");
        return ExitCode::from(2);
    };
    let mut options = Options::default();
    if let Some(budget) = arguments.next().and_then(|text| text.parse().ok()) {
        options.budget = budget;
    }
    let whole = Instant::now();
    let Ok(organization) = organization::read_bytes(&bytes, &policy::parse::Limits::default())
    else {
        eprintln!("the snapshot is refused");
        return ExitCode::from(2);
    };
    drop(bytes);
    println!("read: {:.3} s", whole.elapsed().as_secs_f64());
    let (Ok(perimeter), Some(now)) =
        (ses_perimeter::perimeter::parse(&perimeter), Now::from_epoch_seconds(1_795_392_000))
    else {
        eprintln!("the perimeter is refused");
        return ExitCode::from(2);
    };
    let started = Instant::now();
    let mut checker = Checker::new(&organization, &perimeter, now, &options);
    let accounts: Vec<_> = organization.accounts().map(|(account, _)| account).collect();
    let rows: Vec<_> = accounts.into_iter().map(|account| checker.row(account)).collect();
    println!("check: {:.3} s", started.elapsed().as_secs_f64());
    println!("together: {:.3} s", whole.elapsed().as_secs_f64());
    for status in [Status::Passed, Status::Failed, Status::Undecided, Status::NotApplicable] {
        let cells = rows.iter().flat_map(|row| row.cells.iter());
        println!("{}: {}", status.name(), cells.filter(|cell| cell.status() == status).count());
    }
    let effort = checker.effort();
    println!(
        "questions: {}, by a known proof {}, by a known request {}, searched {}, steps {}",
        effort.asked, effort.by_proof, effort.by_request, effort.searched, effort.steps
    );
    if let Ok(text) = std::fs::read_to_string("/proc/self/status") {
        text.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    }
    ExitCode::SUCCESS
}
