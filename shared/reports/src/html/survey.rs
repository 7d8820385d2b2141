//! One walk through the results: tables for the data block, and the causes of failures.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use findings::causes::{parted, telling};
use findings::names::Names;
use findings::results::WitnessEntry;
use findings::words;
use organization::{AccountIdx, PolicyIdx, TargetIdx};
use ses_perimeter::check::own_witness;
use ses_perimeter::control::ControlId;
use ses_perimeter::explain::{ControlView, Explanation, explain};
use ses_perimeter::report::{GroupId, Row, Verdict};
use ses_perimeter::view::view;

use super::cells::{CellData, Own, Tables};
use crate::checked::Checked;

/// Statements that a verdict tells as its cause.
const TOLD: usize = 2;

/// The results in the shape of the report.
pub struct Survey<'a> {
    /// What things are called.
    pub names: Names<'a>,
    /// The tables.
    pub tables: Tables,
    /// The cells; as in the tables, with the final numbers of causes.
    pub cells: Vec<CellData>,
    /// The accounts in the order of the report.
    pub members: Vec<Member>,
    /// What is attached to each root or unit on some path.
    pub levels: BTreeMap<TargetIdx, usize>,
    /// The causes: those first that let mail out, then those with the most verdicts.
    pub causes: Vec<Cause>,
}

/// An account of the report.
pub struct Member {
    /// The account.
    pub account: AccountIdx,
    /// The position of its row.
    pub row: usize,
    /// What is attached to it.
    pub level: usize,
}

/// Why requests get through: the same policy in the same way, for some accounts and controls.
pub struct Cause {
    /// The statements that came near; empty where none did.
    pub lines: Vec<Line>,
    /// Whether statements about the actions of every service did not match either.
    pub general: bool,
    /// The accounts in the order of the report.
    pub accounts: Vec<AccountIdx>,
    /// For each control how many accounts fail it.
    pub controls: BTreeMap<ControlId, usize>,
    /// One request that gets through.
    pub witness: Option<CauseWitness>,
}

/// Statements of a policy that part from the requests in the same way.
pub struct Line {
    /// The policy.
    pub policy: PolicyIdx,
    /// The statements, with their `Sid`.
    pub statements: BTreeSet<(usize, Option<String>)>,
    /// Where they part; a sentence part without a stop.
    pub why: String,
    /// The same without what is the account's own.
    hidden: String,
}

/// The request that a cause shows.
pub struct CauseWitness {
    /// Whose it is.
    pub account: AccountIdx,
    /// The control that it fails.
    pub control: ControlId,
    /// Two sentences with stops.
    pub sentence: String,
    /// The request.
    pub entry: WitnessEntry,
}

impl Cause {
    /// Whether it lets mail out of the trusted domains.
    pub fn lets_mail_out(&self) -> bool {
        self.controls.keys().any(|control| control.entry().about_mail)
    }

    /// How many verdicts it is behind.
    pub fn verdicts(&self) -> usize {
        self.controls.values().sum()
    }
}

/// The nearest policy and where it parts; nothing where no statement came near.
type CauseKey = Option<(PolicyIdx, String)>;
/// Accounts with the same cells below the same target and with the same SCPs of their own differ
/// in nothing but what is hidden.
type Shared = (GroupId, Option<TargetIdx>, Vec<PolicyIdx>);

/// What is known of accounts that differ in nothing.
#[derive(Clone)]
struct Known {
    /// The cells that service control policies decide.
    cells: Vec<(ControlId, usize)>,
    level: usize,
    failed: Vec<(ControlId, usize)>,
}

struct Surveyor<'c, 'a> {
    checked: &'c Checked<'a>,
    tables: Tables,
    levels: BTreeMap<TargetIdx, usize>,
    causes: Vec<Cause>,
    by_key: BTreeMap<CauseKey, usize>,
}

impl<'a> Survey<'a> {
    /// Walks through the results of `checked`.
    pub fn of(checked: &Checked<'a>) -> Self {
        let organization = checked.organization;
        let mut surveyor = Surveyor {
            checked,
            tables: Tables::default(),
            levels: BTreeMap::new(),
            causes: Vec::new(),
            by_key: BTreeMap::new(),
        };
        let mut members = Vec::with_capacity(checked.report.rows.len());
        let mut all: BTreeMap<Shared, Known> = BTreeMap::new();
        for row in &checked.report.rows {
            let own = organization.target_of(row.account);
            let scps = organization.scps_on(own).iter().map(|scp| scp.policy).collect();
            let key = (row.group, organization.parent(own), scps);
            let mut known = match all.get(&key).filter(|_| surveyor.replays(row)) {
                Some(known) => known.clone(),
                None => {
                    let known = surveyor.take_in(row);
                    all.entry(key).or_insert(known).clone()
                }
            };
            known.cells.extend(surveyor.exposed(row));
            known.cells.sort_unstable();
            let cells = known.cells.into_iter().map(|(_, cell)| cell).collect();
            let cells = surveyor.tables.rows.add(cells);
            for (control, cause) in &known.failed {
                if let Some(cause) = surveyor.causes.get_mut(*cause) {
                    *cause.controls.entry(*control).or_default() += 1;
                    if cause.accounts.last() != Some(&row.account) {
                        cause.accounts.push(row.account);
                    }
                }
            }
            members.push(Member { account: row.account, row: cells, level: known.level });
        }
        surveyor.finish(members)
    }

