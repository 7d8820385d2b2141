//! Cutting text at wildcards and policy variables.

use std::ops::Range;

use crate::model::{Piece, Template};

/// A `${...}` that is no policy variable or escape, or stands where none may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) kind: FlawKind,
    /// Bytes of the text, without JSON's quotes and escapes.
    pub(super) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlawKind {
    /// No `}`.
    Unclosed,
    /// `${}`.
    Empty,
    /// White space inside the name.
    Space,
    /// A default without its quotes.
    Quote,
    /// A character that no name or default has.
    Character(char),
    /// No colon, or nothing between two colons: a template that was not filled in.
    Placeholder,
    /// Before the fifth colon of a resource.
    TooEarly,
}

/// Where variables may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextPosition {
    /// Anywhere in a condition value.
    Value,
    /// After the fifth colon.
    Resource,
}

const COLONS_BEFORE_RESOURCE: usize = 5;

/// The pieces of `text` under the 2012 language, and every flaw in it.
///
/// A flawed variable leaves its text as characters; the caller must not let anything rest on
/// them.
pub(super) fn cut(text: &str, place: TextPosition) -> (Template, Vec<Flaw>) {
    let mut pieces = Vec::new();
    let mut flaws = Vec::new();
    let mut colons = 0;
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        if !rest.starts_with("${") {
            colons += usize::from(c == ':');
            pieces.push(plain(c));
            at += c.len_utf8();
            continue;
        }
        let (length, result) = variable(rest);
        let early = place == TextPosition::Resource && colons < COLONS_BEFORE_RESOURCE;
        match result {
            Ok(piece) if !early => pieces.push(piece),
            result => {
                let kind = result.err().unwrap_or(FlawKind::TooEarly);
                pieces.extend(rest.get(..length).unwrap_or_default().chars().map(Piece::Char));
                flaws.push(Flaw { kind, range: at..at + length });
            }
        }
        at += length;
    }
    (Template { pieces }, flaws)
}

fn plain(c: char) -> Piece {
    match c {
        '*' => Piece::Star,
        '?' => Piece::Question,
        other => Piece::Char(other),
    }
}

/// Reads the `${...}` at the start of `text`; gives its length in bytes as well.
fn variable(text: &str) -> (usize, Result<Piece, FlawKind>) {
    let inside = text.get(2..).unwrap_or_default();
    let Some(end) = closing_brace(inside) else {
        return (text.len(), Err(FlawKind::Unclosed));
    };
    (2 + end + 1, content(inside.get(..end).unwrap_or_default()))
}

/// The place of the `}` that ends a variable; one inside a quoted default does not count.
fn closing_brace(inside: &str) -> Option<usize> {
    let first = inside.find('}')?;
    let head = inside.get(..first)?;
    let quoted = head.find(',').and_then(|comma| {
        let after = inside.get(comma + 1..)?;
        let quote = after.len() - after.trim_start_matches(' ').len();
        after.get(quote..)?.starts_with('\'').then_some(comma + 1 + quote + 1)
    });
    let Some(default) = quoted else { return Some(first) };
    let Some(length) = inside.get(default..)?.find('\'') else { return Some(first) };
    let after = default + length + 1;
    inside.get(after..)?.find('}').map(|brace| after + brace)
}

fn content(inside: &str) -> Result<Piece, FlawKind> {
    match inside {
        "*" | "?" | "$" => return Ok(Piece::Char(inside.chars().next().unwrap_or('$'))),
        "" => return Err(FlawKind::Empty),
        _ => {}
    }
    let (name, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((name, rest)) => (name, Some(quoted(rest)?)),
    };
    check_name(name)?;
    Ok(Piece::Variable { key: name.to_ascii_lowercase(), default })
}

/// The default in `rest`, which follows the comma.
fn quoted(rest: &str) -> Result<String, FlawKind> {
    let text = rest
        .trim_matches(' ')
        .strip_prefix('\'')
        .and_then(|open| open.strip_suffix('\''))
        .ok_or(FlawKind::Quote)?;
    // IAM does not say what these do inside a default.
    match text.chars().find(|c| matches!(c, '\'' | '$' | '{' | '}')) {
        Some(c) => Err(FlawKind::Character(c)),
        None => Ok(text.to_owned()),
    }
}

