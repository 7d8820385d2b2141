//! Deciding a question: proved, refuted with a replayed witness, or undecided.

use std::collections::BTreeSet;

use policy::arn::ARN_COMPONENTS;
use policy::condition::{BareMultivalued, Open, OpenPoint, Readings, Truth};
use policy::evaluate::{Place, Stack, evaluate, permitted_for_certain};
use policy::keys::KeyCatalog;
use policy::model::{Condition, Family, Piece, SetOperator};
use policy::request::ContextValue;

use crate::applicable::Applicable;
use crate::budget::{Budget, Exhausted};
use crate::encode::{Encoder, Pins, Stance, is_tag_of_resource};
use crate::language::{Languages, Sequence};
use crate::literal::{MOMENT, NETWORK, PRINCIPAL, Problem, RESOURCE, RESOURCE_ACCOUNT, Source};
use crate::mentions::{
    colons, conditions, has_long_names, resource_patterns, template_variables, variables,
};
use crate::question::{
    FixedValue, KeyModel, Presence, Question, ResourceModel, SettledKeys, Taken,
};
use crate::regions;
use crate::search::{SearchOutcome, search};
use crate::witness::{Witness, witness};

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No request of the class is permitted, under any reading of what AWS leaves open. These
    /// statements and levels stop them all; none of them can be left out.
    Proved(BTreeSet<Decider>),
    /// This request is permitted under every reading; the plain evaluator has confirmed it.
    Refuted(Box<Witness>),
    /// Neither could be shown.
    Undecided(Vec<Obstacle>),
}

/// What stops requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decider {
    /// A Deny statement.
    Deny(Place),
    /// A level at which no statement allows them.
    Level(usize),
}

/// Why a question is undecided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obstacle {
    /// It depends on something open in this statement.
    Open(Place, Open),
    /// The budget was spent first.
    Budget,
    /// Not all values of this key were looked at, where it is compared in different types.
    Incomplete(String),
    /// The procedure and the evaluator disagree; a defect of this program.
    Disagreement,
}

/// What a decision may spend unless the caller says otherwise.
pub const DEFAULT_BUDGET: u64 = 2_000_000;
/// Cores with more requirements than this are not minimized.
const MOST_MINIMIZED: usize = 64;

/// Decides questions and remembers what it learned about languages on the way.
#[derive(Debug)]
pub struct Prover {
    languages: Languages,
    catalog: KeyCatalog,
    budget: u64,
    spent: u64,
}

impl Prover {
    /// A prover that knows the types of the keys in `catalog` and spends up to `budget` steps
    /// on each question.
    #[must_use]
    pub fn new(catalog: KeyCatalog, budget: u64) -> Self {
        Self { languages: Languages::default(), catalog, budget, spent: 0 }
    }

    /// The steps that all questions so far have taken.
    #[must_use]
    pub const fn spent(&self) -> u64 {
        self.spent
    }

    /// The keys whose types it knows.
    #[must_use]
    pub const fn catalog(&self) -> &KeyCatalog {
        &self.catalog
    }

    /// Decides whether `stack` stops every request of `question`.
    ///
    /// `applicable` holds the statements of `stack` that are about the question's action.
    pub fn decide(
        &mut self,
        stack: &Stack<'_>,
        applicable: &Applicable<'_>,
        question: &Question<'_>,
    ) -> Verdict {
        self.decide_within(stack, applicable, question, self.budget)
    }

    /// The same with a budget of its own, in steps.
    pub fn decide_within(
        &mut self,
        stack: &Stack<'_>,
        applicable: &Applicable<'_>,
        question: &Question<'_>,
        steps: u64,
    ) -> Verdict {
        let mut budget = Budget::new(steps);
        let decided = self.run(stack, applicable, question, &mut budget);
        self.spent = self.spent.saturating_add(steps - budget.left());
        match decided {
            Ok(verdict) => verdict,
            Err(Exhausted) => Verdict::Undecided(vec![Obstacle::Budget]),
        }
    }

