//! The controls: what each is, and the send paths that it asks about.

mod catalogue;
mod id;
mod paths;
mod texts;

pub use catalogue::{Adds, DecidedBy, Entry};
pub use id::ControlId;
pub use paths::{Named, Path, Recipients, Special, Version, paths, trusted_mail};
