//! Sets of texts, and the search for a text that lies in some of them and outside others.
//!
//! Every condition on a text is membership in a union of wildcard patterns, and so is every
//! rule about which texts a key can hold. Both become small nondeterministic automata; a
//! question about several of them is a walk through their product, with one representative
//! for all characters that none of them tells apart.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::budget::{Budget, Exhausted};
use automaton::Automaton;
use product::Product;

mod automaton;
mod cover;
mod product;
mod sequence;

pub use sequence::{Class, Grammar, Sequence, Tok};

/// A language in a [`Languages`] table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LangId(u32);

type Query = (Vec<LangId>, Vec<LangId>);

/// All languages met so far and all searches done so far.
#[derive(Debug, Default)]
pub struct Languages {
    ids: FxHashMap<Vec<Sequence>, LangId>,
    automata: Vec<Automaton>,
    found: FxHashMap<Query, Option<Rc<str>>>,
    contained: FxHashMap<(LangId, Rc<str>), bool>,
    remainders: FxHashMap<(LangId, LangId, bool), Option<LangId>>,
    /// What is left of a language where texts have one `@`.
    addressed: FxHashMap<LangId, LangId>,
    /// What the walks of all automata have left in memory.
    walked: usize,
    /// The languages of texts that stand in policies, by family and texts.
    sides: FxHashMap<String, Operand>,
    /// How conditions treat Regions, by the same.
    treated: FxHashMap<String, Rc<[u8]>>,
}

/// A name that these texts have in no other order, number or family.
pub fn named<'t>(family: &str, texts: impl Iterator<Item = &'t str> + Clone) -> String {
    let length = texts.clone().map(|text| text.len() + 4).sum::<usize>();
    let mut name = String::with_capacity(family.len() + length + 1);
    name.push_str(family);
    for text in texts {
        // With its length, since a text may hold any character.
        name.push(':');
        name.push_str(&text.len().to_string());
        name.push(':');
        name.push_str(text);
    }
    name
}

/// A language, and what is seen at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operand {
    /// The language.
    pub(crate) lang: LangId,
    /// Whether it has no text.
    pub(crate) nothing: bool,
    /// Whether one of its patterns takes every text.
    pub(crate) everything: bool,
}

