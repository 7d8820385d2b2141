//! The built-in action table holds the facts that the verdicts rest on.
#![allow(clippy::expect_used, clippy::panic)] // a failed expectation is how a test reports

use std::collections::BTreeSet;

use ses_perimeter::table::{
    Api, KeyKind, action, actions, operations, resource_type, service_keys,
};

const REVIEWED: &str = include_str!("reviewed_apis.txt");

fn listed() -> BTreeSet<(Api, &'static str)> {
    REVIEWED
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| match line.split_once(' ') {
            Some(("v1", name)) => (Api::V1, name),
            Some(("v2", name)) => (Api::V2, name),
            Some(_) | None => panic!("unreadable line `{line}`"),
        })
        .collect()
}

#[test]
fn reviewed_operations_are_exactly_those_of_the_guidance() {
    let listed = listed();
    assert_eq!(listed.iter().filter(|(api, _)| *api == Api::V1).count(), 67);
    assert_eq!(listed.iter().filter(|(api, _)| *api == Api::V2).count(), 76);
    let marked: BTreeSet<_> =
        operations().iter().filter(|o| o.reviewed).map(|o| (o.api, o.operation)).collect();
    assert_eq!(marked, listed);
}

#[test]
fn every_action_of_an_operation_is_in_the_table() {
    for operation in operations() {
        for name in operation.actions {
            assert!(action(name).is_some(), "{name}");
        }
    }
    assert_eq!(operations().iter().filter(|o| o.api == Api::MailManager).count(), 60);
    assert_eq!(operations().iter().filter(|o| o.api == Api::PinpointEmail).count(), 42);
    assert_eq!(actions().iter().filter(|a| a.name.starts_with("ses:")).count(), 233);
}

#[test]
fn an_action_is_found_in_any_case() {
    for info in actions() {
        for name in [info.name.to_ascii_uppercase(), info.name.to_ascii_lowercase()] {
            assert_eq!(action(&name).map(|found| found.name), Some(info.name));
        }
    }
    assert!(action("SendEmail").is_none());
    assert!(action("ses:").is_none());
    assert!(action("").is_none());
}

fn keys(name: &str, api: Api) -> &'static [&'static str] {
    action(name).expect("in the table").requirements(api).condition_keys
}

fn required(name: &str, api: Api) -> &'static [&'static str] {
    action(name).expect("in the table").requirements(api).required_resource_types
}

#[test]
fn bulk_mail_of_v2_has_no_address_key() {
    for key in ["ses:Recipients", "ses:FromAddress", "ses:FromDisplayName", "ses:FeedbackAddress"] {
        assert!(!keys("ses:SendBulkEmail", Api::V2).contains(&key), "{key}");
    }
    assert!(keys("ses:SendBulkEmail", Api::V2).contains(&"ses:ApiVersion"));
}

#[test]
fn raw_mail_carries_the_recipients_whatever_the_interface() {
    for api in [Api::V1, Api::V2, Api::Smtp] {
        assert!(keys("ses:SendRawEmail", api).contains(&"ses:Recipients"));
        assert!(keys("ses:SendRawEmail", api).contains(&"ses:ApiVersion"));
        assert_eq!(required("ses:SendRawEmail", api), ["identity"]);
    }
}

#[test]
fn verification_mail_needs_the_identity_in_v1_and_the_template_in_v2() {
    let name = "ses:SendCustomVerificationEmail";
    assert_eq!(required(name, Api::V1), ["identity"]);
    assert_eq!(required(name, Api::V2), ["custom-verification-email-template"]);
    assert!(!keys(name, Api::V1).contains(&"aws:ResourceTag/${TagKey}"));
    assert!(keys(name, Api::V2).contains(&"aws:ResourceTag/${TagKey}"));
}

