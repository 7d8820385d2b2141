//! Where things stand in the bucket.
//!
//! ```text
//! config/perimeter.toml            the perimeter, put there at deployment
//! requests/TIME-ID.json            what asked for a check and was not answered yet
//! state/run.json                   which run is under way
//! state/latest.json                the last complete snapshot and results
//! runs/RUN/claim.json              the requests that a run answers
//! runs/RUN/checkpoint.json         how far its collection is
//! runs/RUN/snapshot.json           its snapshot
//! runs/RUN/facts.json              what its results hang on
//! runs/RUN/manifest.json           its shards: a JSON array, for the state machine's map
//! runs/RUN/results/NNN.jsonl       the results of one shard
//! runs/RUN/published/NNN.json      what publishing one shard did
//! runs/RUN/digest-sent.json        that the digest was mailed
//! published/COUNT/NNN.json         the record of what was published, of one shard
//! exposure/latest/NNN.jsonl        what is known of the accounts of a part, and since when
//! exposure/RUN/manifest.json       the batches of a reading: a JSON array, for the state machine's map
//! exposure/RUN/NNNNNN/work.json    what is left of a batch
//! exposure/RUN/NNNNNN/NNN.json     the section that an invocation of a batch read
//! ```

/// The perimeter.
pub const PERIMETER: &str = "config/perimeter.toml";
/// Every request starts with this.
pub const REQUESTS: &str = "requests/";
/// Which run is under way.
pub const RUN: &str = "state/run.json";
/// The last complete snapshot and results.
pub const LATEST: &str = "state/latest.json";

/// What stands in the place of a reading's run where its parts are; no run may be called so.
pub const EXPOSURE_LATEST: &str = "latest";

/// A run's id that cannot be part of keys in the bucket and of an execution's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the run id `{0}` is not usable; give 1 to 80 letters, digits, `-` and `_`")]
pub struct UnusableRunId(String);

/// Checks the id of a run, before it becomes part of a key.
///
/// # Errors
/// [`UnusableRunId`] where it could lead out of the run's own keys.
pub fn usable_run_id(run: &str) -> Result<&str, UnusableRunId> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !run.is_empty() && run.len() <= 80 && run.bytes().all(fits) {
        return Ok(run);
    }
    Err(UnusableRunId(run.chars().take(100).collect()))
}

/// The key of something that belongs to a run, for instance `snapshot.json`.
#[must_use]
pub fn of_run(run: &str, name: &str) -> String {
    format!("runs/{run}/{name}")
}

/// The key of a request; keys sort by time.
#[must_use]
pub fn request(received_at: &str, id: &str) -> String {
    format!("{REQUESTS}{received_at}-{id}.json")
}

/// The key of what the results of a run hang on.
#[must_use]
pub fn facts(run: &str) -> String {
    of_run(run, "facts.json")
}

/// The key of the results of a shard.
#[must_use]
pub fn results(run: &str, shard: u32) -> String {
    format!("runs/{run}/results/{shard:03}.jsonl")
}

/// The key of what publishing a shard did.
#[must_use]
pub fn outcome(run: &str, shard: u32) -> String {
    format!("runs/{run}/published/{shard:03}.json")
}

/// The key of the record of a shard.
#[must_use]
pub fn record(shards: u32, shard: u32) -> String {
    format!("published/{shards}/{shard:03}.json")
}

/// The key of what is known of the accounts of a part. The section of a large organization is too
/// large for one object.
#[must_use]
pub fn exposure_part(part: u32) -> String {
    format!("exposure/{EXPOSURE_LATEST}/{part:03}.jsonl")
}

/// The key of the manifest of a reading.
#[must_use]
pub fn batches(run: &str) -> String {
    format!("exposure/{run}/manifest.json")
}

/// The key of what is left of a batch.
#[must_use]
pub fn batch_work(run: &str, batch: u32) -> String {
    format!("exposure/{run}/{batch:06}/work.json")
}

/// The key of the section that an invocation of a batch read; invocations count from 0.
#[must_use]
pub fn batch_section(run: &str, batch: u32, invocation: u32) -> String {
    format!("exposure/{run}/{batch:06}/{invocation:03}.json")
}
