//! Every form of results, in one table.

use std::io::{self, Write};

use crate::checked::Checked;
use crate::{asff, csv, html, json, junit, markdown, ocsf, sarif};

/// A form that results take. A new one is a module, and a row in [`FORMATS`].
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// For what it is, in a sentence.
    pub about: &'static str,
    /// Whether it has colours, which only a terminal is to see.
    pub coloured: bool,
    /// Whether it shows proved changes, which take time to find.
    pub shows_fixes: bool,
    /// Writes the results.
    pub write: fn(&mut dyn Write, &Checked<'_>) -> io::Result<()>,
}

impl Format {
    const fn of(
        name: &'static str,
        about: &'static str,
        write: fn(&mut dyn Write, &Checked<'_>) -> io::Result<()>,
    ) -> Self {
        Self { name, about, coloured: false, shows_fixes: false, write }
    }

    const fn with_fixes(self) -> Self {
        Self { shows_fixes: true, ..self }
    }
}

/// Every form that is made here; text for terminals is the program's own.
pub const FORMATS: [Format; 9] = [
    Format::of("json", "One JSON document", json::write),
    Format::of("jsonl", "One JSON object a line", json::write_lines),
    Format::of("csv", "One row a verdict, for spreadsheets", csv::write),
    Format::of("markdown", "A comment for a pull request", markdown::write).with_fixes(),
    Format::of("junit", "JUnit XML, which CI servers show as tests", junit::write),
    Format::of("sarif", "SARIF 2.1.0, for code scanning", sarif::write),
    Format::of("asff", "Findings for AWS Security Hub", asff::write),
    Format::of("ocsf", "Compliance Findings of OCSF, one JSON object a line", ocsf::write),
    Format::of("html", "One page for a browser", html::write).with_fixes(),
];
