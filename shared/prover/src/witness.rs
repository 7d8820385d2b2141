//! From values to a complete request.

use std::collections::BTreeMap;

use policy::arn::Arn;
use policy::request::{Context, ContextValue, Request};

use crate::language::Languages;
use crate::literal::{
    Domain, MOMENT, NETWORK, PRINCIPAL, Problem, RESOURCE, RESOURCE_ACCOUNT, Value,
};
use crate::question::{KeyModel, Network, Presence, Question};
use crate::representatives;

/// The keys of a resource's organization, each with the principal's own.
pub(crate) const OWN_ORGANIZATION: [(&str, &str); 2] = [
    ("aws:ResourceOrgID", "aws:PrincipalOrgID"),
    ("aws:ResourceOrgPaths", "aws:PrincipalOrgPaths"),
];

/// One complete request of a question's class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The action.
    pub action: String,
    /// The resource that the request names, or `*`.
    pub resource: String,
    /// The further resources that the action requires.
    pub additional_resources: Vec<String>,
    /// Every context key that is present, `aws:PrincipalArn` among them.
    pub context: Context,
}

impl Witness {
    /// The principal.
    #[must_use]
    pub fn principal_arn(&self) -> &str {
        self.single(PRINCIPAL).unwrap_or_default()
    }

    /// The value of a single-valued key.
    #[must_use]
    pub fn single(&self, key: &str) -> Option<&str> {
        match self.context.get(key) {
            Some(ContextValue::One(value)) => Some(value),
            Some(ContextValue::Many(_)) | None => None,
        }
    }

    /// The resources and every value of the context.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let values = self.context.iter().flat_map(|(_, value)| match value {
            ContextValue::One(text) => std::slice::from_ref(text),
            ContextValue::Many(texts) => texts.as_slice(),
        });
        let resources = std::iter::once(&self.resource).chain(&self.additional_resources);
        resources.chain(values).map(String::as_str)
    }

    /// Whether every text is in ASCII.
    pub(crate) fn is_ascii(&self) -> bool {
        self.texts().all(str::is_ascii)
    }

    /// One request for each resource; `aws:ResourceAccount`, where present, is the account of
    /// the resource that is being judged, and so are its organization's keys.
    pub fn requests(&self) -> impl Iterator<Item = Request> + '_ {
        let resources = std::iter::once(&self.resource).chain(&self.additional_resources);
        resources.enumerate().map(|(index, resource)| {
            let mut context = self.context.clone();
            if context.get("aws:ResourceAccount").is_some()
                && let Some(owner) = Arn::of(resource).map(|arn| arn.account)
            {
                context.set("aws:ResourceAccount", owner);
            }
            // The further resources are the account's own.
            for (of_resource, of_principal) in OWN_ORGANIZATION {
                if index > 0
                    && context.get(of_resource).is_some()
                    && let Some(own) = self.context.get(of_principal)
                {
                    context.insert(of_resource, own.clone());
                }
            }
            Request { action: self.action.clone(), resource: resource.clone(), context }
        })
    }

    /// The same request with `replace` applied to the resources and every value; `None` keeps one.
    #[must_use]
    pub fn map(&self, replace: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut mapped = self.clone();
        let resources =
            std::iter::once(&mut mapped.resource).chain(&mut mapped.additional_resources);
        for text in resources.chain(mapped.context.texts_mut()) {
            if let Some(other) = replace(text) {
                *text = other;
            }
        }
        mapped
    }
}

