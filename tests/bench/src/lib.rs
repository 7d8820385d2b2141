//! Organizations made by a formula, so that every machine measures the same.

use serde_json::{Value, json};

/// The size of a generated organization.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Member accounts.
    pub accounts: usize,
    /// Organizational units.
    pub units: usize,
    /// Service control policies beside `FullAWSAccess`.
    pub policies: usize,
}

/// The largest organization that Organizations' quotas allow, with a usual number of SCPs.
pub const LARGEST: Size = Size { accounts: 50_000, units: 2_000, policies: 1_000 };

/// A large organization of the usual kind.
pub const LARGE: Size = Size { accounts: 10_000, units: 500, policies: 300 };

/// The perimeter of the generated organizations.
pub const PERIMETER: &str = r#"
[trusted]
recipients = ["*@example.com", "*@*.example.com"]

[[exemptions]]
principal_tag = { key = "dp:exclude:resource", value = "true" }
reason = "newsletter"

[[administrators]]
principal_arn = "arn:aws:iam::*:role/SesAdministrator"
reason = "runs the mail platform"
"#;

/// A number that looks random and is not.
#[derive(Debug, Clone)]
pub struct Sequence(u64);

impl Sequence {
    /// The sequence that starts from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// The next number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize).checked_rem(bound).unwrap_or(0)
    }
}

/// A snapshot of an organization of this size.
#[must_use]
pub fn snapshot(size: Size) -> String {
    let mut random = Sequence::new(7);
    let Tree { root, parents, units, accounts } = tree(size, &mut random);
    let (mut policies, mut attachments) = allowed_everywhere(&root, &units, &accounts);
    for index in 0..size.policies {
        let id = format!("p-bench{index:08}");
        policies.push(policy(&id, &typical(index)));
        for _ in 0..2 {
            let target = parents.get(random.below(parents.len()));
            attachments.push(json!({"policyId": id, "targetId": target}));
        }
    }
    document(&root, &units, &accounts, &policies, &attachments)
}

/// Units and accounts of an organization.
struct Tree {
    root: String,
    /// The root and the units, by id.
    parents: Vec<String>,
    units: Vec<Value>,
    accounts: Vec<Value>,
}

fn tree(size: Size, random: &mut Sequence) -> Tree {
    let root = "r-bnch".to_owned();
    let mut parents: Vec<(String, usize)> = vec![(root.clone(), 0)];
    let mut units = Vec::new();
    for index in 0..size.units {
        let (parent, depth) = loop {
            let at = random.below(parents.len());
            if let Some((id, depth)) = parents.get(at).filter(|(_, depth)| *depth < 5) {
                break (id.clone(), depth + 1);
            }
        };
        let id = format!("ou-bnch-{index:08}");
        units.push(json!({"id": id, "name": format!("unit-{index}"), "parentId": parent}));
        parents.push((id, depth));
    }
    let mut accounts = vec![json!({
        "id": "000000000001", "name": "management", "state": "ACTIVE", "parentId": root,
    })];
    for index in 0..size.accounts {
        let parent = parents.get(random.below(parents.len())).map(|(id, _)| id.clone());
        accounts.push(json!({
            "id": format!("{:012}", 100_000_000_000_u64 + index as u64 * 7_919),
            "name": format!("account-{index}"),
            "email": format!("aws+{index}@example.com"),
            "state": "ACTIVE",
            "parentId": parent,
        }));
    }
    let parents = parents.into_iter().map(|(id, _)| id).collect();
    Tree { root, parents, units, accounts }
}

/// `FullAWSAccess`, and its attachments to everything.
fn allowed_everywhere(root: &str, units: &[Value], accounts: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let targets = std::iter::once(root.to_owned()).chain(
        units.iter().chain(accounts).filter_map(|t| Some(t.get("id")?.as_str()?.to_owned())),
    );
    let attach = |target| json!({"policyId": "p-FullAWSAccess", "targetId": target});
    (vec![policy("p-FullAWSAccess", &full_access())], targets.map(attach).collect())
}

