//! Why nothing stops a request, in a sentence.

use organization::{AccountIdx, Organization, PolicyIdx, TargetIdx};
use policy::keys::KeyCatalog;
use prover::Witness;
use ses_perimeter::explain::{Naming, NearMiss, near_misses};
use ses_perimeter::view::StatementView;

use crate::names::{Names, count};

/// Statements that a cause tells.
const TOLD: usize = 2;

/// Why a request of an account gets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// A sentence without a stop.
    pub text: String,
    /// The policies whose statements came near, in the order of the text.
    pub policies: Vec<PolicyIdx>,
    /// The targets at which the account meets them.
    pub targets: Vec<TargetIdx>,
    /// The statements, in the order of the text.
    pub statements: Vec<StatementView>,
}

/// Why `witness` of `account` gets through.
///
/// Names the Deny statements that came near and where each parts from the request; where none
/// came near, says so.
#[must_use]
pub fn cause(
    organization: &Organization,
    names: &Names<'_>,
    catalog: &KeyCatalog,
    account: AccountIdx,
    witness: &Witness,
) -> Cause {
    let near = near_misses(organization, catalog, account, witness);
    let told = telling(&near, TOLD);
    if told.is_empty() {
        let general = near.iter().filter(|near| near.covers_action()).count();
        let text = nothing_near(organization.scp_enabled, general, "this action");
        let (policies, targets, statements) = Default::default();
        return Cause { text, policies, targets, statements };
    }
    let texts: Vec<String> = told
        .iter()
        .map(|near| format!("{}: {}", names.brief(&near.statement), parted(near)))
        .collect();
    let mut policies: Vec<PolicyIdx> = told.iter().map(|near| near.statement.policy).collect();
    policies.dedup();
    Cause {
        text: texts.join("; "),
        policies,
        targets: told.iter().map(|near| near.statement.target).collect(),
        statements: told.iter().map(|near| near.statement.clone()).collect(),
    }
}

/// The statements whose mismatch tells most: those that name the action most narrowly.
///
/// Organization-wide guardrails that are about every action are seldom meant to stop mail.
#[must_use]
pub fn telling(near: &[NearMiss], most: usize) -> Vec<&NearMiss> {
    let about = || near.iter().filter(|near| near.covers_action());
    let narrowest = about().map(|near| near.naming).max().unwrap_or(Naming::None);
    if narrowest <= Naming::General {
        return Vec::new();
    }
    let narrow: Vec<&NearMiss> = about().filter(|near| near.naming == narrowest).collect();
    let present = narrow.iter().any(|near| !near.differs_in_presence());
    narrow.into_iter().filter(|near| !(present && near.differs_in_presence())).take(most).collect()
}

/// Why no statement came near enough to be told: `general` of them are about the actions of
/// every service. `them` is "this action" or "these actions".
#[must_use]
pub fn nothing_near(in_force: bool, general: usize, them: &str) -> String {
    let verb = if general == 1 { "does" } else { "do" };
    match (in_force, general) {
        (false, _) => "no SCP is in force".to_owned(),
        (true, 0) => format!("no Deny statement on the path is about {them}"),
        (true, n) => format!(
            "no Deny statement on the path names {them}; {} {verb} not match",
            count(n, "general Deny statement")
        ),
    }
}

/// Where a statement parts from the request; a sentence part without a stop.
#[must_use]
pub fn parted(near: &NearMiss) -> String {
    match near.first_miss() {
        Some((_, element)) => element.message(),
        None => "matches as far as anybody can say".to_owned(),
    }
}
