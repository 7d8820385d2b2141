//! A language as a nondeterministic automaton, made deterministic as far as it was walked.

use std::cell::RefCell;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::sequence::{Class, Grammar, Sequence, Tok, members};
use crate::budget::{Budget, Exhausted};

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) accepts: bool,
    /// Accepts whatever follows.
    pub(super) universal: bool,
    pub(super) edges: Vec<(Class, u32)>,
    /// The states within a run of a class that can stand in its place without reading anything.
    pub(super) runs: Vec<(Class, u32)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Automaton {
    pub(super) starts: Vec<u32>,
    pub(super) states: Vec<State>,
    /// The sequences in order.
    pub(super) sequences: Vec<Sequence>,
    /// The members of its classes of letters.
    pub(super) letters: FxHashMap<Class, Box<[char]>>,
    /// Its classes that are no single letters.
    pub(super) broad: BTreeSet<Class>,
    /// Whether all its texts are in ASCII.
    pub(super) ascii: bool,
    walked: RefCell<Walked>,
}

/// The sets of states that walks have met.
#[derive(Debug, Clone, Default)]
struct Walked {
    sets: Vec<Set>,
    ids: FxHashMap<Box<[u32]>, u32>,
    next: FxHashMap<(u32, char), u32>,
    /// The states in all sets, a measure of the memory that they take.
    weight: usize,
}

#[derive(Debug, Clone)]
struct Set {
    states: Box<[u32]>,
    accepts: bool,
    universal: bool,
    /// The characters that its edges name.
    named: Box<[char]>,
}

/// What a walk needs to know of a set of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) accepts: bool,
    pub(super) universal: bool,
    pub(super) empty: bool,
}

impl Automaton {
    /// The union of `sequences`, which are in order.
    pub(super) fn new(sequences: Vec<Sequence>) -> Self {
        let mut built = Self::default();
        let loose = |s: &Sequence| s.steps.iter().any(|step| matches!(step, Tok::Loose(_)));
        let mut shared = Prefixes::default();
        for sequence in &sequences {
            if sequence.tail.is_some() || loose(sequence) {
                let start = built.add(sequence);
                built.starts.push(start);
            } else {
                shared.add(sequence);
            }
        }
        if !shared.is_empty() {
            let start = built.add_all(&shared);
            built.starts.push(start);
        }
        let classes: BTreeSet<Class> =
            built.states.iter().flat_map(|s| &s.edges).map(|(class, _)| *class).collect();
        built.ascii = classes.iter().all(|class| class.is_ascii());
        for class in classes {
            if let Some(members) = members(class) {
                built.letters.insert(class, members.into());
            } else {
                built.broad.insert(class);
            }
        }
        built.sequences = sequences;
        built
    }

    /// Adds the states of `sequence`, last step first, so that a run can take over the edges
    /// of the step behind it and no empty moves remain.
    fn add(&mut self, sequence: &Sequence) -> u32 {
        let mut next = match sequence.tail {
            None => self.push(State { accepts: true, ..State::default() }),
            Some(Grammar::Domain) => self.domain(),
            Some(Grammar::Address) => self.address(),
            Some(Grammar::QuotedAddress) => self.quoted_address(),
        };
        let steps = &sequence.steps;
        let loose = steps.iter().any(|step| matches!(step, Tok::Loose(_)));
        // The state of each position, the last position first.
        let mut behind: Vec<u32> = vec![next];
        for (index, step) in steps.iter().enumerate().rev() {
            let mut state = match *step {
                Tok::One(class) => State { edges: vec![(class, next)], ..State::default() },
                Tok::Loose(class) => {
                    let ascii =
                        if class == Class::NotColon { Class::AsciiNotColon } else { Class::Ascii };
                    let edges = vec![(ascii, next), (Class::NonAscii, next)];
                    State { edges, ..State::default() }
                }
                Tok::Star(class) => {
                    let ends = index + 1 == steps.len() && sequence.tail.is_none();
                    self.run(class, next, ends)
                }
            };
            behind.push(self.states.len() as u32);
            if loose {
                state.edges.extend(shared(steps, index, &behind));
            }
            next = self.push(state);
        }
        next
    }

    /// The state, to be pushed next, that stays where it is for `class` and is otherwise `follower`.
    fn run(&self, class: Class, follower: u32, ends: bool) -> State {
        let own = self.states.len() as u32;
        let follower = self.states.get(follower as usize).cloned().unwrap_or_default();
        let mut edges = vec![(class, own)];
        edges.extend(follower.edges);
        let mut runs = vec![(class, own)];
        runs.extend(follower.runs);
        State { accepts: follower.accepts, universal: ends && class == Class::Any, edges, runs }
    }

