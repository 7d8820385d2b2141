//! Deny statements that came near a request, and where they parted from it.

use std::cmp::Reverse;

use organization::{AccountIdx, Organization};
use policy::condition::{Judge, Open, Readings, Truth};
use policy::evaluate::{action_matches, resource_matches};
use policy::glob::matches_ignoring_case;
use policy::keys::KeyCatalog;
use policy::model::{Actions, Effect, Family, Resources, Statement};
use policy::request::{ContextValue, Request};
use prover::Witness;
use text::span::Span;

use crate::view::StatementView;

/// Values that a message quotes before it counts the rest.
const QUOTED: usize = 3;

/// A Deny statement on the path that is about the request's action or another one of SES, and
/// that does not match the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The statement.
    pub statement: StatementView,
    /// How narrowly its action element names the request's action.
    pub naming: Naming,
    /// Its elements in the order action, resource, conditions, whatever cannot be modelled.
    pub elements: Vec<Element>,
}

/// How narrowly an action element names an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// Not at all, or as all actions but some.
    None,
    /// With the actions of every service.
    General,
    /// With every action of its service.
    Service,
    /// With several actions of its service.
    Several,
    /// By its full name.
    Exact,
}

/// One element of a statement held against the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// What is compared with what.
    pub kind: ElementKind,
    /// Whether the element matches; where that is open, why.
    pub truth: Truth,
    /// The element's place in the policy document; of a list the place of its first entry.
    pub span: Span,
}

/// What an element wants and what the request has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElementKind {
    /// `Action`, or `NotAction` where `except`.
    Action {
        /// Whether the patterns are the exceptions.
        except: bool,
        /// The patterns.
        wanted: Vec<String>,
        /// The request's action.
        got: String,
    },
    /// `Resource`, or `NotResource` where `except`.
    Resource {
        /// Whether the patterns are the exceptions.
        except: bool,
        /// The patterns.
        wanted: Vec<String>,
        /// The request's resource.
        got: String,
    },
    /// One operator with one key.
    Condition {
        /// The operator with its prefix and suffix.
        operator: String,
        /// Whether the operator asks for presence alone.
        null: bool,
        /// The key as the policy spells it.
        key: String,
        /// The policy's values.
        wanted: Vec<String>,
        /// The request's values; `None` where the key is absent.
        got: Option<Vec<String>>,
    },
    /// Something in the statement that cannot be modelled; a sentence without a stop.
    Unmodelled(String),
}

impl NearMiss {
    /// The first element that does not match, and its position.
    #[must_use]
    pub fn first_miss(&self) -> Option<(usize, &Element)> {
        self.elements.iter().enumerate().find(|(_, element)| element.truth == Truth::No)
    }

    /// How many elements match.
    #[must_use]
    pub fn matching(&self) -> usize {
        self.elements.iter().filter(|element| element.truth == Truth::Yes).count()
    }

    /// Whether a key is absent that it asks for, or present against its will; such a statement
    /// is usually about other requests.
    #[must_use]
    pub fn differs_in_presence(&self) -> bool {
        self.elements.iter().any(|element| {
            element.truth == Truth::No
                && matches!(
                    element.kind,
                    ElementKind::Condition { got: None, .. }
                        | ElementKind::Condition { null: true, .. }
                )
        })
    }

    /// Whether the statement is, or may be, about the request's action.
    #[must_use]
    pub fn covers_action(&self) -> bool {
        self.elements.first().is_some_and(|action| action.truth != Truth::No)
    }

    /// What is open about the statement.
    pub fn open(&self) -> impl Iterator<Item = &Open> {
        self.elements.iter().flat_map(|element| match &element.truth {
            Truth::Open(reasons) => reasons.as_slice(),
            Truth::Yes | Truth::No => &[],
        })
    }
}

impl Element {
    /// What the element wants and what the request has instead; a sentence part without a stop,
    /// meant for an element that does not match.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.kind {
            ElementKind::Action { except: false, wanted, got } => {
                format!("is about {}, not `{got}`", quoted(wanted, "or"))
            }
            ElementKind::Action { except: true, wanted, got } => {
                format!("leaves out {} by NotAction, and so `{got}`", quoted(wanted, "or"))
            }
            ElementKind::Resource { except: false, wanted, got } => {
                format!("needs Resource {}, got `{got}`", quoted(wanted, "or"))
            }
            ElementKind::Resource { except: true, wanted, got } => {
                format!("leaves out {} by NotResource, and so `{got}`", quoted(wanted, "or"))
            }
            ElementKind::Condition { null: true, key, got: None, .. } => {
                format!("needs `{key}` to be present, but the request does not have it")
            }
            ElementKind::Condition { null: true, key, got: Some(got), .. } => {
                format!("needs `{key}` to be absent, got {}", quoted(got, "and"))
            }
            ElementKind::Condition { operator, key, wanted, got, .. } => {
                let wants = format!("needs `{key}` {operator} {}", quoted(wanted, "or"));
                match got {
                    Some(got) => format!("{wants}, got {}", quoted(got, "and")),
                    None => format!("{wants}, but the request does not have that key"),
                }
            }
            ElementKind::Unmodelled(message) => message.clone(),
        }
    }
}

