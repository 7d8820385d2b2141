//! Whatever names and messages a result holds, the finding made of it stays within every limit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with tests that need more of it")]
mod publish_world;

use std::time::Duration;

use findings::asff::{self, MOST_BYTES};
use findings::results::{
    DeciderEntry, ObstacleEntry, PolicyEntry, ResultEntry, StatementEntry, StatusEntry, ValueEntry,
};
use findings::run::SeverityLabel;
use flow::hub::FakeHub;
use pipeline::ports::Hub;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use publish_world::{CHECKER, Model, ORGANIZATION, REGION, entry};
use ses_perimeter::control::ControlId;

/// Empty, short, long, of any characters, and of those that take most bytes in JSON.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(" ".to_owned()),
        ".{0,30}",
        "[a-z]{1,12}",
        (0usize..4000).prop_map(|n| "\u{1}".repeat(n)),
        (0usize..4000).prop_map(|n| "\u{1f600}".repeat(n)),
        (0usize..4000).prop_map(|n| "\"\\".repeat(n)),
        (0usize..4000).prop_map(|n| "e\u{301}".repeat(n)),
    ]
}

fn policy() -> impl Strategy<Value = PolicyEntry> {
    ("p-[a-z0-9]{8,128}", text(), any::<bool>()).prop_map(|(id, name, aws_managed)| PolicyEntry {
        id,
        name,
        aws_managed,
    })
}

fn decider() -> impl Strategy<Value = DeciderEntry> {
    (policy(), "ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}", option::of(text()), 0usize..100).prop_map(
        |(policy, target_id, sid, statement_index)| {
            DeciderEntry::Statement(StatementEntry {
                policy_id: policy.id,
                policy_name: policy.name,
                target_id,
                sid,
                statement_index,
            })
        },
    )
}

fn obstacle() -> impl Strategy<Value = ObstacleEntry> {
    (text(), option::of(policy()), option::of(text()), option::of(text()), option::of(0usize..9))
        .prop_map(|(message, policy, target_id, sid, statement_index)| ObstacleEntry {
            message,
            policy_id: policy.as_ref().map(|p| p.id.clone()),
            policy_name: policy.map(|p| p.name),
            target_id,
            sid,
            statement_index,
        })
}

fn status() -> impl Strategy<Value = StatusEntry> {
    prop_oneof![
        Just(StatusEntry::Failed),
        Just(StatusEntry::Undecided),
        Just(StatusEntry::Passed),
        Just(StatusEntry::NotApplicable),
    ]
}

prop_compose! {
    fn result()(
        status in status(),
        control in select(ControlId::ALL.to_vec()),
        name in text(),
        path in vec("ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}", 0..60),
        policies in vec(policy(), 0..60),
        decided_by in vec(decider(), 0..60),
        obstacles in vec(obstacle(), 0..60),
        assumptions in vec(text(), 0..60),
        texts in (option::of(text()), option::of(text()), option::of(text())),
        witness in (text(), text(), text(), vec(text(), 0..9)),
        context in btree_map(text(), vec(text(), 0..5), 0..20),
    ) -> ResultEntry {
        let control = control.to_string();
        let mut entry = entry("222222222222", &control, status, 0);
        entry.account_name = name;
        entry.path = path;
        entry.policies = policies;
        entry.decided_by = decided_by;
        entry.obstacles = obstacles;
        entry.assumptions = assumptions;
        (entry.cause, entry.reason, entry.witness_text) = texts;
        if let Some(found) = &mut entry.witness {
            (found.action, found.resource, found.principal_arn, found.additional_resources) = witness;
            found.context = context.into_iter().map(|(k, v)| (k, ValueEntry::Many(v))).collect();
        }
        entry
    }
}

/// What the strict hub says about it.
fn check(finding: &asff::Finding) -> Result<(), TestCaseError> {
    let value = serde_json::to_value(finding).unwrap();
    let bytes = value.to_string().len();
    prop_assert!(bytes <= MOST_BYTES, "{bytes} bytes");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let refused = runtime.unwrap().block_on(async {
        let hub = FakeHub::new(REGION, &[CHECKER], Duration::ZERO);
        hub.import(CHECKER, &[value]).await.unwrap()
    });
    prop_assert!(refused.is_empty(), "{refused:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn findings_and_farewells_stay_within_every_documented_limit(
        entry in result(),
        why in text(),
        run in text(),
    ) {
        let control = ControlId::parse(&entry.control_id).unwrap();
        let model = Model::new(&["222222222222"], &[control.number()], entry.status);
        let mut facts = model.facts(&run);
        facts.severity.insert(entry.control_id.clone(), SeverityLabel::Critical);
        let target = asff::Target {
            account: CHECKER.to_owned(),
            region: REGION.to_owned(),
        };
        let at = "2026-11-25T08:00:00.000Z".to_owned();
        let times = asff::Times {
            created_at: at.clone(),
            updated_at: at.clone(),
            first_observed_at: at,
        };
        let catalog = ses_perimeter::model::catalog();
        let made = asff::finding(&entry, control, &facts, &catalog, &target, &times, None);
        check(&made.finding)?;
        let id = made.finding.id.to_string();
        prop_assert_eq!(asff::account_of(&id, ORGANIZATION), Some("222222222222"));
        let account = (entry.account_id.as_str(), entry.account_name.as_str());
        check(&asff::farewell(account, control, entry.status, &why, &facts, &target, &times))?;
    }
}
