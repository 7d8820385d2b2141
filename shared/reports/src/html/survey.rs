//! One walk through the results: tables for the data block, and the causes of failures.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use findings::causes::parted;
use findings::names::Names;
use findings::results::WitnessEntry;
use organization::{AccountIdx, PolicyIdx, TargetIdx};
use ses_perimeter::check::own_witness;
use ses_perimeter::control::ControlId;
use ses_perimeter::explain::explain;
use ses_perimeter::report::{Row, Verdict};
use ses_perimeter::view::view;

use super::cells::{CellData, Tables};
use crate::checked::Checked;
use crate::own::Own;
use crate::story::{Alike, Story};

/// The results in the shape of the report.
pub struct Survey<'a> {
    /// What things are called.
    pub names: Names<'a>,
    /// The tables.
    pub tables: Tables,
    /// The cells; as in the tables, with the final numbers of causes.
    pub cells: Vec<CellData>,
    /// The accounts in the order of the report.
    pub members: Vec<SurveyedAccount>,
    /// What is attached to each root or unit on some path.
    pub levels: BTreeMap<TargetIdx, usize>,
    /// The causes: those first that let mail out, then those with the most verdicts.
    pub causes: Vec<CauseLines>,
}

/// An account of the report.
pub struct SurveyedAccount {
    /// The account.
    pub account: AccountIdx,
    /// The position of its row.
    pub row: usize,
    /// What is attached to it.
    pub level: usize,
}

/// Why requests get through: the same policy in the same way, for some accounts and controls.
pub struct CauseLines {
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

impl CauseLines {
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
type CauseKey<'s> = Option<(PolicyIdx, &'s str)>;
/// What is known of accounts that differ in nothing.
#[derive(Clone)]
struct SharedDetails {
    /// The cells that service control policies decide.
    cells: Vec<(ControlId, usize)>,
    level: usize,
}

struct Surveyor<'c, 'a> {
    checked: &'c Checked<'a>,
    tables: Tables,
    levels: BTreeMap<TargetIdx, usize>,
    story: Story,
    /// For each failure of the story its cause.
    cause_of: Vec<usize>,
}

impl<'a> Survey<'a> {
    /// Walks through the results of `checked`.
    pub fn of(checked: &Checked<'a>) -> Self {
        let organization = checked.organization;
        let story = Story::of(organization, checked.catalog, checked.report);
        let (causes, cause_of) = causes(&story);
        let (tables, levels) = (Tables::default(), BTreeMap::new());
        let mut surveyor = Surveyor { checked, tables, levels, story, cause_of };
        let mut members = Vec::with_capacity(checked.report.rows.len());
        let mut all: BTreeMap<Alike, SharedDetails> = BTreeMap::new();
        for row in &checked.report.rows {
            let key = Alike::of(organization, row);
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
            members.push(SurveyedAccount { account: row.account, row: cells, level: known.level });
        }
        surveyor.finish(causes, members)
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

    fn take_in(&mut self, row: &Row) -> SharedDetails {
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
        let cells = told
            .controls
            .iter()
            .filter(|control| !control.cell.control.is_about_exposure())
            .map(|control| {
                let failed = control.cell.witness.as_ref();
                let failure =
                    failed.and_then(|_| self.story.position(row.account, control.cell.control));
                let cause = failure.and_then(|failure| self.cause_of.get(failure).copied());
                let cell = self.tables.cell(organization, &told, control, &own, cause);
                (control.cell.control, cell)
            })
            .collect();
        SharedDetails { cells, level: own_level }
    }

    /// The cells about what is set up in the account.
    fn exposed(&mut self, row: &Row) -> Vec<(ControlId, usize)> {
        let Some(found) = &row.found else { return Vec::new() };
        let Checked { organization, catalog, .. } = self.checked;
        let own = Own::of(organization, row.account);
        let views = found.cells.iter().map(|cell| view(organization, catalog, row, cell));
        views.map(|cell| (cell.control, self.tables.exposed(organization, &cell, &own))).collect()
    }

    /// Puts the causes in order.
    fn finish(self, causes: Vec<CauseLines>, members: Vec<SurveyedAccount>) -> Survey<'a> {
        let mut order: Vec<(usize, CauseLines)> = causes.into_iter().enumerate().collect();
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

/// The failures whose nearest statements are of one policy and part from the requests in one way
/// are one cause; with it the cause of each failure.
fn causes(story: &Story) -> (Vec<CauseLines>, Vec<usize>) {
    let mut by_key: BTreeMap<CauseKey<'_>, usize> = BTreeMap::new();
    let mut causes: Vec<(CauseLines, BTreeSet<AccountIdx>)> = Vec::new();
    let mut cause_of = Vec::with_capacity(story.failures.len());
    for failure in &story.failures {
        let key = failure.partings.first().map(|first| (first.policy, first.why.as_str()));
        let position = *by_key.entry(key).or_insert_with(|| {
            let witness = failure.accounts.first().map(|account| CauseWitness {
                account: *account,
                control: failure.control,
                sentence: failure.request.sentence.clone(),
                entry: failure.request.entry.clone(),
            });
            let (lines, accounts, controls) = Default::default();
            let cause = CauseLines { lines, general: false, accounts, controls, witness };
            causes.push((cause, BTreeSet::new()));
            causes.len() - 1
        });
        cause_of.push(position);
        let Some((cause, accounts)) = causes.get_mut(position) else { continue };
        cause.general |= failure.cause.general > 0;
        *cause.controls.entry(failure.control).or_default() += failure.accounts.len();
        accounts.extend(&failure.accounts);
        for (parting, near) in failure.partings.iter().zip(&failure.cause.near) {
            let statement = (parting.statement, near.statement.sid.clone());
            let same = |l: &&mut Line| l.policy == parting.policy && l.hidden == parting.why;
            match cause.lines.iter_mut().find(same) {
                Some(line) => {
                    line.statements.insert(statement);
                }
                None => cause.lines.push(Line {
                    policy: parting.policy,
                    statements: BTreeSet::from([statement]),
                    why: parted(near),
                    hidden: parting.why.clone(),
                }),
            }
        }
    }
    let complete = |(cause, accounts): (CauseLines, BTreeSet<AccountIdx>)| CauseLines {
        accounts: accounts.into_iter().collect(),
        ..cause
    };
    (causes.into_iter().map(complete).collect(), cause_of)
}
