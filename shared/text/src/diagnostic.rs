//! What is wrong or doubtful in a text, with its places.

use std::fmt;

use miette::LabeledSpan;

use crate::json::{JsonError, JsonErrorKind, Value};
use crate::span::Span;

/// The most problems that one refusal tells about; the rest is counted.
pub const MAX_PROBLEMS: usize = 20;

/// The longest text that a label underlines, in bytes.
const LONGEST_LABEL: usize = 60;

/// How much a [`Diagnostic`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Advice,
    /// Probably not what was meant.
    Warning,
    /// The text, or the part of it, cannot be used.
    Error,
}

/// One remark about a text.
///
/// It does not own the text: attach it with `miette::Report::with_source_code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name, for instance `policy::unknown-operator`, where it has one of its own.
    pub code: Option<&'static str>,
    /// How much it matters.
    pub severity: Severity,
    /// A sentence in lower case, without a stop.
    pub message: String,
    /// The place in bytes of the text; empty at its start where it is about the whole.
    pub span: Span,
    /// Places with the words to stand under them.
    pub labels: Vec<(Span, String)>,
    /// What to do about it, where that can be told.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A remark on the text as a whole, until it gets a place.
    #[must_use]
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code: None,
            severity,
            message,
            span: Span::default(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// The same of [`Severity::Error`].
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    /// The same of [`Severity::Warning`].
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    /// A remark with a name at a place; `label` may be empty.
    #[must_use]
    pub fn coded(
        severity: Severity,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        let label = label.into();
        let labels = if label.is_empty() { Vec::new() } else { vec![(span, label)] };
        Self { code: Some(code), span, labels, ..Self::new(severity, message) }
    }

    /// An error at a place that needs no words of its own.
    #[must_use]
    pub fn error_at(span: Span, message: impl Into<String>) -> Self {
        Self { span, ..Self::error(message) }
    }

    /// `what` is not `expected`, but `value`.
    #[must_use]
    pub fn wrong_type(what: &str, value: &Value<'_>, expected: &str) -> Self {
        Self::error(format!("{what} is {}, not {expected}", value.kind_name()))
            .label(label_span(value), format!("expected {expected}"))
    }

    /// Something stands twice where it may stand once.
    #[must_use]
    pub fn twice(message: impl Into<String>, first: Span, second: Span) -> Self {
        Self::error(message).label(short(second), "again here").label(short(first), "first here")
    }

    /// Adds words to a place; the first such place is its own.
    #[must_use]
    pub fn label(mut self, span: Span, label: impl Into<String>) -> Self {
        if self.labels.is_empty() {
            self.span = span;
        }
        self.labels.push((span, label.into()));
        self
    }

    /// Adds words to another place that belongs to it.
    #[must_use]
    pub fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push((span, label.into()));
        self
    }

    /// Adds words to its own place.
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

    /// The words under its own place; empty where there are none.
    #[must_use]
    pub fn own_label(&self) -> &str {
        self.labels.first().filter(|(span, _)| *span == self.span).map_or("", |(_, label)| label)
    }

    /// The other places with their words.
    #[must_use]
    pub fn other_labels(&self) -> &[(Span, String)] {
        let own = usize::from(!self.own_label().is_empty());
        self.labels.get(own..).unwrap_or_default()
    }
}

impl From<&JsonError> for Diagnostic {
    fn from(error: &JsonError) -> Self {
        let diagnostic = Self::error(error.to_string()).label(error.span(), error.label());
        Self { help: error.help(), ..diagnostic }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.map(|code| Box::new(code) as _)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Advice => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.labels.is_empty() {
            return None;
        }
        Some(Box::new(self.labels.iter().map(|(span, label)| {
            let label = Some(label.clone());
            if *span == self.span {
                LabeledSpan::new_primary_with_span(label, *span)
            } else {
                LabeledSpan::new_with_span(label, *span)
            }
        })))
    }
}

/// A span short enough to underline; a character cut in two is drawn whole.
#[must_use]
pub const fn short(span: Span) -> Span {
    if span.end.saturating_sub(span.start) > LONGEST_LABEL {
        Span::new(span.start, span.start + 1)
    } else {
        span
    }
}

/// The part of a value that a label underlines: brackets stand for what they enclose.
#[must_use]
pub const fn label_span(value: &Value<'_>) -> Span {
    if value.is_container() {
        Span::new(value.span.start, value.span.start + 1)
    } else {
        short(value.span)
    }
}

/// What is being read, for the messages about all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// A stable name, for instance `organization::snapshot`.
    pub code: Option<&'static str>,
    /// With its article: "the snapshot".
    pub noun: &'static str,
    /// How to get another, as the beginning of a sentence: "fetch the snapshot again".
    pub again: &'static str,
}

