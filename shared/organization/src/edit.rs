//! Single changes of an organization, and the organization with them made.

use crate::id::{AccountId, OwnedTargetId, ParentId, PolicyId, UnitId};

mod draft;
mod named;

/// The policy that AWS attaches to every new unit and account while SCPs are enabled.
pub const FULL_ACCESS: &str = "p-FullAWSAccess";

/// A change of an organization, in the terms of Organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// UpdatePolicy: the policy gets this document.
    Replace {
        /// The policy.
        policy: PolicyId,
        /// The new document.
        content: String,
    },
    /// CreatePolicy: a service control policy of this name, attached nowhere yet.
    Create {
        /// What other edits call it: its id once it is there.
        policy: PolicyId,
        /// Its name.
        name: String,
        /// Its document.
        content: String,
    },
    /// DeletePolicy: the policy, which is attached nowhere any more.
    Delete {
        /// The policy.
        policy: PolicyId,
    },
    /// AttachPolicy.
    Attach {
        /// The policy.
        policy: PolicyId,
        /// The root, unit or account.
        target: OwnedTargetId,
    },
    /// DetachPolicy.
    Detach {
        /// The policy.
        policy: PolicyId,
        /// The root, unit or account.
        target: OwnedTargetId,
    },
    /// CreateOrganizationalUnit; AWS attaches FullAWSAccess to it.
    CreateUnit {
        /// What other edits call it: its id once it is there.
        unit: UnitId,
        /// Its name.
        name: String,
        /// The root or unit that it is in.
        parent: ParentId,
    },
    /// CreateAccount, and MoveAccount to its parent; AWS attaches FullAWSAccess to it.
    CreateAccount {
        /// What other edits call it: twelve digits that stand for its id.
        account: AccountId,
        /// Its name.
        name: String,
        /// The root or unit that it is in.
        parent: ParentId,
    },
    /// MoveAccount.
    Move {
        /// The account.
        account: AccountId,
        /// The root or unit that it moves to.
        parent: ParentId,
    },
}

impl Edit {
    /// The policy that gets a document, and the document.
    #[must_use]
    pub fn document(&self) -> Option<(&PolicyId, &str)> {
        match self {
            Self::Create { policy, content, .. } | Self::Replace { policy, content } => {
                Some((policy, content))
            }
            Self::Delete { .. }
            | Self::Attach { .. }
            | Self::Detach { .. }
            | Self::CreateUnit { .. }
            | Self::CreateAccount { .. }
            | Self::Move { .. } => None,
        }
    }
}

/// Why an edit cannot be made; Organizations would refuse it too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EditError {
    /// A sentence without a stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl EditError {
    /// An error that says what to do.
    #[must_use]
    pub fn new(message: String, help: impl Into<String>) -> Self {
        Self { message, help: Some(help.into()) }
    }
}
