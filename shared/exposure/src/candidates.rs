//! The finite set of principals that a resource-based policy can tell apart.
//!
//! A principal element names accounts, users, roles, sessions and services, or everyone. So all
//! principals fall into few classes: each one that is named, the others of each account that is
//! named, and everybody else. Within a class every statement's principal element says the same.

use std::collections::{BTreeMap, BTreeSet};

use policy::model::{Policy, PrincipalKind, Principals};
use policy::principal::Requester;

use crate::inside::Inside;

/// On which side of the perimeter a principal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PerimeterSide {
    /// Outside the organization; AWS services that act for outsiders included.
    Outside,
    /// Inside the organization; no services.
    Inside,
}

/// A class of principals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Candidate {
    /// A principal of some account that no principal element names.
    Stranger,
    /// A principal of this account that is not named by itself.
    OfAccount(String),
    /// The user, role or federated user with this ARN.
    Named {
        /// Its account.
        account: String,
        /// `aws:PrincipalArn`.
        arn: String,
    },
    /// The session with this ARN.
    Session {
        /// Its account.
        account: String,
        /// The name of the role, whose path is not known.
        role: String,
        /// The session's ARN.
        session: String,
        /// `aws:PrincipalArn` where a role of that name is named too; otherwise it is that of no
        /// role that is named.
        arn: Option<String>,
    },
    /// This service, acting for an account outside.
    Service(String),
    /// A service that is not named, acting for an account outside.
    AnyService,
}

impl Candidate {
    /// One principal of the class for the principal elements; the account or ARN of a class with
    /// many members is one that no element can name.
    pub(crate) fn requester(&self) -> Requester<'_> {
        match self {
            Self::Stranger => Requester::Aws { account: "", arn: "", session: None },
            Self::OfAccount(account) => Requester::Aws { account, arn: "", session: None },
            Self::Named { account, arn } => Requester::Aws { account, arn, session: None },
            Self::Session { account, session, arn, .. } => Requester::Aws {
                account,
                arn: arn.as_deref().unwrap_or_default(),
                session: Some(session),
            },
            Self::Service(name) => Requester::Service(name),
            Self::AnyService => Requester::Service(""),
        }
    }
}

/// What the principal elements of some policies name.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Every account named, be it through an ARN, with the ARNs of its users, roles and federated
    /// users.
    pub(crate) accounts: BTreeMap<String, BTreeSet<String>>,
    /// Every session named: account, role name, ARN.
    sessions: BTreeSet<(String, String, String)>,
    /// Every service named.
    pub(crate) services: BTreeSet<String>,
}

impl Named {
    pub(crate) fn of(policies: &[&Policy]) -> Self {
        let mut named = Self::default();
        let statements = policies.iter().flat_map(|policy| &policy.statements);
        for principals in statements.filter_map(|statement| statement.principals.as_ref()) {
            let (Principals::Listed(listed) | Principals::AllExcept(listed)) = principals;
            for principal in listed {
                match &principal.kind {
                    PrincipalKind::Account(account) => {
                        named.accounts.entry(account.clone()).or_default();
                    }
                    PrincipalKind::Identity { account }
                    | PrincipalKind::FederatedUser { account } => {
                        let arns = named.accounts.entry(account.clone()).or_default();
                        arns.insert(principal.text.clone());
                    }
                    PrincipalKind::RoleSession { account, role } => {
                        named.accounts.entry(account.clone()).or_default();
                        let session = (account.clone(), role.clone(), principal.text.clone());
                        named.sessions.insert(session);
                    }
                    PrincipalKind::Service => {
                        named.services.insert(principal.text.clone());
                    }
                    PrincipalKind::Everyone | PrincipalKind::Deleted | PrincipalKind::Unknown => {}
                }
            }
        }
        named
    }

    /// The classes of one side, everybody else first: what lets them in lets in the most.
    pub(crate) fn candidates(&self, side: PerimeterSide, inside: &Inside) -> Vec<Candidate> {
        let mut candidates = vec![Candidate::Stranger];
        let on_side = |account: &str| inside.has(account) == (side == PerimeterSide::Inside);
        for (account, arns) in self.accounts.iter().filter(|(account, _)| on_side(account)) {
            candidates.push(Candidate::OfAccount(account.clone()));
            candidates.extend(
                arns.iter()
                    .map(|arn| Candidate::Named { account: account.clone(), arn: arn.clone() }),
            );
        }
        for (account, role, session) in &self.sessions {
            if !on_side(account) {
                continue;
            }
            let of = |arn: Option<String>| Candidate::Session {
                account: account.clone(),
                role: role.clone(),
                session: session.clone(),
                arn,
            };
            let arns = self.accounts.get(account).into_iter().flatten();
            candidates
                .extend(arns.filter(|arn| is_role(arn, role)).map(|arn| of(Some(arn.clone()))));
            candidates.push(of(None));
        }
        if side == PerimeterSide::Outside {
            candidates.extend(self.services.iter().cloned().map(Candidate::Service));
            candidates.push(Candidate::AnyService);
        }
        candidates
    }
}

/// Whether `arn` is that of a role with this name, whatever its path.
fn is_role(arn: &str, name: &str) -> bool {
    arn.contains(":role/") && arn.rsplit('/').next() == Some(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use policy::parse::{Dialect, Limits, parse_as};

    use super::*;

    fn candidates(principal: &str, side: PerimeterSide) -> Vec<Candidate> {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow",
                "Principal": {principal}, "Action": "*", "Resource": "*"}}}}"#
        );
        let policy = parse_as(Dialect::ResourceBased, &text, &Limits::default()).unwrap().policy;
        let inside = Inside {
            organization: "o-caseorg0001".to_owned(),
            partition: "aws".to_owned(),
            management_account: "222222222222".to_owned(),
            accounts: BTreeMap::from([("222222222222".to_owned(), "o-caseorg0001/r/".to_owned())]),
        };
        Named::of(&[&policy]).candidates(side, &inside)
    }

    #[test]
    fn each_name_splits_its_account() {
        let principal = r#"{"AWS": ["222222222222", "arn:aws:iam::444455556666:role/team/app",
            "arn:aws:sts::444455556666:assumed-role/app/s", "AROAEXAMPLEROLEID0001"]}"#;
        let account = || "444455556666".to_owned();
        let arn = "arn:aws:iam::444455556666:role/team/app".to_owned();
        let session = |arn| Candidate::Session {
            account: account(),
            role: "app".to_owned(),
            session: "arn:aws:sts::444455556666:assumed-role/app/s".to_owned(),
            arn,
        };
        assert_eq!(
            candidates(principal, PerimeterSide::Outside),
            [
                Candidate::Stranger,
                Candidate::OfAccount(account()),
                Candidate::Named { account: account(), arn: arn.clone() },
                session(Some(arn)),
                session(None),
                Candidate::AnyService,
            ]
        );
        let own = Candidate::OfAccount("222222222222".to_owned());
        assert_eq!(candidates(principal, PerimeterSide::Inside), [Candidate::Stranger, own]);
    }

    #[test]
    fn everybody_else_is_always_asked_about() {
        for principal in [r#""*""#, "{}", r#"{"Federated": "x"}"#, r#"{"AWS": "222222222222"}"#] {
            let candidates = candidates(principal, PerimeterSide::Outside);
            assert_eq!(candidates, [Candidate::Stranger, Candidate::AnyService], "{principal}");
        }
    }
}
