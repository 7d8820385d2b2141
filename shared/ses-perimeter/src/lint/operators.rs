//! Set operators of Deny statements.

use policy::model::{Family, Operator, SetOperator, Statement};

use super::finding::LintFinding;
use super::repair;
use super::words::quote;
use super::world::World;

/// `ForAllValues` with a negated operator: one value that is left out lets all others through.
pub(super) fn all_values(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    for (index, condition) in statement.conditions.iter().enumerate() {
        let operator = condition.operator;
        let defect = operator.set == Some(SetOperator::ForAllValues)
            && operator.test.is_negated()
            && world.catalog.is_multivalued(&condition.key);
        if !defect {
            continue;
        }
        let meant = Operator { set: Some(SetOperator::ForAnyValue), if_exists: false, ..operator };
        let probe =
            world.first_slip(statement, &repair::operator(statement, index, meant), |_| true);
        let what = if condition.key.eq_ignore_ascii_case("ses:Recipients") {
            "one trusted recipient lets the others through"
        } else {
            "one value that is left out lets the others through"
        };
        findings.push(
            LintFinding::warning(
                "lint::for-all-values-in-deny",
                condition.operator_span,
                format!("under {} {what}", quote(&operator.to_string())),
                "denies only if every value is outside the list",
            )
            .also(condition.key_span, "has many values")
            .help(format!(
                "write `{meant}`, and deny requests without the key in a statement of their own \
                 with `Null`"
            ))
            .weighed(probe),
        );
    }
}

/// A multivalued key without a set operator.
pub(super) fn no_set_operator(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    for condition in &statement.conditions {
        let operator = condition.operator;
        let defect = operator.set.is_none()
            && operator.test.family() != Family::Null
            && world.catalog.is_multivalued(&condition.key);
        if !defect {
            continue;
        }
        let meant = Operator { set: Some(SetOperator::ForAnyValue), if_exists: false, ..operator };
        findings.push(
            LintFinding::warning(
                "lint::no-set-operator",
                condition.operator_span,
                format!(
                    "{} has many values, but {} has no set operator",
                    quote(&condition.key),
                    quote(&operator.to_string())
                ),
                "may never match",
            )
            .also(condition.key_span, "has many values")
            .help(format!(
                "write `{meant}`; AWS does not say what comes of it without `ForAnyValue` or \
                 `ForAllValues`, and it may deny nothing"
            )),
        );
    }
}
