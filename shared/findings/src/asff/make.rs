//! From results to findings.

use std::collections::BTreeMap;

use policy::keys::KeyCatalog;
use ses_perimeter::control::ControlId;

use super::{
    AsffResource, COMPANY, Compliance, ComplianceStatus, Details, Finding, Limited, MOST_RESOURCES,
    PRODUCT, ProviderFields, Recommendation, RecordState, Remediation, SCHEMA_VERSION,
    SeverityEntry, StatusReason, Workflow, digest, fields, texts,
};
use crate::results::{PolicyEntry, ResultEntry, StatusEntry};
use crate::run::{RunFacts, SeverityLabel};
use crate::slots::slot_of;

/// The most `StatusReasons` that we give.
const MOST_REASONS: usize = 20;
const PRACTICES: &str = "Software and Configuration Checks/AWS Security Best Practices";
const EXPOSURE: &str = "Effects/Data Exposure";

/// Where a finding goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The account that holds it: the checker's, or the member's own.
    pub account: String,
    /// The Region of its Security Hub.
    pub region: String,
}

/// The moments of a finding, RFC 3339 with milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// `CreatedAt`.
    pub created_at: String,
    /// `UpdatedAt`.
    pub updated_at: String,
    /// `FirstObservedAt`.
    pub first_observed_at: String,
}

/// A finding with the digest of what a reader acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The finding.
    pub finding: Finding,
    /// Its digest, which is also among its `ProductFields`.
    pub digest: String,
}

/// The id of the finding of a control for an account.
#[must_use]
pub fn id(organization: &str, account: &str, control: &str) -> String {
    format!("ses-perimeter/{organization}/{account}/{control}")
}

/// The account in an id that [`id`] made for this organization.
#[must_use]
pub fn account_of<'a>(id: &'a str, organization: &str) -> Option<&'a str> {
    split(id, organization).map(|(account, _)| account)
}

/// The control in an id that [`id`] made for this organization.
#[must_use]
pub fn control_of(id: &str, organization: &str) -> Option<ControlId> {
    split(id, organization).map(|(_, control)| control)
}

fn split<'a>(id: &'a str, organization: &str) -> Option<(&'a str, ControlId)> {
    let rest = id.strip_prefix("ses-perimeter/")?.strip_prefix(organization)?.strip_prefix('/')?;
    let (account, control) = rest.split_once('/')?;
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let known = ControlId::parse(control).filter(|found| found.to_string() == control)?;
    digits.then_some((account, known))
}

/// The finding of a result.
///
/// `workflow` is for a finding that Security Hub does not have yet.
#[must_use]
pub fn finding(
    entry: &ResultEntry,
    control: ControlId,
    facts: &RunFacts,
    catalog: &KeyCatalog,
    target: &Target,
    times: &Times,
    workflow: Option<Workflow>,
) -> Rendered {
    let steady = render(&digest::steady(entry, catalog), control, facts, target, times);
    let digest = digest::digest(&steady);
    let mut finding = render(entry, control, facts, target, times);
    let field = (fields::CONTENT_DIGEST.to_owned(), Limited::new(&digest));
    finding.product_fields.extend([field]);
    finding.workflow = workflow;
    Rendered { finding, digest }
}

fn render(
    entry: &ResultEntry,
    control: ControlId,
    facts: &RunFacts,
    target: &Target,
    times: &Times,
) -> Finding {
    let account = resource_of_account(&entry.account_id, &entry.account_name, facts, target);
    let policies = entry.policies.iter().map(|policy| resource_of_policy(policy, facts, target));
    let outline =
        outline(&entry.account_id, control, entry.status, &reasons(entry), facts, target, times);
    let mut provider = outline.finding_provider_fields.clone();
    if let Some(graded) = &entry.severity {
        provider.severity.label = graded.label;
    }
    Finding {
        title: Limited::new(&texts::title(
            &entry.account_name,
            &entry.account_id,
            control,
            entry.status,
        )),
        description: Limited::new(&texts::description(entry, control)),
        product_fields: product_fields(entry, facts),
        resources: std::iter::once(account).chain(policies).take(MOST_RESOURCES).collect(),
        finding_provider_fields: provider,
        ..outline
    }
}

