//! A token bucket in simulated time.

use tokio::time::Instant;

/// Tokens that come back at a rate, up to a burst.
pub struct Bucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket of (tokens a second, burst).
    pub fn new((rate, burst): (f64, f64)) -> Self {
        Self { rate, burst, tokens: burst, at: Instant::now() }
    }

    /// Takes a token, where there is one.
    pub fn take(&mut self) -> bool {
        let now = Instant::now();
        let back = (now - self.at).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + back).min(self.burst);
        self.at = now;
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}
