//! What reading exposure sends, and what it makes of the answers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use aws::{ExposureAccess, ExposureReader, Outside};
use aws_smithy_cbor::Encoder;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_types::body::SdkBody;
use pipeline::ports::{CallError, Failure, Page};
use pipeline::reading::{
    AccountAnswer, AccountRegion, ActionItem, DataPoint, EndpointItem, InRegion, IngressPointItem,
    Opened, QuotaItem, RegionState, RelayItem, SesReader, VerifiedItem,
};
use serde_json::{Value, json};

use common::through;

const ACCOUNT: &str = "222222222222";

fn place() -> AccountRegion {
    AccountRegion { account: ACCOUNT.to_owned(), region: "eu-central-1".to_owned() }
}

fn access() -> ExposureAccess {
    ExposureAccess {
        partition: "aws".to_owned(),
        role: "SesPerimeterReadExposure".to_owned(),
        external_id: Some("secret-word".to_owned()),
    }
}

fn session(key: &str, expiration: &str) -> String {
    format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>\
         <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
         <Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult>\
         </AssumeRoleResponse>"
    )
}

/// AWS that gives these answers, whatever is asked.
fn answering(answers: Vec<(u16, Vec<u8>)>) -> (ExposureReader, StaticReplayClient) {
    let events = answers.into_iter().map(|(status, body)| {
        let request = http::Request::builder().uri("https://any.example").body(SdkBody::empty());
        let response = http::Response::builder()
            .status(status)
            .header("smithy-protocol", "rpc-v2-cbor")
            .body(SdkBody::from(body));
        ReplayEvent::new(request.unwrap(), response.unwrap())
    });
    let client = StaticReplayClient::new(events.collect());
    let outside = Outside::new(through(client.clone()), aws::permissions::READ_EXPOSURE.calls);
    (outside.exposure(access()), client)
}

/// AWS that lets the role be assumed and then gives one answer.
fn once(status: u16, body: impl Into<Vec<u8>>) -> (ExposureReader, StaticReplayClient) {
    let session = session("KEY", "2999-01-01T00:00:00Z").into_bytes();
    answering(vec![(200, session), (status, body.into())])
}

fn cbor(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encode(&mut encoder, value);
    encoder.into_writer()
}

fn encode(encoder: &mut Encoder, value: &Value) {
    match value {
        Value::Null => drop(encoder.null()),
        Value::Bool(flag) => drop(encoder.boolean(*flag)),
        Value::Number(number) => drop(encoder.long(number.as_i64().unwrap())),
        Value::String(text) => drop(encoder.str(text)),
        Value::Array(items) => {
            encoder.array(items.len());
            items.iter().for_each(|item| encode(encoder, item));
        }
        Value::Object(members) => {
            encoder.map(members.len());
            for (name, value) in members {
                encoder.str(name);
                encode(encoder, value);
            }
        }
    }
}

fn bodies(client: &StaticReplayClient) -> Vec<Vec<u8>> {
    client.actual_requests().map(|request| request.body().bytes().unwrap().to_vec()).collect()
}

/// The host, and the account's key and service that the request is signed with.
fn signed(client: &StaticReplayClient) -> Vec<(String, String)> {
    let request = |request: &aws_smithy_runtime_api::http::Request| {
        let uri: http::Uri = request.uri().parse().unwrap();
        let authorization = request.headers().get("authorization").unwrap_or_default();
        let scope = authorization.split("Credential=").nth(1).unwrap_or_default();
        let parts: Vec<&str> = scope.split('/').collect();
        (uri.host().unwrap().to_owned(), format!("{} {} {}", parts[0], parts[2], parts[3]))
    };
    client.actual_requests().map(request).collect()
}

fn incomplete<T: std::fmt::Debug>(answer: Result<T, CallError>, permission: &str) {
    let error = answer.unwrap_err();
    assert_eq!((error.permission, error.code.as_str()), (permission, "IncompleteAnswer"));
    assert_eq!(error.failure, Failure::Other);
}

