//! A full walk in parallel streams: jobs that read lists and documents until none is left.
//!
//! Each job keeps what it reads in the [`FullWalk`] page by page, so a walk that is dropped between
//! two calls goes on where it was.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::collector::{CollectError, Collector};
use super::path::RootArn;
use super::walk::{FullWalk, Job, Top};
use crate::pace::RateGroup;
use crate::ports::{CallError, Clock, Failure, Organizations, RootItem};
use crate::snapshot::{PolicyType, Root, SCP, SnapshotHead};

/// How many jobs of one group go on at once. More would only wait for the bucket.
const JOBS_AT_ONCE: usize = 16;

/// Jobs that wait, by group.
#[derive(Default)]
struct Queue {
    waiting: BTreeMap<RateGroup, VecDeque<Job>>,
    running: BTreeMap<RateGroup, usize>,
}

impl Queue {
    fn push(&mut self, job: Job) {
        self.waiting.entry(job.group()).or_default().push_back(job);
    }

    /// A job whose group is not busy.
    fn pop(&mut self) -> Option<Job> {
        for (group, jobs) in &mut self.waiting {
            let running = self.running.entry(*group).or_default();
            if *running < JOBS_AT_ONCE
                && let Some(job) = jobs.pop_front()
            {
                *running += 1;
                return Some(job);
            }
        }
        None
    }

    fn ended(&mut self, group: RateGroup) {
        if let Some(running) = self.running.get_mut(&group) {
            *running = running.saturating_sub(1);
        }
    }
}

type Follow = Result<Vec<Job>, CollectError>;

