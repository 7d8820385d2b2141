//! What is the same in every request of one account.

use organization::{AccountIdx, Organization};

/// The account's part in every request that its principals make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// The partition, for instance `aws`.
    pub partition: String,
    /// The organization's id.
    pub organization: String,
    /// The account's twelve digits.
    pub account: String,
    /// `aws:PrincipalOrgPaths`: from the organization to the account's parent.
    pub org_path: String,
}

impl AccountFacts {
    /// The facts of `account`.
    #[must_use]
    pub fn of(organization: &Organization, account: AccountIdx) -> Option<Self> {
        Some(Self {
            partition: organization.partition.clone(),
            organization: organization.id.to_string(),
            account: organization.account(account)?.id.to_string(),
            org_path: organization.org_path(account),
        })
    }
}
