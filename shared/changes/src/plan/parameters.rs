//! Values that are given for the parameters of a template.

use std::collections::BTreeMap;
use std::fmt;

use text::diagnostic::{Diagnostic, Problems, Refusal as PlanError, Subject, label_span, short};
use text::json::{self, Kind, Member, Value};
use text::words::quote;

use super::fields::{punctuation, refuse_duplicates};
use super::unresolved::scalar;

mod pattern;

const PARAMETERS: Subject = Subject {
    code: Some("changes::parameters"),
    noun: "the parameters",
    again: "write the parameters again",
};

const FORMS: &str = "write `[{\"ParameterKey\": \"NAME\", \"ParameterValue\": \"VALUE\"}]`, \
                     `[\"NAME=VALUE\"]` or `{\"NAME\": \"VALUE\"}`";

/// What a parameter is given.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Given {
    Value(String),
    /// What the stack has now, which no template tells.
    Previous,
}

/// Values for the parameters of a template, by name. They are never shown: any of them may be a
/// secret, which only the template says.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    given: BTreeMap<String, Given>,
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.given.keys()).finish()
    }
}

/// Why a single value is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// It is not of two parts; what it is may be a secret.
    #[error("a parameter has no name, or no `=` behind it")]
    NoName,
    /// The name has a value already.
    #[error("the parameter {} is given twice", quote(.0))]
    Twice(String),
}

impl ParameterError {
    /// What to do.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NoName => "write `NAME=VALUE`",
            Self::Twice(_) => "give one value; which of the two counts cannot be told",
        }
    }
}

impl Parameters {
    /// Takes in `NAME=VALUE`; the value may be empty.
    ///
    /// # Errors
    /// There is no name, or it has a value already.
    pub fn assign(&mut self, assignment: &str) -> Result<(), ParameterError> {
        match assignment.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                self.give(name, Given::Value(value.to_owned()))
            }
            Some(_) | None => Err(ParameterError::NoName),
        }
    }

    /// Takes in a file: `[{"ParameterKey": NAME, "ParameterValue": VALUE}]` as `aws cloudformation
    /// create-stack --parameters` takes it, what `deploy --parameter-overrides` also takes
    /// (`["NAME=VALUE"]`, `{"Parameters": {NAME: VALUE}}`), or `{NAME: VALUE}`.
    ///
    /// # Errors
    /// The text is none of these, or gives a parameter twice.
    pub fn read(&mut self, text: &str) -> Result<(), PlanError> {
        let refused = |problem| PlanError::one(PARAMETERS, problem);
        let value = json::parse(text, json::DEEPEST).map_err(|error| {
            let what = "the parameters are not JSON";
            refused(Diagnostic::error_at(error.span(), what).here(error.label()).help(FORMS))
        })?;
        let mut problems = Problems::of(PARAMETERS);
        refuse_duplicates(&mut problems, &value);
        if let Some(error) = problems.into_refusal() {
            return Err(error);
        }
        match &value.kind {
            Kind::Array(listed) => listed.iter().try_for_each(|entry| self.entry(entry)),
            Kind::Object(_) => {
                let inner = value.get("Parameters").filter(|it| it.is_object());
                let named = inner.unwrap_or(&value);
                named.entries().try_for_each(|(name, value)| self.member(name, value, value))
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {
                let what = format!("the parameters are {}", value.kind_name());
                Err(Diagnostic::error_at(label_span(&value), what)
                    .here("no parameters")
                    .help(FORMS))
            }
        }
        .map_err(refused)
    }

    /// An element of a list.
    fn entry(&mut self, entry: &Value<'_>) -> Result<(), Diagnostic> {
        let problem =
            |message: &str| Diagnostic::error_at(label_span(entry), message).here("this one");
        if let Some(assignment) = entry.as_str() {
            return self
                .assign(assignment)
                .map_err(|error| problem(&error.to_string()).help(error.help()));
        }
        let Kind::Object(found) = &entry.kind else {
            return Err(problem("a parameter is neither an object nor a text").help(FORMS));
        };
        let known = ["ParameterKey", "ParameterValue", "UsePreviousValue", "ResolvedValue"];
        if let Some(Member { key, key_span, .. }) =
            found.iter().find(|member| !known.contains(&&*member.key))
        {
            let message = format!("{} is nothing that a parameter has", quote(key));
            return Err(Diagnostic::error_at(short(*key_span), message)
                .here("this key")
                .help(FORMS));
        }
        let Some(name) =
            entry.get("ParameterKey").and_then(Value::as_str).filter(|it| !it.is_empty())
        else {
            return Err(problem("a parameter has no `ParameterKey`").help(FORMS));
        };
        let previous = entry.get("UsePreviousValue").is_some_and(Value::is_true);
        match entry.get("ParameterValue") {
            Some(_) if previous => {
                let message =
                    format!("the parameter {} has a new value and the previous one", quote(name));
                Err(problem(&message).help("leave out `ParameterValue` or `UsePreviousValue`"))
            }
            Some(value) => self.member(name, value, entry),
            None if previous => self.put(name, Given::Previous, entry),
            None => {
                let message = format!("the parameter {} has no `ParameterValue`", quote(name));
                Err(problem(&message).help(FORMS))
            }
        }
    }

    /// A parameter with its value; `at` is where it stands.
    fn member(&mut self, name: &str, value: &Value<'_>, at: &Value<'_>) -> Result<(), Diagnostic> {
        match scalar(value) {
            Ok(text) => self.put(name, Given::Value(text), at),
            Err(_) => {
                let message =
                    format!("the value of the parameter {} is {}", quote(name), value.kind_name());
                Err(Diagnostic::error_at(label_span(value), message)
                    .here("expected a text")
                    .help("write a list as one text, with a comma between its elements"))
            }
        }
    }

    fn put(&mut self, name: &str, given: Given, at: &Value<'_>) -> Result<(), Diagnostic> {
        self.give(name, given).map_err(|error| {
            Diagnostic::error_at(label_span(at), error.to_string())
                .here("again here")
                .help(error.help())
        })
    }

    fn give(&mut self, name: &str, given: Given) -> Result<(), ParameterError> {
        match self.given.insert(name.to_owned(), given) {
            None => Ok(()),
            Some(_) => Err(ParameterError::Twice(name.to_owned())),
        }
    }

    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// What a parameter is given.
    pub(super) fn get(&self, name: &str) -> Option<&Given> {
        self.given.get(name)
    }

    /// What is given, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Given)> {
        self.given.iter().map(|(name, given)| (name.as_str(), given))
    }

    /// A file of parameters as excerpts in messages may show it: its punctuation.
    #[must_use]
    pub fn shown(text: &str) -> String {
        punctuation(text)
    }
}

