//! Why `fetch-scps` can fail, and the ids of runs.

use std::time::Duration;

use jiff::Timestamp;

use crate::collect::CollectError;
use crate::defect::Defect;
use crate::objects;
use crate::ports::CallError;
use crate::wire::SCHEMA_VERSION;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The input makes no sense.
    #[error("{0}")]
    Input(String),
    /// The input is of another version.
    #[error("the input has version {0}, and this function understands version {SCHEMA_VERSION}")]
    Version(u32),
    /// The run answers requests and does not hold the place of the run under way.
    #[error(
        "the run `{run}` does not hold `{key}` (held by {holder}); start runs through `start-check`, \
         which lets one run at a time answer requests",
        key = objects::RUN
    )]
    NotHolder {
        /// This run.
        run: String,
        /// Which run holds it.
        holder: String,
    },
    /// Something in the bucket is not what this program wrote.
    #[error("`{key}` in the bucket is damaged: {reason}; {help}")]
    Damaged {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// The run cannot go on where it was.
    #[error("`{0}` is not in the bucket, so the run cannot go on; start a new one")]
    NoCheckpoint(String),
    /// There is no time to do anything.
    #[error(
        "{left:?} are left and the last {margin:?} are kept for writing; raise the function's \
         timeout"
    )]
    NoTime {
        /// The time to the deadline.
        left: Duration,
        /// The margin before it.
        margin: Duration,
    },
    /// The bucket failed.
    #[error(transparent)]
    Bucket(#[from] CallError),
    /// Organizations failed.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// Our own mistake.
    #[error(transparent)]
    Defect(#[from] Defect),
}

/// A run's id that may become part of keys.
pub(super) fn named(run_id: &str) -> Result<String, FetchError> {
    let named = objects::usable_run_id(run_id);
    named.map(str::to_owned).map_err(|error| FetchError::Input(error.to_string()))
}

/// A run's id for its time, where it was given none.
pub(crate) fn new_run_id(now: Timestamp) -> String {
    now.strftime("%Y%m%dT%H%M%S%3fZ").to_string()
}
