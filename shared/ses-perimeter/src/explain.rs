//! Why an account's verdicts are what they are, as values for people-facing output.

mod excerpt;
mod near;

use organization::{AccountIdx, Organization, PolicyIdx, TargetIdx};
use policy::condition::Readings;
use policy::evaluate::evaluate;
use policy::keys::KeyCatalog;
use policy::model::{Actions, Effect, Policy, Resources, Statement};
use prover::Witness;

use crate::report::Row;
use crate::view::{CellView, StatementView, view};

pub use excerpt::{Excerpt, excerpt};
pub use near::{Element, ElementKind, Naming, NearMiss, near_misses};

/// An account with its path, its SCP stack and its verdicts.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The account.
    pub account: AccountIdx,
    /// Whether SCPs are in force in the organization at all.
    pub in_force: bool,
    /// The levels of the path, the root's first, the account's last.
    pub levels: Vec<LevelView>,
    /// One entry for each control that was checked, in order.
    pub controls: Vec<ControlView>,
}

/// One target on the path with its SCPs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelView {
    /// The target.
    pub target: TargetIdx,
    /// The SCPs attached there, in the order of the snapshot.
    pub scps: Vec<ScpView>,
    /// What the level lets through, its own Deny statements aside.
    pub allows: Allows,
}

/// An SCP on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScpView {
    /// The policy.
    pub policy: PolicyIdx,
    /// The characters of its document, where the snapshot has it.
    pub characters: Option<usize>,
    /// The number of its statements, where the document can be read.
    pub statements: Option<usize>,
}

/// What the Allow statements of a level let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allows {
    /// Every request.
    Everything,
    /// Some requests, by action, resource or condition.
    Part,
    /// Nothing: the level has no Allow statement.
    Nothing,
    /// A document cannot be read, and no other one allows everything.
    Unknown,
}

/// The verdict of one control with what led to it.
#[derive(Debug, Clone)]
pub struct ControlView {
    /// The verdict in the account's own terms.
    pub cell: CellView,
    /// For a failed control the Deny statements that came near, the nearest first.
    pub near: Vec<NearMiss>,
    /// For a failed control the statement of each level that allows the witness, root first.
    pub allowed_by: Vec<StatementView>,
}

/// Explains the verdicts of `row`.
#[must_use]
pub fn explain(organization: &Organization, catalog: &KeyCatalog, row: &Row) -> Explanation {
    let account = row.account;
    let controls = row
        .all()
        .map(|cell| {
            let cell = view(organization, catalog, row, cell);
            let (near, allowed_by) = match &cell.witness {
                Some((_, witness)) => (
                    near_misses(organization, catalog, account, witness),
                    allowed_by(organization, catalog, account, witness),
                ),
                None => (Vec::new(), Vec::new()),
            };
            ControlView { cell, near, allowed_by }
        })
        .collect();
    Explanation {
        account,
        in_force: organization.scp_enabled,
        levels: levels(organization, account),
        controls,
    }
}

/// The levels of an account's path, the root's first.
#[must_use]
pub fn levels(organization: &Organization, account: AccountIdx) -> Vec<LevelView> {
    organization
        .levels(account)
        .into_iter()
        .map(|level| {
            let scps: Vec<ScpView> = level
                .scps
                .iter()
                .map(|scp| {
                    let document = organization.document(scp.document);
                    ScpView {
                        policy: scp.policy,
                        characters: document.and_then(|d| d.text()).map(|t| t.chars().count()),
                        statements: document.and_then(|d| d.policy()).map(|p| p.statements.len()),
                    }
                })
                .collect();
            let policies: Vec<Option<&Policy>> = level
                .scps
                .iter()
                .map(|scp| organization.document(scp.document).and_then(|d| d.policy()))
                .collect();
            LevelView { target: level.target, scps, allows: allows(&policies) }
        })
        .collect()
}

fn allows(policies: &[Option<&Policy>]) -> Allows {
    let mut allows = Allows::Nothing;
    let statements = policies.iter().flatten().flat_map(|policy| &policy.statements);
    for statement in statements.filter(|statement| statement.effect == Effect::Allow) {
        if allows_everything(statement) {
            return Allows::Everything;
        }
        allows = Allows::Part;
    }
    if policies.iter().any(Option::is_none) { Allows::Unknown } else { allows }
}

fn allows_everything(statement: &Statement) -> bool {
    let (Actions::Listed(actions), Resources::Listed(resources)) =
        (&statement.actions, &statement.resources)
    else {
        return false;
    };
    statement.conditions.is_empty()
        && statement.obstacles.is_empty()
        && actions.iter().any(|action| action.text == "*")
        && resources.iter().any(|resource| resource.text == "*")
}

/// The first Allow statement of each level that matches the witness's first resource.
fn allowed_by(
    organization: &Organization,
    catalog: &KeyCatalog,
    account: AccountIdx,
    witness: &Witness,
) -> Vec<StatementView> {
    if !organization.scp_enabled {
        return Vec::new();
    }
    // Beside a witness every policy can be read (invariant WHOLE-STACK).
    let (Some(request), Some(stack)) = (witness.requests().next(), organization.stack(account))
    else {
        return Vec::new();
    };
    let levels = organization.levels(account);
    evaluate(&stack, &request, Readings::default(), catalog)
        .allowed_by
        .into_iter()
        .flatten()
        .filter_map(|place| {
            let level = levels.get(place.level)?;
            let policy = level.scps.get(place.policy)?.policy;
            let statement = stack.levels.get(place.level)?.get(place.policy)?;
            let sid = statement.statements.get(place.statement)?.sid.clone();
            Some(StatementView { policy, target: level.target, statement: place.statement, sid })
        })
        .collect()
}
