//! Objects of a snapshot and their fields.

use policy::json::{Kind, Member, Value};
pub(super) use policy::refusal::{label_span, short};
use policy::span::Span;

use crate::error::{Problem, Problems};
use crate::id::MalformedId;
use crate::suggest::quote;

/// Where an object stands, for messages; made into text only when there is one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The snapshot itself.
    Top,
    /// A member of the snapshot.
    Member(&'static str),
    /// An element of a list.
    Element(&'static str, usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Top => f.write_str("the snapshot"),
            Self::Member(name) => write!(f, "`{name}`"),
            Self::Element(list, index) => write!(f, "`{list}[{index}]`"),
        }
    }
}

/// A text and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'v> {
    pub(super) text: &'v str,
    pub(super) span: Span,
}

/// An object whose known fields were looked up.
pub(super) struct Fields<'v, 'a, const N: usize> {
    place: Place,
    span: Span,
    names: &'static [&'static str; N],
    values: [Option<&'v Value<'a>>; N],
}

/// Notes that `value` is not `expected`.
pub(super) fn wrong_type(problems: &mut Problems, what: &str, value: &Value<'_>, expected: &str) {
    problems.push(|| {
        Problem::wrong_type(what, value, expected)
            .help("fetch the snapshot again, or correct the value by hand")
    });
}

/// Notes that an id does not have its shape.
pub(super) fn malformed(problems: &mut Problems, text: Text<'_>, error: &MalformedId) {
    problems.push(|| {
        Problem::new(error.to_string())
            .label(short(text.span), "this id")
            .help("write the id as AWS Organizations shows it")
    });
}

impl<'v, 'a, const N: usize> Fields<'v, 'a, N> {
    /// Looks up `names` in an object; anything but an object, and a key written twice, is noted.
    pub(super) fn of(
        problems: &mut Problems,
        value: &'v Value<'a>,
        place: Place,
        names: &'static [&'static str; N],
    ) -> Option<Self> {
        let Kind::Object(members) = &value.kind else {
            wrong_type(problems, &place.to_string(), value, "an object");
            return None;
        };
        refuse_duplicate_keys(problems, members, place);
        let mut values = [None; N];
        for member in members {
            let known = names.iter().position(|name| *name == member.key);
            if let Some(slot) = known.and_then(|position| values.get_mut(position)) {
                *slot = Some(&member.value);
            }
        }
        Some(Self { place, span: label_span(value), names, values })
    }

    /// The value of a field; `null` counts as absent.
    pub(super) fn optional(&self, name: &'static str) -> Option<&'v Value<'a>> {
        let position = self.names.iter().position(|other| *other == name)?;
        let value = self.values.get(position).copied().flatten()?;
        (!matches!(value.kind, Kind::Null)).then_some(value)
    }

    /// The value of a field that must be there.
    pub(super) fn required(
        &self,
        problems: &mut Problems,
        name: &'static str,
    ) -> Option<&'v Value<'a>> {
        let value = self.optional(name);
        if value.is_none() {
            problems.push(|| {
                Problem::new(format!("{} has no `{name}`", self.place))
                    .label(self.span, format!("add `{name}` to this object"))
                    .help("fetch the snapshot again, or add the field by hand")
            });
        }
        value
    }

    fn string(
        &self,
        problems: &mut Problems,
        name: &'static str,
        value: &'v Value<'a>,
    ) -> Option<Text<'v>> {
        if let Kind::String(text) = &value.kind {
            return Some(Text { text, span: value.span });
        }
        wrong_type(problems, &self.named(name), value, "a string");
        None
    }

    /// The field's full name, for messages.
    pub(super) fn named(&self, name: &str) -> String {
        match self.place {
            Place::Top => format!("`{name}`"),
            Place::Member(member) => format!("`{member}.{name}`"),
            Place::Element(list, index) => format!("`{list}[{index}].{name}`"),
        }
    }

    /// A string that must be there.
    pub(super) fn required_string(
        &self,
        problems: &mut Problems,
        name: &'static str,
    ) -> Option<Text<'v>> {
        let value = self.required(problems, name)?;
        self.string(problems, name, value)
    }

    /// A string that may be missing; another type is noted.
    pub(super) fn optional_string(
        &self,
        problems: &mut Problems,
        name: &'static str,
    ) -> Option<Text<'v>> {
        let value = self.optional(name)?;
        self.string(problems, name, value)
    }

    /// A boolean that counts as false when it is missing; another type is noted.
    pub(super) fn flag(&self, problems: &mut Problems, name: &'static str) -> bool {
        let Some(value) = self.optional(name) else { return false };
        if let Kind::Bool(flag) = value.kind {
            return flag;
        }
        wrong_type(problems, &self.named(name), value, "a boolean");
        false
    }

    /// A list; any other type is noted.
    pub(super) fn list(
        &self,
        problems: &mut Problems,
        name: &'static str,
        value: Option<&'v Value<'a>>,
    ) -> &'v [Value<'a>] {
        let Some(value) = value else { return &[] };
        if let Kind::Array(elements) = &value.kind {
            return elements;
        }
        wrong_type(problems, &self.named(name), value, "an array");
        &[]
    }

    /// A list that must be there.
    pub(super) fn required_list(
        &self,
        problems: &mut Problems,
        name: &'static str,
    ) -> &'v [Value<'a>] {
        let value = self.required(problems, name);
        self.list(problems, name, value)
    }
}

/// Notes every key that an object has twice.
fn refuse_duplicate_keys(problems: &mut Problems, members: &[Member<'_>], place: Place) {
    let mut note = |first: &Member<'_>, second: &Member<'_>| {
        problems.push(|| {
            let message = format!("{place} has {} twice", quote(&second.key));
            Problem::twice(message, first.key_span, second.key_span).help("keep one of the two")
        });
    };
    if members.len() <= 16 {
        for (position, second) in members.iter().enumerate() {
            let earlier = members.iter().take(position);
            if let Some(first) = earlier.rev().find(|first| first.key == second.key) {
                note(first, second);
            }
        }
        return;
    }
    let mut sorted: Vec<&Member<'_>> = members.iter().collect();
    sorted.sort_by(|left, right| left.key.cmp(&right.key));
    for pair in sorted.windows(2) {
        if let [first, second] = pair
            && first.key == second.key
        {
            note(first, second);
        }
    }
}
