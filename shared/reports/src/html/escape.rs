//! Text inside HTML, JSON inside a script element, and hashes for the policy in the head.

use sha2::{Digest, Sha256};

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Whether it stood in backticks.
    pub code: bool,
    /// The text without them.
    pub text: String,
}

/// A sentence in pieces: what stands in backticks is input or code.
///
/// Where the backticks do not pair, because input has some of its own, all is one piece.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    if !text.matches('`').count().is_multiple_of(2) {
        return vec![Piece { code: false, text: text.to_owned() }];
    }
    text.split('`')
        .enumerate()
        .map(|(index, part)| Piece { code: !index.is_multiple_of(2), text: part.to_owned() })
        .filter(|piece| piece.code || !piece.text.is_empty())
        .collect()
}

/// JSON that may stand inside a script element.
///
/// The characters that end an element, open a comment or end a line in older scripts only occur
/// within strings, where their escapes mean the same.
#[must_use]
pub fn in_script(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

/// The source expression that lets an inline element with this text through a content security
/// policy.
#[must_use]
pub fn source_hash(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            out.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (text, wanted) in cases {
            assert_eq!(base64(text.as_bytes()), wanted);
        }
    }

    #[test]
    fn what_stands_in_backticks_is_a_piece_of_its_own() {
        let texts = |text: &str| -> Vec<(bool, String)> {
            pieces(text).into_iter().map(|piece| (piece.code, piece.text)).collect()
        };
        assert_eq!(
            texts("needs `a`, got `b`"),
            [
                (false, "needs ".to_owned()),
                (true, "a".to_owned()),
                (false, ", got ".to_owned()),
                (true, "b".to_owned())
            ]
        );
        assert_eq!(texts("one ` alone"), [(false, "one ` alone".to_owned())]);
    }

    #[test]
    fn no_character_that_html_knows_is_left_in_a_data_block() {
        let text = in_script("\"</script><!--&\u{2028}\u{2029}\"");
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{text}");
    }
}
