//! What can be wrong with a JSON text.

use crate::span::Span;

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    kind: JsonErrorKind,
    span: Span,
}

/// The kinds of [`JsonError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// The bytes are no UTF-8.
    NotUtf8,
    /// The text ends too early.
    UnexpectedEnd {
        /// What should have come.
        expected: &'static str,
    },
    /// Something else should stand here.
    Unexpected {
        /// What should have come.
        expected: &'static str,
        /// The word or character in its place.
        found: String,
    },
    /// A string without its closing quote.
    UnclosedString,
    /// A raw control character, line breaks included, inside a string.
    ControlCharacter(char),
    /// A backslash with something JSON does not know.
    BadEscape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A comma before a closing bracket.
    TrailingComma,
    /// A number such as `007`.
    LeadingZero,
    /// More text after the document.
    TrailingText,
    /// More nesting than the caller allows.
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl JsonError {
    pub(super) const fn new(kind: JsonErrorKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> &JsonErrorKind {
        &self.kind
    }

    /// The place in the text.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// Whether the text may be JSON, and only nests deeper than the caller allows.
    #[must_use]
    pub const fn is_too_deep(&self) -> bool {
        matches!(self.kind, JsonErrorKind::TooDeep { .. })
    }

    /// A few words to stand under the place.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.kind {
            JsonErrorKind::NotUtf8 => "these bytes".to_owned(),
            JsonErrorKind::UnexpectedEnd { .. } => "the text ends here".to_owned(),
            JsonErrorKind::Unexpected { expected, .. } => format!("expected {expected}"),
            JsonErrorKind::UnclosedString => "opened here".to_owned(),
            JsonErrorKind::ControlCharacter(_)
            | JsonErrorKind::BadEscape
            | JsonErrorKind::LoneSurrogate => "in this string".to_owned(),
            JsonErrorKind::TrailingComma => "remove this comma".to_owned(),
            JsonErrorKind::LeadingZero => "this number".to_owned(),
            JsonErrorKind::TrailingText => "the document ended before this".to_owned(),
            JsonErrorKind::TooDeep { .. } => "one level too many".to_owned(),
        }
    }

    /// What to do about it, where that can be told.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match &self.kind {
            JsonErrorKind::NotUtf8 => "save the file as UTF-8",
            JsonErrorKind::UnexpectedEnd { .. } if self.span.start == self.span.end => {
                "the document is empty"
            }
            JsonErrorKind::UnexpectedEnd { .. } => {
                "the text was cut off, or a bracket is not closed"
            }
            JsonErrorKind::Unexpected { found, .. } => return help_for_found(found),
            JsonErrorKind::UnclosedString => "add the closing `\"`, unless the text was cut off",
            JsonErrorKind::ControlCharacter('\n' | '\r') => {
                "add the closing `\"`, or write the line break as `\\n`"
            }
            JsonErrorKind::ControlCharacter(control) => {
                return Some(format!("write it as `\\u{:04x}`", u32::from(*control)));
            }
            JsonErrorKind::BadEscape => {
                "write a backslash as `\\\\`; the escapes are \
                 `\\\"` `\\\\` `\\/` `\\b` `\\f` `\\n` `\\r` `\\t` `\\uXXXX`"
            }
            JsonErrorKind::LoneSurrogate => {
                "write the character itself, or both halves of its pair"
            }
            JsonErrorKind::LeadingZero => "drop the zeros in front, or put the number in quotes",
            JsonErrorKind::TrailingText => "one JSON document was expected",
            JsonErrorKind::TrailingComma | JsonErrorKind::TooDeep { .. } => return None,
        };
        Some(help.to_owned())
    }
}

fn help_for_found(found: &str) -> Option<String> {
    let help = match found {
        "\u{201c}" | "\u{201d}" | "\u{201e}" | "\u{2018}" | "\u{2019}" => {
            "replace typographic quotes by `\"`"
        }
        "'" => "JSON strings stand in double quotes",
        "/" | "#" => "JSON has no comments",
        "\u{a0}" => "replace the no-break space by an ordinary one",
        _ => {
            let lower = found.to_ascii_lowercase();
            let meant = match lower.as_str() {
                "true" => "true",
                "false" => "false",
                "null" | "none" | "nil" | "undefined" => "null",
                _ => return None,
            };
            return Some(format!("did you mean `{meant}`?"));
        }
    };
    Some(help.to_owned())
}

impl std::fmt::Display for JsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            JsonErrorKind::NotUtf8 => {
                write!(f, "the text is not UTF-8 from byte {}", self.span.start)
            }
            JsonErrorKind::UnexpectedEnd { expected } => {
                write!(f, "expected {expected}, found the end of the text")
            }
            JsonErrorKind::Unexpected { expected, found } => {
                write!(f, "expected {expected}, found {}", Found(found))
            }
            JsonErrorKind::UnclosedString => f.write_str("a string has no closing quote"),
            JsonErrorKind::ControlCharacter('\n' | '\r') => {
                f.write_str("a string runs over the end of its line")
            }
            JsonErrorKind::ControlCharacter(control) => {
                write!(f, "control character U+{:04X} in a string", u32::from(*control))
            }
            JsonErrorKind::BadEscape => f.write_str("unknown escape in a string"),
            JsonErrorKind::LoneSurrogate => f.write_str("half of a surrogate pair in a string"),
            JsonErrorKind::TrailingComma => f.write_str("comma before a closing bracket"),
            JsonErrorKind::LeadingZero => f.write_str("a number starts with a superfluous zero"),
            JsonErrorKind::TrailingText => f.write_str("there is text after the document"),
            JsonErrorKind::TooDeep { limit } => write!(f, "nested deeper than {limit}"),
        }
    }
}

/// A word or character in backticks; what cannot be seen is escaped.
struct Found<'a>(&'a str);

impl std::fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            plain @ ("\"" | "'" | "\\") => write!(f, "`{plain}`"),
            other => write!(f, "`{}`", other.escape_debug()),
        }
    }
}

impl std::error::Error for JsonError {}
