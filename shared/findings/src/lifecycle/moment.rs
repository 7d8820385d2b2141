//! Moments as findings carry them.

use jiff::Timestamp;

/// `at` in RFC 3339 with milliseconds, as Security Hub rounds to them.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The first whole millisecond that is not before `now` and after every one of `others`.
///
/// A moment that cannot be read, which we do not write, counts as none.
pub fn after<'a>(now: Timestamp, others: impl IntoIterator<Item = &'a str>) -> String {
    let last = others.into_iter().filter_map(|text| text.parse::<Timestamp>().ok()).max();
    let now = now.as_millisecond();
    let next = last.map_or(now, |last| {
        // Rounded up, so that the next one is later whatever the fraction was.
        let last = last
            .as_millisecond()
            .saturating_add(i64::from(last.subsec_nanosecond() % 1_000_000 != 0));
        now.max(last.saturating_add(1))
    });
    moment(Timestamp::from_millisecond(next).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_moment_is_later_than_the_last_one_even_where_the_clock_stands_still_or_goes_back() {
        let now: Timestamp = "2026-11-25T00:00:00.250Z".parse().unwrap();
        assert_eq!(after(now, []), "2026-11-25T00:00:00.250Z");
        assert_eq!(after(now, ["2026-11-25T00:00:00.250Z"]), "2026-11-25T00:00:00.251Z");
        assert_eq!(after(now, ["2026-11-24T00:00:00Z"]), "2026-11-25T00:00:00.250Z");
        assert_eq!(after(now, ["2026-11-25T00:00:00.2505Z"]), "2026-11-25T00:00:00.252Z");
        let ahead = ["2026-12-01T00:00:00.999Z", "2026-11-25T00:00:00.250Z"];
        assert_eq!(after(now, ahead), "2026-12-01T00:00:01.000Z");
    }
}
