//! Calls to Organizations at the pace that AWS allows, and again where they may succeed later.
//!
//! AWS throttles each operation with a token bucket per calling account. [`Pace`] keeps a bucket
//! of its own for each of AWS's, a little smaller, so that a walk that is alone is never
//! throttled; operations that share a line in AWS's table share a bucket, because AWS does not
//! say that they do not. Others use the same buckets, so a throttled call is repeated with
//! growing, jittered pauses. Time passes through tokio alone.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use leaky_bucket::RateLimiter;
use serde::{Deserialize, Serialize};

use crate::ports::{CallError, Failure};

/// An operation of Organizations that the collector calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// ListRoots.
    ListRoots,
    /// ListAccounts.
    ListAccounts,
    /// ListAccountsForParent.
    ListAccountsForParent,
    /// ListOrganizationalUnitsForParent.
    ListOrganizationalUnitsForParent,
    /// ListParents.
    ListParents,
    /// ListPolicies.
    ListPolicies,
    /// ListTargetsForPolicy.
    ListTargetsForPolicy,
    /// ListPoliciesForTarget.
    ListPoliciesForTarget,
    /// DescribePolicy.
    DescribePolicy,
    /// DescribeOrganization.
    DescribeOrganization,
    /// DescribeAccount.
    DescribeAccount,
    /// DescribeOrganizationalUnit.
    DescribeOrganizationalUnit,
}

impl Operation {
    /// The name as AWS spells it; a gap carries it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ListRoots => "ListRoots",
            Self::ListAccounts => "ListAccounts",
            Self::ListAccountsForParent => "ListAccountsForParent",
            Self::ListOrganizationalUnitsForParent => "ListOrganizationalUnitsForParent",
            Self::ListParents => "ListParents",
            Self::ListPolicies => "ListPolicies",
            Self::ListTargetsForPolicy => "ListTargetsForPolicy",
            Self::ListPoliciesForTarget => "ListPoliciesForTarget",
            Self::DescribePolicy => "DescribePolicy",
            Self::DescribeOrganization => "DescribeOrganization",
            Self::DescribeAccount => "DescribeAccount",
            Self::DescribeOrganizationalUnit => "DescribeOrganizationalUnit",
        }
    }

    /// The line of AWS's table of throttles that it is in.
    #[must_use]
    pub const fn group(self) -> RateGroup {
        match self {
            Self::ListRoots => RateGroup::Roots,
            Self::ListAccounts => RateGroup::Accounts,
            Self::ListAccountsForParent
            | Self::ListOrganizationalUnitsForParent
            | Self::ListParents => RateGroup::Tree,
            Self::ListPolicies | Self::ListTargetsForPolicy | Self::ListPoliciesForTarget => {
                RateGroup::Policies
            }
            Self::DescribePolicy => RateGroup::Content,
            Self::DescribeOrganization => RateGroup::Head,
            Self::DescribeAccount => RateGroup::Account,
            Self::DescribeOrganizationalUnit => RateGroup::Unit,
        }
    }
}

/// Operations that share a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateGroup {
    /// ListRoots.
    Roots,
    /// ListAccounts.
    Accounts,
    /// ListOrganizationalUnitsForParent, ListAccountsForParent, ListParents.
    Tree,
    /// ListPolicies, ListPoliciesForTarget, ListTargetsForPolicy.
    Policies,
    /// DescribePolicy.
    Content,
    /// DescribeOrganization.
    Head,
    /// DescribeAccount.
    Account,
    /// DescribeOrganizationalUnit.
    Unit,
}

/// A published rate: calls a second once the burst is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls a second.
    pub per_second: u32,
    /// Calls at once.
    pub burst: u32,
}

impl RateGroup {
    /// The rate per calling account.
    ///
    /// # Source
    /// AWS Organizations User Guide, "Quotas and service limits", throttle limits.
    #[must_use]
    pub const fn rate(self) -> Rate {
        match self {
            Self::Roots | Self::Head => Rate { per_second: 1, burst: 2 },
            Self::Accounts => Rate { per_second: 8, burst: 12 },
            Self::Tree | Self::Policies => Rate { per_second: 5, burst: 8 },
            Self::Content | Self::Unit => Rate { per_second: 2, burst: 2 },
            Self::Account => Rate { per_second: 20, burst: 30 },
        }
    }
}

/// How fast to call and how often to try.
#[derive(Debug, Clone, PartialEq)]
pub struct PaceSettings {
    /// The share of AWS's rates to use, above 0 and at most 1.
    pub share: f64,
    /// How often a call that may succeed later is repeated.
    pub retries: usize,
    /// The first pause; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause, before up to as much again of jitter.
    pub longest_pause: Duration,
    /// The seed of the jitter.
    pub seed: u64,
}

impl PaceSettings {
    /// The share, brought into its range.
    #[must_use]
    pub fn usable_share(&self) -> f64 {
        if self.share.is_finite() { self.share.clamp(0.01, 1.0) } else { 1.0 }
    }

    pub(crate) fn pauses(&self, seed: u64) -> ExponentialBuilder {
        pauses(self.first_pause, self.longest_pause, self.retries, seed)
    }
}

impl Default for PaceSettings {
    /// Half of AWS's rates, as consoles and Control Tower use the same buckets, and some four
    /// minutes of patience with a call.
    fn default() -> Self {
        Self {
            share: 0.5,
            retries: 14,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(20),
            seed: 0,
        }
    }
}

/// What was called so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTally {
    /// Calls, repeated ones included.
    pub calls: u64,
    /// Of these, throttled ones.
    pub throttled: u64,
}

impl CallTally {
    pub(crate) fn called(tally: &Cell<Self>) {
        let Self { calls, throttled } = tally.get();
        tally.set(Self { calls: calls + 1, throttled });
    }