/// `a`, `b` or `c` with that word before the last, and how many more there are.
fn quoted(values: &[String], word: &str) -> String {
    let shown: Vec<String> = values.iter().take(QUOTED).map(|value| format!("`{value}`")).collect();
    let more = values.len().saturating_sub(QUOTED);
    match (shown.as_slice(), more) {
        ([], _) => "nothing".to_owned(),
        (shown, 0) => match shown.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, before)) => format!("{} {word} {last}", before.join(", ")),
            None => String::new(),
        },
        (shown, more) => format!("{} {word} {more} more", shown.join(", ")),
    }
}

/// The Deny statements on the path of `account` that came near `witness`, the nearest first.
///
/// A statement comes near when its action element covers the request's action or names an action
/// of SES. Those that cover the action stand first, then those with fewer elements that do not
/// match, then those that do not differ in which keys are present, then those that name the action more narrowly,
/// then those of which more matches. Of a request that names several resources the first is
/// judged. Empty where no SCP is in force.
#[must_use]
pub fn near_misses(
    organization: &Organization,
    catalog: &KeyCatalog,
    account: AccountIdx,
    witness: &Witness,
) -> Vec<NearMiss> {
    let Some(request) = witness.requests().next().filter(|_| organization.scp_enabled) else {
        return Vec::new();
    };
    let judge = Judge { context: &request.context, readings: Readings::default(), catalog };
    let mut found: Vec<NearMiss> = Vec::new();
    for level in organization.levels(account) {
        for scp in level.scps {
            // What a policy denies, it denies at the first target already.
            if found.iter().any(|near| near.statement.policy == scp.policy) {
                continue;
            }
            let document = organization.document(scp.document);
            let Some(policy) = document.and_then(|document| document.policy()) else { continue };
            for (index, statement) in policy.statements.iter().enumerate() {
                if statement.effect != Effect::Deny || !is_near(statement, &request.action) {
                    continue;
                }
                found.push(NearMiss {
                    statement: StatementView {
                        policy: scp.policy,
                        target: level.target,
                        statement: index,
                        sid: statement.sid.clone(),
                    },
                    naming: naming(statement, &request.action),
                    elements: elements(statement, &request, &judge),
                });
            }
        }
    }
    found.sort_by_key(|near| {
        let missed = near.elements.iter().filter(|e| e.truth == Truth::No).count();
        let (naming, matching) = (Reverse(near.naming), Reverse(near.matching()));
        (!near.covers_action(), missed, near.differs_in_presence(), naming, matching)
    });
    found
}

fn is_near(statement: &Statement, action: &str) -> bool {
    let (Actions::Listed(patterns) | Actions::AllExcept(patterns)) = &statement.actions;
    let of_ses = |text: &str| text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("ses:"));
    action_matches(statement, action) != Truth::No
        || patterns.iter().any(|pattern| of_ses(&pattern.text))
}

fn naming(statement: &Statement, action: &str) -> Naming {
    let Actions::Listed(patterns) = &statement.actions else { return Naming::None };
    let matching = patterns.iter().filter(|p| matches_ignoring_case(&p.text, action));
    let narrow = |pattern: &str| match pattern.split_once(':') {
        None => Naming::General,
        Some((service, _)) if service.contains(['*', '?']) => Naming::General,
        Some((_, "*")) => Naming::Service,
        Some((_, name)) if name.contains(['*', '?']) => Naming::Several,
        Some(_) => Naming::Exact,
    };
    matching.map(|pattern| narrow(&pattern.text)).max().unwrap_or(Naming::None)
}

