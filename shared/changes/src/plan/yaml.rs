//! CloudFormation's YAML as the values that its JSON would give.
//!
//! Short tags become their long form. Where YAML 1.1, which CloudFormation reads, takes a plain
//! scalar for something that JSON has no word for (`yes`, `0x1F`, `1_000`), its place is kept:
//! whoever uses such a scalar asks for quotes.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use text::diagnostic::Diagnostic;
use text::json::{DEEPEST, Kind, Member, Value};
use text::span::Span;

/// A YAML document.
pub(super) struct Yaml<'t> {
    pub(super) value: Value<'t>,
    /// The places of scalars of which it is open what they mean, in order.
    pub(super) doubtful: Vec<Span>,
}

/// A collection that is not closed yet.
struct Open<'t> {
    start: usize,
    tag: Option<String>,
    content: YamlContent<'t>,
}

enum YamlContent<'t> {
    Sequence(Vec<Value<'t>>),
    /// The members, and a key that waits for its value.
    Mapping(Vec<Member<'t>>, Option<(Cow<'t, str>, Span)>),
}

struct Builder<'t> {
    text: &'t str,
    /// The byte of every character; empty where all characters are one byte.
    bytes: Vec<usize>,
    open: Vec<Open<'t>>,
    done: Option<Value<'t>>,
    doubtful: Vec<Span>,
}

/// Reads one document.
pub(super) fn parse(text: &str) -> Result<Yaml<'_>, Diagnostic> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let skipped = text.len() - body.len();
    let bytes = if body.is_ascii() {
        Vec::new()
    } else {
        body.char_indices().map(|(at, _)| at).chain([body.len()]).collect()
    };
    let mut builder =
        Builder { text: body, bytes, open: Vec::new(), done: None, doubtful: Vec::new() };
    let mut documents = 0;
    for event in Parser::new_from_str(body) {
        let (event, span) = event.map_err(|error| {
            let at = builder.byte(error.marker().index());
            Diagnostic::error_at(Span::new(at + skipped, at + skipped), "the plan is not YAML")
                .here(error.info())
                .help("check the indentation and the quotes here and in the line before")
        })?;
        let span = Span::new(builder.byte(span.start.index()), builder.byte(span.end.index()));
        documents += usize::from(matches!(event, Event::DocumentStart(_)));
        let result = if documents > 1 {
            Err(Diagnostic::error_at(span, "there is a second document")
                .here("begins here")
                .help("give one template"))
        } else {
            builder.event(event, span)
        };
        result.map_err(|problem| problem.placed(|span| moved(span, skipped)))?;
    }
    let value = builder.done.unwrap_or(Value { kind: Kind::Null, span: Span::new(0, 0) });
    let mut yaml = Yaml { value, doubtful: builder.doubtful };
    if skipped > 0 {
        shift(&mut yaml.value, skipped);
        yaml.doubtful.iter_mut().for_each(|span| *span = moved(*span, skipped));
    }
    Ok(yaml)
}

const fn moved(span: Span, by: usize) -> Span {
    Span::new(span.start.saturating_add(by), span.end.saturating_add(by))
}

