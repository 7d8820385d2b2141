//! Security Hub as AWS documents it, stricter than anything that runs without AWS.
//!
//! # Source
//! AWS Security Hub API reference (BatchImportFindings, BatchUpdateFindings, GetFindings,
//! throttling); user guide, "Guidelines for using BatchImportFindings" and "Setting the workflow
//! status of findings". Lengths are counted in UTF-16 units.

mod asff;
mod bucket;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use pipeline::ports::{CallError, Failure, FindingQuery, Hub, Page, PublishedFinding, Refused};
use serde_json::Value;
use tokio::time::Instant;

use crate::faults::Faults;
pub use asff::Stored;
use bucket::Bucket;

/// A write that counted.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The finding.
    pub id: String,
    /// What it was before.
    pub before: Option<Value>,
    /// What it is now.
    pub after: Value,
}

/// All hubs of an organization in one Region.
pub struct FakeHub {
    /// What goes wrong on the way.
    pub faults: Faults,
    region: String,
    delay: Duration,
    state: RefCell<HubState>,
}

#[derive(Default)]
struct HubState {
    enabled: BTreeSet<String>,
    /// Accounts in which every call fails, and how.
    broken: BTreeMap<String, (Failure, &'static str)>,
    findings: BTreeMap<(String, String), Vec<(Instant, Stored)>>,
    buckets: BTreeMap<(String, &'static str), Bucket>,
    refuse: BTreeMap<String, usize>,
    log: Vec<Logged>,
    ignored: usize,
    throttled: usize,
    shown: usize,
    tokens: BTreeMap<String, usize>,
    circles: bool,
}

impl FakeHub {
    /// Hubs of these accounts. What is written shows up in GetFindings after `delay`.
    #[must_use]
    pub fn new(region: &str, accounts: &[&str], delay: Duration) -> Self {
        let enabled = accounts.iter().map(|account| (*account).to_owned()).collect();
        let state = RefCell::new(HubState { enabled, ..HubState::default() });
        Self { faults: Faults::default(), region: region.to_owned(), delay, state }
    }

    /// Turns the hub of an account off.
    pub fn disable(&self, account: &str) {
        self.state.borrow_mut().enabled.remove(account);
    }

    /// Turns the hub of an account on.
    pub fn enable(&self, account: &str) {
        self.state.borrow_mut().enabled.insert(account.to_owned());
    }

    /// Makes every call about an account fail, for instance as where its role is not there.
    pub fn break_down(&self, account: &str, failure: Failure, code: &'static str) {
        self.state.borrow_mut().broken.insert(account.to_owned(), (failure, code));
    }

    /// Mends what was broken in an account.
    pub fn mend(&self, account: &str) {
        self.state.borrow_mut().broken.remove(account);
    }

    /// Makes lists of several pages begin again behind their last page, or end as they should.
    pub fn circle(&self, circles: bool) {
        self.state.borrow_mut().circles = circles;
    }

    /// Refuses a finding this many times.
    pub fn refuse(&self, id: &str, times: usize) {
        self.state.borrow_mut().refuse.insert(id.to_owned(), times);
    }

    /// Every finding as it is now, by holder and id.
    #[must_use]
    pub fn findings(&self) -> BTreeMap<(String, String), Stored> {
        let state = self.state.borrow();
        let last = |versions: &Vec<(Instant, Stored)>| versions.last().map(|(_, s)| s.clone());
        state.findings.iter().filter_map(|(key, all)| Some((key.clone(), last(all)?))).collect()
    }

    /// The writes that counted, in order.
    #[must_use]
    pub fn log(&self) -> Vec<Logged> {
        self.state.borrow().log.clone()
    }

    /// Imports that were ignored, since they were not later.
    #[must_use]
    pub fn ignored(&self) -> usize {
        self.state.borrow().ignored
    }

    /// Calls that the hub itself throttled.
    #[must_use]
    pub fn throttled(&self) -> usize {
        self.state.borrow().throttled
    }

    /// Findings that GetFindings has shown, each as often as it did.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.state.borrow().shown
    }

    /// What a customer does: sets the workflow of a finding.
    pub fn set_workflow(&self, holder: &str, id: &str, workflow: &str) {
        self.change(holder, id, |stored| workflow.clone_into(&mut stored.workflow));
    }

    /// What a customer does: suppresses a finding.
    pub fn suppress(&self, holder: &str, id: &str) {
        self.set_workflow(holder, id, "SUPPRESSED");
    }

    /// What a customer does: writes a note.
    pub fn note(&self, holder: &str, id: &str, text: &str) {
        self.change(holder, id, |stored| stored.note = Some(text.to_owned()));
    }

    fn change(&self, holder: &str, id: &str, change: impl FnOnce(&mut Stored)) {
        let mut state = self.state.borrow_mut();
        let key = (holder.to_owned(), id.to_owned());
        if let Some(versions) = state.findings.get_mut(&key)
            && let Some((_, mut last)) = versions.last().cloned()
        {
            change(&mut last);
            versions.push((Instant::now(), last));
        }
    }

    /// Begins a call: latency, faults, throttling, whether the hub is there.
    async fn enter(
        &self,
        account: &str,
        permission: &'static str,
        rate: (f64, f64),
    ) -> Result<(), CallError> {
        self.faults.before(permission).await?;
        let mut state = self.state.borrow_mut();
        if let Some((failure, code)) = state.broken.get(account) {
            return Err(error(permission, *failure, code, "as the test wants"));
        }
        let key = (account.to_owned(), permission);
        if !state.buckets.entry(key).or_insert_with(|| Bucket::new(rate)).take() {
            state.throttled += 1;
            let code = "TooManyRequestsException";
            return Err(error(permission, Failure::Throttled, code, "slow down"));
        }
        if !state.enabled.contains(account) {
            let text = format!("Account {account} is not subscribed to AWS Security Hub");
            return Err(error(permission, Failure::Denied, "InvalidAccessException", &text));
        }
        Ok(())
    }

    fn import_one(&self, account: &str, finding: &Value) -> Result<(), (String, String)> {
        asff::check(finding, account, &self.region)?;
        let id = asff::text(finding, "Id").to_owned();
        let mut state = self.state.borrow_mut();
        if let Some(left) = state.refuse.get_mut(&id).filter(|left| **left > 0) {
            *left -= 1;
            return Err(("InternalError".to_owned(), "injected".to_owned()));
        }
        let key = (account.to_owned(), id.clone());
        let last = state.findings.get(&key).and_then(|all| all.last()).map(|(_, s)| s.clone());
        let time = |value: &Value| {
            let at: Option<Timestamp> = asff::text(value, "UpdatedAt").parse().ok();
            at.map(Timestamp::as_millisecond)
        };
        let stored = match &last {
            None => Stored {
                asff: finding.clone(),
                workflow: asff::path(finding, &["Workflow", "Status"]).unwrap_or("NEW").to_owned(),
                note: None,
            },
            Some(last) if time(finding) <= time(&last.asff) => {
                state.ignored += 1;
                return Ok(());
            }
            Some(last) => Stored {
                asff: finding.clone(),
                workflow: asff::workflow_after(&last.asff, finding, &last.workflow),
                note: last.note.clone(),
            },
        };
        state.log.push(Logged { id, before: last.map(|last| last.asff), after: finding.clone() });
        state.findings.entry(key).or_default().push((Instant::now(), stored));
        Ok(())
    }

    /// The newest version that GetFindings shows by now.
    fn visible(&self, versions: &[(Instant, Stored)]) -> Option<Stored> {
        let now = Instant::now();
        let shown = versions.iter().rev().find(|(at, _)| *at + self.delay <= now);
        shown.map(|(_, stored)| stored.clone())
    }
}

fn error(permission: &'static str, failure: Failure, code: &str, message: &str) -> CallError {
    CallError { permission, failure, code: code.to_owned(), message: message.to_owned() }
}

fn invalid(permission: &'static str, message: &str) -> CallError {
    error(permission, Failure::Other, "InvalidInputException", message)
}

impl FakeHub {
    /// The findings of an account that show already and are wanted.
    fn matching(
        &self,
        account: &str,
        wanted: &FindingQuery<'_>,
    ) -> Result<Vec<PublishedFinding>, CallError> {
        let state = self.state.borrow();
        let all = state.findings.iter().filter(|((holder, _), _)| holder == account);
        let shown = all.filter_map(|(_, versions)| self.visible(versions));
        let found = match wanted {
            FindingQuery::OfProduct { slots, .. } if slots.len() > 20 => {
                return Err(invalid(
                    "securityhub:GetFindings",
                    &format!("{} values of ProductFields in one filter", slots.len()),
                ));
            }
            FindingQuery::OfProduct { product, slots } => shown
                .filter(|s| asff::text(&s.asff, "ProductName") == *product)
                .filter(|s| asff::text(&s.asff, "RecordState") == "ACTIVE")
                .filter(|s| {
                    let slot = &s.asff["ProductFields"]["ses-perimeter/slot"];
                    let slot = slot.as_str().and_then(|text| text.parse().ok());
                    slots.is_empty() || slot.is_some_and(|slot| slots.contains(&slot))
                })
                .map(|s| asff::published(&s))
                .collect(),
            FindingQuery::WithIds(ids) if ids.is_empty() || ids.len() > 20 => {
                return Err(invalid(
                    "securityhub:GetFindings",
                    &format!("{} ids in one filter", ids.len()),
                ));
            }
            FindingQuery::WithIds(ids) => shown
                .filter(|s| ids.iter().any(|id| asff::text(&s.asff, "Id") == id))
                .map(|s| asff::published(&s))
                .collect(),
        };
        Ok(found)
    }
}

impl Hub for FakeHub {
    async fn import(&self, account: &str, findings: &[Value]) -> Result<Vec<Refused>, CallError> {
        self.enter(account, "securityhub:BatchImportFindings", (10.0, 30.0)).await?;
        let bytes: usize = findings.iter().map(|finding| finding.to_string().len()).sum();
        if !(1..=100).contains(&findings.len()) || bytes > 6_000_000 {
            return Err(invalid(
                "securityhub:BatchImportFindings",
                &format!("{} findings of {bytes} bytes", findings.len()),
            ));
        }
        let (mut refused, mut seen) = (Vec::new(), BTreeSet::new());
        for finding in findings {
            let id = asff::text(finding, "Id").to_owned();
            // Only the first one of an id is processed.
            if !seen.insert(id.clone()) {
                continue;
            }
            if let Err((code, message)) = self.import_one(account, finding) {
                refused.push(Refused { id, code, message });
            }
        }
        self.faults.after("securityhub:BatchImportFindings").await?;
        Ok(refused)
    }

