//! Every call, at the pace of its account, Region and API, and again where it may succeed later.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};

use super::api::Api;
use crate::pace::{Tally, pauses};
use crate::ports::{CallError, Failure};

/// From one call of an API to the next in an account and Region: a second, and a little because
/// the way to AWS does not always take the same time.
pub const PACE: Duration = Duration::from_millis(1_050);

/// How hard to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSettings {
    /// How many calls are under way at once, over all accounts; 0 counts as 1.
    pub calls_at_once: usize,
    /// How often a call that may succeed later is repeated.
    pub retries: usize,
    /// The first pause; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause, before up to as much again of jitter.
    pub longest_pause: Duration,
    /// How long an answer may take; after that the call counts as failed.
    pub patience: Duration,
    /// The seed of the jitter.
    pub seed: u64,
}

impl Default for CallSettings {
    /// An eighth of the files that Lambda lets a function open, and some two minutes of patience
    /// with a call.
    fn default() -> Self {
        Self {
            calls_at_once: 128,
            retries: 8,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
            patience: Duration::from_secs(30),
            seed: 0,
        }
    }
}

/// What all calls of an invocation share.
pub(super) struct Calls<'c> {
    settings: &'c CallSettings,
    permits: Semaphore,
    tally: Cell<Tally>,
    /// No paced call before this: an invocation before, also one that left no trace, may have made
    /// one just now.
    not_before: Instant,
}

impl<'c> Calls<'c> {
    pub(super) fn new(settings: &'c CallSettings) -> Self {
        Self {
            settings,
            permits: Semaphore::new(settings.calls_at_once.max(1)),
            tally: Cell::default(),
            not_before: Instant::now() + PACE,
        }
    }

    pub(super) const fn tally(&self) -> Tally {
        self.tally.get()
    }

    /// The calls in one account and Region.
    pub(super) fn paced(&self) -> Paced<'_, 'c> {
        Paced { calls: self, next: RefCell::default() }
    }
}

/// Calls in one account and Region.
pub(super) struct Paced<'p, 'c> {
    calls: &'p Calls<'c>,
    next: RefCell<BTreeMap<Api, Instant>>,
}

impl Paced<'_, '_> {
    /// Makes a call when its pace allows, again and again while it may succeed later.
    pub(super) async fn call<T, F>(
        &self,
        api: Api,
        mut make: impl FnMut() -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let attempt = || self.once(api, make());
        attempt.retry(self.pauses()).when(CallError::is_retryable).await
    }

    async fn once<T>(
        &self,
        api: Api,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        // The pace is looked at again once there is a permit: waiting for it may have brought two
        // calls together.
        let _permit = loop {
            if let Some(free) = self.free_at(api) {
                sleep_until(free).await;
            }
            let Ok(permit) = self.calls.permits.acquire().await else { continue };
            let now = Instant::now();
            if self.free_at(api).is_none_or(|free| free <= now) {
                self.next.borrow_mut().insert(api, now + PACE);
                break permit;
            }
        };
        Tally::called(&self.calls.tally);
        let answer = timeout(self.calls.settings.patience, call).await;
        let answer = answer.unwrap_or_else(|_| {
            Err(CallError {
                permission: api.permission(),
                failure: Failure::Unavailable,
                code: "TimedOut".to_owned(),
                message: format!("no answer in {:?}", self.calls.settings.patience),
            })
        });
        Tally::answered(&self.calls.tally, &answer);
        answer
    }

    /// When the next call may be made; `None` where that is at any time.
    fn free_at(&self, api: Api) -> Option<Instant> {
        if !api.is_paced() {
            return None;
        }
        let next = self.next.borrow().get(&api).copied();
        Some(next.unwrap_or(self.calls.not_before).max(self.calls.not_before))
    }

    fn pauses(&self) -> ExponentialBuilder {
        let settings = self.calls.settings;
        let seed = settings.seed.wrapping_add(self.calls.tally.get().calls);
        pauses(settings.first_pause, settings.longest_pause, settings.retries, seed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn failing(failure: Failure) -> CallError {
        CallError { permission: "x:Y", failure, code: "Code".to_owned(), message: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_of_one_api_keep_their_distance_also_while_they_wait_for_others() {
        let settings = CallSettings { calls_at_once: 1, ..CallSettings::default() };
        let calls = Calls::new(&settings);
        let (here, there) = (calls.paced(), calls.paced());
        let starts = RefCell::new(Vec::new());
        let call = async || {
            let start = || async {
                starts.borrow_mut().push(Instant::now());
                Ok(())
            };
            here.call(Api::GetRelay, start).await.unwrap();
        };
        let block = async || {
            let wait = || async {
                tokio::time::sleep(Duration::from_millis(1_900)).await;
                Ok(())
            };
            there.call(Api::GetRelay, wait).await.unwrap();
        };
        futures_util::future::join4(block(), call(), call(), call()).await;
        let starts = starts.borrow();
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= PACE), "{starts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_call_of_an_api_waits_as_if_there_had_just_been_one() {
        let settings = CallSettings::default();
        let calls = Calls::new(&settings);
        for (api, wait) in [(Api::AssumeRole, Duration::ZERO), (Api::GetRelay, PACE)] {
            let began = Instant::now();
            calls.paced().call(api, || async { Ok(()) }).await.unwrap();
            assert_eq!(began.elapsed().as_millis() / 10, wait.as_millis() / 10, "{api:?}");
        }
    }

    /// On a clock that runs: one that stands still makes every moment now.
    #[tokio::test]
    async fn a_call_without_a_pace_is_made_at_once() {
        let settings = CallSettings::default();
        let calls = Calls::new(&settings);
        let paced = calls.paced();
        let call = paced.call(Api::AssumeRole, || async { Ok(()) });
        let answer = timeout(Duration::from_secs(5), call).await;
        assert_eq!(answer.map_err(|_| "it waits for ever"), Ok(Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_fails_and_is_repeated_up_to_the_bound() {
        let settings = CallSettings { retries: 2, ..CallSettings::default() };
        let calls = Calls::new(&settings);
        let answer: Result<(), _> = calls.paced().call(Api::GetRelay, std::future::pending).await;
        assert_eq!(answer.map_err(|error| error.code), Err("TimedOut".to_owned()));
        assert_eq!(calls.tally().calls, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_denied_call_is_made_once() {
        let settings = CallSettings::default();
        let calls = Calls::new(&settings);
        let denied = || async { Err::<(), _>(failing(Failure::Denied)) };
        let answer = calls.paced().call(Api::GetRelay, denied).await;
        assert_eq!(answer, Err(failing(Failure::Denied)));
        assert_eq!(calls.tally(), Tally { calls: 1, throttled: 0 });
    }
}