/// The last word about an account or a control that is gone: the finding, archived.
///
/// Compliance stays what it was, so that archiving does not look like a new verdict.
#[must_use]
pub fn farewell(
    account: (&str, &str),
    control: ControlId,
    status: StatusEntry,
    why: &str,
    facts: &RunFacts,
    target: &Target,
    times: &Times,
) -> Finding {
    let (id, name) = account;
    let mut product_fields = common_fields(id, name, control, status, facts);
    product_fields.insert("ses-perimeter/archivedBecause".to_owned(), Limited::new(why));
    Finding {
        title: Limited::new(&texts::title(name, id, control, status)),
        description: Limited::new(&format!(
            "Archived, since {why}. Before that: {}.",
            texts::title(name, id, control, status)
        )),
        product_fields,
        resources: vec![resource_of_account(id, name, facts, target)],
        record_state: RecordState::Archived,
        ..outline(id, control, status, &[], facts, target, times)
    }
}

/// All that does not hang on the details of a result.
fn outline(
    account: &str,
    control: ControlId,
    status: StatusEntry,
    reasons: &[StatusReason],
    facts: &RunFacts,
    target: &Target,
    times: &Times,
) -> Finding {
    let told = control.entry();
    let control_id = control.to_string();
    let severity = facts.severity.get(&control_id).copied().unwrap_or(told.severity.into());
    let (label, types) = match status {
        StatusEntry::Failed => (severity, vec![PRACTICES.to_owned(), EXPOSURE.to_owned()]),
        // It may be failing, for all anybody knows.
        StatusEntry::Undecided => (severity, vec![PRACTICES.to_owned()]),
        StatusEntry::Passed | StatusEntry::NotApplicable => {
            (SeverityLabel::Informational, vec![PRACTICES.to_owned()])
        }
    };
    Finding {
        schema_version: Limited::new(SCHEMA_VERSION),
        id: Limited::new(&id(&facts.organization_id, account, &control_id)),
        product_arn: Limited::new(&format!(
            "arn:{}:securityhub:{}:{}:product/{}/default",
            facts.partition, target.region, target.account, target.account
        )),
        aws_account_id: Limited::new(&target.account),
        generator_id: Limited::new(&format!("ses-perimeter/{control_id}")),
        company_name: Limited::new(COMPANY),
        product_name: Limited::new(PRODUCT),
        created_at: times.created_at.clone(),
        updated_at: times.updated_at.clone(),
        first_observed_at: times.first_observed_at.clone(),
        title: Limited::new(&control_id),
        description: Limited::new(&control_id),
        finding_provider_fields: ProviderFields {
            severity: SeverityEntry { label, original: Limited::new(severity.name()) },
            types,
        },
        remediation: Remediation {
            recommendation: Recommendation {
                text: Limited::new(told.remediation),
                url: told.link.to_owned(),
            },
        },
        product_fields: BTreeMap::new(),
        resources: Vec::new(),
        compliance: Compliance {
            status: compliance(status),
            related_requirements: told.requirements.iter().map(|r| (*r).to_owned()).collect(),
            status_reasons: reasons.to_vec(),
        },
        workflow: None,
        record_state: RecordState::Active,
    }
}

const fn compliance(status: StatusEntry) -> ComplianceStatus {
    match status {
        StatusEntry::Passed => ComplianceStatus::Passed,
        StatusEntry::Failed => ComplianceStatus::Failed,
        StatusEntry::Undecided => ComplianceStatus::Warning,
        StatusEntry::NotApplicable => ComplianceStatus::NotAvailable,
    }
}

fn reasons(entry: &ResultEntry) -> Vec<StatusReason> {
    let reason = |code: &str, text: &str| StatusReason {
        reason_code: code.to_owned(),
        description: Limited::new(text),
    };
    match entry.status {
        StatusEntry::Undecided if entry.obstacles.is_empty() => {
            vec![reason("UNDECIDED", &texts::obstacles(entry))]
        }
        StatusEntry::Undecided => entry
            .obstacles
            .iter()
            .take(MOST_REASONS)
            .map(|obstacle| reason("UNDECIDED", &texts::obstacle(obstacle)))
            .collect(),
        StatusEntry::NotApplicable => {
            let text = entry.reason.as_deref().unwrap_or("no reason is known");
            vec![reason("NOT_APPLICABLE", text)]
        }
        StatusEntry::Passed | StatusEntry::Failed => Vec::new(),
    }
}

