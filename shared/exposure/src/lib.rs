//! Where SES is in use in the accounts of an organization, and who else may use it.
//!
//! [`read()`] turns an exposure section into an [`Exposure`] or says, with places, why it cannot.
//! [`standing`] tells one level for an account, and [`Checker`] decides the controls SESDP.19 to SESDP.23. `docs/exposure.md`
//! defines all of them; the clauses that the code names are its clauses.
//!
//! ```
//! let text = r#"{
//!   "exposureVersion": 1,
//!   "accounts": [{
//!     "account": "222222222222",
//!     "readAt": "2026-11-23T00:00:00Z",
//!     "regions": [{"region": "us-east-1", "status": "notOptedIn"}]
//!   }]
//! }"#;
//! let exposure = exposure::read(text)?;
//! let account = exposure.accounts.first();
//! let standing = exposure::standing(account, &["us-east-1"]);
//! assert_eq!(standing.level, ses_perimeter::severity::Level::NotInUse);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod candidates;
mod control;
mod inside;
mod level;
mod model;
mod question;
mod read;
mod resource_policy;
mod rows;
mod trusted_hosts;
pub mod wire;

pub use control::{Checker, ExposureControl};
pub use inside::Inside;
pub use level::standing;
pub use model::{
    AccountExposure, Endpoint, Enforcement, Exposure, Gap, Identity, IdentityKind, IdentityPolicy,
    IngressPoint, MailManager, Part, Quota, RegionExposure, RegionFacts, RegionStatus, Relay,
    RuleAction, RuleActionKind, RuleSet, Sending,
};
pub use read::{read, read_in_snapshot};
pub use resource_policy::{Asker, NamedPolicy, PolicyAnswer, UndecidedReason, replays};
pub use rows::{Age, Finder, complete};
pub use text::diagnostic::Refusal as ExposureError;
pub use trusted_hosts::TrustedHosts;
