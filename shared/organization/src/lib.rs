//! An organization as a snapshot shows it: root, units, accounts, policies, attachments, gaps.
//!
//! [`read()`] turns the text of a snapshot into an [`Organization`] or says, with places, why it
//! cannot. From there on every parent exists, ids are unique and the tree has no loop.
//!
//! ```
//! let text = r#"{
//!   "schemaVersion": 1,
//!   "partition": "aws",
//!   "organization": {"id": "o-exampleorgid", "managementAccountId": "111111111111", "featureSet": "ALL"},
//!   "root": {"id": "r-exam", "name": "Root",
//!            "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]},
//!   "organizationalUnits": [],
//!   "accounts": [{"id": "222222222222", "name": "shop", "state": "ACTIVE", "parentId": "r-exam"}],
//!   "policies": [],
//!   "attachments": []
//! }"#;
//! let organization = organization::read(text, &policy::parse::Limits::default())?;
//! let (shop, _) = organization.accounts().next().ok_or("no account")?;
//! assert_eq!(organization.org_path(shop), "o-exampleorgid/r-exam/");
//! assert_eq!(organization.levels(shop).len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod edit;
mod gap;
mod id;
mod organization;
mod policies;
mod read;
mod tree;

pub use account::AccountState;
pub use edit::{Edit, EditError, FULL_ACCESS};
pub use gap::{Breadth, Gap, Reach};
pub use id::{
    AccountId, MalformedId, OrganizationId, OwnedTargetId, ParentId, PolicyId, RootId, TargetId,
    UnitId, unused_id,
};
pub use organization::{LevelRef, Organization, UnreadableScp};
pub use policies::{AttachedScp, Document, DocumentIdx, PolicyIdx, PolicyKind, StoredPolicy};
pub use read::{digest, read, read_bytes};
pub use text::diagnostic::Refusal as SnapshotError;
pub use tree::{Account, AccountIdx, Root, TargetIdx, TargetRef, Unit};