    pub(crate) fn answered<T>(tally: &Cell<Self>, answer: &Result<T, CallError>) {
        if let Err(error) = answer
            && error.failure == Failure::Throttled
        {
            let Self { calls, throttled } = tally.get();
            tally.set(Self { calls, throttled: throttled + 1 });
        }
    }
}

/// The buckets, and what went through them.
pub struct Pace {
    buckets: BTreeMap<RateGroup, RateLimiter>,
    settings: PaceSettings,
    tally: Cell<CallTally>,
    by_operation: RefCell<BTreeMap<Operation, u64>>,
}

impl Pace {
    /// Full buckets. A share outside (0, 1] counts as the nearest of 0.01 and 1.
    #[must_use]
    pub fn new(settings: PaceSettings) -> Self {
        let share = settings.usable_share();
        let groups = [
            RateGroup::Roots,
            RateGroup::Accounts,
            RateGroup::Tree,
            RateGroup::Policies,
            RateGroup::Content,
            RateGroup::Head,
            RateGroup::Account,
            RateGroup::Unit,
        ];
        let buckets = groups.into_iter().map(|group| (group, bucket(group.rate(), share)));
        Self {
            buckets: buckets.collect(),
            settings,
            tally: Cell::default(),
            by_operation: RefCell::default(),
        }
    }

    /// Makes a call when its bucket allows, again and again while it may succeed later.
    ///
    /// # Errors
    /// The last error, where it is not worth another try or the tries are used up.
    pub async fn call<T, F>(
        &self,
        operation: Operation,
        mut make: impl FnMut() -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let attempt = || self.once(operation, make());
        attempt.retry(self.pauses()).when(CallError::is_retryable).await
    }

    async fn once<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        if let Some(bucket) = self.buckets.get(&operation.group()) {
            bucket.acquire_one().await;
        }
        CallTally::called(&self.tally);
        *self.by_operation.borrow_mut().entry(operation).or_default() += 1;
        let answer = call.await;
        CallTally::answered(&self.tally, &answer);
        answer
    }

    /// What was called so far.
    #[must_use]
    pub fn tally(&self) -> CallTally {
        self.tally.get()
    }

    /// Calls so far by operation, repeated ones included.
    #[must_use]
    pub fn by_operation(&self) -> BTreeMap<Operation, u64> {
        self.by_operation.borrow().clone()
    }

    fn pauses(&self) -> ExponentialBuilder {
        let seed = self.settings.seed.wrapping_add(self.tally.get().calls);
        self.settings.pauses(seed)
    }
}

/// Growing pauses between tries, each up to twice as long by jitter. With a seed that differs from
/// call to call the jitter does too, and is the same in every run of a test.
pub(crate) fn pauses(
    first: Duration,
    longest: Duration,
    retries: usize,
    seed: u64,
) -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(first)
        .with_max_delay(longest)
        .with_max_times(retries)
        .with_factor(2.0)
        .with_jitter()
        .with_jitter_seed(seed)
}

/// A bucket one token smaller than AWS's: ours refills at fixed moments, AWS's all the time, so
/// that one of the same size could spend a token that AWS has not got yet.
pub(crate) fn bucket(rate: Rate, share: f64) -> RateLimiter {
    let burst = (f64::from(rate.burst.saturating_sub(1)) * share).floor().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 29")]
    let burst = burst as usize;
    RateLimiter::builder()
        .initial(burst)
        .max(burst)
        .refill(1)
        .interval(Duration::from_secs_f64(1.0 / (f64::from(rate.per_second) * share)))
        .build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use tokio::time::Instant;

    fn failing(failure: Failure) -> CallError {
        CallError { permission: "x:Y", failure, code: "Code".to_owned(), message: String::new() }
    }

    fn pace(share: f64) -> Pace {
        Pace::new(PaceSettings { share, ..PaceSettings::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_runs_at_its_rate_once_the_burst_is_spent() {
        let pace = pace(1.0);
        let start = Instant::now();
        for operation in [Operation::ListPolicies, Operation::ListTargetsForPolicy].repeat(50) {
            pace.call(operation, || async { Ok(()) }).await.unwrap();
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((18.5..18.7).contains(&seconds), "100 calls, 7 at once, 5 a second: {seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn half_the_share_takes_twice_the_time() {
        let pace = pace(0.5);
        let start = Instant::now();
        for _ in 0..21 {
            pace.call(Operation::DescribePolicy, || async { Ok(()) }).await.unwrap();
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((19.9..20.1).contains(&seconds), "21 calls, 1 at once, 1 a second: {seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_call_is_repeated_and_counted() {
        let pace = pace(1.0);
        let left = Cell::new(5);
        let answer = pace
            .call(Operation::ListRoots, || async {
                left.set(left.get() - 1);
                if left.get() > 0 { Err(failing(Failure::Throttled)) } else { Ok(7) }
            })
            .await;
        assert_eq!(answer, Ok(7));
        assert_eq!(pace.tally(), CallTally { calls: 5, throttled: 4 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_denied_call_is_not_repeated() {
        let pace = pace(1.0);
        let answer: Result<(), _> =
            pace.call(Operation::ListRoots, || async { Err(failing(Failure::Denied)) }).await;
        assert_eq!(answer, Err(failing(Failure::Denied)));
        assert_eq!(pace.tally().calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_never_succeeds_is_given_up() {
        let pace = pace(1.0);
        let answer: Result<(), _> =
            pace.call(Operation::ListRoots, || async { Err(failing(Failure::Unavailable)) }).await;
        assert_eq!(answer, Err(failing(Failure::Unavailable)));
        assert_eq!(pace.tally().calls, 15);
    }
}
