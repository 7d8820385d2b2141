//! Runs `tests/cases/exposure/account`: levels, controls and severities of one account each.
//!
//! `tests/cases/README.md` documents the fields.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};

use exposure::{
    Checker, ExposureControl, Inside, NamedPolicy, Part, RegionStatus, replays, standing,
};
use policy::request::ContextValue;
use serde::Deserialize;
use serde_json::{Value, json};
use ses_perimeter::perimeter::{self, Severity};
use ses_perimeter::report::{Fault, Permitted, Verdict, Why};
use ses_perimeter::severity::SeverityRules;
use support::cases;

const ORGANIZATION: &str = "o-caseorg0001";
const MANAGEMENT: &str = "111111111111";
const BUDGET: u64 = 2_000_000;
/// 23 November 2026.
const MOMENT: i64 = 1_795_392_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    name: String,
    #[serde(default = "account")]
    account: String,
    #[serde(default = "accounts")]
    organization: Vec<String>,
    #[serde(default = "perimeter_text")]
    perimeter: String,
    #[serde(default)]
    trusted_hosts: Vec<String>,
    #[serde(default = "ses_regions")]
    ses_regions: Vec<String>,
    /// The account's Regions; `None` where the section does not have the account.
    regions: Option<Vec<Value>>,
    expect: Expected,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Expected {
    level: Option<String>,
    because: Option<String>,
    controls: BTreeMap<String, String>,
    says: BTreeMap<String, String>,
    witness: BTreeMap<String, ExpectedWitness>,
    severity: BTreeMap<String, String>,
    sentence: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedWitness {
    by: Option<String>,
    action: Option<String>,
    resource: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, Value>,
    #[serde(default)]
    absent: Vec<String>,
}

fn account() -> String {
    "222222222222".to_owned()
}

fn accounts() -> Vec<String> {
    ["111111111111", "222222222222", "333333333333"].map(str::to_owned).into()
}

fn perimeter_text() -> String {
    "[trusted]\nrecipients = [\"*@example.com\"]\n".to_owned()
}

fn ses_regions() -> Vec<String> {
    vec!["us-east-1".to_owned()]
}

/// A Region of a case, with the parts that it leaves out: nothing set up, in the sandbox.
fn complete(region: &Value) -> Value {
    let mut region = region.clone();
    let object = region.as_object_mut().unwrap();
    object.entry("region").or_insert_with(|| json!("us-east-1"));
    let status = object.entry("status").or_insert_with(|| json!("read")).clone();
    if status == json!("read") {
        object.entry("sending").or_insert_with(|| json!({}));
        object.entry("sentLastTwoWeeks").or_insert_with(|| json!(0));
        object.entry("mailManager").or_insert_with(|| json!({"available": false}));
        for list in ["identities", "vpcEndpoints"] {
            object.entry(list).or_insert_with(|| json!([]));
        }
        let sending = object["sending"].as_object_mut().unwrap();
        if !sending.contains_key("gap") {
            sending.entry("enabled").or_insert_with(|| json!(true));
            sending.entry("productionAccess").or_insert_with(|| json!(false));
            sending.entry("enforcementStatus").or_insert_with(|| json!("HEALTHY"));
            sending.entry("quota").or_insert_with(
                || json!({"max24Hour": 200, "maxSendRate": 1, "sentLast24Hours": 0}),
            );
        }
        if let Some(identities) = object["identities"].as_array_mut() {
            for identity in identities {
                let identity = identity.as_object_mut().unwrap();
                identity.entry("name").or_insert_with(|| json!("example.com"));
                identity.entry("kind").or_insert_with(|| json!("DOMAIN"));
                identity.entry("verified").or_insert_with(|| json!(true));
                let policies = identity.entry("policies").or_insert_with(|| json!([]));
                for policy in policies.as_array_mut().into_iter().flatten() {
                    as_text(policy, "text");
                }
            }
        }
        if let Some(endpoints) = object["vpcEndpoints"].as_array_mut() {
            for endpoint in endpoints {
                let fields = endpoint.as_object_mut().unwrap();
                fields.entry("id").or_insert_with(|| json!("vpce-0123456789abcdef0"));
                fields.entry("service").or_insert_with(|| json!("com.amazonaws.us-east-1.email"));
                fields.entry("vpc").or_insert_with(|| json!("vpc-0123456789abcdef0"));
                fields.entry("state").or_insert_with(|| json!("available"));
                as_text(endpoint, "policy");
            }
        }
        if let Some(mail_manager) = object["mailManager"].as_object_mut()
            && mail_manager.get("available") == Some(&json!(true))
        {
            for list in ["relays", "ruleSets", "ingressPoints"] {
                mail_manager.entry(list).or_insert_with(|| json!([]));
            }
        }
    }
    region
}

/// A policy may be written as an object; the section holds its text.
fn as_text(holder: &mut Value, field: &str) {
    if let Some(document) = holder.get_mut(field)
        && document.is_object()
    {
        *document = json!(document.to_string());
    }
}

fn control(name: &str) -> ExposureControl {
    ExposureControl::ALL
        .into_iter()
        .find(|control| control.to_string() == name)
        .unwrap_or_else(|| panic!("there is no control {name}"))
}

fn severity(name: &str) -> Severity {
    Severity::ALL
        .into_iter()
        .find(|severity| severity.name() == name)
        .unwrap_or_else(|| panic!("there is no severity {name}"))
}

/// Everything that a verdict says, for looking up parts of it.
fn in_account(why: &Why) -> &str {
    let Why::InAccount(text) = why else { panic!("{why:?}") };
    text
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::InOrder(why) | Verdict::NotApplicable(why) => why.clone(),
        Verdict::Faults(failures) => {
            failures.iter().map(|f| f.message.clone()).collect::<Vec<_>>().join("\n")
        }
        Verdict::Undecided(reasons) => {
            reasons.iter().map(in_account).collect::<Vec<_>>().join("\n")
        }
        Verdict::Passed(_) | Verdict::Failed { .. } => panic!("{verdict:?}"),
    }
}

