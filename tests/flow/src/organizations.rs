//! AWS Organizations as AWS documents it, in simulated time: pages of 20, empty pages with a
//! token, a token bucket for each line of the table of throttles, one change at a time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::ports::{
    AccountItem, CallError, Failure, HeadItem, Page, PolicyContent, PolicyItem, ReadOne,
    ReadPolicies, ReadTree, RootItem, UnitItem,
};
use tokio::time::{Instant, sleep};

mod build;
mod change;
mod state;

use crate::faults::Random;
use state::{SortKey, State};

pub use build::Size;

/// AWS's largest page.
const PAGE: usize = 20;

/// Lines of AWS's table: the operations, calls a second, calls at once.
const THROTTLES: [(&[&str], u32, u32); 8] = [
    (&["ListRoots"], 1, 2),
    (&["ListAccounts"], 8, 12),
    (&["ListOrganizationalUnitsForParent", "ListAccountsForParent", "ListParents"], 5, 8),
    (&["ListPolicies", "ListPoliciesForTarget", "ListTargetsForPolicy"], 5, 8),
    (&["DescribePolicy"], 2, 2),
    (&["DescribeOrganization"], 1, 2),
    (&["DescribeAccount"], 20, 30),
    (&["DescribeOrganizationalUnit"], 2, 2),
];

/// Tokens that refill all the time.
#[derive(Debug, Clone, Copy)]
struct Tokens {
    left: f64,
    at: Instant,
}

#[derive(Debug, Clone)]
struct CallFault {
    operation: String,
    argument: Option<String>,
    failure: Failure,
    /// Calls that succeed before it strikes.
    after: u32,
    times: u32,
}

type Hook = Box<dyn FnOnce(&FakeOrganizations)>;

/// An organization and its service.
pub struct FakeOrganizations {
    state: RefCell<State>,
    tokens: RefCell<BTreeMap<usize, Tokens>>,
    faults: RefCell<Vec<CallFault>>,
    hooks: RefCell<BTreeMap<u64, Hook>>,
    log: RefCell<BTreeMap<&'static str, u64>>,
    calls: Cell<u64>,
    random: RefCell<Random>,
    serial: Cell<u64>,
    /// How long a call takes; it counts at half of that.
    pub latency: Cell<Duration>,
    /// Whether accounts carry `Paths`.
    pub with_paths: Cell<bool>,
    /// How many pages of a hundred are empty although the list goes on.
    pub empty_percent: Cell<usize>,
    /// How many calls of a hundred fail for no reason of theirs.
    pub failing_percent: Cell<usize>,
    /// The operation whose lists return the token that they were given.
    pub repeats: Cell<Option<&'static str>>,
    /// Whether the buckets throttle.
    pub throttles: Cell<bool>,
}

impl FakeOrganizations {
    fn around(state: State, seed: u64) -> Self {
        Self {
            state: RefCell::new(state),
            tokens: RefCell::default(),
            faults: RefCell::default(),
            hooks: RefCell::default(),
            log: RefCell::default(),
            calls: Cell::new(0),
            random: RefCell::new(Random::new(seed)),
            serial: Cell::new(0),
            latency: Cell::new(Duration::from_millis(60)),
            with_paths: Cell::new(true),
            empty_percent: Cell::new(0),
            failing_percent: Cell::new(0),
            repeats: Cell::new(None),
            throttles: Cell::new(true),
        }
    }

    /// Makes calls of an operation, about `argument` where given, fail: the first `after` ones
    /// succeed, the next `times` fail.
    pub fn fail(
        &self,
        operation: &str,
        argument: Option<&str>,
        failure: Failure,
        after: u32,
        times: u32,
    ) {
        let (operation, argument) = (operation.to_owned(), argument.map(str::to_owned));
        self.faults.borrow_mut().push(CallFault { operation, argument, failure, after, times });
    }

    /// Denies an operation for good.
    pub fn deny(&self, operation: &str) {
        self.fail(operation, None, Failure::Denied, 0, u32::MAX);
    }

    /// Takes all faults back.
    pub fn heal(&self) {
        self.faults.borrow_mut().clear();
    }

