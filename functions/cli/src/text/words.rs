//! A request in words.

use organization::Organization;
use policy::request::ContextValue;
use prover::Witness;
use ses_perimeter::control::ControlId;

use super::names::list;

/// Keys that are in every request or that the words name anyway.
const USUAL: [&str; 23] = [
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalType",
    "aws:PrincipalIsAWSService",
    "aws:userid",
    "aws:username",
    "aws:RequestedRegion",
    "aws:SecureTransport",
    "aws:ViaAWSService",
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:VpceOrgID",
    "aws:ResourceAccount",
    "aws:TagKeys",
    "ses:ApiVersion",
    "ses:Recipients",
    "ses:FeedbackAddress",
];
/// Values that are named before the rest is counted.
const VALUES: usize = 3;

/// How a send path is called.
pub fn send_path(name: &str) -> &str {
    match name {
        "v1-bulk" => "SendBulkTemplatedEmail of API v1",
        "v1-send" => "SendEmail of API v1",
        "v1-raw" => "SendRawEmail of API v1",
        "v1-templated" => "SendTemplatedEmail of API v1",
        "v1-custom-verification" => "SendCustomVerificationEmail of API v1",
        "v1-verify" => "identity verification of API v1",
        "v1-bounce" => "SendBounce of API v1",
        "v2-simple" => "SendEmail of API v2 with a simple message",
        "v2-raw" => "SendEmail of API v2 with a raw message",
        "v2-template" => "SendEmail of API v2 with a template",
        "v2-bulk" => "SendBulkEmail of API v2",
        "v2-custom-verification" => "SendCustomVerificationEmail of API v2",
        "v2-identity" => "CreateEmailIdentity of API v2",
        "smtp" => "SMTP",
        "mail-manager" => "Mail Manager",
        "pinpoint-email-send" => "SendEmail of the Pinpoint Email API",
        "sending-authorization" => "sending authorization",
        "feedback" => "mail with a feedback address",
        "exemption-tag" => "tagging a principal",
        "foreign-resource" => "a resource of another organization",
        "network" => "a call from an unexpected network",
        other => other,
    }
}

/// The principal without the part that all ARNs of its account share.
pub fn principal(witness: &Witness) -> &str {
    let arn = witness.principal_arn();
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

fn values(value: &ContextValue) -> String {
    let texts = match value {
        ContextValue::One(text) => std::slice::from_ref(text),
        ContextValue::Many(texts) => texts.as_slice(),
    };
    let mut shown: Vec<String> = texts.iter().take(VALUES).cloned().collect();
    if texts.len() > VALUES {
        shown.push(format!("{} more", texts.len() - VALUES));
    }
    list(&shown)
}

/// Whether the control is about mail that has recipients.
const fn about_recipients(control: ControlId) -> bool {
    matches!(control.number(), 1..=4 | 6 | 8 | 9 | 13)
}

/// What is particular about the request, apart from action, principal and region.
fn particulars(organization: &Organization, control: ControlId, witness: &Witness) -> Vec<String> {
    let version = witness.single("ses:ApiVersion").map(|v| format!("ses:ApiVersion {v}"));
    let mut parts = Vec::from_iter(version);
    let own = witness.single("aws:PrincipalAccount").unwrap_or_default();
    let owner = witness.resource.split(':').nth(4);
    let foreign = owner.is_some_and(|owner| owner != own);
    if foreign || matches!(control.number(), 16 | 17) {
        parts.push(format!("on {}", witness.resource));
    }
    if let Some(address) = witness.context.get("ses:FeedbackAddress") {
        parts.push(format!("bounces to {}", values(address)));
    }
    if control.number() == 18 {
        let from = ["aws:SourceIp", "aws:SourceVpc"]
            .iter()
            .find_map(|key| witness.context.get(key).map(values));
        parts.extend(from.map(|from| format!("from {from}")));
        // The witness's endpoint matters only where it is another organization's.
        let endpoint = witness.single("aws:VpceOrgID").filter(|id| *id != organization.id.as_str());
        parts.extend(endpoint.map(|id| format!("aws:VpceOrgID {id}")));
    }
    for (key, value) in witness.context.iter() {
        if USUAL.iter().any(|usual| usual.eq_ignore_ascii_case(key)) {
            continue;
        }
        let value = values(value);
        if key.eq_ignore_ascii_case("aws:ResourceOrgID") && value == organization.id.as_str() {
            continue;
        }
        parts.push(match key.split_once('/') {
            Some(("aws:PrincipalTag", tag)) => format!("principal tagged {tag}={value}"),
            Some(("aws:RequestTag", tag)) => format!("setting tag {tag}={value}"),
            _ => format!("{key} {value}"),
        });
    }
    parts
}

fn recipients(control: ControlId, witness: &Witness) -> Option<String> {
    match witness.context.get("ses:Recipients") {
        Some(to) => Some(format!("to {}", values(to))),
        None if about_recipients(control) => Some("without ses:Recipients".to_owned()),
        None => None,
    }
}

/// The request on one line: `ses:SendRawEmail as role/app to a@untrusted.invalid, ...`.
pub fn request(organization: &Organization, control: ControlId, witness: &Witness) -> String {
    let mut text = format!("{} as {}", witness.action, principal(witness));
    if let Some(to) = recipients(control, witness) {
        text.push(' ');
        text.push_str(&to);
    }
    for part in particulars(organization, control, witness) {
        text.push_str(", ");
        text.push_str(&part);
    }
    if let Some(region) = witness.single("aws:RequestedRegion") {
        text.push_str(", ");
        text.push_str(region);
    }
    text
}

/// The request as a sentence with a stop.
pub fn sentence(
    organization: &Organization,
    control: ControlId,
    path: &str,
    witness: &Witness,
) -> String {
    let mut text = format!(
        "{} can {} in {}, through {}: no SCP stops {} on {}",
        principal(witness),
        control.summary(),
        witness.single("aws:RequestedRegion").unwrap_or("some region"),
        send_path(path),
        witness.action,
        witness.resource,
    );
    let on = format!("on {}", witness.resource);
    let mut parts: Vec<String> = recipients(control, witness).into_iter().collect();
    parts
        .extend(particulars(organization, control, witness).into_iter().filter(|part| *part != on));
    if !parts.is_empty() {
        text.push_str(", ");
        text.push_str(&parts.join(", "));
    }
    text.push('.');
    text
}
