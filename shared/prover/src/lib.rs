//! Decides questions about every request at once.
//!
//! A question describes a class of requests; a stack of service control policies stops all of
//! them, or lets one through. [`Prover::decide`] answers with a proof, a replayed witness, or
//! the reasons why neither could be had.

pub mod applicable;
pub mod budget;
pub mod decide;
mod encode;
pub mod language;
mod literal;
mod mentions;
pub mod pattern;
pub mod question;
mod regions;
mod representatives;
mod search;
pub mod witness;

pub use decide::{DEFAULT_BUDGET, Decider, Obstacle, Prover, Verdict};
pub use witness::Witness;
