//! What is wrong or suspicious in a perimeter file, with the place in the text.

use std::fmt;

use miette::{Diagnostic, LabeledSpan};
use policy::span::Span;

/// A message with its places in the file and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Note {
    message: String,
    labels: Vec<(Span, String)>,
    help: Option<String>,
}

impl Note {
    fn new(message: String) -> Self {
        Self { message, labels: Vec::new(), help: None }
    }

    fn labelled(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.labels.is_empty() {
            return None;
        }
        Some(Box::new(self.labels.iter().map(|(span, label)| {
            LabeledSpan::new_with_span(Some(label.clone()), miette::SourceSpan::from(*span))
        })))
    }
}

macro_rules! note_type {
    ($(#[$doc:meta])* $name:ident, $severity:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(Note);

        impl $name {
            pub(super) fn new(message: impl Into<String>) -> Self {
                Self(Note::new(message.into()))
            }

            pub(super) fn at(mut self, span: Span, label: impl Into<String>) -> Self {
                self.0.labels.push((span, label.into()));
                self
            }

            pub(super) fn help(mut self, help: impl Into<String>) -> Self {
                self.0.help = Some(help.into());
                self
            }

            /// The bytes of the file it is about; none where something is missing from all of it.
            #[must_use]
            pub fn span(&self) -> Option<Span> {
                self.0.labels.first().map(|(span, _)| *span)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.message)
            }
        }

        impl std::error::Error for $name {}

        impl Diagnostic for $name {
            fn severity(&self) -> Option<miette::Severity> {
                Some($severity)
            }

            fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
                self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
            }

            fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
                self.0.labelled()
            }
        }
    };
}

note_type! {
    /// One reason why the file is refused.
    Problem, miette::Severity::Error
}

note_type! {
    /// Something that is allowed but probably not meant, such as a pattern that also trusts
    /// domains of others.
    Warning, miette::Severity::Warning
}

/// Why a perimeter file is refused: one problem or several, in the order of the file.
///
/// Carries no source text: the caller attaches it, with the file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerimeterError {
    problems: Vec<Problem>,
}

impl PerimeterError {
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(Problem::span);
        Self { problems }
    }

    /// The problems, at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn only(&self) -> Option<&Problem> {
        match self.problems.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

impl fmt::Display for PerimeterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.only() {
            Some(only) => only.fmt(f),
            None => write!(f, "the perimeter file has {} problems", self.problems.len()),
        }
    }
}

impl std::error::Error for PerimeterError {}

impl Diagnostic for PerimeterError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.only().and_then(|only| only.help())
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.only().and_then(|only| only.labels())
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.only().is_some() {
            return None;
        }
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}
