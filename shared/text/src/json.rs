//! A strict JSON reader (RFC 8259) that keeps the place of every value and key.
//!
//! Nothing is repaired: duplicate keys are kept in order, numbers stay text, and the first
//! departure from the grammar ends the reading. A byte order mark at the start is skipped;
//! spans still count it.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::span::Span;

mod error;

pub use error::{JsonError, JsonErrorKind};

/// The deepest nesting that is ever read, whatever limit the caller asks for.
///
/// The reader and the destructor of [`Value`] recurse once per level.
pub const DEEPEST: usize = 1_024;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value<'a> {
    /// What it is.
    pub kind: Kind<'a>,
    /// From its first byte to its last; a string's quotes are included.
    pub span: Span,
}

/// The kinds of JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as written.
    Number(&'a str),
    /// A string without its quotes; borrowed where it has no escapes.
    String(Cow<'a, str>),
    /// The elements in order.
    Array(Vec<Value<'a>>),
    /// The members in order, duplicates included.
    Object(Vec<Member<'a>>),
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    /// The key without its quotes.
    pub key: Cow<'a, str>,
    /// The key's place, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Value<'a>,
}

impl<'a> Value<'a> {
    /// The members of an object; none for anything else.
    #[must_use]
    pub const fn members(&self) -> &[Member<'a>] {
        match &self.kind {
            Kind::Object(members) => members.as_slice(),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Array(_) => &[],
        }
    }

    /// The elements of an array; none for anything else.
    #[must_use]
    pub const fn elements(&self) -> &[Self] {
        match &self.kind {
            Kind::Array(elements) => elements.as_slice(),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Object(_) => &[],
        }
    }

    /// The first member of this name, if this is an object that has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|member| member.key == name).map(|member| &member.value)
    }

    /// As [`Self::get`], without members that are `null`.
    #[must_use]
    pub fn get_set(&self, name: &str) -> Option<&Self> {
        self.get(name).filter(|value| !value.is_null())
    }

    /// The members of an object, each as its key and value; none for anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.members().iter().map(|member| (&*member.key, &member.value))
    }

    /// The text of a string member.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::as_str)
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => None,
        }
    }

    /// The digits of a number, as written.
    #[must_use]
    pub const fn as_number(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Number(digits) => Some(digits),
            Kind::Null | Kind::Bool(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => None,
        }
    }

    /// A boolean.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(flag) => Some(flag),
            Kind::Null | Kind::Number(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => {
                None
            }
        }
    }

    /// Whether it is `true`.
    #[must_use]
    pub const fn is_true(&self) -> bool {
        matches!(self.kind, Kind::Bool(true))
    }

    /// Whether it is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Whether it is an object.
    #[must_use]
    pub const fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }

    /// Whether it is an array or an object.
    #[must_use]
    pub const fn is_container(&self) -> bool {
        matches!(self.kind, Kind::Array(_) | Kind::Object(_))
    }

    /// Whether both say the same, apart from white space and the order of keys.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Array(one), Kind::Array(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|(one, other)| one.says_the_same(other))
            }
            (Kind::Object(one), Kind::Object(other)) => {
                one.len() == other.len()
                    && by_key(one).iter().zip(by_key(other)).all(|(one, other)| {
                        one.key == other.key && one.value.says_the_same(&other.value)
                    })
            }
            (one, other) => one == other,
        }
    }

    /// The kind in words, for messages: `an array`, `null`.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "an array",
            Kind::Object(_) => "an object",
        }
    }
}

/// The members sorted by key, equal keys in the order of the text.
fn by_key<'m, 'a>(members: &'m [Member<'a>]) -> Vec<&'m Member<'a>> {
    let mut sorted: Vec<&Member<'_>> = members.iter().collect();
    sorted.sort_by(|left, right| left.key.cmp(&right.key));
    sorted
}

/// Every two members that follow one another under the same key, the first one first.
#[must_use]
pub fn duplicates<'m, 'a>(members: &'m [Member<'a>]) -> Vec<(&'m Member<'a>, &'m Member<'a>)> {
    let sorted = by_key(members);
    let pairs = sorted.iter().zip(sorted.iter().skip(1));
    pairs.filter(|(one, other)| one.key == other.key).map(|(one, other)| (*one, *other)).collect()
}