#[test]
fn an_override_keeps_the_fields_it_does_not_name() {
    let email = action("ses:SendEmail").expect("in the table");
    assert_eq!(email.requirements(Api::PinpointEmail).resource_types, ["identity"]);
    assert_eq!(email.requirements(Api::PinpointEmail).required_resource_types, ["identity"]);
    assert_eq!(email.requirements(Api::V1).resource_types, email.base.resource_types);
    assert!(!keys("ses:SendEmail", Api::V1).contains(&"ses:TenantName"));
    assert!(keys("ses:SendEmail", Api::V2).contains(&"ses:TenantName"));
}

#[test]
fn a_v2_send_can_be_checked_as_three_actions_and_smtp_as_raw() {
    let of = |api, name| {
        operations().iter().find(|o| o.api == api && o.operation == name).expect("listed").actions
    };
    assert_eq!(
        of(Api::V2, "SendEmail"),
        ["ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail"]
    );
    assert_eq!(of(Api::Smtp, "DATA"), ["ses:SendRawEmail"]);
}

#[test]
fn mail_manager_actions_have_no_api_version() {
    for name in ["ses:CreateRelay", "ses:UpdateRuleSet", "ses:CreateIngressPoint"] {
        assert!(!keys(name, Api::MailManager).contains(&"ses:ApiVersion"), "{name}");
    }
}

#[test]
fn senders_of_mail_are_marked() {
    let senders: Vec<_> = actions().iter().filter(|a| a.sends_mail).map(|a| a.name).collect();
    assert_eq!(
        senders,
        [
            "ses:CreateDeliverabilityTestReport",
            "ses:CreateEmailIdentity",
            "ses:SendBounce",
            "ses:SendBulkEmail",
            "ses:SendBulkTemplatedEmail",
            "ses:SendCustomVerificationEmail",
            "ses:SendEmail",
            "ses:SendRawEmail",
            "ses:SendTemplatedEmail",
            "ses:VerifyEmailAddress",
            "ses:VerifyEmailIdentity",
        ]
    );
}

#[test]
fn the_actions_that_set_tags_carry_tag_keys() {
    for (name, api) in [
        ("iam:TagRole", Api::Iam),
        ("iam:TagUser", Api::Iam),
        ("iam:CreateRole", Api::Iam),
        ("iam:CreateUser", Api::Iam),
        ("sts:TagSession", Api::Sts),
    ] {
        for key in ["aws:TagKeys", "aws:RequestTag/${TagKey}", "iam:ResourceTag/${TagKey}"] {
            assert!(keys(name, api).contains(&key), "{name} {key}");
        }
    }
    assert!(keys("iam:CreateRole", Api::Iam).contains(&"iam:PermissionsBoundary"));
    assert!(!keys("iam:TagRole", Api::Iam).contains(&"iam:PermissionsBoundary"));
    assert!(keys("sts:TagSession", Api::Sts).contains(&"sts:TransitiveTagKeys"));
}

#[test]
fn service_keys_have_their_type_and_values() {
    let key = |name: &str| service_keys().iter().find(|key| key.name == name).expect("listed");
    assert_eq!(key("ses:ApiVersion").values, ["1", "2"]);
    assert!(!key("ses:ApiVersion").multivalued);
    assert!(key("ses:Recipients").multivalued);
    assert_eq!(key("ses:Recipients").kind, KeyKind::String);
    assert_eq!(key("iam:PermissionsBoundary").kind, KeyKind::Arn);
    assert!(key("sts:TransitiveTagKeys").multivalued);
    assert!(service_keys().iter().all(|key| !key.name.starts_with("aws:")));
}

#[test]
fn resource_types_give_the_end_of_the_arn() {
    let template = resource_type("template").expect("listed");
    assert_eq!((template.service, template.tail), ("ses", "template/${TemplateName}"));
    assert!(!template.owner_is_aws);
    assert!(resource_type("reputation-policy").expect("listed").owner_is_aws);
    assert_eq!(resource_type("role").expect("listed").service, "iam");
    assert!(resource_type("Template").is_none());
}
