//! The tables of the data block: each text, request, statement and cell once.
//!
//! What an account's cell says about the account itself, its id and the path of its unit, is
//! replaced by a character that stands for it. So accounts with the same verdicts for the same
//! reasons share their cells, and the script puts the account's own words back.

use std::collections::BTreeMap;

use findings::causes::{nothing_near, parted, telling};
use findings::results::{ValueEntry, WitnessEntry, permitted};
use findings::words;
use organization::{Organization, PolicyIdx, TargetIdx};
use serde::Serialize;
use ses_perimeter::explain::{Allows, ControlView, Explanation, NearMiss};
use ses_perimeter::report::Status;
use ses_perimeter::view::{CellView, StatementView, StopView};

use crate::own::Own;

/// Statements that came near, for each cell.
const NEAR: usize = 6;
/// Values in the order in which they first came, each once.
#[derive(Debug)]
pub struct Interner<T> {
    positions: BTreeMap<T, usize>,
    list: Vec<T>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { positions: BTreeMap::new(), list: Vec::new() }
    }
}

impl<T: Ord + Clone> Interner<T> {
    /// The position of `value`.
    pub fn add(&mut self, value: T) -> usize {
        if let Some(known) = self.positions.get(&value) {
            return *known;
        }
        let position = self.list.len();
        self.list.push(value.clone());
        self.positions.insert(value, position);
        position
    }

    /// The values in order.
    pub fn list(&self) -> &[T] {
        &self.list
    }
}

/// A context key with its value or values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PairData(String, PairValue);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
enum PairValue {
    One(String),
    Many(Vec<String>),
}

/// A request; numbers are positions of texts, the last ones of pairs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RequestData {
    action: usize,
    resource: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<usize>,
    principal: usize,
    path: usize,
    context: Vec<usize>,
}

/// A statement that came near: policy, statement, elements that match, elements in all, text of
/// where it parts, texts of what is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NearData(usize, usize, usize, usize, usize, Vec<usize>);

/// What stops requests: policy and statement, or the number of a level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum StopData {
    Statement(usize, usize),
    Level(usize),
}

/// Why a control is undecided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ObstacleData {
    /// The text.
    pub text: usize,
    /// The policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<usize>,
    /// The statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<usize>,
    /// The root or unit; below zero for the account itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// One letter for each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Letter {
    /// Failed.
    F,
    /// Undecided.
    U,
    /// Passed.
    P,
    /// Not applicable.
    N,
}

impl CellData {
    /// The texts of the Regions and of what is at fault there.
    pub fn faults(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.faults.iter().map(|(region, fault, _)| (*region, *fault))
    }
}

impl Letter {
    /// That of `status`.
    pub const fn of(status: Status) -> Self {
        match status {
            Status::Failed => Self::F,
            Status::Undecided => Self::U,
            Status::Passed => Self::P,
            Status::NotApplicable => Self::N,
        }
    }
}

/// A cell that accounts share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CellData {
    /// Its status.
    #[serde(rename = "s")]
    pub status: Letter,
    /// Of a failed cell the number of its cause, from 0.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    pub cause: Option<usize>,
    /// The request in words.
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    sentence: Option<usize>,
    /// The request.
    #[serde(rename = "w", skip_serializing_if = "Option::is_none")]
    request: Option<usize>,
    /// Why no statement came near enough to be told.
    #[serde(rename = "g", skip_serializing_if = "Option::is_none")]
    unnamed: Option<usize>,
    /// The statements that came near.
    #[serde(rename = "n", skip_serializing_if = "Vec::is_empty")]
    near: Vec<usize>,
    /// The statements that allow the request, level by level.
    #[serde(rename = "a", skip_serializing_if = "Vec::is_empty")]
    allowed_by: Vec<(usize, usize)>,
    /// What stops the requests.
    #[serde(rename = "d", skip_serializing_if = "Vec::is_empty")]
    stops: Vec<StopData>,
    /// Why it is undecided.
    #[serde(rename = "o", skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<ObstacleData>,
    /// Why it does not apply.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    pub reason: Option<usize>,
    /// What is at fault in the account: the text of the Region, that of the fault, and the request
    /// that a policy permits.
    #[serde(rename = "f", skip_serializing_if = "Vec::is_empty")]
    faults: Vec<(usize, usize, Option<usize>)>,
    /// What the status hangs on.
    #[serde(rename = "h", skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<usize>,
}

/// What a target's own SCPs let through, and the SCPs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LevelData(pub char, pub Vec<usize>);

/// All tables.
#[derive(Debug, Default)]
pub struct Tables {
    /// Texts in which characters stand for the account.
    pub texts: Interner<String>,
    /// Context keys with values.
    pub pairs: Interner<PairData>,
    /// Requests.
    pub requests: Interner<RequestData>,
    /// Statements that came near.
    pub near: Interner<NearData>,
    /// Cells.
    pub cells: Interner<CellData>,
    /// Rows, as positions of cells.
    pub rows: Interner<Vec<usize>>,
    /// The policies that anything names.
    pub policies: Interner<PolicyIdx>,
    /// What is attached to targets.
    pub levels: Interner<LevelData>,
}

impl Tables {
    fn text(&mut self, own: &Own, text: &str) -> usize {
        self.texts.add(own.hide(text))
    }

