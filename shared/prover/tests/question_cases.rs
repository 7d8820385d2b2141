//! The cases of `tests/cases/question`: a stack, a question, and the answer it must get.
#![allow(clippy::wildcard_enum_match_arm, reason = "what no case names is shown as it is")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::collections::BTreeMap;

use common::keys::catalog;
use common::{policies, stack};
use policy::request::ContextValue;
use prover::applicable::Applicable;
use prover::language::{Class, Grammar, Sequence};
use prover::question::{
    Demand, FixedValue, KeyModel, KeyModels, Network, Presence, PrincipalKind, Question,
    ResourceModel, ResourceOwner, TextDomain,
};
use prover::{DEFAULT_BUDGET, Decider, Obstacle, Prover, Verdict};
use serde::Deserialize;
use serde_json::Value;
use support::cases;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    source: String,
    because: String,
    /// Root first; each level a list of documents.
    stack: Vec<Vec<Value>>,
    question: Asked,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default = "regions")]
    regions: Vec<String>,
    /// Patterns of further Regions.
    other_regions: Option<Vec<String>>,
    #[serde(default)]
    earliest: i64,
    #[serde(default)]
    keys: BTreeMap<String, Model>,
    /// Those that a complete request need not list.
    #[serde(default)]
    unlisted: Vec<String>,
    #[serde(default)]
    resource: About,
}

fn regions() -> Vec<String> {
    vec!["us-east-1".to_owned(), "eu-west-1".to_owned(), "eu-central-1".to_owned()]
}

/// A key's model. Patterns have `*` for any run; `<address>` is any mail address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum Model {
    Fixed(String),
    FixedSet(Vec<String>),
    CurrentTime,
    /// Nobody knows whether requests carry it; then it is a text, or several.
    Riddle {
        patterns: Vec<String>,
        presence: When,
    },
    /// A text, and nobody knows whether it can be one of some more.
    Open {
        patterns: Vec<String>,
        perhaps: Vec<String>,
        presence: When,
    },
    Choice {
        values: Vec<String>,
        presence: When,
    },
    Text {
        patterns: Vec<String>,
        presence: When,
    },
    Set {
        elements: Vec<String>,
        #[serde(default)]
        some_outside: Vec<String>,
        #[serde(default)]
        all_inside: Vec<String>,
        presence: When,
        most: usize,
    },
    Address {
        presence: When,
    },
    ResourceAccount {
        presence: When,
    },
}

/// What the action is asked about.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum About {
    #[default]
    Identity,
    Star,
    IdentityAndOwnTemplate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum When {
    Always,
    Optional,
    Internet,
    Vpc,
    WithinInternet,
    WithinVpc,
    Tagged(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "verdict")]
enum Expected {
    Proved {
        /// `LEVEL/POLICY/STATEMENT` of a Deny, or `level LEVEL`.
        deciders: Vec<String>,
    },
    Refuted {
        /// What the request must hold: a value, a list of values, or null for absence.
        witness: BTreeMap<String, Value>,
    },
    Undecided {
        /// The open points, as the program names them, or `incomplete KEY`.
        obstacles: Vec<String>,
    },
}

fn sequence(pattern: &str) -> Sequence {
    if pattern == "<address>" {
        return Sequence::default().ending(Grammar::Address);
    }
    let mut parts = pattern.split('*');
    let first = Sequence::literal(parts.next().unwrap_or_default());
    parts.fold(first, |sequence, part| sequence.any(Class::Any).then(part))
}

fn domain(patterns: &[String]) -> TextDomain {
    let include = vec![patterns.iter().map(|pattern| sequence(pattern)).collect()];
    TextDomain { include, exclude: Vec::new(), plain: Vec::new() }
}

