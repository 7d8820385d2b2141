//! "Did you mean".

/// The candidate nearest to `text`, if one is near enough to be meant; the first of equals.
pub(crate) fn nearest<S: AsRef<str>>(
    text: &str,
    candidates: impl IntoIterator<Item = S>,
) -> Option<S> {
    let folded = text.to_lowercase();
    let length = folded.chars().count();
    let limit = (length / 4).clamp(1, 3);
    let mut best: Option<(usize, S)> = None;
    for candidate in candidates {
        let candidate_length = candidate.as_ref().chars().count();
        if candidate_length.abs_diff(length) > limit {
            continue;
        }
        let other = candidate.as_ref().to_lowercase();
        let distance = strsim::osa_distance(&folded, &other);
        if distance <= limit && best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Input in backticks: escaped, and cut where it is long.
pub(crate) fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST_QUOTE).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST_QUOTE).is_some() {
        shown.push_str("...");
    }
    format!("`{shown}`")
}

/// The longest input that is quoted whole, in characters; the longest id has 130.
const LONGEST_QUOTE: usize = 130;

/// The first three of `items` in backticks, and how many more there are.
pub(crate) fn several(items: &[String]) -> String {
    let mut text = items.iter().take(3).map(|item| quote(item)).collect::<Vec<_>>().join(", ");
    if items.len() > 3 {
        text.push_str(&format!(" and {} more", items.len() - 3));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognized_and_a_stranger_is_not() {
        let ids = ["ou-exam-workload", "ou-exam-sandbox1"];
        assert_eq!(nearest("ou-exam-worklaod", ids), Some("ou-exam-workload"));
        assert_eq!(nearest("ou-exam-suspended", ids), None);
        assert_eq!(nearest("", ids), None);
    }

    #[test]
    fn long_lists_are_cut() {
        let items: Vec<String> = (1..=5).map(|n| n.to_string()).collect();
        assert_eq!(several(&items), "`1`, `2`, `3` and 2 more");
    }
}
