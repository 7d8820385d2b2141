//! The documents of an organization, read for the actions that the controls ask about.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use organization::{Document, DocumentIdx, Organization};
use policy::condition::Truth;
use policy::evaluate::{Place, Stack, action_matches};
use policy::model::{Effect, Piece, Policy, Resources, Statement, Version};
use prover::applicable::Applicable;
use prover::language::named;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::sensitivity::Distinctions;
use crate::silence::Silence;
use crate::table;

/// Looks up which statements of which document are about an action.
pub struct Documents<'o> {
    organization: &'o Organization,
    /// For each document and action the statements that are, or may be, about it.
    about: FxHashMap<(DocumentIdx, &'static str), Rc<[About]>>,
    distinctions: FxHashMap<DocumentIdx, Distinctions>,
    nothing: Distinctions,
    /// The condition keys that statements ask about, in lower case, by number.
    key_names: Vec<Rc<str>>,
    key_numbers: FxHashMap<Rc<str>, KeyNumber>,
    /// By number, a statement that says it.
    contents: Vec<Content<'o>>,
    content_numbers: FxHashMap<ContentKey, ContentId>,
    content_of: FxHashMap<(DocumentIdx, u32), ContentId>,
}

/// The number of a condition key.
pub(crate) type KeyNumber = u32;

/// The number of what statements say, their Sid and actions aside: of equal ones it is the same,
/// wherever they stand.
pub(crate) type ContentId = u32;

/// What a statement says, and whether it is certain that it is about the action.
pub(crate) type SayingKey = (ContentId, bool);

/// A statement about an action.
#[derive(Debug)]
struct About {
    statement: usize,
    covers: Truth,
    content: ContentId,
}

struct Content<'o> {
    statement: &'o Statement,
    /// The keys that its conditions and policy variables name, sorted.
    keys: Box<[KeyNumber]>,
    /// Those that a condition takes for a set.
    sets: Box<[KeyNumber]>,
    silence: Silence,
}

/// What tells contents apart.
#[derive(Debug, PartialEq, Eq, Hash)]
enum ContentKey {
    /// Of a statement that can be modelled: effect, resources and conditions, as written.
    Text(String),
    /// Of any other: its place, as nobody knows what it says.
    Place(DocumentIdx, u32),
}

/// What a stack says about an action, wherever its documents are attached.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sayings {
    /// Of all that follows; first, so that what differs is seen at once.
    hash: u64,
    /// The Deny statements in the order of the stack, each once.
    pub(crate) denies: Box<[SayingKey]>,
    /// The Allow statements of each level, root first; `None` where one allows everything.
    pub(crate) allows: Box<[Option<Box<[SayingKey]>>]>,
    /// The keys that all of them ask about, sorted.
    pub(crate) keys: Box<[KeyNumber]>,
    /// Those that some of them take for a set, sorted.
    pub(crate) sets: Box<[KeyNumber]>,
    /// Those Deny statements that are certainly about the action, sorted, with their positions.
    certain: Box<[(ContentId, usize)]>,
}

/// Something that stops requests, in terms of [`Sayings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    /// The Deny statement at this position.
    Deny(usize),
    /// The level.
    Level(usize),
}

impl Sayings {
    /// Whether a request gets past all of it that single statements let through: every Deny, and at
    /// each level some Allow. None does of which it is not certain that it is about the action.
    pub(crate) fn let_through(&self, lets: impl Fn(ContentId) -> bool) -> bool {
        let passes = |said: &SayingKey| said.1 && lets(said.0);
        self.denies.iter().all(passes)
            && self.allows.iter().flatten().all(|level| level.iter().any(passes))
    }

    /// The position of a Deny statement that says `content`, certainly about the action.
    pub(crate) fn deny(&self, content: ContentId) -> Option<usize> {
        let at = self.certain.binary_search_by_key(&content, |(own, _)| *own).ok()?;
        self.certain.get(at).map(|(_, position)| *position)
    }

