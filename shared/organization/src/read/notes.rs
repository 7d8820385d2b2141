//! What is noted while a snapshot is read.

use crate::error::Problems;

/// What is noted on the way.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) problems: Problems,
    pub(super) warnings: Vec<String>,
}
