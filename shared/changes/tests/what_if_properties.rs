//! What a proposed change does is what a check of the edited snapshot says, always.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with tests that need more of it")]
mod common;
mod edits;

use std::collections::BTreeMap;

use changes::compare::{CellChange, Direction, Side, changes, lost_mail};
use changes::diff::{Taken, differences, reasons};
use changes::plan::Choice;
use changes::worlds::{Ways, merged, worlds};
use common::{PERIMETERS, account_id, policy_id, snapshot, unit_id};
use edits::{made, wish};
use organization::{AccountId, Edit, EditError, Organization, OwnedTargetId, PolicyId};
use policy::parse::Limits;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use ses_perimeter::check::{Now, Options, check};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::{self, Perimeter};
use ses_perimeter::report::{Report, Status};
use support::organization::Snapshot;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_change_is_what_a_check_of_the_edited_snapshot_says(
        snapshot in snapshot(),
        wishes in prop::collection::vec(wish(6), 1..6),
        perimeter in 0..PERIMETERS.len(),
    ) {
        let organization = read(&snapshot.to_string());
        let perimeter = perimeter::parse(PERIMETERS[perimeter]).unwrap();
        let (edits, by_hand) = made(snapshot, &wishes);
        let (changed, by_hand) = (organization.edited(&edits).unwrap(), read(&by_hand.to_string()));
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
        let taken = |organization| Taken { organization, now: now() };
        let all: Vec<CellChange> = told.values().copied().collect();
        let sides = (taken(&organization), taken(&changed));
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
    let mut snapshot = Snapshot::new();
    snapshot
        .unit(&unit_id(0), "unit", "r-exam")
        .account(&account_id(0), "shop", &unit_id(0))
        .policy("p-FullAWSAccess", "FullAWSAccess", "{}", &[])
        .policy("p-tagpolicy1", "tags", "{}", &[])
        .policy(&policy_id(0), "mail", "{}", &[&unit_id(0)]);
    snapshot.0["policies"][0]["awsManaged"] = true.into();
    snapshot.0["policies"][1]["type"] = "TAG_POLICY".into();
    let text = snapshot.to_string();
    let organization = read(&text);
    let (mail, unit, shop) = (policy_id(0), unit_id(0), account_id(0));
    let told = |error: EditError| format!("{} / {}", error.message, error.help.unwrap_or_default());
    let policy = |id: &str| organization.policy_of_edit(id);
    let target = |id: &str| organization.target_of_edit(id);
    let replace = |id: &str| Ok(Edit::Replace { policy: policy(id)?, content: String::new() });
    let attach = |id: &str, at: &str| Ok(Edit::Attach { policy: policy(id)?, target: target(at)? });
    let detach = |id: &str, at: &str| Ok(Edit::Detach { policy: policy(id)?, target: target(at)? });
    let create = |id: &str, name: &str| {
        let (name, content) = (name.to_owned(), String::new());
        Ok(Edit::Create { policy: policy(id)?, name, content })
    };
    let shift = |account: &str, parent: &str| {
        let (account, parent) =
            (organization.account_of_edit(account)?, organization.parent_of_edit(parent)?);
        Ok(Edit::Move { account, parent })
    };
    for (refused, says) in [
        (replace("p-FullAWSAccess"), "maintained by AWS"),
        (replace("p-tagpolicy1"), "no service control policy but `TAG_POLICY`"),
        (replace("p-document01"), "did you mean p-document00?"),
        (attach(&mail, &unit), "attached to `ou-exam-00000000` already"),
        (attach(&mail, "ou-exam-00000009"), "did you mean ou-exam-00000000?"),
        (
            attach(&mail, "shop"),
            "no root, unit or account `shop` / did you mean 222222222222 (shop)?",
        ),
        (attach("mail", &unit), "the organization has no policy `mail`"),
        (detach(&mail, &shop), "it is attached to ou-exam-00000000"),
        (detach("p-FullAWSAccess", &shop), "attached nowhere"),
        (policy(&mail).map(|policy| Edit::Delete { policy }), "detach it first"),
        (create(&mail, "n"), "already"),
        (create("p-brandnew1", "mail"), "named `mail` already"),
        (shift(&unit, "r-exam"), "only accounts can be moved"),
        (shift("nobody", "r-exam"), "no root, unit or account `nobody`"),
        (shift(&shop, &shop), "is an account"),
        (shift(&shop, "nowhere"), "no root, unit or account `nowhere`"),
        (shift(&shop, &unit), "in `ou-exam-00000000` already"),
    ] {
        let edit: Result<Edit, EditError> = refused;
        let made = edit.clone().and_then(|edit| organization.edited([&edit]));
        let text = told(made.unwrap_err());
        assert!(text.contains(says), "{edit:?}: {text}");
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
        snapshot in snapshot(),
        at in any::<Index>(),
        start in 0_usize..3,
        tried in proptest::collection::vec((any::<Index>(), any::<Index>()), 4),
    ) {
        // Some of three kinds, some of two, some of one.
        let step = 1 + start;
        let ids: Vec<PolicyId> =
            (0..70).map(|number| format!("p-denial{number:04}").parse().unwrap()).collect();
        let mut snapshot = Snapshot(snapshot);
        for (number, id) in ids.iter().enumerate() {
            snapshot.policy(id.as_str(), id.as_str(), denial(number * step), &[]);
        }
        let organization = read(&snapshot.to_string());
        let targets: Vec<OwnedTargetId> =
            organization.targets().map(|target| target.id.into()).collect();
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
        let after = |edits: &[Edit]| organization.edited(edits).unwrap();
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
