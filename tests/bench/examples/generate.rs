//! Writes a generated snapshot and its perimeter: `generate KIND DIRECTORY`, KIND being
//! `largest`, `large`, `closing`, `open` or `tangled`, of accounts that differ `diverse`, `edited`
//! (the same with 20 SCPs replaced) or `every`, or with a plan beside them `plan` (it tells
//! which policy is attached where) or `open-plan` (it does not).
#![allow(clippy::print_stderr, reason = "a tool for the command line")]

use std::path::Path;
use std::process::ExitCode;

use bench::{
    Dense, Diverse, LARGE, LARGEST, PERIMETER, PLANNED, PolicyNaming, dense_snapshot,
    diverse_snapshot, plan, snapshot,
};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(kind), Some(directory)) = (arguments.next(), arguments.next()) else {
        eprintln!(
            "usage: generate largest|large|closing|open|tangled|diverse|edited|every|plan|open-plan \
             DIRECTORY"
        );
        return ExitCode::from(2);
    };
    let text = match kind.as_str() {
        "largest" => snapshot(LARGEST),
        "large" => snapshot(LARGE),
        "closing" => dense_snapshot(Dense::Closing),
        "open" => dense_snapshot(Dense::Open),
        "tangled" => dense_snapshot(Dense::Tangled),
        "diverse" => diverse_snapshot(LARGEST, Diverse::Attached),
        "edited" => diverse_snapshot(LARGEST, Diverse::Edited(20)),
        "every" => diverse_snapshot(LARGEST, Diverse::Every),
        "plan" | "open-plan" => snapshot(PLANNED),
        other => {
            eprintln!("unknown kind `{other}`");
            return ExitCode::from(2);
        }
    };
    let names = match kind.as_str() {
        "plan" => Some(PolicyNaming::Alone),
        "open-plan" => Some(PolicyNaming::Any),
        _ => None,
    };
    let directory = Path::new(&directory);
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::write(directory.join("snapshot.json"), text))
        .and_then(|()| std::fs::write(directory.join("perimeter.toml"), PERIMETER))
        .and_then(|()| match names {
            Some(names) => std::fs::write(directory.join("plan.json"), plan(names)),
            None => Ok(()),
        });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", directory.display());
            ExitCode::FAILURE
        }
    }
}
