//! Results of a check for other tools and for people.
//!
//! Each module writes one format from a [`Checked`]. Nothing is decided here. Entries are written as they are made, since a
//! report of all accounts does not fit into memory everywhere. Names in an organization are anybody's: no format lets
//! one become markup, a formula or a field of its own.
//!
//! [`FORMATS`] lists them. Text for a terminal is the program's own.
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
//!     perimeter_file: None,
//!     width: 80,
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
mod checked;
pub mod csv;
mod formats;
pub mod html;
pub mod json;
pub mod junit;
pub mod lint;
pub mod markdown;
pub mod ocsf;
mod own;
pub mod sarif;
pub mod story;

pub use checked::{Checked, Fix};
pub use formats::{FORMATS, Format};
