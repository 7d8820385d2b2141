//! Why an exposure section is refused.

use policy::refusal::Kind;
pub(crate) use policy::refusal::Problems;
pub use policy::refusal::{MAX_PROBLEMS, Problem, Refusal as ExposureError};

pub(crate) const SECTION: Kind = Kind { code: "exposure::section", noun: "the exposure section" };
/// What to do about a section that cannot be read at all.
pub(crate) const AGAIN: &str = "read the accounts again, or correct the text by hand";
