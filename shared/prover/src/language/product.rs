//! The walk through several automata at once.

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::{FxHashMap, FxHashSet};

use super::automaton::Automaton;
use super::sequence::{Class, PREFERENCE, UNUSUAL};
use crate::budget::{Budget, Exhausted};

/// The product of several automata, determinized as far as the walk goes.
pub(super) struct Product<'a> {
    parts: Vec<ProductPart<'a>>,
    letters: Vec<Letter>,
    /// Where each letter stands in `letters`.
    places: FxHashMap<char, usize>,
}

struct ProductPart<'a> {
    automaton: &'a Automaton,
    include: bool,
}

/// A character of the alphabet.
#[derive(Clone, Copy)]
struct Letter {
    char: char,
    /// Characters that no edge names and that have this in common go the same way.
    kind: usize,
}

/// One set of states for each part.
type Node = Box<[u32]>;

impl<'a> Product<'a> {
    pub(super) fn new(
        include: impl Iterator<Item = &'a Automaton>,
        exclude: impl Iterator<Item = &'a Automaton>,
    ) -> Self {
        let part =
            |include: bool| move |automaton: &'a Automaton| ProductPart { automaton, include };
        let parts: Vec<ProductPart<'a>> =
            include.map(part(true)).chain(exclude.map(part(false))).collect();
        let letters = alphabet(&parts);
        Self { parts, letters, places: FxHashMap::default() }
    }

    /// A shortest text in ASCII, or, where there is none, a shortest text.
    pub(super) fn plainest(mut self, budget: &mut Budget) -> Result<Option<String>, Exhausted> {
        let all = self.letters.clone();
        self.letters.retain(|letter| letter.char.is_ascii());
        let found = self.search(budget)?;
        if found.is_some() || all.len() == self.letters.len() {
            return Ok(found);
        }
        self.letters = all;
        self.search(budget)
    }

    fn search(&mut self, budget: &mut Budget) -> Result<Option<String>, Exhausted> {
        self.places = self.letters.iter().enumerate().map(|(at, l)| (l.char, at)).collect();
        let start: Node = self.parts.iter().map(|part| part.automaton.start()).collect();
        if self.is_dead(&start) {
            return Ok(None);
        }
        if self.accepts(&start) {
            return Ok(Some(String::new()));
        }
        let mut came_from: Vec<(usize, char)> = vec![(usize::MAX, ' ')];
        let mut seen: FxHashSet<Node> = FxHashSet::default();
        seen.insert(start.clone());
        let mut queue: VecDeque<(usize, Node)> = VecDeque::from([(0, start)]);
        let mut next: Vec<u32> = Vec::with_capacity(self.parts.len());
        let mut worth = Worth::new(&self.letters);
        while let Some((index, node)) = queue.pop_front() {
            worth.start();
            for (part, set) in self.parts.iter().zip(node.iter()) {
                part.automaton.named(*set, &mut |c| {
                    if let Some(place) = self.places.get(&c) {
                        worth.name(*place);
                    }
                });
            }
            for (place, letter) in self.letters.iter().enumerate() {
                if !worth.trying(place, letter.kind) {
                    continue;
                }
                next.clear();
                if !self.step(&node, letter.char, &mut next, budget)?
                    || seen.contains(next.as_slice())
                {
                    continue;
                }
                came_from.push((index, letter.char));
                let next_index = came_from.len() - 1;
                if self.accepts(&next) {
                    return Ok(Some(spell(&came_from, next_index)));
                }
                let node: Node = next.as_slice().into();
                seen.insert(node.clone());
                queue.push_back((next_index, node));
            }
        }
        Ok(None)
    }

    /// Goes on with `c`; whether a text can still be found from there.
    fn step(
        &self,
        node: &[u32],
        c: char,
        next: &mut Vec<u32>,
        budget: &mut Budget,
    ) -> Result<bool, Exhausted> {
        for (part, set) in self.parts.iter().zip(node) {
            budget.spend(1)?;
            let to = part.automaton.step(*set, c, budget)?;
            if part.is_dead(to) {
                return Ok(false);
            }
            next.push(to);
        }
        Ok(true)
    }