    /// The contents of the Deny statements that are certainly about the action.
    pub(crate) fn certain(&self) -> impl Iterator<Item = ContentId> {
        self.certain.iter().map(|(content, _)| *content)
    }
}

impl Hash for Sayings {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

/// What a stack says about an action, with the places where it says so.
pub(crate) struct Said<'o> {
    /// Without the places.
    pub(crate) sayings: Rc<Sayings>,
    /// The same statements, each at its first place in the stack.
    pub(crate) applicable: Applicable<'o>,
    /// Every statement about the action, in the order of the stack.
    pub(crate) statements: Box<[(DocumentIdx, u32)]>,
    /// On which points they depend on which AWS is silent.
    pub(crate) silence: Silence,
}

impl Said<'_> {
    /// The position of the Deny statement at `place`.
    pub(crate) fn position(&self, place: Place) -> Option<usize> {
        self.applicable.denies.iter().position(|placed| placed.place == place)
    }

    /// The place of the Deny statement at `position`.
    pub(crate) fn place(&self, position: usize) -> Option<Place> {
        self.applicable.denies.get(position).map(|placed| placed.place)
    }
}

impl<'o> Documents<'o> {
    /// Reads every document once.
    #[must_use]
    pub fn new(organization: &'o Organization) -> Self {
        let mut distinctions = FxHashMap::default();
        for (index, document) in organization.documents() {
            let Some(policy) = document.policy() else { continue };
            let mut own = Distinctions::default();
            for statement in policy.statements.iter().filter(|s| concerns_controls(s)) {
                own.add(statement);
            }
            distinctions.insert(index, own);
        }
        Self {
            organization,
            about: FxHashMap::default(),
            distinctions,
            nothing: Distinctions::default(),
            key_names: Vec::new(),
            key_numbers: FxHashMap::default(),
            contents: Vec::new(),
            content_numbers: FxHashMap::default(),
            content_of: FxHashMap::default(),
        }
    }

    /// The name of a key in lower case.
    pub(crate) fn key_name(&self, key: KeyNumber) -> &str {
        self.key_names.get(key as usize).map_or("", |name| name)
    }

