//! What was tried, and what came of it.

use serde::Serialize;

use super::Caller;

/// What came of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DoctorOutcome {
    /// It is there.
    Ok,
    /// It is missing, or could not be seen.
    Missing,
    /// It was not tried.
    Untried,
}

/// One thing that the live run needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What it is: a permission or a setting.
    pub check: String,
    /// What came of it.
    pub status: DoctorOutcome,
    /// What was seen.
    pub detail: String,
    /// What to do where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Everything that was tried, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    /// Who called, where that could be found out.
    pub caller: Option<Caller>,
    /// The checks.
    pub checks: Vec<Check>,
    /// Whether there was no access at all, and so nothing else was tried.
    pub no_access: bool,
}

impl DoctorReport {
    /// How many checks came to this.
    #[must_use]
    pub fn count(&self, outcome: DoctorOutcome) -> usize {
        self.checks.iter().filter(|check| check.status == outcome).count()
    }

    pub(super) fn push(
        &mut self,
        check: &str,
        status: DoctorOutcome,
        detail: &str,
        help: Option<String>,
    ) {
        let (check, detail) = (check.to_owned(), detail.to_owned());
        self.checks.push(Check { check, status, detail, help });
    }
}
