//! Verdicts by why they are what they are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use findings::asff::obstacle;
use findings::results::{ResultEntry, StatusEntry, Summary};
use organization::AccountIdx;
use ses_perimeter::control::ControlId;
use ses_perimeter::view::StatementView;

use crate::cells::maker;
use crate::checked::Checked;

/// What an account is called where others have the same.
const OWN: &str = "the account";
/// Stands for the account's digits in the text of a request.
const DIGITS: &str = "\0";

/// What a comment tells, in the order in which it tells it.
#[derive(Default)]
pub struct Story {
    /// Causes of failures, those of most verdicts first.
    pub causes: Vec<Cause>,
    /// Reasons for undecided verdicts, those of most verdicts first.
    pub reasons: Vec<Reason>,
    /// How the cells of each control stand.
    pub counts: BTreeMap<ControlId, Summary>,
    /// Accounts that fail a control about mail to untrusted recipients.
    pub mailing: BTreeSet<AccountIdx>,
    /// Accounts that fail some control.
    pub failing: BTreeSet<AccountIdx>,
    /// Accounts that are undecided for some control.
    pub open: BTreeSet<AccountIdx>,
    /// Verdicts that hang on an assumption.
    pub assuming: usize,
}

/// Why nothing stops requests.
pub struct Cause {
    /// A sentence without a stop.
    pub text: String,
    /// The accounts, each in one group.
    pub groups: Vec<Group>,
}

/// Accounts that fail the same controls for the same cause.
pub struct Group {
    /// The accounts, in the order of the report.
    pub accounts: Vec<AccountIdx>,
    /// The controls, each with a request of the first account.
    pub requests: BTreeMap<ControlId, String>,
}

/// Why verdicts are undecided.
pub struct Reason {
    /// A sentence without a stop.
    pub text: String,
    /// The controls.
    pub controls: BTreeSet<ControlId>,
    /// The accounts.
    pub accounts: BTreeSet<AccountIdx>,
}

/// The controls that an account fails for one cause, with its requests.
type Failures = BTreeMap<AccountIdx, BTreeMap<ControlId, usize>>;

impl Story {
    /// Looks at every verdict once.
    pub fn of(checked: &Checked<'_>) -> Self {
        let mut story = Self::default();
        let mut causes: BTreeMap<String, Failures> = BTreeMap::new();
        let mut reasons: BTreeMap<String, Reason> = BTreeMap::new();
        let mut requests = Requests::default();
        let mut maker = maker(checked);
        for row in &checked.report.rows {
            let account = row.account;
            for cell in row.all() {
                let entry = maker.entry(row, cell);
                story.counts.entry(cell.control).or_default().count(entry.status.into());
                story.assuming += usize::from(!entry.assumptions.is_empty());
                match entry.status {
                    StatusEntry::Failed => {
                        story.failing.insert(account);
                        if cell.control.entry().about_mail {
                            story.mailing.insert(account);
                        }
                        let why = if cell.control.is_about_exposure() {
                            SET_UP.to_owned()
                        } else {
                            let near = maker.statements(row, cell);
                            cause(checked, account, &entry, &near)
                        };
                        let failures = causes.entry(why);
                        failures
                            .or_default()
                            .entry(account)
                            .or_default()
                            .insert(cell.control, requests.number(&entry));
                    }
                    StatusEntry::Undecided => {
                        story.open.insert(account);
                        for found in &entry.obstacles {
                            let text = obstacle(found).replace(&entry.account_id, OWN);
                            let reason = reasons.entry(text.clone()).or_insert_with(|| Reason {
                                text,
                                controls: BTreeSet::new(),
                                accounts: BTreeSet::new(),
                            });
                            reason.controls.insert(cell.control);
                            reason.accounts.insert(account);
                        }
                    }
                    StatusEntry::Passed | StatusEntry::NotApplicable => {}
                }
            }
        }
        story.causes =
            causes.into_iter().map(|(text, all)| requests.cause(checked, text, all)).collect();
        story.causes.sort_by_key(|cause| Reverse(cause.verdicts()));
        story.reasons = reasons.into_values().collect();
        story.reasons.sort_by_key(|r| Reverse(r.accounts.len() * r.controls.len()));
        story
    }
}

impl Cause {
    fn verdicts(&self) -> usize {
        self.groups.iter().map(|group| group.accounts.len() * group.requests.len()).sum()
    }
}

/// The cause of what no service control policy decides.
const SET_UP: &str = "what is set up in the accounts";

/// The cause of a failure, the same for accounts that have the same SCP of their own.
fn cause(
    checked: &Checked<'_>,
    account: AccountIdx,
    entry: &ResultEntry,
    near: &[StatementView],
) -> String {
    let text = entry.cause.as_deref().unwrap_or_default().replace(&entry.account_id, OWN);
    let own = checked.organization.target_of(account);
    if near.iter().any(|statement| statement.target == own) {
        text.replace(&format!(" at {}: ", entry.account_name), &format!(" at {OWN}: "))
    } else {
        text
    }
}

/// The texts of requests, each once: most accounts differ in their digits alone, for which
/// [`DIGITS`] stands.
#[derive(Default)]
struct Requests {
    numbers: BTreeMap<String, usize>,
    texts: Vec<String>,
}

impl Requests {
    fn number(&mut self, entry: &ResultEntry) -> usize {
        let text = entry.witness_text.as_deref().unwrap_or_default();
        let next = self.texts.len();
        let text = text.replace(&entry.account_id, DIGITS);
        *self.numbers.entry(text).or_insert_with_key(|text| {
            self.texts.push(text.clone());
            next
        })
    }

    /// The request with this number as `account` makes it.
    fn text(&self, checked: &Checked<'_>, number: usize, account: AccountIdx) -> String {
        let text = self.texts.get(number).map(String::as_str).unwrap_or_default();
        match checked.organization.account(account) {
            Some(found) => text.replace(DIGITS, &found.id.to_string()),
            None => text.to_owned(),
        }
    }

    fn cause(&self, checked: &Checked<'_>, text: String, all: Failures) -> Cause {
        let mut by_controls: BTreeMap<Vec<ControlId>, Group> = BTreeMap::new();
        for (account, failures) in all {
            let controls = failures.keys().copied().collect();
            let group = by_controls.entry(controls).or_insert_with(|| Group {
                accounts: Vec::new(),
                requests: failures
                    .iter()
                    .map(|(control, number)| (*control, self.text(checked, *number, account)))
                    .collect(),
            });
            group.accounts.push(account);
        }
        let mut groups: Vec<Group> = by_controls.into_values().collect();
        groups.sort_by_key(|group| {
            (Reverse(group.accounts.len() * group.requests.len()), group.accounts.first().copied())
        });
        Cause { text, groups }
    }
}
