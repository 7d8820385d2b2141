//! What was learned from the stack of one account and holds of others.
//!
//! Another Deny never permits more, so a proof holds of every stack that has the statements it
//! names. And a request that gets past some statements gets past any other stack of which every
//! statement lets it through. Either is looked up in less than a microsecond, where a search takes
//! a hundred.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use organization::{AccountIdx, DocumentIdx, TargetIdx};
use policy::request::{ContextValue, Request};
use prover::Witness;
use rustc_hash::FxHashMap;

use crate::documents::{Documents, KeyNumber, Sayings, StatementKey};
use crate::model::is_listed_unasked;
use crate::perimeter::Undocumented;
use crate::report::StoppedBy;

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
    denies: Vec<(DocumentIdx, u32)>,
    levels: Vec<Vec<StatementKey>>,
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
    lets: RefCell<FxHashMap<(DocumentIdx, u32), bool>>,
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
    fn gets_past(&self, said: &Sayings, lets: &dyn Fn(&Self, (DocumentIdx, u32)) -> bool) -> bool {
        let lets = |document, statement| {
            let place = (document, statement);
            *self.lets.borrow_mut().entry(place).or_insert_with(|| lets(self, place))
        };
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
    by_first: FxHashMap<(DocumentIdx, u32), Vec<Proof>>,
    /// Those that name no Deny.
    by_levels: Vec<Proof>,
    count: usize,
}

impl Proof {
    /// What stops every request in a stack that says this, where the proof holds of it.
    fn of(&self, said: &Sayings) -> Option<Vec<StoppedBy>> {
        let denied = |(document, statement): &(DocumentIdx, u32)| {
            said.denies.binary_search(&(*document, *statement, true)).is_ok()
        };
        if !self.denies.iter().all(denied) {
            return None;
        }
        let statements = self.denies.iter().map(|(document, statement)| {
            Some(StoppedBy::Statement(*document, *statement as usize))
        });
        let levels = self.levels.iter().map(|level| {
            let same = |own: &Option<Box<[StatementKey]>>| own.as_deref() == Some(level.as_slice());
            said.allows.iter().position(same).map(StoppedBy::Level)
        });
        statements.chain(levels).collect()
    }
}

/// What is known, by kind.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    proofs: FxHashMap<QuestionKind, Proofs>,
    witnesses: FxHashMap<QuestionKind, Vec<Rc<Refutation>>>,
}

impl Memory {
    /// What stops every request of the kind, as the shortest known proof tells.
    pub(crate) fn proof(&self, kind: &QuestionKind, said: &Sayings) -> Option<Vec<StoppedBy>> {
        let proofs = self.proofs.get(kind)?;
        let begun = said.denies.iter().filter(|(_, _, certain)| *certain);
        begun
            .filter_map(|(document, statement, _)| proofs.by_first.get(&(*document, *statement)))
            .flatten()
            .chain(&proofs.by_levels)
            .filter_map(|proof| proof.of(said))
            .min_by_key(Vec::len)
    }

    /// Keeps a proof. It must not hang on how a key is compared in statements beside it.
    pub(crate) fn learn_proof(&mut self, kind: QuestionKind, stops: &[StoppedBy], said: &Sayings) {
        let proofs = self.proofs.entry(kind).or_default();
        if proofs.count >= MOST_PROOFS {
            return;
        }
        let mut proof = Proof { denies: Vec::new(), levels: Vec::new() };
        for stop in stops {
            match stop {
                StoppedBy::Statement(document, statement) => {
                    proof.denies.push((*document, *statement as u32));
                }
                StoppedBy::Level(level) => match said.allows.get(*level) {
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
        lets: &dyn Fn(&Refutation, (DocumentIdx, u32)) -> bool,
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
