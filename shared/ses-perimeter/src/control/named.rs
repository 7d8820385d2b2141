//! Whom a request is about.

use prover::language::{Class, Sequence};

/// What follows the account in the ARNs of service-linked roles, which SCPs do not bind.
pub(crate) const SERVICE_LINKED: &str = "role/aws-service-role/";

/// Which resource a request names, and to whom it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Named {
    /// The resource types that the action requires, or `*`.
    Required,
    /// This resource type, of those that the action can name.
    Type(&'static str),
    /// A session of the account, for `sts:TagSession`.
    Session,
    /// A role of the account.
    Role,
    /// A user of the account.
    User,
}

impl Named {
    /// What follows the account in the ARNs of the principals that are named; nothing where others
    /// are.
    #[must_use]
    pub fn tails(&self) -> Vec<Sequence> {
        let name = |start: Sequence| start.some(Class::IamName);
        let below = |start: Sequence| name(start.some(Class::IamPath).then("/"));
        match self {
            Self::Role | Self::User => {
                let role = *self == Self::Role;
                let start = Sequence::literal(if role { "role/" } else { "user/" });
                vec![name(start.clone()), below(start)]
            }
            Self::Session => {
                let assumed = name(Sequence::literal("assumed-role/")).then("/");
                vec![name(Sequence::literal("federated-user/")), name(assumed)]
            }
            Self::Required | Self::Type(_) => Vec::new(),
        }
    }
}
