//! Texts that are no policy documents.

use policy::parse::Limits;
use policy::parse::UnreadablePolicy;
use text::json::{self, Kind};
use text::span::Span;

use super::finding::LintFinding;
use text::diagnostic::Severity;

/// Why a text cannot be read as a policy: what it is instead, or its diagnostics.
pub(super) fn unreadable(
    text: &str,
    limits: &Limits,
    unreadable: &UnreadablePolicy,
) -> Vec<LintFinding> {
    if let Some(finding) = something_else(text, limits) {
        return vec![finding];
    }
    let mut findings: Vec<LintFinding> =
        unreadable.problems().iter().cloned().map(LintFinding::from).collect();
    if unreadable.omitted() > 0 {
        findings.push(LintFinding::new(
            Severity::Error,
            "policy::unreadable",
            Span::new(text.len(), text.len()),
            format!("there are {} more problems", unreadable.omitted()),
            "",
        ));
    }
    findings
}

fn something_else(text: &str, limits: &Limits) -> Option<LintFinding> {
    let not_a_policy = |span: Span, what: &str, help: &str| {
        LintFinding::new(
            Severity::Error,
            "lint::not-a-policy",
            span,
            format!("this is {what}, not a policy document"),
            "begins here",
        )
        .help(help)
    };
    let start = text.len() - text.trim_start().len();
    let head = Span::new(start, (start + 1).min(text.len()));
    if text.lines().any(|line| matches!(line.trim(), "[trusted]" | "[[exemptions]]")) {
        return Some(not_a_policy(
            head,
            "a perimeter file",
            "give it with `--perimeter`, and the policy documents as files",
        ));
    }
    if text.len() > limits.max_bytes {
        return None;
    }
    let document = json::parse(text, limits.max_depth).ok()?;
    let Kind::Object(members) = &document.kind else { return None };
    let value = |key: &str| members.iter().find(|m| m.key == key).map(|m| &m.value.kind);
    if value("Statement").is_some() {
        return None;
    }
    if value("organizationalUnits").is_some() || value("schemaVersion").is_some() {
        return Some(not_a_policy(
            head,
            "the snapshot of an organization",
            "check it with `ses-perimeter check --snapshot FILE`; lint reads single policy documents",
        ));
    }
    if let Some(Kind::Object(inner)) = value("Policy")
        && inner.iter().any(|m| m.key == "Content" || m.key == "PolicySummary")
    {
        return Some(not_a_policy(
            head,
            "an answer of DescribePolicy",
            "the document is the text in `Policy.Content`: save that by itself",
        ));
    }
    None
}
