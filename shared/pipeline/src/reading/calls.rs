//! Every call, at the pace of its account, Region and API, and again where it may succeed later.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::api::Api;
use crate::pace::{CallTally, pauses};
use crate::ports::{CallError, Failure};

/// From the answer of an API to its next call in the same account and Region. From the answer: what
/// comes a second after it also arrives a second later, however long either was under way.
pub const PACE: Duration = Duration::from_secs(1);

/// After so many calls in a row without an answer, each with all its repetitions, the next ones
/// are made once: one alone may be a fault of its account.
const SILENT: u32 = 2;

/// How hard to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSettings {
    /// How many calls are under way at once, over all accounts; 0 counts as 1.
    pub calls_at_once: usize,
    /// How often a call that may succeed later is repeated.
    pub retries: usize,
    /// How often of these because there was no connection: a name that does not exist will not
    /// exist in a minute either.
    pub reconnects: usize,
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
            reconnects: 4,
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
    tally: Cell<CallTally>,
    /// By Region and API, how many calls in a row had no answer however often they were repeated. A
    /// Region without Mail Manager has no endpoint of it, and waiting for one in every account
    /// would take hours.
    in_vain: RefCell<BTreeMap<(String, Api), u32>>,
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
            in_vain: RefCell::default(),
            not_before: Instant::now() + PACE,
        }
    }

    pub(super) const fn tally(&self) -> CallTally {
        self.tally.get()
    }

    /// The calls in one account and Region; the Region is empty for calls about the account.
    pub(super) fn paced<'p>(&'p self, region: &'p str) -> Paced<'p, 'c> {
        Paced { calls: self, region, free: RefCell::default() }
    }
}

/// Calls in one account and Region.
pub(super) struct Paced<'p, 'c> {
    calls: &'p Calls<'c>,
    region: &'p str,
    /// When each API may be called next; whoever calls it holds the lock until there is an answer.
    free: RefCell<BTreeMap<Api, Rc<Mutex<Instant>>>>,
}

impl Paced<'_, '_> {
    /// Makes a call when its pace allows, again and again while it may succeed later, but once
    /// where repetitions were in vain before, in whichever account.
    pub(super) async fn call<T, F>(
        &self,
        api: Api,
        mut make: impl FnMut() -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let attempt = || self.once(api, make());
        let place = (self.region.to_owned(), api);
        let in_vain = &self.calls.in_vain;
        let is_silent = || in_vain.borrow().get(&place).is_some_and(|calls| *calls >= SILENT);
        let mut reconnects = self.calls.settings.reconnects;
        let is_worth_it = |error: &CallError| {
            if is_silence(error) && is_silent() {
                return false;
            }
            if error.failure == Failure::Unreachable {
                if reconnects == 0 {
                    return false;
                }
                reconnects -= 1;
            }
            error.is_retryable()
        };
        let answer = attempt.retry(self.pauses()).when(is_worth_it).await;
        if answer.as_ref().is_err_and(is_silence) {
            *in_vain.borrow_mut().entry(place).or_default() += 1;
        } else {
            in_vain.borrow_mut().remove(&place);
        }
        answer
    }

    async fn once<T>(
        &self,
        api: Api,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        if !api.is_paced() {
            return self.now(api, call).await;
        }
        let turn = self.turn(api);
        let mut free = turn.lock().await;
        sleep_until(*free).await;
        let answer = self.now(api, call).await;
        *free = Instant::now() + PACE;
        answer
    }

    fn turn(&self, api: Api) -> Rc<Mutex<Instant>> {
        let first = || Rc::new(Mutex::new(self.calls.not_before));
        Rc::clone(self.free.borrow_mut().entry(api).or_insert_with(first))
    }

    async fn now<T>(
        &self,
        api: Api,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        // The semaphore is never closed.
        let _permit = self.calls.permits.acquire().await;
        CallTally::called(&self.calls.tally);
        let answer = timeout(self.calls.settings.patience, call).await;
        let answer = answer.unwrap_or_else(|_| {
            Err(CallError {
                permission: api.permission(),
                failure: Failure::Unavailable,
                code: "TimedOut".to_owned(),
                message: format!("no answer in {:?}", self.calls.settings.patience),
            })
        });
        CallTally::answered(&self.calls.tally, &answer);
        answer
    }

    fn pauses(&self) -> ExponentialBuilder {
        let settings = self.calls.settings;
        let seed = settings.seed.wrapping_add(self.calls.tally.get().calls);
        pauses(settings.first_pause, settings.longest_pause, settings.retries, seed)
    }
}

