//! What other functions left in the bucket, read with suspicion.

use organization::Organization;
use policy::parse::Limits;
use serde::de::DeserializeOwned;

use crate::objects;
use crate::ports::{CallError, Objects};
use crate::wire::{Pointer, digest};

/// Why something in the bucket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// An object is not there.
    #[error("there is no object `{key}` in the bucket; {help}")]
    Missing {
        /// The key.
        key: String,
        /// What to do.
        help: &'static str,
    },
    /// An object is not what was written under its key.
    #[error("`{key}` in the bucket is damaged: {reason}; {help}")]
    Damaged {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// The snapshot cannot be read.
    #[error("the snapshot `{key}` is unusable: {source}")]
    Snapshot {
        /// The key.
        key: String,
        /// The problems.
        #[source]
        source: organization::SnapshotError,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl StoredError {
    /// No run has become the latest.
    pub(crate) fn missing_latest() -> Self {
        let help = "no run has ended well yet; start one through start-check";
        Self::Missing { key: objects::LATEST.to_owned(), help }
    }
}

/// Reads an object of ours, with its tag; none where there is none.
pub(crate) async fn read_optional<T: DeserializeOwned>(
    objects: &impl Objects,
    key: &str,
) -> Result<Option<(T, String)>, StoredError> {
    let Some(object) = objects.get(key).await? else { return Ok(None) };
    let read = serde_json::from_slice(&object.bytes).map_err(|error| StoredError::Damaged {
        key: key.to_owned(),
        reason: error.to_string(),
        help: "remove it to start afresh with a full run",
    })?;
    Ok(Some((read, object.tag)))
}

/// Reads an object that has to have a digest.
pub(crate) async fn read_verified(
    objects: &impl Objects,
    pointer: &Pointer,
) -> Result<Vec<u8>, StoredError> {
    let Some(object) = objects.get(&pointer.key).await? else {
        return Err(StoredError::Missing {
            key: pointer.key.clone(),
            help: "its run is too old, or it was removed; start a full run",
        });
    };
    let found = digest(&object.bytes);
    if found != pointer.digest {
        return Err(StoredError::Damaged {
            key: pointer.key.clone(),
            reason: format!("its digest is `{found}` and should be `{}`", pointer.digest),
            help: "somebody changed it after it was written; start a full run, and find out who",
        });
    }
    Ok(object.bytes)
}

/// Reads a snapshot that has to have a digest.
pub(crate) async fn read_snapshot(
    objects: &impl Objects,
    pointer: &Pointer,
) -> Result<Organization, StoredError> {
    let bytes = read_verified(objects, pointer).await?;
    organization::read_bytes(&bytes, &Limits::default())
        .map_err(|source| StoredError::Snapshot { key: pointer.key.clone(), source })
}