/// How the accounts of [`diverse_snapshot`] differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diverse {
    /// Each SCP is attached to one to six units and up to six accounts, so that some thousands of
    /// stacks arise.
    Attached,
    /// The same with this many SCPs replaced by others.
    Edited(usize),
    /// Each account has four SCPs of its own choice, so that no two stacks are alike.
    Every,
}

/// An organization whose SCPs have one to six statements and whose accounts differ.
#[must_use]
pub fn diverse_snapshot(size: Size, diverse: Diverse) -> String {
    let mut random = Sequence::new(13);
    let Tree { root, parents, units, accounts } = tree(size, &mut random);
    let (mut policies, mut attachments) = allowed_everywhere(&root, &units, &accounts);
    let edited = match diverse {
        Diverse::Edited(count) => count,
        Diverse::Attached | Diverse::Every => 0,
    };
    let id = |index: usize| format!("p-bench{index:08}");
    for index in 0..size.policies {
        // What is edited is spread over all SCPs, and its content is that of no other.
        let spread = size.policies.checked_div(edited).unwrap_or(0).max(1);
        let is_edited = index.is_multiple_of(spread) && index / spread < edited;
        let content = if is_edited { index + size.policies } else { index };
        policies.push(policy(&id(index), &mixed(content)));
    }
    let id_of = |account: &Value| account.get("id").and_then(Value::as_str).map(str::to_owned);
    let mut attach = |policy: usize, target: Option<String>| {
        attachments.push(json!({"policyId": id(policy), "targetId": target}));
    };
    if diverse == Diverse::Every {
        for account in accounts.iter().skip(1) {
            let mut chosen = std::collections::BTreeSet::new();
            while chosen.len() < 4.min(size.policies) {
                chosen.insert(random.below(size.policies));
            }
            chosen.into_iter().for_each(|policy| attach(policy, id_of(account)));
        }
    } else {
        for index in 0..size.policies {
            let mut targets = std::collections::BTreeSet::new();
            for _ in 0..=random.below(6) {
                targets.insert(parents.get(1 + random.below(parents.len() - 1)).cloned());
            }
            for _ in 0..random.below(7) {
                targets.insert(accounts.get(1 + random.below(accounts.len() - 1)).and_then(id_of));
            }
            targets.into_iter().for_each(|target| attach(index, target));
        }
    }
    document(&root, &units, &accounts, &policies, &attachments)
}

/// A document of one to six statements out of those that people write about mail, identities,
/// Regions, networks and other services.
fn mixed(index: usize) -> Value {
    let mut random = Sequence::new(index as u64 + 101);
    let count = 1 + random.below(6);
    let statements: Vec<Value> =
        (0..count).map(|number| mixed_statement(index, number, &mut random)).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn mixed_statement(index: usize, number: usize, random: &mut Sequence) -> Value {
    const SENDING: [&str; 5] = [
        "ses:SendEmail",
        "ses:SendRawEmail",
        "ses:SendTemplatedEmail",
        "ses:SendBulkEmail",
        "ses:Send*",
    ];
    let unit = random.below(40);
    let role = format!("arn:aws:iam::*:role/team-{unit}-*");
    let recipients = json!(["*@example.com", format!("*@unit{unit}.example.com")]);
    let (actions, condition) = match random.below(10) {
        0 => (
            json!(SENDING.get(random.below(SENDING.len()))),
            json!({"ForAnyValue:StringNotLike": {"ses:Recipients": recipients}}),
        ),
        1 => (
            json!(SENDING),
            json!({
                "ForAnyValue:StringNotLike": {"ses:Recipients": recipients},
                "StringNotEqualsIfExists": {"aws:PrincipalTag/dp:exclude:resource": "true"},
            }),
        ),
        2 => (
            json!(SENDING),
            json!({"Null": {"ses:Recipients": "true"}, "ArnNotLike": {"aws:PrincipalArn": role}}),
        ),
        3 => (
            json!(["ses:Verify*", "ses:Create*Identity"]),
            json!({"ArnNotLike": {"aws:PrincipalArn": [role, "arn:aws:iam::*:role/SesAdministrator"]}}),
        ),
        4 => (
            json!("ses:*"),
            json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}}),
        ),
        5 => (
            json!(["ses:*", "iam:CreateUser"]),
            json!({
                "NotIpAddressIfExists": {"aws:SourceIp": format!("10.{unit}.0.0/16")},
                "Bool": {"aws:ViaAWSService": "false"},
            }),
        ),
        6 => (
            json!(["iam:TagRole", "iam:TagUser", "sts:TagSession", "iam:UpdateAssumeRolePolicy"]),
            json!({"ArnNotLike": {"aws:PrincipalArn": format!("arn:aws:iam::*:role/admin-{unit}")}}),
        ),
        7 => (json!(["ses:SendBounce", "ses:SendCustomVerificationEmail"]), json!({})),
        _ => (
            json!([format!("svc{index}:Delete*"), "s3:PutBucketPolicy", "kms:ScheduleKeyDeletion"]),
            json!({"StringNotEquals": {"aws:PrincipalTag/team": format!("t{unit}")}}),
        ),
    };
    let mut statement =
        json!({"Sid": format!("S{number}"), "Effect": "Deny", "Action": actions, "Resource": "*"});
    if condition != json!({})
        && let Some(map) = statement.as_object_mut()
    {
        map.insert("Condition".to_owned(), condition);
    }
    statement
}