    fn run(
        &mut self,
        stack: &Stack<'_>,
        applicable: &Applicable<'_>,
        question: &Question<'_>,
        budget: &mut Budget,
    ) -> Result<Verdict, Exhausted> {
        let silent = applicable.allows.iter().position(|l| l.as_ref().is_some_and(Vec::is_empty));
        if let Some(level) = silent {
            return Ok(Verdict::Proved(BTreeSet::from([Decider::Level(level)])));
        }
        let doubts = doubts(applicable, question);
        if doubts.is_empty() {
            return self.run_settled(stack, applicable, question, budget);
        }
        let several = taken_for_sets(applicable);
        let settled = |taken| SettledKeys { keys: question.keys, taken };
        let possible = settled(Taken::Possible { several: &several });
        let sure = settled(Taken::Sure);
        // What holds of everything possible holds of what is sure.
        let as_possible = question.with_keys(&possible);
        let on_the_way = match self.run_settled(stack, applicable, &as_possible, budget)? {
            Verdict::Proved(deciders) => return Ok(Verdict::Proved(deciders)),
            Verdict::Refuted(witness) => {
                let doubtful = |doubt: &&Doubt| !self.is_sure(&witness, &doubt.key, question);
                let on_the_way: Vec<Doubt> = doubts.iter().filter(doubtful).cloned().collect();
                if on_the_way.is_empty() {
                    return Ok(Verdict::Refuted(witness));
                }
                on_the_way
            }
            Verdict::Undecided(_) => doubts,
        };
        match self.run_settled(stack, applicable, &question.with_keys(&sure), budget)? {
            Verdict::Proved(_) => {
                let obstacles: BTreeSet<Obstacle> = on_the_way
                    .into_iter()
                    .map(|doubt| Obstacle::Open(doubt.place, doubt.open))
                    .collect();
                Ok(Verdict::Undecided(obstacles.into_iter().collect()))
            }
            found @ (Verdict::Refuted(_) | Verdict::Undecided(_)) => Ok(found),
        }
    }

    /// Whether the request is certain to be one where `key`, a doubtful one, is concerned.
    fn is_sure(&mut self, witness: &Witness, key: &str, question: &Question<'_>) -> bool {
        let KeyModel::Doubtful { sure, .. } = question.keys.key(key) else { return true };
        match (*sure, witness.context.get(key)) {
            (KeyModel::Absent, value) => value.is_none(),
            (KeyModel::Text(_, presence), None) => presence == Presence::Optional,
            (KeyModel::Text(domain, _), Some(ContextValue::One(text))) => {
                let text = text.as_str().into();
                let mut is_in = |union: &Vec<Sequence>| {
                    let lang = self.languages.intern(union.clone());
                    self.languages.contains(lang, &text)
                };
                domain.include.iter().all(&mut is_in) && !domain.exclude.iter().any(is_in)
            }
            _ => false,
        }
    }

