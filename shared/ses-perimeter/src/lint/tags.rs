//! Tags that exempt principals.

use policy::condition::Truth;
use policy::evaluate::action_matches;
use policy::model::{Condition, Effect, Family, Operator, Piece, Policy, Statement, Template};
use text::diagnostic::Severity;

use super::finding::LintFinding;
use super::repair;
use super::slips::Probe;
use super::slips::SlipsThrough;
use super::words::{list, quote};
use super::world::World;
use crate::perimeter::SelectorKind;

const PRINCIPAL_TAG: &str = "aws:PrincipalTag/";

/// The tag key of a condition on a principal tag.
fn tag_key(condition: &Condition) -> Option<&str> {
    let prefix = condition.key.get(..PRINCIPAL_TAG.len())?;
    let tag = condition.key.get(PRINCIPAL_TAG.len()..)?;
    (prefix.eq_ignore_ascii_case(PRINCIPAL_TAG) && !tag.is_empty()).then_some(tag)
}

/// A text that the template matches, unless a variable stands in it.
fn member(template: &Template) -> Option<String> {
    template
        .pieces
        .iter()
        .filter(|piece| **piece != Piece::Star)
        .map(|piece| match piece {
            Piece::Char(c) => Some(*c),
            Piece::Question => Some('a'),
            Piece::Star | Piece::Variable { .. } => None,
        })
        .collect()
}

/// Whether a Deny's condition leaves principals out.
fn exempts(condition: &Condition) -> bool {
    condition.operator.test.is_negated()
        && matches!(condition.operator.test.family(), Family::Text { .. } | Family::Arn)
}

fn denies(policy: &Policy) -> impl Iterator<Item = &Statement> {
    policy.statements.iter().filter(|statement| statement.effect == Effect::Deny)
}

/// The principals that the Deny statements of a document leave out.
pub(super) fn exemptions(policy: &Policy) -> Vec<SelectorKind> {
    let mut found = Vec::new();
    for condition in denies(policy).flat_map(|s| &s.conditions).filter(|c| exempts(c)) {
        for value in condition.values.iter().filter(|value| !value.template.has_variable()) {
            if let Some(key) = tag_key(condition) {
                found.extend(
                    member(&value.template).map(|text| SelectorKind::PrincipalTag {
                        key: key.to_owned(),
                        value: text,
                    }),
                );
            } else if condition.key_folded() == "aws:principalarn"
                && value.text.starts_with("arn:")
                && !value.text.ends_with(":*")
            {
                found.push(SelectorKind::PrincipalArn(value.text.clone()));
            }
        }
    }
    found.sort_by_key(|selector| format!("{selector:?}"));
    found.dedup();
    found
}

/// An exemption tag that principals can give themselves.
pub(super) fn unprotected(world: &mut World<'_>, findings: &mut Vec<LintFinding>) {
    let mut seen: Vec<String> = Vec::new();
    let document = world.document;
    for condition in denies(document).flat_map(|s| &s.conditions).filter(|c| exempts(c)) {
        let Some(key) = tag_key(condition) else { continue };
        let folded = key.to_ascii_lowercase();
        if seen.contains(&folded) {
            continue;
        }
        let Some(value) = condition.values.iter().find_map(|value| member(&value.template)) else {
            continue;
        };
        seen.push(folded);
        let paths = world.tagging_paths(key, &value);
        let mut open: Vec<SlipsThrough> = Vec::new();
        let mut all = true;
        for path in &paths {
            match world.slips_together(path) {
                Probe::Slips(slips) => open.push(*slips),
                Probe::Stopped | Probe::Unknown | Probe::NotAsked => all = false,
            }
        }
        let Some(first) = open.first().cloned() else { continue };
        let mut actions: Vec<&str> = open.iter().map(|one| one.path.action).collect();
        actions.dedup();
        // The key as it stands is preferred, so another spelling means that this one is stopped.
        let respelled =
            open.iter().all(|slips| slips.tag_as_set(key).is_some_and(|as_set| as_set != key));
        let message = if respelled {
            format!("the tag {} is protected in this spelling only", quote(key))
        } else if all {
            format!("nothing here stops principals from giving themselves the tag {}", quote(key))
        } else {
            format!("the tag {} can still be set through {}", quote(key), list(&actions))
        };
        let help = if respelled {
            "IAM takes tag keys that differ only in case for the same key: protect the key with \
             `ForAnyValue:StringEqualsIgnoreCase` on `aws:TagKeys`, which takes no wildcards"
        } else {
            "deny requests with this key among `aws:TagKeys` to all but the administrators of the \
             tag, here or in another policy on the same path; files that are linted together \
             count together"
        };
        let mut finding = LintFinding::new(
            Severity::Advice,
            "lint::unprotected-exemption-tag",
            condition.key_span,
            message,
            "whoever has the tag is exempt",
        )
        .help(help);
        finding.slips_through = Some(first);
        findings.push(finding);
    }
}

/// Words in the names of tags that exempt.
const EXEMPTING: [&str; 8] =
    ["exclu", "exempt", "allow", "bypass", "trusted", "admin", "permit", "approved"];

/// A Deny for those who have the tag: everybody without it gets through.
pub(super) fn inverted(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    if !world.paths.iter().any(|path| {
        path.action.starts_with("ses:Send") && action_matches(statement, path.action) != Truth::No
    }) {
        return;
    }
    for (index, condition) in statement.conditions.iter().enumerate() {
        let Some(key) = tag_key(condition) else { continue };
        let Some(test) = repair::negated(condition.operator.test) else { continue };
        let folded = key.to_ascii_lowercase();
        let exempts_elsewhere =
            denies(world.document).flat_map(|other| &other.conditions).any(|other| {
                exempts(other) && tag_key(other).is_some_and(|k| k.eq_ignore_ascii_case(key))
            });
        let sounds = EXEMPTING.iter().any(|word| folded.contains(word));
        // A tag that marks whom to stop is ordinary.
        if !exempts_elsewhere && !sounds {
            continue;
        }
        let meant = Operator { set: None, test, if_exists: true };
        let repaired = repair::operator(statement, index, meant);
        let probe = world.first_slip(statement, &repaired, |path| path.action.starts_with("ses:"));
        if probe == Probe::Stopped {
            continue;
        }
        let who = if condition.operator.if_exists {
            "everybody whose tag has another value gets through"
        } else {
            "everybody without the tag gets through"
        };
        findings.push(
            LintFinding::warning(
                "lint::inverted-tag-test",
                condition.operator_span,
                format!("the test of the tag {} is the wrong way round: {who}", quote(key)),
                "denies those who have the tag",
            )
            .also(condition.key_span, "the tag")
            .help(format!("write `{meant}` to exempt those who have the tag"))
            .weighed(probe),
        );
    }
}
