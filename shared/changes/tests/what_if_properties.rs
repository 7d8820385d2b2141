//! What a proposed change does is what a check of the edited snapshot says, always.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with tests that need more of it")]
mod common;

use std::collections::BTreeMap;

use changes::compare::{CellChange, Direction, Side, changes, lost_mail};
use changes::diff::{Taken, differences, reasons};
use changes::edit::{Draft, Edit};
use changes::plan::Choice;
use changes::worlds::{Ways, merged, worlds};
use common::{PERIMETERS, account_id, documents, policy_id, snapshot, unit_id};
use organization::{AccountId, Organization};
use policy::parse::Limits;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use ses_perimeter::check::{Now, Options, check};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::{self, Perimeter};
use ses_perimeter::report::{Report, Status};

fn now() -> Now {
    let at: jiff::Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    Now::from_epoch_seconds(at.as_second()).unwrap()
}

fn decide(organization: &Organization, perimeter: &Perimeter) -> Report {
    check(organization, perimeter, now(), &Options::default(), &mut |_, _| {})
}

fn read(text: &str) -> Organization {
    organization::read(text, &Limits::default()).unwrap()
}

fn cells(organization: &Organization, report: &Report) -> BTreeMap<(AccountId, ControlId), Status> {
    let mut cells = BTreeMap::new();
    for row in &report.rows {
        let id = organization.account(row.account).unwrap().id;
        cells.extend(row.cells.iter().map(|cell| ((id, cell.control), cell.status())));
    }
    cells
}

/// A wish that may make no sense: each way to draw an edit.
fn wish() -> impl Strategy<Value = (u8, Index, Index)> {
    (0u8..6, any::<Index>(), any::<Index>())
}

/// The edit of a wish, and the snapshot with it made by hand; none where it makes no sense.
fn made(snapshot: &Value, (kind, one, other): &(u8, Index, Index)) -> Option<(Edit, Value)> {
    let mut edited = snapshot.clone();
    let texts = documents();
    let targets: Vec<String> = ["organizationalUnits", "accounts"]
        .iter()
        .flat_map(|list| snapshot[*list].as_array().unwrap())
        .map(|found| found["id"].as_str().unwrap().to_owned())
        .chain(["r-exam".to_owned()])
        .collect();
    let policy = policy_id(one.index(texts.len()));
    let target = targets[other.index(targets.len())].clone();
    let attachment = json!({"policyId": policy, "targetId": target});
    let attached = snapshot["attachments"].as_array().unwrap().contains(&attachment);
    let edit = match kind {
        0 => {
            let content = texts[other.index(texts.len())].1.clone();
            for found in edited["policies"].as_array_mut().unwrap() {
                if found["id"] == *policy {
                    found["content"] = content.clone().into();
                }
            }
            Edit::Replace { policy, content }
        }
        1 if !attached => {
            edited["attachments"].as_array_mut().unwrap().push(attachment);
            Edit::Attach { policy, target }
        }
        2 if attached => {
            edited["attachments"].as_array_mut().unwrap().retain(|found| *found != attachment);
            Edit::Detach { policy, target }
        }
        3 => {
            let account = account_id(one.index(6));
            let parents: Vec<&String> =
                targets.iter().filter(|id| id.starts_with('o') || id.starts_with('r')).collect();
            let parent = parents[other.index(parents.len())].clone();
            let accounts = edited["accounts"].as_array_mut().unwrap();
            let found = accounts.iter_mut().find(|found| found["id"] == *account)?;
            if found["parentId"] == *parent {
                return None;
            }
            found["parentId"] = parent.clone().into();
            Edit::Move { account, parent }
        }
        4 => {
            let content = texts[other.index(texts.len())].1.clone();
            let (policy, name) = ("p-brandnew1".to_owned(), "brand new".to_owned());
            edited["policies"].as_array_mut().unwrap().push(json!({
                "id": policy, "name": name, "type": "SERVICE_CONTROL_POLICY", "content": content,
            }));
            Edit::Create { policy, name, content }
        }
        5 if !snapshot["attachments"]
            .as_array()
            .unwrap()
            .iter()
            .any(|a| a["policyId"] == *policy) =>
        {
            edited["policies"].as_array_mut().unwrap().retain(|found| found["id"] != *policy);
            Edit::Delete { policy }
        }
        _ => return None,
    };
    Some((edit, edited))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_change_is_what_a_check_of_the_edited_snapshot_says(
        snapshot in snapshot(),
        wishes in prop::collection::vec(wish(), 1..6),
        perimeter in 0..PERIMETERS.len(),
    ) {
        let text = snapshot.to_string();
        let organization = read(&text);
        let perimeter = perimeter::parse(PERIMETERS[perimeter]).unwrap();
        let mut draft = Draft::new(&organization, &text).unwrap();
        let mut by_hand = snapshot.clone();
        for wish in &wishes {
            let Some((edit, edited)) = made(&by_hand, wish) else { continue };
            // The same edit twice is refused; by hand it would be there twice.
            if draft.make(&edit).is_ok() {
                by_hand = edited;
            }
        }
        let (changed, by_hand) = (read(&draft.into_text()), read(&by_hand.to_string()));
        let (before, after) = (decide(&organization, &perimeter), decide(&changed, &perimeter));
        let wanted = cells(&by_hand, &decide(&by_hand, &perimeter));
        prop_assert_eq!(&cells(&changed, &after), &wanted);

        // Exactly the cells that differ are told, each with its direction.
        let old = cells(&organization, &before);
        let side = |organization, report| Side { organization, report };
        let told = changes(side(&organization, &before), side(&changed, &after));
        let told: BTreeMap<(AccountId, ControlId), CellChange> =
            told.into_iter().map(|change| ((change.account, change.control), change)).collect();
        for (key, status) in &wanted {
            match told.get(key) {
                None => prop_assert_eq!(old.get(key), Some(status)),
                Some(change) => {
                    prop_assert_ne!(old.get(key), Some(status));
                    prop_assert_eq!(change.after, Some(*status));
                    let good = |status| matches!(status, Status::Passed | Status::NotApplicable);
                    let worse = change.direction == Direction::Worse;
                    prop_assert!(!(worse && good(*status)));
                    prop_assert!(worse || good(*status) || !good(old[key]));
                }
            }
        }

        // Whoever loses mail meets other policies than before, and each change has its reason.
        for loss in lost_mail(&organization, &changed, &perimeter, now(), prover::DEFAULT_BUDGET) {
            prop_assert!(!loss.paths.is_empty());
        }
        let taken = |organization, text| Taken { organization, text, now: now() };
        let texts = (text.as_str(), "");
        let all: Vec<CellChange> = told.values().copied().collect();
        let sides = (taken(&organization, texts.0), taken(&changed, texts.1));
        let why = reasons(sides.0, sides.1, &perimeter, prover::DEFAULT_BUDGET, &all);
        for change in &all {
            prop_assert!(!why[&(change.account, change.control)].is_empty(), "{change:?}");
        }
        if differences(sides.0, sides.1, &perimeter).is_empty() {
            prop_assert!(all.is_empty());
        }
    }
}

