//! Sets of texts, and the search for a text that lies in some of them and outside others.
//!
//! Every condition on a text is membership in a union of wildcard patterns, and so is every
//! rule about which texts a key can hold. Both become small nondeterministic automata; a
//! question about several of them is a walk through their product, with one representative
//! for all characters that none of them tells apart.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::budget::{Budget, Exhausted};

/// A set of characters that a pattern can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// This character.
    Char(char),
    /// This ASCII letter in either case.
    Fold(char),
    /// This character, or one that some way of ignoring case takes for it.
    FoldWide(char),
    /// Any printable character.
    Any,
    /// Any but a colon.
    NotColon,
    /// Any in ASCII.
    Ascii,
    /// Any in ASCII but a colon.
    AsciiNotColon,
    /// Any outside ASCII.
    NonAscii,
    /// Any outside ASCII that takes this many bytes in UTF-8.
    Bytes(u8),
    /// A decimal digit.
    Digit,
    /// A letter or digit of ASCII.
    Alnum,
    /// What IAM allows in a name: letters, digits and `_+=,.@-`.
    IamName,
    /// What IAM allows in a path: `!` to `~`.
    IamPath,
    /// What may stand in an unquoted local part, dots aside.
    Atext,
    /// Lower-case letters and digits.
    OrgId,
    /// Letters, digits and `_.-`, the common ground of SES resource names.
    ResourceName,
}

impl Class {
    /// Whether `c` is in the set.
    #[must_use]
    pub fn contains(self, c: char) -> bool {
        match self {
            Self::Char(own) => own == c,
            Self::Fold(own) => own.eq_ignore_ascii_case(&c),
            Self::FoldWide(own) => {
                own.eq_ignore_ascii_case(&c) || policy::condition::same_but_for_case(own, c)
            }
            Self::Any => true,
            Self::NotColon => c != ':',
            Self::Ascii => c.is_ascii(),
            Self::AsciiNotColon => c.is_ascii() && c != ':',
            Self::NonAscii => !c.is_ascii(),
            Self::Bytes(length) => !c.is_ascii() && c.len_utf8() == usize::from(length),
            Self::Digit => c.is_ascii_digit(),
            Self::Alnum => c.is_ascii_alphanumeric(),
            Self::IamName => c.is_ascii_alphanumeric() || "_+=,.@-".contains(c),
            Self::IamPath => c.is_ascii_graphic(),
            Self::Atext => c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c),
            Self::OrgId => c.is_ascii_lowercase() || c.is_ascii_digit(),
            Self::ResourceName => c.is_ascii_alphanumeric() || "_.-".contains(c),
        }
    }
}

/// One step of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tok {
    /// Exactly one character.
    One(Class),
    /// Any run of characters, the empty one included.
    Star(Class),
    /// A `?` of which nobody knows whether it takes a character or a byte of one: outside
    /// ASCII a run of these may share one character.
    Loose(Class),
}

/// A grammar that no wildcard pattern can express; it may only end a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grammar {
    /// `local@domain`, unquoted, the domain with at least one dot.
    Address,
    /// A domain name with at least one dot.
    Domain,
}

/// A sequence of steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Sequence {
    /// The steps.
    pub steps: Vec<Tok>,
    /// What follows them.
    pub tail: Option<Grammar>,
}

