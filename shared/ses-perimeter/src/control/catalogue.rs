//! One entry for each control: all that is said about it, whatever the verdict.
//!
//! # Source
//! The guidance's considerations; `docs/semantics.md`, clauses 20 to 39, and `docs/exposure.md`,
//! clauses 60 to 68.

use super::ControlId;
use super::texts;
use crate::perimeter::Severity;

/// What decides a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecidedBy {
    /// The service control policies on an account's path.
    Policies,
    /// What is set up in the account.
    Setup,
}

/// What a request on one line names beside the call, since the control is about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adds {
    /// Nothing.
    Nothing,
    /// The resource.
    Resource,
    /// The network that it comes from.
    Network,
}

/// What a control is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// A name of few words.
    pub title: &'static str,
    /// What must not get through, in a few words that follow "can".
    pub summary: &'static str,
    /// What decides it.
    pub decided_by: DecidedBy,
    /// Whether it is about mail to untrusted recipients.
    pub about_mail: bool,
    /// The interface, in words that follow the action, where the action does not tell it.
    pub interface: &'static str,
    /// What a request on one line names beside the call.
    pub adds: Adds,
    /// How grave a failure is, unless the perimeter says otherwise.
    pub severity: Severity,
    /// What to do about a failure; sentences with stops.
    pub remediation: &'static str,
    /// Where AWS describes it.
    pub link: &'static str,
    /// What it serves.
    pub requirements: &'static [&'static str],
}

/// What most controls have in common; a row tells the rest.
const USUAL: Entry = Entry {
    title: "",
    summary: "",
    decided_by: DecidedBy::Policies,
    about_mail: false,
    interface: "",
    adds: Adds::Nothing,
    severity: Severity::High,
    remediation: "",
    link: links::SES,
    requirements: &[],
};

