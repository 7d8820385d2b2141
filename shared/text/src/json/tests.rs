#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;

fn kind_of(text: &str) -> JsonErrorKind {
    parse(text, 8).unwrap_err().kind().clone()
}

fn span_of(text: &str) -> Span {
    parse(text, 8).unwrap_err().span()
}

#[test]
fn every_value_and_key_keeps_its_place() {
    let text = " {\"a\" : [1, true]} ";
    let value = parse(text, 8).unwrap();
    assert_eq!(value.span, Span::new(1, 18));
    let Kind::Object(members) = value.kind else { unreachable!() };
    assert_eq!(members[0].key_span, Span::new(2, 5));
    assert_eq!(members[0].value.span, Span::new(8, 17));
    let Kind::Array(elements) = &members[0].value.kind else { unreachable!() };
    assert_eq!(elements[0], Value { kind: Kind::Number("1"), span: Span::new(9, 10) });
    assert_eq!(elements[1], Value { kind: Kind::Bool(true), span: Span::new(12, 16) });
}

#[test]
fn duplicate_keys_are_kept_in_order() {
    let Kind::Object(members) = parse(r#"{"a":1,"a":2}"#, 8).unwrap().kind else { unreachable!() };
    let numbers: Vec<_> = members.iter().map(|member| member.value.kind.clone()).collect();
    assert_eq!(numbers, [Kind::Number("1"), Kind::Number("2")]);
}

#[test]
fn a_string_without_escapes_is_borrowed() {
    let Kind::String(text) = parse("\"grün\"", 8).unwrap().kind else { unreachable!() };
    assert!(matches!(text, Cow::Borrowed("grün")));
}

#[test]
fn escapes_are_resolved() {
    let text = r#""a\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00z""#;
    let Kind::String(text) = parse(text, 8).unwrap().kind else { unreachable!() };
    assert_eq!(text, "a\"\\/\u{8}\u{c}\n\r\té😀z");
}

#[test]
fn numbers_stay_as_written() {
    for number in ["0", "-0", "10.50", "1e5", "1E+5", "-1.0e-05", "12345678901234567890123"] {
        assert_eq!(parse(number, 8).unwrap().kind, Kind::Number(number));
    }
}

#[test]
fn a_byte_order_mark_is_skipped_and_counted() {
    let value = parse("\u{feff}null", 8).unwrap();
    assert_eq!(value, Value { kind: Kind::Null, span: Span::new(3, 7) });
}

#[test]
fn each_departure_from_the_grammar_is_named() {
    use JsonErrorKind as K;
    assert_eq!(kind_of(""), K::UnexpectedEnd { expected: "a value" });
    assert_eq!(kind_of("{\"a\""), K::UnexpectedEnd { expected: "`:` after the key" });
    assert_eq!(kind_of("[1"), K::UnexpectedEnd { expected: "`,` or `]`" });
    assert_eq!(kind_of("\"abc"), K::UnclosedString);
    assert_eq!(kind_of("\"a\tb\""), K::ControlCharacter('\t'));
    assert_eq!(kind_of(r#""\x""#), K::BadEscape);
    assert_eq!(kind_of(r#""\u12g4""#), K::BadEscape);
    assert_eq!(kind_of(r#""\ud800""#), K::LoneSurrogate);
    assert_eq!(kind_of(r#""\udc00""#), K::LoneSurrogate);
    assert_eq!(kind_of(r#""\ud800\u0041""#), K::LoneSurrogate);
    assert_eq!(kind_of("[1,]"), K::TrailingComma);
    assert_eq!(kind_of("{\"a\":1 , }"), K::TrailingComma);
    assert_eq!(kind_of("007"), K::LeadingZero);
    assert_eq!(kind_of("-01"), K::LeadingZero);
    assert_eq!(kind_of("{} {}"), K::TrailingText);
    assert_eq!(kind_of("nullx"), K::Unexpected { expected: "a value", found: "nullx".into() });
    assert_eq!(kind_of("[,]"), K::Unexpected { expected: "a value", found: ",".into() });
    assert_eq!(kind_of("+1"), K::Unexpected { expected: "a value", found: "+".into() });
    assert_eq!(
        kind_of("1.e5").to_owned(),
        K::Unexpected { expected: "a digit after the decimal point", found: "e5".into() }
    );
}

#[test]
fn an_error_points_at_the_culprit() {
    assert_eq!(span_of("[1,]"), Span::new(2, 3));
    assert_eq!(span_of(r#"["ab\qc"]"#), Span::new(4, 6));
    assert_eq!(span_of("[1 2]"), Span::new(3, 4));
    assert_eq!(span_of("{a:1}"), Span::new(1, 2));
    assert_eq!(span_of("[“a”]"), Span::new(1, 4));
    assert_eq!(span_of("[1 \n"), Span::new(1, 2));
    assert_eq!(span_of(" \n"), Span::new(0, 0));
}

#[test]
fn bad_utf8_is_reported_with_its_offset() {
    let error = from_bytes(b"\"ab\xff\"", 8).unwrap_err();
    assert_eq!(error.kind(), &JsonErrorKind::NotUtf8);
    assert_eq!(error.span(), Span::new(3, 4));
    let cut = from_bytes(b"\"ab\xe2\x80", 8).unwrap_err();
    assert_eq!(cut.span(), Span::new(3, 5));
}

#[test]
fn nesting_is_allowed_up_to_the_limit_and_no_further() {
    assert!(parse("[[[]]]", 3).is_ok());
    let error = parse("[[[[]]]]", 3).unwrap_err();
    assert_eq!(error.kind(), &JsonErrorKind::TooDeep { limit: 3 });
    assert_eq!(error.span(), Span::new(3, 4));
}

#[test]
fn a_flood_of_brackets_ends_at_the_limit_whatever_the_caller_asks() {
    let flood = "[".repeat(10_000_000);
    let error = parse(&flood, usize::MAX).unwrap_err();
    assert_eq!(error.kind(), &JsonErrorKind::TooDeep { limit: DEEPEST });
    let keys = "{\"a\":".repeat(1_000_000);
    assert_eq!(
        parse(&keys, usize::MAX).unwrap_err().kind(),
        &JsonErrorKind::TooDeep { limit: DEEPEST }
    );
}

#[test]
fn what_is_written_reads_as_the_same_value() {
    let text = r#"{"a":[1.50,true,false,null,"\u0001\"\\\n\r\té"],"b":{}}"#;
    assert_eq!(parse(text, 8).unwrap().to_string(), text);
}

#[test]
fn values_differ_in_more_than_space_and_order_of_keys() {
    let same = |one, other| parse(one, 8).unwrap().says_the_same(&parse(other, 8).unwrap());
    assert!(same(r#"{"a":1,"b":[2,3]}"#, "{\"b\" : [2, 3],\n\"a\": 1}"));
    assert!(!same(r#"{"a":[2,3]}"#, r#"{"a":[3,2]}"#));
    assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":1}"#));
    assert!(!same(r#"{"a":1}"#, r#"{"a":"1"}"#));
}

#[test]
fn keys_that_stand_twice_are_paired_in_the_order_of_the_text() {
    let value = parse(r#"{"b":1,"a":2,"b":3,"b":4}"#, 8).unwrap();
    let pairs: Vec<_> = duplicates(value.members())
        .iter()
        .map(|(first, second)| (first.key_span.start, second.key_span.start))
        .collect();
    assert_eq!(pairs, [(1, 13), (13, 19)]);
}
