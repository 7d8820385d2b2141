//! What a check found: one verdict for each control and account, with what shows it.

use std::rc::Rc;

use organization::{AccountIdx, DocumentIdx, PolicyIdx, TargetIdx};
use policy::condition::Open;
use prover::Witness;

use crate::control::ControlId;
use crate::severity::Standing;

/// How a control stands for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// A request gets through.
    Failed,
    /// Nobody could say.
    Undecided,
    /// No request gets through.
    Passed,
    /// The control does not apply.
    NotApplicable,
}

impl Status {
    /// The name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::Undecided => "UNDECIDED",
            Self::Passed => "PASSED",
            Self::NotApplicable => "NOT_APPLICABLE",
        }
    }
}

/// What stops requests, wherever its document is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoppedBy {
    /// A statement of a document.
    Statement(DocumentIdx, usize),
    /// The level of this number, at which nothing allows them.
    Level(usize),
}

/// Why a control is undecided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Something open in a statement.
    Statement(DocumentIdx, usize, Open),
    /// The steps that a question may take were spent.
    Budget {
        /// The action.
        action: &'static str,
        /// The send path.
        path: &'static str,
    },
    /// Not all values of a key were looked at, where it is compared in different types.
    Incomplete {
        /// The key.
        key: String,
        /// The action.
        action: &'static str,
        /// The send path.
        path: &'static str,
    },
    /// A request that was found did not replay; a defect of this program.
    Disagreement {
        /// The action.
        action: &'static str,
        /// The send path.
        path: &'static str,
    },
    /// Something that could not be read at a target; a sentence without a stop.
    Unread(TargetIdx, Option<PolicyIdx>, String),
    /// Something that could not be read in the account, or is open there; a sentence without a
    /// stop.
    InAccount(String),
    /// Our mistake: something that cannot be was found; what, without a stop.
    Defect(&'static str),
}

impl Why {
    /// Whether what is open in a statement is told with the name of this action.
    pub(crate) fn names(&self, action: &str) -> bool {
        matches!(self, Self::Statement(_, _, open) if open.message.contains(action))
    }

    /// The same about another path that was decided together with the first.
    pub(crate) fn about(self, action: &'static str, path: &'static str) -> Self {
        match self {
            Self::Budget { .. } => Self::Budget { action, path },
            Self::Incomplete { key, .. } => Self::Incomplete { key, action, path },
            Self::Disagreement { .. } => Self::Disagreement { action, path },
            Self::Statement(..) | Self::Unread(..) | Self::InAccount(_) | Self::Defect(_) => self,
        }
    }
}

/// The result of one control for a group of accounts.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The control.
    pub control: ControlId,
    /// How it stands.
    pub verdict: Verdict,
    /// Settings and facts that the verdict hangs on.
    pub assumptions: Vec<String>,
}

impl Cell {
    /// The status of its verdict.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.verdict.status()
    }
}

/// How a control stands, with what shows it (invariant EVIDENCE).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No request gets through; what stops them.
    Passed(Vec<StoppedBy>),
    /// A request gets through.
    Failed {
        /// The send path.
        path: &'static str,
        /// The request, by a principal of the account of the group's first member.
        witness: Rc<Witness>,
    },
    /// Nobody can say; why. Made by [`Verdict::undecided`], so that it is never empty.
    Undecided(Vec<Why>),
    /// The control does not apply; why, as a sentence without a stop.
    NotApplicable(String),
    /// What is set up in the account is as it should be; why, as a sentence without a stop.
    InOrder(String),
    /// What is set up in the account lets mail past the perimeter. Made by [`Verdict::faults`],
    /// so that it is never empty.
    Faults(Vec<Fault>),
}

impl Verdict {
    /// Nobody can say, for these reasons.
    #[must_use]
    pub fn undecided(mut reasons: Vec<Why>) -> Self {
        if reasons.is_empty() {
            reasons.push(Why::Defect("a control is undecided without a reason"));
        }
        Self::Undecided(reasons)
    }

    /// These things in the account are at fault.
    #[must_use]
    pub fn faults(faults: Vec<Fault>) -> Self {
        if faults.is_empty() {
            return Self::undecided(vec![Why::Defect("a control failed without a fault")]);
        }
        Self::Faults(faults)
    }

