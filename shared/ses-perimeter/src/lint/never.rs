//! Statements, and parts of them, that no request matches.

use std::collections::BTreeSet;

use policy::condition::Truth;
use policy::evaluate::action_matches;
use policy::model::{
    Actions, Condition, Effect, Family, ResourcePattern, Resources, SetOperator, Statement,
    Template,
};
use text::span::Span;

use super::finding::LintFinding;
use super::repair;
use super::slips::Probe;
use super::words::{list, quote};
use super::world::World;
use crate::control::{Named, Path, Recipients, RequestDetail, Version};
use crate::table::{self, ActionInfo, Api, Requirements};

const NOT_CARRIED: &str = "lint::key-not-carried";

/// Whether a condition fails where its key is missing.
pub(super) fn needs_key(condition: &Condition) -> bool {
    let operator = condition.operator;
    if operator.test.family() == Family::Null {
        return condition.values.iter().all(|value| value.text == "false");
    }
    match operator.set {
        Some(SetOperator::ForAnyValue) => !operator.if_exists,
        Some(SetOperator::ForAllValues) => false,
        None => !operator.if_exists && !operator.test.is_negated(),
    }
}

fn carries(needs: &Requirements, key: &str) -> bool {
    needs.condition_keys.iter().any(|listed| listed.eq_ignore_ascii_case(key))
}

fn is_ses_key(condition: &Condition) -> bool {
    condition.key_folded().starts_with("ses:")
        && table::service_keys().iter().any(|key| key.name.eq_ignore_ascii_case(&condition.key))
}

/// Actions that send mail, are listed in a Deny, and never carry the key that it tests.
pub(super) fn keys_not_carried(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    for (index, condition) in statement.conditions.iter().enumerate() {
        if !is_ses_key(condition) || !needs_key(condition) {
            continue;
        }
        let repaired = repair::keeping(statement, |other, _| other != index);
        let mut open = Vec::new();
        for path in world.paths.clone() {
            let without = table::action(path.action).is_some_and(|info| {
                info.sends_mail && !carries(info.requirements(path.api), &condition.key)
            });
            if without && let Probe::Slips(slips) = world.slip(statement, &repaired, &path) {
                open.push(*slips);
            }
        }
        let Some(first) = open.first().cloned() else { continue };
        let mut actions: Vec<&str> = open.iter().map(|one| one.path.action).collect();
        actions.dedup();
        let verb = if actions.len() == 1 { "carries" } else { "carry" };
        let them = if actions.len() == 1 { "it" } else { "them" };
        let mut finding = LintFinding::warning(
            NOT_CARRIED,
            condition.key_span,
            format!(
                "{} never {verb} {}, so this statement does not stop {them}",
                list(&actions),
                quote(&condition.key)
            ),
            "missing there, and the condition then fails",
        )
        .help(format!("deny {} in a statement without this condition", list(&actions)));
        if let Actions::Listed(patterns) = &statement.actions {
            let named = patterns
                .iter()
                .filter(|pattern| actions.iter().any(|a| pattern.text.eq_ignore_ascii_case(a)));
            for pattern in named {
                finding = finding.also(pattern.span, "never carries it");
            }
        }
        finding.slips_through = Some(first);
        findings.push(finding);
    }
}

/// Conditions of a Deny on SES that always hold, because no request carries the key: the statement
/// stops more than it says.
pub(super) fn always_holds(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    // A statement about every service tests keys of others, and rightly so.
    let paths = covered(statement);
    if paths.is_empty() {
        return;
    }
    for condition in &statement.conditions {
        let operator = condition.operator;
        let of_missing = match operator.test.family() {
            Family::Null => condition.values.iter().any(|value| value.text == "true"),
            Family::Text { .. }
            | Family::Arn
            | Family::Bool
            | Family::Number(_)
            | Family::Date(_)
            | Family::Ip
            | Family::Binary => {
                operator.set.is_none() && !operator.if_exists && operator.test.is_negated()
            }
        };
        let key = condition.key_folded();
        if of_missing && paths.iter().all(|path| world.lacks(path, &key)) {
            let message = format!("no request of these actions carries {}", quote(&condition.key));
            findings.push(
                LintFinding::warning(
                    "lint::key-never-there",
                    condition.key_span,
                    message,
                    "so this always holds, and the statement denies whatever else it is about",
                )
                .help("remove the condition, or test a key that requests to SES carry"),
            );
        }
    }
}

