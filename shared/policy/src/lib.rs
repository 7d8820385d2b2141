//! The policy language of IAM, as service control policies and resource-based policies use it.

pub mod arn;
pub mod condition;
pub mod diagnostic;
pub mod evaluate;
pub mod glob;
pub mod json;
pub mod keys;
pub mod model;
pub mod parse;
pub mod principal;
pub mod print;
pub mod refusal;
pub mod request;
pub mod span;
pub mod value;
pub mod words;
