//! Findings of `lint` for other tools.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use ses_perimeter::lint::{LintFinding, Severity};
use text::span::Span;

use crate::cells::{capital, one_line};
use crate::sarif::model::{
    Configuration, Driver, Invocation, Level, Location, Log, Notification, PhysicalLocation,
    ResultKind, Run, SarifResult, SarifRule, SarifText, SarifTool, pascal,
};
use crate::sarif::region::SarifRegion;
use crate::sarif::uri::location;
use crate::sarif::{INFORMATION, artifact, base};

/// What `lint` looked at and found.
#[derive(Debug)]
pub struct Linted<'a> {
    /// The version of the program.
    pub version: &'a str,
    /// The files that could be read, in the order of the arguments.
    pub files: Vec<LintedFile<'a>>,
    /// What kept others from being read, each a sentence without a stop.
    pub unread: Vec<String>,
}

/// A file with its findings.
#[derive(Debug)]
pub struct LintedFile<'a> {
    /// Its path as it was given.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The findings, in the order of the text.
    pub findings: &'a [LintFinding],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LintDocument<'a> {
    schema_version: u32,
    tool: ToolEntry<'a>,
    files: Vec<&'a str>,
    unread: &'a [String],
    findings: Vec<LintEntry<'a>>,
}

#[derive(Serialize)]
struct ToolEntry<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LintEntry<'a> {
    file: &'a str,
    rule: &'a str,
    severity: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    span: SpanEntry,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<AlsoEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slips_through: Option<String>,
}

/// Lines and columns from 1, columns in characters; bytes from 0, the end exclusive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpanEntry {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start_byte: usize,
    end_byte: usize,
}

#[derive(Serialize)]
struct AlsoEntry<'a> {
    label: &'a str,
    span: SpanEntry,
}

/// Writes one JSON document.
///
/// # Errors
/// Those of the writer.
pub fn write_json(out: &mut dyn Write, linted: &Linted<'_>) -> io::Result<()> {
    let entries = linted.files.iter().flat_map(|file| {
        file.findings.iter().map(|finding| (finding, &finding.diagnostic)).map(
            |(finding, found)| LintEntry {
                file: file.path,
                rule: finding.code(),
                severity: severity(found.severity),
                message: &found.message,
                label: found.own_label(),
                help: found.help.as_deref(),
                span: span(found.span, file.text),
                also: found
                    .other_labels()
                    .iter()
                    .map(|(at, label)| AlsoEntry { label, span: span(*at, file.text) })
                    .collect(),
                slips_through: finding.slips_through.as_ref().map(ToString::to_string),
            },
        )
    });
    let document = LintDocument {
        schema_version: 1,
        tool: ToolEntry { name: "ses-perimeter", version: linted.version },
        files: linted.files.iter().map(|file| file.path).collect(),
        unread: &linted.unread,
        findings: entries.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn span(span: Span, text: &str) -> SpanEntry {
    let start = span.line_column(text);
    let last = span.end.max(span.start);
    let end = Span::new(last, last).line_column(text);
    SpanEntry {
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        start_byte: span.start,
        end_byte: last,
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "advice",
    }
}

/// Writes SARIF 2.1.0 with a region for every finding.
///
/// # Errors
/// Those of the writer.
pub fn write_sarif(out: &mut dyn Write, linted: &Linted<'_>) -> io::Result<()> {
    let rules = rules(linted);
    let numbers: BTreeMap<&str, usize> =
        rules.keys().enumerate().map(|(number, code)| (*code, number)).collect();
    let results: Vec<SarifResult> = linted
        .files
        .iter()
        .enumerate()
        .flat_map(|(index, file)| file.findings.iter().map(move |finding| (index, file, finding)))
        .map(|(index, file, finding)| result(index, file, finding, &numbers))
        .collect();
    let notifications = linted.unread.iter().map(|message| Notification {
        level: Level::Error,
        message: SarifText::new(&capital(&one_line(message))),
    });
    let log = Log::of(Run {
        tool: SarifTool {
            driver: Driver {
                name: "ses-perimeter lint",
                information_uri: INFORMATION,
                version: linted.version,
                semantic_version: linted.version,
                rules: rules.into_values().collect(),
            },
        },
        automation_details: None,
        invocations: [Invocation {
            execution_successful: linted.unread.is_empty(),
            end_time_utc: None,
            tool_execution_notifications: notifications.collect(),
        }],
        original_uri_base_ids: base(),
        artifacts: linted
            .files
            .iter()
            .enumerate()
            .map(|(index, file)| artifact(location(file.path, index)))
            .collect(),
        column_kind: "utf16CodeUnits",
        results,
        properties: BTreeMap::new(),
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

/// The rules that found something, by their codes, with the level of the gravest finding.
fn rules<'a>(linted: &Linted<'a>) -> BTreeMap<&'a str, SarifRule> {
    let mut gravest: BTreeMap<&str, Severity> = BTreeMap::new();
    for finding in linted.files.iter().flat_map(|file| file.findings) {
        let known = gravest.entry(finding.code()).or_insert(finding.diagnostic.severity);
        *known = (*known).max(finding.diagnostic.severity);
    }
    gravest
        .into_iter()
        .map(|(code, severity)| {
            let words = code.rsplit("::").next().unwrap_or(code).replace('-', " ");
            let rule = SarifRule {
                id: code.to_owned(),
                name: pascal(&words),
                short_description: SarifText::new(&capital(&words)),
                full_description: SarifText::new(&format!(
                    "{} in a policy document. Each result says what is wrong and what to do.",
                    capital(&words)
                )),
                help: None,
                help_uri: None,
                default_configuration: Configuration { enabled: true, level: level(severity) },
                properties: None,
            };
            (code, rule)
        })
        .collect()
}

fn result(
    index: usize,
    file: &LintedFile<'_>,
    finding: &LintFinding,
    numbers: &BTreeMap<&str, usize>,
) -> SarifResult {
    let place = |at: Span| PhysicalLocation {
        artifact_location: location(file.path, index),
        region: SarifRegion::of(at, file.text),
    };
    let found = &finding.diagnostic;
    let mut message = format!("{}.", capital(&found.message));
    if let Some(slips) = &finding.slips_through {
        message.push_str(&format!(" Slips through: {slips}."));
    }
    if let Some(help) = &found.help {
        let stop = if help.ends_with('?') { "" } else { "." };
        message.push_str(&format!(" {}{stop}", capital(help)));
    }
    SarifResult {
        rule_id: finding.code().to_owned(),
        rule_index: numbers.get(finding.code()).copied().unwrap_or_default(),
        kind: ResultKind::Fail,
        level: level(found.severity),
        message: SarifText::new(&message),
        locations: vec![Location {
            physical_location: Some(place(found.span)),
            message: (!found.own_label().is_empty()).then(|| SarifText::new(found.own_label())),
            ..Location::default()
        }],
        related_locations: found
            .other_labels()
            .iter()
            .enumerate()
            .map(|(id, (at, label))| Location {
                id: Some(id),
                physical_location: Some(place(*at)),
                message: Some(SarifText::new(label)),
                ..Location::default()
            })
            .collect(),
        partial_fingerprints: BTreeMap::new(),
        properties: BTreeMap::new(),
    }
}

const fn level(severity: Severity) -> Level {
    match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Advice => Level::Note,
    }
}
