//! Patterns that lie wholly within a language, found without multiplying anything out.
//!
//! A pattern is read through the automaton of the language as if it were a text whose
//! wildcards are characters of their own: a run is taken by a run of a class that contains its
//! class, and only by one. Every text of a pattern that gets through this way is in the language;
//! of one that does not, nothing is said.

use super::automaton::Automaton;
use super::sequence::{Class, Sequence, Tok, members};

/// What of `inner` may lie outside `outer`: its sequences that are not found to be covered.
/// With `ascii`, only texts in ASCII count.
pub(super) fn remainder(inner: &Automaton, outer: &Automaton, ascii: bool) -> Vec<Sequence> {
    let left = |sequence: &&Sequence| !covered(sequence, outer, ascii);
    inner.sequences.iter().filter(left).cloned().collect()
}

fn covered(sequence: &Sequence, outer: &Automaton, ascii: bool) -> bool {
    if outer.sequences.binary_search(sequence).is_ok() {
        return true;
    }
    if sequence.tail.is_some() {
        return false;
    }
    let mut current = outer.starts.clone();
    let mut next = Vec::new();
    for step in &sequence.steps {
        if reaches_all(outer, &current) {
            return true;
        }
        next.clear();
        match *step {
            Tok::One(class) if ascii && class.is_outside_ascii() => return true,
            Tok::Star(class) if ascii && class.is_outside_ascii() => continue,
            Tok::One(class) => {
                for (edge, to) in outgoing(outer, &current, |state| &state.edges) {
                    if within(class, edge, ascii) {
                        next.push(to);
                    }
                }
            }
            Tok::Star(class) => {
                for (edge, to) in outgoing(outer, &current, |state| &state.runs) {
                    if within(class, edge, ascii) {
                        next.push(to);
                    }
                }
            }
            Tok::Loose(_) => return false,
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return false;
        }
        std::mem::swap(&mut current, &mut next);
    }
    current.iter().any(|s| outer.states.get(*s as usize).is_some_and(|s| s.accepts))
}

fn outgoing<'a>(
    outer: &'a Automaton,
    current: &'a [u32],
    of: fn(&super::automaton::State) -> &Vec<(Class, u32)>,
) -> impl Iterator<Item = (Class, u32)> + 'a {
    current
        .iter()
        .filter_map(|state| outer.states.get(*state as usize))
        .flat_map(move |state| of(state).iter().copied())
}

fn reaches_all(outer: &Automaton, current: &[u32]) -> bool {
    current.iter().any(|s| outer.states.get(*s as usize).is_some_and(|s| s.universal))
}

/// Whether every character of `inner`, or every one in ASCII, is in `outer`.
fn within(inner: Class, outer: Class, ascii: bool) -> bool {
    if inner == outer || outer == Class::Any {
        return true;
    }
    if let Some(members) = members(inner) {
        let counts = |c: &char| !ascii || c.is_ascii();
        return members.into_iter().filter(counts).all(|c| outer.contains(c));
    }
    ('\0'..='\x7f').all(|c| !inner.contains(c) || outer.contains(c))
        && (ascii || [2, 3, 4].into_iter().all(|b| !inner.takes(b, true) || outer.takes(b, false)))
}
