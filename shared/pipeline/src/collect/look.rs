//! Single facts, looked up: one account, one unit, what is on one target, one policy.

use policy::arn::is_account;

use super::collector::{CollectError, Collector};
use super::draft::Draft;
use super::pages::Pages;
use super::path::is_unit;
use crate::pace::Operation;
use crate::ports::{CallError, Clock, Failure, Organizations, PolicyItem};
use crate::snapshot::SCP;

/// A look-up that failed, with the operation for the gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) operation: Operation,
    pub(crate) reason: String,
}

impl Lost {
    fn call(operation: Operation, error: &CallError) -> Self {
        Self { operation, reason: error.to_string() }
    }
}

/// What became of a look-up.
pub(crate) type Looked<T> = Result<T, Lost>;

/// `None` where what was asked about does not exist.
fn found<T>(operation: Operation, answer: Result<T, CallError>) -> Looked<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.failure == Failure::NotFound => Ok(None),
        Err(error) => Err(Lost::call(operation, &error)),
    }
}

impl<O: Organizations, C: Clock> Collector<'_, O, C> {
    /// Brings one account up to date: DescribeAccount, and ListParents where it has no path.
    /// Returns whether it exists.
    pub(crate) async fn look_at_account(&self, draft: &mut Draft, id: &str) -> Looked<bool> {
        let item = found(Operation::DescribeAccount, self.calls.account(id).await)?;
        let Some(item) = item else {
            draft.remove_target(id);
            return Ok(false);
        };
        let parent = match draft.place_of(&item) {
            Some(place) => Some(place.parent),
            None => found(Operation::ListParents, self.calls.parent_of(id).await)?,
        };
        let Some(parent) = parent else {
            draft.remove_target(id);
            return Ok(false);
        };
        draft.add_account(item, parent);
        Ok(true)
    }

    /// Brings one unit up to date: DescribeOrganizationalUnit and ListParents. Returns whether it
    /// exists.
    pub(crate) async fn look_at_unit(&self, draft: &mut Draft, id: &str) -> Looked<bool> {
        let item = found(Operation::DescribeOrganizationalUnit, self.calls.unit(id).await)?;
        let parent = match &item {
            Some(_) => found(Operation::ListParents, self.calls.parent_of(id).await)?,
            None => None,
        };
        let (Some(item), Some(parent)) = (item, parent) else {
            draft.remove_target(id);
            return Ok(false);
        };
        draft.add_unit(item.id, item.name, parent);
        Ok(true)
    }

    /// Brings one account or unit up to date; an id of neither does not exist.
    pub(crate) async fn look_at(&self, draft: &mut Draft, id: &str) -> Looked<bool> {
        if is_account(id) {
            self.look_at_account(draft, id).await
        } else if is_unit(id) {
            self.look_at_unit(draft, id).await
        } else {
            Ok(draft.is_target(id))
        }
    }

    /// The policies directly on a target; `None` where there is no such target.
    pub(crate) async fn look_on(&self, target: &str) -> Looked<Option<Vec<PolicyItem>>> {
        let operation = Operation::ListPoliciesForTarget;
        let mut pages = Pages::default();
        let mut all = Vec::new();
        while !pages.is_done() {
            let token = pages.token();
            let page = self.calls.policies_on(target, token.as_deref()).await;
            let Some(page) = found(operation, page)? else { return Ok(None) };
            all.extend(page.items);
            advance(&mut pages, page.next, operation)?;
        }
        Ok(Some(all))
    }

    /// Where a policy is attached; `None` where there is no such policy.
    pub(crate) async fn look_for(&self, policy: &str) -> Looked<Option<Vec<String>>> {
        let operation = Operation::ListTargetsForPolicy;
        let mut pages = Pages::default();
        let mut all = Vec::new();
        while !pages.is_done() {
            let token = pages.token();
            let page = self.calls.targets_of(policy, token.as_deref()).await;
            let Some(page) = found(operation, page)? else { return Ok(None) };
            all.extend(page.items);
            advance(&mut pages, page.next, operation)?;
        }
        Ok(Some(all))
    }

    /// Adds a policy that was not known, with its content and wherever it is attached; removes
    /// one that does not exist. `known` is what a list said of it.
    pub(crate) async fn look_at_new_policy(
        &self,
        draft: &mut Draft,
        id: &str,
        known: Option<&PolicyItem>,
    ) -> Looked<bool> {
        let cached = self.contents.borrow().get(id).map(str::to_owned);
        let (item, content) = match (known, cached) {
            (Some(item), Some(content)) => (item.clone(), content),
            (None, _) | (_, None) => {
                let read = self.read_content(id).await;
                let read = found(Operation::DescribePolicy, read)?;
                let Some(read) = read.filter(|read| read.kind == SCP) else {
                    draft.remove_policy(id);
                    return Ok(false);
                };
                (read.item, read.content)
            }
        };
        let Some(targets) = self.look_for(id).await? else {
            draft.remove_policy(id);
            return Ok(false);
        };
        draft.add_policy(id.to_owned(), item.name, item.aws_managed, Some(content));
        draft.attachments.extend(targets.into_iter().map(|target| (target, id.to_owned())));
        Ok(true)
    }

    /// ListRoots again, for what it says of the policy types.
    pub(crate) async fn look_at_root(&self, draft: &mut Draft) -> Result<(), CollectError> {
        let root = super::streams::root_of(&self.read_root().await?);
        if root.id == draft.root.id {
            draft.root = root;
        }
        Ok(())
    }
}

fn advance(pages: &mut Pages, next: Option<String>, operation: Operation) -> Looked<()> {
    let repeated = super::streams::repeated(operation.name());
    pages.advance(next).map_err(|_| Lost { operation, reason: repeated.to_string() })
}
