//! What findings say about each control, whatever the verdict.

use std::collections::BTreeMap;

use organization::AccountIdx;
use ses_perimeter::check::{Report, Row, Status};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::{Perimeter, Severity};
use ses_perimeter::severity::Level;

const SES: &str = "https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html";
const SCP: &str =
    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html";
const TAGS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html";
const PERIMETER: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html";
const AUTHORIZATION: &str = "https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html";
const MAIL_MANAGER: &str = "https://docs.aws.amazon.com/ses/latest/dg/eb.html";

const ENDPOINT: &str =
    "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html";
const MANAGEMENT: &str = "https://docs.aws.amazon.com/organizations/latest/userguide/\
                          orgs_best-practices_mgmt-acct.html";

/// What a control's findings have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlNotes {
    /// How grave a failure is, unless the perimeter says otherwise.
    pub severity: Severity,
    /// What to do about a failure; sentences with stops.
    pub remediation: &'static str,
    /// Where AWS describes it.
    pub url: &'static str,
    /// What the control serves.
    pub requirements: &'static [&'static str],
}

/// What the findings of `control` have in common.
///
/// | severity | controls |
/// |---|---|
/// | CRITICAL | 16: whoever can exempt himself gets past every other control |
/// | HIGH | 1 to 4, 6, 8, 9, 13: content leaves to anybody; 12, 14: lasting ways out for others; 19, 22, 23: such ways that are there already |
/// | MEDIUM | 5, 7, 10, 15, 17, 18, 20, 21: a narrower channel, or a further layer |
/// | LOW | 11: bounces reach only who has written before |
#[must_use]
pub const fn notes(control: ControlId) -> ControlNotes {
    use Severity::{Critical, High, Low, Medium};
    match control.number() {
        1 => note(High, RECIPIENTS, SES, &["SES data perimeter guidance, API v1: 1", AC4, SC7]),
        2 => note(High, RECIPIENTS, SES, &["SES data perimeter guidance, API v1: 2", AC4, SC7]),
        3 => note(High, RECIPIENTS, SES, &["SES data perimeter guidance, API v1: 3", AC4, SC7]),
        4 => note(High, RECIPIENTS, SES, &["SES data perimeter guidance, API v1: 4", AC4, SC7]),
        5 => {
            note(Medium, ADMINISTRATORS, SES, &["SES data perimeter guidance, API v1: 5", AC4, AC6])
        }
        6 => note(High, RECIPIENTS, SES, &["SES data perimeter guidance, API v2: 1", AC4, SC7]),
        7 => {
            note(Medium, ADMINISTRATORS, SES, &["SES data perimeter guidance, API v2: 2", AC4, AC6])
        }
        8 => note(High, SMTP, SES, &[AC4, SC7]),
        9 => note(High, BULK, SES, &[AC4, SC7]),
        10 => note(Medium, ADMINISTRATORS, SES, &[AC4, AC6]),
        11 => note(Low, ADMINISTRATORS, SES, &[AC4, AC6]),
        12 => note(High, ADMINISTRATORS, MAIL_MANAGER, &[AC4, AC6]),
        13 => note(High, PINPOINT, SES, &[AC4, SC7]),
        14 => note(High, ADMINISTRATORS, AUTHORIZATION, &[AC3, AC6]),
        15 => note(Medium, FEEDBACK, SES, &[AC4, SC7]),
        16 => note(Critical, EXEMPTION, TAGS, &[AC6]),
        17 => note(Medium, FOREIGN, PERIMETER, &[AC3, AC4]),
        18 => note(Medium, NETWORK, PERIMETER, &[AC4, SC7]),
        19 => note(High, IDENTITY_POLICY, AUTHORIZATION, &[AC3, AC4]),
        20 => note(Medium, ENDPOINT_PRINCIPALS, ENDPOINT, &[AC3, SC7]),
        21 => note(Medium, ENDPOINT_RESOURCES, ENDPOINT, &[AC4, SC7]),
        22 => note(High, MAIL_MANAGER_HOSTS, MAIL_MANAGER, &[AC4, SC7]),
        23 => note(High, MANAGEMENT_ACCOUNT, MANAGEMENT, &[AC4, AC6]),
        // `ControlId` goes no further.
        _ => note(Medium, RECIPIENTS, SCP, &[AC4]),
    }
}

/// How grave a failure of a control is, wherever it fails: what the perimeter says, else what we
/// say.
#[must_use]
pub fn severity(perimeter: &Perimeter, control: ControlId) -> Severity {
    perimeter.severity.get(&control.number()).copied().unwrap_or(notes(control).severity)
}

/// Accounts in which SES is in use alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfLevel {
    /// How far.
    pub level: Level,
    /// The accounts, in the order of the report.
    pub accounts: Vec<AccountIdx>,
    /// The rule that the gravest failure of the first that has one is graded by.
    pub rule: Option<String>,
}

