//! Sets of texts: against every text of a tiny alphabet, and what long lists cost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::rc::Rc;

use proptest::collection::vec;
use proptest::prelude::*;
use prover::budget::Budget;
use prover::language::{Class, Grammar, LangId, Languages, Sequence};
use prover::pattern::glob;

const PLENTY: u64 = 100_000_000;

/// Every text over `a`, `b` and `A` of up to this many characters.
const LONGEST: usize = 6;

fn texts() -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..LONGEST {
        last = last.iter().flat_map(|text| ["a", "b", "A"].map(|c| format!("{text}{c}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

fn pattern() -> impl Strategy<Value = (String, bool)> {
    ("[abA*?]{0,4}", any::<bool>())
}

fn list() -> impl Strategy<Value = Vec<(String, bool)>> {
    vec(pattern(), 1..5)
}

fn intern(languages: &mut Languages, list: &[(String, bool)]) -> LangId {
    languages.intern(list.iter().map(|(text, fold)| glob(text, *fold)).collect())
}

fn is_in(list: &[(String, bool)], text: &str) -> bool {
    list.iter().any(|(pattern, fold)| {
        let case = |text: &str| if *fold { text.to_lowercase() } else { text.to_owned() };
        matches(&case(pattern).chars().collect::<Vec<_>>(), &case(text).chars().collect::<Vec<_>>())
    })
}

fn matches(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(('*', more)), rest) => {
            matches(more, text) || rest.is_some_and(|(_, rest)| matches(pattern, rest))
        }
        (Some((c, more)), Some((first, rest))) => (*c == '?' || c == first) && matches(more, rest),
        (Some(_), None) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is found is a member, and nothing is found only where there is no member.
    #[test]
    fn a_text_is_found_exactly_where_there_is_one(
        inside in vec(list(), 1..3),
        outside in vec(list(), 0..3),
    ) {
        let mut languages = Languages::default();
        // Few letters, so that listing them is looking at every way the patterns tell apart.
        let letters = languages.intern(vec![glob("*", false)]);
        let mut include: Vec<LangId> = inside.iter().map(|l| intern(&mut languages, l)).collect();
        include.push(letters);
        let exclude: Vec<LangId> = outside.iter().map(|l| intern(&mut languages, l)).collect();
        let found = languages.find(&include, &exclude, &mut Budget::new(PLENTY)).unwrap();
        let fits = |text: &str| {
            inside.iter().all(|l| is_in(l, text)) && !outside.iter().any(|l| is_in(l, text))
        };
        match found {
            Some(text) => prop_assert!(fits(&text), "{text:?} is no member"),
            None => {
                let missed = texts().into_iter().find(|text| fits(text));
                prop_assert_eq!(missed, None);
            }
        }
    }

    /// Membership does not depend on what else is in the list.
    #[test]
    fn a_list_holds_what_its_patterns_hold(patterns in vec(pattern(), 1..8)) {
        let mut languages = Languages::default();
        let together = intern(&mut languages, &patterns);
        for text in texts().into_iter().filter(|text| text.len() < LONGEST) {
            let shared: Rc<str> = text.as_str().into();
            prop_assert_eq!(languages.contains(together, &shared), is_in(&patterns, &text));
        }
    }
}

/// Whatever characters the languages name, others of their kind are looked at, too.
#[test]
fn a_character_that_only_its_kind_describes_is_found_whatever_is_named() {
    let one = |class: Class| vec![Sequence::default().exactly(1, class)];
    // Those that come to mind first, and every other case of a `k`.
    let named = "\u{e9}\u{e8}\u{ea}\u{a7}\u{20ac}\u{20aa}\u{20ab}\u{4e2d}\u{10000}\u{10001}\u{10002}\
                 \u{1f600}\u{17f}\u{131}\u{130}";
    for bytes in [2, 3, 4] {
        for letter in [true, false] {
            let mut languages = Languages::default();
            let mut include = vec![languages.intern(one(Class::Bytes(bytes)))];
            let mut avoided: Vec<Sequence> =
                named.chars().map(|c| Sequence::literal(&c.to_string())).collect();
            avoided.extend(one(Class::FoldWide('k')));
            let mut exclude = vec![languages.intern(avoided)];
            let tags = languages.intern(one(Class::TagValue));
            (if letter { &mut include } else { &mut exclude }).push(tags);
            let found = languages.find(&include, &exclude, &mut Budget::new(PLENTY)).unwrap();
            let found = found.unwrap_or_else(|| panic!("{bytes} bytes, letter: {letter}"));
            assert_eq!(found.len(), usize::from(bytes));
            assert_eq!(found.chars().all(char::is_alphanumeric), letter, "{found}");
        }
    }
}

/// The trusted patterns of `count` domains, from domain number `first` on.
fn domains(first: usize, count: usize) -> Vec<String> {
    (first..first + count)
        .flat_map(|number| {
            let domain = format!("brand{number}-{}.example", number * 7919 % 1000);
            [format!("*@{domain}"), format!("*@*.{domain}")]
        })
        .collect()
}

/// Steps until it is clear whether an address is in the policy's lists and in none of the
/// perimeter's, and the address.
fn ask(policy: &[Vec<String>], perimeter: &[String]) -> (Option<String>, u64) {
    let mut languages = Languages::default();
    let union = |patterns: &[String], fold: bool| patterns.iter().map(|p| glob(p, fold)).collect();
    let address = languages.intern(vec![Sequence::default().ending(Grammar::Address)]);
    let mut include = vec![address];
    include.extend(policy.iter().map(|list| languages.intern(union(list, false))));
    let trusted = languages.intern(union(perimeter, true));
    let mut budget = Budget::new(PLENTY);
    let found = languages.find(&include, &[trusted], &mut budget).unwrap();
    (found.map(|text| text.to_string()), PLENTY - budget.left())
}

#[test]
fn the_perimeters_own_list_is_decided_in_steps_that_grow_with_its_length() {
    let shuffled = |mut list: Vec<String>| {
        list.sort_by_key(|text| text.bytes().rev().collect::<Vec<u8>>());
        list
    };
    let steps = |count: usize| -> Vec<u64> {
        let trusted = domains(0, count);
        let half = trusted.len() / 2;
        let policies = [
            ("the same", vec![trusted.clone()]),
            ("in another order", vec![shuffled(trusted.clone())]),
            ("two of them missing", vec![trusted.iter().skip(3).cloned().collect()]),
            (
                "in two lists that share a part",
                vec![trusted[..half + 4].to_vec(), trusted[half - 4..].to_vec()],
            ),
            (
                "only subdomains of trusted ones",
                vec![trusted.iter().map(|text| text.replace("*@*.", "*@mail.")).collect()],
            ),
        ];
        let mut costs = Vec::new();
        for (name, policy) in policies {
            let (found, cost) = ask(&policy, &trusted);
            assert_eq!(found, None, "{name}, {count} domains");
            costs.push(cost);
        }
        let mut more = trusted.clone();
        more.extend(domains(count, 2));
        let (found, cost) = ask(&[more], &trusted);
        assert!(found.is_some_and(|text| text.contains("brand")), "two more than trusted");
        costs.push(cost);
        costs
    };
    let (few, many) = (steps(50), steps(500));
    for (few, many) in few.iter().zip(&many) {
        assert!(*many <= few * 12 + 1000, "ten times as many domains: {few} became {many} steps");
        assert!(*many <= 300_000, "{many} steps");
    }
}

#[test]
fn an_address_beyond_a_long_list_is_found_where_the_policy_forgot_the_at_sign() {
    let trusted = domains(0, 500);
    let policy: Vec<String> = trusted.iter().map(|text| text.replace("*@", "*")).collect();
    let (found, steps) = ask(&[policy], &trusted);
    let found = found.unwrap();
    assert!(found.ends_with(".example"), "{found}");
    assert!(steps <= 2_000_000, "{steps} steps");
}