fn compare_witness(request: &Permitted, expected: &ExpectedWitness) {
    let (by, witness) = (request.by.to_string(), &request.witness);
    for (wanted, found) in [
        (&expected.by, &by),
        (&expected.action, &witness.action),
        (&expected.resource, &witness.resource),
    ] {
        assert!(wanted.as_ref().is_none_or(|wanted| wanted == found), "{found}, not {wanted:?}");
    }
    for (key, wanted) in &expected.context {
        let found = match witness.context.get(key) {
            None => Value::Null,
            Some(ContextValue::One(one)) => json!(one),
            Some(ContextValue::Many(many)) => json!(many),
        };
        let fits = if wanted.is_null() { !found.is_null() } else { *wanted == found };
        assert!(fits, "{key} is {found}, not {wanted}");
    }
    for key in &expected.absent {
        assert_eq!(witness.context.get(key), None, "{key}");
    }
}

/// The policies that a failure is about.
fn policies_of(exposure: &exposure::AccountExposure, failure: &Fault) -> Vec<NamedPolicy> {
    let mut found = Vec::new();
    for region in exposure.regions.iter().filter(|region| region.region == failure.region) {
        let RegionStatus::Read(facts) = &region.status else { continue };
        if let Part::Read(identities) = &facts.identities {
            for identity in identities.iter().filter(|i| i.name == failure.subject) {
                for policy in identity.policies.read().unwrap() {
                    found.push(NamedPolicy::read(&policy.name, &policy.text).unwrap());
                }
            }
        }
        if let Part::Read(endpoints) = &facts.endpoints {
            for endpoint in endpoints.iter().filter(|e| e.id == failure.subject) {
                let full = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
                let text = endpoint.policy.as_deref().unwrap_or(full);
                found.push(NamedPolicy::read("endpoint policy", text).unwrap());
            }
        }
    }
    found
}

