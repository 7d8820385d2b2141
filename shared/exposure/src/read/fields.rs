//! Objects of an exposure section and their fields.

use policy::json::{Kind, Member, Value};
pub(super) use policy::refusal::label_span;
use policy::refusal::short;
use policy::span::Span;
use policy::words::{did_you_mean, nearest, quote};

use crate::error::{Problem, Problems};

/// A text and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'v> {
    pub(super) text: &'v str,
    pub(super) span: Span,
}

/// An object all of whose fields are known.
pub(super) struct Object<'v, 'a> {
    place: String,
    span: Span,
    members: &'v [Member<'a>],
}

/// Notes that `value` is not `expected`.
pub(super) fn wrong_type(problems: &mut Problems, what: &str, value: &Value<'_>, expected: &str) {
    problems.push(|| {
        Problem::wrong_type(what, value, expected)
            .help("read the account again, or correct the value by hand")
    });
}

/// A whole number from 0 up.
pub(super) fn count(problems: &mut Problems, value: &Value<'_>, place: &str) -> Option<u64> {
    let found = match value.kind {
        Kind::Number(text) => text.parse().ok(),
        Kind::Null | Kind::Bool(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => None,
    };
    if found.is_none() {
        problems.push(|| {
            Problem::new(format!("`{place}` is not a whole number"))
                .label(label_span(value), "expected a whole number from 0 up")
                .help("sum up the delivery attempts, or write `{\"gap\": ...}` with the reason")
        });
    }
    found
}

/// A string on its own.
pub(super) fn string(problems: &mut Problems, value: &Value<'_>, place: &str) -> Option<String> {
    if let Kind::String(text) = &value.kind {
        return Some(text.to_string());
    }
    wrong_type(problems, &format!("`{place}`"), value, "a string");
    None
}

/// The elements of a list, each read by `read`; none where any has a problem.
pub(super) fn elements<T>(
    problems: &mut Problems,
    value: &Value<'_>,
    place: &str,
    mut read: impl FnMut(&mut Problems, &Value<'_>, &str) -> Option<T>,
) -> Option<Vec<T>> {
    let Kind::Array(list) = &value.kind else {
        wrong_type(problems, &format!("`{place}`"), value, "an array");
        return None;
    };
    let mut found = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        found.extend(read(problems, value, &format!("{place}[{index}]")));
    }
    (found.len() == list.len()).then_some(found)
}

impl<'v, 'a> Object<'v, 'a> {
    /// Opens an object: other types, fields that are not `known` and fields written twice are
    /// noted.
    pub(super) fn open(
        problems: &mut Problems,
        value: &'v Value<'a>,
        place: &str,
        known: &[&str],
    ) -> Option<Self> {
        let Kind::Object(members) = &value.kind else {
            wrong_type(problems, &shown(place), value, "an object");
            return None;
        };
        for (position, member) in members.iter().enumerate() {
            let earlier = members.iter().take(position);
            if let Some(first) = earlier.rev().find(|first| first.key == member.key) {
                problems.push(|| {
                    let message = format!("{} has {} twice", shown(place), quote(&member.key));
                    Problem::twice(message, first.key_span, member.key_span)
                        .help("keep one of the two")
                });
            } else if !known.contains(&member.key.as_ref()) {
                problems.push(|| {
                    let help = match nearest(&member.key, known.iter().copied()) {
                        Some(candidate) => did_you_mean(candidate),
                        None => format!("the fields here are `{}`", known.join("`, `")),
                    };
                    Problem::new(format!(
                        "unknown field {} in {}",
                        quote(&member.key),
                        shown(place)
                    ))
                    .label(short(member.key_span), "not a field of this object")
                    .help(help)
                });
            }
        }
        Some(Self { place: place.to_owned(), span: label_span(value), members })
    }

    /// The string under `name`, where `value` is an object that has one; nothing is noted.
    pub(super) fn peek(value: &'v Value<'a>, name: &str) -> Option<&'v str> {
        match &Self::peeked(value, name)?.kind {
            Kind::String(text) => Some(text.as_ref()),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => None,
        }
    }

    /// The same for a boolean.
    pub(super) fn peek_boolean(value: &'v Value<'a>, name: &str) -> Option<bool> {
        match Self::peeked(value, name)?.kind {
            Kind::Bool(flag) => Some(flag),
            Kind::Null | Kind::String(_) | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => {
                None
            }
        }
    }

    fn peeked(value: &'v Value<'a>, name: &str) -> Option<&'v Value<'a>> {
        match &value.kind {
            Kind::Object(members) => {
                members.iter().find(|member| member.key == name).map(|member| &member.value)
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Array(_) => None,
        }
    }

    /// The full name of a field.
    pub(super) fn place(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// Whether the field is there; `null` counts as absent.
    pub(super) fn has(&self, name: &str) -> bool {
        self.optional(name).is_some()
    }

    fn optional(&self, name: &str) -> Option<&'v Value<'a>> {
        let value = &self.members.iter().find(|member| member.key == name)?.value;
        (!matches!(value.kind, Kind::Null)).then_some(value)
    }

    /// The value of a field that must be there.
    pub(super) fn required(&self, problems: &mut Problems, name: &str) -> Option<&'v Value<'a>> {
        self.needed(problems, name, "read the account again, or add the field by hand")
    }

    /// The value of a field that must be there, if only as a gap.
    pub(super) fn part(&self, problems: &mut Problems, name: &str) -> Option<&'v Value<'a>> {
        let help = "read the account again; what cannot be read is written as `{\"gap\": {\"call\": \
                    \"...\", \"reason\": \"...\"}}`";
        self.needed(problems, name, help)
    }

    fn needed(&self, problems: &mut Problems, name: &str, help: &str) -> Option<&'v Value<'a>> {
        let value = self.optional(name);
        if value.is_none() {
            problems.push(|| {
                Problem::new(format!("{} has no `{name}`", shown(&self.place)))
                    .label(self.span, format!("add `{name}` to this object"))
                    .help(help)
            });
        }
        value
    }

    /// A string that must be there and not be empty.
    pub(super) fn text(&self, problems: &mut Problems, name: &str) -> Option<Text<'v>> {
        let value = self.required(problems, name)?;
        match &value.kind {
            Kind::String(text) if !text.is_empty() => Some(Text { text, span: short(value.span) }),
            Kind::String(_) => {
                problems.push(|| {
                    Problem::new(format!("`{}` is empty", self.place(name)))
                        .label(value.span, "expected a text")
                        .help("read the account again, or write the value by hand")
                });
                None
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => {
                wrong_type(problems, &format!("`{}`", self.place(name)), value, "a string");
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn word(
        &self,
        problems: &mut Problems,
        name: &str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.text(problems, name)?;
        let found = words.iter().copied().find(|word| *word == text.text);
        if found.is_none() {
            problems.push(|| {
                let help = match nearest(text.text, words.iter().copied()) {
                    Some(candidate) => did_you_mean(candidate),
                    None => format!("write one of `{}`", words.join("`, `")),
                };
                let place = self.place(name);
                Problem::new(format!("{} is no value of `{place}`", quote(text.text)))
                    .label(text.span, "unknown word")
                    .help(help)
            });
        }
        found
    }

    /// A boolean that must be there.
    pub(super) fn boolean(&self, problems: &mut Problems, name: &str) -> Option<bool> {
        let value = self.required(problems, name)?;
        if let Kind::Bool(flag) = value.kind {
            return Some(flag);
        }
        wrong_type(problems, &format!("`{}`", self.place(name)), value, "a boolean");
        None
    }

    /// A finite number that must be there.
    pub(super) fn number(&self, problems: &mut Problems, name: &str) -> Option<f64> {
        let value = self.required(problems, name)?;
        let found = match value.kind {
            Kind::Number(text) => text.parse::<f64>().ok().filter(|number| number.is_finite()),
            Kind::Null | Kind::Bool(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => None,
        };
        if found.is_none() {
            wrong_type(problems, &format!("`{}`", self.place(name)), value, "a finite number");
        }
        found
    }

    /// A TCP port that must be there.
    pub(super) fn port(&self, problems: &mut Problems, name: &str) -> Option<u16> {
        let value = self.required(problems, name)?;
        let found = match value.kind {
            Kind::Number(text) => text.parse::<u16>().ok().filter(|port| *port > 0),
            Kind::Null | Kind::Bool(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => None,
        };
        if found.is_none() {
            problems.push(|| {
                Problem::new(format!("`{}` is no TCP port", self.place(name)))
                    .label(label_span(value), "expected 1 to 65535")
                    .help("write the port that the relay connects to")
            });
        }
        found
    }

    /// A list that must be there.
    pub(super) fn list(&self, problems: &mut Problems, name: &str) -> Option<&'v [Value<'a>]> {
        let value = self.required(problems, name)?;
        if let Kind::Array(elements) = &value.kind {
            return Some(elements);
        }
        wrong_type(problems, &format!("`{}`", self.place(name)), value, "an array");
        None
    }

    /// The elements of a list that must be there, each read by `read`.
    pub(super) fn elements<T>(
        &self,
        problems: &mut Problems,
        name: &str,
        read: impl FnMut(&mut Problems, &Value<'_>, &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.required(problems, name)?;
        elements(problems, value, &self.place(name), read)
    }
}

fn shown(place: &str) -> String {
    if place.is_empty() { "the exposure section".to_owned() } else { format!("`{place}`") }
}
