//! Stacks and questions drawn from a tape of choices, so that proptest can make them smaller.

use prover::question::{Presence, ResourceModel, ResourceOwner};
use serde_json::{Map, Value, json};

use super::Levels;
use super::world::{ACCOUNT, MOMENTS, REGIONS, Shape, arn, form};

/// A tape of choices; past its end every choice is the first.
pub struct Tape<'a> {
    choices: &'a [u16],
    at: usize,
}

impl<'a> Tape<'a> {
    pub fn new(choices: &'a [u16]) -> Self {
        Self { choices, at: 0 }
    }

    fn below(&mut self, bound: usize) -> usize {
        let choice = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(choice) % bound
    }

    /// True once in `in_how_many`, and never past the end.
    fn rarely(&mut self, in_how_many: usize) -> bool {
        self.below(in_how_many) == in_how_many - 1
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// What generated stacks may contain.
#[derive(Debug, Clone, Copy, Default)]
pub struct Menu {
    pub variables: bool,
    pub free: bool,
    pub doubts: bool,
}

pub fn shape(tape: &mut Tape<'_>, menu: Menu) -> Shape {
    let presence = |tape: &mut Tape<'_>| tape.pick(&[false, true]);
    let optional = |yes: bool| if yes { Presence::Optional } else { Presence::Always };
    let own = || ResourceOwner::Is(ACCOUNT.to_owned());
    let mut resources = vec![match tape.below(10) {
        0..=2 => arn(own(), true, &["i/a", "i/b"]),
        3 => arn(own(), true, &["i/a", "i/b:a"]),
        4 => arn(own(), false, &["i/a:b", "i/a"]),
        5 => arn(own(), true, &["i/a"]),
        6 => ResourceModel::Star,
        7 if menu.free => {
            arn(ResourceOwner::NoneOf(vec![ACCOUNT.to_owned()]), true, &["i/a", "i/b"])
        }
        9 if menu.free => {
            let none_of = [ACCOUNT, "222222222222"].map(str::to_owned).into();
            arn(ResourceOwner::NoneOf(none_of), true, &["i/a", "i/b"])
        }
        8 if menu.free => arn(ResourceOwner::Any(ACCOUNT.to_owned()), true, &["i/a", "i/b"]),
        _ => arn(ResourceOwner::Is("222222222222".to_owned()), true, &["i/a", "i/b"]),
    }];
    if tape.rarely(4) && resources[0] != ResourceModel::Star {
        resources.push(match tape.below(2) {
            0 => arn(own(), true, &["i/b", "c/a"]),
            _ => arn(ResourceOwner::Is("222222222222".to_owned()), true, &["c/a"]),
        });
    }
    let star = resources[0] == ResourceModel::Star;
    let tag_text: &[&[&str]] = &[&["a", "b", "ab"], &["a", "*", "b"]];
    let star_tags = menu.variables && tape.rarely(4);
    Shape {
        recipients: optional(presence(tape)),
        must: tape.rarely(3),
        most: 1 + tape.below(3),
        version: optional(presence(tape)),
        tag: optional(presence(tape)),
        // An action without resource types has no account to speak of.
        resource_account: optional(star || presence(tape)),
        resources,
        tag_text: tag_text[usize::from(star_tags)],
        free: menu.free,
        via: tape.pick(&[None, None, Some("false"), Some("true")]),
        earliest: if tape.rarely(3) { MOMENTS[tape.below(MOMENTS.len())] } else { 0 },
        regions: tape.pick(&[REGIONS, REGIONS, &["rb-1"], &["xy", "ra-2"]]),
        form: if tape.rarely(4) { Some(form(tape.pick(&["-", "ra", "b"]))) } else { None },
        resource_org: optional(presence(tape)),
    }
}

pub fn levels(tape: &mut Tape<'_>, menu: Menu) -> Levels {
    let count = 1 + tape.below(3);
    // Few keys for each stack, so that statements meet on them.
    let palette: Vec<&'static Choice> = (0..3)
        .map(|at| {
            if menu.free && at == 0 {
                &FREE_KEYS[tape.below(FREE_KEYS.len())]
            } else if menu.doubts && (at == 0 || tape.rarely(3)) {
                &DOUBTFUL_KEYS[tape.below(DOUBTFUL_KEYS.len())]
            } else {
                &KEYS[tape.below(KEYS.len())]
            }
        })
        .collect();
    (0..count)
        .map(|_| {
            let policies = 1 + usize::from(tape.rarely(4));
            (0..policies).map(|_| document(tape, menu, &palette)).collect()
        })
        .collect()
}

fn document(tape: &mut Tape<'_>, menu: Menu, palette: &[&'static Choice]) -> Value {
    let count = 1 + tape.below(4);
    let mut statements: Vec<Value> = Vec::new();
    if !tape.rarely(8) {
        statements.push(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    }
    statements.extend((0..count).map(|_| statement(tape, menu, palette)));
    let version = if tape.rarely(12) { "2008-10-17" } else { "2012-10-17" };
    json!({"Version": version, "Statement": statements})
}

fn statement(tape: &mut Tape<'_>, menu: Menu, palette: &[&'static Choice]) -> Value {
    let mut statement = Map::new();
    let deny = !tape.rarely(4);
    statement.insert("Effect".to_owned(), json!(if deny { "Deny" } else { "Allow" }));
    let (element, action) = match tape.below(12) {
        0..=6 => ("Action", json!("*")),
        7 => ("Action", json!(["ses:Send*", "s3:GetObject"])),
        8 => ("Action", json!("ses:sendemail")),
        9 => ("NotAction", json!(["s3:*", "ses:Get*"])),
        10 => ("NotAction", json!("ses:*Email")),
        _ => ("Action", json!("s*:SendEmail")),
    };
    // A wildcard in a service prefix makes everything open; once in a while is enough.
    let action =
        if action == json!("s*:SendEmail") && !tape.rarely(4) { json!("ses:*") } else { action };
    statement.insert(element.to_owned(), action);
    let negated = tape.rarely(8);
    let element = if negated { "NotResource" } else { "Resource" };
    statement.insert(element.to_owned(), resource(tape, menu));
    let mut block: Map<String, Value> = Map::new();
    for _ in 0..[1, 1, 1, 2, 2, 2, 3, 0][tape.below(8)] {
        let (operator, key, values) = condition(tape, menu, palette);
        let keys = block.entry(operator).or_insert_with(|| json!({}));
        // Two spellings of one key would be a duplicate.
        if let Some(keys) = keys.as_object_mut()
            && !keys.keys().any(|known| known.eq_ignore_ascii_case(&key))
        {
            keys.insert(key, values);
        }
    }
    if !block.is_empty() {
        statement.insert("Condition".to_owned(), Value::Object(block));
    }
    Value::Object(statement)
}

fn resource(tape: &mut Tape<'_>, menu: Menu) -> Value {
    if !tape.rarely(3) {
        return json!("*");
    }
    let patterns = [
        "arn:aws:ses:*:111111111111:i/a",
        "arn:aws:ses:*:*:i/*",
        "arn:aws:ses:ra-*:*:*",
        "arn:aws:ses:*:*:*a",
        "arn:aws:ses:*",
        "arn:aws:ses:*:i/a",
        "arn:*:a",
        "arn:aws:ses:rb-1:*:c/*",
        "arn:aws:ses:*:2*:?/?",
        "arn:aws:ses:ra-1:111111111111:*:*",
        "arn:aws:s*1:*:*1:*",
        "arn:aws:ses:r?-1:*:i/?",
        "**",
        "arn:aws:ses:?-1:*:*",
        "arn:aws:ses:**:i/a",
        "arn:aws:ses:*-2:*:?/*",
    ];
    let with_variables = [
        "arn:aws:ses:*:*:i/${aws:PrincipalTag/x}",
        "arn:aws:ses:*:*:${aws:PrincipalTag/x, 'i/a'}",
        "arn:aws:ses:*:111111111111:*/${aws:FederatedProvider}",
        "arn:aws:ses:*:*:i/${*}",
        "arn:aws:ses:*:*:i/${aws:PrincipalTag/z}",
        "arn:aws:ses:*:*:*/${aws:PrincipalTag/w, 'a'}",
        "arn:aws:ses:${aws:RequestedRegion}:*:i/${aws:PrincipalTag/x}",
    ];
    let mut list = Vec::new();
    for _ in 0..1 + tape.below(2) {
        if menu.variables && tape.rarely(2) {
            list.push(tape.pick(&with_variables));
        } else {
            list.push(tape.pick(&patterns));
        }
    }
    list.dedup();
    json!(list)
}

const STRING: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
];
const ARN: &[&str] = &["ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals"];
const NUMBER: &[&str] = &[
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
];
const DATE: &[&str] = &[
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
];
const IP: &[&str] = &["IpAddress", "NotIpAddress"];
const BOOL: &[&str] = &["Bool"];
const ODD: &[&str] =
    &["BinaryEquals", "NumericEquals", "IpAddress", "Bool", "DateLessThan", "ArnLike"];

