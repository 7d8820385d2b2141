//! What a Terraform plan marks as sensitive, so that no message shows it.
//!
//! Terraform prints `(sensitive value)` for such values and writes them into the JSON of a plan as
//! they are. Here they are found by their marks, taken out of every sentence, and covered in the
//! text that excerpts are cut from.

use std::collections::BTreeSet;

use text::json::{self, Kind, Value};
use text::span::Span;

use super::fields::{punctuation, stars};
use super::kind;
use super::parameters::{Given, Parameters, is_hidden};

/// What stands for a sensitive value.
const HIDDEN: &str = "(sensitive value)";

/// The shortest text that is also covered where nothing marks it. Shorter ones are words of every
/// message; at the places that are marked they are covered all the same.
const SHORTEST: usize = 4;

/// The sensitive values of a plan.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// Where they stand, in order.
    spans: Vec<Span>,
    /// What they are, the longest first.
    texts: Vec<String>,
}

/// Members of an object of which the second mirrors the shape of the first, with `true` where
/// something is sensitive.
const MARKS: [(&str, &str); 3] =
    [("before", "before_sensitive"), ("after", "after_sensitive"), ("values", "sensitive_values")];

impl Secrets {
    /// Those of a Terraform plan.
    pub(super) fn of_terraform(plan: &Value<'_>) -> Self {
        let mut found = MarkedValues::default();
        found.marked(plan);
        let root = plan.get("configuration").and_then(|it| it.get("root_module"));
        if let Some(root) = root {
            let given = plan.get("variables");
            found.declared(root, &|name| {
                given.and_then(|given| given.get(name)).into_iter().collect()
            });
        }
        found.finish()
    }

    /// Parameters of a CloudFormation template that are not to be shown.
    pub(super) fn of_template(template: &Value<'_>, given: &Parameters) -> Self {
        let mut found = MarkedValues::default();
        let declared = template.get("Parameters").into_iter().flat_map(Value::entries);
        for (name, parameter) in declared.filter(|(_, parameter)| is_hidden(parameter)) {
            for key in ["Default", "AllowedValues"] {
                parameter.get(key).into_iter().for_each(|value| found.whole(value));
            }
            if let Some(Given::Value(value)) = given.get(name) {
                found.text(value);
                value.lines().chain(value.split(',')).for_each(|part| found.text(part.trim()));
            }
        }
        found.finish()
    }

    /// The same sentence with [`HIDDEN`] in the place of every sensitive text.
    pub(super) fn hide(&self, sentence: &str) -> String {
        let mut shown = sentence.to_owned();
        for secret in &self.texts {
            if shown.contains(secret.as_str()) {
                shown = shown.replace(secret.as_str(), HIDDEN);
            }
        }
        shown
    }

    /// Whether a value is sensitive, or holds something that is.
    pub(super) fn touches(&self, value: &Value<'_>) -> bool {
        let at = self.spans.partition_point(|span| span.end <= value.span.start);
        self.spans.get(at).is_some_and(|span| span.start < value.span.end)
    }
}

#[derive(Default)]
struct MarkedValues {
    spans: BTreeSet<Span>,
    texts: BTreeSet<String>,
}

impl MarkedValues {
    fn finish(self) -> Secrets {
        let mut spans: Vec<Span> = Vec::new();
        for span in self.spans {
            match spans.last_mut() {
                Some(last) if span.start < last.end => last.end = last.end.max(span.end),
                Some(_) | None => spans.push(span),
            }
        }
        let mut texts: Vec<String> = self.texts.into_iter().collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Secrets { spans, texts }
    }

