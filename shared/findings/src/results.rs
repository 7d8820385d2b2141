//! Results in JSON: the shape that scripts and later functions read.
//!
//! These types are the wire; nothing decides on them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use organization::{Organization, PolicyIdx, TargetIdx};
use policy::keys::KeyCatalog;
use policy::request::ContextValue;
use prover::Witness;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use ses_perimeter::check::{Report, Row, Status};
use ses_perimeter::view::{CellView, ObstacleView, StatementView, StopView, view};

/// The version of the shape.
pub const SCHEMA_VERSION: u32 = 1;

/// What was checked, when and by what.
#[derive(Debug, Clone)]
pub struct Origin<'a> {
    /// The program's version.
    pub version: &'a str,
    /// The moment of the evaluation, in RFC 3339.
    pub evaluated_at: &'a str,
}

/// How many cells have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Controls that no request gets past.
    pub passed: usize,
    /// Controls that a request gets past.
    pub failed: usize,
    /// Controls that nobody could decide.
    pub undecided: usize,
    /// Controls that do not apply.
    pub not_applicable: usize,
}

impl Summary {
    /// Counts the cells of `report`.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut summary = Self::default();
        for cell in report.rows.iter().flat_map(|row| row.cells.iter()) {
            summary.count(cell.status);
        }
        summary
    }

    /// Counts one cell.
    pub fn count(&mut self, status: Status) {
        match status {
            Status::Passed => self.passed += 1,
            Status::Failed => self.failed += 1,
            Status::Undecided => self.undecided += 1,
            Status::NotApplicable => self.not_applicable += 1,
        }
    }
}

