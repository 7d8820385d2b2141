//! Policies and their documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::parse::Limits;
use text::diagnostic::{Diagnostic, Problems, short};
use text::fields::{FieldPlace, Object, Text};
use text::json::{Kind, Value};
use text::words::{did_you_mean, nearest_within, quote};

use super::notes::{Notes, malformed};
use super::tree::twice;
use crate::id::{NEAR, PolicyId, name_or_id};
use crate::policies::{Document, DocumentIdx, PolicyKind, StoredPolicy};
use crate::tree::{narrow, sorted_positions, twins};

/// The type of service control policies, as Organizations names it.
pub(super) const SCP: &str = "SERVICE_CONTROL_POLICY";

/// What the snapshot holds in the place of a document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DocumentContent<'v> {
    Text(&'v str),
    /// A `null`, or nothing at all.
    Missing,
    /// Something that is no document, by the name of its JSON type.
    Odd(&'static str),
}

/// The distinct documents.
#[derive(Default)]
struct Documents<'v> {
    known: BTreeMap<(bool, DocumentContent<'v>), DocumentIdx>,
    all: Vec<Arc<Document>>,
}

pub(super) fn read_policies(
    notes: &mut Notes,
    policies: &[Value<'_>],
    source: &str,
    limits: &Limits,
) -> (Vec<StoredPolicy>, Vec<Arc<Document>>) {
    let problems = &mut notes.problems;
    let mut documents = Documents::default();
    let mut read = Vec::with_capacity(policies.len());
    let mut ids = Vec::with_capacity(policies.len());
    for (index, value) in policies.iter().enumerate() {
        let place = FieldPlace::Element("policies", index);
        let Some(fields) = Object::of(problems, value, place) else { continue };
        let id = fields.string(problems, "id");
        let name = fields.optional_string(problems, "name");
        let kind = fields.string(problems, "type");
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
            name: name_or_id(name.map(|name| name.text), id.text),
            kind,
            aws_managed,
            document,
        });
        ids.push(id);
    }
    let by_id = sorted_positions(&ids, |id| id.text);
    for (first, second) in twins(&by_id, |at| ids.get(at).map(|id| id.text)) {
        if let (Some(first), Some(second)) = (ids.get(first), ids.get(second)) {
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
    if folded.eq_ignore_ascii_case("SCP") || nearest_within(NEAR, &folded, [SCP]).is_some() {
        problems.push(|| {
            Diagnostic::error(format!("unknown policy type {}", quote(kind.text)))
                .label(short(kind.span), "not a policy type")
                .help(did_you_mean(SCP))
        });
    }
    PolicyKind::Other(kind.text.into())
}

fn content<'v>(value: Option<&'v Value<'_>>, source: &'v str) -> DocumentContent<'v> {
    let Some(value) = value else { return DocumentContent::Missing };
    match &value.kind {
        Kind::String(text) => DocumentContent::Text(text),
        Kind::Object(_) => {
            let raw = source.get(value.span.start..value.span.end);
            raw.map_or(DocumentContent::Odd(value.kind_name()), DocumentContent::Text)
        }
        Kind::Null => DocumentContent::Missing,
        Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) => DocumentContent::Odd(value.kind_name()),
    }
}

impl<'v> Documents<'v> {
    fn intern(&mut self, scp: bool, content: DocumentContent<'v>, limits: &Limits) -> DocumentIdx {
        let next = DocumentIdx(narrow(self.all.len()));
        let document = *self.known.entry((scp, content)).or_insert(next);
        if document == next {
            let read = if scp { document_of(content, limits) } else { foreign(content) };
            self.all.push(Arc::new(read));
        }
        document
    }
}

fn foreign(content: DocumentContent<'_>) -> Document {
    let text = match content {
        DocumentContent::Text(text) => Some(text.into()),
        DocumentContent::Missing | DocumentContent::Odd(_) => None,
    };
    Document::Foreign { text }
}

fn document_of(content: DocumentContent<'_>, limits: &Limits) -> Document {
    match content {
        DocumentContent::Text(text) => Document::of_scp(text, limits),
        DocumentContent::Missing => Document::Unreadable {
            text: None,
            message: "the snapshot does not hold the policy's content".to_owned(),
            error: None,
        },
        DocumentContent::Odd(kind) => Document::Unreadable {
            text: None,
            message: format!("the policy's content is {kind}, not a policy document"),
            error: None,
        },
    }
}
