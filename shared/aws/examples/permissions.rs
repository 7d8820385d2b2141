//! Prints the IAM actions of each function and member role as JSON.

use std::collections::BTreeMap;
use std::io::Write;

use aws::permissions::{FUNCTIONS, MEMBER_ROLES};

fn main() -> std::io::Result<()> {
    let roles = FUNCTIONS.iter().chain(&MEMBER_ROLES);
    let table: BTreeMap<&str, _> = roles.map(|role| (role.name, role.actions())).collect();
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &table)?;
    writeln!(out)
}
