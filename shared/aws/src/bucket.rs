//! A bucket in S3.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use pipeline::ports::{CallError, Condition, Failure, Object, Objects, Written};

use crate::call::Call;
use crate::gate::Gate;

/// How often a write is sent before its error is given up to the caller.
const ATTEMPTS: u32 = 4;
/// The pause before the second attempt; it doubles from there.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The code of an error where the bucket itself is not there.
pub(crate) const NO_BUCKET: &str = "NoSuchBucket";

/// A bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Retries what it may.
    client: Client,
    /// Sends everything once.
    once: Client,
    gate: Gate,
    name: String,
}

impl Bucket {
    pub(crate) const fn new(client: Client, once: Client, gate: Gate, name: String) -> Self {
        Self { client, once, gate, name }
    }

    /// Says which bucket it is that there is not.
    fn named(&self, mut error: CallError) -> CallError {
        if error.code == NO_BUCKET {
            error.message = format!("there is no bucket `{}`", self.name);
        }
        error
    }

    async fn put_once(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<Written, CallError> {
        let request = self
            .once
            .put_object()
            .bucket(&self.name)
            .key(key)
            .content_type("application/json")
            .body(ByteStream::from(bytes));
        let request = match condition {
            Condition::Always => request,
            Condition::IfAbsent => request.if_none_match("*"),
            Condition::IfTag(tag) => request.if_match(tag),
        };
        match self.gate.send(Call::PutObject, request.send()).await {
            Ok(answer) => answer.e_tag().map(|tag| Written::Yes(tag.to_owned())).ok_or_else(|| {
                Call::PutObject.error(
                    Failure::Other,
                    "IncompleteAnswer",
                    "the answer lacks the entity tag",
                )
            }),
            Err(error) if is_conflict(&error, condition) => Ok(Written::Conflict),
            Err(error) => Err(self.named(error)),
        }
    }
}

impl Objects for Bucket {
    async fn get(&self, key: &str) -> Result<Option<Object>, CallError> {
        let call = Call::GetObject;
        let request = self.client.get_object().bucket(&self.name).key(key);
        let answer = match self.gate.send(call, request.send()).await {
            Ok(answer) => answer,
            Err(error) if error.code == "NoSuchKey" => return Ok(None),
            Err(error) => return Err(self.named(error)),
        };
        let tag = answer.e_tag().unwrap_or_default().to_owned();
        let bytes = answer.body.collect().await.map_err(|error| {
            call.error(Failure::Unavailable, "Interrupted", format!("`{key}` broke off: {error}"))
        })?;
        Ok(Some(Object { bytes: bytes.to_vec(), tag }))
    }

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<Written, CallError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            match self.put_once(key, bytes.clone(), condition).await {
                // The attempt before may have written although its answer was lost. Then what
                // stands there is what was to be written.
                Ok(Written::Conflict) if attempt > 1 => {
                    return Ok(match self.get(key).await? {
                        Some(there) if there.bytes == bytes => Written::Yes(there.tag),
                        Some(_) | None => Written::Conflict,
                    });
                }
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    tracing::warn!(%error, key, attempt, "the write is sent again");
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
                other => return other,
            }
        }
        Ok(Written::Conflict)
    }

    async fn delete(&self, key: &str) -> Result<(), CallError> {
        let request = self.client.delete_object().bucket(&self.name).key(key);
        let deleted = self.gate.send(Call::DeleteObject, request.send()).await;
        deleted.map(drop).map_err(|error| self.named(error))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        let call = Call::ListObjects;
        let mut keys = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = self
                .client
                .list_objects_v2()
                .bucket(&self.name)
                .prefix(prefix)
                .set_continuation_token(next.clone());
            let answer = self.gate.send(call, request.send()).await;
            let answer = answer.map_err(|error| self.named(error))?;
            keys.extend(answer.contents().iter().filter_map(|item| item.key().map(str::to_owned)));
            let token = answer.next_continuation_token().map(str::to_owned);
            match token {
                None if answer.is_truncated() == Some(true) => {
                    return Err(call.error(
                        Failure::Other,
                        "IncompleteAnswer",
                        "no token to go on",
                    ));
                }
                None => return Ok(keys),
                Some(token) if next.as_ref() == Some(&token) => {
                    return Err(call.error(
                        Failure::Other,
                        "RepeatedToken",
                        "the list goes in circles",
                    ));
                }
                Some(token) => next = Some(token),
            }
        }
    }
}

/// Whether the condition of a write did not hold, or another write was faster.
fn is_conflict(error: &CallError, condition: Condition<'_>) -> bool {
    let conditional = match condition {
        Condition::Always => false,
        Condition::IfAbsent | Condition::IfTag(_) => true,
    };
    // `If-Match` over an object that is gone answers NoSuchKey.
    let codes =
        ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "HTTP 412", "HTTP 409"];
    conditional && codes.contains(&error.code.as_str())
}
