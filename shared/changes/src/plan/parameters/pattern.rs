//! `AllowedPattern`: a regular expression of Java's, which must match the whole value.
//!
//! It is tried where it has only what means the same to Java and to `regex-lite`: characters,
//! classes of the simple kind, groups, alternatives and the usual repetitions. Flags, look-around,
//! references back, possessive repetitions, classes within classes, and whatever depends on
//! Unicode are left open.

use regex_lite::Regex;

/// Whether a value is one that the pattern allows; `None` where that cannot be told.
pub(super) fn allows(pattern: &str, value: &str) -> Option<bool> {
    // At the end of a line the two differ about `.`, `^` and `$`.
    let breaks = |c: char| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    if !is_shared(pattern) || value.chars().any(breaks) {
        return None;
    }
    let whole = Regex::new(&format!("^(?:{pattern})$")).ok()?;
    Some(whole.is_match(value))
}

/// Whether the pattern has only what both read alike.
fn is_shared(pattern: &str) -> bool {
    let mut rest = pattern.chars().peekable();
    // A repetition that another one follows is possessive, or an error of either.
    let mut repeated = false;
    while let Some(c) = rest.next() {
        let repeats = match c {
            '\\' => {
                if !rest.next().is_some_and(escapes) {
                    return false;
                }
                false
            }
            '[' => {
                if !class(&mut rest) {
                    return false;
                }
                false
            }
            '(' => {
                if rest.next_if_eq(&'?').is_some() && rest.next_if_eq(&':').is_none() {
                    return false;
                }
                false
            }
            '{' => {
                if !bounds(&mut rest) {
                    return false;
                }
                true
            }
            '*' | '+' | '?' => true,
            ')' | '|' | '.' | '^' | '$' => false,
            c if plain(c) => false,
            _ => return false,
        };
        if repeats {
            if repeated {
                return false;
            }
            // Which end a match is sought from does not matter to whether there is one.
            rest.next_if_eq(&'?');
        }
        repeated = repeats;
    }
    true
}

/// What may stand behind a backslash: the classes that are ASCII to both, and punctuation.
fn escapes(c: char) -> bool {
    matches!(c, 'd' | 'D' | 'w' | 'W' | 's' | 'S') || c.is_ascii_punctuation() && !"<>".contains(c)
}

/// Characters that stand for themselves.
fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || " -_/:,;@=\"'%&~<>!#`".contains(c) || !c.is_ascii()
}

/// The rest of a class, up to its closing bracket.
fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    rest.next_if_eq(&'^');
    let mut empty = true;
    while let Some(c) = rest.next() {
        let double = rest.peek() == Some(&c);
        match c {
            ']' => return !empty,
            '\\' => {
                if !rest.next().is_some_and(escapes) {
                    return false;
                }
            }
            // Classes within classes, and operators between them.
            '[' | '^' => return false,
            '&' | '-' | '~' if double => return false,
            '.' | '*' | '+' | '?' | '(' | ')' | '{' | '}' | '|' | '$' => {}
            c if plain(c) => {}
            _ => return false,
        }
        empty = false;
    }
    false
}

/// The rest of `{2}`, `{2,}` or `{2,5}`.
fn bounds(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let mut digits = 0;
    let mut commas = 0;
    for c in rest.by_ref() {
        match c {
            '0'..='9' => digits += 1,
            ',' if digits > 0 && commas == 0 => commas = 1,
            '}' => return digits > 0,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::allows;

    #[test]
    fn the_whole_value_has_to_match() {
        for (pattern, good, bad) in [
            ("[a-z]+", "abc", "abc1"),
            ("^[a-z]+$", "abc", "1abc"),
            ("a|b", "b", "ab"),
            (r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}", "ou-exam-workload", "ou-exam-work load"),
            (r"\d{12}", "222222222222", "٢٢٢٢٢٢٢٢٢٢٢٢"),
            (r"\w*", "a_1", "ä"),
            (r"(?:\S+@)?[^.@-]+\.example", "a@b.example", "a@b-c.example"),
            (r"[+*?.\]\-]{2,}?", "]-", "]"),
            ("", "", "a"),
            (".{3}", "añ😀", "añ"),
            ("", "", " "),
        ] {
            assert_eq!(allows(pattern, good), Some(true), "{pattern} and {good}");
            assert_eq!(allows(pattern, bad), Some(false), "{pattern} and {bad}");
        }
    }

    #[test]
    fn what_java_may_read_in_another_way_is_left_open() {
        for pattern in [
            "(?i)abc",
            "(?=a)b",
            "(?<name>a)",
            r"(a)\1",
            "a++",
            "a**",
            "a{2}+",
            "[a-z&&[^b]]",
            "[[:alpha:]]",
            "[]a]",
            "[^]a]",
            r"\p{L}",
            r"\bword\b",
            r"\Qa\E",
            r"\x41",
            r"\h",
            "[a--b]",
            "[a~~b]",
            "[a^]",
            "a{,3}",
            "{",
            "}",
            "]",
            "(",
            "[a",
            "*",
            r"\",
        ] {
            assert_eq!(allows(pattern, "a"), None, "{pattern}");
        }
        assert_eq!(allows("a.b", "a\nb"), None);
    }
}
