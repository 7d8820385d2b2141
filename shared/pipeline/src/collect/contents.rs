//! Contents of policies, each read once in a run and never carried into a full walk of another.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A policy's content with the moment from which on it is known to be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Content {
    pub(crate) content: String,
    #[serde(with = "moment")]
    pub(crate) fetched_at: Timestamp,
}

/// A moment as RFC 3339.
pub(crate) mod moment {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// What a run has read of contents, over all its invocations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Contents {
    pub(crate) policies: BTreeMap<String, Content>,
}

impl Contents {
    pub(crate) fn put(&mut self, policy: &str, content: &str, fetched_at: Timestamp) {
        let content = Content { content: content.to_owned(), fetched_at };
        self.policies.insert(policy.to_owned(), content);
    }

    /// The content of a policy that this run has read.
    pub(crate) fn get(&self, policy: &str) -> Option<&str> {
        self.policies.get(policy).map(|read| read.content.as_str())
    }

    /// The moment from which on that content is known to be right.
    pub(crate) fn read_at(&self, policy: &str) -> Option<Timestamp> {
        self.policies.get(policy).map(|read| read.fetched_at)
    }
}
