//! The resources of a template.

use std::collections::BTreeMap;

use text::json::Value;
use text::span::Span;

use crate::plan::book::PlanSource;

pub(crate) const POLICY: &str = "AWS::Organizations::Policy";
pub(crate) const ACCOUNT: &str = "AWS::Organizations::Account";
pub(crate) const UNIT: &str = "AWS::Organizations::OrganizationalUnit";
pub(crate) const ORGANIZATION: &str = "AWS::Organizations::Organization";

pub(crate) const SCP: &str = "SERVICE_CONTROL_POLICY";

/// A resource of a template.
pub(crate) struct Resource<'v, 't> {
    pub(crate) name: &'v str,
    pub(crate) kind: &'v str,
    pub(crate) value: &'v Value<'t>,
    pub(crate) span: Span,
}

impl<'v> Resource<'v, '_> {
    pub(crate) const fn source(&self) -> PlanSource<'v> {
        PlanSource { name: self.name, span: self.span }
    }
}

/// A property of a resource; `null` counts as absent.
pub(crate) fn property<'v, 't>(resource: &Resource<'v, 't>, name: &str) -> Option<&'v Value<'t>> {
    resource.value.get("Properties").and_then(|properties| properties.get_set(name))
}

/// The logical ids of a template's resources with their types, for references.
pub(crate) fn index<'v, 't>(template: &'v Value<'t>) -> BTreeMap<&'v str, &'v Value<'t>> {
    template.get("Resources").into_iter().flat_map(Value::entries).collect()
}
