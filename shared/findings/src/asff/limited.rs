//! Texts that cannot be too long.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text of 1 to `MOST` UTF-16 units without control characters.
///
/// UTF-16 units are the strictest way in which a service may count characters. What is longer
/// ends in an ellipsis; what is blank becomes a dash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limited<const MOST: usize>(String);

impl<const MOST: usize> Limited<MOST> {
    /// `text`, as much of it as fits.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        if text.chars().map(plain).all(char::is_whitespace) {
            return Self("-".to_owned());
        }
        let text = text.chars().map(plain);
        if text.clone().map(char::len_utf16).sum::<usize>() <= MOST {
            return Self(text.collect());
        }
        let mut room = MOST.saturating_sub('…'.len_utf16());
        let mut kept: String = text
            .take_while(|c| {
                let fits = c.len_utf16() <= room;
                room = room.saturating_sub(c.len_utf16());
                fits
            })
            .collect();
        kept.push('…');
        Self(kept)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> fmt::Display for Limited<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MOST: usize> Serialize for Limited<MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Limited<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_ends_in_an_ellipsis() {
        assert_eq!(Limited::<5>::new("abcde").as_str(), "abcde");
        assert_eq!(Limited::<5>::new("abcdef").as_str(), "abcd…");
        assert_eq!(Limited::<5>::new("äöüßé!").as_str(), "äöüß…");
        // Each of these counts twice.
        assert_eq!(Limited::<5>::new("😀😀😀").as_str(), "😀😀…");
        assert_eq!(Limited::<4>::new("😀😀😀").as_str(), "😀…");
    }

    #[test]
    fn a_text_is_never_blank_and_stays_on_one_line() {
        assert_eq!(Limited::<5>::new("").as_str(), "-");
        assert_eq!(Limited::<5>::new(" \n").as_str(), "-");
        assert_eq!(Limited::<5>::new("\u{1}").as_str(), "-");
        assert_eq!(Limited::<5>::new("a\nb").as_str(), "a b");
    }
}
