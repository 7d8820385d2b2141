//! From the record and new results to what has to be written.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use policy::keys::KeyCatalog;
use ses_perimeter::control::ControlId;

use super::moment::{after, moment};
use super::record::{Entry, FindingState, Intended, Record};
use crate::asff::{
    Finding, Target, Times, Workflow, WorkflowStatus, account_of, control_of, farewell, finding, id,
};
use crate::results::{ResultEntry, ShardResults, StatusEntry};
use crate::run::RunFacts;

/// Days after which Security Hub drops an active finding that nobody updates.
pub const RETENTION_DAYS: i64 = 90;
/// Days after which it has dropped an archived one for certain.
const FORGOTTEN_DAYS: i64 = 40;
/// Days after which it has dropped for certain an active one that nobody could update.
const DROPPED_DAYS: i64 = 100;

/// How findings are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The account that holds the findings; none where each member holds its own.
    pub holder: Option<String>,
    /// The Region of Security Hub.
    pub region: String,
    /// Days after which an unchanged finding is written again, 1 to 89.
    pub refresh_days: u8,
}

impl Settings {
    /// Days after which an unchanged finding is written again unless somebody says otherwise.
    pub const REFRESH_DAYS: u8 = 60;

    /// Where the findings of a member go.
    #[must_use]
    pub fn target(&self, member: &str) -> Target {
        Target {
            account: self.holder.as_deref().unwrap_or(member).to_owned(),
            region: self.region.clone(),
        }
    }
}

/// Why nothing can be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Findings would be dropped before they are written again.
    #[error(
        "findings are to be refreshed after {0} days, but Security Hub drops them after \
         {RETENTION_DAYS}; set 1 to 89"
    )]
    Refresh(u8),
    /// The results are of another run.
    #[error("the results are of run `{found}`, not of `{expected}`")]
    Run {
        /// The results'.
        found: String,
        /// The run's.
        expected: String,
    },
    /// The results go beyond what the run says it decided.
    #[error("the run did not decide {control} of account `{account}`, but the results have it")]
    Scope {
        /// The account.
        account: String,
        /// The control.
        control: String,
    },
}

/// What has to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// In the order of ids.
    pub writes: Vec<Write>,
    /// Findings of the results that need nothing.
    pub unchanged: u64,
    /// Archived findings that Security Hub has forgotten.
    pub forgotten: Vec<String>,
}

/// One finding to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The finding.
    pub id: String,
    /// The member account that it is about.
    pub account: String,
    /// Its control.
    pub control: ControlId,
    /// Why it is written.
    pub kind: WriteKind,
    /// What it says.
    pub source: FindingSource,
    /// The account's name.
    pub account_name: String,
    /// `CreatedAt`.
    pub created_at: String,
    /// What the record will hold once it is accepted.
    pub intent: Intended,
    /// Whether Security Hub may not have the finding yet.
    pub creation: bool,
}

/// Why a finding is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WriteKind {
    /// Security Hub does not have it.
    New,
    /// Something changed that a reader acts on.
    Changed,
    /// Retention would drop it.
    Refresh,
    /// What it is about is gone.
    Archive,
    /// Nobody knows whether the last write arrived.
    Again,
}

/// What a finding says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingSource {
    /// The result at this position.
    Result(usize),
    /// That its object is gone; why, in a sentence part without a stop.
    Gone(String),
}

/// What a finding should be.
struct Wanted {
    status: StatusEntry,
    digest: String,
    archived: bool,
    source: FindingSource,
    account_name: String,
}

