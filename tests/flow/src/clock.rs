//! The simulated time of day.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pipeline::ports::Clock;
use tokio::time::Instant;

/// A clock that goes with tokio's paused time.
#[derive(Debug, Clone, Copy)]
pub struct FakeClock {
    began: Instant,
    at: Timestamp,
}

impl FakeClock {
    /// A clock that shows `at` now.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { began: Instant::now(), at }
    }

    /// How much simulated time has passed.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        SignedDuration::try_from(self.began.elapsed())
            .ok()
            .and_then(|passed| self.at.checked_add(passed).ok())
            .unwrap_or(self.at)
    }
}
