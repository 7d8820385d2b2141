//! Ids that people write, which may be no ids at all.

use super::EditError;
use crate::id::{AccountId, OwnedTargetId, ParentId, PolicyId};
use crate::organization::Organization;

impl Organization {
    /// The policy that `id` names, which edits may still have to create.
    ///
    /// # Errors
    /// No policy can have this id.
    pub fn policy_of_edit(&self, id: &str) -> Result<PolicyId, EditError> {
        id.parse().map_err(|_| self.no_policy(id))
    }

    /// The root, unit or account that `id` names, which edits may still have to create.
    ///
    /// # Errors
    /// No target can have this id.
    pub fn target_of_edit(&self, id: &str) -> Result<OwnedTargetId, EditError> {
        id.parse().map_err(|_| self.no_target(id))
    }

    /// The account that `id` names.
    ///
    /// # Errors
    /// No account can have this id.
    pub fn account_of_edit(&self, id: &str) -> Result<AccountId, EditError> {
        id.parse().map_err(|_| match self.target(id) {
            None => self.no_target(id),
            Some(_) => EditError::new(
                format!("`{id}` is no account"),
                "only accounts can be moved; to move a unit, move its accounts",
            ),
        })
    }

    /// The root or unit that `id` names, which edits may still have to create.
    ///
    /// # Errors
    /// No root or unit can have this id.
    pub fn parent_of_edit(&self, id: &str) -> Result<ParentId, EditError> {
        id.parse().map_err(|_| match self.target(id) {
            None => self.no_target(id),
            Some(_) => EditError::new(
                format!("`{id}` is an account, and nothing can be in it"),
                "name the root or a unit",
            ),
        })
    }

    pub(super) fn no_policy(&self, id: &str) -> EditError {
        EditError {
            message: format!("the organization has no policy `{id}`"),
            help: self.suggest(id).map(|nearest| format!("did you mean {nearest}?")),
        }
    }

    pub(super) fn no_target(&self, id: &str) -> EditError {
        EditError {
            message: format!("the organization has no root, unit or account `{id}`"),
            help: self.suggest(id).map(|nearest| format!("did you mean {nearest}?")),
        }
    }
}
