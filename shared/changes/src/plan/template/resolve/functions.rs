//! The intrinsic functions one by one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use text::json::{Kind, Value};
use text::span::Span;
use text::words::quote;

use super::{Resolved, Resolver, Unresolved, refuse_dynamic, scalar};

/// A value in a text of `Fn::Sub`, or the text between.
enum SubPiece<'a> {
    Text(&'a str),
    Name(&'a str),
}

impl<'t> Resolver<'_, 't, '_> {
    /// What a function gives for its argument; `span` is that of the whole.
    pub(super) fn function(
        &mut self,
        name: &str,
        argument: &Value<'t>,
        span: Span,
    ) -> Result<Resolved<'t>, Unresolved> {
        let wrong = || Unresolved::new(span, format!("{} has other arguments", quote(name)));
        let string = |text: String| {
            Ok(Resolved::Value(Value { kind: Kind::String(Cow::Owned(text)), span }))
        };
        let arguments = argument.elements();
        match (name, arguments) {
            ("Ref", _) => self.reference(argument.as_str().ok_or_else(wrong)?, span),
            ("Fn::Sub", _) => {
                let text = self.substituted(argument, span)?;
                string(text)
            }
            ("Fn::Join", [between, list]) => {
                let between = self.text(between)?;
                let mut parts = Vec::new();
                for part in self.list(list)? {
                    let part = scalar(&part)?;
                    self.spend(span, part.len() + between.len())?;
                    parts.push(part);
                }
                let joined = parts.join(&between);
                refuse_dynamic(&joined, span)?;
                string(joined)
            }
            ("Fn::Split", [between, whole]) => {
                let between = self.text(between)?;
                let whole = self.text(whole)?;
                if between.is_empty() {
                    return Err(wrong());
                }
                let part =
                    |part: &str| Value { kind: Kind::String(Cow::Owned(part.to_owned())), span };
                let parts = whole.split(&between).map(part).collect();
                Ok(Resolved::Value(Value { kind: Kind::Array(parts), span }))
            }
            ("Fn::Select", [at, list]) => {
                let at: usize = self.text(at)?.parse().map_err(|_| wrong())?;
                let list = self.list(list)?;
                let element = list.into_iter().nth(at).ok_or_else(wrong)?;
                Ok(Resolved::Value(element))
            }
            ("Fn::GetAtt", [resource, attribute]) => {
                let resource = resource.as_str().ok_or_else(wrong)?;
                let attribute = self.text(attribute)?;
                self.attribute(resource, Some(&attribute), span)
            }
            ("Fn::GetAtt", []) => {
                let both = argument.as_str().and_then(|both| both.split_once('.'));
                let (resource, attribute) = both.ok_or_else(wrong)?;
                self.attribute(resource, Some(attribute), span)
            }
            ("Fn::FindInMap", [map, first, second]) => {
                // Only what is written out: a key may come from a parameter with `NoEcho`.
                let path = [map, first, second].map(|key| key.as_str().unwrap_or("?")).join(".");
                let (map, first) = (self.text(map)?, self.text(first)?);
                let second = self.text(second)?;
                let found = self.mappings.get(map.as_str()).copied();
                let found = found.and_then(|map| map.get(&first)?.get(&second));
                let found = found.ok_or_else(|| {
                    Unresolved::new(span, format!("the mappings have no {}", quote(&path)))
                })?;
                self.value(found)
            }
            ("Fn::If", [condition, yes, no]) => {
                let condition = condition.as_str().ok_or_else(wrong)?;
                let chosen = if self.condition(condition, span)? { yes } else { no };
                self.value(chosen)
            }
            ("Fn::ToJsonString", _) => match self.value(argument)? {
                Resolved::Value(value) => string(value.to_string()),
                Resolved::Nothing => Err(wrong()),
            },
            (
                "Fn::Join" | "Fn::Split" | "Fn::Select" | "Fn::GetAtt" | "Fn::FindInMap" | "Fn::If",
                _,
            ) => Err(wrong()),
            _ => Err(Unresolved::new(
                span,
                format!("what {} gives is known only when the stack is deployed", quote(name)),
            )),
        }
    }

    /// A list, resolved.
    fn list(&mut self, value: &Value<'t>) -> Result<Vec<Value<'t>>, Unresolved> {
        match self.value(value)? {
            Resolved::Value(Value { kind: Kind::Array(elements), .. }) => Ok(elements),
            Resolved::Value(other) => {
                let message = format!("a list should stand here, and not {}", other.kind_name());
                Err(Unresolved::new(value.span, message))
            }
            Resolved::Nothing => {
                Err(Unresolved::new(value.span, "a list should stand here, and not `AWS::NoValue`"))
            }
        }
    }

    fn substituted(&mut self, argument: &Value<'t>, span: Span) -> Result<String, Unresolved> {
        let wrong = || Unresolved::new(span, "`Fn::Sub` has other arguments");
        let (template, own) = match (argument.as_str(), argument.elements()) {
            (Some(template), _) => (template, None),
            (None, [template, own]) => (template.as_str().ok_or_else(wrong)?, Some(own)),
            (None, _) => return Err(wrong()),
        };
        let mut names = BTreeMap::new();
        for (name, value) in own.into_iter().flat_map(Value::entries) {
            names.insert(name, self.text(value)?);
        }
        let mut out = String::new();
        for piece in pieces(template) {
            match piece {
                SubPiece::Text(text) => out.push_str(text),
                SubPiece::Name(name) => match names.get(name) {
                    Some(text) => out.push_str(text),
                    None => out.push_str(&self.named(name, span)?),
                },
            }
            if out.len() > 1_000_000 {
                return Err(Unresolved::new(span, "the text that it makes is too long"));
            }
        }
        self.spend(span, out.len())?;
        refuse_dynamic(&out, span)?;
        Ok(out)
    }

    /// `${Name}` or `${Name.Attribute}`.
    fn named(&mut self, name: &str, span: Span) -> Result<String, Unresolved> {
        let resolved = match name.split_once('.') {
            Some((resource, attribute)) => self.attribute(resource, Some(attribute), span)?,
            None if name.contains(':') && !name.starts_with("AWS::") => {
                let message = format!("`Fn::Sub` takes `${{{name}}}` for a reference");
                return Err(Unresolved::new(span, message).help(format!(
                    "write `${{!{name}}}` for the policy variable, or leave out `Fn::Sub`"
                )));
            }
            None => self.reference(name, span)?,
        };
        match resolved {
            Resolved::Value(value) => scalar(&value),
            Resolved::Nothing => Err(Unresolved::new(span, "`AWS::NoValue` is no text")),
        }
    }

    /// Whether an expression of the section `Conditions` holds.
    pub(super) fn holds(&mut self, condition: &Value<'t>) -> Result<bool, Unresolved> {
        let span = condition.span;
        self.spend(span, 0)?;
        let wrong = || Unresolved::new(span, "a condition cannot be read");
        let mut found = condition.entries();
        let (Some((name, argument)), None) = (found.next(), found.next()) else {
            return Err(wrong());
        };
        match (name, argument.elements()) {
            ("Condition", _) => self.condition(argument.as_str().ok_or_else(wrong)?, span),
            ("Fn::Equals", [one, other]) => {
                let (one, other) = (self.value(one)?, self.value(other)?);
                match (one, other) {
                    (Resolved::Value(one), Resolved::Value(other)) => Ok(same(&one, &other)),
                    (Resolved::Nothing, _) | (_, Resolved::Nothing) => Err(wrong()),
                }
            }
            ("Fn::Not", [only]) => Ok(!self.holds(only)?),
            // Every part is looked at: one that cannot be told makes the whole doubtful.
            ("Fn::And", parts @ [_, ..]) => {
                let mut all = true;
                for part in parts {
                    all &= self.holds(part)?;
                }
                Ok(all)
            }
            ("Fn::Or", parts @ [_, ..]) => {
                let mut any = false;
                for part in parts {
                    any |= self.holds(part)?;
                }
                Ok(any)
            }
            _ => Err(wrong()),
        }
    }
}

/// Equality as conditions have it: of texts, whatever they are made of.
fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (scalar(one), scalar(other)) {
        (Ok(one), Ok(other)) => one == other,
        (Err(_), _) | (_, Err(_)) => one.to_string() == other.to_string(),
    }
}

/// Cuts a text of `Fn::Sub`; `${!x}` stands for `${x}` itself.
fn pieces(template: &str) -> Vec<SubPiece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once("${") {
        let Some((name, after)) = behind.split_once('}') else { break };
        pieces.push(SubPiece::Text(before));
        match name.strip_prefix('!') {
            Some(literal) => {
                pieces.push(SubPiece::Text("${"));
                pieces.push(SubPiece::Text(literal));
                pieces.push(SubPiece::Text("}"));
            }
            None => pieces.push(SubPiece::Name(name.trim())),
        }
        rest = after;
    }
    pieces.push(SubPiece::Text(rest));
    pieces
}
