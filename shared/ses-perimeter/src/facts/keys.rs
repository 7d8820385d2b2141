//! Condition keys that are no service's own: the global ones, and those that a session carries
//! into other services. The keys of SES, IAM and STS are in [`crate::table`].

use policy::glob;
use policy::keys::{self, KeyInfo, KeyKind};

use super::date::Date;

include!(concat!(env!("OUT_DIR"), "/condition_keys.rs"));

/// In which requests a key occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// In every one.
    Always,
    /// It can be present, with any value of its type, and absent.
    Free,
    /// AWS documents that no such request carries it.
    Never,
    /// Nobody knows.
    Open,
    /// Where the action lists it.
    Listed,
}

/// An occurrence under each setting of `undocumented`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// What AWS documents.
    pub documented: Occurrence,
    /// The worst that its silence leaves room for.
    pub worst_case: Occurrence,
}

/// The way by which a request reaches AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Through a public endpoint.
    Internet,
    /// Through a VPC endpoint.
    Endpoint,
}

/// One key, or the family `name*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFact {
    /// The name as AWS spells it; of a family the part before the tag key, slash included.
    pub name: &'static str,
    /// The type of its values.
    pub kind: KeyKind,
    /// Whether a request carries a set of values.
    pub multivalued: bool,
    /// Whether any tag key may follow.
    pub family: bool,
    /// Where it occurs in requests to SES.
    pub ses: Settled,
    /// Where it occurs in requests to IAM.
    pub iam: Settled,
    /// Where it occurs in requests to STS.
    pub sts: Settled,
    /// Whether only temporary, forwarded or service-made sessions have it, so that no SMTP
    /// request carries it.
    pub session: bool,
    /// The only side on which it occurs; the occurrences are about requests from there.
    pub network: Option<Side>,
}

impl KeyFact {
    /// What the evaluation needs to know of it.
    #[must_use]
    pub const fn info(&self) -> KeyInfo {
        let Self { name, kind, multivalued, family, .. } = *self;
        KeyInfo { name, kind, multivalued, family }
    }

    /// Where it occurs in requests for `action`, which has its prefix.
    #[must_use]
    pub fn of_action(&self, action: &str) -> Settled {
        match action.split_once(':') {
            Some(("iam", _)) => self.iam,
            Some(("sts", _)) => self.sts,
            Some(_) | None => self.ses,
        }
    }
}

/// A web identity provider: a session that it vouched for carries `PREFIX:CLAIM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// The prefix; `${...}` stands for what differs.
    pub prefix: &'static str,
    pattern: &'static str,
}

/// What follows the prefix of an identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub name: &'static str,
    /// The type of its values.
    pub kind: KeyKind,
    /// Whether a request carries a set of values.
    pub multivalued: bool,
    /// Whether a session keeps it after its role was assumed.
    pub session: Occurrence,
}

/// The key of that name, in any case; of a family any tag key may follow.
#[must_use]
pub fn key(name: &str) -> Option<&'static KeyFact> {
    keys::find(SINGLE, FAMILIES, name, |fact| fact.name)
}

/// All keys.
pub fn keys() -> impl Iterator<Item = &'static KeyFact> {
    SINGLE.iter().chain(FAMILIES)
}

/// The identity provider with that prefix, if it is a known one. Whatever has a dot before its
/// colon is a key of some provider.
#[must_use]
pub fn provider(prefix: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| glob::matches_ignoring_case(provider.pattern, prefix))
}

/// The claim of that name, in any case, if it is a known one.
#[must_use]
pub fn claim(name: &str) -> Option<&'static Claim> {
    CLAIMS.iter().find(|claim| claim.name.eq_ignore_ascii_case(name))
}

/// The day up to which the list was read.
#[must_use]
pub const fn date() -> &'static str {
    DATE.text
}
