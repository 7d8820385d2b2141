//! What Security Hub accepts, and what an update does to a workflow.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pipeline::ports::PublishedFinding;
use serde_json::Value;

/// A finding as the hub keeps it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What was imported last, in ASFF.
    pub asff: Value,
    /// `NEW`, `NOTIFIED`, `RESOLVED` or `SUPPRESSED`.
    pub workflow: String,
    /// A customer's note.
    pub note: Option<String>,
}

type Refusal = (String, String);

/// Fields of a finding that we expect to send.
const KNOWN: [&str; 19] = [
    "SchemaVersion",
    "Id",
    "ProductArn",
    "AwsAccountId",
    "GeneratorId",
    "CompanyName",
    "ProductName",
    "CreatedAt",
    "UpdatedAt",
    "FirstObservedAt",
    "Title",
    "Description",
    "FindingProviderFields",
    "Remediation",
    "ProductFields",
    "Resources",
    "Compliance",
    "Workflow",
    "RecordState",
];

/// The text of a field; empty where it is none.
pub fn text<'a>(finding: &'a Value, field: &str) -> &'a str {
    finding.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The text at the end of a path.
pub fn path<'a>(finding: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().try_fold(finding, |at, name| at.get(name)).and_then(Value::as_str)
}

fn wrong(what: &str) -> Refusal {
    ("InvalidInput".to_owned(), what.to_owned())
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn length(
    value: Option<&str>,
    range: std::ops::RangeInclusive<usize>,
    what: &str,
) -> Result<(), Refusal> {
    let text = value.ok_or_else(|| wrong(&format!("{what} is missing")))?;
    if !range.contains(&units(text)) || text.trim().is_empty() {
        return Err(wrong(&format!("{what} has {} characters", units(text))));
    }
    Ok(())
}

fn one_of(value: Option<&str>, words: &[&str], what: &str) -> Result<(), Refusal> {
    match value {
        Some(word) if words.contains(&word) => Ok(()),
        other => Err(wrong(&format!("{what} is {other:?}"))),
    }
}

fn moment(finding: &Value, field: &str) -> Result<(), Refusal> {
    let at = text(finding, field);
    at.parse::<Timestamp>().map(drop).map_err(|_| wrong(&format!("{field} is `{at}`")))
}

fn list<'a>(value: Option<&'a Value>, most: usize, what: &str) -> Result<&'a [Value], Refusal> {
    let items =
        value.and_then(Value::as_array).ok_or_else(|| wrong(&format!("{what} is no list")))?;
    if items.len() > most {
        return Err(wrong(&format!("{what} has {} entries", items.len())));
    }
    Ok(items)
}

fn map(value: Option<&Value>, key: usize, text: usize, what: &str) -> Result<(), Refusal> {
    let Some(pairs) = value.and_then(Value::as_object) else {
        return Err(wrong(&format!("{what} is no map")));
    };
    if pairs.len() > 50 {
        return Err(wrong(&format!("{what} has {} pairs", pairs.len())));
    }
    for (name, value) in pairs {
        length(Some(name), 1..=key, &format!("a key of {what}"))?;
        length(value.as_str(), 1..=text, &format!("{what} {name}"))?;
        if name.to_ascii_lowercase().starts_with("aws/") {
            return Err(wrong(&format!("{what} {name} has a prefix of AWS")));
        }
    }
    Ok(())
}

