//! The digest of what a reader of a finding acts on.

use std::borrow::Cow;

use policy::keys::{KeyCatalog, KeyKind};
use sha2::{Digest, Sha256};

use super::{Finding, fields};
use crate::results::{ResultEntry, ValueEntry};

/// Fields that every run fills anew.
const PASSING: [&str; 7] = [
    fields::SNAPSHOT_DIGEST,
    fields::SNAPSHOT_TIME,
    fields::OLDEST_CONTENT,
    fields::EVALUATED_AT,
    fields::RUN,
    fields::TOOL_VERSION,
    fields::CONTENT_DIGEST,
];

/// Digests a finding apart from its times, its state, and fields that every run fills anew.
pub fn digest(finding: &Finding) -> String {
    let mut steady = finding.clone();
    steady.created_at.clear();
    steady.updated_at.clear();
    steady.first_observed_at.clear();
    steady.workflow = None;
    steady.product_fields.retain(|name, _| !PASSING.contains(&name.as_str()));
    // The shape has no maps with other keys than texts, so this cannot fail; an empty text would
    // only cause one write too many.
    let text = serde_json::to_vec(&steady).unwrap_or_default();
    let hash = Sha256::digest(&text);
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The entry without the moments in its witness, which are those of the evaluation, and without
/// what the severity rests on, such as a count of messages: a finding must not change because
/// time passes.
pub fn steady<'a>(entry: &'a ResultEntry, catalog: &KeyCatalog) -> Cow<'a, ResultEntry> {
    let mut steady = without_moments(entry, catalog);
    if entry.severity.is_some()
        && let Some(graded) = &mut steady.to_mut().severity
    {
        graded.rule.clear();
    }
    steady
}

fn without_moments<'a>(entry: &'a ResultEntry, catalog: &KeyCatalog) -> Cow<'a, ResultEntry> {
    let Some(witness) = &entry.witness else { return Cow::Borrowed(entry) };
    let moments: Vec<&str> = witness
        .context
        .iter()
        .filter(|(key, _)| is_moment(key, catalog))
        .flat_map(|(_, value)| match value {
            ValueEntry::One(text) => std::slice::from_ref(text),
            ValueEntry::Many(texts) => texts.as_slice(),
        })
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    let mask = |text: &Option<String>| {
        text.as_ref().map(|text| {
            moments.iter().fold(text.clone(), |text, moment| text.replace(moment, "a moment"))
        })
    };
    let (cause, witness_text) = (mask(&entry.cause), mask(&entry.witness_text));
    if cause == entry.cause && witness_text == entry.witness_text {
        return Cow::Borrowed(entry);
    }
    Cow::Owned(ResultEntry { cause, witness_text, ..entry.clone() })
}

fn is_moment(key: &str, catalog: &KeyCatalog) -> bool {
    key.eq_ignore_ascii_case("aws:EpochTime")
        || catalog.get(key).is_some_and(|info| info.kind == KeyKind::Date)
}