#[test]
fn edits_that_organizations_would_refuse_are_refused_with_what_to_do() {
    let text = json!({
        "schemaVersion": 1, "partition": "aws",
        "organization": {"id": "o-exampleorgid", "managementAccountId": "111111111111", "featureSet": "ALL"},
        "root": {"id": "r-exam", "name": "Root",
            "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]},
        "organizationalUnits": [{"id": unit_id(0), "name": "unit", "parentId": "r-exam"}],
        "accounts": [{"id": account_id(0), "name": "shop", "state": "ACTIVE", "parentId": unit_id(0)}],
        "policies": [
            {"id": "p-FullAWSAccess", "name": "FullAWSAccess", "type": "SERVICE_CONTROL_POLICY",
             "awsManaged": true, "content": "{}"},
            {"id": "p-tagpolicy1", "name": "tags", "type": "TAG_POLICY", "content": "{}"},
            {"id": policy_id(0), "name": "mail", "type": "SERVICE_CONTROL_POLICY", "content": "{}"},
        ],
        "attachments": [{"policyId": policy_id(0), "targetId": unit_id(0)}],
    })
    .to_string();
    let organization = read(&text);
    let (mail, unit, shop) = (policy_id(0), unit_id(0), account_id(0));
    let edit = |edit: Edit| {
        let error = Draft::new(&organization, &text).unwrap().make(&edit).unwrap_err();
        format!("{} / {}", error.message, error.help.unwrap_or_default())
    };
    let replace =
        |policy: &str| Edit::Replace { policy: policy.to_owned(), content: String::new() };
    let attach = |policy: &str, target: &str| Edit::Attach {
        policy: policy.to_owned(),
        target: target.to_owned(),
    };
    let shift = |account: &str, parent: &str| Edit::Move {
        account: account.to_owned(),
        parent: parent.to_owned(),
    };
    for (refused, says) in [
        (replace("p-FullAWSAccess"), "maintained by AWS"),
        (replace("p-tagpolicy1"), "no service control policy but `TAG_POLICY`"),
        (replace("p-document01"), "did you mean p-document00?"),
        (attach(&mail, &unit), "attached to `ou-exam-00000000` already"),
        (attach(&mail, "ou-exam-00000009"), "did you mean ou-exam-00000000?"),
        (
            Edit::Detach { policy: mail.clone(), target: shop.clone() },
            "it is attached to ou-exam-00000000",
        ),
        (
            Edit::Detach { policy: "p-FullAWSAccess".to_owned(), target: shop.clone() },
            "attached nowhere",
        ),
        (Edit::Delete { policy: mail.clone() }, "detach it first"),
        (
            Edit::Create { policy: "new".to_owned(), name: "n".to_owned(), content: String::new() },
            "no id of a policy",
        ),
        (
            Edit::Create { policy: mail.clone(), name: "n".to_owned(), content: String::new() },
            "already",
        ),
        (
            Edit::Create {
                policy: "p-brandnew1".to_owned(),
                name: "mail".to_owned(),
                content: String::new(),
            },
            "named `mail` already",
        ),
        (shift(&unit, "r-exam"), "only accounts can be moved"),
        (shift(&shop, &shop), "is an account"),
        (shift(&shop, &unit), "in `ou-exam-00000000` already"),
    ] {
        let text = edit(refused.clone());
        assert!(text.contains(says), "{refused:?}: {text}");
    }
}

/// Denials of mail and of other things that are no two alike.
fn denial(number: usize) -> String {
    let recipients = json!({"ForAnyValue:StringNotLike": {"ses:Recipients": "*@example.com"}});
    let action = ["ses:*", "ses:Send*", "s3:*"][number % 3];
    let mut statement = json!({"Effect": "Deny", "Resource": "*",
        "Action": [action, format!("service{number}:*")]});
    if number.is_multiple_of(2) {
        statement["Condition"] = recipients;
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_holds_with_all_denials_and_with_none_holds_in_every_way(
        mut snapshot in snapshot(),
        at in any::<Index>(),
        start in 0_usize..3,
        tried in proptest::collection::vec((any::<Index>(), any::<Index>()), 4),
    ) {
        // Some of three kinds, some of two, some of one.
        let step = 1 + start;
        let ids: Vec<String> = (0..70).map(|number| format!("p-denial{number:04}")).collect();
        for (number, id) in ids.iter().enumerate() {
            let policy = json!({"id": id, "name": id, "type": "SERVICE_CONTROL_POLICY",
                "awsManaged": false, "content": denial(number * step)});
            snapshot["policies"].as_array_mut().unwrap().push(policy);
        }
        let text = snapshot.to_string();
        let organization = read(&text);
        let targets: Vec<String> =
            organization.targets().map(|target| target.id.to_string()).collect();
        let target = at.get(&targets).clone();
        let choices = vec![
            Choice {
                target: target.clone(),
                policies: ids.iter().cloned().map(Some).collect(),
                why: "open".to_owned(),
            };
            2
        ];
        let ways = worlds(&choices, &organization);
        let Ways::Bounds(both) = &ways else {
            // Nobody is judged below it.
            prop_assert_eq!(&ways, &Ways::All(vec![Vec::new()]));
            return Ok(());
        };
        let perimeter = perimeter::parse(PERIMETERS[0]).unwrap();
        let after = |edits: &[Edit]| {
            let mut draft = Draft::new(&organization, &text).unwrap();
            edits.iter().for_each(|edit| draft.make(edit).unwrap());
            read(&draft.into_text())
        };
        let sides: Vec<Organization> = both.iter().map(|edits| after(edits)).collect();
        let reports = sides.iter().map(|it| decide(it, &perimeter)).collect();
        let said = cells(&sides[0], &merged(&sides[0], reports, &choices, &[], &ways));
        for (one, other) in tried {
            let mut policies = vec![one.get(&ids).clone(), other.get(&ids).clone()];
            policies.dedup();
            let attach = |policy| Edit::Attach { policy, target: target.clone() };
            let way = after(&policies.into_iter().map(attach).collect::<Vec<_>>());
            for (cell, truth) in cells(&way, &decide(&way, &perimeter)) {
                let said = said[&cell];
                prop_assert!(said == truth || said == Status::Undecided, "{said:?}, {truth:?}");
            }
        }
    }
}
