//! Why a text is refused: every problem in it, each with its place.

use std::fmt;

use miette::LabeledSpan;

use crate::json::{self, JsonError, JsonErrorKind, Value};
use crate::span::{LineColumn, Span};

/// The most problems that one refusal tells about; the rest is counted.
pub const MAX_PROBLEMS: usize = 20;

/// One thing that is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    message: String,
    span: Span,
    position: LineColumn,
    labels: Vec<(Span, String)>,
    help: Option<String>,
}

impl Problem {
    /// A problem of the text as a whole, until it gets a place. `message` is a sentence in lower
    /// case, without a stop.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self::at(Span::default(), message)
    }

    /// A problem at a place that needs no words of its own.
    #[must_use]
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        let position = LineColumn { line: 1, column: 1 };
        Self { message: message.into(), span, position, labels: Vec::new(), help: None }
    }

    /// `what` is not `expected`, but `value`.
    #[must_use]
    pub fn wrong_type(what: &str, value: &Value<'_>, expected: &str) -> Self {
        Self::new(format!("{what} is {}, not {expected}", value.kind_name()))
            .label(label_span(value), format!("expected {expected}"))
    }

    /// Something stands twice where it may stand once.
    #[must_use]
    pub fn twice(message: impl Into<String>, first: Span, second: Span) -> Self {
        Self::new(message).label(short(second), "again here").label(short(first), "first here")
    }

    /// Adds words to a place; the first such place is the one of the problem.
    #[must_use]
    pub fn label(mut self, span: Span, label: impl Into<String>) -> Self {
        if self.labels.is_empty() {
            self.span = span;
        }
        self.labels.push((span, label.into()));
        self
    }

    /// Adds words to the place of the problem.
    #[must_use]
    pub fn here(self, label: impl Into<String>) -> Self {
        let span = self.span;
        self.label(span, label)
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with whatever `change` makes of each place.
    #[must_use]
    pub fn placed(mut self, change: impl Fn(Span) -> Span) -> Self {
        self.span = change(self.span);
        for (span, _) in &mut self.labels {
            *span = change(*span);
        }
        self
    }

    /// The same with whatever `change` makes of each of its texts.
    #[must_use]
    pub fn worded(mut self, change: impl Fn(&str) -> String) -> Self {
        self.message = change(&self.message);
        for (_, label) in &mut self.labels {
            *label = change(label);
        }
        self.help = self.help.map(|help| change(&help));
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The place in the text.
    #[must_use]
    pub const fn position(&self) -> LineColumn {
        self.position
    }

    /// The same place as a range of bytes.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// The places with their labels; the first one is the place of the problem.
    #[must_use]
    pub fn labels(&self) -> &[(Span, String)] {
        &self.labels
    }

    /// What to do about it.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

/// The longest text that a label underlines, in bytes.
const LONGEST_LABEL: usize = 60;

/// A span short enough to underline; a character cut in two is drawn whole.
#[must_use]
pub fn short(span: Span) -> Span {
    if span.end.saturating_sub(span.start) > LONGEST_LABEL {
        Span::new(span.start, span.start + 1)
    } else {
        span
    }
}

/// The part of a value that a label underlines: brackets stand for what they enclose.
#[must_use]
pub fn label_span(value: &Value<'_>) -> Span {
    match value.kind {
        json::Kind::Array(_) | json::Kind::Object(_) => {
            Span::new(value.span.start, value.span.start + 1)
        }
        json::Kind::String(_) | json::Kind::Number(_) | json::Kind::Bool(_) | json::Kind::Null => {
            short(value.span)
        }
    }
}

/// What is being read, for the messages about all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// A stable name, for instance `organization::snapshot`.
    pub code: &'static str,
    /// With its article: "the snapshot".
    pub noun: &'static str,
}

/// Problems while they are collected.
#[derive(Debug, Default)]
pub struct Problems {
    kept: Vec<Problem>,
    total: usize,
}

impl Problems {
    /// Notes a problem; `problem` runs only while there is room, as suggestions cost time.
    pub fn push(&mut self, problem: impl FnOnce() -> Problem) {
        self.total += 1;
        if self.kept.len() < MAX_PROBLEMS {
            self.kept.push(problem());
        }
    }

    /// Makes the texts of every problem what `change` makes of them.
    pub fn reword(&mut self, change: impl Fn(&str) -> String) {
        let kept = std::mem::take(&mut self.kept);
        self.kept = kept.into_iter().map(|problem| problem.worded(&change)).collect();
    }

    /// How many were noted.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }

    /// The first problem noted.
    #[must_use]
    pub fn into_first(self) -> Option<Problem> {
        self.kept.into_iter().next()
    }

    /// The refusal, if anything was noted.
    #[must_use]
    pub fn into_refusal(self, kind: Kind, text: &str) -> Option<Refusal> {
        (!self.kept.is_empty()).then(|| Refusal::new(kind, self.kept, self.total, text))
    }
}

/// Why a text cannot be used: one or more problems, each with its place.
///
/// It does not own the text. Render it with the text as its source code, for instance through
/// `miette::Report::with_source_code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    kind: Kind,
    /// Never empty, in the order of the text.
    problems: Vec<Problem>,
    total: usize,
}

