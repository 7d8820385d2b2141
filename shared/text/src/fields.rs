//! Objects and their fields: what is missing, twice there, unknown or of another type is noted.

use crate::diagnostic::{Diagnostic, Problems, Subject, label_span, short};
use crate::json::{Kind, Value, duplicates};
use crate::span::Span;
use crate::words::{did_you_mean, nearest, quote};

/// Where a value stands, for messages; made into text only when there is one.
#[derive(Debug, Clone, Copy)]
pub enum FieldPlace<'p> {
    /// It is all of the text.
    Top,
    /// A member, by its path: `root`, `root.name`.
    Member(&'p str),
    /// An element of a list, by the path of the list: `accounts`, and 3.
    Element(&'p str, usize),
}

impl std::fmt::Display for FieldPlace<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Member(path) => f.write_str(path),
            Self::Element(list, index) => write!(f, "{list}[{index}]"),
        }
    }
}

impl FieldPlace<'_> {
    /// The path of the member `name` of the object that stands here.
    #[must_use]
    pub fn member(self, name: &str) -> String {
        match self {
            Self::Top => name.to_owned(),
            Self::Member(_) | Self::Element(..) => format!("{self}.{name}"),
        }
    }

    /// The path in backticks; the text's own name where it is all of it.
    #[must_use]
    pub fn shown(self, subject: Subject) -> String {
        match self {
            Self::Top => subject.noun.to_owned(),
            Self::Member(_) | Self::Element(..) => format!("`{self}`"),
        }
    }
}

/// A text and its place.
#[derive(Debug, Clone, Copy)]
pub struct Text<'v> {
    /// The text.
    pub text: &'v str,
    /// The whole place; [`short`] makes it fit under a label.
    pub span: Span,
}

impl Text<'_> {
    /// The place of a part of the text, which stands in quotes; the whole where escapes make
    /// offsets differ.
    #[must_use]
    pub fn part(&self, range: &std::ops::Range<usize>) -> Span {
        const QUOTES: usize = 2;
        if self.span.end - self.span.start == self.text.len() + QUOTES {
            Span::new(self.span.start + 1 + range.start, self.span.start + 1 + range.end)
        } else {
            self.span
        }
    }
}

/// An object and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Object<'v, 'a, 'p> {
    place: FieldPlace<'p>,
    value: &'v Value<'a>,
}

/// Notes that `what` is not `expected`, but `value`.
pub fn wrong_type(problems: &mut Problems, what: &str, value: &Value<'_>, expected: &str) {
    let again = problems.subject().again;
    problems.push(|| {
        Diagnostic::wrong_type(what, value, expected)
            .help(format!("{again}, or correct the value by hand"))
    });
}

/// A string on its own; another type is noted.
pub fn string<'v>(
    problems: &mut Problems,
    value: &'v Value<'_>,
    place: FieldPlace<'_>,
) -> Option<&'v str> {
    let text = value.as_str();
    if text.is_none() {
        wrong_type(problems, &place.shown(problems.subject()), value, "a string");
    }
    text
}

/// The elements of the list at `path`, each read by `read`; none where any has a problem.
pub fn elements<'v, 'a, T>(
    problems: &mut Problems,
    value: &'v Value<'a>,
    path: &str,
    mut read: impl FnMut(&mut Problems, &'v Value<'a>, FieldPlace<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Kind::Array(list) = &value.kind else {
        wrong_type(problems, &format!("`{path}`"), value, "an array");
        return None;
    };
    let mut found = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        found.extend(read(problems, value, FieldPlace::Element(path, index)));
    }
    (found.len() == list.len()).then_some(found)
}

impl<'v, 'a, 'p> Object<'v, 'a, 'p> {
    /// Opens an object: another type, and a field that stands twice, is noted.
    pub fn of(
        problems: &mut Problems,
        value: &'v Value<'a>,
        place: FieldPlace<'p>,
    ) -> Option<Self> {
        let subject = problems.subject();
        let Kind::Object(members) = &value.kind else {
            wrong_type(problems, &place.shown(subject), value, "an object");
            return None;
        };
        for (first, second) in duplicates(members) {
            problems.push(|| {
                let message = format!("{} has {} twice", place.shown(subject), quote(&second.key));
                Diagnostic::twice(message, first.key_span, second.key_span)
                    .help("keep one of the two")
            });
        }
        Some(Self { place, value })
    }

    /// As [`Self::of`]; a field that is not `known` is noted, too.
    pub fn closed(
        problems: &mut Problems,
        value: &'v Value<'a>,
        place: FieldPlace<'p>,
        known: &[&str],
    ) -> Option<Self> {
        let object = Self::of(problems, value, place)?;
        let subject = problems.subject();
        for member in value.members().iter().filter(|member| !known.contains(&&*member.key)) {
            problems.push(|| {
                let help = match nearest(&member.key, known) {
                    Some(candidate) => did_you_mean(candidate),
                    None => format!("the fields here are `{}`", known.join("`, `")),
                };
                let (key, place) = (quote(&member.key), place.shown(subject));
                Diagnostic::error(format!("unknown field {key} in {place}"))
                    .label(short(member.key_span), "not a field of this object")
                    .help(help)
            });
        }
        Some(object)
    }

