//! AWS as a list of prepared answers.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use aws::Outside;
use aws::call::Call;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::HttpClient;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::Value;

/// An answer: the status, headers, the body.
pub type Answer<'a> = (u16, &'a [(&'a str, &'a str)], &'a str);

/// AWS that gives these answers, one after the other, to any of our calls.
pub fn answering(answers: &[Answer<'_>]) -> (Outside, StaticReplayClient) {
    let events = answers.iter().map(|(status, headers, body)| {
        let request = http::Request::builder().uri("https://any.example").body(SdkBody::empty());
        let mut response = http::Response::builder().status(*status);
        for (name, value) in *headers {
            response = response.header(*name, *value);
        }
        ReplayEvent::new(request.unwrap(), response.body(SdkBody::from(*body)).unwrap())
    });
    let client = StaticReplayClient::new(events.collect());
    (Outside::new(through(client.clone()), &[Call::ALL]), client)
}

/// AWS whose only answer has this status and body.
pub fn once(status: u16, body: &str) -> Outside {
    answering(&[(status, &[], body)]).0
}

/// A configuration that sends everything to this client.
pub fn through(client: impl HttpClient + 'static) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    through_as(client, SharedCredentialsProvider::new(credentials))
}

/// The same with credentials of its own.
pub fn through_as(
    client: impl HttpClient + 'static,
    credentials: SharedCredentialsProvider,
) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(credentials)
        .http_client(client)
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .timeout_config(
            TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(20)).build(),
        )
        .build()
}

/// The bodies that were sent, in order.
pub fn sent(client: &StaticReplayClient) -> Vec<String> {
    client
        .actual_requests()
        .map(|request| String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap())
        .collect()
}

/// The bodies that were sent, as JSON.
pub fn sent_json(client: &StaticReplayClient) -> Vec<Value> {
    sent(client).iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

/// A header of each request that was sent.
pub fn header(client: &StaticReplayClient, name: &str) -> Vec<Option<String>> {
    client.actual_requests().map(|request| request.headers().get(name).map(str::to_owned)).collect()
}
