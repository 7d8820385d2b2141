//! The decision procedure against the plain evaluator: a stack of policies is built from the
//! input, a control's path is decided, and requests built from the same input are evaluated.
//! A proof admits none of them; a refutation replays; the two never disagree.

use policy::evaluate::{Stack, permitted_for_certain};
use policy::model::Policy;
use policy::parse::{Limits, parse};
use policy::request::{Context, Request};
use prover::applicable::Applicable;
use prover::{Obstacle, Prover, Verdict};
use ses_perimeter::ask::{AccountsInside, Circumstances, decide_path};
use ses_perimeter::control::{ControlId, paths};
use ses_perimeter::facts::AccountFacts;
use ses_perimeter::{model, perimeter};

/// The moment of the evaluation: requests are made from then on.
const MOMENT: i64 = 1_795_392_000;

/// Takes choices off the input.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn below(&mut self, bound: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % bound
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }

    fn list(&mut self, all: &[&str]) -> String {
        let count = 1 + self.below(3);
        let quoted: Vec<String> = (0..count).map(|_| format!("\"{}\"", self.of(all))).collect();
        format!("[{}]", quoted.join(","))
    }
}

const ACTIONS: &[&str] = &[
    "*",
    "ses:*",
    "ses:SendEmail",
    "ses:Send*",
    "ses:SendRaw?mail",
    "SES:sendrawemail",
    "s3:*",
    "iam:*",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:ses:*:*:identity/*",
    "arn:aws:ses:*",
    "arn:aws:ses:eu-west-1:*:identity/*",
    "arn:aws:ses:*:222222222222:*",
    "arn:aws:ses:*:*:identity/*.com",
    "*:identity/*",
    "arn:aws:ses:*:${aws:PrincipalAccount}:*",
];
const KEYS: &[(&str, &[&str])] = &[
    ("ses:Recipients", &["*@a.example", "*@b.example", "x@*", "*", "*@*.example", "y@b.example"]),
    ("ses:ApiVersion", &["1", "2", "?", "3", "*"]),
    ("ses:FromAddress", &["*@a.example", "x@a.example", "X*", "*"]),
    (
        "aws:PrincipalTag/team",
        &[
            "a",
            "b",
            "a*",
            "?b",
            "5",
            "true",
            "TRUE",
            "${aws:PrincipalAccount}",
            "${aws:PrincipalTag/other}",
            "${aws:PrincipalTag/other, 'a'}",
            "${*}",
        ],
    ),
    ("aws:principaltag/Other", &["a", "b", "*"]),
    (
        "aws:PrincipalArn",
        &[
            "arn:aws:iam::*:role/app",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::222222222222:root",
            "*",
            "arn:aws:iam::*:user/?*",
            "short",
        ],
    ),
    ("aws:PrincipalType", &["User", "AssumedRole", "Account", "*User"]),
    ("aws:RequestedRegion", &["us-east-1", "eu-*", "*"]),
    ("aws:SourceIp", &["198.51.100.0/24", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "nonsense"]),
    ("aws:SourceVpc", &["vpc-1", "vpc-*"]),
    ("aws:VpceOrgID", &["o-exampleorgid", "o-*"]),
    ("aws:ViaAWSService", &["true", "false", "True"]),
    ("aws:CalledVia", &["a.amazonaws.com", "b*"]),
    ("aws:CurrentTime", &["2026-01-01T00:00:00Z", "2030-01-01", "1767225600"]),
    ("aws:EpochTime", &["1767225600", "1900000000"]),
    ("aws:MultiFactorAuthAge", &["300", "3600.5", "x"]),
    ("aws:ResourceAccount", &["222222222222", "2*", "${aws:PrincipalAccount}"]),
    ("aws:ResourceOrgID", &["o-exampleorgid", "o-*"]),
    ("aws:PrincipalOrgID", &["o-exampleorgid", "o-other00000"]),
    ("aws:PrincipalOrgPaths", &["o-exampleorgid/*", "o-other/*"]),
    ("aws:Unknown", &["x", "*"]),
];
const TESTS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "ArnLike",
    "ArnNotLike",
    "ArnEquals",
    "Bool",
    "Null",
    "NumericLessThan",
    "NumericNotEquals",
    "NumericGreaterThanEquals",
    "DateGreaterThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "Strange",
];

fn condition(choices: &mut Choices<'_>) -> String {
    let (key, values) = KEYS[choices.below(KEYS.len())];
    let test = choices.of(TESTS);
    let operator = if test == "Null" {
        test.to_owned()
    } else {
        let set = choices.of(&["", "", "ForAnyValue:", "ForAllValues:"]);
        let if_exists = choices.of(&["", "", "IfExists"]);
        format!("{set}{test}{if_exists}")
    };
    let values =
        if test == "Null" { choices.list(&["true", "false"]) } else { choices.list(values) };
    format!("{{\"{operator}\":{{\"{key}\":{values}}}}}")
}

fn document(choices: &mut Choices<'_>) -> String {
    let count = 1 + choices.below(3);
    let statements: Vec<String> = (0..count)
        .map(|_| {
            let effect = choices.of(&["Deny", "Deny", "Deny", "Allow"]);
            let action = choices.of(&["Action", "Action", "Action", "NotAction"]);
            let actions = choices.list(ACTIONS);
            let resource = choices.of(&["Resource", "Resource", "Resource", "NotResource"]);
            let resources = if choices.below(3) == 0 { choices.list(RESOURCES) } else { "\"*\"".to_owned() };
            let conditions: Vec<String> = (0..choices.below(4)).map(|_| condition(choices)).collect();
            // Several operators of one name would be a duplicate key, so each is merged by hand.
            let mut merged = std::collections::BTreeMap::new();
            for one in conditions {
                let inner = &one[1..one.len() - 1];
                if let Some((name, value)) = inner.split_once("\":{") {
                    merged.insert(name.to_owned(), value.to_owned());
                }
            }
            let block: Vec<String> = merged.iter().map(|(name, value)| format!("{name}\":{{{value}")).collect();
            format!(
                "{{\"Effect\":\"{effect}\",\"{action}\":{actions},\"{resource}\":{resources},\"Condition\":{{{}}}}}",
                block.join(",")
            )
        })
        .collect();
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(","))
}

/// A request of the path that mail to an untrusted recipient takes.
fn request(choices: &mut Choices<'_>, action: &str, smtp: bool) -> Request {
    let mut context = Context::default();
    // SMTP takes the key of a user, who has no session.
    let principal =
        if smtp { "user/x" } else { choices.of(&["role/app", "role/other", "user/x", "root"]) };
    context.set("aws:PrincipalArn", format!("arn:aws:iam::222222222222:{principal}"));
    context.set(
        "aws:PrincipalType",
        match principal {
            "root" => "Account",
            "user/x" => "User",
            _ => "AssumedRole",
        },
    );
    context.set("aws:PrincipalAccount", "222222222222");
    context.set("aws:PrincipalOrgID", "o-exampleorgid");
    context.set_many("aws:PrincipalOrgPaths", vec!["o-exampleorgid/r-exam/".to_owned()]);
    context.set("aws:PrincipalIsAWSService", "false");
    context.set("aws:userid", "AIDAEXAMPLE");
    let region = choices.of(&["us-east-1", "eu-west-1"]);
    context.set("aws:RequestedRegion", region);
    context.set("aws:SecureTransport", "true");
    context.set("aws:ViaAWSService", if smtp { "false" } else { choices.of(&["false", "true"]) });
    let seconds: i64 = [MOMENT, 1_893_456_000, 1_950_000_000][choices.below(3)];
    context.set("aws:CurrentTime", policy::value::moment_text(seconds).expect("a moment"));
    context.set("aws:EpochTime", seconds.to_string());
    if choices.below(2) == 0 {
        context.set(
            "aws:SourceIp",
            choices.of(&["198.51.100.7", "10.1.2.3", "2001:db8::1", "192.0.2.1"]),
        );
    } else {
        context.set("aws:SourceVpc", choices.of(&["vpc-1", "vpc-2", "x"]));
        context.set("aws:SourceVpce", "vpce-1");
        context.set("aws:VpcSourceIp", "10.0.0.1");
        context.set("aws:VpceOrgID", choices.of(&["o-exampleorgid", "o-other00000"]));
    }
    context.set("ses:ApiVersion", if smtp { "2" } else { "1" });
    let untrusted = choices.of(&["u@c.example", "x@b.example", "y@b.example"]);
    let mut recipients = vec![untrusted.to_owned()];
    if choices.below(2) == 0 {
        recipients.push(choices.of(&["t@a.example", "x@a.example", "y@b.example"]).to_owned());
    }
    context.set_many("ses:Recipients", recipients);
    for (key, values) in [
        (
            "aws:PrincipalTag/team",
            &["a", "b", "ab", "5", "true", "TRUE", "a-b", "222222222222"][..],
        ),
        ("aws:PrincipalTag/other", &["a", "b"]),
        ("ses:FromAddress", &["s@a.example", "x@a.example", "X@b.example"]),
        ("aws:ResourceOrgID", &["o-exampleorgid", "o-other00000"]),
    ] {
        let choice = choices.below(values.len() + 1);
        if let Some(value) = values.get(choice) {
            context.set(key, *value);
        }
    }
    if !smtp && choices.below(2) == 0 {
        context.set("aws:MultiFactorAuthAge", choices.of(&["100", "3600.5", "9000"]));
    }
    if !smtp && choices.below(3) == 0 {
        context.set_many(
            "aws:CalledVia",
            vec![choices.of(&["a.amazonaws.com", "b.amazonaws.com"]).to_owned()],
        );
    }
    let owner = choices.of(&["222222222222", "333333333333"]);
    if choices.below(2) == 0 {
        context.set("aws:ResourceAccount", owner);
    }
    let identity = choices.of(&["example.com", "a.example", "s@a.example"]);
    Request {
        action: action.to_owned(),
        resource: format!("arn:aws:ses:{region}:{owner}:identity/{identity}"),
        context,
    }
}

/// One input; panics where the two disagree.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let perimeter =
        perimeter::parse("[trusted]\nrecipients = [\"*@a.example\"]\n").expect("a perimeter");
    let control = [ControlId::V1Send, ControlId::V1Raw, ControlId::Smtp][choices.below(3)];
    let levels = 1 + choices.below(3);
    let mut texts: Vec<Vec<String>> = Vec::new();
    for _ in 0..levels {
        let mut level = vec![document(&mut choices)];
        if choices.below(4) != 0 {
            level.push("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}".to_owned());
        }
        texts.push(level);
    }
    let policies: Vec<Vec<Policy>> = texts
        .iter()
        .map(|level| {
            level
                .iter()
                .map(|text| match parse(text, &Limits::default()) {
                    Ok(parsed) => parsed.policy,
                    Err(error) => panic!("{text}: {error}"),
                })
                .collect()
        })
        .collect();
    let stack = Stack { levels: policies.iter().map(|level| level.iter().collect()).collect() };
    let catalog = model::catalog();
    let facts = AccountFacts {
        partition: "aws".to_owned(),
        organization: "o-exampleorgid".to_owned(),
        account: "222222222222".to_owned(),
        org_path: "o-exampleorgid/r-exam/".to_owned(),
    };
    let paths = paths(control, &perimeter, &[], perimeter.undocumented).expect("it applies");
    let path = &paths[0];
    let mut prover = Prover::new(catalog.clone(), 200_000);
    let applicable = Applicable::of(&stack, path.action);
    let circumstances = Circumstances {
        facts: &facts,
        perimeter: &perimeter,
        left_out: &[],
        catalog: &catalog,
        members: AccountsInside::OnlyOwn,
        moment: MOMENT,
        undocumented: perimeter.undocumented,
    };
    let verdict = decide_path(&mut prover, &stack, &applicable, path, circumstances, 200_000);
    match &verdict {
        Verdict::Refuted(witness) => {
            for request in witness.requests() {
                assert!(permitted_for_certain(&stack, &request, &catalog), "{texts:#?}");
            }
        }
        Verdict::Undecided(obstacles) => {
            assert!(!obstacles.contains(&Obstacle::Disagreement), "{texts:#?}");
        }
        Verdict::Proved(_) => {}
    }
    for _ in 0..8 {
        let request = request(&mut choices, path.action, control == ControlId::Smtp);
        if permitted_for_certain(&stack, &request, &catalog) {
            assert!(
                !matches!(verdict, Verdict::Proved(_)),
                "proved, yet permitted: {request:#?} {texts:#?}"
            );
        }
    }
}
