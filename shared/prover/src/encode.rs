//! From a question and the applicable statements to variables and requirements.

use std::collections::BTreeMap;
use std::rc::Rc;

use policy::arn::ACCOUNT_DIGITS;
use policy::condition::{BareMultivalued, Judge, Readings, Truth};
use policy::keys::KeyCatalog;
use policy::model::{Condition, Family, ResourcePattern, Resources, SetOperator};
use policy::request::Context;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::applicable::{Applicable, Placed};
use crate::budget::{Budget, Exhausted};
use crate::language::{Class, LangId, Languages, Operand, Sequence, named};
use crate::literal::{
    Alternatives, ByAddress, Conjunction, Domain, Literal, MOMENT, NETWORK, PRINCIPAL, Problem,
    RESOURCE, RESOURCE_ACCOUNT, Requirement, Source, Texts, VarId, Variable,
};
use crate::mentions::{conditions, variables};
use crate::pattern::{self, Bounds, Resolved};
use crate::question::{Demand, FixedValue, KeyModel, Network, Presence, Question, TextDomain};
use crate::representatives;
use crate::witness::OWN_ORGANIZATION;

mod keys;

/// How to treat what is not certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stance {
    /// What may let a request through does: nothing is overlooked.
    Generous,
    /// Only what certainly lets a request through does: what is found, stands.
    Strict,
}

/// Values to which keys are pinned; `None` pins a key to absence.
pub type Pins = BTreeMap<String, Option<String>>;

/// Builds a [`Problem`].
pub struct Encoder<'q, 'a, 'l> {
    pub(crate) languages: &'l mut Languages,
    question: &'q Question<'q>,
    applicable: &'q Applicable<'a>,
    catalog: &'q KeyCatalog,
    region: &'q str,
    stance: Stance,
    readings: Readings,
    pins: &'q Pins,
    problem: Problem<'a>,
    by_name: FxHashMap<String, VarId>,
    models: FxHashMap<String, Rc<KeyModel>>,
    /// The same by the spelling of policies, which are read far more often.
    as_written: FxHashMap<&'a str, Rc<ConditionKey>>,
    seen: FxHashMap<(bool, Alternatives<'a>), usize>,
    universe: LangId,
    budget: &'l mut Budget,
    /// Whether the budget ran out; the problem is then not complete.
    exhausted: bool,
}

/// A key that a condition asks about.
struct ConditionKey {
    /// In lower case.
    folded: String,
    model: Rc<KeyModel>,
}

/// What judging one value by the plain evaluator costs, in steps.
const STEPS_TO_JUDGE: usize = 8;

/// Alternatives beyond this many are not multiplied out; the question is then undecided.
const MOST_ALTERNATIVES: usize = 4096;

impl<'q, 'a, 'l> Encoder<'q, 'a, 'l> {
    /// Begins with the variables that every request has.
    #[expect(clippy::too_many_arguments, reason = "made in one place, from what a question is")]
    pub fn new(
        languages: &'l mut Languages,
        question: &'q Question<'q>,
        applicable: &'q Applicable<'a>,
        catalog: &'q KeyCatalog,
        region: &'q str,
        stance: Stance,
        pins: &'q Pins,
        budget: &'l mut Budget,
    ) -> Self {
        let universe = languages.intern(vec![Sequence::default().any(Class::Any)]);
        let mut encoder = Self {
            languages,
            question,
            applicable,
            catalog,
            region,
            stance,
            readings: Readings::default(),
            pins,
            problem: Problem::default(),
            by_name: FxHashMap::default(),
            models: FxHashMap::default(),
            as_written: FxHashMap::default(),
            seen: FxHashMap::default(),
            universe,
            budget,
            exhausted: false,
        };
        for index in 0..question.resources.len() {
            encoder.resource_variable(index);
        }
        encoder.principal_variable();
        for name in question.present {
            let folded = name.to_ascii_lowercase();
            if !encoder.model(&folded).has_plain_value() {
                encoder.key_variable(&folded);
            }
        }
        // What a policy variable names is part of the request even where no condition asks
        // about the key itself.
        for folded in variables(applicable) {
            encoder.key_variable(&folded);
        }
        // Nor is a request complete without what a condition asks about only under a reading
        // that is not taken here.
        for condition in conditions(applicable) {
            if !encoder.as_written.contains_key(condition.key.as_str()) {
                let key = encoder.key(condition);
                let presence = key.model.presence();
                let optional = matches!(presence, Some(Presence::Optional | Presence::Within(_)));
                if presence.is_some() && !optional {
                    encoder.key_variable(&key.folded);
                }
            }
        }
        encoder
    }