fn run(case: &Case) {
    assert!(!case.name.is_empty(), "a case says what must hold");
    let inside = Inside {
        organization: ORGANIZATION.to_owned(),
        partition: "aws".to_owned(),
        management_account: MANAGEMENT.to_owned(),
        accounts: case
            .organization
            .iter()
            .map(|account| (account.clone(), format!("{ORGANIZATION}/r-case/")))
            .collect(),
    };
    let mut perimeter = perimeter::parse(&case.perimeter).unwrap();
    perimeter.exposure.trusted_hosts.clone_from(&case.trusted_hosts);
    let accounts: Vec<Value> = case
        .regions
        .iter()
        .map(|regions| {
            json!({
                "account": case.account, "readAt": "2026-11-23T00:00:00Z",
                "regions": regions.iter().map(complete).collect::<Vec<_>>(),
            })
        })
        .collect();
    let text = json!({"exposureVersion": 1, "accounts": accounts}).to_string();
    let section = exposure::read(&text).unwrap_or_else(|error| {
        panic!("{error}\n{:?}\n{text}", error.problems());
    });
    let written = serde_json::to_string(&exposure::wire::WireSection::from(&section)).unwrap();
    assert_eq!(exposure::read(&written).unwrap(), section, "writing loses something");
    let exposure = section.accounts.first();
    let regions: Vec<&str> = case.ses_regions.iter().map(String::as_str).collect();
    let expect = &case.expect;

    let standing = standing(exposure, &regions);
    let because = standing.because.join("\n");
    let level = standing.level.name();
    assert!(expect.level.as_ref().is_none_or(|wanted| wanted == level), "{standing:?}");
    assert!(expect.because.as_ref().is_none_or(|part| because.contains(part)), "{because}");
    for (own, wanted) in &expect.severity {
        let graded = SeverityRules::default().grade(severity(own), &standing);
        assert_eq!(graded.severity.name(), wanted, "{own} becomes {graded:?}");
        let said = &graded.sentence;
        assert!(expect.sentence.as_ref().is_none_or(|part| said.contains(part)), "{said}");
    }

    let mut checker = Checker::new(&inside, &perimeter, &regions, MOMENT, BUDGET);
    let named = expect.controls.keys().chain(expect.says.keys()).chain(expect.witness.keys());
    for name in named.collect::<BTreeSet<&String>>() {
        let verdict = checker.check(control(name), &case.account, exposure);
        let (status, says) = (verdict.status().name(), said(&verdict));
        let fits = expect.controls.get(name).is_none_or(|wanted| wanted == status);
        assert!(fits, "{name} is {status}: {says}");
        let fits = expect.says.get(name).is_none_or(|part| says.contains(part));
        assert!(fits, "{name} says something else: {says}");
        let failures: &[Fault] = match &verdict {
            Verdict::Faults(failures) => failures,
            Verdict::Passed(_)
            | Verdict::Failed { .. }
            | Verdict::InOrder(_)
            | Verdict::Undecided(_)
            | Verdict::NotApplicable(_) => &[],
        };
        for failure in failures {
            let Some(request) = &failure.request else { continue };
            let policies = policies_of(exposure.unwrap(), failure);
            let permitted = replays(request, &policies, checker.catalog());
            assert!(permitted, "the witness of {name} does not replay");
        }
        if let Some(wanted) = expect.witness.get(name) {
            let request = failures.first().and_then(|failure| failure.request.as_ref());
            let request = request.unwrap_or_else(|| panic!("{name} has no witness"));
            compare_witness(request, wanted);
        }
    }
}

#[test]
fn every_account_case_gets_its_answers() {
    cases::run(60, cases::groups("exposure/account"), |case| run(&case));
}
