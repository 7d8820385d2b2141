//! What is worth knowing about the policies beside the verdicts.

use std::collections::BTreeMap;

use organization::{Document, Organization};
use policy::model::Actions;
use policy::value;

use crate::{facts, table};

const NANOSECONDS: i128 = 1_000_000_000;

/// The field of AWS's data perimeter that no control can check, and why it is NOT_APPLICABLE in
/// every organization; a sentence without a stop. Clause 65 of `docs/exposure.md`.
pub const UNCHECKED_FIELD: (&str, &str) = (
    "network perimeter on resources (RCP)",
    "resource control policies do not cover SES, so no organization-wide policy can tie its \
     identities to expected networks",
);

/// The `ses:` actions without wildcards that some service control policy names and the action
/// table does not know, each with the ids of the policies that name it.
///
/// SES gains APIs; a policy that names one before this program does is no mistake of the policy,
/// but no control asks about it either.
#[must_use]
pub fn unknown_actions(organization: &Organization) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, stored) in organization.policies().filter(|(_, stored)| stored.is_scp()) {
        let document = organization.document(stored.document).and_then(Document::policy);
        for statement in document.into_iter().flat_map(|document| &document.statements) {
            let (Actions::Listed(patterns) | Actions::AllExcept(patterns)) = &statement.actions;
            for text in patterns.iter().map(|pattern| pattern.text.as_str()) {
                if is_unknown(text) {
                    let policies = found.entry(text.to_owned()).or_default();
                    let id = stored.id.to_string();
                    if !policies.contains(&id) {
                        policies.push(id);
                    }
                }
            }
        }
    }
    found
}

/// What results say beside their verdicts, as sentences without a stop: these actions, and facts
/// that are old at the moment of the evaluation, which is in ISO 8601.
#[must_use]
pub fn notes(organization: &Organization, evaluated_at: &str) -> Vec<String> {
    let sentence = |(action, policies): (String, Vec<String>)| {
        format!(
            "`{action}`, which {} names, is not in the action table: no control asks about it",
            policies.join(" and ")
        )
    };
    let seconds = value::moment(evaluated_at)
        .and_then(|nanos| i64::try_from(nanos.div_euclid(NANOSECONDS)).ok());
    let outdated = seconds.map(facts::outdated).unwrap_or_default();
    unknown_actions(organization).into_iter().map(sentence).chain(outdated).collect()
}

fn is_unknown(text: &str) -> bool {
    let Some((service, name)) = text.split_once(':') else { return false };
    let plain = !name.is_empty() && !name.contains(['*', '?']);
    // Actions are compared without regard to case.
    plain
        && service.eq_ignore_ascii_case("ses")
        && !table::actions().iter().any(|info| info.name.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use support::organization::Snapshot;

    use super::*;

    fn with_actions(actions: &str) -> Organization {
        let content = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":{actions},"Resource":"*"}}}}"#
        );
        let text = Snapshot::new().policy("p-abcd1234", "mail", content, &["r-exam"]).to_string();
        organization::read(&text, &policy::parse::Limits::default()).unwrap()
    }

    #[test]
    fn an_action_that_the_table_lacks_is_named_with_its_policies() {
        let organization = with_actions(r#"["ses:SendHologram", "ses:SendEmail", "s3:Nothing"]"#);
        let found = unknown_actions(&organization);
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("ses:SendHologram".to_owned(), vec!["p-abcd1234".to_owned()])]
        );
        assert_eq!(notes(&organization, "2026-11-28T00:00:00Z").len(), 1);
        assert!(notes(&organization, "2032-01-01T00:00:00Z").len() > 1, "old facts are told");
    }

    #[test]
    fn wildcards_and_other_letter_case_are_known() {
        let organization =
            with_actions(r#"["ses:*", "ses:Send*", "ses:sendemail", "SES:SendEmail"]"#);
        assert!(unknown_actions(&organization).is_empty());
    }
}
