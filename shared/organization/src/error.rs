//! Why a snapshot is refused.

use policy::json::JsonError;
use policy::refusal::Kind;
pub(crate) use policy::refusal::Problems;
pub use policy::refusal::{MAX_PROBLEMS, Problem, Refusal as SnapshotError};

pub(crate) const SNAPSHOT: Kind = Kind { code: "organization::snapshot", noun: "the snapshot" };

/// For bytes that are no UTF-8; `before` is the text up to the first bad byte.
pub(crate) fn not_utf8(error: &JsonError, before: &str) -> SnapshotError {
    let problem = Problem::new(format!("the snapshot is not UTF-8: {error}"))
        .label(error.span(), error.label())
        .help("save the file as UTF-8");
    SnapshotError::one(SNAPSHOT, problem, before)
}
