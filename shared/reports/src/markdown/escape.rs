//! Text from outside in Markdown: nothing in it is markup, HTML, a mention or a reference.
//!
//! Characters that mean something become numeric entities, which Markdown never takes for
//! markup. Mentions and references are found in the finished page, where an entity is the
//! character again, so a mark without width stands behind them.

/// Marks that stand behind `@` and `#`.
const BREAK: &str = "&#8203;";

/// `text` as part of a sentence. What stands between backticks is shown as code.
pub fn prose(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + text.len() / 4);
    let pieces: Vec<&str> = text.split('`').collect();
    // A backtick without a partner is one.
    let paired = pieces.len() % 2 == 1;
    for (index, piece) in pieces.iter().enumerate() {
        if !paired && index > 0 {
            made.push_str("&#96;");
        }
        if paired && index % 2 == 1 {
            made.push_str(&code(piece));
        } else {
            put(&mut made, piece, true);
        }
    }
    made
}

/// `text` as code.
pub fn code(text: &str) -> String {
    let mut made = String::from("<code>");
    put(&mut made, text, false);
    made.push_str("</code>");
    made
}

fn put(made: &mut String, text: &str, links: bool) {
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        if c.is_control() {
            made.push(' ');
        } else if steers(c) {
            made.push('\u{fffd}');
        } else if means_something(before, c, next) {
            made.push_str(&format!("&#{};", u32::from(c)));
        } else {
            made.push(c);
        }
        if links && refers(before, c, next) || is_address(before, c) {
            made.push_str(BREAK);
        }
        before = Some(c);
    }
}

/// Whether Markdown or HTML may read `c` as markup.
fn means_something(before: Option<char>, c: char, next: Option<char>) -> bool {
    match c {
        '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&'
        | '$' | '"' | '\'' | '^' | '@' | '!' => true,
        // Addresses become links by themselves.
        ':' => next == Some('/'),
        '.' => matches!(before, Some('w' | 'W')),
        _ => false,
    }
}

/// Whether `c` begins the host of a mail address; those become links, in code too.
fn is_address(before: Option<char>, c: char) -> bool {
    c == '@' && before.is_some_and(|c| c.is_alphanumeric() || "._+-".contains(c))
}

/// Whether `c` begins a mention, or a reference to an issue.
fn refers(before: Option<char>, c: char, next: Option<char>) -> bool {
    let digit = next.is_some_and(|c| c.is_ascii_digit());
    match c {
        '@' => before.is_none_or(|c| !c.is_alphanumeric()),
        '#' => digit,
        '-' => digit && matches!(before, Some('h' | 'H')),
        _ => false,
    }
}

/// Marks that are invisible and change how their neighbours look.
const fn steers(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_markup_survives() {
        let hostile =
            "a|b <script>alert('x')</script> [x](https://evil.example) **b** ~~s~~ \\ ![i](j)";
        let made = prose(hostile);
        for mark in ['|', '<', '>', '[', ']', '*', '~', '\\', '!'] {
            assert!(!made.contains(mark), "{mark} in {made}");
        }
        assert!(!made.contains("://"));
    }

    #[test]
    fn nobody_is_mentioned_and_no_issue_referred_to() {
        assert_eq!(prose("@octocat #1 GH-2"), "&#64;&#8203;octocat &#35;&#8203;1 GH-&#8203;2");
        assert_eq!(prose("to a@untrusted.invalid"), "to a&#64;&#8203;untrusted.invalid");
        assert_eq!(code("a@b.example"), "<code>a&#64;&#8203;b.example</code>");
        assert_eq!(code("*@b.example"), "<code>&#42;&#64;b.example</code>");
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        assert_eq!(prose("needs `a*` here"), "needs <code>a&#42;</code> here");
        assert_eq!(prose("one ` alone"), "one &#96; alone");
        assert_eq!(code("a\nb"), "<code>a b</code>");
    }

    #[test]
    fn a_line_stays_a_line_and_reads_from_left_to_right() {
        assert_eq!(prose("a\r\n# b\u{202e}c"), "a  &#35; b\u{fffd}c");
    }
}