const fn is_silence(error: &CallError) -> bool {
    matches!(error.failure, Failure::Unavailable | Failure::Unreachable)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn failing(failure: Failure) -> CallError {
        CallError { permission: "x:Y", failure, code: "Code".to_owned(), message: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_comes_a_second_after_the_answer_before_also_while_it_waits_for_others() {
        let settings = CallSettings { calls_at_once: 1, ..CallSettings::default() };
        let calls = Calls::new(&settings);
        let (here, there) = (calls.paced("us-east-1"), calls.paced("us-east-1"));
        let moments = RefCell::new(Vec::new());
        let call = async |fails: bool| {
            let slow = || async {
                let began = Instant::now();
                tokio::time::sleep(Duration::from_millis(300)).await;
                moments.borrow_mut().push((began, Instant::now()));
                if fails { Err(failing(Failure::Denied)) } else { Ok(()) }
            };
            let _ = here.call(Api::GetRelay, slow).await;
        };
        let block = async || {
            let wait = || async {
                tokio::time::sleep(Duration::from_millis(1_900)).await;
                Ok(())
            };
            there.call(Api::GetRelay, wait).await.unwrap();
        };
        futures_util::future::join4(block(), call(false), call(true), call(false)).await;
        let moments = moments.borrow();
        assert_eq!(moments.len(), 3);
        for pair in moments.windows(2) {
            assert!(pair[1].0 - pair[0].1 >= PACE, "{moments:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_call_of_an_api_waits_as_if_there_had_just_been_one() {
        let settings = CallSettings::default();
        let calls = Calls::new(&settings);
        for (api, wait) in [(Api::AssumeRole, Duration::ZERO), (Api::GetRelay, PACE)] {
            let began = Instant::now();
            calls.paced("us-east-1").call(api, || async { Ok(()) }).await.unwrap();
            assert_eq!(began.elapsed().as_millis() / 10, wait.as_millis() / 10, "{api:?}");
        }
    }

    /// On a clock that runs: one that stands still makes every moment now.
    #[tokio::test]
    async fn a_call_without_a_pace_is_made_at_once() {
        let settings = CallSettings::default();
        let calls = Calls::new(&settings);
        let paced = calls.paced("us-east-1");
        let call = paced.call(Api::AssumeRole, || async { Ok(()) });
        let answer = timeout(Duration::from_secs(5), call).await;
        assert_eq!(answer.map_err(|_| "it waits for ever"), Ok(Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_fails_and_is_repeated_up_to_the_bound() {
        let settings = CallSettings { retries: 2, ..CallSettings::default() };
        let calls = Calls::new(&settings);
        let answer: Result<(), _> =
            calls.paced("us-east-1").call(Api::GetRelay, std::future::pending).await;
        assert_eq!(answer.map_err(|error| error.code), Err("TimedOut".to_owned()));
        assert_eq!(calls.tally().calls, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_denied_call_is_made_once() {
        let settings = CallSettings::default();
        let calls = Calls::new(&settings);
        let denied = || async { Err::<(), _>(failing(Failure::Denied)) };
        let answer = calls.paced("us-east-1").call(Api::GetRelay, denied).await;
        assert_eq!(answer, Err(failing(Failure::Denied)));
        assert_eq!(calls.tally(), CallTally { calls: 1, throttled: 0 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_a_connection_is_repeated_less_often() {
        let settings = CallSettings { retries: 6, reconnects: 2, ..CallSettings::default() };
        for (failure, made) in [(Failure::Unreachable, 3), (Failure::Unavailable, 7)] {
            let calls = Calls::new(&settings);
            let answer = Err::<(), _>(failing(failure));
            let _ = calls.paced("us-east-1").call(Api::GetRelay, async || answer.clone()).await;
            assert_eq!(calls.tally().calls, made, "{failure:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_answered_a_call_is_made_once_until_there_is_an_answer() {
        let settings = CallSettings { retries: 2, ..CallSettings::default() };
        let calls = Calls::new(&settings);
        let made = RefCell::new(Vec::new());
        let ask = async |region: &str, api, answer: Result<(), CallError>| {
            let before = calls.tally().calls;
            let _ = calls.paced(region).call(api, async || answer.clone()).await;
            made.borrow_mut().push(calls.tally().calls - before);
        };
        let silence = || Err(failing(Failure::Unavailable));
        let denied = || Err(failing(Failure::Denied));
        for (region, api, answer) in [
            ("us-east-1", Api::ListRelays, silence()),
            ("us-east-1", Api::ListRelays, denied()),
            ("us-east-1", Api::ListRelays, silence()),
            ("us-east-1", Api::ListRelays, silence()),
            ("us-east-1", Api::ListRelays, silence()),
            ("us-east-1", Api::ListRuleSets, silence()),
            ("eu-west-1", Api::ListRelays, silence()),
            ("us-east-1", Api::ListRelays, Ok(())),
            ("us-east-1", Api::ListRelays, silence()),
        ] {
            ask(region, api, answer).await;
        }
        assert_eq!(*made.borrow(), [3, 1, 3, 3, 1, 3, 3, 1, 3]);
    }
}
