//! `ses-perimeter doctor`.

use std::io::{self, BufWriter, Write};

use aws::Outside;
use aws::doctor::{Check, DoctorOptions, DoctorOutcome, DoctorReport, examine};
use aws::permissions::PROGRAM;
use serde_json::json;

use crate::args::{DoctorArgs, DoctorFormat};
use crate::live;
use crate::output::unless_closed;
use crate::text::paint::{BAD, DIM, GOOD, Paragraph, width};

/// Runs the command and returns the exit code.
///
/// # Errors
/// The report cannot be written.
pub fn run(args: &DoctorArgs) -> miette::Result<u8> {
    let wishes =
        DoctorOptions { bucket: args.bucket.clone(), digest_from: args.digest_from.clone() };
    let report = live::block_on(async || {
        let outside = Outside::from_environment(PROGRAM.calls).await;
        examine(&outside, &wishes).await
    })?;
    let mut out = BufWriter::new(anstream::stdout().lock());
    let written = match args.format {
        DoctorFormat::Text => text(&mut out, &report, width(true)),
        DoctorFormat::Json => json_document(&mut out, &report),
    };
    unless_closed(written.and_then(|()| out.flush()))?;
    Ok(exit_code(&report))
}

fn exit_code(report: &DoctorReport) -> u8 {
    if report.no_access {
        2
    } else if report.count(DoctorOutcome::Missing) > 0 {
        1
    } else {
        0
    }
}

fn text(out: &mut dyn Write, report: &DoctorReport, width: usize) -> io::Result<()> {
    report.checks.iter().try_for_each(|check| line(out, check, width))?;
    let counts = [
        (DoctorOutcome::Ok, "ok"),
        (DoctorOutcome::Missing, "missing"),
        (DoctorOutcome::Untried, "untried"),
    ]
    .map(|(outcome, word)| format!("{} {word}", report.count(outcome)))
    .join(", ");
    writeln!(out)?;
    Paragraph { style: DIM, ..Paragraph::of(&counts) }.write(out, width)
}

fn line(out: &mut dyn Write, check: &Check, width: usize) -> io::Result<()> {
    let (style, head) = match check.status {
        DoctorOutcome::Ok => (GOOD, "ok     "),
        DoctorOutcome::Missing => (BAD, "missing"),
        DoctorOutcome::Untried => (DIM, "untried"),
    };
    let text = format!("{}: {}", check.check, check.detail);
    Paragraph { head, style, text: &text, indent: 0 }.write(out, width)?;
    check
        .help
        .as_ref()
        .map_or(Ok(()), |help| Paragraph { indent: 9, ..Paragraph::of(help) }.write(out, width))
}

fn json_document(out: &mut dyn Write, report: &DoctorReport) -> io::Result<()> {
    let document = json!({
        "schemaVersion": 1,
        "tool": {"name": "ses-perimeter", "version": env!("CARGO_PKG_VERSION")},
        "caller": report.caller,
        "checks": report.checks,
        "summary": {
            "ok": report.count(DoctorOutcome::Ok),
            "missing": report.count(DoctorOutcome::Missing),
            "untried": report.count(DoctorOutcome::Untried),
        },
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