fn document(
    root: &str,
    units: &[Value],
    accounts: &[Value],
    policies: &[Value],
    attachments: &[Value],
) -> String {
    json!({
        "schemaVersion": 1,
        "fetchedAt": "2026-11-23T00:00:00Z",
        "partition": "aws",
        "organization": {
            "id": "o-benchmark01", "managementAccountId": "000000000001", "featureSet": "ALL",
        },
        "root": {
            "id": root, "name": "Root",
            "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}],
        },
        "organizationalUnits": units,
        "accounts": accounts,
        "policies": policies,
        "attachments": attachments,
    })
    .to_string()
}

fn policy(id: &str, content: &Value) -> Value {
    json!({
        "id": id, "name": id, "type": "SERVICE_CONTROL_POLICY", "awsManaged": false,
        "content": content.to_string(),
    })
}

/// The organization of [`plan`]: 500 accounts.
pub const PLANNED: Size = Size { accounts: 500, units: 20, policies: 10 };

/// Which policy the attachments of a plan name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyNaming {
    /// Each one its own, so that the plan tells all.
    Alone,
    /// Each one some of all, by an expression.
    Any,
}

/// A Terraform plan of 5,000 resources and about 20 MB for [`PLANNED`], with 50 new policies on
/// its 20 units and everything else from elsewhere.
#[must_use]
pub fn plan(names: PolicyNaming) -> String {
    let kind = "aws_organizations_policy";
    let mut changes = Vec::new();
    let mut values = Vec::new();
    let mut configuration = Vec::new();
    for index in 0..50 {
        let own = format!("{kind}.p[\"k{index}\"]");
        let after = json!({
            "name": format!("planned-{index}"), "type": "SERVICE_CONTROL_POLICY",
            "content": typical(1_000 + index).to_string(),
        });
        changes.push(created(&own, kind, &after, &json!({"id": true, "arn": true})));
        let name = format!("a{index}");
        let attachment = format!("{kind}_attachment");
        let address = format!("{attachment}.{name}");
        let after = json!({"target_id": format!("ou-bnch-{:08}", index % PLANNED.units)});
        changes.push(created(
            &address,
            &attachment,
            &after,
            &json!({"id": true, "policy_id": true}),
        ));
        let references = match names {
            PolicyNaming::Alone => json!([format!("{own}.id"), own, format!("{kind}.p")]),
            PolicyNaming::Any => json!([format!("{kind}.p"), "var.uses"]),
        };
        configuration.push(json!({
            "address": address, "mode": "managed", "type": attachment, "name": name,
            "expressions": {"policy_id": {"references": references}},
        }));
    }
    for index in 0..4_900 {
        let address = format!("module.app[{index}].aws_iam_role.this");
        let words = format!("statement-{index} ").repeat(90);
        let after =
            json!({"name": format!("role-{index}"), "description": words, "tags": {"n": index}});
        let mut change =
            created(&address, "aws_iam_role", &after, &json!({"id": true, "arn": true}));
        if let Some(Value::Object(inner)) = change.get_mut("change") {
            inner.insert("actions".to_owned(), json!(["update"]));
            inner.insert("before".to_owned(), after.clone());
        }
        changes.push(change);
        values.push(json!({"address": address, "mode": "managed", "type": "aws_iam_role",
            "name": "this", "values": after, "sensitive_values": {}}));
    }
    json!({
        "format_version": "1.2", "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": values}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": configuration}},
        "complete": true, "errored": false,
    })
    .to_string()
}

