//! The decision procedure against the plain evaluator; see `bodies/decide.rs`.
#![no_main]

#[path = "../bodies/decide.rs"]
mod decide;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decide::run(bytes));
