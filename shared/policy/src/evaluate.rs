//! The plain evaluator: one request, one stack of levels, one decision with its reasons.
//!
//! Short and slow on purpose. It is the reference that the decision procedure is held
//! against, and every witness is replayed through it before anybody sees it.
//!
//! # Source
//! Organizations User Guide, "SCP evaluation"; IAM User Guide, "Condition operators",
//! "Policy variables"; the clauses of `docs/semantics.md`.

use crate::condition::{Judge, Open, Readings, Truth};
use crate::glob;
use crate::keys::KeyCatalog;
use crate::model::{
    ActionPattern, Actions, Effect, ObstacleKind, Policy, ResourcePattern, Resources, Statement,
};
use crate::request::Request;

/// Where a statement stands in a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The level, 0 for the root.
    pub level: usize,
    /// The policy among those attached at the level.
    pub policy: usize,
    /// The statement in the policy.
    pub statement: usize,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every level allows it and nothing denies it.
    Permitted,
    /// A statement denies it, or a level does not allow it.
    Denied,
    /// It depends on something that AWS does not document, or that we cannot read.
    Open,
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The outcome.
    pub outcome: Outcome,
    /// The Deny statements that match.
    pub explicit_denies: Vec<Place>,
    /// For each level, root first, an Allow that matches.
    pub allowed_by: Vec<Option<Place>>,
    /// What is open, and in which statement; complete where the outcome is open.
    pub open: Vec<(Place, Open)>,
}

/// The SCPs on an account's path, root first, account last.
#[derive(Debug, Clone, Default)]
pub struct Stack<'a> {
    /// The policies attached directly at each level.
    pub levels: Vec<Vec<&'a Policy>>,
}

impl<'a> Stack<'a> {
    /// Every statement with its place, root first.
    pub fn statements(&self) -> impl Iterator<Item = (Place, &'a Statement)> + '_ {
        self.levels.iter().enumerate().flat_map(|(level, policies)| {
            policies.iter().enumerate().flat_map(move |(policy, document)| {
                document
                    .statements
                    .iter()
                    .enumerate()
                    .map(move |(statement, found)| (Place { level, policy, statement }, found))
            })
        })
    }
}

/// Decides `request` against `stack`.
#[must_use]
pub fn evaluate(
    stack: &Stack<'_>,
    request: &Request,
    readings: Readings,
    catalog: &KeyCatalog,
) -> Decision {
    let judge = Judge { context: &request.context, readings, catalog };
    let mut decision = Decision {
        outcome: Outcome::Permitted,
        explicit_denies: Vec::new(),
        allowed_by: vec![None; stack.levels.len()],
        open: Vec::new(),
    };
    let mut level_may_allow = vec![false; stack.levels.len()];
    for (place, statement) in stack.statements() {
        match (statement.effect, statement_matches(statement, request, &judge)) {
            (_, Truth::No) => {}
            (Effect::Deny, Truth::Yes) => decision.explicit_denies.push(place),
            (Effect::Allow, Truth::Yes) => {
                if let Some(first @ None) = decision.allowed_by.get_mut(place.level) {
                    *first = Some(place);
                }
            }
            (effect, Truth::Open(reasons)) => {
                if effect == Effect::Allow
                    && let Some(may) = level_may_allow.get_mut(place.level)
                {
                    *may = true;
                }
                decision.open.extend(reasons.into_iter().map(|open| (place, open)));
            }
        }
    }
    let open_deny = decision.open.iter().any(|(place, _)| {
        stack.statements().any(|(at, s)| at == *place && s.effect == Effect::Deny)
    });
    let impossible = decision
        .allowed_by
        .iter()
        .zip(&level_may_allow)
        .any(|(allowed, may)| allowed.is_none() && !may);
    let uncertain = decision.allowed_by.iter().any(Option::is_none);
    decision.outcome = if !decision.explicit_denies.is_empty() || impossible {
        Outcome::Denied
    } else if open_deny || uncertain {
        Outcome::Open
    } else {
        Outcome::Permitted
    };
    decision
}

/// Whether `request` is permitted whatever AWS means where it does not say.
///
/// Open points may cancel out, so a request that is permitted under each reading is permitted
/// for certain even where its outcome without any reading is open.
#[must_use]
pub fn permitted_for_certain(stack: &Stack<'_>, request: &Request, catalog: &KeyCatalog) -> bool {
    let permitted =
        |readings| evaluate(stack, request, readings, catalog).outcome == Outcome::Permitted;
    permitted(Readings::default()) || Readings::every().all(permitted)
}

/// Whether `statement` matches `request`: its action, its resource and all its conditions.
#[must_use]
pub fn statement_matches(statement: &Statement, request: &Request, judge: &Judge<'_>) -> Truth {
    action_matches(statement, &request.action)
        .and(|| matches_beside_action(statement, &request.resource, judge))
}

/// Whether `statement` matches a request that its action element covers.
#[must_use]
pub fn matches_beside_action(statement: &Statement, resource: &str, judge: &Judge<'_>) -> Truth {
    let mut truth = resource_matches(statement, resource, judge);
    for condition in &statement.conditions {
        truth = truth.and(|| match statement.condition_obstacle(condition) {
            Some(obstacle) => Truth::Open(vec![Open::from(obstacle)]),
            None => judge.condition(condition),
        });
    }
    truth.and(|| Truth::obstructed(&statement.obstacles))
}

/// Whether the action element of `statement` covers `action`.
#[must_use]
pub fn action_matches(statement: &Statement, action: &str) -> Truth {
    let one = |pattern: &ActionPattern| {
        let hit = glob::matches_ignoring_case(&pattern.text, action);
        match statement.obstacle_within(pattern.span) {
            // No reading lets such a pattern match what it does not match as a glob.
            Some(obstacle) if obstacle.kind == ObstacleKind::ServiceWildcard && !hit => Truth::No,
            Some(obstacle) => Truth::Open(vec![Open::from(obstacle)]),
            None => Truth::from(hit),
        }
    };
    match &statement.actions {
        Actions::Listed(list) => unless_empty(list, statement, || Truth::any(list.iter().map(one))),
        Actions::AllExcept(list) => {
            unless_empty(list, statement, || Truth::any(list.iter().map(one)).negated())
        }
    }
}

/// Whether the resource element of `statement` covers `resource`.
#[must_use]
pub fn resource_matches(statement: &Statement, resource: &str, judge: &Judge<'_>) -> Truth {
    let one = |pattern: &ResourcePattern| match statement.obstacle_within(pattern.span) {
        Some(obstacle) => Truth::Open(vec![Open::from(obstacle)]),
        None => judge.resource(pattern, resource),
    };
    match &statement.resources {
        Resources::Listed(list) => {
            unless_empty(list, statement, || Truth::any(list.iter().map(one)))
        }
        Resources::AllExcept(list) => {
            unless_empty(list, statement, || Truth::any(list.iter().map(one)).negated())
        }
    }
}

fn unless_empty<T>(list: &[T], statement: &Statement, judge: impl FnOnce() -> Truth) -> Truth {
    if list.is_empty() {
        return Truth::Open(vec![Open::empty_list(statement.span)]);
    }
    judge()
}
