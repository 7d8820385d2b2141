//! The SES data perimeter: which requests must not get through, and whether they do.
//!
//! A [perimeter] says whom an organization trusts, a [control] which requests must not get past its service
//! control policies, the [table] and the [facts] what such requests can be. [`check`](mod@check) decides every control for
//! every account and shares what accounts have in common; [`view`] turns a result into an account's own names, [`explain`]
//! tells why, [`lint`] reads documents alone.
//!
//! It decides and does nothing else: no file, network, clock or environment, and no format of an output. What is set up in
//! the accounts is decided in the crate `exposure`.
//!
//! ```
//! use ses_perimeter::check::{Now, Options, check};
//! use ses_perimeter::report::Status;
//!
//! # let snapshot = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/organization/snapshot.json"));
//! # let perimeter = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/organization/perimeter.toml"));
//! let organization = organization::read(snapshot, &policy::parse::Limits::default())?;
//! let perimeter = ses_perimeter::perimeter::parse(perimeter)?;
//! let now = Now::from_epoch_seconds(1_795_392_000).ok_or("no such moment")?;
//! let report = check(&organization, &perimeter, now, &Options::default(), &mut |_, _| {});
//! let failed = report.rows.iter().flat_map(|row| row.cells.iter()).filter(|it| it.status() == Status::Failed);
//! assert!(failed.count() > 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod ask;
mod assumptions;
pub mod check;
pub mod control;
mod documents;
pub mod explain;
pub mod facts;
pub mod lint;
mod memory;
pub mod model;
pub mod notes;
pub mod perimeter;
pub mod report;
pub mod sensitivity;
pub mod severity;
mod silence;
pub mod table;
pub mod view;