impl Refusal {
    /// For a text that is no JSON. `help` says what to do where the error itself does not.
    #[must_use]
    pub fn not_json(kind: Kind, error: &JsonError, help: &str, text: &str) -> Self {
        let noun = kind.noun;
        let message = match error.kind() {
            JsonErrorKind::TooDeep { .. } => format!("{noun} is {error}"),
            JsonErrorKind::NotUtf8
            | JsonErrorKind::UnexpectedEnd { .. }
            | JsonErrorKind::Unexpected { .. }
            | JsonErrorKind::UnclosedString
            | JsonErrorKind::ControlCharacter(_)
            | JsonErrorKind::BadEscape
            | JsonErrorKind::LoneSurrogate
            | JsonErrorKind::TrailingComma
            | JsonErrorKind::LeadingZero
            | JsonErrorKind::TrailingText => format!("{noun} is not JSON: {error}"),
        };
        let mut problem = Problem::new(message).label(error.span(), error.label());
        problem.help = error.help().or_else(|| (!help.is_empty()).then(|| help.to_owned()));
        Self::one(kind, problem, text)
    }

    /// For one problem.
    #[must_use]
    pub fn one(kind: Kind, problem: Problem, text: &str) -> Self {
        Self::new(kind, vec![problem], 1, text)
    }

    fn new(kind: Kind, mut problems: Vec<Problem>, total: usize, text: &str) -> Self {
        problems.sort_by_key(|problem| problem.span);
        for problem in &mut problems {
            problem.position = problem.span.line_column(text);
        }
        Self { kind, problems, total }
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

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(only) = self.only() {
            return only.fmt(f);
        }
        write!(f, "{} has {} problems", self.kind.noun, self.total)?;
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

impl std::error::Error for Refusal {}

impl std::error::Error for Problem {}

impl miette::Diagnostic for Refusal {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.kind.code))
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
        if self.labels.is_empty() {
            return None;
        }
        Some(Box::new(self.labels.iter().enumerate().map(|(index, (span, label))| {
            if index == 0 {
                LabeledSpan::new_primary_with_span(Some(label.clone()), *span)
            } else {
                LabeledSpan::new_with_span(Some(label.clone()), *span)
            }
        })))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const PLAN: Kind = Kind { code: "changes::plan", noun: "the plan" };

    #[test]
    fn problems_beyond_the_twentieth_are_counted() {
        let mut problems = Problems::default();
        for at in (0..30).rev() {
            problems.push(|| Problem::at(Span::new(at, at + 1), "wrong"));
        }
        let refusal = problems.into_refusal(PLAN, &" ".repeat(40)).unwrap();
        assert_eq!((refusal.problems().len(), refusal.total()), (20, 30));
        assert_eq!(refusal.to_string(), "the plan has 30 problems, 20 of them shown");
        assert!(refusal.problems().is_sorted_by_key(Problem::position));
    }

    #[test]
    fn the_first_label_is_the_place() {
        let problem = Problem::new("two of them")
            .label(Span::new(5, 6), "again")
            .label(Span::new(1, 2), "first");
        let refusal = Refusal::one(PLAN, problem, "ab\ncdef");
        let found = &refusal.problems()[0];
        assert_eq!(found.position(), LineColumn { line: 2, column: 3 });
        assert_eq!(refusal.to_string(), "two of them");
        assert_eq!(found.clone().placed(|s| Span::new(s.start + 1, s.end + 1)).span().start, 6);
    }
}