    /// Does something just before the call of this number (from 1) looks at the organization.
    pub fn at_call(&self, number: u64, hook: impl FnOnce(&Self) + 'static) {
        self.hooks.borrow_mut().insert(number, Box::new(hook));
    }

    /// Calls so far by operation, failed ones included.
    #[must_use]
    pub fn log(&self) -> BTreeMap<&'static str, u64> {
        self.log.borrow().clone()
    }

    /// Calls so far, failed ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.get()
    }

    /// Starts counting again, with full buckets.
    pub fn reset(&self) {
        self.calls.set(0);
        self.log.borrow_mut().clear();
        self.tokens.borrow_mut().clear();
    }

    /// One call on its way there: it is logged, may be throttled, and may fail.
    async fn call(&self, operation: &'static str, argument: &str) -> Result<(), CallError> {
        sleep(self.latency.get() / 2).await;
        let number = self.calls.get() + 1;
        self.calls.set(number);
        *self.log.borrow_mut().entry(operation).or_default() += 1;
        let hook = self.hooks.borrow_mut().remove(&number);
        if let Some(hook) = hook {
            hook(self);
        }
        let failure = if self.throttles.get() && !self.take(operation) {
            Some(Failure::Throttled)
        } else {
            self.strike(operation, argument).or_else(|| self.mishap())
        };
        match failure {
            None => Ok(()),
            Some(failure) => {
                sleep(self.latency.get() / 2).await;
                Err(error(operation, failure))
            }
        }
    }

    /// Takes a token.
    fn take(&self, operation: &str) -> bool {
        let mut lines = THROTTLES.iter().enumerate();
        let line = lines.find(|(_, (names, _, _))| names.contains(&operation));
        // An operation that is not in the table may not be called at all.
        let Some((index, (_, rate, burst))) = line else { return false };
        let mut tokens = self.tokens.borrow_mut();
        let now = Instant::now();
        let full = Tokens { left: f64::from(*burst), at: now };
        let tokens = tokens.entry(index).or_insert(full);
        let refill = (now - tokens.at).as_secs_f64() * f64::from(*rate);
        tokens.left = (tokens.left + refill).min(f64::from(*burst));
        tokens.at = now;
        // Rounding must not make an exact pace too fast.
        let passes = tokens.left > 1.0 - 1e-6;
        if passes {
            tokens.left -= 1.0;
        }
        passes
    }

    fn strike(&self, operation: &str, argument: &str) -> Option<Failure> {
        let mut faults = self.faults.borrow_mut();
        let fault = faults.iter_mut().find(|fault| {
            fault.operation == operation
                && fault.times > 0
                && fault.argument.as_deref().is_none_or(|about| about == argument)
        })?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times -= 1;
        Some(fault.failure)
    }

    fn mishap(&self) -> Option<Failure> {
        let mut random = self.random.borrow_mut();
        if !random.chance(self.failing_percent.get()) {
            return None;
        }
        let kinds = [Failure::Throttled, Failure::Concurrent, Failure::Unavailable];
        kinds.get(random.below(kinds.len())).copied()
    }

    /// The answer's way back.
    async fn back<T>(&self, answer: Result<T, CallError>) -> Result<T, CallError> {
        sleep(self.latency.get() / 2).await;
        answer
    }

    /// A page of a list: `all` gives the keys after a key, in order.
    fn page<I: Iterator<Item = SortKey>>(
        &self,
        operation: &'static str,
        argument: &str,
        token: Option<&str>,
        all: impl FnOnce(Option<SortKey>) -> I,
    ) -> Result<Page<SortKey>, CallError> {
        let list = format!("{operation}/{argument}");
        let after = match token {
            None => None,
            Some(token) => {
                Some(read_token(token, &list).ok_or_else(|| error(operation, Failure::Other))?)
            }
        };
        let after = after.filter(|(_, id)| !id.is_empty());
        if self.random.borrow_mut().chance(self.empty_percent.get()) {
            let next = Some(self.token(&list, after.as_ref()));
            return Ok(Page { items: Vec::new(), next });
        }
        let mut items: Vec<SortKey> = all(after).take(PAGE + 1).collect();
        let more = items.len() > PAGE;
        items.truncate(PAGE);
        let mut next = more.then(|| self.token(&list, items.last()));
        if self.repeats.get() == Some(operation) && token.is_some() {
            next = token.map(str::to_owned);
        }
        Ok(Page { items, next })
    }

    /// A token that is never given twice.
    fn token(&self, list: &str, after: Option<&SortKey>) -> String {
        self.serial.set(self.serial.get() + 1);
        let nothing = (0, String::new());
        let (hash, id) = after.unwrap_or(&nothing);
        format!("{list}|{hash}|{id}|{}", self.serial.get())
    }

    fn account_item(&self, id: &str) -> Option<AccountItem> {
        let state = self.state.borrow();
        let mut item = state.account_item(id)?;
        if !self.with_paths.get() {
            item.paths.clear();
        }
        Some(item)
    }
}

