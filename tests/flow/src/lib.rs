//! Strict fakes of what AWS documents, in simulated time.
#![allow(async_fn_in_trait, reason = "everything runs on one thread")]
