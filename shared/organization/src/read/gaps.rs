//! Gaps: what could not be read.

use text::fields::{FieldPlace, Object};
use text::json::Value;

use super::attachments::Referents;
use super::notes::Notes;
use crate::gap::{Breadth, Gap, Reach};

/// Reads the gaps. Their ids need no shape: an id that cannot be placed makes the gap touch
/// everything, which is the careful reading of a broken one, too.
pub(super) fn read_gaps(notes: &mut Notes, book: &Referents<'_>, gaps: &[Value<'_>]) -> Vec<Gap> {
    let problems = &mut notes.problems;
    let mut read = Vec::with_capacity(gaps.len());
    for (index, value) in gaps.iter().enumerate() {
        let place = FieldPlace::Element("gaps", index);
        let Some(fields) = Object::of(problems, value, place) else { continue };
        let target = fields.optional_string(problems, "targetId").map(|text| text.text);
        let policy = fields.optional_string(problems, "policyId").map(|text| text.text);
        let operation = fields.optional_string(problems, "operation").map(|text| text.text);
        let reason = fields.optional_string(problems, "reason").map(|text| text.text);
        let mut gap = Gap {
            target: target.map(Into::into),
            policy: policy.map(Into::into),
            operation: operation.map(Into::into),
            reason: reason.unwrap_or("no reason given").into(),
            reach: Reach::Everything(Breadth::Unnamed),
        };
        gap.place(|id| book.tree.find(id), |id| book.policy(id));
        read.push(gap);
    }
    read
}
