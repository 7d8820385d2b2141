//! Documents as text: statements put in, white space in and out.

use policy::model::Policy;
use serde_json::ser::{PrettyFormatter, Serializer};

use serde::Serialize;

use super::statements::Deny;

/// A new document of these statements.
#[must_use]
pub fn new(denies: &[Deny]) -> String {
    let statements: Vec<String> = denies.iter().map(|deny| pretty(deny, 4)).collect();
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {}\n  ]\n}}",
        statements.join(",\n    ")
    )
}

/// `text` with these statements behind its own, in its own layout; `policy` is what `text` means.
#[must_use]
pub fn extended(text: &str, policy: &Policy, denies: &[Deny]) -> Option<String> {
    let last = policy.statements.last()?.span;
    let first = policy.statements.first()?.span;
    let (start, end) = (last.start, last.end);
    let line = text.get(..start)?.rfind('\n').map(|at| at + 1);
    let indent = line.and_then(|line| text.get(line..start)).filter(|lead| lead.trim().is_empty());
    let (separator, statements): (String, Vec<String>) = match indent {
        Some(indent) => {
            let width = indent.chars().count();
            let all = denies.iter().map(|deny| pretty(deny, width)).collect();
            (format!(",\n{indent}"), all)
        }
        None => {
            let all = denies.iter().map(|deny| compact(&pretty(deny, 0))).collect();
            let space = if text.contains('\n') { " " } else { "" };
            (format!(",{space}"), all)
        }
    };
    let mut added = String::new();
    for statement in &statements {
        added.push_str(&separator);
        added.push_str(statement);
    }
    // A single statement may stand without brackets.
    let before = text.get(..first.start)?;
    let alone = !before.trim_end().ends_with('[') && policy.statements.len() == 1;
    let (open, close) = if alone { ("[", "]") } else { ("", "") };
    let own = text.get(first.start..end)?;
    Some(format!("{before}{open}{own}{added}{close}{}", text.get(end..)?))
}

/// JSON of a statement, indented by `width` from its second line on.
fn pretty(deny: &Deny, width: usize) -> String {
    let mut bytes = Vec::new();
    let mut serializer =
        Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"  "));
    // Writing to memory does not fail, and what is written is UTF-8.
    let written = deny.serialize(&mut serializer).map(|()| String::from_utf8(bytes));
    let text = written.ok().and_then(Result::ok).unwrap_or_default();
    text.replace('\n', &format!("\n{}", " ".repeat(width)))
}

/// JSON without the white space that means nothing.
#[must_use]
pub fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    each_token(json, &mut |token| {
        if let Token::Text(text) = token {
            out.push_str(text);
        } else if let Token::Mark(mark) = token {
            out.push(mark);
        }
    });
    out
}

/// JSON with a line for every member and element, two spaces a level.
#[must_use]
pub fn laid_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut open = false;
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    each_token(json, &mut |token| match token {
        Token::Mark(mark @ ('}' | ']')) => {
            depth = depth.saturating_sub(1);
            if !open {
                line(&mut out, depth);
            }
            open = false;
            out.push(mark);
        }
        Token::Mark(mark) => {
            if open {
                line(&mut out, depth);
                open = false;
            }
            out.push(mark);
            match mark {
                '{' | '[' => {
                    depth += 1;
                    open = true;
                }
                ',' => line(&mut out, depth),
                _ => out.push(' '),
            }
        }
        Token::Text(text) => {
            if open {
                line(&mut out, depth);
                open = false;
            }
            out.push_str(text);
        }
    });
    out.push('\n');
    out
}

enum Token<'t> {
    /// One of `{}[],:`.
    Mark(char),
    /// A string with its quotes, a number, `true`, `false` or `null`.
    Text(&'t str),
}

/// The tokens of a text that is JSON.
fn each_token(json: &str, each: &mut dyn FnMut(Token<'_>)) {
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => each(Token::Mark(char::from(*byte))),
            b'"' => {
                while let Some(byte) = bytes.get(at) {
                    at += 1;
                    match byte {
                        b'\\' => at += 1,
                        b'"' => break,
                        _ => {}
                    }
                }
                each(Token::Text(json.get(start..at).unwrap_or_default()));
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => {
                let ends = |byte: &u8| b"{}[],:\"".contains(byte) || byte.is_ascii_whitespace();
                while bytes.get(at).is_some_and(|byte| !ends(byte)) {
                    at += 1;
                }
                each(Token::Text(json.get(start..at).unwrap_or_default()));
            }
        }
    }
}

/// Characters, as the quota counts them.
#[must_use]
pub fn characters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{ "a" : [ ] , "b":{},"c":[1,-2.5e3,"x \" , {",true,null],
        "d": {"e": "ü"} }"#;

    #[test]
    fn white_space_outside_texts_goes_and_nothing_else() {
        let short = compact(TEXT);
        assert_eq!(short, r#"{"a":[],"b":{},"c":[1,-2.5e3,"x \" , {",true,null],"d":{"e":"ü"}}"#);
        assert_eq!(compact(&laid_out(TEXT)), short);
    }

    #[test]
    fn every_member_has_a_line() {
        let laid = "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    -2.5e3,\n    \"x \\\" , {\",\
                    \n    true,\n    null\n  ],\n  \"d\": {\n    \"e\": \"ü\"\n  }\n}\n";
        assert_eq!(laid_out(TEXT), laid);
    }
}
