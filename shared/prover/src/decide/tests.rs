#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::borrow::Cow;

use policy::model::Policy;
use policy::parse::{Limits, parse};

#[path = "../../tests/common/keys.rs"]
mod keys;

use super::*;
use crate::language::{Class, Sequence};
use crate::question::{FixedValue, KeyModels, Presence, PrincipalKind, ResourceOwner, TextDomain};

const REGIONS: &[&str] = &["us-east-1", "us-west-2", "eu-west-1"];
const PRINCIPAL: &str = "arn:aws:iam::111111111111:role/app";

/// `aws:PrincipalTag/*` is any text or none, `aws:PrincipalType` and `aws:PrincipalOrgPaths` are
/// as ever; no other key is there.
struct Keys;

impl KeyModels for Keys {
    fn key(&self, folded: &str) -> KeyModel {
        match folded {
            "aws:requestedregion" => KeyModel::Region,
            "aws:principalarn" => KeyModel::PrincipalArn,
            "aws:principaltype" => KeyModel::PrincipalType,
            "aws:principalorgpaths" => {
                KeyModel::Fixed(FixedValue::Many(vec!["o-a/r-b/".to_owned()]))
            }
            tag if tag.starts_with("aws:principaltag/") => {
                KeyModel::Text(TextDomain::printable("x"), Presence::Optional)
            }
            _ => KeyModel::Absent,
        }
    }

    fn spelling(&self, key: &str) -> String {
        key.to_owned()
    }
}

/// A Deny on everything with this resource and condition, beside an Allow.
fn policies(resource: &str, condition: &str) -> Policy {
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": "*", "Resource": "*"}},
            {{"Effect": "Deny", "Action": "*", "Resource": "{resource}", "Condition": {condition}}}
        ]}}"#
    );
    parse(&text, &Limits::default()).unwrap().policy
}

