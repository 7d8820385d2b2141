//! Who a statement of a resource-based policy is about.
//!
//! # Source
//! IAM User Guide, "AWS JSON policy elements: Principal": an account stands for every principal
//! of it, a role for its sessions; `"*"` and `{"AWS": "*"}` are the same.

use crate::condition::{Open, OpenPoint, Truth};
use crate::model::{
    Obstacle, ObstacleKind, Policy, Principal, PrincipalKind, Principals, Statement,
};

/// Who makes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester<'a> {
    /// A principal of an account.
    Aws {
        /// The account's twelve digits.
        account: &'a str,
        /// `aws:PrincipalArn`: of a session of a role the role's.
        arn: &'a str,
        /// The ARN of the session, where it is a session of a role.
        session: Option<&'a str>,
    },
    /// An AWS service that acts for itself, by its principal name.
    Service(&'a str),
}

/// Whether `principals` cover `requester`.
#[must_use]
pub fn principal_matches(principals: &Principals, requester: Requester<'_>) -> Truth {
    match principals {
        Principals::Listed(listed) => Truth::any(listed.iter().map(|one| matches(one, requester))),
        Principals::AllExcept(listed) => Truth::Open(vec![Open {
            point: OpenPoint::Statement(ObstacleKind::UnmodelledPrincipal),
            span: listed.first().map(|one| one.span).unwrap_or_default(),
            message: "`NotPrincipal` is not modelled".to_owned(),
        }]),
    }
}

fn matches(principal: &Principal, requester: Requester<'_>) -> Truth {
    let (account, arn, session) = match requester {
        Requester::Aws { account, arn, session } => (account, arn, session),
        Requester::Service(name) => {
            return match principal.kind {
                PrincipalKind::Everyone => Truth::Yes,
                PrincipalKind::Service => Truth::from(principal.text == name),
                PrincipalKind::Unknown => unknown(principal),
                PrincipalKind::Account(_)
                | PrincipalKind::Identity { .. }
                | PrincipalKind::RoleSession { .. }
                | PrincipalKind::FederatedUser { .. }
                | PrincipalKind::Deleted => Truth::No,
            };
        }
    };
    match &principal.kind {
        PrincipalKind::Everyone => Truth::Yes,
        PrincipalKind::Account(own) => Truth::from(own == account),
        PrincipalKind::Identity { .. } | PrincipalKind::FederatedUser { .. } => {
            Truth::from(principal.text == arn)
        }
        PrincipalKind::RoleSession { .. } => Truth::from(session == Some(&principal.text)),
        PrincipalKind::Deleted | PrincipalKind::Service => Truth::No,
        PrincipalKind::Unknown => unknown(principal),
    }
}

fn unknown(principal: &Principal) -> Truth {
    Truth::Open(vec![Open {
        point: OpenPoint::Statement(ObstacleKind::MalformedPrincipal),
        span: principal.span,
        message: "a principal that is not understood".to_owned(),
    }])
}

/// The statements of `policy` that are, or may be, about `requester`.
///
/// Where it is open whether a statement is, the statement gets an obstacle. A statement without a
/// principal element keeps the obstacle that the reader gave it; in an SCP, which has no
/// principals, every statement stays. Each keeps its [`Statement::index`].
#[must_use]
pub fn addressed_to(policy: &Policy, requester: Requester<'_>) -> Policy {
    let addressed = |statement: &Statement| {
        let Some(principals) = &statement.principals else { return Some(statement.clone()) };
        let obstructed = statement.obstacles.iter().any(|obstacle| concerns(obstacle.kind));
        match principal_matches(principals, requester) {
            Truth::No if !obstructed => None,
            Truth::Open(open) if !obstructed => {
                let mut statement = statement.clone();
                statement.obstacles.extend(open.into_iter().map(
                    |Open { span, message, .. }| {
                        let kind = ObstacleKind::UnmodelledPrincipal;
                        Obstacle { kind, message, help: None, span }
                    },
                ));
                Some(statement)
            }
            Truth::Yes | Truth::No | Truth::Open(_) => Some(statement.clone()),
        }
    };
    Policy {
        version: policy.version,
        statements: policy.statements.iter().filter_map(addressed).collect(),
    }
}

/// Whether an obstacle of this kind may hide a principal.
const fn concerns(kind: ObstacleKind) -> bool {
    matches!(
        kind,
        ObstacleKind::MissingPrincipal
            | ObstacleKind::MalformedPrincipal
            | ObstacleKind::UnmodelledPrincipal
            | ObstacleKind::EmptyList
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::parse::{Dialect, Limits, parse_as};

    const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/s";

    fn read(principal: &str) -> Policy {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow",
                "Principal": {principal}, "Action": "*", "Resource": "*"}}}}"#
        );
        parse_as(Dialect::ResourceBased, &text, &Limits::default()).unwrap().policy
    }

    fn covers(principal: &str, requester: Requester<'_>) -> Truth {
        let policy = read(principal);
        principal_matches(policy.statements[0].principals.as_ref().unwrap(), requester)
    }

    #[test]
    fn a_role_stands_for_its_sessions_and_a_session_for_itself() {
        let account = "111122223333";
        let by_session = Requester::Aws { account, arn: ROLE, session: Some(SESSION) };
        let other = Requester::Aws { account, arn: ROLE, session: None };
        for requester in [by_session, other] {
            assert_eq!(covers(&format!(r#"{{"AWS": "{ROLE}"}}"#), requester), Truth::Yes);
            assert_eq!(covers(r#"{"AWS": "111122223333"}"#, requester), Truth::Yes);
            assert_eq!(covers(r#"{"AWS": "444455556666"}"#, requester), Truth::No);
            assert_eq!(covers(r#"{"AWS": "AROAEXAMPLEROLEID0001"}"#, requester), Truth::No);
            assert_eq!(covers(r#"{"Service": "ses.amazonaws.com"}"#, requester), Truth::No);
            assert_eq!(covers(r#""*""#, requester), Truth::Yes);
        }
        let session = format!(r#"{{"AWS": ["{SESSION}"]}}"#);
        assert_eq!(covers(&session, by_session), Truth::Yes);
        assert_eq!(covers(&session, other), Truth::No);
    }

    #[test]
    fn a_service_is_itself_or_everyone() {
        let requester = Requester::Service("cognito-idp.amazonaws.com");
        let services = r#"{"Service": ["a.amazonaws.com", "cognito-idp.amazonaws.com"]}"#;
        assert_eq!(covers(services, requester), Truth::Yes);
        assert_eq!(covers(r#"{"Service": "a.amazonaws.com"}"#, requester), Truth::No);
        assert_eq!(covers(r#"{"AWS": "*"}"#, requester), Truth::Yes);
        assert_eq!(covers(r#"{"AWS": "111122223333"}"#, requester), Truth::No);
    }

    #[test]
    fn what_is_not_understood_is_open_and_obstructs_its_statement() {
        let requester = Requester::Service("a.amazonaws.com");
        for principal in [
            r#"{"Federated": "x"}"#,
            r#"{"AWS": "x"}"#,
            r#""x""#,
            r#"{"Aws": "*"}"#,
            r#"{}"#,
            r#"{"AWS": []}"#,
        ] {
            let policy = addressed_to(&read(principal), requester);
            assert_eq!(policy.statements.len(), 1, "{principal}");
            assert_eq!(policy.statements[0].obstacles.len(), 1, "{principal}");
        }
    }
}