/// Problems while they are collected.
#[derive(Debug)]
pub struct Problems {
    subject: Subject,
    kept: Vec<Diagnostic>,
    total: usize,
}

impl Problems {
    /// None yet, of a text that is `subject`.
    #[must_use]
    pub const fn of(subject: Subject) -> Self {
        Self { subject, kept: Vec::new(), total: 0 }
    }

    /// What is being read.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// Notes a problem; `problem` runs only while there is room, as suggestions cost time.
    pub fn push(&mut self, problem: impl FnOnce() -> Diagnostic) {
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
    pub fn into_first(self) -> Option<Diagnostic> {
        self.kept.into_iter().next()
    }

    /// The refusal, if anything was noted.
    #[must_use]
    pub fn into_refusal(self) -> Option<Refusal> {
        (!self.kept.is_empty()).then(|| Refusal::new(self.subject, self.kept, self.total))
    }
}

/// Why a text cannot be used: one or more problems, each with its place.
///
/// It does not own the text. Render it with the text as its source code, for instance through
/// `miette::Report::with_source_code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    subject: Subject,
    /// Never empty, in the order of the text.
    problems: Vec<Diagnostic>,
    total: usize,
}

impl Refusal {
    /// For a text that is no JSON. `help` says what to do where the error itself does not.
    #[must_use]
    pub fn not_json(subject: Subject, error: &JsonError, help: &str) -> Self {
        let what = if error.is_too_deep() {
            "is"
        } else if matches!(error.kind(), JsonErrorKind::NotUtf8) {
            "is not UTF-8:"
        } else {
            "is not JSON:"
        };
        let mut problem = Diagnostic::from(error);
        problem.message = format!("{} {what} {error}", subject.noun);
        problem.help = problem.help.or_else(|| (!help.is_empty()).then(|| help.to_owned()));
        Self::one(subject, problem)
    }

    /// For one problem.
    #[must_use]
    pub fn one(subject: Subject, problem: Diagnostic) -> Self {
        Self::new(subject, vec![problem], 1)
    }

    /// For every one of `problems`, of which the first of the text are kept; `None` without any.
    #[must_use]
    pub fn all(subject: Subject, mut problems: Vec<Diagnostic>) -> Option<Self> {
        let total = problems.len();
        problems.sort_by_key(|problem| problem.span);
        problems.truncate(MAX_PROBLEMS);
        (total > 0).then(|| Self::new(subject, problems, total))
    }

    fn new(subject: Subject, mut problems: Vec<Diagnostic>, total: usize) -> Self {
        problems.sort_by_key(|problem| problem.span);
        Self { subject, problems, total }
    }

    /// The problems in the order of the text, at most [`MAX_PROBLEMS`]; never empty.
    #[must_use]
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems
    }

    /// How many problems there are, the ones beyond [`MAX_PROBLEMS`] included.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }

    /// How many there are beside [`Self::problems`].
    #[must_use]
    pub const fn omitted(&self) -> usize {
        self.total - self.problems.len()
    }

    fn only(&self) -> Option<&Diagnostic> {
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
        write!(f, "{} has {} problems", self.subject.noun, self.total)?;
        if self.total > self.problems.len() {
            write!(f, ", {} of them shown", self.problems.len())?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

impl miette::Diagnostic for Refusal {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let own = self.only().and_then(|only| only.code);
        own.or(self.subject.code).map(|code| Box::new(code) as _)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Error)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const PLAN: Subject = Subject { code: None, noun: "the plan", again: "write the plan again" };

    #[test]
    fn problems_beyond_the_twentieth_are_counted() {
        let mut problems = Problems::of(PLAN);
        for at in (0..30).rev() {
            problems.push(|| Diagnostic::error_at(Span::new(at, at + 1), "wrong"));
        }
        let refusal = problems.into_refusal().unwrap();
        assert_eq!((refusal.problems().len(), refusal.total()), (20, 30));
        assert_eq!(refusal.to_string(), "the plan has 30 problems, 20 of them shown");
        assert!(refusal.problems().is_sorted_by_key(|problem| problem.span));
    }

    #[test]
    fn the_first_label_is_the_place() {
        let problem = Diagnostic::error("two of them")
            .label(Span::new(5, 6), "again")
            .label(Span::new(1, 2), "first");
        let refusal = Refusal::one(PLAN, problem);
        let found = &refusal.problems()[0];
        assert_eq!(found.span.line_column("ab\ncdef").to_string(), "2:3");
        assert_eq!(refusal.to_string(), "two of them");
        assert_eq!(found.clone().placed(|s| Span::new(s.start + 1, s.end + 1)).span.start, 6);
    }
}
