#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use proptest::prelude::*;

use super::UnreadablePolicy;
use super::*;
use crate::model::{Actions, Effect, Obstacle, ObstacleKind, Resources};
use crate::print::print;

fn read(text: &str) -> Result<Parsed, UnreadablePolicy> {
    parse(text, &Limits::default())
}

/// A statement under the 2012 language with these elements besides `Effect`.
fn obstacles(elements: &str) -> Vec<Obstacle> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny",{elements}}}}}"#);
    let mut policy = read(&text).unwrap().policy;
    policy.statements.remove(0).obstacles
}

fn kinds(elements: &str) -> Vec<ObstacleKind> {
    obstacles(elements).into_iter().map(|obstacle| obstacle.kind).collect()
}

fn codes(text: &str) -> Vec<&'static str> {
    read(text).unwrap_err().problems().iter().map(|problem| problem.code.unwrap()).collect()
}

const PLAIN: &str = r#""Effect":"Deny","Action":"*","Resource":"*""#;

#[test]
fn a_document_at_a_limit_is_read_and_one_past_it_is_not() {
    let text = format!(r#"{{"Statement":{{{PLAIN}}}}}"#);
    let limits = Limits { max_bytes: text.len(), max_depth: 2, ..Limits::default() };
    assert!(parse(&text, &limits).is_ok());
    let short = Limits { max_bytes: text.len() - 1, ..limits };
    assert_eq!(parse(&text, &short).unwrap_err().problems()[0].code, Some("policy::too-large"));
    let flat = Limits { max_depth: 1, ..limits };
    assert_eq!(parse(&text, &flat).unwrap_err().problems()[0].code, Some("policy::too-deep"));
}

#[test]
fn the_quota_counts_characters_and_only_warns() {
    let text = format!(r#"{{"Version":"2012-10-17","Id":"üüü","Statement":{{{PLAIN}}}}}"#);
    let count = text.chars().count();
    let at = Limits { quota_characters: count, ..Limits::default() };
    assert_eq!(parse(&text, &at).unwrap().warnings, []);
    let over = Limits { quota_characters: count - 1, ..Limits::default() };
    let warnings = parse(&text, &over).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].code, Some("policy::quota"));
    assert_eq!(warnings[0].span, Span::new(text.len() - 1, text.len()));
}