/// The accounts of a report by level, the one where mail flows first but for the unknown ones;
/// nothing where nobody looked.
#[must_use]
pub fn levels(perimeter: &Perimeter, report: &Report) -> Vec<OfLevel> {
    let mut by_level: BTreeMap<Level, Vec<&Row>> = BTreeMap::new();
    for row in &report.rows {
        if let Some(found) = &row.found {
            by_level.entry(found.standing.level).or_default().push(row);
        }
    }
    let all = by_level.into_iter().rev().map(|(level, rows)| OfLevel {
        level,
        accounts: rows.iter().map(|row| row.account).collect(),
        rule: rows.into_iter().find_map(|row| severity_rule(perimeter, row)),
    });
    all.collect()
}

/// The rule that the gravest failure of an account's service control policies is graded by; none
/// where nothing fails, or nobody looked how far SES is in use in the account.
fn severity_rule(perimeter: &Perimeter, row: &Row) -> Option<String> {
    let failed = row.cells.iter().filter(|cell| cell.status == Status::Failed);
    let own = failed.map(|cell| severity(perimeter, cell.control)).max()?;
    let standing = &row.found.as_ref()?.standing;
    Some(perimeter.exposure.severity.grade(own, standing).sentence)
}

const AC3: &str = "NIST.800-53.r5 AC-3";
const AC4: &str = "NIST.800-53.r5 AC-4";
const AC6: &str = "NIST.800-53.r5 AC-6";
const SC7: &str = "NIST.800-53.r5 SC-7";

const fn note(
    severity: Severity,
    remediation: &'static str,
    url: &'static str,
    requirements: &'static [&'static str],
) -> ControlNotes {
    ControlNotes { severity, remediation, url, requirements }
}

const RECIPIENTS: &str = "Attach an SCP on the account's path that denies this action unless every \
recipient is trusted: condition ForAnyValue:StringNotLike on ses:Recipients with the trusted \
patterns, without a condition that this request escapes. `ses-perimeter explain` shows the \
statement that came near and where it parts from the request.";
const SMTP: &str = "Mail over SMTP is authorized as ses:SendRawEmail with ses:ApiVersion 2. Attach \
an SCP on the account's path that denies ses:SendRawEmail to recipients who are not trusted \
(ForAnyValue:StringNotLike on ses:Recipients), whatever ses:ApiVersion is. `ses-perimeter explain` \
shows the statement that came near and where it parts from the request.";
const BULK: &str = "ses:SendBulkEmail of the API v2 carries no ses:Recipients, so no condition on \
recipients can stop it. Attach an SCP on the account's path that denies the action outright, or to \
everybody but exempt principals.";
const PINPOINT: &str = "The Pinpoint Email API is authorized as ses:SendEmail as well. Attach an \
SCP on the account's path that denies ses:SendEmail to recipients who are not trusted, whatever \
ses:ApiVersion is.";
const ADMINISTRATORS: &str = "Attach an SCP on the account's path that denies this action to \
everybody but the administrators that the perimeter names, with a condition such as ArnNotLike on \
aws:PrincipalArn. `ses-perimeter explain` shows the statement that came near and where it parts \
from the request.";
const FEEDBACK: &str = "Attach an SCP on the account's path that denies sending while \
ses:FeedbackAddress is present and matches no trusted pattern: StringNotLike together with Null \
false, since the key may be absent.";
const EXEMPTION: &str = "Attach an SCP on the account's path that denies setting the tag keys on \
which exemptions rely (aws:RequestTag and aws:TagKeys in any letter case, for iam:Tag*, \
iam:CreateRole, iam:CreateUser and sts:TagSession) to everybody but administrators.";
const FOREIGN: &str = "Attach the resource perimeter's baseline on the account's path: deny SES \
actions on resources whose aws:ResourceOrgID is not this organization's \
(StringNotEqualsIfExists).";
const NETWORK: &str = "Attach the network perimeter on the account's path: deny SES actions unless \
they come from the trusted addresses, VPCs or VPC endpoints of this organization, or from an AWS \
service on a principal's behalf.";
const IDENTITY_POLICY: &str = "Remove the identity's sending authorization policy, or bind its \
statements to this organization with a condition StringEquals on aws:PrincipalOrgID; bind \
services with aws:SourceOrgID or aws:SourceAccount. Resource control policies do not cover SES, so \
nothing else stops a principal of another organization.";
const ENDPOINT_PRINCIPALS: &str = "Give the VPC endpoint a policy that allows only principals of \
this organization: a condition StringEquals on aws:PrincipalOrgID in every Allow statement. The \
default policy admits everybody.";
const ENDPOINT_RESOURCES: &str = "Give the VPC endpoint a policy that allows only resources of this \
organization: a condition StringEquals on aws:ResourceOrgID in every Allow statement. The default \
policy admits every resource.";
const MAIL_MANAGER_HOSTS: &str = "Point the relay to a host of a trusted domain or delete it, or \
name the host in the perimeter under [exposure] trusted_hosts. Let a rule replace the recipients by \
trusted ones before it sends.";
const MANAGEMENT_ACCOUNT: &str = "Move what sends mail out of the management account into a member \
account, where service control policies bind it, and delete its identities, relays and endpoints.";
