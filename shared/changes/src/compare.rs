//! Two checks side by side: which verdicts differ, and which mail.

use std::collections::BTreeMap;
use std::rc::Rc;

use organization::{AccountId, AccountIdx, AttachedScp, Document, LevelRef, Organization};
use prover::Witness;
use ses_perimeter::check::{Checker, Now, Options};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::{Mail, Report, Row, Status};

/// Which way a verdict went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// More gets through, or nobody can say any more.
    Worse,
    /// Neither: an account that is new or gone, or nobody can say any more whether a request that
    /// got through still does.
    Other,
    /// Less gets through for certain.
    Better,
}

/// A verdict that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellChange {
    /// The account.
    pub account: AccountId,
    /// The control.
    pub control: ControlId,
    /// Before; none where the account was not there.
    pub before: Option<Status>,
    /// After; none where the account is not there.
    pub after: Option<Status>,
    /// Which way it went.
    pub direction: Direction,
}

/// The verdicts that differ, by account in the order of the second organization, then by control.
#[must_use]
pub fn changes(before: Side<'_>, after: Side<'_>) -> Vec<CellChange> {
    let old = before.by_account();
    let new = after.by_account();
    let mut changes = Vec::new();
    let mut compare = |account: AccountId, before: Option<&Row>, after: Option<&Row>| {
        let statuses = |row: Option<&Row>| -> BTreeMap<ControlId, Status> {
            let cells = row.into_iter().flat_map(|row| row.cells.iter());
            cells.map(|cell| (cell.control, cell.status())).collect()
        };
        // Rows of equal accounts share their cells.
        if let (Some(one), Some(other)) = (before, after)
            && Rc::ptr_eq(&one.cells, &other.cells)
        {
            return;
        }
        let (before, after) = (statuses(before), statuses(after));
        let controls: std::collections::BTreeSet<ControlId> =
            before.keys().chain(after.keys()).copied().collect();
        for control in controls {
            let (before, after) = (before.get(&control).copied(), after.get(&control).copied());
            if before != after {
                let direction = direction(before, after);
                changes.push(CellChange { account, control, before, after, direction });
            }
        }
    };
    for (_, account) in after.organization.accounts() {
        let row = new.get(&account.id).copied();
        if row.is_some() {
            compare(account.id, old.get(&account.id).copied(), row);
        }
    }
    for (_, account) in before.organization.accounts() {
        let row = old.get(&account.id).copied();
        if row.is_some() && !new.contains_key(&account.id) {
            compare(account.id, row, None);
        }
    }
    changes
}

/// Judges new accounts by what their place is like without the change: a verdict of theirs gets
/// worse only where an account that stood there already would have had a better one.
///
/// `places` is the organization before with nothing but the new units and accounts put into it.
pub fn judge_new(changes: &mut [CellChange], places: Side<'_>) {
    let rows = places.by_account();
    for change in changes.iter_mut().filter(|change| change.before.is_none()) {
        let row = rows.get(&change.account);
        let mut cells = row.into_iter().flat_map(|row| row.cells.iter());
        let Some(cell) = cells.find(|cell| cell.control == change.control) else { continue };
        change.direction = match direction(Some(cell.status()), change.after) {
            Direction::Worse => Direction::Worse,
            Direction::Other | Direction::Better => Direction::Other,
        };
    }
}

/// An organization with its verdicts.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The organization.
    pub organization: &'a Organization,
    /// Its verdicts.
    pub report: &'a Report,
}

impl<'a> Side<'a> {
    /// The rows by account.
    #[must_use]
    pub fn by_account(self) -> BTreeMap<AccountId, &'a Row> {
        let rows = self.report.rows.iter();
        rows.filter_map(|row| Some((self.organization.account(row.account)?.id, row))).collect()
    }
}

fn direction(before: Option<Status>, after: Option<Status>) -> Direction {
    let badness = |status: Status| match status {
        Status::Failed => 2,
        Status::Undecided => 1,
        Status::Passed | Status::NotApplicable => 0,
    };
    match (before, after) {
        (Some(Status::Failed), Some(Status::Undecided)) => Direction::Other,
        (Some(before), Some(after)) if badness(after) > badness(before) => Direction::Worse,
        (Some(before), Some(after)) if badness(after) < badness(before) => Direction::Better,
        (None, Some(after)) if badness(after) > 0 => Direction::Worse,
        (None | Some(_), None | Some(_)) => Direction::Other,
    }
}

/// Mail to trusted recipients that an account loses.
#[derive(Debug, Clone)]
pub struct MailLoss {
    /// The account.
    pub account: AccountId,
    /// The send paths, each with a request that was permitted before.
    pub paths: Vec<(&'static str, Rc<Witness>)>,
}

/// The accounts of both organizations whose ordinary principals could mail trusted recipients
/// before and certainly cannot after.
///
/// Accounts to which no control applies before or after are left out.
#[must_use]
pub fn lost_mail(
    before: &Organization,
    after: &Organization,
    perimeter: &Perimeter,
    now: Now,
    budget: u64,
) -> Vec<MailLoss> {
    let options = Options { budget, ..Options::default() };
    let mut old = Checker::new(before, perimeter, now, &options);
    let mut new = Checker::new(after, perimeter, now, &options);
    let mut losses = Vec::new();
    for (index, account) in after.accounts() {
        let Some(had) = before.find_account(account.id) else { continue };
        if same_levels(before, had, after, index) {
            continue;
        }
        let (Some(had), Some(has)) = (old.mail(had), new.mail(index)) else { continue };
        let paths: Vec<(&'static str, Rc<Witness>)> = had
            .iter()
            .zip(has.iter())
            .filter_map(|((name, had), (_, has))| match (had, has) {
                (Mail::Permitted(witness), Mail::Stopped) => Some((*name, Rc::clone(witness))),
                // Where nobody can say, an UNDECIDED verdict says why.
                (
                    Mail::Permitted(_) | Mail::Stopped | Mail::Undecided,
                    Mail::Permitted(_) | Mail::Stopped | Mail::Undecided,
                ) => None,
            })
            .collect();
        if !paths.is_empty() {
            losses.push(MailLoss { account: account.id, paths });
        }
    }
    losses
}

/// Whether an account meets the same documents on the same path in both organizations.
fn same_levels(
    before: &Organization,
    old: AccountIdx,
    after: &Organization,
    new: AccountIdx,
) -> bool {
    let same_text = |a: &AttachedScp, b: &AttachedScp| {
        let (a, b) = (before.document(a.document), after.document(b.document));
        a.and_then(Document::text) == b.and_then(Document::text)
    };
    let (one, other) = (before.levels(old), after.levels(new));
    let alike = |(one, other): (&LevelRef<'_>, &LevelRef<'_>)| {
        before.target_ref(one.target).id == after.target_ref(other.target).id
            && one.scps.len() == other.scps.len()
            && one.scps.iter().zip(other.scps).all(|(a, b)| same_text(a, b))
    };
    before.scp_enabled == after.scp_enabled
        && one.len() == other.len()
        && one.iter().zip(&other).all(alike)
}
