//! Mistakes of our own, kept apart from those of callers and of the world.

use serde::Serialize;

/// What cannot happen unless this program is wrong; a sentence without a stop.
#[derive(Debug, thiserror::Error)]
#[error("{0}; this is a defect of the program, please report it")]
pub struct Defect(pub String);

impl Defect {
    /// What was to be put under `key` cannot be put into words.
    pub(crate) fn unwritable(key: &str, error: &impl std::fmt::Display) -> Self {
        Self(format!("`{key}` cannot be written: {error}"))
    }
}

/// A value as JSON, to be put under `key`.
pub(crate) fn to_json(key: &str, value: &impl Serialize) -> Result<Vec<u8>, Defect> {
    serde_json::to_vec(value).map_err(|error| Defect::unwritable(key, &error))
}
