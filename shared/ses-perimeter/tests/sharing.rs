//! Accounts with the same policies share their decisions. These tests hold a check of all
//! accounts against a check of each account alone: sharing must never change a verdict.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeSet;
use std::rc::Rc;

use organization::{AccountIdx, Organization};
use policy::condition::Readings;
use policy::evaluate::{Outcome, Stack, evaluate};
use policy::parse::Limits;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use ses_perimeter::check::{Now, Options, check};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::{Cell, Report, Row, Status, Verdict, Why};
use ses_perimeter::view::view;
use ses_perimeter::{model, perimeter};
use support::organization::Snapshot;

const ACCOUNTS: [&str; 5] =
    ["111111111111", "111122223333", "222222222222", "333344445555", "999999999999"];
/// One organization: two units, five accounts under either or the root, policies on units.
#[derive(Debug, Clone)]
struct World<'e> {
    /// For each account 0 for the root, 1 or 2 for a unit.
    parents: Vec<usize>,
    /// Documents on the root and on each unit.
    documents: Vec<Vec<Value>>,
    trusted: &'static str,
    exempt: &'e str,
    worst: bool,
}

impl World<'_> {
    fn organization(&self) -> Organization {
        let targets = ["r-exam", "ou-exam-00000001", "ou-exam-00000002"];
        let mut snapshot = Snapshot::of("o-exampleorgid", targets[0], "777777777777");
        snapshot.unit(targets[1], "One", targets[0]).unit(targets[2], "Two", targets[0]);
        for (id, parent) in ACCOUNTS.iter().zip(&self.parents) {
            snapshot.account(id, id, targets[*parent]);
        }
        snapshot.full_access();
        let mut number = 0;
        for (target, documents) in targets.iter().zip(&self.documents) {
            for document in documents {
                number += 1;
                let id = format!("p-number{number:04}");
                snapshot.policy(&id, &id, document.clone(), &[target]);
            }
        }
        organization::read(&snapshot.to_string(), &Limits::default()).unwrap()
    }

    fn perimeter(&self) -> Perimeter {
        let mut text = format!("[trusted]\nrecipients = [\"{}\"]\n", self.trusted);
        if self.worst {
            text.push_str("[assumptions]\nundocumented = \"worst-case\"\n");
        }
        if !self.exempt.is_empty() {
            text.push_str(&format!("[[exemptions]]\n{}\nreason = \"case\"\n", self.exempt));
        }
        perimeter::parse(&text).unwrap()
    }
}

fn controls() -> BTreeSet<ControlId> {
    [
        ControlId::V1Bulk,
        ControlId::V1Send,
        ControlId::Smtp,
        ControlId::V2Bulk,
        ControlId::VerificationMail,
        ControlId::SendingAuthorization,
        ControlId::ExemptionTags,
        ControlId::ForeignResources,
        ControlId::ExemptPrincipals,
    ]
    .into()
}

/// A check of all accounts with all that is remembered and one of them asking for all.
fn run(organization: &Organization, perimeter: &Perimeter) -> Report {
    let options = Options { controls: controls(), ..Options::default() };
    check(organization, perimeter, now(), &options, &mut |_, _| {})
}

/// A check of one account that asks itself, in which no control knows of another.
fn run_alone(organization: &Organization, perimeter: &Perimeter, account: AccountIdx) -> Report {
    let alone = |control| {
        let options = Options {
            controls: [control].into(),
            accounts: [account].into(),
            memory: false,
            stand_in: false,
            ..Options::default()
        };
        check(organization, perimeter, now(), &options, &mut |_, _| {})
    };
    let mut all: Vec<Report> = controls().into_iter().map(alone).collect();
    let cells = all.iter().flat_map(|one| one.rows[0].cells.iter().cloned()).collect();
    let mut report = all.swap_remove(0);
    report.rows[0].cells = Rc::new(cells);
    report
}

fn now() -> Now {
    Now::from_epoch_seconds(1_795_392_000).unwrap()
}

/// The statuses, without those that a spent budget left open in either row: the steps that a
/// question takes depend on what the prover has seen before.
fn statuses(row: &Row, other: &Row) -> Vec<(ControlId, Status)> {
    let spent = |cell: &Cell| match &cell.verdict {
        Verdict::Undecided(reasons) => reasons.iter().all(|why| matches!(why, Why::Budget { .. })),
        Verdict::Passed(_)
        | Verdict::Failed { .. }
        | Verdict::NotApplicable(_)
        | Verdict::InOrder(_)
        | Verdict::Faults(_) => false,
    };
    let pairs = row.cells.iter().zip(other.cells.iter());
    pairs
        .filter(|(cell, other)| !spent(cell) && !spent(other))
        .map(|(cell, _)| (cell.control, cell.status()))
        .collect()
}

