//! Prints the IAM actions of each function as JSON.

use std::collections::BTreeMap;
use std::io::Write;

use aws::permissions::FUNCTIONS;

fn main() -> std::io::Result<()> {
    let table: BTreeMap<&str, _> =
        FUNCTIONS.iter().map(|function| (function.name, function.actions())).collect();
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &table)?;
    writeln!(out)
}
