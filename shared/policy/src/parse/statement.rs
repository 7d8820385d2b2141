//! One statement.

use text::diagnostic::{Diagnostic, Severity};
use text::json::{Kind, Member, Value};
use text::words::{did_you_mean, nearest, quote};

use super::elements::{ELEMENTS, guess, missing};
use super::notes::{Notes, member, wrong_type};
use super::{action, condition, principal, resource};
use crate::model::{Effect, Obstacle, ObstacleKind, Statement, Version};

/// What kind of policy a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A service control policy: statements have no principal.
    ServiceControl,
    /// A policy of a resource or of a VPC endpoint: every statement names principals.
    ResourceBased,
}

/// The statement in `value`, an object with `members`; `None` where an error was noted.
pub(super) fn read(
    index: usize,
    value: &Value<'_>,
    members: &[Member<'_>],
    dialect: Dialect,
    version: Version,
    notes: &mut Notes,
) -> Option<Statement> {
    let unknown = |member: &Member<'_>| unknown_element(member, dialect);
    let mut obstacles: Vec<Obstacle> = members.iter().filter_map(unknown).collect();
    let sid = sid(members, notes);
    let effect = effect(value, members, notes);
    let principals = match dialect {
        Dialect::ServiceControl => None,
        Dialect::ResourceBased => principal::read(value, members, notes, &mut obstacles),
    };
    let actions = action::read(value, members, notes, &mut obstacles);
    let resources = resource::read(value, members, version, notes, &mut obstacles);
    let conditions = condition::read(members, version, notes, &mut obstacles);
    Some(Statement {
        index,
        sid,
        effect: effect?,
        principals,
        actions: actions?,
        resources: resources?,
        conditions,
        obstacles,
        span: value.span,
    })
}

/// The elements of a statement of this kind of policy.
pub(super) fn elements(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    let principals: &[&str] = match dialect {
        Dialect::ServiceControl => &[],
        Dialect::ResourceBased => &principal::ELEMENTS,
    };
    ELEMENTS.into_iter().chain(principals.iter().copied())
}

fn unknown_element(member: &Member<'_>, dialect: Dialect) -> Option<Obstacle> {
    let key = member.key.as_ref();
    if elements(dialect).any(|element| element == key) {
        return None;
    }
    let help = match key {
        "Principal" | "NotPrincipal" => Some(
            "an SCP applies to every principal of the account; \
             select principals by a condition on `aws:PrincipalArn`"
                .to_owned(),
        ),
        _ => Some(match nearest(key, elements(dialect)) {
            Some(candidate) => guess(key, candidate),
            None => {
                let names: Vec<&str> = elements(dialect).collect();
                format!("the elements are `{}`", names.join("`, `"))
            }
        }),
    };
    Some(Obstacle {
        kind: match dialect {
            Dialect::ServiceControl => ObstacleKind::UnknownElement,
            Dialect::ResourceBased => ObstacleKind::UnknownResourcePolicyElement,
        },
        message: format!("unknown element {}", quote(key)),
        help,
        span: member.key_span,
    })
}

fn sid(members: &[Member<'_>], notes: &mut Notes) -> Option<String> {
    let element = member(members, "Sid")?;
    if let Kind::String(text) = &element.value.kind {
        return Some(text.to_string());
    }
    notes.error(wrong_type("`Sid`", "a string", &element.value));
    None
}

fn effect(value: &Value<'_>, members: &[Member<'_>], notes: &mut Notes) -> Option<Effect> {
    let Some(element) = member(members, "Effect") else {
        notes.error(missing(value, members, "`Effect`", &["Effect"]));
        return None;
    };
    let Kind::String(text) = &element.value.kind else {
        notes.error(wrong_type("`Effect`", "a string", &element.value));
        return None;
    };
    match text.as_ref() {
        "Allow" => return Some(Effect::Allow),
        "Deny" => return Some(Effect::Deny),
        _ => {}
    }
    let help = match nearest(text, ["Allow", "Deny"]) {
        Some(candidate) => did_you_mean(candidate),
        None => "write `Allow` or `Deny`".to_owned(),
    };
    notes.error(
        Diagnostic::coded(
            Severity::Error,
            "policy::effect",
            element.value.span,
            format!("invalid `Effect` {}", quote(text)),
            "not an effect",
        )
        .help(help),
    );
    None
}