fn stack(organization: &Organization, account: AccountIdx) -> Stack<'_> {
    let level = |level: &organization::LevelRef<'_>| {
        let documents = level.scps.iter().map(|scp| organization.document(scp.document).unwrap());
        documents.filter_map(organization::Document::policy).collect()
    };
    Stack { levels: organization.levels(account).iter().map(level).collect() }
}

/// Checks all accounts together, then each alone, and replays what the rows show.
///
/// Gives back how many rows were shared.
fn compare(world: &World<'_>) -> Result<usize, TestCaseError> {
    let organization = world.organization();
    let perimeter = world.perimeter();
    let together = run(&organization, &perimeter);
    let catalog = model::catalog();
    prop_assert_eq!(together.rows.len(), ACCOUNTS.len());
    let mut shared = 0;
    for row in &together.rows {
        let id = organization.account(row.account).unwrap().id.to_string();
        let alone = run_alone(&organization, &perimeter, row.account);
        prop_assert_eq!(alone.rows.len(), 1);
        let only = &alone.rows[0];
        prop_assert_eq!(statuses(row, only), statuses(only, row), "{}: together, then alone", &id);
        shared += usize::from(row.shown != row.account);
        for cell in row.cells.iter() {
            let shown = view(&organization, &catalog, row, cell);
            prop_assert_eq!(shown.status, cell.status(), "{} {}", &id, cell.control);
            let Some((_, witness)) = shown.witness else { continue };
            prop_assert_eq!(witness.single("aws:PrincipalAccount"), Some(id.as_str()));
            let own = format!("::{id}:");
            prop_assert!(witness.principal_arn().contains(&own), "{}", witness.principal_arn());
            for request in witness.requests() {
                let decision = evaluate(
                    &stack(&organization, row.account),
                    &request,
                    Readings::default(),
                    &catalog,
                );
                prop_assert_eq!(decision.outcome, Outcome::Permitted, "{} {:?}", &id, &request);
            }
        }
    }
    Ok(shared)
}

