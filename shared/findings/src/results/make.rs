//! From the cells of a report to their wire form.

use std::collections::BTreeMap;

use organization::{AccountIdx, Organization, PolicyIdx, TargetIdx};
use policy::keys::KeyCatalog;
use policy::request::ContextValue;
use prover::Witness;
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::{Cell, Fault, GroupId, Permitted, Row, Status};
use ses_perimeter::view::{CellView, ObstacleView, StatementView, StopView, view};

use super::{
    DeciderEntry, FaultEntry, ImplicitDeny, ObstacleEntry, PolicyEntry, ResultEntry, SeverityEntry,
    StatementEntry, ValueEntry, WitnessEntry,
};
use crate::asff::severity;
use crate::causes::Cause;
use crate::names::{Names, list, number};
use crate::words;

/// Makes entries, and remembers causes that many accounts share.
#[derive(Debug)]
pub struct ResultBuilder<'a> {
    organization: &'a Organization,
    perimeter: &'a Perimeter,
    catalog: &'a KeyCatalog,
    names: Names<'a>,
    causes: BTreeMap<SharedFailure, ToldCause>,
}

/// A cause with its sentence.
#[derive(Debug, Clone)]
struct ToldCause {
    cause: Cause,
    text: String,
}

/// Accounts with the same cells below the same target and with the same policies of their own
/// fail a control for the same cause, as long as the cause does not name the account.
type SharedFailure = (GroupId, TargetIdx, Vec<PolicyIdx>, ControlId);

impl<'a> ResultBuilder<'a> {
    /// For the reports of one organization and perimeter.
    #[must_use]
    pub fn new(
        organization: &'a Organization,
        perimeter: &'a Perimeter,
        catalog: &'a KeyCatalog,
    ) -> Self {
        let names = Names::new(organization);
        Self { organization, perimeter, catalog, names, causes: BTreeMap::new() }
    }

    /// The wire form of a cell of `row`.
    #[must_use]
    pub fn entry(&mut self, row: &Row, cell: &Cell) -> ResultEntry {
        let organization = self.organization;
        let cell = view(organization, self.catalog, row, cell);
        let account = organization.account(row.account);
        let witness = cell.witness.as_ref();
        let cause = witness.map(|(_, witness)| self.cause(row, cell.control, witness));
        let text = witness.map(|(path, witness)| {
            let text = words::sentence(organization, cell.control, path, witness);
            text.replace(words::UNBROKEN, " ")
        });
        let (first, others) = match cell.faults.split_first() {
            Some((first, others)) => (Some(first), others),
            None => (None, [].as_slice()),
        };
        let request = first.and_then(|fault| fault.request.as_deref());
        let shown = witness.map(|(path, witness)| WitnessEntry::new(witness, path));
        ResultEntry {
            account_id: account.map(|a| a.id.to_string()).unwrap_or_default(),
            account_name: account.map(|a| a.name.to_string()).unwrap_or_default(),
            path: organization.path(row.account).iter().map(|t| t.id.to_string()).collect(),
            control_id: cell.control.to_string(),
            status: cell.status.into(),
            witness: shown.or_else(|| request.map(permitted)),
            witness_text: text.or_else(|| first.map(|fault| format!("{}.", fault_text(fault)))),
            policies: policies(organization, &cell, cause.as_ref().map(|told| &told.cause)),
            cause: cause.map(|cause| cause.text).or_else(|| also_at_fault(others)),
            decided_by: cell.decided_by.iter().map(|stop| decider(organization, stop)).collect(),
            assumptions: cell.assumptions.clone(),
            obstacles: cell.obstacles.iter().map(|o| obstacle_entry(organization, o)).collect(),
            reason: cell.reason.clone(),
            faults: cell.faults.iter().map(fault_entry).collect(),
            severity: self.severity(row, &cell),
        }
    }

    /// How grave a failure is that service control policies would have to stop, by how far SES is
    /// in use in the account.
    fn severity(&self, row: &Row, cell: &CellView) -> Option<SeverityEntry> {
        let standing = &row.found.as_ref()?.standing;
        if cell.status != Status::Failed || cell.control.is_about_exposure() {
            return None;
        }
        let own = severity(self.perimeter, cell.control);
        let graded = self.perimeter.exposure.severity.grade(own, standing);
        Some(SeverityEntry {
            label: graded.severity.into(),
            own: own.into(),
            level: standing.level.name().to_owned(),
            rule: graded.sentence,
        })
    }

    /// The statements that a cell hangs on: of a failed one those that came near its witness, of
    /// an undecided one those that leave it open, of a passed one those that decide it.
    #[must_use]
    pub fn statements(&mut self, row: &Row, cell: &Cell) -> Vec<StatementView> {
        let cell = view(self.organization, self.catalog, row, cell);
        if let Some((_, witness)) = &cell.witness {
            let near = self.cause(row, cell.control, witness).cause.near;
            return near.into_iter().map(|near| near.statement).collect();
        }
        let of_obstacles = cell.obstacles.into_iter().filter_map(|obstacle| obstacle.statement);
        let of_stops = cell.decided_by.into_iter().filter_map(|stop| match stop {
            StopView::Statement(found) => Some(found),
            StopView::ImplicitDeny(_) => None,
        });
        of_obstacles.chain(of_stops).collect()
    }