impl Sequence {
    /// The sequence that is just `text`.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self::default().then(text)
    }

    /// Appends `text`.
    #[must_use]
    pub fn then(mut self, text: &str) -> Self {
        self.steps.extend(text.chars().map(|c| Tok::One(Class::Char(c))));
        self
    }

    /// Appends one or more characters of `class`.
    #[must_use]
    pub fn some(mut self, class: Class) -> Self {
        self.steps.extend([Tok::One(class), Tok::Star(class)]);
        self
    }

    /// Appends `count` characters of `class`.
    #[must_use]
    pub fn exactly(mut self, count: usize, class: Class) -> Self {
        self.steps.extend(std::iter::repeat_n(Tok::One(class), count));
        self
    }

    /// Appends any run of `class`.
    #[must_use]
    pub fn any(mut self, class: Class) -> Self {
        self.steps.push(Tok::Star(class));
        self
    }

    /// Ends in `grammar`.
    #[must_use]
    pub fn ending(mut self, grammar: Grammar) -> Self {
        self.tail = Some(grammar);
        self
    }

    /// A text of the sequence, as short as it comes; `None` where a grammar ends it.
    fn sample(&self) -> Option<String> {
        if self.tail.is_some() {
            return None;
        }
        let mut text = String::new();
        for step in &self.steps {
            match step {
                Tok::Star(_) => {}
                Tok::One(class) | Tok::Loose(class) => {
                    let own = if let Class::Char(c) = class { Some(*c) } else { None };
                    let plain = || PREFERENCE.chars().find(|c| class.contains(*c));
                    text.push(own.or_else(plain)?);
                }
            }
        }
        Some(text)
    }
}

/// Printable ASCII, the plainest characters first: what a witness is made of.
const PREFERENCE: &str = "abcdefghijklmnopqrstuvwxyz0123456789-.ABCDEFGHIJKLMNOPQRSTUVWXYZ_@/:+=,\
                          !#$%&'()*;<>?[\\]^`{|}~\" ";

/// Characters outside ASCII: some of two, three and four bytes, and those that fold into it.
const UNUSUAL: &str = "\u{e9}\u{e8}\u{ea}\u{20ac}\u{20aa}\u{20ab}\u{10000}\u{10001}\u{10002}\
                       \u{212a}\u{17f}\u{131}\u{130}";

/// A language in a [`Languages`] table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LangId(u32);

#[derive(Debug, Clone, Default)]
struct State {
    accepts: bool,
    /// Accepts whatever follows.
    universal: bool,
    edges: Vec<(Class, u32)>,
}

#[derive(Debug, Clone, Default)]
struct Automaton {
    starts: Vec<u32>,
    states: Vec<State>,
    /// The sequences, for plain samples.
    sequences: Vec<Sequence>,
    /// The members of its classes of letters.
    letters: BTreeSet<char>,
}

impl Automaton {
    fn new(sequences: Vec<Sequence>) -> Self {
        let mut built = Self { sequences: Vec::new(), ..Self::default() };
        for sequence in &sequences {
            let start = built.add(sequence);
            built.starts.push(start);
        }
        built.sequences = sequences;
        let classes: BTreeSet<Class> =
            built.states.iter().flat_map(|s| &s.edges).map(|(class, _)| *class).collect();
        built.letters = classes.into_iter().flat_map(letters).collect();
        built
    }

    /// Adds the states of `sequence`, last step first, so that a run can take over the edges
    /// of the step behind it and no empty moves remain.
    fn add(&mut self, sequence: &Sequence) -> u32 {
        let mut next = match sequence.tail {
            None => self.push(State { accepts: true, ..State::default() }),
            Some(Grammar::Domain) => self.domain(),
            Some(Grammar::Address) => self.address(),
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
                    let own = self.states.len() as u32;
                    let follower = self.states.get(next as usize).cloned().unwrap_or_default();
                    let mut edges = vec![(class, own)];
                    edges.extend(follower.edges);
                    let last = index + 1 == steps.len() && sequence.tail.is_none();
                    let universal = last && class == Class::Any;
                    State { accepts: follower.accepts, universal, edges }
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
            self.push(State { accepts: index == 4, universal: false, edges });
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
            self.push(State { accepts: false, universal: false, edges });
        }
        start
    }

