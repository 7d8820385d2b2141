#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use super::*;
use crate::perimeter;

fn now() -> Now {
    Now::from_epoch_seconds(1_767_225_600).unwrap()
}

fn deny(action: &str, conditions: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Action": {action},
            "Resource": "*", "Condition": {{{conditions}}}}}]}}"#
    )
}

fn codes(findings: &[LintFinding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code()).collect()
}

fn found(text: &str) -> Vec<LintFinding> {
    lint(text, &Limits::default(), None, now())
}

#[test]
fn another_of_the_documents_can_protect_a_tag() {
    let relies = deny(
        r#""ses:SendBulkEmail""#,
        r#""StringNotEqualsIfExists": {"aws:PrincipalTag/exempt": "true"}"#,
    );
    let protects =
        deny(r#""*""#, r#""ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": "exempt"}"#);
    assert_eq!(codes(&found(&relies)), ["lint::unprotected-exemption-tag"]);
    let together = lint_together(&[&relies, &protects], &Limits::default(), None, now());
    assert_eq!(together, [vec![], vec![]]);
}

#[test]
fn a_perimeter_names_the_trusted_recipients_and_the_exempt() {
    let text = deny(
        r#"["ses:SendEmail", "ses:SendRawEmail"]"#,
        r#""ForAnyValue:StringNotLike": {"ses:Recipients": "*@example.*"}"#,
    );
    let alone = found(&text);
    assert_eq!(codes(&alone), ["lint::open-domain"]);
    assert!(alone.iter().all(|finding| finding.slips_through.is_none()));
    let perimeter = perimeter::parse("[trusted]\nrecipients = [\"*@example.com\"]\n").unwrap();
    let findings = lint(&text, &Limits::default(), Some(&perimeter), now());
    let slips = findings.first().unwrap().slips_through.as_ref().unwrap();
    let shown = slips.to_string();
    assert!(shown.starts_with("ses:SendRawEmail over SMTP to "), "{shown}");
    assert!(shown.contains("@example."), "{shown}");
}

#[test]
fn a_document_near_the_quota_gets_advice_and_not_a_short_one() {
    let text = deny(r#""s3:GetObject""#, r#""Bool": {"aws:SecureTransport": "false"}"#);
    let limits = |quota_characters| Limits { quota_characters, ..Limits::default() };
    let count = text.chars().count();
    assert_eq!(codes(&lint(&text, &limits(count), None, now())), ["lint::size"]);
    assert_eq!(codes(&lint(&text, &limits(count * 2), None, now())), [""; 0]);
    assert_eq!(codes(&lint(&text, &limits(count - 1), None, now())), ["policy::quota"]);
}

#[test]
fn a_tag_that_marks_whom_to_stop_is_no_inverted_exemption() {
    let text = deny(r#""ses:Send*""#, r#""StringEquals": {"aws:PrincipalTag/quarantine": "true"}"#);
    assert_eq!(codes(&found(&text)), [""; 0]);
}

#[test]
fn network_keys_that_exclude_each_other_never_match() {
    let text = deny(
        r#""ses:SendEmail""#,
        r#""StringEquals": {"aws:SourceVpc": "vpc-1"}, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}"#,
    );
    assert_eq!(codes(&found(&text)), ["lint::never-matches"]);
}
