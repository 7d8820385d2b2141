//! Results of a check for other tools and for people.
//!
//! Each module writes one format from a [`Checked`]. Nothing is decided here. Entries are written as they are made, since a
//! report of all accounts does not fit into memory everywhere. Names in an organization are anybody's: no format lets
//! one become markup, a formula or a field of its own.
//!
//! Text for a terminal and the formats `json` and `jsonl` are made elsewhere, in the program and in `findings`.
//!
//! ```
//! use findings::results::Origin;
//! use reports::{Checked, csv};
//! use ses_perimeter::check::{Now, Options, check};
//!
//! # let snapshot = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/organization/snapshot.json"));
//! # let perimeter = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/organization/perimeter.toml"));
//! let organization = organization::read(snapshot, &policy::parse::Limits::default())?;
//! let perimeter = ses_perimeter::perimeter::parse(perimeter)?;
//! let now = Now::from_epoch_seconds(1_795_392_000).ok_or("no such moment")?;
//! let report = check(&organization, &perimeter, now, &Options::default(), &mut |_, _| {});
//! let checked = Checked {
//!     organization: &organization,
//!     perimeter: &perimeter,
//!     catalog: &ses_perimeter::model::catalog(),
//!     report: &report,
//!     origin: Origin { version: "0.0.0", evaluated_at: "2026-11-23T00:00:00Z" },
//!     now,
//!     snapshot: Some("snapshot.json"),
//!     files: Default::default(),
//!     fixes: Vec::new(),
//!     warnings: Vec::new(),
//!     notes: Vec::new(),
//!     stand_ins: Default::default(),
//! };
//! let mut table = Vec::new();
//! csv::write(&mut table, &checked)?;
//! assert!(String::from_utf8(table)?.contains("SESDP.8"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod asff;
mod cells;
pub mod csv;
pub mod html;
pub mod json;
pub mod junit;
pub mod lint;
pub mod markdown;
pub mod ocsf;
pub mod sarif;

use std::collections::BTreeMap;
use std::io::{self, Write};

use findings::results::Origin;
use findings::stand_ins::StandIns;
use organization::{Organization, PolicyIdx};
use policy::keys::KeyCatalog;
use ses_perimeter::check::Now;
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::Report;

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

/// All that a report is made from.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The organization.
    pub organization: &'a Organization,
    /// The perimeter.
    pub perimeter: &'a Perimeter,
    /// The keys with their types.
    pub catalog: &'a KeyCatalog,
    /// The verdicts.
    pub report: &'a Report,
    /// By what they were made and when.
    pub origin: Origin<'a>,
    /// The same moment, against which exemptions expire.
    pub now: Now,
    /// The path of the snapshot as it was given, where there is one.
    pub snapshot: Option<&'a str>,
    /// The path of the perimeter as it was given, where it was named.
    pub perimeter_file: Option<&'a str>,
    /// Columns of a page of text.
    pub width: usize,
    /// The paths of policies that were given as files of their own; their text is that of the
    /// policy's document.
    pub files: BTreeMap<PolicyIdx, String>,
    /// Proved changes that close failed controls.
    pub fixes: Vec<Fix>,
    /// What is wrong and no verdict shows; sentences without a stop.
    pub warnings: Vec<String>,
    /// What was passed over and what was assumed; sentences without a stop.
    pub notes: Vec<String>,
    /// Accounts that have no id yet; only a proposed change has such, which SARIF alone tells of.
    pub stand_ins: StandIns,
}

/// A proved change that closes failed controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The controls that it closes.
    pub controls: Vec<ControlId>,
    /// One line: which policy is changed or made, and where it is attached.
    pub title: String,
    /// The unified diff of the policy.
    pub diff: String,
}
