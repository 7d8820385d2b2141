//! From the text of a snapshot to an organization.

use policy::parse::Limits;
use sha2::{Digest, Sha256};

use crate::SnapshotError;
use crate::gap::Gaps;
use crate::id::{AccountId, NEAR, OrganizationId, RootId};
use crate::organization::Organization;
use crate::tree::Root;

mod attachments;
mod gaps;
mod notes;
mod policies;
mod tree;

use notes::{Notes, malformed};
use policies::SCP;
use text::diagnostic::{Diagnostic, Problems, Subject, label_span, short};
use text::fields::{FieldPlace, Object, Text, wrong_type};
use text::json::{Kind, Value};
use text::words::{nearest_within, quote};

const SNAPSHOT: Subject = Subject {
    code: Some("organization::snapshot"),
    noun: "the snapshot",
    again: "fetch the snapshot again",
};

/// The deepest nesting that is read; a policy document in place of a string is part of it.
const DEEPEST: usize = 128;

/// The partitions in which AWS runs.
const PARTITIONS: [&str; 4] = ["aws", "aws-us-gov", "aws-eusc", "aws-cn"];

/// Reads a snapshot.
///
/// `text` is the JSON of the contract's version 1; fields it does not know are passed over.
/// `limits` bounds the policy documents.
///
/// # Errors
/// [`SnapshotError`] where the text is not JSON, a field is missing or of the wrong type, an id
/// is malformed or there twice, a parent or an attachment's end is missing, or the tree has a
/// loop. A policy that cannot be read is no error: its [`crate::Document`] says so.
pub fn read(text: &str, limits: &Limits) -> Result<Organization, SnapshotError> {
    let value = text::json::parse(text, DEEPEST)
        .map_err(|error| SnapshotError::not_json(SNAPSHOT, &error, ""))?;
    check_version(&value).map_err(|problem| SnapshotError::one(SNAPSHOT, problem))?;
    let mut notes = Notes { problems: Problems::of(SNAPSHOT), warnings: Vec::new() };
    let organization = read_top(&mut notes, &value, text, limits);
    if let Some(error) = notes.problems.into_refusal() {
        return Err(error);
    }
    // Without a problem there is an organization; were there none, that would be our mistake.
    let mut organization = organization.ok_or_else(|| {
        SnapshotError::one(SNAPSHOT, Diagnostic::error("the snapshot could not be read"))
    })?;
    organization.warnings = notes.warnings;
    Ok(organization)
}

/// Reads a snapshot from the bytes of a file.
///
/// # Errors
/// As [`read`], and where the bytes are not UTF-8.
pub fn read_bytes(bytes: &[u8], limits: &Limits) -> Result<Organization, SnapshotError> {
    let text =
        text::json::decode(bytes).map_err(|error| SnapshotError::not_json(SNAPSHOT, &error, ""))?;
    read(text, limits)
}

