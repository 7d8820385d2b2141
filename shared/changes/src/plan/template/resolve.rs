//! Intrinsic functions, as far as a template and a snapshot tell what they give.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use organization::Organization;
use text::json::{Kind, Member, Value};
use text::span::Span;
use text::words::quote;

use super::resource::{ACCOUNT, ORGANIZATION, POLICY, UNIT, index};
use crate::plan::parameters::{Given, Parameters, is_hidden, is_list, is_untried};
use crate::plan::unresolved::{Unresolved, refuse_dynamic, scalar};

mod functions;

/// The most work that one template may take, in values and bytes.
const MOST: usize = 20_000_000;

/// What a value turns out to be.
#[derive(Debug, Clone)]
pub(crate) enum Resolved<'t> {
    Value(Value<'t>),
    /// `AWS::NoValue`: as if it were not there.
    Nothing,
}

/// What a reference to a resource gives.
#[derive(Debug, Clone)]
enum Reference {
    Found(String),
    Lost(Unresolved),
}

/// Resolves the values of one template.
pub(crate) struct Resolver<'v, 't, 'o> {
    organization: &'o Organization,
    doubtful: &'v [Span],
    given: &'v Parameters,
    parameters: BTreeMap<&'v str, &'v Value<'t>>,
    mappings: BTreeMap<&'v str, &'v Value<'t>>,
    conditions: BTreeMap<&'v str, &'v Value<'t>>,
    resources: BTreeMap<&'v str, &'v Value<'t>>,
    references: BTreeMap<String, Reference>,
    /// Conditions that were decided; `None` while one is being decided.
    decided: BTreeMap<String, Option<bool>>,
    /// What was assumed of parameters.
    assumed: BTreeSet<String>,
    /// While a condition is decided, which shows nothing of what it compares.
    comparing: bool,
    spent: usize,
}

impl<'v, 't, 'o> Resolver<'v, 't, 'o> {
    pub(crate) fn new(
        template: &'v Value<'t>,
        doubtful: &'v [Span],
        given: &'v Parameters,
        organization: &'o Organization,
    ) -> Self {
        let section = |name: &str| {
            template.get(name).into_iter().flat_map(Value::entries).collect::<BTreeMap<_, _>>()
        };
        Self {
            organization,
            doubtful,
            given,
            parameters: section("Parameters"),
            mappings: section("Mappings"),
            conditions: section("Conditions"),
            resources: index(template),
            references: BTreeMap::new(),
            decided: BTreeMap::new(),
            assumed: BTreeSet::new(),
            comparing: false,
            spent: 0,
        }
    }

    /// The resource is this one of the snapshot, or will have this id.
    pub(crate) fn set_id(&mut self, name: &str, id: String) {
        self.references.insert(name.to_owned(), Reference::Found(id));
    }

    /// The resource cannot be found, and whatever refers to it neither.
    pub(crate) fn set_lost(&mut self, name: &str, why: Unresolved) {
        self.references.insert(name.to_owned(), Reference::Lost(why));
    }

    /// What was found for a resource.
    pub(crate) fn id(&self, name: &str) -> Result<String, Unresolved> {
        match self.references.get(name) {
            Some(Reference::Found(id)) => Ok(id.clone()),
            Some(Reference::Lost(why)) => Err(why.clone()),
            None => Err(Unresolved::new(Span::default(), "it was not looked up")),
        }
    }

    /// What was assumed, for the plan's notes.
    pub(crate) fn into_notes(self) -> Vec<String> {
        self.assumed.into_iter().collect()
    }

    fn spend(&mut self, span: Span, amount: usize) -> Result<(), Unresolved> {
        self.spent = self.spent.saturating_add(amount).saturating_add(1);
        if self.spent > MOST {
            return Err(Unresolved::new(span, "the template is too intricate to resolve"));
        }
        Ok(())
    }

