//! Why a snapshot is refused.

use policy::json::{JsonError, JsonErrorKind};
use policy::refusal::Kind;
pub(crate) use policy::refusal::Problems;
pub use policy::refusal::{MAX_PROBLEMS, Problem, Refusal as SnapshotError};

pub(crate) const SNAPSHOT: Kind = Kind { code: "organization::snapshot", noun: "the snapshot" };

pub(crate) fn not_json(error: &JsonError, text: &str) -> SnapshotError {
    let message = if matches!(error.kind(), JsonErrorKind::TooDeep { .. }) {
        format!("the snapshot is {error}")
    } else {
        format!("the snapshot is not JSON: {error}")
    };
    let mut problem = Problem::new(message).label(error.span(), error.label());
    if let Some(help) = error.help() {
        problem = problem.help(help);
    }
    SnapshotError::one(SNAPSHOT, problem, text)
}

/// For bytes that are no UTF-8; `before` is the text up to the first bad byte.
pub(crate) fn not_utf8(error: &JsonError, before: &str) -> SnapshotError {
    let problem = Problem::new(format!("the snapshot is not UTF-8: {error}"))
        .label(error.span(), error.label())
        .help("save the file as UTF-8");
    SnapshotError::one(SNAPSHOT, problem, before)
}
