//! Colour, wrapping, and text from outside made safe to print.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use findings::words::UNBROKEN;
use ses_perimeter::report::Status;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// No style.
pub const PLAIN: Style = Style::new();
/// Headings and commands.
pub const BOLD: Style = Style::new().bold();
/// What matters less.
pub const DIM: Style = Style::new().dimmed();
/// Failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Passed.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Undecided.
pub const OPEN: Style = AnsiColor::Yellow.on_default().bold();

/// Columns where nobody says how many there are.
const DEFAULT_WIDTH: usize = 100;
/// Narrower and wider pages are not made.
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=160;

/// The columns of a page on standard output: `COLUMNS`, else the terminal's.
pub fn width(to_stdout: bool) -> usize {
    let set = || std::env::var("COLUMNS").ok()?.parse().ok();
    let terminal = || {
        let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
        io::stdout().is_terminal().then_some(usize::from(width.0))
    };
    let found = if to_stdout { set().or_else(terminal) } else { None };
    found.unwrap_or(DEFAULT_WIDTH).clamp(*WIDTHS.start(), *WIDTHS.end())
}

/// The mark of a status; it says without colour what the colour says.
pub const fn mark(status: Status) -> (Style, char) {
    match status {
        Status::Passed => (GOOD, '\u{2713}'),
        Status::Failed => (BAD, '\u{2717}'),
        Status::Undecided => (OPEN, '?'),
        Status::NotApplicable => (DIM, '\u{b7}'),
    }
}

/// `text` without anything that could steer a terminal or turn the reading direction.
pub fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || steers(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Marks that are invisible and change how their neighbours look.
const fn steers(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A path as a word of a shell.
pub fn shell(path: &Path) -> String {
    let text = plain(&path.display().to_string());
    let safe = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// How many columns a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// `text` in exactly `width` columns: cut with an ellipsis, or padded.
pub fn fit(text: &str, width: usize) -> String {
    let mut fitted = String::new();
    if columns(text) <= width {
        fitted.push_str(text);
    } else {
        let mut used = 1;
        for c in text.chars() {
            used += c.width().unwrap_or_default();
            if used > width {
                break;
            }
            fitted.push(c);
        }
        fitted.push('\u{2026}');
    }
    let missing = width.saturating_sub(columns(&fitted));
    fitted + &" ".repeat(missing)
}

/// Wrapped text after a styled head; the lines below the first are indented further.
pub struct Paragraph<'a> {
    /// The beginning, which is not wrapped.
    pub head: &'a str,
    /// The head's style; that of all where there is no head.
    pub style: Style,
    /// The rest.
    pub text: &'a str,
    /// Columns before everything.
    pub indent: usize,
}

impl<'a> Paragraph<'a> {
    /// Text alone.
    pub const fn of(text: &'a str) -> Self {
        Self { head: "", style: PLAIN, text, indent: 0 }
    }

    /// Writes the lines, none longer than `width` columns unless a word is.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write, width: usize) -> io::Result<()> {
        let head = plain(self.head);
        let text = plain(self.text);
        let spaced = |line: &str| line.replace(UNBROKEN, " ");
        let (style, body) = if head.is_empty() { (PLAIN, self.style) } else { (self.style, PLAIN) };
        let hang = self.indent + if head.is_empty() { 0 } else { 2 };
        write!(out, "{:1$}{style}{head}{style:#}", "", self.indent)?;
        let mut used = self.indent + columns(&head);
        let mut line = String::new();
        let mut gap = if head.is_empty() { "" } else { "  " };
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let more = columns(gap) + columns(word);
            if used + more > width && used > hang {
                write!(out, "{body}{}{body:#}\n{:hang$}", spaced(&line), "")?;
                line.clear();
                used = hang + columns(word);
            } else {
                line.push_str(gap);
                used += more;
            }
            line.push_str(word);
            gap = " ";
        }
        writeln!(out, "{body}{}{body:#}", spaced(&line))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn nothing_from_outside_steers_the_terminal() {
        assert_eq!(
            plain("a\u{1b}[31m\u{9b}\u{202e}\n\u{e4}"),
            "a\\u{1b}[31m\\u{9b}\\u{202e}\\n\u{e4}"
        );
    }

    #[test]
    fn paragraphs_break_between_words_and_hang() {
        let mut out = Vec::new();
        let paragraph =
            Paragraph { head: "SESDP.8", style: PLAIN, text: "one two three four", indent: 2 };
        paragraph.write(&mut out, 18).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  SESDP.8  one two\n    three four\n");
    }

    #[test]
    fn names_are_cut_to_the_column() {
        assert_eq!(fit("storefront", 6), "store\u{2026}");
        assert_eq!(fit("shop", 6), "shop  ");
        assert_eq!(fit("\u{6c49}\u{5b57}\u{6c49}", 4), "\u{6c49}\u{2026} ");
    }

    #[test]
    fn a_path_with_spaces_is_one_word_of_a_shell() {
        assert_eq!(shell(Path::new("it's here.json")), r"'it'\''s here.json'");
    }
}
