//! What was read about SES in the accounts of an organization.
//!
//! Every part is either there or a [`Gap`]: a part that is just missing cannot be written down.

use organization::AccountId;

/// An exposure section: account by account, in its order. No account is there twice.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposure {
    /// The accounts.
    pub accounts: Vec<AccountExposure>,
}

/// One account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountExposure {
    /// The account.
    pub account: AccountId,
    /// When it was read, as the section says: a moment in ISO 8601.
    pub read_at: String,
    /// Region by Region; none is there twice. A Region of the partition that is not there was
    /// not read.
    pub regions: Vec<RegionExposure>,
}

impl AccountExposure {
    /// An account of which nothing is known in any of `regions`, for `reason`.
    #[must_use]
    pub fn unread(account: AccountId, read_at: &str, regions: &[&str], reason: &str) -> Self {
        let failed = |region: &&str| RegionExposure {
            region: (*region).to_owned(),
            status: RegionStatus::Failed { reason: reason.to_owned() },
        };
        Self { account, read_at: read_at.to_owned(), regions: regions.iter().map(failed).collect() }
    }
}

/// One Region of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionExposure {
    /// Its name, for instance `us-east-1`.
    pub region: String,
    /// What is known about it.
    pub status: RegionStatus,
}

/// What is known about a Region.
#[derive(Debug, Clone, PartialEq)]
pub enum RegionStatus {
    /// It was read; single parts may still be gaps.
    Read(Box<RegionFacts>),
    /// The account has switched the Region off. No principal of the account can call it, but what
    /// was set up there before is still there and could not be read.
    RegionDisabled,
    /// The account never switched the Region on, so nothing is there.
    NotOptedIn,
    /// The role that reads is not in the account.
    RoleMissing,
    /// A call was denied.
    Denied {
        /// The permission, for instance `ses:GetAccount`.
        call: String,
    },
    /// Reading failed otherwise.
    Failed {
        /// Why; a sentence without a stop.
        reason: String,
    },
}

/// Something that was read, or why it was not.
#[derive(Debug, Clone, PartialEq)]
pub enum Part<T> {
    /// It was read.
    Read(T),
    /// It was not.
    Gap(Gap),
}

impl<T> Part<T> {
    /// What was read.
    pub const fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Gap(_) => None,
        }
    }

    /// Why it was not read.
    pub const fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Read(_) => None,
            Self::Gap(gap) => Some(gap),
        }
    }
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The permission of the call, for instance `ses:ListEmailIdentities`.
    pub call: String,
    /// Why it failed; a sentence without a stop.
    pub reason: String,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` failed: {}", self.call, self.reason)
    }
}

/// What a Region that was read holds.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionFacts {
    /// The account's sending (`ses:GetAccount`).
    pub sending: Part<Sending>,
    /// Delivery attempts of the last two weeks: the sum over the data points of
    /// `ses:GetSendStatistics`.
    pub sent_last_two_weeks: Part<u64>,
    /// The identities.
    pub identities: Part<Vec<Identity>>,
    /// Mail Manager.
    pub mail_manager: Part<MailManager>,
    /// VPC endpoints for SES that the account owns.
    pub endpoints: Part<Vec<Endpoint>>,
}

/// The account's sending in a Region.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// Whether sending is switched on for the account.
    pub enabled: bool,
    /// Whether the account has left the sandbox.
    pub production_access: bool,
    /// What AWS's reputation management says.
    pub enforcement: Enforcement,
    /// The quotas.
    pub quota: Quota,
}

/// AWS's enforcement status of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enforcement {
    /// `HEALTHY`.
    Healthy,
    /// `PROBATION`: under review, sending goes on.
    Probation,
    /// `SHUTDOWN`: sending is paused by AWS.
    Shutdown,
    /// A word that AWS has added since; it is not taken for a pause.
    Other(String),
}

/// Sending quotas of an account in a Region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// The most messages in 24 hours; -1 where there is no limit.
    pub max_24_hour: f64,
    /// The most messages a second.
    pub max_send_rate: f64,
    /// Messages sent in the last 24 hours.
    pub sent_last_24_hours: f64,
}

/// An identity.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The domain or address.
    pub name: String,
    /// What it is.
    pub kind: IdentityKind,
    /// Whether SES has verified it, so that mail can be sent from it.
    pub verified: bool,
    /// Its sending authorization policies.
    pub policies: Part<Vec<IdentityPolicy>>,
}

/// What an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    /// `DOMAIN`.
    Domain,
    /// `EMAIL_ADDRESS`.
    EmailAddress,
    /// `MANAGED_DOMAIN`.
    ManagedDomain,
}

/// A sending authorization policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPolicy {
    /// Its name.
    pub name: String,
    /// The policy document.
    pub text: String,
}

/// Mail Manager in a Region.
#[derive(Debug, Clone, PartialEq)]
pub enum MailManager {
    /// The Region does not have it.
    Unavailable,
    /// What is set up.
    Available {
        /// The relays.
        relays: Vec<Relay>,
        /// The rule sets.
        rule_sets: Vec<RuleSet>,
        /// The ingress points.
        ingress_points: Vec<IngressPoint>,
    },
}

/// A relay: an SMTP host that rules can hand mail to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The host.
    pub server_name: String,
    /// The TCP port.
    pub server_port: u16,
}

/// A rule set, as far as it lets mail out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The relay and send actions of its rules, in order.
    pub actions: Vec<RuleAction>,
}

/// An action that lets mail out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAction {
    /// The name of the rule.
    pub rule: String,
    /// What it does.
    pub kind: RuleActionKind,
}

/// What an action that lets mail out does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleActionKind {
    /// Hands the mail to a relay.
    Relay {
        /// The id of the relay.
        relay: String,
    },
    /// Sends the mail to the internet.
    Send {
        /// The only recipients it can go to; `None` where it goes to whomever the mail names.
        recipients: Option<Vec<String>>,
    },
}

/// An ingress point: where Mail Manager takes mail in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressPoint {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its status in AWS's word, for instance `ACTIVE`.
    pub status: String,
}

/// A VPC endpoint for SES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id, `vpce-...`.
    pub id: String,
    /// The service, for instance `com.amazonaws.us-east-1.email-smtp`.
    pub service: String,
    /// The VPC, `vpc-...`.
    pub vpc: String,
    /// Its state in AWS's word, for instance `available`.
    pub state: String,
    /// The policy document; `None` where AWS shows none, which means full access.
    pub policy: Option<String>,
}
