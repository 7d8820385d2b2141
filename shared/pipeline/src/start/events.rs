//! Organizations' events, and what each makes worth reading again.
//!
//! An event is a hint: what it names is read again, what it claims is not believed. Source: AWS
//! Organizations User Guide, "Logging AWS Organizations API calls with CloudTrail".

use policy::arn::is_account;
use serde_json::Value;

use crate::wire::Change;

/// Where in an event the id stands of what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// A policy, under this name.
    Policy(&'static str),
    /// A root, unit or account with another policy attached, under this name.
    Target(&'static str),
    /// An account, under this name.
    Account(&'static str),
    /// A unit, under this name.
    Unit(&'static str),
    /// The event does not say enough.
    Everything,
    /// Nothing that a verdict hangs on, for this reason.
    Nothing(&'static str),
}

/// The events that the rule in `infra/` lets through, by name.
const EVENTS: [(&str, Subject); 26] = [
    ("AcceptHandshake", Subject::Everything),
    ("AccountDepartedOrganization", Subject::Account("accountId")),
    ("AccountJoinedOrganization", Subject::Account("accountId")),
    ("AttachPolicy", Subject::Target("targetId")),
    ("CloseAccount", Subject::Account("accountId")),
    ("CloseAccountResult", Subject::Account("accountId")),
    ("CreateAccount", Subject::Nothing("the account is there once CreateAccountResult says so")),
    ("CreateAccountResult", Subject::Account("accountId")),
    ("CreateGovCloudAccount", Subject::Nothing("the account is there once its result says so")),
    ("CreateOrganizationalUnit", Subject::Unit("id")),
    ("CreatePolicy", Subject::Policy("id")),
    ("DeleteOrganizationalUnit", Subject::Unit("organizationalUnitId")),
    ("DeletePolicy", Subject::Policy("policyId")),
    ("DeleteResourcePolicy", Subject::Everything),
    ("DeregisterDelegatedAdministrator", Subject::Everything),
    ("DetachPolicy", Subject::Target("targetId")),
    ("DisablePolicyType", Subject::Everything),
    ("EnableAllFeatures", Subject::Everything),
    ("EnablePolicyType", Subject::Everything),
    ("LeaveOrganization", Subject::Everything),
    ("MoveAccount", Subject::Account("accountId")),
    ("PutResourcePolicy", Subject::Everything),
    ("RegisterDelegatedAdministrator", Subject::Everything),
    ("RemoveAccountFromOrganization", Subject::Account("accountId")),
    ("UpdateOrganizationalUnit", Subject::Unit("organizationalUnitId")),
    ("UpdatePolicy", Subject::Policy("policyId")),
];

/// The names of the events that can start a run, sorted; the rule in `infra/` lists the same.
pub fn names() -> impl Iterator<Item = &'static str> {
    EVENTS.iter().map(|(name, _)| *name)
}

/// What an event makes worth reading again, or why nothing is.
///
/// `detail` is the event's `detail`: a CloudTrail record. An event of a name that is not listed
/// is either reading, which changes nothing, or new, and then everything is read.
pub fn changes(detail: &Value) -> Result<Vec<Change>, String> {
    if let Some(code) = text(detail, "errorCode") {
        return Err(format!("the call was refused with `{code}`, so it changed nothing"));
    }
    let Some(name) = text(detail, "eventName") else { return Ok(vec![Change::Everything]) };
    if detail.get("readOnly").and_then(Value::as_bool) == Some(true) {
        return Err(format!("`{name}` only reads"));
    }
    let subject = EVENTS.iter().find(|(known, _)| *known == name);
    let subject = subject.map_or(Subject::Everything, |(_, subject)| *subject);
    if failed(detail) {
        return Err(format!("`{name}` reports a failure, so nothing changed"));
    }
    let change = match subject {
        Subject::Nothing(reason) => return Err(format!("`{name}`: {reason}")),
        Subject::Everything => None,
        Subject::Policy(field) => id(detail, field, is_policy).map(Change::Policy),
        Subject::Target(field) => id(detail, field, is_target).map(Change::Target),
        Subject::Account(field) => id(detail, field, is_account).map(Change::Account),
        Subject::Unit(field) => id(detail, field, is_unit).map(Change::Unit),
    };
    Ok(vec![change.unwrap_or(Change::Everything)])
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether a service event tells of an attempt that failed.
fn failed(detail: &Value) -> bool {
    let details = detail.get("serviceEventDetails").and_then(Value::as_object);
    details.is_some_and(|details| {
        details.values().any(|status| text(status, "state") == Some("FAILED"))
    })
}

/// The first id under `field` in the parts of an event that describe the change. Layouts differ
/// between events, and a few are not documented, so the field is looked for at any depth.
fn id(detail: &Value, field: &str, fits: fn(&str) -> bool) -> Option<String> {
    let parts = ["requestParameters", "responseElements", "serviceEventDetails"];
    parts.iter().find_map(|part| within(detail.get(part)?, field, fits))
}

fn within(value: &Value, field: &str, fits: fn(&str) -> bool) -> Option<String> {
    match value {
        Value::Object(members) => members
            .get(field)
            .and_then(Value::as_str)
            .filter(|text| fits(text))
            .map(str::to_owned)
            .or_else(|| members.values().find_map(|inner| within(inner, field, fits))),
        Value::Array(items) => items.iter().find_map(|inner| within(inner, field, fits)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn is_policy(text: &str) -> bool {
    text.parse::<organization::PolicyId>().is_ok()
}

fn is_unit(text: &str) -> bool {
    text.parse::<organization::UnitId>().is_ok()
}

fn is_target(text: &str) -> bool {
    is_account(text) || is_unit(text) || text.parse::<organization::RootId>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_names_are_sorted_and_unique() {
        let all: Vec<&str> = names().collect();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(all, sorted);
    }

    #[test]
    fn each_event_names_what_is_read_again() {
        let policy = || Change::Policy("p-abcd1234".to_owned());
        let account = || Change::Account("222222222222".to_owned());
        let cases = [
            (
                json!({"eventName": "UpdatePolicy", "requestParameters": {"policyId": "p-abcd1234"}}),
                policy(),
            ),
            (
                json!({"eventName": "CreatePolicy", "requestParameters": {"name": "x"},
                    "responseElements": {"policy": {"policySummary": {"id": "p-abcd1234"}}}}),
                policy(),
            ),
            (
                json!({"eventName": "AttachPolicy", "requestParameters":
                    {"policyId": "p-abcd1234", "targetId": "r-exam"}}),
                Change::Target("r-exam".to_owned()),
            ),
            (
                json!({"eventName": "MoveAccount", "requestParameters": {"accountId": "222222222222",
                    "sourceParentId": "r-exam", "destinationParentId": "ou-exam-workload"}}),
                account(),
            ),
            (
                json!({"eventName": "CreateAccountResult", "requestParameters": null, "serviceEventDetails":
                    {"createAccountStatus": {"state": "SUCCEEDED", "accountId": "222222222222"}}}),
                account(),
            ),
            (
                json!({"eventName": "CreateOrganizationalUnit", "requestParameters": {"name": "x", "parentId": "r-exam"},
                    "responseElements": {"organizationalUnit": {"id": "ou-exam-workload"}}}),
                Change::Unit("ou-exam-workload".to_owned()),
            ),
        ];
        for (detail, expected) in cases {
            assert_eq!(changes(&detail), Ok(vec![expected]), "{detail}");
        }
    }

    #[test]
    fn an_event_that_does_not_say_enough_makes_everything_worth_reading() {
        let unclear = [
            json!({"eventName": "UpdatePolicy", "requestParameters": {"policyId": "**hidden**"}}),
            json!({"eventName": "SomethingNew", "requestParameters": {}}),
            json!({"eventName": "AccountJoinedOrganization", "serviceEventDetails": {"joinedMethod": "INVITED"}}),
            json!({}),
        ];
        for detail in unclear {
            assert_eq!(changes(&detail), Ok(vec![Change::Everything]), "{detail}");
        }
    }

    #[test]
    fn what_changed_nothing_starts_nothing() {
        let idle = [
            json!({"eventName": "AttachPolicy", "errorCode": "PolicyTypeNotEnabledException",
                   "requestParameters": {"targetId": "r-exam"}}),
            json!({"eventName": "ListAccounts", "readOnly": true}),
            json!({"eventName": "CreateAccountResult", "serviceEventDetails":
                   {"createAccountStatus": {"state": "FAILED", "failureReason": "EMAIL_ALREADY_EXISTS"}}}),
            json!({"eventName": "CreateAccount", "requestParameters": {"accountName": "x"}}),
        ];
        for detail in idle {
            assert!(changes(&detail).is_err(), "{detail}");
        }
    }
}