    /// Adds what the applicable statements demand under `readings`.
    pub fn add(&mut self, readings: Readings) {
        self.readings = readings;
        for resource in 0..self.question.resources.len() {
            for index in 0..self.applicable.denies.len() {
                if let Some(placed) = self.applicable.denies.get(index).copied() {
                    let alternatives = self.escapes(&placed, resource);
                    self.require(Source::Deny(placed.place), alternatives);
                }
            }
            for level in 0..self.applicable.allows.len() {
                let Some(Some(listed)) = self.applicable.allows.get(level).cloned() else {
                    continue;
                };
                let mut alternatives = Vec::new();
                for placed in &listed {
                    alternatives.extend(self.matches(placed, resource));
                }
                self.require(Source::Level(level), alternatives);
            }
        }
    }

    /// The finished problem.
    ///
    /// # Errors
    /// [`Exhausted`] when writing it down took more than the budget.
    pub fn finish(self) -> Result<Problem<'a>, Exhausted> {
        if self.exhausted { Err(Exhausted) } else { Ok(self.problem) }
    }

    fn spend(&mut self, steps: usize) {
        self.exhausted |= self.budget.spend(steps as u64).is_err();
    }

    fn require(&mut self, source: Source, mut alternatives: Alternatives<'a>) {
        if alternatives.iter().any(Vec::is_empty) {
            return;
        }
        let mut known = FxHashSet::default();
        alternatives.retain(|alternative| known.insert(alternative.clone()));
        let is_level = matches!(source, Source::Level(_));
        let next = self.problem.requirements.len();
        let first = *self.seen.entry((is_level, alternatives.clone())).or_insert(next);
        match self.problem.requirements.get_mut(first) {
            Some(known) => known.also.push(source),
            None => {
                let also = Vec::new();
                self.problem.requirements.push(Requirement { source, also, alternatives });
            }
        }
    }

    /// The ways in which `placed`, a Deny, does not match.
    fn escapes(&mut self, placed: &Placed<'a>, resource: usize) -> Alternatives<'a> {
        let statement = placed.statement;
        if self.stance == Stance::Generous
            && (!placed.action_certain || Truth::obstructed(&statement.obstacles) != Truth::Yes)
        {
            return vec![Vec::new()];
        }
        let mut alternatives = self.resource(placed, resource, false);
        for condition in &statement.conditions {
            if alternatives.iter().any(Vec::is_empty) {
                break;
            }
            if statement.condition_obstacle(condition).is_none() {
                alternatives.extend(self.condition(condition, resource, false));
            }
        }
        alternatives
    }

    /// The ways in which `placed`, an Allow, matches.
    fn matches(&mut self, placed: &Placed<'a>, resource: usize) -> Alternatives<'a> {
        let statement = placed.statement;
        if self.stance == Stance::Strict
            && (!placed.action_certain || Truth::obstructed(&statement.obstacles) != Truth::Yes)
        {
            return Vec::new();
        }
        let mut alternatives = self.resource(placed, resource, true);
        for condition in &statement.conditions {
            if statement.condition_obstacle(condition).is_some() {
                continue;
            }
            let more = self.condition(condition, resource, true);
            if alternatives.len() * more.len() > MOST_ALTERNATIVES {
                // Too many to write down: as good as a spent budget.
                self.exhausted = true;
                return self.unknown();
            }
            alternatives = both(&alternatives, &more);
        }
        alternatives
    }

    fn resource(&mut self, placed: &Placed<'a>, resource: usize, want: bool) -> Alternatives<'a> {
        let statement = placed.statement;
        let (patterns, negated): (&[ResourcePattern], bool) = match &statement.resources {
            Resources::Listed(patterns) => (patterns, false),
            Resources::AllExcept(patterns) => (patterns, true),
        };
        let var = self.resource_variable(resource);
        let inside = want != negated;
        let as_glob = self.readings.resource_as_glob.unwrap_or(false);
        let obstructed = |found: &ResourcePattern| statement.obstacle_within(found.span).is_some();
        let name = if patterns.iter().any(obstructed) {
            None
        } else {
            let texts = patterns.iter().map(|found| found.text.as_str());
            self.name_of(if as_glob { "resource glob" } else { "resource" }, texts, inside)
        };
        let side = self.side(name, inside, |encoder| {
            let mut bounds = Bounds::default();
            for found in patterns {
                if obstructed(found) {
                    bounds.anything();
                    continue;
                }
                let resolve = |key: &str| encoder.resolve(key);
                pattern::resource(&mut bounds, &found.template, as_glob, &resolve);
            }
            if patterns.is_empty() {
                bounds.anything();
            }
            bounds
        });
        self.literal(var, side, inside, false)
    }

    /// The ways in which `condition` holds, or does not.
    fn condition(
        &mut self,
        condition: &'a Condition,
        resource: usize,
        want: bool,
    ) -> Alternatives<'a> {
        self.spend(condition.values.len() + 1);
        if self.exhausted {
            return self.unknown();
        }
        let key = self.key(condition);
        let folded = key.folded.as_str();
        let own = OWN_ORGANIZATION.iter().find(|(key, _)| key.eq_ignore_ascii_case(folded));
        if resource > 0
            && let Some((_, own)) = own
            && let KeyModel::Fixed(value) = &*self.model(&own.to_ascii_lowercase())
        {
            return self.own_organization(condition, folded, value, want);
        }
        let never = matches!(&*key.model, KeyModel::Absent);
        if resource > 0 && !never && self.stance == Stance::Generous && is_tag_of_resource(folded) {
            return self.unknown();
        }
        match &*key.model {
            KeyModel::Absent => self.constant(condition, None, want),
            KeyModel::Fixed(value) => self
                .turned_around(condition, value, resource, want)
                .unwrap_or_else(|| self.constant(condition, Some(value), want)),
            KeyModel::Region => {
                let region = FixedValue::One(self.region.to_owned());
                self.constant(condition, Some(&region), want)
            }
            KeyModel::PrincipalType => self.principal_type(condition, want),
            KeyModel::ResourceAccount(_) => self.resource_account(condition, resource, want),
            KeyModel::Choice { .. }
            | KeyModel::Address { .. }
            | KeyModel::Number { .. }
            | KeyModel::Moment { .. }
            | KeyModel::CurrentTime
            | KeyModel::EpochTime => match self.key_variable(folded) {
                Some(var) => self.finite(condition, var, folded, want),
                None => self.unknown(),
            },
            KeyModel::Text(..) | KeyModel::PrincipalArn => match self.key_variable(folded) {
                Some(var) => self.text(condition, var, want),
                None => self.unknown(),
            },
            KeyModel::Set { .. } => match self.key_variable(folded) {
                Some(var) => self.set(condition, var, want),
                None => self.unknown(),
            },
            KeyModel::Doubtful { .. } => self.unknown(),
        }
    }

    /// A condition on the organization of a further resource, which is the account's own.
    fn own_organization(
        &mut self,
        condition: &'a Condition,
        folded: &str,
        value: &FixedValue,
        want: bool,
    ) -> Alternatives<'a> {
        let Some(var) = self.key_variable(folded) else {
            let there = matches!(&*self.model(folded), KeyModel::Fixed(_));
            return self.constant(condition, there.then_some(value), want);
        };
        let (here, gone) = self.presence_of(var);
        let mut alternatives = Vec::new();
        for (with, presence) in [(Some(value), here), (None, gone)] {
            if with.is_none() && !self.optional(var) {
                continue;
            }
            alternatives.extend(self.constant(condition, with, want).into_iter().map(|mut all| {
                all.extend(presence.clone());
                all
            }));
        }
        alternatives
    }

    /// What nobody knows: possible either way, certain neither way.
    fn unknown(&self) -> Alternatives<'a> {
        if self.stance == Stance::Generous { vec![Vec::new()] } else { Vec::new() }
    }

    fn truth(&self, truth: &Truth, want: bool) -> bool {
        match truth {
            Truth::Yes => want,
            Truth::No => !want,
            Truth::Open(_) => self.stance == Stance::Generous,
        }
    }

    /// A condition on a key whose value is the same in every request.
    fn constant(
        &mut self,
        condition: &'a Condition,
        value: Option<&FixedValue>,
        want: bool,
    ) -> Alternatives<'a> {
        let mut context = Context::default();
        if let Some(value) = value {
            context.insert(&condition.key, value.into());
        }
        if value.is_some() && self.has_unknown_variable(condition) {
            let var = match value {
                Some(FixedValue::One(text)) => self.pinned_text(&condition.key, text),
                Some(FixedValue::Many(_)) | None => return self.unknown(),
            };
            return self.text(condition, var, want);
        }
        self.add_variables(condition, &mut context);
        let judge = Judge { context: &context, readings: self.readings, catalog: self.catalog };
        if self.truth(&judge.condition(condition), want) { vec![Vec::new()] } else { Vec::new() }
    }

    /// A condition whose value is nothing but a policy variable says of the variable's key what
    /// it says of its own, where that has the same text in every request.
    fn turned_around(
        &mut self,
        condition: &'a Condition,
        value: &FixedValue,
        resource: usize,
        want: bool,
    ) -> Option<Alternatives<'a>> {
        let (FixedValue::One(text), None) = (value, condition.operator.set) else { return None };
        let Family::Text { wildcards, ignore_case: false } = condition.operator.test.family()
        else {
            return None;
        };
        let [single] = condition.values.as_slice() else { return None };
        let [policy::model::Piece::Variable { key, default: None }] =
            single.template.pieces.as_slice()
        else {
            return None;
        };
        let of_resource = OWN_ORGANIZATION.iter().any(|(of, _)| of.eq_ignore_ascii_case(key));
        if (of_resource && resource > 0)
            || self.resolve(key) != Resolved::Unknown
            || self.catalog.is_multivalued(key)
            || !matches!(&*self.model(key), KeyModel::Text(..))
        {
            return None;
        }
        let var = self.key_variable(key)?;
        let mut bounds = Bounds::default();
        bounds.exact(Sequence::literal(text));
        if wildcards {
            // A wildcard character in the variable's value may be one, or stand for itself.
            let some = || Sequence::default().any(Class::Any);
            bounds.may.extend(["*", "?"].map(|sign| some().then(sign).any(Class::Any)));
        }
        let negated = condition.operator.test.is_negated();
        // A variable without a value equals nothing.
        let absent_will_do = self.optional(var) && negated == want;
        Some(self.text_literal(var, bounds, negated, absent_will_do, want))
    }

    /// A text variable with one value, so that brackets around an unknown variable apply to it.
    fn pinned_text(&mut self, key: &str, text: &str) -> VarId {
        // With the text in the name: a resource's account differs from resource to resource.
        let name = format!("@fixed {} {text}", key.to_ascii_lowercase());
        if let Some(var) = self.by_name.get(&name) {
            return *var;
        }
        let texts = self.texts(&TextDomain::only(text));
        self.new_variable(name, Domain::Text(texts), false)
    }

    /// Puts the values of the condition's resolvable variables into `context`.
    fn add_variables(&mut self, condition: &Condition, context: &mut Context) {
        for value in &condition.values {
            for piece in &value.template.pieces {
                if let policy::model::Piece::Variable { key, .. } = piece
                    && let Resolved::Text(text) = self.resolve(key)
                    && context.get(key).is_none()
                {
                    context.set(key, text);
                }
            }
        }
    }

    fn has_unknown_variable(&mut self, condition: &Condition) -> bool {
        condition.values.iter().flat_map(|value| &value.template.pieces).any(|piece| match piece {
            policy::model::Piece::Variable { key, .. } => self.resolve(key) == Resolved::Unknown,
            policy::model::Piece::Char(_)
            | policy::model::Piece::Star
            | policy::model::Piece::Question => false,
        })
    }

    /// What `${key}` stands for in the requests of the question.
    fn resolve(&self, key: &str) -> Resolved {
        if self.catalog.is_multivalued(key) {
            return Resolved::Unknown;
        }
        if let Some(pin) = self.pins.get(key) {
            return pin.clone().map_or(Resolved::Missing, Resolved::Text);
        }
        match self.question.keys.key(key) {
            KeyModel::Absent => Resolved::Missing,
            // A further resource has an organization of its own.
            KeyModel::Fixed(_)
                if self.question.resources.len() > 1
                    && OWN_ORGANIZATION.iter().any(|(own, _)| own.eq_ignore_ascii_case(key)) =>
            {
                Resolved::Unknown
            }
            KeyModel::Fixed(FixedValue::One(text)) => Resolved::Text(text),
            KeyModel::Region => Resolved::Text(self.region.to_owned()),
            KeyModel::Fixed(FixedValue::Many(_))
            | KeyModel::Choice { .. }
            | KeyModel::Text(..)
            | KeyModel::Set { .. }
            | KeyModel::Address { .. }
            | KeyModel::Number { .. }
            | KeyModel::Moment { .. }
            | KeyModel::CurrentTime
            | KeyModel::EpochTime
            | KeyModel::PrincipalArn
            | KeyModel::PrincipalType
            | KeyModel::ResourceAccount(_)
            | KeyModel::Doubtful { .. } => Resolved::Unknown,
        }
    }

    fn model(&mut self, folded: &str) -> Rc<KeyModel> {
        if let Some(model) = self.models.get(folded) {
            return Rc::clone(model);
        }
        let model = Rc::new(self.question.keys.key(folded));
        self.models.insert(folded.to_owned(), Rc::clone(&model));
        model
    }

    /// The key of a condition.
    fn key(&mut self, condition: &'a Condition) -> Rc<ConditionKey> {
        if let Some(key) = self.as_written.get(condition.key.as_str()) {
            return Rc::clone(key);
        }
        let folded = condition.key_folded();
        let key = Rc::new(ConditionKey { model: self.model(&folded), folded });
        self.as_written.insert(&condition.key, Rc::clone(&key));
        key
    }

    // Text.

    fn text(&mut self, condition: &'a Condition, var: VarId, want: bool) -> Alternatives<'a> {
        let operator = condition.operator;
        let optional = self.problem.variables.get(var).is_some_and(|v| v.optional);
        let negated = operator.test.is_negated();
        let when_missing = match operator.set {
            None => Some(operator.if_exists || negated),
            Some(SetOperator::ForAllValues) => Some(true),
            Some(SetOperator::ForAnyValue) if operator.if_exists => {
                self.readings.any_value_if_exists
            }
            Some(SetOperator::ForAnyValue) => Some(false),
        };
        match operator.test.family() {
            Family::Null => return self.null(condition, var, want),
            Family::Number(_) | Family::Date(_) | Family::Ip | Family::Binary => {
                return vec![vec![Literal::Judged {
                    var,
                    condition: ByAddress(condition),
                    want,
                    generous: self.stance == Stance::Generous,
                }]];
            }
            Family::Text { .. } | Family::Arn | Family::Bool => {}
        }
        let absent_will_do = optional
            && match when_missing {
                Some(holds) => holds == want,
                None => self.stance == Stance::Generous,
            };
        let inside = want != negated;
        let side = self.values(condition, inside);
        self.literal(var, side, inside, absent_will_do)
    }

    /// The side of a condition's values that decides where the literal is to be inside of them.
    fn values(&mut self, condition: &Condition, inside: bool) -> Operand {
        let family = match (condition.operator.test.family(), self.readings.short_arn_as_glob) {
            (Family::Text { wildcards: false, ignore_case: false }, _) => "text",
            (Family::Text { wildcards: false, ignore_case: true }, _) => "text, any case",
            (Family::Text { wildcards: true, ignore_case: false }, _) => "pattern",
            (Family::Text { wildcards: true, ignore_case: true }, _) => "pattern, any case",
            (Family::Arn, Some(true)) => "ARN glob",
            (Family::Arn, Some(false) | None) => "ARN",
            (Family::Bool, _) => "Bool",
            (
                Family::Number(_) | Family::Date(_) | Family::Ip | Family::Binary | Family::Null,
                _,
            ) => "other",
        };
        let texts = condition.values.iter().map(|value| value.text.as_str());
        let name = self.name_of(family, texts, inside);
        self.side(name, inside, |encoder| encoder.bounds(condition))
    }

    /// Whether to be inside of a language, or outside, the wide one decides: to be possibly inside,
    /// or certainly outside.
    fn wide(&self, inside: bool) -> bool {
        inside == (self.stance == Stance::Generous)
    }

    /// The name of the language of texts that stand in a policy; `None` where they may hold a
    /// policy variable: the request and the version of the document decide what they mean.
    fn name_of<'t>(
        &self,
        family: &str,
        texts: impl Iterator<Item = &'t str> + Clone,
        inside: bool,
    ) -> Option<String> {
        if texts.clone().any(|text| text.contains('$')) {
            return None;
        }
        let mut name = named(family, texts);
        name.push(if self.wide(inside) { '+' } else { '-' });
        Some(name)
    }

    /// The side of `bounds` that decides, worked out once where it has a name.
    fn side(
        &mut self,
        name: Option<String>,
        inside: bool,
        bounds: impl FnOnce(&mut Self) -> Bounds,
    ) -> Operand {
        if let Some(known) = name.as_ref().and_then(|name| self.languages.side(name)) {
            return known;
        }
        let Bounds { must, may } = bounds(self);
        let side = self.languages.side_of(if self.wide(inside) { may } else { must });
        if let Some(name) = name {
            self.languages.keep_side(name, side);
        }
        side
    }

    /// The values of a text, ARN or Bool condition as languages.
    fn bounds(&mut self, condition: &Condition) -> Bounds {
        let mut bounds = Bounds::default();
        let short_as_glob = self.readings.short_arn_as_glob.unwrap_or(false);
        let resolve = |key: &str| self.resolve(key);
        for value in &condition.values {
            match condition.operator.test.family() {
                Family::Text { wildcards, ignore_case } => {
                    pattern::text(&mut bounds, &value.template, wildcards, ignore_case, &resolve);
                }
                Family::Arn => pattern::arn(&mut bounds, &value.template, short_as_glob, &resolve),
                Family::Bool => boolean(&mut bounds, &value.text),
                Family::Number(_)
                | Family::Date(_)
                | Family::Ip
                | Family::Binary
                | Family::Null => bounds.anything(),
            }
        }
        bounds
    }

    /// The value lies, or does not lie, in the languages.
    fn text_literal(
        &mut self,
        var: VarId,
        bounds: Bounds,
        negated: bool,
        absent: bool,
        want: bool,
    ) -> Alternatives<'a> {
        let inside = want != negated;
        let side = self.side(None, inside, |_| bounds);
        self.literal(var, side, inside, absent)
    }

    /// The value lies inside the language, or outside of it.
    fn literal(
        &self,
        var: VarId,
        Operand { lang, nothing, everything }: Operand,
        inside: bool,
        absent: bool,
    ) -> Alternatives<'a> {
        if nothing && !inside && (absent || !self.optional(var)) {
            return vec![Vec::new()];
        }
        if everything && inside && (absent || !self.optional(var)) {
            return vec![Vec::new()];
        }
        if !absent && ((nothing && inside) || (everything && !inside)) {
            return Vec::new();
        }
        vec![vec![Literal::Text { var, lang, negate: !inside, absent }]]
    }

    fn optional(&self, var: VarId) -> bool {
        self.problem.variables.get(var).is_some_and(|v| v.optional)
    }

    fn null(&mut self, condition: &'a Condition, var: VarId, want: bool) -> Alternatives<'a> {
        let mut alternatives = Vec::new();
        for absent in [true, false] {
            let mut context = Context::default();
            if !absent {
                context.set(&condition.key, "x");
            }
            let judge = Judge { context: &context, readings: self.readings, catalog: self.catalog };
            if !self.truth(&judge.condition(condition), want) {
                continue;
            }
            let is_set = matches!(
                self.problem.variables.get(var).map(|v| &v.domain),
                Some(Domain::Set { .. })
            );
            let literal = if is_set {
                Literal::Any { var, lang: self.universe, complement: false, negate: absent }
            } else {
                // Absence, or any text at all.
                Literal::Text { var, lang: self.universe, negate: absent, absent }
            };
            if absent && !self.optional(var) {
                continue;
            }
            alternatives.push(vec![literal]);
        }
        if alternatives.len() == 2 || (!self.optional(var) && alternatives.len() == 1) {
            return vec![Vec::new()];
        }
        alternatives
    }

    // Sets.

    fn set(&mut self, condition: &'a Condition, var: VarId, want: bool) -> Alternatives<'a> {
        match condition.operator.set {
            _ if condition.operator.test.family() == Family::Null => {
                self.null(condition, var, want)
            }
            None => self.bare_set(condition, var, want),
            Some(set) => self.with_set(condition, var, set, want),
        }
    }

    /// A condition on a set without set operator.
    fn bare_set(&mut self, condition: &'a Condition, var: VarId, want: bool) -> Alternatives<'a> {
        let mut alternatives = match self.readings.bare_multivalued {
            Some(BareMultivalued::Never) if want => Vec::new(),
            Some(BareMultivalued::Never) => return vec![Vec::new()],
            Some(BareMultivalued::AnyValue) => {
                self.with_set(condition, var, SetOperator::ForAnyValue, want)
            }
            Some(BareMultivalued::AnyValueOrMissing) => {
                return self.set_or_missing(condition, var, want);
            }
            None => return self.unknown(),
        };
        // A key that is not known to have many values may have one, to which no reading applies.
        if self.stance == Stance::Generous && !self.catalog.is_multivalued(&condition.key) {
            alternatives.extend(self.set_or_missing(condition, var, want));
        }
        alternatives
    }

    fn with_set(
        &mut self,
        condition: &'a Condition,
        var: VarId,
        set: SetOperator,
        want: bool,
    ) -> Alternatives<'a> {
        let operator = condition.operator;
        let generous = self.stance == Stance::Generous;
        let absent =
            |universe| Literal::Any { var, lang: universe, complement: false, negate: true };
        let text =
            matches!(operator.test.family(), Family::Text { .. } | Family::Arn | Family::Bool);
        if !text {
            // What is absent is certain; what elements compare to is not looked at.
            let missing = match set {
                SetOperator::ForAllValues => Some(true),
                SetOperator::ForAnyValue if operator.if_exists => self.readings.any_value_if_exists,
                SetOperator::ForAnyValue => Some(false),
            };
            let optional = self.optional(var);
            let absent_will_do = missing.map_or(generous, |holds| holds == want);
            let mut alternatives = Vec::new();
            if generous {
                if absent_will_do || !optional {
                    return vec![Vec::new()];
                }
                let universe = self.universe;
                let present =
                    Literal::Any { var, lang: universe, complement: false, negate: false };
                alternatives.push(vec![present]);
            } else if optional && absent_will_do {
                alternatives.push(vec![absent(self.universe)]);
            }
            return alternatives;
        }
        let negated = operator.test.is_negated();
        // Whether the literal speaks of an element that makes the test hold, or fail.
        let holding = set == SetOperator::ForAnyValue;
        // The literal claims that there is such an element, or that there is none.
        let exists = holding == want;
        // Elements inside the language, or outside it.
        let inside = holding != negated;
        // To claim possible existence, or certain non-existence, of something inside: wide.
        let Operand { lang, .. } = self.values(condition, inside == exists);
        let literal = Literal::Any { var, lang, complement: !inside, negate: !exists };
        let mut alternatives = vec![vec![literal]];
        if set == SetOperator::ForAnyValue && operator.if_exists && self.optional(var) {
            let holds_when_missing = match self.readings.any_value_if_exists {
                Some(holds) => holds == want,
                None => generous,
            };
            match (want, holds_when_missing) {
                (true, true) => alternatives.push(vec![absent(self.universe)]),
                (false, false) => {
                    let present =
                        Literal::Any { var, lang: self.universe, complement: false, negate: false };
                    for alternative in &mut alternatives {
                        alternative.push(present.clone());
                    }
                }
                (true, false) | (false, true) => {}
            }
        }
        alternatives
    }

    /// A condition without set operator that some element meets, or, where the key is missing, as
    /// for a key with one value.
    fn set_or_missing(
        &mut self,
        condition: &'a Condition,
        var: VarId,
        want: bool,
    ) -> Alternatives<'a> {
        let operator = condition.operator;
        let (here, gone) = self.presence_of(var);
        let optional = self.optional(var);
        let present = self.with_set(condition, var, SetOperator::ForAnyValue, want);
        if !optional {
            return present;
        }
        let mut alternatives: Alternatives<'a> = present
            .into_iter()
            .map(|mut all| {
                all.extend(here.clone());
                all
            })
            .collect();
        if (operator.if_exists || operator.test.is_negated()) == want {
            alternatives.push(gone);
        }
        alternatives
    }

    // Finite.

    fn finite(
        &mut self,
        condition: &'a Condition,
        var: VarId,
        folded: &str,
        want: bool,
    ) -> Alternatives<'a> {
        let unknown = self.has_unknown_variable(condition);
        let Some(Variable { domain: Domain::Finite { values, complete }, optional, .. }) =
            self.problem.variables.get(var)
        else {
            return self.unknown();
        };
        let (values, complete, optional) = (values.clone(), *complete, *optional);
        self.spend(values.len() * condition.values.len() * STEPS_TO_JUDGE);
        if self.exhausted {
            return self.unknown();
        }
        let mut mask = Vec::with_capacity(values.len() + 1);
        for value in &values {
            let mut context = Context::default();
            context.set(&condition.key, representatives::view(folded, value));
            self.add_variables(condition, &mut context);
            let judge = Judge { context: &context, readings: self.readings, catalog: self.catalog };
            mask.push(if unknown {
                self.stance == Stance::Generous
            } else {
                self.truth(&judge.condition(condition), want)
            });
        }
        let judge =
            Judge { context: &Context::default(), readings: self.readings, catalog: self.catalog };
        mask.push(optional && self.truth(&judge.condition(condition), want));
        if mask.iter().enumerate().all(|(at, set)| *set || (at == values.len() && !optional)) {
            return vec![Vec::new()];
        }
        // Where the values do not stand for all others, the search finds none and says so.
        if complete && mask.iter().all(|set| !set) {
            return Vec::new();
        }
        vec![vec![Literal::Mask { var, mask: mask.into() }]]
    }

    fn principal_type(&mut self, condition: &'a Condition, want: bool) -> Alternatives<'a> {
        if self.has_unknown_variable(condition) {
            return self.unknown();
        }
        let mut arns = Vec::new();
        let mut all = true;
        for kind in self.question.kinds {
            let mut context = Context::default();
            context.set(&condition.key, kind.name.clone());
            self.add_variables(condition, &mut context);
            let judge = Judge { context: &context, readings: self.readings, catalog: self.catalog };
            if self.truth(&judge.condition(condition), want) {
                arns.extend(kind.arns.iter().cloned());
            } else {
                all = false;
            }
        }
        if all {
            return vec![Vec::new()];
        }
        if arns.is_empty() {
            return Vec::new();
        }
        let var = self.principal_variable();
        let lang = self.languages.intern(arns);
        vec![vec![Literal::Text { var, lang, negate: false, absent: false }]]
    }

    fn resource_account(
        &mut self,
        condition: &'a Condition,
        resource: usize,
        want: bool,
    ) -> Alternatives<'a> {
        let presence = self.presence_variable();
        let (present, absent) = self.presence_literals(presence);
        let mut alternatives = Vec::new();
        // Without the key.
        if let Some(absent) = absent {
            let judge = Judge {
                context: &Context::default(),
                readings: self.readings,
                catalog: self.catalog,
            };
            if self.truth(&judge.condition(condition), want) {
                alternatives.push(vec![absent]);
            }
        }
        // With it.
        let owner = self
            .question
            .resources
            .get(resource)
            .and_then(|model| model.fixed_owner().map(str::to_owned));
        let with: Alternatives<'a> = match owner {
            Some(account) => self.constant(condition, Some(&FixedValue::One(account)), want),
            None => match condition.operator.test.family() {
                Family::Text { .. } | Family::Arn | Family::Bool
                    if resource_is_star(self.question, resource) =>
                {
                    self.some_account(condition, want)
                }
                Family::Text { .. } | Family::Arn | Family::Bool => {
                    let mut bounds = self.bounds(condition);
                    bounds.must = pattern::in_account_place(&bounds.must);
                    bounds.may = pattern::in_account_place(&bounds.may);
                    let var = self.resource_variable(resource);
                    let negated = condition.operator.test.is_negated();
                    self.text_literal(var, bounds, negated, false, want)
                }
                Family::Null => {
                    let some = FixedValue::One("000000000000".to_owned());
                    self.constant(condition, Some(&some), want)
                }
                Family::Number(_) | Family::Date(_) | Family::Ip | Family::Binary => self.unknown(),
            },
        };
        alternatives.extend(with.into_iter().map(|mut conjunction| {
            conjunction.extend(present.clone());
            conjunction
        }));
        alternatives
    }

    /// A condition on an account's number of which nobody knows which it is: what holds of every
    /// number is certain, what holds of some is possible.
    fn some_account(&mut self, condition: &'a Condition, want: bool) -> Alternatives<'a> {
        let inside = want != condition.operator.test.is_negated();
        let Bounds { must, may } = self.bounds(condition);
        let wanted = self.languages.intern(if self.wide(inside) { may } else { must });
        let number =
            self.languages.intern(vec![Sequence::default().exactly(ACCOUNT_DIGITS, Class::Digit)]);
        let generous = self.stance == Stance::Generous;
        // One that is as wanted, or else one that is not.
        let (include, exclude) = if inside == generous {
            (vec![number, wanted], vec![])
        } else {
            (vec![number], vec![wanted])
        };
        match self.languages.find(&include, &exclude, self.budget) {
            Ok(found) if found.is_some() == generous => vec![Vec::new()],
            Ok(_) => Vec::new(),
            Err(_) => {
                self.exhausted = true;
                self.unknown()
            }
        }
    }
}

