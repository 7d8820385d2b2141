//! Statements as they were meant.

use policy::model::{
    ActionPattern, Actions, Condition, ConditionValue, Effect, Family, Operator, Policy, Statement,
    Template, Test, Version,
};
use text::span::Span;

/// The statement with `change` made to its condition number `index`.
pub(super) fn condition(
    statement: &Statement,
    index: usize,
    change: impl FnOnce(&mut Condition),
) -> Statement {
    let mut repaired = statement.clone();
    if let Some(condition) = repaired.conditions.get_mut(index) {
        change(condition);
    }
    repaired
}

/// The statement with another operator in its condition number `index`.
pub(super) fn operator(statement: &Statement, index: usize, operator: Operator) -> Statement {
    condition(statement, index, |condition| condition.operator = operator)
}

/// The statement with only the conditions that `keep` wants, told their number.
pub(super) fn keeping(
    statement: &Statement,
    keep: impl Fn(usize, &Condition) -> bool,
) -> Statement {
    let mut repaired = statement.clone();
    repaired.conditions = statement
        .conditions
        .iter()
        .enumerate()
        .filter(|(index, condition)| keep(*index, condition))
        .map(|(_, condition)| condition.clone())
        .collect();
    repaired
}

/// The statement about other actions.
pub(super) fn actions(statement: &Statement, texts: &[String]) -> Statement {
    let mut repaired = statement.clone();
    let patterns = texts
        .iter()
        .map(|text| ActionPattern { text: text.clone(), span: Span::default() })
        .collect();
    repaired.actions = match &statement.actions {
        Actions::Listed(_) => Actions::Listed(patterns),
        Actions::AllExcept(_) => Actions::AllExcept(patterns),
    };
    repaired
}

/// The value of a condition with this text, in which only `*` and `?` are special.
pub(super) fn value(text: &str, span: Span) -> ConditionValue {
    ConditionValue { text: text.to_owned(), template: Template::plain(text), network: None, span }
}

/// A policy that allows just what `statement` matches.
pub(super) fn allowing(statement: &Statement) -> Policy {
    let statement = Statement { effect: Effect::Allow, index: 0, ..statement.clone() };
    Policy { version: Version::V2012, statements: vec![statement] }
}

/// The negated form of a positive text test.
pub(super) fn negated(test: Test) -> Option<Test> {
    let text = matches!(test.family(), Family::Text { .. });
    (text && !test.is_negated())
        .then(|| Test::from_name(&test.name().replacen("String", "StringNot", 1)))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_positive_text_test_has_a_negated_form() {
        assert_eq!(negated(Test::StringLike), Some(Test::StringNotLike));
        assert_eq!(negated(Test::StringEquals), Some(Test::StringNotEquals));
        assert_eq!(negated(Test::StringEqualsIgnoreCase), Some(Test::StringNotEqualsIgnoreCase));
        assert_eq!(negated(Test::StringNotLike), None);
        assert_eq!(negated(Test::Bool), None);
    }
}