    /// All of a value is sensitive.
    fn whole(&mut self, value: &Value<'_>) {
        self.spans.insert(value.span);
        match &value.kind {
            Kind::Null | Kind::Bool(_) => {}
            Kind::Number(number) => self.text(number),
            Kind::String(text) => {
                self.text(text);
                // A key over several lines is seldom quoted whole.
                text.lines().for_each(|line| self.text(line.trim()));
            }
            Kind::Array(elements) => elements.iter().for_each(|element| self.whole(element)),
            Kind::Object(members) => {
                for member in members {
                    self.spans.insert(member.key_span);
                    self.whole(&member.value);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        if text.len() >= SHORTEST {
            self.texts.insert(text.to_owned());
        }
    }

    /// What `marks` says is sensitive of `value`. Where the two do not fit together, all of it is.
    fn mirrored(&mut self, value: &Value<'_>, marks: &Value<'_>) {
        match (&marks.kind, &value.kind) {
            (Kind::Bool(false) | Kind::Null, _) => {}
            (Kind::Object(marked), Kind::Object(_)) => {
                for mark in marked {
                    let all = value.entries().filter(|(key, _)| *key == &*mark.key);
                    all.for_each(|(_, value)| self.mirrored(value, &mark.value));
                }
            }
            (Kind::Array(marked), Kind::Array(values)) => {
                for (at, value) in values.iter().enumerate() {
                    if let Some(mark) = marked.get(at) {
                        self.mirrored(value, mark);
                    }
                }
            }
            (Kind::Object(marked), _) if marked.is_empty() => {}
            (Kind::Array(marked), _) if marked.is_empty() => {}
            (Kind::Bool(true) | Kind::Number(_) | Kind::String(_), _)
            | (Kind::Object(_) | Kind::Array(_), _) => self.whole(value),
        }
    }

    /// Everything that carries a mark beside it, at any depth.
    fn marked(&mut self, value: &Value<'_>) {
        value.elements().iter().for_each(|element| self.marked(element));
        for (plain, marks) in MARKS {
            if let (Some(plain), Some(marks)) = (value.get(plain), value.get(marks)) {
                self.mirrored(plain, marks);
            }
        }
        if value.get("sensitive").is_some_and(Value::is_true) {
            // An output or a variable, with its value, its default or what it is made from.
            for name in ["value", "default", "expression"] {
                value.get(name).into_iter().for_each(|value| self.constants(value));
            }
        }
        value.entries().for_each(|(_, value)| self.marked(value));
    }

    /// A value, or the constants of an expression.
    fn constants(&mut self, value: &Value<'_>) {
        if value.get("references").is_some() || value.get("constant_value").is_some() {
            value.get("constant_value").into_iter().for_each(|value| self.whole(value));
        } else {
            self.whole(value);
        }
    }

    /// The values of variables that a module declares as sensitive.
    fn declared<'v, 't>(
        &mut self,
        module: &'v Value<'t>,
        given: &dyn Fn(&str) -> Vec<&'v Value<'t>>,
    ) {
        for (name, declared) in module.get("variables").into_iter().flat_map(Value::entries) {
            if declared.get("sensitive").is_some_and(Value::is_true) {
                for value in given(name) {
                    let inner = value.get("value").or_else(|| value.get("constant_value"));
                    inner.into_iter().for_each(|value| self.whole(value));
                }
            }
        }
        for (_, call) in module.get("module_calls").into_iter().flat_map(Value::entries) {
            let expressions = call.get("expressions");
            if let Some(inner) = call.get("module") {
                self.declared(inner, &|name| {
                    expressions.and_then(|it| it.get(name)).into_iter().collect()
                });
            }
        }
    }
}

/// Members of a Terraform plan whose texts excerpts show: what is done to which resource.
const SHOWN: [&str; 6] =
    ["address", "actions", "mode", "type", "format_version", "terraform_version"];

/// A plan as excerpts may show it: byte for byte as long, and covered with stars except where
/// nothing of value can stand.
///
/// `labelled` are the places that a message points at. What Terraform marks as sensitive is
/// covered there too; and of a text that cannot be read, nothing but its punctuation is left,
/// since nobody can say what in it is marked.
pub(super) fn covered(text: &str, labelled: &[Span]) -> String {
    let body = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let json = body.starts_with(['{', '[']);
    let value = if json {
        json::parse(text, json::DEEPEST).ok()
    } else {
        super::yaml::parse(text).ok().map(|yaml| yaml.value)
    };
    let Some(value) = value else {
        // A template in YAML is what people write, and its mistakes are seen in its lines.
        let template = !json && body.lines().any(|line| line.starts_with("Resources:"));
        return if template { text.to_owned() } else { punctuation(text) };
    };
    if kind::is_cloudformation(&value) {
        return cover(text, &Secrets::of_template(&value, &Parameters::default()).spans);
    }
    let mut hidden = Vec::new();
    values(&value, None, &mut |value, key| {
        let shown = key.is_some_and(|key| SHOWN.contains(&key))
            || labelled.iter().any(|label| meets(*label, value.span));
        if !shown {
            hidden.push(value.span);
        }
    });
    hidden.extend(Secrets::of_terraform(&value).spans);
    hidden.sort_unstable();
    cover(text, &hidden)
}

const fn meets(one: Span, other: Span) -> bool {
    one.start < other.end && other.start < one.end
}

/// Every text and number with the key that it stands under.
fn values<'v>(
    value: &'v Value<'_>,
    key: Option<&'v str>,
    tell: &mut dyn FnMut(&Value<'_>, Option<&str>),
) {
    match &value.kind {
        Kind::Null | Kind::Bool(_) => {}
        Kind::Number(_) | Kind::String(_) => tell(value, key),
        Kind::Array(elements) => elements.iter().for_each(|it| values(it, key, tell)),
        Kind::Object(members) => {
            members.iter().for_each(|it| values(&it.value, Some(&it.key), tell));
        }
    }
}

/// The text with stars over these spans, which are in order.
fn cover(text: &str, spans: &[Span]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for span in spans {
        let (start, end) = (span.start.max(done), span.end.max(done));
        out.push_str(text.get(done..start).unwrap_or_default());
        out.push_str(&stars(text.get(start..end).unwrap_or_default(), |c| c != '"'));
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn of(text: &str) -> Secrets {
        Secrets::of_terraform(&json::parse(text, 64).unwrap())
    }

    #[test]
    fn marks_that_do_not_fit_their_value_mark_all_of_it() {
        for (marks, hidden) in [
            (r#"{"b":true}"#, "word"),
            ("true", "word"),
            (r#"[["x"]]"#, "word"),
            (r#""yes""#, "word"),
            ("false", ""),
            ("{}", ""),
            (r#"{"c":true}"#, ""),
        ] {
            let text = format!(r#"{{"x":{{"after":{{"b":"word"}},"after_sensitive":{marks}}}}}"#);
            let shown = of(&text).hide("a word");
            assert_eq!(shown == "a (sensitive value)", !hidden.is_empty(), "{marks}");
        }
    }

    #[test]
    fn a_covered_text_is_as_long_and_shows_addresses_and_what_is_pointed_at() {
        let text = r#"{"format_version":"1.2","resource_changes":[{"address":"a.b","change":
            {"after":{"x":"pläin","y":"hidden"},"after_sensitive":{"y":true}}}]}"#;
        let at = |word: &str| {
            let start = text.find(word).unwrap();
            Span::new(start, start + word.len())
        };
        let shown = covered(text, &[at("pläin"), at("hidden")]);
        assert_eq!(shown.len(), text.len());
        assert!(shown.contains(r#""address":"a.b""#) && shown.contains("pläin"), "{shown}");
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(!covered(text, &[]).contains("pläin"));
        assert!(!covered(text.get(..text.len() - 2).unwrap(), &[at("pläin")]).contains("pläin"));
    }

    #[test]
    fn a_short_secret_is_covered_where_it_stands_and_leaves_words_alone() {
        let text = r#"{"variables":{"pin":{"value":"of"}},"configuration":{"root_module":
            {"variables":{"pin":{"sensitive":true,"default":"of"}}}}}"#;
        assert_eq!(of(text).hide("two of them"), "two of them");
        let pointed = text.find("\"of\"").unwrap();
        assert!(!covered(text, &[Span::new(pointed, pointed + 4)]).contains("of"));
    }

    #[test]
    fn parameters_without_echo_are_covered_in_a_template() {
        let text =
            "Parameters:\n  P: {Type: String, NoEcho: true, Default: hidden-word}\nResources: {}\n";
        let shown = covered(text, &[]);
        assert!(!shown.contains("hidden") && shown.contains("NoEcho: true"), "{shown}");
    }
}