/// Plans the writes that make Security Hub show `results`.
///
/// Only what the run decided is touched. A finding is archived where its account is closed or
/// suspended by the results' own word, or where the account has left the organization or the
/// control is disabled: the latter only if the snapshot has no gaps, since a gap may hide an
/// account. A finding without a result is left alone otherwise, whatever it says.
///
/// `FirstObservedAt` is the moment at which the account was first seen not passing: it is set
/// anew when a finding turns from PASSED or NOT_APPLICABLE to FAILED or UNDECIDED or comes back
/// from the archive, and kept over recoveries, refreshes and changes of the reasons.
///
/// # Errors
/// [`PlanError`]; nothing may be written then.
pub fn plan(
    record: &Record,
    results: &ShardResults,
    facts: &RunFacts,
    settings: &Settings,
    catalog: &KeyCatalog,
    now: Timestamp,
) -> Result<Plan, PlanError> {
    if !(1..RETENTION_DAYS).contains(&i64::from(settings.refresh_days)) {
        return Err(PlanError::Refresh(settings.refresh_days));
    }
    if results.header.run_id != facts.run_id {
        return Err(PlanError::Run {
            found: results.header.run_id.clone(),
            expected: facts.run_id.clone(),
        });
    }
    let planner = Planner { record, results, facts, settings, catalog, now };
    let mut plan = Plan::default();
    let wanted = planner.wanted()?;
    let ids: BTreeSet<&String> = wanted.keys().chain(record.findings.keys()).collect();
    for id in ids {
        let entry = record.findings.get(id);
        if let Some(wanted) = wanted.get(id) {
            if wanted.archived && entry.is_some_and(|entry| planner.is_out_of_reach(id, entry)) {
                plan.forgotten.push(id.clone());
                continue;
            }
            match planner.write(id, entry, wanted) {
                Some(write) => plan.writes.push(write),
                None => plan.unchanged += u64::from(!wanted.archived),
            }
        } else if entry.is_some_and(|entry| planner.is_forgotten(entry)) {
            plan.forgotten.push(id.clone());
        }
    }
    Ok(plan)
}

struct Planner<'a> {
    record: &'a Record,
    results: &'a ShardResults,
    facts: &'a RunFacts,
    settings: &'a Settings,
    catalog: &'a KeyCatalog,
    now: Timestamp,
}