#[test]
fn many_problems_are_shown_up_to_twenty_and_counted() {
    let statements = vec!["1"; 25].join(",");
    let error = read(&format!(r#"{{"Statement":[{statements}]}}"#)).unwrap_err();
    assert_eq!((error.problems().len(), error.total()), (20, 25));
    assert_eq!(error.to_string(), "the policy document has 25 problems, 20 of them shown");
}

#[test]
fn a_duplicate_key_is_found_at_every_level() {
    for text in [
        format!(r#"{{"Id":"","Id":"","Statement":{{{PLAIN}}}}}"#),
        format!(r#"{{"Statement":{{{PLAIN},"Sid":"a","Sid":"a"}}}}"#),
        format!(r#"{{"Statement":{{{PLAIN},"Condition":{{"Bool":{{}},"Bool":{{}}}}}}}}"#),
        format!(
            r#"{{"Statement":{{{PLAIN},"Condition":{{"Bool":{{"a:b":"true","a:b":"true"}}}}}}}}"#
        ),
        format!(
            r#"{{"Statement":{{{PLAIN},"Condition":{{"Nope":{{"a:b":"true","A:B":"true"}}}}}}}}"#
        ),
        format!(r#"{{"Statement":{{{PLAIN},"Principal":{{"AWS":"*","AWS":"*"}}}}}}"#),
        // The same key, once with an escape.
        format!(r#"{{"Statement":{{{PLAIN},"Sid":"a","S\u0069d":"a"}}}}"#),
    ] {
        assert_eq!(codes(&text), ["policy::duplicate-key"], "{text}");
    }
}

#[test]
fn an_operator_without_keys_is_no_condition_even_if_unknown() {
    for operator in ["StringLike", "Nonsense", "NullIfExists"] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{{PLAIN},"Condition":{{"{operator}":{{}}}}}}}}"#
        );
        let parsed = read(&text).unwrap();
        assert_eq!(parsed.policy.statements[0].conditions, []);
        assert_eq!(parsed.policy.statements[0].obstacles, []);
        assert_eq!(parsed.warnings[0].code, Some("policy::empty-operator"));
    }
}

#[test]
fn an_unknown_operator_is_an_obstacle_and_no_condition() {
    let text = format!(r#"{{"Statement":{{{PLAIN},"Condition":{{"StringIs":{{"a:b":"c"}}}}}}}}"#);
    let statement = read(&text).unwrap().policy.statements.remove(0);
    assert_eq!(statement.conditions, []);
    assert_eq!(statement.obstacles[0].kind, ObstacleKind::UnknownOperator);
}

#[test]
fn a_resource_needs_a_colon_or_a_wildcard() {
    for good in ["*", "arn:aws:ses:*", "*:identity/*", "arn:aws:ses:*:*:identity/x", "?"] {
        assert_eq!(kinds(&format!(r#""Action":"*","Resource":"{good}""#)), [], "{good}");
    }
    for bad in ["", "identity/x"] {
        let found = kinds(&format!(r#""Action":"*","Resource":"{bad}""#));
        assert_eq!(found, [ObstacleKind::MalformedResource], "{bad}");
    }
}

#[test]
fn each_flawed_variable_is_one_obstacle() {
    for (resource, kind) in [
        ("${BUCKET}", ObstacleKind::Placeholder),
        ("arn:aws:ses:${REGION}:*:*", ObstacleKind::Placeholder),
        ("arn:aws:ses:*:*:${aws:x", ObstacleKind::MalformedVariable),
        ("arn:aws:ses:${aws:RequestedRegion}:*:*", ObstacleKind::MisplacedVariable),
        ("arn:aws:ses:${*}:*:*", ObstacleKind::MisplacedVariable),
    ] {
        let found = kinds(&format!(r#""Action":"*","Resource":"{resource}""#));
        assert_eq!(found, [kind], "{resource}");
    }
}

#[test]
fn variables_count_under_string_and_arn_operators_only() {
    let with = |operator: &str, value: &str| {
        kinds(&format!(
            r#""Action":"*","Resource":"*","Condition":{{"{operator}":{{"a:b":"{value}"}}}}"#
        ))
    };
    assert_eq!(with("StringLike", "${aws:x}"), []);
    assert_eq!(with("ForAnyValue:ArnLikeIfExists", "${aws:x, 'y'}"), []);
    assert_eq!(with("StringLike", "${X}"), [ObstacleKind::Placeholder]);
    assert_eq!(with("IpAddress", "${X}"), [ObstacleKind::Placeholder]);
    assert_eq!(with("IpAddress", "${aws:x}"), [ObstacleKind::MisplacedVariable]);
    assert_eq!(with("Bool", "${*}"), [ObstacleKind::MisplacedVariable]);
}

#[test]
fn without_the_2012_version_a_variable_is_plain_text_with_a_warning() {
    for version in ["", r#""Version":"2008-10-17","#] {
        let text = format!(
            r#"{{{version}"Statement":{{"Effect":"Deny","Action":"*","Resource":"*",
            "Condition":{{"StringLike":{{"a:b":"${{X}}*"}}}}}}}}"#
        );
        let parsed = read(&text).unwrap();
        let statement = &parsed.policy.statements[0];
        assert_eq!(statement.obstacles, []);
        let template = &statement.conditions[0].values[0].template;
        assert_eq!(*template, crate::model::Template::plain("${X}*"));
        let codes: Vec<_> = parsed.warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, [Some("policy::variables-off")]);
    }
}

#[test]
fn the_span_of_an_obstacle_covers_the_variable_alone() {
    let found = obstacles(r#""Action":"*","Resource":"arn:aws:ses:*:*:${X}/é""#);
    assert_eq!(found[0].span.end - found[0].span.start, 4);
    // An escape makes offsets differ; then the whole string is shown.
    let found = obstacles(r#""Action":"*","Resource":"arn:aws:ses:*:*:${X}/\u00e9""#);
    assert_eq!(found[0].span.end - found[0].span.start, r#""arn:aws:ses:*:*:${X}/\u00e9""#.len());
}

/// The policy with every span at the start, for comparison.
fn without_spans(mut policy: Policy) -> Policy {
    let at = Span::default();
    for statement in &mut policy.statements {
        statement.span = at;
        match &mut statement.actions {
            Actions::Listed(actions) | Actions::AllExcept(actions) => {
                actions.iter_mut().for_each(|action| action.span = at);
            }
        }
        match &mut statement.resources {
            Resources::Listed(resources) | Resources::AllExcept(resources) => {
                resources.iter_mut().for_each(|resource| resource.span = at);
            }
        }
        for condition in &mut statement.conditions {
            (condition.span, condition.operator_span, condition.key_span) = (at, at, at);
            condition.values.iter_mut().for_each(|value| value.span = at);
        }
        statement.obstacles.iter_mut().for_each(|obstacle| obstacle.span = at);
    }
    policy
}

/// Fragments from which documents near the grammar are put together.
const FRAGMENTS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "${",
    "*",
    "?",
    "'",
    " ",
    "\n",
    "é",
    "\u{feff}",
    "true",
    "null",
    "1",
    "-0.5e",
    "\"Version\":",
    "\"2012-10-17\"",
    "\"Statement\":[",
    "\"Statement\":{",
    "\"Effect\":\"Deny\"",
    "\"Action\":",
    "\"NotAction\":",
    "\"Resource\":",
    "\"Condition\":{",
    "\"StringLike\":{",
    "\"Nope\":{",
    "\"ses:Recipients\":",
    "\"*\"",
    "\"ses:Send*\"",
    "\"${aws:x, 'y'}\"",
    "\"\\ud83d\"",
    "\"Sid\":\"a\"",
    "\"Principal\":",
    "{\"Version\":\"2012-10-17\",\"Statement\":{",
    "}}",
];

fn json_string(pattern: &'static str) -> impl Strategy<Value = String> {
    pattern.prop_map(|text: String| {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    })
}

fn list(
    entry: impl Strategy<Value = String> + 'static,
    least: usize,
) -> impl Strategy<Value = String> {
    proptest::collection::vec(entry, least..4).prop_map(|entries| match entries.as_slice() {
        [only] => only.clone(),
        _ => format!("[{}]", entries.join(",")),
    })
}

fn condition_block() -> impl Strategy<Value = String> {
    let operator = proptest::sample::select(vec![
        "StringLike",
        "StringNotEqualsIfExists",
        "ForAnyValue:ArnLike",
        "Null",
        "NullIfExists",
        "Bool",
        "NotIpAddress",
        "ForAllValues:NumericLessThan",
    ]);
    let value = prop_oneof![
        json_string("[a-z*?]{0,3}([$][{](aws:x|\\*|X|aws:x, 'd')[}])?[a-z\\\\\"]{0,2}"),
        Just("true".to_owned()),
        Just("-1.50".to_owned()),
    ];
    let keys = proptest::collection::btree_map("[a-c]:[a-c]", list(value, 1), 0..3);
    proptest::collection::btree_map(operator, keys, 0..3).prop_map(|operators| {
        let blocks: Vec<String> = operators
            .iter()
            .map(|(operator, keys)| {
                let keys: Vec<_> = keys.iter().map(|(key, v)| format!("\"{key}\":{v}")).collect();
                format!("\"{operator}\":{{{}}}", keys.join(","))
            })
            .collect();
        format!("{{{}}}", blocks.join(","))
    })
}

fn statement() -> impl Strategy<Value = String> {
    let effect = prop_oneof![Just(Effect::Allow), Just(Effect::Deny)];
    let actions = list(json_string("(ses:|s?s:)?[A-C*?]{0,3}"), 0);
    let resources = list(json_string("(arn:aws:ses:::)?([$][{](aws:x|[*]|X)[}])?[a-c*?]{0,2}"), 0);
    (effect, any::<[bool; 2]>(), actions, resources, condition_block(), "[a-b ]{0,2}").prop_map(
        |(effect, [not_action, not_resource], actions, resources, condition, sid)| {
            let action = if not_action { "NotAction" } else { "Action" };
            let resource = if not_resource { "NotResource" } else { "Resource" };
            format!(
                r#"{{"Condition":{condition},"{resource}":{resources},"{action}":{actions},
                "Sid":"{sid}","Effect":"{effect:?}"}}"#
            )
        },
    )
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn no_near_document_makes_the_reader_panic(
        fragments in proptest::collection::vec(proptest::sample::select(&FRAGMENTS[..]), 0..40)
    ) {
        let _ = read(&fragments.concat());
    }

    #[test]
    fn no_action_resource_or_value_makes_the_reader_panic(text in "([$][{]|[}',:* a-zé]){0,12}") {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"{text}",
            "Resource":"{text}","Condition":{{"StringLike":{{"{text}":"{text}"}}}}}}}}"#
        );
        prop_assert!(read(&text).is_ok());
    }

    #[test]
    fn every_span_lies_inside_the_text_on_characters(text in "([$][{]|[}',:* a-zé]){0,12}") {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"{text}",
            "Resource":"{text}","Condition":{{"StringLike":{{"a:b":"{text}"}}}}}}}}"#
        );
        for obstacle in &read(&text).unwrap().policy.statements[0].obstacles {
            prop_assert!(text.get(obstacle.span.start..obstacle.span.end).is_some());
        }
    }

    #[test]
    fn reading_what_was_printed_gives_the_same_policy(
        statements in proptest::collection::vec(statement(), 1..3),
        version in proptest::sample::select(vec!["", r#""Version":"2008-10-17","#, r#""Version":"2012-10-17","#]),
    ) {
        let text = format!(r#"{{{version}"Statement":[{}]}}"#, statements.join(","));
        let policy = read(&text).unwrap().policy;
        let printed = print(&policy).unwrap();
        let again = read(&printed).unwrap().policy;
        prop_assert_eq!(without_spans(again.clone()), without_spans(policy));
        prop_assert_eq!(print(&again).unwrap(), printed);
    }
}
