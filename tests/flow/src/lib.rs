//! Strict fakes of what AWS documents, in simulated time.
#![allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub mod clock;
pub mod crash;
pub mod executions;
pub mod exposing;
pub mod faults;
pub mod fetching;
pub mod flaky;
pub mod hub;
pub mod machine;
pub mod objects;
pub mod organizations;
pub mod ses;
