//! A deployed checker in simulated time: what its tests share.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};

use flow::hub::FakeHub;
use flow::organizations::{FakeOrganizations, Size};
use pipeline::wire::Change;
use serde_json::{Value, json};
use ses_perimeter::check::{Now, Options, check};
use ses_perimeter::report::Status;

pub const SIZE: Size = Size { accounts: 7, units: 3, policies: 4, targets: 2 };

/// Five controls are enough to tell verdicts apart, and keep a seed cheap.
pub const PERIMETER: &str = r#"
[trusted]
recipients = ["*@example.com"]

[controls]
disabled = ["SESDP.1", "SESDP.4", "SESDP.5", "SESDP.7", "SESDP.10", "SESDP.11", "SESDP.12",
            "SESDP.13", "SESDP.14", "SESDP.15", "SESDP.16", "SESDP.17", "SESDP.18", "SESDP.24"]
"#;

/// What EventBridge brings of a change.
pub fn event(change: &Change, time: jiff::Timestamp, serial: usize) -> Value {
    let (name, parameters) = match change {
        Change::Policy(id) => ("UpdatePolicy", json!({"policyId": id})),
        Change::Target(id) => ("AttachPolicy", json!({"targetId": id})),
        Change::Account(id) => ("MoveAccount", json!({"accountId": id})),
        Change::Unit(id) => ("UpdateOrganizationalUnit", json!({"organizationalUnitId": id})),
        Change::Everything => ("EnablePolicyType", json!({})),
    };
    json!({
        "version": "0", "id": format!("event-{serial}"), "time": time.to_string(),
        "source": "aws.organizations", "detail-type": "AWS API Call via CloudTrail",
        "detail": {"eventName": name, "readOnly": false, "requestParameters": parameters},
    })
}

/// What a quiet run would publish: compliance by account and control.
pub fn expected(
    organizations: &FakeOrganizations,
    perimeter: &str,
) -> BTreeMap<(String, String), String> {
    let mut snapshot = organizations.truth();
    snapshot.fetched_at = "2026-11-23T00:00:00Z".to_owned();
    let text = serde_json::to_string(&snapshot).unwrap();
    let organization = organization::read(&text, &policy::parse::Limits::default()).unwrap();
    let perimeter = ses_perimeter::perimeter::parse(perimeter).unwrap();
    let now = Now::from_epoch_seconds(1_795_392_000).unwrap();
    let report = check(&organization, &perimeter, now, &Options::default(), &mut |_, _| {});
    let mut expected = BTreeMap::new();
    for row in &report.rows {
        let account = organization.account(row.account).unwrap();
        if !account.state.can_send() {
            continue;
        }
        for cell in row.cells.iter() {
            let compliance = match cell.status() {
                Status::Passed => "PASSED",
                Status::Failed => "FAILED",
                Status::Undecided => "WARNING",
                Status::NotApplicable => "NOT_AVAILABLE",
            };
            expected
                .insert((account.id.to_string(), cell.control.to_string()), compliance.to_owned());
        }
    }
    expected
}

/// What Security Hub shows as active.
pub fn published(hub: &FakeHub) -> BTreeMap<(String, String), String> {
    hub.findings()
        .into_iter()
        .filter(|(_, stored)| stored.asff["RecordState"] == "ACTIVE")
        .map(|((_, id), stored)| (cell_of(&id), text(&stored.asff["Compliance"]["Status"])))
        .collect()
}

pub fn cell_of(id: &str) -> (String, String) {
    let parts: Vec<&str> = id.rsplit('/').take(2).collect();
    (parts[1].to_owned(), parts[0].to_owned())
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Runs `simulate` for each seed, in a world of its own: `PREFIX_SEEDS` of them, or `PREFIX_SEED`
/// alone. Returns how many there were.
pub fn each_seed(prefix: &str, count: u64, simulate: impl AsyncFn(u64) + Sync) -> u64 {
    let seeds = match number(&format!("{prefix}_SEED")) {
        Some(seed) => seed..seed + 1,
        None => 0..number(&format!("{prefix}_SEEDS")).unwrap_or(count),
    };
    let count = seeds.end - seeds.start;
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds.contains(seed))
                {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_time()
                        .start_paused(true)
                        .build()
                        .unwrap();
                    runtime.block_on(simulate(seed));
                }
            });
        }
    });
    count
}
