//! The documents of an organization, read for the actions that the controls ask about.

use organization::{Document, DocumentIdx, Organization};
use policy::condition::Truth;
use policy::evaluate::{Place, Stack, action_matches};
use policy::model::{Policy, Statement};
use prover::applicable::Applicable;
use rustc_hash::FxHashMap;

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
        }
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

    /// The stack of these documents, level by level.
    #[must_use]
    pub fn stack(&self, levels: &[Vec<DocumentIdx>]) -> Stack<'o> {
        // An unreadable document never gets here: its accounts are undecided before.
        let policies = |level: &Vec<DocumentIdx>| {
            level.iter().filter_map(|document| self.policy(*document)).collect()
        };
        Stack { levels: levels.iter().map(policies).collect() }
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

/// Whether a statement may be about any action of the table.
fn concerns_controls(statement: &Statement) -> bool {
    table::actions().iter().any(|action| action_matches(statement, action.name) != Truth::No)
}