impl<O: Organizations, C: Clock> Collector<'_, O, C> {
    /// Reads everything that the walk still lacks.
    pub(crate) async fn walk(&self, walk: &RefCell<FullWalk>) -> Result<(), CollectError> {
        if walk.borrow().top.is_none() {
            let top = self.read_top().await?;
            walk.borrow_mut().top = Some(top);
        }
        loop {
            let jobs = walk.borrow().pending(&self.contents.borrow(), self.settings.unit_names);
            if jobs.is_empty() && !self.searches_after_all(walk) {
                return Ok(());
            }
            self.work(walk, jobs).await?;
        }
    }

    /// Accounts without a path after others had one: a few are looked up later, for many the tree
    /// is searched.
    fn searches_after_all(&self, walk: &RefCell<FullWalk>) -> bool {
        let mut walk = walk.borrow_mut();
        let few = usize::try_from(self.settings.look_ups / 2).unwrap_or(usize::MAX);
        let searches = walk.has_paths == Some(true) && walk.adrift() > few;
        if searches {
            walk.has_paths = Some(false);
        }
        searches
    }

    async fn work(&self, walk: &RefCell<FullWalk>, jobs: Vec<Job>) -> Result<(), CollectError> {
        let mut queue = Queue::default();
        jobs.into_iter().for_each(|job| queue.push(job));
        let mut running = FuturesUnordered::new();
        loop {
            while let Some(job) = queue.pop() {
                running.push(async move { (job.group(), self.work_on(walk, job).await) });
            }
            let Some((group, follow)) = running.next().await else { return Ok(()) };
            queue.ended(group);
            follow?.into_iter().for_each(|job| queue.push(job));
        }
    }

    async fn work_on(&self, walk: &RefCell<FullWalk>, job: Job) -> Follow {
        match job {
            Job::Accounts => self.list_accounts(walk).await,
            Job::Units(parent) => self.list_units(walk, &parent).await,
            Job::Children(parent) => self.list_children(walk, &parent).await,
            Job::Policies => self.list_policies(walk).await,
            Job::Targets(policy) => self.list_targets(walk, &policy).await,
            Job::Content(policy) => self.describe(walk, &policy).await,
        }
    }

    /// The root; what its ARN tells is not asked again.
    async fn read_top(&self) -> Result<Top, CollectError> {
        let item = self.read_root().await?;
        let root = root_of(&item);
        let arn = RootArn::read(&item.arn, &item.id);
        let partition = arn.as_ref().map(|arn| arn.partition);
        let partition = partition.or_else(|| RootArn::partition(&item.arn));
        let partition = partition.ok_or_else(|| CollectError::OddRoot(item.arn.clone()))?;
        let organization = match arn {
            // A policy type can be enabled in an organization with all features only.
            Some(arn) if root.scp_enabled() => SnapshotHead {
                id: arn.organization.to_owned(),
                management_account_id: arn.management_account.to_owned(),
                feature_set: Some("ALL".to_owned()),
            },
            Some(_) | None => self.read_head(arn.as_ref()).await?,
        };
        Ok(Top { partition: partition.to_owned(), organization, root })
    }

    /// Where the type is not enabled no policy counts; then the feature set is only worth a
    /// warning, and it may stay unknown.
    async fn read_head(&self, arn: Option<&RootArn<'_>>) -> Result<SnapshotHead, CollectError> {
        match (self.calls.head().await, arn) {
            (Ok(head), _) => Ok(SnapshotHead {
                id: head.id,
                management_account_id: head.management_account,
                feature_set: Some(head.feature_set),
            }),
            (Err(_), Some(arn)) => Ok(SnapshotHead {
                id: arn.organization.to_owned(),
                management_account_id: arn.management_account.to_owned(),
                feature_set: None,
            }),
            (Err(error), None) => Err(error.into()),
        }
    }

    /// ListRoots up to the first root; there is one only.
    pub(crate) async fn read_root(&self) -> Result<RootItem, CollectError> {
        let mut pages = super::pages::Pages::default();
        loop {
            let token = pages.token();
            let page = self.calls.roots(token.as_deref()).await?;
            if let Some(root) = page.items.into_iter().next() {
                return Ok(root);
            }
            pages.advance(page.next).map_err(|_| repeated("ListRoots"))?;
            if pages.is_done() {
                return Err(CollectError::NoRoot);
            }
        }
    }

    /// One page of accounts; the first one decides whether the tree is searched, too.
    async fn list_accounts(&self, walk: &RefCell<FullWalk>) -> Follow {
        if walk.borrow().account_pages.is_done() {
            return Ok(Vec::new());
        }
        let token = walk.borrow().account_pages.token();
        let answer = self.calls.accounts(token.as_deref()).await;
        let mut walk = walk.borrow_mut();
        let mut jobs = vec![Job::Accounts];
        match answer {
            Ok(page) => {
                let was_open = walk.has_paths.is_none();
                walk.absorb_accounts(page.items);
                if was_open && walk.has_paths == Some(false) {
                    jobs.extend(walk.search(self.settings.unit_names));
                }
                walk.account_pages.advance(page.next).map_err(|_| repeated("ListAccounts"))?;
            }
            Err(error) if is_odd(&error) && walk.account_pages.restarts() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(jobs)
    }

    async fn list_policies(&self, walk: &RefCell<FullWalk>) -> Follow {
        if walk.borrow().policy_pages.is_done() {
            return Ok(Vec::new());
        }
        let token = walk.borrow().policy_pages.token();
        let answer = self.calls.policies(token.as_deref()).await;
        let mut walk = walk.borrow_mut();
        let mut jobs = vec![Job::Policies];
        match answer {
            Ok(page) => {
                jobs.extend(walk.absorb_policies(page.items, &self.contents.borrow()));
                walk.policy_pages.advance(page.next).map_err(|_| repeated("ListPolicies"))?;
            }
            Err(error) if is_odd(&error) && walk.policy_pages.restarts() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(jobs)
    }

    async fn list_units(&self, walk: &RefCell<FullWalk>, parent: &str) -> Follow {
        let mut jobs = Vec::new();
        loop {
            let token = {
                let mut walk = walk.borrow_mut();
                let pages = walk.unit_pages.entry(parent.to_owned()).or_default();
                if pages.is_done() {
                    return Ok(jobs);
                }
                pages.token()
            };
            let answer = self.calls.units_in(parent, token.as_deref()).await;
            let mut walk = walk.borrow_mut();
            let next = match answer {
                Ok(page) => {
                    jobs.extend(walk.absorb_units(parent, page.items));
                    Ok(page.next)
                }
                Err(error) => Err(error),
            };
            let pages = walk.unit_pages.entry(parent.to_owned()).or_default();
            let lost = match next {
                Ok(next) => pages.advance(next).is_err(),
                Err(error) => !(is_odd(&error) && pages.restarts()),
            };
            if lost {
                walk.lose_units(parent);
            }
        }
    }

    async fn list_children(&self, walk: &RefCell<FullWalk>, parent: &str) -> Follow {
        loop {
            let token = {
                let mut walk = walk.borrow_mut();
                let pages = walk.child_pages.entry(parent.to_owned()).or_default();
                if pages.is_done() {
                    return Ok(Vec::new());
                }
                pages.token()
            };
            let answer = self.calls.accounts_in(parent, token.as_deref()).await;
            let mut walk = walk.borrow_mut();
            let next = match answer {
                Ok(page) => {
                    walk.absorb_children(parent, page.items);
                    Ok(page.next)
                }
                Err(error) => Err(error),
            };
            let pages = walk.child_pages.entry(parent.to_owned()).or_default();
            let lost = match next {
                Ok(next) => pages.advance(next).is_err(),
                Err(error) => !(is_odd(&error) && pages.restarts()),
            };
            if lost {
                walk.lose_children(parent);
            }
        }
    }

    /// A policy that is not found here is looked up: gone, or another try.
    async fn list_targets(&self, walk: &RefCell<FullWalk>, policy: &str) -> Follow {
        let mut tried_again = false;
        loop {
            let token = {
                let mut walk = walk.borrow_mut();
                let pages = walk.target_pages.entry(policy.to_owned()).or_default();
                if pages.is_done() {
                    return Ok(Vec::new());
                }
                pages.token()
            };
            match self.calls.targets_of(policy, token.as_deref()).await {
                Ok(page) => {
                    let mut walk = walk.borrow_mut();
                    walk.absorb_targets(policy, page.items);
                    let pages = walk.target_pages.entry(policy.to_owned()).or_default();
                    if pages.advance(page.next).is_err() {
                        let error = repeated("ListTargetsForPolicy");
                        walk.lose_targets(policy, error.to_string());
                    }
                }
                Err(error) if error.failure == Failure::NotFound && !tried_again => {
                    tried_again = true;
                    if self.is_gone(policy).await {
                        walk.borrow_mut().drop_policy(policy);
                        return Ok(Vec::new());
                    }
                    restart_targets(&mut walk.borrow_mut(), policy);
                }
                Err(error) => {
                    let mut walk = walk.borrow_mut();
                    let pages = walk.target_pages.entry(policy.to_owned()).or_default();
                    if is_odd(&error) && pages.restarts() {
                        walk.forget_targets(policy);
                    } else {
                        walk.lose_targets(policy, error.to_string());
                    }
                }
            }
        }
    }

    /// Whether DescribePolicy does not find a policy.
    async fn is_gone(&self, policy: &str) -> bool {
        let found = self.read_content(policy).await;
        found.is_err_and(|error| error.failure == Failure::NotFound)
    }

    /// A policy that is not found here is gone if its list of targets is gone, too.
    async fn describe(&self, walk: &RefCell<FullWalk>, policy: &str) -> Follow {
        let error = match self.read_content(policy).await {
            Ok(read) => {
                if read.kind != SCP {
                    let reason = format!("the policy is of the type `{}`", read.kind);
                    walk.borrow_mut().lose_content(policy, reason);
                }
                return Ok(Vec::new());
            }
            Err(error) => error,
        };
        if error.failure == Failure::NotFound {
            let targets = self.calls.targets_of(policy, None).await;
            if targets.is_err_and(|error| error.failure == Failure::NotFound) {
                walk.borrow_mut().drop_policy(policy);
                return Ok(Vec::new());
            }
        }
        walk.borrow_mut().lose_content(policy, error.to_string());
        Ok(Vec::new())
    }
}

fn restart_targets(walk: &mut FullWalk, policy: &str) {
    walk.forget_targets(policy);
    walk.target_pages.remove(policy);
}

/// Whether the call itself was wrong, as it is with a token that the service has forgotten.
fn is_odd(error: &CallError) -> bool {
    error.failure == Failure::Other
}

pub(crate) const fn repeated(operation: &'static str) -> CollectError {
    CollectError::RepeatedToken { operation }
}

/// The root in the form of a snapshot.
pub(crate) fn root_of(item: &RootItem) -> Root {
    let types = item.policy_types.iter();
    let mut policy_types: Vec<PolicyType> = types
        .map(|(kind, status)| PolicyType { kind: kind.clone(), status: status.clone() })
        .collect();
    policy_types.sort();
    Root { id: item.id.clone(), name: item.name.clone(), policy_types }
}
