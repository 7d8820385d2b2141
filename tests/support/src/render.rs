//! Reports as people see them.

use miette::{GraphicalReportHandler, GraphicalTheme, Report, SourceCode};

/// A report about `source` as in a terminal without colour, 100 columns wide.
#[must_use]
pub fn report(report: impl Into<Report>, source: impl SourceCode + 'static) -> String {
    let report = report.into().with_source_code(source);
    let mut shown = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut shown, report.as_ref())
        .unwrap();
    shown
}

/// The text without blanks at the ends of lines and without empty lines around it.
#[must_use]
pub fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
