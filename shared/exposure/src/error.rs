//! Why an exposure section is refused.

use std::fmt;

use miette::LabeledSpan;
use policy::json::{JsonError, JsonErrorKind};
use policy::span::{LineColumn, Span};

/// The most problems that one error tells about; the rest is counted.
pub const MAX_PROBLEMS: usize = 20;

/// Why an exposure section cannot be used: one or more problems, each with its place.
///
/// The error does not own the text. Render it with the section as its source code, for instance
/// through [`miette::Report::with_source_code`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposureError {
    /// Never empty, in the order of the text.
    problems: Vec<Problem>,
    total: usize,
}

/// One thing that is wrong with an exposure section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    message: String,
    position: LineColumn,
    labels: Vec<(Span, String)>,
    help: Option<String>,
}

impl ExposureError {
    pub(crate) fn not_json(error: &JsonError, text: &str) -> Self {
        let message = if matches!(error.kind(), JsonErrorKind::TooDeep { .. }) {
            format!("the exposure section is {error}")
        } else {
            format!("the exposure section is not JSON: {error}")
        };
        let mut problem = Problem::new(message).label(error.span(), error.label());
        let again = || "read the accounts again, or correct the text by hand".to_owned();
        problem.help = Some(error.help().unwrap_or_else(again));
        Self::one(problem, text)
    }

    pub(crate) fn one(mut problem: Problem, text: &str) -> Self {
        problem.locate(text);
        Self { problems: vec![problem], total: 1 }
    }

    /// The problems in the order of the text, at most [`MAX_PROBLEMS`]; never empty.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many problems there are, the ones beyond [`MAX_PROBLEMS`] included.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }

    fn only(&self) -> Option<&Problem> {
        match self.problems.as_slice() {
            [only] if self.total == 1 => Some(only),
            _ => None,
        }
    }
}

impl Problem {
    pub(crate) const fn new(message: String) -> Self {
        let position = LineColumn { line: 1, column: 1 };
        Self { message, position, labels: Vec::new(), help: None }
    }

    pub(crate) fn label(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push((span, label.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The place of the first label.
    #[must_use]
    pub const fn position(&self) -> LineColumn {
        self.position
    }

    /// What to do about it.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    fn first_span(&self) -> Span {
        self.labels.first().map(|(span, _)| *span).unwrap_or_default()
    }

    fn locate(&mut self, text: &str) {
        self.position = self.first_span().line_column(text);
    }
}

/// Problems while they are collected.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    kept: Vec<Problem>,
    total: usize,
}

impl Problems {
    /// Notes a problem; `problem` runs only while there is room, as suggestions cost time.
    pub(crate) fn push(&mut self, problem: impl FnOnce() -> Problem) {
        self.total += 1;
        if self.kept.len() < MAX_PROBLEMS {
            self.kept.push(problem());
        }
    }

    /// The error, if anything was noted.
    pub(crate) fn into_error(mut self, text: &str) -> Option<ExposureError> {
        if self.kept.is_empty() {
            return None;
        }
        self.kept.sort_by_key(Problem::first_span);
        for problem in &mut self.kept {
            problem.locate(text);
        }
        Some(ExposureError { problems: self.kept, total: self.total })
    }
}

impl fmt::Display for ExposureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(only) = self.only() {
            return only.fmt(f);
        }
        write!(f, "the exposure section has {} problems", self.total)?;
        if self.total > self.problems.len() {
            write!(f, ", {} of them shown", self.problems.len())?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExposureError {}

impl std::error::Error for Problem {}

impl miette::Diagnostic for ExposureError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new("exposure::section"))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.only().and_then(miette::Diagnostic::help)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.only().and_then(miette::Diagnostic::labels)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.only().is_some() {
            return None;
        }
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn miette::Diagnostic)))
    }
}

impl miette::Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().enumerate().map(|(index, (span, label))| {
            if index == 0 {
                LabeledSpan::new_primary_with_span(Some(label.clone()), *span)
            } else {
                LabeledSpan::new_with_span(Some(label.clone()), *span)
            }
        })))
    }
}