    /// The path through which a request gets, and the request.
    #[must_use]
    pub const fn request(&self) -> Option<(&'static str, &Rc<Witness>)> {
        if let Self::Failed { path, witness } = self { Some((path, witness)) } else { None }
    }

    /// The status that results show.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Passed(_) | Self::InOrder(_) => Status::Passed,
            Self::Failed { .. } | Self::Faults(_) => Status::Failed,
            Self::Undecided(_) => Status::Undecided,
            Self::NotApplicable(_) => Status::NotApplicable,
        }
    }
}

/// One thing in an account that lets mail past the perimeter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The Region.
    pub region: String,
    /// The identity, endpoint, relay or rule; of the management account the use.
    pub subject: String,
    /// What is wrong; a sentence without a stop.
    pub message: String,
    /// Where a policy is at fault, a request that it permits, replayed.
    pub request: Option<Rc<Permitted>>,
}

/// Who makes the request that a policy lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A principal of an account.
    Aws {
        /// The account.
        account: String,
        /// `aws:PrincipalArn`.
        arn: String,
        /// The ARN of the session, where the policy names one.
        session: Option<String>,
    },
    /// A service.
    Service {
        /// Its principal name.
        name: String,
        /// The account for which it acts, where the request says so.
        account: Option<String>,
    },
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Aws { session: Some(session), .. } => f.write_str(session),
            Self::Aws { arn, session: None, .. } => f.write_str(arn),
            Self::Service { name, account: Some(account) } => {
                write!(f, "{name} acting for account {account}")
            }
            Self::Service { name, account: None } => {
                write!(f, "{name} acting for nobody in particular")
            }
        }
    }
}

/// A request that a resource-based policy permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permitted {
    /// Who makes it.
    pub by: Caller,
    /// The send path, or the action where it is no mail.
    pub path: &'static str,
    /// The request.
    pub witness: Witness,
}

/// What was found in an account itself.
#[derive(Debug, Clone)]
pub struct FoundInAccount {
    /// One cell for each control of the report about exposure, in order.
    pub cells: Vec<Cell>,
    /// How far SES is in use.
    pub standing: Standing,
}

/// The results of a check: one row for each account, shared between equal rows.
#[derive(Debug)]
pub struct Report {
    /// The controls in order.
    pub controls: Vec<ControlId>,
    /// The rows in the order of the snapshot.
    pub rows: Vec<Row>,
}

impl Report {
    /// Whether it has controls about what is set up in the accounts.
    #[must_use]
    pub fn is_about_exposure(&self) -> bool {
        self.controls.iter().any(|control| control.is_about_exposure())
    }
}

/// The number of a group of accounts whose cells are the same, within one report (invariant
/// GROUPS).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

/// The results of one account.
#[derive(Debug, Clone)]
pub struct Row {
    /// The account.
    pub account: AccountIdx,
    /// One cell for each control of the report that service control policies decide.
    pub cells: Rc<Vec<Cell>>,
    /// The account whose requests the cells show.
    pub shown: AccountIdx,
    /// The accounts that share the cells; rows of one report with the same number have the same.
    pub group: GroupId,
    /// What was found in the account itself, where somebody looked.
    pub found: Option<Rc<FoundInAccount>>,
}

impl Row {
    /// Every cell, in the order of the report's controls.
    pub fn all(&self) -> impl Iterator<Item = &Cell> {
        let mut cells = self.cells.iter().peekable();
        let mut found = self.found.iter().flat_map(|found| &found.cells).peekable();
        std::iter::from_fn(move || match (cells.peek(), found.peek()) {
            (Some(cell), Some(other)) if cell.control > other.control => found.next(),
            (Some(_), _) => cells.next(),
            (None, _) => found.next(),
        })
    }
}

/// Whether mail to trusted recipients gets past the SCPs of an account.
#[derive(Debug, Clone)]
pub enum Mail {
    /// This request does, by an account of the same group.
    Permitted(Rc<Witness>),
    /// None does.
    Stopped,
    /// Nobody could say.
    Undecided,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_without_what_shows_it_is_our_mistake() {
        for verdict in [Verdict::undecided(Vec::new()), Verdict::faults(Vec::new())] {
            assert_eq!(verdict.status(), Status::Undecided);
            assert!(matches!(verdict, Verdict::Undecided(why) if matches!(*why, [Why::Defect(_)])));
        }
    }
}