impl Planner<'_> {
    /// What each finding should be, as far as this run can say.
    fn wanted(&self) -> Result<BTreeMap<String, Wanted>, PlanError> {
        let mut all = BTreeMap::new();
        for (position, entry) in self.results.entries().enumerate() {
            let Some(control) = ControlId::parse(&entry.control_id) else { continue };
            if !self.facts.covers(&entry.account_id, &entry.control_id)
                || !self.facts.enabled.contains(&entry.control_id)
            {
                return Err(PlanError::Scope {
                    account: entry.account_id.clone(),
                    control: entry.control_id.clone(),
                });
            }
            let id = id(&self.facts.organization_id, &entry.account_id, &entry.control_id);
            let wanted = if self.results.header.is_closed(&entry.account_id) {
                self.gone(&id, "the account is closed, suspended or not activated yet")
            } else {
                Some(self.shown(position, &entry, control))
            };
            all.extend(wanted.map(|wanted| (id, wanted)));
        }
        if self.facts.complete {
            for id in self.record.findings.keys() {
                if !all.contains_key(id)
                    && let Some(why) = self.vanished(id)
                {
                    all.extend(self.gone(id, why).map(|wanted| (id.clone(), wanted)));
                }
            }
        }
        Ok(all)
    }

    fn shown(&self, position: usize, entry: &ResultEntry, control: ControlId) -> Wanted {
        // Times do not count in the digest.
        let times = Times {
            created_at: String::new(),
            updated_at: String::new(),
            first_observed_at: String::new(),
        };
        let target = self.settings.target(&entry.account_id);
        let rendered = finding(entry, control, self.facts, self.catalog, &target, &times, None);
        Wanted {
            status: entry.status,
            digest: rendered.digest,
            archived: false,
            source: FindingSource::Result(position),
            account_name: entry.account_name.clone(),
        }
    }

    /// The archived form of a finding that may exist.
    fn gone(&self, id: &str, why: &str) -> Option<Wanted> {
        let entry = self.record.findings.get(id)?;
        let last = entry.settled.as_ref().or(entry.intent.as_ref().map(|i| &i.state))?;
        Some(Wanted {
            status: last.status,
            digest: String::new(),
            archived: true,
            source: FindingSource::Gone(why.to_owned()),
            account_name: entry.account_name.clone(),
        })
    }

    /// Why the object of a finding without a result is gone, where this run can tell.
    fn vanished(&self, id: &str) -> Option<&'static str> {
        let account = account_of(id, &self.facts.organization_id)?;
        let control = control_of(id, &self.facts.organization_id)?.to_string();
        if !self.facts.covers(account, &control) {
            return None;
        }
        if !self.results.header.accounts.contains_key(account) {
            Some("the account is not in the organization any more")
        } else if !self.facts.enabled.contains(&control) {
            Some("the perimeter disables the control")
        } else {
            None
        }
    }

    fn write(&self, id: &str, entry: Option<&Entry>, wanted: &Wanted) -> Option<Write> {
        let settled = entry.and_then(|entry| entry.settled.as_ref());
        let intent = entry.and_then(|entry| entry.intent.as_ref());
        let same = |state: &FindingState| {
            state.archived == wanted.archived
                && (state.archived
                    || (state.status, &state.digest) == (wanted.status, &wanted.digest))
        };
        let kind = match (settled, intent) {
            (_, Some(intent)) if same(&intent.state) => WriteKind::Again,
            (Some(settled), None) if same(settled) => {
                if wanted.archived || !self.is_due(settled) {
                    return None;
                }
                WriteKind::Refresh
            }
            (None | Some(_), _) if wanted.archived => WriteKind::Archive,
            (None, _) => WriteKind::New,
            (Some(_), _) => WriteKind::Changed,
        };
        let intended = match (kind, intent) {
            (WriteKind::Again, Some(intent)) => intent.clone(),
            _ => self.intended(entry, wanted),
        };
        let created_at = match entry {
            Some(entry) => entry.created_at.clone(),
            None => intended.state.updated_at.clone(),
        };
        Some(Write {
            id: id.to_owned(),
            account: account_of(id, &self.facts.organization_id)?.to_owned(),
            control: control_of(id, &self.facts.organization_id)?,
            kind,
            source: wanted.source.clone(),
            account_name: wanted.account_name.clone(),
            created_at,
            intent: intended,
            creation: settled.is_none(),
        })
    }

    /// A state that is later than all that Security Hub may have.
    fn intended(&self, entry: Option<&Entry>, wanted: &Wanted) -> Intended {
        let settled = entry.and_then(|entry| entry.settled.as_ref());
        let intent = entry.and_then(|entry| entry.intent.as_ref());
        let last = intent.map(|intent| &intent.state).or(settled);
        let before = [settled, intent.map(|intent| &intent.state)];
        let times = before.into_iter().flatten().map(|state| state.updated_at.as_str());
        let updated_at = after(self.now, times);
        let open = |status| matches!(status, StatusEntry::Failed | StatusEntry::Undecided);
        let first_observed_at = match last {
            Some(state)
                if wanted.archived
                    || (!state.archived && (open(state.status) || !open(wanted.status))) =>
            {
                state.first_observed_at.clone()
            }
            _ => updated_at.clone(),
        };
        let passes = |state: &FindingState| !state.archived && state.status == StatusEntry::Passed;
        // Whatever may have been there before, unless it passed too, left an open workflow.
        let recovered = before.into_iter().flatten().any(|state| !passes(state))
            || entry.is_some_and(|entry| entry.resolve)
            || intent.is_some_and(|intent| intent.resolve)
            || (settled.is_none() && self.record.rebuilt);
        Intended {
            resolve: !wanted.archived && wanted.status == StatusEntry::Passed && recovered,
            state: FindingState {
                status: wanted.status,
                digest: wanted.digest.clone(),
                archived: wanted.archived,
                updated_at,
                first_observed_at,
                written_at: moment(self.now),
            },
        }
    }

    /// Whether retention would drop a finding before long. Where it was written in the future,
    /// a clock was wrong, and nobody knows.
    fn is_due(&self, settled: &FindingState) -> bool {
        self.days_since(&settled.written_at)
            .is_none_or(|days| days >= i64::from(self.settings.refresh_days) || days < -1)
    }

    fn is_forgotten(&self, entry: &Entry) -> bool {
        entry.intent.is_none()
            && entry.settled.as_ref().is_some_and(|settled| {
                settled.archived
                    && self.days_since(&settled.written_at).is_some_and(|d| d >= FORGOTTEN_DAYS)
            })
    }

    /// Whether a finding that should be archived is in an account that has refused every write
    /// for so long that Security Hub has dropped it.
    fn is_out_of_reach(&self, id: &str, entry: &Entry) -> bool {
        let account = account_of(id, &self.facts.organization_id);
        let refused = account.and_then(|account| self.record.given_up.get(account));
        let old = |at: &str| self.days_since(at).is_some_and(|days| days >= DROPPED_DAYS);
        refused.is_some_and(|refused| old(&refused.since))
            && entry.settled.as_ref().is_none_or(|settled| old(&settled.written_at))
    }

    /// Whole days since a moment; `None` where it cannot be read.
    fn days_since(&self, at: &str) -> Option<i64> {
        let at: Timestamp = at.parse().ok()?;
        Some(
            self.now
                .duration_since(at)
                .as_secs()
                .div_euclid(SignedDuration::from_hours(24).as_secs()),
        )
    }
}