/// What is wrong with the values that are given to a template, each at the parameter's place in it.
pub(super) fn check(
    problems: &mut Problems,
    template: &Value<'_>,
    doubtful: &[text::span::Span],
    given: &Parameters,
) {
    let section = template.get("Parameters");
    let declared: BTreeMap<&str, &Value<'_>> =
        section.into_iter().flat_map(Value::entries).collect();
    for (name, given) in given.iter() {
        let Some(parameter) = declared.get(name) else {
            problems.push(|| unknown(template, &declared, name));
            continue;
        };
        let Given::Value(value) = given else { continue };
        let check = Check { parameter, doubtful };
        if let Err((at, what)) = check.value(value) {
            problems.push(|| {
                let message = format!("the value given for the parameter {} {what}", quote(name));
                Diagnostic::error_at(label_span(at), message)
                    .here("declared here")
                    .help("CloudFormation refuses it; give another value")
            });
        }
    }
}

fn unknown(template: &Value<'_>, declared: &BTreeMap<&str, &Value<'_>>, name: &str) -> Diagnostic {
    let at = template.get("Parameters").unwrap_or(template);
    let near = text::words::nearest(name, declared.keys().copied());
    let help = match (near, declared.is_empty()) {
        _ if name == "ParameterKey" => "write `NAME=VALUE`".to_owned(),
        (Some(near), _) => format!("did you mean {}?", quote(near)),
        (None, true) => "leave it out".to_owned(),
        (None, false) => {
            let names: Vec<String> = declared.keys().take(10).map(|name| quote(name)).collect();
            format!("its parameters are {}", names.join(", "))
        }
    };
    let message = format!("the template has no parameter {}", quote(name));
    Diagnostic::error_at(label_span(at), message).here("its parameters").help(help)
}

/// Whether a template's parameter takes a value.
struct Check<'c, 'v, 't> {
    parameter: &'c Value<'t>,
    /// Scalars in YAML of which it is open what they mean, in order.
    doubtful: &'v [text::span::Span],
}

