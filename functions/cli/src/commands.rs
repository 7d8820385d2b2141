//! One file for each command.

pub mod check;
pub mod diff;
#[cfg(feature = "live")]
pub mod doctor;
pub mod explain;
#[cfg(feature = "live")]
pub mod fetch;
pub mod fix;
pub mod lint;
pub mod manual;
pub mod what_if;
