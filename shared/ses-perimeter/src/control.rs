//! The controls: what each is, and the send paths that it asks about.

mod catalogue;
mod id;
mod paths;
mod selected;
mod texts;

pub use catalogue::{Adds, DecidedBy, Entry, GUIDANCE};
pub use id::ControlId;
pub(crate) use paths::NOBODY_SELECTED;
pub use paths::{Named, Path, Recipients, Special, Version, paths, trusted_mail};
