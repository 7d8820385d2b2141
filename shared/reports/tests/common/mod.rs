//! Organizations to report on.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use findings::results::Origin;
use findings::stand_ins::StandIns;
use organization::Organization;
use policy::keys::KeyCatalog;
use policy::parse::Limits;
use reports::{Checked, Fix};
use serde_json::Value;
use ses_perimeter::check::{Now, Options, check};
use ses_perimeter::control::ControlId;
use ses_perimeter::model;
use ses_perimeter::perimeter::{self, Perimeter};
use ses_perimeter::report::Report;
use support::organization::Snapshot;

/// The moment of every evaluation.
pub const NOW: &str = "2026-11-23T00:00:00Z";
/// Names that mean something to one format or another.
pub const HOSTILE: [&str; 10] = [
    "=cmd|' /C calc'!A0",
    "a|b",
    "<script>alert(1)</script>",
    "]]><x/>",
    "\"quoted\", 'and' `ticked`",
    "@octocat #1 [x](https://evil.example)",
    "line\nbreak\r\ttab",
    "😀 größer",
    "\u{1b}[31mred\u{202e}\u{fffe}\u{0}",
    "-1+${jndi:x} {0} %0A",
];

/// An organization that was checked.
pub struct Case {
    pub organization: Organization,
    pub perimeter: Perimeter,
    pub catalog: KeyCatalog,
    pub report: Report,
    pub snapshot: Option<String>,
    pub files: BTreeMap<String, String>,
    pub fixes: Vec<Fix>,
    now: Now,
}

/// What writes a format.
pub type Writer = fn(&mut dyn Write, &Checked<'_>) -> io::Result<()>;

impl Case {
    /// Checks `snapshot` against `perimeter`, some controls or all.
    pub fn new(snapshot: &str, perimeter: &str, controls: &[u8]) -> Self {
        let organization = organization::read(snapshot, &Limits::default()).unwrap();
        let perimeter = perimeter::parse(perimeter).unwrap();
        let now = Now::from_epoch_seconds(1_795_392_000).unwrap();
        let options = Options {
            controls: controls.iter().map(|n| ControlId::new(*n).unwrap()).collect(),
            accounts: BTreeSet::new(),
            budget: prover_budget(),
            ..Options::default()
        };
        let report = check(&organization, &perimeter, now, &options, &mut |_, _| {});
        Self {
            organization,
            perimeter,
            catalog: model::catalog(),
            report,
            snapshot: Some("snapshot.json".to_owned()),
            files: BTreeMap::new(),
            fixes: Vec::new(),
            now,
        }
    }

    /// The example of the project.
    pub fn example() -> Self {
        Self::new(
            include_str!("../../../../examples/organization/snapshot.json"),
            include_str!("../../../../examples/organization/perimeter.toml"),
            &[],
        )
    }

    /// One unit with accounts of these names and one SCP that looks at API v1 alone.
    pub fn of_names(names: &[&str], controls: &[u8]) -> Self {
        Self::new(&snapshot(names).to_string(), PERIMETER, controls)
    }

    /// The report in a format.
    pub fn write(&self, writer: Writer) -> String {
        let files = self
            .files
            .iter()
            .map(|(id, path)| (self.organization.find_policy(id).unwrap(), path.clone()));
        let checked = Checked {
            organization: &self.organization,
            perimeter: &self.perimeter,
            catalog: &self.catalog,
            report: &self.report,
            origin: Origin { version: "0.1.0", evaluated_at: NOW },
            now: self.now,
            snapshot: self.snapshot.as_deref(),
            perimeter_file: None,
            width: 80,
            files: files.collect(),
            fixes: self.fixes.clone(),
            warnings: Vec::new(),
            notes: Vec::new(),
            stand_ins: StandIns::default(),
        };
        let mut out = Vec::new();
        writer(&mut out, &checked).unwrap();
        String::from_utf8(out).unwrap()
    }
}

/// Enough for every question of these tests, and always the same.
fn prover_budget() -> u64 {
    200_000
}

/// Trusts one domain.
pub const PERIMETER: &str = "[trusted]\nrecipients = [\"*@example.com\"]\n";

/// A document that stops mail to strangers in requests of API v1 alone; more than one line, and
/// with characters outside ASCII before the statement that comes near.
pub const VERSION_ONE: &str = "{\n  \"Version\": \"2012-10-17\", \"Id\": \"größer 😀\", \"Statement\": [\n    {\"Sid\": \"NoStrangers\", \"Effect\": \"Deny\",\n     \"Action\": [\"ses:SendEmail\", \"ses:SendRawEmail\"], \"Resource\": \"*\",\n     \"Condition\": {\"StringEquals\": {\"ses:ApiVersion\": \"1\"},\n       \"ForAnyValue:StringNotLike\": {\"ses:Recipients\": \"*@example.com\"}}}]}\n";

/// See [`Case::of_names`]: the accounts alternate between the SCP and one nobody can settle; the
/// last one is suspended where there are more than two.
pub fn snapshot(names: &[&str]) -> Value {
    let misspelt = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Misspelt","Effect":"Deny","Action":"ses:*","Resource":"*","Condition":{"StringNotLikes":{"aws:PrincipalTag/team":"mail"}}}]}"#;
    let first = names.first().copied().unwrap_or("none");
    let mut snapshot = Snapshot::new();
    snapshot.unit("ou-exam-workload", first, "r-exam");
    for (id, name) in ids().zip(names) {
        snapshot.account(&id, name, "ou-exam-workload");
    }
    if names.len() > 2 {
        snapshot.state("SUSPENDED");
    }
    snapshot.full_access().policy("p-versionone", first, VERSION_ONE, &[]).policy(
        "p-misspelt00",
        first,
        misspelt,
        &[],
    );
    for (index, id) in ids().enumerate().take(names.len()) {
        let policy = if index % 2 == 0 { "p-versionone" } else { "p-misspelt00" };
        snapshot.attach(policy, &id);
    }
    snapshot.0
}

fn ids() -> impl Iterator<Item = String> {
    (0..).map(|index: u64| format!("{:012}", 222_222_222_222 + index))
}
