//! Compliance Findings of the Open Cybersecurity Schema Framework (OCSF), one JSON object a line.
//!
//! The events name version 1.3.0 with the profile `cloud`. Nothing in them was removed since, so
//! that readers of later versions take them too.
//!
//! # Source
//! The OCSF schema 1.3.0, class `compliance_finding` (2003) and its objects.

use std::io::{self, Write};

use findings::asff::{self, deciders, description, obstacles, title};
use findings::results::{
    DeciderEntry, ObstacleEntry, PolicyEntry, ResultEntry, StatusEntry, WitnessEntry,
};
use findings::run::SeverityLabel;
use organization::TargetIdx;
use serde::Serialize;
use ses_perimeter::control::ControlId;

use crate::cells::{capital, each, severity};
use crate::checked::Checked;

/// The version of the schema that events name.
pub const VERSION: &str = "1.3.0";
const CATEGORY: u32 = 2;
const CLASS: u32 = 2003;
/// An event tells a state for itself, as if it were new.
const CREATE: u32 = 1;
const AWS_ACCOUNT: u32 = 10;
const RULE: u32 = 1;

#[derive(Serialize)]
struct Event<'a> {
    activity_id: u32,
    activity_name: &'static str,
    category_uid: u32,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    type_uid: u32,
    type_name: &'static str,
    time: i64,
    severity_id: u32,
    severity: &'static str,
    status_id: u32,
    status: &'static str,
    message: &'a str,
    metadata: Metadata<'a>,
    finding_info: FindingInfo<'a>,
    compliance: Compliance<'a>,
    resources: [OcsfResource<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<Remediation>,
    cloud: Cloud<'a>,
    unmapped: Unmapped<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    uid: String,
    event_code: &'a str,
    original_time: &'a str,
    profiles: [&'static str; 1],
    product: Product<'a>,
    tenant_uid: &'a str,
}

#[derive(Serialize)]
struct Product<'a> {
    name: &'static str,
    uid: &'static str,
    vendor_name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct FindingInfo<'a> {
    uid: &'a str,
    title: &'a str,
    desc: &'a str,
    types: [&'static str; 1],
    created_time: i64,
    first_seen_time: i64,
    last_seen_time: i64,
    analytic: Analytic<'a>,
    src_url: &'static str,
}

#[derive(Serialize)]
struct Analytic<'a> {
    uid: &'a str,
    name: &'static str,
    type_id: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Compliance<'a> {
    control: &'a str,
    standards: Vec<&'static str>,
    requirements: &'static [&'static str],
    status_id: u32,
    status: &'static str,
    status_code: &'static str,
    status_detail: String,
}

#[derive(Serialize)]
struct OcsfResource<'a> {
    uid: String,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    cloud_partition: &'a str,
}

#[derive(Serialize)]
struct Remediation {
    desc: &'static str,
    references: [&'static str; 1],
}

#[derive(Serialize)]
struct Cloud<'a> {
    provider: &'static str,
    account: OcsfAccount<'a>,
    org: Org<'a>,
}

#[derive(Serialize)]
struct OcsfAccount<'a> {
    uid: &'a str,
    name: &'a str,
    type_id: u32,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Org<'a> {
    uid: &'a str,
    ou_uid: String,
    ou_name: &'a str,
}

/// What the schema has no place for, in the shape of the results in JSON.
#[derive(Serialize)]
struct Unmapped<'a> {
    path: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: &'a Option<WitnessEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: &'a Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    decided_by: &'a [DeciderEntry],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    obstacles: &'a [ObstacleEntry],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    assumptions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: &'a Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    policies: &'a [PolicyEntry],
    snapshot_digest: &'a str,
}

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let organization = checked.organization.id.to_string();
    each(checked, |row, cell, entry| {
        let unit = checked.organization.parent(checked.organization.target_of(row.account));
        line(out, checked, &organization, unit.unwrap_or(TargetIdx::ROOT), cell.control, entry)
    })
}