    /// Adds the states of many sequences, each common beginning once.
    fn add_all(&mut self, prefixes: &Prefixes) -> u32 {
        let mut states = vec![0; prefixes.nodes.len()];
        // Children come after their parents, so they are there when a parent needs them.
        for (index, node) in prefixes.nodes.iter().enumerate().rev() {
            let mut state = State { accepts: node.ends, ..State::default() };
            let mut only = None;
            for (step, child) in &node.children {
                let to = states.get(*child).copied().unwrap_or_default();
                match *step {
                    Tok::One(class) | Tok::Loose(class) => state.edges.push((class, to)),
                    Tok::Star(class) => {
                        let ends = prefixes.nodes.get(*child).is_some_and(|child| child.ends);
                        let run = self.run(class, to, ends);
                        state.accepts |= run.accepts;
                        state.universal |= run.universal;
                        state.edges.extend(run.edges.iter().copied());
                        state.runs.extend(run.runs.iter().copied());
                        only = Some(self.push(run));
                    }
                }
            }
            let own = match only {
                Some(run) if node.children.len() == 1 && !node.ends => run,
                Some(_) | None => self.push(state),
            };
            if let Some(place) = states.get_mut(index) {
                *place = own;
            }
        }
        states.first().copied().unwrap_or_default()
    }

    fn push(&mut self, state: State) -> u32 {
        self.states.push(state);
        (self.states.len() - 1) as u32
    }

    /// Labels of letters, digits and inner hyphens, at least two of them.
    fn domain(&mut self) -> u32 {
        let first = self.states.len() as u32;
        let [start, label, hyphen, dot, last, last_hyphen] = [0, 1, 2, 3, 4, 5].map(|i| first + i);
        let h = Class::Char('-');
        let d = Class::Char('.');
        let alnum = Class::Alnum;
        let edges: [Vec<(Class, u32)>; 6] = [
            vec![(alnum, label)],
            vec![(alnum, label), (h, hyphen), (d, dot)],
            vec![(h, hyphen), (alnum, label)],
            vec![(alnum, last)],
            vec![(alnum, last), (h, last_hyphen), (d, dot)],
            vec![(h, last_hyphen), (alnum, last)],
        ];
        for (index, edges) in edges.into_iter().enumerate() {
            self.push(State { accepts: index == 4, edges, ..State::default() });
        }
        start
    }

    /// A dot-atom, `@`, a domain.
    fn address(&mut self) -> u32 {
        let domain = self.domain();
        let first = self.states.len() as u32;
        let [start, local, dot] = [0, 1, 2].map(|i| first + i);
        let edges: [Vec<(Class, u32)>; 3] = [
            vec![(Class::Atext, local)],
            vec![(Class::Atext, local), (Class::Char('.'), dot), (Class::Char('@'), domain)],
            vec![(Class::Atext, local)],
        ];
        for edges in edges {
            self.push(State { edges, ..State::default() });
        }
        start
    }

    /// A quoted text that is not empty, `@`, a domain.
    fn quoted_address(&mut self) -> u32 {
        let domain = self.domain();
        let first = self.states.len() as u32;
        let [start, open, inside, at] = [0, 1, 2, 3].map(|i| first + i);
        let quote = Class::Char('"');
        let edges: [Vec<(Class, u32)>; 4] = [
            vec![(quote, open)],
            vec![(Class::Quoted, inside)],
            vec![(Class::Quoted, inside), (quote, at)],
            vec![(Class::Char('@'), domain)],
        ];
        for edges in edges {
            self.push(State { edges, ..State::default() });
        }
        start
    }

    /// Whether all its texts are plain addresses, which have one `@`.
    pub(super) fn is_of_addresses(&self) -> bool {
        !self.sequences.is_empty()
            && self.sequences.iter().all(|sequence| {
                sequence.steps.is_empty() && sequence.tail == Some(Grammar::Address)
            })
    }

    /// Whether `text` is in the language.
    pub(super) fn contains(&self, text: &str) -> bool {
        let mut current = self.starts.clone();
        let mut next = Vec::new();
        for c in text.chars() {
            next.clear();
            for state in &current {
                if let Some(state) = self.states.get(*state as usize) {
                    next.extend(
                        state
                            .edges
                            .iter()
                            .filter(|(class, _)| class.contains(c))
                            .map(|(_, to)| *to),
                    );
                }
            }
            next.sort_unstable();
            next.dedup();
            if next.is_empty() {
                return false;
            }
            std::mem::swap(&mut current, &mut next);
        }
        current.iter().any(|s| self.states.get(*s as usize).is_some_and(|s| s.accepts))
    }

    /// The set of states in which a walk begins.
    pub(super) fn start(&self) -> u32 {
        self.settle(self.starts.clone())
    }

