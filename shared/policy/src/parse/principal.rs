//! `Principal` and `NotPrincipal` of resource-based policies.
//!
//! # Source
//! IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".

use text::json::{Kind, Member, Value};
use text::span::Span;
use text::words::{did_you_mean, nearest, quote};

use super::elements::{empty_list, strings};
use super::notes::{Notes, head, member, shape, wrong_type};
use crate::arn::{Arn, is_account};
use crate::model::{Obstacle, ObstacleKind, Principal, PrincipalKind, Principals};
use text::fields::Text;

/// The elements that name principals.
pub(super) const ELEMENTS: [&str; 2] = ["Principal", "NotPrincipal"];

/// The kinds of principal in an object.
const KINDS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

pub(super) fn read(
    statement: &Value<'_>,
    members: &[Member<'_>],
    notes: &mut Notes,
    obstacles: &mut Vec<Obstacle>,
) -> Option<Principals> {
    let element = match ELEMENTS.map(|name| member(members, name)) {
        [Some(first), Some(second)] => {
            notes.error(
                shape(
                    second.key_span,
                    "the statement has both `Principal` and `NotPrincipal`",
                    "and this",
                )
                .also(first.key_span, "this")
                .help("keep one of them; split the statement if both are needed"),
            );
            return None;
        }
        [Some(element), None] | [None, Some(element)] => element,
        [None, None] => {
            obstacles.push(Obstacle {
                kind: ObstacleKind::MissingPrincipal,
                message: "the statement names no principal".to_owned(),
                help: Some(
                    "add `\"Principal\": {\"AWS\": \"ACCOUNT\"}` with the account that is meant"
                        .to_owned(),
                ),
                span: head(statement),
            });
            return None;
        }
    };
    let listed = principals(element, notes, obstacles)?;
    if element.key == "Principal" {
        return Some(Principals::Listed(listed));
    }
    // IAM counts an account, a role and its session as different entries here, which nobody
    // gets right at first; no verdict may rest on a guess.
    obstacles.push(Obstacle {
        kind: ObstacleKind::UnmodelledPrincipal,
        message: "`NotPrincipal` is not modelled".to_owned(),
        help: Some(
            "write `\"Principal\": \"*\"` with a condition on `aws:PrincipalArn` or \
             `aws:PrincipalOrgID`, as AWS recommends"
                .to_owned(),
        ),
        span: element.key_span,
    });
    Some(Principals::AllExcept(listed))
}

fn principals(
    element: &Member<'_>,
    notes: &mut Notes,
    obstacles: &mut Vec<Obstacle>,
) -> Option<Vec<Principal>> {
    let value = &element.value;
    match &value.kind {
        Kind::String(text) => {
            let text = Text { text: text.as_ref(), span: value.span };
            let kind = if text.text == "*" {
                PrincipalKind::Everyone
            } else {
                obstacles.push(malformed(
                    &text,
                    "only `*` stands alone; write `{\"AWS\": \"...\"}` for an account, user or role",
                ));
                PrincipalKind::Unknown
            };
            Some(vec![principal(&text, kind)])
        }
        Kind::Object(kinds) => {
            if kinds.is_empty() {
                obstacles.push(empty_list(&element.key, value.span));
            }
            let mut listed = Vec::new();
            let mut sound = true;
            for of_kind in kinds {
                match strings(of_kind, notes, obstacles) {
                    Some(texts) => listed.extend(
                        texts
                            .iter()
                            .map(|text| one(&of_kind.key, of_kind.key_span, text, obstacles)),
                    ),
                    None => sound = false,
                }
            }
            sound.then_some(listed)
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) => {
            let name = format!("`{}`", element.key);
            notes.error(wrong_type(&name, "`*` or an object", value));
            None
        }
    }
}

fn principal(text: &Text<'_>, kind: PrincipalKind) -> Principal {
    Principal { kind, text: text.text.to_owned(), span: text.span }
}

fn one(key: &str, key_span: Span, text: &Text<'_>, obstacles: &mut Vec<Obstacle>) -> Principal {
    let kind = match key {
        "AWS" => aws(text.text),
        "Service" => service(text.text),
        "Federated" | "CanonicalUser" => {
            obstacles.push(Obstacle {
                kind: ObstacleKind::UnmodelledPrincipal,
                message: format!("a `{key}` principal is not modelled"),
                help: Some("policies of SES and its endpoints name `AWS` and `Service`".to_owned()),
                span: text.span,
            });
            return principal(text, PrincipalKind::Unknown);
        }
        other => {
            let help = match nearest(other, KINDS) {
                Some(candidate) => did_you_mean(candidate),
                None => format!("the kinds are `{}`", KINDS.join("`, `")),
            };
            obstacles.push(Obstacle {
                kind: ObstacleKind::MalformedPrincipal,
                message: format!("unknown kind of principal {}", quote(other)),
                help: Some(help),
                span: key_span,
            });
            return principal(text, PrincipalKind::Unknown);
        }
    };
    let kind = kind.unwrap_or_else(|help| {
        obstacles.push(malformed(text, help));
        PrincipalKind::Unknown
    });
    principal(text, kind)
}

fn malformed(text: &Text<'_>, help: &str) -> Obstacle {
    Obstacle {
        kind: ObstacleKind::MalformedPrincipal,
        message: format!("malformed principal {}", quote(text.text)),
        help: Some(help.to_owned()),
        span: text.span,
    }
}

fn service(text: &str) -> Result<PrincipalKind, &'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if text.contains('.') && text.chars().all(allowed) {
        Ok(PrincipalKind::Service)
    } else {
        Err("write the service's principal name, for instance `cognito-idp.amazonaws.com`")
    }
}

