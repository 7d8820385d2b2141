//! What the results of a run hang on, for whoever publishes them.

use std::collections::{BTreeMap, BTreeSet};

use organization::Organization;
use serde::{Deserialize, Serialize};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::{Perimeter, Severity};

/// The version of the shape.
pub const SCHEMA_VERSION: u32 = 1;

/// The facts of a run: `runs/RUN/facts.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunFacts {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// Whether nothing is to be published.
    pub dry_run: bool,
    /// `o-...`.
    pub organization_id: String,
    /// Twelve digits.
    pub management_account_id: String,
    /// `aws` or another partition.
    pub partition: String,
    /// `sha256:` and the hexadecimal digest of the snapshot.
    pub snapshot_digest: String,
    /// When the snapshot was taken, as it says itself.
    pub snapshot_fetched_at: Option<String>,
    /// When the oldest content in it was read, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_content_at: Option<String>,
    /// When it was evaluated, RFC 3339.
    pub evaluated_at: String,
    /// The version of the program.
    pub tool_version: String,
    /// The accounts that were decided; all where empty.
    pub accounts: BTreeSet<String>,
    /// The controls that were decided; all that are enabled where empty.
    pub controls: BTreeSet<String>,
    /// Whether the snapshot has no gaps. Only then does a missing account tell anything.
    pub complete: bool,
    /// The controls that the perimeter leaves enabled.
    pub enabled: BTreeSet<String>,
    /// Severities that the perimeter sets, by control.
    pub severity: BTreeMap<String, SeverityLabel>,
}

/// How grave a finding is, as Security Hub spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SeverityLabel {
    /// Nothing to do.
    Informational,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// At once.
    Critical,
}

impl SeverityLabel {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "INFORMATIONAL",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

impl From<Severity> for SeverityLabel {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Informational => Self::Informational,
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

/// What a run knows beside its organization and perimeter.
#[derive(Debug, Clone)]
pub struct RunOrigin<'a> {
    /// The run.
    pub run_id: &'a str,
    /// Whether nothing is to be published.
    pub dry_run: bool,
    /// When it was evaluated, RFC 3339.
    pub evaluated_at: &'a str,
    /// The version of the program.
    pub tool_version: &'a str,
    /// The accounts that were decided; all where empty.
    pub accounts: &'a [String],
    /// The controls that were decided; all that are enabled where empty.
    pub controls: &'a [String],
    /// Whether it is known what is set up in the accounts; without that the controls about it are
    /// not enabled.
    pub exposure: bool,
}

impl RunFacts {
    /// The facts of a run over `organization` under `perimeter`.
    #[must_use]
    pub fn new(organization: &Organization, perimeter: &Perimeter, origin: &RunOrigin<'_>) -> Self {
        let enabled = ControlId::all()
            .filter(|control| origin.exposure || !control.is_about_exposure())
            .filter(|control| !perimeter.disabled.contains(control));
        let severity = perimeter.severity.iter();
        let severity = severity
            .map(|(control, severity)| (control.to_string(), SeverityLabel::from(*severity)));
        Self {
            schema_version: SCHEMA_VERSION,
            run_id: origin.run_id.to_owned(),
            dry_run: origin.dry_run,
            organization_id: organization.id.to_string(),
            management_account_id: organization.management_account.to_string(),
            partition: organization.partition.clone(),
            snapshot_digest: organization.digest.clone(),
            snapshot_fetched_at: organization.fetched_at.clone(),
            oldest_content_at: organization.oldest_content_at.clone(),
            evaluated_at: origin.evaluated_at.to_owned(),
            tool_version: origin.tool_version.to_owned(),
            accounts: origin.accounts.iter().cloned().collect(),
            controls: origin.controls.iter().cloned().collect(),
            complete: organization.gaps().is_empty(),
            enabled: enabled.map(|control| control.to_string()).collect(),
            severity: severity.collect(),
        }
    }

    /// Whether the run decided this control for this account, or would have if both were there.
    #[must_use]
    pub fn covers(&self, account: &str, control: &str) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(account))
            && (self.controls.is_empty() || self.controls.contains(control))
    }
}
