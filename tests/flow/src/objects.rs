//! A bucket in memory: entity tags, conditional writes, and failures on demand.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use pipeline::objects as keys;
use pipeline::ports::{CallError, Condition, Failure, Object, Objects, Written};
use pipeline::wire::{Latest, Pointer, SCHEMA_VERSION, digest};

/// What a call does with the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads an object.
    Get,
    /// Writes one.
    Put,
    /// Removes one.
    Delete,
    /// Lists keys.
    List,
}

/// A failure to inject: whose key starts with `prefix` fails `times` times.
#[derive(Debug, Clone)]
struct ObjectFault {
    access: Access,
    prefix: String,
    failure: Failure,
    times: u32,
}

/// The bucket.
#[derive(Debug, Default)]
pub struct FakeBucket {
    objects: RefCell<BTreeMap<String, Object>>,
    versions: Cell<u64>,
    faults: RefCell<Vec<ObjectFault>>,
}

impl FakeBucket {
    /// Makes the next `times` calls of this kind to keys with this prefix fail.
    pub fn fail(&self, access: Access, prefix: &str, failure: Failure, times: u32) {
        let fault = ObjectFault { access, prefix: prefix.to_owned(), failure, times };
        self.faults.borrow_mut().push(fault);
    }

    /// What is under a key, as text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        let objects = self.objects.borrow();
        objects.get(key).map(|object| String::from_utf8_lossy(&object.bytes).into_owned())
    }

    /// Puts a text under a key, as an operator would.
    pub fn set(&self, key: &str, text: &str) {
        self.store(key, text.as_bytes().to_vec());
    }

    /// Makes `snapshot` the latest.
    pub fn set_latest(&self, snapshot: &str) {
        let key = keys::of_run("check", "snapshot.json");
        self.set(&key, snapshot);
        let latest = Latest {
            schema_version: SCHEMA_VERSION,
            run_id: "check".to_owned(),
            snapshot: Pointer { digest: digest(snapshot.as_bytes()), key },
            full_walk_at: String::new(),
            evaluated_at: String::new(),
            statuses: None,
        };
        self.set(keys::LATEST, &serde_json::to_string(&latest).unwrap_or_default());
    }

    /// Removes what is under a key, as an operator would.
    pub fn remove(&self, key: &str) {
        self.objects.borrow_mut().remove(key);
    }

    /// Every key.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.objects.borrow().keys().cloned().collect()
    }

    fn store(&self, key: &str, bytes: Vec<u8>) -> String {
        self.versions.set(self.versions.get() + 1);
        let tag = format!("\"{}\"", self.versions.get());
        self.objects.borrow_mut().insert(key.to_owned(), Object { bytes, tag: tag.clone() });
        tag
    }

    async fn pass(&self, access: Access, key: &str) -> Result<(), CallError> {
        tokio::task::yield_now().await;
        let mut faults = self.faults.borrow_mut();
        let hit = faults.iter_mut().find(|fault| {
            fault.access == access && key.starts_with(&fault.prefix) && fault.times > 0
        });
        let Some(fault) = hit else { return Ok(()) };
        fault.times -= 1;
        let permission = match access {
            Access::Get => "s3:GetObject",
            Access::Put => "s3:PutObject",
            Access::Delete => "s3:DeleteObject",
            Access::List => "s3:ListBucket",
        };
        let code = format!("{:?}", fault.failure);
        Err(CallError { permission, failure: fault.failure, code, message: key.to_owned() })
    }
}

impl Objects for FakeBucket {
    async fn get(&self, key: &str) -> Result<Option<Object>, CallError> {
        self.pass(Access::Get, key).await?;
        Ok(self.objects.borrow().get(key).cloned())
    }

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<Written, CallError> {
        self.pass(Access::Put, key).await?;
        let holds = match (condition, self.objects.borrow().get(key)) {
            (Condition::Always, _) | (Condition::IfAbsent, None) => true,
            (Condition::IfTag(tag), Some(object)) => object.tag == tag,
            (Condition::IfAbsent, Some(_)) | (Condition::IfTag(_), None) => false,
        };
        if holds { Ok(Written::Yes(self.store(key, bytes))) } else { Ok(Written::Conflict) }
    }

    async fn delete(&self, key: &str) -> Result<(), CallError> {
        self.pass(Access::Delete, key).await?;
        self.objects.borrow_mut().remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.pass(Access::List, prefix).await?;
        let objects = self.objects.borrow();
        let keys = objects.keys().filter(|key| key.starts_with(prefix));
        Ok(keys.cloned().collect())
    }
}