    /// Decides a question whose keys are all known.
    fn run_settled(
        &mut self,
        stack: &Stack<'_>,
        applicable: &Applicable<'_>,
        question: &Question<'_>,
        budget: &mut Budget,
    ) -> Result<Verdict, Exhausted> {
        let readings = readings(applicable, question, &self.catalog);
        let mut deciders = BTreeSet::new();
        let mut obstacles = BTreeSet::new();
        let mut refuted = Vec::new();
        let regions =
            regions::classes(applicable, question, &self.catalog, &mut self.languages, budget)?;
        if !regions.complete {
            obstacles.insert(Obstacle::Incomplete("aws:RequestedRegion".to_owned()));
        }
        for region in &regions.each {
            for reading in &readings {
                let ask = Ask { question, applicable, region, pins: &Pins::new() };
                match self.ask(&ask, Stance::Generous, &[*reading], budget)? {
                    Escape::Nothing(core, problem) => {
                        deciders.extend(core);
                        refuted.push(problem);
                    }
                    Escape::Request(found) => {
                        match self.replay(stack, found, question, &mut obstacles) {
                            Ok(witness) => return Ok(Verdict::Refuted(witness)),
                            Err(candidate) => {
                                match self.certain(stack, &ask, &readings, &candidate, budget)? {
                                    Certain::Request(witness) => {
                                        return Ok(Verdict::Refuted(witness));
                                    }
                                    Certain::Unknown(keys) => {
                                        obstacles
                                            .extend(keys.into_iter().map(Obstacle::Incomplete));
                                    }
                                    Certain::Nothing => {}
                                }
                            }
                        }
                    }
                    Escape::Unknown(keys) => {
                        obstacles.extend(keys.into_iter().map(Obstacle::Incomplete));
                    }
                }
            }
        }
        if !regions.complete && obstacles.len() == 1 {
            // Other statements may stop everything in every Region.
            let clear = regions::without_unclear(applicable, question);
            let alone = self.run_settled(stack, &clear, question, budget)?;
            if matches!(alone, Verdict::Proved(_)) {
                return Ok(alone);
            }
        }
        if obstacles.is_empty() {
            if refuted.len() > 1 {
                deciders = self.needed(&refuted, deciders, budget);
            }
            return Ok(Verdict::Proved(deciders));
        }
        Ok(Verdict::Undecided(obstacles.into_iter().collect()))
    }

    /// A request that gets through for certain, after one that perhaps does was found.
    fn certain(
        &mut self,
        stack: &Stack<'_>,
        ask: &Ask<'_, '_>,
        readings: &[Readings],
        candidate: &Witness,
        budget: &mut Budget,
    ) -> Result<Certain, Exhausted> {
        let mut pins = vec![Pins::new()];
        let variables = variables(ask.applicable);
        if !variables.is_empty() {
            // Policy variables have one value once their keys are pinned: to absence, to a plain
            // value, and to what the candidate holds.
            let optional = variables.iter().filter(|key| may_be_absent(ask.question, key));
            pins.push(optional.map(|key| (key.clone(), None)).collect());
            pins.push(
                variables
                    .iter()
                    .filter_map(|key| Some((key.clone(), Some(plain_value(ask.question, key)?))))
                    .collect(),
            );
            pins.push(
                variables
                    .iter()
                    .filter_map(|key| {
                        candidate.single(key).map(|v| (key.clone(), Some(v.to_owned())))
                    })
                    .collect(),
            );
            pins.extend(pins_of_resources(ask, candidate, budget)?);
        }
        let mut end = Certain::Nothing;
        for pins in pins {
            let pinned = Ask { pins: &pins, ..*ask };
            match self.ask(&pinned, Stance::Strict, readings, budget)? {
                Escape::Request(found) => {
                    let replayed = self.replay(stack, found, ask.question, &mut BTreeSet::new());
                    if let Ok(witness) = replayed {
                        return Ok(Certain::Request(witness));
                    }
                }
                Escape::Unknown(keys) => end = Certain::Unknown(keys),
                Escape::Nothing(..) => {}
            }
        }
        Ok(end)
    }

