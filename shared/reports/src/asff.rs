//! Findings in the AWS Security Finding Format (ASFF), as a JSON array: what the AWS CLI's
//! `securityhub batch-import-findings --findings file://...` takes, a hundred at a time.
//!
//! They are the findings that the Lambda functions publish, with the same ids, written as if
//! for the first time. Where the functions are deployed they are the ones to publish: they know
//! since when a control fails and what customers did to a finding.

use std::io::{self, Write};

use findings::asff::{Target, Times, Workflow, WorkflowStatus, finding};
use findings::results::StatusEntry;
use findings::run::{RunFacts, RunOrigin};

use crate::cells::{each, with_milliseconds};
use crate::checked::Checked;

/// The run that findings name which no run of the functions made.
const RUN: &str = "check";

/// Writes the report, for the Security Hub of the management account in the Region where its
/// partition's global services are.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let region = match checked.organization.partition.as_str() {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    };
    let account = checked.organization.management_account.to_string();
    write_for(out, checked, &Target { account, region: region.to_owned() })
}

/// Writes the report for the Security Hub of an account and a Region.
///
/// # Errors
/// Those of the writer.
pub fn write_for(out: &mut dyn Write, checked: &Checked<'_>, target: &Target) -> io::Result<()> {
    let facts = facts(checked);
    let moment = with_milliseconds(checked.origin.evaluated_at);
    let times =
        Times { created_at: moment.clone(), updated_at: moment.clone(), first_observed_at: moment };
    let mut before = "[\n";
    each(checked, |_, cell, entry| {
        let workflow = Workflow { status: workflow(entry.status) };
        let made =
            finding(entry, cell.control, &facts, checked.catalog, target, &times, Some(workflow));
        out.write_all(before.as_bytes())?;
        before = ",\n";
        Ok(serde_json::to_writer(&mut *out, &made.finding)?)
    })?;
    // Nothing was written yet where there is no cell.
    let end = if before == "[\n" { "[]\n" } else { "\n]\n" };
    out.write_all(end.as_bytes())
}

/// As the functions do it: what passes needs nobody.
const fn workflow(status: StatusEntry) -> WorkflowStatus {
    match status {
        StatusEntry::Passed => WorkflowStatus::Resolved,
        StatusEntry::Failed | StatusEntry::Undecided | StatusEntry::NotApplicable => {
            WorkflowStatus::New
        }
    }
}

fn facts(checked: &Checked<'_>) -> RunFacts {
    let origin = RunOrigin {
        run_id: RUN,
        dry_run: false,
        evaluated_at: checked.origin.evaluated_at,
        tool_version: checked.origin.version,
        accounts: &[],
        controls: &[],
        exposure: checked.report.is_about_exposure(),
    };
    RunFacts::new(checked.organization, checked.perimeter, &origin)
}