    /// Resolves a value with everything in it.
    pub(crate) fn value(&mut self, value: &Value<'t>) -> Result<Resolved<'t>, Unresolved> {
        self.spend(value.span, 0)?;
        if self.doubtful.binary_search(&value.span).is_ok() {
            return Err(Unresolved::new(
                value.span,
                "a plain text here is a boolean or number to older versions of YAML",
            )
            .help("put it in quotes, or write `true`, `false` or a decimal number"));
        }
        match &value.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => Ok(Resolved::Value(value.clone())),
            Kind::String(text) => {
                self.spend(value.span, text.len())?;
                refuse_dynamic(text, value.span)?;
                Ok(Resolved::Value(value.clone()))
            }
            Kind::Array(elements) => {
                let mut resolved = Vec::new();
                for element in elements {
                    match self.value(element)? {
                        Resolved::Value(element) => resolved.push(element),
                        Resolved::Nothing => {}
                    }
                }
                Ok(Resolved::Value(Value { kind: Kind::Array(resolved), span: value.span }))
            }
            Kind::Object(found) => {
                if let [only] = found.as_slice()
                    && (only.key == "Ref" || only.key.starts_with("Fn::"))
                {
                    return self.function(&only.key, &only.value, value.span);
                }
                if let Some(stray) = found.iter().find(|member| member.key.starts_with("Fn::")) {
                    let message = format!("{} stands beside other keys", quote(&stray.key));
                    return Err(Unresolved::new(stray.key_span, message));
                }
                let mut resolved = Vec::new();
                for Member { key, key_span, value } in found {
                    match self.value(value)? {
                        Resolved::Value(value) => {
                            let (key, key_span) = (key.clone(), *key_span);
                            resolved.push(Member { key, key_span, value });
                        }
                        Resolved::Nothing => {}
                    }
                }
                Ok(Resolved::Value(Value { kind: Kind::Object(resolved), span: value.span }))
            }
        }
    }

    /// Resolves a value that must be a text; numbers and booleans are texts too.
    pub(crate) fn text(&mut self, value: &Value<'t>) -> Result<String, Unresolved> {
        match self.value(value)? {
            Resolved::Value(value) => scalar(&value),
            Resolved::Nothing => Err(Unresolved::new(value.span, "`AWS::NoValue` is no text")),
        }
    }

    /// As [`Self::text`], and `None` for `AWS::NoValue`.
    pub(crate) fn maybe_text(&mut self, value: &Value<'t>) -> Result<Option<String>, Unresolved> {
        match self.value(value)? {
            Resolved::Value(value) => scalar(&value).map(Some),
            Resolved::Nothing => Ok(None),
        }
    }