#[tokio::test]
async fn a_role_is_assumed_once_for_all_regions_with_the_external_id_and_its_own_name() {
    let quota = "<GetAccountSendingEnabledResponse><GetAccountSendingEnabledResult>\
                 <Enabled>true</Enabled></GetAccountSendingEnabledResult>\
                 </GetAccountSendingEnabledResponse>";
    let ok = (200, quota.as_bytes().to_vec());
    let far = "2999-01-01T00:00:00Z";
    let (reader, client) = answering(vec![
        (200, session("KEY2", far).into_bytes()),
        ok.clone(),
        ok.clone(),
        (200, session("KEY3", far).into_bytes()),
        ok,
    ]);
    assert_eq!(reader.open(ACCOUNT).await.unwrap(), Opened::Open);
    assert!(reader.sending_enabled(&place()).await.unwrap());
    let there = AccountRegion { region: "us-east-1".to_owned(), ..place() };
    assert!(reader.sending_enabled(&there).await.unwrap());
    let other = AccountRegion { account: "333333333333".to_owned(), ..there };
    assert!(reader.sending_enabled(&other).await.unwrap());
    let assume = String::from_utf8(bodies(&client)[0].clone()).unwrap();
    for part in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2FSesPerimeterReadExposure",
        "ExternalId=secret-word",
        "RoleSessionName=ses-perimeter-read-exposure",
    ] {
        assert!(assume.contains(part), "{assume}");
    }
    let pair = |host: &str, scope: &str| (host.to_owned(), scope.to_owned());
    assert_eq!(
        signed(&client),
        [
            pair("sts.eu-west-1.amazonaws.com", "AKIDEXAMPLE eu-west-1 sts"),
            pair("email.eu-central-1.amazonaws.com", "KEY2 eu-central-1 ses"),
            pair("email.us-east-1.amazonaws.com", "KEY2 us-east-1 ses"),
            pair("sts.eu-west-1.amazonaws.com", "AKIDEXAMPLE eu-west-1 sts"),
            pair("email.us-east-1.amazonaws.com", "KEY3 us-east-1 ses"),
        ]
    );
}

