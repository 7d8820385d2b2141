//! What is found on the way, and the errors that every part of a document can have.

use text::diagnostic::{Diagnostic, Severity};
use text::json::{Member, Value, duplicates};
use text::span::Span;
use text::words::quote;

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
        for (first, again) in duplicates(value.members()) {
            self.error(duplicate(&again.key, again.key_span, first.key_span));
        }
        for member in value.members() {
            self.duplicate_keys(&member.value);
        }
        for element in value.elements() {
            self.duplicate_keys(element);
        }
    }
}

fn duplicate(key: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::coded(
        Severity::Error,
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
    Diagnostic::coded(Severity::Error, "policy::shape", span, message, label)
}

/// An error about a value of the wrong JSON type.
pub(super) fn wrong_type(name: &str, expected: &str, found: &Value<'_>) -> Diagnostic {
    let message = format!("{name} must be {expected}, found {}", found.kind_name());
    Diagnostic::coded(
        Severity::Error,
        "policy::type",
        head(found),
        message,
        format!("expected {expected}"),
    )
}

/// A short span for a value: the opening bracket stands for a whole array or object.
pub(super) fn head(value: &Value<'_>) -> Span {
    if value.is_container() {
        Span::new(value.span.start, value.span.start + 1)
    } else {
        value.span
    }
}

pub(super) fn member<'m, 'a>(members: &'m [Member<'a>], key: &str) -> Option<&'m Member<'a>> {
    members.iter().find(|member| member.key == key)
}