/// The result of one control for one account.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultEntry {
    account_id: String,
    account_name: String,
    path: Vec<String>,
    control_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<WitnessEntry>,
    decided_by: Vec<DeciderEntry>,
    assumptions: Vec<String>,
    obstacles: Vec<ObstacleEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// One complete request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WitnessEntry {
    action: String,
    resource: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    additional_resources: Vec<String>,
    principal_arn: String,
    context: BTreeMap<String, ValueEntry>,
    send_path: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum ValueEntry {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum DeciderEntry {
    Statement(StatementEntry),
    #[serde(rename_all = "camelCase")]
    ImplicitDeny {
        target_id: String,
        reason: &'static str,
    },
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatementEntry {
    policy_id: String,
    policy_name: String,
    target_id: String,
    sid: Option<String>,
    statement_index: usize,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ObstacleEntry {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_index: Option<usize>,
}

impl WitnessEntry {
    /// The wire form of a request through `send_path`.
    #[must_use]
    pub fn new(witness: &Witness, send_path: &str) -> Self {
        let value = |value: &ContextValue| match value {
            ContextValue::One(text) => ValueEntry::One(text.clone()),
            ContextValue::Many(texts) => ValueEntry::Many(texts.clone()),
        };
        Self {
            action: witness.action.clone(),
            resource: witness.resource.clone(),
            additional_resources: witness.additional_resources.clone(),
            principal_arn: witness.principal_arn().to_owned(),
            context: witness.context.iter().map(|(key, v)| (key.to_owned(), value(v))).collect(),
            send_path: send_path.to_owned(),
        }
    }
}

impl ResultEntry {
    /// The wire form of one cell.
    #[must_use]
    pub fn new(organization: &Organization, row: &Row, cell: &CellView) -> Self {
        let account = organization.account(row.account);
        Self {
            account_id: account.map(|a| a.id.to_string()).unwrap_or_default(),
            account_name: account.map(|a| a.name.to_string()).unwrap_or_default(),
            path: organization.path(row.account).iter().map(|t| t.id.to_string()).collect(),
            control_id: cell.control.to_string(),
            status: cell.status.name(),
            witness: cell.witness.as_ref().map(|(path, witness)| WitnessEntry::new(witness, path)),
            decided_by: cell
                .decided_by
                .iter()
                .map(|stop| match stop {
                    StopView::Statement(found) => {
                        DeciderEntry::Statement(statement_entry(organization, found))
                    }
                    StopView::ImplicitDeny(target) => DeciderEntry::ImplicitDeny {
                        target_id: target_id(organization, *target),
                        reason: "IMPLICIT_DENY",
                    },
                })
                .collect(),
            assumptions: cell.assumptions.clone(),
            obstacles: cell.obstacles.iter().map(|o| obstacle_entry(organization, o)).collect(),
            reason: cell.reason.clone(),
        }
    }
}

fn target_id(organization: &Organization, target: TargetIdx) -> String {
    organization.target_ref(target).id.to_string()
}

fn policy_names(organization: &Organization, policy: PolicyIdx) -> (String, String) {
    organization
        .policy(policy)
        .map(|found| (found.id.to_string(), found.name.to_string()))
        .unwrap_or_default()
}

fn statement_entry(organization: &Organization, found: &StatementView) -> StatementEntry {
    let (policy_id, policy_name) = policy_names(organization, found.policy);
    StatementEntry {
        policy_id,
        policy_name,
        target_id: target_id(organization, found.target),
        sid: found.sid.clone(),
        statement_index: found.statement,
    }
}

fn obstacle_entry(organization: &Organization, obstacle: &ObstacleView) -> ObstacleEntry {
    let names = obstacle.policy.map(|policy| policy_names(organization, policy));
    let (policy_id, policy_name) = names.unzip();
    ObstacleEntry {
        message: obstacle.message.clone(),
        policy_id,
        policy_name,
        target_id: obstacle.target.map(|target| target_id(organization, target)),
        sid: obstacle.statement.as_ref().and_then(|s| s.sid.clone()),
        statement_index: obstacle.statement.as_ref().map(|s| s.statement),
    }
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: u32,
    tool: Tool<'a>,
    organization_id: String,
    snapshot_digest: &'a str,
    evaluated_at: &'a str,
    summary: Summary,
    results: Entries<'a>,
}

/// Entries that are made one by one while they are written, so that a large organization does
/// not stand in memory as text.
struct Entries<'a> {
    organization: &'a Organization,
    catalog: &'a KeyCatalog,
    report: &'a Report,
}

impl Entries<'_> {
    fn each<E>(&self, mut write: impl FnMut(&ResultEntry) -> Result<(), E>) -> Result<(), E> {
        for row in &self.report.rows {
            for cell in row.cells.iter() {
                let cell = view(self.organization, self.catalog, row, cell);
                write(&ResultEntry::new(self.organization, row, &cell))?;
            }
        }
        Ok(())
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cells = self.report.rows.iter().map(|row| row.cells.len()).sum();
        let mut sequence = serializer.serialize_seq(Some(cells))?;
        self.each(|entry| sequence.serialize_element(entry))?;
        sequence.end()
    }
}

/// Writes the whole result as one JSON document.
///
/// # Errors
/// Those of the writer.
pub fn write_json(
    out: &mut dyn Write,
    organization: &Organization,
    catalog: &KeyCatalog,
    report: &Report,
    origin: &Origin<'_>,
) -> io::Result<()> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "ses-perimeter", version: origin.version },
        organization_id: organization.id.to_string(),
        snapshot_digest: &organization.digest,
        evaluated_at: origin.evaluated_at,
        summary: Summary::of(report),
        results: Entries { organization, catalog, report },
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// Writes one JSON object a line, one line a cell.
///
/// # Errors
/// Those of the writer.
pub fn write_jsonl(
    out: &mut dyn Write,
    organization: &Organization,
    catalog: &KeyCatalog,
    report: &Report,
) -> io::Result<()> {
    Entries { organization, catalog, report }.each(|entry| {
        serde_json::to_writer(&mut *out, entry)?;
        out.write_all(b"\n")
    })
}
