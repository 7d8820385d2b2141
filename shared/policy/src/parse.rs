//! From the text of a policy document to the model.
//!
//! Two things can go wrong. A document that breaks the rules of the whole (no JSON, no `Effect`,
//! a duplicate key) is unreadable: nothing is known about any of its statements. A statement
//! that holds something IAM does not define or that we cannot model stays in the policy with an
//! [`Obstacle`](crate::model::Obstacle), so that no verdict rests on it.

use std::collections::BTreeMap;

use crate::model::{Policy, Statement, Version};
pub use text::diagnostic::Refusal as UnreadablePolicy;

mod action;
mod condition;
mod elements;
mod notes;
mod obstacle;
mod principal;
mod resource;
mod statement;
mod template;

pub use statement::Dialect;

use notes::{Notes, head, member, shape, wrong_type};
use text::diagnostic::{Diagnostic, Severity, Subject};
use text::json::{self, Kind, Member, Value};
use text::span::Span;
use text::words::{did_you_mean, nearest, quote};

const POLICY: Subject = Subject {
    code: Some("policy::unreadable"),
    noun: "the policy document",
    again: "copy the document again",
};

/// What a document may measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The quota of Organizations in characters; a longer document gets a warning.
    pub quota_characters: usize,
    /// A longer document is refused.
    pub max_bytes: usize,
    /// Deeper nesting of arrays and objects is refused.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { quota_characters: 10_240, max_bytes: 1_048_576, max_depth: 64 }
    }
}

/// A readable policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What it means.
    pub policy: Policy,
    /// What is doubtful in it, in the order of the text; never of [`Severity::Error`].
    ///
    /// Obstacles are not repeated here; `Diagnostic::from` renders them.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a service control policy.
///
/// `text` is the document as Organizations stores it. Spans in the result are bytes of `text`.
///
/// # Errors
/// The document is longer or deeper than `limits` allow, or breaks a rule of the policy grammar
/// that leaves its meaning open: see [`UnreadablePolicy::problems`].
pub fn parse(text: &str, limits: &Limits) -> Result<Parsed, UnreadablePolicy> {
    parse_as(Dialect::ServiceControl, text, limits)
}

/// Reads a policy document of the kind that `dialect` names.
///
/// # Errors
/// As [`parse`]; under [`Dialect::ResourceBased`] also a statement with both `Principal` and
/// `NotPrincipal`, or with one that is neither a string nor an object of strings.
///
/// # Source
/// IAM User Guide, "AWS JSON policy elements: Principal".
pub fn parse_as(dialect: Dialect, text: &str, limits: &Limits) -> Result<Parsed, UnreadablePolicy> {
    if text.len() > limits.max_bytes {
        let problem = Diagnostic::coded(
            Severity::Error,
            "policy::too-large",
            Span::default(),
            format!("the document has {} bytes, the limit is {}", text.len(), limits.max_bytes),
            "",
        );
        return Err(UnreadablePolicy::one(POLICY, problem));
    }
    let document = json::parse(text, limits.max_depth).map_err(|error| {
        let code = if error.is_too_deep() { "policy::too-deep" } else { "policy::json" };
        let problem = Diagnostic { code: Some(code), ..Diagnostic::from(&error) };
        UnreadablePolicy::one(POLICY, problem)
    })?;
    let mut notes = Notes::default();
    quota(text, limits, &mut notes);
    notes.duplicate_keys(&document);
    let policy = policy(&document, dialect, &mut notes);
    if let Some(unreadable) = UnreadablePolicy::all(POLICY, notes.errors) {
        return Err(unreadable);
    }
    let Some(policy) = policy else {
        let problem = shape(document.span, "the policy document cannot be read", "this document");
        return Err(UnreadablePolicy::one(POLICY, problem));
    };
    notes.warnings.sort_by_key(|warning| warning.span.start);
    Ok(Parsed { policy, warnings: notes.warnings })
}

fn quota(text: &str, limits: &Limits, notes: &mut Notes) {
    let Some((end, c)) = text.char_indices().nth(limits.quota_characters) else { return };
    let count = text.chars().count();
    let message = format!(
        "the document has {count} characters, {} more than the quota of {}",
        count - limits.quota_characters,
        limits.quota_characters
    );
    let span = Span::new(end, end + c.len_utf8());
    notes.warn(
        Diagnostic::coded(Severity::Warning, "policy::quota", span, message, "the quota ends here")
            .help("white space counts: minify the document, or split it into two policies"),
    );
}

const TOP_LEVEL: [&str; 3] = ["Version", "Id", "Statement"];

fn policy(document: &Value<'_>, dialect: Dialect, notes: &mut Notes) -> Option<Policy> {
    let Kind::Object(members) = &document.kind else {
        notes.error(wrong_type("a policy document", "an object", document));
        return None;
    };
    for member in members {
        if !TOP_LEVEL.contains(&member.key.as_ref()) {
            notes.error(unknown_top_level(member, dialect));
        }
    }
    if let Some(id) = member(members, "Id")
        && !matches!(id.value.kind, Kind::String(_))
    {
        notes.error(wrong_type("`Id`", "a string", &id.value));
    }
    let written = member(members, "Version");
    let version = match written {
        None => Version::V2008,
        // With an invalid version the rest is read as 2012, which finds the most problems.
        Some(element) => version(&element.value, notes).unwrap_or(Version::V2012),
    };
    let Some(list) = member(members, "Statement") else {
        let unknown = members.iter().any(|member| nearest(&member.key, ["Statement"]).is_some());
        if !unknown {
            let span = head(document);
            notes.error(
                shape(span, "the policy document has no `Statement`", "in this object")
                    .help("add `\"Statement\": [...]` with at least one statement"),
            );
        }
        return None;
    };
    let statements = statements(&list.value, dialect, version, notes);
    if version == Version::V2008 {
        variables_off(document, written, notes);
    }
    sids(&statements, &list.value, notes);
    Some(Policy { version, statements })
}