/// Spells out the request that `values` describe.
pub(crate) fn witness(
    problem: &Problem<'_>,
    values: &[Value],
    question: &Question<'_>,
    region: &str,
    languages: &mut Languages,
) -> Witness {
    let chosen: BTreeMap<&str, (&Domain, &Value)> = problem
        .variables
        .iter()
        .zip(values)
        .map(|(variable, value)| (variable.name.as_str(), (&variable.domain, value)))
        .collect();
    let text = |name: &str| chosen.get(name).and_then(|(_, value)| as_text(value));
    let finite = |name: &str| match chosen.get(name) {
        Some((Domain::Finite { values, .. }, Value::At(index))) => values.get(*index).cloned(),
        _ => None,
    };
    let mut resources = (0..question.resources.len())
        .filter_map(|index| text(&format!("{RESOURCE}{index}")).map(str::to_owned));
    let resource = resources.next().unwrap_or_else(|| "*".to_owned());
    let additional_resources: Vec<String> = resources.collect();

    let network = match finite(NETWORK).as_deref() {
        Some("vpc") => Network::Vpc,
        Some("forwarded") => Network::Forwarded,
        _ => Network::Internet,
    };
    let moment = finite(MOMENT).map_or_else(|| question.moment.to_string(), |m| m.to_string());
    let principal = text(PRINCIPAL).unwrap_or_default().to_owned();
    let mut context = Context::default();
    let present = question.present.iter().map(String::as_str);
    let named = chosen.keys().copied().filter(|name| !name.starts_with('@'));
    for name in present.chain(named) {
        let folded = name.to_ascii_lowercase();
        if context.get(name).is_some() {
            continue;
        }
        let spelled = question.keys.spelling(&folded);
        let own = chosen.get(spelled.as_str()).copied();
        let value = match question.keys.key(&folded) {
            KeyModel::Absent => None,
            KeyModel::Fixed(value) => Some((&value).into()),
            KeyModel::Region => Some(ContextValue::One(region.to_owned())),
            KeyModel::PrincipalArn => Some(ContextValue::One(principal.clone())),
            KeyModel::PrincipalType => {
                principal_type(question, &principal, languages).map(ContextValue::One)
            }
            KeyModel::CurrentTime | KeyModel::EpochTime => {
                Some(ContextValue::One(representatives::view(&folded, &moment)))
            }
            KeyModel::ResourceAccount(_) | KeyModel::Doubtful { .. } => None,
            KeyModel::Choice { presence, .. }
            | KeyModel::Text(_, presence)
            | KeyModel::Set { presence, .. }
            | KeyModel::Address { presence, .. }
            | KeyModel::Number { presence, .. }
            | KeyModel::Moment { presence, .. } => {
                let off_network =
                    matches!(presence, Presence::On(on) | Presence::Within(on) if on != network);
                match own {
                    _ if off_network => None,
                    Some((domain, value)) => spelled_value(&folded, domain, value),
                    None => plain_value(&question.keys.key(&folded), &folded),
                }
            }
        };
        if let Some(value) = value {
            context.insert(&spelled, value);
        }
    }
    complete_tags(&mut context, question);
    let carries_account = matches!(chosen.get(RESOURCE_ACCOUNT), Some((_, Value::At(_))));
    if carries_account && let Some(arn) = Arn::of(&resource) {
        context.set("aws:ResourceAccount", arn.account);
    }
    Witness { action: question.action.to_owned(), resource, additional_resources, context }
}

/// The value of a variable where it is one text.
fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Absent | Value::Set(_) | Value::At(_) => None,
    }
}

/// The value of a key that no policy asks about.
fn plain_value(model: &KeyModel, folded: &str) -> Option<ContextValue> {
    let (value, presence) = model.plain_value()?;
    match presence {
        Presence::Always | Presence::On(_) => {
            Some(ContextValue::One(representatives::view(folded, &value)))
        }
        Presence::Optional | Presence::Within(_) | Presence::Tagged(_) => None,
    }
}

fn spelled_value(folded: &str, domain: &Domain, value: &Value) -> Option<ContextValue> {
    match (value, domain) {
        (Value::Absent, _) => None,
        (Value::Text(text), _) => Some(ContextValue::One(text.to_string())),
        (Value::Set(elements), _) => {
            Some(ContextValue::Many(elements.iter().map(ToString::to_string).collect()))
        }
        (Value::At(index), Domain::Finite { values, .. }) => {
            values.get(*index).map(|value| ContextValue::One(representatives::view(folded, value)))
        }
        (Value::At(_), Domain::Text(_) | Domain::Set { .. }) => None,
    }
}

fn principal_type(question: &Question<'_>, arn: &str, languages: &mut Languages) -> Option<String> {
    let arn = std::rc::Rc::from(arn);
    question.kinds.iter().find_map(|kind| {
        let lang = languages.intern(kind.arns.clone());
        languages.contains(lang, &arn).then(|| kind.name.clone())
    })
}

/// Gives every tag key of the request a tag, where the action takes request tags at all.
fn complete_tags(context: &mut Context, question: &Question<'_>) {
    let Some(ContextValue::Many(keys)) = context.get("aws:TagKeys").cloned() else { return };
    for key in keys {
        let name = format!("aws:RequestTag/{key}");
        if context.get(&name).is_none()
            && let KeyModel::Text(domain, _) = question.keys.key(&name.to_ascii_lowercase())
            && let Some(plain) = domain.plain.first()
        {
            context.set(&name, plain.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_outside_ascii_in_any_value_counts() {
        let with = |one: &str, many: &[&str]| {
            let mut context = Context::default();
            context.set("k", one);
            context.set_many("m", many.iter().map(|text| (*text).to_owned()).collect());
            let (action, resource) = (String::new(), String::new());
            Witness { action, resource, additional_resources: Vec::new(), context }.is_ascii()
        };
        assert!(with("a", &["b", "c"]));
        assert!(!with("\u{e4}", &["b"]));
        assert!(!with("a", &["b", "\u{e4}"]));
    }
}
