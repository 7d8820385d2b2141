//! What the policies of one account may cost together is bounded, and nobody else pays for them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use exposure::{Checker, Exposure, ExposureControl, Inside};
use serde_json::{Value, json};
use ses_perimeter::perimeter::{self, Perimeter};
use ses_perimeter::report::{Status, Verdict, Why};

const ORGANIZATION: &str = "o-caseorg0001";
const WRITER: &str = "111111111111";
const NEIGHBOUR: &str = "222222222222";
const MOMENT: i64 = 1_795_392_000;

/// An account with so many identities, each with a policy that takes some looking.
fn account(id: &str, identities: usize) -> Value {
    let identity = |index: usize| {
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "ses:*", "Resource": "*",
            "Condition": {
                "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION},
                "StringLike": {"ses:FromAddress": [format!("*{index}@example.com"), "a*b*c@example.com"]},
            },
        }});
        json!({
            "name": format!("d{index}.example.com"), "kind": "DOMAIN", "verified": true,
            "policies": [{"name": "p", "text": policy.to_string()}],
        })
    };
    json!({"account": id, "readAt": "2026-11-23T00:00:00Z", "regions": [{
        "region": "us-east-1", "status": "read", "sentLastTwoWeeks": 0,
        "sending": {
            "enabled": true, "productionAccess": true, "enforcementStatus": "HEALTHY",
            "quota": {"max24Hour": 200, "maxSendRate": 1, "sentLast24Hours": 0},
        },
        "identities": (0..identities).map(identity).collect::<Vec<_>>(),
        "mailManager": {"available": false},
        "vpcEndpoints": [],
    }]})
}

fn section(writers: usize) -> Exposure {
    let accounts = [account(WRITER, writers), account(NEIGHBOUR, 1)];
    exposure::read(&json!({"exposureVersion": 1, "accounts": accounts}).to_string()).unwrap()
}

fn inside() -> Inside {
    let path = format!("{ORGANIZATION}/r-case/");
    Inside {
        organization: ORGANIZATION.to_owned(),
        partition: "aws".to_owned(),
        management_account: WRITER.to_owned(),
        accounts: [WRITER, NEIGHBOUR].map(|id| (id.to_owned(), path.clone())).into(),
    }
}

/// The verdicts of SESDP.19, one account after the other.
fn verdicts(perimeter: &Perimeter, section: &Exposure, budget: u64) -> Vec<Verdict> {
    let inside = inside();
    let mut checker = Checker::new(&inside, perimeter, &["us-east-1"], MOMENT, budget);
    let check = |account: &exposure::AccountExposure| {
        let id = account.account.to_string();
        checker.check(ExposureControl::IdentityPolicies, &id, Some(account))
    };
    section.accounts.iter().map(check).collect()
}

#[test]
fn an_account_with_too_much_to_look_at_is_undecided_and_its_neighbour_decided() {
    let perimeter = perimeter::parse("[trusted]\nrecipients = [\"*@example.com\"]\n").unwrap();
    let one = section(1);
    let passes = |budget: &u64| {
        verdicts(&perimeter, &one, *budget).iter().all(|it| it.status() == Status::Passed)
    };
    // Some question of each identity takes more than half of this.
    let budget = (0..30).map(|power| 1 << power).find(passes).unwrap();

    let some = verdicts(&perimeter, &section(4), budget * 16);
    assert!(some.iter().all(|it| it.status() == Status::Passed), "{some:?}");

    let [writer, neighbour] = &verdicts(&perimeter, &section(40), budget)[..] else { panic!() };
    assert_eq!(neighbour.status(), Status::Passed);
    let Verdict::Undecided(reasons) = writer else { panic!("{writer:?}") };
    let spent = |why: &Why| matches!(why, Why::InAccount(text) if text.contains("of one account"));
    assert!(reasons.iter().any(spent), "{reasons:?}");
}
