//! The part of SARIF 2.1.0 that we write.
//!
//! # Source
//! Static Analysis Results Interchange Format (SARIF) Version 2.1.0 Plus Errata 01, section 3.

use std::collections::BTreeMap;

use serde::Serialize;

use super::region::SarifRegion;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The base of relative paths, by the name that code scanning knows.
pub const BASE: &str = "%SRCROOT%";

/// `sarifLog`. `R` serializes as a list of [`SarifResult`].
#[derive(Serialize)]
pub struct Log<'a, R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a, R>; 1],
}

impl<'a, R> Log<'a, R> {
    /// With one run.
    pub fn of(run: Run<'a, R>) -> Self {
        Self { schema: SCHEMA, version: "2.1.0", runs: [run] }
    }
}

/// `run`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run<'a, R> {
    pub tool: SarifTool<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automation_details: Option<AutomationDetails>,
    pub invocations: [Invocation<'a>; 1],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub original_uri_base_ids: BTreeMap<&'static str, BaseLocation>,
    pub artifacts: Vec<Artifact>,
    pub column_kind: &'static str,
    pub results: R,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<&'static str, serde_json::Value>,
}

/// `tool`.
#[derive(Serialize)]
pub struct SarifTool<'a> {
    pub driver: Driver<'a>,
}

/// `toolComponent`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Driver<'a> {
    pub name: &'static str,
    pub information_uri: &'static str,
    pub version: &'a str,
    pub semantic_version: &'a str,
    pub rules: Vec<SarifRule>,
}

/// `reportingDescriptor`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SarifRule {
    pub id: String,
    pub name: String,
    pub short_description: SarifText,
    pub full_description: SarifText,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<Help>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_uri: Option<&'static str>,
    pub default_configuration: Configuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<RuleProperties>,
}

/// `multiformatMessageString`, as far as it is plain; `message` has the same shape.
#[derive(Serialize)]
pub struct SarifText {
    text: String,
}

impl SarifText {
    /// A message that says `text` literally.
    pub fn new(text: &str) -> Self {
        Self { text: literal(text) }
    }
}

/// `multiformatMessageString` in both forms.
#[derive(Serialize)]
pub struct Help {
    pub text: String,
    pub markdown: String,
}

/// `reportingConfiguration`.
#[derive(Serialize)]
pub struct Configuration {
    pub enabled: bool,
    pub level: Level,
}

/// What code scanning reads of a rule.
#[derive(Serialize)]
pub struct RuleProperties {
    pub tags: Vec<&'static str>,
    pub precision: &'static str,
    #[serde(rename = "security-severity")]
    pub security_severity: &'static str,
}

/// How grave a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Of what is no failure.
    None,
    /// Little.
    Note,
    /// Some.
    Warning,
    /// Much.
    Error,
}

/// Whether a result is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultKind {
    /// It is.
    Fail,
    /// Nobody could say.
    Open,
}

/// `runAutomationDetails`.
#[derive(Serialize)]
pub struct AutomationDetails {
    pub id: String,
}

/// `invocation`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation<'a> {
    pub execution_successful: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time_utc: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_execution_notifications: Vec<Notification>,
}

/// `notification`.
#[derive(Serialize)]
pub struct Notification {
    pub level: Level,
    pub message: SarifText,
}

/// `artifactLocation` of a base, which nobody but the reader knows.
#[derive(Serialize)]
pub struct BaseLocation {
    pub description: SarifText,
}

/// `artifact`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    pub location: ArtifactLocation,
    pub roles: [&'static str; 1],
    pub mime_type: &'static str,
    pub encoding: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<&'static str, String>,
}

/// `artifactLocation`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactLocation {
    pub uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri_base_id: Option<&'static str>,
    pub index: usize,
}

/// `result`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SarifResult {
    pub rule_id: String,
    pub rule_index: usize,
    pub kind: ResultKind,
    pub level: Level,
    pub message: SarifText,
    pub locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<&'static str, serde_json::Value>,
}

/// `location`.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<SarifText>,
}

/// `physicalLocation`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhysicalLocation {
    pub artifact_location: ArtifactLocation,
    pub region: SarifRegion,
}

/// `logicalLocation`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogicalLocation {
    pub name: String,
    pub fully_qualified_name: String,
    pub kind: &'static str,
}

/// `text` as a message: braces doubled, since single ones name arguments, and no embedded link.
fn literal(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}").replace("](", "] (")
}

/// `SomeWords` of `some words`, as names of rules are by custom.
pub fn pascal(words: &str) -> String {
    let parts = words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    parts.map(crate::cells::capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_neither_arguments_nor_links() {
        assert_eq!(SarifText::new("${aws:x} [a](b)").text, "${{aws:x}} [a] (b)");
    }

    #[test]
    fn a_rule_is_named_in_one_word() {
        assert_eq!(pascal("v1 custom verification mail"), "V1CustomVerificationMail");
        assert_eq!(pascal("never-matches"), "NeverMatches");
        assert_eq!(pascal("SMTP"), "SMTP");
    }
}