    /// The set after `c`.
    pub(super) fn step(&self, set: u32, c: char, budget: &mut Budget) -> Result<u32, Exhausted> {
        let known = self.walked.borrow().next.get(&(set, c)).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut targets = Vec::new();
        if let Some(set) = self.walked.borrow().sets.get(set as usize) {
            for state in &set.states {
                if let Some(state) = self.states.get(*state as usize) {
                    budget.spend(4 + state.edges.len() as u64)?;
                    let follow = state.edges.iter().filter(|(class, _)| class.contains(c));
                    targets.extend(follow.map(|(_, to)| *to));
                }
            }
        }
        let next = self.settle(targets);
        self.walked.borrow_mut().next.insert((set, c), next);
        Ok(next)
    }

    fn settle(&self, mut states: Vec<u32>) -> u32 {
        let is = |state: &u32, what: fn(&State) -> bool| {
            self.states.get(*state as usize).is_some_and(what)
        };
        // What accepts everything makes the others idle.
        if let Some(universal) = states.iter().copied().find(|s| is(s, |s| s.universal)) {
            states = vec![universal];
        }
        states.sort_unstable();
        states.dedup();
        let mut walked = self.walked.borrow_mut();
        if let Some(known) = walked.ids.get(states.as_slice()) {
            return *known;
        }
        let mut named: Vec<char> = states
            .iter()
            .filter_map(|state| self.states.get(*state as usize))
            .flat_map(|state| &state.edges)
            .filter_map(|(class, _)| self.letters.get(class))
            .flat_map(|letters| letters.iter().copied())
            .collect();
        named.sort_unstable();
        named.dedup();
        let set = Set {
            accepts: states.iter().any(|s| is(s, |s| s.accepts)),
            universal: states.iter().any(|s| is(s, |s| s.universal)),
            named: named.into(),
            states: states.clone().into(),
        };
        let id = walked.sets.len() as u32;
        walked.weight += set.states.len() + set.named.len() + 8;
        walked.sets.push(set);
        walked.ids.insert(states.into(), id);
        id
    }

    /// What is to be known of a set.
    pub(super) fn standing(&self, set: u32) -> Standing {
        self.walked.borrow().sets.get(set as usize).map_or(
            Standing { accepts: false, universal: false, empty: true },
            |set| Standing {
                accepts: set.accepts,
                universal: set.universal,
                empty: set.states.is_empty(),
            },
        )
    }

    /// Hands each character that the edges of the set name to `tell`.
    pub(super) fn named(&self, set: u32, tell: &mut dyn FnMut(char)) {
        if let Some(set) = self.walked.borrow().sets.get(set as usize) {
            set.named.iter().copied().for_each(tell);
        }
    }

    /// How much the walks have left in memory.
    pub(super) fn weight(&self) -> usize {
        let walked = self.walked.borrow();
        walked.weight + walked.next.len()
    }

    /// Forgets what walks have met.
    pub(super) fn forget(&mut self) {
        self.walked = RefCell::default();
    }
}

/// Sequences by their common beginnings.
#[derive(Default)]
struct Prefixes {
    nodes: Vec<Prefix>,
}

#[derive(Default)]
struct Prefix {
    /// Whether a sequence ends here.
    ends: bool,
    children: Vec<(Tok, usize)>,
}

impl Prefixes {
    fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds a sequence that is not before the last one.
    fn add(&mut self, sequence: &Sequence) {
        if self.nodes.is_empty() {
            self.nodes.push(Prefix::default());
        }
        let mut at = 0;
        for step in &sequence.steps {
            let count = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            // In order, so that what is shared with any sequence is shared with the last.
            at = match node.children.last() {
                Some((last, child)) if last == step => *child,
                Some(_) | None => {
                    node.children.push((*step, count));
                    self.nodes.push(Prefix::default());
                    count
                }
            };
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.ends = true;
        }
    }
}

/// The moves by which several steps, from `index` on, share one character outside ASCII: in
/// UTF-16 it may be two units, in UTF-8 two to four. `behind` holds the states of the
/// positions, the last position first.
fn shared(steps: &[Tok], index: usize, behind: &[u32]) -> Vec<(Class, u32)> {
    let mut moves = Vec::new();
    for (units, class) in
        [(2, Class::Bytes(2)), (3, Class::Bytes(3)), (2, Class::Bytes(4)), (4, Class::Bytes(4))]
    {
        let mut positions = BTreeSet::from([index]);
        for _ in 0..units {
            let mut next = BTreeSet::new();
            for position in positions {
                // Runs may be empty.
                for at in position.. {
                    match steps.get(at) {
                        Some(Tok::Loose(_)) => {
                            next.insert(at + 1);
                        }
                        Some(Tok::Star(_)) => {
                            next.insert(at);
                            continue;
                        }
                        Some(Tok::One(_)) | None => {}
                    }
                    break;
                }
            }
            positions = next;
        }
        moves.extend(positions.into_iter().filter_map(|position| {
            let from_last = steps.len().checked_sub(position)?;
            Some((class, *behind.get(from_last)?))
        }));
    }
    moves
}