fn common_fields(
    account: &str,
    name: &str,
    control: ControlId,
    status: StatusEntry,
    facts: &RunFacts,
) -> BTreeMap<String, Limited<2048>> {
    let mut texts: Vec<(&str, String)> = vec![
        (fields::CONTROL, control.to_string()),
        ("ses-perimeter/controlTitle", control.title().to_owned()),
        (fields::ACCOUNT, account.to_owned()),
        (fields::ACCOUNT_NAME, name.to_owned()),
        (fields::SLOT, slot_of(account).to_string()),
        ("ses-perimeter/organizationId", facts.organization_id.clone()),
        (fields::STATUS, status.name().to_owned()),
        (fields::SNAPSHOT_DIGEST, facts.snapshot_digest.clone()),
        (fields::EVALUATED_AT, facts.evaluated_at.clone()),
        (fields::RUN, facts.run_id.clone()),
        (fields::TOOL_VERSION, facts.tool_version.clone()),
    ];
    if let Some(at) = &facts.snapshot_fetched_at {
        texts.push((fields::SNAPSHOT_TIME, at.clone()));
    }
    if let Some(at) = &facts.oldest_content_at {
        texts.push((fields::OLDEST_CONTENT, at.clone()));
    }
    texts.into_iter().map(|(name, text)| (name.to_owned(), Limited::new(&text))).collect()
}

fn product_fields(entry: &ResultEntry, facts: &RunFacts) -> BTreeMap<String, Limited<2048>> {
    let Some(control) = ControlId::parse(&entry.control_id) else { return BTreeMap::new() };
    let mut all =
        common_fields(&entry.account_id, &entry.account_name, control, entry.status, facts);
    let mut put = |name: &str, text: String| {
        if !text.is_empty() {
            all.insert(format!("ses-perimeter/{name}"), Limited::new(&text));
        }
    };
    put("path", entry.path.join("/"));
    put("cause", entry.cause.clone().unwrap_or_default());
    put("assumptions", entry.assumptions.join("; "));
    put("decidedBy", texts::deciders(entry));
    if let Some(witness) = &entry.witness {
        put("witness/action", witness.action.clone());
        put("witness/principal", witness.principal_arn.clone());
        put("witness/resource", witness.resource.clone());
        put("witness/sendPath", witness.send_path.clone());
    }
    if !entry.obstacles.is_empty() {
        put("obstacles", texts::obstacles(entry));
    }
    put("reason", entry.reason.clone().unwrap_or_default());
    let faults: Vec<String> =
        entry.faults.iter().map(|f| format!("{}: {}", f.region, f.message)).collect();
    put("faults", faults.join("; "));
    if let Some(graded) = &entry.severity {
        all.extend([
            (fields::EXPOSURE_LEVEL.to_owned(), Limited::new(&graded.level)),
            (fields::SEVERITY_RULE.to_owned(), Limited::new(&graded.rule)),
        ]);
    }
    all
}

fn resource_of_account(id: &str, name: &str, facts: &RunFacts, target: &Target) -> AsffResource {
    resource("AwsAccount", &format!("AWS::::Account:{id}"), &[("name", name)], facts, target)
}

/// A policy by its ARN; those of AWS belong to no organization.
fn resource_of_policy(policy: &PolicyEntry, facts: &RunFacts, target: &Target) -> AsffResource {
    let RunFacts { partition, management_account_id, organization_id, .. } = facts;
    let arn = if policy.aws_managed {
        format!("arn:{partition}:organizations::aws:policy/service_control_policy/{}", policy.id)
    } else {
        format!(
            "arn:{partition}:organizations::{management_account_id}:policy/{organization_id}/\
             service_control_policy/{}",
            policy.id
        )
    };
    resource("Other", &arn, &[("name", &policy.name), ("id", &policy.id)], facts, target)
}

fn resource(
    kind: &str,
    id: &str,
    other: &[(&str, &str)],
    facts: &RunFacts,
    target: &Target,
) -> AsffResource {
    // A name need not be long to be of use, and 32 resources have to fit into one finding.
    let short = |text: &str| Limited::new(Limited::<256>::new(text).as_str());
    AsffResource {
        kind: kind.to_owned(),
        id: Limited::new(id),
        partition: Some(facts.partition.clone())
            .filter(|known| matches!(known.as_str(), "aws" | "aws-cn" | "aws-us-gov")),
        region: Some(target.region.clone()).filter(|region| (1..=16).contains(&region.len())),
        details: Details {
            other: other.iter().map(|(key, text)| ((*key).to_owned(), short(text))).collect(),
        },
    }
}