    fn contains(&self, text: &str) -> bool {
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

type Query = (Vec<LangId>, Vec<LangId>);

/// All languages met so far and all searches done so far.
#[derive(Debug, Default)]
pub struct Languages {
    ids: FxHashMap<Vec<Sequence>, LangId>,
    automata: Vec<Automaton>,
    found: FxHashMap<Query, Option<Rc<str>>>,
    contained: FxHashMap<(LangId, Rc<str>), bool>,
}

/// Beyond this many remembered answers the memory is emptied, so that it stays bounded.
const MOST_REMEMBERED: usize = 200_000;

impl Languages {
    /// The language that is the union of `sequences`.
    pub fn intern(&mut self, mut sequences: Vec<Sequence>) -> LangId {
        sequences.sort_unstable();
        sequences.dedup();
        if let Some(id) = self.ids.get(&sequences) {
            return *id;
        }
        let id = LangId(self.automata.len() as u32);
        self.automata.push(Automaton::new(sequences.clone()));
        self.ids.insert(sequences, id);
        id
    }

    /// Whether `text` is in the language.
    pub fn contains(&mut self, id: LangId, text: &Rc<str>) -> bool {
        if let Some(known) = self.contained.get(&(id, Rc::clone(text))) {
            return *known;
        }
        let answer = self.automata.get(id.0 as usize).is_some_and(|a| a.contains(text));
        if self.contained.len() >= MOST_REMEMBERED {
            self.contained.clear();
        }
        self.contained.insert((id, Rc::clone(text)), answer);
        answer
    }

    /// The number of states, a measure of what working with the language costs.
    #[must_use]
    pub fn size(&self, id: LangId) -> usize {
        self.automata.get(id.0 as usize).map_or(0, |a| a.states.len())
    }

    /// A few plain texts of the language.
    #[must_use]
    pub fn samples(&self, id: LangId, most: usize) -> Vec<String> {
        self.automata.get(id.0 as usize).map_or_else(Vec::new, |a| {
            a.sequences.iter().filter_map(Sequence::sample).take(most).collect()
        })
    }

    /// A shortest text inside every language of `include` and outside every one of `exclude`.
    ///
    /// # Errors
    /// [`Exhausted`] when the budget runs out first.
    pub fn find(
        &mut self,
        include: &[LangId],
        exclude: &[LangId],
        budget: &mut Budget,
    ) -> Result<Option<Rc<str>>, Exhausted> {
        let mut query: Query = (include.to_vec(), exclude.to_vec());
        for side in [&mut query.0, &mut query.1] {
            side.sort_unstable();
            side.dedup();
        }
        if let Some(known) = self.found.get(&query) {
            budget.spend(1)?;
            return Ok(known.clone());
        }
        if query.0.iter().any(|id| query.1.contains(id)) {
            return Ok(None);
        }
        let answer = Product::new(self, &query).plainest(budget)?.map(Rc::from);
        if self.found.len() >= MOST_REMEMBERED {
            self.found.clear();
        }
        self.found.insert(query, answer.clone());
        Ok(answer)
    }
}

/// The product of several automata, determinized as far as the walk goes.
struct Product<'a> {
    parts: Vec<Part<'a>>,
    alphabet: Vec<char>,
}

struct Part<'a> {
    automaton: &'a Automaton,
    include: bool,
}

/// One set of states for each part.
type Node = Rc<[Box<[u32]>]>;

impl<'a> Product<'a> {
    fn new(languages: &'a Languages, query: &Query) -> Self {
        let part = |include: bool| {
            move |id: &LangId| {
                languages.automata.get(id.0 as usize).map(|automaton| Part { automaton, include })
            }
        };
        let parts: Vec<Part<'a>> = query
            .0
            .iter()
            .filter_map(part(true))
            .chain(query.1.iter().filter_map(part(false)))
            .collect();
        let alphabet = alphabet(&parts);
        Self { parts, alphabet }
    }

    /// A shortest text in ASCII, or, where there is none, a shortest text.
    fn plainest(mut self, budget: &mut Budget) -> Result<Option<String>, Exhausted> {
        let all = self.alphabet.clone();
        self.alphabet.retain(char::is_ascii);
        let found = self.search(budget)?;
        if found.is_some() || all.len() == self.alphabet.len() {
            return Ok(found);
        }
        self.alphabet = all;
        self.search(budget)
    }

