//! What a run keeps in the bucket.

use std::cell::RefCell;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::FetchError;
use super::plan::RunPlan;
use crate::collect::changes::Updating;
use crate::collect::contents::Contents;
use crate::collect::mend::Mending;
use crate::collect::walk::FullWalk;
use crate::defect::to_json;
use crate::objects;
use crate::pace::CallTally;
use crate::ports::{Condition, Objects};
use crate::start::Holder;
use crate::wire::SCHEMA_VERSION;

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Bringing the last snapshot up to date.
    Update(Updating),
    /// Walking the organization.
    Walk(RefCell<FullWalk>),
    /// Mending what the walk brought home.
    Mend(Mending),
}

/// A run between two invocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checkpoint {
    pub(super) schema_version: u32,
    pub(super) plan: RunPlan,
    pub(super) stage: Stage,
    /// Contents that this run has read.
    pub(super) read: Contents,
    /// When the last full walk began, where its snapshot is brought up to date.
    pub(super) full_walk_at: Option<String>,
    pub(super) notes: Vec<String>,
    pub(super) tally: CallTally,
}

/// The bucket, as JSON.
pub(super) struct Store<'s, S>(pub(super) &'s S);

impl<S: Objects> Store<'_, S> {
    /// An object and its version; `None` where there is none.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<(T, String)>, FetchError> {
        let Some(object) = self.0.get(key).await? else { return Ok(None) };
        let value = serde_json::from_slice(&object.bytes).map_err(|error| FetchError::Damaged {
            key: key.to_owned(),
            reason: error.to_string(),
            help: "start a new run",
        })?;
        Ok(Some((value, object.tag)))
    }

    pub(super) fn bytes(&self, key: &str, value: &impl Serialize) -> Result<Vec<u8>, FetchError> {
        Ok(to_json(key, value)?)
    }

    /// The run that is under way, as far as the bucket says.
    pub(super) async fn holder(&self) -> Result<Option<String>, FetchError> {
        let holder = self.get::<Holder>(objects::RUN).await?;
        Ok(holder.and_then(|(holder, _)| holder.run_id))
    }

    pub(super) async fn checkpoint(&self, key: &str) -> Result<Option<Checkpoint>, FetchError> {
        let Some((state, _)) = self.get::<Checkpoint>(key).await? else { return Ok(None) };
        if state.schema_version == SCHEMA_VERSION {
            return Ok(Some(state));
        }
        Err(FetchError::Damaged {
            key: key.to_owned(),
            reason: format!("it has version {}", state.schema_version),
            help: "start a new run",
        })
    }

    pub(super) async fn put_checkpoint(&self, state: &Checkpoint) -> Result<(), FetchError> {
        let key = objects::of_run(&state.plan.run_id, "checkpoint.json");
        let bytes = self.bytes(&key, state)?;
        self.0.put(&key, bytes, Condition::Always).await?;
        Ok(())
    }
}
