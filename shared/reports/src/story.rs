//! Why requests get through: failed verdicts by control and cause, told once for every report.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use findings::causes::{Cause, parted};
use findings::results::WitnessEntry;
use findings::words;
use organization::{AccountIdx, Organization, PolicyIdx, TargetIdx};
use policy::keys::KeyCatalog;
use ses_perimeter::control::ControlId;
use ses_perimeter::report::{GroupId, Report, Row, Status};
use ses_perimeter::view::view;

use crate::own::Own;

/// What tells one failure of a control from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parting {
    /// The policy of a statement that came near.
    pub policy: PolicyIdx,
    /// The statement's position.
    pub statement: usize,
    /// Where the policy is attached on the account's path; `None` for the account itself.
    pub target: Option<TargetIdx>,
    /// Where the statement parts from the request, what is the account's own hidden.
    pub why: String,
}

/// One control that some accounts fail for one cause.
#[derive(Debug)]
pub struct Failure {
    /// The control.
    pub control: ControlId,
    /// Where each statement that came near parts from the requests.
    pub partings: Vec<Parting>,
    /// The cause as the first account meets it.
    pub cause: Cause,
    /// A request of the first account.
    pub request: ToldRequest,
    /// The accounts in the order of the report.
    pub accounts: Vec<AccountIdx>,
}

/// A request that gets through, in three forms.
#[derive(Debug)]
pub struct ToldRequest {
    /// In words, for a line under its control.
    pub words: String,
    /// Two sentences with stops.
    pub sentence: String,
    /// For the wire.
    pub entry: WitnessEntry,
}

/// The failures of a report that service control policies would have to stop.
#[derive(Debug, Default)]
pub struct Story {
    /// In the order in which the report first shows them.
    pub failures: Vec<Failure>,
    /// For each account that fails something the positions of its failures.
    by_account: BTreeMap<AccountIdx, Rc<[usize]>>,
}

/// Accounts with the same cells below the same target and with the same SCPs of their own differ
/// in nothing but what is hidden.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alike {
    group: GroupId,
    parent: Option<TargetIdx>,
    scps: Vec<PolicyIdx>,
}

impl Alike {
    /// What the account of `row` is told apart by.
    pub(crate) fn of(organization: &Organization, row: &Row) -> Self {
        let own = organization.target_of(row.account);
        Self {
            group: row.group,
            parent: organization.parent(own),
            scps: organization.scps_on(own).iter().map(|scp| scp.policy).collect(),
        }
    }
}

/// The failures while they are collected.
struct Teller<'a> {
    organization: &'a Organization,
    catalog: &'a KeyCatalog,
    positions: BTreeMap<(ControlId, Vec<Parting>, usize), usize>,
    failures: Vec<Failure>,
}

impl Story {
    /// Looks at every failed verdict, once for accounts that differ in nothing.
    #[must_use]
    pub fn of(organization: &Organization, catalog: &KeyCatalog, report: &Report) -> Self {
        let (positions, failures) = (BTreeMap::new(), Vec::new());
        let mut teller = Teller { organization, catalog, positions, failures };
        let mut known: BTreeMap<Alike, Rc<[usize]>> = BTreeMap::new();
        let mut by_account = BTreeMap::new();
        for row in &report.rows {
            if !row.cells.iter().any(|cell| cell.status() == Status::Failed) {
                continue;
            }
            let key = Alike::of(organization, row);
            let found = known.entry(key).or_insert_with(|| teller.look(row)).clone();
            for position in found.iter() {
                if let Some(failure) = teller.failures.get_mut(*position) {
                    failure.accounts.push(row.account);
                }
            }
            by_account.insert(row.account, found);
        }
        Self { failures: teller.failures, by_account }
    }

    /// Which of the failures is that of a control for an account.
    #[must_use]
    pub fn position(&self, account: AccountIdx, control: ControlId) -> Option<usize> {
        let own = self.by_account.get(&account)?;
        let is_of = |position: &&usize| {
            self.failures.get(**position).is_some_and(|failure| failure.control == control)
        };
        own.iter().find(is_of).copied()
    }

    /// The failures with the same `key` together, each kind with its accounts in order.
    #[must_use]
    pub fn merged<'s, K: Ord>(
        &'s self,
        key: impl Fn(&'s Failure) -> K,
    ) -> Vec<(&'s Failure, Vec<AccountIdx>)> {
        let mut positions: BTreeMap<K, usize> = BTreeMap::new();
        let mut merged: Vec<(&Failure, BTreeSet<AccountIdx>)> = Vec::new();
        for failure in &self.failures {
            let position = *positions.entry(key(failure)).or_insert_with(|| {
                merged.push((failure, BTreeSet::new()));
                merged.len() - 1
            });
            if let Some((_, accounts)) = merged.get_mut(position) {
                accounts.extend(&failure.accounts);
            }
        }
        merged.into_iter().map(|(first, all)| (first, all.into_iter().collect())).collect()
    }
}

impl Teller<'_> {
    /// The positions of a row's failures.
    fn look(&mut self, row: &Row) -> Rc<[usize]> {
        let organization = self.organization;
        let own = Own::of(organization, row.account);
        let own_target = organization.target_of(row.account);
        let mut found = Vec::new();
        for cell in row.cells.iter().filter(|cell| cell.status() == Status::Failed) {
            let cell = view(organization, self.catalog, row, cell);
            // Without a request the view is undecided, and tells why.
            let Some((path, witness)) = cell.witness else { continue };
            let cause = Cause::of(organization, self.catalog, row.account, &witness);
            let partings: Vec<Parting> = cause
                .near
                .iter()
                .map(|near| Parting {
                    policy: near.statement.policy,
                    statement: near.statement.statement,
                    target: Some(near.statement.target).filter(|target| *target != own_target),
                    why: own.hide(&parted(near)),
                })
                .collect();
            let key = (cell.control, partings.clone(), cause.general);
            found.push(*self.positions.entry(key).or_insert_with(|| {
                let control = cell.control;
                let sentence = words::sentence(organization, control, path, &witness);
                let request = ToldRequest {
                    words: words::request(organization, control, &witness),
                    sentence: sentence.replace(words::UNBROKEN, " "),
                    entry: WitnessEntry::new(&witness, path),
                };
                let accounts = Vec::new();
                self.failures.push(Failure { control, partings, cause, request, accounts });
                self.failures.len() - 1
            }));
        }
        found.into()
    }
}