fn read_token(token: &str, list: &str) -> Option<SortKey> {
    let mut parts = token.split('|');
    if parts.next() != Some(list) {
        return None;
    }
    let hash = parts.next()?.parse().ok()?;
    Some((hash, parts.next()?.to_owned()))
}

fn error(operation: &'static str, failure: Failure) -> CallError {
    let code = match (failure, operation) {
        (Failure::Throttled, _) => "TooManyRequestsException",
        (Failure::Concurrent, _) => "ConcurrentModificationException",
        (Failure::Unavailable, _) => "ServiceException",
        (Failure::Unreachable, _) => "Unreachable",
        (Failure::NotFound, "DescribePolicy" | "ListTargetsForPolicy") => "PolicyNotFoundException",
        (Failure::NotFound, "DescribeAccount") => "AccountNotFoundException",
        (Failure::NotFound, "ListParents") => "ChildNotFoundException",
        (Failure::NotFound, "ListPoliciesForTarget") => "TargetNotFoundException",
        (Failure::NotFound, "DescribeOrganizationalUnit") => "OrganizationalUnitNotFoundException",
        (Failure::NotFound, _) => "ParentNotFoundException",
        (Failure::Denied, _) => "AccessDeniedException",
        (Failure::Other, _) => "InvalidInputException",
    };
    let permission = match operation {
        "ListRoots" => "organizations:ListRoots",
        "ListAccounts" => "organizations:ListAccounts",
        "ListAccountsForParent" => "organizations:ListAccountsForParent",
        "ListOrganizationalUnitsForParent" => "organizations:ListOrganizationalUnitsForParent",
        "ListParents" => "organizations:ListParents",
        "ListPolicies" => "organizations:ListPolicies",
        "ListTargetsForPolicy" => "organizations:ListTargetsForPolicy",
        "ListPoliciesForTarget" => "organizations:ListPoliciesForTarget",
        "DescribePolicy" => "organizations:DescribePolicy",
        "DescribeOrganization" => "organizations:DescribeOrganization",
        "DescribeAccount" => "organizations:DescribeAccount",
        _ => "organizations:DescribeOrganizationalUnit",
    };
    CallError {
        permission,
        failure,
        code: code.to_owned(),
        message: "as the test wants".to_owned(),
    }
}

fn items<T>(page: Page<SortKey>, mut item: impl FnMut(&str) -> Option<T>) -> Page<T> {
    let items = page.items.iter().filter_map(|(_, id)| item(id)).collect();
    Page { items, next: page.next }
}

impl ReadTree for FakeOrganizations {
    async fn roots(&self, next: Option<&str>) -> Result<Page<RootItem>, CallError> {
        self.call("ListRoots", "").await?;
        let root = (0, "root".to_owned());
        let page = self.page("ListRoots", "", next, |_| std::iter::once(root));
        let root = self.state.borrow().root_item();
        self.back(page.map(|page| items(page, |_| Some(root.clone())))).await
    }

    async fn accounts(&self, next: Option<&str>) -> Result<Page<AccountItem>, CallError> {
        self.call("ListAccounts", "").await?;
        let page = {
            let state = self.state.borrow();
            self.page("ListAccounts", "", next, |after| state.all_accounts(after))
        };
        let page = page.map(|page| items(page, |id| self.account_item(id)));
        self.back(page).await
    }