    fn is_dead(&self, node: &[u32]) -> bool {
        self.parts.iter().zip(node).any(|(part, set)| part.is_dead(*set))
    }

    fn accepts(&self, node: &[u32]) -> bool {
        self.parts
            .iter()
            .zip(node)
            .all(|(part, set)| part.automaton.standing(*set).accepts == part.include)
    }
}

impl ProductPart<'_> {
    /// Whether no continuation can help.
    fn is_dead(&self, set: u32) -> bool {
        let standing = self.automaton.standing(set);
        if self.include { standing.empty } else { standing.universal }
    }
}

/// Which letters lead to different places: those that an edge names, and one of each kind.
struct Worth {
    turn: u32,
    named: Vec<u32>,
    kinds: Vec<u32>,
}

impl Worth {
    fn new(letters: &[Letter]) -> Self {
        let kinds = letters.iter().map(|letter| letter.kind + 1).max().unwrap_or(0);
        Self { turn: 0, named: vec![0; letters.len()], kinds: vec![0; kinds] }
    }

    fn start(&mut self) {
        self.turn += 1;
    }

    fn name(&mut self, place: usize) {
        if let Some(named) = self.named.get_mut(place) {
            *named = self.turn;
        }
    }

    fn trying(&mut self, place: usize, kind: usize) -> bool {
        if self.named.get(place) == Some(&self.turn) {
            return true;
        }
        match self.kinds.get_mut(kind) {
            Some(seen) if *seen == self.turn => false,
            Some(seen) => {
                *seen = self.turn;
                true
            }
            None => true,
        }
    }
}

fn spell(came_from: &[(usize, char)], mut index: usize) -> String {
    let mut text = Vec::new();
    while let Some((parent, c)) = came_from.get(index).filter(|(parent, _)| *parent != usize::MAX) {
        text.push(*c);
        index = *parent;
    }
    text.iter().rev().collect()
}

/// Every character that some part names, and one for each way the parts treat the others.
fn alphabet(parts: &[ProductPart<'_>]) -> Vec<Letter> {
    let named: BTreeSet<char> =
        parts.iter().flat_map(|p| p.automaton.letters.values()).flatten().copied().collect();
    let classes: BTreeSet<Class> =
        parts.iter().flat_map(|p| p.automaton.broad.iter().copied()).collect();
    let mut kinds: FxHashMap<Vec<bool>, usize> = FxHashMap::default();
    let mut letter = |char: char| {
        let signature: Vec<bool> = classes.iter().map(|class| class.contains(char)).collect();
        let next = kinds.len();
        let kind = *kinds.entry(signature).or_insert(next);
        (Letter { char, kind }, kind == next)
    };
    let mut chosen = Vec::new();
    // A kind is there once, among the letters that are not named.
    let mut stand_ins: FxHashSet<usize> = FxHashSet::default();
    for c in PREFERENCE.chars() {
        let (found, _) = letter(c);
        if named.contains(&c) || stand_ins.insert(found.kind) {
            chosen.push(found);
        }
    }
    // Classes treat characters outside ASCII by their bytes and by whether they are letters.
    let unusual = [2, 3, 4].into_iter().flat_map(|bytes| {
        [true, false].map(|alphanumeric| {
            let like = move |c: &char| {
                c.len_utf8() == bytes && c.is_alphanumeric() == alphanumeric && !c.is_control()
            };
            UNUSUAL.chars().chain('\u{80}'..).filter(like).find(|c| !named.contains(c))
        })
    });
    let fresh: Vec<Letter> = unusual
        .flatten()
        .map(|c| letter(c).0)
        .filter(|found| stand_ins.insert(found.kind))
        .collect();
    chosen.extend(named.iter().filter(|c| !c.is_ascii() && !c.is_control()).map(|c| letter(*c).0));
    chosen.extend(fresh);
    chosen
}
