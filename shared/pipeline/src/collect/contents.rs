//! Contents of policies, read once and kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
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

/// The object `contents.json`, and the part of a checkpoint that this run has read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Stored {
    pub(crate) schema_version: u32,
    pub(crate) policies: BTreeMap<String, Content>,
}

impl Stored {
    /// Takes what is newer from another.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (id, theirs) in &other.policies {
            let newer =
                self.policies.get(id).is_none_or(|ours| ours.fetched_at < theirs.fetched_at);
            if newer {
                self.policies.insert(id.clone(), theirs.clone());
            }
        }
    }
}

/// What is known of contents during a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    /// Read in this run.
    pub(crate) read: Stored,
    /// Read by earlier runs.
    pub(crate) kept: Stored,
    /// Policies that changed, so that what earlier runs read of them is worth nothing.
    pub(crate) changed: BTreeSet<String>,
    /// Whether everything is to be read again.
    pub(crate) full: bool,
    /// The earliest reading that is still good enough.
    pub(crate) oldest: Option<Timestamp>,
}

impl Contents {
    /// The earliest good reading, `age` before `now`.
    pub(crate) fn oldest(now: Timestamp, age: Duration) -> Option<Timestamp> {
        let age = SignedDuration::try_from(age).ok()?;
        now.checked_sub(age).ok()
    }

    pub(crate) fn put(&mut self, policy: &str, content: &str, fetched_at: Timestamp) {
        let content = Content { content: content.to_owned(), fetched_at };
        self.read.policies.insert(policy.to_owned(), content);
    }

    /// The content of a policy where it need not be read.
    pub(crate) fn get(&self, policy: &str) -> Option<&str> {
        if let Some(read) = self.read.policies.get(policy) {
            return Some(&read.content);
        }
        if self.full || self.changed.contains(policy) {
            return None;
        }
        let kept = self.kept.policies.get(policy)?;
        let is_good = self.oldest.is_none_or(|oldest| oldest <= kept.fetched_at);
        is_good.then_some(kept.content.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn kept(second: i64) -> Contents {
        let content = Content { content: "old".to_owned(), fetched_at: at(second) };
        let policies = BTreeMap::from([("p-aaaaaaaa".to_owned(), content)]);
        Contents { kept: Stored { schema_version: 1, policies }, ..Contents::default() }
    }

    #[test]
    fn a_kept_content_counts_until_it_is_old_or_changed_or_all_is_read_again() {
        let good = Contents { oldest: Some(at(100)), ..kept(100) };
        assert_eq!(good.get("p-aaaaaaaa"), Some("old"));
        assert_eq!(Contents { oldest: Some(at(101)), ..kept(100) }.get("p-aaaaaaaa"), None);
        assert_eq!(Contents { full: true, ..kept(100) }.get("p-aaaaaaaa"), None);
        let changed = BTreeSet::from(["p-aaaaaaaa".to_owned()]);
        assert_eq!(Contents { changed, ..kept(100) }.get("p-aaaaaaaa"), None);
    }

    #[test]
    fn what_this_run_read_always_counts() {
        let mut contents = Contents { full: true, ..kept(100) };
        contents.put("p-aaaaaaaa", "new", at(200));
        assert_eq!(contents.get("p-aaaaaaaa"), Some("new"));
    }

    #[test]
    fn merging_keeps_the_newer_reading_in_both_directions() {
        let (old, new) = (kept(100).kept, kept(200).kept);
        let mut first = old.clone();
        first.merge(&new);
        let mut second = new.clone();
        second.merge(&old);
        assert_eq!((&first, &second), (&new, &new));
    }
}
