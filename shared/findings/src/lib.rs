//! What a verdict becomes for others.
//!
//! [`results`] has the wire form of a verdict, for files and for what one function hands to the next; [`asff`] a finding of
//! AWS Security Hub within every limit of that format, and [`lifecycle`] what is to be written, resolved or archived, from a
//! record of what was published. [`causes`], [`words`] and [`names`] say in sentences why a request gets through.
//!
//! Nothing is decided here, and nothing is sent: values go in, values and text come out.
//!
//! ```
//! use findings::results::{Origin, Summary, write_json};
//! use ses_perimeter::check::{Now, Options, check};
//!
//! # let snapshot = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/organization/snapshot.json"));
//! # let perimeter = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/organization/perimeter.toml"));
//! let organization = organization::read(snapshot, &policy::parse::Limits::default())?;
//! let perimeter = ses_perimeter::perimeter::parse(perimeter)?;
//! let now = Now::from_epoch_seconds(1_795_392_000).ok_or("no such moment")?;
//! let report = check(&organization, &perimeter, now, &Options::default(), &mut |_, _| {});
//! let origin = Origin { version: "0.0.0", evaluated_at: "2026-11-23T00:00:00Z" };
//! let catalog = ses_perimeter::model::catalog();
//! let mut json = Vec::new();
//! write_json(&mut json, &organization, &perimeter, &catalog, &report, &origin)?;
//! let json: serde_json::Value = serde_json::from_slice(&json)?;
//! assert_eq!(json["summary"]["failed"], Summary::of(&report).failed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod asff;
pub mod causes;
pub mod lifecycle;
pub mod names;
pub mod results;
pub mod run;
pub mod slots;
pub mod stand_ins;
pub mod words;
