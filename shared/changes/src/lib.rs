//! Changes of an organization's policies: what they do to the verdicts, and which ones make failed controls pass.
//!
//! An [edit](organization::Edit) is a change in the terms of Organizations, made on an organization as a value. [`plan`]
//! reads edits from Terraform plans, CloudFormation templates and change sets, [`worlds`] goes through every way in which
//! a plan may come out, [`compare`](mod@compare) sets two checks side by side, [`diff`] says what explains a difference,
//! [`fix`] looks for the change that closes what fails, and [`render`] writes it down.
//!
//! Nothing is applied, and no file is read: texts go in, texts come out. What a plan leaves open is an error or leaves
//! verdicts undecided; it is never guessed. Values that a plan marks as sensitive are in no message.
//!
//! ```
//! use organization::{AccountId, Edit, OwnedTargetId};
//! use policy::parse::Limits;
//!
//! let snapshot = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/organization/snapshot.json"));
//! let before = organization::read(snapshot, &Limits::default())?;
//! let shop: AccountId = "555555555555".parse()?;
//! let create = Edit::Create {
//!     policy: "p-example00001".parse()?,
//!     name: "no-mail-from-shop".into(),
//!     content: r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "ses:*", "Resource": "*"}}"#.into(),
//! };
//! let attach = Edit::Attach { policy: "p-example00001".parse()?, target: OwnedTargetId::Account(shop) };
//! let after = before.edited([&create, &attach])?;
//! let on_shop = |organization: &organization::Organization| {
//!     organization.target("555555555555").map(|shop| organization.scps_on(shop).len())
//! };
//! assert_eq!(on_shop(&after), on_shop(&before).map(|before| before + 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod compare;
pub mod diff;
pub mod fix;
pub mod perimeters;
pub mod plan;
pub mod quota;
pub mod render;
pub mod worlds;
