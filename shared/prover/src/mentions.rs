//! What statements and questions mention: patterns, variables, conditions.

use std::collections::BTreeSet;

use policy::model::{Condition, Piece, ResourcePattern, Resources, Template};

use crate::applicable::Applicable;
use crate::language::Tok;
use crate::question::{Question, ResourceModel};

pub(crate) fn resource_patterns(resources: &Resources) -> &[ResourcePattern] {
    match resources {
        Resources::Listed(patterns) | Resources::AllExcept(patterns) => patterns,
    }
}

pub(crate) fn template_variables(template: &Template) -> impl Iterator<Item = &str> {
    template.pieces.iter().filter_map(|piece| match piece {
        Piece::Variable { key, .. } => Some(key.as_str()),
        Piece::Char(_) | Piece::Star | Piece::Question => None,
    })
}

/// The keys that policy variables of the applicable statements name.
pub(crate) fn variables(applicable: &Applicable<'_>) -> BTreeSet<String> {
    applicable
        .statements()
        .flat_map(|placed| placed.statement.templates())
        .flat_map(|(template, _)| template_variables(template).map(str::to_owned))
        .collect()
}

/// Every condition of the applicable statements.
pub(crate) fn conditions<'a>(applicable: &Applicable<'a>) -> impl Iterator<Item = &'a Condition> {
    applicable.statements().flat_map(|placed| &placed.statement.conditions)
}

/// Whether the name of some resource may contain a colon, so that a wildcard before the name
/// could reach across one and still match.
pub(crate) fn has_long_names(question: &Question<'_>) -> bool {
    question.resources.iter().any(|resource| match resource {
        ResourceModel::Star => false,
        ResourceModel::Arn { tails, .. } => tails.iter().flat_map(|tail| &tail.steps).any(|step| {
            let (Tok::One(class) | Tok::Star(class) | Tok::Loose(class)) = step;
            class.contains(':')
        }),
    })
}

pub(crate) fn colons(template: &Template) -> usize {
    template.pieces.iter().filter(|p| **p == Piece::Char(':')).count()
}