struct Choice {
    key: &'static str,
    operators: &'static [&'static [&'static str]],
    values: &'static [&'static str],
    many: bool,
}

const fn one(
    key: &'static str,
    operators: &'static [&'static [&'static str]],
    values: &'static [&'static str],
) -> Choice {
    Choice { key, operators, values, many: false }
}

const RECIPIENT_VALUES: &[&str] =
    &["*@x.y", "a@*", "a@x.y", "b@x.y", "*", "A@X.Y", "?@x.y", "*@?.y", "*@z.y", "b@*"];
const TAG_VALUES: &[&str] = &["a", "b", "a*", "*b", "?", "ab", "??", "A", "*", "c"];
const MOMENT_VALUES: &[&str] = &[
    "2020-01-01T00:00:00Z",
    "2021-01-01",
    "1577836800",
    "1609459201",
    "2020-01-01T01:00:00+01:00",
];

const KEYS: &[Choice] = &[
    Choice { key: "ses:Recipients", operators: &[STRING], values: RECIPIENT_VALUES, many: true },
    Choice { key: "ses:Recipients", operators: &[STRING], values: RECIPIENT_VALUES, many: true },
    Choice {
        key: "SES:recipients",
        operators: &[STRING, ODD],
        values: &["*@x.y", "5", "a@x.y"],
        many: true,
    },
    one("ses:ApiVersion", &[STRING, NUMBER], &["1", "2", "*", "3", "1.5"]),
    one("aws:PrincipalTag/x", &[STRING], TAG_VALUES),
    one("aws:PrincipalTag/y", &[STRING], TAG_VALUES),
    one("aws:principaltag/X", &[STRING, ARN, ODD], TAG_VALUES),
    one(
        "aws:SourceArn",
        &[ARN, STRING],
        &[
            "arn:aws:s3:::b",
            "arn:aws:s3:*:*:*",
            "arn:aws:s3:::b*",
            "arn:aws:s3*b",
            "arn:*:*:?:*:b",
            "arn*",
            "*",
        ],
    ),
    one("ses:FromAddress", &[STRING, NUMBER, BOOL, IP, DATE], &["a@x.y", "*", "5", "true", "6"]),
    one(
        "aws:SourceIp",
        &[IP],
        &[
            "10.0.0.0/8",
            "10.0.0.0/30",
            "10.0.0.1",
            "2001:db8::/32",
            "0.0.0.0/0",
            "::/0",
            "10.0.0.0/24",
        ],
    ),
    one(
        "aws:SourceIp",
        &[IP, STRING],
        &[
            "10.0.0.1",
            "*9.2?5*",
            "192.0.2.1",
            "1?.0.0.*",
            "*2001:db8*",
            "*.2",
            "010.0.0.0/8",
            "10.0.0.01",
        ],
    ),
    one("aws:SourceIp", &[IP], &["010.0.0.0/8", "10.0.0.01", "10.0.0.0/08", "10.0.0.0/8"]),
    one("aws:VpceOrgID", &[STRING], &["a", "*", "b"]),
    one("aws:Proxy", &[STRING], &["a", "*", "b"]),
    one("aws:ResourceOrgID", &[STRING], &["p", "o*", "*", "a", "b"]),
    Choice {
        key: "aws:ResourceOrgPaths",
        operators: &[STRING],
        values: &["o/r/", "o/*", "p/*", "*"],
        many: true,
    },
    one("aws:RequestedRegion", &[STRING, ARN, BOOL], &["a-*", "ra-1", "?-1", "*b-2", "xy", "r*"]),
    one("aws:SourceVpc", &[STRING], &["v-a", "v-*", "v-b", "v-c"]),
    one("aws:SourceVpce", &[STRING], &["v-a", "v-*", "v-b", "v-c"]),
    one("aws:CurrentTime", &[DATE], MOMENT_VALUES),
    one("aws:EpochTime", &[DATE, NUMBER], &["1577836800", "1609459201", "1600000000"]),
    one("aws:CurrentTime", &[STRING], &["2020*", "202?-*", "2020-01-01T00:00:00Z"]),
    one("aws:MultiFactorAuthAge", &[STRING], &["5", "7*", "?", "*.?"]),
    one("aws:ViaAWSService", &[BOOL, STRING], &["true", "false", "TRUE"]),
    one("aws:MultiFactorAuthAge", &[NUMBER], &["5", "7.5", "6", "0.5e1"]),
    one("aws:RequestedRegion", &[STRING], &["ra-1", "ra-*", "rb-1", "*-1", "ra-?", "rc"]),
    one(
        "aws:PrincipalArn",
        &[ARN, STRING],
        &[
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::111111111111:user/a",
            "arn:*:root",
            "arn:aws:iam::*:*/a",
            "*:a",
            "arn:aws:iam::111111111111:root",
        ],
    ),
    one("aws:PrincipalType", &[STRING], &["User", "Account", "AssumedRole", "A*"]),
    one("aws:ResourceAccount", &[STRING], &["111111111111", "222222222222", "1*", "*1", "?2*"]),
    Choice { key: "aws:TagKeys", operators: &[STRING], values: &["k", "j", "K", "*"], many: true },
    one("aws:RequestTag/k", &[STRING], &["a", "x", "*", "c"]),
    one("aws:RequestTag/j", &[STRING], &["a", "x", "*", "c"]),
    one("aws:PrincipalAccount", &[STRING, NUMBER], &["111111111111", "1*", "2"]),
    Choice {
        key: "aws:PrincipalOrgPaths",
        operators: &[STRING],
        values: &["o/r/", "o/*", "p/*"],
        many: true,
    },
    one("aws:FederatedProvider", &[STRING, BOOL, IP], &["a", "*"]),
];
const FREE_KEYS: &[Choice] = &[
    one(
        "aws:userid",
        &[STRING],
        &["a*", "*b", "?", "??", "?*", "?*?", "k", "a?", "???", "é*", "??*"],
    ),
    Choice {
        key: "aws:CalledVia",
        operators: &[STRING],
        values: &["a*", "*b", "?", "??", "*", "é?"],
        many: true,
    },
];
/// Keys of which it is not known whether, and with what values, a request carries them.
const DOUBTFUL_KEYS: &[Choice] = &[
    Choice { key: "aws:Riddle", operators: &[STRING], values: &["a", "b", "*", "c"], many: true },
    Choice { key: "aws:Guess", operators: &[STRING], values: &["a", "b", "?", "c"], many: true },
    one("aws:Riddle", &[STRING, ODD], &["a", "b", "*", "5"]),
    one("aws:Guess", &[STRING], &["a", "b", "*"]),
    Choice { key: "aws:VpcRiddle", operators: &[STRING], values: &["a", "b", "*"], many: true },
    one("aws:PrincipalTag/z", &[STRING], &["a", "?*", "*", "b", "c"]),
    one("aws:PrincipalTag/z", &[STRING, NUMBER], &["a", "?", "*", "b", "1"]),
    one("aws:PrincipalTag/w", &[STRING, ARN], &["a", "?*", "*", "b", "?"]),
];
const VARIABLES: &[&str] = &[
    "${aws:PrincipalTag/x}",
    "${aws:PrincipalTag/y}",
    "${aws:PrincipalTag/x, 'a'}",
    "${aws:PrincipalTag/y, '*'}",
    "${aws:PrincipalAccount}",
    "${aws:PrincipalOrgID}",
    "${aws:FederatedProvider}",
    "${aws:FederatedProvider, 'b'}",
    "${aws:FederatedProvider, '*'}",
    "${aws:RequestedRegion}",
    "${ses:Recipients}",
    "${ses:Recipients, 'a'}",
    "${*}",
    "a${?}",
    "*@${ses:ApiVersion}",
    "${aws:PrincipalTag/x}*",
    "${aws:PrincipalOrgPaths}",
    "${aws:CalledVia, 'a'}",
    "${aws:ResourceAccount}",
    "${aws:RequestTag/k}",
    "${aws:PrincipalTag/z}",
    "${aws:PrincipalTag/w, 'a'}",
    "${aws:Riddle}",
    "${aws:Guess, 'b'}",
    "${aws:ResourceOrgID}",
];