fn shift(value: &mut Value<'_>, by: usize) {
    value.span = moved(value.span, by);
    match &mut value.kind {
        Kind::Array(elements) => elements.iter_mut().for_each(|element| shift(element, by)),
        Kind::Object(members) => {
            for member in members {
                member.key_span = moved(member.key_span, by);
                shift(&mut member.value, by);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
    }
}

impl<'t> Builder<'t> {
    fn byte(&self, character: usize) -> usize {
        if self.bytes.is_empty() {
            return character.min(self.text.len());
        }
        self.bytes.get(character).copied().unwrap_or(self.text.len())
    }

    fn event(&mut self, event: Event<'t>, span: Span) -> Result<(), Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                no_anchor(anchor, span)?;
                let value = self.scalar(text, style, tag.as_deref(), span);
                self.put(value)
            }
            Event::SequenceStart(anchor, tag) => {
                no_anchor(anchor, span)?;
                self.begin(span, tag.as_deref(), YamlContent::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                no_anchor(anchor, span)?;
                self.begin(span, tag.as_deref(), YamlContent::Mapping(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let span = Span::new(open.start, span.end.max(open.start));
                let kind = match open.content {
                    YamlContent::Sequence(elements) => Kind::Array(elements),
                    YamlContent::Mapping(members, _) => Kind::Object(members),
                };
                self.put(long_form(open.tag, Value { kind, span }))
            }
            Event::Alias(_) => {
                Err(Diagnostic::error_at(span, "CloudFormation takes no YAML aliases")
                    .here("an alias")
                    .help("write the value out, or give the template that is deployed"))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(
        &mut self,
        span: Span,
        tag: Option<&Tag>,
        content: YamlContent<'t>,
    ) -> Result<(), Diagnostic> {
        // A tag adds a level of its own.
        if self.open.len() >= DEEPEST / 2 {
            return Err(Diagnostic::error_at(span, format!("nested deeper than {}", DEEPEST / 2))
                .here("one level too many")
                .help("CloudFormation refuses such a template too"));
        }
        let tag = tag.and_then(function);
        self.open.push(Open { start: span.start, tag, content });
        Ok(())
    }

    /// A value is complete: it goes where it belongs.
    fn put(&mut self, value: Value<'t>) -> Result<(), Diagnostic> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.done = Some(value),
            Some(YamlContent::Sequence(elements)) => elements.push(value),
            Some(YamlContent::Mapping(members, waiting)) => match waiting.take() {
                Some((key, key_span)) => members.push(Member { key, key_span, value }),
                None => *waiting = Some(key(self.text, value)?),
            },
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Value<'t> {
        let tagged = tag.and_then(function);
        let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
        if tag.is_some() && tagged.is_none() && !is_text {
            self.doubtful.push(span);
        }
        let plain = matches!(style, ScalarStyle::Plain) && tagged.is_none() && !is_text;
        let kind = if plain { self.plain(text, span) } else { Kind::String(text) };
        long_form(tagged, Value { kind, span })
    }

    fn plain(&mut self, text: Cow<'t, str>, span: Span) -> Kind<'t> {
        match &*text {
            "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
            "true" | "True" | "TRUE" => return Kind::Bool(true),
            "false" | "False" | "FALSE" => return Kind::Bool(false),
            _ => {}
        }
        let source = self.text.get(span.start..span.end).unwrap_or_default();
        if source == text && is_json_number(source) {
            return Kind::Number(source);
        }
        if is_doubtful(&text) {
            self.doubtful.push(span);
        }
        Kind::String(text)
    }
}

/// CloudFormation refuses anchors, which nothing but aliases could use.
fn no_anchor(anchor: usize, span: Span) -> Result<(), Diagnostic> {
    if anchor == 0 {
        return Ok(());
    }
    Err(Diagnostic::error_at(span.first(), "CloudFormation takes no YAML anchors")
        .here("has an anchor")
        .help("write the value out, or give the template that is deployed"))
}

/// A key as text; YAML has others.
fn key<'t>(text: &'t str, value: Value<'t>) -> Result<(Cow<'t, str>, Span), Diagnostic> {
    let span = value.span;
    let key = match value.kind {
        Kind::String(key) => key,
        Kind::Number(number) => Cow::Borrowed(number),
        Kind::Bool(_) => Cow::Borrowed(text.get(span.start..span.end).unwrap_or_default()),
        Kind::Null | Kind::Array(_) | Kind::Object(_) => {
            return Err(Diagnostic::error_at(span.first(), "a key must be a text")
                .here("this key")
                .help("put it in quotes"));
        }
    };
    if key == "<<" {
        return Err(Diagnostic::error_at(span, "CloudFormation takes no merged mappings")
            .here("`<<` merges")
            .help("write the members out"));
    }
    Ok((key, span))
}

/// The intrinsic function that a short tag stands for.
fn function(tag: &Tag) -> Option<String> {
    if tag.handle != "!" {
        return None;
    }
    Some(match tag.suffix.as_str() {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    })
}

/// `!GetAtt a.b` and its like as JSON would have them.
fn long_form(function: Option<String>, value: Value<'_>) -> Value<'_> {
    let Some(function) = function else { return value };
    let span = value.span;
    let mut kind = value.kind;
    if let Kind::String(text) = &kind
        && function == "Fn::GetAtt"
    {
        let (resource, attribute) = text.split_once('.').unwrap_or((text, ""));
        let part = |part: &str| Value { kind: Kind::String(Cow::Owned(part.to_owned())), span };
        kind = Kind::Array(vec![part(resource), part(attribute)]);
    }
    let member = Member { key: Cow::Owned(function), key_span: span, value: Value { kind, span } };
    Value { kind: Kind::Object(vec![member]), span }
}

fn is_json_number(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    starts
        && text::json::parse(text, 1)
            .is_ok_and(|value| matches!(value.kind, Kind::Number(_)) && value.span.start == 0)
}

/// Whether YAML 1.1 takes a plain scalar for a boolean or number that JSON writes otherwise.
fn is_doubtful(text: &str) -> bool {
    if text.len() <= 3 {
        let lower = text.to_ascii_lowercase();
        if matches!(lower.as_str(), "y" | "n" | "yes" | "no" | "on" | "off") {
            return true;
        }
    }
    let (signed, body) = match text.strip_prefix(['+', '-']) {
        Some(body) => (true, body),
        None => (false, text),
    };
    let lower = body.to_ascii_lowercase();
    if matches!(lower.as_str(), ".inf" | ".nan") {
        return true;
    }
    let only = |rest: &str, allowed: fn(char) -> bool| {
        !rest.is_empty() && rest.chars().all(|c| c == '_' || allowed(c))
    };
    if let Some(rest) = lower.strip_prefix("0x") {
        return only(rest, |c| c.is_ascii_hexdigit());
    }
    if let Some(rest) = lower.strip_prefix("0b") {
        return only(rest, |c| matches!(c, '0' | '1'));
    }
    if let Some(rest) = lower.strip_prefix('0')
        && only(rest, |c| matches!(c, '0'..='7'))
    {
        return true;
    }
    let begins = body.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let digit = body.contains(|c: char| c.is_ascii_digit());
    let number = only(&lower, |c| c.is_ascii_digit() || matches!(c, '.' | 'e' | '+' | '-'));
    let sixty = body.contains(':')
        && body.split(':').skip(1).all(|part| {
            part.len() <= 2 && only(part.trim_end_matches('.'), |c| c.is_ascii_digit())
        })
        && body.split(':').next().is_some_and(|first| only(first, |c| c.is_ascii_digit()));
    if sixty {
        return true;
    }
    // What JSON reads as a number never comes here: left are signs, underscores and bare points.
    let odd = signed || body.contains('_') || body.starts_with('.') || body.ends_with('.');
    let dots = body.matches('.').count();
    begins && digit && number && odd && dots <= 1 && !body.contains('-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn json(text: &str) -> String {
        parse(text).ok().unwrap().value.to_string()
    }

    #[test]
    fn short_tags_take_their_long_form() {
        assert_eq!(json("a: !Ref B"), r#"{"a":{"Ref":"B"}}"#);
        assert_eq!(json("a: !GetAtt B.C.D"), r#"{"a":{"Fn::GetAtt":["B","C.D"]}}"#);
        assert_eq!(
            json("!Join ['', [a, !Sub '${B}']]"),
            r#"{"Fn::Join":["",["a",{"Fn::Sub":"${B}"}]]}"#
        );
        assert_eq!(json("!Not [!Condition C]"), r#"{"Fn::Not":[{"Condition":"C"}]}"#);
    }

    #[test]
    fn plain_scalars_are_what_cloudformation_takes_them_for() {
        let text =
            "[2012-10-17, 123456789012, 012345678901, true, ~, 1.5, '1', arn:aws:x, 1.2.3.4]";
        let expected =
            r#"["2012-10-17",123456789012,"012345678901",true,null,1.5,"1","arn:aws:x","1.2.3.4"]"#;
        assert_eq!(json(text), expected);
        assert_eq!(parse(text).ok().unwrap().doubtful, []);
    }

    #[test]
    fn scalars_that_older_yaml_reads_otherwise_are_doubtful() {
        for text in
            ["yes", "No", "on", "0777", "0x1F", "1_000", "+1", ".5", "20:30:40", "!!int '3'"]
        {
            assert_eq!(parse(&format!("[{text}]")).ok().unwrap().doubtful.len(), 1, "{text}");
        }
        for text in ["'yes'", "!!str yes", "!Ref yes", "p-12345678", "2001:db8::1", "10.0.0.0/8"] {
            assert_eq!(parse(&format!("[{text}]")).ok().unwrap().doubtful.len(), 0, "{text}");
        }
    }

    #[test]
    fn places_are_bytes_whatever_the_characters() {
        let text = "\u{feff}é: [\"ü\", !Ref b]\n";
        let yaml = parse(text).ok().unwrap();
        let Kind::Object(members) = &yaml.value.kind else { unreachable!() };
        let Kind::Array(elements) = &members[0].value.kind else { unreachable!() };
        let slice = |span: Span| text.get(span.start..span.end).unwrap();
        assert_eq!(slice(members[0].key_span), "é");
        assert_eq!(slice(elements[0].span), "\"ü\"");
        assert!(slice(elements[1].span).ends_with('b'));
    }

    #[test]
    fn what_cloudformation_refuses_is_refused() {
        for text in ["a: &x 1", "a: *x", "<<: {a: 1}", "[", "a: 1\n---\nb: 2", "? [a]\n: b"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
