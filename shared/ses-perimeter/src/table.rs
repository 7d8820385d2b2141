//! The action table: which SES operations there are, as which IAM actions they are checked,
//! and which resource types and condition keys those carry.
//!
//! The facts are in `data/ses-actions.json`; the build makes the statics, and
//! `tests/facts_checks` holds them to each other.

pub use policy::keys::KeyKind;

use crate::facts::Date;

include!(concat!(env!("OUT_DIR"), "/ses_actions.rs"));

/// An interface through which a request arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// SES API version 1.
    V1,
    /// SES API version 2.
    V2,
    /// SES Mail Manager.
    MailManager,
    /// The Amazon Pinpoint Email API, the forerunner of version 2.
    PinpointEmail,
    /// The SMTP interface.
    Smtp,
    /// Identity and Access Management.
    Iam,
    /// The Security Token Service.
    Sts,
}

/// One IAM action.
#[derive(Debug)]
pub struct ActionInfo {
    /// The name with its prefix, such as `ses:SendEmail`.
    pub name: &'static str,
    /// The interfaces for which the service authorization reference lists it.
    pub apis: &'static [Api],
    /// What it carries through an interface without an entry of its own.
    pub base: Requirements,
    /// What it carries where an interface differs, complete in itself.
    pub per_api: &'static [(Api, Requirements)],
    /// Whether a call that succeeds makes SES send mail.
    pub sends_mail: bool,
    /// Whether no operation bears its name: it exists for policies alone.
    pub permission_only: bool,
}

/// The resources and condition keys of an action.
#[derive(Debug)]
pub struct Requirements {
    /// Resource types that a statement may name, such as `identity`; none means `*` alone.
    pub resource_types: &'static [&'static str],
    /// Those of them that every request has.
    pub required_resource_types: &'static [&'static str],
    /// Condition keys that a request may carry, such as `ses:ApiVersion` or
    /// `aws:ResourceTag/${TagKey}`.
    pub condition_keys: &'static [&'static str],
}

/// One operation of an interface.
#[derive(Debug)]
pub struct OperationInfo {
    /// The interface it belongs to.
    pub api: Api,
    /// Its name, such as `SendEmail`.
    pub operation: &'static str,
    /// The actions it can be checked as, with their prefix.
    pub actions: &'static [&'static str],
    /// Whether the data perimeter guidance reviewed it.
    pub reviewed: bool,
}

/// A condition key of a service.
#[derive(Debug)]
pub struct ServiceKey {
    /// The key as the reference spells it; `${TagKey}` stands for any tag key.
    pub name: &'static str,
    /// The type of its values.
    pub kind: KeyKind,
    /// Whether a request carries a set of values.
    pub multivalued: bool,
    /// All values it can have, where the documents name them; else empty.
    pub values: &'static [&'static str],
}

/// A kind of resource.
#[derive(Debug)]
pub struct ResourceType {
    /// Its name in the reference, such as `identity`.
    pub name: &'static str,
    /// The service part of its ARN: `ses` or `iam` (the latter without a region).
    pub service: &'static str,
    /// The sixth part of its ARN, such as `template/${TemplateName}`.
    pub tail: &'static str,
    /// Whether the account part is `aws` and not an account.
    pub owner_is_aws: bool,
}

impl ActionInfo {
    /// What the action carries in a request through `api`.
    #[must_use]
    pub fn requirements(&self, api: Api) -> &Requirements {
        self.per_api.iter().find(|(own, _)| *own == api).map_or(&self.base, |(_, needs)| needs)
    }
}

/// The action of that name (with its prefix, in any case), if the table has it.
#[must_use]
pub fn action(name: &str) -> Option<&'static ActionInfo> {
    fn folded(name: &str) -> impl Iterator<Item = u8> {
        name.bytes().map(|byte| byte.to_ascii_lowercase())
    }
    // The build keeps the names sorted without regard to case.
    ACTIONS
        .binary_search_by(|action| folded(action.name).cmp(folded(name)))
        .ok()
        .and_then(|at| ACTIONS.get(at))
}

/// All actions, sorted by name without regard to case.
#[must_use]
pub fn actions() -> &'static [ActionInfo] {
    ACTIONS
}

/// All operations, interface by interface, sorted by name within each.
#[must_use]
pub fn operations() -> &'static [OperationInfo] {
    OPERATIONS
}

/// The service condition keys, sorted by name without regard to case; global keys are not
/// among them.
#[must_use]
pub fn service_keys() -> &'static [ServiceKey] {
    SERVICE_KEYS
}

/// The service condition key of that name, in any case; of a family any tag key may follow.
#[must_use]
pub fn service_key(name: &str) -> Option<&'static ServiceKey> {
    SERVICE_KEYS.iter().find(|key| match key.name.split_once("${") {
        Some((start, _)) => {
            name.len() > start.len()
                && name.get(..start.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(start))
        }
        None => key.name.eq_ignore_ascii_case(name),
    })
}

/// The condition keys that a request for `action` through `api` may carry: what the action lists
/// and, where one operation is checked as several actions, what the operation's own action lists.
pub fn condition_keys(action: &str, api: Api) -> impl Iterator<Item = &'static str> {
    let of = |action: &ActionInfo, api| action.requirements(api).condition_keys.iter().copied();
    let own = self::action(action).map(|info| of(info, api));
    // SMTP stands behind the same operation as raw content of version 2.
    let through = match api {
        Api::V2 | Api::Smtp => Some(Api::V2),
        Api::V1 | Api::MailManager | Api::PinpointEmail | Api::Iam | Api::Sts => None,
    };
    let operations = OPERATIONS.iter().filter(move |operation| {
        Some(operation.api) == through
            && operation.actions.len() > 1
            && operation.actions.iter().any(|named| named.eq_ignore_ascii_case(action))
    });
    let operation = operations
        .filter_map(|operation| self::action(&format!("ses:{}", operation.operation)))
        .flat_map(move |info| of(info, Api::V2));
    own.into_iter().flatten().chain(operation)
}

/// The resource type of that name, if the table has it.
#[must_use]
pub fn resource_type(name: &str) -> Option<&'static ResourceType> {
    RESOURCE_TYPES.iter().find(|kind| kind.name == name)
}

/// The day up to which operations and actions were read.
#[must_use]
pub const fn date() -> &'static str {
    DATE.text
}
