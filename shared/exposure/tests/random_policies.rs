//! Random resource-based policies: the verdicts against a list of every request of a small world.
//!
//! The list has its own reading of principal elements, straight from the JSON, and leaves actions,
//! resources and conditions to the plain evaluator.
#![allow(clippy::print_stderr, reason = "the counts say how much was compared")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::sync::atomic::{AtomicUsize, Ordering};

use exposure::{Checker, ExposureControl, Inside};
use policy::condition::Readings;
use policy::evaluate::{Outcome, Stack, evaluate};
use policy::keys::KeyCatalog;
use policy::model::{Effect, Policy};
use policy::parse::{Limits, parse};
use policy::request::{Context, ContextValue, Request};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use ses_perimeter::perimeter::{self, Perimeter};
use ses_perimeter::report::{Caller, Permitted, Verdict, Why};
use ses_perimeter::table::{self, Api};

const ORGANIZATION: &str = "o-caseorg0001";
const PARTNER: &str = "o-partnerorg1";
const OWN: &str = "222222222222";
const INSIDE: [&str; 3] = ["111111111111", OWN, "333333333333"];
/// Outside: two that policies name, two that fit a pattern, one that nobody speaks of.
const OUTSIDE: [&str; 5] =
    ["444455556666", "777788889999", "444400000000", "222200000000", "999999999999"];
const SERVICES: [&str; 2] = ["a.amazonaws.com", "b.amazonaws.com"];
const IDENTITY: &str = "arn:aws:ses:us-east-1:222222222222:identity/example.com";
const BUDGET: u64 = 2_000_000;
const MOMENT: i64 = 1_795_392_000;

/// How many cases each suite runs; `PROPTEST_CASES`, where set, is meant for the first.
fn config(cases: u32) -> ProptestConfig {
    let base = ProptestConfig::default();
    let asked = if std::env::var_os("PROPTEST_CASES").is_some() { base.cases } else { 1200 };
    let cases = u32::try_from(u64::from(asked) * u64::from(cases) / 1200).unwrap_or(asked).max(1);
    ProptestConfig { cases, max_shrink_iters: 500, failure_persistence: None, ..base }
}

fn tapes() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 20..90)
}

/// A tape of choices; past its end every choice is the first.
struct Tape<'a> {
    choices: &'a [u16],
    at: usize,
}

impl Tape<'_> {
    fn below(&mut self, bound: usize) -> usize {
        let choice = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(choice) % bound
    }

    fn rarely(&mut self, in_how_many: usize) -> bool {
        self.below(in_how_many) == in_how_many - 1
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// What the policies hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Identity,
    EndpointPrincipals,
    EndpointResources,
}

impl Kind {
    fn control(self) -> ExposureControl {
        match self {
            Self::Identity => ExposureControl::IdentityPolicies,
            Self::EndpointPrincipals => ExposureControl::EndpointPrincipals,
            Self::EndpointResources => ExposureControl::EndpointResources,
        }
    }

    fn inside(self) -> bool {
        self == Self::EndpointResources
    }
}

// The generator.

fn arns(account: &str) -> Vec<String> {
    ["role/app", "role/team/app", "role/other", "user/anna", "root"]
        .map(|rest| format!("arn:aws:iam::{account}:{rest}"))
        .into()
}

fn session(account: &str) -> String {
    format!("arn:aws:sts::{account}:assumed-role/app/nightly")
}

