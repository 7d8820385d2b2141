//! What is the same in all kinds of plans.

use text::diagnostic::{Diagnostic, Problems, Subject, short};
use text::json::{Value, duplicates};
use text::words::quote;

pub(super) const PLAN: Subject =
    Subject { code: Some("changes::plan"), noun: "the plan", again: "make the plan again" };

/// Notes every key that stands twice in one object: which of the two counts cannot be told.
pub(super) fn refuse_duplicates(problems: &mut Problems, value: &Value<'_>) {
    for element in value.elements() {
        refuse_duplicates(problems, element);
    }
    for (_, second) in duplicates(value.members()) {
        problems.push(|| {
            let message = format!("the key {} stands twice in one object", quote(&second.key));
            Diagnostic::error_at(short(second.key_span), message)
                .here("the second one")
                .help("remove one of them; which one counts cannot be told")
        });
    }
    for (_, value) in value.entries() {
        refuse_duplicates(problems, value);
    }
}

/// Whether two policy documents say the same, apart from white space and the order of keys.
pub(super) fn same_document(one: &str, other: &str) -> bool {
    let read = |text| text::json::parse(text, 128);
    one == other
        || matches!((read(one), read(other)), (Ok(one), Ok(other)) if one.says_the_same(&other))
}

/// A text of which nobody can say what in it is secret.
pub(super) fn punctuation(text: &str) -> String {
    stars(text, |c| !"{}[]:,\" ".contains(c))
}

/// As many bytes as `text`, with stars for what `hides` says; lines stay lines.
pub(super) fn stars(text: &str, hides: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) && !matches!(c, '\n' | '\r') {
            out.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn documents_differ_in_more_than_space_and_order_of_keys() {
        assert!(same_document(r#"{"a":1,"b":[2,3]}"#, "{\"b\" : [2, 3],\n\"a\": 1}"));
        assert!(!same_document(r#"{"a":[2,3]}"#, r#"{"a":[3,2]}"#));
        assert!(!same_document(r#"{"a":1}"#, r#"{"a":1,"b":1}"#));
        assert!(!same_document(r#"{"a":1}"#, r#"{"a":"1"}"#));
        assert!(same_document("not json", "not json"));
        assert!(!same_document("not json", "{}"));
    }

    #[test]
    fn a_key_that_stands_twice_is_noted_at_any_depth() {
        let mut problems = Problems::of(PLAN);
        let text = r#"{"a":[{"b":1,"c":2,"b":3}]}"#;
        refuse_duplicates(&mut problems, &text::json::parse(text, 8).unwrap());
        let error = problems.into_refusal().unwrap();
        assert_eq!(error.to_string(), "the key `b` stands twice in one object");
        assert_eq!(error.problems()[0].span.line_column(text).column, 20);
    }
}
