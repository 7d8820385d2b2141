//! `fetch-scps` with its fakes, as tests run it.

use std::time::Duration;

use jiff::Timestamp;
use pipeline::fetch::{FetchError, FetchPorts, FetchSettings, Input, run};
use pipeline::objects;
use pipeline::pace::PaceSettings;
use pipeline::snapshot::Snapshot;
use pipeline::wire::{
    Change, CheckOrigin, FetchInput, Fetched, Latest, Request, SCHEMA_VERSION, Scope, digest,
};
use tokio::time::Instant;

use crate::clock::FakeClock;
use crate::objects::FakeBucket;
use crate::organizations::FakeOrganizations;

/// An organization, a bucket, and the settings of the function.
pub struct Fetching {
    /// AWS Organizations.
    pub organizations: FakeOrganizations,
    /// The bucket.
    pub bucket: FakeBucket,
    /// The time of day.
    pub clock: FakeClock,
    /// The function's settings.
    pub settings: FetchSettings,
}

impl Fetching {
    /// An empty bucket beside this organization; the function uses all of AWS's rates.
    #[must_use]
    pub fn new(organizations: FakeOrganizations) -> Self {
        let pace = PaceSettings { share: 1.0, ..PaceSettings::default() };
        Self {
            organizations,
            bucket: FakeBucket::default(),
            clock: FakeClock::new(Timestamp::from_second(1_795_000_000).unwrap_or_default()),
            settings: FetchSettings { pace, ..FetchSettings::default() },
        }
    }

    /// One invocation with this much time to its deadline.
    ///
    /// # Errors
    /// As the function.
    pub async fn invoke(&self, input: Input, time: Duration) -> Result<Fetched, FetchError> {
        let ports = FetchPorts {
            organizations: &self.organizations,
            objects: &self.bucket,
            clock: &self.clock,
        };
        run(ports, &self.settings, input, Instant::now() + time).await
    }

    /// One invocation with all the time in the world.
    ///
    /// # Errors
    /// As the function.
    pub async fn fetch(&self, input: FetchInput) -> Result<Fetched, FetchError> {
        self.invoke(Input::Begin(input), Duration::from_secs(1_000_000)).await
    }

    /// The snapshot that an invocation wrote; the digest is checked.
    #[must_use]
    pub fn snapshot(&self, fetched: &Fetched) -> Option<Snapshot> {
        let pointer = fetched.snapshot.as_ref()?;
        let text = self.bucket.text(&pointer.key)?;
        let sound = digest(text.as_bytes()) == pointer.digest;
        serde_json::from_str(&text).ok().filter(|_| sound)
    }

    /// The snapshot without the times, to compare with the truth.
    #[must_use]
    pub fn timeless(&self, fetched: &Fetched) -> Option<Snapshot> {
        let snapshot = self.snapshot(fetched)?;
        Some(Snapshot { fetched_at: String::new(), oldest_content_at: None, ..snapshot })
    }

    /// Does what `evaluate-scps` does with a run that answers requests, and ends the run.
    pub fn complete(&self, fetched: &Fetched) {
        let (Some(snapshot), Some(full_walk_at)) = (&fetched.snapshot, &fetched.full_walk_at)
        else {
            return;
        };
        let latest = Latest {
            schema_version: SCHEMA_VERSION,
            run_id: fetched.run_id.clone(),
            snapshot: snapshot.clone(),
            full_walk_at: full_walk_at.clone(),
            evaluated_at: full_walk_at.clone(),
            statuses: None,
        };
        self.bucket.set(objects::LATEST, &serde_json::to_string(&latest).unwrap_or_default());
        for key in self.bucket.keys() {
            if key.starts_with(objects::REQUESTS) {
                self.bucket.remove(&key);
            }
        }
    }

    /// Writes down a wish for a check.
    pub fn request(&self, changes: Vec<Change>) {
        let request = Request {
            schema_version: SCHEMA_VERSION,
            source: CheckOrigin::Organizations,
            received_at: String::new(),
            scope: Scope::default(),
            full: false,
            changes,
        };
        let number = self.bucket.keys().len();
        let key = objects::request("20261125T000000Z", &format!("{number:06}"));
        self.bucket.set(&key, &serde_json::to_string(&request).unwrap_or_default());
    }

    /// The input of a run that answers requests and holds the place of the run under way.
    #[must_use]
    pub fn answering(&self, run_id: &str) -> FetchInput {
        let holder = format!("{{\"schemaVersion\":1,\"runId\":\"{run_id}\",\"since\":\"now\"}}");
        self.bucket.set(objects::RUN, &holder);
        FetchInput { run_id: run_id.to_owned(), answers_requests: true, ..FetchInput::default() }
    }
}
