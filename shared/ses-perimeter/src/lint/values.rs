//! Values that do not say what they seem to say.

use std::collections::BTreeMap;

use policy::model::{Effect, Family, Operator, Piece, Policy, Resources, Statement, Test};
use policy::span::Span;

use super::finding::LintFinding;
use super::repair;
use super::words::quote;
use super::world::{Probe, World};

/// The first `<name>` or `{{name}}` in `text`: a template that was not filled in.
pub(super) fn placeholder_in(text: &str) -> Option<&str> {
    let between = |open: &str, close: &str| {
        let start = text.find(open)?;
        let inside = start + open.len();
        let length = text.get(inside..)?.find(close)?;
        let found = text.get(start..inside + length + close.len())?;
        let name = text.get(inside..inside + length)?;
        (!name.trim().is_empty() && !name.contains(['<', '{'])).then_some(found)
    };
    between("<", ">").or_else(|| between("{{", "}}"))
}

/// Placeholders that nobody filled in, each once.
pub(super) fn placeholders(policy: &Policy, findings: &mut Vec<LintFinding>) {
    let mut places: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for statement in &policy.statements {
        for (text, span) in texts(statement) {
            if let Some(found) = placeholder_in(text) {
                places.entry(found).or_default().push(span);
            }
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

/// Everything in a statement that somebody fills in.
fn texts(statement: &Statement) -> impl Iterator<Item = (&str, Span)> {
    let (Resources::Listed(patterns) | Resources::AllExcept(patterns)) = &statement.resources;
    let resources = patterns.iter().map(|pattern| (pattern.text.as_str(), pattern.span));
    let conditions = statement.conditions.iter().flat_map(|condition| {
        let key = (condition.key.as_str(), condition.key_span);
        let values = condition.values.iter().map(|value| (value.text.as_str(), value.span));
        std::iter::once(key).chain(values)
    });
    resources.chain(conditions)
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
        let test = if operator.test.is_negated() { Test::StringNotLike } else { Test::StringLike };
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
        let case = if ignore_case { "; there is no such operator that ignores case" } else { "" };
        let finding = LintFinding::warning(
            "lint::literal-wildcard",
            value.span,
            format!("a wildcard is a plain character under `{operator}`"),
            format!("compared as it is{consequence}"),
        )
        .also(condition.operator_span, "knows no wildcards")
        .help(format!("write `{like}`{case}"));
        // That nothing slips through does not make it right: mail may be denied that should pass.
        findings.push(match probe {
            Probe::Stopped => finding,
            other => finding.weighed(other),
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
