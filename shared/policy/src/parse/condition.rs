//! The condition block.

use std::collections::BTreeMap;

use text::diagnostic::{Diagnostic, Severity};
use text::json::{Kind, Member, Value};
use text::span::Span;
use text::words::{did_you_mean, nearest, quote};

use super::elements::empty_list;
use super::notes::{Notes, member, wrong_type};
use super::resource::template;
use super::template::TextPosition;
use crate::model::{
    Condition, ConditionValue, Family, Obstacle, ObstacleKind, Operator, SetOperator, Template,
    Test, Version,
};
use crate::value as values;
use text::fields::Text;

const SET_OPERATORS: [(&str, SetOperator); 2] =
    [("ForAllValues", SetOperator::ForAllValues), ("ForAnyValue", SetOperator::ForAnyValue)];

const IF_EXISTS: &str = "IfExists";

pub(super) fn read(
    members: &[Member<'_>],
    version: Version,
    notes: &mut Notes,
    obstacles: &mut Vec<Obstacle>,
) -> Vec<Condition> {
    let Some(element) = member(members, "Condition") else { return Vec::new() };
    let Kind::Object(operators) = &element.value.kind else {
        notes.error(wrong_type("`Condition`", "an object", &element.value));
        return Vec::new();
    };
    let mut conditions = Vec::new();
    for operator in operators {
        block(operator, version, notes, obstacles, &mut conditions);
    }
    conditions
}

/// One operator with its map of keys.
fn block(
    member: &Member<'_>,
    version: Version,
    notes: &mut Notes,
    obstacles: &mut Vec<Obstacle>,
    conditions: &mut Vec<Condition>,
) {
    let Kind::Object(keys) = &member.value.kind else {
        let name = format!("condition operator {}", quote(&member.key));
        notes.error(wrong_type(&name, "an object of condition keys", &member.value));
        return;
    };
    if keys.is_empty() {
        notes.warn(Diagnostic::coded(
            Severity::Warning,
            "policy::empty-operator",
            member.key_span,
            format!("condition operator {} has no keys and tests nothing", quote(&member.key)),
            "no condition",
        ));
        return;
    }
    keys_of_different_case(keys, notes);
    let operator = operator(&member.key);
    match operator {
        None => obstacles.push(unknown_operator(member)),
        Some(operator) => obstacles.extend(undefined_operator(operator, member.key_span)),
    }
    for key in keys {
        let Some(values) = scalars(key, notes) else { continue };
        // Without the operator nobody knows how to read the values.
        let Some(operator) = operator else { continue };
        if values.is_empty() {
            obstacles.push(empty_list(&key.key, key.value.span));
            continue;
        }
        let values = values
            .into_iter()
            .map(|scalar| value(scalar, operator.test, version, notes, obstacles))
            .collect();
        conditions.push(Condition {
            operator,
            key: key.key.to_string(),
            values,
            span: Span::new(key.key_span.start, key.value.span.end),
            operator_span: member.key_span,
            key_span: key.key_span,
        });
    }
}

/// The operator of this exact name.
fn operator(name: &str) -> Option<Operator> {
    let (set, rest) = SET_OPERATORS
        .iter()
        .find_map(|(prefix, set)| Some((Some(*set), name.strip_prefix(prefix)?.strip_prefix(':')?)))
        .unwrap_or((None, name));
    let (rest, if_exists) = match rest.strip_suffix(IF_EXISTS) {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    Some(Operator { set, test: Test::from_name(rest)?, if_exists })
}

fn undefined_operator(operator: Operator, span: Span) -> Option<Obstacle> {
    let message = match (operator.test == Test::Null, operator.if_exists, operator.set) {
        (true, true, _) => format!("`IfExists` is not defined for `Null`, as in `{operator}`"),
        (true, false, Some(_)) => {
            format!("set operators are not defined for `Null`, as in `{operator}`")
        }
        (true, false, None) | (false, _, _) => return None,
    };
    let help = "write `Null`, which by itself tells whether the key is there".to_owned();
    Some(Obstacle { kind: ObstacleKind::UndefinedOperator, message, help: Some(help), span })
}

fn unknown_operator(member: &Member<'_>) -> Obstacle {
    let help = match suggestion(&member.key) {
        Some(candidate) if candidate.eq_ignore_ascii_case(&member.key) => {
            format!("{} operator names are case-sensitive", did_you_mean(&candidate))
        }
        Some(candidate) => did_you_mean(&candidate),
        None => "see the condition operators of the IAM policy reference".to_owned(),
    };
    Obstacle {
        kind: ObstacleKind::UnknownOperator,
        message: format!("unknown condition operator {}", quote(&member.key)),
        help: Some(help),
        span: member.key_span,
    }
}

/// The operator nearest to `name`, prefix and test each taken by themselves.
fn suggestion(name: &str) -> Option<String> {
    let (prefix, rest) = match name.split_once(':') {
        Some((prefix, rest)) => {
            let set = nearest(prefix, SET_OPERATORS.iter().map(|(name, _)| *name))?;
            (format!("{set}:"), rest)
        }
        None => (String::new(), name),
    };
    let if_exists: Vec<String> = Test::ALL
        .iter()
        .filter(|test| **test != Test::Null)
        .map(|test| format!("{}{IF_EXISTS}", test.name()))
        .collect();
    let names = Test::ALL.iter().map(|test| test.name());
    let test = nearest(rest, names.chain(if_exists.iter().map(String::as_str)))?;
    Some(format!("{prefix}{test}"))
}

/// IAM compares keys without regard to case, so two spellings are one key twice.
fn keys_of_different_case(keys: &[Member<'_>], notes: &mut Notes) {
    let mut seen: BTreeMap<String, &Member<'_>> = BTreeMap::new();
    for key in keys {
        match seen.get(&key.key.to_ascii_lowercase()) {
            Some(first) if first.key == key.key => {}
            Some(first) => notes.error(
                Diagnostic::coded(
                    Severity::Error,
                    "policy::duplicate-key",
                    key.key_span,
                    format!(
                        "condition keys {} and {} are the same",
                        quote(&first.key),
                        quote(&key.key)
                    ),
                    "again here",
                )
                .also(first.key_span, "first here")
                .help("the case of a condition key does not count; put all values under one key"),
            ),
            None => {
                seen.insert(key.key.to_ascii_lowercase(), key);
            }
        }
    }
}

/// A single value as text.
#[derive(Clone, Copy)]
struct Scalar<'v> {
    text: &'v str,
    span: Span,
    quoted: bool,
}

/// The values of a key; `None` where one has the wrong type.
fn scalars<'v>(key: &'v Member<'_>, notes: &mut Notes) -> Option<Vec<Scalar<'v>>> {
    let elements = match &key.value.kind {
        Kind::Array(elements) => elements.as_slice(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Object(_) => {
            std::slice::from_ref(&key.value)
        }
    };
    let mut scalars = Vec::with_capacity(elements.len());
    let mut sound = true;
    for element in elements {
        if let Some(scalar) = scalar(element) {
            scalars.push(scalar);
        } else {
            let name = format!("a value of {}", quote(&key.key));
            notes.error(wrong_type(&name, "a string, a number or a boolean", element));
            sound = false;
        }
    }
    sound.then_some(scalars)
}

fn scalar<'v>(value: &'v Value<'_>) -> Option<Scalar<'v>> {
    let (text, quoted) = match &value.kind {
        Kind::String(text) => (text.as_ref(), true),
        Kind::Number(text) => (*text, false),
        Kind::Bool(true) => ("true", false),
        Kind::Bool(false) => ("false", false),
        Kind::Null | Kind::Array(_) | Kind::Object(_) => return None,
    };
    Some(Scalar { text, span: value.span, quoted })
}

fn value(
    scalar: Scalar<'_>,
    test: Test,
    version: Version,
    notes: &mut Notes,
    obstacles: &mut Vec<Obstacle>,
) -> ConditionValue {
    let text = Text { text: scalar.text, span: scalar.span };
    let template = if !scalar.quoted {
        Template::plain(scalar.text)
    } else if takes_variables(test) {
        notes.see_text(text.text, text.span);
        template(&text, version, TextPosition::Value, obstacles)
    } else {
        obstacles.extend(variable_for_operator(&text, test, version));
        Template::plain(text.text)
    };
    // Read once: a large policy is asked about many addresses.
    let network = if test.family() == Family::Ip { values::network(scalar.text) } else { None };
    ConditionValue { text: scalar.text.to_owned(), template, network, span: scalar.span }
}

/// Variables work with the string and ARN operators only.
fn takes_variables(test: Test) -> bool {
    match test.family() {
        Family::Text { .. } | Family::Arn => true,
        Family::Number(_)
        | Family::Date(_)
        | Family::Bool
        | Family::Binary
        | Family::Ip
        | Family::Null => false,
    }
}

fn variable_for_operator(text: &Text<'_>, test: Test, version: Version) -> Option<Obstacle> {
    if version == Version::V2008 || !text.text.contains("${") {
        return None;
    }
    let mut flawed = Vec::new();
    template(text, version, TextPosition::Value, &mut flawed);
    Some(flawed.into_iter().next().unwrap_or_else(|| Obstacle {
        kind: ObstacleKind::MisplacedVariable,
        message: format!("policy variable in a value of `{}`", test.name()),
        help: Some("variables work with the string and ARN operators".into()),
        span: text.span,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_is_found_by_the_name_it_prints() {
        let sets = [None, Some(SetOperator::ForAllValues), Some(SetOperator::ForAnyValue)];
        for test in Test::ALL {
            for (set, if_exists) in sets.into_iter().flat_map(|set| [(set, false), (set, true)]) {
                let wanted = Operator { set, test: *test, if_exists };
                assert_eq!(operator(&wanted.to_string()), Some(wanted));
            }
        }
    }

    #[test]
    fn operator_names_are_exact() {
        for name in [
            "",
            "stringEquals",
            "StringEqualsifexists",
            "forAnyValue:StringLike",
            "ForAnyValue StringLike",
            "ForAnyValue:",
            "ForAnyValue:ForAllValues:StringLike",
            "StringEqualsIfExistsIfExists",
            " StringEquals",
        ] {
            assert_eq!(operator(name), None, "{name}");
        }
    }

    #[test]
    fn the_nearest_operator_is_suggested() {
        for (name, wanted) in [
            ("stringequals", Some("StringEquals")),
            ("StringEqual", Some("StringEquals")),
            ("StringNotLikeIfExist", Some("StringNotLikeIfExists")),
            ("ForAllValue:StringLike", Some("ForAllValues:StringLike")),
            ("ForAnyValues:stringNotLike", Some("ForAnyValue:StringNotLike")),
            ("StringMatches", None),
            ("ForEachValue:StringLike", Some("ForAnyValue:StringLike")),
            ("Nonsense", None),
        ] {
            assert_eq!(suggestion(name).as_deref(), wanted, "{name}");
        }
    }
}