impl Plan {
    /// Writes what is planned into the record, so that it is known whatever happens next.
    pub fn intend(&self, record: &mut Record) {
        for id in &self.forgotten {
            record.findings.remove(id);
        }
        if !self.forgotten.is_empty() {
            let organization = record.organization_id.clone();
            let left: BTreeSet<String> = record
                .findings
                .keys()
                .filter_map(|id| account_of(id, &organization).map(str::to_owned))
                .collect();
            record.given_up.retain(|account, _| left.contains(account));
        }
        for write in &self.writes {
            let entry = record.findings.entry(write.id.clone()).or_insert_with(|| Entry {
                account_name: String::new(),
                created_at: write.created_at.clone(),
                settled: None,
                intent: None,
                resolve: false,
            });
            entry.account_name.clone_from(&write.account_name);
            entry.intent = Some(write.intent.clone());
        }
    }
}

impl Write {
    /// The finding in full.
    ///
    /// A finding that passes from the start is created RESOLVED, as Security Hub does it for
    /// its own controls; everything else is created NEW. On a finding that exists, Security Hub
    /// leaves the workflow as it is.
    #[must_use]
    pub fn render(
        &self,
        results: &ShardResults,
        facts: &RunFacts,
        settings: &Settings,
        catalog: &KeyCatalog,
    ) -> Option<Finding> {
        let target = settings.target(&self.account);
        let times = Times {
            created_at: self.created_at.clone(),
            updated_at: self.intent.state.updated_at.clone(),
            first_observed_at: self.intent.state.first_observed_at.clone(),
        };
        let status = self.intent.state.status;
        match &self.source {
            FindingSource::Gone(why) => {
                let account = (self.account.as_str(), self.account_name.as_str());
                Some(farewell(account, self.control, status, why, facts, &target, &times))
            }
            FindingSource::Result(position) => {
                let entry = results.entry(*position)?;
                let workflow = self.creation.then_some(Workflow {
                    status: match status {
                        StatusEntry::Passed if !self.intent.resolve => WorkflowStatus::Resolved,
                        StatusEntry::Passed
                        | StatusEntry::Failed
                        | StatusEntry::Undecided
                        | StatusEntry::NotApplicable => WorkflowStatus::New,
                    },
                });
                let control = self.control;
                Some(finding(&entry, control, facts, catalog, &target, &times, workflow).finding)
            }
        }
    }
}