    fn search(&self, budget: &mut Budget) -> Result<Option<String>, Exhausted> {
        let mut start = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let mut states = part.automaton.starts.clone();
            states.sort_unstable();
            match part.settle(states) {
                Some(states) => start.push(states),
                None => return Ok(None),
            }
        }
        let start: Node = start.into();
        if self.accepts(&start) {
            return Ok(Some(String::new()));
        }
        let mut came_from: Vec<(usize, char)> = vec![(usize::MAX, ' ')];
        let mut seen: FxHashSet<Node> = FxHashSet::default();
        seen.insert(Rc::clone(&start));
        let mut queue: VecDeque<(usize, Node)> = VecDeque::from([(0, start)]);
        while let Some((index, node)) = queue.pop_front() {
            let named = self.named_next(&node);
            let worth_trying = |c: &&char| named.as_ref().is_none_or(|named| named.contains(c));
            for c in self.alphabet.iter().filter(worth_trying) {
                let Some(next) = self.step(&node, *c, budget)? else { continue };
                if seen.contains(&next) {
                    continue;
                }
                came_from.push((index, *c));
                let next_index = came_from.len() - 1;
                if self.accepts(&next) {
                    return Ok(Some(spell(&came_from, next_index)));
                }
                seen.insert(Rc::clone(&next));
                queue.push_back((next_index, next));
            }
        }
        Ok(None)
    }

    /// The only characters that can follow, where some part that must accept names them.
    fn named_next(&self, node: &Node) -> Option<Vec<char>> {
        let demanding = self.parts.iter().zip(node.iter()).filter(|(part, _)| part.include);
        demanding.into_iter().find_map(|(part, states)| {
            let mut named = Vec::new();
            for state in states {
                for (class, _) in &part.automaton.states.get(*state as usize)?.edges {
                    let Class::Char(c) = class else { return None };
                    named.push(*c);
                }
            }
            Some(named)
        })
    }

    fn step(&self, node: &Node, c: char, budget: &mut Budget) -> Result<Option<Node>, Exhausted> {
        let mut next = Vec::with_capacity(self.parts.len());
        for (part, states) in self.parts.iter().zip(node.iter()) {
            budget.spend(4)?;
            let mut targets = Vec::new();
            for state in states {
                if let Some(state) = part.automaton.states.get(*state as usize) {
                    budget.spend(state.edges.len() as u64)?;
                    for (class, to) in &state.edges {
                        if class.contains(c) {
                            targets.push(*to);
                        }
                    }
                }
            }
            targets.sort_unstable();
            targets.dedup();
            match part.settle(targets) {
                Some(states) => next.push(states),
                None => return Ok(None),
            }
        }
        Ok(Some(next.into()))
    }

    fn accepts(&self, node: &Node) -> bool {
        self.parts.iter().zip(node.iter()).all(|(part, states)| {
            let accepts = states
                .iter()
                .any(|s| part.automaton.states.get(*s as usize).is_some_and(|s| s.accepts));
            accepts == part.include
        })
    }
}