    fn statement(&mut self, found: &StatementView) -> (usize, usize) {
        (self.policies.add(found.policy), found.statement)
    }

    /// Takes in what is attached to a target.
    pub fn level(&mut self, allows: Allows, policies: impl Iterator<Item = PolicyIdx>) -> usize {
        let letter = match allows {
            Allows::Everything => 'e',
            Allows::Part => 'p',
            Allows::Nothing => 'n',
            Allows::Unknown => 'u',
        };
        let policies = policies.map(|policy| self.policies.add(policy)).collect();
        self.levels.add(LevelData(letter, policies))
    }

    /// Takes in one verdict of an account; `cause` is the number of its cause.
    pub fn cell(
        &mut self,
        organization: &Organization,
        told: &Explanation,
        control: &ControlView,
        own: &Own,
        cause: Option<usize>,
    ) -> usize {
        let cell = &control.cell;
        let witness = cell.witness.as_ref();
        let sentence = witness.map(|(path, witness)| {
            words::sentence(organization, cell.control, path, witness).replace(words::UNBROKEN, " ")
        });
        let unnamed = witness.filter(|_| telling(&control.near, 1).is_empty()).map(|_| {
            let general = control.near.iter().filter(|near| near.covers_action()).count();
            nothing_near(told.in_force, general, "this action")
        });
        let data = CellData {
            cause,
            sentence: sentence.map(|text| self.text(own, &text)),
            request: witness.map(|(path, witness)| {
                let entry = WitnessEntry::new(witness, path);
                self.request(own, &entry)
            }),
            unnamed: unnamed.map(|text| self.text(own, &text)),
            near: control.near.iter().take(NEAR).map(|near| self.near(own, near)).collect(),
            allowed_by: control.allowed_by.iter().map(|found| self.statement(found)).collect(),
            stops: cell.decided_by.iter().map(|stop| self.stop(told, stop)).collect(),
            ..self.plain(organization, cell, own)
        };
        self.cells.add(data)
    }

    /// Takes in a verdict about what is set up in an account.
    pub fn exposed(&mut self, organization: &Organization, cell: &CellView, own: &Own) -> usize {
        let data = self.plain(organization, cell, own);
        self.cells.add(data)
    }

    /// What a verdict says that hangs on no request of the account and no statement that came near.
    fn plain(&mut self, organization: &Organization, cell: &CellView, own: &Own) -> CellData {
        let faults = cell.faults.iter().map(|fault| {
            let request = fault.request.as_deref().map(permitted);
            let request = request.map(|entry| self.request(own, &entry));
            (self.text(own, &fault.region), self.text(own, &fault.message), request)
        });
        CellData {
            status: Letter::of(cell.status),
            cause: None,
            sentence: None,
            request: None,
            unnamed: None,
            near: Vec::new(),
            allowed_by: Vec::new(),
            stops: Vec::new(),
            faults: faults.collect(),
            obstacles: cell
                .obstacles
                .iter()
                .map(|obstacle| ObstacleData {
                    text: self.text(own, &obstacle.message),
                    policy: obstacle.policy.map(|policy| self.policies.add(policy)),
                    statement: obstacle.statement.as_ref().map(|found| found.statement),
                    at: obstacle.target.map(|target| place(organization, target)),
                })
                .collect(),
            reason: cell.reason.as_deref().map(|reason| self.text(own, reason)),
            assumptions: cell.assumptions.iter().map(|text| self.text(own, text)).collect(),
        }
    }

    fn request(&mut self, own: &Own, entry: &WitnessEntry) -> usize {
        let context = entry
            .context
            .iter()
            .map(|(key, value)| {
                let value = match value {
                    ValueEntry::One(text) => PairValue::One(own.hide(text)),
                    ValueEntry::Many(texts) => {
                        PairValue::Many(texts.iter().map(|text| own.hide(text)).collect())
                    }
                };
                self.pairs.add(PairData(own.hide(key), value))
            })
            .collect();
        let data = RequestData {
            action: self.text(own, &entry.action),
            resource: self.text(own, &entry.resource),
            more: entry.additional_resources.iter().map(|text| self.text(own, text)).collect(),
            principal: self.text(own, &entry.principal_arn),
            path: self.text(own, &entry.send_path),
            context,
        };
        self.requests.add(data)
    }

    fn near(&mut self, own: &Own, near: &NearMiss) -> usize {
        let (policy, statement) = self.statement(&near.statement);
        let text = self.text(own, &parted(near));
        let open = near.open().map(|open| self.texts.add(own.hide(&open.message))).collect();
        let data = NearData(policy, statement, near.matching(), near.elements.len(), text, open);
        self.near.add(data)
    }

    fn stop(&mut self, told: &Explanation, stop: &StopView) -> StopData {
        match stop {
            StopView::Statement(found) => {
                let (policy, statement) = self.statement(found);
                StopData::Statement(policy, statement)
            }
            StopView::ImplicitDeny(target) => StopData::Level(
                told.levels.iter().position(|level| level.target == *target).unwrap_or_default(),
            ),
        }
    }
}

/// A root or unit by its position; an account, which is the one that is told of, below zero.
fn place(organization: &Organization, target: TargetIdx) -> i64 {
    match organization.account_at(target) {
        Some(_) => -1,
        None => i64::try_from(target.index()).unwrap_or(-1),
    }
}
