//! Single changes of an organization.

/// A change of an organization, in the terms of Organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// UpdatePolicy: the policy gets this document.
    Replace {
        /// Its id.
        policy: String,
        /// The new document.
        content: String,
    },
    /// CreatePolicy: a service control policy of this name, attached nowhere yet.
    Create {
        /// What other edits call it: its id once it is there. A valid policy id.
        policy: String,
        /// Its name.
        name: String,
        /// Its document.
        content: String,
    },
    /// DeletePolicy: the policy, which is attached nowhere any more.
    Delete {
        /// Its id.
        policy: String,
    },
    /// AttachPolicy.
    Attach {
        /// The policy's id.
        policy: String,
        /// The id of the root, unit or account.
        target: String,
    },
    /// DetachPolicy.
    Detach {
        /// The policy's id.
        policy: String,
        /// The id of the root, unit or account.
        target: String,
    },
    /// MoveAccount.
    Move {
        /// The account's id.
        account: String,
        /// The id of the root or unit that it moves to.
        parent: String,
    },
}
