//! Organizations.
//!
//! One page a call and no retries: `pipeline` paces, retries and counts.

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{Account, OrganizationalUnit, PolicySummary, PolicyType};
use pipeline::ports::{
    AccountItem, CallError, Failure, HeadItem, Page, PolicyContent, PolicyItem, ReadOne,
    ReadPolicies, ReadTree, RootItem, UnitItem,
};

use crate::call::Call;
use crate::gate::Gate;

/// The most that Organizations puts on a page.
const PAGE: i32 = 20;

/// Organizations, as one caller sees it.
#[derive(Debug, Clone)]
pub struct OrganizationsApi {
    client: Client,
    gate: Gate,
}

impl OrganizationsApi {
    pub(crate) const fn new(client: Client, gate: Gate) -> Self {
        Self { client, gate }
    }

    /// ListDelegatedAdministrators: ids of the accounts that may read, page by page.
    ///
    /// # Errors
    /// The call's own.
    pub async fn delegated_administrators(
        &self,
        next: Option<&str>,
    ) -> Result<Page<String>, CallError> {
        let request = self
            .client
            .list_delegated_administrators()
            .max_results(PAGE)
            .set_next_token(next.map(str::to_owned));
        let answer = self.gate.send(Call::ListDelegatedAdministrators, request.send()).await?;
        let items = answer.delegated_administrators().iter();
        Ok(Page {
            items: items.filter_map(|item| item.id().map(str::to_owned)).collect(),
            next: answer.next_token().map(str::to_owned),
        })
    }
}

impl ReadTree for OrganizationsApi {
    async fn roots(&self, next: Option<&str>) -> Result<Page<RootItem>, CallError> {
        let request =
            self.client.list_roots().max_results(PAGE).set_next_token(next.map(str::to_owned));
        let answer = self.gate.send(Call::ListRoots, request.send()).await?;
        let items = answer.roots().iter().map(|root| {
            let types = root.policy_types().iter().map(|policy_type| {
                let status = policy_type.status().map_or("", |status| status.as_str());
                (policy_type.r#type().map_or("", PolicyType::as_str).to_owned(), status.to_owned())
            });
            RootItem {
                id: text(root.id()),
                arn: text(root.arn()),
                name: text(root.name()),
                policy_types: types.collect(),
            }
        });
        Ok(Page { items: items.collect(), next: answer.next_token().map(str::to_owned) })
    }

    async fn accounts(&self, next: Option<&str>) -> Result<Page<AccountItem>, CallError> {
        let request =
            self.client.list_accounts().max_results(PAGE).set_next_token(next.map(str::to_owned));
        let answer = self.gate.send(Call::ListAccounts, request.send()).await?;
        Ok(Page {
            items: answer.accounts().iter().map(account_item).collect(),
            next: answer.next_token().map(str::to_owned),
        })
    }

    async fn accounts_in(
        &self,
        parent: &str,
        next: Option<&str>,
    ) -> Result<Page<AccountItem>, CallError> {
        let request = self
            .client
            .list_accounts_for_parent()
            .parent_id(parent)
            .max_results(PAGE)
            .set_next_token(next.map(str::to_owned));
        let answer = self.gate.send(Call::ListAccountsForParent, request.send()).await?;
        Ok(Page {
            items: answer.accounts().iter().map(account_item).collect(),
            next: answer.next_token().map(str::to_owned),
        })
    }

    async fn units_in(
        &self,
        parent: &str,
        next: Option<&str>,
    ) -> Result<Page<UnitItem>, CallError> {
        let request = self
            .client
            .list_organizational_units_for_parent()
            .parent_id(parent)
            .max_results(PAGE)
            .set_next_token(next.map(str::to_owned));
        let answer = self.gate.send(Call::ListOrganizationalUnitsForParent, request.send()).await?;
        Ok(Page {
            items: answer.organizational_units().iter().map(unit_item).collect(),
            next: answer.next_token().map(str::to_owned),
        })
    }
}

impl ReadPolicies for OrganizationsApi {
    async fn policies(&self, next: Option<&str>) -> Result<Page<PolicyItem>, CallError> {
        let request = self
            .client
            .list_policies()
            .filter(PolicyType::ServiceControlPolicy)
            .max_results(PAGE)
            .set_next_token(next.map(str::to_owned));
        let answer = self.gate.send(Call::ListPolicies, request.send()).await?;
        Ok(Page {
            items: answer.policies().iter().map(policy_item).collect(),
            next: answer.next_token().map(str::to_owned),
        })
    }