fn principal(tape: &mut Tape<'_>, kind: Kind) -> Value {
    let one = |tape: &mut Tape<'_>| -> String {
        let account = tape.pick(&["444455556666", OWN, "777788889999", "333333333333"]);
        match tape.below(8) {
            0..=2 => account.to_owned(),
            3 => format!("arn:aws:iam::{account}:root"),
            4 => tape.pick(&arns(account)[..4]),
            5 => session(account),
            6 => "AROAEXAMPLEROLEID0001".to_owned(),
            _ => format!("arn:aws:iam::{account}:role/app"),
        }
    };
    match tape.below(12) {
        0..=2 => json!("*"),
        3 => json!({"AWS": "*"}),
        4..=6 => json!({"AWS": one(tape)}),
        7 | 8 => json!({"AWS": [one(tape), one(tape)]}),
        9 if kind == Kind::Identity => json!({"Service": tape.pick(&SERVICES)}),
        10 if kind == Kind::Identity => {
            json!({"Service": tape.pick(&SERVICES), "AWS": [one(tape)]})
        }
        11 if tape.rarely(3) => tape.pick(&[
            json!({"Federated": "x.example"}),
            json!({"AWS": "arn:aws:iam::444455556666:role/*"}),
            json!({}),
            json!("444455556666"),
        ]),
        _ => json!({"AWS": [one(tape), one(tape), one(tape)]}),
    }
}

