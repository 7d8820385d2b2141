//! Values that do not say what they seem to say.

use std::collections::BTreeMap;

use policy::keys::KeyKind;
use policy::model::{Effect, Family, Operator, Piece, Policy, Resources, Statement, Test};
use text::span::Span;

use super::finding::LintFinding;
use super::repair;
use super::slips::Probe;
use super::words::quote;
use super::world::World;

/// The first `<name>` or `{{name}}` in `text`: a template that was not filled in.
pub(super) fn placeholder_in(text: &str) -> Option<&str> {
    between(text, "<", ">").or_else(|| between(text, "{{", "}}"))
}

/// The same in a condition key, where `${name}` is no policy variable either.
pub(super) fn placeholder_in_key(key: &str) -> Option<&str> {
    placeholder_in(key).or_else(|| between(key, "${", "}"))
}

/// The first name between `open` and `close`, both included.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    let start = text.find(open)?;
    let inside = start + open.len();
    let length = text.get(inside..)?.find(close)?;
    let name = text.get(inside..inside + length)?;
    let filled = name.trim().is_empty() || name.contains(['<', '{']);
    if filled { None } else { text.get(start..inside + length + close.len()) }
}

/// Placeholders that nobody filled in, each once.
pub(super) fn placeholders(policy: &Policy, findings: &mut Vec<LintFinding>) {
    let mut places: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for statement in &policy.statements {
        let keys = statement
            .conditions
            .iter()
            .filter_map(|c| Some((placeholder_in_key(&c.key)?, c.key_span)));
        let values =
            texts(statement).filter_map(|(text, span)| Some((placeholder_in(text)?, span)));
        for (found, span) in keys.chain(values) {
            places.entry(found).or_default().push(span);
        }
    }
    for (placeholder, spans) in places {
        let [first, others @ ..] = spans.as_slice() else { continue };
        let mut finding = LintFinding::warning(
            "lint::placeholder",
            *first,
            format!("{} looks like a placeholder that was not filled in", quote(placeholder)),
            "stands for itself",
        )
        .help("put in the value; as it is, it matches just this text");
        for span in others.iter().take(MOST_REPEATED) {
            finding = finding.also(*span, "here too");
        }
        findings.push(finding);
    }
}

/// More places of one placeholder are not shown.
const MOST_REPEATED: usize = 4;

/// The resources and values of a statement.
fn texts(statement: &Statement) -> impl Iterator<Item = (&str, Span)> {
    let (Resources::Listed(patterns) | Resources::AllExcept(patterns)) = &statement.resources;
    let resources = patterns.iter().map(|pattern| (pattern.text.as_str(), pattern.span));
    let values = statement.conditions.iter().flat_map(|condition| &condition.values);
    resources.chain(values.map(|value| (value.text.as_str(), value.span)))
}

/// Wildcards under an operator for which they are plain characters.
pub(super) fn literal_wildcards(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    for (index, condition) in statement.conditions.iter().enumerate() {
        let operator = condition.operator;
        let Family::Text { wildcards: false, ignore_case } = operator.test.family() else {
            continue;
        };
        let wild = |piece: &Piece, text: &str| match piece {
            Piece::Star => true,
            // A question mark is common in addresses of the web.
            Piece::Question => !text.contains("://"),
            Piece::Char(_) | Piece::Variable { .. } => false,
        };
        let found = condition
            .values
            .iter()
            .find(|value| value.template.pieces.iter().any(|piece| wild(piece, &value.text)));
        let Some(value) = found else { continue };
        let arn = operator.set.is_none()
            && world.catalog.get(&condition.key).is_some_and(|key| key.kind == KeyKind::Arn)
            && value.text.starts_with("arn:");
        let test = match (operator.test.is_negated(), arn) {
            (true, true) => Test::ArnNotLike,
            (false, true) => Test::ArnLike,
            (true, false) => Test::StringNotLike,
            (false, false) => Test::StringLike,
        };
        let like = Operator { test, ..operator };
        let probe = if statement.effect == Effect::Deny {
            world.first_slip(statement, &repair::operator(statement, index, like), |_| true)
        } else {
            Probe::NotAsked
        };
        let consequence = match (statement.effect, operator.test.is_negated()) {
            (Effect::Deny, true) => ", so that it denies what the pattern was to leave out",
            (Effect::Deny, false) => ", so that it denies almost nothing",
            (Effect::Allow, true) => ", so that it allows almost everything",
            (Effect::Allow, false) => ", so that it allows almost nothing",
        };
        let case =
            if ignore_case && !arn { "; there is no such operator that ignores case" } else { "" };
        let finding = LintFinding::warning(
            "lint::literal-wildcard",
            value.span,
            format!("a wildcard is a plain character under `{operator}`"),
            format!("compared as it is{consequence}"),
        )
        .also(condition.operator_span, "knows no wildcards")
        .help(format!("write `{like}`{case}"));
        // That nothing slips through does not make it right: mail may be denied that should pass.
        findings.push(match &probe {
            Probe::Stopped => finding,
            Probe::Slips(_) | Probe::Unknown | Probe::NotAsked => finding.weighed(probe),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_names_in_angle_brackets_or_double_braces() {
        assert_eq!(placeholder_in("*@<trusted_email_domain>"), Some("<trusted_email_domain>"));
        assert_eq!(placeholder_in("{{ domain }}"), Some("{{ domain }}"));
        for text in ["", "a<b", "a>b<c", "<>", "${x}", "{x}", "{{}}", "< >"] {
            assert_eq!(placeholder_in(text), None, "{text}");
        }
    }
}
