//! The documents of an organization, read for the actions that the controls ask about.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use organization::{Document, DocumentIdx, Organization};
use policy::condition::Truth;
use policy::evaluate::{Place, Stack, action_matches};
use policy::model::{Piece, Policy, Statement};
use prover::applicable::{Applicable, Placed};
use rustc_hash::{FxHashMap, FxHasher};

use crate::sensitivity::Distinctions;
use crate::silence::Silence;
use crate::table;

/// Looks up which statements of which document are about an action.
pub struct Documents<'o> {
    organization: &'o Organization,
    /// For each document and action the statements that are, or may be, about it.
    about: FxHashMap<(DocumentIdx, &'static str), Vec<(usize, Truth)>>,
    distinctions: FxHashMap<DocumentIdx, Distinctions>,
    silences: FxHashMap<DocumentIdx, Silence>,
    nothing: Distinctions,
    /// The condition keys that statements ask about, in lower case, by number.
    key_names: Vec<Rc<str>>,
    key_numbers: FxHashMap<Rc<str>, KeyNumber>,
    /// Those of each statement, sorted.
    keys: FxHashMap<(DocumentIdx, u32), Box<[KeyNumber]>>,
}

/// The number of a condition key.
pub(crate) type KeyNumber = u32;

/// A statement of a document, and whether it is certain that it is about the action.
pub(crate) type StatementKey = (DocumentIdx, u32, bool);

/// What a stack says about an action, wherever its documents are attached.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sayings {
    /// Of all that follows; first, so that what differs is seen at once.
    hash: u64,
    /// The Deny statements, sorted.
    pub(crate) denies: Box<[StatementKey]>,
    /// The Allow statements of each level, root first; `None` where one allows everything.
    pub(crate) allows: Box<[Option<Box<[StatementKey]>>]>,
    /// The keys that all of them ask about, sorted.
    pub(crate) keys: Box<[KeyNumber]>,
}

impl Sayings {
    /// Whether a request gets past all of it that single statements let through: every Deny, and at
    /// each level some Allow. None does of which it is not certain that it is about the action.
    pub(crate) fn let_through(&self, lets: impl Fn(DocumentIdx, u32) -> bool) -> bool {
        let passes = |said: &StatementKey| said.2 && lets(said.0, said.1);
        self.denies.iter().all(passes)
            && self.allows.iter().flatten().all(|level| level.iter().any(passes))
    }
}

impl Hash for Sayings {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl<'o> Documents<'o> {
    /// Reads every document once.
    #[must_use]
    pub fn new(organization: &'o Organization) -> Self {
        let mut distinctions = FxHashMap::default();
        let mut silences = FxHashMap::default();
        for (index, document) in organization.documents() {
            let Some(policy) = document.policy() else { continue };
            let mut own = Distinctions::default();
            let mut silence = Silence::default();
            for statement in policy.statements.iter().filter(|s| concerns_controls(s)) {
                own.add(statement);
                silence.add(statement);
            }
            distinctions.insert(index, own);
            silences.insert(index, silence);
        }
        Self {
            organization,
            about: FxHashMap::default(),
            distinctions,
            silences,
            nothing: Distinctions::default(),
            key_names: Vec::new(),
            key_numbers: FxHashMap::default(),
            keys: FxHashMap::default(),
        }
    }

    /// The name of a key in lower case.
    pub(crate) fn key_name(&self, key: KeyNumber) -> &str {
        self.key_names.get(key as usize).map_or("", |name| name)
    }

    /// The statement of a document.
    pub(crate) fn statement(&self, document: DocumentIdx, index: u32) -> Option<&'o Statement> {
        self.policy(document)?.statements.get(index as usize)
    }

