//! Short excerpts from texts whose lines may be megabytes long.

use crate::span::Span;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// A named text for [`miette`] of which no excerpt is longer than about two thousand bytes.
///
/// Snapshots are often written on one line; quoted whole, that line would bury the message.
#[derive(Debug, Clone)]
pub struct Clipped {
    name: String,
    text: String,
}

/// How far whole lines are shown before and after a place, in bytes.
const WHOLE: usize = 400;
/// How much of a longer line is shown before and after a place, in bytes.
const REACH: usize = 100;
/// The longest range that two labels may share one excerpt over, in bytes.
const LONGEST: usize = 1_800;

impl Clipped {
    /// A text and the file name to print above its excerpts.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// Where the excerpt starts: `lines` lines up, fewer where they are long, and in the midst of a
/// line that is long itself.
fn first(text: &str, at: usize, lines: usize) -> usize {
    let far = boundary(text, at.saturating_sub(WHOLE));
    let before = text.get(far..at).unwrap_or_default();
    if let Some((newline, _)) = before.rmatch_indices('\n').take(lines + 1).last() {
        let complete = far == 0 && before.matches('\n').count() <= lines;
        return if complete { 0 } else { far + newline + 1 };
    }
    if far == 0 { 0 } else { boundary(text, at.saturating_sub(REACH)) }
}

/// Where the excerpt ends: as [`first`], downwards.
fn last(text: &str, at: usize, lines: usize) -> usize {
    let far = boundary(text, at.saturating_add(WHOLE));
    let after = text.get(at..far).unwrap_or_default();
    if let Some((newline, _)) = after.match_indices('\n').take(lines + 1).last() {
        let complete = far == text.len() && after.matches('\n').count() <= lines;
        return if complete { far } else { at + newline };
    }
    if far == text.len() { far } else { boundary(text, at.saturating_add(REACH)) }
}

/// The nearest start of a character at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl SourceCode for Clipped {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.text.as_str();
        let (from, to) = (span.offset(), span.offset().saturating_add(span.len()));
        let readable = span.len() <= LONGEST && text.get(from..to).is_some();
        if !readable {
            return Err(MietteError::OutOfBounds);
        }
        // Without context the caller asks for the place itself, to print it.
        let start = if lines_before == 0 { from } else { first(text, from, lines_before) };
        let end = last(text, to, lines_after);
        let data = text.get(start..end).unwrap_or_default();
        let place = Span::new(start, start).line_column(text);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data.as_bytes(),
            (start, data.len()).into(),
            place.line.saturating_sub(1),
            place.column.saturating_sub(1),
            data.matches('\n').count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn excerpt(text: &str, at: usize) -> (String, usize, usize) {
        let source = Clipped::new("a.json", text);
        let contents = source.read_span(&(at, 1).into(), 1, 1).unwrap();
        let data = String::from_utf8(contents.data().to_vec()).unwrap();
        (data, contents.line(), contents.column())
    }

    #[test]
    fn short_lines_are_shown_whole_with_their_neighbours() {
        assert_eq!(excerpt("one\ntwo\nthree\nfour\n", 5), ("one\ntwo\nthree".to_owned(), 0, 0));
        assert_eq!(excerpt("one\ntwo\nthree\nfour", 16), ("three\nfour".to_owned(), 2, 0));
    }

    #[test]
    fn long_lines_are_cut_on_both_sides_and_keep_their_column() {
        let text = format!("{{\n{}x{}\n}}", "\u{e4}".repeat(5_000), "b".repeat(9_000));
        let (data, line, column) = excerpt(&text, 2 + 10_000);
        assert_eq!((data.len(), line, column), (201, 1, 4_950));
        assert!(data.contains("\u{e4}xb"));
    }

    #[test]
    fn a_range_too_long_to_show_is_refused() {
        let source = Clipped::new("a.json", "a".repeat(5_000));
        assert!(source.read_span(&(0, 4_000).into(), 1, 1).is_err());
        assert!(source.read_span(&(4_999, 2).into(), 1, 1).is_err());
    }
}
