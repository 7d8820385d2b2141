//! SARIF 2.1.0, for code scanning and editors: the controls are rules, and every FAILED or
//! UNDECIDED cell is a result.
//!
//! A FAILED cell is of kind `fail` with the level of its severity, an UNDECIDED one of kind
//! `open`, whose level is always `none`. Its location is the first statement that came near,
//! where the policy has a file of its own, else the snapshot; statements that came near stand
//! among the related locations. Results keep their fingerprints as long as account and control
//! exist.

pub(crate) mod model;
pub(crate) mod region;
pub(crate) mod uri;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};

use findings::asff::{self, description, title};
use findings::names::{self, Names};
use findings::results::{ResultBuilder, ResultEntry, StatusEntry, Summary};
use findings::run::SeverityLabel;
use organization::PolicyIdx;
use serde::Serialize;
use serde::ser::{Error as _, SerializeSeq, Serializer};
use serde_json::json;
use ses_perimeter::control::{ControlId, GUIDANCE};
use ses_perimeter::report::{Cell, Row};
use ses_perimeter::view::{StatementView, statement_at};
use sha2::{Digest, Sha256};

use crate::cells::{capital, maker, of_control, path, severity};
use crate::checked::Checked;
use model::{
    Artifact, ArtifactLocation, AutomationDetails, BASE, BaseLocation, Configuration, Driver, Help,
    Invocation, Level, Location, Log, LogicalLocation, Notification, PhysicalLocation, ResultKind,
    RuleProperties, Run, SarifResult, SarifRule, SarifText, SarifTool, pascal,
};
use region::SarifRegion;
use uri::location;

/// Where there is more: the place of the source, where this crate's `Cargo.toml` names one as its
/// `repository`, or else AWS's page about what is checked.
pub(crate) const INFORMATION: &str =
    if env!("CARGO_PKG_REPOSITORY").is_empty() { GUIDANCE } else { env!("CARGO_PKG_REPOSITORY") };

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let files = Files::new(checked);
    let log = Log::of(Run {
        tool: SarifTool { driver: driver(checked) },
        automation_details: Some(AutomationDetails {
            id: format!("ses-perimeter/{}/", checked.organization.id),
        }),
        invocations: [Invocation {
            execution_successful: true,
            end_time_utc: Some(checked.origin.evaluated_at),
            tool_execution_notifications: notifications(checked),
        }],
        original_uri_base_ids: base(),
        artifacts: files.artifacts(checked),
        column_kind: "utf16CodeUnits",
        results: Results { checked, files, maker: RefCell::new(maker(checked)) },
        properties: properties(checked),
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

/// What no result shows.
fn notifications(checked: &Checked<'_>) -> Vec<Notification> {
    let warnings = checked.warnings.iter().map(|text| (Level::Warning, text));
    let notes = checked.notes.iter().map(|text| (Level::Note, text));
    let all = warnings.chain(notes);
    all.map(|(level, text)| Notification {
        level,
        message: SarifText::new(&format!("{}.", capital(text))),
    })
    .collect()
}

/// What relative paths are below.
pub(crate) fn base() -> BTreeMap<&'static str, BaseLocation> {
    let description = SarifText::new("the folder in which the program ran");
    BTreeMap::from([(BASE, BaseLocation { description })])
}

fn properties(checked: &Checked<'_>) -> BTreeMap<&'static str, serde_json::Value> {
    let organization = checked.organization;
    BTreeMap::from([
        ("organizationId", json!(organization.id.to_string())),
        ("snapshotDigest", json!(organization.digest)),
        ("summary", json!(Summary::of(checked.report))),
    ])
}

fn driver<'a>(checked: &Checked<'a>) -> Driver<'a> {
    Driver {
        name: "ses-perimeter",
        information_uri: INFORMATION,
        version: checked.origin.version,
        semantic_version: checked.origin.version,
        rules: ruled(checked).map(|control| rule(checked, control)).collect(),
    }
}

/// The controls that have a rule, in order.
fn ruled(checked: &Checked<'_>) -> impl Iterator<Item = ControlId> {
    let about_exposure = checked.report.is_about_exposure();
    ControlId::all().filter(move |control| about_exposure || !control.is_about_exposure())
}