    /// What these documents say about `action`.
    pub(crate) fn sayings(
        &mut self,
        levels: &[Vec<DocumentIdx>],
        action: &'static str,
    ) -> Rc<Sayings> {
        let applicable = self.applicable(levels, action);
        let said = |placed: &Placed<'_>| {
            let Place { level, policy, statement } = placed.place;
            let document = levels.get(level).and_then(|level| level.get(policy)).copied();
            // Invariant PLACES.
            debug_assert!(document.is_some(), "a place outside of its stack");
            Some((document?, statement as u32, placed.action_certain))
        };
        let mut denies: Vec<StatementKey> = applicable.denies.iter().filter_map(said).collect();
        denies.sort_unstable();
        denies.dedup();
        let listed = |level: &Vec<Placed<'_>>| level.iter().filter_map(said).collect();
        let allows: Vec<Option<Box<[StatementKey]>>> =
            applicable.allows.iter().map(|level| level.as_ref().map(listed)).collect();
        let mut keys = Vec::new();
        for (document, index, _) in denies.iter().chain(allows.iter().flatten().flatten()) {
            keys.extend_from_slice(self.keys_of(*document, *index));
        }
        keys.sort_unstable();
        keys.dedup();
        let mut hasher = FxHasher::default();
        (&denies, &allows).hash(&mut hasher);
        Rc::new(Sayings {
            hash: hasher.finish(),
            denies: denies.into(),
            allows: allows.into(),
            keys: keys.into(),
        })
    }

    /// The keys that the conditions and policy variables of a statement name, sorted.
    fn keys_of(&mut self, document: DocumentIdx, index: u32) -> &[KeyNumber] {
        let place = (document, index);
        if !self.keys.contains_key(&place) {
            let mut keys: Vec<KeyNumber> = self
                .statement(document, index)
                .into_iter()
                .flat_map(keys_named)
                .map(|key| self.number(&key))
                .collect();
            keys.sort_unstable();
            keys.dedup();
            self.keys.insert(place, keys.into());
        }
        self.keys.get(&place).map_or(&[], |keys| keys)
    }

    fn number(&mut self, key: &str) -> KeyNumber {
        if let Some(known) = self.key_numbers.get(key) {
            return *known;
        }
        let (name, number) = (Rc::<str>::from(key), self.key_names.len() as KeyNumber);
        self.key_names.push(Rc::clone(&name));
        self.key_numbers.insert(name, number);
        number
    }

    /// What the statements of a document that the controls ask about can tell apart.
    #[must_use]
    pub fn distinctions(&self, document: DocumentIdx) -> &Distinctions {
        self.distinctions.get(&document).unwrap_or(&self.nothing)
    }

    /// On which points these documents depend on which AWS is silent.
    #[must_use]
    pub fn silence(&self, levels: &[Vec<DocumentIdx>]) -> Silence {
        let mut all = Silence::default();
        for document in levels.iter().flatten() {
            all.merge(self.silences.get(document).copied().unwrap_or_default());
        }
        all
    }

    fn policy(&self, document: DocumentIdx) -> Option<&'o Policy> {
        self.organization.document(document).and_then(Document::policy)
    }

    /// The stack of these documents, level by level; `None` where one cannot be read (invariant
    /// WHOLE-STACK).
    #[must_use]
    pub fn stack(&self, levels: &[Vec<DocumentIdx>]) -> Option<Stack<'o>> {
        let policies = |level: &Vec<DocumentIdx>| {
            level.iter().map(|document| self.policy(*document)).collect::<Option<_>>()
        };
        Some(Stack { levels: levels.iter().map(policies).collect::<Option<_>>()? })
    }

    /// The statements of these documents that are about `action`.
    pub fn applicable(
        &mut self,
        levels: &[Vec<DocumentIdx>],
        action: &'static str,
    ) -> Applicable<'o> {
        let mut applicable =
            Applicable { denies: Vec::new(), allows: vec![Some(Vec::new()); levels.len()] };
        for (level, documents) in levels.iter().enumerate() {
            for (index, document) in documents.iter().enumerate() {
                let Some(policy) = self.policy(*document) else { continue };
                let about =
                    self.about.entry((*document, action)).or_insert_with(|| about(policy, action));
                for (statement, covers) in about.iter() {
                    if let Some(found) = policy.statements.get(*statement) {
                        let place = Place { level, policy: index, statement: *statement };
                        applicable.add(place, found, covers);
                    }
                }
            }
        }
        applicable
    }
}

fn about(policy: &Policy, action: &str) -> Vec<(usize, Truth)> {
    policy
        .statements
        .iter()
        .enumerate()
        .map(|(index, statement)| (index, action_matches(statement, action)))
        .filter(|(_, covers)| *covers != Truth::No)
        .collect()
}

/// The keys that a statement's conditions and policy variables name, in lower case.
fn keys_named(statement: &Statement) -> impl Iterator<Item = String> {
    let variables = statement.templates().flat_map(|(template, _)| &template.pieces);
    let variables = variables.filter_map(|piece| match piece {
        Piece::Variable { key, .. } => Some(key.to_ascii_lowercase()),
        Piece::Char(_) | Piece::Star | Piece::Question => None,
    });
    statement.conditions.iter().map(policy::model::Condition::key_folded).chain(variables)
}

/// Whether a statement may be about any action of the table.
fn concerns_controls(statement: &Statement) -> bool {
    table::actions().iter().any(|action| action_matches(statement, action.name) != Truth::No)
}
