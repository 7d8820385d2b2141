//! The policy language of IAM, as service control policies and resource-based policies use it.
//!
//! [`parse`] turns a document into the [`model`], with what is wrong and where; [`evaluate`] decides one request against
//! one stack of policies, which is the whole meaning of the language and the reference for everything that is cleverer.
//! What AWS leaves open is a reading ([`condition::Readings`]), and what this crate cannot model is an obstacle of its
//! statement, on which no verdict rests.
//!
//! It knows nothing of accounts, organizations or SES, and reads no file, clock or network. Which services a key belongs to
//! and what requests carry is the caller's to say, as a [`keys::KeyCatalog`].
//!
//! ```
//! use policy::condition::Readings;
//! use policy::evaluate::{Outcome, Stack, evaluate};
//! use policy::keys::KeyCatalog;
//! use policy::parse::{Limits, parse};
//! use policy::request::{Context, Request};
//!
//! let allow = parse(
//!     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
//!     &Limits::default(),
//! )?;
//! let deny = parse(
//!     r#"{"Version": "2012-10-17", "Statement": {
//!         "Effect": "Deny", "Action": "ses:Send*", "Resource": "*",
//!         "Condition": {"StringEquals": {"ses:ApiVersion": "1"}}
//!     }}"#,
//!     &Limits::default(),
//! )?;
//! // One level, as if both were attached to the root.
//! let stack = Stack { levels: vec![vec![&allow.policy, &deny.policy]] };
//! let catalog = KeyCatalog::new([]);
//! let outcome = |version: &str| {
//!     let mut context = Context::default();
//!     context.set("ses:ApiVersion", version);
//!     let request = Request { action: "ses:SendEmail".into(), resource: "*".into(), context };
//!     evaluate(&stack, &request, Readings::default(), &catalog).outcome
//! };
//! assert_ne!(outcome("1"), Outcome::Permitted);
//! assert_eq!(outcome("2"), Outcome::Permitted);
//! # Ok::<(), policy::parse::UnreadablePolicy>(())
//! ```

pub mod arn;
pub mod condition;
pub mod evaluate;
pub mod glob;
pub mod keys;
pub mod model;
pub mod parse;
pub mod principal;
pub mod print;
pub mod request;
pub mod value;