fn elements(statement: &Statement, request: &Request, judge: &Judge<'_>) -> Vec<Element> {
    let (except, actions) = match &statement.actions {
        Actions::Listed(list) => (false, list),
        Actions::AllExcept(list) => (true, list),
    };
    let mut elements = vec![Element {
        kind: ElementKind::Action {
            except,
            wanted: actions.iter().map(|pattern| pattern.text.clone()).collect(),
            got: request.action.clone(),
        },
        truth: action_matches(statement, &request.action),
        span: actions.first().map_or(statement.span, |pattern| pattern.span),
    }];
    let (except, resources) = match &statement.resources {
        Resources::Listed(list) => (false, list),
        Resources::AllExcept(list) => (true, list),
    };
    elements.push(Element {
        kind: ElementKind::Resource {
            except,
            wanted: resources.iter().map(|pattern| pattern.text.clone()).collect(),
            got: request.resource.clone(),
        },
        truth: resource_matches(statement, &request.resource, judge),
        span: resources.first().map_or(statement.span, |pattern| pattern.span),
    });
    for condition in &statement.conditions {
        let got = request.context.get(&condition.key).map(|value| match value {
            ContextValue::One(text) => vec![text.clone()],
            ContextValue::Many(texts) => texts.clone(),
        });
        elements.push(Element {
            kind: ElementKind::Condition {
                operator: condition.operator.to_string(),
                null: condition.operator.test.family() == Family::Null,
                key: condition.key.clone(),
                wanted: condition.values.iter().map(|value| value.text.clone()).collect(),
                got,
            },
            truth: match statement.condition_obstacle(condition) {
                Some(obstacle) => Truth::Open(vec![Open::from(obstacle)]),
                None => judge.condition(condition),
            },
            span: condition.span,
        });
    }
    let modelled: Vec<Span> = actions
        .iter()
        .map(|pattern| pattern.span)
        .chain(resources.iter().map(|pattern| pattern.span))
        .chain(statement.conditions.iter().map(|condition| condition.span))
        .collect();
    let outside = statement.obstacles.iter().filter(|obstacle| {
        !modelled.iter().any(|s| s.start <= obstacle.span.start && obstacle.span.end <= s.end)
    });
    elements.extend(outside.map(|obstacle| Element {
        kind: ElementKind::Unmodelled(obstacle.message.clone()),
        truth: Truth::Open(vec![Open::from(obstacle)]),
        span: obstacle.span,
    }));
    elements
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use policy::parse::{Limits, parse};
    use policy::request::Context;
    use serde_json::json;
    use support::organization::Snapshot;

    use super::*;
    use crate::model::catalog;

    /// The elements of a Deny statement against one request over SMTP.
    fn near(rest: &str) -> NearMiss {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny",{rest}}}}}"#);
        let policy = parse(&text, &Limits::default()).unwrap().policy;
        let statement = policy.statements.first().unwrap();
        let mut context = Context::default();
        context.set("ses:ApiVersion", "2");
        context.set_many("ses:Recipients", vec!["a@untrusted.invalid".to_owned()]);
        let action = "ses:SendRawEmail".to_owned();
        let request = Request { action, resource: "*".to_owned(), context };
        let catalog = catalog();
        let judge =
            Judge { context: &request.context, readings: Readings::default(), catalog: &catalog };
        let mut snapshot = Snapshot::new();
        snapshot.policy("p-00000000", "p", json!({"Statement": []}), &[]);
        let organization = organization::read(&snapshot.to_string(), &Limits::default()).unwrap();
        NearMiss {
            statement: StatementView {
                policy: organization.find_policy("p-00000000").unwrap(),
                target: organization::TargetIdx::ROOT,
                statement: 0,
                sid: None,
            },
            naming: naming(statement, &request.action),
            elements: elements(statement, &request, &judge),
        }
    }

    fn first(rest: &str) -> String {
        near(rest).first_miss().unwrap().1.message()
    }

    #[test]
    fn the_first_element_that_does_not_match_says_what_it_wants_and_gets() {
        let cases = [
            (
                r#""Action":"ses:SendEmail","Resource":"*""#,
                "is about `ses:SendEmail`, not `ses:SendRawEmail`",
            ),
            (
                r#""NotAction":"ses:*","Resource":"*""#,
                "leaves out `ses:*` by NotAction, and so `ses:SendRawEmail`",
            ),
            (
                r#""Action":"ses:*","Resource":["arn:aws:ses:*:*:identity/a","arn:aws:ses:*:*:identity/b"]"#,
                "needs Resource `arn:aws:ses:*:*:identity/a` or `arn:aws:ses:*:*:identity/b`, got `*`",
            ),
            (
                r#""Action":"ses:*","Resource":"*","Condition":{"StringEquals":{"ses:apiversion":"1"}}"#,
                "needs `ses:apiversion` StringEquals `1`, got `2`",
            ),
            (
                r#""Action":"ses:*","Resource":"*","Condition":{"StringLike":{"ses:FromAddress":["a","b","c","d","e"]}}"#,
                "needs `ses:FromAddress` StringLike `a`, `b`, `c` or 2 more, but the request does not have that key",
            ),
            (
                r#""Action":"ses:*","Resource":"*","Condition":{"Null":{"ses:Recipients":"true"}}"#,
                "needs `ses:Recipients` to be absent, got `a@untrusted.invalid`",
            ),
        ];
        for (statement, wanted) in cases {
            assert_eq!(first(statement), wanted);
        }
    }

    #[test]
    fn what_cannot_be_modelled_is_open_and_never_counts_as_matching() {
        let near = near(
            r#""Action":"ses:SendEmail","Resource":"*","Condition":{"StringIs":{"ses:ApiVersion":"2"}}"#,
        );
        assert_eq!((near.matching(), near.elements.len()), (1, 3));
        let open: Vec<&str> = near.open().map(|open| open.message.as_str()).collect();
        assert_eq!(open, ["unknown condition operator `StringIs`"]);
    }

    #[test]
    fn an_action_is_named_as_narrowly_as_the_narrowest_pattern_that_covers_it() {
        let of = |action: &str| near(&format!(r#""Action":{action},"Resource":"*""#)).naming;
        assert_eq!(of(r#""*""#), Naming::General);
        assert_eq!(of(r#"["*","ses:*"]"#), Naming::Service);
        assert_eq!(of(r#"["ses:Send*","ses:SendEmail"]"#), Naming::Several);
        assert_eq!(of(r#"["ses:sendrawemail","*"]"#), Naming::Exact);
        assert_eq!(of(r#""ses:SendEmail""#), Naming::None);
    }
}
