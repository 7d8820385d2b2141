//! How long a schedule may leave between two runs.
//!
//! # Source
//! EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler".

use std::collections::BTreeSet;
use std::time::Duration;

const MINUTES_OF_A_DAY: u32 = 24 * 60;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time between two runs of `rate(...)` or `cron(...)`; none where it is neither.
///
/// A cron expression that does not run every day counts as one that runs once a day: whoever goes
/// by the answer then reads more often than the schedule, never less often.
pub(crate) fn longest_gap(expression: &str) -> Option<Duration> {
    let inside = |name: &str| expression.strip_prefix(name)?.strip_suffix(')');
    if let Some(rate) = inside("rate(") {
        let (number, unit) = rate.split_once(' ')?;
        let seconds = match unit {
            "minute" | "minutes" => 60,
            "hour" | "hours" => 3600,
            "day" | "days" => 24 * 3600,
            _ => return None,
        };
        let number = number.parse::<u64>().ok().filter(|number| *number > 0)?;
        return number.checked_mul(seconds).map(Duration::from_secs);
    }
    let fields: Vec<&str> = inside("cron(")?.split(' ').collect();
    let [minutes, hours, days @ ..] = fields.as_slice() else { return None };
    if days.len() != 4 {
        return None;
    }
    if days.iter().any(|field| !matches!(*field, "*" | "?")) {
        return Some(DAY);
    }
    let (Some(minutes), Some(hours)) = (values(minutes, 60), values(hours, 24)) else {
        return Some(DAY);
    };
    let times = hours.iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute));
    let times: BTreeSet<u32> = times.collect();
    let first = times.first()?;
    let next = times.iter().skip(1).copied().chain([first + MINUTES_OF_A_DAY]);
    let longest = times.iter().zip(next).map(|(at, next)| next - at).max()?;
    Some(Duration::from_secs(u64::from(longest) * 60))
}

/// The values of a field below `end`: `*`, numbers, ranges and steps between commas.
fn values(field: &str, end: u32) -> Option<BTreeSet<u32>> {
    let mut all = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
            None if range == "*" => (0, end - 1),
            // `4/6` begins at 4 and goes on to the end.
            None => {
                (range.parse().ok()?, if step.is_some() { end - 1 } else { range.parse().ok()? })
            }
        };
        if from > to || to >= end {
            return None;
        }
        all.extend((from..=to).step_by(step.unwrap_or(1)));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_is_the_one_before_the_rarest_run() {
        for (expression, minutes) in [
            ("rate(6 hours)", 360),
            ("rate(1 minute)", 1),
            ("rate(2 days)", 2880),
            ("cron(0 */6 * * ? *)", 360),
            ("cron(30 8-18 * * ? *)", 14 * 60),
            ("cron(0,45 1/8 ? * * *)", 480 - 45),
            ("cron(0/15 * * * ? *)", 15),
            ("cron(0 3 * * ? *)", 1440),
            // Not every day, or in words that are not read here: once a day.
            ("cron(0 3 ? * MON-FRI *)", 1440),
            ("cron(0 */6 1 * ? *)", 1440),
            ("cron(0 L * * ? *)", 1440),
            ("cron(0 25 * * ? *)", 1440),
        ] {
            let gap = longest_gap(expression);
            assert_eq!(gap, Some(Duration::from_secs(minutes * 60)), "{expression}");
        }
    }

    #[test]
    fn what_is_no_schedule_has_no_gap() {
        for expression in
            ["", "daily", "rate(0 hours)", "rate(6)", "rate(6 weeks)", "cron(0 3 * *)"]
        {
            assert_eq!(longest_gap(expression), None, "{expression}");
        }
    }
}
