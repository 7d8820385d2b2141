//! What is wrong or doubtful in a policy document, with its place.

use std::fmt;

use miette::LabeledSpan;

use crate::json::{JsonError, JsonErrorKind};
use crate::model::{Obstacle, ObstacleKind};
use crate::span::Span;

/// How much a [`Diagnostic`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Advice,
    /// Probably not what was meant.
    Warning,
    /// The document or the statement cannot be used.
    Error,
}

/// One remark about a policy document.
///
/// It does not own the text: attach it with `miette::Report::with_source_code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name, for instance `policy::unknown-operator`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// A sentence in lower case, without a stop.
    pub message: String,
    /// A few words to stand under the place; may be empty.
    pub label: String,
    /// What to do about it, where that can be told.
    pub help: Option<String>,
    /// The place.
    pub span: Span,
    /// Another place that belongs to it, with its label: the first of two duplicates.
    pub also: Option<(Span, String)>,
}

impl Diagnostic {
    pub(crate) fn new(
        severity: Severity,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            label: label.into(),
            help: None,
            span,
            also: None,
        }
    }

    pub(crate) fn error(
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Error, code, span, message, label)
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also = Some((span, label.into()));
        self
    }

    fn labelled_spans(&self) -> Vec<LabeledSpan> {
        let mut labels = Vec::new();
        if let Some((span, label)) = &self.also {
            labels.push(LabeledSpan::new_with_span(Some(label.clone()), *span));
        }
        if !self.label.is_empty() {
            let label = Some(self.label.clone());
            labels.push(LabeledSpan::new_primary_with_span(label, self.span));
        }
        labels
    }
}

impl From<&Obstacle> for Diagnostic {
    fn from(obstacle: &Obstacle) -> Self {
        let (code, label) = match obstacle.kind {
            ObstacleKind::UnknownOperator => {
                ("policy::unknown-operator", "IAM has no such operator")
            }
            ObstacleKind::UndefinedOperator => {
                ("policy::undefined-operator", "not a defined combination")
            }
            ObstacleKind::UnknownElement => ("policy::unknown-element", "not an element of an SCP"),
            ObstacleKind::UnknownResourcePolicyElement => {
                ("policy::unknown-element", "not an element of a resource-based policy")
            }
            ObstacleKind::MissingPrincipal => ("policy::missing-principal", "this statement"),
            ObstacleKind::MalformedPrincipal => ("policy::malformed-principal", "not a principal"),
            ObstacleKind::UnmodelledPrincipal => ("policy::unmodelled-principal", "not modelled"),
            ObstacleKind::ServiceWildcard => {
                ("policy::service-wildcard", "wildcard in the service prefix")
            }
            ObstacleKind::MalformedAction => ("policy::malformed-action", "not `service:name`"),
            ObstacleKind::Placeholder => ("policy::placeholder", "not filled in"),
            ObstacleKind::MalformedVariable => {
                ("policy::malformed-variable", "not a policy variable")
            }
            ObstacleKind::MisplacedVariable => {
                ("policy::misplaced-variable", "variables do not work here")
            }
            ObstacleKind::MalformedResource => ("policy::malformed-resource", "not an ARN"),
            ObstacleKind::EmptyList => ("policy::empty-list", "empty"),
        };
        let mut diagnostic = Self::error(code, obstacle.span, obstacle.message.clone(), label);
        diagnostic.help.clone_from(&obstacle.help);
        diagnostic
    }
}

impl From<&JsonError> for Diagnostic {
    fn from(error: &JsonError) -> Self {
        let code = match error.kind() {
            JsonErrorKind::TooDeep { .. } => "policy::too-deep",
            JsonErrorKind::NotUtf8
            | JsonErrorKind::UnexpectedEnd { .. }
            | JsonErrorKind::Unexpected { .. }
            | JsonErrorKind::UnclosedString
            | JsonErrorKind::ControlCharacter(_)
            | JsonErrorKind::BadEscape
            | JsonErrorKind::LoneSurrogate
            | JsonErrorKind::TrailingComma
            | JsonErrorKind::LeadingZero
            | JsonErrorKind::TrailingText => "policy::json",
        };
        let mut diagnostic = Self::error(code, error.span(), error.to_string(), error.label());
        diagnostic.help = error.help();
        diagnostic
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
        Some(Box::new(self.code))
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
        let labels = self.labelled_spans();
        if labels.is_empty() { None } else { Some(Box::new(labels.into_iter())) }
    }
}

/// Why a policy document cannot be read at all.
///
/// Holds at least one [`Diagnostic`], in the order of the text. It does not own the text: attach
/// it with `miette::Report::with_source_code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadablePolicy {
    problems: Vec<Diagnostic>,
    omitted: usize,
}

impl UnreadablePolicy {
    /// More problems than this are only counted.
    const SHOWN: usize = 20;

    /// `Err` with every problem, or `Ok` where there is none.
    pub(crate) fn check(mut problems: Vec<Diagnostic>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by_key(|problem| problem.span.start);
        let omitted = problems.len().saturating_sub(Self::SHOWN);
        problems.truncate(Self::SHOWN);
        Err(Self { problems, omitted })
    }

    pub(crate) fn one(problem: Diagnostic) -> Self {
        Self { problems: vec![problem], omitted: 0 }
    }

    /// The problems, at least one and at most twenty.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.problems
    }

    /// How many problems there are besides [`Self::diagnostics`].
    #[must_use]
    pub const fn omitted(&self) -> usize {
        self.omitted
    }

    fn only(&self) -> Option<&Diagnostic> {
        if let [only] = self.problems.as_slice() { Some(only) } else { None }
    }
}

impl fmt::Display for UnreadablePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(only) = self.only() {
            return only.fmt(f);
        }
        write!(f, "the policy document has {} problems", self.problems.len() + self.omitted)?;
        if self.omitted > 0 {
            write!(f, ", the first {} are shown", self.problems.len())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnreadablePolicy {}

impl miette::Diagnostic for UnreadablePolicy {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self.only() {
            Some(only) => only.code(),
            None => Some(Box::new("policy::unreadable")),
        }
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
