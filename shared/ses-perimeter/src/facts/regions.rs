//! The Regions of each partition. A partition that is not among them has none that are known.

use super::date::Date;

include!(concat!(env!("OUT_DIR"), "/regions.rs"));

struct Partition {
    name: &'static str,
    all: &'static [&'static str],
    ses: &'static [&'static str],
    smtp: &'static [&'static str],
    iam: &'static str,
    form: RegionForm,
}

/// How the names of a partition's Regions look, those to come as well: `start`, words and a
/// number, joined by hyphens. Where `start` is empty, the first word has two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionForm {
    /// What every name begins with.
    pub start: &'static str,
    /// What no name begins with, because another partition's do.
    pub never: &'static [&'static str],
}

fn partition(name: &str) -> Option<&'static Partition> {
    PARTITIONS.iter().find(|partition| partition.name == name)
}

/// All Regions of the partition.
#[must_use]
pub fn all(name: &str) -> Option<&'static [&'static str]> {
    partition(name).map(|partition| partition.all)
}

/// Those with an SES endpoint, common ones first; empty for a partition without SES.
#[must_use]
pub fn ses(name: &str) -> Option<&'static [&'static str]> {
    partition(name).map(|partition| partition.ses)
}

/// The Regions with an SES endpoint, whatever the partition.
#[must_use]
pub fn all_ses() -> std::collections::BTreeSet<&'static str> {
    PARTITIONS.iter().flat_map(|partition| partition.ses.iter().copied()).collect()
}

/// Those of them with an SMTP endpoint, in the same order.
#[must_use]
pub fn smtp(name: &str) -> Option<&'static [&'static str]> {
    partition(name).map(|partition| partition.smtp)
}

/// The Region of all IAM requests of the partition.
#[must_use]
pub fn iam(name: &str) -> Option<&'static str> {
    partition(name).map(|partition| partition.iam)
}

/// The form of the names of the partition's Regions.
#[must_use]
pub fn form(name: &str) -> Option<RegionForm> {
    partition(name).map(|partition| partition.form)
}

/// The day up to which the list was read.
#[must_use]
pub const fn date() -> &'static str {
    DATE.text
}
