//! What a verdict becomes for others.

pub mod results;