/// Conditions in which account digits can matter, and some in which they cannot.
///
/// Digits beside a wildcard tell every account apart; without `partial` there are none, so that
/// the accounts that nothing names share.
fn condition(partial: bool) -> impl Strategy<Value = (&'static str, &'static str, Value)> {
    let pick = move |whole: Vec<Value>, parts: Vec<Value>| {
        select(if partial { [whole, parts].concat() } else { whole })
    };
    let arn = select(vec!["ArnLike", "ArnNotLike", "StringLike", "StringNotLike"]);
    let text = || select(vec!["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"]);
    let arns = pick(
        vec![
            json!("arn:aws:iam::111111111111:role/*"),
            json!("arn:aws:iam::*:role/team1-*"),
            json!("arn:aws:iam::${aws:PrincipalAccount}:role/*"),
            json!(["arn:aws:iam::222222222222:*", "arn:aws:iam::999999999999:root"]),
        ],
        vec![
            json!("arn:aws:iam::1111*:role/x"),
            json!("arn:aws:iam::*2:user/*"),
            json!("arn:aws:iam::??????222222:*"),
        ],
    );
    let accounts = pick(
        vec![
            json!(["111111111111"]),
            json!(["111111111111", "222222222222"]),
            json!("${aws:PrincipalAccount}"),
            json!("${aws:PrincipalTag/home}"),
            json!("999999999999"),
        ],
        vec![json!("1111*"), json!("*3")],
    );
    let recipients = pick(
        vec![
            json!("*@example.com"),
            json!("*@${aws:PrincipalAccount}.example.com"),
            json!("*@111111111111.example.com"),
            json!("${aws:PrincipalAccount}@example.com"),
        ],
        vec![json!("*111*")],
    );
    let tags = select(vec![
        json!("x${aws:PrincipalAccount}"),
        json!("x111111111111"),
        json!("${aws:PrincipalAccount}"),
        json!("222222222222"),
        json!("v1"),
    ]);
    let numbers = select(vec![
        ("NumericLessThan", json!("200000000000")),
        ("NumericEquals", json!("111111111111.0")),
        ("NumericGreaterThanEquals", json!(333_344_445_555_u64)),
        ("DateLessThan", json!("200000000000")),
    ]);
    let account_key = select(vec!["aws:PrincipalAccount", "aws:ResourceAccount"]);
    // Keys that are there in some requests only, and one of which nobody knows anything.
    let others = select(vec![
        ("StringEquals", "aws:SomethingNew", json!("x")),
        ("StringNotEquals", "aws:SomethingNew", json!(["x", "y"])),
        ("ForAnyValue:StringEquals", "aws:SomethingNew", json!("y")),
        ("ForAllValues:StringNotEquals", "aws:SomethingNew", json!("x")),
        ("Null", "aws:SomethingNew", json!("false")),
        ("IpAddress", "aws:SourceIp", json!(["0.0.0.0/0", "::/0"])),
        ("NotIpAddress", "aws:SourceIp", json!("10.0.0.0/8")),
        ("StringLike", "aws:SourceVpc", json!("*")),
        ("StringNotEquals", "aws:SourceVpce", json!("vpce-1")),
        ("Bool", "aws:ViaAWSService", json!("true")),
        ("Bool", "aws:ViaAWSService", json!("false")),
        ("ForAnyValue:StringLike", "aws:ResourceOrgPaths", json!("*/ou-exam-00000001/*")),
        ("ForAnyValue:StringNotLike", "aws:ResourceOrgPaths", json!("*/ou-exam-00000002/*")),
        ("StringNotEquals", "aws:ResourceOrgID", json!("${aws:PrincipalOrgID}")),
        ("StringEquals", "aws:RequestedRegion", json!(["us-east-1", "eu-west-1"])),
        ("StringNotEquals", "aws:RequestedRegion", json!("us-east-1")),
        ("Null", "aws:PrincipalTag/team", json!("true")),
        ("Null", "ses:Recipients", json!("false")),
        ("StringNotEqualsIfExists", "aws:ResourceTag/team", json!("red")),
        ("Null", "aws:ResourceTag/team", json!("true")),
    ]);
    prop_oneof![
        others,
        (arn, arns).prop_map(|(operator, value)| (operator, "aws:PrincipalArn", value)),
        (text(), account_key.clone(), accounts),
        (select(vec!["ForAnyValue:StringNotLike", "ForAnyValue:StringLike"]), recipients)
            .prop_map(|(operator, value)| (operator, "ses:Recipients", value)),
        (text(), tags).prop_map(|(operator, value)| (operator, "aws:PrincipalTag/team", value)),
        (numbers, account_key).prop_map(|((operator, value), key)| (operator, key, value)),
        select(vec![json!("o-exampleorgid/r-exam/ou-exam-00000001/"), json!("*/ou-exam-*/")])
            .prop_map(|value| ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", value)),
    ]
}

fn statement(partial: bool) -> impl Strategy<Value = Value> {
    let action = select(vec![
        json!("ses:*"),
        json!("ses:SendEmail"),
        json!("ses:SendRawEmail"),
        json!(["ses:Send*", "iam:Tag*"]),
    ]);
    let rare = if partial {
        json!("arn:aws:ses:*:1111*:identity/*")
    } else {
        json!("arn:aws:ses:*:*:identity/111111111111.example.com")
    };
    let resource = select(vec![
        json!("*"),
        json!("*"),
        json!("*"),
        json!("arn:aws:ses:*:111111111111:identity/*"),
        rare,
        json!("arn:aws:ses:*:*:identity/${aws:PrincipalAccount}.example.com"),
    ]);
    let conditions = prop::collection::vec(condition(partial), 0..3);
    (action, any::<bool>(), resource, conditions).prop_map(
        |(action, other, resource, conditions)| {
            let mut condition = json!({});
            for (operator, key, value) in conditions {
                condition[operator][key] = value;
            }
            let element = if other { "NotResource" } else { "Resource" };
            let resource = if other && resource == json!("*") {
                json!("arn:aws:ses:*:111111111111:identity/*")
            } else {
                resource
            };
            json!({"Effect": "Deny", "Action": action, element: resource, "Condition": condition})
        },
    )
}

fn document(partial: bool) -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(partial), 1..4)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

