//! What an error of AWS becomes.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use aws::Outside;
use aws::call::{Call, NOT_DECLARED};
use aws::errors::NO_CREDENTIALS;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::test_util::NeverClient;
use pipeline::ports::{CallError, Failure, FindingQuery, Hub, ReadOne, ReadPolicies, ReadTree};
use serde_json::json;

use common::{answering, once, sent, through, through_as};

/// The error of ListRoots where Organizations answers with this code.
async fn organizations(status: u16, code: &str) -> CallError {
    let body = json!({"__type": code, "Message": "the reason"}).to_string();
    once(status, &body).organizations().roots(None).await.unwrap_err()
}

#[tokio::test]
async fn each_code_has_its_kind() {
    let kinds = [
        (Failure::Throttled, 400, "TooManyRequestsException"),
        (Failure::Throttled, 400, "ThrottlingException"),
        (Failure::Throttled, 400, "Throttling"),
        (Failure::Throttled, 400, "RequestLimitExceeded"),
        (Failure::Throttled, 429, "LimitExceededException"),
        (Failure::Concurrent, 400, "ConcurrentModificationException"),
        (Failure::Concurrent, 400, "PolicyChangesInProgressException"),
        (Failure::Unavailable, 500, "ServiceException"),
        (Failure::Unavailable, 400, "ServiceException"),
        (Failure::Unavailable, 500, "InternalFailure"),
        (Failure::Unavailable, 503, "SomethingNew"),
        (Failure::NotFound, 400, "PolicyNotFoundException"),
        (Failure::NotFound, 400, "TargetNotFoundException"),
        (Failure::NotFound, 400, "AccountNotFoundException"),
        (Failure::NotFound, 400, "ParentNotFoundException"),
        (Failure::NotFound, 400, "ChildNotFoundException"),
        (Failure::NotFound, 400, "OrganizationalUnitNotFoundException"),
        (Failure::Denied, 400, "AccessDeniedException"),
        (Failure::Denied, 400, "AccessDeniedForDependencyException"),
        (Failure::Denied, 400, "UnrecognizedClientException"),
        (Failure::Denied, 400, "ExpiredTokenException"),
        (Failure::Denied, 403, "SomethingNew"),
        (Failure::Other, 400, "InvalidInputException"),
        (Failure::Other, 400, "AWSOrganizationsNotInUseException"),
        (Failure::Other, 400, "SomethingNew"),
    ];
    for (kind, status, code) in kinds {
        let error = organizations(status, code).await;
        assert_eq!(error.failure, kind, "{status} {code}");
        assert_eq!(error.code, code);
        assert_eq!(error.message, "the reason", "{code}");
        assert_eq!(error.permission, "organizations:ListRoots");
    }
}

#[tokio::test]
async fn a_page_in_html_is_a_service_that_is_down() {
    for status in [500, 502, 503, 504] {
        let outside = once(status, "<html><body>oops</body></html>");
        let error = outside.organizations().roots(None).await.unwrap_err();
        assert_eq!(error.failure, Failure::Unavailable, "{status}");
        assert_eq!(error.code, format!("HTTP {status}"));
    }
}

#[tokio::test]
async fn a_success_in_html_is_no_success() {
    let outside = once(200, "<html><body>please sign in</body></html>");
    let error = outside.organizations().roots(None).await.unwrap_err();
    assert_eq!(error.failure, Failure::Unavailable);
}

#[tokio::test]
async fn a_throttled_call_to_organizations_is_sent_once() {
    let body = json!({"__type": "TooManyRequestsException"}).to_string();
    let (outside, client) = answering(&[(400, &[], &body), (200, &[], "{}")]);
    let error = outside.organizations().content("p-example0").await.unwrap_err();
    assert_eq!(error.failure, Failure::Throttled);
    assert_eq!(sent(&client).len(), 1);
}

#[tokio::test]
async fn security_hub_that_is_off_is_denied_with_its_code() {
    let headers = [("x-amzn-errortype", "InvalidAccessException")];
    let body = json!({"Message": "Account 1 is not subscribed to AWS Security Hub"}).to_string();
    let (outside, _) = answering(&[(401, &headers, &body)]);
    let hub = outside.security_hub(aws::HubAccess::Central);
    let error = hub
        .find("111111111111", FindingQuery::OfProduct { product: "x", slots: &[] }, None)
        .await
        .unwrap_err();
    assert_eq!((error.failure, error.code.as_str()), (Failure::Denied, "InvalidAccessException"));
    assert_eq!(error.permission, "securityhub:GetFindings");
}

#[tokio::test]
async fn a_denied_call_says_what_to_grant() {
    let error = organizations(400, "AccessDeniedException").await;
    assert!(error.to_string().contains("grant `organizations:ListRoots`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_time_may_come_later() {
    let outside = Outside::new(through(NeverClient::new()), &[Call::ALL]);
    let error = outside.organizations().roots(None).await.unwrap_err();
    assert_eq!((error.failure, error.code.as_str()), (Failure::Unavailable, "Timeout"));
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
async fn missing_credentials_are_named_as_such() {
    let config = through_as(NeverClient::new(), SharedCredentialsProvider::new(Nobody));
    let error = Outside::new(config, &[Call::ALL]).organizations().head().await.unwrap_err();
    assert_eq!((error.failure, error.code.as_str()), (Failure::Other, NO_CREDENTIALS));
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_call_that_is_not_declared_is_not_made() {
    let (_, client) = answering(&[(200, &[], "{}")]);
    let outside = Outside::new(through(client.clone()), &[&[Call::ListRoots]]);
    let error = outside.organizations().accounts(None).await.unwrap_err();
    assert_eq!((error.failure, error.code.as_str()), (Failure::Other, NOT_DECLARED));
    assert_eq!(sent(&client).len(), 0);
}
