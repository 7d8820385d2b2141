//! From an organization to published findings.
//!
//! What each function does stands here, written against [`ports`]: small traits that the crate `aws` implements with the
//! SDK and the tests with fakes. [`collect`] walks through an organization, [`mod@exposure`] through its accounts, and
//! [`start`], [`fetch`], [`evaluate`] and [`publish`] are the functions; [`wire`] and [`objects`] say what they hand to each
//! other.
//!
//! Nothing here knows the SDK, the environment or the wall clock, and nothing decides: verdicts come from `ses-perimeter`.
//! All waiting goes through tokio's time, so that tests simulate years of runs.
//!
//! ```
//! use pipeline::objects;
//!
//! // Ids of runs come from outside, and become parts of keys.
//! let run = objects::usable_run_id("run-20261123T000000Z-1a2b")?;
//! assert_eq!(objects::results(run, 7), "runs/run-20261123T000000Z-1a2b/results/007.jsonl");
//! assert!(objects::usable_run_id("../state").is_err());
//! # Ok::<(), objects::UnusableRunId>(())
//! ```

#![allow(async_fn_in_trait, reason = "everything runs on one thread; no future needs to be Send")]

pub mod collect;
pub mod defect;
pub mod evaluate;
pub mod fetch;
pub mod objects;
pub mod pace;
pub mod ports;
pub mod publish;
pub mod reading;
pub mod snapshot;
pub mod start;
pub mod stored;
pub mod wire;