impl<'c, 't> Check<'c, '_, 't> {
    /// What is wrong with a value, and where that is said: the rest of a sentence.
    fn value(&self, value: &str) -> Result<(), (&'c Value<'t>, String)> {
        let parameter = self.parameter;
        let declared = parameter.get("Type");
        let kind = declared.and_then(Value::as_str).unwrap_or("String");
        // Of what Systems Manager looks up, only the name is given.
        if kind.starts_with("AWS::SSM::Parameter::Value<") {
            return Ok(());
        }
        let parts = parts(kind, value);
        let numbers = matches!(kind, "Number" | "List<Number>");
        if numbers && parts.iter().any(|part| number(part).is_none()) {
            return Err((declared.unwrap_or(parameter), "is no number".to_owned()));
        }
        if let Some(allowed) = parameter.get("AllowedValues") {
            let open = allowed.elements().iter().any(|it| self.is_doubtful(it));
            let fits = |part: &&str| {
                allowed.elements().iter().filter_map(|it| scalar(it).ok()).any(|it| {
                    it == **part
                        || numbers && number(&it).is_some_and(|it| Some(it) == number(part))
                })
            };
            if !open && !parts.iter().all(fits) {
                return Err((allowed, "is none of its `AllowedValues`".to_owned()));
            }
        }
        if parts.iter().any(|part| self.allows(part) == Some(false)) {
            let pattern = parameter.get("AllowedPattern").unwrap_or(parameter);
            return Err((pattern, "does not match its `AllowedPattern`".to_owned()));
        }
        let length = |text: &str| u32::try_from(text.chars().count()).map_or(f64::MAX, f64::from);
        let size = |text: &str| number(text).unwrap_or(f64::NAN);
        for (key, applies, measure, most) in [
            ("MinLength", kind == "String", &length as &dyn Fn(&str) -> f64, false),
            ("MaxLength", kind == "String", &length, true),
            ("MinValue", numbers, &size, false),
            ("MaxValue", numbers, &size, true),
        ] {
            let Some(limit) = parameter.get(key).filter(|it| applies && !self.is_doubtful(it))
            else {
                continue;
            };
            let Some(bound) = scalar(limit).ok().and_then(|it| number(&it)) else { continue };
            let beyond = |part: &&str| {
                let size = measure(part);
                if most { size > bound } else { size < bound }
            };
            if parts.iter().any(beyond) {
                let side = if most { "above" } else { "below" };
                return Err((limit, format!("is {side} its {}", quote(key))));
            }
        }
        Ok(())
    }

    /// Whether `AllowedPattern` lets a value pass; `None` where that cannot be told.
    fn allows(&self, value: &str) -> Option<bool> {
        let Some(pattern) = self.parameter.get("AllowedPattern") else { return Some(true) };
        if self.is_doubtful(pattern) {
            return None;
        }
        pattern::allows(pattern.as_str()?, value)
    }

    fn is_doubtful(&self, value: &Value<'_>) -> bool {
        self.doubtful.binary_search(&value.span).is_ok()
    }
}

/// Whether it cannot be told that `AllowedPattern` lets a value pass.
pub(super) fn is_untried(
    parameter: &Value<'_>,
    doubtful: &[text::span::Span],
    value: &str,
) -> bool {
    let check = Check { parameter, doubtful };
    parts(parameter.get_str("Type").unwrap_or("String"), value)
        .iter()
        .any(|part| check.allows(part).is_none())
}

/// The elements of a list, or the value itself.
fn parts<'v>(kind: &str, value: &'v str) -> Vec<&'v str> {
    if is_list(kind) { value.split(',').map(str::trim).collect() } else { vec![value] }
}

/// Whether values of this type are lists, with commas between the elements.
pub(super) fn is_list(kind: &str) -> bool {
    kind == "CommaDelimitedList" || kind.starts_with("List<")
}

/// Whether a parameter asks that nobody sees its value.
pub(super) fn is_hidden(parameter: &Value<'_>) -> bool {
    parameter.get("NoEcho").is_some_and(|it| it.is_true() || it.as_str() == Some("true"))
}

