//! Matching text against wildcards, and ARNs component by component.

use crate::arn::ARN_COMPONENTS;

/// A character of a pattern once variables are filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glob {
    /// This character.
    Char(char),
    /// `*`: any run, the empty one included.
    Star,
    /// `?`: exactly one character.
    Question,
}

impl Glob {
    /// As it is written.
    #[must_use]
    pub const fn as_char(self) -> char {
        match self {
            Self::Char(c) => c,
            Self::Star => '*',
            Self::Question => '?',
        }
    }
}

/// Whether the whole of `text` matches `pattern`.
#[must_use]
pub fn matches(pattern: &[Glob], text: &[char]) -> bool {
    walk(|p| pattern.get(p).copied(), text.len(), |t, c| text.get(t) == Some(&c))
}

/// Whether a text of this many characters matches the pattern that `glob` spells out place by
/// place; `is` says whether the text has a character at a place.
fn walk(
    glob: impl Fn(usize) -> Option<Glob>,
    length: usize,
    is: impl Fn(usize, char) -> bool,
) -> bool {
    // The classic walk with one place to return to: after a mismatch the last star takes one
    // more character.
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < length {
        match glob(p) {
            Some(Glob::Star) => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(Glob::Question) => {
                p += 1;
                t += 1;
                continue;
            }
            Some(Glob::Char(c)) if is(t, c) => {
                p += 1;
                t += 1;
                continue;
            }
            Some(Glob::Char(_)) | None => {}
        }
        let Some((star_p, star_t)) = star else { return false };
        p = star_p + 1;
        t = star_t + 1;
        star = Some((star_p, t));
    }
    while glob(p) == Some(Glob::Star) {
        p += 1;
    }
    glob(p).is_none()
}

/// Whether `text` matches `pattern`, ignoring ASCII case.
#[must_use]
pub fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    // Most patterns name another service, and saying so is cheap.
    for (own, other) in pattern.bytes().zip(text.bytes()) {
        if matches!(own, b'*' | b'?') {
            break;
        }
        if !own.eq_ignore_ascii_case(&other) {
            return false;
        }
    }
    if pattern.is_ascii() && text.is_ascii() {
        let byte =
            |of: &str, at: usize| of.as_bytes().get(at).map(|b| char::from(b.to_ascii_lowercase()));
        let is = |at, c| byte(text, at) == Some(c);
        return walk(|at| byte(pattern, at).map(from_char), text.len(), is);
    }
    let pattern: Vec<Glob> = pattern.chars().map(|c| from_char(c.to_ascii_lowercase())).collect();
    let text: Vec<char> = text.chars().map(|c| c.to_ascii_lowercase()).collect();
    matches(&pattern, &text)
}

/// Reads a character of a pattern in which `*` and `?` are wildcards.
#[must_use]
pub const fn from_char(c: char) -> Glob {
    match c {
        '*' => Glob::Star,
        '?' => Glob::Question,
        other => Glob::Char(other),
    }
}

/// Whether both sides have six components and each component of `text` matches its
/// counterpart. `None` where the pattern has fewer.
#[must_use]
pub fn matches_by_component(pattern: &[Glob], text: &[char]) -> Option<bool> {
    let pattern: Vec<&[Glob]> = pattern.splitn(ARN_COMPONENTS, |g| *g == Glob::Char(':')).collect();
    if pattern.len() < ARN_COMPONENTS {
        return None;
    }
    let text: Vec<&[char]> = text.splitn(ARN_COMPONENTS, |c| *c == ':').collect();
    Some(text.len() == ARN_COMPONENTS && pattern.iter().zip(&text).all(|(p, t)| matches(p, t)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str) -> Vec<Glob> {
        pattern.chars().map(from_char).collect()
    }

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    /// The definition of a glob, without the shortcuts.
    fn by_definition(pattern: &[Glob], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some((Glob::Star, rest)), None) => by_definition(rest, text),
            (Some((Glob::Star, rest)), Some((_, tail))) => {
                by_definition(rest, text) || by_definition(pattern, tail)
            }
            (Some((Glob::Question, rest)), Some((_, tail))) => by_definition(rest, tail),
            (Some((Glob::Char(wanted), rest)), Some((found, tail))) => {
                wanted == found && by_definition(rest, tail)
            }
            (Some((Glob::Question | Glob::Char(_), _)), None) => false,
        }
    }

    /// Every text over `letters` of at most `longest` characters.
    fn all(letters: &[char], longest: usize) -> Vec<String> {
        let mut found = vec![String::new()];
        let mut from = 0;
        for _ in 0..longest {
            let until = found.len();
            for at in from..until {
                for letter in letters {
                    let longer = format!("{}{letter}", found[at]);
                    found.push(longer);
                }
            }
            from = until;
        }
        found
    }

    #[test]
    fn short_patterns_match_as_defined_on_short_texts() {
        let texts = all(&['a', 'b'], 5);
        for pattern in all(&['a', 'b', '*', '?'], 4) {
            let pattern = glob(&pattern);
            for text in &texts {
                let text = chars(text);
                assert_eq!(
                    matches(&pattern, &text),
                    by_definition(&pattern, &text),
                    "{pattern:?} on {text:?}"
                );
            }
        }
    }

    #[test]
    fn actions_match_ignoring_case_with_and_without_a_service() {
        for (pattern, text, wanted) in [
            ("ses:Send*", "SES:SENDEMAIL", true),
            ("ses:*", "sesv2:x", false),
            ("s?s:*", "ses:x", true),
            ("s*:x", "ses:x", true),
            ("*", "ses:x", true),
            ("ses", "ses:x", false),
            ("ses:x", "ses", false),
            ("*x", "ses:x", true),
            ("ses:x", "ses:y", false),
            (":x", ":X", true),
            ("é:x", "é:X", true),
        ] {
            assert_eq!(matches_ignoring_case(pattern, text), wanted, "{pattern} on {text}");
        }
    }

    #[test]
    fn only_six_components_are_compared_one_by_one() {
        let by_component =
            |pattern: &str, text: &str| matches_by_component(&glob(pattern), &chars(text));
        assert_eq!(by_component("a:b:c:d:e", "a:b:c:d:e"), None);
        assert_eq!(by_component("*", "a:b:c:d:e:f"), None);
        assert_eq!(by_component("a:b:c:d:e:f", "a:b:c:d:e:f"), Some(true));
        assert_eq!(by_component("a:b:c:d:e:*", "a:b:c:d:e:f:g"), Some(true));
        assert_eq!(by_component("*:*:*:*:*:*", "a:b:c:d:e"), Some(false));
        assert_eq!(by_component("a:*:c:d:e:f", "a:b:b:c:d:e:f"), Some(false));
        assert_eq!(by_component("a:?:c:d:e:f", "a::c:d:e:f"), Some(false));
    }
}
