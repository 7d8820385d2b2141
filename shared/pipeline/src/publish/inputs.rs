//! What `evaluate-scps` left for this run, read with suspicion.

use findings::results::ShardResults;
use findings::run::{self, RunFacts};
use findings::slots::shard_of;
use jiff::Timestamp;

use super::base::PublishError;
use crate::objects;
use crate::ports::Objects;
use crate::wire::{Shard, digest};

/// The object under `key`, which has to be there.
pub async fn required(store: &impl Objects, key: &str) -> Result<Vec<u8>, PublishError> {
    let found = store
        .get(key)
        .await
        .map_err(|source| PublishError::Call { doing: "the bucket cannot be read", source })?;
    found.map(|object| object.bytes).ok_or_else(|| PublishError::Missing { key: key.to_owned() })
}

/// The facts of a run.
pub struct Facts {
    /// As they were written.
    pub facts: RunFacts,
    /// When the results were evaluated.
    pub evaluated_at: Timestamp,
    digest: String,
}

/// The facts of a run. Only results say whether they are those that were written.
pub async fn facts(store: &impl Objects, run: &str) -> Result<Facts, PublishError> {
    let key = objects::facts(run);
    let bytes = required(store, &key).await?;
    let unreadable =
        |source| PublishError::Unreadable { key: key.clone(), source: Box::from(source) };
    let facts: RunFacts =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if facts.schema_version != run::SCHEMA_VERSION {
        let text = format!(
            "it has version {}, and this program reads version {}",
            facts.schema_version,
            run::SCHEMA_VERSION
        );
        return Err(unreadable(text));
    }
    if facts.run_id != run {
        return Err(unreadable(format!("it is about run `{}`", facts.run_id)));
    }
    let evaluated_at = facts
        .evaluated_at
        .parse()
        .map_err(|error| unreadable(format!("`evaluatedAt` is no time: {error}")))?;
    Ok(Facts { facts, evaluated_at, digest: digest(&bytes) })
}

/// The results of a shard, exactly as they were handed over.
pub async fn results(
    store: &impl Objects,
    shard: &Shard,
    facts: &Facts,
) -> Result<ShardResults, PublishError> {
    let Some(pointer) = &shard.results else {
        return Err(PublishError::NoResults { run: shard.run_id.clone(), shard: shard.shard });
    };
    let key = &pointer.key;
    let bytes = required(store, key).await?;
    let found = digest(&bytes);
    if found != pointer.digest {
        return Err(PublishError::Damaged {
            key: key.clone(),
            expected: pointer.digest.clone(),
            found,
        });
    }
    let results = ShardResults::read(bytes)
        .map_err(|source| PublishError::Unreadable { key: key.clone(), source: source.into() })?;
    let misplaced = |what: String| PublishError::Misplaced { key: key.clone(), what };
    let header = &results.header;
    if (header.run_id.as_str(), header.shard, header.shards)
        != (facts.facts.run_id.as_str(), shard.shard, shard.shards)
    {
        return Err(misplaced(format!(
            "they are shard {} of {} of run `{}`",
            header.shard, header.shards, header.run_id
        )));
    }
    if header.facts_digest != facts.digest {
        return Err(PublishError::Damaged {
            key: objects::facts(&facts.facts.run_id),
            expected: header.facts_digest.clone(),
            found: facts.digest.clone(),
        });
    }
    match header.accounts.keys().find(|id| shard_of(id, shard.shards) != shard.shard) {
        Some(account) => Err(misplaced(format!("account `{account}` belongs to another one"))),
        None => Ok(results),
    }
}
