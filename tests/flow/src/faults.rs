//! What goes wrong between a caller and a service, decided by a seed.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use pipeline::ports::{CallError, Failure};

/// A number that looks random and is the same for the same seed.
#[derive(Debug, Clone, Copy)]
pub struct Random(u64);

impl Random {
    /// The sequence that starts from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1))
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.draw() >> 33).unwrap_or(0).checked_rem(bound).unwrap_or(0)
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Faults of one service.
#[derive(Debug)]
pub struct Faults {
    random: RefCell<Random>,
    /// How many calls of a hundred fail before they take effect.
    pub before_percent: Cell<usize>,
    /// How many calls of a hundred take effect, and then their answer is lost.
    pub after_percent: Cell<usize>,
    /// How long a call takes.
    pub latency: Cell<Duration>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            random: RefCell::new(Random::new(0)),
            before_percent: Cell::new(0),
            after_percent: Cell::new(0),
            latency: Cell::new(Duration::from_millis(10)),
        }
    }
}

impl Faults {
    /// The faults of this seed.
    pub fn seed(&self, seed: u64, before_percent: usize, after_percent: usize) {
        *self.random.borrow_mut() = Random::new(seed);
        self.before_percent.set(before_percent);
        self.after_percent.set(after_percent);
    }

    /// Waits, and fails now and then: the call had no effect.
    ///
    /// # Errors
    /// A throttle, a server's error or a reset.
    pub async fn before(&self, permission: &'static str) -> Result<(), CallError> {
        tokio::time::sleep(self.latency.get()).await;
        self.roll(permission, self.before_percent.get())
    }

    /// Waits, and fails now and then: the call took effect all the same.
    ///
    /// # Errors
    /// As [`Faults::before`].
    pub async fn after(&self, permission: &'static str) -> Result<(), CallError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.roll(permission, self.after_percent.get())
    }

    fn roll(&self, permission: &'static str, percent: usize) -> Result<(), CallError> {
        let mut random = self.random.borrow_mut();
        if percent == 0 || !random.chance(percent) {
            return Ok(());
        }
        let kinds = [
            (Failure::Throttled, "ThrottlingException"),
            (Failure::Unavailable, "InternalServerError"),
            (Failure::Unreachable, "ConnectionReset"),
        ];
        let (failure, code) = kinds[random.below(kinds.len())];
        Err(CallError { permission, failure, code: code.to_owned(), message: String::new() })
    }
}