/// What a principal under `AWS` is.
///
/// # Errors
/// Help for a text that is none of IAM's forms.
fn aws(text: &str) -> Result<PrincipalKind, &'static str> {
    const HELP: &str = "write `*`, an account of 12 digits, or the whole ARN of a user, a role or \
                        a role session; wildcards do not work inside";
    if text == "*" {
        return Ok(PrincipalKind::Everyone);
    }
    if is_account(text) {
        return Ok(PrincipalKind::Account(text.to_owned()));
    }
    if is_unique_id(text) {
        return Ok(PrincipalKind::Deleted);
    }
    let Some(Arn { partition, service, region: "", account, resource }) = Arn::of(text) else {
        return Err(HELP);
    };
    let plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && !"*?${}:".contains(c))
    };
    let known = partition.starts_with("aws") && is_account(account);
    if !known || !plain(resource) || resource.contains("//") {
        return Err(HELP);
    }
    let account = account.to_owned();
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    match (service, kind) {
        ("iam", "root") if name.is_empty() && resource == "root" => {
            Ok(PrincipalKind::Account(account))
        }
        ("iam", "user" | "role") if name.rsplit('/').next().is_some_and(is_name) => {
            Ok(PrincipalKind::Identity { account })
        }
        ("sts", "assumed-role") => match name.split_once('/') {
            Some((role, session)) if is_name(role) && is_name(session) => {
                Ok(PrincipalKind::RoleSession { account, role: role.to_owned() })
            }
            Some(_) | None => Err(HELP),
        },
        ("sts", "federated-user") if is_name(name) => Ok(PrincipalKind::FederatedUser { account }),
        _ => Err(HELP),
    }
}

/// Whether IAM takes `text` for the name of a user, a role or a session.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

/// Whether `text` is the unique id that IAM shows in place of a user or role that was deleted.
fn is_unique_id(text: &str) -> bool {
    const SHORTEST: usize = 16;
    (text.starts_with("AIDA") || text.starts_with("AROA"))
        && text.len() >= SHORTEST
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> String {
        "111122223333".to_owned()
    }

    #[test]
    fn each_form_of_an_aws_principal_is_recognized() {
        let arn = |service: &str, rest: &str| format!("arn:aws:{service}::111122223333:{rest}");
        assert_eq!(aws("*"), Ok(PrincipalKind::Everyone));
        assert_eq!(aws("111122223333"), Ok(PrincipalKind::Account(account())));
        assert_eq!(aws(&arn("iam", "root")), Ok(PrincipalKind::Account(account())));
        for rest in ["user/anna", "role/app", "role/team/app"] {
            assert_eq!(aws(&arn("iam", rest)), Ok(PrincipalKind::Identity { account: account() }));
        }
        let session = PrincipalKind::RoleSession { account: account(), role: "app".to_owned() };
        assert_eq!(aws(&arn("sts", "assumed-role/app/i-1")), Ok(session));
        let federated = PrincipalKind::FederatedUser { account: account() };
        assert_eq!(aws(&arn("sts", "federated-user/anna")), Ok(federated));
        assert_eq!(aws("AROAEXAMPLEROLEID0001"), Ok(PrincipalKind::Deleted));
    }

    #[test]
    fn what_is_no_form_of_iam_is_refused() {
        for text in [
            "",
            "**",
            "11112222333",
            "1111222233334",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::*:root",
            "arn:aws:iam::111122223333:group/all",
            "arn:aws:iam::111122223333:root/x",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/a(b)",
            "arn:aws:iam::111122223333:role//app",
            "arn:aws:sts::111122223333:federated-user/a/b",
            "arn:aws:iam:us-east-1:111122223333:role/app",
            "arn:aws:sts::111122223333:assumed-role/app",
            "arn:aws:sts::111122223333:assumed-role/app/a/b",
            "AROA",
            "AGPAEXAMPLEGROUPID0001",
        ] {
            assert!(aws(text).is_err(), "{text}");
        }
        assert!(service("cognito-idp.amazonaws.com").is_ok());
        for text in ["", "ses", "*.amazonaws.com", "SES.amazonaws.com"] {
            assert!(service(text).is_err(), "{text}");
        }
    }
}
