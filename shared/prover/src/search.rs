//! The search for a request that satisfies every requirement.
//!
//! It keeps one value for each variable and looks for a requirement that these values break.
//! Such a requirement is mended by one of its alternatives, which constrains variables; a
//! variable whose constraints have no common value is a conflict, and what took part in the
//! conflict decides how far to go back. Requirements that the values satisfy by themselves
//! are never split on, so an ordinary stack takes a handful of steps.

use std::collections::BTreeSet;
use std::rc::Rc;

use policy::condition::{Judge, Readings, Truth};
use policy::keys::KeyCatalog;
use policy::request::Context;

use crate::budget::{Budget, Exhausted};
use crate::language::{LangId, Languages};
use crate::literal::{Conjunction, Domain, Literal, Problem, Texts, Value, VarId};
use crate::representatives;

/// How a search ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchOutcome {
    /// These values satisfy every requirement.
    Satisfied(Vec<Value>),
    /// No values do; these requirements already exclude them.
    Unsatisfiable(BTreeSet<usize>),
    /// None were found, but not all values of these variables were looked at.
    Incomplete(BTreeSet<VarId>),
}

/// Conflicts with more constraints than this are not narrowed down.
const MOST_NARROWED: usize = 24;
const SAMPLES: usize = 8;
/// With more demands on a set than this, which of them can share an element is not searched.
const MOST_SHARED: usize = 8;

/// Searches `problem`, looking only at the requirements for which `active` holds.
///
/// # Errors
/// [`Exhausted`] when the budget runs out first.
pub fn search(
    problem: &Problem<'_>,
    active: &dyn Fn(usize) -> bool,
    languages: &mut Languages,
    catalog: &KeyCatalog,
    budget: &mut Budget,
) -> Result<SearchOutcome, Exhausted> {
    let mut unsearched: BTreeSet<VarId> = BTreeSet::new();
    loop {
        let without = |index: usize| {
            let about = |literal: &Literal<'_>| unsearched.contains(&literal.var());
            let requirement = problem.requirements.get(index);
            active(index)
                && !requirement.is_some_and(|r| r.alternatives.iter().flatten().any(about))
        };
        match once(problem, &without, languages, catalog, budget)? {
            // What the others exclude by themselves is excluded, whatever these variables are.
            SearchOutcome::Incomplete(more) if !more.is_subset(&unsearched) => {
                unsearched.extend(more);
            }
            SearchOutcome::Satisfied(_) | SearchOutcome::Incomplete(_)
                if !unsearched.is_empty() =>
            {
                return Ok(SearchOutcome::Incomplete(unsearched));
            }
            answer @ (SearchOutcome::Satisfied(_)
            | SearchOutcome::Unsatisfiable(_)
            | SearchOutcome::Incomplete(_)) => {
                return Ok(answer);
            }
        }
    }
}

fn once(
    problem: &Problem<'_>,
    active: &dyn Fn(usize) -> bool,
    languages: &mut Languages,
    catalog: &KeyCatalog,
    budget: &mut Budget,
) -> Result<SearchOutcome, Exhausted> {
    match Search::start(problem, active, languages, catalog, budget)? {
        Start::Ready(mut search) => search.run(),
        Start::Empty => Ok(SearchOutcome::Unsatisfiable(BTreeSet::new())),
        Start::Incomplete(unsearched) => Ok(SearchOutcome::Incomplete(unsearched)),
    }
}

struct Search<'p, 'a, 'l> {
    problem: &'p Problem<'a>,
    languages: &'l mut Languages,
    catalog: &'l KeyCatalog,
    budget: &'l mut Budget,
    values: Vec<Value>,
    /// For each variable its constraints, each with the requirement that brought it.
    constraints: Vec<Vec<(Literal<'a>, usize)>>,
    /// For each variable the requirements that speak of it.
    occurrences: Vec<Vec<usize>>,
    broken: BTreeSet<usize>,
    trail: Vec<Undo>,
    /// Whether values were left out since the last look.
    incomplete: bool,
    /// The variables of which values were left out.
    unsearched: BTreeSet<VarId>,
}

