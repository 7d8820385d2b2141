//! Verdicts by why they are what they are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use findings::asff::obstacle;
use findings::names::Names;
use findings::results::{ResultBuilder, Summary};
use organization::AccountIdx;
use ses_perimeter::control::ControlId;
use ses_perimeter::report::{Row, Status};
use ses_perimeter::view::view;

use crate::cells::maker;
use crate::checked::Checked;
use crate::own::called;
use crate::story::Failure;

/// What an account is called where others have the same.
const OWN: &str = "the account";
/// The same for the value of `aws:PrincipalOrgPaths`.
const OWN_PATH: &str = "the account's path";

/// What a comment tells, in the order in which it tells it.
#[derive(Default)]
pub struct Story {
    /// Causes of failures, those of most verdicts first.
    pub causes: Vec<CauseEntry>,
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
pub struct CauseEntry {
    /// A sentence without a stop.
    pub text: String,
    /// The accounts, each in one group.
    pub groups: Vec<CauseGroup>,
}

/// Accounts that fail the same controls for the same cause.
pub struct CauseGroup {
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

/// The controls that each account fails for one cause.
type Failing = BTreeMap<AccountIdx, BTreeSet<ControlId>>;

impl Story {
    /// Looks at every verdict once.
    pub fn of(checked: &Checked<'_>) -> Self {
        let Checked { organization, catalog, report, .. } = *checked;
        let mut story = Self::default();
        let mut causes: BTreeMap<String, Failing> = BTreeMap::new();
        let mut reasons: BTreeMap<String, Reason> = BTreeMap::new();
        let mut maker = maker(checked);
        for row in &report.rows {
            let account = row.account;
            for cell in row.all() {
                let seen = view(organization, catalog, row, cell);
                story.counts.entry(cell.control).or_default().count(seen.status);
                story.assuming += usize::from(!seen.assumptions.is_empty());
                match seen.status {
                    Status::Failed => {
                        story.failing.insert(account);
                        if cell.control.entry().about_mail {
                            story.mailing.insert(account);
                        }
                        if cell.control.is_about_exposure() {
                            let failing = causes.entry(SET_UP.to_owned()).or_default();
                            failing.entry(account).or_default().insert(cell.control);
                        }
                    }
                    Status::Undecided => {
                        story.open.insert(account);
                        let entry = maker.entry(row, cell);
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
                    Status::Passed | Status::NotApplicable => {}
                }
            }
        }
        let names = Names::new(organization);
        for failure in crate::story::Story::of(organization, catalog, report).failures {
            let failing = causes.entry(cause(checked, &names, &failure)).or_default();
            for account in failure.accounts {
                failing.entry(account).or_default().insert(failure.control);
            }
        }
        let rows = report.rows.iter().map(|row| (row.account, row)).collect();
        let told =
            |(text, failing)| CauseEntry { text, groups: groups(&rows, &mut maker, failing) };
        story.causes = causes.into_iter().map(told).collect();
        story.causes.sort_by_key(|cause| Reverse(cause.verdicts()));
        story.reasons = reasons.into_values().collect();
        story.reasons.sort_by_key(|r| Reverse(r.accounts.len() * r.controls.len()));
        story
    }
}

impl CauseEntry {
    fn verdicts(&self) -> usize {
        self.groups.iter().map(|group| group.accounts.len() * group.requests.len()).sum()
    }
}

/// The cause of what no service control policy decides.
const SET_UP: &str = "what is set up in the accounts";

/// The cause of failures in the words of no account.
fn cause(checked: &Checked<'_>, names: &Names<'_>, failure: &Failure) -> String {
    if failure.partings.is_empty() {
        return failure.cause.text(checked.organization.scp_enabled, names);
    }
    let parts = failure.partings.iter().zip(&failure.cause.near).map(|(parting, near)| {
        let statement = match parting.target {
            Some(_) => names.brief(&near.statement),
            None => names.brief_at(&near.statement, OWN),
        };
        format!("{statement}: {}", called(&parting.why, OWN, OWN_PATH))
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// Accounts that fail the same controls together, with the requests of the first of them.
fn groups(
    rows: &BTreeMap<AccountIdx, &Row>,
    maker: &mut ResultBuilder<'_>,
    failing: Failing,
) -> Vec<CauseGroup> {
    let mut by_controls: BTreeMap<BTreeSet<ControlId>, Vec<AccountIdx>> = BTreeMap::new();
    for (account, controls) in failing {
        by_controls.entry(controls).or_default().push(account);
    }
    let mut requests = |account: &AccountIdx, controls: &BTreeSet<ControlId>| {
        let cells =
            rows.get(account).into_iter().flat_map(|row| row.all().map(move |it| (row, it)));
        cells
            .filter(|(_, cell)| controls.contains(&cell.control))
            .map(|(row, cell)| {
                (cell.control, maker.entry(row, cell).witness_text.unwrap_or_default())
            })
            .collect()
    };
    let group = |(controls, accounts): (BTreeSet<ControlId>, Vec<AccountIdx>)| CauseGroup {
        requests: accounts.first().map(|first| requests(first, &controls)).unwrap_or_default(),
        accounts,
    };
    let mut groups: Vec<CauseGroup> = by_controls.into_iter().map(group).collect();
    groups.sort_by_key(|group| {
        (Reverse(group.accounts.len() * group.requests.len()), group.accounts.first().copied())
    });
    groups
}
