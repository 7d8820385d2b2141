//! The resources of a plan, and what is done to each.

use text::diagnostic::Diagnostic;
use text::json::Value;
use text::span::Span;
use text::words::quote;

use super::address::Address;
use crate::plan::book::PlanSource;

pub(super) const POLICY: &str = "aws_organizations_policy";
pub(super) const ATTACHMENT: &str = "aws_organizations_policy_attachment";
pub(super) const ACCOUNT: &str = "aws_organizations_account";
pub(super) const UNIT: &str = "aws_organizations_organizational_unit";
pub(super) const ORGANIZATION: &str = "aws_organizations_organization";

pub(super) const SCP: &str = "SERVICE_CONTROL_POLICY";

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing, or it is read.
    Nothing,
    Create,
    Update,
    Delete,
    /// Deleted and created, in either order.
    Replace,
    /// It stays, and Terraform no longer knows of it.
    Forget,
    /// The old one stays and is forgotten, and another is created.
    ForgetAndCreate,
}

impl Action {
    pub(super) const fn creates(self) -> bool {
        match self {
            Self::Create | Self::Replace | Self::ForgetAndCreate => true,
            Self::Nothing | Self::Update | Self::Delete | Self::Forget => false,
        }
    }

    pub(super) const fn deletes(self) -> bool {
        match self {
            Self::Delete | Self::Replace => true,
            Self::Nothing | Self::Create | Self::Update | Self::Forget | Self::ForgetAndCreate => {
                false
            }
        }
    }
}

/// One resource of a plan.
#[derive(Debug)]
pub(super) struct Resource<'v, 't> {
    pub(super) text: &'v str,
    pub(super) address: Address,
    pub(super) action: Action,
    /// An object that was left over when its successor had been created.
    pub(super) deposed: bool,
    pub(super) change: &'v Value<'t>,
    pub(super) span: Span,
}

/// An attribute of a resource after apply.
pub(super) enum After<'v, 't> {
    Known(&'v Value<'t>),
    /// Known only after apply.
    Unknown,
    /// Not set.
    Missing,
}

impl<'v, 't> Resource<'v, 't> {
    pub(super) const fn source(&self) -> PlanSource<'v> {
        PlanSource { name: self.text, span: self.span }
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.address.kind == kind && !self.address.data
    }

    pub(super) fn before(&self, name: &str) -> Option<&'v Value<'t>> {
        self.change.get("before")?.get_set(name)
    }

    pub(super) fn before_text(&self, name: &str) -> Option<&'v str> {
        self.before(name)?.as_str()
    }

    pub(super) fn after(&self, name: &str) -> After<'v, 't> {
        let unknown = self.change.get("after_unknown");
        if unknown.is_some_and(Value::is_true)
            || unknown.and_then(|unknown| unknown.get(name)).is_some_and(anything_unknown)
        {
            return After::Unknown;
        }
        let known = self.change.get("after").and_then(|after| after.get_set(name));
        known.map_or(After::Missing, After::Known)
    }

    pub(super) fn after_text(&self, name: &str) -> Option<&'v str> {
        match self.after(name) {
            After::Known(value) => value.as_str(),
            After::Unknown | After::Missing => None,
        }
    }

    /// Whether destroying it leaves what it stands for as it is.
    pub(super) fn skips_destroy(&self) -> bool {
        self.before("skip_destroy").is_some_and(Value::is_true)
    }
}

/// `after_unknown` mirrors the shape of the attribute, with `true` where something is open.
pub(super) fn anything_unknown(value: &Value<'_>) -> bool {
    value.is_true()
        || value.elements().iter().any(anything_unknown)
        || value.entries().any(|(_, value)| anything_unknown(value))
}

pub(super) fn missing(resource: &Resource<'_, '_>, attribute: &str) -> Diagnostic {
    Diagnostic::error_at(resource.span, format!("{} has no `{attribute}`", quote(resource.text)))
        .here("this resource")
        .help("give the plan as `terraform show -json` prints it")
}
