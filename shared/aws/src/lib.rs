//! The outside: adapters over the AWS SDK, and the start-up of a function.
//!
//! The only crate that knows the SDK. Each adapter implements a trait of [`pipeline::ports`], one
//! call a method; which calls a function may make stands in [`permissions`], and an adapter makes
//! no other.

pub mod answers;
mod assume;
mod bucket;
mod bus;
pub mod call;
mod clock;
pub mod doctor;
pub mod environment;
pub mod errors;
mod exposure;
pub mod function;
mod gate;
mod hub;
pub mod logs;
mod mail;
pub mod metrics;
mod organizations;
pub mod outside;
pub mod permissions;
mod schedule;
pub mod settings;
mod states;

pub use bucket::Bucket;
pub use bus::Bus;
pub use clock::SystemClock;
pub use exposure::{ExposureAccess, ExposureReader};
pub use hub::{HubAccess, SecurityHub};
pub use mail::{Addresses, SesMailer};
pub use organizations::OrganizationsApi;
pub use outside::Outside;
pub use states::StateMachine;
