//! What a verdict rests on beside the policies, in sentences.

use policy::request::ContextValue;
use prover::Witness;
use prover::budget::Budget;
use prover::language::{Grammar, Languages, Sequence};
use prover::pattern::glob;

use crate::facts::keys::Occurrence;
use crate::facts::{self, regions};
use crate::perimeter::Perimeter;
use crate::report::Verdict;
use crate::table;

/// The first trusted pattern that every plain address matches.
pub(crate) fn trusts_everybody(perimeter: &Perimeter) -> Option<String> {
    let mut languages = Languages::default();
    let addresses = languages.intern(vec![Sequence::default().ending(Grammar::Address)]);
    perimeter.trusted_recipients.iter().find_map(|pattern| {
        let matched = languages.intern(vec![glob(pattern, true)]);
        // A pattern is short; whatever takes longer does not match everybody.
        let outside = languages.find(&[addresses], &[matched], &mut Budget::new(100_000));
        (outside == Ok(None)).then(|| pattern.clone())
    })
}

/// That the other setting of `undocumented` gives another verdict, and on what that rests.
pub(crate) fn reading_note(worst: bool, other: &Verdict, points: &[String]) -> String {
    let setting = if worst { "documented" } else { "worst-case" };
    let path = other.request().map(|(path, _)| format!(" through {path}")).unwrap_or_default();
    let mut note =
        format!("with undocumented = \"{setting}\" the verdict is {}{path}", other.status().name());
    if !points.is_empty() {
        note.push_str(": it rests on ");
        note.push_str(&points.join(" and on "));
    }
    note
}

/// What a request that gets through `path` rests on that only the worst case leaves room for.
pub(crate) fn silent_points(path: &str, witness: &Witness, partition: &str) -> Vec<String> {
    let mut points = Vec::new();
    let region = witness.single("aws:RequestedRegion").unwrap_or_default();
    let known = regions::ses(partition).unwrap_or_default();
    if witness.action.starts_with("ses:") && !known.contains(&region) {
        points.push(format!("the list of Regions with an SES endpoint, read {}", regions::date()));
    }
    for (name, _) in witness.context.iter() {
        if let Some(fact) = facts::keys::key(name)
            && fact.of_action(&witness.action).documented == Occurrence::Never
        {
            points.push(format!(
                "the list of services that fill `{name}`, read {}",
                facts::keys::date()
            ));
        }
    }
    let quoted = |text: &String| text.starts_with('"');
    if let Some(ContextValue::Many(recipients)) = witness.context.get("ses:Recipients")
        && recipients.iter().any(quoted)
    {
        points.push("addresses without a quoted local part".to_owned());
    }
    if path == "smtp" && witness.principal_arn().ends_with(":root") {
        points.push("SMTP by users only, not by the root user".to_owned());
    }
    points.extend(silent_keys(path, witness));
    points
}

/// What the request carries, or lacks, that it does not for the reference.
fn silent_keys(path: &str, witness: &Witness) -> Vec<String> {
    let action = witness.action.as_str();
    let version = witness.single("ses:ApiVersion");
    let mut points = Vec::new();
    // Verification mail may go without in either setting.
    let shows = action != "ses:SendCustomVerificationEmail"
        && table::action(action).is_some_and(|info| {
            info.sends_mail && info.base.condition_keys.contains(&"ses:Recipients")
        });
    if shows && witness.context.get("ses:Recipients").is_none() {
        points.push(format!("`ses:Recipients` in every request for {action}"));
    }
    let version_two = matches!(path, "v2-raw" | "v2-template");
    if version_two && version != Some("2") {
        points.push(format!("`ses:ApiVersion` 2 in every request of {path}"));
    } else if version.is_none() && path.starts_with("pinpoint-") {
        points.push(format!("`ses:ApiVersion` in every request of {path}"));
    }
    let tagged = |name: &str| name.starts_with("aws:resourcetag/");
    if !version_two && version == Some("1") && witness.context.iter().any(|(name, _)| tagged(name))
    {
        points.push(format!("no tags of the identity in requests for {action} of API v1"));
    }
    points
}
