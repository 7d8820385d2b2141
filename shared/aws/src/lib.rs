//! The outside: adapters over the AWS SDK, and the start-up of a function.
//!
//! The only crate that knows the SDK. Each adapter implements a trait of [`pipeline::ports`], one call a method; which calls
//! a function may make stands in [`permissions`], and an adapter makes no other. [`environment`] and [`settings`] read what a
//! function is told, [`function`] surrounds an invocation with [`logs`] and [`metrics`], and [`doctor`] tries what a live run
//! needs.
//!
//! Nothing is decided here: what a failed call means for a run is the pipeline's to say.
//!
//! ```
//! use aws::permissions::START_CHECK;
//!
//! // What the role of a function needs, and no more: the template is compared with it.
//! assert!(START_CHECK.actions().contains("states:StartExecution"));
//! assert!(!START_CHECK.actions().contains("securityhub:BatchImportFindings"));
//! ```

pub mod answers;
mod assume;
mod bucket;
mod bus;
pub mod call;
mod clock;
pub mod doctor;
pub mod environment;
pub mod errors;
pub mod function;
mod gate;
mod hub;
pub mod logs;
mod mail;
pub mod metrics;
mod organizations;
pub mod outside;
pub mod permissions;
mod reading;
mod schedule;
pub mod settings;
mod states;

pub use bucket::Bucket;
pub use bus::Bus;
pub use clock::SystemClock;
pub use hub::{HubAccess, SecurityHub};
pub use mail::{Addresses, SesMailer};
pub use organizations::OrganizationsApi;
pub use outside::Outside;
pub use reading::{ExposureAccess, ExposureReader};
pub use states::StateMachine;