fn unknown_top_level(member: &Member<'_>, dialect: Dialect) -> Diagnostic {
    let problem = Diagnostic::coded(
        Severity::Error,
        "policy::unknown-top-level",
        member.key_span,
        format!("unknown element {}", quote(&member.key)),
        "not an element of a policy document",
    );
    if statement::elements(dialect).any(|element| element == member.key) {
        return problem.help(format!("`{}` belongs in a statement", member.key));
    }
    match nearest(&member.key, TOP_LEVEL) {
        Some(candidate) => problem.help(did_you_mean(candidate)),
        None => problem.help("a policy document has `Version`, `Id` and `Statement`"),
    }
}

fn version(value: &Value<'_>, notes: &mut Notes) -> Option<Version> {
    let Kind::String(text) = &value.kind else {
        notes.error(
            wrong_type("`Version`", "a string", value).help("write `\"Version\": \"2012-10-17\"`"),
        );
        return None;
    };
    match text.as_ref() {
        "2008-10-17" => return Some(Version::V2008),
        "2012-10-17" => return Some(Version::V2012),
        _ => {}
    }
    let plain: String = text.chars().map(|c| if is_dash(c) { '-' } else { c }).collect();
    let known = ["2012-10-17", "2008-10-17"];
    let help = if known.contains(&plain.trim()) {
        let what = if plain == text.as_ref() { "remove the spaces" } else { "type plain hyphens" };
        format!("did you mean `{}`? {what}", plain.trim())
    } else if let Some(candidate) = nearest(&plain, known) {
        format!("did you mean `{candidate}`? the version names the policy language, not your edit")
    } else {
        "write `2012-10-17`; the version names the policy language, not your edit".to_owned()
    };
    notes.error(
        Diagnostic::coded(
            Severity::Error,
            "policy::version",
            value.span,
            format!("invalid `Version` {}", quote(text)),
            "not a version of the policy language",
        )
        .help(help),
    );
    None
}

/// The dashes that text editors put in place of a hyphen.
fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

fn statements(
    list: &Value<'_>,
    dialect: Dialect,
    version: Version,
    notes: &mut Notes,
) -> Vec<Statement> {
    let elements = match &list.kind {
        Kind::Object(_) => std::slice::from_ref(list),
        Kind::Array(elements) => elements.as_slice(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {
            notes.error(wrong_type("`Statement`", "an object or an array of objects", list));
            return Vec::new();
        }
    };
    if elements.is_empty() {
        notes.error(
            shape(list.span, "`Statement` is empty", "no statement")
                .help("a policy has at least one statement"),
        );
    }
    let read = |(index, element): (usize, &Value<'_>)| match &element.kind {
        Kind::Object(members) => statement::read(index, element, members, dialect, version, notes),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Array(_) => {
            notes.error(wrong_type("a statement", "an object", element));
            None
        }
    };
    elements.iter().enumerate().filter_map(read).collect()
}

/// Remarks on a document in which `${...}` is plain text.
fn variables_off(document: &Value<'_>, written: Option<&Member<'_>>, notes: &mut Notes) {
    if let Some(span) = notes.dollar {
        let message = match written {
            None => "`${` is plain text, because the document has no `Version`",
            Some(_) => "`${` is plain text under `Version` `2008-10-17`",
        };
        let mut warning = Diagnostic::coded(
            Severity::Warning,
            "policy::variables-off",
            span,
            message,
            "not a policy variable here",
        )
        .help("write `\"Version\": \"2012-10-17\"` if a policy variable is meant");
        if let Some(element) = written {
            warning = warning.also(element.value.span, "this version has no variables");
        }
        notes.warn(warning);
    } else if written.is_none() {
        notes.warn(
            Diagnostic::coded(
                Severity::Advice,
                "policy::missing-version",
                head(document),
                "the document has no `Version` and is read as `2008-10-17`",
                "in this object",
            )
            .help("add `\"Version\": \"2012-10-17\"`"),
        );
    }
}

/// Remarks on Sids: they should be unique, and letters and digits only.
fn sids(statements: &[Statement], list: &Value<'_>, notes: &mut Notes) {
    let elements = match &list.kind {
        Kind::Object(_) => std::slice::from_ref(list),
        Kind::Array(elements) => elements.as_slice(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => return,
    };
    let mut seen = BTreeMap::new();
    for statement in statements {
        let (Some(sid), Some(element)) = (&statement.sid, elements.get(statement.index)) else {
            continue;
        };
        let Kind::Object(members) = &element.kind else { continue };
        let Some(span) = member(members, "Sid").map(|member| member.value.span) else { continue };
        if !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
            notes.warn(
                Diagnostic::coded(
                    Severity::Warning,
                    "policy::sid",
                    span,
                    format!("Sid {} has characters other than letters and digits", quote(sid)),
                    "this Sid",
                )
                .help("AWS documents a Sid as ASCII letters and digits"),
            );
        }
        if sid.is_empty() {
            continue;
        }
        if let Some(first) = seen.get(sid.as_str()) {
            notes.warn(
                Diagnostic::coded(
                    Severity::Warning,
                    "policy::duplicate-sid",
                    span,
                    format!("duplicate Sid {}", quote(sid)),
                    "again here",
                )
                .also(*first, "first here")
                .help("give each statement a Sid of its own, so that reports can name it"),
            );
        } else {
            seen.insert(sid.as_str(), span);
        }
    }
}

#[cfg(test)]
mod tests;
