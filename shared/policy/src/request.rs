//! One request, as the evaluator sees it.

use std::sync::Arc;

use crate::keys::in_lower_case;

/// A request to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The action with its service prefix, for instance `ses:SendEmail`.
    pub action: String,
    /// The ARN of the resource, or `*` for an action without resource types.
    pub resource: String,
    /// The context keys that are present.
    pub context: Context,
}

/// The context keys that are present in a request; a key that is not in it is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// Sorted by their names in lower case, each once.
    entries: Vec<ContextEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ContextEntry {
    /// As it was set. Requests are copied far more often than they are made.
    name: Arc<str>,
    value: ContextValue,
}

/// The value of a context key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextValue {
    /// Of a single-valued key.
    One(String),
    /// Of a multivalued key; not empty.
    Many(Vec<String>),
}

impl Context {
    /// Sets a single-valued key.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.insert(key, ContextValue::One(value.into()));
    }

    /// Sets a multivalued key.
    pub fn set_many(&mut self, key: &str, values: Vec<String>) {
        self.insert(key, ContextValue::Many(values));
    }

    /// Sets a key.
    pub fn insert(&mut self, key: &str, value: ContextValue) {
        let entry = ContextEntry { name: Arc::from(key), value };
        match self.find(key) {
            Ok(at) => {
                if let Some(place) = self.entries.get_mut(at) {
                    *place = entry;
                }
            }
            Err(at) => self.entries.insert(at, entry),
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) {
        if let Ok(at) = self.find(key) {
            self.entries.remove(at);
        }
    }

    /// The value of a key, its name compared without regard to case.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&ContextValue> {
        self.find(key).ok().and_then(|at| self.entries.get(at)).map(|entry| &entry.value)
    }

    /// All keys that are present, with the spelling under which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.entries.iter().map(|entry| (&*entry.name, &entry.value))
    }

    /// Every value, to be changed.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.entries.iter_mut().flat_map(|entry| match &mut entry.value {
            ContextValue::One(text) => std::slice::from_mut(text),
            ContextValue::Many(texts) => texts.as_mut_slice(),
        })
    }

    /// The position of a key, or the one where it belongs.
    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| in_lower_case(&entry.name, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_key_in_any_case_and_keeps_its_last_spelling() {
        let mut context = Context::default();
        context.set("aws:PrincipalTag/Team", "red");
        context.set("AWS:principaltag/TEAM", "blue");
        let blue = ContextValue::One("blue".to_owned());
        assert_eq!(context.get("aws:PrincipalTag/team"), Some(&blue));
        let all: Vec<_> = context.iter().collect();
        assert_eq!(all, [("AWS:principaltag/TEAM", &blue)]);
    }

    #[test]
    fn a_set_keeps_its_order() {
        let mut context = Context::default();
        context.set_many("aws:TagKeys", vec!["b".to_owned(), "a".to_owned()]);
        let wanted = ContextValue::Many(vec!["b".to_owned(), "a".to_owned()]);
        assert_eq!(context.get("AWS:TAGKEYS"), Some(&wanted));
    }

    #[test]
    fn a_key_that_is_taken_out_is_absent() {
        let mut context = Context::default();
        context.set("ses:ApiVersion", "1");
        context.set("ses:FromAddress", "a@example.com");
        context.remove("SES:apiversion");
        assert_eq!(context.get("ses:ApiVersion"), None);
        assert_eq!(context.iter().count(), 1);
        context.remove("no:such");
        assert_eq!(context.iter().count(), 1);
    }
}