    async fn accounts_in(
        &self,
        parent: &str,
        next: Option<&str>,
    ) -> Result<Page<AccountItem>, CallError> {
        let operation = "ListAccountsForParent";
        self.call(operation, parent).await?;
        let page = {
            let state = self.state.borrow();
            state.container(parent).ok_or_else(|| error(operation, Failure::NotFound)).and_then(
                |()| self.page(operation, parent, next, |after| state.accounts_in(parent, after)),
            )
        };
        let page = page.map(|page| items(page, |id| self.account_item(id)));
        self.back(page).await
    }

    async fn units_in(
        &self,
        parent: &str,
        next: Option<&str>,
    ) -> Result<Page<UnitItem>, CallError> {
        let operation = "ListOrganizationalUnitsForParent";
        self.call(operation, parent).await?;
        let page = {
            let state = self.state.borrow();
            state.container(parent).ok_or_else(|| error(operation, Failure::NotFound)).and_then(
                |()| self.page(operation, parent, next, |after| state.units_in(parent, after)),
            )
        };
        let page = page.map(|page| items(page, |id| self.state.borrow().unit_item(id)));
        self.back(page).await
    }
}

impl ReadPolicies for FakeOrganizations {
    async fn policies(&self, next: Option<&str>) -> Result<Page<PolicyItem>, CallError> {
        self.call("ListPolicies", "").await?;
        let page = {
            let state = self.state.borrow();
            self.page("ListPolicies", "", next, |after| state.all_policies(after))
        };
        let page = page.map(|page| items(page, |id| self.state.borrow().policy_item(id)));
        self.back(page).await
    }

    async fn targets_of(
        &self,
        policy: &str,
        next: Option<&str>,
    ) -> Result<Page<String>, CallError> {
        let operation = "ListTargetsForPolicy";
        self.call(operation, policy).await?;
        let page = {
            let state = self.state.borrow();
            state.policy_item(policy).ok_or_else(|| error(operation, Failure::NotFound)).and_then(
                |_| self.page(operation, policy, next, |after| state.targets_of(policy, after)),
            )
        };
        self.back(page.map(|page| items(page, |id| Some(id.to_owned())))).await
    }

    async fn content(&self, policy: &str) -> Result<PolicyContent, CallError> {
        let operation = "DescribePolicy";
        self.call(operation, policy).await?;
        let found = self.state.borrow().policy_content(policy);
        self.back(found.ok_or_else(|| error(operation, Failure::NotFound))).await
    }
}

impl ReadOne for FakeOrganizations {
    async fn head(&self) -> Result<HeadItem, CallError> {
        self.call("DescribeOrganization", "").await?;
        let head = self.state.borrow().head_item();
        self.back(Ok(head)).await
    }

    async fn account(&self, account: &str) -> Result<AccountItem, CallError> {
        let operation = "DescribeAccount";
        self.call(operation, account).await?;
        let found = self.account_item(account);
        self.back(found.ok_or_else(|| error(operation, Failure::NotFound))).await
    }

    async fn unit(&self, unit: &str) -> Result<UnitItem, CallError> {
        let operation = "DescribeOrganizationalUnit";
        self.call(operation, unit).await?;
        let found = self.state.borrow().unit_item(unit);
        self.back(found.ok_or_else(|| error(operation, Failure::NotFound))).await
    }

    async fn parent_of(&self, child: &str) -> Result<String, CallError> {
        let operation = "ListParents";
        self.call(operation, child).await?;
        let found = self.state.borrow().parent_of(child);
        self.back(found.ok_or_else(|| error(operation, Failure::NotFound))).await
    }

    async fn policies_on(
        &self,
        target: &str,
        next: Option<&str>,
    ) -> Result<Page<PolicyItem>, CallError> {
        let operation = "ListPoliciesForTarget";
        self.call(operation, target).await?;
        let page = {
            let state = self.state.borrow();
            state.target(target).ok_or_else(|| error(operation, Failure::NotFound)).and_then(|()| {
                self.page(operation, target, next, |after| state.policies_on(target, after))
            })
        };
        let page = page.map(|page| items(page, |id| self.state.borrow().policy_item(id)));
        self.back(page).await
    }
}