    async fn resolve(
        &self,
        account: &str,
        findings: &[(String, String)],
    ) -> Result<Vec<Refused>, CallError> {
        self.enter(account, "securityhub:BatchUpdateFindings", (10.0, 30.0)).await?;
        if !(1..=100).contains(&findings.len()) {
            return Err(invalid(
                "securityhub:BatchUpdateFindings",
                &format!("{} findings", findings.len()),
            ));
        }
        let mut refused = Vec::new();
        for (id, product) in findings {
            let key = (account.to_owned(), id.clone());
            let state = self.state.borrow();
            let last = state.findings.get(&key).and_then(|all| all.last());
            let known = last.is_some_and(|(_, s)| asff::text(&s.asff, "ProductArn") == *product);
            drop(state);
            if known {
                self.set_workflow(account, id, "RESOLVED");
            } else {
                refused.push(Refused {
                    id: id.clone(),
                    code: "FindingNotFound".to_owned(),
                    message: "no such finding".to_owned(),
                });
            }
        }
        self.faults.after("securityhub:BatchUpdateFindings").await?;
        Ok(refused)
    }

    async fn find(
        &self,
        account: &str,
        wanted: FindingQuery<'_>,
        next: Option<&str>,
    ) -> Result<Page<PublishedFinding>, CallError> {
        self.enter(account, "securityhub:GetFindings", (3.0, 6.0)).await?;
        let found = self.matching(account, &wanted)?;
        let start = match next {
            None => 0,
            Some(token) => self.state.borrow().tokens.get(token).copied().unwrap_or(usize::MAX),
        };
        let items: Vec<PublishedFinding> = found.iter().skip(start).take(100).cloned().collect();
        let end = start.saturating_add(items.len());
        self.state.borrow_mut().shown += items.len();
        let circles = start > 0 && self.state.borrow().circles;
        let end = if circles && end >= found.len() { 100 } else { end };
        let next = (end < found.len()).then(|| {
            let token = format!("token-{end}");
            self.state.borrow_mut().tokens.insert(token.clone(), end);
            token
        });
        self.faults.after("securityhub:GetFindings").await?;
        Ok(Page { items, next })
    }
}
