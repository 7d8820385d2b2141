//! A request in words.

use organization::Organization;
use policy::arn::Arn;
use policy::request::ContextValue;
use prover::Witness;
use ses_perimeter::control::{Adds, ControlId};
use ses_perimeter::model::PRESENT;

use crate::names::list;

/// A space at which no line is to be broken; it is shown as any other.
pub const UNBROKEN: char = '\u{a0}';

/// Keys that the words name anyway, beside those that every request lists.
const USUAL: [&str; 4] = ["aws:username", "aws:VpceOrgID", "aws:TagKeys", "ses:FeedbackAddress"];
/// Values that are named before the rest is counted.
const VALUES: usize = 3;

/// The principal without the part that all ARNs of its account share.
#[must_use]
pub fn principal(witness: &Witness) -> &str {
    let arn = witness.principal_arn();
    Arn::of(arn).map_or(arn, |parts| parts.resource)
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

/// Whether the resource belongs to another account.
fn foreign(witness: &Witness) -> bool {
    let own = witness.single("aws:PrincipalAccount").unwrap_or_default();
    Arn::of(&witness.resource).is_some_and(|arn| arn.account != own)
}

/// What is particular about the request, apart from what [`call`] says,
/// the resource and the region.
fn particulars(organization: &Organization, control: ControlId, witness: &Witness) -> Vec<String> {
    let version = witness.single("ses:ApiVersion").map(|v| format!("ses:ApiVersion{UNBROKEN}{v}"));
    let mut parts = Vec::from_iter(version);
    if let Some(address) = witness.context.get("ses:FeedbackAddress") {
        parts.push(format!("bounces to {}", values(address)));
    }
    if control.entry().adds == Adds::Network {
        let from = ["aws:SourceIp", "aws:SourceVpc"]
            .iter()
            .find_map(|key| witness.context.get(key).map(values));
        parts.extend(from.map(|from| format!("from {from}")));
        // The witness's endpoint matters only where it is another organization's.
        let endpoint = witness.single("aws:VpceOrgID").filter(|id| *id != organization.id.as_str());
        parts.extend(endpoint.map(|id| format!("aws:VpceOrgID {id}")));
    }
    for (key, value) in witness.context.iter() {
        if PRESENT.iter().chain(&USUAL).any(|usual| usual.eq_ignore_ascii_case(key)) {
            continue;
        }
        let value = values(value);
        if key.eq_ignore_ascii_case("aws:ResourceOrgID") && value == organization.id.as_str() {
            continue;
        }
        parts.push(match key.split_once('/') {
            // Part of the call.
            Some(("aws:PrincipalTag", _)) => continue,
            Some(("aws:RequestTag", tag)) => format!("setting tag {tag}={value}"),
            _ => format!("{key} {value}"),
        });
    }
    parts
}

fn recipients(control: ControlId, witness: &Witness) -> Option<String> {
    match witness.context.get("ses:Recipients") {
        Some(to) => Some(format!("to {}", values(to))),
        None if control.entry().about_mail => Some("without ses:Recipients".to_owned()),
        None => None,
    }
}

/// `ses:SendRawEmail as role/app to a@untrusted.invalid`.
fn call(control: ControlId, witness: &Witness) -> String {
    let interface = control.entry().interface;
    let mut text = format!("{}{interface} as {}", witness.action, principal(witness));
    let tags: Vec<String> = witness
        .context
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("aws:PrincipalTag/")?, values(value))))
        .map(|(tag, value)| format!("{tag}={value}"))
        .collect();
    if !tags.is_empty() {
        text.push_str(&format!(" tagged {}", list(&tags)));
    }
    if let Some(to) = recipients(control, witness) {
        text.push_str(&format!(" {to}"));
    }
    text
}

/// The request on one line: `ses:SendRawEmail as role/app to a@untrusted.invalid, ...`.
#[must_use]
pub fn request(organization: &Organization, control: ControlId, witness: &Witness) -> String {
    let mut parts = vec![call(control, witness)];
    parts.extend(particulars(organization, control, witness));
    if foreign(witness) || control.entry().adds == Adds::Resource {
        parts.push(format!("on {}", witness.resource));
    }
    parts.extend(witness.single("aws:RequestedRegion").map(str::to_owned));
    parts.join(", ")
}

/// What a request that gets through means, in two sentences with stops.
#[must_use]
pub fn sentence(
    organization: &Organization,
    control: ControlId,
    path: &str,
    witness: &Witness,
) -> String {
    let mut parts = vec![format!("on {}", witness.resource)];
    parts.extend(particulars(organization, control, witness));
    parts.extend(witness.single("aws:RequestedRegion").map(|region| format!("in {region}")));
    format!(
        "The account can {}. No SCP stops {}, {} (send path {path}).",
        control.summary(),
        call(control, witness),
        parts.join(", "),
    )
}
