//! What was learned from the stack of one account and holds of others.
//!
//! Another Deny never permits more, so a proof holds of every stack that has the statements it
//! names. And a request that gets past some statements gets past any other stack of which every
//! statement lets it through. Either is looked up in less than a microsecond, where a search takes
//! a hundred.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use organization::{AccountIdx, TargetIdx};
use policy::request::{ContextValue, Request};
use prover::Witness;
use rustc_hash::FxHashMap;

use crate::documents::{ContentId, Documents, KeyNumber, SayingKey, Sayings, Stop};
use crate::model::is_listed_unasked;
use crate::perimeter::Undocumented;

/// Beyond these many of one kind nothing more is learned, so that looking stays short.
const MOST_PROOFS: usize = 4096;
const MOST_WITNESSES: usize = 64;

/// All that distinguishes the requests of one question from those of another, the action aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct QuestionKind {
    /// The number of the path's shape.
    pub(crate) shape: u32,
    /// How silent points are settled.
    pub(crate) undocumented: Undocumented,
    /// The account, where it needs decisions of its own.
    pub(crate) account: Option<AccountIdx>,
    /// Its unit, where that matters.
    pub(crate) parent: Option<TargetIdx>,
}

/// Statements and levels that stop every request of a kind.
#[derive(Debug)]
struct Proof {
    denies: Vec<ContentId>,
    levels: Vec<Vec<SayingKey>>,
    /// The keys that could have several values where it was found.
    several: Box<[KeyNumber]>,
}

/// A request of a kind that got past some stack.
#[derive(Debug)]
pub(crate) struct Refutation {
    /// The request.
    pub(crate) witness: Rc<Witness>,
    /// The account whose principal makes it.
    pub(crate) account: String,
    /// The keys that it gives or leaves out on purpose, sorted.
    keys: Box<[KeyNumber]>,
    requests: OnceCell<Vec<Request>>,
    /// For each statement that was tried, whether it lets the request through under every
    /// reading: a Deny that does not match, an Allow that does.
    lets: RefCell<FxHashMap<ContentId, bool>>,
}

impl Refutation {
    pub(crate) fn new(witness: &Rc<Witness>, account: &str, said: &Sayings) -> Self {
        Self {
            witness: Rc::clone(witness),
            account: account.to_owned(),
            keys: said.keys.clone(),
            requests: OnceCell::new(),
            lets: RefCell::default(),
        }
    }

    /// The same request once for each of its resources, as the evaluator takes it.
    pub(crate) fn requests(&self) -> &[Request] {
        self.requests.get_or_init(|| self.witness.requests().collect())
    }

    /// Whether the digits of `account` stand anywhere in it.
    pub(crate) fn names(&self, account: &str) -> bool {
        self.witness.texts().any(|text| text.contains(account))
    }

    /// Whether these statements ask about the keys that the request was found for.
    pub(crate) fn is_about(&self, said: &Sayings) -> bool {
        self.keys == said.keys
    }

    /// Takes out of `witness`, a copy of the request, what these statements do not ask about and
    /// no request lists unasked.
    pub(crate) fn forget_others(
        &self,
        witness: &mut Witness,
        said: &Sayings,
        documents: &Documents<'_>,
    ) {
        let others = self.keys.iter().filter(|key| said.keys.binary_search(key).is_err());
        for key in others.map(|key| documents.key_name(*key)) {
            if !is_listed_unasked(key) {
                witness.context.remove(key);
            }
        }
    }

    /// Whether the request gets past these statements, as `lets` tells of each.
    fn gets_past(&self, said: &Sayings, lets: &dyn Fn(&Self, ContentId) -> bool) -> bool {
        let lets =
            |content| *self.lets.borrow_mut().entry(content).or_insert_with(|| lets(self, content));
        // A key that it was never asked about might be in every such request.
        is_subset(&said.keys, &self.keys) && said.let_through(lets)
    }
}

fn is_subset(some: &[KeyNumber], all: &[KeyNumber]) -> bool {
    let mut rest = all.iter();
    some.iter().all(|key| rest.any(|other| other == key))
}

/// The proofs of a kind, by the first statement that they name, so that a stack looks only at
/// those that begin with one of its own.
#[derive(Debug, Default)]
struct Proofs {
    by_first: FxHashMap<ContentId, Vec<Proof>>,
    /// Those that name no Deny.
    by_levels: Vec<Proof>,
    count: usize,
}

