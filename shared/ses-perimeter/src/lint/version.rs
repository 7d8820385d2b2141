//! Statements that are split by API version.

use policy::condition::Truth;
use policy::evaluate::action_matches;
use policy::model::{Actions, Condition, Effect, Family, Statement};
use text::diagnostic::Severity;
use text::span::Span;

use super::finding::LintFinding;
use super::repair;
use super::slips::Probe;
use super::slips::SlipsThrough;
use super::words::{list, quote};
use super::world::World;
use crate::control::Path;
use crate::perimeter::Undocumented;

const VERSION: &str = "ses:apiversion";
const VERSIONS: [&str; 2] = ["1", "2"];
const RAW_OR_TEMPLATE: [&str; 2] = ["ses:SendRawEmail", "ses:SendTemplatedEmail"];
const CODE: &str = "lint::api-version-split";

fn version_condition(statement: &Statement) -> Option<&Condition> {
    statement.conditions.iter().find(|condition| {
        // Where it holds for no version at all, more is wrong than a split.
        let impossible = !condition.operator.test.is_negated()
            && condition.values.iter().all(|value| {
                !value.template.has_variable()
                    && !value.text.contains(['*', '?'])
                    && !VERSIONS.contains(&value.text.as_str())
            })
            && matches!(condition.operator.test.family(), Family::Text { .. });
        condition.key_folded() == VERSION && !impossible
    })
}

/// The requests of `paths` that get through because of the statement's version condition, one
/// for each action.
fn open_side(world: &mut World<'_>, statement: &Statement, paths: &[Path]) -> Vec<SlipsThrough> {
    let repaired = repair::keeping(statement, |_, condition| condition.key_folded() != VERSION);
    let mut found: Vec<SlipsThrough> = Vec::new();
    for path in paths {
        if found.iter().any(|one| one.path.action == path.action) {
            continue;
        }
        if let Probe::Slips(slips) = world.slip(statement, &repaired, path) {
            found.push(*slips);
        }
    }
    found
}

/// A Deny for one API version, past which the same action gets with the other.
pub(super) fn split(world: &mut World<'_>, statement: &Statement, findings: &mut Vec<LintFinding>) {
    let Some(condition) = version_condition(statement) else { return };
    let paths = world.paths.clone();
    let found = open_side(world, statement, &paths);
    let Some(first) = found.first() else { return };
    let actions: Vec<&str> = found.iter().map(|one| one.path.action).collect();
    let verb = if actions.len() == 1 { "gets" } else { "get" };
    let version = first.witness.single("ses:ApiVersion");
    let how = match version {
        Some(version)
            if found.iter().all(|f| f.witness.single("ses:ApiVersion") == Some(version)) =>
        {
            format!("with `ses:ApiVersion` {}", quote(version))
        }
        Some(_) => "with another `ses:ApiVersion`".to_owned(),
        None => "without `ses:ApiVersion`".to_owned(),
    };
    let mut finding = LintFinding::warning(
        CODE,
        condition.span,
        format!("{} {verb} past the document {how}", list(&actions)),
        "this statement stops one side only",
    )
    .help(if actions.iter().any(|action| RAW_OR_TEMPLATE.contains(action)) {
        "remove the `ses:ApiVersion` condition: SMTP counts as `ses:SendRawEmail` with version 2, \
         and `SendEmail` of API v2 is checked as `ses:SendRawEmail` or `ses:SendTemplatedEmail` \
         where the content is raw or a template"
    } else {
        "remove the `ses:ApiVersion` condition: the statement then stops every version"
    });
    if let Some((span, label)) = other_side(world, statement, first) {
        finding = finding.also(span, label);
    }
    finding.slips_through = found.into_iter().next();
    findings.push(finding);
}

/// The statement for the other version, which forgets the action.
fn other_side(
    world: &World<'_>,
    statement: &Statement,
    slips: &SlipsThrough,
) -> Option<(Span, String)> {
    let other = world.document.statements.iter().find(|other| {
        other.index != statement.index
            && other.effect == Effect::Deny
            && version_condition(other).is_some()
            && action_matches(other, slips.path.action) == Truth::No
    })?;
    let Actions::Listed(patterns) = &other.actions else { return None };
    let span = Span::new(patterns.first()?.span.start, patterns.last()?.span.end);
    Some((span, format!("the statement for the other version forgets `{}`", slips.path.action)))
}

/// Advice where only a request without the key, which AWS does not document, gets through.
pub(super) fn unversioned(world: &mut World<'_>, findings: &mut Vec<LintFinding>) {
    if findings.iter().any(|finding| finding.code() == CODE) {
        return;
    }
    let paths = world.paths_under(Undocumented::WorstCase);
    let document = world.document;
    for statement in document.statements.iter().filter(|s| s.effect == Effect::Deny) {
        let Some(condition) = version_condition(statement) else { continue };
        let found = open_side(world, statement, &paths);
        let Some(first) = found.first() else { continue };
        let actions: Vec<&str> = found.iter().map(|one| one.path.action).collect();
        let mut finding = LintFinding::new(
            Severity::Advice,
            CODE,
            condition.span,
            format!("{} would get past the document without `ses:ApiVersion`", list(&actions)),
            "does not hold where the key is missing",
        )
        .help(
            "AWS does not document that the key is always there; without this condition the \
             statement stops every version",
        );
        finding.slips_through = Some(first.clone());
        findings.push(finding);
        return;
    }
}
