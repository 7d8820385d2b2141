//! Small random organizations with policies about mail.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::organization::Snapshot;

/// Documents, from harmless to closed, with holes of every kind between.
pub fn documents() -> Vec<(&'static str, String)> {
    let deny = |statement: Value| json!({"Version": "2012-10-17", "Statement": [statement]});
    let untrusted = json!({"ForAnyValue:StringNotLike": {"ses:Recipients": ["*@example.com"]}});
    let mail = json!(["ses:SendEmail", "ses:SendRawEmail"]);
    let all = json!([
        "ses:SendEmail",
        "ses:SendRawEmail",
        "ses:SendTemplatedEmail",
        "ses:SendBulkTemplatedEmail"
    ]);
    vec![
        (
            "no-root",
            deny(json!({"Sid": "Root", "Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}}))
            .to_string(),
        ),
        (
            "by-version",
            deny(
                json!({"Sid": "V1", "Effect": "Deny", "Action": all, "Resource": "*", "Condition": {
                "ForAnyValue:StringNotLike": {"ses:Recipients": ["*@example.com"]},
                "StringEquals": {"ses:ApiVersion": "1"}}}),
            )
            .to_string(),
        ),
        (
            "some-actions",
            deny(
                json!({"Effect": "Deny", "Action": mail, "Resource": "*", "Condition": untrusted}),
            )
            .to_string(),
        ),
        (
            "laid-out",
            serde_json::to_string_pretty(&deny(json!({"Sid": "SesPerimeterRecipients",
                "Effect": "Deny", "Action": all, "Resource": "*", "Condition": untrusted})))
            .unwrap_or_default(),
        ),
        (
            "single",
            json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny",
                "Action": "ses:SendBulkEmail", "Resource": "*"}})
            .to_string(),
        ),
        (
            "old-language",
            json!({"Statement": [{"Effect": "Deny", "Action": "ses:SendBounce", "Resource": "*"}]})
                .to_string(),
        ),
        (
            "wrong-set",
            deny(json!({"Effect": "Deny", "Action": all, "Resource": "*", "Condition": {
                "ForAllValues:StringNotLike": {"ses:Recipients": ["*@example.com"]}}}))
            .to_string(),
        ),
        (
            "unknown-operator",
            deny(
                json!({"Effect": "Deny", "Action": "ses:SendEmail", "Resource": "*", "Condition": {
                "StringIs": {"ses:ApiVersion": "2"}}}),
            )
            .to_string(),
        ),
        (
            "no-mail",
            deny(json!({"Effect": "Deny", "Action": "ses:*", "Resource": "*"})).to_string(),
        ),
        (
            "builds-only",
            json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["codebuild:*", "s3:*"], "Resource": "*"}]})
            .to_string(),
        ),
        ("unreadable", "{\"Version\": ".to_owned()),
    ]
}

/// Perimeters of different kinds.
pub const PERIMETERS: [&str; 4] = [
    "[trusted]\nrecipients = [\"*@example.com\"]\n",
    "[trusted]\nrecipients = [\"*@example.com\", \"*@*.example.com\"]\n\
     [[exemptions]]\nprincipal_tag = { key = \"mail\", value = \"free\" }\nreason = \"r\"\n\
     [[exemptions]]\nprincipal_tag = { key = \"Mail\", value = \"${x}\" }\nreason = \"r\"\n\
     [[exemptions]]\nprincipal_arn = \"arn:aws:iam::*:role/newsletter-*\"\nreason = \"r\"\n\
     [[administrators]]\nprincipal_arn = \"arn:aws:iam::*:role/MailAdmin\"\nreason = \"r\"\n",
    "[trusted]\nrecipients = [\"*@example.com\"]\n\
     networks = { vpce_org = true, vpcs = [\"vpc-0123456789abcdef0\"], cidrs = [\"203.0.113.0/24\"] }\n\
     [[allowed_targets]]\nid = \"ou-exam-00000001\"\nreason = \"r\"\n",
    "[trusted]\nrecipients = [\"*@example.com\"]\n\
     [[exemptions]]\nprincipal_tag = { key = \"old\", value = \"x\" }\nreason = \"r\"\n\
     expires = 2020-01-01\n\
     [assumptions]\nundocumented = \"worst-case\"\n",
];

/// The id of the policy with a document of [`documents`].
pub fn policy_id(index: usize) -> String {
    format!("p-document{index:02}")
}

/// The id of the n-th unit.
pub fn unit_id(index: usize) -> String {
    format!("ou-exam-{index:08}")
}

/// The id of the n-th member.
pub fn account_id(index: usize) -> String {
    format!("{:012}", 222_222_222_222_u64 + index as u64)
}

/// A snapshot of up to five units and six members.
pub fn snapshot() -> impl Strategy<Value = Value> {
    let units = vec(any::<prop::sample::Index>(), 0..5);
    let accounts = vec((any::<prop::sample::Index>(), 0u8..10), 1..6);
    (units, accounts).prop_flat_map(|(units, accounts)| {
        let targets = 1 + units.len() + accounts.len();
        let attached =
            vec(btree_set(0..documents().len(), 0..3).prop_map(thinned), targets..=targets);
        (Just(units), Just(accounts), attached)
            .prop_map(|(units, accounts, attached)| build(&units, &accounts, &attached))
    })
}

/// Most organizations have few policies that stop everything or that nobody can read.
fn thinned(some: std::collections::BTreeSet<usize>) -> Vec<usize> {
    let (rare, mut usual): (Vec<usize>, Vec<usize>) = some.into_iter().partition(|at| *at >= 8);
    if usual.is_empty() {
        usual = rare.into_iter().take(1).collect();
    }
    usual
}

fn build(
    units: &[prop::sample::Index],
    accounts: &[(prop::sample::Index, u8)],
    attached: &[Vec<usize>],
) -> Value {
    let parent = |index: &prop::sample::Index, before: usize| match index.index(before + 1) {
        0 => "r-exam".to_owned(),
        n => unit_id(n - 1),
    };
    let mut snapshot = Snapshot::new();
    for (index, at) in units.iter().enumerate() {
        snapshot.unit(&unit_id(index), &format!("unit-{index}"), &parent(at, index));
    }
    for (index, (at, draw)) in accounts.iter().enumerate() {
        snapshot
            .account(&account_id(index), &format!("account-{index}"), &parent(at, units.len()))
            .state(if *draw == 0 { "SUSPENDED" } else { "ACTIVE" });
    }
    snapshot.full_access().account("111111111111", "management", "r-exam");
    for (index, (name, content)) in documents().into_iter().enumerate() {
        snapshot.policy(&policy_id(index), name, content, &[]);
    }
    let targets = (0..units.len()).map(unit_id).chain((0..accounts.len()).map(account_id));
    for (target, documents) in ["r-exam".to_owned()].into_iter().chain(targets).zip(attached) {
        for at in documents {
            snapshot.attach(&policy_id(*at), &target);
        }
    }
    snapshot.0
}
