//! What `fetch-scps` works with.

use std::time::Duration;

use super::store::Store;
use crate::collect::CollectSettings;
use crate::pace::PaceSettings;

/// What `fetch-scps` is told at deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchSettings {
    /// How fast to call.
    pub pace: PaceSettings,
    /// What to collect.
    pub collect: CollectSettings,
    /// How long before the deadline collecting stops, to leave time for writing.
    pub margin: Duration,
    /// More changes than this lead to a full walk.
    pub most_changes: usize,
    /// How old the last full walk, and any content, may be for a run that only reads changes: no
    /// older than the last time that the schedule was due.
    pub full_walk_age: Duration,
    /// How long after its beginning a run may go on at its checkpoint; later it begins anew. No
    /// shorter than an execution of the state machine may take.
    pub checkpoint_age: Duration,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            pace: PaceSettings::default(),
            collect: CollectSettings::default(),
            margin: Duration::from_secs(30),
            most_changes: 25,
            full_walk_age: Duration::from_secs(7 * 60 * 60),
            checkpoint_age: Duration::from_secs(12 * 60 * 60),
        }
    }
}

/// What `fetch-scps` reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct FetchPorts<'p, O, S, C> {
    /// AWS Organizations.
    pub organizations: &'p O,
    /// The bucket.
    pub objects: &'p S,
    /// The time of day.
    pub clock: &'p C,
}

/// One invocation at work.
pub(super) struct Fetch<'f, O, S, C> {
    pub(super) ports: FetchPorts<'f, O, S, C>,
    pub(super) store: Store<'f, S>,
    pub(super) settings: &'f FetchSettings,
}
