//! Policies and their documents.

use std::collections::BTreeMap;

use policy::diagnostic::UnreadablePolicy;
use policy::json::{Kind, Value};
use policy::parse::Limits;

use super::fields::{Fields, Place, Text, malformed, short};
use super::notes::Notes;
use super::tree::twice;
use crate::error::{Problem, Problems};
use crate::id::PolicyId;
use crate::policies::{Document, DocumentIdx, PolicyKind, StoredPolicy};
use crate::suggest::{nearest, quote};
use crate::tree::{narrow, sorted_positions};

/// The type of service control policies, as Organizations names it.
pub(super) const SCP: &str = "SERVICE_CONTROL_POLICY";

/// What the snapshot holds in the place of a document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Content<'v> {
    Text(&'v str),
    /// A `null`, or nothing at all.
    Missing,
    /// Something that is no document, by the name of its JSON type.
    Odd(&'static str),
}

/// The distinct documents.
#[derive(Default)]
struct Documents<'v> {
    known: BTreeMap<(bool, Content<'v>), DocumentIdx>,
    all: Vec<Document>,
}

pub(super) fn read_policies(
    notes: &mut Notes,
    policies: &[Value<'_>],
    source: &str,
    limits: &Limits,
) -> (Vec<StoredPolicy>, Vec<Document>) {
    let problems = &mut notes.problems;
    let mut documents = Documents::default();
    let mut read = Vec::with_capacity(policies.len());
    let mut ids = Vec::with_capacity(policies.len());
    for (index, value) in policies.iter().enumerate() {
        let place = Place::Element("policies", index);
        let names = &["id", "name", "type", "awsManaged", "content"];
        let Some(fields) = Fields::of(problems, value, place, names) else { continue };
        let id = fields.required_string(problems, "id");
        // Nothing can be called by a blank; then it goes by its id, as without a name.
        let name = fields.optional_string(problems, "name");
        let name = name.filter(|name| !name.text.trim().is_empty());
        let kind = fields.required_string(problems, "type");
        let aws_managed = fields.flag(problems, "awsManaged");
        let (Some(id), Some(kind)) = (id, kind) else { continue };
        if let Err(error) = PolicyId::check(id.text) {
            malformed(problems, id, &error);
        }
        let kind = policy_kind(problems, kind);
        let content = content(fields.optional("content"), source);
        let document =
            documents.intern(matches!(kind, PolicyKind::ServiceControl), content, limits);
        read.push(StoredPolicy {
            id: PolicyId::unchecked(id.text),
            name: name.map_or(id.text, |name| name.text).into(),
            kind,
            aws_managed,
            document,
        });
        ids.push(id);
    }
    for pair in sorted_positions(&ids, |id| id.text).windows(2) {
        let [first, second] = pair else { continue };
        if let (Some(first), Some(second)) = (ids.get(*first as usize), ids.get(*second as usize))
            && first.text == second.text
        {
            twice(problems, "policy", *first, *second);
        }
    }
    (read, documents.all)
}

/// A slip in the type would take the policy out of every stack, and what it denies with it or
/// what it allows; so a near miss is refused.
fn policy_kind(problems: &mut Problems, kind: Text<'_>) -> PolicyKind {
    if kind.text == SCP {
        return PolicyKind::ServiceControl;
    }
    let folded = kind.text.replace([' ', '-'], "_");
    if folded.eq_ignore_ascii_case("SCP") || nearest(&folded, [SCP]).is_some() {
        problems.push(|| {
            Problem::new(format!("unknown policy type {}", quote(kind.text)))
                .label(short(kind.span), "not a policy type")
                .help(format!("did you mean `{SCP}`?"))
        });
    }
    PolicyKind::Other(kind.text.into())
}

fn content<'v>(value: Option<&'v Value<'_>>, source: &'v str) -> Content<'v> {
    let Some(value) = value else { return Content::Missing };
    match &value.kind {
        Kind::String(text) => Content::Text(text),
        Kind::Object(_) => {
            let raw = source.get(value.span.start..value.span.end);
            raw.map_or(Content::Odd(value.kind_name()), Content::Text)
        }
        Kind::Null => Content::Missing,
        Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) => Content::Odd(value.kind_name()),
    }
}

impl<'v> Documents<'v> {
    fn intern(&mut self, scp: bool, content: Content<'v>, limits: &Limits) -> DocumentIdx {
        let next = DocumentIdx(narrow(self.all.len()));
        let document = *self.known.entry((scp, content)).or_insert(next);
        if document == next {
            self.all.push(if scp { document_of(content, limits) } else { foreign(content) });
        }
        document
    }
}

fn foreign(content: Content<'_>) -> Document {
    let text = match content {
        Content::Text(text) => Some(text.into()),
        Content::Missing | Content::Odd(_) => None,
    };
    Document::Foreign { text }
}

fn document_of(content: Content<'_>, limits: &Limits) -> Document {
    match content {
        Content::Text(text) => match policy::parse::parse(text, limits) {
            Ok(parsed) => Document::Readable {
                text: text.into(),
                policy: parsed.policy,
                warnings: parsed.warnings,
            },
            Err(error) => Document::Unreadable {
                message: unreadable_message(&error, text),
                text: Some(text.into()),
                error: Some(error),
            },
        },
        Content::Missing => Document::Unreadable {
            text: None,
            message: "the snapshot does not hold the policy's content".to_owned(),
            error: None,
        },
        Content::Odd(kind) => Document::Unreadable {
            text: None,
            message: format!("the policy's content is {kind}, not a policy document"),
            error: None,
        },
    }
}

/// The first problem with its place in the document, and how many more there are.
fn unreadable_message(error: &UnreadablePolicy, text: &str) -> String {
    let Some(first) = error.diagnostics().first() else { return error.to_string() };
    let mut message =
        format!("{} (at {} of the policy document", first.message, first.span.line_column(text));
    let more = error.diagnostics().len() - 1 + error.omitted();
    if more > 0 {
        message.push_str(&format!(", and {more} more problems"));
    }
    message.push(')');
    message
}
