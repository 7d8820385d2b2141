//! Every call to Organizations, paced and repeated.

use crate::pace::{Operation, Pace};
use crate::ports::{
    AccountItem, CallError, HeadItem, Organizations, Page, PolicyContent, PolicyItem, RootItem,
    UnitItem,
};

/// Organizations behind a [`Pace`].
pub(crate) struct Calls<'c, O> {
    pub(crate) source: &'c O,
    pub(crate) pace: &'c Pace,
}

type CallResult<T> = Result<T, CallError>;

impl<O: Organizations> Calls<'_, O> {
    pub(crate) async fn roots(&self, next: Option<&str>) -> CallResult<Page<RootItem>> {
        self.pace.call(Operation::ListRoots, || self.source.roots(next)).await
    }

    pub(crate) async fn accounts(&self, next: Option<&str>) -> CallResult<Page<AccountItem>> {
        self.pace.call(Operation::ListAccounts, || self.source.accounts(next)).await
    }

    pub(crate) async fn accounts_in(
        &self,
        parent: &str,
        next: Option<&str>,
    ) -> CallResult<Page<AccountItem>> {
        let operation = Operation::ListAccountsForParent;
        self.pace.call(operation, || self.source.accounts_in(parent, next)).await
    }

    pub(crate) async fn units_in(
        &self,
        parent: &str,
        next: Option<&str>,
    ) -> CallResult<Page<UnitItem>> {
        let operation = Operation::ListOrganizationalUnitsForParent;
        self.pace.call(operation, || self.source.units_in(parent, next)).await
    }

    pub(crate) async fn policies(&self, next: Option<&str>) -> CallResult<Page<PolicyItem>> {
        self.pace.call(Operation::ListPolicies, || self.source.policies(next)).await
    }

    pub(crate) async fn targets_of(
        &self,
        policy: &str,
        next: Option<&str>,
    ) -> CallResult<Page<String>> {
        let operation = Operation::ListTargetsForPolicy;
        self.pace.call(operation, || self.source.targets_of(policy, next)).await
    }

    pub(crate) async fn content(&self, policy: &str) -> CallResult<PolicyContent> {
        self.pace.call(Operation::DescribePolicy, || self.source.content(policy)).await
    }

    pub(crate) async fn head(&self) -> CallResult<HeadItem> {
        self.pace.call(Operation::DescribeOrganization, || self.source.head()).await
    }

    pub(crate) async fn account(&self, account: &str) -> CallResult<AccountItem> {
        self.pace.call(Operation::DescribeAccount, || self.source.account(account)).await
    }

    pub(crate) async fn unit(&self, unit: &str) -> CallResult<UnitItem> {
        self.pace.call(Operation::DescribeOrganizationalUnit, || self.source.unit(unit)).await
    }

    pub(crate) async fn parent_of(&self, child: &str) -> CallResult<String> {
        self.pace.call(Operation::ListParents, || self.source.parent_of(child)).await
    }

    pub(crate) async fn policies_on(
        &self,
        target: &str,
        next: Option<&str>,
    ) -> CallResult<Page<PolicyItem>> {
        let operation = Operation::ListPoliciesForTarget;
        self.pace.call(operation, || self.source.policies_on(target, next)).await
    }
}