impl Part<'_> {
    /// The part of a node's states that matters, or `None` where no continuation can help.
    fn settle(&self, states: Vec<u32>) -> Option<Box<[u32]>> {
        let universal = states
            .iter()
            .find(|s| self.automaton.states.get(**s as usize).is_some_and(|s| s.universal));
        match (self.include, universal) {
            (true, Some(state)) => Some(Box::from([*state])),
            (true, None) if states.is_empty() => None,
            (false, Some(_)) => None,
            (true | false, None) => Some(states.into()),
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

/// The members of a class of letters; none for other classes.
fn letters(class: Class) -> Vec<char> {
    match class {
        Class::Fold(c) => vec![c.to_ascii_lowercase(), c.to_ascii_uppercase()],
        Class::FoldWide(c) if c.is_ascii() => {
            let others = UNUSUAL.chars().filter(|other| class.contains(*other));
            [c.to_ascii_lowercase(), c.to_ascii_uppercase()].into_iter().chain(others).collect()
        }
        Class::FoldWide(c) => {
            let others = letters_with_case().iter().copied().filter(|other| class.contains(*other));
            std::iter::once(c).chain(others).collect()
        }
        Class::Char(_)
        | Class::Any
        | Class::NotColon
        | Class::Ascii
        | Class::AsciiNotColon
        | Class::NonAscii
        | Class::Bytes(_)
        | Class::Digit
        | Class::Alnum
        | Class::IamName
        | Class::IamPath
        | Class::Atext
        | Class::OrgId
        | Class::ResourceName => Vec::new(),
    }
}

/// Every letter with another case; only these can be taken for another character.
fn letters_with_case() -> &'static [char] {
    static ALL: OnceLock<Vec<char>> = OnceLock::new();
    ALL.get_or_init(|| {
        let has_case = |c: &char| !c.to_lowercase().eq([*c]) || !c.to_uppercase().eq([*c]);
        ('\0'..=char::MAX).filter(has_case).collect()
    })
}

/// Every character that some part names, and one for each way the parts treat the others.
fn alphabet(parts: &[Part<'_>]) -> Vec<char> {
    let mut named: BTreeSet<char> = BTreeSet::new();
    let mut classes: BTreeSet<Class> = BTreeSet::new();
    for (class, _) in parts.iter().flat_map(|p| p.automaton.states.iter().flat_map(|s| &s.edges)) {
        if let Class::Char(c) = class {
            named.insert(*c);
        } else if !matches!(class, Class::Fold(_) | Class::FoldWide(_)) {
            classes.insert(*class);
        }
    }
    named.extend(parts.iter().flat_map(|part| &part.automaton.letters));
    let mut signatures: FxHashSet<Vec<bool>> = FxHashSet::default();
    let mut chosen: Vec<char> = PREFERENCE
        .chars()
        .filter(|c| {
            named.contains(c)
                || signatures.insert(classes.iter().map(|class| class.contains(*c)).collect())
        })
        .collect();
    let fresh: Vec<char> = UNUSUAL
        .chars()
        .filter(|c| {
            !named.contains(c)
                && signatures.insert(classes.iter().map(|class| class.contains(*c)).collect())
        })
        .collect();
    chosen.extend(named.iter().filter(|c| !c.is_ascii() && !c.is_control()));
    chosen.extend(fresh);
    chosen
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn glob(text: &str) -> Sequence {
        Sequence {
            steps: text
                .chars()
                .map(|c| match c {
                    '*' => Tok::Star(Class::Any),
                    '?' => Tok::One(Class::Any),
                    other => Tok::One(Class::Char(other)),
                })
                .collect(),
            tail: None,
        }
    }

    fn find(include: &[&str], exclude: &[&str]) -> Option<String> {
        let mut table = Languages::default();
        let mut ids = |texts: &[&str]| -> Vec<LangId> {
            texts.iter().map(|t| table.intern(vec![glob(t)])).collect()
        };
        let (include, exclude) = (ids(include), ids(exclude));
        table.find(&include, &exclude, &mut Budget::new(1_000_000)).unwrap().map(|t| t.to_string())
    }

    #[test]
    fn a_text_in_the_first_and_not_in_the_second_is_found() {
        assert_eq!(find(&["*@b*"], &["*@b"]).as_deref(), Some("@ba"));
        assert_eq!(find(&["*@b"], &["*@b*"]), None);
        assert_eq!(find(&["a*", "*b"], &["ab"]).as_deref(), Some("aab"));
        assert_eq!(find(&["a?c"], &["abc", "a*"]), None);
    }

    #[test]
    fn many_infix_patterns_are_avoided_without_building_all_their_subsets() {
        let infix: Vec<String> = (0..40).map(|i| format!("*x{i}y*")).collect();
        let exclude: Vec<&str> = infix.iter().map(String::as_str).collect();
        assert_eq!(find(&["?*"], &exclude).as_deref(), Some("a"));
    }

    #[test]
    fn addresses_have_a_domain_with_a_dot_and_no_empty_label() {
        let address = Automaton::new(vec![Sequence::default().ending(Grammar::Address)]);
        for good in ["a@b.c", "first.last+tag@mail.example.com", "a@x-1.y"] {
            assert!(address.contains(good), "{good}");
        }
        for bad in ["a@b", "a@b.", "a@.c", ".a@b.c", "a..b@c.d", "a@b@c.d", "a b@c.d", "a@-b.c", ""]
        {
            assert!(!address.contains(bad), "{bad}");
        }
    }

    #[test]
    fn a_class_of_letters_names_all_its_members() {
        // No letter with case lies beyond.
        let all = || '\0'..='\u{1ffff}';
        for own in "aiks1éßθσÅİıſ\u{212a}中\u{307}".chars() {
            let class = Class::FoldWide(own);
            let named: BTreeSet<char> = letters(class).into_iter().collect();
            assert_eq!(named, all().filter(|c| class.contains(*c)).collect(), "{own}");
        }
    }

    #[test]
    fn question_marks_may_share_a_character_outside_ascii() {
        let loose = Sequence {
            steps: vec![Tok::Loose(Class::Any), Tok::Loose(Class::Any), Tok::One(Class::Char('x'))],
            tail: None,
        };
        let loose = Automaton::new(vec![loose]);
        assert!(loose.contains("abx"));
        assert!(loose.contains("éx"));
        assert!(loose.contains("aéx"));
        assert!(!loose.contains("ax"));
        assert!(!loose.contains("\u{20ac}\u{20ac}\u{20ac}x"));
        let around = |text: &str| {
            let steps = text.chars().map(|c| match c {
                '*' => Tok::Star(Class::Any),
                _ => Tok::Loose(Class::Any),
            });
            Automaton::new(vec![Sequence { steps: steps.collect(), tail: None }])
        };
        assert!(around("?*?").contains("\u{e9}"), "a run may stand between two halves");
        assert!(around("*??").contains("\u{20ac}"), "a run may take a part");
        assert!(around("??").contains("\u{10000}"), "two units of UTF-16");
        assert!(!around("???").contains("\u{10000}"));
        assert!(!around("??").contains("\u{20ac}"));
    }

    #[test]
    fn samples_are_texts_of_the_language_and_its_size_grows_with_it() {
        let mut table = Languages::default();
        let (short, long) = (table.intern(vec![glob("a?*")]), table.intern(vec![glob("abcdef*z")]));
        assert_eq!(table.samples(short, 3), ["aa"]);
        assert_eq!(table.samples(long, 3), ["abcdefz"]);
        let both = table.intern(vec![glob("x*"), glob("y"), glob("z")]);
        assert_eq!(table.samples(both, 2), ["x", "y"]);
        let digit = Sequence::default().exactly(2, Class::Digit);
        let digits = table.intern(vec![digit]);
        assert_eq!(table.samples(digits, 1), ["00"]);
        assert!(table.size(long) > table.size(short) && table.size(short) > 1);
        let open = table.intern(vec![glob("x").ending(Grammar::Address)]);
        assert!(table.samples(open, 1).is_empty(), "a grammar has no sample");
    }

    #[test]
    fn classes_hold_what_they_say() {
        for (class, inside, outside) in [
            (Class::AsciiNotColon, "a/", ":\u{e4}"),
            (Class::NonAscii, "\u{e4}", "a"),
            (Class::Bytes(2), "\u{e4}", "a\u{20ac}"),
            (Class::IamName, "aZ9_+=,.@-", ":/ \u{e4}"),
            (Class::Atext, "aZ9!#~", "@. "),
            (Class::OrgId, "a9", "A-"),
            (Class::ResourceName, "aZ9_.-", "/:+"),
            (Class::NotColon, "a\u{e4}", ":"),
        ] {
            assert!(inside.chars().all(|c| class.contains(c)), "{class:?} {inside}");
            assert!(!outside.chars().any(|c| class.contains(c)), "{class:?} {outside}");
        }
    }
}
