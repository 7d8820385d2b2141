//! Whole reports in JSON.

use std::cell::RefCell;
use std::io::{self, Write};

use organization::Organization;
use policy::keys::KeyCatalog;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::Report;

use super::{Origin, ResultBuilder, ResultEntry, SCHEMA_VERSION, StatusEntry, Summary};

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultsDocument<'a> {
    schema_version: u32,
    tool: Tool<'a>,
    organization_id: String,
    snapshot_digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_content_at: Option<&'a str>,
    evaluated_at: &'a str,
    summary: Summary,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unchecked_fields: Option<[UncheckedField; 1]>,
    results: Entries<'a>,
}

/// A field of AWS's data perimeter that no control can check.
#[derive(Serialize)]
struct UncheckedField {
    name: &'static str,
    status: StatusEntry,
    reason: &'static str,
}

/// Entries that are made one by one while they are written, so that a large organization does
/// not stand in memory as text.
struct Entries<'a> {
    report: &'a Report,
    maker: RefCell<ResultBuilder<'a>>,
}

impl<'a> Entries<'a> {
    fn new(maker: ResultBuilder<'a>, report: &'a Report) -> Self {
        Self { report, maker: RefCell::new(maker) }
    }

    fn each<E>(&self, mut write: impl FnMut(&ResultEntry) -> Result<(), E>) -> Result<(), E> {
        for row in &self.report.rows {
            for cell in row.all() {
                let entry = self.maker.borrow_mut().entry(row, cell);
                write(&entry)?;
            }
        }
        Ok(())
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cells = self.report.rows.iter().map(|row| row.all().count()).sum();
        let mut sequence = serializer.serialize_seq(Some(cells))?;
        self.each(|entry| sequence.serialize_element(entry))?;
        sequence.end()
    }
}

/// Writes the whole result as one JSON document.
///
/// # Errors
/// Those of the writer.
pub fn write_json(
    out: &mut dyn Write,
    organization: &Organization,
    perimeter: &Perimeter,
    catalog: &KeyCatalog,
    report: &Report,
    origin: &Origin<'_>,
) -> io::Result<()> {
    let document = ResultsDocument {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "ses-perimeter", version: origin.version },
        organization_id: organization.id.to_string(),
        snapshot_digest: &organization.digest,
        oldest_content_at: organization.oldest_content_at.as_deref(),
        evaluated_at: origin.evaluated_at,
        summary: Summary::of(report),
        notes: ses_perimeter::notes::notes(organization, origin.evaluated_at),
        unchecked_fields: report.is_about_exposure().then(|| {
            let (name, reason) = ses_perimeter::notes::UNCHECKED_FIELD;
            [UncheckedField { name, status: StatusEntry::NotApplicable, reason }]
        }),
        results: Entries::new(ResultBuilder::new(organization, perimeter, catalog), report),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// Writes one JSON object a line, one line a cell.
///
/// # Errors
/// Those of the writer.
pub fn write_jsonl(
    out: &mut dyn Write,
    maker: ResultBuilder<'_>,
    report: &Report,
) -> io::Result<()> {
    Entries::new(maker, report).each(|entry| {
        serde_json::to_writer(&mut *out, entry)?;
        out.write_all(b"\n")
    })
}