    fn ask<'a>(
        &mut self,
        ask: &Ask<'_, 'a>,
        stance: Stance,
        readings: &[Readings],
        budget: &mut Budget,
    ) -> Result<Escape<'a>, Exhausted> {
        let mut encoder = Encoder::new(
            &mut self.languages,
            ask.question,
            ask.applicable,
            &self.catalog,
            ask.region,
            stance,
            ask.pins,
            budget,
        );
        for reading in readings {
            encoder.add(*reading);
        }
        let problem = encoder.finish()?;
        match search(&problem, &|_| true, &mut self.languages, &self.catalog, budget)? {
            SearchOutcome::Satisfied(values) => {
                let found =
                    witness(&problem, &values, ask.question, ask.region, &mut self.languages);
                Ok(Escape::Request(Box::new(found)))
            }
            SearchOutcome::Unsatisfiable(core) => {
                let core = self.minimized(&problem, core, budget);
                // Invariant CORE: what excludes each other are requirements of this problem.
                debug_assert!(core.iter().all(|index| problem.requirements.get(*index).is_some()));
                let deciders = core
                    .iter()
                    .filter_map(|index| decider(problem.requirements.get(*index)?.source))
                    .collect();
                Ok(Escape::Nothing(deciders, problem))
            }
            SearchOutcome::Incomplete(unsearched) => {
                let names = unsearched.iter().filter_map(|var| problem.variables.get(*var));
                Ok(Escape::Unknown(names.map(|variable| key_of(&variable.name)).collect()))
            }
        }
    }

    /// Leaves out of `core`, one after the other, what the proof does not need.
    fn minimized(
        &mut self,
        problem: &Problem<'_>,
        mut core: BTreeSet<usize>,
        budget: &mut Budget,
    ) -> BTreeSet<usize> {
        if core.len() > MOST_MINIMIZED {
            return core;
        }
        // A core that is not minimal is still a core, so a spent allowance only ends this.
        let mut allowance = Budget::new(budget.left() / 4);
        for candidate in core.clone() {
            if !core.contains(&candidate) {
                continue;
            }
            let fewer: BTreeSet<usize> = core.iter().copied().filter(|i| *i != candidate).collect();
            // How the keys of a request hang together holds in every request.
            let active = |index: usize| {
                let source = problem.requirements.get(index).map(|r| r.source);
                fewer.contains(&index) || matches!(source, Some(Source::Request))
            };
            if let Ok(SearchOutcome::Unsatisfiable(smaller)) =
                search(problem, &active, &mut self.languages, &self.catalog, &mut allowance)
            {
                core = smaller;
            }
        }
        core
    }

    /// Leaves out of `deciders`, one after the other, what none of the proofs needs: together
    /// they may hold more than each by itself.
    fn needed(
        &mut self,
        problems: &[Problem<'_>],
        mut deciders: BTreeSet<Decider>,
        budget: &Budget,
    ) -> BTreeSet<Decider> {
        if deciders.len() > MOST_MINIMIZED {
            return deciders;
        }
        let mut allowance = Budget::new(budget.left().min(self.budget / 4));
        for candidate in deciders.clone() {
            let mut fewer = deciders.clone();
            fewer.remove(&candidate);
            let mut suffice = true;
            for problem in problems {
                let counts = |s: &Source| decider(*s).is_none_or(|d| fewer.contains(&d));
                let active = |index: usize| {
                    problem
                        .requirements
                        .get(index)
                        .is_some_and(|r| counts(&r.source) || r.also.iter().any(counts))
                };
                let answer =
                    search(problem, &active, &mut self.languages, &self.catalog, &mut allowance);
                if !matches!(answer, Ok(SearchOutcome::Unsatisfiable(_))) {
                    suffice = false;
                    break;
                }
            }
            if suffice {
                deciders = fewer;
            }
        }
        deciders
    }

    /// Runs a found request through the plain evaluator, once for each resource.
    fn replay(
        &self,
        stack: &Stack<'_>,
        found: Box<Witness>,
        question: &Question<'_>,
        obstacles: &mut BTreeSet<Obstacle>,
    ) -> Result<Box<Witness>, Box<Witness>> {
        let permitted = found.requests().all(|r| permitted_for_certain(stack, &r, &self.catalog));
        if permitted {
            return Ok(found);
        }
        let mut explained = false;
        for request in found.requests() {
            let decision = evaluate(stack, &request, Readings::default(), &self.catalog);
            for (place, open) in decision.open {
                explained = true;
                obstacles.insert(Obstacle::Open(place, open));
            }
        }
        if !explained {
            for (place, statement) in stack.statements() {
                let coarse = coarse_points(statement, question, &self.catalog)
                    .into_iter()
                    .chain(units(statement, found.is_ascii()));
                for open in coarse {
                    explained = true;
                    obstacles.insert(Obstacle::Open(place, open));
                }
            }
            if !explained {
                obstacles.insert(Obstacle::Disagreement);
            }
        }
        Err(found)
    }
}