fn rule(checked: &Checked<'_>, control: ControlId) -> SarifRule {
    let told = control.entry();
    let severity = of_control(checked, control);
    let enabled = !checked.perimeter.disabled.contains(&control);
    SarifRule {
        id: control.to_string(),
        name: pascal(control.title()),
        short_description: SarifText::new(&format!("An account can {}", control.summary())),
        full_description: SarifText::new(&format!(
            "The service control policies of an account must stop every request by which it can \
             {}. A result shows one that gets through, replayed against the account's own \
             policies, or why nobody can say.",
            control.summary()
        )),
        help: Some(Help {
            text: told.remediation.to_owned(),
            markdown: format!("{}\n\n[AWS documentation]({})", told.remediation, told.link),
        }),
        help_uri: Some(told.link),
        default_configuration: Configuration { enabled, level: level(severity) },
        properties: Some(RuleProperties {
            tags: ["security"].into_iter().chain(told.requirements.iter().copied()).collect(),
            precision: "very-high",
            security_severity: security_severity(severity),
        }),
    }
}

const fn level(severity: SeverityLabel) -> Level {
    match severity {
        SeverityLabel::Critical | SeverityLabel::High => Level::Error,
        SeverityLabel::Medium => Level::Warning,
        SeverityLabel::Low | SeverityLabel::Informational => Level::Note,
    }
}

/// A number in the band that code scanning gives the same name.
const fn security_severity(severity: SeverityLabel) -> &'static str {
    match severity {
        SeverityLabel::Critical => "9.5",
        SeverityLabel::High => "8.0",
        SeverityLabel::Medium => "5.5",
        SeverityLabel::Low => "2.0",
        SeverityLabel::Informational => "0.0",
    }
}

/// The files of a run, each with its number.
struct Files {
    snapshot: Option<ArtifactLocation>,
    policies: BTreeMap<PolicyIdx, ArtifactLocation>,
}

impl Files {
    fn new(checked: &Checked<'_>) -> Self {
        let snapshot = checked.snapshot.map(|path| location(path, 0));
        let mut known: Vec<&str> = checked.snapshot.into_iter().collect();
        let mut policies = BTreeMap::new();
        for (policy, path) in &checked.files {
            // Several policies may come from one file.
            let index = known.iter().position(|one| one == path).unwrap_or_else(|| {
                known.push(path);
                known.len() - 1
            });
            policies.insert(*policy, location(path, index));
        }
        Self { snapshot, policies }
    }

    fn artifacts(&self, checked: &Checked<'_>) -> Vec<Artifact> {
        let mut by_index: BTreeMap<usize, Artifact> = BTreeMap::new();
        for location in self.policies.values().chain(&self.snapshot) {
            by_index.insert(location.index, artifact(location.clone()));
        }
        if let (Some(snapshot), Some(hash)) =
            (&self.snapshot, checked.organization.digest.strip_prefix("sha256:"))
            && let Some(artifact) = by_index.get_mut(&snapshot.index)
        {
            artifact.hashes.insert("sha-256", hash.to_owned());
        }
        by_index.into_values().collect()
    }
}

/// A file that was looked at.
pub(crate) fn artifact(location: ArtifactLocation) -> Artifact {
    Artifact {
        location,
        roles: ["analysisTarget"],
        mime_type: "application/json",
        encoding: "UTF-8",
        hashes: BTreeMap::new(),
    }
}

/// Results that are made one by one while they are written.
struct Results<'a, 'c> {
    checked: &'c Checked<'a>,
    files: Files,
    maker: RefCell<ResultBuilder<'a>>,
}

impl Serialize for Results<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        let names = Names::new(self.checked.organization);
        let mut maker = self.maker.try_borrow_mut().map_err(S::Error::custom)?;
        for row in &self.checked.report.rows {
            for cell in row.all() {
                self.one(row, cell, &mut maker, &names, &mut sequence)?;
            }
        }
        sequence.end()
    }
}

impl Results<'_, '_> {
    fn one<S: SerializeSeq>(
        &self,
        row: &Row,
        cell: &Cell,
        maker: &mut ResultBuilder<'_>,
        names: &Names<'_>,
        sequence: &mut S,
    ) -> Result<(), S::Error> {
        let own = maker.entry(row, cell);
        let has_id = !self.checked.stand_ins.stand_for(&own.account_id);
        let entry = self.checked.stand_ins.hide_in(own);
        let kind = match entry.status {
            StatusEntry::Failed => ResultKind::Fail,
            StatusEntry::Undecided => ResultKind::Open,
            StatusEntry::Passed | StatusEntry::NotApplicable => return Ok(()),
        };
        let statements = maker.statements(row, cell);
        sequence.serialize_element(&self.result(
            cell.control,
            kind,
            &entry,
            has_id,
            &statements,
            names,
        ))
    }