    fn cause(&mut self, row: &Row, control: ControlId, witness: &Witness) -> ToldCause {
        let organization = self.organization;
        let own = organization.target_of(row.account);
        let key = organization.parent(own).map(|parent| {
            let own = organization.scps_on(own).iter().map(|scp| scp.policy).collect();
            (row.group, parent, own, control)
        });
        if let Some(known) = key.as_ref().and_then(|key| self.causes.get(key)) {
            return known.clone();
        }
        let cause = Cause::of(organization, self.catalog, row.account, witness);
        let text = cause.text(organization.scp_enabled, &self.names);
        let found = ToldCause { cause, text };
        if let Some(key) = key.filter(|_| !names_account(organization, row.account, &found)) {
            self.causes.insert(key, found.clone());
        }
        found
    }
}

/// How many things beside the first the cause names.
const ALSO: usize = 3;

/// A fault in words; a sentence without a stop.
#[must_use]
pub fn fault_text(fault: &Fault) -> String {
    format!("In {}, {}", fault.region, fault.message)
}

fn also_at_fault(others: &[Fault]) -> Option<String> {
    if others.is_empty() {
        return None;
    }
    let mut named: Vec<String> =
        others.iter().take(ALSO).map(|f| format!("`{}` in {}", f.subject, f.region)).collect();
    if others.len() > ALSO {
        named.push(format!("{} more", number(others.len() - ALSO)));
    }
    Some(format!("also at fault: {}", list(&named)))
}

/// The wire form of a request that a resource-based policy permits.
#[must_use]
pub fn permitted(request: &Permitted) -> WitnessEntry {
    let entry = WitnessEntry::new(&request.witness, request.path);
    // A service has no ARN; who asks is what the request cannot do without.
    if entry.principal_arn.is_empty() {
        return WitnessEntry { principal_arn: request.by.to_string(), ..entry };
    }
    entry
}

fn fault_entry(fault: &Fault) -> FaultEntry {
    FaultEntry {
        region: fault.region.clone(),
        subject: fault.subject.clone(),
        message: fault.message.clone(),
        witness: fault.request.as_deref().map(permitted),
    }
}

fn names_account(organization: &Organization, account: AccountIdx, told: &ToldCause) -> bool {
    let id = organization.account(account).map(|found| found.id.to_string());
    let own = organization.target_of(account);
    told.cause.near.iter().any(|near| near.statement.target == own)
        || id.is_none_or(|id| told.text.contains(&id))
}

/// The policies that a result names, each once and in the order in which it names them.
fn policies(
    organization: &Organization,
    cell: &CellView,
    cause: Option<&Cause>,
) -> Vec<PolicyEntry> {
    let of_cause = cause.into_iter().flat_map(Cause::policies);
    let of_stops = cell.decided_by.iter().filter_map(|stop| match stop {
        StopView::Statement(found) => Some(found.policy),
        StopView::ImplicitDeny(_) => None,
    });
    let of_obstacles = cell.obstacles.iter().filter_map(|obstacle| obstacle.policy);
    let mut named: Vec<PolicyIdx> = Vec::new();
    for policy in of_cause.chain(of_stops).chain(of_obstacles) {
        if !named.contains(&policy) {
            named.push(policy);
        }
    }
    named
        .into_iter()
        .filter_map(|policy| organization.policy(policy))
        .map(|found| PolicyEntry {
            id: found.id.to_string(),
            name: found.name.to_string(),
            aws_managed: found.aws_managed,
        })
        .collect()
}

impl WitnessEntry {
    /// The wire form of a request through `send_path`.
    #[must_use]
    pub fn new(witness: &Witness, send_path: &str) -> Self {
        let value = |value: &ContextValue| match value {
            ContextValue::One(text) => ValueEntry::One(text.clone()),
            ContextValue::Many(texts) => ValueEntry::Many(texts.clone()),
        };
        Self {
            action: witness.action.clone(),
            resource: witness.resource.clone(),
            additional_resources: witness.additional_resources.clone(),
            principal_arn: witness.principal_arn().to_owned(),
            context: witness.context.iter().map(|(key, v)| (key.to_owned(), value(v))).collect(),
            send_path: send_path.to_owned(),
        }
    }
}

fn decider(organization: &Organization, stop: &StopView) -> DeciderEntry {
    match stop {
        StopView::Statement(found) => DeciderEntry::Statement(statement_entry(organization, found)),
        StopView::ImplicitDeny(target) => DeciderEntry::ImplicitDeny {
            target_id: target_id(organization, *target),
            reason: ImplicitDeny::ImplicitDeny,
        },
    }
}

fn target_id(organization: &Organization, target: TargetIdx) -> String {
    organization.target_ref(target).id.to_string()
}

fn policy_names(organization: &Organization, policy: PolicyIdx) -> (String, String) {
    organization
        .policy(policy)
        .map(|found| (found.id.to_string(), found.name.to_string()))
        .unwrap_or_default()
}

fn statement_entry(organization: &Organization, found: &StatementView) -> StatementEntry {
    let (policy_id, policy_name) = policy_names(organization, found.policy);
    StatementEntry {
        policy_id,
        policy_name,
        target_id: target_id(organization, found.target),
        sid: found.sid.clone(),
        statement_index: found.statement,
    }
}

fn obstacle_entry(organization: &Organization, obstacle: &ObstacleView) -> ObstacleEntry {
    let names = obstacle.policy.map(|policy| policy_names(organization, policy));
    let (policy_id, policy_name) = names.unzip();
    ObstacleEntry {
        message: obstacle.message.clone(),
        policy_id,
        policy_name,
        target_id: obstacle.target.map(|target| target_id(organization, target)),
        sid: obstacle.statement.as_ref().and_then(|s| s.sid.clone()),
        statement_index: obstacle.statement.as_ref().map(|s| s.statement),
    }
}
