//! Attachments: which service control policies are on which target.

use text::diagnostic::{Diagnostic, Problems, short};
use text::fields::{FieldPlace, Object, Text};
use text::json::Value;
use text::words::{did_you_mean, nearest_within, several};

use super::notes::{Notes, malformed};
use crate::id::{AccountId, NEAR, OwnedTargetId, PolicyId, TargetId};
use crate::organization::find_policy;
use crate::policies::{Attachment, Attachments, PolicyIdx, StoredPolicy};
use crate::tree::{TargetIdx, Tree, narrow};

/// What attachments and gaps refer to.
pub(super) struct Referents<'b> {
    pub(super) tree: &'b Tree,
    pub(super) policies: &'b [StoredPolicy],
    /// Positions of the policies, by id.
    pub(super) by_id: &'b [u32],
    /// Whether a problem cost targets, so that a missing one is not worth another.
    pub(super) targets_lost: bool,
    /// The same for policies.
    pub(super) policies_lost: bool,
    /// The management account, which no service control policy binds.
    pub(super) management_account: Option<AccountId>,
}

impl Referents<'_> {
    pub(super) fn policy(&self, id: &str) -> Option<PolicyIdx> {
        find_policy(self.policies, self.by_id, id)
    }
}

pub(super) fn read_attachments(
    notes: &mut Notes,
    book: &Referents<'_>,
    attachments: &[Value<'_>],
    scp_enabled: bool,
) -> Attachments {
    let mut pairs = Vec::with_capacity(attachments.len());
    for (index, value) in attachments.iter().enumerate() {
        let problems = &mut notes.problems;
        let place = FieldPlace::Element("attachments", index);
        let Some(fields) = Object::of(problems, value, place) else {
            continue;
        };
        let policy = fields.string(problems, "policyId");
        let target = fields.string(problems, "targetId");
        let policy = policy.and_then(|policy| find_attached(problems, book, policy));
        let target = target.and_then(|target| find_target(problems, book, target));
        if let (Some(policy), Some(target)) = (policy, target) {
            pairs.push(Attachment { target, policy, order: narrow(index) });
        }
    }
    drop_twins(notes, book, &mut pairs);
    let attachments = Attachments::new(book.tree.len(), book.policies, pairs);
    if scp_enabled {
        warn_of_bare_targets(notes, book, &attachments);
    }
    attachments
}

/// Keeps the first of equal attachments.
fn drop_twins(notes: &mut Notes, book: &Referents<'_>, pairs: &mut Vec<Attachment>) {
    pairs.sort_unstable_by_key(|pair| (pair.target, pair.policy, pair.order));
    let mut dropped = Vec::new();
    pairs.dedup_by(|second, first| {
        let twins = (second.target, second.policy) == (first.target, first.policy);
        if twins && let Some(policy) = book.policies.get(second.policy.index()) {
            dropped.push(format!("{} on {}", policy.id, book.tree.target_ref(second.target).id));
        }
        twins
    });
    if !dropped.is_empty() {
        let pairs = several(&dropped);
        notes.warnings.push(format!("attachments listed more than once count once: {pairs}"));
    }
}

/// AWS keeps a policy on every target while the type is enabled, so a bare one hints at loss.
fn warn_of_bare_targets(notes: &mut Notes, book: &Referents<'_>, attachments: &Attachments) {
    let unbound = book.management_account.map(TargetId::Account);
    let bare: Vec<String> = (0..narrow(book.tree.len()))
        .map(TargetIdx)
        .filter(|target| attachments.on(*target).is_empty())
        .map(|target| book.tree.target_ref(target).id)
        .filter(|id| Some(*id) != unbound)
        .map(|id| id.to_string())
        .collect();
    if !bare.is_empty() {
        notes.warnings.push(format!(
            "no service control policy is attached to {}; AWS Organizations keeps at least one on \
             every target, so attachments may be missing from the snapshot",
            several(&bare)
        ));
    }
}

fn find_attached(problems: &mut Problems, book: &Referents<'_>, id: Text<'_>) -> Option<PolicyIdx> {
    let found = book.policy(id.text);
    if found.is_none() {
        if let Err(error) = PolicyId::check(id.text) {
            malformed(problems, id, &error);
            return None;
        }
        if book.policies_lost {
            return None;
        }
        problems.push(|| {
            let ids = book.policies.iter().map(|policy| policy.id.as_str());
            let help = nearest_within(NEAR, id.text, ids).map_or_else(
                || "add the policy to `policies`, or fetch the snapshot again".to_owned(),
                did_you_mean,
            );
            Diagnostic::error(format!("the attached policy `{}` is not in the snapshot", id.text))
                .label(short(id.span), "no such policy")
                .help(help)
        });
    }
    found
}

fn find_target(problems: &mut Problems, book: &Referents<'_>, id: Text<'_>) -> Option<TargetIdx> {
    let found = book.tree.find(id.text);
    if found.is_none() {
        if let Err(error) = id.text.parse::<OwnedTargetId>() {
            malformed(problems, id, &error);
            return None;
        }
        if book.targets_lost {
            return None;
        }
        problems.push(|| {
            let help = nearest_within(NEAR, id.text, book.tree.ids()).map_or_else(
                || "add the target to the snapshot, or remove the attachment".to_owned(),
                |near| did_you_mean(&near),
            );
            Diagnostic::error(format!(
                "the attachment's target `{}` is not in the snapshot",
                id.text
            ))
            .label(short(id.span), "no such root, unit or account")
            .help(help)
        });
    }
    found
}
