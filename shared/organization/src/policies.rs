//! Policies as an organization stores them, and their documents.

use policy::diagnostic::{Diagnostic, UnreadablePolicy};
use policy::model::Policy;

use crate::id::PolicyId;

/// A policy by its position in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyIdx(pub(crate) u32);

/// A document by its position among the distinct documents of a snapshot.
///
/// Policies with the same text share one document, so whatever is worked out for a document is
/// worked out once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentIdx(pub(crate) u32);

impl PolicyIdx {
    /// The position as a number, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl DocumentIdx {
    /// The position as a number, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A policy of any type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPolicy {
    /// Its id.
    pub id: PolicyId,
    /// Its name; the id where the snapshot has no name.
    pub name: Box<str>,
    /// What kind of policy it is.
    pub kind: PolicyKind,
    /// Whether AWS maintains it.
    pub aws_managed: bool,
    /// Its document.
    pub document: DocumentIdx,
}

/// Organizations' policy types, as far as they matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyKind {
    /// `SERVICE_CONTROL_POLICY`.
    ServiceControl,
    /// Any other type, by its name; such a policy is kept but never part of an SCP stack.
    Other(Box<str>),
}

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// The text could be read.
    Readable {
        /// The document as Organizations stores it.
        text: Box<str>,
        /// What it means.
        policy: Policy,
        /// What is suspicious about it.
        warnings: Vec<Diagnostic>,
    },
    /// Nobody knows what the document means; whatever it may touch is undecided.
    Unreadable {
        /// The document as Organizations stores it, where the snapshot has it.
        text: Option<Box<str>>,
        /// Why, in a sentence without a stop.
        message: String,
        /// The same with every problem and its span, where there is a text.
        error: Option<UnreadablePolicy>,
    },
    /// The document of a policy that is no service control policy; it is not read.
    Foreign {
        /// The document as Organizations stores it, where the snapshot has it.
        text: Option<Box<str>>,
    },
}

impl Document {
    /// The text, where the snapshot has it; the spans of the policy point into it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Readable { text, .. } => Some(text),
            Self::Unreadable { text, .. } | Self::Foreign { text } => text.as_deref(),
        }
    }

    /// The policy, where the text could be read.
    #[must_use]
    pub const fn policy(&self) -> Option<&Policy> {
        match self {
            Self::Readable { policy, .. } => Some(policy),
            Self::Unreadable { .. } | Self::Foreign { .. } => None,
        }
    }
}

/// A service control policy on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttachedScp {
    /// The policy.
    pub policy: PolicyIdx,
    /// Its document.
    pub document: DocumentIdx,
}

/// The service control policies of every target, each list stored once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attachments {
    /// For each target the start of its list; one entry more than there are targets.
    starts: Vec<u32>,
    scps: Vec<AttachedScp>,
}

impl Attachments {
    /// From pairs of a target's position and a policy, sorted by target.
    pub(crate) fn new(targets: usize, pairs: &[(u32, AttachedScp)]) -> Self {
        let mut starts = Vec::with_capacity(targets + 1);
        let mut next = 0;
        for target in 0..=crate::tree::narrow(targets) {
            while pairs.get(next).is_some_and(|(other, _)| *other < target) {
                next += 1;
            }
            starts.push(crate::tree::narrow(next));
        }
        Self { starts, scps: pairs.iter().map(|(_, scp)| *scp).collect() }
    }

    pub(crate) fn on(&self, target: crate::tree::TargetIdx) -> &[AttachedScp] {
        let start = self.starts.get(target.index());
        let end = self.starts.get(target.index() + 1);
        let (Some(start), Some(end)) = (start, end) else { return &[] };
        self.scps.get(*start as usize..*end as usize).unwrap_or_default()
    }
}