fn check_name(name: &str) -> Result<(), FlawKind> {
    if name.is_empty() {
        return Err(FlawKind::Empty);
    }
    if name.chars().any(char::is_whitespace) {
        return Err(FlawKind::Space);
    }
    let odd = |c: &char| {
        c.is_control() || matches!(c, '$' | '{' | '}' | '\'' | '"' | '*' | '?' | '`' | '(' | ')')
    };
    let in_prefix = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    let Some((prefix, key)) = name.split_once(':') else {
        return Err(match name.chars().find(odd) {
            Some(c) if matches!(c, '$' | '{' | '*' | '?') => FlawKind::Character(c),
            _ => FlawKind::Placeholder,
        });
    };
    if let Some(c) = prefix.chars().find(in_prefix).or_else(|| key.chars().find(odd)) {
        return Err(FlawKind::Character(c));
    }
    // CloudFormation's `${AWS::Region}`.
    if prefix.is_empty() || key.is_empty() || key.starts_with(':') {
        return Err(FlawKind::Placeholder);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> (Template, Vec<Flaw>) {
        cut(text, TextPosition::Value)
    }

    fn flaw(text: &str) -> Option<FlawKind> {
        value(text).1.first().map(|flaw| flaw.kind)
    }

    fn variable_piece(key: &str, default: Option<&str>) -> Piece {
        Piece::Variable { key: key.into(), default: default.map(Into::into) }
    }

    #[test]
    fn escapes_stand_for_the_character() {
        let (template, flaws) = value("${*}*${?}?${$}");
        assert_eq!(flaws, []);
        assert_eq!(
            template.pieces,
            [Piece::Char('*'), Piece::Star, Piece::Char('?'), Piece::Question, Piece::Char('$')]
        );
    }

    #[test]
    fn a_variable_key_is_folded_to_lower_case() {
        let (template, flaws) = value("a${aws:PrincipalTag/Team}b");
        assert_eq!(flaws, []);
        assert_eq!(
            template.pieces,
            [Piece::Char('a'), variable_piece("aws:principaltag/team", None), Piece::Char('b')]
        );
    }

    #[test]
    fn a_default_stands_after_a_comma_in_single_quotes() {
        for text in ["${aws:x, 'a, b*'}", "${aws:x,'a, b*'}", "${aws:x,   'a, b*' }"] {
            assert_eq!(value(text).0.pieces, [variable_piece("aws:x", Some("a, b*"))], "{text}");
        }
        assert_eq!(value("${aws:x, ''}").0.pieces, [variable_piece("aws:x", Some(""))]);
    }

    #[test]
    fn a_dollar_without_a_brace_is_plain() {
        let (template, flaws) = value("$5 {x} $");
        assert_eq!((template, flaws), (Template::plain("$5 {x} $"), vec![]));
    }

    #[test]
    fn each_flaw_is_named() {
        assert_eq!(flaw("${aws:x"), Some(FlawKind::Unclosed));
        assert_eq!(flaw("${}"), Some(FlawKind::Empty));
        assert_eq!(flaw("${, 'x'}"), Some(FlawKind::Empty));
        assert_eq!(flaw("${aws: x}"), Some(FlawKind::Space));
        assert_eq!(flaw("${ aws:x}"), Some(FlawKind::Space));
        assert_eq!(flaw("${aws:x, default}"), Some(FlawKind::Quote));
        assert_eq!(flaw("${aws:x, 'default}"), Some(FlawKind::Quote));
        assert_eq!(flaw("${aws:x, 'a}b'}"), Some(FlawKind::Character('}')));
        assert_eq!(flaw("${${aws:x}}"), Some(FlawKind::Character('$')));
        assert_eq!(flaw("${**}"), Some(FlawKind::Character('*')));
        assert_eq!(flaw("${TEAM}"), Some(FlawKind::Placeholder));
        assert_eq!(flaw("${var.names[\"a\"]}"), Some(FlawKind::Placeholder));
        assert_eq!(flaw("${AWS::AccountId}"), Some(FlawKind::Placeholder));
        assert_eq!(flaw("${:x}"), Some(FlawKind::Placeholder));
    }

    #[test]
    fn a_flaw_knows_its_range_and_does_not_hide_the_next() {
        let flaws = value("é${A}-${B}").1;
        assert_eq!(flaws.iter().map(|flaw| flaw.range.clone()).collect::<Vec<_>>(), [2..6, 7..11]);
    }

    #[test]
    fn a_resource_takes_variables_after_the_fifth_colon_only() {
        let late = "arn:aws:s3:::${aws:username}/${*}";
        assert_eq!(cut(late, TextPosition::Resource).1, []);
        for early in ["arn:aws:s3::${aws:PrincipalAccount}:x", "${*}", "a:b:c:d:${aws:a:b:c}"] {
            let flaws = cut(early, TextPosition::Resource).1;
            assert_eq!(flaws.first().map(|flaw| flaw.kind), Some(FlawKind::TooEarly), "{early}");
        }
    }
}