fn line(
    out: &mut dyn Write,
    checked: &Checked<'_>,
    organization: &str,
    unit: TargetIdx,
    control: ControlId,
    entry: &ResultEntry,
) -> io::Result<()> {
    let origin = &checked.origin;
    let told = control.entry();
    let uid = asff::id(organization, &entry.account_id, &entry.control_id);
    let title = title(&entry.account_name, &entry.account_id, control, entry.status);
    let time = checked.now.epoch_seconds.saturating_mul(1000);
    let (severity_id, severity) = match entry.status {
        // It may be failing, for all anybody knows.
        StatusEntry::Failed | StatusEntry::Undecided => {
            severity_of(severity(checked, control, entry))
        }
        StatusEntry::Passed | StatusEntry::NotApplicable => {
            severity_of(SeverityLabel::Informational)
        }
    };
    let (status_id, status) = match entry.status {
        StatusEntry::Failed | StatusEntry::Undecided => (1, "New"),
        StatusEntry::Passed => (4, "Resolved"),
        StatusEntry::NotApplicable => (99, "Not Applicable"),
    };
    let unit = checked.organization.target_ref(unit);
    let partition = checked.organization.partition.as_str();
    let management = checked.organization.management_account;
    let event = Event {
        activity_id: CREATE,
        activity_name: "Create",
        category_uid: CATEGORY,
        category_name: "Findings",
        class_uid: CLASS,
        class_name: "Compliance Finding",
        type_uid: CLASS * 100 + CREATE,
        type_name: "Compliance Finding: Create",
        time,
        severity_id,
        severity,
        status_id,
        status,
        message: &title,
        metadata: Metadata {
            version: VERSION,
            uid: format!("{uid}/{}", origin.evaluated_at),
            event_code: &entry.control_id,
            original_time: origin.evaluated_at,
            profiles: ["cloud"],
            product: Product {
                name: "ses-perimeter",
                uid: "ses-perimeter",
                vendor_name: asff::COMPANY,
                version: origin.version,
            },
            tenant_uid: organization,
        },
        finding_info: FindingInfo {
            uid: &uid,
            title: &title,
            desc: &description(entry, control),
            types: ["Data Perimeter"],
            created_time: time,
            first_seen_time: time,
            last_seen_time: time,
            analytic: Analytic {
                uid: &entry.control_id,
                name: control.title(),
                type_id: RULE,
                kind: "Rule",
                version: origin.version,
            },
            src_url: told.link,
        },
        compliance: compliance(entry, told.requirements),
        resources: [OcsfResource {
            uid: format!(
                "arn:{partition}:organizations::{management}:account/{organization}/{}",
                entry.account_id
            ),
            name: &entry.account_name,
            kind: "AWS::Organizations::Account",
            cloud_partition: partition,
        }],
        remediation: matches!(entry.status, StatusEntry::Failed)
            .then_some(Remediation { desc: told.remediation, references: [told.link] }),
        cloud: Cloud {
            provider: "AWS",
            account: OcsfAccount {
                uid: &entry.account_id,
                name: &entry.account_name,
                type_id: AWS_ACCOUNT,
                kind: "AWS Account",
            },
            org: Org { uid: organization, ou_uid: unit.id.to_string(), ou_name: unit.name },
        },
        unmapped: Unmapped {
            path: &entry.path,
            witness: &entry.witness,
            cause: &entry.cause,
            decided_by: &entry.decided_by,
            obstacles: &entry.obstacles,
            assumptions: &entry.assumptions,
            reason: &entry.reason,
            policies: &entry.policies,
            snapshot_digest: &checked.organization.digest,
        },
    };
    serde_json::to_writer(&mut *out, &event)?;
    out.write_all(b"\n")
}

fn compliance<'a>(entry: &'a ResultEntry, requirements: &'static [&'static str]) -> Compliance<'a> {
    let (status_id, status) = match entry.status {
        StatusEntry::Passed => (1, "Pass"),
        // In the schema's words: without a result, since information is missing.
        StatusEntry::Undecided => (2, "Warning"),
        StatusEntry::Failed => (3, "Fail"),
        StatusEntry::NotApplicable => (99, "Not Applicable"),
    };
    let detail = match entry.status {
        StatusEntry::Passed => deciders(entry),
        StatusEntry::Undecided => obstacles(entry),
        StatusEntry::Failed => entry.cause.clone().unwrap_or_default(),
        StatusEntry::NotApplicable => entry.reason.clone().unwrap_or_default(),
    };
    Compliance {
        control: &entry.control_id,
        standards: standards(requirements),
        requirements,
        status_id,
        status,
        status_code: entry.status.name(),
        status_detail: capital(&detail),
    }
}

/// The standards of these requirements, each once.
fn standards(requirements: &[&str]) -> Vec<&'static str> {
    let mut standards = Vec::new();
    for requirement in requirements {
        let standard = if requirement.starts_with("NIST.800-53.r5") {
            "NIST SP 800-53 Revision 5"
        } else {
            "SES data perimeter guidance"
        };
        if !standards.contains(&standard) {
            standards.push(standard);
        }
    }
    standards
}

const fn severity_of(label: SeverityLabel) -> (u32, &'static str) {
    match label {
        SeverityLabel::Informational => (1, "Informational"),
        SeverityLabel::Low => (2, "Low"),
        SeverityLabel::Medium => (3, "Medium"),
        SeverityLabel::High => (4, "High"),
        SeverityLabel::Critical => (5, "Critical"),
    }
}