/// A value as JSON without white space.
impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            Kind::Null => f.write_str("null"),
            Kind::Bool(flag) => write!(f, "{flag}"),
            Kind::Number(number) => f.write_str(number),
            Kind::String(text) => write_text(text, f),
            Kind::Array(elements) => {
                f.write_str("[")?;
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        f.write_str(",")?;
                    }
                    element.fmt(f)?;
                }
                f.write_str("]")
            }
            Kind::Object(members) => {
                f.write_str("{")?;
                for (position, member) in members.iter().enumerate() {
                    if position > 0 {
                        f.write_str(",")?;
                    }
                    write_text(&member.key, f)?;
                    f.write_str(":")?;
                    member.value.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_text(text: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\""),
            '\\' => f.write_str("\\\\"),
            '\n' => f.write_str("\\n"),
            '\r' => f.write_str("\\r"),
            '\t' => f.write_str("\\t"),
            control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control)),
            plain => f.write_char(plain),
        }?;
    }
    f.write_char('"')
}

/// Reads one JSON document.
///
/// `max_depth` counts nested arrays and objects; `[[]]` has depth 2. Limits above [`DEEPEST`]
/// are taken as [`DEEPEST`].
///
/// # Errors
/// The first place where the text is not JSON, or where it nests deeper than allowed.
pub fn parse(text: &str, max_depth: usize) -> Result<Value<'_>, JsonError> {
    let mut reader =
        Reader { text, bytes: text.as_bytes(), at: 0, max_depth: max_depth.min(DEEPEST) };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    reader.skip_space();
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.at < reader.bytes.len() {
        return Err(reader.error_here(JsonErrorKind::TrailingText));
    }
    Ok(value)
}

/// Reads one JSON document from bytes that ought to be UTF-8.
///
/// # Errors
/// As [`parse`], and [`JsonErrorKind::NotUtf8`] with the place of the first bad byte.
pub fn from_bytes(bytes: &[u8], max_depth: usize) -> Result<Value<'_>, JsonError> {
    parse(decode(bytes)?, max_depth)
}

