//! From an organization to published findings.
//!
//! What each function does stands here, written against [`ports`]: small traits that the crate
//! `aws` implements with the SDK and the tests with fakes. Nothing here knows the SDK, the
//! environment or the wall clock.

#![allow(async_fn_in_trait, reason = "everything runs on one thread; no future needs to be Send")]

pub mod collect;
pub mod evaluate;
pub mod exposure;
pub mod fetch;
pub mod objects;
pub mod pace;
pub mod ports;
pub mod publish;
pub mod snapshot;
pub mod start;
pub mod stored;
pub mod wire;