struct Ask<'q, 'a> {
    question: &'q Question<'q>,
    applicable: &'q Applicable<'a>,
    region: &'q str,
    pins: &'q Pins,
}

enum Escape<'a> {
    Request(Box<Witness>),
    /// None: these deciders stop every request, as this problem shows.
    Nothing(BTreeSet<Decider>, Problem<'a>),
    /// Not all values of these keys were looked at.
    Unknown(BTreeSet<String>),
}

/// What looking for a request that gets through for certain came to.
enum Certain {
    Request(Box<Witness>),
    Nothing,
    /// There may be one among the values of these keys that were not looked at.
    Unknown(BTreeSet<String>),
}

/// What a variable stands for, as policies name it.
fn key_of(variable: &str) -> String {
    match variable {
        MOMENT => "aws:CurrentTime".to_owned(),
        NETWORK => "aws:SourceIp".to_owned(),
        PRINCIPAL => "aws:PrincipalArn".to_owned(),
        RESOURCE_ACCOUNT => "aws:ResourceAccount".to_owned(),
        other if other.starts_with(RESOURCE) => "the resource".to_owned(),
        other => other.to_owned(),
    }
}

/// What a requirement's source stands for, where it is something that stops requests.
fn decider(source: Source) -> Option<Decider> {
    match source {
        Source::Deny(place) => Some(Decider::Deny(place)),
        Source::Level(level) => Some(Decider::Level(level)),
        Source::Request => None,
    }
}

/// The points of a statement at which the procedure is coarser than the evaluator: policy
/// variables that differ between requests, and the account of a resource that is no ARN.
fn coarse_points(
    statement: &policy::model::Statement,
    question: &Question<'_>,
    catalog: &KeyCatalog,
) -> Vec<Open> {
    if policy::evaluate::action_matches(statement, question.action) == Truth::No {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (template, span) in statement.templates() {
        for key in template_variables(template) {
            let fixed = !catalog.is_multivalued(key)
                && matches!(
                    question.keys.key(key),
                    KeyModel::Fixed(_) | KeyModel::Absent | KeyModel::Region
                );
            if !fixed {
                found.push(Open {
                    point: OpenPoint::Variable,
                    span,
                    message: format!(
                        "`${{{key}}}` differs from request to request, and the proof would need \
                         to compare it with another key"
                    ),
                });
            }
        }
    }
    if question.resources.iter().any(|resource| matches!(resource, ResourceModel::Star)) {
        let accounts = statement
            .conditions
            .iter()
            .filter(|c| c.key.eq_ignore_ascii_case("aws:ResourceAccount"));
        found.extend(accounts.map(|condition| Open {
            point: OpenPoint::Variable,
            span: condition.key_span,
            message: format!(
                "`{}` has no resource types, and AWS does not say which `{}` it carries",
                question.action, condition.key
            ),
        }));
    }
    if question.resources.len() > 1 {
        let tags = statement.conditions.iter().filter(|c| is_tag_of_resource(&c.key_folded()));
        found.extend(tags.map(|condition| Open {
            point: OpenPoint::Variable,
            span: condition.key_span,
            message: format!(
                "each resource of `{}` has a `{}` of its own, and the proof would need to follow \
                 them one by one",
                question.action, condition.key
            ),
        }));
    }
    for condition in &statement.conditions {
        let typed = matches!(
            condition.operator.test.family(),
            Family::Number(_) | Family::Date(_) | Family::Ip | Family::Binary
        );
        let textual = || {
            matches!(
                question.keys.key(&condition.key_folded()),
                KeyModel::Set { .. } | KeyModel::ResourceAccount(_)
            )
        };
        if typed && textual() {
            found.push(Open {
                point: OpenPoint::Unparsable,
                span: condition.operator_span,
                message: format!(
                    "`{}` on `{}`, whose values are texts, is not looked into",
                    condition.operator, condition.key
                ),
            });
        }
    }
    found
}

/// The values of a statement for which a character outside ASCII makes the procedure coarse:
/// each `?`, where the request has such a character, and the values that have one themselves.
fn units(statement: &policy::model::Statement, ascii: bool) -> impl Iterator<Item = Open> + '_ {
    let coarse = move |piece: &Piece| match piece {
        Piece::Question => !ascii,
        Piece::Char(c) => !c.is_ascii(),
        Piece::Star | Piece::Variable { .. } => false,
    };
    statement.templates().filter(move |(template, _)| template.pieces.iter().any(coarse)).map(
        |(_, span)| Open {
            point: OpenPoint::NonAscii,
            span,
            message: "AWS does not say how characters outside ASCII are compared".to_owned(),
        },
    )
}

