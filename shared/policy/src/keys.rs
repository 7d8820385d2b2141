//! The types of condition keys. Which keys there are, the caller knows.

use std::cmp::Ordering;

/// What the values of a key are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Any text.
    String,
    /// An ARN.
    Arn,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A moment.
    Date,
    /// An address.
    Ip,
}

/// One key, or the family `name*` when [`KeyInfo::family`] is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// The name as AWS spells it; of a family the part before the tag key, slash included.
    pub name: &'static str,
    /// The type of its values.
    pub kind: KeyKind,
    /// Whether a request carries a set of values.
    pub multivalued: bool,
    /// Whether any tag key may follow.
    pub family: bool,
}

/// Everything that is known about the types of keys.
#[derive(Debug, Clone, Default)]
pub struct KeyCatalog {
    single: Vec<KeyInfo>,
    families: Vec<KeyInfo>,
}

impl KeyCatalog {
    /// A catalog of `keys`; of two with the same name one counts.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = KeyInfo>) -> Self {
        let (families, mut single): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|info| info.family);
        single.sort_by(|a, b| order(a.name, b.name));
        Self { single, families }
    }

    /// The key of this name, ignoring case; of a family any tag key may follow.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<KeyInfo> {
        find(&self.single, &self.families, name, |info| info.name).copied()
    }

    /// Whether a request carries a set of values for this key. An unknown key has one value.
    #[must_use]
    pub fn is_multivalued(&self, name: &str) -> bool {
        self.get(name).is_some_and(|info| info.multivalued)
    }
}

/// The key of that name, ignoring case: one of `single`, which are sorted by length and then by
/// name in lower case, or one of `families`, behind whose name any tag key may follow.
pub fn find<'k, T>(
    single: &'k [T],
    families: &'k [T],
    name: &str,
    named: impl Fn(&T) -> &str,
) -> Option<&'k T> {
    if let Ok(at) = single.binary_search_by(|known| order(named(known), name)) {
        return single.get(at);
    }
    families.iter().find(|family| {
        let start = named(family).as_bytes();
        name.len() > start.len()
            && name.as_bytes().get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start))
    })
}

/// Lengths tell most names apart, so that few are read.
fn order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| in_lower_case(a, b))
}

/// The order of two names in lower case.
pub(crate) fn in_lower_case(a: &str, b: &str) -> Ordering {
    let folded = b.bytes().map(|byte| byte.to_ascii_lowercase());
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> KeyCatalog {
        let key = |name, multivalued, family| KeyInfo {
            name,
            kind: KeyKind::String,
            multivalued,
            family,
        };
        KeyCatalog::new([
            key("ses:Recipients", true, false),
            key("aws:PrincipalTag/", false, true),
            key("aws:TagKeys", true, false),
            key("aws:PrincipalArn", false, false),
            key("aws:SourceVpc", false, false),
            key("aws:SourceArn", false, false),
        ])
    }

    #[test]
    fn a_key_is_found_in_any_case() {
        let catalog = catalog();
        for name in ["aws:PrincipalArn", "ses:Recipients", "aws:SourceVpc", "aws:SourceArn"] {
            for text in [name.to_owned(), name.to_ascii_uppercase(), name.to_ascii_lowercase()] {
                assert_eq!(catalog.get(&text).map(|info| info.name), Some(name), "{text}");
            }
        }
        for name in ["aws:PrincipalArn2", "aws:Principal", "aws:SourceArm", ""] {
            assert_eq!(catalog.get(name), None, "{name}");
        }
        assert_eq!(KeyCatalog::default().get("ses:Recipients"), None);
    }

    #[test]
    fn a_family_wants_a_tag_key_behind_its_slash() {
        let catalog = catalog();
        for name in ["aws:PrincipalTag/x", "AWS:PRINCIPALTAG/X", "aws:principaltag/é"] {
            let found = catalog.get(name).map(|info| (info.name, info.family));
            assert_eq!(found, Some(("aws:PrincipalTag/", true)), "{name}");
        }
        for name in ["aws:PrincipalTag/", "aws:PrincipalTag", "aws:PrincipalTags/x", "é"] {
            assert_eq!(catalog.get(name), None, "{name}");
        }
    }

    #[test]
    fn sets_are_known_and_unknown_keys_have_one_value() {
        let catalog = catalog();
        for name in ["aws:TagKeys", "AWS:TAGKEYS", "ses:recipients"] {
            assert!(catalog.is_multivalued(name), "{name}");
        }
        for name in ["aws:PrincipalArn", "aws:PrincipalTag/x", "no:such"] {
            assert!(!catalog.is_multivalued(name), "{name}");
        }
    }
}