impl ControlId {
    /// What the control is.
    ///
    /// | severity | controls |
    /// |---|---|
    /// | CRITICAL | 16, 24: whoever can exempt himself gets past every other control |
    /// | HIGH | 1 to 4, 6, 8, 9, 13: content leaves to anybody; 12, 14: lasting ways out for others; 19, 22, 23: such ways that are there already |
    /// | MEDIUM | 5, 7, 10, 15, 17, 18, 20, 21: a narrower channel, or a further layer |
    /// | LOW | 11: bounces reach only who has written before |
    #[must_use]
    pub const fn entry(self) -> &'static Entry {
        match self {
            Self::V1Bulk => &Entry {
                title: "v1 SendBulkTemplatedEmail",
                summary: "mail untrusted recipients through SendBulkTemplatedEmail (API v1)",
                about_mail: true,
                severity: Severity::High,
                remediation: texts::RECIPIENTS,
                requirements: &["SES data perimeter guidance, API v1: 1", AC4, SC7],
                ..USUAL
            },
            Self::V1Send => &Entry {
                title: "v1 SendEmail",
                summary: "mail untrusted recipients through SendEmail (API v1)",
                about_mail: true,
                severity: Severity::High,
                remediation: texts::RECIPIENTS,
                requirements: &["SES data perimeter guidance, API v1: 2", AC4, SC7],
                ..USUAL
            },
            Self::V1Raw => &Entry {
                title: "v1 SendRawEmail",
                summary: "mail untrusted recipients through SendRawEmail (API v1)",
                about_mail: true,
                severity: Severity::High,
                remediation: texts::RECIPIENTS,
                requirements: &["SES data perimeter guidance, API v1: 3", AC4, SC7],
                ..USUAL
            },
            Self::V1Templated => &Entry {
                title: "v1 SendTemplatedEmail",
                summary: "mail untrusted recipients through SendTemplatedEmail (API v1)",
                about_mail: true,
                severity: Severity::High,
                remediation: texts::RECIPIENTS,
                requirements: &["SES data perimeter guidance, API v1: 4", AC4, SC7],
                ..USUAL
            },
            Self::V1CustomVerification => &Entry {
                title: "v1 custom verification mail",
                summary: "send custom verification mail (API v1) without being an administrator",
                about_mail: false,
                severity: Severity::Medium,
                remediation: texts::ADMINISTRATORS,
                requirements: &["SES data perimeter guidance, API v1: 5", AC4, AC6],
                ..USUAL
            },
            Self::V2Send => &Entry {
                title: "v2 SendEmail",
                summary: "mail untrusted recipients through SendEmail (API v2)",
                about_mail: true,
                severity: Severity::High,
                remediation: texts::RECIPIENTS,
                requirements: &["SES data perimeter guidance, API v2: 1", AC4, SC7],
                ..USUAL
            },
            Self::V2CustomVerification => &Entry {
                title: "v2 custom verification mail",
                summary: "send custom verification mail (API v2) without being an administrator",
                about_mail: false,
                severity: Severity::Medium,
                remediation: texts::ADMINISTRATORS,
                requirements: &["SES data perimeter guidance, API v2: 2", AC4, AC6],
                ..USUAL
            },
            Self::Smtp => &Entry {
                title: "SMTP",
                summary: "mail untrusted recipients through SMTP",
                about_mail: true,
                interface: " over SMTP",
                severity: Severity::High,
                remediation: texts::SMTP,
                requirements: &[AC4, SC7],
                ..USUAL
            },
            Self::V2Bulk => &Entry {
                title: "v2 SendBulkEmail",
                summary: "mail untrusted recipients through SendBulkEmail (API v2)",
                about_mail: true,
                severity: Severity::High,
                remediation: texts::BULK,
                requirements: &[AC4, SC7],
                ..USUAL
            },
            Self::VerificationMail => &Entry {
                title: "verification mail",
                summary: "send verification mail to any address without being an administrator",
                about_mail: false,
                severity: Severity::Medium,
                remediation: texts::ADMINISTRATORS,
                requirements: &[AC4, AC6],
                ..USUAL
            },
            Self::Bounce => &Entry {
                title: "SendBounce",
                summary: "send bounces without being an administrator",
                about_mail: false,
                severity: Severity::Low,
                remediation: texts::ADMINISTRATORS,
                requirements: &[AC4, AC6],
                ..USUAL
            },
            Self::MailManager => &Entry {
                title: "Mail Manager",
                summary: "set up Mail Manager relays and rules without being an administrator",
                about_mail: false,
                severity: Severity::High,
                remediation: texts::ADMINISTRATORS,
                link: links::MAIL_MANAGER,
                requirements: &[AC4, AC6],
                ..USUAL
            },
            Self::PinpointEmail => &Entry {
                title: "Pinpoint Email API",
                summary: "mail untrusted recipients through the Pinpoint Email API",
                about_mail: true,
                interface: " of the Pinpoint Email API",
                severity: Severity::High,
                remediation: texts::PINPOINT,
                requirements: &[AC4, SC7],
                ..USUAL
            },
            Self::SendingAuthorization => &Entry {
                title: "sending authorization",
                summary: "let outsiders send from its identities without being an administrator",
                about_mail: false,
                severity: Severity::High,
                remediation: texts::ADMINISTRATORS,
                link: links::AUTHORIZATION,
                requirements: &[AC3, AC6],
                ..USUAL
            },
            Self::Feedback => &Entry {
                title: "feedback address",
                summary: "send mail whose bounces go to an untrusted address",
                about_mail: false,
                severity: Severity::Medium,
                remediation: texts::FEEDBACK,
                requirements: &[AC4, SC7],
                ..USUAL
            },
            Self::ExemptionTags => &Entry {
                title: "exemption tags",
                summary: "give itself a tag that exempts from the perimeter",
                about_mail: false,
                adds: Adds::Resource,
                severity: Severity::Critical,
                remediation: texts::EXEMPTION,
                link: links::TAGS,
                requirements: &[AC6],
                ..USUAL
            },
            Self::ForeignResources => &Entry {
                title: "foreign resources",
                summary: "use SES resources of other organizations",
                about_mail: false,
                adds: Adds::Resource,
                severity: Severity::Medium,
                remediation: texts::FOREIGN,
                link: links::PERIMETER,
                requirements: &[AC3, AC4],
                ..USUAL
            },
            Self::Networks => &Entry {
                title: "unexpected networks",
                summary: "call SES from unexpected networks",
                about_mail: false,
                adds: Adds::Network,
                severity: Severity::Medium,
                remediation: texts::NETWORK,
                link: links::PERIMETER,
                requirements: &[AC4, SC7],
                ..USUAL
            },
            Self::IdentityPolicies => &Entry {
                title: "identity policies",
                summary: "have outsiders send from its identities, as its identity policies allow",
                decided_by: DecidedBy::Setup,
                about_mail: false,
                severity: Severity::High,
                remediation: texts::IDENTITY_POLICY,
                link: links::AUTHORIZATION,
                requirements: &[AC3, AC4],
                ..USUAL
            },
            Self::EndpointPrincipals => &Entry {
                title: "principals at VPC endpoints",
                summary: "have outsiders come in through its VPC endpoints for SES",
                decided_by: DecidedBy::Setup,
                about_mail: false,
                severity: Severity::Medium,
                remediation: texts::ENDPOINT_PRINCIPALS,
                link: links::ENDPOINT,
                requirements: &[AC3, SC7],
                ..USUAL
            },
            Self::EndpointResources => &Entry {
                title: "resources at VPC endpoints",
                summary: "reach SES resources of other organizations through its VPC endpoints",
                decided_by: DecidedBy::Setup,
                about_mail: false,
                severity: Severity::Medium,
                remediation: texts::ENDPOINT_RESOURCES,
                link: links::ENDPOINT,
                requirements: &[AC4, SC7],
                ..USUAL
            },
            Self::MailManagerHosts => &Entry {
                title: "Mail Manager hosts",
                summary: "send to untrusted hosts or recipients through its Mail Manager",
                decided_by: DecidedBy::Setup,
                about_mail: false,
                severity: Severity::High,
                remediation: texts::MAIL_MANAGER_HOSTS,
                link: links::MAIL_MANAGER,
                requirements: &[AC4, SC7],
                ..USUAL
            },
            Self::ManagementAccount => &Entry {
                title: "management account",
                summary: "send mail as the management account, which no SCP binds",
                decided_by: DecidedBy::Setup,
                about_mail: false,
                severity: Severity::High,
                remediation: texts::MANAGEMENT_ACCOUNT,
                link: links::MANAGEMENT,
                requirements: &[AC4, AC6],
                ..USUAL
            },
            Self::ExemptPrincipals => &Entry {
                title: "exempt principals",
                summary: "make or take over a principal that the perimeter spares by its ARN",
                about_mail: false,
                adds: Adds::Resource,
                severity: Severity::Critical,
                remediation: texts::PRINCIPAL,
                link: links::PERIMETER,
                requirements: &[AC6],
                ..USUAL
            },
        }
    }

    /// Whether it is decided by what is set up in an account, rather than by service control
    /// policies.
    #[must_use]
    pub const fn is_about_exposure(self) -> bool {
        match self.entry().decided_by {
            DecidedBy::Policies => false,
            DecidedBy::Setup => true,
        }
    }

    /// What must not get through, in a few words that follow "can".
    #[must_use]
    pub const fn summary(self) -> &'static str {
        self.entry().summary
    }

    /// A name of few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.entry().title
    }
}

