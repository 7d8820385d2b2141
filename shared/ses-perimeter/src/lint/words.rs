//! Quoting input, joining words, and guessing what was meant.

pub(super) use text::words::quote;

/// More names than this are counted only.
const MOST_LISTED: usize = 6;

/// The names in backticks: `a`, `b` and `c`.
pub(super) fn list(names: &[&str]) -> String {
    let mut parts: Vec<String> = names.iter().take(MOST_LISTED).map(|name| quote(name)).collect();
    let more = names.len().saturating_sub(MOST_LISTED);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    and(&parts)
}

/// `a`, `b` and `c` as they are.
pub(super) fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The candidate nearest to `text`, if one is near: names of actions and keys are long and like
/// each other, so few slips are allowed.
pub(super) fn nearest<'c>(
    text: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    text::words::nearest_within(4, text, candidates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_end_in_a_count() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(
            list(&["a", "b", "c", "d", "e", "f", "g", "h"]),
            "`a`, `b`, `c`, `d`, `e`, `f` and 2 more"
        );
    }

    #[test]
    fn only_near_names_are_suggested() {
        assert_eq!(
            nearest("ses:recipient", ["ses:Recipients", "ses:ApiVersion"]),
            Some("ses:Recipients")
        );
        assert_eq!(nearest("ses:Nothing", ["ses:Recipients", "ses:ApiVersion"]), None);
    }
}
