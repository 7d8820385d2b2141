//! Numbers, moments and addresses, as condition values and context values spell them.
//!
//! A reader answers `None` where AWS does not document what the spelling means; nobody may
//! then say whether the comparison holds.

use std::net::IpAddr;

use ipnet::IpNet;

const FRACTION_DIGITS: usize = 12;
const INTEGER_DIGITS: usize = 20;
const NANOS: i128 = 1_000_000_000;

/// A decimal number in units of 10⁻¹².
#[must_use]
pub fn number(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let readable = |part: &str, most: usize| {
        !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !readable(integer, INTEGER_DIGITS) || !readable(fraction, FRACTION_DIGITS) {
        return None;
    }
    let scaled = format!("{integer}{fraction:0<FRACTION_DIGITS$}").parse::<i128>().ok()?;
    Some(if negative { -scaled } else { scaled })
}

/// The plainest spelling of a number in units of 10⁻¹².
#[must_use]
pub fn number_text(scaled: i128) -> String {
    let unit = 10_i128.pow(FRACTION_DIGITS as u32);
    let sign = if scaled < 0 { "-" } else { "" };
    let (integer, fraction) =
        (scaled.unsigned_abs() / unit as u128, scaled.unsigned_abs() % unit as u128);
    if fraction == 0 {
        return format!("{sign}{integer}");
    }
    let digits = format!("{fraction:0FRACTION_DIGITS$}");
    format!("{sign}{integer}.{}", digits.trim_end_matches('0'))
}

/// A moment in nanoseconds since 1970, from the W3C profile of ISO 8601 or from epoch seconds.
///
/// Four digits alone could be a year or seconds, so they are not read.
#[must_use]
pub fn moment(text: &str) -> Option<i128> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        if text.len() == 4 || text.is_empty() || text.len() > 12 {
            return None;
        }
        return Some(text.parse::<i128>().ok()? * NANOS);
    }
    let (date, time) = match text.find(['T', 't']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year: i16 = digits(parts.next()?, 4)?;
    let month: i8 = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let day: Option<i8> = match parts.next() {
        Some(part) => Some(digits(part, 2)?),
        None => None,
    };
    if parts.next().is_some() || (time.is_some() && day.is_none()) {
        return None;
    }
    let (clock, offset_seconds) = match time {
        Some(time) => zone(time)?,
        None => ("00:00", 0),
    };
    let mut clock_parts = clock.split(':');
    let hour: i8 = digits(clock_parts.next()?, 2)?;
    let minute: i8 = digits(clock_parts.next()?, 2)?;
    let (second, nanos) = match clock_parts.next() {
        Some(part) => {
            let (whole, fraction) = part.split_once('.').unwrap_or((part, "0"));
            if fraction.is_empty() || fraction.len() > 9 {
                return None;
            }
            let nanos: i32 = digits(&format!("{fraction:0<9}"), 9)?;
            (digits::<i8>(whole, 2)?, nanos)
        }
        None => (0, 0),
    };
    if clock_parts.next().is_some() {
        return None;
    }
    let civil =
        jiff::civil::DateTime::new(year, month, day.unwrap_or(1), hour, minute, second, nanos)
            .ok()?;
    let utc = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(utc.as_nanosecond() - i128::from(offset_seconds) * NANOS)
}

fn digits<T: std::str::FromStr>(text: &str, length: usize) -> Option<T> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Splits `hh:mm[:ss]` from its zone, which the profile demands.
fn zone(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let at = time.rfind(['+', '-'])?;
    let (clock, offset) = (time.get(..at)?, time.get(at + 1..)?);
    let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
    let (hours, minutes) = (digits::<i64>(hours, 2)?, digits::<i64>(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some((clock, if time.as_bytes().get(at) == Some(&b'-') { -seconds } else { seconds }))
}

/// A moment as `aws:CurrentTime` spells it, cut to whole seconds.
#[must_use]
pub fn moment_text(epoch_seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(epoch_seconds).ok().map(|at| at.to_string())
}

/// An address range: a CIDR block, or one address.
///
/// A part with a leading zero could be octal, so it is not read.
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let quad = address.rsplit(':').next().filter(|quad| quad.contains('.')).unwrap_or_default();
    let zero = |part: &str| part.len() > 1 && part.starts_with('0');
    if quad.split('.').any(zero) || length.is_some_and(zero) {
        return None;
    }
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// One address.
#[must_use]
pub fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    const ONE: i128 = 1_000_000_000_000;

    #[test]
    fn numbers_are_counted_in_units_of_the_twelfth_place() {
        for (text, wanted) in [
            ("0", 0),
            ("1", ONE),
            ("-1", -ONE),
            ("1.5", ONE + ONE / 2),
            ("-0.25", -ONE / 4),
            ("0.000000000001", 1),
            ("99999999999999999999", 99_999_999_999_999_999_999 * ONE),
        ] {
            assert_eq!(number(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn a_number_reads_back_as_printed() {
        for (scaled, text) in [
            (0, "0"),
            (ONE, "1"),
            (-ONE, "-1"),
            (10 * ONE, "10"),
            (ONE / 2, "0.5"),
            (-ONE / 4, "-0.25"),
            (1, "0.000000000001"),
            (-ONE - 1, "-1.000000000001"),
        ] {
            assert_eq!(number_text(scaled), text);
            assert_eq!(number(text), Some(scaled));
        }
    }

    #[test]
    fn a_part_of_an_address_with_a_leading_zero_is_not_read() {
        for text in [
            "203.010.113.0/24",
            "203.0.113.00",
            "010.0.0.0/8",
            "10.0.0.0/08",
            "::ffff:10.01.0.0/112",
        ] {
            assert_eq!(network(text), None, "{text}");
        }
        for text in ["10.0.0.0/8", "0.0.0.0/0", "2001:0db8::/32", "::ffff:10.0.0.0/112"] {
            assert!(network(text).is_some(), "{text}");
        }
    }

    #[test]
    fn moments_are_nanoseconds_since_1970() {
        for (text, wanted) in [
            ("0", 0),
            ("10", 10 * NANOS),
            ("1970-01-01", 0),
            ("1970-01-02", 86_400 * NANOS),
            ("1969-12-31T23:59:59Z", -NANOS),
            ("1970-01-01T00:00:00.000000001Z", 1),
            ("1970-01-01T01:01:00+01:01", 0),
            ("1970-01-01T00:00-02:30", 9_000 * NANOS),
        ] {
            assert_eq!(moment(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn a_moment_prints_as_current_time_does() {
        assert_eq!(moment_text(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(moment_text(1_772_366_400).as_deref(), Some("2026-03-01T12:00:00Z"));
        assert_eq!(moment_text(i64::MAX), None);
    }

    #[test]
    fn one_address_is_a_network_of_one() {
        assert_eq!(network("203.0.113.7"), network("203.0.113.7/32"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::1/128"));
        assert_eq!(network("203.0.113.0/24").unwrap().prefix_len(), 24);
        assert_eq!(network("203.0.113.0/33"), None);
    }

    #[test]
    fn a_block_is_no_address() {
        assert!(address("203.0.113.7").is_some_and(|found| found.is_ipv4()));
        assert!(address("2001:db8::1").is_some_and(|found| found.is_ipv6()));
        assert_eq!(address("203.0.113.7/32"), None);
    }
}
