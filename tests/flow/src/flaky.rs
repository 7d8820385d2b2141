//! A bucket on a bad day: calls that fail, and calls whose answers are lost.

use pipeline::ports::{CallError, Condition, Object, Objects, Written};

use crate::faults::Faults;

/// A bucket behind faults.
#[derive(Debug)]
pub struct Flaky<'s, S> {
    /// The bucket itself.
    pub bucket: &'s S,
    /// What goes wrong.
    pub faults: Faults,
}

impl<'s, S> Flaky<'s, S> {
    /// A bucket on whose calls nothing goes wrong yet.
    #[must_use]
    pub fn new(bucket: &'s S) -> Self {
        Self { bucket, faults: Faults::default() }
    }
}

/// Forwards a call between two chances to fail.
macro_rules! through {
    ($self:ident, $permission:literal, $call:expr) => {{
        $self.faults.before($permission).await?;
        let answer = $call.await?;
        $self.faults.after($permission).await?;
        Ok(answer)
    }};
}

impl<S: Objects> Objects for Flaky<'_, S> {
    async fn get(&self, key: &str) -> Result<Option<Object>, CallError> {
        through!(self, "s3:GetObject", self.bucket.get(key))
    }

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<Written, CallError> {
        through!(self, "s3:PutObject", self.bucket.put(key, bytes, condition))
    }

    async fn delete(&self, key: &str) -> Result<(), CallError> {
        through!(self, "s3:DeleteObject", self.bucket.delete(key))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        through!(self, "s3:ListBucket", self.bucket.list(prefix))
    }
}