fn plain_value(question: &Question<'_>, key: &str) -> Option<String> {
    question.keys.key(key).plain_value().map(|(value, _)| value)
}

fn may_be_absent(question: &Question<'_>, key: &str) -> bool {
    let model = question.keys.key(key);
    matches!(model, KeyModel::Absent) || model.presence().is_some_and(Presence::may_be_absent)
}

/// Every combination of readings that can make a difference to the applicable statements.
fn readings(
    applicable: &Applicable<'_>,
    question: &Question<'_>,
    catalog: &KeyCatalog,
) -> Vec<Readings> {
    let conditions = || conditions(applicable);
    // A set is what the question makes one of, too.
    let is_set = |c: &Condition| {
        catalog.is_multivalued(&c.key)
            || matches!(
                question.keys.key(&c.key_folded()),
                KeyModel::Set { .. } | KeyModel::Fixed(FixedValue::Many(_))
            )
    };
    let bare = |c: &Condition| {
        c.operator.set.is_none() && c.operator.test.family() != Family::Null && is_set(c)
    };
    let bare_missing =
        |c: &Condition| bare(c) && (c.operator.if_exists || c.operator.test.is_negated());
    let any_if_exists = |c: &Condition| {
        c.operator.if_exists && (c.operator.set == Some(SetOperator::ForAnyValue) || bare(c))
    };
    let short_arn = |c: &Condition| {
        c.operator.test.family() == Family::Arn
            && c.values.iter().any(|v| colons(&v.template) < ARN_COMPONENTS - 1)
    };
    let long_names = has_long_names(question);
    let loose_resource = applicable.statements().any(|placed| {
        resource_patterns(&placed.statement.resources).iter().any(|pattern| {
            !pattern.template.is_star()
                && (long_names || colons(&pattern.template) != ARN_COMPONENTS - 1)
        })
    });
    let options = |open: bool| if open { vec![Some(false), Some(true)] } else { vec![Some(false)] };
    let mut all = Vec::new();
    for any_value_if_exists in options(conditions().any(any_if_exists)) {
        for bare_multivalued in
            bare_readings(conditions().any(bare), conditions().any(bare_missing))
        {
            for short_arn_as_glob in options(conditions().any(short_arn)) {
                for resource_as_glob in options(loose_resource) {
                    all.push(Readings {
                        any_value_if_exists,
                        bare_multivalued,
                        short_arn_as_glob,
                        resource_as_glob,
                    });
                }
            }
        }
    }
    all
}

/// The readings of conditions without a set operator; the one about missing keys only where it
/// differs.
fn bare_readings(open: bool, missing_matters: bool) -> Vec<Option<BareMultivalued>> {
    let known = |bare: &BareMultivalued| match bare {
        BareMultivalued::Never => true,
        BareMultivalued::AnyValue => open,
        BareMultivalued::AnyValueOrMissing => open && missing_matters,
    };
    BareMultivalued::ALL.into_iter().filter(known).map(Some).collect()
}