impl When {
    fn presence(&self) -> Presence {
        match self {
            Self::Always => Presence::Always,
            Self::Optional => Presence::Optional,
            Self::Internet => Presence::On(Network::Internet),
            Self::Vpc => Presence::On(Network::Vpc),
            Self::WithinInternet => Presence::Within(Network::Internet),
            Self::WithinVpc => Presence::Within(Network::Vpc),
            Self::Tagged(tag) => Presence::Tagged(tag.clone()),
        }
    }
}

impl Model {
    fn key_model(&self) -> KeyModel {
        match self {
            Self::Fixed(value) => KeyModel::Fixed(FixedValue::One(value.clone())),
            Self::FixedSet(values) => KeyModel::Fixed(FixedValue::Many(values.clone())),
            Self::CurrentTime => KeyModel::CurrentTime,
            Self::Riddle { patterns, presence } => {
                let (element, must, most) = (domain(patterns), Vec::new(), 3);
                let presence = presence.presence();
                let one = KeyModel::Text(element.clone(), presence.clone());
                let several = KeyModel::Set { element, must, presence, most };
                doubtful(KeyModel::Absent, [one, several])
            }
            Self::Open { patterns, perhaps, presence } => {
                let presence = presence.presence();
                let sure = KeyModel::Text(domain(patterns), presence.clone());
                let all: Vec<String> = patterns.iter().chain(perhaps).cloned().collect();
                let possible = KeyModel::Text(domain(&all), presence);
                doubtful(sure, [possible.clone(), possible])
            }
            Self::Choice { values, presence } => {
                KeyModel::Choice { values: values.clone(), presence: presence.presence() }
            }
            Self::Text { patterns, presence } => {
                KeyModel::Text(domain(patterns), presence.presence())
            }
            Self::Set { elements, some_outside, all_inside, presence, most } => {
                let mut element = domain(elements);
                if !all_inside.is_empty() {
                    element.include.extend(domain(all_inside).include);
                }
                let outside = domain(some_outside).include;
                let must = outside.into_iter().filter(|union| !union.is_empty());
                KeyModel::Set {
                    element,
                    must: must.map(Demand::Outside).collect(),
                    presence: presence.presence(),
                    most: *most,
                }
            }
            Self::Address { presence } => KeyModel::Address {
                outside: Vec::new(),
                plain: vec!["198.51.100.10".to_owned()],
                presence: presence.presence(),
            },
            Self::ResourceAccount { presence } => KeyModel::ResourceAccount(presence.presence()),
        }
    }
}

fn doubtful(sure: KeyModel, possible: [KeyModel; 2]) -> KeyModel {
    KeyModel::Doubtful {
        sure: Box::new(sure),
        possible: Box::new(possible),
        why: "is a riddle".to_owned(),
    }
}

struct Keys<'a>(&'a BTreeMap<String, Model>);

impl KeyModels for Keys<'_> {
    fn key(&self, folded: &str) -> KeyModel {
        match folded {
            "aws:requestedregion" => return KeyModel::Region,
            "aws:principalarn" => return KeyModel::PrincipalArn,
            "aws:principaltype" => return KeyModel::PrincipalType,
            _ => {}
        }
        let found = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(folded));
        found.map_or(KeyModel::Absent, |(_, model)| model.key_model())
    }

    fn spelling(&self, key: &str) -> String {
        let known = ["aws:RequestedRegion", "aws:PrincipalArn", "aws:PrincipalType"];
        let mut names = self.0.keys().map(String::as_str).chain(known);
        names.find(|name| name.eq_ignore_ascii_case(key)).unwrap_or(key).to_owned()
    }
}

