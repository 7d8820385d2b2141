//! The form of one text: classes of characters, tokens, and sequences of them.

use std::sync::OnceLock;

/// A set of characters that a pattern can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// This character.
    Char(char),
    /// This ASCII letter in either case.
    Fold(char),
    /// This character, or one that some way of ignoring case takes for it.
    FoldWide(char),
    /// Any printable character.
    Any,
    /// Any but a colon.
    NotColon,
    /// Any but an `@`.
    NotAt,
    /// Any in ASCII.
    Ascii,
    /// Any in ASCII but a colon.
    AsciiNotColon,
    /// Any outside ASCII.
    NonAscii,
    /// Any outside ASCII that takes this many bytes in UTF-8.
    Bytes(u8),
    /// A decimal digit.
    Digit,
    /// A letter or digit of ASCII.
    Alnum,
    /// What IAM allows in a name: letters, digits and `_+=,.@-`.
    IamName,
    /// What IAM allows in a path: `!` to `~`.
    IamPath,
    /// What may stand in an unquoted local part, dots aside.
    Atext,
    /// Lower-case letters and digits.
    OrgId,
    /// Letters, digits and `_.-`, the common ground of SES resource names.
    ResourceName,
    /// A lower-case letter of ASCII.
    Lower,
    /// What IAM allows in the value of a tag: letters and digits of any script, spaces and
    /// `_.:/=+-@`.
    TagValue,
    /// What may stand between the quotes of a local part, unescaped.
    Quoted,
}

impl Class {
    /// Whether `c` is in the set.
    #[must_use]
    pub fn contains(self, c: char) -> bool {
        match self {
            Self::Char(own) => own == c,
            Self::Fold(own) => own.eq_ignore_ascii_case(&c),
            Self::FoldWide(own) => {
                own.eq_ignore_ascii_case(&c) || policy::condition::same_but_for_case(own, c)
            }
            Self::Any => true,
            Self::NotColon => c != ':',
            Self::NotAt => c != '@',
            Self::Ascii => c.is_ascii(),
            Self::AsciiNotColon => c.is_ascii() && c != ':',
            Self::NonAscii => !c.is_ascii(),
            Self::Bytes(length) => !c.is_ascii() && c.len_utf8() == usize::from(length),
            Self::Digit => c.is_ascii_digit(),
            Self::Alnum => c.is_ascii_alphanumeric(),
            Self::IamName => c.is_ascii_alphanumeric() || "_+=,.@-".contains(c),
            Self::IamPath => c.is_ascii_graphic(),
            Self::Atext => c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c),
            Self::OrgId => c.is_ascii_lowercase() || c.is_ascii_digit(),
            Self::ResourceName => c.is_ascii_alphanumeric() || "_.-".contains(c),
            Self::Lower => c.is_ascii_lowercase(),
            Self::TagValue => c.is_alphanumeric() || " _.:/=+-@".contains(c),
            Self::Quoted => (c.is_ascii_graphic() || c == ' ') && c != '"' && c != '\\',
        }
    }

    /// Whether it takes every character outside ASCII that has this many bytes in UTF-8, or,
    /// with `some`, any of them.
    pub(super) const fn takes(self, bytes: u8, some: bool) -> bool {
        match self {
            Self::Any | Self::NotColon | Self::NotAt | Self::NonAscii => true,
            Self::Bytes(own) => own == bytes,
            Self::TagValue => some,
            Self::Char(_)
            | Self::Fold(_)
            | Self::FoldWide(_)
            | Self::Ascii
            | Self::AsciiNotColon
            | Self::Digit
            | Self::Alnum
            | Self::IamName
            | Self::IamPath
            | Self::Atext
            | Self::OrgId
            | Self::ResourceName
            | Self::Lower
            | Self::Quoted => false,
        }
    }

    /// Whether it takes nothing outside ASCII.
    pub(super) fn is_ascii(self) -> bool {
        match self {
            Self::Char(c) => c.is_ascii(),
            Self::FoldWide(_) => letters(self).iter().all(char::is_ascii),
            Self::Any
            | Self::NotColon
            | Self::NotAt
            | Self::NonAscii
            | Self::Bytes(_)
            | Self::TagValue => false,
            Self::Fold(_)
            | Self::Ascii
            | Self::AsciiNotColon
            | Self::Digit
            | Self::Alnum
            | Self::IamName
            | Self::IamPath
            | Self::Atext
            | Self::OrgId
            | Self::ResourceName
            | Self::Lower
            | Self::Quoted => true,
        }
    }

    /// Whether it takes nothing in ASCII.
    pub(super) fn is_outside_ascii(self) -> bool {
        match self {
            Self::Char(c) => !c.is_ascii(),
            Self::FoldWide(c) => !c.is_ascii() && letters(self).iter().all(|c| !c.is_ascii()),
            Self::NonAscii | Self::Bytes(_) => true,
            Self::Fold(_)
            | Self::Any
            | Self::NotColon
            | Self::NotAt
            | Self::Ascii
            | Self::AsciiNotColon
            | Self::Digit
            | Self::Alnum
            | Self::IamName
            | Self::IamPath
            | Self::Atext
            | Self::OrgId
            | Self::ResourceName
            | Self::Lower
            | Self::TagValue
            | Self::Quoted => false,
        }
    }
}

/// One step of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tok {
    /// Exactly one character.
    One(Class),
    /// Any run of characters, the empty one included.
    Star(Class),
    /// A `?` of which nobody knows whether it takes a character or a byte of one: outside
    /// ASCII a run of these may share one character.
    Loose(Class),
}