#[tokio::test]
async fn a_session_that_does_not_outlast_the_work_is_replaced() {
    let (reader, client) = answering(vec![
        (200, session("OLD", "2001-01-01T00:00:00Z").into_bytes()),
        (200, session("NEW", "2999-01-01T00:00:00Z").into_bytes()),
        (200, br#"{"Regions": []}"#.to_vec()),
    ]);
    reader.open(ACCOUNT).await.unwrap();
    reader.regions(ACCOUNT, None).await.unwrap();
    assert!(signed(&client)[2].1.starts_with("NEW "));
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_denied_whether_or_not_it_is_there() {
    let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message>\
                </Error></ErrorResponse>";
    let (reader, _) = answering(vec![(403, body.into())]);
    let error = reader.open(ACCOUNT).await.unwrap_err();
    assert_eq!((error.permission, error.failure), ("sts:AssumeRole", Failure::Denied));
    assert!(error.message.contains("role/SesPerimeterReadExposure"), "{}", error.message);
}

#[tokio::test]
async fn regions_that_are_switched_off_are_not_said_to_be_never_on() {
    let page = json!({"Regions": [
        {"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"},
        {"RegionName": "af-south-1", "RegionOptStatus": "ENABLED"},
        {"RegionName": "ap-east-2", "RegionOptStatus": "ENABLING"},
        {"RegionName": "eu-south-1", "RegionOptStatus": "DISABLING"},
        {"RegionName": "me-south-1", "RegionOptStatus": "DISABLED"}], "NextToken": "more"});
    let (reader, client) = once(200, page.to_string());
    let page = reader.regions(ACCOUNT, Some("token")).await.unwrap();
    let states: Vec<RegionState> = page.items.iter().map(|item| item.state).collect();
    assert_eq!(states[..4], [RegionState::Enabled; 4]);
    assert_eq!(states[4], RegionState::Disabled);
    assert_eq!(page.next.as_deref(), Some("more"));
    let sent: Value = serde_json::from_slice(&bodies(&client)[1]).unwrap();
    assert_eq!(sent, json!({"MaxResults": 50, "NextToken": "token"}));
}

#[tokio::test]
async fn a_region_of_unknown_status_is_an_error_that_says_so() {
    let page = json!({"Regions": [{"RegionName": "us-east-1", "RegionOptStatus": "PAUSED"}]});
    let error = once(200, page.to_string()).0.regions(ACCOUNT, None).await.unwrap_err();
    assert_eq!(error.code, "UnknownStatus");
    assert!(error.message.contains("PAUSED") && error.message.contains("us-east-1"));
    for body in [json!({}), json!({"Regions": [{"RegionName": "us-east-1"}]})] {
        let answer = once(200, body.to_string()).0.regions(ACCOUNT, None).await;
        incomplete(answer, "account:ListRegions");
    }
}

#[tokio::test]
async fn what_get_account_leaves_out_is_none_and_not_false_or_nothing() {
    let full = json!({"SendingEnabled": false, "ProductionAccessEnabled": true,
        "EnforcementStatus": "NEW_WORD",
        "SendQuota": {"Max24HourSend": -1.0, "MaxSendRate": 14.0, "SentLast24Hours": 3.0}});
    let answer = once(200, full.to_string()).0.account(&place()).await.unwrap();
    let quota = QuotaItem { max_24_hour: -1.0, max_send_rate: 14.0, sent_last_24_hours: 3.0 };
    assert_eq!(
        answer,
        AccountAnswer {
            sending_enabled: Some(false),
            production_access: Some(true),
            enforcement_status: Some("NEW_WORD".to_owned()),
            quota: Some(quota),
        }
    );
    let answer = once(200, "{}").0.account(&place()).await.unwrap();
    assert_eq!(answer, AccountAnswer::default());
    let partial = json!({"SendQuota": {"Max24HourSend": 200.0, "MaxSendRate": 1.0}});
    let answer = once(200, partial.to_string()).0.account(&place()).await.unwrap();
    assert_eq!(answer.quota, None);
}

fn query(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><{action}Result>{result}</{action}Result><ResponseMetadata/></{action}Response>"
    )
}

#[tokio::test]
async fn an_answer_of_ses_v1_that_lacks_a_value_is_an_error() {
    let enabled = query("GetAccountSendingEnabled", "<Enabled>false</Enabled>");
    assert!(!once(200, enabled).0.sending_enabled(&place()).await.unwrap());
    let nothing = query("GetAccountSendingEnabled", "");
    incomplete(
        once(200, nothing).0.sending_enabled(&place()).await,
        "ses:GetAccountSendingEnabled",
    );

    let all = "<Max24HourSend>200.0</Max24HourSend><MaxSendRate>1.0</MaxSendRate>";
    let quota = format!("{all}<SentLast24Hours>7.0</SentLast24Hours>");
    let quota = once(200, query("GetSendQuota", &quota)).0.send_quota(&place()).await.unwrap();
    let full = QuotaItem { max_24_hour: 200.0, max_send_rate: 1.0, sent_last_24_hours: 7.0 };
    assert_eq!(quota, full);
    let answer = once(200, query("GetSendQuota", all)).0.send_quota(&place()).await;
    incomplete(answer, "ses:GetSendQuota");

    let point = |attempts: &str| format!("<member>{attempts}<Bounces>0</Bounces></member>");
    let points = |points: &[String]| {
        query("GetSendStatistics", &format!("<SendDataPoints>{}</SendDataPoints>", points.concat()))
    };
    let good = point("<DeliveryAttempts>12</DeliveryAttempts>");
    let read = once(200, points(std::slice::from_ref(&good))).0.send_statistics(&place()).await;
    assert_eq!(read.unwrap(), [DataPoint { delivery_attempts: 12 }]);
    let none = query("GetSendStatistics", "<SendDataPoints/>");
    assert_eq!(once(200, none).0.send_statistics(&place()).await.unwrap(), []);
    for body in [
        points(&[good, point("")]),
        points(&[point("<DeliveryAttempts>-1</DeliveryAttempts>")]),
        query("GetSendStatistics", ""),
    ] {
        incomplete(once(200, body).0.send_statistics(&place()).await, "ses:GetSendStatistics");
    }

    let names = "<PolicyNames><member>a</member><member>b</member></PolicyNames>";
    let names = query("ListIdentityPolicies", names);
    let read = once(200, names).0.policy_names(&place(), "example.com").await;
    assert_eq!(read.unwrap(), ["a", "b"]);
    let none = query("ListIdentityPolicies", "<PolicyNames/>");
    let read = once(200, none).0.policy_names(&place(), "example.com").await;
    assert_eq!(read.unwrap(), [""; 0]);
    let cut = "<ListIdentityPoliciesResponse><ListIdentityPoliciesResult><PolicyNames>";
    for body in [query("ListIdentityPolicies", ""), cut.to_owned()] {
        let read = once(200, body).0.policy_names(&place(), "example.com").await;
        assert_eq!(read.unwrap_err().permission, "ses:ListIdentityPolicies");
    }
}

#[tokio::test]
async fn policies_come_as_they_are_and_one_that_is_missing_is_missing() {
    let entry = "<entry><key>a</key><value>{&quot;Statement&quot;:[]}</value></entry>";
    let body = query("GetIdentityPolicies", &format!("<Policies>{entry}</Policies>"));
    let (reader, client) = once(200, body);
    let names = ["a".to_owned(), "b".to_owned()];
    let read = reader.policies(&place(), "example.com", &names).await.unwrap();
    assert_eq!(read, [("a".to_owned(), r#"{"Statement":[]}"#.to_owned())]);
    let sent = String::from_utf8(bodies(&client)[1].clone()).unwrap();
    assert!(sent.contains("PolicyNames.member.1=a&PolicyNames.member.2=b"), "{sent}");
    let body = query("GetIdentityPolicies", "");
    let read = once(200, body).0.policies(&place(), "example.com", &names).await;
    incomplete(read, "ses:GetIdentityPolicies");
}

#[tokio::test]
async fn an_identity_is_verified_where_either_field_says_so_and_unknown_where_both_are_missing() {
    let identity = |fields: Value| {
        let mut identity = json!({"IdentityName": "example.com", "IdentityType": "NEW_KIND"});
        identity.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"EmailIdentities": [identity], "NextToken": ""}).to_string()
    };
    for (fields, verified) in [
        (json!({"SendingEnabled": true}), true),
        (json!({"VerificationStatus": "SUCCESS"}), true),
        (json!({"SendingEnabled": false, "VerificationStatus": "SUCCESS"}), true),
        (json!({"SendingEnabled": false, "VerificationStatus": "NEW"}), false),
    ] {
        let (reader, client) = once(200, identity(fields));
        let page = reader.identities(&place(), Some("t")).await.unwrap();
        let (name, kind) = ("example.com".to_owned(), "NEW_KIND".to_owned());
        // An empty token is handed on: it is for the caller to judge.
        let next = Some(String::new());
        assert_eq!(page, Page { items: vec![VerifiedItem { name, kind, verified }], next });
        let sent: Value = serde_json::from_slice(&bodies(&client)[1]).unwrap();
        assert_eq!(sent, json!({"PageSize": 1000, "NextToken": "t"}));
    }
    for body in [
        identity(json!({})),
        identity(json!({"SendingEnabled": false})),
        "{}".to_owned(),
        json!({"EmailIdentities": [{"IdentityName": "example.com"}]}).to_string(),
    ] {
        let page = once(200, body).0.identities(&place(), None).await;
        incomplete(page, "ses:ListEmailIdentities");
    }
}

fn here<T>(answer: InRegion<Page<T>>) -> Page<T> {
    match answer {
        InRegion::Here(page) => page,
        InRegion::Unavailable => panic!("Mail Manager is said not to be there"),
    }
}

#[tokio::test]
async fn lists_of_mail_manager_go_on_and_never_are_empty_by_omission() {
    let body = json!({"Relays": [{"RelayId": "rl-1", "RelayName": "a"}], "NextToken": "more"});
    let (reader, client) = once(200, cbor(&body));
    let page = here(reader.relays(&place(), None).await.unwrap());
    assert_eq!(page, Page { items: vec!["rl-1".to_owned()], next: Some("more".to_owned()) });
    let (host, _) = signed(&client)[1].clone();
    assert_eq!(host, "mail-manager.eu-central-1.amazonaws.com");

    let body = json!({"RuleSets": [{"RuleSetId": "rs-1"}]});
    let page = here(once(200, cbor(&body)).0.rule_sets(&place(), None).await.unwrap());
    assert_eq!(page, Page { items: vec!["rs-1".to_owned()], next: None });

    let point = json!({"IngressPointId": "inp-1", "IngressPointName": "in", "Status": "NEW"});
    let body = cbor(&json!({"IngressPoints": [point]}));
    let page = here(once(200, body).0.ingress_points(&place(), None).await.unwrap());
    let (id, name, status) = ("inp-1".to_owned(), "in".to_owned(), "NEW".to_owned());
    assert_eq!(page, Page { items: vec![IngressPointItem { id, name, status }], next: None });

    let null = once(200, cbor(&json!({"Relays": [null]}))).0.relays(&place(), None).await;
    assert_eq!(null.unwrap_err().failure, Failure::Unavailable);
    for body in [json!({}), json!({"Relays": [{"RelayName": "a"}]})] {
        incomplete(once(200, cbor(&body)).0.relays(&place(), None).await, "ses:ListRelays");
    }
    for body in [json!({}), json!({"RuleSets": [{}]})] {
        incomplete(once(200, cbor(&body)).0.rule_sets(&place(), None).await, "ses:ListRuleSets");
    }
    for body in [json!({}), json!({"IngressPoints": [{"IngressPointId": "inp-1"}]})] {
        let answer = once(200, cbor(&body)).0.ingress_points(&place(), None).await;
        incomplete(answer, "ses:ListIngressPoints");
    }
}

#[tokio::test]
async fn a_relay_without_its_server_is_an_error() {
    let body = json!({"RelayId": "rl-1", "ServerName": "mail.example.net", "ServerPort": 25});
    let relay = once(200, cbor(&body)).0.relay(&place(), "rl-1").await.unwrap();
    assert_eq!(
        relay,
        RelayItem {
            id: "rl-1".to_owned(),
            name: "rl-1".to_owned(),
            server_name: "mail.example.net".to_owned(),
            server_port: 25,
        }
    );
    for body in [
        json!({"RelayId": "rl-1", "ServerPort": 25}),
        json!({"RelayId": "rl-1", "ServerName": "mail.example.net"}),
        json!({"ServerName": "mail.example.net", "ServerPort": 25}),
    ] {
        incomplete(once(200, cbor(&body)).0.relay(&place(), "rl-1").await, "ses:GetRelay");
    }
}

#[tokio::test]
async fn what_is_gone_is_not_found() {
    let body = cbor(&json!({"__type": "com.amazonaws.mailmanager#ResourceNotFoundException",
        "Message": "gone"}));
    let error = once(404, body.clone()).0.relay(&place(), "rl-1").await.unwrap_err();
    assert_eq!((error.failure, error.message.as_str()), (Failure::NotFound, "gone"));
    let error = once(404, body).0.rule_set(&place(), "rs-1").await.unwrap_err();
    assert_eq!((error.failure, error.permission), (Failure::NotFound, "ses:GetRuleSet"));
}

fn rule_set(rules: &Value) -> Vec<u8> {
    cbor(&json!({"RuleSetId": "rs-1", "RuleSetArn": "arn", "RuleSetName": "set", "Rules": rules}))
}

#[tokio::test]
async fn every_action_of_a_rule_is_there_in_order() {
    let arn = "arn:aws:iam::222222222222:role/x";
    let actions = json!([
        {"AddHeader": {"HeaderName": "X-A", "HeaderValue": "b"}},
        {"Archive": {"TargetArchive": "a"}},
        {"Bounce": {"RoleArn": arn, "Sender": "a@example.com", "StatusCode": "5.1.1",
            "SmtpReplyCode": "550", "DiagnosticMessage": "no"}},
        {"DeliverToMailbox": {"MailboxArn": "arn", "RoleArn": arn}},
        {"DeliverToQBusiness": {"ApplicationId": "a", "IndexId": "i", "RoleArn": arn}},
        {"InvokeLambda": {"FunctionArn": "arn", "InvocationType": "EVENT", "RoleArn": arn}},
        {"PublishToSns": {"TopicArn": "arn", "RoleArn": arn}},
        {"WriteToS3": {"RoleArn": arn, "S3Bucket": "b"}},
        {"ReplaceRecipient": {"ReplaceWith": ["a@example.com"]}},
        {"Send": {"RoleArn": arn}},
        {"ReplaceRecipient": {}},
        {"Relay": {"Relay": "rl-1"}},
        {"Drop": {}},
    ]);
    let rules = json!([{"Name": "first", "Actions": actions}, {"Actions": []}]);
    let set = once(200, rule_set(&rules)).0.rule_set(&place(), "rs-1").await.unwrap();
    assert_eq!((set.id.as_str(), set.name.as_str()), ("rs-1", "set"));
    let names: Vec<&str> = set.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["first", "2"]);
    assert_eq!(set.rules[0].actions[..8], vec![ActionItem::Inside; 8]);
    assert_eq!(
        set.rules[0].actions[8..],
        [
            ActionItem::ReplaceRecipient(vec!["a@example.com".to_owned()]),
            ActionItem::Send,
            ActionItem::ReplaceRecipient(Vec::new()),
            ActionItem::Relay("rl-1".to_owned()),
            ActionItem::Inside,
        ]
    );
}

#[tokio::test]
async fn an_action_that_nobody_knows_is_unknown_and_a_rule_without_actions_an_error() {
    for action in [json!({"Teleport": {"To": "moon"}}), json!({"Relay": {}})] {
        let rules = json!([{"Name": "r", "Actions": [action]}]);
        let set = once(200, rule_set(&rules)).0.rule_set(&place(), "rs-1").await.unwrap();
        assert_eq!(set.rules[0].actions, [ActionItem::Unknown]);
    }
    for body in [
        rule_set(&json!([{"Name": "r"}])),
        cbor(&json!({"RuleSetId": "rs-1", "RuleSetName": "set"})),
        cbor(&json!({"RuleSetName": "set", "Rules": []})),
    ] {
        incomplete(once(200, body).0.rule_set(&place(), "rs-1").await, "ses:GetRuleSet");
    }
    for action in [json!({}), json!({"Drop": {}, "Send": {"RoleArn": "arn"}})] {
        let rules = json!([{"Name": "r", "Actions": [action]}]);
        let answer = once(200, rule_set(&rules)).0.rule_set(&place(), "rs-1").await;
        assert!(answer.is_err(), "{answer:?}");
    }
}

fn endpoints(items: &str, rest: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <DescribeVpcEndpointsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
         <requestId>r</requestId><vpcEndpointSet>{items}</vpcEndpointSet>{rest}\
         </DescribeVpcEndpointsResponse>"
    )
}

