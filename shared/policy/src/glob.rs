//! Matching text against wildcards, and ARNs component by component.

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

/// How many components an ARN has; the sixth may itself contain colons.
pub const ARN_COMPONENTS: usize = 6;

/// Whether the whole of `text` matches `pattern`.
#[must_use]
pub fn matches(pattern: &[Glob], text: &[char]) -> bool {
    // The classic walk with one place to return to: after a mismatch the last star takes one
    // more character.
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
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
            Some(Glob::Char(c)) if text.get(t) == Some(c) => {
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
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|g| *g == Glob::Star))
}

/// Whether `text` matches `pattern`, ignoring ASCII case.
#[must_use]
pub fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    let service = |whole: &str| whole.find(':').map(|colon| colon + 1);
    // Most patterns name another service, and saying so is cheap.
    if let (Some(own), Some(other)) = (service(pattern), service(text))
        && let (Some(own), Some(other)) = (pattern.get(..own), text.get(..other))
        && !own.contains(['*', '?'])
        && !own.eq_ignore_ascii_case(other)
    {
        return false;
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
