//! What each function may call.

use std::collections::BTreeSet;

use aws::call::Call;
use aws::permissions::{FUNCTIONS, PROGRAM};

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
    let verbs = ["Describe", "Get", "List", "Decrypt"];
    for action in PROGRAM.actions() {
        let name = action.split_once(':').map(|(_, name)| name).unwrap_or_default();
        assert!(verbs.iter().any(|verb| name.starts_with(verb)), "{action}");
    }
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