/// Demands on a set that one element meets.
#[derive(Clone)]
struct ElementDemands {
    inside: Vec<LangId>,
    outside: Vec<LangId>,
    text: Rc<str>,
}

struct Undo {
    var: VarId,
    constraints: usize,
    value: Value,
}

struct Frame {
    requirement: usize,
    next: usize,
    conflict: BTreeSet<usize>,
    mark: usize,
}

enum Start<'p, 'a, 'l> {
    Ready(Search<'p, 'a, 'l>),
    /// Some variable has no value at all: the class is empty.
    Empty,
    /// These variables may have no value at all.
    Incomplete(BTreeSet<VarId>),
}

enum Asserted {
    Holds,
    Conflict(BTreeSet<usize>),
}

impl<'p, 'a, 'l> Search<'p, 'a, 'l> {
    fn start(
        problem: &'p Problem<'a>,
        active: &dyn Fn(usize) -> bool,
        languages: &'l mut Languages,
        catalog: &'l KeyCatalog,
        budget: &'l mut Budget,
    ) -> Result<Start<'p, 'a, 'l>, Exhausted> {
        let variables = problem.variables.len();
        let mut occurrences = vec![Vec::new(); variables];
        for (index, requirement) in problem.requirements.iter().enumerate() {
            if !active(index) {
                continue;
            }
            let vars: BTreeSet<VarId> =
                requirement.alternatives.iter().flatten().map(Literal::var).collect();
            for var in vars {
                if let Some(list) = occurrences.get_mut(var) {
                    list.push(index);
                }
            }
        }
        let mut search = Self {
            problem,
            languages,
            catalog,
            budget,
            values: vec![Value::Absent; variables],
            constraints: vec![Vec::new(); variables],
            occurrences,
            broken: BTreeSet::new(),
            trail: Vec::new(),
            incomplete: false,
            unsearched: BTreeSet::new(),
        };
        for var in 0..variables {
            match search.solve(var)? {
                Ok(value) => search.set(var, value),
                Err(_) if !search.unsearched.is_empty() => {
                    return Ok(Start::Incomplete(search.unsearched));
                }
                Err(_) => return Ok(Start::Empty),
            }
        }
        for index in (0..problem.requirements.len()).filter(|index| active(*index)) {
            search.refresh(index)?;
        }
        Ok(Start::Ready(search))
    }

    fn run(&mut self) -> Result<SearchOutcome, Exhausted> {
        let mut frames: Vec<Frame> = Vec::new();
        loop {
            let Some(requirement) = self.pick() else {
                self.tidy()?;
                return Ok(SearchOutcome::Satisfied(self.values.clone()));
            };
            let conflict = BTreeSet::from([requirement]);
            frames.push(Frame { requirement, next: 0, conflict, mark: self.trail.len() });
            if let Some(core) = self.advance(&mut frames)? {
                return Ok(if self.unsearched.is_empty() {
                    SearchOutcome::Unsatisfiable(core)
                } else {
                    SearchOutcome::Incomplete(std::mem::take(&mut self.unsearched))
                });
            }
        }
    }

    /// Goes to the next alternative that can be asserted, backwards where a frame has none
    /// left; a core where no frame is left.
    fn advance(&mut self, frames: &mut Vec<Frame>) -> Result<Option<BTreeSet<usize>>, Exhausted> {
        let problem = self.problem;
        while let Some(frame) = frames.last_mut() {
            self.undo(frame.mark)?;
            self.budget.spend(1)?;
            let alternatives =
                problem.requirements.get(frame.requirement).map(|r| r.alternatives.as_slice());
            let Some(alternative) = alternatives.unwrap_or_default().get(frame.next) else {
                let Some(done) = frames.pop() else { break };
                while frames.last().is_some_and(|f| !done.conflict.contains(&f.requirement)) {
                    if let Some(skipped) = frames.pop() {
                        self.undo(skipped.mark)?;
                    }
                }
                match frames.last_mut() {
                    Some(frame) => frame.conflict.extend(done.conflict),
                    None => return Ok(Some(done.conflict)),
                }
                continue;
            };
            frame.next += 1;
            match self.assert_all(alternative, frame.requirement)? {
                Asserted::Holds => return Ok(None),
                Asserted::Conflict(core) => frame.conflict.extend(core),
            }
        }
        Ok(Some(BTreeSet::new()))
    }

    /// A broken requirement, one with the fewest ways out.
    fn pick(&mut self) -> Option<usize> {
        let ways = |index: &&usize| {
            self.problem.requirements.get(**index).map_or(0, |r| r.alternatives.len())
        };
        self.broken.iter().min_by_key(ways).copied()
    }

    fn assert_all(
        &mut self,
        literals: &Conjunction<'a>,
        requirement: usize,
    ) -> Result<Asserted, Exhausted> {
        for literal in literals {
            let var = literal.var();
            let Some(value) = self.values.get(var).cloned() else { continue };
            let Some(constraints) = self.constraints.get_mut(var) else { continue };
            self.trail.push(Undo { var, constraints: constraints.len(), value: value.clone() });
            constraints.push((literal.clone(), requirement));
            if self.holds(literal, &value)? {
                continue;
            }
            match self.solve(var)? {
                Ok(value) => {
                    self.set(var, value);
                    self.refresh_all(var)?;
                }
                Err(core) => return Ok(Asserted::Conflict(core)),
            }
        }
        Ok(Asserted::Holds)
    }

    fn undo(&mut self, mark: usize) -> Result<(), Exhausted> {
        let mut changed = BTreeSet::new();
        while self.trail.len() > mark {
            let Some(undo) = self.trail.pop() else { break };
            if let Some(constraints) = self.constraints.get_mut(undo.var) {
                constraints.truncate(undo.constraints);
            }
            if self.values.get(undo.var) != Some(&undo.value) {
                self.set(undo.var, undo.value);
                changed.insert(undo.var);
            }
        }
        for var in changed {
            self.refresh_all(var)?;
        }
        Ok(())
    }

    fn set(&mut self, var: VarId, value: Value) {
        if let Some(place) = self.values.get_mut(var) {
            *place = value;
        }
    }

    fn refresh_all(&mut self, var: VarId) -> Result<(), Exhausted> {
        for index in self.occurrences.get(var).cloned().unwrap_or_default() {
            self.refresh(index)?;
        }
        Ok(())
    }

    /// Notes whether the current values break the requirement.
    fn refresh(&mut self, index: usize) -> Result<(), Exhausted> {
        if self.satisfied(index)? {
            self.broken.remove(&index);
        } else {
            self.broken.insert(index);
        }
        Ok(())
    }

    fn satisfied(&mut self, index: usize) -> Result<bool, Exhausted> {
        let problem = self.problem;
        let Some(requirement) = problem.requirements.get(index) else { return Ok(true) };
        for alternative in &requirement.alternatives {
            let mut all = true;
            for literal in alternative {
                let Some(value) = self.values.get(literal.var()).cloned() else { continue };
                if !self.holds(literal, &value)? {
                    all = false;
                    break;
                }
            }
            if all {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether `value` satisfies `literal`.
    fn holds(&mut self, literal: &Literal<'a>, value: &Value) -> Result<bool, Exhausted> {
        self.budget.spend(1)?;
        Ok(match (literal, value) {
            (Literal::Text { absent, .. }, Value::Absent) => *absent,
            (Literal::Text { lang, negate, .. }, Value::Text(text)) => {
                self.languages.contains(*lang, text) != *negate
            }
            (Literal::Any { negate, .. }, Value::Absent) => *negate,
            (Literal::Any { lang, complement, negate, .. }, Value::Set(elements)) => {
                let exists =
                    elements.iter().any(|e| self.languages.contains(*lang, e) != *complement);
                exists != *negate
            }
            (Literal::Mask { mask, .. }, Value::Absent) => mask.last().copied().unwrap_or(false),
            (Literal::Mask { mask, .. }, Value::At(index)) => {
                mask.get(*index).copied().unwrap_or(false)
            }
            (Literal::Judged { .. }, _) => self.judged(literal, value),
            (Literal::Text { .. }, Value::Set(_) | Value::At(_))
            | (Literal::Any { .. }, Value::Text(_) | Value::At(_))
            | (Literal::Mask { .. }, Value::Text(_) | Value::Set(_)) => false,
        })
    }

    fn judged(&self, literal: &Literal<'a>, value: &Value) -> bool {
        let Literal::Judged { condition, want, generous, .. } = literal else { return false };
        let mut context = Context::default();
        match value {
            Value::Text(text) => context.set(&condition.0.key, text.to_string()),
            Value::Absent => {}
            Value::Set(_) | Value::At(_) => return *generous,
        }
        let judge =
            Judge { context: &context, readings: Readings::default(), catalog: self.catalog };
        match judge.condition(condition.0) {
            Truth::Yes => *want,
            Truth::No => !*want,
            Truth::Open(_) => *generous,
        }
    }

    /// A value that satisfies all constraints of `var`, or the requirements in the way.
    fn solve(&mut self, var: VarId) -> Result<Result<Value, BTreeSet<usize>>, Exhausted> {
        let problem = self.problem;
        let Some(variable) = problem.variables.get(var) else { return Ok(Ok(Value::Absent)) };
        let constraints: Vec<(Literal<'a>, usize)> =
            self.constraints.get(var).cloned().unwrap_or_default();
        let all: Vec<&(Literal<'a>, usize)> = constraints.iter().collect();
        self.incomplete = false;
        if let Some(value) = self.value_for(&variable.domain, variable.optional, &all)? {
            return Ok(Ok(value));
        }
        if self.incomplete {
            self.unsearched.insert(var);
        }
        let mut core = all;
        if core.len() <= MOST_NARROWED {
            // Leave out, one after the other, what the conflict does not need. The newest stays.
            let mut at = 0;
            while at < core.len() {
                let mut fewer = core.clone();
                fewer.remove(at);
                let was = self.incomplete;
                if self.value_for(&variable.domain, variable.optional, &fewer)?.is_none()
                    && self.incomplete == was
                {
                    core = fewer;
                } else {
                    self.incomplete = was;
                    at += 1;
                }
            }
        }
        Ok(Err(core.into_iter().map(|(_, requirement)| *requirement).collect()))
    }

    fn value_for(
        &mut self,
        domain: &Domain,
        optional: bool,
        constraints: &[&(Literal<'a>, usize)],
    ) -> Result<Option<Value>, Exhausted> {
        if optional {
            let mut fits = true;
            for (literal, _) in constraints {
                fits = fits && self.holds(literal, &Value::Absent)?;
            }
            if fits {
                return Ok(Some(Value::Absent));
            }
        }
        match domain {
            Domain::Finite { values, complete } => {
                for index in 0..values.len() {
                    let mut fits = true;
                    for (literal, _) in constraints {
                        fits = fits && self.holds(literal, &Value::At(index))?;
                    }
                    if fits {
                        return Ok(Some(Value::At(index)));
                    }
                }
                self.incomplete |= !complete;
                Ok(None)
            }
            Domain::Text(texts) => Ok(self.text_for(texts, constraints)?.map(Value::Text)),
            Domain::Set { element, must, most } => {
                self.set_for(element, must, *most, optional, constraints)
            }
        }
    }

    fn text_for(
        &mut self,
        texts: &Texts,
        constraints: &[&(Literal<'a>, usize)],
    ) -> Result<Option<Rc<str>>, Exhausted> {
        let (mut include, mut exclude) = (texts.include.clone(), texts.exclude.clone());
        let mut judged = Vec::new();
        for (literal, _) in constraints {
            match literal {
                Literal::Text { lang, negate: false, .. } => include.push(*lang),
                Literal::Text { lang, negate: true, .. } => exclude.push(*lang),
                Literal::Judged { .. } => judged.push(literal),
                Literal::Any { .. } | Literal::Mask { .. } => {}
            }
        }
        let wanted: Vec<LangId> = include.iter().skip(texts.include.len()).copied().collect();
        let mut candidates = texts.plain.clone();
        for lang in &wanted {
            candidates.extend(
                self.languages.samples(*lang, SAMPLES).iter().map(|s| Rc::from(s.as_str())),
            );
        }
        for literal in &judged {
            candidates.extend(around(literal));
        }
        for candidate in candidates {
            if self.fits(&candidate, &include, &exclude)?
                && judged.iter().all(|l| self.judged(l, &Value::Text(Rc::clone(&candidate))))
            {
                return Ok(Some(candidate));
            }
        }
        let found = self.languages.find(&include, &exclude, self.budget)?;
        match found {
            None => Ok(None),
            Some(text) if judged.iter().all(|l| self.judged(l, &Value::Text(Rc::clone(&text)))) => {
                Ok(Some(text))
            }
            Some(_) => {
                // Texts are left, but which of them satisfy the other comparison was not searched.
                self.incomplete = true;
                Ok(None)
            }
        }
    }

    fn fits(
        &mut self,
        text: &Rc<str>,
        include: &[LangId],
        exclude: &[LangId],
    ) -> Result<bool, Exhausted> {
        self.budget.spend((include.len() + exclude.len()) as u64)?;
        Ok(include.iter().all(|lang| self.languages.contains(*lang, text))
            && !exclude.iter().any(|lang| self.languages.contains(*lang, text)))
    }

    fn set_for(
        &mut self,
        element: &Texts,
        must: &[(LangId, bool)],
        most: usize,
        optional: bool,
        constraints: &[&(Literal<'a>, usize)],
    ) -> Result<Option<Value>, Exhausted> {
        let (mut include, mut exclude) = (element.include.clone(), element.exclude.clone());
        // What some element must lie in, or outside of.
        let mut demands: Vec<(LangId, bool)> = must.to_vec();
        for (literal, _) in constraints {
            if let Literal::Any { lang, complement, negate, .. } = literal {
                match (negate, complement) {
                    (false, complement) => demands.push((*lang, *complement)),
                    (true, false) => exclude.push(*lang),
                    (true, true) => include.push(*lang),
                }
            }
        }
        if optional && demands.is_empty() {
            // Absence was tried before, and something forbids it.
            return Ok(None);
        }
        let mut elements: Vec<Rc<str>> = Vec::new();
        for (lang, complement) in &demands {
            let covered = elements.iter().any(|e| self.languages.contains(*lang, e) != *complement);
            if covered {
                continue;
            }
            match self.element_for(element, &include, &exclude, Some((*lang, *complement)))? {
                Some(text) => elements.push(text),
                None => return Ok(None),
            }
        }
        if elements.is_empty() {
            match self.element_for(element, &include, &exclude, None)? {
                Some(text) => elements.push(text),
                None => return Ok(None),
            }
        }
        if elements.len() <= most {
            return Ok(Some(Value::Set(elements)));
        }
        if demands.len() > MOST_SHARED {
            self.incomplete = true;
            return Ok(None);
        }
        let shared = self.shared(element, (&include, &exclude), &demands, most, &mut Vec::new())?;
        Ok(shared.map(Value::Set))
    }

    /// At most `most` elements that meet all demands, several of them by one element where
    /// need be; `groups` holds what each element must meet so far.
    fn shared(
        &mut self,
        element: &Texts,
        (include, exclude): (&[LangId], &[LangId]),
        demands: &[(LangId, bool)],
        most: usize,
        groups: &mut Vec<ElementDemands>,
    ) -> Result<Option<Vec<Rc<str>>>, Exhausted> {
        let Some(((lang, complement), rest)) = demands.split_first() else {
            return Ok(Some(groups.iter().map(|group| Rc::clone(&group.text)).collect()));
        };
        for at in 0..=groups.len().min(most.saturating_sub(1)) {
            let before = groups.get(at).cloned();
            let (mut inside, mut outside) = before.as_ref().map_or_else(
                || (include.to_vec(), exclude.to_vec()),
                |group| (group.inside.clone(), group.outside.clone()),
            );
            (if *complement { &mut outside } else { &mut inside }).push(*lang);
            let Some(text) = self.element_for(element, &inside, &outside, None)? else { continue };
            let group = ElementDemands { inside, outside, text };
            match groups.get_mut(at) {
                Some(place) => *place = group,
                None => groups.push(group),
            }
            let found = self.shared(element, (include, exclude), rest, most, groups)?;
            if found.is_some() {
                return Ok(found);
            }
            match before {
                Some(before) => groups.splice(at..=at, [before]).for_each(drop),
                None => groups.truncate(at),
            }
        }
        Ok(None)
    }

    fn element_for(
        &mut self,
        element: &Texts,
        include: &[LangId],
        exclude: &[LangId],
        demand: Option<(LangId, bool)>,
    ) -> Result<Option<Rc<str>>, Exhausted> {
        let (mut include, mut exclude) = (include.to_vec(), exclude.to_vec());
        let mut candidates = element.plain.clone();
        match demand {
            Some((lang, false)) => {
                include.push(lang);
                candidates.extend(
                    self.languages.samples(lang, SAMPLES).iter().map(|s| Rc::from(s.as_str())),
                );
            }
            Some((lang, true)) => exclude.push(lang),
            None => {}
        }
        for candidate in candidates {
            if self.fits(&candidate, &include, &exclude)? {
                return Ok(Some(candidate));
            }
        }
        self.languages.find(&include, &exclude, self.budget)
    }

    /// Puts variables back to their plainest value wherever nothing forbids it.
    fn tidy(&mut self) -> Result<(), Exhausted> {
        let problem = self.problem;
        for (var, variable) in problem.variables.iter().enumerate() {
            let Some(value) = self.values.get(var).cloned() else { continue };
            let mut candidates = self.plain(&variable.domain, variable.optional, &value)?;
            candidates.retain(|candidate| *candidate != value);
            for candidate in candidates {
                self.set(var, candidate.clone());
                let mut fits = true;
                for index in self.occurrences.get(var).cloned().unwrap_or_default() {
                    fits = fits && self.satisfied(index)?;
                }
                if fits {
                    break;
                }
                self.set(var, value.clone());
            }
        }
        Ok(())
    }

    /// The members of a domain that are plainer than `value`.
    fn plain(
        &mut self,
        domain: &Domain,
        optional: bool,
        value: &Value,
    ) -> Result<Vec<Value>, Exhausted> {
        if *value == Value::Absent {
            return Ok(Vec::new());
        }
        let mut plain = Vec::new();
        if optional {
            plain.push(Value::Absent);
        }
        match (domain, value) {
            (Domain::Finite { .. }, Value::At(at)) => plain.extend((0..*at).map(Value::At)),
            (Domain::Text(texts), _) => {
                for text in &texts.plain {
                    if matches!(value, Value::Text(current) if current == text) {
                        break;
                    }
                    if self.fits(text, &texts.include, &texts.exclude)? {
                        plain.push(Value::Text(Rc::clone(text)));
                    }
                }
            }
            (Domain::Set { must, .. }, Value::Set(elements)) if elements.len() > 1 => {
                for left_out in 0..elements.len() {
                    let mut fewer = elements.clone();
                    fewer.remove(left_out);
                    let complete = must.iter().all(|(lang, outside)| {
                        fewer.iter().any(|e| self.languages.contains(*lang, e) != *outside)
                    });
                    if complete {
                        plain.push(Value::Set(fewer));
                    }
                }
            }
            (Domain::Finite { .. } | Domain::Set { .. }, _) => {}
        }
        Ok(plain)
    }
}

/// Texts on and beside what a condition on numbers, moments or addresses names.
fn around(literal: &Literal<'_>) -> Vec<Rc<str>> {
    let Literal::Judged { condition, .. } = literal else { return Vec::new() };
    let conditions = [condition.0];
    let domains = [
        representatives::numbers("0", &conditions),
        representatives::moments(1_700_000_000, representatives::EARLIEST, &conditions),
        representatives::addresses(&[], &["198.51.100.10".to_owned()], &conditions),
    ];
    domains
        .into_iter()
        .flat_map(|domain| match domain {
            Domain::Finite { values, .. } => values,
            Domain::Text(_) | Domain::Set { .. } => Vec::new(),
        })
        .collect()
}
