//! Why a plan is refused.

use std::fmt;

use miette::LabeledSpan;
use policy::span::{LineColumn, Span};

/// The most problems that one error tells about; the rest is counted.
const SHOWN: usize = 20;

/// Why a plan cannot be turned into edits: one or more problems, each with its place.
///
/// The error does not own the text. Render it with the plan as its source code, for instance
/// through [`miette::Report::with_source_code`]; [`organization::Clipped`] keeps excerpts short,
/// as plans often stand on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    /// Never empty, in the order of the text.
    problems: Vec<PlanProblem>,
    total: usize,
}

/// One thing that keeps a plan from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanProblem {
    message: String,
    position: LineColumn,
    span: Span,
    label: String,
    help: Option<String>,
}

impl PlanError {
    pub(super) fn one(problem: PlanProblem, text: &str) -> Self {
        Self::new(vec![problem], 1, text)
    }

    fn new(mut problems: Vec<PlanProblem>, total: usize, text: &str) -> Self {
        problems.sort_by_key(|problem| problem.span);
        for problem in &mut problems {
            problem.position = problem.span.line_column(text);
        }
        Self { problems, total }
    }

    /// The problems in the order of the text, at most twenty; never empty.
    #[must_use]
    pub fn problems(&self) -> &[PlanProblem] {
        &self.problems
    }

    /// How many problems there are, the ones that are not told about included.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }

    fn only(&self) -> Option<&PlanProblem> {
        match self.problems.as_slice() {
            [only] if self.total == 1 => Some(only),
            _ => None,
        }
    }
}

impl PlanProblem {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        let position = LineColumn { line: 1, column: 1 };
        Self { message: message.into(), position, span, label: String::new(), help: None }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) const fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// What is wrong, with the address of the resource.
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

    /// What to do about it.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

/// Problems while they are collected.
#[derive(Debug, Default)]
pub(super) struct Problems {
    kept: Vec<PlanProblem>,
    total: usize,
}

impl Problems {
    /// Notes a problem; `problem` runs only while there is room, as suggestions cost time.
    pub(super) fn push(&mut self, problem: impl FnOnce() -> PlanProblem) {
        self.total += 1;
        if self.kept.len() < SHOWN {
            self.kept.push(problem());
        }
    }

    pub(super) const fn none(&self) -> bool {
        self.total == 0
    }

    /// The error, if anything was noted.
    pub(super) fn into_error(self, text: &str) -> Option<PlanError> {
        if self.kept.is_empty() {
            return None;
        }
        Some(PlanError::new(self.kept, self.total, text))
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(only) = self.only() {
            return only.fmt(f);
        }
        write!(f, "the plan has {} problems", self.total)?;
        if self.total > self.problems.len() {
            write!(f, ", {} of them shown", self.problems.len())?;
        }
        Ok(())
    }
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PlanError {}

impl std::error::Error for PlanProblem {}

impl miette::Diagnostic for PlanError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new("changes::plan"))
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

impl miette::Diagnostic for PlanProblem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        // Without a label there is no place in the text that would help.
        if self.label.is_empty() {
            return None;
        }
        let label = LabeledSpan::new_primary_with_span(Some(self.label.clone()), self.span);
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_beyond_the_twentieth_are_counted() {
        let mut problems = Problems::default();
        for at in (0..30).rev() {
            problems.push(|| PlanProblem::new(Span::new(at, at + 1), "wrong"));
        }
        let error = problems.into_error(&" ".repeat(40)).expect("there are problems");
        assert_eq!((error.problems().len(), error.total()), (20, 30));
        assert_eq!(error.to_string(), "the plan has 30 problems, 20 of them shown");
        assert!(error.problems().is_sorted_by_key(PlanProblem::position));
    }
}
