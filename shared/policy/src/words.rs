//! Quoting input in messages and guessing what was meant.

/// Names longer than this are not compared: no name of the language comes near.
const LONGEST_COMPARED: usize = 64;

/// The longest quotation in characters.
const LONGEST_QUOTED: usize = 80;

/// `text` in backticks on one line, shortened where it is long.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST_QUOTED {
            quoted.push('…');
            break;
        }
        // Only what would break the line or end the quote is escaped; backslashes and quotes stay
        // readable.
        if c.is_control() {
            quoted.extend(c.escape_default());
        } else if c == '`' {
            quoted.extend(c.escape_unicode());
        } else {
            quoted.push(c);
        }
    }
    quoted.push('`');
    quoted
}

/// The candidate nearest to `text`, if at most one character in three is wrong; a difference in
/// case alone is nearest.
pub fn nearest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    nearest_within(3, text, candidates)
}

/// The same with at most one wrong character in `one_in`, for names that are like each other.
pub fn nearest_within<'c>(
    one_in: usize,
    text: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    if text.len() > LONGEST_COMPARED {
        return None;
    }
    let folded = text.trim().to_ascii_lowercase();
    let allowed = (folded.chars().count() / one_in.max(1)).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&folded, &candidate.to_ascii_lowercase()), candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ``did you mean `X`?``
#[must_use]
pub fn did_you_mean(candidate: &str) -> String {
    format!("did you mean `{candidate}`?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_in_case_is_nearest() {
        assert_eq!(nearest("deny", ["Allow", "Deny"]), Some("Deny"));
        assert_eq!(nearest("action", ["Action", "NotAction"]), Some("Action"));
    }

    #[test]
    fn what_is_far_off_gets_no_suggestion() {
        assert_eq!(nearest("Reject", ["Allow", "Deny"]), None);
        assert_eq!(nearest(&"Deny".repeat(1000), ["Deny"]), None);
    }

    #[test]
    fn a_long_or_broken_quotation_fits_on_a_line() {
        assert_eq!(quote("a\nb"), "`a\\nb`");
        assert_eq!(quote("a`b"), "`a\\u{60}b`");
        assert_eq!(quote(&"x".repeat(1000)).chars().count(), LONGEST_QUOTED + 3);
    }
}
