//! Places in a text as SARIF counts them.

use serde::Serialize;
use text::span::Span;

/// `region`: lines from 1, columns from 1 in UTF-16 units, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SarifRegion {
    /// The line of the first character.
    pub start_line: usize,
    /// Its column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_column: Option<usize>,
    /// The line of the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<usize>,
    /// The column after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<usize>,
}

impl SarifRegion {
    /// The first line of a text that is not at hand. Code scanning shows no result without line.
    pub const FIRST_LINE: Self =
        Self { start_line: 1, start_column: None, end_line: None, end_column: None };

    /// Where `span` lies in `text`.
    pub fn of(span: Span, text: &str) -> Self {
        let (start_line, start_column) = place(span.start, text);
        let (end_line, end_column) = place(span.end.max(span.start), text);
        Self {
            start_line,
            start_column: Some(start_column),
            end_line: Some(end_line),
            end_column: Some(end_column),
        }
    }
}

/// Line and column of the character at or around the byte `at`.
fn place(at: usize, text: &str) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = text.get(..at).unwrap_or_default();
    // A byte order mark is no part of the text.
    let before = before.strip_prefix('\u{feff}').unwrap_or(before);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.get(start..).unwrap_or_default().encode_utf16().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(start: usize, end: usize, text: &str) -> (usize, usize, usize, usize) {
        let found = SarifRegion::of(Span::new(start, end), text);
        let [column, end_line, end_column] =
            [found.start_column, found.end_line, found.end_column].map(Option::unwrap_or_default);
        (found.start_line, column, end_line, end_column)
    }

    #[test]
    fn columns_are_counted_in_utf_16_units() {
        // é has two bytes and one unit, 😀 four bytes and two units.
        let text = "{\n \"é😀\": [1,\n 2]}";
        assert_eq!(region(0, 1, text), (1, 1, 1, 2));
        assert_eq!(region(3, 11, text), (2, 2, 2, 7));
        assert_eq!(region(13, 20, text), (2, 9, 3, 4));
    }

    #[test]
    fn an_end_stays_in_the_text() {
        assert_eq!(region(1, 99, "ab"), (1, 2, 1, 3));
        assert_eq!(region(9, 3, "ab\n"), (2, 1, 2, 1));
        assert_eq!(region(0, 0, ""), (1, 1, 1, 1));
        assert_eq!(region(2, 2, "\u{e9}"), (1, 2, 1, 2));
        assert_eq!(region(1, 1, "\u{e9}"), (1, 1, 1, 1));
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        assert_eq!(region(3, 4, "\u{feff}{}"), (1, 1, 1, 2));
    }
}