    async fn targets_of(
        &self,
        policy: &str,
        next: Option<&str>,
    ) -> Result<Page<String>, CallError> {
        let request = self
            .client
            .list_targets_for_policy()
            .policy_id(policy)
            .max_results(PAGE)
            .set_next_token(next.map(str::to_owned));
        let answer = self.gate.send(Call::ListTargetsForPolicy, request.send()).await?;
        Ok(Page {
            items: answer.targets().iter().map(|target| text(target.target_id())).collect(),
            next: answer.next_token().map(str::to_owned),
        })
    }

    async fn content(&self, policy: &str) -> Result<PolicyContent, CallError> {
        let call = Call::DescribePolicy;
        let request = self.client.describe_policy().policy_id(policy);
        let answer = self.gate.send(call, request.send()).await?;
        let found = answer.policy();
        let summary = found.and_then(|policy| policy.policy_summary());
        // An empty document would be read as one that denies nothing.
        match (summary, found.and_then(|policy| policy.content())) {
            (Some(summary), Some(content)) => Ok(PolicyContent {
                item: policy_item(summary),
                kind: summary.r#type().map_or("", PolicyType::as_str).to_owned(),
                content: content.to_owned(),
            }),
            (None, _) | (_, None) => Err(incomplete(call, "the policy's summary or content")),
        }
    }
}

impl ReadOne for OrganizationsApi {
    async fn head(&self) -> Result<HeadItem, CallError> {
        let call = Call::DescribeOrganization;
        let answer = self.gate.send(call, self.client.describe_organization().send()).await?;
        let organization = answer.organization().ok_or_else(|| incomplete(call, "it"))?;
        Ok(HeadItem {
            id: text(organization.id()),
            management_account: text(organization.master_account_id()),
            feature_set: organization.feature_set().map_or("", |set| set.as_str()).to_owned(),
        })
    }

    async fn account(&self, account: &str) -> Result<AccountItem, CallError> {
        let call = Call::DescribeAccount;
        let request = self.client.describe_account().account_id(account);
        let answer = self.gate.send(call, request.send()).await?;
        answer.account().map(account_item).ok_or_else(|| incomplete(call, "the account"))
    }

    async fn unit(&self, unit: &str) -> Result<UnitItem, CallError> {
        let call = Call::DescribeOrganizationalUnit;
        let request = self.client.describe_organizational_unit().organizational_unit_id(unit);
        let answer = self.gate.send(call, request.send()).await?;
        answer.organizational_unit().map(unit_item).ok_or_else(|| incomplete(call, "the unit"))
    }

    async fn parent_of(&self, child: &str) -> Result<String, CallError> {
        let call = Call::ListParents;
        let request = self.client.list_parents().child_id(child);
        let answer = self.gate.send(call, request.send()).await?;
        match answer.parents() {
            [only] => only.id().map(str::to_owned).ok_or_else(|| incomplete(call, "the parent")),
            _ => Err(incomplete(call, "the one parent")),
        }
    }

    async fn policies_on(
        &self,
        target: &str,
        next: Option<&str>,
    ) -> Result<Page<PolicyItem>, CallError> {
        let request = self
            .client
            .list_policies_for_target()
            .target_id(target)
            .filter(PolicyType::ServiceControlPolicy)
            .max_results(PAGE)
            .set_next_token(next.map(str::to_owned));
        let answer = self.gate.send(Call::ListPoliciesForTarget, request.send()).await?;
        Ok(Page {
            items: answer.policies().iter().map(policy_item).collect(),
            next: answer.next_token().map(str::to_owned),
        })
    }
}

fn account_item(account: &Account) -> AccountItem {
    // `Status` is retired; only older endpoints still answer with it alone.
    #[allow(deprecated, reason = "the only state that some endpoints give")]
    let status = account.status().map(|status| status.as_str());
    AccountItem {
        id: text(account.id()),
        name: text(account.name()),
        email: text(account.email()),
        state: text(account.state().map(|state| state.as_str()).or(status)),
        paths: account.paths().to_vec(),
    }
}

fn unit_item(unit: &OrganizationalUnit) -> UnitItem {
    UnitItem { id: text(unit.id()), name: text(unit.name()) }
}

fn policy_item(policy: &PolicySummary) -> PolicyItem {
    PolicyItem {
        id: text(policy.id()),
        name: text(policy.name()),
        aws_managed: policy.aws_managed(),
    }
}

/// What Organizations left out is empty; ids are checked where the snapshot is put together.
fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

fn incomplete(call: Call, what: &str) -> CallError {
    call.error(Failure::Other, "IncompleteAnswer", format!("the answer lacks {what}"))
}
