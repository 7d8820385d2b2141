//! Elements of a statement that come in one of two forms, and lists of strings.

use text::diagnostic::Diagnostic;
use text::fields::Text;
use text::json::{Kind, Member, Value};
use text::span::Span;
use text::words::{did_you_mean, nearest, quote};

use super::notes::{Notes, head, member, shape, wrong_type};
use crate::model::{Obstacle, ObstacleKind};

/// The elements of a statement in every kind of policy.
pub(super) const ELEMENTS: [&str; 7] =
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// The one of two elements that is present, or `None` with an error.
pub(super) fn one_of<'m, 'a>(
    statement: &Value<'_>,
    members: &'m [Member<'a>],
    names: [&'static str; 2],
    notes: &mut Notes,
) -> Option<&'m Member<'a>> {
    let [listed, except] = names;
    match (member(members, listed), member(members, except)) {
        (Some(element), None) | (None, Some(element)) => Some(element),
        (Some(first), Some(second)) => {
            let message = format!("the statement has both `{listed}` and `{except}`");
            notes.error(
                shape(second.key_span, message, "and this")
                    .also(first.key_span, "this")
                    .help("keep one of them; split the statement if both are needed"),
            );
            None
        }
        (None, None) => {
            let what = format!("`{listed}` or `{except}`");
            notes.error(missing(statement, members, &what, &names));
            None
        }
    }
}

/// The strings of an element that takes a string or an array of strings; an empty array becomes
/// an obstacle, anything else an error.
pub(super) fn strings<'v>(
    element: &'v Member<'_>,
    notes: &mut Notes,
    obstacles: &mut Vec<Obstacle>,
) -> Option<Vec<Text<'v>>> {
    let name = format!("`{}`", element.key);
    let value = &element.value;
    let elements = match &value.kind {
        Kind::String(_) => std::slice::from_ref(value),
        Kind::Array(elements) => elements.as_slice(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Object(_) => {
            notes.error(wrong_type(&name, "a string or an array of strings", value));
            return None;
        }
    };
    if elements.is_empty() {
        obstacles.push(empty_list(&element.key, value.span));
    }
    let mut texts = Vec::with_capacity(elements.len());
    let mut sound = true;
    for element in elements {
        if let Kind::String(text) = &element.kind {
            texts.push(Text { text: text.as_ref(), span: element.span });
        } else {
            notes.error(wrong_type(&format!("an entry of {name}"), "a string", element));
            sound = false;
        }
    }
    sound.then_some(texts)
}

pub(super) fn empty_list(name: &str, span: Span) -> Obstacle {
    Obstacle {
        kind: ObstacleKind::EmptyList,
        message: format!("{} has an empty list", quote(name)),
        help: Some("AWS does not say what an empty list means; name at least one value".into()),
        span,
    }
}

/// The error for an element that must be there; a misspelt one is named.
pub(super) fn missing(
    statement: &Value<'_>,
    members: &[Member<'_>],
    what: &str,
    names: &[&'static str],
) -> Diagnostic {
    let message = format!("the statement has no {what}");
    let misspelt = members
        .iter()
        .filter(|member| !ELEMENTS.contains(&member.key.as_ref()))
        .find_map(|member| Some((member, nearest(&member.key, names.iter().copied())?)));
    match misspelt {
        Some((member, name)) => shape(member.key_span, message, "not an element of a statement")
            .help(guess(&member.key, name)),
        None => shape(head(statement), message, "this statement").help(match names {
            ["Effect"] => "add `\"Effect\": \"Deny\"` or `\"Effect\": \"Allow\"`",
            ["Action", ..] => "name the actions, for instance `\"Action\": \"ses:SendEmail\"`",
            _ => "add `\"Resource\": \"*\"` for every resource",
        }),
    }
}

pub(super) fn guess(written: &str, candidate: &str) -> String {
    let question = did_you_mean(candidate);
    if written.eq_ignore_ascii_case(candidate) {
        format!("{question} element names are case-sensitive")
    } else {
        question
    }
}
