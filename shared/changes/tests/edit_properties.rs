//! An edited organization is what the reader says of the edited snapshot.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[allow(dead_code, reason = "shared with tests that need more of it")]
mod common;
mod edits;

use common::{policy_id, snapshot, unit_id};
use edits::{made, wish};
use organization::{Edit, Organization};
use policy::parse::Limits;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::organization::Snapshot;

fn read(snapshot: &Value) -> Organization {
    organization::read(&snapshot.to_string(), &Limits::default()).unwrap()
}

/// Everything that an organization says but what it says of the snapshot's text.
fn said(organization: &Organization) -> Vec<String> {
    let o = organization;
    let head = (&o.id, &o.partition, o.management_account, &o.fetched_at, o.scp_enabled);
    let mut said = vec![format!("{head:?} {:?} {}", o.oldest_content_at, o.has_exposure)];
    said.push(format!("{:?}", o.root()));
    said.extend(o.units().iter().map(|unit| format!("{unit:?}")));
    said.extend(o.accounts().map(|account| format!("{account:?}")));
    said.extend(o.policies().map(|policy| format!("{policy:?}")));
    said.extend(o.documents().map(|document| format!("{document:?}")));
    said.extend(o.gaps().iter().map(|gap| format!("{gap:?}")));
    said.extend(o.targets().map(|target| {
        let found = (o.find_target(target.id), o.target(&target.id.to_string()));
        format!("{target:?} {found:?} {:?} {:?}", o.parent(target.index), o.scps_on(target.index))
    }));
    for (index, policy) in o.policies() {
        assert_eq!(o.find_policy(policy.id.as_str()), Some(index));
    }
    for (index, account) in o.accounts() {
        assert_eq!(o.find_account(account.id), Some(index));
        said.push(format!("{:?} {:?}", o.gaps_on(index), o.unreadable_on(index)));
    }
    said
}

/// Something that was not read, what is not there among it.
fn gap() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0_usize..3)
            .prop_map(|at| json!({"policyId": policy_id(at), "operation": "DescribePolicy"})),
        (0_usize..3).prop_map(|at| json!({"policyId": policy_id(at), "operation": "ListTargets"})),
        (0_usize..5).prop_map(|at| json!({"targetId": unit_id(at), "policyId": policy_id(at),
            "operation": "DescribePolicy"})),
        Just(json!({"targetId": "ou-exam-new00001"})),
        Just(json!({"policyId": "p-brandnew13", "operation": "DescribePolicy"})),
        Just(json!({"reason": "throttled"})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn edits_make_what_is_read_from_the_edited_snapshot(
        mut snapshot in snapshot(),
        gaps in prop::collection::vec(gap(), 0..3),
        enabled in prop::bool::weighted(0.8),
        has_full_access in prop::bool::weighted(0.8),
        wishes in prop::collection::vec(wish(8), 1..12),
    ) {
        snapshot["gaps"] = gaps.into();
        if !enabled {
            snapshot["root"]["policyTypes"][0]["status"] = "PENDING_ENABLE".into();
        }
        if !has_full_access {
            snapshot["policies"].as_array_mut().unwrap().remove(0);
            snapshot["attachments"].as_array_mut().unwrap()
                .retain(|found| found["policyId"] != "p-FullAWSAccess");
        }
        // Of another type, without a document, and attached twice.
        let others = [
            json!({"id": "p-tagpolicy1", "name": "tags", "type": "TAG_POLICY", "content": "{}"}),
            json!({"id": "p-nodocument", "name": " ", "type": "SERVICE_CONTROL_POLICY"}),
        ];
        snapshot["policies"].as_array_mut().unwrap().extend(others);
        let attached = ["p-tagpolicy1", "p-nodocument", "p-nodocument", "p-tagpolicy1"]
            .map(|id| json!({"policyId": id, "targetId": "r-exam"}));
        snapshot["attachments"].as_array_mut().unwrap().extend(attached);

        let before = read(&snapshot);
        let (edits, by_hand) = made(snapshot, &wishes);
        let after = before.edited(&edits).unwrap();
        prop_assert_eq!(said(&after), said(&read(&by_hand)));
        let mut stepwise = before;
        for edit in &edits {
            stepwise = stepwise.edited([edit]).unwrap();
        }
        prop_assert_eq!(said(&stepwise), said(&after));
    }
}

#[test]
fn a_document_that_stands_as_an_object_stays_as_it_was_written() {
    let document = r#"{ "Version": "2012-10-17", "Version": "2012-10-17", "Statement": [] }"#;
    let mut text = Snapshot::new();
    text.account("222222222222", "shop", "r-exam").policy(&policy_id(0), "mail", 0, &[]);
    let text = text.to_string().replace(r#""content":0"#, &format!(r#""content":{document}"#));
    let before = organization::read(&text, &Limits::default()).unwrap();
    let (policy, target) = (policy_id(0).parse().unwrap(), "r-exam".parse().unwrap());
    let after = before.edited([&Edit::Attach { policy, target }]).unwrap();
    let (_, kept) = after.documents().next().unwrap();
    assert_eq!(kept.text(), Some(document));
    assert!(kept.policy().is_none(), "a key stands there twice");
}
