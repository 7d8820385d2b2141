//! The text of one statement, fit to be read.

use organization::{Organization, PolicyIdx};

use crate::view::statement_at;

/// Lines longer than this are broken up, in characters.
const LONGEST_LINE: usize = 100;

/// The text of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line of the policy document on which the statement begins, from 1.
    pub line: usize,
    /// The text as stored, without the indentation that all lines share; indented anew where the
    /// document has it on long lines.
    pub lines: Vec<String>,
}

/// The text of the statement at a position of a policy, where the policy can be read.
#[must_use]
pub fn excerpt(
    organization: &Organization,
    policy: PolicyIdx,
    statement: usize,
) -> Option<Excerpt> {
    let span = statement_at(organization, policy, statement)?.span;
    let document = organization.document(organization.policy(policy)?.document)?;
    let text = document.text()?;
    let lines = lines(text.get(span.start..span.end)?);
    Some(Excerpt { line: span.line_column(text).line, lines })
}

fn lines(text: &str) -> Vec<String> {
    let stored: Vec<String> =
        text.lines().map(|line| line.trim_end().replace('\t', "    ")).collect();
    let readable = stored.iter().all(|line| line.chars().count() <= LONGEST_LINE);
    if !readable || (stored.len() == 1 && text.len() > LONGEST_LINE / 2) {
        return indented(text).lines().map(str::to_owned).collect();
    }
    // The first line begins at the brace, so only the others carry the document's indentation.
    let shared = stored
        .iter()
        .skip(1)
        .filter(|line| !line.is_empty())
        .map(|line| line.chars().take_while(|c| *c == ' ').count())
        .min()
        .unwrap_or_default();
    stored
        .iter()
        .enumerate()
        .map(|(number, line)| {
            let cut = if number == 0 { 0 } else { shared };
            line.chars().skip(cut).collect()
        })
        .collect()
}

/// JSON with one member or element a line; lists that fit stay on one line.
fn indented(text: &str) -> String {
    let tokens = tokens(text);
    let mut out = String::new();
    let mut depth = 0_usize;
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        if token == "["
            && let Some((list, length)) = tokens.get(index..).and_then(short_list)
        {
            out.push_str(&list);
            index += length;
            continue;
        }
        match token.as_str() {
            "{" | "[" => {
                depth += 1;
                out.push_str(token);
                new_line(&mut out, depth);
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push_str(token);
            }
            "," => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ":" => out.push_str(": "),
            _ => out.push_str(token),
        }
        index += 1;
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}

/// A list of plain values that is no longer than a line, and the number of its tokens.
fn short_list(tokens: &[String]) -> Option<(String, usize)> {
    let mut list = String::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" | "}" => return None,
            "[" if index > 0 => return None,
            "," => list.push_str(", "),
            other => list.push_str(other),
        }
        if list.chars().count() > LONGEST_LINE * 2 / 3 {
            return None;
        }
        if token == "]" {
            return Some((list, index + 1));
        }
    }
    None
}

/// Strings, punctuation and other values; the white space between them is gone.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut token = String::from(c);
        if c == '"' {
            let mut escaped = false;
            for next in chars.by_ref() {
                token.push(next);
                if next == '"' && !escaped {
                    break;
                }
                escaped = next == '\\' && !escaped;
            }
        } else if !"{}[],:".contains(c) {
            while let Some(next) =
                chars.next_if(|next| !next.is_whitespace() && !"{}[],:\"".contains(*next))
            {
                token.push(next);
            }
        }
        tokens.push(token);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_on_lines_of_its_own_keeps_them_without_the_shared_indentation() {
        let text = "{\n      \"Sid\": \"a\",\n      \"Action\": [\n\t\"b\"\n      ]\n   }";
        let wanted = ["{", "   \"Sid\": \"a\",", "   \"Action\": [", " \"b\"", "   ]", "}"];
        assert_eq!(lines(text), wanted);
    }

    #[test]
    fn a_statement_on_one_line_is_indented_anew_and_its_strings_stay_as_they_are() {
        let text = r#"{"Sid":"a, {b}\"","Action":["ses:SendEmail","ses:SendRawEmail"],"Condition":{"Bool":{"k":true}}}"#;
        let wanted = r#"{
  "Sid": "a, {b}\"",
  "Action": ["ses:SendEmail", "ses:SendRawEmail"],
  "Condition": {
    "Bool": {
      "k": true
    }
  }
}"#;
        assert_eq!(lines(text).join("\n"), wanted);
    }
}
