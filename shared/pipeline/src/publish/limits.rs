//! Calls to Security Hub at the pace that AWS allows.

use std::cell::Cell;

use backon::Retryable;
use leaky_bucket::RateLimiter;

use crate::pace::{PaceSettings, Rate, bucket};
use crate::ports::{CallError, Failure};

/// GetFindings returned a page token that it had returned before.
pub fn endless() -> CallError {
    CallError {
        permission: "securityhub:GetFindings",
        failure: Failure::Unavailable,
        code: "RepeatedToken".to_owned(),
        message: "the same page token came twice, so the list cannot be told to be complete"
            .to_owned(),
    }
}

/// An operation of Security Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubOperation {
    /// BatchImportFindings.
    Import,
    /// BatchUpdateFindings.
    Update,
    /// GetFindings.
    Find,
}

impl HubOperation {
    /// The rate per account and Region.
    ///
    /// # Source
    /// AWS Security Hub API reference, "Welcome", throttling.
    const fn rate(self) -> Rate {
        match self {
            Self::Import | Self::Update => Rate { per_second: 10, burst: 30 },
            Self::Find => Rate { per_second: 3, burst: 6 },
        }
    }
}

/// The buckets of one account.
pub struct Limits<'a> {
    import: RateLimiter,
    update: RateLimiter,
    find: RateLimiter,
    settings: &'a PaceSettings,
    calls: Cell<u64>,
}

impl<'a> Limits<'a> {
    /// Full buckets.
    pub fn new(settings: &'a PaceSettings) -> Self {
        let of = |operation: HubOperation| bucket(operation.rate(), settings.usable_share());
        Self {
            import: of(HubOperation::Import),
            update: of(HubOperation::Update),
            find: of(HubOperation::Find),
            settings,
            calls: Cell::new(0),
        }
    }

    /// Makes a call when its bucket allows, again and again while it may succeed later.
    pub async fn call<T, F: Future<Output = Result<T, CallError>>>(
        &self,
        operation: HubOperation,
        mut make: impl FnMut() -> F,
    ) -> Result<T, CallError> {
        let bucket = match operation {
            HubOperation::Import => &self.import,
            HubOperation::Update => &self.update,
            HubOperation::Find => &self.find,
        };
        let attempt = || {
            let call = make();
            async {
                bucket.acquire_one().await;
                self.calls.set(self.calls.get().wrapping_add(1));
                call.await
            }
        };
        let seed = self.settings.seed.wrapping_add(self.calls.get());
        attempt.retry(self.settings.pauses(seed)).when(CallError::is_retryable).await
    }
}
