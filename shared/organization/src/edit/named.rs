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
        let help = "only accounts can be moved; to move a unit, move its accounts";
        id.parse().map_err(|_| self.unfit(id, "is no account", help))
    }

    /// The root or unit that `id` names, which edits may still have to create.
    ///
    /// # Errors
    /// No root or unit can have this id.
    pub fn parent_of_edit(&self, id: &str) -> Result<ParentId, EditError> {
        let what = "is an account, and nothing can be in it";
        id.parse().map_err(|_| self.unfit(id, what, "name the root or a unit"))
    }

    /// A target that an edit cannot be about, or none at all.
    fn unfit(&self, id: &str, what: &str, help: &str) -> EditError {
        match self.target(id) {
            None => self.no_target(id),
            Some(_) => EditError::new(format!("`{id}` {what}"), help),
        }
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
