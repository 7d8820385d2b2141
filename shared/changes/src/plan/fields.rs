//! Looking into JSON values, comparing them and writing them down.

use policy::json::{Kind, Value};
use policy::span::Span;

use super::error::{PlanProblem, Problems};

/// The members of an object; none for anything else.
pub(super) fn members<'v, 't>(
    value: &'v Value<'t>,
) -> impl Iterator<Item = (&'v str, &'v Value<'t>)> {
    let members = match &value.kind {
        Kind::Object(members) => members.as_slice(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Array(_) => &[],
    };
    members.iter().map(|member| (&*member.key, &member.value))
}

/// The elements of an array; none for anything else.
pub(super) fn elements<'v, 't>(value: &'v Value<'t>) -> &'v [Value<'t>] {
    match &value.kind {
        Kind::Array(elements) => elements,
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Object(_) => &[],
    }
}

/// The member of this name, if `value` is an object that has it. Keys are unique: see
/// [`refuse_duplicates`].
pub(super) fn get<'v, 't>(value: &'v Value<'t>, name: &str) -> Option<&'v Value<'t>> {
    members(value).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// As [`get`], without members that are `null`.
pub(super) fn set<'v, 't>(value: &'v Value<'t>, name: &str) -> Option<&'v Value<'t>> {
    get(value, name).filter(|value| !is_null(value))
}

pub(super) const fn is_null(value: &Value<'_>) -> bool {
    matches!(value.kind, Kind::Null)
}

pub(super) const fn is_true(value: &Value<'_>) -> bool {
    matches!(value.kind, Kind::Bool(true))
}

pub(super) const fn is_object(value: &Value<'_>) -> bool {
    matches!(value.kind, Kind::Object(_))
}

/// The text of a string.
pub(super) fn text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match &value.kind {
        Kind::String(text) => Some(text),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => None,
    }
}

/// The text of a string member.
pub(super) fn text_at<'v>(value: &'v Value<'_>, name: &str) -> Option<&'v str> {
    get(value, name).and_then(text)
}

/// A place that fits under a label: what may run over several lines is marked at its beginning.
pub(super) fn place(value: &Value<'_>) -> Span {
    match value.kind {
        Kind::Array(_) | Kind::Object(_) => first(value.span),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => short(value.span),
    }
}

/// The beginning of a place.
pub(super) fn first(span: Span) -> Span {
    Span::new(span.start, span.end.min(span.start.saturating_add(1)))
}

/// A place on one line; a long one is marked at its beginning.
pub(super) fn short(span: Span) -> Span {
    if span.end.saturating_sub(span.start) > 120 { first(span) } else { span }
}

/// Notes every key that stands twice in one object: which of the two counts cannot be told.
pub(super) fn refuse_duplicates(problems: &mut Problems, value: &Value<'_>) {
    for element in elements(value) {
        refuse_duplicates(problems, element);
    }
    let Kind::Object(members) = &value.kind else { return };
    let mut keys: Vec<_> = members.iter().map(|member| (&*member.key, member.key_span)).collect();
    keys.sort_by_key(|(key, span)| (*key, span.start));
    for pair in keys.windows(2) {
        if let [(first, _), (second, span)] = pair
            && first == second
        {
            problems.push(|| {
                let key = policy::words::quote(second);
                PlanProblem::at(short(*span), format!("the key {key} stands twice in one object"))
                    .here("the second one")
                    .help("remove one of them; which one counts cannot be told")
            });
        }
    }
    for member in members {
        refuse_duplicates(problems, &member.value);
    }
}

/// Whether two policy documents say the same, apart from white space and the order of keys.
pub(super) fn same_document(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    match (policy::json::parse(one, 128), policy::json::parse(other, 128)) {
        (Ok(one), Ok(other)) => same(&one, &other),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Array(one), Kind::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Kind::Object(one), Kind::Object(other)) => {
            let sorted = |members: &[policy::json::Member<'_>]| {
                let mut order: Vec<usize> = (0..members.len()).collect();
                order.sort_by_key(|at| members.get(*at).map(|member| member.key.to_string()));
                order
            };
            one.len() == other.len()
                && sorted(one).into_iter().zip(sorted(other)).all(|(left, right)| {
                    match (one.get(left), other.get(right)) {
                        (Some(left), Some(right)) => {
                            left.key == right.key && same(&left.value, &right.value)
                        }
                        (None, _) | (_, None) => false,
                    }
                })
        }
        (one, other) => one == other,
    }
}

/// A value as JSON without white space.
pub(super) fn written(value: &Value<'_>) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value<'_>, out: &mut String) {
    match &value.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(true) => out.push_str("true"),
        Kind::Bool(false) => out.push_str("false"),
        Kind::Number(number) => out.push_str(number),
        Kind::String(text) => write_text(text, out),
        Kind::Array(elements) => {
            out.push('[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(element, out);
            }
            out.push(']');
        }
        Kind::Object(members) => {
            out.push('{');
            for (position, member) in members.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_text(&member.key, out);
                out.push(':');
                write(&member.value, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn what_is_written_reads_as_the_same_value() {
        let text = r#"{"a":[1.50,true,false,null,"\u0001\"\\\n\r\té"],"b":{}}"#;
        let value = policy::json::parse(text, 8).unwrap();
        assert_eq!(written(&value), text);
    }

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
        let mut problems = Problems::default();
        let text = r#"{"a":[{"b":1,"c":2,"b":3}]}"#;
        refuse_duplicates(&mut problems, &policy::json::parse(text, 8).unwrap());
        let error = problems.into_refusal(crate::plan::error::PLAN, text).unwrap();
        assert_eq!(error.to_string(), "the key `b` stands twice in one object");
        assert_eq!(error.problems()[0].position().column, 20);
    }
}