fn condition(
    tape: &mut Tape<'_>,
    menu: Menu,
    palette: &[&'static Choice],
) -> (String, String, Value) {
    let choice = palette[tape.below(palette.len())];
    if tape.rarely(10) {
        let value = if tape.rarely(12) { "maybe" } else { tape.pick(&["true", "false"]) };
        return ("Null".to_owned(), choice.key.to_owned(), json!(value));
    }
    let family =
        if tape.rarely(30) { ODD } else { choice.operators[tape.below(choice.operators.len())] };
    let mut operator = tape.pick(family).to_owned();
    let set = if choice.many {
        tape.pick(&["ForAnyValue:", "ForAllValues:", "ForAnyValue:", "ForAllValues:", ""])
    } else if tape.rarely(15) {
        tape.pick(&["ForAnyValue:", "ForAllValues:"])
    } else {
        ""
    };
    operator.insert_str(0, set);
    if tape.rarely(4) {
        operator.push_str("IfExists");
    }
    let mut values: Vec<&str> = Vec::new();
    for _ in 0..1 + tape.below(2) {
        let value = if menu.variables && tape.rarely(3) {
            tape.pick(VARIABLES)
        } else if tape.rarely(25) {
            tape.pick(&["5", "nonsense", "10.0.0.999", "true", "True", "*"])
        } else {
            tape.pick(choice.values)
        };
        if !values.contains(&value) {
            values.push(value);
        }
    }
    (operator, choice.key.to_owned(), json!(values))
}