fn ask<T>(
    resource: &str,
    condition: &str,
    steps: u64,
    look: impl Fn(&mut Prover, &Stack<'_>, &Applicable<'_>, &Question<'_>) -> T,
) -> T {
    ask_about(&policies(resource, condition), steps, look)
}

fn ask_about<T>(
    policy: &Policy,
    steps: u64,
    look: impl Fn(&mut Prover, &Stack<'_>, &Applicable<'_>, &Question<'_>) -> T,
) -> T {
    let stack = Stack { levels: vec![vec![policy]] };
    let applicable = Applicable::of(&stack, "ses:SendEmail");
    let kinds = [PrincipalKind {
        name: "AssumedRole".to_owned(),
        arns: vec![Sequence::literal(PRINCIPAL)],
    }];
    let resources = [ResourceModel::Arn {
        before: "arn:aws:ses:".to_owned(),
        regional: true,
        owner: ResourceOwner::Is("111111111111".to_owned()),
        within: Vec::new(),
        without: Vec::new(),
        tails: vec![Sequence::literal("identity/example.com")],
        plain: vec!["identity/example.com".to_owned()],
    }];
    let present =
        ["aws:PrincipalArn", "aws:PrincipalType", "aws:RequestedRegion", "aws:PrincipalOrgPaths"]
            .map(str::to_owned);
    let question = Question {
        action: "ses:SendEmail",
        principal: TextDomain::only(PRINCIPAL),
        kinds: &kinds,
        regions: REGIONS,
        resources: &resources,
        keys: &Keys,
        present: &present,
        moment: 1_700_000_000,
        earliest: 0,
        other_regions: None,
    };
    let mut prover = Prover::new(keys::catalog(), steps);
    look(&mut prover, &stack, &applicable, &question)
}

fn count_readings(resource: &str, condition: &str) -> usize {
    ask(resource, condition, 1_000_000, |prover, _, applicable, question| {
        readings(applicable, question, &prover.catalog).len()
    })
}

fn classes(resource: &str, condition: &str) -> Vec<String> {
    ask(resource, condition, 1_000_000, |prover, _, applicable, question| {
        let mut budget = Budget::new(1_000_000);
        let Prover { languages, catalog, .. } = prover;
        regions::classes(applicable, question, catalog, languages, &mut budget)
            .unwrap()
            .each
            .into_iter()
            .map(Cow::into_owned)
            .collect()
    })
}

fn verdict(resource: &str, condition: &str, steps: u64) -> Verdict {
    ask(resource, condition, steps, |prover, stack, applicable, question| {
        prover.decide(stack, applicable, question)
    })
}

#[test]
fn a_reading_is_doubled_only_by_a_point_that_the_statements_raise() {
    let tag = r#"{"StringEquals": {"aws:PrincipalTag/a": "b"}}"#;
    assert_eq!(count_readings("*", "{}"), 1);
    assert_eq!(count_readings("*", tag), 1);
    assert_eq!(count_readings("arn:aws:ses:*:*:identity/*", tag), 1);
    assert_eq!(count_readings("arn:aws:ses:*", tag), 2);
    assert_eq!(count_readings("arn:aws:ses:*:*:identity/a:b", tag), 2);
    for (condition, count) in [
        (r#"{"ForAnyValue:StringEqualsIfExists": {"aws:PrincipalTag/a": "b"}}"#, 2),
        (r#"{"ForAllValues:StringEqualsIfExists": {"aws:PrincipalTag/a": "b"}}"#, 1),
        (r#"{"StringEqualsIfExists": {"aws:PrincipalTag/a": "b"}}"#, 1),
        (r#"{"StringEquals": {"aws:PrincipalOrgPaths": "b"}}"#, 2),
        (r#"{"StringNotEquals": {"aws:PrincipalOrgPaths": "b"}}"#, 3),
        (r#"{"StringEqualsIfExists": {"aws:PrincipalOrgPaths": "b"}}"#, 6),
        (r#"{"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "b"}}"#, 1),
        (r#"{"Null": {"aws:PrincipalOrgPaths": "true"}}"#, 1),
        (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}"#, 1),
        (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}"#, 2),
        (r#"{"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}"#, 1),
    ] {
        assert_eq!(count_readings("*", condition), count, "{condition}");
    }
}

#[test]
fn regions_are_told_apart_as_far_as_the_statements_do() {
    assert_eq!(classes("*", "{}"), ["us-east-1"]);
    assert_eq!(classes("arn:aws:ses:*:*:identity/*", "{}"), ["us-east-1"]);
    assert_eq!(classes("arn:aws:ses:us-*:*:identity/*", "{}"), ["us-east-1", "eu-west-1"]);
    assert_eq!(classes("arn:aws:ses:us-west-?:*:identity/*", "{}"), ["us-east-1", "us-west-2"]);
    assert_eq!(classes("arn:aws:ses:*", "{}"), REGIONS);
    for (condition, expected) in [
        (
            r#"{"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}"#,
            &["us-east-1", "eu-west-1"][..],
        ),
        (r#"{"StringLike": {"aws:RequestedRegion": "*"}}"#, &["us-east-1"]),
        (r#"{"StringEquals": {"aws:PrincipalTag/r": "eu-west-1"}}"#, &["us-east-1"]),
        (r#"{"StringEquals": {"aws:PrincipalTag/r": "${aws:RequestedRegion}"}}"#, REGIONS),
        (r#"{"StringEquals": {"aws:RequestedRegion": "${aws:PrincipalTag/r}"}}"#, REGIONS),
    ] {
        assert_eq!(classes("*", condition), expected, "{condition}");
    }
}

#[test]
fn what_cannot_be_compared_is_never_taken_for_a_denial() {
    for condition in [
        r#"{"StringEquals": {"aws:PrincipalType": "${aws:PrincipalTag/kind}"}}"#,
        r#"{"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "${aws:PrincipalTag/path}"}}"#,
        r#"{"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "${aws:PrincipalTag/path, 'x'}"}}"#,
        r#"{"StringLike": {"aws:PrincipalTag/a": "${aws:PrincipalTag/b}"}}"#,
        r#"{"StringNotLike": {"aws:PrincipalTag/a": "${aws:PrincipalTag/b}"}}"#,
    ] {
        let found = verdict("*", condition, 1_000_000);
        assert!(matches!(found, Verdict::Refuted(_)), "{condition}: {found:?}");
    }
}

#[test]
fn every_condition_costs_steps() {
    let many: Vec<String> = (0..2_000).map(|i| format!("\"v{i}\"")).collect();
    let condition =
        format!(r#"{{"StringEquals": {{"aws:PrincipalTag/a": [{}]}}}}"#, many.join(","));
    assert_eq!(verdict("*", &condition, 1_000), Verdict::Undecided(vec![Obstacle::Budget]));
    assert!(matches!(verdict("*", &condition, 1_000_000), Verdict::Refuted(_)));
}

#[test]
fn a_pattern_with_many_stars_before_a_variable_ends_with_the_budget() {
    // Nothing ends in `Z`, and there are countless ways to find that out.
    let resource = format!("arn:aws:ses:*:*:identity/{}${{aws:PrincipalTag/a}}Z", "*e".repeat(20));
    let policy = policies(&resource, r#"{"StringLike": {"aws:PrincipalTag/b": "*"}}"#);
    let steps = 200_000;
    let left = ask_about(&policy, steps, |prover, stack, applicable, question| {
        let mut budget = Budget::new(steps);
        let candidate = Witness {
            action: question.action.to_owned(),
            resource: format!("arn:aws:ses:us-east-1:111111111111:identity/{}", "e".repeat(60)),
            additional_resources: Vec::new(),
            context: policy::request::Context::default(),
        };
        let ask = Ask { question, applicable, region: "us-east-1", pins: &Pins::new() };
        assert_eq!(pins_of_resources(&ask, &candidate, &mut budget), Err(Exhausted));
        prover.decide(stack, applicable, question);
        budget.left()
    });
    assert_eq!(left, 0);
}

#[test]
fn names_with_colons_raise_the_question_how_far_a_wildcard_reaches() {
    let pattern = "arn:aws:iam::*:role/app";
    let counts = ask(pattern, "{}", 1_000_000, |prover, _, applicable, question| {
        [Class::IamName, Class::IamPath].map(|class| {
            let resources = [ResourceModel::Arn {
                before: "arn:aws:iam:".to_owned(),
                regional: false,
                owner: ResourceOwner::Is("111111111111".to_owned()),
                within: Vec::new(),
                without: Vec::new(),
                tails: vec![Sequence::literal("role/").some(class)],
                plain: vec!["role/app".to_owned()],
            }];
            let question = Question {
                resources: &resources,
                principal: question.principal.clone(),
                ..*question
            };
            readings(applicable, &question, &prover.catalog).len()
        })
    });
    assert_eq!(counts, [1, 2]);
}

/// Conditions of which some together stop everything.
const PARTS: [&str; 12] = [
    r#"{"StringEquals": {"aws:PrincipalTag/a": "x"}}"#,
    r#"{"StringNotEquals": {"aws:PrincipalTag/a": "x"}}"#,
    r#"{"StringLike": {"aws:PrincipalTag/a": "x*"}}"#,
    r#"{"StringNotLike": {"aws:PrincipalTag/a": "x*"}}"#,
    r#"{"Null": {"aws:PrincipalTag/a": "true"}}"#,
    r#"{"StringLike": {"aws:PrincipalTag/a": "*"}}"#,
    r#"{"StringEquals": {"aws:PrincipalTag/b": "y"}}"#,
    r#"{"StringNotEquals": {"aws:PrincipalTag/b": "y"}}"#,
    r#"{"StringEquals": {"aws:RequestedRegion": "us-east-1"}}"#,
    r#"{"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}"#,
    r#"{"StringEquals": {"aws:RequestedRegion": "eu-west-1", "aws:PrincipalTag/b": "y"}}"#,
    r#"{"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}"#,
];

/// The Deny statements that stop everything, where they do: their places among `chosen`.
fn proof(chosen: &[&str]) -> Option<Vec<usize>> {
    let denies = chosen.iter().map(|condition| {
        format!(r#"{{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {condition}}}"#)
    });
    let allow = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#.to_owned();
    let statements: Vec<String> = std::iter::once(allow).chain(denies).collect();
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "));
    let policy = parse(&text, &Limits::default()).unwrap().policy;
    let verdict = ask_about(&policy, 1_000_000, |prover, stack, applicable, question| {
        prover.decide(stack, applicable, question)
    });
    let Verdict::Proved(deciders) = verdict else { return None };
    let places = deciders.into_iter().filter_map(|decider| match decider {
        Decider::Deny(place) => Some(place.statement - 1),
        Decider::Level(_) => None,
    });
    Some(places.collect())
}

#[test]
fn a_proof_names_no_statement_that_it_does_not_need() {
    let mut proofs = 0;
    for bits in 0_u32..1 << PARTS.len() {
        // Every fifth choice is plenty.
        if bits % 5 != 3 || bits.count_ones() < 3 {
            continue;
        }
        let chosen: Vec<&str> = PARTS
            .iter()
            .enumerate()
            .filter(|(index, _)| bits & (1 << index) != 0)
            .map(|(_, part)| *part)
            .collect();
        let Some(named) = proof(&chosen) else { continue };
        proofs += 1;
        let of = |places: &[usize]| places.iter().map(|at| chosen[*at]).collect::<Vec<_>>();
        assert!(proof(&of(&named)).is_some(), "{chosen:?}: {named:?} do not suffice");
        for without in &named {
            let fewer: Vec<usize> = named.iter().copied().filter(|at| at != without).collect();
            assert!(proof(&of(&fewer)).is_none(), "{chosen:?}: {named:?} need no {without}");
        }
    }
    assert!(proofs > 100, "{proofs}");
}
