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
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// One address.
#[must_use]
pub fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}
