//! What tests share: the cases of `tests/cases` and their runs, reports as in a terminal, and
//! snapshots of small organizations.
//!
//! Only tests depend on this crate, and it depends on none of ours, so that the tests inside a
//! crate can use it too.
//!
//! ```
//! use support::cases;
//! use support::organization::{Snapshot, deny};
//!
//! // Each input of a folder; what differs is told at the end, with the names of the cases.
//! cases::run(2, cases::inputs("exposure/ok", &["json"], &[]), |input| {
//!     let section: serde_json::Value = input.json();
//!     assert_eq!(section["exposureVersion"], 1);
//! });
//!
//! // One account below one unit, whose SCP stops all mail.
//! let mut organization = Snapshot::new();
//! organization
//!     .unit("ou-exam-workload", "Workloads", "r-exam")
//!     .account("222222222222", "shop", "ou-exam-workload")
//!     .full_access()
//!     .policy("p-nomail0001", "no-mail", deny("ses:*"), &["ou-exam-workload"]);
//! assert!(organization.to_string().contains("p-nomail0001"));
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise, and says which"
)]

pub mod cases;
pub mod organization;
pub mod render;
