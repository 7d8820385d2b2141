//! Runs the cases in `tests/cases/finding`: a result in, the finding in ASFF out.
//! `tests/cases/README.md` describes the fields.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use findings::asff::{self, Finding, Target, Times, Workflow, WorkflowStatus};
use findings::results::ResultEntry;
use findings::run::RunFacts;
use serde::Deserialize;
use ses_perimeter::control::ControlId;
use ses_perimeter::model::catalog;
use support::cases;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    name: String,
    source: String,
    because: String,
    holder: String,
    region: String,
    #[serde(default)]
    created: bool,
    #[serde(default)]
    gone: Option<String>,
    facts: RunFacts,
    result: ResultEntry,
}

fn made(case: &Case) -> Finding {
    let control = ControlId::parse(&case.result.control_id).unwrap();
    let target = Target { account: case.holder.clone(), region: case.region.clone() };
    let times = Times {
        created_at: "2026-11-01T08:00:00.000Z".to_owned(),
        updated_at: "2026-11-25T08:00:00.000Z".to_owned(),
        first_observed_at: "2026-11-20T08:00:00.000Z".to_owned(),
    };
    if let Some(why) = &case.gone {
        let account = (case.result.account_id.as_str(), case.result.account_name.as_str());
        let status = case.result.status;
        return asff::farewell(account, control, status, why, &case.facts, &target, &times);
    }
    let workflow = case.created.then_some(Workflow { status: WorkflowStatus::New });
    asff::finding(&case.result, control, &case.facts, &catalog(), &target, &times, workflow).finding
}

#[test]
fn every_result_becomes_the_finding_beside_it() {
    cases::run(1, cases::inputs("finding", &["json"], &["snap"]), |input| {
        let case: Case = input.json();
        let heads = [&case.name, &case.source, &case.because];
        assert!(heads.iter().all(|head| !head.is_empty()), "it does not say what it shows");
        input.compare(&serde_json::to_string_pretty(&made(&case)).unwrap());
    });
}
