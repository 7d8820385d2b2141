//! Results of one account with the names of its own policies and targets.

use std::rc::Rc;

use organization::{AccountIdx, DocumentIdx, Organization, PolicyIdx, TargetIdx};
use policy::keys::KeyCatalog;
use policy::model::Statement;
use prover::Witness;

use crate::check::own_witness;
use crate::control::ControlId;
use crate::report::{Cell, Fault, Row, Status, StoppedBy, Verdict, Why};

/// A statement of a policy that is attached on an account's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementView {
    /// The policy.
    pub policy: PolicyIdx,
    /// The first target on the path to which it is attached.
    pub target: TargetIdx,
    /// The statement's position in the document, from 0.
    pub statement: usize,
    /// Its `Sid`.
    pub sid: Option<String>,
}

/// What stops requests, as one account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopView {
    /// A statement.
    Statement(StatementView),
    /// A target at which nothing allows them.
    ImplicitDeny(TargetIdx),
}

/// Why a control is undecided, as one account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObstacleView {
    /// A sentence without a stop.
    pub message: String,
    /// The statement, where one is concerned.
    pub statement: Option<StatementView>,
    /// The target, where one is concerned.
    pub target: Option<TargetIdx>,
    /// The policy, where one is concerned.
    pub policy: Option<PolicyIdx>,
}

/// The result of one control for one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellView {
    /// The control.
    pub control: ControlId,
    /// How it stands.
    pub status: Status,
    /// For a failed control the send path and a request of the account that gets through.
    pub witness: Option<(&'static str, Rc<Witness>)>,
    /// For a passed control what stops the requests.
    pub decided_by: Vec<StopView>,
    /// For a failed control about exposure what is at fault.
    pub faults: Vec<Fault>,
    /// For an undecided control why.
    pub obstacles: Vec<ObstacleView>,
    /// For a control that does not apply why; for a passed one about exposure, too.
    pub reason: Option<String>,
    /// Settings and facts that the status hangs on.
    pub assumptions: Vec<String>,
}

impl CellView {
    /// Nobody can say, since what was found cannot be; a sentence without a stop.
    fn is_our_mistake(&mut self, message: &str) {
        self.status = Status::Undecided;
        self.obstacles.push(plain_obstacle(defect(message)));
    }
}

/// What a message about our own mistake asks for.
fn defect(message: &str) -> String {
    format!("{message}; this is a defect of the program, please report it")
}

/// `cell` of `row` in the account's own terms.
///
/// A witness is replayed against the account's own stack first. Should it not replay, which
/// would be a defect, the control is undecided.
#[must_use]
pub fn view(organization: &Organization, catalog: &KeyCatalog, row: &Row, cell: &Cell) -> CellView {
    let account = row.account;
    let mut view = CellView {
        control: cell.control,
        status: cell.status(),
        witness: None,
        decided_by: Vec::new(),
        faults: Vec::new(),
        obstacles: Vec::new(),
        reason: None,
        assumptions: cell.assumptions.clone(),
    };
    match &cell.verdict {
        Verdict::Passed(stops) => {
            let stops = stops.iter().map(|stop| stop_view(organization, account, *stop));
            match stops.collect() {
                Some(stops) => view.decided_by = stops,
                None => {
                    view.is_our_mistake(
                        "what stops the requests is not on the path of the account",
                    );
                }
            }
        }
        Verdict::Failed { path, witness } => {
            match own_witness(organization, row, witness, catalog) {
                Some(witness) => view.witness = Some((path, witness)),
                None => view.is_our_mistake(&format!(
                    "the request that was found through {path} did not replay"
                )),
            }
        }
        Verdict::Undecided(reasons) => {
            view.obstacles =
                reasons.iter().map(|why| obstacle_view(organization, account, why)).collect();
        }
        Verdict::NotApplicable(reason) | Verdict::InOrder(reason) => {
            view.reason = Some(reason.clone());
        }
        Verdict::Faults(faults) => view.faults.clone_from(faults),
    }
    view
}

fn stop_view(
    organization: &Organization,
    account: AccountIdx,
    stop: StoppedBy,
) -> Option<StopView> {
    match stop {
        StoppedBy::Statement(document, statement) => {
            statement_view(organization, account, document, statement).map(StopView::Statement)
        }
        StoppedBy::Level(level) => organization
            .levels(account)
            .get(level)
            .map(|level| StopView::ImplicitDeny(level.target)),
    }
}

/// The statement of `document` where it is first attached on the path of `account`.
fn statement_view(
    organization: &Organization,
    account: AccountIdx,
    document: DocumentIdx,
    statement: usize,
) -> Option<StatementView> {
    let (target, policy) = organization.levels(account).into_iter().find_map(|level| {
        let scp = level.scps.iter().find(|scp| scp.document == document)?;
        Some((level.target, scp.policy))
    })?;
    let sid = statement_at(organization, policy, statement).and_then(|found| found.sid.clone());
    Some(StatementView { policy, target, statement, sid })
}

/// The statement at a position of a policy's document.
#[must_use]
pub fn statement_at(
    organization: &Organization,
    policy: PolicyIdx,
    statement: usize,
) -> Option<&Statement> {
    let document = organization.policy(policy)?.document;
    organization.document(document)?.policy()?.statements.get(statement)
}

/// An obstacle that concerns no statement in particular.
fn plain_obstacle(message: String) -> ObstacleView {
    ObstacleView { message, statement: None, target: None, policy: None }
}

fn obstacle_view(organization: &Organization, account: AccountIdx, why: &Why) -> ObstacleView {
    match why {
        Why::Statement(document, statement, open) => {
            let found = statement_view(organization, account, *document, *statement);
            ObstacleView {
                message: open.message.clone(),
                target: found.as_ref().map(|s| s.target),
                policy: found.as_ref().map(|s| s.policy),
                statement: found,
            }
        }
        Why::Budget { action, path } => plain_obstacle(format!(
            "the step budget was spent on {action} ({path}); a larger --budget may decide it"
        )),
        Why::Incomplete { key, action, path } => plain_obstacle(format!(
            "`{key}` is compared in ways that cannot all be looked at together, as a text pattern \
             and as an address or a number for instance, for {action} ({path})"
        )),
        Why::Disagreement { action, path } => plain_obstacle(defect(&format!(
            "the request that was found for {action} ({path}) did not replay"
        ))),
        Why::Defect(message) => plain_obstacle(defect(message)),
        Why::InAccount(message) => plain_obstacle(message.clone()),
        Why::Unread(target, policy, message) => ObstacleView {
            message: message.clone(),
            statement: None,
            target: Some(*target),
            policy: *policy,
        },
    }
}
