//! Decides questions about every request at once.
//!
//! A [question](question::Question) describes a class of requests; a stack of service control policies stops all of
//! them, or lets one through. [`Prover::decide`] answers with a proof, a witness that the plain evaluator of [`policy`] has
//! permitted, or the reasons why neither could be had. A budget counts steps, not time, so that an answer is the same on
//! every machine; a spent budget is no proof.
//!
//! It knows nothing of SES, accounts or organizations. What requests can be is what the question says of every key, so a
//! proof is as good as the question.
//!
//! ```
//! use policy::evaluate::Stack;
//! use policy::keys::KeyCatalog;
//! use policy::parse::{Limits, parse};
//! use prover::applicable::Applicable;
//! use prover::language::Sequence;
//! use prover::question::{
//!     KeyModel, KeyModels, Presence, PrincipalKind, Question, ResourceModel, TextDomain,
//! };
//! use prover::{DEFAULT_BUDGET, Prover, Verdict};
//!
//! /// `ses:ApiVersion` is in every request, with either value, and no other key is.
//! struct Version;
//!
//! impl KeyModels for Version {
//!     fn key(&self, folded: &str) -> KeyModel {
//!         match folded {
//!             "ses:apiversion" => KeyModel::Choice {
//!                 values: vec!["1".into(), "2".into()],
//!                 presence: Presence::Always,
//!             },
//!             _ => KeyModel::Absent,
//!         }
//!     }
//!
//!     fn spelling(&self, key: &str) -> String {
//!         key.into()
//!     }
//! }
//!
//! let allow = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
//! let allow = parse(allow, &Limits::default())?;
//! let decide = |versions: &str| -> Result<Verdict, policy::parse::UnreadablePolicy> {
//!     let deny = format!(
//!         r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Deny", "Action": "ses:*", "Resource": "*",
//!             "Condition": {{"StringEquals": {{"ses:ApiVersion": {versions}}}}}}}}}"#
//!     );
//!     let deny = parse(&deny, &Limits::default())?;
//!     let stack = Stack { levels: vec![vec![&allow.policy, &deny.policy]] };
//!     let question = Question {
//!         action: "ses:SendEmail",
//!         principal: TextDomain::only("arn:aws:iam::111111111111:user/app"),
//!         kinds: &[PrincipalKind { name: "User".into(), arns: vec![Sequence::literal("arn:aws:iam::111111111111:user/app")] }],
//!         regions: &["us-east-1"],
//!         other_regions: None,
//!         resources: &[ResourceModel::Star],
//!         keys: &Version,
//!         present: &["ses:ApiVersion".to_owned()],
//!         moment: 1_795_392_000,
//!         earliest: 1_795_392_000,
//!     };
//!     let applicable = Applicable::of(&stack, question.action);
//!     Ok(Prover::new(KeyCatalog::new([]), DEFAULT_BUDGET).decide(&stack, &applicable, &question))
//! };
//! assert!(matches!(decide(r#"["1", "2"]"#)?, Verdict::Proved { .. }));
//! assert!(matches!(decide(r#""1""#)?, Verdict::Refuted(_)));
//! # Ok::<(), policy::parse::UnreadablePolicy>(())
//! ```

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
