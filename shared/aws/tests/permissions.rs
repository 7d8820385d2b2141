//! What each function may call.

use std::collections::BTreeSet;

use aws::call::Call;
use aws::permissions::{EXPOSURE_ROLE, FUNCTIONS, MEMBER_ROLES, PROGRAM};

#[test]
fn an_action_is_named_in_full_and_has_no_wildcard() {
    for call in Call::ALL {
        for action in std::iter::once(call.permission()).chain(call.also().iter().copied()) {
            let (service, name) = action.split_once(':').unwrap_or_default();
            assert!(service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
            assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }
}

#[test]
fn every_call_is_made_by_somebody() {
    let made: BTreeSet<Call> = FUNCTIONS
        .iter()
        .chain(&MEMBER_ROLES)
        .chain([&PROGRAM])
        .flat_map(|function| function.calls.iter().copied().flatten().copied())
        .collect();
    let all: BTreeSet<Call> = Call::ALL.iter().copied().collect();
    assert_eq!(made, all);
}

#[test]
fn who_decides_changes_nothing_but_objects() {
    let evaluate = FUNCTIONS.iter().find(|function| function.name == "evaluate-scps");
    let actions = evaluate.map(|function| function.actions()).unwrap_or_default();
    let expected =
        ["kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:ListBucket", "s3:PutObject"];
    assert_eq!(actions, expected.into());
}

#[test]
fn the_program_writes_nothing() {
    // In accounts it may do what the role there may.
    for action in PROGRAM.actions().into_iter().filter(|action| *action != "sts:AssumeRole") {
        assert!(reads(action), "{action}");
    }
}

#[test]
fn who_reads_exposure_writes_nothing_in_an_account() {
    let actions = EXPOSURE_ROLE.actions();
    assert_eq!(actions.len(), 14);
    for action in actions {
        assert!(reads(action), "{action}");
        let service = action.split_once(':').map(|(service, _)| service).unwrap_or_default();
        assert!(["account", "ec2", "ses"].contains(&service), "{action}");
    }
}

#[test]
fn the_role_has_what_each_call_of_reading_needs() {
    use pipeline::reading::Api;
    let needed = [
        Api::ListRegions,
        Api::GetAccount,
        Api::GetAccountSendingEnabled,
        Api::GetSendQuota,
        Api::GetSendStatistics,
        Api::ListEmailIdentities,
        Api::ListIdentityPolicies,
        Api::GetIdentityPolicies,
        Api::ListRelays,
        Api::GetRelay,
        Api::ListRuleSets,
        Api::GetRuleSet,
        Api::ListIngressPoints,
        Api::DescribeVpcEndpoints,
    ];
    let needed: BTreeSet<&str> = needed.into_iter().map(Api::permission).collect();
    assert_eq!(EXPOSURE_ROLE.actions(), needed);
}

fn reads(action: &str) -> bool {
    let name = action.split_once(':').map(|(_, name)| name).unwrap_or_default();
    ["Describe", "Get", "List", "Decrypt"].iter().any(|verb| name.starts_with(verb))
}

#[test]
fn only_who_publishes_touches_security_hub_and_only_who_starts_starts() {
    for function in FUNCTIONS {
        for action in function.actions() {
            if action.starts_with("securityhub:") || action.starts_with("ses:") {
                assert_eq!(function.name, "publish-findings", "{action}");
            }
            if action.starts_with("states:") || action == "s3:DeleteObject" {
                assert_eq!(function.name, "start-check", "{action}");
            }
            if action.starts_with("organizations:") {
                assert_eq!(function.name, "fetch-scps", "{action}");
            }
        }
    }
}