    /// Where it stands.
    #[must_use]
    pub const fn place(&self) -> FieldPlace<'p> {
        self.place
    }

    /// The path of a field.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        self.place.member(name)
    }

    /// The value of a field, the last one where it stands twice; `null` counts as absent.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&'v Value<'a>> {
        let value = &self.value.members().iter().rfind(|member| member.key == name)?.value;
        (!value.is_null()).then_some(value)
    }

    /// The value of a field that must be there.
    pub fn required(&self, problems: &mut Problems, name: &str) -> Option<&'v Value<'a>> {
        let again = problems.subject().again;
        self.required_or(problems, name, || format!("{again}, or add the field by hand"))
    }

    /// The same, where `help` says what to do about a missing field.
    pub fn required_or(
        &self,
        problems: &mut Problems,
        name: &str,
        help: impl FnOnce() -> String,
    ) -> Option<&'v Value<'a>> {
        let subject = problems.subject();
        let value = self.optional(name);
        if value.is_none() {
            problems.push(|| {
                Diagnostic::error(format!("{} has no `{name}`", self.place.shown(subject)))
                    .label(label_span(self.value), format!("add `{name}` to this object"))
                    .help(help())
            });
        }
        value
    }

    /// What `read` finds in a field that must be there; `expected` names it, if it finds nothing.
    fn typed<T>(
        &self,
        problems: &mut Problems,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'v Value<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.required(problems, name)?;
        self.of_type(problems, name, value, expected, read)
    }

    fn of_type<T>(
        &self,
        problems: &mut Problems,
        name: &str,
        value: &'v Value<'a>,
        expected: &str,
        read: impl FnOnce(&'v Value<'a>) -> Option<T>,
    ) -> Option<T> {
        let found = read(value);
        if found.is_none() {
            wrong_type(problems, &format!("`{}`", self.path(name)), value, expected);
        }
        found
    }

    /// A string that must be there.
    pub fn string(&self, problems: &mut Problems, name: &str) -> Option<Text<'v>> {
        self.typed(problems, name, "a string", text_of)
    }

    /// A string that may be missing; another type is noted.
    pub fn optional_string(&self, problems: &mut Problems, name: &str) -> Option<Text<'v>> {
        let value = self.optional(name)?;
        self.of_type(problems, name, value, "a string", text_of)
    }

    /// A string that must be there and not be empty.
    pub fn filled(&self, problems: &mut Problems, name: &str) -> Option<Text<'v>> {
        let again = problems.subject().again;
        let text = self.string(problems, name)?;
        if text.text.is_empty() {
            problems.push(|| {
                Diagnostic::error(format!("`{}` is empty", self.path(name)))
                    .label(text.span, "expected a text")
                    .help(format!("{again}, or write the value by hand"))
            });
            return None;
        }
        Some(text)
    }

    /// One of a few words.
    pub fn word(
        &self,
        problems: &mut Problems,
        name: &str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.filled(problems, name)?;
        let found = words.iter().copied().find(|word| *word == text.text);
        if found.is_none() {
            problems.push(|| {
                let help = match nearest(text.text, words) {
                    Some(candidate) => did_you_mean(candidate),
                    None => format!("write one of `{}`", words.join("`, `")),
                };
                let path = self.path(name);
                Diagnostic::error(format!("{} is no value of `{path}`", quote(text.text)))
                    .label(short(text.span), "unknown word")
                    .help(help)
            });
        }
        found
    }

    /// A boolean that must be there.
    pub fn boolean(&self, problems: &mut Problems, name: &str) -> Option<bool> {
        self.typed(problems, name, "a boolean", |value| value.as_bool())
    }

    /// A boolean that counts as false when it is missing; another type is noted.
    pub fn flag(&self, problems: &mut Problems, name: &str) -> bool {
        let flag = self.optional(name).and_then(|value| {
            self.of_type(problems, name, value, "a boolean", |value| value.as_bool())
        });
        flag.unwrap_or(false)
    }

    /// A finite number that must be there.
    pub fn number(&self, problems: &mut Problems, name: &str) -> Option<f64> {
        self.typed(problems, name, "a finite number", |value| {
            value.as_number()?.parse::<f64>().ok().filter(|number| number.is_finite())
        })
    }

    /// A list that must be there.
    pub fn list(&self, problems: &mut Problems, name: &str) -> Option<&'v [Value<'a>]> {
        self.typed(problems, name, "an array", list_of)
    }

    /// A list that may be missing; another type is noted.
    pub fn optional_list(&self, problems: &mut Problems, name: &str) -> Option<&'v [Value<'a>]> {
        let value = self.optional(name)?;
        self.of_type(problems, name, value, "an array", list_of)
    }

    /// The elements of a list that must be there, each read by `read`; none where any has a
    /// problem.
    pub fn elements<T>(
        &self,
        problems: &mut Problems,
        name: &str,
        read: impl FnMut(&mut Problems, &'v Value<'a>, FieldPlace<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.required(problems, name)?;
        elements(problems, value, &self.path(name), read)
    }
}

fn text_of<'v>(value: &'v Value<'_>) -> Option<Text<'v>> {
    value.as_str().map(|text| Text { text, span: value.span })
}

fn list_of<'v, 'a>(value: &'v Value<'a>) -> Option<&'v [Value<'a>]> {
    matches!(value.kind, Kind::Array(_)).then(|| value.elements())
}