/// Beyond this many remembered answers the memory is emptied, so that it stays bounded.
const MOST_REMEMBERED: usize = 200_000;
/// Lists with more states than this are long: texts of single patterns are tried first.
const SHORT_LISTS: usize = 1_000;
/// How many patterns of a list are tried.
const FILLED: usize = 8;
/// What is tried in place of their runs.
const FILLINGS: [&str; 4] = ["", "a", "a@a", "a@a."];
/// The same as [`MOST_REMEMBERED`] for what walks leave behind, in states and edges.
const MOST_WALKED: usize = 1_000_000;

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

    /// The language of these patterns.
    pub(crate) fn side_of(&mut self, sequences: Vec<Sequence>) -> Operand {
        let nothing = sequences.is_empty();
        let everything = sequences.iter().any(|s| *s == Sequence::default().any(Class::Any));
        Operand { lang: self.intern(sequences), nothing, everything }
    }

    /// What was kept under a name.
    pub(crate) fn side(&self, name: &str) -> Option<Operand> {
        self.sides.get(name).copied()
    }

    /// Keeps a language under a name.
    pub(crate) fn keep_side(&mut self, name: String, side: Operand) {
        if self.sides.len() >= MOST_REMEMBERED {
            self.sides.clear();
        }
        self.sides.insert(name, side);
    }

    /// How a condition treats Regions, by the name of both.
    pub(crate) fn treated(&self, name: &str) -> Option<Rc<[u8]>> {
        self.treated.get(name).cloned()
    }

    /// Keeps how a condition treats Regions.
    pub(crate) fn keep_treated(&mut self, name: String, treated: &Rc<[u8]>) {
        if self.treated.len() >= MOST_REMEMBERED {
            self.treated.clear();
        }
        self.treated.insert(name, Rc::clone(treated));
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
        let answer = match self.narrowed(&query, budget)? {
            Some((include, exclude)) => match self.filled(&include, &exclude, budget)? {
                Some(text) => Some(text),
                None => self.walk(&include, &exclude, budget)?,
            },
            None => None,
        };
        if self.found.len() >= MOST_REMEMBERED {
            self.found.clear();
        }
        self.found.insert(query, answer.clone());
        Ok(answer)
    }

    /// The languages to be in, each without the patterns that lie wholly in a language to be
    /// outside of, and those to be outside of; `None` where one to be in has no other patterns.
    fn narrowed(
        &mut self,
        (include, exclude): &Query,
        budget: &mut Budget,
    ) -> Result<Option<Query>, Exhausted> {
        let some = |languages: &Self, is: fn(&Automaton) -> bool| {
            include.iter().any(|id| languages.automata.get(id.0 as usize).is_some_and(is))
        };
        let ascii = some(self, |automaton| automaton.ascii);
        let (mut include, mut exclude) = (include.clone(), exclude.clone());
        if some(self, Automaton::is_of_addresses) {
            for id in include.iter_mut().chain(&mut exclude) {
                *id = self.addressed(*id, budget)?;
            }
        }
        let mut narrowed = Vec::with_capacity(include.len());
        for id in include {
            let mut left = id;
            for outer in &exclude {
                match self.remainder(left, *outer, ascii, budget)? {
                    Some(rest) => left = rest,
                    None => return Ok(None),
                }
            }
            narrowed.push(left);
        }
        Ok(Some((narrowed, exclude)))
    }

    /// The language as far as its texts have one `@`: a run beside the `@` of a pattern then ends
    /// at it, and a walk has fewer ways to keep in mind.
    fn addressed(&mut self, id: LangId, budget: &mut Budget) -> Result<LangId, Exhausted> {
        budget.spend(1)?;
        if let Some(known) = self.addressed.get(&id) {
            return Ok(*known);
        }
        let Some(automaton) = self.automata.get(id.0 as usize) else { return Ok(id) };
        budget.spend(automaton.states.len() as u64)?;
        let sequences = automaton.sequences.iter().filter_map(Sequence::with_one_at).collect();
        let narrower = self.intern(sequences);
        self.addressed.insert(id, narrower);
        Ok(narrower)
    }

    /// Among long lists, a text made from a single pattern, before all of them are walked.
    fn filled(
        &mut self,
        include: &[LangId],
        exclude: &[LangId],
        budget: &mut Budget,
    ) -> Result<Option<Rc<str>>, Exhausted> {
        let size: usize = include.iter().chain(exclude).map(|id| self.size(*id)).sum();
        if size <= SHORT_LISTS {
            return Ok(None);
        }
        let lists = include.iter().filter_map(|id| self.automata.get(id.0 as usize));
        let patterns = lists.flat_map(|automaton| automaton.sequences.iter().take(FILLED));
        let texts: Vec<String> = patterns
            .flat_map(|pattern| FILLINGS.iter().filter_map(|filling| pattern.filled(filling)))
            .collect();
        for text in texts {
            let text: Rc<str> = text.into();
            budget.spend(text.len() as u64 * (include.len() + exclude.len()) as u64)?;
            if include.iter().all(|id| self.contains(*id, &text))
                && !exclude.iter().any(|id| self.contains(*id, &text))
            {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn remainder(
        &mut self,
        inner: LangId,
        outer: LangId,
        ascii: bool,
        budget: &mut Budget,
    ) -> Result<Option<LangId>, Exhausted> {
        budget.spend(1)?;
        if let Some(known) = self.remainders.get(&(inner, outer, ascii)) {
            return Ok(*known);
        }
        let sides = (self.automata.get(inner.0 as usize), self.automata.get(outer.0 as usize));
        let (Some(of), Some(by)) = sides else { return Ok(Some(inner)) };
        budget.spend(of.states.len() as u64)?;
        let rest = cover::remainder(of, by, ascii);
        let answer = if rest.len() == of.sequences.len() {
            Some(inner)
        } else if rest.is_empty() {
            None
        } else {
            Some(self.intern(rest))
        };
        if self.remainders.len() >= MOST_REMEMBERED {
            self.remainders.clear();
        }
        self.remainders.insert((inner, outer, ascii), answer);
        Ok(answer)
    }

    fn walk(
        &mut self,
        include: &[LangId],
        exclude: &[LangId],
        budget: &mut Budget,
    ) -> Result<Option<Rc<str>>, Exhausted> {
        let taking_part = || include.iter().chain(exclude);
        let weight = |languages: &Self| -> usize {
            let automata = taking_part().filter_map(|id| languages.automata.get(id.0 as usize));
            automata.map(Automaton::weight).sum()
        };
        let before = weight(self);
        let automata = |ids: &'_ [LangId]| -> Vec<&Automaton> {
            ids.iter().filter_map(|id| self.automata.get(id.0 as usize)).collect()
        };
        let found = Product::new(automata(include).into_iter(), automata(exclude).into_iter())
            .plainest(budget);
        self.walked += weight(self).saturating_sub(before);
        if self.walked >= MOST_WALKED {
            self.automata.iter_mut().for_each(Automaton::forget);
            self.walked = 0;
        }
        Ok(found?.map(Rc::from))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use std::collections::BTreeSet;

    use super::sequence::letters;
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
    fn a_quoted_local_part_may_hold_what_a_plain_one_may_not() {
        let quoted = Automaton::new(vec![Sequence::default().ending(Grammar::QuotedAddress)]);
        for good in ["\"a b\"@c.d", "\"a@b\"@x.example"] {
            assert!(quoted.contains(good), "{good}");
        }
        for bad in ["a@b.c", "\"\"@b.c", "\"a\"@b", "\"a\"b@c.d", "\"a@b.c"] {
            assert!(!quoted.contains(bad), "{bad}");
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
            (Class::NotAt, "a\u{e4}", "@"),
            (Class::Lower, "az", "A0\u{e4}"),
            (Class::TagValue, "aZ9 _.:/=+-@\u{e4}", "*?$,"),
            (Class::Quoted, "a@ .", "\"\\\u{e4}"),
        ] {
            assert!(inside.chars().all(|c| class.contains(c)), "{class:?} {inside}");
            assert!(!outside.chars().any(|c| class.contains(c)), "{class:?} {outside}");
        }
    }
}
