//! Ids, parsed once and never mixed up.
//!
//! The shapes are the ones that the AWS Organizations API reference gives as patterns.

use std::fmt;
use std::str::FromStr;

use policy::arn::is_account;
use text::words::quote;

/// At most one wrong character in so many: ids of one organization are like each other.
pub(crate) const NEAR: usize = 4;

/// A text that is no id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{quoted} is no {kind}; expected {shape}")]
pub struct MalformedId {
    quoted: String,
    kind: &'static str,
    shape: &'static str,
}

impl MalformedId {
    /// The shape in words, for help texts.
    #[must_use]
    pub const fn shape(&self) -> &'static str {
        self.shape
    }

    /// The kind of id that was expected, for instance `account id`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }
}

/// The id of an account: 12 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    const KIND: &'static str = "account id";
    const SHAPE: &'static str = "12 digits";

    /// Stands in for an id that was refused; never part of an organization.
    pub(crate) const PLACEHOLDER: Self = Self(u64::MAX);
}

impl FromStr for AccountId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let well_formed = is_account(text);
        let number = if well_formed { text.parse().ok() } else { None };
        number.map(Self).ok_or_else(|| MalformedId {
            quoted: quote(text),
            kind: Self::KIND,
            shape: Self::SHAPE,
        })
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

fn within(text: &str, length: std::ops::RangeInclusive<usize>, allowed: fn(u8) -> bool) -> bool {
    length.contains(&text.len()) && text.bytes().all(allowed)
}

const fn lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

const fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $shape:literal, $test:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Takes any text; for ids that were checked, or refused and reported.
            pub(crate) fn unchecked(text: &str) -> Self {
                Self(text.into())
            }

            /// Whether `text` has the shape.
            ///
            /// # Errors
            /// [`MalformedId`] where it has not.
            pub(crate) fn check(text: &str) -> Result<(), MalformedId> {
                let test: fn(&str) -> bool = $test;
                if test(text) {
                    return Ok(());
                }
                Err(MalformedId { quoted: quote(text), kind: $kind, shape: $shape })
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                Self::check(text).map(|()| Self::unchecked(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )* };
}

text_ids! {
    /// The id of an organization, for instance `o-exampleorgid`.
    OrganizationId, "organization id", "`o-` and 10 to 32 lower-case letters or digits",
        |text| text.strip_prefix("o-").is_some_and(|rest| within(rest, 10..=32, lower_or_digit));

    /// The id of the root, for instance `r-exam`.
    RootId, "root id", "`r-` and 4 to 32 lower-case letters or digits",
        |text| text.strip_prefix("r-").is_some_and(|rest| within(rest, 4..=32, lower_or_digit));

    /// The id of an organizational unit, for instance `ou-exam-workload`.
    UnitId, "organizational unit id",
        "`ou-`, the root's 4 to 32 letters or digits, `-`, and 6 to 32 lower-case letters or digits",
        |text| {
            text.strip_prefix("ou-").and_then(|rest| rest.split_once('-')).is_some_and(
                |(root, own)| {
                    within(root, 4..=32, lower_or_digit) && within(own, 6..=32, lower_or_digit)
                },
            )
        };

    /// The id of a policy, for instance `p-FullAWSAccess`.
    PolicyId, "policy id", "`p-` and 8 to 128 letters, digits or underscores",
        |text| text.strip_prefix("p-").is_some_and(|rest| within(rest, 8..=128, word));
}

/// The id of a place that policies attach to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetId<'a> {
    /// The root.
    Root(&'a RootId),
    /// An organizational unit.
    Unit(&'a UnitId),
    /// An account.
    Account(AccountId),
}

/// A [`TargetId`] of its own; sorted as its text is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnedTargetId {
    /// An account.
    Account(AccountId),
    /// An organizational unit.
    Unit(UnitId),
    /// The root.
    Root(RootId),
}

/// The id of what units and accounts are in; sorted as its text is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParentId {
    /// An organizational unit.
    Unit(UnitId),
    /// The root.
    Root(RootId),
}

impl OwnedTargetId {
    /// The same id, borrowed.
    #[must_use]
    pub const fn borrowed(&self) -> TargetId<'_> {
        match self {
            Self::Account(id) => TargetId::Account(*id),
            Self::Unit(id) => TargetId::Unit(id),
            Self::Root(id) => TargetId::Root(id),
        }
    }
}

impl ParentId {
    /// The same id, as one of any target.
    #[must_use]
    pub const fn as_target(&self) -> TargetId<'_> {
        match self {
            Self::Unit(id) => TargetId::Unit(id),
            Self::Root(id) => TargetId::Root(id),
        }
    }
}

impl TargetId<'_> {
    /// The same id as that of a root or unit; none of an account, which nothing can be in.
    #[must_use]
    pub fn as_parent(self) -> Option<ParentId> {
        match self {
            Self::Root(id) => Some(ParentId::Root(id.clone())),
            Self::Unit(id) => Some(ParentId::Unit(id.clone())),
            Self::Account(_) => None,
        }
    }
}

