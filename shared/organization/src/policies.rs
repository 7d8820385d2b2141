//! Policies as an organization stores them, and their documents.

use policy::model::Policy;
use policy::parse::Limits;
use text::diagnostic::{Diagnostic, Refusal as UnreadablePolicy};

use crate::id::PolicyId;
use crate::tree::{TargetIdx, narrow};

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
    /// The document of a service control policy.
    pub(crate) fn of_scp(text: &str, limits: &Limits) -> Self {
        match policy::parse::parse(text, limits) {
            Ok(parsed) => Self::Readable {
                text: text.into(),
                policy: parsed.policy,
                warnings: parsed.warnings,
            },
            Err(error) => Self::Unreadable {
                message: unreadable_message(&error, text),
                text: Some(text.into()),
                error: Some(error),
            },
        }
    }

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

/// The first problem with its place in the document, and how many more there are.
fn unreadable_message(error: &UnreadablePolicy, text: &str) -> String {
    let Some(first) = error.problems().first() else { return error.to_string() };
    let mut message =
        format!("{} (at {} of the policy document", first.message, first.span.line_column(text));
    let more = error.total() - 1;
    if more > 0 {
        message.push_str(&format!(", and {more} more problems"));
    }
    message.push(')');
    message
}

/// A policy on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) target: TargetIdx,
    pub(crate) policy: PolicyIdx,
    /// Its place among all attachments.
    pub(crate) order: u32,
}

/// The service control policies of every target, each list stored once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attachments {
    /// For each target the start of its list; one entry more than there are targets.
    starts: Vec<u32>,
    scps: Vec<AttachedScp>,
    /// For each of `scps` its place among all attachments.
    orders: Vec<u32>,
}

impl Attachments {
    /// From attachments of `policies` to as many targets, none of them twice; those of policies of
    /// other types are left out.
    pub(crate) fn new(
        targets: usize,
        policies: &[StoredPolicy],
        mut attachments: Vec<Attachment>,
    ) -> Self {
        attachments.sort_unstable_by_key(|attachment| (attachment.target, attachment.order));
        let mut all = Self::default();
        let mut next = 0;
        let mut listed = attachments.into_iter().peekable();
        for target in 0..=narrow(targets) {
            while let Some(found) = listed.next_if(|listed| listed.target.0 < target) {
                let policy = policies.get(found.policy.index()).filter(|policy| policy.is_scp());
                if let Some(policy) = policy {
                    all.scps.push(AttachedScp { policy: found.policy, document: policy.document });
                    all.orders.push(found.order);
                    next += 1;
                }
            }
            all.starts.push(next);
        }
        all
    }

    /// All of them in the order of the snapshot.
    pub(crate) fn listed(&self) -> Vec<Attachment> {
        let mut listed = Vec::with_capacity(self.scps.len());
        let mut scps = self.scps.iter().zip(&self.orders);
        for (target, bounds) in self.starts.windows(2).enumerate() {
            let [start, end] = bounds else { continue };
            let on = scps.by_ref().take(end.saturating_sub(*start) as usize);
            let target = TargetIdx(narrow(target));
            listed.extend(on.map(|(scp, order)| Attachment {
                target,
                policy: scp.policy,
                order: *order,
            }));
        }
        listed.sort_unstable_by_key(|attachment| attachment.order);
        listed
    }

    pub(crate) fn on(&self, target: TargetIdx) -> &[AttachedScp] {
        let start = self.starts.get(target.index());
        let end = self.starts.get(target.index() + 1);
        let (Some(start), Some(end)) = (start, end) else { return &[] };
        self.scps.get(*start as usize..*end as usize).unwrap_or_default()
    }
}
