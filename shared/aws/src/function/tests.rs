use std::cell::Cell;
use std::time::Duration;

use pipeline::wire::RunRef;
use serde_json::json;

use super::*;
use crate::permissions::START_CHECK;

fn failure(input: &Value) -> Failed {
    parse::<RunRef>(input).unwrap_err()
}

#[test]
fn an_unknown_version_is_refused_with_both_versions() {
    for version in [json!(2), json!(0), json!("1"), json!(null)] {
        let failed = failure(&json!({"schemaVersion": version, "runId": "run-1"}));
        assert_eq!(failed.kind, FailureKind::Input);
        assert!(failed.message.contains(&format!("version {version}")), "{failed}");
        assert!(failed.message.contains("understands version 1"), "{failed}");
    }
}

#[test]
fn an_unknown_field_is_refused_by_name() {
    let failed = failure(&json!({"runId": "run-1", "runID": "run-2"}));
    assert_eq!(failed.kind, FailureKind::Input);
    assert!(failed.message.contains("`runID`"), "{failed}");
}

#[test]
fn the_run_is_found_wherever_an_input_names_it() {
    for input in [
        json!({"runId": "run-1"}),
        json!({"shard": {"runId": "run-1", "shard": 3}}),
        json!({"report": {"runId": "run-1"}}),
        json!({"finish": {"runId": "run-1", "succeeded": true}}),
    ] {
        assert_eq!(run_of(&input), Some("run-1"), "{input}");
    }
    assert_eq!(run_of(&json!({"runId": ""})), None);
    assert_eq!(run_of(&json!({"source": "aws.organizations"})), None);
}

#[derive(Debug, thiserror::Error)]
#[error("the outer")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("the inner")]
struct Inner;

#[test]
fn a_message_tells_the_whole_chain() {
    assert_eq!(Failed::new(FailureKind::Call, &Outer(Inner)).message, "the outer: the inner");
}

#[derive(Serialize)]
struct Done;

impl Answer for Done {
    fn run_id(&self) -> Option<&str> {
        None
    }
    fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }
}

fn event(text: &str) -> Event {
    serde_json::from_str(text).unwrap()
}

async fn invoke(
    text: &str,
    handler: impl AsyncFn(Invocation) -> Result<Done, Failed>,
) -> Result<Value, Diagnostic> {
    let mut context = Context::default();
    let deadline = SystemTime::now() + Duration::from_secs(60);
    let since = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    context.deadline = u64::try_from(since.as_millis()).unwrap();
    let event = Event::deserialize(&mut serde_json::Deserializer::from_str(text)).unwrap();
    answer(START_CHECK, &handler, event, &context).await
}

#[tokio::test]
async fn what_is_not_json_fails_as_input_and_reaches_no_handler() {
    let called = Cell::new(false);
    let error = invoke("{\"runId\": ", async |_| {
        called.set(true);
        Ok(Done)
    })
    .await
    .unwrap_err();
    assert_eq!(error.error_type, "InputError");
    assert!(error.error_message.starts_with("the input is not JSON: "), "{error:?}");
    assert!(!called.get());
}

#[tokio::test]
async fn a_failure_has_the_type_of_its_kind() {
    for (kind, name) in [
        (FailureKind::Input, "InputError"),
        (FailureKind::Settings, "SettingsError"),
        (FailureKind::Permission, "PermissionError"),
        (FailureKind::DamagedObject, "DamagedObjectError"),
        (FailureKind::SecurityHubOff, "SecurityHubOffError"),
        (FailureKind::Retryable, "RetryableError"),
        (FailureKind::Call, "CallError"),
        (FailureKind::Superseded, "SupersededError"),
        (FailureKind::Defect, "DefectError"),
    ] {
        let error = invoke("{}", async |_| Err(Failed { kind, message: "why".to_owned() }))
            .await
            .unwrap_err();
        assert_eq!((error.error_type.as_str(), error.error_message.as_str()), (name, "why"));
    }
}

#[tokio::test]
async fn the_deadline_is_lambdas() {
    invoke("{}", async |invocation| {
        let left = invocation.deadline.duration_since(Instant::now());
        assert!(left <= Duration::from_secs(60) && left > Duration::from_secs(30), "{left:?}");
        Ok(Done)
    })
    .await
    .unwrap();
}

#[test]
fn a_deadline_that_is_past_leaves_nothing() {
    let mut context = Context::default();
    context.deadline = 1;
    assert_eq!(left(&context, SystemTime::now()), Duration::ZERO);
}

#[test]
fn an_event_is_any_json() {
    assert_eq!(event("[1]").0, Ok(json!([1])));
}
