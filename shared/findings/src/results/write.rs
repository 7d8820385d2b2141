//! Whole reports in JSON.

use std::cell::RefCell;
use std::io::{self, Write};

use organization::Organization;
use policy::keys::KeyCatalog;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use ses_perimeter::check::Report;

use super::{Maker, Origin, ResultEntry, SCHEMA_VERSION, Summary};

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: u32,
    tool: Tool<'a>,
    organization_id: String,
    snapshot_digest: &'a str,
    evaluated_at: &'a str,
    summary: Summary,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    results: Entries<'a>,
}

/// Entries that are made one by one while they are written, so that a large organization does
/// not stand in memory as text.
struct Entries<'a> {
    report: &'a Report,
    maker: RefCell<Maker<'a>>,
}

impl<'a> Entries<'a> {
    fn new(organization: &'a Organization, catalog: &'a KeyCatalog, report: &'a Report) -> Self {
        Self { report, maker: RefCell::new(Maker::new(organization, catalog)) }
    }

    fn each<E>(&self, mut write: impl FnMut(&ResultEntry) -> Result<(), E>) -> Result<(), E> {
        for row in &self.report.rows {
            for cell in row.cells.iter() {
                let entry = self.maker.borrow_mut().entry(row, cell);
                write(&entry)?;
            }
        }
        Ok(())
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cells = self.report.rows.iter().map(|row| row.cells.len()).sum();
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
    catalog: &KeyCatalog,
    report: &Report,
    origin: &Origin<'_>,
) -> io::Result<()> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "ses-perimeter", version: origin.version },
        organization_id: organization.id.to_string(),
        snapshot_digest: &organization.digest,
        evaluated_at: origin.evaluated_at,
        summary: Summary::of(report),
        notes: ses_perimeter::notes::notes(organization),
        results: Entries::new(organization, catalog, report),
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
    organization: &Organization,
    catalog: &KeyCatalog,
    report: &Report,
) -> io::Result<()> {
    Entries::new(organization, catalog, report).each(|entry| {
        serde_json::to_writer(&mut *out, entry)?;
        out.write_all(b"\n")
    })
}
