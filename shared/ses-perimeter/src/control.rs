//! The controls: what each is, and the send paths that it asks about.

mod catalogue;
mod id;
mod named;
mod paths;
mod selected;
mod texts;

pub use catalogue::{Adds, DecidedBy, Entry, GUIDANCE};
pub use id::ControlId;
pub use named::Named;
pub(crate) use named::SERVICE_LINKED;
pub(crate) use paths::NOBODY_SELECTED;
pub use paths::{Path, Recipients, RequestDetail, Version, paths, trusted_mail};