fn answer(case: &Case) -> Verdict {
    let documents = policies(&case.stack);
    let stack = stack(&documents);
    let role = Sequence::literal("arn:aws:iam::111111111111:role/").some(Class::IamName);
    let kinds = [PrincipalKind { name: "AssumedRole".to_owned(), arns: vec![role.clone()] }];
    let regions: Vec<&str> = case.question.regions.iter().map(String::as_str).collect();
    let arn = |owner, sort: &str| ResourceModel::Arn {
        before: "arn:aws:ses:".to_owned(),
        regional: true,
        owner,
        within: Vec::new(),
        without: Vec::new(),
        tails: vec![Sequence::literal(sort).some(Class::ResourceName)],
        plain: vec![format!("{sort}example.com")],
    };
    let own = "111111111111".to_owned();
    let identity = arn(ResourceOwner::Any(own.clone()), "identity/");
    let resources = match case.question.resource {
        About::Identity => vec![identity],
        About::IdentityAndOwnTemplate => {
            vec![identity, arn(ResourceOwner::Is(own), "template/")]
        }
        About::Star => vec![ResourceModel::Star],
    };
    let other_regions = case.question.other_regions.as_deref().map(domain);
    let keys = Keys(&case.question.keys);
    let mut present: Vec<String> = case.question.keys.keys().cloned().collect();
    present.retain(|name| !case.question.unlisted.contains(name));
    present.extend(["aws:RequestedRegion", "aws:PrincipalArn"].map(str::to_owned));
    let question = Question {
        action: "ses:SendEmail",
        principal: TextDomain {
            include: vec![vec![role]],
            exclude: Vec::new(),
            plain: vec!["arn:aws:iam::111111111111:role/mailer".to_owned()],
        },
        kinds: &kinds,
        regions: &regions,
        resources: &resources,
        keys: &keys,
        present: &present,
        moment: 1_700_000_000,
        earliest: case.question.earliest,
        other_regions: other_regions.as_ref(),
    };
    let applicable = Applicable::of(&stack, question.action);
    Prover::new(catalog(), DEFAULT_BUDGET).decide(&stack, &applicable, &question)
}

fn problem(case: &Case, verdict: &Verdict) -> Option<String> {
    match (&case.expect, verdict) {
        (Expected::Proved { deciders }, Verdict::Proved(found)) => {
            let found: Vec<String> = found
                .iter()
                .map(|decider| match decider {
                    Decider::Deny(at) => format!("{}/{}/{}", at.level, at.policy, at.statement),
                    Decider::Level(level) => format!("level {level}"),
                })
                .collect();
            (found != *deciders).then(|| format!("the deciders are {found:?}"))
        }
        (Expected::Refuted { witness }, Verdict::Refuted(found)) => {
            witness.iter().find_map(|(key, wanted)| {
                let actual = match (key.as_str(), found.context.get(key)) {
                    ("resource", _) => Value::from(found.resource.clone()),
                    (_, None) => Value::Null,
                    (_, Some(ContextValue::One(text))) => Value::from(text.clone()),
                    (_, Some(ContextValue::Many(texts))) => {
                        let mut texts = texts.clone();
                        texts.sort();
                        Value::from(texts)
                    }
                };
                (actual != *wanted).then(|| format!("`{key}` is {actual}"))
            })
        }
        (Expected::Undecided { obstacles }, Verdict::Undecided(found)) => {
            let names: Vec<String> = found
                .iter()
                .map(|obstacle| match obstacle {
                    Obstacle::Open(_, open) => format!("{:?}", open.point),
                    Obstacle::Incomplete(key) => format!("incomplete {key}"),
                    other => format!("{other:?}").to_lowercase(),
                })
                .collect();
            (names != *obstacles).then(|| format!("the obstacles are {names:?}"))
        }
        (_, other) => Some(format!("the verdict is {other:?}")),
    }
}

#[test]
fn every_question_gets_the_answer_that_its_case_expects() {
    let inputs = cases::inputs("question", &["json"], &[]);
    let cases = inputs.iter().flat_map(|(file, input)| {
        let cases: Vec<Case> = input.json();
        cases.into_iter().map(move |case| (format!("{file}, `{}`", case.name), case))
    });
    cases::run(15, cases, |case| {
        assert!(!case.source.is_empty() && !case.because.is_empty());
        assert_eq!(problem(&case, &answer(&case)), None);
    });
}
