//! What each adapter sends, and what it makes of the answers.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use aws::{Addresses, HubAccess};
use pipeline::ports::{
    Condition, Events, ExecutionStatus, Executions, FindingQuery, Hub, Mail, Mailer, Objects,
    ReadOne, ReadPolicies, ReadTree, Written,
};
use serde_json::json;

use common::{answering, header, once, sent, sent_json};

const MACHINE: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:checker";

#[tokio::test]
async fn a_list_of_organizations_asks_for_twenty_and_hands_the_token_on() {
    let page = json!({"Accounts": [], "NextToken": "again"}).to_string();
    let last = json!({"Accounts": [{"Id": "222222222222", "Name": "shop", "Email": "a@example.com",
        "State": "ACTIVE", "Paths": ["o-exampleorgid/r-exam/222222222222/"]}]});
    let (outside, client) = answering(&[(200, &[], &page), (200, &[], &last.to_string())]);
    let api = outside.organizations();
    let first = api.accounts(None).await.unwrap();
    // An empty page with a token is not the last.
    assert_eq!((first.items.len(), first.next.as_deref()), (0, Some("again")));
    let second = api.accounts(first.next.as_deref()).await.unwrap();
    assert_eq!(second.next, None);
    let account = &second.items[0];
    assert_eq!((account.id.as_str(), account.state.as_str()), ("222222222222", "ACTIVE"));
    assert_eq!(account.paths, ["o-exampleorgid/r-exam/222222222222/"]);
    assert_eq!(
        sent_json(&client),
        [json!({"MaxResults": 20}), json!({"MaxResults": 20, "NextToken": "again"})]
    );
}

#[tokio::test]
async fn an_account_without_state_has_its_retired_status() {
    let body = json!({"Account": {"Id": "222222222222", "Status": "SUSPENDED"}}).to_string();
    let account = once(200, &body).organizations().account("222222222222").await.unwrap();
    assert_eq!(account.state, "SUSPENDED");
    let body = json!({"Account": {"Id": "222222222222"}}).to_string();
    let account = once(200, &body).organizations().account("222222222222").await.unwrap();
    assert_eq!(account.state, "");
}

#[tokio::test]
async fn a_policy_type_that_the_sdk_does_not_know_is_kept() {
    let body = json!({"Roots": [{"Id": "r-exam", "Arn": "arn", "Name": "Root", "PolicyTypes": [
        {"Type": "SERVICE_CONTROL_POLICY", "Status": "PENDING_ENABLE"},
        {"Type": "NEW_POLICY", "Status": "NEW_STATUS"}]}]});
    let page = once(200, &body.to_string()).organizations().roots(None).await.unwrap();
    let pair = |kind: &str, status: &str| (kind.to_owned(), status.to_owned());
    assert_eq!(
        page.items[0].policy_types,
        [pair("SERVICE_CONTROL_POLICY", "PENDING_ENABLE"), pair("NEW_POLICY", "NEW_STATUS")]
    );
}

#[tokio::test]
async fn lists_of_policies_ask_for_service_control_policies_alone() {
    let (outside, client) = answering(&[(200, &[], "{}"), (200, &[], "{}")]);
    let api = outside.organizations();
    api.policies(None).await.unwrap();
    api.policies_on("r-exam", None).await.unwrap();
    for body in sent_json(&client) {
        assert_eq!(body["Filter"], "SERVICE_CONTROL_POLICY");
    }
}

#[tokio::test]
async fn a_policy_without_content_is_an_error_and_no_empty_policy() {
    for body in [
        json!({}),
        json!({"Policy": {"PolicySummary": {"Id": "p-example0", "Name": "a"}}}),
        json!({"Policy": {"Content": "{}"}}),
    ] {
        let error = once(200, &body.to_string()).organizations().content("p-example0").await;
        assert_eq!(error.unwrap_err().code, "IncompleteAnswer", "{body}");
    }
}

#[tokio::test]
async fn an_account_without_its_one_parent_is_an_error() {
    for parents in [json!([]), json!([{"Id": "r-exam"}, {"Id": "ou-exam-workload"}]), json!([{}])] {
        let body = json!({"Parents": parents}).to_string();
        let error = once(200, &body).organizations().parent_of("222222222222").await.unwrap_err();
        assert_eq!(error.code, "IncompleteAnswer", "{parents}");
    }
}