/// The text in `bytes`.
///
/// # Errors
/// [`JsonErrorKind::NotUtf8`] with the place of the first bad byte.
pub fn decode(bytes: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let start = error.valid_up_to();
        let length = error.error_len().unwrap_or(bytes.len() - start);
        JsonError::new(JsonErrorKind::NotUtf8, Span::new(start, start + length))
    })
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    max_depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The span of the word or character at the reading position.
    fn token_span(&self) -> Span {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = rest.bytes().take(40).take_while(u8::is_ascii_alphanumeric).count();
        let length = if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) };
        Span::new(self.at, self.at + length)
    }

    /// The last character that is no white space; empty where there is none.
    fn last_span(&self) -> Span {
        let body = self.text.trim_end_matches([' ', '\t', '\n', '\r', '\u{feff}']);
        let length = body.chars().next_back().map_or(0, char::len_utf8);
        Span::new(body.len() - length, body.len())
    }

    fn error_here(&self, kind: JsonErrorKind) -> JsonError {
        JsonError::new(kind, self.token_span())
    }

    fn unexpected(&self, expected: &'static str) -> JsonError {
        if self.at >= self.bytes.len() {
            return JsonError::new(JsonErrorKind::UnexpectedEnd { expected }, self.last_span());
        }
        let span = self.token_span();
        let found = self.slice(span.start, span.end).to_owned();
        JsonError::new(JsonErrorKind::Unexpected { expected, found }, span)
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, JsonError> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => Kind::String(self.string()?),
            Some(b'{') => self.object(self.deeper(depth)?)?,
            Some(b'[') => self.array(self.deeper(depth)?)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Value { kind, span: Span::new(start, self.at) })
    }

    fn deeper(&self, depth: usize) -> Result<usize, JsonError> {
        if depth < self.max_depth {
            Ok(depth + 1)
        } else {
            Err(self.error_here(JsonErrorKind::TooDeep { limit: self.max_depth }))
        }
    }

    fn word(&mut self) -> Result<Kind<'a>, JsonError> {
        let span = self.token_span();
        let kind = match self.slice(span.start, span.end) {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            _ => return Err(self.unexpected("a value")),
        };
        self.at = span.end;
        Ok(kind)
    }

    fn array(&mut self, depth: usize) -> Result<Kind<'a>, JsonError> {
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Ok(Kind::Array(elements));
        }
        loop {
            elements.push(self.value(depth)?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Kind::Array(elements));
            }
            self.comma(b']', "`,` or `]`")?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Kind<'a>, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.eat(b'}') {
            return Ok(Kind::Object(members));
        }
        loop {
            let key_start = self.at;
            if self.peek() != Some(b'"') {
                let expected =
                    if members.is_empty() { "a key in double quotes or `}`" } else { KEY };
                return Err(self.unexpected(expected));
            }
            let key = self.string()?;
            let key_span = Span::new(key_start, self.at);
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.unexpected("`:` after the key"));
            }
            self.skip_space();
            let value = self.value(depth)?;
            members.push(Member { key, key_span, value });
            self.skip_space();
            if self.eat(b'}') {
                return Ok(Kind::Object(members));
            }
            self.comma(b'}', "`,` or `}`")?;
        }
    }

    /// Steps over a comma and the space after it; `close` may not follow.
    fn comma(&mut self, close: u8, expected: &'static str) -> Result<(), JsonError> {
        let comma = self.at;
        if !self.eat(b',') {
            return Err(self.unexpected(expected));
        }
        self.skip_space();
        if self.peek() == Some(close) {
            let span = Span::new(comma, comma + 1);
            return Err(JsonError::new(JsonErrorKind::TrailingComma, span));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Kind<'a>, JsonError> {
        let start = self.at;
        self.eat(b'-');
        let first = self.peek();
        let digits = self.digits("a digit")?;
        if first == Some(b'0') && digits > 1 {
            let span = Span::new(start, self.at);
            return Err(JsonError::new(JsonErrorKind::LeadingZero, span));
        }
        if self.eat(b'.') {
            self.digits("a digit after the decimal point")?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits("a digit in the exponent")?;
        }
        Ok(Kind::Number(self.slice(start, self.at)))
    }

    fn digits(&mut self, expected: &'static str) -> Result<usize, JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected(expected)) } else { Ok(self.at - start) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let open = self.at;
        self.at += 1;
        let mut owned: Option<String> = None;
        loop {
            let run = self.at;
            self.skip_ordinary();
            let piece = self.slice(run, self.at);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(piece),
                        Some(mut text) => {
                            text.push_str(piece);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(piece);
                    text.push(self.escape()?);
                }
                Some(control) => {
                    let kind = JsonErrorKind::ControlCharacter(char::from(control));
                    return Err(JsonError::new(kind, Span::new(self.at, self.at + 1)));
                }
                None => {
                    let span = Span::new(open, open + 1);
                    return Err(JsonError::new(JsonErrorKind::UnclosedString, span));
                }
            }
        }
    }

    /// Moves to the next quote, backslash, control character or the end.
    fn skip_ordinary(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let stop = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        self.at += stop.unwrap_or(rest.len());
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 1;
        let plain = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape(start);
            }
            Some(_) => {
                let length = self.text.get(self.at..).and_then(|rest| rest.chars().next());
                let end = self.at + length.map_or(0, char::len_utf8);
                return Err(JsonError::new(JsonErrorKind::BadEscape, Span::new(start, end)));
            }
            None => return Err(self.unexpected("the rest of an escape")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// The character of `\uXXXX`, or of a surrogate pair; `start` is at the backslash.
    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonError> {
        let first = self.hex4(start)?;
        if let Some(plain) = char::from_u32(first) {
            return Ok(plain);
        }
        let lone = JsonError::new(JsonErrorKind::LoneSurrogate, Span::new(start, self.at));
        let low_start = self.at;
        if first >= 0xdc00 || self.slice(low_start, low_start + 2) != "\\u" {
            return Err(lone);
        }
        self.at += 2;
        let second = self.hex4(low_start)?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(lone);
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(lone)
    }

    fn hex4(&mut self, start: usize) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                if self.at >= self.bytes.len() {
                    return Err(self.unexpected("four hexadecimal digits"));
                }
                let span = Span::new(start, self.at);
                return Err(JsonError::new(JsonErrorKind::BadEscape, span));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

const KEY: &str = "a key in double quotes";

#[cfg(test)]
mod tests;
