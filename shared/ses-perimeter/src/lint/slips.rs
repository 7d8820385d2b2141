//! The request that shows a finding.

use std::fmt;

use policy::arn::Arn;
use policy::request::ContextValue;
use prover::Witness;

use super::words::and;
use crate::control::{Path, RequestDetail};
use crate::table::Api;

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

/// What became of the requests that a repaired statement would stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Probe {
    /// This one gets past the document.
    Slips(Box<SlipsThrough>),
    /// Something else in the document stops them all.
    Stopped,
    /// Nobody could say.
    Unknown,
    /// The statement is about nothing that is sent.
    NotAsked,
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
        if let RequestDetail::Tag { key, value } = &path.special {
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
