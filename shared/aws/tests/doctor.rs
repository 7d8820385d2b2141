//! What `doctor` finds out.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use std::future::Future;

use aws::Outside;
use aws::doctor::{Check, DoctorOptions, DoctorOutcome, DoctorReport, examine};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::test_util::NeverClient;
use serde_json::{Value, json};

use common::{Answer, answering, through_as};

const CALLER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:sts::111111111111:assumed-role/auditor/me</Arn><UserId>U</UserId>\
    <Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// The SDK reads findings with more stack than a test's thread has without optimization.
fn on_a_wide_stack<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test());
    };
    std::thread::Builder::new().stack_size(8 << 20).spawn(run).unwrap().join().unwrap();
}

/// The answers to everything, in the order of the calls, where nothing is missing.
fn healthy() -> Vec<(u16, Value)> {
    let ok = |body: Value| (200, body);
    vec![
        ok(json!({"Organization": {"Id": "o-exampleorgid", "FeatureSet": "ALL",
            "MasterAccountId": "111111111111"}})),
        ok(json!({"Roots": [{"Id": "r-exam", "Arn": "a", "Name": "Root", "PolicyTypes":
            [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]})),
        ok(json!({"Accounts": [{"Id": "222222222222"}]})),
        ok(json!({"Account": {"Id": "222222222222"}})),
        ok(json!({"Parents": [{"Id": "r-exam", "Type": "ROOT"}]})),
        ok(json!({"Accounts": []})),
        ok(json!({"OrganizationalUnits": [{"Id": "ou-exam-workload"}]})),
        ok(json!({"OrganizationalUnit": {"Id": "ou-exam-workload"}})),
        ok(json!({"Policies": [{"Id": "p-FullAWSAccess", "Name": "FullAWSAccess"}]})),
        ok(json!({"Targets": []})),
        ok(json!({"Policy": {"PolicySummary": {"Id": "p-FullAWSAccess"}, "Content": "{}"}})),
        ok(json!({"Policies": []})),
        ok(json!({"HubArn": "arn:aws:securityhub:eu-west-1:111111111111:hub/default"})),
        ok(json!({"Findings": []})),
    ]
}

async fn report(answers: &[(u16, Value)]) -> DoctorReport {
    let bodies: Vec<String> = answers.iter().map(|(_, body)| body.to_string()).collect();
    let mut all: Vec<Answer<'_>> = vec![(200, &[], CALLER)];
    all.extend(
        answers.iter().zip(&bodies).map(|((status, _), body)| (*status, &[][..], body.as_str())),
    );
    examine(&answering(&all).0, &DoctorOptions::default()).await
}

fn check<'r>(report: &'r DoctorReport, name: &str) -> &'r Check {
    report.checks.iter().find(|check| check.check == name).unwrap()
}

#[test]
fn where_nothing_is_missing_every_permission_was_tried_or_says_why_not() {
    on_a_wide_stack(|| async {
        let report = report(&healthy()).await;
        let missing: Vec<&Check> =
            report.checks.iter().filter(|check| check.status == DoctorOutcome::Missing).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(!report.no_access);
        let functions = aws::permissions::FUNCTIONS;
        let needed = functions
            .iter()
            .flat_map(|function| function.calls.iter().copied().flatten())
            .map(|call| call.permission())
            .filter(|action| {
                action.starts_with("organizations:") || action.starts_with("securityhub:")
            });
        for action in needed {
            let found = check(&report, action);
            assert!(
                found.status == DoctorOutcome::Ok || found.detail.contains("without"),
                "{found:?}"
            );
        }
    });
}

#[test]
fn a_denied_read_is_named_with_what_to_grant_to_whom() {
    on_a_wide_stack(|| async {
        let mut answers = healthy();
        answers[9] = (400, json!({"__type": "AccessDeniedException", "Message": "no"}));
        let report = report(&answers).await;
        let found = check(&report, "organizations:ListTargetsForPolicy");
        assert_eq!(found.status, DoctorOutcome::Missing);
        let help = found.help.as_deref().unwrap();
        assert!(help.contains("grant `organizations:ListTargetsForPolicy`"), "{help}");
        assert!(help.contains("arn:aws:sts::111111111111:assumed-role/auditor/me"), "{help}");
        assert_eq!(report.count(DoctorOutcome::Missing), 1);
    });
}

#[test]
fn a_type_that_is_not_enabled_is_missing() {
    for types in
        [json!([]), json!([{"Type": "SERVICE_CONTROL_POLICY", "Status": "PENDING_ENABLE"}])]
    {
        on_a_wide_stack(|| async {
            let mut answers = healthy();
            answers[1].1["Roots"][0]["PolicyTypes"] = types;
            let report = report(&answers).await;
            assert_eq!(check(&report, "SCP policy type").status, DoctorOutcome::Missing);
        });
    }
}

#[test]
fn security_hub_that_is_off_is_told_from_a_missing_permission() {
    on_a_wide_stack(|| async {
        let mut answers = healthy();
        let off = (401, json!({"__type": "InvalidAccessException", "Message": "not subscribed"}));
        answers[12] = off.clone();
        answers[13] = off;
        let report = report(&answers).await;
        let found = check(&report, "Security Hub");
        assert_eq!(found.status, DoctorOutcome::Missing);
        assert!(found.detail.contains("not enabled in eu-west-1"), "{found:?}");
        assert_eq!(report.count(DoctorOutcome::Missing), 1);
    });
}

#[test]
fn a_caller_in_the_wrong_account_is_told_so() {
    on_a_wide_stack(|| async {
        let mut answers = healthy();
        answers[0].1["Organization"]["MasterAccountId"] = json!("999999999999");
        answers.insert(1, (200, json!({"DelegatedAdministrators": [{"Id": "333333333333"}]})));
        let report = report(&answers).await;
        let found = check(&report, "place");
        assert_eq!(found.status, DoctorOutcome::Missing);
        assert!(found.help.as_deref().unwrap().contains("999999999999"), "{found:?}");
    });
}

#[test]
fn a_delegated_administrator_is_in_the_right_place() {
    on_a_wide_stack(|| async {
        let mut answers = healthy();
        answers[0].1["Organization"]["MasterAccountId"] = json!("999999999999");
        // On the second page.
        answers.insert(1, (200, json!({"DelegatedAdministrators": [], "NextToken": "more"})));
        answers.insert(2, (200, json!({"DelegatedAdministrators": [{"Id": "111111111111"}]})));
        let report = report(&answers).await;
        assert_eq!(check(&report, "place").status, DoctorOutcome::Ok);
        let events = check(&report, "events");
        assert!(events.detail.contains("waits for the schedule"), "{events:?}");
        assert!(events.help.as_ref().is_some_and(|help| help.contains("forwarding.yaml")));
    });
}

#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("none anywhere")))
    }
}

#[tokio::test]
async fn without_credentials_nothing_else_is_tried() {
    let config = through_as(NeverClient::new(), SharedCredentialsProvider::new(Nobody));
    let outside = Outside::new(config, aws::permissions::PROGRAM.calls);
    let report = examine(&outside, &DoctorOptions::default()).await;
    assert!(report.no_access);
    assert_eq!(report.checks.len(), 2);
    let found = check(&report, "credentials");
    assert_eq!(found.status, DoctorOutcome::Missing);
    assert!(found.help.as_deref().unwrap().contains("AWS_PROFILE"), "{found:?}");
}
