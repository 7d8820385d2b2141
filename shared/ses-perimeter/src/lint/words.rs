//! Quoting input, joining words, and guessing what was meant.

/// The longest quotation in characters.
const LONGEST_QUOTED: usize = 80;
/// Names longer than this are not compared: no name of the language comes near.
const LONGEST_COMPARED: usize = 64;

/// `text` in backticks on one line, shortened where it is long.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST_QUOTED {
            quoted.push('…');
            break;
        }
        if c.is_control() {
            quoted.extend(c.escape_default());
        } else {
            quoted.push(c);
        }
    }
    quoted.push('`');
    quoted
}

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

/// The candidate nearest to `text`, if one is near; a difference in case alone is nearest.
pub(super) fn nearest<'c>(
    text: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    if text.len() > LONGEST_COMPARED {
        return None;
    }
    let folded = text.trim().to_ascii_lowercase();
    let allowed = (folded.chars().count() / 4).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&folded, &candidate.to_ascii_lowercase()), candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
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