/// A key on which a statement depends and of which nobody knows what requests carry.
#[derive(Clone)]
struct Doubt {
    place: Place,
    key: String,
    open: Open,
}

/// The keys that some condition takes for a set: of those in doubt, only these may have several
/// values. Any other has one, as its conditions take it.
fn taken_for_sets(applicable: &Applicable<'_>) -> BTreeSet<String> {
    let as_sets = conditions(applicable).filter(|c| c.operator.set.is_some());
    as_sets.map(Condition::key_folded).collect()
}

/// The doubtful keys of the applicable statements.
fn doubts(applicable: &Applicable<'_>, question: &Question<'_>) -> Vec<Doubt> {
    let mut found = Vec::new();
    let mut look = |place: Place, key: &str, written: &str, span| {
        if question.keys.is_doubtful(key)
            && let KeyModel::Doubtful { why, .. } = question.keys.key(key)
        {
            let message = format!("`{written}` {why}");
            let open = Open { point: OpenPoint::DoubtfulKey, span, message };
            found.push(Doubt { place, key: key.to_owned(), open });
        }
    };
    for placed in applicable.statements() {
        for condition in &placed.statement.conditions {
            look(placed.place, &condition.key_folded(), &condition.key, condition.key_span);
        }
        for (template, span) in placed.statement.templates() {
            for key in template_variables(template) {
                look(placed.place, key, key, span);
            }
        }
    }
    found
}

/// Pins of policy variables in resources: to what makes the pattern match a resource that the
/// request names, or could name.
fn pins_of_resources(
    ask: &Ask<'_, '_>,
    candidate: &Witness,
    budget: &mut Budget,
) -> Result<Vec<Pins>, Exhausted> {
    let mut texts = vec![candidate.resource.clone()];
    texts.extend(candidate.additional_resources.iter().cloned());
    for resource in ask.question.resources {
        texts.extend(resource.domain(ask.region).plain);
    }
    let mut all = Vec::new();
    for placed in ask.applicable.statements() {
        for pattern in resource_patterns(&placed.statement.resources) {
            if !pattern.template.has_variable() {
                continue;
            }
            for text in &texts {
                let chars: Vec<char> = text.chars().collect();
                let mut taken = Pins::new();
                if captured(&pattern.template.pieces, &chars, &mut taken, budget)?
                    && !all.contains(&taken)
                {
                    all.push(taken);
                }
            }
        }
    }
    Ok(all)
}

/// Whether `text` matches with some values in place of the variables, and which.
fn captured(
    pieces: &[Piece],
    text: &[char],
    taken: &mut Pins,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    budget.spend(1)?;
    let Some((first, rest)) = pieces.split_first() else { return Ok(text.is_empty()) };
    match first {
        Piece::Char(c) => match text.split_first() {
            Some((d, more)) if c == d => captured(rest, more, taken, budget),
            Some(_) | None => Ok(false),
        },
        Piece::Question => match text.split_first() {
            Some((_, more)) => captured(rest, more, taken, budget),
            None => Ok(false),
        },
        Piece::Star => {
            for at in 0..=text.len() {
                if captured(rest, text.get(at..).unwrap_or_default(), taken, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Piece::Variable { key, .. } => {
            if let Some(known) = taken.get(key).cloned().flatten() {
                let known: Vec<char> = known.chars().collect();
                return match text.strip_prefix(known.as_slice()) {
                    Some(more) => captured(rest, more, taken, budget),
                    None => Ok(false),
                };
            }
            for at in 1..=text.len() {
                let Some((value, more)) = text.split_at_checked(at) else { break };
                taken.insert(key.clone(), Some(value.iter().collect()));
                if captured(rest, more, taken, budget)? {
                    return Ok(true);
                }
                taken.remove(key);
            }
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests;
