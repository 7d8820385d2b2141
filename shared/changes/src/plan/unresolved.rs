//! Values that a template or change set leaves open, and those that are plain.

use text::diagnostic::{Diagnostic, label_span, short};
use text::json::{Kind, Value};
use text::span::Span;
use text::words::quote;

/// Why a value cannot be told: the end of a sentence about its resource.
#[derive(Debug, Clone)]
pub(super) struct Unresolved {
    span: Span,
    message: String,
    help: Option<String>,
}

impl Unresolved {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span: short(span), message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same elsewhere, in other words.
    pub(super) fn at(self, span: Span, message: String) -> Self {
        Self { span: short(span), message, ..self }
    }

    /// The sentence.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The problem of the resource with this logical id.
    pub(super) fn about(self, name: &str) -> Diagnostic {
        let message = format!("what {} does cannot be told: {}", quote(name), self.message);
        let help = "write the value out, or describe a change set and give that instead";
        Diagnostic::error_at(self.span, message)
            .here("open")
            .help(self.help.unwrap_or_else(|| help.to_owned()))
    }
}

/// The text of a string, number or boolean.
pub(super) fn scalar(value: &Value<'_>) -> Result<String, Unresolved> {
    Ok(match &value.kind {
        Kind::String(text) => text.to_string(),
        Kind::Number(number) => (*number).to_owned(),
        Kind::Bool(true) => "true".to_owned(),
        Kind::Bool(false) => "false".to_owned(),
        Kind::Null | Kind::Array(_) | Kind::Object(_) => {
            let message = format!("a text should stand here, and not {}", value.kind_name());
            return Err(Unresolved::new(label_span(value), message));
        }
    })
}

/// `{{resolve:...}}` is looked up elsewhere when the stack is deployed, and a change set's
/// placeholder stands for what is known only then.
pub(super) fn refuse_dynamic(text: &str, span: Span) -> Result<(), Unresolved> {
    if text.contains("{{resolve:") {
        return Err(Unresolved::new(span, "it is looked up elsewhere when the stack is deployed"));
    }
    if text.contains("{{changeSet:") {
        return Err(Unresolved::new(span, "its value is known only after apply").help(
            "deploy what it depends on first, and make the change set again, or write the value out",
        ));
    }
    Ok(())
}