fn created(address: &str, kind: &str, after: &Value, unknown: &Value) -> Value {
    json!({
        "address": address, "mode": "managed", "type": kind,
        "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": unknown,
            "before_sensitive": {}, "after_sensitive": {"tags": {}}},
    })
}

/// `Allow * *`.
fn full_access() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
}

/// One of a handful of usual policies of about 900 characters, no two alike.
#[must_use]
pub fn typical(index: usize) -> Value {
    let mail = |actions: &[&str], version: Option<&str>| {
        let mut condition = json!({
            "ForAnyValue:StringNotLike": {"ses:Recipients": ["*@example.com", format!("*@unit{index}.example.com")]},
            "StringNotEqualsIfExists": {"aws:PrincipalTag/dp:exclude:resource": "true"},
        });
        if let (Some(version), Some(map)) = (version, condition.as_object_mut()) {
            map.insert("StringEquals".to_owned(), json!({"ses:ApiVersion": version}));
        }
        json!({"Sid": "Mail", "Effect": "Deny", "Action": actions, "Resource": "*", "Condition": condition})
    };
    let statements = match index % 8 {
        0 => vec![json!({
            "Sid": "Regions", "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*", "organizations:*", "route53:*", "cloudfront:*", "support:*"],
            "Resource": "*",
            "Condition": {
                "StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1", "us-east-1"]},
                "ArnNotLike": {"aws:PrincipalArn": [format!("arn:aws:iam::*:role/breakglass-{index}")]},
            },
        })],
        1 => vec![
            mail(
                &[
                    "ses:SendEmail",
                    "ses:SendRawEmail",
                    "ses:SendTemplatedEmail",
                    "ses:SendBulkTemplatedEmail",
                ],
                Some("1"),
            ),
            mail(&["ses:SendEmail"], Some("2")),
        ],
        2 => vec![
            mail(
                &[
                    "ses:SendEmail",
                    "ses:SendRawEmail",
                    "ses:SendTemplatedEmail",
                    "ses:SendBulkTemplatedEmail",
                ],
                None,
            ),
            json!({"Sid": "Flat", "Effect": "Deny", "Action": ["ses:SendBulkEmail", "ses:SendBounce", "ses:Verify*"], "Resource": "*"}),
        ],
        3 => vec![json!({
            "Sid": "Root", "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}},
        })],
        _ => vec![json!({
            "Sid": format!("Service{index}"), "Effect": "Deny",
            "Action": [format!("svc{index}:Delete*"), "cloudtrail:StopLogging", "config:Delete*", "guardduty:Disassociate*", "securityhub:Disable*"],
            "Resource": [format!("arn:aws:s3:::log-archive-{index}/*"), format!("arn:aws:s3:::log-archive-{index}")],
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/platform/*", format!("arn:aws:iam::*:role/team-{index}-admin")]}},
        })],
    };
    let mut padded = statements;
    padded.push(json!({
        "Sid": "Baseline", "Effect": "Deny",
        "Action": ["ec2:DeleteFlowLogs", "logs:DeleteLogGroup", "kms:ScheduleKeyDeletion", "iam:DeleteAccountPasswordPolicy", "account:CloseAccount", "account:PutAlternateContact"],
        "Resource": "*",
        "Condition": {"StringNotLike": {"aws:PrincipalArn": [format!("arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Admin{index}_*")]}},
    }));
    json!({"Version": "2012-10-17", "Statement": padded})
}

/// What the conditions of a dense stack are about.
#[derive(Debug, Clone, Copy)]
pub enum Dense {
    /// Statements that together stop everything.
    Closing,
    /// Statements that leave a narrow way.
    Open,
    /// Conditions that hang on each other through several keys.
    Tangled,
}

/// The largest stack that the quotas allow: 7 levels of 10 documents of 10,240 characters, all
/// about mail and the same keys.
#[must_use]
pub fn dense_snapshot(dense: Dense) -> String {
    let mut random = Sequence::new(11);
    let mut units = Vec::new();
    let mut targets = vec!["r-bnch".to_owned()];
    for depth in 0..5 {
        let id = format!("ou-bnch-{depth:08}");
        units.push(json!({"id": id, "name": format!("depth-{depth}"), "parentId": targets.last()}));
        targets.push(id);
    }
    let account = "100000000000";
    let accounts = vec![
        json!({"id": "000000000001", "name": "management", "state": "ACTIVE", "parentId": "r-bnch"}),
        json!({"id": account, "name": "deep", "state": "ACTIVE", "parentId": targets.last()}),
    ];
    targets.push(account.to_owned());
    let mut policies = vec![policy("p-FullAWSAccess", &full_access())];
    let mut attachments = vec![json!({"policyId": "p-FullAWSAccess", "targetId": "000000000001"})];
    for (level, target) in targets.iter().enumerate() {
        attachments.push(json!({"policyId": "p-FullAWSAccess", "targetId": target}));
        for place in 0..9 {
            let id = format!("p-dense{level:04}{place:04}");
            policies.push(policy(&id, &dense_document(dense, level * 9 + place, &mut random)));
            attachments.push(json!({"policyId": id, "targetId": target}));
        }
    }
    document("r-bnch", &units, &accounts, &policies, &attachments)
}

fn dense_document(dense: Dense, index: usize, random: &mut Sequence) -> Value {
    let mut statements = Vec::new();
    let mut length = 60;
    for number in 0.. {
        let statement = dense_statement(dense, index * 100 + number, random);
        length += statement.to_string().len() + 1;
        if length > 10_240 {
            break;
        }
        statements.push(statement);
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn dense_statement(dense: Dense, number: usize, random: &mut Sequence) -> Value {
    let word = |random: &mut Sequence| -> String {
        (0..3).map(|_| char::from(b'a' + random.below(6) as u8)).collect()
    };
    let recipients: Vec<String> =
        (0..3).map(|_| format!("*{}*@*.example.com", word(random))).collect();
    let roles: Vec<String> =
        (0..2).map(|_| format!("arn:aws:iam::*:role/*{}*", word(random))).collect();
    let mut condition = json!({
        "ForAnyValue:StringNotLike": {"ses:Recipients": recipients},
        "ArnNotLike": {"aws:PrincipalArn": roles},
    });
    if let Some(map) = condition.as_object_mut() {
        match dense {
            Dense::Closing if number.is_multiple_of(97) => {
                map.remove("ArnNotLike");
            }
            Dense::Closing => {}
            Dense::Open => {
                map.insert(
                    "StringNotEqualsIfExists".to_owned(),
                    json!({"aws:PrincipalTag/team": format!("t{}", number % 7)}),
                );
            }
            Dense::Tangled => {
                map.insert(
                    "StringNotLikeIfExists".to_owned(),
                    json!({
                        "aws:PrincipalTag/team": format!("*{}*", word(random)),
                        "aws:SourceIdentity": format!("*{}*", word(random)),
                    }),
                );
                map.insert(
                    "NotIpAddress".to_owned(),
                    json!({"aws:SourceIp": format!("10.{}.0.0/16", number % 250)}),
                );
            }
        }
    }
    json!({"Effect": "Deny", "Action": "ses:*", "Resource": "*", "Condition": condition})
}
