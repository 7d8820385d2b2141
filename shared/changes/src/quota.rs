//! What Organizations lets fit.

use organization::{Document, EditError, Organization};

/// Quotas of service control policies. AWS has changed them, so they are settings.
///
/// # Source
/// AWS Organizations user guide, "Quotas and service limits".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Characters of a document.
    pub characters: usize,
    /// Policies attached directly to a root, unit or account.
    pub policies_per_target: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { characters: 10_240, policies_per_target: 10 }
    }
}

/// What the change from `before` to `after` would have Organizations refuse; what was over a quota
/// before and is not touched is left alone.
#[must_use]
pub fn refusals(before: &Organization, after: &Organization, quotas: Quotas) -> Vec<EditError> {
    let mut refusals = Vec::new();
    let text = |organization: &'_ Organization, id: &str| -> Option<String> {
        let policy = organization.policy(organization.find_policy(id)?)?;
        organization.document(policy.document).and_then(Document::text).map(str::to_owned)
    };
    for (_, policy) in after.policies().filter(|(_, policy)| policy.is_scp()) {
        let Some(new) = text(after, policy.id.as_str()) else { continue };
        let count = new.chars().count();
        if count <= quotas.characters || text(before, policy.id.as_str()).as_ref() == Some(&new) {
            continue;
        }
        refusals.push(EditError::new(
            format!(
                "the document of policy `{}` ({}) would have {count} characters, {} more than the \
                 quota of {}",
                policy.id,
                policy.name,
                count - quotas.characters,
                quotas.characters
            ),
            "leave out white space, or split it; --quota-characters sets the quota",
        ));
    }
    for target in after.targets() {
        let new = after.scps_on(target.index).len();
        let id = target.id;
        let old = before.find_target(id).map_or(0, |found| before.scps_on(found).len());
        if new == old {
            continue;
        }
        if new > quotas.policies_per_target && new > old {
            refusals.push(EditError::new(
                format!(
                    "`{id}` ({}) would have {new} service control policies, and the quota is {}",
                    target.name, quotas.policies_per_target
                ),
                "detach one or join two; --quota-policies sets the quota",
            ));
        }
        if new == 0 && after.scp_enabled {
            refusals.push(EditError::new(
                format!("`{id}` ({}) would have no service control policy", target.name),
                "Organizations keeps at least one on every target; attach another one first",
            ));
        }
    }
    refusals
}
