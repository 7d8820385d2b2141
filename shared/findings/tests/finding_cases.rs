//! Runs the cases in `tests/cases/finding`: a result in, the finding in ASFF out.
//! `tests/cases/README.md` describes the fields.
#![allow(clippy::disallowed_methods, reason = "the cases are files")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use findings::asff::{self, Finding, Target, Times, Workflow, WorkflowStatus};
use findings::results::ResultEntry;
use findings::run::RunFacts;
use serde::Deserialize;
use ses_perimeter::control::ControlId;
use ses_perimeter::model::catalog;

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
    let mut count = 0;
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases/finding");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    settings.set_snapshot_path(folder);
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        count += 1;
        let text = std::fs::read_to_string(path).unwrap();
        let case: Case = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        assert!(
            !case.name.is_empty() && !case.source.is_empty() && !case.because.is_empty(),
            "{path:?} does not say what it shows"
        );
        let text = serde_json::to_string_pretty(&made(&case)).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy();
        settings.bind(|| insta::assert_snapshot!(&*name, text));
    }
    assert!(count > 0, "there are no cases");
}