const AC3: &str = "NIST.800-53.r5 AC-3";
const AC4: &str = "NIST.800-53.r5 AC-4";
const AC6: &str = "NIST.800-53.r5 AC-6";
const SC7: &str = "NIST.800-53.r5 SC-7";

/// AWS's page about data perimeters, which the controls are for.
pub const GUIDANCE: &str = links::PERIMETER;

mod links {
    pub(super) const SES: &str =
        "https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html";
    pub(super) const TAGS: &str =
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html";
    pub(super) const PERIMETER: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/\
                                        access_policies_data-perimeters.html";
    pub(super) const AUTHORIZATION: &str =
        "https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html";
    pub(super) const MAIL_MANAGER: &str = "https://docs.aws.amazon.com/ses/latest/dg/eb.html";
    pub(super) const ENDPOINT: &str =
        "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html";
    pub(super) const MANAGEMENT: &str = "https://docs.aws.amazon.com/organizations/latest/\
                                         userguide/orgs_best-practices_mgmt-acct.html";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_control_has_a_title_and_a_summary_of_its_own() {
        let titles: BTreeSet<&str> = ControlId::all().map(ControlId::title).collect();
        let summaries: BTreeSet<&str> = ControlId::all().map(ControlId::summary).collect();
        assert_eq!(titles.len(), ControlId::ALL.len());
        assert_eq!(summaries.len(), ControlId::ALL.len());
    }
}