fn world() -> impl Strategy<Value = World<'static>> {
    let tag = "principal_tag = { key = \"team\", value = \"x111111111111\" }";
    let role = "principal_arn = \"arn:aws:iam::111111111111:role/*\"";
    let part = "principal_arn = \"arn:aws:iam::*2:*\"";
    any::<bool>().prop_flat_map(move |partial| {
        let mut trusted =
            vec!["*@example.com", "*@111111111111.example.com", "222222222222@example.com"];
        let anybody = "principal_arn = \"arn:aws:iam::*:user/x\"";
        let mut exempt = vec!["", role, anybody, tag];
        if partial {
            trusted.push("*111*@example.com");
            exempt.push(part);
        }
        let parents = prop::collection::vec(0_usize..3, ACCOUNTS.len());
        let documents = prop::collection::vec(prop::collection::vec(document(partial), 0..2), 3);
        (parents, documents, select(trusted), select(exempt), any::<bool>()).prop_map(
            |(parents, documents, trusted, exempt, worst)| World {
                parents,
                documents,
                trusted,
                exempt,
                worst,
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn checking_together_and_alone_gives_the_same(world in world()) {
        compare(&world)?;
    }
}

/// All accounts in one unit with these statements.
fn together(statements: &Value, trusted: &'static str) -> World<'static> {
    World {
        parents: vec![1; ACCOUNTS.len()],
        documents: vec![
            Vec::new(),
            vec![json!({"Version": "2012-10-17", "Statement": statements})],
            Vec::new(),
        ],
        trusted,
        exempt: "",
        worst: false,
    }
}

fn deny(condition: &Value) -> Value {
    json!({"Effect": "Deny", "Action": "ses:*", "Resource": "*", "Condition": condition})
}

#[test]
fn accounts_that_nothing_tells_apart_do_share() {
    let world = together(
        &json!([deny(&json!({"ForAnyValue:StringNotLike": {"ses:Recipients": "*@example.com"}}))]),
        "*@example.com",
    );
    // The last account is the stranger of other requests, and so is decided on its own.
    assert_eq!(compare(&world).unwrap(), ACCOUNTS.len() - 2);
}

#[test]
fn what_is_open_about_one_action_is_not_told_of_another_that_is_asked_alike() {
    let open = json!({"Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:ResourceAccount": "222222222222"}}});
    let other = json!({"Effect": "Deny", "Action": ["ses:CreateEmailIdentity*",
        "ses:UpdateEmailIdentityPolicy"], "Resource": "*"});
    let world = together(&json!([open, other]), "*@example.com");
    let organization = world.organization();
    let perimeter = world.perimeter();
    let options = Options {
        controls: [ControlId::VerificationMail, ControlId::SendingAuthorization].into(),
        ..Options::default()
    };
    let report = check(&organization, &perimeter, now(), &options, &mut |_, _| {});
    let mut seen = 0;
    for cell in report.rows.iter().flat_map(Row::all) {
        let Verdict::Undecided(reasons) = &cell.verdict else { continue };
        for reason in reasons {
            let Why::Statement(_, _, open) = reason else { panic!("{reason:?}") };
            let about = if cell.control == ControlId::VerificationMail {
                ["ses:VerifyEmailIdentity", "ses:VerifyEmailAddress"]
            } else {
                ["ses:PutIdentityPolicy"; 2]
            };
            assert!(
                about.iter().any(|it| open.message.contains(it)),
                "{:?} {}",
                cell.control,
                open.message
            );
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_policy_about_units_is_asked_by_each_account_as_the_others_are_elsewhere() {
    let inside =
        json!({"ForAnyValue:StringLike": {"aws:ResourceOrgPaths": "*/ou-exam-00000001/*"}});
    let outside = json!({"StringNotEquals": {"aws:ResourceOrgID": "o-exampleorgid"}});
    let own = json!({"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}});
    let account = json!({"Null": {"aws:ResourceAccount": "true"}});
    let path = json!({"Null": {"aws:ResourceOrgPaths": "true"}});
    let all = [inside, outside, own, account, path];
    let statements = all.iter().map(deny).collect::<Value>();
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    // All but one are in the unit whose identities are out of reach.
    for alone in 0..ACCOUNTS.len() {
        let mut parents = vec![1; ACCOUNTS.len()];
        parents[alone] = 2;
        let documents = vec![vec![document.clone()], Vec::new(), Vec::new()];
        let world =
            World { parents, documents, trusted: "*@example.com", exempt: "", worst: false };
        compare(&world).unwrap();
    }
}

#[test]
fn an_account_in_a_number_is_told_apart() {
    let below = json!({"NumericLessThan": {"aws:PrincipalAccount": "200000000000"}});
    compare(&together(&json!([deny(&below)]), "*@example.com")).unwrap();
}

#[test]
fn an_account_in_a_number_with_a_fraction_is_told_apart() {
    let equal = json!({"NumericEquals": {"aws:PrincipalAccount": "111111111111.0"}});
    compare(&together(&json!([deny(&equal)]), "*@example.com")).unwrap();
}

#[test]
fn an_account_that_a_variable_carries_into_a_word_is_told_apart() {
    let own = json!({"StringNotEquals": {"aws:PrincipalTag/team": "x${aws:PrincipalAccount}"}});
    let first = json!({"StringEquals": {"aws:PrincipalTag/team": "x111111111111"}});
    compare(&together(&json!([deny(&own), deny(&first)]), "*@example.com")).unwrap();
}

#[test]
fn an_account_in_a_trusted_domain_is_told_apart() {
    let own = json!({"ForAnyValue:StringNotLike":
        {"ses:Recipients": "*@${aws:PrincipalAccount}.example.com"}});
    compare(&together(&json!([deny(&own)]), "*@111111111111.example.com")).unwrap();
}

#[test]
fn an_account_in_a_resource_name_is_told_apart() {
    let statements = json!([{"Effect": "Deny", "Action": "ses:*", "NotResource": [
        "arn:aws:ses:*:*:identity/${aws:PrincipalAccount}.example.com"]},
        {"Effect": "Deny", "Action": "ses:*",
         "Resource": "arn:aws:ses:*:*:identity/111111111111.example.com"}]);
    compare(&together(&statements, "*@example.com")).unwrap();
}

#[test]
fn a_name_with_an_account_in_it_survives_the_move() {
    let statements = json!([{"Effect": "Deny", "Action": "ses:*",
        "NotResource": "arn:aws:ses:*:*:identity/111111111111.example.com"}]);
    compare(&together(&statements, "*@example.com")).unwrap();
}

#[test]
fn accounts_that_a_selector_tells_apart_stand_apart_in_what_it_selects() {
    for (exempt, selected) in [
        ("arn:aws:iam::222222222222:role/x", vec!["222222222222"]),
        ("arn:aws:iam::1111*:user/x", vec!["111111111111", "111122223333"]),
        ("arn:aws:iam::*:role/x", ACCOUNTS.to_vec()),
        ("arn:aws:iam::*:root", Vec::new()),
    ] {
        let exempt = format!("principal_arn = \"{exempt}\"");
        let world = World {
            exempt: &exempt,
            ..together(
                &json!([deny(&json!({"Bool": {"aws:SecureTransport": "false"}}))]),
                "*@example.com",
            )
        };
        let organization = world.organization();
        let report = run(&organization, &world.perimeter());
        for row in &report.rows {
            let id = organization.account(row.account).unwrap().id.to_string();
            let asked =
                row.cells.iter().find(|cell| cell.control == ControlId::ExemptPrincipals).unwrap();
            let wanted = if selected.contains(&id.as_str()) {
                Status::Failed
            } else {
                Status::NotApplicable
            };
            assert_eq!(asked.status(), wanted, "{exempt} {id}");
        }
        compare(&world).unwrap();
    }
}

#[test]
fn an_allowed_unit_covers_its_own_accounts_and_no_others() {
    let world = World {
        parents: vec![0, 1, 2, 1, 0],
        documents: vec![Vec::new(), Vec::new(), Vec::new()],
        trusted: "*@example.com",
        exempt: "",
        worst: false,
    };
    let perimeter = perimeter::parse(
        "[trusted]\nrecipients = [\"*@example.com\"]\n[[allowed_targets]]\n\
         id = \"ou-exam-00000001\"\nreason = \"mails customers\"\n",
    );
    let report = run(&world.organization(), &perimeter.unwrap());
    for (row, parent) in report.rows.iter().zip(&world.parents) {
        for cell in row.cells.iter() {
            let not_applicable = cell.status() == Status::NotApplicable;
            // These have nothing to ask about anywhere: there are no selectors.
            let selectorless =
                [ControlId::ExemptionTags, ControlId::ExemptPrincipals].contains(&cell.control);
            assert_eq!(not_applicable, *parent == 1 || selectorless, "{} {parent}", cell.control);
        }
    }
}

#[test]
fn accounts_of_different_units_are_told_apart_where_a_statement_looks_at_their_paths() {
    let only_one = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "ses:*", "Resource": "*",
        "Condition": {"ForAnyValue:StringLike":
            {"aws:PrincipalOrgPaths": "o-exampleorgid/r-exam/ou-exam-00000001/*"}},
    }]});
    let world = World {
        parents: vec![1, 2, 1, 2, 1],
        documents: vec![vec![only_one], Vec::new(), Vec::new()],
        trusted: "*@example.com",
        exempt: "",
        worst: false,
    };
    let (organization, perimeter) = (world.organization(), world.perimeter());
    let report = run(&organization, &perimeter);
    for (row, parent) in report.rows.iter().zip(&world.parents) {
        let smtp = row.cells.iter().find(|cell| cell.control == ControlId::Smtp).unwrap();
        let wanted = if *parent == 1 { Status::Passed } else { Status::Failed };
        assert_eq!(smtp.status(), wanted);
    }
    compare(&world).unwrap();
}