/// A statement that no request matches.
pub(super) fn never_matches(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    let said = |code: &str| {
        findings.iter().any(|finding| {
            finding.code() == code
                && statement.span.start <= finding.diagnostic.span.start
                && finding.diagnostic.span.end <= statement.span.end
        })
    };
    if said(NOT_CARRIED) || said("lint::unknown-key") {
        return;
    }
    // Fewer conditions match more, so what is left out here cannot make the answer wrong.
    let judged: Vec<usize> = statement
        .conditions
        .iter()
        .enumerate()
        .filter(|(_, condition)| is_judged(world, condition))
        .map(|(index, _)| index)
        .collect();
    if judged.is_empty() {
        return;
    }
    if let Some(index) = other_service(statement) {
        findings.extend(statement.conditions.get(index).map(|condition| {
            let message = format!(
                "no request matches this statement: only SES has {}",
                quote(&condition.key)
            );
            LintFinding::warning(
                "lint::never-matches",
                condition.key_span,
                message,
                "in no request",
            )
            .help("name the actions of SES that the condition is about")
        }));
        return;
    }
    let paths = covered(statement);
    if paths.is_empty() || !never(world, statement, &judged, &paths) {
        return;
    }
    let culprits = culprits(world, statement, &judged, &paths);
    let repaired = repair::keeping(statement, |index, _| !culprits.contains(&index));
    let probe = if statement.effect == Effect::Deny {
        world.first_slip(statement, &repaired, |_| true)
    } else {
        Probe::NotAsked
    };
    let named: Vec<&Condition> =
        culprits.iter().filter_map(|index| statement.conditions.get(*index)).collect();
    let Some((last, others)) = named.split_last() else { return };
    let (message, label) = if others.is_empty() {
        ("no request of these actions meets this condition".to_owned(), "never holds")
    } else {
        ("no request meets these conditions at once".to_owned(), "and this do not hold together")
    };
    let mut finding = LintFinding::warning("lint::never-matches", last.key_span, message, label)
        .help(advice(&named));
    for condition in others {
        finding = finding.also(condition.key_span, "this");
    }
    findings.push(finding.weighed(probe));
}

/// What to do about conditions that never hold.
fn advice(culprits: &[&Condition]) -> String {
    if let [only] = culprits {
        let known = table::service_keys()
            .iter()
            .find(|key| key.name.eq_ignore_ascii_case(&only.key))
            .map_or(&[][..], |key| key.values);
        if !known.is_empty() {
            return format!("the values of {} are {}", quote(&only.key), list(known));
        }
        return format!(
            "check the value, and that the actions carry {}; the statement has no effect",
            quote(&only.key)
        );
    }
    "all conditions of a statement must hold; put each into a statement of its own if either is \
     to count"
        .to_owned()
}

/// Whether the procedure's picture of the key leaves out no request.
fn is_judged(world: &World<'_>, condition: &Condition) -> bool {
    let key = condition.key_folded();
    let known = world.catalog.get(&key).is_some();
    let plain = condition.values.iter().all(|value| !value.template.has_variable());
    let listed =
        ["aws:tagkeys", "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"];
    let family = key.starts_with("aws:principaltag/") || key.starts_with("aws:requesttag/");
    let placeholder =
        condition.values.iter().any(|value| super::values::placeholder_in(&value.text).is_some());
    known
        && plain
        && !placeholder
        && (key.starts_with("ses:") || listed.contains(&key.as_str()) || family)
}

/// The condition on a key of SES that a statement about other services rests on.
fn other_service(statement: &Statement) -> Option<usize> {
    let Actions::Listed(patterns) = &statement.actions else { return None };
    let foreign = patterns.iter().all(|pattern| {
        statement.obstacle_within(pattern.span).is_none()
            && pattern.text.split_once(':').is_some_and(|(prefix, _)| {
                !prefix.contains('*') && !prefix.eq_ignore_ascii_case("ses")
            })
    });
    // A wrong prefix for SES has a finding of its own.
    let listed =
        patterns.iter().all(|pattern| !pattern.text.to_ascii_lowercase().contains("email"));
    (foreign && listed && !patterns.is_empty())
        .then(|| {
            statement.conditions.iter().position(|condition| {
                condition.key_folded().starts_with("ses:") && needs_key(condition)
            })
        })
        .flatten()
}

/// One path for each kind of request that the statement is about.
fn covered(statement: &Statement) -> Vec<Path> {
    let mut shapes = BTreeSet::new();
    let mut paths = Vec::new();
    for info in table::actions() {
        if action_matches(statement, info.name) == Truth::No {
            continue;
        }
        // Requests of other services are not looked into where every service is meant.
        for api in info.apis {
            let needs = info.requirements(*api);
            let shape = (needs.condition_keys.to_vec(), needs.required_resource_types.to_vec());
            if shapes.insert(shape) {
                paths.push(path(info, *api));
            }
        }
    }
    let every_service = action_matches(statement, "other:Action") != Truth::No;
    if every_service { Vec::new() } else { paths }
}

fn path(info: &'static ActionInfo, api: Api) -> Path {
    Path {
        name: "any",
        api,
        action: info.name,
        version: Version::Free,
        recipients: Recipients::Anyone,
        skip_administrators: false,
        any_identity: true,
        named: Named::Required,
        special: RequestDetail::None,
    }
}

/// Whether the conditions numbered `which` hold together for no request.
fn never(world: &mut World<'_>, statement: &Statement, which: &[usize], paths: &[Path]) -> bool {
    let mut only = repair::keeping(statement, |index, _| which.contains(&index));
    let star = "*".to_owned();
    only.resources = Resources::Listed(vec![ResourcePattern {
        template: Template::plain(&star),
        text: star,
        span: Span::default(),
    }]);
    paths.iter().all(|path| world.never_on(&only, path) == Some(true))
}

/// The fewest of the conditions, up to two, that never hold; else all.
fn culprits(
    world: &mut World<'_>,
    statement: &Statement,
    judged: &[usize],
    paths: &[Path],
) -> Vec<usize> {
    const MOST_TRIED: usize = 8;
    let tried = judged.get(..MOST_TRIED.min(judged.len())).unwrap_or_default();
    for one in tried {
        if never(world, statement, &[*one], paths) {
            return vec![*one];
        }
    }
    for (at, first) in tried.iter().enumerate() {
        for second in tried.iter().skip(at + 1) {
            if never(world, statement, &[*first, *second], paths) {
                return vec![*first, *second];
            }
        }
    }
    judged.to_vec()
}