/// Another version may look different altogether, so nothing else is said about it.
fn check_version(value: &Value<'_>) -> Result<(), Diagnostic> {
    let mut problems = Problems::of(SNAPSHOT);
    let top = Object::of(&mut problems, value, FieldPlace::Top);
    let version = top.and_then(|top| top.required(&mut problems, "schemaVersion"));
    let Some(version) = version else {
        return problems.into_first().map_or(Ok(()), Err);
    };
    match version.kind {
        Kind::Number("1") => Ok(()),
        Kind::Number(other) => {
            let shown: String = other.chars().take(20).collect();
            Err(Diagnostic::error(format!("unknown schema version {shown}"))
                .label(label_span(version), "expected 1")
                .help("fetch the snapshot with this program, or use the program that made it"))
        }
        Kind::Null | Kind::Bool(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => {
            wrong_type(&mut problems, "`schemaVersion`", version, "the number 1");
            problems.into_first().map_or(Ok(()), Err)
        }
    }
}

fn read_top(
    notes: &mut Notes,
    value: &Value<'_>,
    text: &str,
    limits: &Limits,
) -> Option<Organization> {
    let top = Object::of(&mut notes.problems, value, FieldPlace::Top)?;
    let partition = read_partition(notes, &top);
    let fetched_at = top.optional_string(&mut notes.problems, "fetchedAt");
    let oldest_content_at = top.optional_string(&mut notes.problems, "oldestContentAt");
    let head = top.required(&mut notes.problems, "organization");
    let head = head.and_then(|value| read_head(notes, value));
    let attached = top.list(&mut notes.problems, "attachments").unwrap_or_default();
    let gaps = top.optional_list(&mut notes.problems, "gaps").unwrap_or_default();
    let before = notes.problems.total();
    let root = top.required(&mut notes.problems, "root");
    let root = root.and_then(|value| read_root(notes, value));
    let units = top.list(&mut notes.problems, "organizationalUnits").unwrap_or_default();
    let units_lost = notes.problems.total() > before;
    let before = notes.problems.total();
    let accounts = top.list(&mut notes.problems, "accounts").unwrap_or_default();
    let accounts_lost = notes.problems.total() > before;

    // Without the root every parent would look missing.
    let root = root?;
    let (tree, targets_lost) = tree::read_tree(notes, root.root, units, accounts, units_lost);
    let before = notes.problems.total();
    let stored = top.list(&mut notes.problems, "policies").unwrap_or_default();
    let (policies, documents) = policies::read_policies(notes, stored, text, limits);
    let policies_by_id =
        crate::tree::sorted_positions(&policies, |policy: &crate::StoredPolicy| policy.id.as_str());
    let book = attachments::Referents {
        tree: &tree,
        policies: &policies,
        by_id: &policies_by_id,
        targets_lost: targets_lost || accounts_lost,
        policies_lost: notes.problems.total() > before,
        management_account: head.as_ref().map(|head| head.management_account),
    };
    let scp_enabled = root.scp_type_enabled && head.as_ref().is_some_and(|head| head.all_features);
    let attachments = attachments::read_attachments(notes, &book, attached, scp_enabled);
    let gaps = Gaps::new(gaps::read_gaps(notes, &book, gaps));
    let head = head?;
    Some(Organization {
        id: head.id,
        partition: partition?,
        management_account: head.management_account,
        fetched_at: fetched_at.map(|fetched_at| fetched_at.text.to_owned()),
        oldest_content_at: oldest_content_at.map(|at| at.text.to_owned()),
        digest: digest(text.as_bytes()),
        has_exposure: has_exposure(value),
        scp_enabled,
        warnings: Vec::new(),
        limits: *limits,
        tree,
        policies,
        policies_by_id,
        documents,
        attachments,
        gaps,
    })
}

fn read_partition(notes: &mut Notes, top: &Object<'_, '_, '_>) -> Option<String> {
    let partition = top.string(&mut notes.problems, "partition")?;
    if PARTITIONS.contains(&partition.text) {
        return Some(partition.text.to_owned());
    }
    notes.problems.push(|| {
        let known = "the partitions are `aws`, `aws-us-gov`, `aws-eusc` and `aws-cn`";
        let help = nearest_within(NEAR, partition.text, PARTITIONS)
            .map_or_else(|| known.to_owned(), |near| format!("did you mean `{near}`? {known}"));
        Diagnostic::error(format!("unknown partition {}", quote(partition.text)))
            .label(short(partition.span), "not a partition")
            .help(help)
    });
    None
}

struct OrganizationHead {
    id: OrganizationId,
    management_account: AccountId,
    all_features: bool,
}

fn read_head(notes: &mut Notes, value: &Value<'_>) -> Option<OrganizationHead> {
    let problems = &mut notes.problems;
    let fields = Object::of(problems, value, FieldPlace::Member("organization"))?;
    let id = fields.string(problems, "id");
    let management = fields.string(problems, "managementAccountId");
    let features = fields.optional_string(problems, "featureSet");
    let id = id.and_then(|id| parsed::<OrganizationId>(problems, id));
    let management_account = management.and_then(|id| parsed::<AccountId>(problems, id));
    let all_features = match features {
        None => {
            notes.warnings.push(
                "`organization.featureSet` is missing; the root's policy types alone tell whether \
                 service control policies are in force"
                    .to_owned(),
            );
            true
        }
        Some(features) => is_all_features(problems, features),
    };
    Some(OrganizationHead { id: id?, management_account: management_account?, all_features })
}

fn is_all_features(problems: &mut Problems, features: Text<'_>) -> bool {
    match features.text {
        "ALL" => true,
        "CONSOLIDATED_BILLING" => false,
        other => {
            problems.push(|| {
                Diagnostic::error(format!("unknown feature set {}", quote(other)))
                    .label(short(features.span), "expected `ALL` or `CONSOLIDATED_BILLING`")
                    .help("copy the value that DescribeOrganization returns")
            });
            false
        }
    }
}

fn parsed<T: std::str::FromStr<Err = crate::MalformedId>>(
    problems: &mut Problems,
    id: Text<'_>,
) -> Option<T> {
    id.text.parse().map_err(|error| malformed(problems, id, &error)).ok()
}

struct RootHead {
    root: Root,
    scp_type_enabled: bool,
}

fn read_root(notes: &mut Notes, value: &Value<'_>) -> Option<RootHead> {
    let problems = &mut notes.problems;
    let fields = Object::of(problems, value, FieldPlace::Member("root"))?;
    let id = fields.string(problems, "id");
    let name = fields.optional_string(problems, "name");
    let types = fields.list(problems, "policyTypes").unwrap_or_default();
    let mut statuses = Vec::new();
    for (index, value) in types.iter().enumerate() {
        let place = FieldPlace::Element("root.policyTypes", index);
        let Some(fields) = Object::of(problems, value, place) else {
            continue;
        };
        let kind = fields.string(problems, "type");
        let status = fields.string(problems, "status");
        if let (Some(kind), Some(status)) = (kind, status)
            && kind.text == SCP
        {
            statuses.push(status.text);
        }
    }
    let scp_type_enabled = !statuses.is_empty() && statuses.iter().all(|word| *word == "ENABLED");
    if let Some(status) = statuses.iter().find(|status| **status != "ENABLED") {
        notes.warnings.push(format!(
            "the policy type `{SCP}` is {} on the root, so no service control policy counts",
            quote(status)
        ));
    }
    let id = id?;
    if let Err(error) = RootId::check(id.text) {
        malformed(&mut notes.problems, id, &error);
    }
    let root = Root {
        id: RootId::unchecked(id.text),
        name: name.map_or(id.text, |name| name.text).into(),
    };
    Some(RootHead { root, scp_type_enabled })
}

/// Whether the snapshot says what is set up in the accounts; the crate `exposure` reads that.
fn has_exposure(value: &Value<'_>) -> bool {
    value.get("exposure").is_some()
}

/// `sha256:` and the hexadecimal digest of these bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        digest.push_str(&format!("{byte:02x}"));
    }
    digest
}

#[cfg(test)]
mod tests;
