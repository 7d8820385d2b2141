//! What to do about a failure, for the entries of the catalogue: sentences with stops.

pub(super) const RECIPIENTS: &str = "Attach an SCP on the account's path that denies this action unless every \
recipient is trusted: condition ForAnyValue:StringNotLike on ses:Recipients with the trusted \
patterns, without a condition that this request escapes. `ses-perimeter explain` shows the \
statement that came near and where it parts from the request.";
pub(super) const SMTP: &str = "Mail over SMTP is authorized as ses:SendRawEmail with ses:ApiVersion 2. Attach \
an SCP on the account's path that denies ses:SendRawEmail to recipients who are not trusted \
(ForAnyValue:StringNotLike on ses:Recipients), whatever ses:ApiVersion is. `ses-perimeter explain` \
shows the statement that came near and where it parts from the request.";
pub(super) const BULK: &str = "ses:SendBulkEmail of the API v2 carries no ses:Recipients, so no condition on \
recipients can stop it. Attach an SCP on the account's path that denies the action outright, or to \
everybody but exempt principals.";
pub(super) const PINPOINT: &str = "The Pinpoint Email API is authorized as ses:SendEmail as well. Attach an \
SCP on the account's path that denies ses:SendEmail to recipients who are not trusted, whatever \
ses:ApiVersion is.";
pub(super) const ADMINISTRATORS: &str = "Attach an SCP on the account's path that denies this action to \
everybody but the administrators that the perimeter names, with a condition such as ArnNotLike on \
aws:PrincipalArn. `ses-perimeter explain` shows the statement that came near and where it parts \
from the request.";
pub(super) const FEEDBACK: &str = "Attach an SCP on the account's path that denies sending while \
ses:FeedbackAddress is present and matches no trusted pattern: StringNotLike together with Null \
false, since the key may be absent.";
pub(super) const EXEMPTION: &str = "Attach an SCP on the account's path that denies setting the tag keys on \
which exemptions rely (aws:RequestTag and aws:TagKeys in any letter case, for iam:Tag*, \
iam:CreateRole, iam:CreateUser and sts:TagSession) to everybody but administrators.";
pub(super) const PRINCIPAL: &str = "Attach an SCP on the account's path that denies iam:CreateRole, \
iam:UpdateAssumeRolePolicy, iam:CreateUser, iam:CreateAccessKey, iam:CreateLoginProfile and \
iam:UpdateLoginProfile on the ARNs that exemptions and administrators are selected by, to \
everybody but these principals (ArnNotLike on aws:PrincipalArn).";
pub(super) const FOREIGN: &str = "Attach the resource perimeter's baseline on the account's path: deny SES \
actions on resources whose aws:ResourceOrgID is not this organization's \
(StringNotEqualsIfExists).";
pub(super) const NETWORK: &str = "Attach the network perimeter on the account's path: deny SES actions unless \
they come from the trusted addresses, VPCs or VPC endpoints of this organization, or from an AWS \
service on a principal's behalf.";
pub(super) const IDENTITY_POLICY: &str = "Remove the identity's sending authorization policy, or bind its \
statements to this organization with a condition StringEquals on aws:PrincipalOrgID; bind \
services with aws:SourceOrgID or aws:SourceAccount. Resource control policies do not cover SES, so \
nothing else stops a principal of another organization.";
pub(super) const ENDPOINT_PRINCIPALS: &str = "Give the VPC endpoint a policy that allows only principals of \
this organization: a condition StringEquals on aws:PrincipalOrgID in every Allow statement. The \
default policy admits everybody.";
pub(super) const ENDPOINT_RESOURCES: &str = "Give the VPC endpoint a policy that allows only resources of this \
organization: a condition StringEquals on aws:ResourceOrgID in every Allow statement. The default \
policy admits every resource.";
pub(super) const MAIL_MANAGER_HOSTS: &str = "Point the relay to a host of a trusted domain or delete it, or \
name the host in the perimeter under [exposure] trusted_hosts. Let a rule replace the recipients by \
trusted ones before it sends.";
pub(super) const MANAGEMENT_ACCOUNT: &str = "Move what sends mail out of the management account into a member \
account, where service control policies bind it, and delete its identities, relays and endpoints.";