    fn result(
        &self,
        control: ControlId,
        kind: ResultKind,
        entry: &ResultEntry,
        has_id: bool,
        statements: &[StatementView],
        names: &Names<'_>,
    ) -> SarifResult {
        let own = statements.iter().find_map(|statement| self.file(statement));
        let snapshot = || {
            let artifact_location = self.files.snapshot.clone()?;
            Some(PhysicalLocation { artifact_location, region: SarifRegion::FIRST_LINE })
        };
        let account = LogicalLocation {
            name: entry.account_name.clone(),
            fully_qualified_name: path(entry),
            kind: "account",
        };
        let related = statements.iter().enumerate().map(|(index, statement)| Location {
            id: Some(index),
            physical_location: self.file(statement),
            logical_locations: vec![self.logical(statement)],
            message: Some(SarifText::new(&names.statement(statement))),
        });
        SarifResult {
            rule_id: entry.control_id.clone(),
            rule_index: ruled(self.checked).take_while(|ruled| *ruled != control).count(),
            kind,
            level: match kind {
                ResultKind::Fail => level(severity(self.checked, control, entry)),
                ResultKind::Open => Level::None,
            },
            message: SarifText::new(&message(control, entry)),
            locations: vec![Location {
                physical_location: own.or_else(snapshot),
                logical_locations: vec![account],
                ..Location::default()
            }],
            related_locations: related.collect(),
            partial_fingerprints: self.fingerprints(entry),
            properties: self.properties(entry, has_id),
        }
    }

    /// The statement in the policy's own file, where it has one.
    fn file(&self, statement: &StatementView) -> Option<PhysicalLocation> {
        let artifact_location = self.files.policies.get(&statement.policy)?.clone();
        let organization = self.checked.organization;
        let span = statement_at(organization, statement.policy, statement.statement)?.span;
        let document = organization.policy(statement.policy)?.document;
        let text = organization.document(document)?.text()?;
        Some(PhysicalLocation { artifact_location, region: SarifRegion::of(span, text) })
    }

    fn logical(&self, statement: &StatementView) -> LogicalLocation {
        let organization = self.checked.organization;
        let policy = organization.policy(statement.policy).map(|found| found.id.to_string());
        let target = organization.target_ref(statement.target).id;
        LogicalLocation {
            name: names::sid(statement),
            fully_qualified_name: format!(
                "{target}/{}/{}",
                policy.unwrap_or_default(),
                statement.statement
            ),
            kind: "statement",
        }
    }

    /// The same for the same account and control in every run.
    fn fingerprints(&self, entry: &ResultEntry) -> BTreeMap<&'static str, String> {
        let organization = self.checked.organization.id.to_string();
        let id = asff::id(&organization, &entry.account_id, &entry.control_id);
        let hash: String =
            Sha256::digest(id.as_bytes()).iter().take(16).map(|b| format!("{b:02x}")).collect();
        BTreeMap::from([
            // By this name code scanning tells results apart that stand in the same line.
            ("primaryLocationLineHash", format!("{hash}:1")),
            ("accountAndControl/v1", hash),
        ])
    }

    fn properties(
        &self,
        entry: &ResultEntry,
        has_id: bool,
    ) -> BTreeMap<&'static str, serde_json::Value> {
        let mut all = BTreeMap::from([
            ("accountId", json!(has_id.then_some(&entry.account_id))),
            ("accountName", json!(entry.account_name)),
            ("path", json!(entry.path)),
            ("status", json!(entry.status)),
        ]);
        if let Some(witness) = &entry.witness {
            all.insert("witness", json!(witness));
        }
        if !entry.assumptions.is_empty() {
            all.insert("assumptions", json!(entry.assumptions));
        }
        all
    }
}

/// The outcome in one sentence, then why.
fn message(control: ControlId, entry: &ResultEntry) -> String {
    let first = title(&entry.account_name, &entry.account_id, control, entry.status);
    let all = description(entry, control);
    // The description begins with the outcome as well, without the account's name.
    let what = control.summary();
    let outcome = match entry.status {
        StatusEntry::Undecided => format!("Nobody can say whether the account can {what}. "),
        StatusEntry::Failed | StatusEntry::Passed | StatusEntry::NotApplicable => {
            format!("The account can {what}. ")
        }
    };
    let rest = all.strip_prefix(&outcome).unwrap_or(&all);
    format!("{}. {rest}", capital(&first))
}
