//! A small world of requests that can be listed completely, and a generator of stacks for it.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test may stop at the first surprise")]
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

pub mod generate;
pub mod keys;
pub mod world;

use policy::evaluate::Stack;
use policy::model::Policy;
use policy::parse::{Limits, parse};
use serde_json::Value;

/// The levels of a stack, each a list of documents, as JSON.
pub type Levels = Vec<Vec<Value>>;

/// Reads every document.
pub fn policies(levels: &[Vec<Value>]) -> Vec<Vec<Policy>> {
    let read = |document: &Value| {
        let text = serde_json::to_string(document).unwrap();
        match parse(&text, &Limits::default()) {
            Ok(parsed) => parsed.policy,
            Err(problem) => panic!("a test policy must be readable: {problem:?}\n{text}"),
        }
    };
    levels.iter().map(|level| level.iter().map(read).collect()).collect()
}

/// The stack of these policies.
pub fn stack(policies: &[Vec<Policy>]) -> Stack<'_> {
    Stack { levels: policies.iter().map(|level| level.iter().collect()).collect() }
}
