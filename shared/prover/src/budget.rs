//! The budget of a decision, in steps.

/// What a decision may still spend. A step is a constant amount of work, so the same question
/// ends in the same place on every machine.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    left: u64,
}

/// The budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

impl Budget {
    /// A budget of `steps`.
    #[must_use]
    pub const fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    /// Takes `steps` off.
    ///
    /// # Errors
    /// [`Exhausted`] when fewer are left.
    pub fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Exhausted)
            }
        }
    }

    /// The steps that are left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }
}
