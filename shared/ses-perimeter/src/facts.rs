//! What is known about AWS, and up to which day.
//!
//! The facts are in `data/`, each with its source; the build makes the statics, and
//! `tests/facts_checks` holds them to each other.

mod account;
mod date;
pub mod keys;
pub mod prefixes;
pub mod regions;

pub use account::AccountFacts;
pub use date::Date;

use crate::table;

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

/// Facts older than this many days are named in results: AWS adds keys, actions and Regions every
/// few weeks.
pub const FRESH_DAYS: i64 = 180;

const SECONDS_A_DAY: i64 = 86_400;

/// How many days before `epoch_seconds` the oldest list was read.
#[must_use]
pub fn age_days(epoch_seconds: i64) -> i64 {
    epoch_seconds.div_euclid(SECONDS_A_DAY) - oldest_date().epoch_day
}

/// The lists that are too old at that moment to speak of the world as it is, as sentences without
/// a stop.
#[must_use]
pub fn outdated(epoch_seconds: i64) -> Vec<String> {
    let today = epoch_seconds.div_euclid(SECONDS_A_DAY);
    lists()
        .into_iter()
        .map(|(name, date)| (name, date, today - date.epoch_day))
        .filter(|(_, _, days)| *days > FRESH_DAYS)
        .map(|(name, date, days)| {
            format!(
                "the list of {name} that this program knows is of {}, {days} days before the \
                 evaluation: AWS may have added some that no verdict counts with; update \
                 ses-perimeter",
                date.text
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_outdated_from_the_day_after_the_last_fresh_one() {
        let day = |days: i64| (oldest_date().epoch_day + days) * SECONDS_A_DAY;
        assert_eq!(age_days(day(0)), 0);
        assert_eq!(age_days(day(3) - 1), 2);
        assert!(outdated(day(FRESH_DAYS)).is_empty());
        let told = outdated(day(FRESH_DAYS + 1));
        assert!(!told.is_empty());
        assert!(told.iter().all(|note| note.contains(" 181 days before the evaluation")));
        assert_eq!(outdated(day(10_000)).len(), lists().len());
    }
}
