//! Places in a text.

/// A range of bytes in a text, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range from `start` to before `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Its beginning, one byte long where there is one.
    #[must_use]
    pub fn first(self) -> Self {
        Self::new(self.start, self.end.min(self.start.saturating_add(1)))
    }

    /// Line and column of the first byte in `text`, both from 1, the column in characters.
    #[must_use]
    pub fn line_column(self, text: &str) -> LineColumn {
        let mut at = self.start.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = text.get(..at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        LineColumn {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

impl From<Span> for miette::SourceSpan {
    fn from(span: Span) -> Self {
        (span.start, span.end.saturating_sub(span.start)).into()
    }
}

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl std::fmt::Display for LineColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_inside_a_character_is_where_the_character_begins() {
        let place = |start| Span::new(start, start).line_column("a\né€x");
        assert_eq!(place(0), LineColumn { line: 1, column: 1 });
        assert_eq!(place(3), LineColumn { line: 2, column: 1 });
        assert_eq!(place(6), LineColumn { line: 2, column: 2 });
        assert_eq!(place(7), LineColumn { line: 2, column: 3 });
        assert_eq!(place(99), LineColumn { line: 2, column: 4 });
    }
}
