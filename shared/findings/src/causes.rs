//! Why nothing stops a request, in a sentence.

use organization::{AccountIdx, Organization, PolicyIdx};
use policy::keys::KeyCatalog;
use prover::Witness;
use ses_perimeter::explain::{Naming, NearMiss, near_misses};

use crate::names::{Names, count};

/// Statements that a cause tells.
const TOLD: usize = 2;

/// Why a request of an account gets through: of the Deny statements that came near, those that
/// tell most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// At most two; none where no statement came near.
    pub near: Vec<NearMiss>,
    /// Where none did, how many are about the actions of every service.
    pub general: usize,
}

impl Cause {
    /// Why `witness` of `account` gets through.
    #[must_use]
    pub fn of(
        organization: &Organization,
        catalog: &KeyCatalog,
        account: AccountIdx,
        witness: &Witness,
    ) -> Self {
        let all = near_misses(organization, catalog, account, witness);
        let near: Vec<NearMiss> = telling(&all, TOLD).into_iter().cloned().collect();
        let about = all.iter().filter(|near| near.covers_action());
        let general = if near.is_empty() { about.count() } else { 0 };
        Self { near, general }
    }

    /// The same as a sentence without a stop: each statement and where it parts from the request.
    #[must_use]
    pub fn text(&self, in_force: bool, names: &Names<'_>) -> String {
        if self.near.is_empty() {
            return nothing_near(in_force, self.general, "this action");
        }
        let parts = self.near.iter();
        let parts = parts.map(|near| format!("{}: {}", names.brief(&near.statement), parted(near)));
        parts.collect::<Vec<_>>().join("; ")
    }

    /// The policies of the statements, in the order of the text.
    #[must_use]
    pub fn policies(&self) -> Vec<PolicyIdx> {
        let mut policies: Vec<PolicyIdx> =
            self.near.iter().map(|near| near.statement.policy).collect();
        policies.dedup();
        policies
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
