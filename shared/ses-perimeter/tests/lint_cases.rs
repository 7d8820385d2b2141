//! Runs the documents in `tests/cases/lint`: each `.json` has its findings beside it, as a person
//! sees them. A document named `clean-...` must have none.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use policy::condition::Readings;
use policy::evaluate::{Outcome, Stack, evaluate};
use policy::parse::{Limits, parse};
use proptest::prelude::*;
use ses_perimeter::check::Now;
use ses_perimeter::lint::{LintFinding, Severity, lint};
use ses_perimeter::model;
use support::cases::{self, Input};

const EVERYTHING: &str = r#"{"Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;

fn now() -> Now {
    Now::from_epoch_seconds(1_767_225_600).unwrap()
}

fn inputs() -> Vec<(String, Input)> {
    cases::inputs("lint", &["json"], &["snap"])
}

fn found(text: &str) -> Vec<LintFinding> {
    lint(text, &Limits::default(), None, now())
}

fn render(finding: &LintFinding, input: &Input) -> String {
    let slips = finding.slips_through.as_ref();
    let slips = slips.map(|slips| format!("\n  slips through: {slips}"));
    input.report(finding.diagnostic.clone()) + &slips.unwrap_or_default()
}

#[test]
fn every_document_has_the_expected_findings() {
    cases::run(20, inputs(), |input| {
        let findings = found(&input.text);
        let rendered: Vec<String> =
            findings.iter().map(|finding| render(finding, &input)).collect();
        assert_eq!(findings.is_empty(), input.file().starts_with("clean-"), "{findings:#?}");
        let rendered =
            if rendered.is_empty() { "no finding".to_owned() } else { rendered.join("\n\n") };
        input.compare(&rendered);
    });
}

/// Holds every shown request against the plain evaluator.
fn replay(text: &str, findings: &[LintFinding]) -> usize {
    let Ok(parsed) = parse(text, &Limits::default()) else { return 0 };
    let everything = parse(EVERYTHING, &Limits::default()).unwrap().policy;
    let catalog = model::catalog();
    let stack = Stack { levels: vec![vec![&everything, &parsed.policy]] };
    let mut replayed = 0;
    for slips in findings.iter().filter_map(|finding| finding.slips_through.as_ref()) {
        for request in slips.witness.requests() {
            let decision = evaluate(&stack, &request, Readings::default(), &catalog);
            assert_eq!(decision.outcome, Outcome::Permitted, "{slips}\n{text}");
            replayed += 1;
        }
    }
    replayed
}

#[test]
fn every_request_that_slips_through_gets_past_the_document() {
    let replayed: usize =
        inputs().iter().map(|(_, input)| replay(&input.text, &found(&input.text))).sum();
    assert!(replayed >= 15, "{replayed}");
}

#[test]
fn places_lie_in_the_text_and_are_in_order() {
    cases::run(1, inputs(), |Input { text, .. }| {
        let findings = found(&text);
        for finding in &findings {
            let found = &finding.diagnostic;
            let labelled = found.labels.iter().map(|(span, _)| span);
            for span in labelled.chain([&found.span]) {
                assert!(text.get(span.start..span.end).is_some(), "{}", finding.code());
            }
        }
        assert!(findings.is_sorted_by_key(|finding| finding.diagnostic.span));
    });
}

/// Conditions as people write them, right and wrong.
fn condition() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringNotEqualsIfExists",
        "ForAnyValue:StringLike",
        "ForAnyValue:StringNotLike",
        "ForAllValues:StringNotLike",
        "ForAnyValue:StringNotLikeIfExists",
        "Null",
        "ArnNotLike",
        "Nonsense",
    ]);
    let key = prop::sample::select(vec![
        "ses:Recipients",
        "ses:ApiVersion",
        "ses:FromAddress",
        "ses:Recipient",
        "aws:PrincipalTag/exempt",
        "aws:PrincipalArn",
        "aws:TagKeys",
        "aws:SourceIp",
        "s3:prefix",
    ]);
    let value = prop::sample::select(vec![
        "*@example.com",
        "*example.com",
        "*@example.com*",
        "*@*",
        "example.com",
        "1",
        "2",
        "true",
        "false",
        "<domain>",
        "${aws:username}",
        "${TEAM}",
        "arn:aws:iam::*:role/admin-*",
        "",
    ]);
    (operator, key, prop::collection::vec(value, 0..3)).prop_map(|(operator, key, values)| {
        format!(
            "{}: {{{}: {}}}",
            json(operator),
            json(key),
            serde_json::to_string(&values).unwrap()
        )
    })
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn statement() -> impl Strategy<Value = String> {
    let action = prop::sample::select(vec![
        "ses:SendEmail",
        "ses:SendRawEmail",
        "ses:SendBulkEmail",
        "ses:Send*",
        "ses:*",
        "*",
        "ses:SendMail",
        "sesv2:SendEmail",
        "iam:TagRole",
        "ec2:RunInstances",
        "broken",
    ]);
    let element = prop::sample::select(vec!["Action", "Action", "Action", "NotAction"]);
    let effect = prop::sample::select(vec!["Deny", "Deny", "Deny", "Allow"]);
    (element, effect, prop::collection::vec(action, 1..4), prop::collection::vec(condition(), 0..3))
        .prop_map(|(element, effect, actions, conditions)| {
            format!(
                "{{\"Effect\": \"{effect}\", \"{element}\": {}, \"Resource\": \"*\", \
                 \"Condition\": {{{}}}}}",
                serde_json::to_string(&actions).unwrap(),
                conditions.join(", ")
            )
        })
}

fn document() -> impl Strategy<Value = String> {
    prop::collection::vec(statement(), 1..4).prop_map(|statements| {
        format!("{{\"Version\": \"2012-10-17\", \"Statement\": [{}]}}", statements.join(", "))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_document_what_slips_through_gets_past_it(text in document()) {
        replay(&text, &found(&text));
    }

    #[test]
    fn any_text_has_findings_or_is_a_policy(text in "\\PC{0,200}") {
        let findings = found(&text);
        let readable = parse(&text, &Limits::default()).is_ok();
        prop_assert!(readable || findings.iter().any(|f| f.diagnostic.severity == Severity::Error));
    }

    #[test]
    fn a_damaged_document_does_no_harm(text in document(), at in any::<prop::sample::Index>(), with in "\\PC{0,3}") {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..(at + 1), with.chars());
        let damaged: String = chars.into_iter().collect();
        found(&damaged);
    }
}