/// Whether the key is a tag of the resource that is being judged, so that each resource of a
/// request may have another value.
pub(crate) fn is_tag_of_resource(folded: &str) -> bool {
    folded.split_once(":resourcetag/").is_some_and(|(service, _)| !service.contains('/'))
}

fn resource_is_star(question: &Question<'_>, resource: usize) -> bool {
    matches!(question.resources.get(resource), None | Some(crate::question::ResourceModel::Star))
}

fn boolean(bounds: &mut Bounds, text: &str) {
    let folded = |text: &str| {
        let mut sequence = Sequence::default();
        sequence.steps.extend(
            text.chars().map(|c| crate::language::Tok::One(Class::Fold(c.to_ascii_lowercase()))),
        );
        sequence
    };
    match text {
        "true" | "false" => {
            bounds.must.push(Sequence::literal(text));
            bounds.may.push(folded(text));
        }
        _ if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") => {
            bounds.may.push(folded(text));
        }
        _ => bounds.anything(),
    }
}

/// Every pair of one alternative from each side.
fn both<'a>(left: &Alternatives<'a>, right: &Alternatives<'a>) -> Alternatives<'a> {
    left.iter()
        .flat_map(|l| {
            right.iter().map(move |r| {
                let mut joined = l.clone();
                joined.extend(r.iter().filter(|literal| !l.contains(literal)).cloned());
                joined
            })
        })
        .collect()
}
