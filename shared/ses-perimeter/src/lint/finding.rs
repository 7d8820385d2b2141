//! A finding and the request that shows it.

use std::fmt;

use policy::arn::Arn;
use policy::request::ContextValue;
use prover::Witness;
use text::diagnostic::{Diagnostic, Severity};
use text::span::Span;

use crate::control::{Path, Special};
use crate::table::Api;

use super::words::and;
use super::world::Probe;

/// One remark about a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintFinding {
    /// What is wrong, with its code (for instance `lint::for-all-values-in-deny`) and places.
    pub diagnostic: Diagnostic,
    /// A request that gets past the document because of it.
    pub slips_through: Option<SlipsThrough>,
}

/// A request that gets past a document, replayed by the plain evaluator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipsThrough {
    /// The path it takes.
    pub path: Path,
    /// The request.
    pub witness: Witness,
    /// The condition keys that are worth naming, in lower case.
    pub(super) mentioned: Vec<String>,
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

impl SlipsThrough {
    /// The tag key in the spelling that the request uses.
    pub(super) fn tag_as_set(&self, key: &str) -> Option<&str> {
        let Some(ContextValue::Many(keys)) = self.witness.context.get("aws:TagKeys") else {
            return None;
        };
        let exact = keys.iter().find(|one| *one == key);
        exact.or_else(|| keys.iter().find(|one| one.eq_ignore_ascii_case(key))).map(String::as_str)
    }
}

/// One sentence: the action, the interface, to whom, by whom, and the keys that count.
impl fmt::Display for SlipsThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, witness, mentioned } = self;
        f.write_str(&witness.action)?;
        match path.api {
            Api::V1 => f.write_str(" through API v1")?,
            Api::V2 => f.write_str(" through API v2")?,
            Api::Smtp => f.write_str(" over SMTP")?,
            Api::PinpointEmail => f.write_str(" through the Pinpoint Email API")?,
            Api::MailManager | Api::Iam | Api::Sts => {
                write!(f, " on {}", last_part(&witness.resource))?;
            }
        }
        if let Special::Tag { key, value } = &path.special {
            write!(f, " with the tag {}={value}", self.tag_as_set(key).unwrap_or(key))?;
        }
        match witness.context.get("ses:Recipients") {
            Some(ContextValue::Many(recipients)) => write!(f, " to {}", and(recipients))?,
            Some(ContextValue::One(recipient)) => write!(f, " to {recipient}")?,
            None => {}
        }
        write!(f, " by {}", last_part(witness.principal_arn()))?;
        for (name, value) in witness.context.iter() {
            let folded = name.to_ascii_lowercase();
            let worth = folded == "ses:apiversion" || mentioned.contains(&folded);
            if !worth || matches!(folded.as_str(), "ses:recipients" | "aws:principalarn") {
                continue;
            }
            match value {
                ContextValue::One(text) => write!(f, ", {name} {text}")?,
                ContextValue::Many(texts) => write!(f, ", {name} {}", and(texts))?,
            }
        }
        for name in mentioned {
            let spelled = SPELLED.iter().find(|known| known.eq_ignore_ascii_case(name));
            if let Some(spelled) = spelled
                && witness.context.get(name).is_none()
            {
                write!(f, ", without {spelled}")?;
            }
        }
        Ok(())
    }
}

/// The keys whose absence is worth a word.
const SPELLED: [&str; 2] = ["ses:ApiVersion", "ses:Recipients"];

/// What follows the account in an ARN.
fn last_part(arn: &str) -> &str {
    Arn::of(arn).map_or(arn, |parts| parts.resource)
}