fn number(text: &str) -> Option<f64> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    text.chars().all(plain).then(|| text.parse().ok()).flatten().filter(|it: &f64| it.is_finite())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn read(text: &str) -> Result<Parameters, PlanError> {
        let mut parameters = Parameters::default();
        parameters.read(text).map(|()| parameters)
    }

    #[test]
    fn every_form_that_the_aws_cli_takes_gives_the_same() {
        let mut expected = Parameters::default();
        expected.assign("Unit=ou-exam-workload").unwrap();
        expected.assign("Text=a=b,c").unwrap();
        for form in [
            r#"[{"ParameterKey": "Unit", "ParameterValue": "ou-exam-workload"},
                {"ParameterKey": "Text", "ParameterValue": "a=b,c"}]"#,
            r#"["Unit=ou-exam-workload", "Text=a=b,c"]"#,
            r#"{"Parameters": {"Unit": "ou-exam-workload", "Text": "a=b,c"}, "Tags": {"a": "b"}}"#,
            r#"{"Unit": "ou-exam-workload", "Text": "a=b,c"}"#,
        ] {
            assert_eq!(read(form).unwrap(), expected, "{form}");
        }
        assert_eq!(read("[]").unwrap(), Parameters::default());
        assert_eq!(read(r#"{"Parameters": "x"}"#).unwrap().iter().count(), 1);
    }

    #[test]
    fn whatever_is_wrong_with_a_file_no_value_is_in_the_message() {
        for (form, part) in [
            (r#"{"P": "hidden"#, "not JSON"),
            (r#"["=hidden"]"#, "no name"),
            (r#"["hidden"]"#, "no name"),
            (r#"[["hidden"]]"#, "neither an object nor a text"),
            (r#""hidden""#, "the parameters are a string"),
            (r#"{"P": ["hidden"]}"#, "the parameter `P` is an array"),
            (r#"{"P": "hidden", "P": "hidden"}"#, "`P` stands twice"),
            (r#"["P=hidden", "P=hidden"]"#, "`P` is given twice"),
            (r#"[{"ParameterKey": "P", "Value": "hidden"}]"#, "`Value` is nothing"),
            (r#"[{"ParameterValue": "hidden"}]"#, "no `ParameterKey`"),
            (r#"[{"ParameterKey": "P"}]"#, "no `ParameterValue`"),
            (
                r#"[{"ParameterKey": "P", "ParameterValue": "hidden", "UsePreviousValue": true}]"#,
                "the previous one",
            ),
        ] {
            let error = read(form).unwrap_err();
            let [problem] = error.problems() else { unreachable!("{form}") };
            assert!(problem.message.contains(part), "{form}: {}", problem.message);
            assert!(problem.help.as_deref().is_some(), "{form}");
            assert!(!format!("{error:?}{}", Parameters::shown(form)).contains("hidden"), "{form}");
        }
        let mut given = Parameters::default();
        given.assign("P=hidden").unwrap();
        assert!(!format!("{given:?}").contains("hidden"));
    }

    fn wrong(parameter: &str, value: &str) -> Option<String> {
        let parameter = json::parse(parameter, 8).unwrap();
        Check { parameter: &parameter, doubtful: &[] }.value(value).err().map(|(_, what)| what)
    }

    #[test]
    fn a_value_is_refused_where_cloudformation_refuses_it() {
        for (parameter, good, bad, part) in [
            (r#"{"Type": "Number"}"#, "-1.5e3", "12x", "is no number"),
            (r#"{"Type": "List<Number>"}"#, "1, 2", "1,,2", "is no number"),
            (r#"{"Type": "Number", "MinValue": 3}"#, "3", "2.9", "below its `MinValue`"),
            (r#"{"Type": "Number", "MaxValue": "3"}"#, "3", "3.1", "above its `MaxValue`"),
            (r#"{"Type": "String", "MinLength": 2}"#, "ää", "ä", "below its `MinLength`"),
            (r#"{"Type": "String", "MaxLength": "1"}"#, "ä", "xyz", "above its `MaxLength`"),
            (r#"{"Type": "String", "AllowedValues": ["a", true, 7]}"#, "true", "b", "is none"),
            (r#"{"Type": "Number", "AllowedValues": [1, 2]}"#, "1.0", "3", "is none"),
            (r#"{"AllowedPattern": "[a-z]{2,}"}"#, "ab", "ab1", "its `AllowedPattern`"),
            (
                r#"{"Type": "CommaDelimitedList", "AllowedPattern": "[a-z]+"}"#,
                "ab, c",
                "ab, C",
                "its `AllowedPattern`",
            ),
            (
                r#"{"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}"#,
                "a, b",
                "a,c",
                "is none",
            ),
        ] {
            assert_eq!(wrong(parameter, good), None, "{parameter}");
            let found = wrong(parameter, bad).unwrap();
            assert!(found.contains(part) && !found.contains(bad), "{parameter}: {found}");
        }
        assert_eq!(wrong(r#"{"Type": "AWS::SSM::Parameter::Value<Number>"}"#, "/name"), None);
        assert_eq!(wrong(r#"{"AllowedPattern": "(?i)a"}"#, "b"), None);
        assert_eq!(wrong(r#"{"Type": "Number"}"#, "inf").as_deref(), Some("is no number"));
    }
}