fn s3_error(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>")
}

#[tokio::test]
async fn an_object_that_is_not_there_is_none_and_no_error() {
    let bucket = once(404, &s3_error("NoSuchKey")).bucket("bucket");
    assert_eq!(bucket.get("state/run.json").await.unwrap(), None);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_an_error() {
    let bucket = once(404, &s3_error("NoSuchBucket")).bucket("bucket");
    let error = bucket.get("state/run.json").await.unwrap_err();
    assert_eq!(error.code, "NoSuchBucket");
    assert_eq!(error.message, "there is no bucket `bucket`");
}

#[tokio::test]
async fn an_object_comes_with_its_tag() {
    let (outside, _) = answering(&[(200, &[("etag", "\"tag\"")], "content")]);
    let object = outside.bucket("bucket").get("key").await.unwrap().unwrap();
    assert_eq!((object.bytes.as_slice(), object.tag.as_str()), (&b"content"[..], "\"tag\""));
}

#[tokio::test]
async fn conditions_of_a_write_are_headers() {
    let good: common::Answer<'_> = (200, &[("etag", "\"new\"")], "");
    let (outside, client) = answering(&[good, good, good]);
    let bucket = outside.bucket("bucket");
    for condition in [Condition::Always, Condition::IfAbsent, Condition::IfTag("\"old\"")] {
        let written = bucket.put("key", b"content".to_vec(), condition).await.unwrap();
        assert_eq!(written, Written::Yes("\"new\"".to_owned()));
    }
    assert_eq!(header(&client, "if-none-match"), [None, Some("*".to_owned()), None]);
    assert_eq!(header(&client, "if-match"), [None, None, Some("\"old\"".to_owned())]);
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_a_conflict() {
    for (status, code) in
        [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict"), (404, "NoSuchKey")]
    {
        let bucket = once(status, &s3_error(code)).bucket("bucket");
        let written = bucket.put("key", Vec::new(), Condition::IfTag("\"old\"")).await.unwrap();
        assert_eq!(written, Written::Conflict, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_is_recognized() {
    let down = s3_error("InternalError");
    let taken = s3_error("PreconditionFailed");
    let (outside, client) = answering(&[
        (500, &[], &down),
        (412, &[], &taken),
        (200, &[("etag", "\"mine\"")], "content"),
    ]);
    let bucket = outside.bucket("bucket");
    let written = bucket.put("key", b"content".to_vec(), Condition::IfAbsent).await.unwrap();
    assert_eq!(written, Written::Yes("\"mine\"".to_owned()));
    assert_eq!(client.actual_requests().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_somebody_else_made_meanwhile_is_a_conflict() {
    let down = s3_error("InternalError");
    let taken = s3_error("PreconditionFailed");
    let (outside, _) = answering(&[
        (500, &[], &down),
        (412, &[], &taken),
        (200, &[("etag", "\"theirs\"")], "something else"),
    ]);
    let bucket = outside.bucket("bucket");
    let written = bucket.put("key", b"content".to_vec(), Condition::IfAbsent).await.unwrap();
    assert_eq!(written, Written::Conflict);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_for_good_is_an_error_and_sent_four_times() {
    let down = s3_error("InternalError");
    let answer: common::Answer<'_> = (500, &[], &down);
    let (outside, client) = answering(&[answer; 6]);
    let error = outside.bucket("bucket").put("key", Vec::new(), Condition::Always).await;
    assert!(error.unwrap_err().is_retryable());
    assert_eq!(client.actual_requests().count(), 4);
}

fn listing(keys: &[&str], token: Option<&str>) -> String {
    let contents: String =
        keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
    let next = token.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |token| {
            format!(
                "<IsTruncated>true</IsTruncated>\
                 <NextContinuationToken>{token}</NextContinuationToken>"
            )
        },
    );
    format!("<?xml version=\"1.0\"?><ListBucketResult>{contents}{next}</ListBucketResult>")
}

#[tokio::test]
async fn a_list_of_keys_goes_on_to_the_last_page() {
    let pages = [listing(&["a", "b"], Some("1")), listing(&[], Some("2")), listing(&["c"], None)];
    let answers: Vec<common::Answer<'_>> =
        pages.iter().map(|page| (200, &[][..], page.as_str())).collect();
    let (outside, _) = answering(&answers);
    assert_eq!(outside.bucket("bucket").list("requests/").await.unwrap(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_list_of_keys_that_goes_in_circles_is_an_error_and_not_short() {
    let pages = [listing(&["a"], Some("1")), listing(&["b"], Some("1"))];
    let answers: Vec<common::Answer<'_>> =
        pages.iter().map(|page| (200, &[][..], page.as_str())).collect();
    let (outside, _) = answering(&answers);
    let error = outside.bucket("bucket").list("requests/").await.unwrap_err();
    assert_eq!(error.code, "RepeatedToken");
}

#[tokio::test]
async fn an_execution_that_exists_is_started() {
    let body = json!({"__type": "ExecutionAlreadyExists", "message": "m"}).to_string();
    once(400, &body).state_machine(MACHINE).start("run-1", "{}").await.unwrap();
}

#[tokio::test]
async fn an_execution_is_asked_for_by_its_own_arn() {
    let statuses = [
        ("RUNNING", ExecutionStatus::Running),
        ("PENDING_REDRIVE", ExecutionStatus::Running),
        ("SUCCEEDED", ExecutionStatus::Ended),
        ("FAILED", ExecutionStatus::Ended),
        ("TIMED_OUT", ExecutionStatus::Ended),
        ("ABORTED", ExecutionStatus::Ended),
    ];
    for (status, expected) in statuses {
        let body = json!({"executionArn": "arn", "stateMachineArn": MACHINE, "status": status,
            "startDate": 1.0});
        let (outside, client) = answering(&[(200, &[], &body.to_string())]);
        let found = outside.state_machine(MACHINE).status("run-1").await.unwrap();
        assert_eq!(found, expected, "{status}");
        let arn = "arn:aws:states:eu-west-1:111111111111:execution:checker:run-1";
        assert_eq!(sent_json(&client)[0]["executionArn"], arn);
    }
}

#[tokio::test]
async fn an_execution_that_does_not_exist_is_unknown() {
    let body = json!({"__type": "ExecutionDoesNotExist", "message": "m"}).to_string();
    let found = once(400, &body).state_machine(MACHINE).status("run-1").await.unwrap();
    assert_eq!(found, ExecutionStatus::Unknown);
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_an_error_and_not_an_end() {
    let body = json!({"executionArn": "arn", "stateMachineArn": MACHINE, "status": "NEW",
        "startDate": 1.0});
    let error = once(200, &body.to_string()).state_machine(MACHINE).status("run-1").await;
    assert_eq!(error.unwrap_err().code, "UnknownStatus");
}

#[tokio::test]
async fn findings_are_sent_as_they_are() {
    let finding = json!({"Id": "a", "Title": "Zürich", "FieldOfTheFuture": {"Deep": [1, 2.5, null]},
        "Resources": [{"Type": "AwsAccount", "Details": {"Other": {"k": "v"}}}]});
    let answer = json!({"FailedCount": 1, "SuccessCount": 0, "FailedFindings":
        [{"Id": "a", "ErrorCode": "InvalidAccess", "ErrorMessage": "no"}]});
    let (outside, client) = answering(&[(200, &[], &answer.to_string())]);
    let hub = outside.security_hub(HubAccess::Central);
    let refused = hub.import("111111111111", std::slice::from_ref(&finding)).await.unwrap();
    assert_eq!(sent_json(&client), [json!({"Findings": [finding]})]);
    let length = sent(&client)[0].len().to_string();
    assert_eq!(header(&client, "content-length"), [Some(length)]);
    assert_eq!((refused[0].id.as_str(), refused[0].code.as_str()), ("a", "InvalidAccess"));
}

#[tokio::test]
async fn a_refusal_without_its_finding_is_an_error() {
    let answer = json!({"FailedCount": 2, "SuccessCount": 0, "FailedFindings": [{"Id": "a",
        "ErrorCode": "InternalException", "ErrorMessage": "no"}]});
    let hub = once(200, &answer.to_string()).security_hub(HubAccess::Central);
    let error = hub.import("111111111111", &[json!({"Id": "a"}), json!({"Id": "b"})]).await;
    assert!(error.unwrap_err().is_retryable());
}

#[tokio::test]
async fn an_update_sets_the_workflow_and_nothing_else() {
    let answer = json!({"ProcessedFindings": [], "UnprocessedFindings": [{"FindingIdentifier":
        {"Id": "a", "ProductArn": "arn"}, "ErrorCode": "FindingNotFound", "ErrorMessage": "m"}]});
    let (outside, client) = answering(&[(200, &[], &answer.to_string())]);
    let hub = outside.security_hub(HubAccess::Central);
    let refused = hub.resolve("111111111111", &[("a".to_owned(), "arn".to_owned())]).await.unwrap();
    assert_eq!(
        sent_json(&client),
        [json!({"FindingIdentifiers": [{"Id": "a", "ProductArn": "arn"}],
            "Workflow": {"Status": "RESOLVED"}})]
    );
    assert_eq!((refused[0].id.as_str(), refused[0].code.as_str()), ("a", "FindingNotFound"));
}

/// The SDK reads a finding with more stack than a test's thread has without optimization, though
/// far less than a function's main thread.
#[test]
fn findings_are_looked_for_in_the_account_that_wrote_them() {
    let test = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(looks_for_findings());
    };
    std::thread::Builder::new().stack_size(8 << 20).spawn(test).unwrap().join().unwrap();
}

async fn looks_for_findings() {
    let answer = json!({"Findings": [{"SchemaVersion": "2018-10-08", "Id": "a",
        "ProductArn": "arn", "GeneratorId": "g", "AwsAccountId": "111111111111",
        "CreatedAt": "2026-11-23T00:00:00.000Z", "UpdatedAt": "2026-11-23T00:00:01.000Z",
        "Title": "t", "Description": "d", "Resources": [{"Type": "Other", "Id": "r"}],
        "Compliance": {"Status": "FAILED"}, "RecordState": "ACTIVE",
        "Workflow": {"Status": "SUPPRESSED"}, "ProductFields": {"k": "v"}}], "NextToken": "more"});
    let text = answer.to_string();
    let (outside, client) = answering(&[(200, &[], &text), (200, &[], &text)]);
    let hub = outside.security_hub(HubAccess::Central);
    let wanted = FindingQuery::OfProduct { product: "our product", slots: &[3, 19] };
    let page = hub.find("111111111111", wanted, None).await.unwrap();
    let ids = ["a".to_owned(), "b".to_owned()];
    hub.find("111111111111", FindingQuery::WithIds(&ids), Some("more")).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("more"));
    let found = &page.items[0];
    assert_eq!(found.compliance.as_deref(), Some("FAILED"));
    assert_eq!((found.record_state.as_str(), found.workflow.as_str()), ("ACTIVE", "SUPPRESSED"));
    assert_eq!(found.updated_at, "2026-11-23T00:00:01.000Z");
    assert_eq!(found.product_fields["k"], "v");
    let equals = |value: &str| json!([{"Value": value, "Comparison": "EQUALS"}]);
    assert_eq!(
        sent_json(&client),
        [
            json!({"Filters": {"AwsAccountId": equals("111111111111"),
                "ProductName": equals("our product"), "RecordState": equals("ACTIVE"),
                "ProductFields": [
                    {"Key": "ses-perimeter/slot", "Value": "3", "Comparison": "EQUALS"},
                    {"Key": "ses-perimeter/slot", "Value": "19", "Comparison": "EQUALS"}]},
                "MaxResults": 100}),
            json!({"Filters": {"AwsAccountId": equals("111111111111"),
                "Id": [{"Value": "a", "Comparison": "EQUALS"},
                    {"Value": "b", "Comparison": "EQUALS"}]},
                "MaxResults": 100, "NextToken": "more"}),
        ]
    );
}

fn session(key: &str) -> String {
    format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>\
         <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
         </AssumeRoleResponse>"
    )
}

#[tokio::test]
async fn the_role_of_a_member_is_assumed_once_for_each_account() {
    let ok = json!({"FailedCount": 0, "SuccessCount": 1}).to_string();
    let (first, second) = (session("KEY2"), session("KEY3"));
    let (outside, client) = answering(&[
        (200, &[], &first),
        (200, &[], &ok),
        (200, &[], &ok),
        (200, &[], &second),
        (200, &[], &ok),
    ]);
    let hub = outside.security_hub(HubAccess::Members {
        partition: "aws-us-gov".to_owned(),
        role: "perimeter/Findings".to_owned(),
        external_id: Some("secret-word".to_owned()),
    });
    for account in ["222222222222", "222222222222", "333333333333"] {
        assert_eq!(hub.import(account, &[json!({})]).await.unwrap(), []);
    }
    let bodies = sent(&client);
    assert!(bodies[0].contains(
        "RoleArn=arn%3Aaws-us-gov%3Aiam%3A%3A222222222222%3Arole%2Fperimeter%2FFindings"
    ));
    assert!(bodies[0].contains("ExternalId=secret-word"));
    assert!(bodies[0].contains("RoleSessionName=ses-perimeter"));
    let signers: Vec<String> =
        header(&client, "authorization").into_iter().map(Option::unwrap).collect();
    assert!(signers[1].contains("Credential=KEY2/") && signers[2].contains("Credential=KEY2/"));
    assert!(signers[4].contains("Credential=KEY3/"));
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_named() {
    let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message>\
                </Error></ErrorResponse>";
    let hub = once(403, body).security_hub(HubAccess::Members {
        partition: "aws".to_owned(),
        role: "Findings".to_owned(),
        external_id: None,
    });
    let error = hub.import("222222222222", &[json!({})]).await.unwrap_err();
    assert_eq!(error.permission, "sts:AssumeRole");
    assert_eq!(error.failure, pipeline::ports::Failure::Denied);
    assert_eq!(error.message, "`arn:aws:iam::222222222222:role/Findings`: not authorized");
}

#[tokio::test]
async fn refused_events_are_counted() {
    let answer = json!({"FailedEntryCount": 1, "Entries": [{"EventId": "1"},
        {"ErrorCode": "InternalFailure", "ErrorMessage": "m"}]});
    let (outside, client) = answering(&[(200, &[], &answer.to_string())]);
    let details = ["{\"a\":1}".to_owned(), "{\"a\":2}".to_owned()];
    assert_eq!(outside.bus().put("Verdict changed", &details).await.unwrap(), 1);
    let entry = |detail: &str| {
        json!({"Source": pipeline::wire::EVENT_SOURCE,
        "DetailType": "Verdict changed", "Detail": detail})
    };
    assert_eq!(sent_json(&client), [json!({"Entries": [entry("{\"a\":1}"), entry("{\"a\":2}")]})]);
}

fn mail() -> Mail {
    Mail { subject: "Züge".to_owned(), text: "plain".to_owned(), html: "<p>rich</p>".to_owned() }
}

#[tokio::test]
async fn a_mail_has_both_parts_in_utf_8() {
    let answer = "<SendEmailResponse><SendEmailResult><MessageId>1</MessageId></SendEmailResult>\
                  </SendEmailResponse>";
    let (outside, client) = answering(&[(200, &[], answer)]);
    let addresses = Addresses {
        from: "perimeter@example.com".to_owned(),
        to: vec!["a@example.com".to_owned(), "b@example.com".to_owned()],
    };
    outside.mailer(Some(addresses)).send(&mail()).await.unwrap();
    let body = &sent(&client)[0];
    for part in [
        "Action=SendEmail",
        "Source=perimeter%40example.com",
        "Destination.ToAddresses.member.1=a%40example.com",
        "Destination.ToAddresses.member.2=b%40example.com",
        "Message.Subject.Data=Z%C3%BCge",
        "Message.Body.Text.Data=plain",
        "Message.Body.Html.Data=%3Cp%3Erich%3C%2Fp%3E",
        "Message.Body.Html.Charset=UTF-8",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
}

#[tokio::test]
async fn without_addresses_no_mail_is_sent() {
    let (outside, client) = answering(&[]);
    outside.mailer(None).send(&mail()).await.unwrap();
    assert_eq!(client.actual_requests().count(), 0);
}
