//! What a plan comes to.

use std::collections::BTreeSet;

use organization::{Edit, OwnedTargetId, PolicyId};

/// What a plan does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The edits, in an order in which they can be made and no target lacks a policy in between:
    /// new documents and policies, new units and accounts, attachments, detachments, moves,
    /// deletions.
    pub edits: Vec<Edit>,
    /// What was passed over and what was assumed; sentences without a stop.
    pub notes: Vec<String>,
    /// What nobody knows until it is made: whatever it touches is undecided.
    pub unknown: Vec<Unknown>,
    /// Attachments of which the plan does not say which policy they attach.
    pub choices: Vec<Choice>,
}

/// A policy's document, or a target with what is below it, that is known only after apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The policy of which nobody knows the document.
    pub policy: Option<PolicyId>,
    /// The target of which nobody knows what becomes of it.
    pub target: Option<OwnedTargetId>,
    /// Why, with its place in the plan; a sentence without a stop.
    pub why: String,
}

impl From<Choice> for Unknown {
    /// Where there are more ways than are looked at.
    fn from(choice: Choice) -> Self {
        let why = format!("{}; these are more ways than are looked at", choice.why);
        Self { policy: None, target: Some(choice.target), why }
    }
}

/// An attachment of one of several policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The root, unit or account.
    pub target: OwnedTargetId,
    /// The policies, of which it is one; `None` for one that is no service control policy.
    pub policies: BTreeSet<Option<PolicyId>>,
    /// The expression that leaves it open, with its place in the plan; a sentence without a stop.
    pub why: String,
}
