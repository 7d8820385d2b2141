//! Policies that speak of hundreds of accounts are decided, and one account too many is found.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use exposure::{Checker, ExposureControl, Inside};
use serde_json::{Value, json};
use ses_perimeter::perimeter;
use ses_perimeter::report::{Caller, Verdict};

const ORGANIZATION: &str = "o-caseorg0001";
const OUTSIDE: &str = "444455556666";
const BUDGET: u64 = 2_000_000;
const MOMENT: i64 = 1_795_392_000;

fn accounts() -> Vec<String> {
    (0..300_u64).map(|index| format!("{:012}", 300_000_000_000 + index * 7_919)).collect()
}

/// The verdicts of SESDP.19 to 21 for an identity and an endpoint with this one policy.
fn verdicts(statement: &Value) -> [Verdict; 3] {
    let accounts = accounts();
    let own = accounts[0].as_str();
    let path = format!("{ORGANIZATION}/r-case/");
    let inside = Inside {
        organization: ORGANIZATION.to_owned(),
        partition: "aws".to_owned(),
        management_account: own.to_owned(),
        accounts: accounts.iter().map(|account| (account.clone(), path.clone())).collect(),
    };
    let perimeter = perimeter::parse("[trusted]\nrecipients = [\"*@example.com\"]\n").unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let section = json!({"exposureVersion": 1, "accounts": [{
        "account": own, "readAt": "2026-11-23T00:00:00Z", "regions": [{
            "region": "us-east-1", "status": "read", "sentLastTwoWeeks": 0,
            "sending": {
                "enabled": true, "productionAccess": true, "enforcementStatus": "HEALTHY",
                "quota": {"max24Hour": 200, "maxSendRate": 1, "sentLast24Hours": 0},
            },
            "identities": [{
                "name": "example.com", "kind": "DOMAIN", "verified": true,
                "policies": [{"name": "p", "text": policy}],
            }],
            "mailManager": {"available": false},
            "vpcEndpoints": [{
                "id": "vpce-1", "service": "com.amazonaws.us-east-1.email", "vpc": "vpc-1",
                "state": "available", "policy": policy,
            }],
        }],
    }]});
    let section = exposure::read(&section.to_string()).unwrap();
    let mut checker = Checker::new(&inside, &perimeter, &["us-east-1"], MOMENT, BUDGET);
    [
        ExposureControl::IdentityPolicies,
        ExposureControl::EndpointPrincipals,
        ExposureControl::EndpointResources,
    ]
    .map(|control| checker.check(control, own, section.accounts.first()))
}

fn names(statement: &Value) -> [&'static str; 3] {
    verdicts(statement).map(|verdict| verdict.status().name())
}

fn with_one_more() -> Vec<String> {
    let mut accounts = accounts();
    accounts.push(OUTSIDE.to_owned());
    accounts
}

#[test]
fn accounts_as_principals() {
    let statement = |accounts: Vec<String>| {
        json!({
            "Effect": "Allow", "Principal": {"AWS": accounts}, "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}},
        })
    };
    // An identity's requests may come without `aws:ResourceOrgID`, but also with it.
    assert_eq!(names(&statement(accounts())), ["PASSED"; 3]);
    assert_eq!(names(&statement(with_one_more())), ["FAILED", "FAILED", "PASSED"]);
}

#[test]
fn roles_as_principals() {
    let statement = |accounts: Vec<String>| {
        let role = |account: &String| format!("arn:aws:iam::{account}:role/team/app");
        json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Principal": {"AWS": accounts.iter().map(role).collect::<Vec<_>>()},
            "Condition": {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}},
        })
    };
    assert_eq!(names(&statement(accounts())), ["PASSED"; 3]);
    assert_eq!(names(&statement(with_one_more())), ["FAILED", "FAILED", "PASSED"]);
}

#[test]
fn accounts_in_conditions_and_resources() {
    let statement = |accounts: Vec<String>, owners: Vec<String>| {
        let resources: Vec<String> =
            owners.iter().map(|owner| format!("arn:aws:ses:*:{owner}:*")).collect();
        json!({
            "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": resources,
            "Condition": {"StringEquals": {"aws:PrincipalAccount": accounts}},
        })
    };
    assert_eq!(names(&statement(accounts(), accounts())), ["PASSED"; 3]);
    assert_eq!(names(&statement(accounts(), with_one_more())), ["PASSED", "PASSED", "FAILED"]);
    let [identity, principals, resources] = verdicts(&statement(with_one_more(), accounts()));
    for verdict in [identity, principals] {
        let Verdict::Faults(failures) = verdict else { panic!("{verdict:?}") };
        let by = &failures[0].request.as_ref().unwrap().by;
        assert!(matches!(by, Caller::Aws { account, .. } if account == OUTSIDE), "{by}");
    }
    assert_eq!(resources.status().name(), "PASSED");
}