const ENDPOINT: &str = "<item><vpcEndpointId>vpce-1</vpcEndpointId><vpcId>vpc-1</vpcId>\
    <tagSet><item><key>vpcId</key><value>x</value></item></tagSet>\
    <serviceName>com.amazonaws.eu-central-1.email-smtp</serviceName><state>available</state>\
    <policyDocument>{&quot;Statement&quot;: []}</policyDocument></item>";

#[tokio::test]
async fn endpoints_for_ses_come_with_their_policies() {
    let other = ENDPOINT.replace("email-smtp", "emailer").replace("vpce-1", "vpce-2");
    let manager =
        ENDPOINT.replace("email-smtp", "mail-manager-smtp.open").replace("vpce-1", "vpce-3");
    let manager =
        manager.replace("<policyDocument>{&quot;Statement&quot;: []}</policyDocument>", "");
    let body = endpoints(&format!("{ENDPOINT}{other}{manager}"), "<nextToken>more</nextToken>");
    let (reader, client) = once(200, body);
    let page = reader.endpoints(&place(), Some("a b")).await.unwrap();
    let item = |id: &str, service: &str, policy: Option<&str>| EndpointItem {
        id: id.to_owned(),
        service: format!("com.amazonaws.eu-central-1.{service}"),
        vpc: "vpc-1".to_owned(),
        state: "available".to_owned(),
        policy: policy.map(str::to_owned),
    };
    let smtp = item("vpce-1", "email-smtp", Some(r#"{"Statement": []}"#));
    assert_eq!(page.items, [smtp, item("vpce-3", "mail-manager-smtp.open", None)]);
    assert_eq!(page.next.as_deref(), Some("more"));
    let sent = String::from_utf8(bodies(&client)[1].clone()).unwrap();
    assert_eq!(
        sent,
        "Action=DescribeVpcEndpoints&Version=2016-11-15&MaxResults=1000&Filter.1.Name=service-name\
         &Filter.1.Value.1=*.email&Filter.1.Value.2=*.email-*&Filter.1.Value.3=*.mail-manager\
         &Filter.1.Value.4=*.mail-manager-*&NextToken=a+b"
    );
    let (host, scope) = signed(&client)[1].clone();
    assert_eq!(host, "ec2.eu-central-1.amazonaws.com");
    assert_eq!(scope, "KEY eu-central-1 ec2");
    let request = client.actual_requests().nth(1).unwrap();
    assert_eq!(request.headers().get("x-amz-security-token"), Some("token"));
}

#[tokio::test]
async fn a_list_of_endpoints_is_empty_only_where_it_says_so() {
    for rest in ["", "<nextToken/>"] {
        let page = once(200, endpoints("", rest)).0.endpoints(&place(), None).await.unwrap();
        assert_eq!((page.items.len(), page.next), (0, None));
    }
    for field in ["vpcEndpointId", "vpcId", "serviceName", "state"] {
        let start = format!("<{field}>");
        let body = endpoints(
            &ENDPOINT.replacen(&start, "<x>", 1).replacen(&format!("</{field}>"), "</x>", 1),
            "",
        );
        let page = once(200, body).0.endpoints(&place(), None).await;
        incomplete(page, "ec2:DescribeVpcEndpoints");
    }
    let whole = endpoints(ENDPOINT, "");
    let none = whole.replace("vpcEndpointSet", "otherSet");
    for body in [none, whole[..whole.len() - 60].to_owned(), "<html></html>".to_owned()] {
        let error = once(200, body).0.endpoints(&place(), None).await.unwrap_err();
        assert_eq!(error.failure, Failure::Unavailable, "{error:?}");
    }
}

#[tokio::test]
async fn errors_of_every_service_are_of_their_kind() {
    let query = |code: &str| {
        format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
        )
    };
    let ec2 = |code: &str| {
        format!(
            "<?xml version=\"1.0\"?><Response><Errors><Error><Code>{code}</Code>\
                 <Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>"
        )
    };
    let rest = |code: &str| json!({"__type": code, "message": "m"}).to_string();
    let here = place();
    for (code, status, failure) in [
        ("AccessDeniedException", 403, Failure::Denied),
        ("ThrottlingException", 400, Failure::Throttled),
        ("InternalFailure", 500, Failure::Unavailable),
        ("ValidationException", 400, Failure::Other),
    ] {
        let kind = |error: CallError| (error.failure, error.code, error.message);
        let expected = (failure, code.to_owned(), "m".to_owned());
        let of_cbor = cbor(&json!({"__type": format!("x#{code}"), "message": "m"}));
        let error = once(status, of_cbor).0.relays(&here, None).await.unwrap_err();
        assert_eq!(kind(error), expected);
        let error = once(status, rest(code)).0.account(&here).await.unwrap_err();
        assert_eq!(kind(error), expected);
        let error = once(status, rest(code)).0.regions(ACCOUNT, None).await.unwrap_err();
        assert_eq!(kind(error), expected);
        let error = once(status, query(code)).0.send_statistics(&here).await.unwrap_err();
        assert_eq!(kind(error), expected);
        let error = once(status, ec2(code)).0.endpoints(&here, None).await.unwrap_err();
        assert_eq!(kind(error), expected);
    }
    let (reader, client) = once(503, ec2("RequestLimitExceeded"));
    let error = reader.endpoints(&here, None).await.unwrap_err();
    assert_eq!(error.failure, Failure::Throttled);
    // The pipeline tries again, not the client.
    assert_eq!(client.actual_requests().count(), 2);
    let error = once(403, ec2("UnauthorizedOperation")).0.endpoints(&here, None).await.unwrap_err();
    assert_eq!(error.failure, Failure::Denied);
    let error = once(502, "<html>bad gateway</html>").0.endpoints(&here, None).await.unwrap_err();
    assert_eq!((error.failure, error.code.as_str()), (Failure::Unavailable, "HTTP 502"));
}

#[tokio::test]
async fn a_partition_that_nobody_knows_has_no_endpoint_for_ec2() {
    let session = session("KEY", "2999-01-01T00:00:00Z").into_bytes();
    let request = http::Request::builder().uri("https://any.example").body(SdkBody::empty());
    let response = http::Response::builder().status(200).body(SdkBody::from(session));
    let event = ReplayEvent::new(request.unwrap(), response.unwrap());
    let config = through(StaticReplayClient::new(vec![event]));
    let outside = Outside::new(config, aws::permissions::READ_EXPOSURE.calls);
    let reader = outside.exposure(ExposureAccess { partition: "aws-new".to_owned(), ..access() });
    let error = reader.endpoints(&place(), None).await.unwrap_err();
    assert_eq!(error.code, "UnknownPartition");
}

#[tokio::test]
async fn a_function_that_does_not_declare_the_role_assumes_none() {
    let config = through(StaticReplayClient::new(Vec::new()));
    let outside = Outside::new(config, aws::permissions::EVALUATE_SCPS.calls);
    let error = outside.exposure(access()).account(&place()).await.unwrap_err();
    assert_eq!((error.permission, error.code.as_str()), ("sts:AssumeRole", "NotDeclared"));
}
