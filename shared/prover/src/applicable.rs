//! The statements of a stack that are about one action.

use policy::condition::Truth;
use policy::evaluate::{Place, Stack, action_matches};
use policy::model::{Effect, Resources, Statement};

/// A statement with its place.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// Where it stands.
    pub place: Place,
    /// The statement.
    pub statement: &'a Statement,
    /// Whether it is certain that its action element covers the action.
    pub action_certain: bool,
}

/// What a stack says about one action.
#[derive(Debug, Clone, Default)]
pub struct Applicable<'a> {
    /// The Deny statements of all levels.
    pub denies: Vec<Placed<'a>>,
    /// For each level, root first, the Allow statements; `None` where one of them allows every
    /// resource without a condition, so that the level stops nothing.
    pub allows: Vec<Option<Vec<Placed<'a>>>>,
}

impl<'a> Applicable<'a> {
    /// Picks the statements of `stack` that are, or may be, about `action`.
    #[must_use]
    pub fn of(stack: &Stack<'a>, action: &str) -> Self {
        let mut applicable =
            Self { denies: Vec::new(), allows: vec![Some(Vec::new()); stack.levels.len()] };
        for (place, statement) in stack.statements() {
            applicable.add(place, statement, &action_matches(statement, action));
        }
        applicable
    }

    /// Adds one statement whose action element covers the action as `covers` says.
    pub fn add(&mut self, place: Place, statement: &'a Statement, covers: &Truth) {
        let action_certain = match covers {
            Truth::No => return,
            Truth::Yes => true,
            Truth::Open(_) => false,
        };
        let placed = Placed { place, statement, action_certain };
        match statement.effect {
            Effect::Deny => self.denies.push(placed),
            Effect::Allow => {
                if let Some(level) = self.allows.get_mut(place.level) {
                    if action_certain && allows_everything(statement) {
                        *level = None;
                    } else if let Some(listed) = level {
                        listed.push(placed);
                    }
                }
            }
        }
    }

    /// Every statement that can matter.
    pub fn statements(&self) -> impl Iterator<Item = &Placed<'a>> {
        self.denies.iter().chain(self.allows.iter().flatten().flatten())
    }
}

/// Whether `statement` matches every request of its actions, whatever else it carries.
#[must_use]
pub fn allows_everything(statement: &Statement) -> bool {
    let every_resource = match &statement.resources {
        Resources::Listed(patterns) => patterns.iter().any(|pattern| pattern.text == "*"),
        Resources::AllExcept(_) => false,
    };
    every_resource && statement.conditions.is_empty() && statement.obstacles.is_empty()
}