impl From<TargetId<'_>> for OwnedTargetId {
    fn from(id: TargetId<'_>) -> Self {
        match id {
            TargetId::Root(id) => Self::Root(id.clone()),
            TargetId::Unit(id) => Self::Unit(id.clone()),
            TargetId::Account(id) => Self::Account(id),
        }
    }
}

impl FromStr for OwnedTargetId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        if text.starts_with("ou-") || text.starts_with("r-") {
            text.parse().map(|id: ParentId| id.as_target().into())
        } else if text.starts_with(|c: char| c.is_ascii_digit()) {
            text.parse().map(Self::Account)
        } else {
            Err(MalformedId {
                quoted: quote(text),
                kind: "id of a root, organizational unit or account",
                shape: "`r-...`, `ou-...` or 12 digits",
            })
        }
    }
}

impl FromStr for ParentId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        if text.starts_with("ou-") {
            text.parse().map(Self::Unit)
        } else if text.starts_with("r-") {
            text.parse().map(Self::Root)
        } else {
            Err(MalformedId {
                quoted: quote(text),
                kind: "id of a root or organizational unit",
                shape: "`r-...` or `ou-...`",
            })
        }
    }
}

impl fmt::Display for OwnedTargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrowed().fmt(f)
    }
}

impl fmt::Display for ParentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_target().fmt(f)
    }
}

impl fmt::Display for TargetId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(id) => id.fmt(f),
            Self::Unit(id) => id.fmt(f),
            Self::Account(id) => id.fmt(f),
        }
    }
}

/// The first id that is not `taken` of those that `text` makes of 1, 2, 3 and so on.
///
/// `text` makes ids of the right shape; others are passed over.
pub fn unused_id<I: FromStr>(text: impl Fn(u64) -> String, taken: impl Fn(&I) -> bool) -> I {
    let mut number = 0;
    loop {
        number += 1;
        if let Ok(id) = text(number).parse()
            && !taken(&id)
        {
            return id;
        }
    }
}

/// A name as it is kept: nothing can be called by a blank, so what has none goes by its id.
pub(crate) fn name_or_id(name: Option<&str>, id: &str) -> Box<str> {
    name.filter(|name| !name.trim().is_empty()).unwrap_or(id).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn an_account_id_keeps_its_leading_zeros() {
        assert_eq!("000000000042".parse::<AccountId>().unwrap().to_string(), "000000000042");
    }

    #[test]
    fn the_bounds_of_each_shape_are_exact() {
        let a = |count| "a".repeat(count);
        type Case = (fn(&str) -> bool, &'static str, usize, usize);
        let cases: [Case; 4] = [
            (|text| OrganizationId::check(text).is_ok(), "o-", 10, 32),
            (|text| RootId::check(text).is_ok(), "r-", 4, 32),
            (|text| UnitId::check(text).is_ok(), "ou-exam-", 6, 32),
            (|text| PolicyId::check(text).is_ok(), "p-", 8, 128),
        ];
        for (check, prefix, shortest, longest) in cases {
            for (length, expected) in
                [(shortest - 1, false), (shortest, true), (longest, true), (longest + 1, false)]
            {
                assert_eq!(check(&format!("{prefix}{}", a(length))), expected, "{prefix}{length}");
            }
        }
    }

    #[test]
    fn a_malformed_id_says_what_was_expected() {
        let account = "shop".parse::<AccountId>().unwrap_err();
        assert_eq!((account.kind(), account.shape()), ("account id", "12 digits"));
        let target = "shop".parse::<OwnedTargetId>().unwrap_err();
        assert_eq!(target.shape(), "`r-...`, `ou-...` or 12 digits");
    }

    #[test]
    fn ids_of_targets_are_sorted_as_their_texts_are() {
        let texts = ["000000000042", "999999999999", "ou-exam-aaaaaa", "r-exam"];
        let targets: Vec<OwnedTargetId> = texts.map(|text| text.parse().unwrap()).to_vec();
        assert!(targets.is_sorted());
        assert_eq!(targets.iter().map(ToString::to_string).collect::<Vec<_>>(), texts);
        let [unit, root] = ["ou-exam-aaaaaa", "r-exam"].map(|it| it.parse::<ParentId>().unwrap());
        assert!(unit < root);
        assert!("000000000042".parse::<ParentId>().is_err());
    }

    #[test]
    fn letters_outside_the_alphabet_are_refused() {
        assert!("r-Exam".parse::<RootId>().is_err());
        assert!("ou-exam-workl\u{f6}ad".parse::<UnitId>().is_err());
        assert!("ou-exam-work-load".parse::<UnitId>().is_err());
        assert!("p-Full-AWSAccess".parse::<PolicyId>().is_err());
        assert!("٢٢٢٢٢٢".parse::<AccountId>().is_err());
        assert!("+22222222222".parse::<AccountId>().is_err());
    }
}