type Choice = (&'static str, &'static [&'static str], &'static [&'static str]);

const TEXT: &[&str] = &["StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringLike"];
const KEYS: &[Choice] = &[
    ("aws:PrincipalOrgID", TEXT, &[ORGANIZATION, PARTNER]),
    (
        "aws:PrincipalAccount",
        &["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"],
        &[OWN, "444455556666", "333333333333", "4444*", "2222*", "777788889999"],
    ),
    (
        "aws:PrincipalArn",
        &["ArnLike", "ArnNotLike", "ArnEquals", "StringLike", "ArnLikeIfExists"],
        &[
            "arn:aws:iam::444455556666:role/*",
            "arn:aws:iam::*:role/app",
            "arn:aws:iam::222222222222:*",
            "arn:aws:iam::*:user/anna",
        ],
    ),
    ("aws:PrincipalIsAWSService", &["Bool", "BoolIfExists"], &["true", "false"]),
    (
        "aws:SourceAccount",
        &["StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringLike", "Null"],
        &[OWN, "444455556666", "4444*", "true", "false"],
    ),
    (
        "aws:SourceArn",
        &["ArnLike", "ArnNotLike", "ArnLikeIfExists"],
        &["arn:aws:x:*:222222222222:*", "arn:aws:x:*:444455556666:*", "arn:aws:x:*:*:pool"],
    ),
    ("ses:FromAddress", TEXT, &["a@example.com", "*@example.com"]),
    ("ses:ApiVersion", &["StringEquals", "StringNotEquals"], &["1", "2"]),
    (
        "ses:Recipients",
        &["ForAnyValue:StringLike", "ForAllValues:StringLike", "ForAnyValue:StringNotLike", "Null"],
        &["*@example.com", "true", "false"],
    ),
    ("aws:ResourceOrgID", TEXT, &[ORGANIZATION, PARTNER]),
    (
        "aws:ResourceAccount",
        &["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists"],
        &[OWN, "333333333333", "444455556666", "4444*"],
    ),
];

fn condition(tape: &mut Tape<'_>, palette: &[Choice]) -> (&'static str, &'static str, Value) {
    let (key, operators, values) = tape.pick(palette);
    let operator = tape.pick(operators);
    let fits = |value: &&&str| (operator == "Null") == matches!(**value, "true" | "false");
    let bool_key = operator.starts_with("Bool");
    let values: Vec<&str> =
        values.iter().filter(|value| bool_key || fits(value)).copied().collect();
    let value = if tape.rarely(3) && operator != "Null" && !bool_key {
        json!([tape.pick(&values), tape.pick(&values)])
    } else {
        json!(tape.pick(&values))
    };
    (operator, key, value)
}

fn statement(tape: &mut Tape<'_>, kind: Kind, palette: &[Choice]) -> Value {
    let mut statement = Map::new();
    let effect = if tape.below(5) < 3 { "Allow" } else { "Deny" };
    statement.insert("Effect".to_owned(), json!(effect));
    let element = if tape.rarely(14) { "NotPrincipal" } else { "Principal" };
    statement.insert(element.to_owned(), principal(tape, kind));
    let actions = [
        json!("ses:*"),
        json!("ses:SendEmail"),
        json!(["ses:SendRawEmail", "ses:SendBulkEmail"]),
        json!("ses:Send*"),
        json!("*"),
        json!("ses:GetEmailIdentity"),
    ];
    statement.insert("Action".to_owned(), tape.pick(&actions));
    let resources: &[Value] = &match kind {
        Kind::Identity => [
            json!("*"),
            json!("*"),
            json!(IDENTITY),
            json!("arn:aws:ses:*:222222222222:identity/*"),
            json!("arn:aws:ses:us-east-1:222222222222:identity/other.example"),
        ],
        Kind::EndpointPrincipals | Kind::EndpointResources => [
            json!("*"),
            json!("*"),
            json!("arn:aws:ses:*:222222222222:*"),
            json!(["arn:aws:ses:*:222222222222:*", "arn:aws:ses:*:333333333333:*"]),
            json!(["arn:aws:ses:*:444455556666:identity/*", "arn:aws:ses:*:222222222222:*"]),
        ],
    };
    statement.insert("Resource".to_owned(), tape.pick(resources));
    let mut block: Map<String, Value> = Map::new();
    for _ in 0..[0, 1, 1, 2][tape.below(4)] {
        let (operator, key, values) = condition(tape, palette);
        let keys = block.entry(operator).or_insert_with(|| json!({}));
        keys.as_object_mut().unwrap().entry(key).or_insert(values);
    }
    if !block.is_empty() {
        statement.insert("Condition".to_owned(), Value::Object(block));
    }
    Value::Object(statement)
}

fn policies(tape: &mut Tape<'_>, kind: Kind) -> Vec<Value> {
    let palette: Vec<Choice> = (0..3).map(|_| tape.pick(KEYS)).collect();
    let count = if kind == Kind::Identity && tape.rarely(4) { 2 } else { 1 };
    (0..count)
        .map(|_| {
            let statements = 1 + tape.below(4);
            let list: Vec<Value> =
                (0..statements).map(|_| statement(tape, kind, &palette)).collect();
            json!({"Version": "2012-10-17", "Statement": list})
        })
        .collect()
}

// The list.

#[derive(Debug, Clone)]
struct Who {
    account: String,
    arn: String,
    session: Option<String>,
    service: Option<&'static str>,
}

fn callers(kind: Kind) -> Vec<Who> {
    let accounts: &[&str] = if kind.inside() { &INSIDE } else { &OUTSIDE };
    let mut callers = Vec::new();
    for account in accounts {
        for arn in arns(account) {
            let sessions =
                if arn.ends_with("/app") { vec![None, Some(session(account))] } else { vec![None] };
            callers.extend(sessions.into_iter().map(|session| Who {
                account: (*account).to_owned(),
                arn: arn.clone(),
                session,
                service: None,
            }));
        }
    }
    if kind == Kind::Identity {
        for service in [SERVICES[0], SERVICES[1], "c.amazonaws.com"] {
            callers.push(Who {
                account: String::new(),
                arn: String::new(),
                session: None,
                service: Some(service),
            });
        }
    }
    callers
}

/// Whether a principal element covers a caller; `None` where nobody knows.
fn covers(principal: &Value, caller: &Who) -> Option<bool> {
    let Some(kinds) = principal.as_object() else {
        return (principal == "*").then_some(true);
    };
    if kinds.is_empty() {
        return None;
    }
    let mut answer = Some(false);
    for (kind, values) in kinds {
        let list = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
        for value in list {
            let text = value.as_str().unwrap().to_owned();
            let one = match kind.as_str() {
                "Service" => Some(caller.service == Some(text.as_str())),
                "AWS" if text == "*" => Some(true),
                "AWS" if text.contains('*') => None,
                "AWS" if caller.service.is_some() => Some(false),
                "AWS" => Some(
                    text == caller.account
                        || text == format!("arn:aws:iam::{}:root", caller.account)
                        || text == caller.arn
                        || caller.session.as_ref() == Some(&text),
                ),
                _ => None,
            };
            answer = match (answer, one) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, _) | (_, None) => None,
                (Some(false), Some(false)) => Some(false),
            };
        }
    }
    answer
}

/// The statements that are about a caller, as policies without principals: those that are for
/// certain, and those that may be. An uncertain Allow is only in the second, an uncertain Deny only
/// in the first.
fn for_caller(documents: &[Value], caller: &Who) -> [Vec<Policy>; 2] {
    let read = |generous: bool| {
        documents
            .iter()
            .filter_map(|document| {
                let mut list = Vec::new();
                for statement in document["Statement"].as_array().unwrap() {
                    let known = match (statement.get("Principal"), statement.get("NotPrincipal")) {
                        (Some(principal), None) => covers(principal, caller),
                        _ => None,
                    };
                    let allow = statement["Effect"] == "Allow";
                    if known.unwrap_or(allow == generous) {
                        let mut bare = statement.clone();
                        bare.as_object_mut().unwrap().remove("Principal");
                        bare.as_object_mut().unwrap().remove("NotPrincipal");
                        list.push(bare);
                    }
                }
                let text = json!({"Version": "2012-10-17", "Statement": list}).to_string();
                (!list.is_empty()).then(|| parse(&text, &Limits::default()).unwrap().policy)
            })
            .collect::<Vec<_>>()
    };
    [read(false), read(true)]
}

fn lists(action: &str, api: Api, key: &str) -> bool {
    table::action(action).is_some_and(|info| info.requirements(api).condition_keys.contains(&key))
}

/// Whether any policy speaks of a key.
fn speaks_of(documents: &[Value], key: &str) -> bool {
    documents.iter().any(|document| document.to_string().contains(&format!("\"{key}\"")))
}

/// Every value that a key takes, `None` for absence; one plain value where nobody asks.
fn values(
    documents: &[Value],
    key: &str,
    all: &[Option<&'static str>],
) -> Vec<Option<&'static str>> {
    if speaks_of(documents, key) { all.to_vec() } else { all[..1].to_vec() }
}

fn contexts(documents: &[Value], kind: Kind, caller: &Who) -> Vec<Context> {
    let mut base = Context::default();
    base.set("aws:SecureTransport", "true");
    let mut contexts = vec![base];
    let spread = |contexts: &mut Vec<Context>, key: &str, values: &[Option<String>]| {
        *contexts = contexts
            .iter()
            .flat_map(|context| {
                values.iter().map(move |value| {
                    let mut context = context.clone();
                    if let Some(value) = value {
                        context.set(key, value.clone());
                    }
                    context
                })
            })
            .collect();
    };
    let owned = |values: Vec<Option<&str>>| -> Vec<Option<String>> {
        values.into_iter().map(|value| value.map(str::to_owned)).collect()
    };
    if let Some(service) = caller.service {
        spread(&mut contexts, "aws:PrincipalIsAWSService", &[Some("true".to_owned())]);
        spread(&mut contexts, "aws:PrincipalServiceName", &[Some(service.to_owned())]);
        // Account and ARN of the source go together.
        let asked =
            speaks_of(documents, "aws:SourceAccount") || speaks_of(documents, "aws:SourceArn");
        let accounts: Vec<&str> = if asked { OUTSIDE.into() } else { OUTSIDE[..1].into() };
        let mut all = Vec::new();
        for context in &contexts {
            all.push(context.clone());
            for account in &accounts {
                let mut with_account = context.clone();
                with_account.set("aws:SourceAccount", *account);
                for context in [context, &with_account] {
                    for source in [
                        format!("arn:aws:x:us-east-1:{account}:pool"),
                        format!("arn:aws:x:us-east-1:{account}:other"),
                        format!("arn:aws:y:us-east-1:{account}:pool"),
                        "arn:aws:x:::pool".to_owned(),
                        "arn:aws:y:::other".to_owned(),
                    ] {
                        let mut context = context.clone();
                        context.set("aws:SourceArn", source);
                        all.push(context);
                    }
                }
                all.push(with_account);
            }
        }
        contexts = all;
    } else {
        spread(&mut contexts, "aws:PrincipalIsAWSService", &[Some("false".to_owned())]);
        spread(&mut contexts, "aws:PrincipalAccount", &[Some(caller.account.clone())]);
        spread(&mut contexts, "aws:PrincipalArn", &[Some(caller.arn.clone())]);
        let organizations = if kind.inside() {
            vec![Some(ORGANIZATION)]
        } else {
            values(documents, "aws:PrincipalOrgID", &[None, Some(PARTNER), Some("o-otherorg0001")])
        };
        spread(&mut contexts, "aws:PrincipalOrgID", &owned(organizations));
    }
    let resource: &[Option<&'static str>] = match kind {
        Kind::Identity => &[None, Some(ORGANIZATION)],
        Kind::EndpointPrincipals => {
            &[None, Some(ORGANIZATION), Some(PARTNER), Some("o-otherorg0001")]
        }
        Kind::EndpointResources => &[None, Some(PARTNER), Some("o-otherorg0001")],
    };
    spread(
        &mut contexts,
        "aws:ResourceOrgID",
        &owned(values(documents, "aws:ResourceOrgID", resource)),
    );
    contexts
}

const CALLS: [(Api, &str, &str); 9] = [
    (Api::V2, "ses:SendEmail", "2"),
    (Api::V1, "ses:SendEmail", "1"),
    (Api::V1, "ses:SendRawEmail", "1"),
    (Api::Smtp, "ses:SendRawEmail", "2"),
    (Api::V1, "ses:SendTemplatedEmail", "1"),
    (Api::V2, "ses:SendBulkEmail", "2"),
    (Api::V1, "ses:SendBounce", "1"),
    (Api::V2, "ses:GetEmailIdentity", "2"),
    // Nobody says which version the Pinpoint Email interface has.
    (Api::PinpointEmail, "ses:GetEmailIdentity", "1"),
];

fn requests(documents: &[Value], kind: Kind, caller: &Who) -> Vec<Request> {
    let mut found = Vec::new();
    let contexts = contexts(documents, kind, caller);
    for (api, action, version) in CALLS {
        if action == "ses:GetEmailIdentity" && kind == Kind::Identity {
            continue;
        }
        let from: &[Option<&'static str>] = if lists(action, api, "ses:FromAddress") {
            &[
                None,
                Some("a@example.com"),
                Some("b@example.com"),
                Some("*@example.com"),
                Some("c@other.example"),
            ]
        } else {
            &[None]
        };
        let to: &[&[&str]] = if lists(action, api, "ses:Recipients") {
            &[&["x@evil.example"], &["a@example.com"], &["a@example.com", "x@evil.example"]]
        } else {
            &[&[]]
        };
        let to = if speaks_of(documents, "ses:Recipients") { to } else { &to[..1] };
        let resources: Vec<(String, &str)> = match kind {
            Kind::Identity => vec![(IDENTITY.to_owned(), OWN)],
            Kind::EndpointPrincipals => {
                ["222222222222", "333333333333", "444455556666", "999999999999"]
                    .map(|owner| {
                        (format!("arn:aws:ses:us-east-1:{owner}:identity/x.example"), owner)
                    })
                    .into()
            }
            Kind::EndpointResources => OUTSIDE
                .map(|owner| (format!("arn:aws:ses:us-east-1:{owner}:identity/x.example"), owner))
                .into(),
        };
        // Where it is open whether the key is there, both.
        let with_owner: &[bool] =
            if kind == Kind::EndpointResources { &[true] } else { &[false, true] };
        let with_owner =
            if speaks_of(documents, "aws:ResourceAccount") { with_owner } else { &with_owner[..1] };
        for context in &contexts {
            for from in values(documents, "ses:FromAddress", from) {
                for to in to {
                    for (resource, owner) in &resources {
                        for with_owner in with_owner {
                            let mut context = context.clone();
                            if lists(action, api, "ses:ApiVersion") {
                                context.set("ses:ApiVersion", version);
                            }
                            if let Some(from) = from {
                                context.set("ses:FromAddress", from);
                            }
                            if !to.is_empty() {
                                let to = to.iter().map(|one| (*one).to_owned()).collect();
                                context.set_many("ses:Recipients", to);
                            }
                            if *with_owner {
                                context.set("aws:ResourceAccount", *owner);
                            }
                            let (action, resource) = (action.to_owned(), resource.clone());
                            found.push(Request { action, resource, context });
                        }
                    }
                }
            }
        }
    }
    found
}

fn outcomes(policies: &[Policy], request: &Request, catalog: &KeyCatalog) -> (bool, bool) {
    let stack = Stack { levels: vec![policies.iter().collect()] };
    match evaluate(&stack, request, Readings::default(), catalog).outcome {
        Outcome::Permitted => return (true, true),
        Outcome::Denied => return (false, false),
        Outcome::Open => {}
    }
    let found: Vec<Outcome> = Readings::every()
        .map(|readings| evaluate(&stack, request, readings, catalog).outcome)
        .collect();
    let every = found.iter().all(|outcome| *outcome == Outcome::Permitted);
    (every, found.iter().any(|outcome| *outcome != Outcome::Denied))
}

/// A request that is permitted for certain, and one that may be.
fn listed(
    documents: &[Value],
    kind: Kind,
    catalog: &KeyCatalog,
) -> (Option<Request>, Option<Request>) {
    let mut possible = None;
    for caller in callers(kind) {
        let [certain, generous] = for_caller(documents, &caller);
        let mut statements = generous.iter().flat_map(|policy| &policy.statements);
        if !statements.any(|statement| statement.effect == Effect::Allow) {
            continue;
        }
        for request in requests(documents, kind, &caller) {
            let (_, may) = outcomes(&generous, &request, catalog);
            if may && outcomes(&certain, &request, catalog).0 {
                return (Some(request.clone()), Some(request));
            }
            if may && possible.is_none() {
                possible = Some(request);
            }
        }
    }
    (None, possible)
}

// The comparison.

fn world() -> (Inside, Perimeter) {
    let inside = Inside {
        organization: ORGANIZATION.to_owned(),
        partition: "aws".to_owned(),
        management_account: INSIDE[0].to_owned(),
        accounts: INSIDE
            .iter()
            .map(|id| ((*id).to_owned(), format!("{ORGANIZATION}/r-case/")))
            .collect(),
    };
    (inside, perimeter::parse("[trusted]\nrecipients = [\"*@example.com\"]\n").unwrap())
}

fn check(documents: &[Value], kind: Kind) -> (Verdict, KeyCatalog) {
    let text = |document: &Value| json!(document.to_string());
    let mut region = json!({
        "region": "us-east-1", "status": "read", "sentLastTwoWeeks": 0,
        "sending": {
            "enabled": true, "productionAccess": true, "enforcementStatus": "HEALTHY",
            "quota": {"max24Hour": 200, "maxSendRate": 1, "sentLast24Hours": 0},
        },
        "identities": [], "mailManager": {"available": false}, "vpcEndpoints": [],
    });
    match kind {
        Kind::Identity => {
            let policies: Vec<Value> =
                documents.iter().map(|d| json!({"name": "p", "text": text(d)})).collect();
            region["identities"] = json!([{
                "name": "example.com", "kind": "DOMAIN", "verified": true, "policies": policies,
            }]);
        }
        Kind::EndpointPrincipals | Kind::EndpointResources => {
            region["vpcEndpoints"] = json!([{
                "id": "vpce-1", "service": "com.amazonaws.us-east-1.email", "vpc": "vpc-1",
                "state": "available", "policy": text(&documents[0]),
            }]);
        }
    }
    let section = json!({
        "exposureVersion": 1,
        "accounts": [{"account": OWN, "readAt": "2026-11-23T00:00:00Z", "regions": [region]}],
    });
    let section = exposure::read(&section.to_string()).unwrap();
    let (inside, perimeter) = world();
    let mut checker = Checker::new(&inside, &perimeter, &["us-east-1"], MOMENT, BUDGET);
    let verdict = checker.check(kind.control(), OWN, section.accounts.first());
    (verdict, checker.catalog().clone())
}

/// Why the one who makes a request is not of the side that was asked about.
fn misplaced(request: &Permitted, kind: Kind) -> Option<String> {
    let single = |key: &str| request.witness.single(key).map(str::to_owned);
    let inside = |account: &str| INSIDE.contains(&account);
    match &request.by {
        Caller::Aws { account, arn, .. } => {
            let parts: Vec<&str> = arn.split(':').collect();
            let agree = parts.get(4) == Some(&account.as_str())
                && single("aws:PrincipalAccount").as_deref() == Some(account)
                && single("aws:PrincipalArn").as_deref() == Some(arn);
            let own = single("aws:PrincipalOrgID").as_deref() == Some(ORGANIZATION);
            let paths = request.witness.context.get("aws:PrincipalOrgPaths");
            let path = ContextValue::Many(vec![format!("{ORGANIZATION}/r-case/")]);
            if kind.inside() && paths != Some(&path) {
                return Some(format!("{arn} in {paths:?}"));
            }
            if !agree || inside(account) != kind.inside() || own != kind.inside() {
                return Some(format!("{arn} of {account}"));
            }
        }
        Caller::Service { name, account } => {
            if kind != Kind::Identity
                || account.as_deref().is_some_and(inside)
                || single("aws:PrincipalServiceName").as_deref() != Some(name)
                || single("aws:SourceOrgID").as_deref() == Some(ORGANIZATION)
            {
                return Some(format!("{name} for {account:?}"));
            }
        }
    }
    let owner = request.witness.resource.split(':').nth(4).unwrap_or_default();
    match kind {
        Kind::Identity => (request.witness.resource != IDENTITY).then(|| "another identity".into()),
        Kind::EndpointPrincipals => None,
        Kind::EndpointResources => inside(owner).then(|| format!("a resource of {owner}")),
    }
}

/// Whether the list has the call and the caller of a witness: then it must find one as well. Its
/// ARNs and accounts are few, those of the prover are all there are.
fn in_list(request: &Permitted, kind: Kind) -> bool {
    let call = CALLS.iter().any(|(_, action, _)| *action == request.witness.action);
    let caller = match &request.by {
        Caller::Aws { arn, .. } => callers(kind).iter().any(|caller| caller.arn == *arn),
        Caller::Service { account, .. } => {
            account.as_deref().is_none_or(|account| OUTSIDE.contains(&account))
        }
    };
    call && caller
}

/// Whether the statements that the list has for the caller permit the witness.
fn replays(documents: &[Value], request: &Permitted, catalog: &KeyCatalog) -> bool {
    let caller = match &request.by {
        Caller::Aws { account, arn, session } => Who {
            account: account.clone(),
            arn: arn.clone(),
            session: session.clone(),
            service: None,
        },
        Caller::Service { name, .. } => Who {
            account: String::new(),
            arn: String::new(),
            session: None,
            service: Some(
                SERVICES.into_iter().find(|known| known == name).unwrap_or("c.amazonaws.com"),
            ),
        },
    };
    let [certain, _] = for_caller(documents, &caller);
    request.witness.requests().all(|request| outcomes(&certain, &request, catalog).0)
}

/// How often each verdict was given in one suite.
#[derive(Default)]
struct Counts {
    passed: AtomicUsize,
    failed: AtomicUsize,
    undecided: AtomicUsize,
}

fn compare(tape: &[u16], kind: Kind, counts: &Counts) {
    let documents = policies(&mut Tape { choices: tape, at: 0 }, kind);
    let (verdict, catalog) = check(&documents, kind);
    let (certain, possible) = listed(&documents, kind, &catalog);
    let told = || {
        format!(
            "{kind:?}\n{}\n{verdict:?}\ncertain {certain:?}\npossible {possible:?}",
            serde_json::to_string(&documents).unwrap()
        )
    };
    match &verdict {
        Verdict::InOrder(_) => {
            counts.passed.fetch_add(1, Ordering::Relaxed);
            assert!(possible.is_none(), "false PASSED\n{}", told());
        }
        Verdict::Faults(failures) => {
            counts.failed.fetch_add(1, Ordering::Relaxed);
            let request = failures[0].request.as_ref().unwrap();
            if let Some(reason) = misplaced(request, kind) {
                panic!("the witness is not on that side: {reason}\n{}", told());
            }
            assert!(replays(&documents, request, &catalog), "false witness\n{}", told());
            if in_list(request, kind) {
                assert!(possible.is_some(), "the list has a hole\n{}", told());
            }
        }
        Verdict::Undecided(reasons) => {
            let reasons: Vec<&String> = reasons
                .iter()
                .map(|why| {
                    let Why::InAccount(text) = why else { panic!("{why:?}\n{}", told()) };
                    text
                })
                .collect();
            counts.undecided.fetch_add(1, Ordering::Relaxed);
            for defect in ["defect", "steps", "too many accounts"] {
                assert!(!reasons.iter().any(|r| r.contains(defect)), "{defect}\n{}", told());
            }
            let contradiction = reasons.iter().any(|reason| reason.contains("contradict"));
            assert!(certain.is_none() || contradiction, "a witness was missed\n{}", told());
        }
        Verdict::NotApplicable(_) | Verdict::Passed(_) | Verdict::Failed { .. } => {
            panic!("applicable\n{}", told())
        }
    }
}

fn run(suite: &str, cases: u32, kind: Kind) {
    let counts = Counts::default();
    let mut runner = proptest::test_runner::TestRunner::new(config(cases));
    runner
        .run(&tapes(), |tape| {
            compare(&tape, kind, &counts);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    let (passed, failed, undecided) =
        (of(&counts.passed), of(&counts.failed), of(&counts.undecided));
    let all = passed + failed + undecided;
    eprintln!("{suite}: {all} compared, {passed} PASSED, {failed} FAILED, {undecided} UNDECIDED");
    // A menu that leads to one verdict alone would compare nothing.
    assert!(all < 100 || (passed * 10 >= all && failed * 10 >= all), "one-sided");
}

#[test]
fn identity_policies_are_decided_as_listing_every_request_shows() {
    run("identity policies", 1200, Kind::Identity);
}

#[test]
fn principals_at_endpoints_are_decided_as_listing_every_request_shows() {
    run("principals at endpoints", 300, Kind::EndpointPrincipals);
}

#[test]
fn resources_at_endpoints_are_decided_as_listing_every_request_shows() {
    run("resources at endpoints", 300, Kind::EndpointResources);
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn another_deny_never_permits_more(tape in tapes(), other in tapes(), which in 0..3_usize) {
        let kind = [Kind::Identity, Kind::EndpointPrincipals, Kind::EndpointResources][which];
        let mut documents = policies(&mut Tape { choices: &tape, at: 0 }, kind);
        let before = check(&documents, kind).0.status().name();
        let mut more = statement(&mut Tape { choices: &other, at: 0 }, kind, KEYS);
        more["Effect"] = json!("Deny");
        documents[0]["Statement"].as_array_mut().unwrap().push(more);
        let after = check(&documents, kind).0.status().name();
        prop_assert!(before != "PASSED" || after == "PASSED", "{} {:?}", after, documents);
        prop_assert!(before != "UNDECIDED" || after != "FAILED", "{} {:?}", after, documents);
    }
}