/// A grammar that no wildcard pattern can express; it may only end a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grammar {
    /// `local@domain`, unquoted, the domain with at least one dot.
    Address,
    /// The same with a local part in quotes.
    QuotedAddress,
    /// A domain name with at least one dot.
    Domain,
}

/// A sequence of steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Sequence {
    /// The steps.
    pub steps: Vec<Tok>,
    /// What follows them.
    pub tail: Option<Grammar>,
}

impl Sequence {
    /// The sequence that is just `text`.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self::default().then(text)
    }

    /// Appends `text`.
    #[must_use]
    pub fn then(mut self, text: &str) -> Self {
        self.steps.extend(text.chars().map(|c| Tok::One(Class::Char(c))));
        self
    }

    /// Appends one or more characters of `class`.
    #[must_use]
    pub fn some(mut self, class: Class) -> Self {
        self.steps.extend([Tok::One(class), Tok::Star(class)]);
        self
    }

    /// Appends `count` characters of `class`.
    #[must_use]
    pub fn exactly(mut self, count: usize, class: Class) -> Self {
        self.steps.extend(std::iter::repeat_n(Tok::One(class), count));
        self
    }

    /// Appends any run of `class`.
    #[must_use]
    pub fn any(mut self, class: Class) -> Self {
        self.steps.push(Tok::Star(class));
        self
    }

    /// The sequence as far as its texts have one `@`; `None` where each has more.
    pub(super) fn with_one_at(&self) -> Option<Self> {
        let at = |step: &&Tok| **step == Tok::One(Class::Char('@'));
        let others = |class: Class| if class == Class::Any { Class::NotAt } else { class };
        match self.steps.iter().filter(at).count() {
            0 => Some(self.clone()),
            1 if self.tail.is_some() => Some(self.clone()),
            1 => Some(Self {
                steps: self
                    .steps
                    .iter()
                    .map(|step| match *step {
                        Tok::One(class) => Tok::One(others(class)),
                        Tok::Star(class) => Tok::Star(others(class)),
                        Tok::Loose(class) => Tok::Loose(class),
                    })
                    .collect(),
                tail: None,
            }),
            _ => None,
        }
    }

    /// Ends in `grammar`.
    #[must_use]
    pub fn ending(mut self, grammar: Grammar) -> Self {
        self.tail = Some(grammar);
        self
    }

    /// A text of the sequence, as short as it comes; `None` where a grammar ends it.
    pub(super) fn sample(&self) -> Option<String> {
        self.filled("")
    }

    /// A text of the sequence with `filling` in place of each run that takes it.
    pub(super) fn filled(&self, filling: &str) -> Option<String> {
        if self.tail.is_some() {
            return None;
        }
        let mut text = String::new();
        for step in &self.steps {
            match step {
                Tok::Star(class) if filling.chars().all(|c| class.contains(c)) => {
                    text.push_str(filling);
                }
                Tok::Star(_) => {}
                Tok::One(class) | Tok::Loose(class) => {
                    let own = if let Class::Char(c) = class { Some(*c) } else { None };
                    let plain = || PREFERENCE.chars().find(|c| class.contains(*c));
                    text.push(own.or_else(plain)?);
                }
            }
        }
        Some(text)
    }
}

/// Printable ASCII, the plainest characters first: what a witness is made of.
pub(super) const PREFERENCE: &str = "abcdefghijklmnopqrstuvwxyz0123456789-.ABCDEFGHIJKLMNOPQRSTUVWXYZ_@/:+=,\
                          !#$%&'()*;<>?[\\]^`{|}~\" ";

/// Characters outside ASCII: letters and others of two, three and four bytes, and those that fold
/// into it.
pub(super) const UNUSUAL: &str = "\u{e9}\u{e8}\u{ea}\u{a7}\u{20ac}\u{20aa}\u{20ab}\u{4e2d}\u{10000}\u{10001}\
                       \u{10002}\u{1f600}\u{212a}\u{17f}\u{131}\u{130}";

/// The members of a class of single letters; `None` for broader ones.
pub(super) fn members(class: Class) -> Option<Vec<char>> {
    Some(match class {
        Class::Char(c) => vec![c],
        Class::Fold(c) => vec![c.to_ascii_lowercase(), c.to_ascii_uppercase()],
        Class::FoldWide(c) if c.is_ascii() => {
            let others = UNUSUAL.chars().filter(|other| class.contains(*other));
            [c.to_ascii_lowercase(), c.to_ascii_uppercase()].into_iter().chain(others).collect()
        }
        Class::FoldWide(c) => {
            let others = letters_with_case().iter().copied().filter(|other| class.contains(*other));
            std::iter::once(c).chain(others).collect()
        }
        Class::Any
        | Class::NotColon
        | Class::NotAt
        | Class::Ascii
        | Class::AsciiNotColon
        | Class::NonAscii
        | Class::Bytes(_)
        | Class::Digit
        | Class::Alnum
        | Class::IamName
        | Class::IamPath
        | Class::Atext
        | Class::OrgId
        | Class::ResourceName
        | Class::Lower
        | Class::TagValue
        | Class::Quoted => return None,
    })
}

/// The members of a class of letters; none for other classes.
pub(super) fn letters(class: Class) -> Vec<char> {
    members(class).unwrap_or_default()
}

/// Every letter with another case; only these can be taken for another character.
fn letters_with_case() -> &'static [char] {
    static ALL: OnceLock<Vec<char>> = OnceLock::new();
    ALL.get_or_init(|| {
        let has_case = |c: &char| !c.to_lowercase().eq([*c]) || !c.to_uppercase().eq([*c]);
        ('\0'..=char::MAX).filter(has_case).collect()
    })
}
