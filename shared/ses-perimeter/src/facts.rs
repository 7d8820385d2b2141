//! What is known about AWS, and up to which day.
//!
//! The facts are in `data/`, each with its source; the build checks them and makes the statics.

mod account;
pub mod keys;
pub mod prefixes;
pub mod regions;

pub use account::AccountFacts;

use crate::table;

/// A day in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// As `2026-11-28`.
    pub text: &'static str,
    /// Days since 1970-01-01.
    pub epoch_day: i64,
}

/// The lists of facts, each with the day up to which it knows AWS.
#[must_use]
pub const fn lists() -> [(&'static str, Date); 4] {
    [
        ("operations and actions", table::DATE),
        ("condition keys", keys::DATE),
        ("service prefixes", prefixes::DATE),
        ("Regions", regions::DATE),
    ]
}

/// The day of the oldest list.
#[must_use]
pub fn oldest_date() -> Date {
    let dates = lists().map(|(_, date)| date);
    dates.into_iter().min_by_key(|date| date.epoch_day).unwrap_or(table::DATE)
}