/// Refuses what breaks a documented rule, with the code and the message.
pub fn check(finding: &Value, caller: &str, region: &str) -> Result<(), Refusal> {
    if finding.to_string().len() > 240_000 {
        return Err(wrong("the finding has more than 240 KB"));
    }
    let fields = finding.as_object().ok_or_else(|| wrong("no object"))?;
    if let Some(field) = fields.keys().find(|field| !KNOWN.contains(&field.as_str())) {
        return Err(wrong(&format!("unknown field {field}")));
    }
    if text(finding, "AwsAccountId") != caller {
        let text = format!("account {caller} may not import for {}", text(finding, "AwsAccountId"));
        return Err(("InvalidAccess".to_owned(), text));
    }
    let arn = text(finding, "ProductArn");
    let tail = format!(":securityhub:{region}:{caller}:product/{caller}/default");
    if !arn.starts_with("arn:aws") || !arn.ends_with(&tail) {
        return Err(wrong(&format!("ProductArn is `{arn}`")));
    }
    one_of(Some(text(finding, "SchemaVersion")), &["2018-10-08"], "SchemaVersion")?;
    for (field, most) in [
        ("Id", 512),
        ("GeneratorId", 512),
        ("Title", 256),
        ("Description", 1024),
        ("CompanyName", 128),
        ("ProductName", 128),
    ] {
        length(Some(text(finding, field)), 1..=most, field)?;
    }
    for field in ["CreatedAt", "UpdatedAt", "FirstObservedAt"] {
        moment(finding, field)?;
    }
    one_of(Some(text(finding, "RecordState")), &["ACTIVE", "ARCHIVED"], "RecordState")?;
    if finding.get("Workflow").is_some() {
        let words = ["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"];
        one_of(path(finding, &["Workflow", "Status"]), &words, "Workflow")?;
    }
    let severity = path(finding, &["FindingProviderFields", "Severity", "Label"]);
    one_of(severity, &["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"], "Severity")?;
    length(path(finding, &["FindingProviderFields", "Severity", "Original"]), 1..=64, "Original")?;
    let types = finding.get("FindingProviderFields").and_then(|fields| fields.get("Types"));
    if list(types, 50, "Types")?.is_empty() {
        return Err(wrong("Types is empty"));
    }
    length(path(finding, &["Remediation", "Recommendation", "Text"]), 1..=512, "Remediation")?;
    let url = path(finding, &["Remediation", "Recommendation", "Url"]).unwrap_or_default();
    if !url.starts_with("https://") {
        return Err(wrong(&format!("Url is `{url}`")));
    }
    map(finding.get("ProductFields"), 128, 2048, "ProductFields")?;
    compliance(finding.get("Compliance"))?;
    let resources = list(finding.get("Resources"), 32, "Resources")?;
    if resources.is_empty() {
        return Err(wrong("Resources is empty"));
    }
    resources.iter().try_for_each(resource)
}

fn compliance(value: Option<&Value>) -> Result<(), Refusal> {
    let value = value.ok_or_else(|| wrong("Compliance is missing"))?;
    let words = ["PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"];
    one_of(path(value, &["Status"]), &words, "Compliance.Status")?;
    for requirement in list(value.get("RelatedRequirements"), 32, "RelatedRequirements")? {
        length(requirement.as_str(), 1..=64, "a related requirement")?;
    }
    if let Some(reasons) = value.get("StatusReasons") {
        for reason in list(Some(reasons), 20, "StatusReasons")? {
            length(path(reason, &["ReasonCode"]), 1..=100, "ReasonCode")?;
            length(path(reason, &["Description"]), 1..=1024, "Description of a reason")?;
        }
    }
    Ok(())
}

fn resource(value: &Value) -> Result<(), Refusal> {
    length(path(value, &["Type"]), 1..=256, "Type of a resource")?;
    length(path(value, &["Id"]), 1..=512, "Id of a resource")?;
    if value.get("Partition").is_some() {
        one_of(path(value, &["Partition"]), &["aws", "aws-cn", "aws-us-gov"], "Partition")?;
    }
    if value.get("Region").is_some() {
        length(path(value, &["Region"]), 1..=16, "Region")?;
    }
    match value.get("Details") {
        Some(details) => map(details.get("Other"), 127, 1023, "Details.Other"),
        None => Ok(()),
    }
}

/// The workflow after an update: reset where the finding comes back, unless suppressed.
pub fn workflow_after(before: &Value, after: &Value, workflow: &str) -> String {
    let returns =
        text(before, "RecordState") == "ARCHIVED" && text(after, "RecordState") == "ACTIVE";
    let status = |value| path(value, &["Compliance", "Status"]).unwrap_or_default();
    let worse = status(before) == "PASSED"
        && ["FAILED", "WARNING", "NOT_AVAILABLE"].contains(&status(after));
    if (returns || worse) && workflow != "SUPPRESSED" {
        "NEW".to_owned()
    } else {
        workflow.to_owned()
    }
}

/// What GetFindings shows of a finding.
pub fn published(stored: &Stored) -> PublishedFinding {
    let asff = &stored.asff;
    let own = |field: &str| text(asff, field).to_owned();
    let fields = asff.get("ProductFields").and_then(Value::as_object);
    let pairs = fields.into_iter().flatten();
    PublishedFinding {
        id: own("Id"),
        product_arn: own("ProductArn"),
        aws_account_id: own("AwsAccountId"),
        created_at: own("CreatedAt"),
        updated_at: own("UpdatedAt"),
        first_observed_at: Some(own("FirstObservedAt")),
        compliance: path(asff, &["Compliance", "Status"]).map(str::to_owned),
        record_state: own("RecordState"),
        workflow: stored.workflow.clone(),
        product_fields: pairs
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect::<BTreeMap<_, _>>(),
    }
}
