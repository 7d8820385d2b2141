//! One remark about a policy document.

use text::diagnostic::{Diagnostic, Severity};
use text::span::Span;

use super::slips::{Probe, SlipsThrough};

/// One remark about a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintFinding {
    /// What is wrong, with its code (for instance `lint::for-all-values-in-deny`) and places.
    pub diagnostic: Diagnostic,
    /// A request that gets past the document because of it.
    pub slips_through: Option<SlipsThrough>,
}

impl LintFinding {
    pub(super) fn new(
        severity: Severity,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Diagnostic::coded(severity, code, span, message, label).into()
    }

    pub(super) fn warning(
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Warning, code, span, message, label)
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    pub(super) fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.diagnostic = self.diagnostic.also(span, label);
        self
    }

    /// Its stable name; every finding has one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.diagnostic.code.unwrap_or_default()
    }

    /// Takes in what the procedure said: a request, or that nothing gets past.
    pub(super) fn weighed(mut self, probe: Probe) -> Self {
        match probe {
            Probe::Slips(slips) => self.slips_through = Some(*slips),
            Probe::Stopped => {
                self.diagnostic.severity = self.diagnostic.severity.min(Severity::Advice);
                let help = self.diagnostic.help.take().unwrap_or_default();
                let join = if help.ends_with('?') { " " } else { "; " };
                self.diagnostic.help =
                    Some(help + join + "no mail slips through for this reason alone");
            }
            Probe::Unknown | Probe::NotAsked => {}
        }
        self
    }
}

impl From<Diagnostic> for LintFinding {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, slips_through: None }
    }
}