    /// The cells of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = &CellData> {
        let cells = self.tables.rows.list().get(row).map(Vec::as_slice).unwrap_or_default();
        cells.iter().filter_map(|cell| self.cells.get(*cell))
    }

    /// The text at a position in the words of `account`.
    pub fn text(&self, checked: &Checked<'_>, account: AccountIdx, text: usize) -> String {
        let hidden = self.tables.texts.list().get(text).map(String::as_str).unwrap_or_default();
        Own::of(checked.organization, account).show(hidden)
    }
}

impl<'a> Surveyor<'_, 'a> {
    /// Whether the requests of the row's cells get past the account's own stack.
    fn replays(&self, row: &Row) -> bool {
        let Checked { organization, catalog, .. } = self.checked;
        row.cells.iter().all(|cell| match &cell.verdict {
            Verdict::Failed { witness, .. } => {
                own_witness(organization, row, witness, catalog).is_some()
            }
            Verdict::Passed(_)
            | Verdict::Undecided(_)
            | Verdict::NotApplicable(_)
            | Verdict::InOrder(_)
            | Verdict::Faults(_) => true,
        })
    }

    fn take_in(&mut self, row: &Row) -> Known {
        let organization = self.checked.organization;
        let told = explain(organization, self.checked.catalog, row);
        let own = Own::of(organization, row.account);
        let mut own_level = 0;
        for level in &told.levels {
            let policies = level.scps.iter().map(|scp| scp.policy);
            let position = self.tables.level(level.allows, policies);
            if organization.account_at(level.target).is_some() {
                own_level = position;
            } else {
                self.levels.insert(level.target, position);
            }
        }
        let mut failed = Vec::new();
        let cells = told
            .controls
            .iter()
            .filter(|control| !control.cell.control.is_about_exposure())
            .map(|control| {
                let cause = self.cause(&told, control, &own);
                failed.extend(cause.map(|cause| (control.cell.control, cause)));
                let cell = self.tables.cell(organization, &told, control, &own, cause);
                (control.cell.control, cell)
            })
            .collect();
        Known { cells, level: own_level, failed }
    }

    /// The cells about what is set up in the account.
    fn exposed(&mut self, row: &Row) -> Vec<(ControlId, usize)> {
        let Some(found) = &row.found else { return Vec::new() };
        let Checked { organization, catalog, .. } = self.checked;
        let own = Own::of(organization, row.account);
        let views = found.cells.iter().map(|cell| view(organization, catalog, row, cell));
        views.map(|cell| (cell.control, self.tables.exposed(organization, &cell, &own))).collect()
    }

    /// The cause of a failed control; accounts are counted by the caller.
    fn cause(&mut self, told: &Explanation, control: &ControlView, own: &Own) -> Option<usize> {
        let (path, witness) = control.cell.witness.as_ref()?;
        let nearest = telling(&control.near, TOLD);
        let first = nearest.first();
        let key = first.map(|near| (near.statement.policy, own.hide(&parted(near))));
        let position = *self.by_key.entry(key).or_insert_with(|| {
            let sentence =
                words::sentence(self.checked.organization, control.cell.control, path, witness);
            self.causes.push(Cause {
                lines: Vec::new(),
                general: false,
                accounts: Vec::new(),
                controls: BTreeMap::new(),
                witness: Some(CauseWitness {
                    account: told.account,
                    control: control.cell.control,
                    sentence: sentence.replace(words::UNBROKEN, " "),
                    entry: WitnessEntry::new(witness, path),
                }),
            });
            self.causes.len() - 1
        });
        let cause = self.causes.get_mut(position)?;
        if nearest.is_empty() {
            cause.general |= control.near.iter().any(|near| near.covers_action());
        }
        for near in nearest {
            let (policy, why) = (near.statement.policy, parted(near));
            let hidden = own.hide(&why);
            let statement = (near.statement.statement, near.statement.sid.clone());
            match cause.lines.iter_mut().find(|l| l.policy == policy && l.hidden == hidden) {
                Some(line) => {
                    line.statements.insert(statement);
                }
                None => cause.lines.push(Line {
                    policy,
                    statements: BTreeSet::from([statement]),
                    why,
                    hidden,
                }),
            }
        }
        Some(position)
    }

    /// Puts the causes in order.
    fn finish(self, members: Vec<Member>) -> Survey<'a> {
        let mut order: Vec<(usize, Cause)> = self.causes.into_iter().enumerate().collect();
        order.sort_by_key(|(position, cause)| {
            (!cause.lets_mail_out(), Reverse(cause.verdicts()), *position)
        });
        let number: BTreeMap<usize, usize> =
            order.iter().enumerate().map(|(number, (position, _))| (*position, number)).collect();
        let mut cells = self.tables.cells.list().to_vec();
        for cell in &mut cells {
            cell.cause = cell.cause.and_then(|cause| number.get(&cause).copied());
        }
        Survey {
            names: Names::new(self.checked.organization),
            tables: self.tables,
            cells,
            members,
            levels: self.levels,
            causes: order.into_iter().map(|(_, cause)| cause).collect(),
        }
    }
}
