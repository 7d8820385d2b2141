//! The last snapshot, and whether it may be brought up to date.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::base::Fetch;
use super::error::FetchError;
use crate::collect::changes::Updating;
use crate::collect::draft::Draft;
use crate::objects;
use crate::ports::{Clock, Objects, Organizations};
use crate::snapshot::Snapshot;
use crate::wire::{Change, Latest, SCHEMA_VERSION, digest};

/// Where to begin, once the changes are given, and when the last full walk began.
type Begin = (Box<dyn FnOnce(BTreeSet<Change>) -> Updating>, String);

impl<O: Organizations, S: Objects, C: Clock> Fetch<'_, O, S, C> {
    /// The last snapshot as a draft, or why it will not do.
    pub(super) async fn latest(&self, now: Timestamp) -> Result<Result<Begin, String>, FetchError> {
        let Some(latest) = self.ports.objects.get(objects::LATEST).await? else {
            return Ok(Err("there is no last snapshot".to_owned()));
        };
        let latest = match serde_json::from_slice::<Latest>(&latest.bytes) {
            Ok(latest) if latest.schema_version == SCHEMA_VERSION => latest,
            Ok(latest) => {
                let version = latest.schema_version;
                return Ok(Err(format!("`{}` has version {version}", objects::LATEST)));
            }
            Err(error) => return Ok(Err(format!("`{}`: {error}", objects::LATEST))),
        };
        if let Err(why) = self.is_recent("the last full walk was", &latest.full_walk_at, now) {
            return Ok(Err(why));
        }
        let key = &latest.snapshot.key;
        let Some(object) = self.ports.objects.get(key).await? else {
            return Ok(Err(format!("`{key}` is not there any more")));
        };
        if digest(&object.bytes) != latest.snapshot.digest {
            return Ok(Err(format!("`{key}` is damaged: its digest differs")));
        }
        let snapshot = match serde_json::from_slice::<Snapshot>(&object.bytes) {
            Ok(snapshot) => snapshot,
            Err(error) => return Ok(Err(format!("`{key}`: {error}"))),
        };
        if let Err(why) = is_whole(&snapshot).and_then(|oldest| match oldest {
            Some(at) => self.is_recent("the oldest content was read", at, now),
            None => Ok(()),
        }) {
            return Ok(Err(why));
        }
        let draft = Draft::of(snapshot);
        let begin = move |changes| Updating::new(draft, changes);
        Ok(Ok((Box::new(begin), latest.full_walk_at)))
    }

    /// Whether something was done since the last time that the schedule was due.
    fn is_recent(&self, what: &str, at: &str, now: Timestamp) -> Result<(), String> {
        let Ok(done) = at.parse::<Timestamp>() else {
            return Err(format!("{what} at `{at}`, which is no time"));
        };
        let age = now.duration_since(done);
        let most = SignedDuration::try_from(self.settings.full_walk_age);
        let most = most.unwrap_or(SignedDuration::MAX);
        // A time in the future cannot be trusted either.
        if age < SignedDuration::ZERO || age > most {
            return Err(format!("{what} at {at}"));
        }
        Ok(())
    }
}

/// When its oldest content was read, if it has any.
fn is_whole(snapshot: &Snapshot) -> Result<Option<&str>, String> {
    if !snapshot.gaps.is_empty() {
        return Err(format!("the last snapshot has {} gaps", snapshot.gaps.len()));
    }
    if !snapshot.root.scp_enabled() {
        return Err("the last snapshot has service control policies disabled".to_owned());
    }
    if snapshot.policies.iter().any(|policy| policy.content.is_none()) {
        return Err("the last snapshot lacks the content of a policy".to_owned());
    }
    // Snapshots of earlier releases do not say it, and their contents may be a week old.
    if snapshot.oldest_content_at.is_none() && !snapshot.policies.is_empty() {
        return Err("the last snapshot does not say how old its contents are".to_owned());
    }
    Ok(snapshot.oldest_content_at.as_deref())
}