    /// The elements of a list, which are resolved only where the list itself has to be.
    pub(crate) fn value_or_list(
        &mut self,
        value: &Value<'t>,
    ) -> Result<Vec<Value<'t>>, Unresolved> {
        if let Kind::Array(elements) = &value.kind {
            return Ok(elements.clone());
        }
        match self.value(value)? {
            Resolved::Value(value) => Ok(value.elements().to_vec()),
            Resolved::Nothing => Ok(Vec::new()),
        }
    }

    /// Whether a condition of this name holds.
    pub(crate) fn condition(&mut self, name: &str, span: Span) -> Result<bool, Unresolved> {
        match self.decided.get(name) {
            Some(Some(decided)) => return Ok(*decided),
            Some(None) => {
                let message = format!("the condition {} hangs on itself", quote(name));
                return Err(Unresolved::new(span, message));
            }
            None => {}
        }
        let Some(condition) = self.conditions.get(name).copied() else {
            let message = format!("there is no condition {}", quote(name));
            return Err(Unresolved::new(span, message));
        };
        self.decided.insert(name.to_owned(), None);
        let outer = std::mem::replace(&mut self.comparing, true);
        let decided = self.holds(condition);
        self.comparing = outer;
        // What could not be decided is asked again, and says so again.
        match &decided {
            Ok(decided) => self.decided.insert(name.to_owned(), Some(*decided)),
            Err(_) => self.decided.remove(name),
        };
        decided
    }

    /// What `Ref` gives.
    fn reference(&mut self, name: &str, span: Span) -> Result<Resolved<'t>, Unresolved> {
        if let Some(parameter) = self.parameters.get(name).copied() {
            return self.parameter(name, parameter, span);
        }
        let text = match name {
            "AWS::NoValue" => return Ok(Resolved::Nothing),
            "AWS::Partition" => self.organization.partition.clone(),
            "AWS::URLSuffix" => match self.organization.partition.as_str() {
                "aws-cn" => "amazonaws.com.cn".to_owned(),
                "aws-eusc" => "amazonaws.eu".to_owned(),
                _ => "amazonaws.com".to_owned(),
            },
            _ if name.starts_with("AWS::") => {
                let message = format!("{} depends on where the stack is deployed", quote(name));
                return Err(Unresolved::new(span, message));
            }
            _ => return self.attribute(name, None, span),
        };
        Ok(Resolved::Value(Value { kind: Kind::String(Cow::Owned(text)), span }))
    }

    /// What `Ref` of a resource, or an attribute of it, gives.
    fn attribute(
        &mut self,
        name: &str,
        attribute: Option<&str>,
        span: Span,
    ) -> Result<Resolved<'t>, Unresolved> {
        let kind = self.resources.get(name).and_then(|resource| resource.get_str("Type"));
        let known = match (kind, attribute) {
            (Some(POLICY), None | Some("Id"))
            | (Some(UNIT), None | Some("Id"))
            | (Some(ACCOUNT), None | Some("AccountId")) => self.references.get(name).cloned(),
            (Some(ORGANIZATION), None | Some("Id")) => {
                let id = self.organization.id.to_string();
                Some(Reference::Found(id))
            }
            (Some(ORGANIZATION), Some("RootId")) => {
                let id = self.organization.root().id.to_string();
                Some(Reference::Found(id))
            }
            (_, _) => None,
        };
        match known {
            Some(Reference::Found(id)) => {
                Ok(Resolved::Value(Value { kind: Kind::String(Cow::Owned(id)), span }))
            }
            Some(Reference::Lost(why)) => {
                let message = format!("it refers to {}: {}", quote(name), why.message());
                Err(why.at(span, message))
            }
            None => {
                let what = attribute
                    .map_or_else(|| quote(name), |attribute| quote(&format!("{name}.{attribute}")));
                let message = if kind.is_some() {
                    format!("{what} is known only when the stack is deployed")
                } else {
                    format!("{what} is no parameter and no resource of the template")
                };
                Err(Unresolved::new(span, message))
            }
        }
    }

    /// The value of a parameter: what is given, or its default.
    fn parameter(
        &mut self,
        name: &str,
        parameter: &'v Value<'t>,
        span: Span,
    ) -> Result<Resolved<'t>, Unresolved> {
        let shown = quote(name);
        let kind = parameter.get_str("Type").unwrap_or("String");
        let given = self.given.get(name);
        if kind.starts_with("AWS::SSM::Parameter::Value<") {
            let mut message = format!("the parameter {shown} is looked up in Systems Manager");
            if given.is_some() {
                message.push_str(", and what is given is the name there");
            }
            return Err(Unresolved::new(span, message));
        }
        if is_hidden(parameter) && !self.comparing {
            let message =
                format!("the parameter {shown} has `NoEcho`, and results would show its value");
            return Err(Unresolved::new(span, message).help(
                "leave out `NoEcho`: every account can read its service control policies, and ids \
                 are no secrets",
            ));
        }
        let text = match given {
            Some(Given::Value(value)) => value.clone(),
            Some(Given::Previous) => {
                let message =
                    format!("the parameter {shown} keeps a value that only the stack knows");
                return Err(Unresolved::new(span, message)
                    .help("give the value, or describe a change set and give that instead"));
            }
            None => self.default_of(&shown, parameter, span)?,
        };
        let place = parameter.get("Default").filter(|_| given.is_none());
        self.spend(span, text.len())?;
        refuse_dynamic(&text, place.map_or(span, |place| place.span))?;
        let from = if given.is_some() { "the value that is given" } else { "its default" };
        self.assumed.insert(format!("the parameter {shown} has {from}"));
        if given.is_some() && is_untried(parameter, self.doubtful, &text) {
            self.assumed.insert(format!(
                "whether the value given for {shown} matches its `AllowedPattern` cannot be told here"
            ));
        }
        let string = |text: &str| Value { kind: Kind::String(Cow::Owned(text.to_owned())), span };
        let kind = if is_list(kind) {
            Kind::Array(text.split(',').map(|part| string(part.trim())).collect())
        } else {
            Kind::String(Cow::Owned(text))
        };
        Ok(Resolved::Value(Value { kind, span }))
    }

    fn default_of(
        &self,
        shown: &str,
        parameter: &Value<'t>,
        span: Span,
    ) -> Result<String, Unresolved> {
        let Some(default) = parameter.get("Default") else {
            let message = format!("the parameter {shown} has no default");
            return Err(Unresolved::new(span, message).help(
                "give its value with `--parameter NAME=VALUE` or `--parameters FILE`, or describe \
                 a change set and give that instead",
            ));
        };
        if self.doubtful.binary_search(&default.span).is_ok() {
            let message = format!("the default of the parameter {shown} is in doubt");
            return Err(Unresolved::new(default.span, message).help("put it in quotes"));
        }
        scalar(default)
    }
}
