//! What belongs to the organization.

use std::collections::BTreeMap;

use organization::Organization;

/// The organization against which policies are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// Its id, for instance `o-exampleorgid`.
    pub organization: String,
    /// The partition, for instance `aws`.
    pub partition: String,
    /// The management account's twelve digits.
    pub management_account: String,
    /// Its accounts, management account included, each with `aws:PrincipalOrgPaths` of its
    /// principals.
    pub accounts: BTreeMap<String, String>,
}

impl Inside {
    /// What belongs to `organization`.
    ///
    /// A snapshot whose list of accounts has a gap gives too few, so that an account of the
    /// organization counts as an outsider; the caller says so beside the verdicts.
    #[must_use]
    pub fn of(organization: &Organization) -> Self {
        let mut accounts: BTreeMap<String, String> = organization
            .accounts()
            .map(|(index, account)| (account.id.to_string(), organization.org_path(index)))
            .collect();
        let management_account = organization.management_account.to_string();
        accounts
            .entry(management_account.clone())
            .or_insert_with(|| format!("{}/{}/", organization.id, organization.root().id));
        Self {
            organization: organization.id.to_string(),
            partition: organization.partition.clone(),
            management_account,
            accounts,
        }
    }

    /// Whether the account belongs to the organization.
    #[must_use]
    pub fn has(&self, account: &str) -> bool {
        self.accounts.contains_key(account)
    }
}
