//! What is found on the way, and the errors that every part of a document can have.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::json::{Kind, Member, Value};
use crate::span::Span;
use crate::words::quote;

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) errors: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
    /// The first string with `${` in a place where variables work.
    pub(super) dollar: Option<Span>,
}

impl Notes {
    pub(super) fn error(&mut self, problem: Diagnostic) {
        self.errors.push(problem);
    }

    pub(super) fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning);
    }

    pub(super) fn see_text(&mut self, text: &str, span: Span) {
        if text.contains("${") {
            self.dollar.get_or_insert(span);
        }
    }

    /// Every key that occurs twice in one object, anywhere in the document.
    pub(super) fn duplicate_keys(&mut self, value: &Value<'_>) {
        match &value.kind {
            Kind::Object(members) => {
                let mut seen = BTreeMap::new();
                for member in members {
                    if let Some(first) = seen.get(member.key.as_ref()) {
                        self.error(duplicate(&member.key, member.key_span, *first));
                    } else {
                        seen.insert(member.key.as_ref(), member.key_span);
                    }
                    self.duplicate_keys(&member.value);
                }
            }
            Kind::Array(elements) => {
                for element in elements {
                    self.duplicate_keys(element);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
        }
    }
}

fn duplicate(key: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error(
        "policy::duplicate-key",
        span,
        format!("duplicate key {}", quote(key)),
        "again here",
    )
    .also(first, "first here")
    .help("keep one of them; it is not defined which one counts")
}

/// An error about the shape of the document.
pub(super) fn shape(
    span: Span,
    message: impl Into<String>,
    label: impl Into<String>,
) -> Diagnostic {
    Diagnostic::error("policy::shape", span, message, label)
}

/// An error about a value of the wrong JSON type.
pub(super) fn wrong_type(name: &str, expected: &str, found: &Value<'_>) -> Diagnostic {
    let message = format!("{name} must be {expected}, found {}", found.kind_name());
    Diagnostic::error("policy::type", head(found), message, format!("expected {expected}"))
}

/// A short span for a value: the opening bracket stands for a whole array or object.
pub(super) fn head(value: &Value<'_>) -> Span {
    match value.kind {
        Kind::Array(_) | Kind::Object(_) => Span::new(value.span.start, value.span.start + 1),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => value.span,
    }
}

pub(super) fn member<'m, 'a>(members: &'m [Member<'a>], key: &str) -> Option<&'m Member<'a>> {
    members.iter().find(|member| member.key == key)
}