    /// A statement that says `content`.
    pub(crate) fn saying(&self, content: ContentId) -> Option<&'o Statement> {
        self.contents.get(content as usize).map(|content| content.statement)
    }

    /// What these documents say about `action`.
    pub(crate) fn said(&mut self, levels: &[Vec<DocumentIdx>], action: &'static str) -> Said<'o> {
        let mut applicable =
            Applicable { denies: Vec::new(), allows: vec![Some(Vec::new()); levels.len()] };
        let (mut denies, mut allows) = (Vec::new(), vec![Vec::new(); levels.len()]);
        let (mut statements, mut seen) = (Vec::new(), FxHashSet::default());
        for (level, documents) in levels.iter().enumerate() {
            for (index, document) in documents.iter().enumerate() {
                let Some(policy) = self.policy(*document) else { continue };
                for about in self.about(*document, policy, action).iter() {
                    let Some(found) = policy.statements.get(about.statement) else { continue };
                    statements.push((*document, about.statement as u32));
                    let key = (about.content, about.covers == Truth::Yes);
                    let (said, of) = match found.effect {
                        Effect::Deny => (Some(&mut denies), None),
                        Effect::Allow => (allows.get_mut(level), Some(level)),
                    };
                    let Some(said) = said.filter(|_| seen.insert((of, key))) else { continue };
                    said.push(key);
                    let place = Place { level, policy: index, statement: about.statement };
                    applicable.add(place, found, &about.covers);
                }
            }
        }
        let listed =
            |(own, level): (Vec<SayingKey>, &Option<_>)| level.as_ref().map(|_| own.into());
        let allows: Vec<Option<Box<[SayingKey]>>> =
            allows.into_iter().zip(&applicable.allows).map(listed).collect();
        let (mut keys, mut sets, mut silence) = (Vec::new(), Vec::new(), Silence::default());
        for (content, _) in denies.iter().chain(allows.iter().flatten().flatten()) {
            if let Some(content) = self.contents.get(*content as usize) {
                keys.extend_from_slice(&content.keys);
                sets.extend_from_slice(&content.sets);
                silence.merge(content.silence);
            }
        }
        let mut hasher = FxHasher::default();
        (&denies, &allows).hash(&mut hasher);
        let mut certain: Vec<(ContentId, usize)> = denies
            .iter()
            .enumerate()
            .filter_map(|(at, (content, certain))| certain.then_some((*content, at)))
            .collect();
        certain.sort_unstable();
        let sayings = Sayings {
            hash: hasher.finish(),
            denies: denies.into(),
            allows: allows.into(),
            keys: sorted(keys),
            sets: sorted(sets),
            certain: certain.into(),
        };
        Said { sayings: Rc::new(sayings), applicable, statements: statements.into(), silence }
    }

    /// The statements of a document about an action.
    fn about(
        &mut self,
        document: DocumentIdx,
        policy: &'o Policy,
        action: &'static str,
    ) -> Rc<[About]> {
        if let Some(known) = self.about.get(&(document, action)) {
            return Rc::clone(known);
        }
        let mut found = Vec::new();
        for (at, statement) in policy.statements.iter().enumerate() {
            let covers = action_matches(statement, action);
            if covers != Truth::No {
                let content = self.content(document, at as u32, policy.version, statement);
                found.push(About { statement: at, covers, content });
            }
        }
        let found: Rc<[About]> = found.into();
        self.about.insert((document, action), Rc::clone(&found));
        found
    }

    /// The number of what a statement says.
    fn content(
        &mut self,
        document: DocumentIdx,
        at: u32,
        version: Version,
        statement: &'o Statement,
    ) -> ContentId {
        if let Some(known) = self.content_of.get(&(document, at)) {
            return *known;
        }
        let key =
            written(version, statement).map_or(ContentKey::Place(document, at), ContentKey::Text);
        let content = match self.content_numbers.get(&key) {
            Some(known) => *known,
            None => {
                let keys = keys_named(statement).map(|key| self.number(&key)).collect();
                let as_sets = statement.conditions.iter().filter(|c| c.operator.set.is_some());
                let sets = as_sets.map(|c| self.number(&c.key_folded())).collect();
                let next = self.contents.len() as ContentId;
                let (keys, sets) = (sorted(keys), sorted(sets));
                let mut silence = Silence::default();
                silence.add(statement);
                self.contents.push(Content { statement, keys, sets, silence });
                self.content_numbers.insert(key, next);
                next
            }
        };
        self.content_of.insert((document, at), content);
        content
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
}

fn sorted(mut keys: Vec<KeyNumber>) -> Box<[KeyNumber]> {
    keys.sort_unstable();
    keys.dedup();
    keys.into()
}

/// Effect, resources and conditions of a statement as written; `None` where something of it cannot
/// be modelled.
fn written(version: Version, statement: &Statement) -> Option<String> {
    if !statement.obstacles.is_empty() || statement.principals.is_some() {
        return None;
    }
    let (patterns, negated) = match &statement.resources {
        Resources::Listed(patterns) => (patterns, false),
        Resources::AllExcept(patterns) => (patterns, true),
    };
    let patterns = patterns.iter().map(|pattern| pattern.text.as_str());
    let values = statement.conditions.iter().flat_map(|condition| &condition.values);
    // Only there the version of the document matters.
    let mut texts = patterns.clone().chain(values.map(|value| value.text.as_str()));
    let versioned = version == Version::V2012 && texts.any(|text| text.contains('$'));
    let mut text = named(&format!("{:?} {negated} {versioned}", statement.effect), patterns);
    for condition in &statement.conditions {
        let values = condition.values.iter().map(|value| value.text.as_str());
        let texts = std::iter::once(condition.key.as_str()).chain(values);
        text.push_str(&named(&condition.operator.to_string(), texts));
    }
    Some(text)
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
