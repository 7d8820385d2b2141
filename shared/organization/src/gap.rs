//! What could not be read while a snapshot was taken, and whom that touches.

use std::fmt;

use crate::policies::PolicyIdx;
use crate::tree::TargetIdx;

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The id of the target that was asked about, as the snapshot has it.
    pub target: Option<Box<str>>,
    /// The id of the policy that was asked about, as the snapshot has it.
    pub policy: Option<Box<str>>,
    /// The call that failed, for instance `DescribePolicy`.
    pub operation: Option<Box<str>>,
    /// Why it failed.
    pub reason: Box<str>,
    /// Whom it touches.
    pub reach: Reach,
}

/// Whom a [`Gap`] touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every account.
    Everything(Breadth),
    /// The accounts below one target, or with one policy on their path, or both.
    Some {
        /// Everything from this target down.
        under: Option<TargetIdx>,
        /// Every account with this policy on its path.
        with: Option<PolicyIdx>,
    },
}

/// Why a [`Gap`] touches every account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// It names neither a target nor a policy.
    Unnamed,
    /// Its target is not in the snapshot.
    UnknownTarget,
    /// Its policy is not in the snapshot.
    UnknownPolicy,
    /// It is about where a policy is attached, which may be anywhere.
    UnknownAttachments,
}

/// The call that reads a policy's content; a gap in it leaves the attachments known.
const CONTENT_CALL: &str = "DescribePolicy";

/// How the id in a gap was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Located<T> {
    /// The gap has no such id.
    Absent,
    /// The id is not in the snapshot.
    Unknown,
    /// It is.
    At(T),
}

impl<T> Located<T> {
    fn of(id: Option<&str>, find: impl FnOnce(&str) -> Option<T>) -> Self {
        id.map_or(Self::Absent, |id| find(id).map_or(Self::Unknown, Self::At))
    }
}

impl Gap {
    /// Finds out whom it touches, by where its ids are found.
    pub(crate) fn place(
        &mut self,
        find_target: impl FnOnce(&str) -> Option<TargetIdx>,
        find_policy: impl FnOnce(&str) -> Option<PolicyIdx>,
    ) {
        self.reach = reach(
            self.operation.as_deref(),
            Located::of(self.target.as_deref(), find_target),
            Located::of(self.policy.as_deref(), find_policy),
        );
    }

    /// Whether it is about the document of this policy and nothing else.
    pub(crate) fn is_about_document_of(&self, policy: &str) -> bool {
        self.policy.as_deref() == Some(policy)
            && self.operation.as_deref() == Some(CONTENT_CALL)
            && self.target.is_none()
    }
}

/// Whom a gap touches; more rather than less wherever it cannot be told.
fn reach(operation: Option<&str>, target: Located<TargetIdx>, policy: Located<PolicyIdx>) -> Reach {
    match (target, policy) {
        (Located::Unknown, _) => Reach::Everything(Breadth::UnknownTarget),
        (_, Located::Unknown) => Reach::Everything(Breadth::UnknownPolicy),
        (Located::Absent, Located::Absent) => Reach::Everything(Breadth::Unnamed),
        (Located::Absent, Located::At(policy)) => {
            if operation == Some(CONTENT_CALL) {
                Reach::Some { under: None, with: Some(policy) }
            } else {
                Reach::Everything(Breadth::UnknownAttachments)
            }
        }
        (Located::At(target), Located::Absent) => Reach::Some { under: Some(target), with: None },
        (Located::At(target), Located::At(policy)) => {
            Reach::Some { under: Some(target), with: Some(policy) }
        }
    }
}

impl fmt::Display for Gap {
    /// A sentence without a stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.operation {
            Some(operation) => write!(f, "`{operation}`")?,
            None => f.write_str("a call")?,
        }
        match (&self.target, &self.policy) {
            (Some(target), Some(policy)) => write!(f, " for `{policy}` on `{target}`")?,
            (Some(id), None) | (None, Some(id)) => write!(f, " for `{id}`")?,
            (None, None) => {}
        }
        write!(f, " failed when the snapshot was taken: {}", self.reason)?;
        let why = match self.reach {
            Reach::Some { .. } => return Ok(()),
            Reach::Everything(Breadth::Unnamed) => {
                "the gap names no target and no policy, so it touches every account"
            }
            Reach::Everything(Breadth::UnknownTarget) => {
                "the target is not in the snapshot, so the gap touches every account"
            }
            Reach::Everything(Breadth::UnknownPolicy) => {
                "the policy is not in the snapshot, so the gap touches every account"
            }
            Reach::Everything(Breadth::UnknownAttachments) => {
                "the policy may be attached anywhere, so the gap touches every account"
            }
        };
        write!(f, " ({why})")
    }
}

/// The gaps of a snapshot with look-ups by reach.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gaps {
    all: Vec<Gap>,
    everywhere: Vec<u32>,
    by_target: Vec<(TargetIdx, u32)>,
    by_policy: Vec<(PolicyIdx, u32)>,
}

impl Gaps {
    pub(crate) fn new(all: Vec<Gap>) -> Self {
        let mut gaps = Self::default();
        for (position, gap) in all.iter().enumerate() {
            let position = crate::tree::narrow(position);
            match gap.reach {
                Reach::Everything(_) => gaps.everywhere.push(position),
                Reach::Some { under, with } => {
                    gaps.by_target.extend(under.map(|target| (target, position)));
                    gaps.by_policy.extend(with.map(|policy| (policy, position)));
                }
            }
        }
        gaps.by_target.sort_unstable();
        gaps.by_policy.sort_unstable();
        Self { all, ..gaps }
    }

    pub(crate) fn all(&self) -> &[Gap] {
        &self.all
    }

    /// The gaps that touch everything, one of `targets` or one of `policies`, in the order of the
    /// snapshot.
    pub(crate) fn touching(
        &self,
        targets: impl Iterator<Item = TargetIdx>,
        policies: impl Iterator<Item = PolicyIdx>,
    ) -> Vec<&Gap> {
        let mut positions = self.everywhere.clone();
        if !self.by_target.is_empty() {
            targets.for_each(|target| positions.extend(matching(&self.by_target, target)));
        }
        if !self.by_policy.is_empty() {
            policies.for_each(|policy| positions.extend(matching(&self.by_policy, policy)));
        }
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().filter_map(|position| self.all.get(position as usize)).collect()
    }
}

/// The positions stored under `key` in a sorted list.
fn matching<K: Ord + Copy>(list: &[(K, u32)], key: K) -> impl Iterator<Item = u32> {
    let start = list.partition_point(|(other, _)| *other < key);
    let rest = list.get(start..).unwrap_or_default();
    rest.iter().take_while(move |(other, _)| *other == key).map(|(_, position)| *position)
}
