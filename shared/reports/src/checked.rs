//! All that a report is made from.

use std::collections::BTreeMap;

use findings::results::Origin;
use findings::stand_ins::StandIns;
use organization::{Organization, PolicyIdx};
use policy::keys::KeyCatalog;
use ses_perimeter::check::Now;
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::Report;

/// All that a report is made from.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The organization.
    pub organization: &'a Organization,
    /// The perimeter.
    pub perimeter: &'a Perimeter,
    /// The keys with their types.
    pub catalog: &'a KeyCatalog,
    /// The verdicts.
    pub report: &'a Report,
    /// By what they were made and when.
    pub origin: Origin<'a>,
    /// The same moment, against which exemptions expire.
    pub now: Now,
    /// The path of the snapshot as it was given, where there is one.
    pub snapshot: Option<&'a str>,
    /// The path of the perimeter as it was given, where it was named.
    pub perimeter_file: Option<&'a str>,
    /// Columns of a page of text.
    pub width: usize,
    /// The paths of policies that were given as files of their own; their text is that of the
    /// policy's document.
    pub files: BTreeMap<PolicyIdx, String>,
    /// Proved changes that close failed controls.
    pub fixes: Vec<Fix>,
    /// What is wrong and no verdict shows; sentences without a stop.
    pub warnings: Vec<String>,
    /// What was passed over and what was assumed; sentences without a stop.
    pub notes: Vec<String>,
    /// Accounts that have no id yet; only a proposed change has such, which SARIF alone tells of.
    pub stand_ins: StandIns,
}

/// A proved change that closes failed controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The controls that it closes.
    pub controls: Vec<ControlId>,
    /// One line: which policy is changed or made, and where it is attached.
    pub title: String,
    /// The unified diff of the policy.
    pub diff: String,
}
