//! Quoting input in messages and guessing what was meant.

/// Names longer than this are not compared: no name or id comes near.
const LONGEST_COMPARED: usize = 130;

/// The longest quotation in characters; the longest id has 130.
const LONGEST_QUOTED: usize = 130;

/// `text` in backticks on one line, shortened where it is long; what cannot be seen is escaped.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST_QUOTED {
            quoted.push('…');
            break;
        }
        match c {
            // These end no quotation in backticks, and stay readable.
            '\\' | '"' | '\'' => quoted.push(c),
            '`' => quoted.extend(c.escape_unicode()),
            _ => quoted.extend(c.escape_debug()),
        }
    }
    quoted.push('`');
    quoted
}

/// The first three of `items` in backticks, and how many more there are.
#[must_use]
pub fn several(items: &[String]) -> String {
    let mut text = items.iter().take(3).map(|item| quote(item)).collect::<Vec<_>>().join(", ");
    if items.len() > 3 {
        text.push_str(&format!(" and {} more", items.len() - 3));
    }
    text
}

/// `` `a`, `b` or `c` ``, with `joined_by` in place of the "or".
#[must_use]
pub fn listed(names: &[&str], joined_by: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {joined_by} {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// The candidate nearest to `text`, if at most one character in three is wrong; a difference in
/// case alone is nearest, and the first of equals is taken.
pub fn nearest<S: AsRef<str>>(text: &str, candidates: impl IntoIterator<Item = S>) -> Option<S> {
    nearest_within(3, text, candidates)
}

/// The same with at most one wrong character in `one_in`, for names that are like each other.
pub fn nearest_within<S: AsRef<str>>(
    one_in: usize,
    text: &str,
    candidates: impl IntoIterator<Item = S>,
) -> Option<S> {
    if text.len() > LONGEST_COMPARED {
        return None;
    }
    let folded = text.trim().to_lowercase();
    let length = folded.chars().count();
    let allowed = (length / one_in.max(1)).clamp(1, 3);
    let mut best: Option<(usize, S)> = None;
    for candidate in candidates {
        let other = candidate.as_ref();
        // Candidates may be the ids of a whole organization: most are told by their length.
        if other.chars().count().abs_diff(length) > allowed {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&folded, &other.to_lowercase());
        if distance <= allowed && best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
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
        assert_eq!(nearest("", ["Allow", "Deny"]), None);
    }

    #[test]
    fn a_slip_of_the_finger_in_an_id_is_recognized_and_a_stranger_is_not() {
        let ids = ["ou-exam-workload", "ou-exam-sandbox1"];
        assert_eq!(nearest_within(4, "ou-exam-worklaod", ids), Some("ou-exam-workload"));
        assert_eq!(nearest_within(4, "ou-exam-suspended", ids), None);
    }

    #[test]
    fn a_long_or_broken_quotation_fits_on_a_line() {
        assert_eq!(quote("a\nb"), "`a\\nb`");
        assert_eq!(quote("a`b"), "`a\\u{60}b`");
        assert_eq!(quote("say \"a\\b\""), "`say \"a\\b\"`");
        assert_eq!(quote(&"x".repeat(1000)).chars().count(), LONGEST_QUOTED + 3);
    }

    #[test]
    fn a_quotation_turns_no_text_around() {
        assert_eq!(quote("a\u{202e}b\u{feff}"), "`a\\u{202e}b\\u{feff}`");
    }

    #[test]
    fn long_lists_are_cut() {
        let items: Vec<String> = (1..=5).map(|n| n.to_string()).collect();
        assert_eq!(several(&items), "`1`, `2`, `3` and 2 more");
        assert_eq!(listed(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