impl Proof {
    /// Whether it holds of a stack that says this, in which requests may give `several` keys more
    /// than one value. Those are to be the same: what a condition without set operator means for
    /// several values is open, and one reading is taken for all keys at once.
    ///
    /// Asked before [`Self::stops`], which makes a list, as most proofs hold of no other stack.
    fn holds(&self, said: &Sayings, several: &[KeyNumber]) -> bool {
        let is_level = |level: &Vec<SayingKey>| said.allows.iter().any(|own| is_same(own, level));
        *several == *self.several
            && self.denies.iter().all(|content| said.deny(*content).is_some())
            && self.levels.iter().all(is_level)
    }

    /// What stops every request in a stack that says this and of which it holds.
    fn stops(&self, said: &Sayings) -> Option<Vec<Stop>> {
        let denies = self.denies.iter().map(|content| said.deny(*content).map(Stop::Deny));
        let levels = self
            .levels
            .iter()
            .map(|level| said.allows.iter().position(|own| is_same(own, level)).map(Stop::Level));
        denies.chain(levels).collect()
    }
}

fn is_same(own: &Option<Box<[SayingKey]>>, level: &[SayingKey]) -> bool {
    own.as_deref() == Some(level)
}

/// What is known, by kind.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    proofs: FxHashMap<QuestionKind, Proofs>,
    witnesses: FxHashMap<QuestionKind, Vec<Rc<Refutation>>>,
}

impl Memory {
    /// What stops every request of the kind, as the shortest known proof tells, and of
    /// those the one whose statements stand first.
    pub(crate) fn proof(
        &self,
        kind: &QuestionKind,
        said: &Sayings,
        several: &[KeyNumber],
    ) -> Option<Vec<Stop>> {
        let proofs = self.proofs.get(kind)?;
        said.certain()
            .filter_map(|content| proofs.by_first.get(&content))
            .flatten()
            .chain(&proofs.by_levels)
            .filter(|proof| proof.holds(said, several))
            .filter_map(|proof| proof.stops(said))
            .min_by(|one, other| (one.len(), one).cmp(&(other.len(), other)))
    }

    /// Keeps a proof, found where requests could give `several` keys more than one value.
    pub(crate) fn learn_proof(
        &mut self,
        kind: QuestionKind,
        stops: &[Stop],
        said: &Sayings,
        several: Box<[KeyNumber]>,
    ) {
        let proofs = self.proofs.entry(kind).or_default();
        if proofs.count >= MOST_PROOFS {
            return;
        }
        let mut proof = Proof { denies: Vec::new(), levels: Vec::new(), several };
        for stop in stops {
            match stop {
                Stop::Deny(position) => match said.denies.get(*position) {
                    Some((content, true)) => proof.denies.push(*content),
                    // Another such statement need not be about the action.
                    Some((_, false)) | None => return,
                },
                Stop::Level(level) => match said.allows.get(*level) {
                    Some(Some(listed)) => proof.levels.push(listed.to_vec()),
                    // A level that allows everything stops nothing.
                    Some(None) | None => return,
                },
            }
        }
        proofs.count += 1;
        match proof.denies.first() {
            Some(first) => proofs.by_first.entry(*first).or_default().push(proof),
            None => proofs.by_levels.push(proof),
        }
    }

    /// A known request that gets past these statements, the plainest first.
    pub(crate) fn witness(
        &self,
        kind: &QuestionKind,
        said: &Sayings,
        lets: &dyn Fn(&Refutation, ContentId) -> bool,
    ) -> Option<&Rc<Refutation>> {
        self.witnesses.get(kind)?.iter().find(|found| found.gets_past(said, lets))
    }

    /// Keeps a request, before all that are longer: what a policy forces on a request is longer
    /// than what it would be otherwise.
    pub(crate) fn learn_witness(&mut self, kind: QuestionKind, found: &Rc<Refutation>) {
        let known = self.witnesses.entry(kind).or_default();
        if known.len() >= MOST_WITNESSES {
            return;
        }
        let own = length(&found.witness);
        let at = known.partition_point(|other| length(&other.witness) <= own);
        known.insert(at, Rc::clone(found));
    }
}

fn length(witness: &Witness) -> usize {
    let resources = witness.additional_resources.iter().map(String::len).sum::<usize>();
    let value = |value: &ContextValue| match value {
        ContextValue::One(text) => text.len(),
        ContextValue::Many(texts) => texts.iter().map(String::len).sum(),
    };
    let context: usize = witness.context.iter().map(|(key, of)| key.len() + value(of)).sum();
    witness.resource.len() + resources + context
}
