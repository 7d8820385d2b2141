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
    let mut policies = vec![policy("p-FullAWSAccess", &full_access())];
    let mut attachments = Vec::new();
    let targets = std::iter::once(root.clone()).chain(
        units.iter().chain(&accounts).filter_map(|t| Some(t.get("id")?.as_str()?.to_owned())),
    );
    for target in targets {
        attachments.push(json!({"policyId": "p-FullAWSAccess", "targetId": target}));
    }
    for index in 0..size.policies {
        let id = format!("p-bench{index:08}");
        policies.push(policy(&id, &typical(index)));
        for _ in 0..2 {
            let target = parents.get(random.below(parents.len())).map(|(id, _)| id.clone());
            attachments.push(json!({"policyId": id, "targetId": target}));
        }
    }
    document(&root, &units, &accounts, &policies, &attachments)
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
pub enum Names {
    /// Each one its own, so that the plan tells all.
    Alone,
    /// Each one some of all, by an expression.
    Any,
}

/// A Terraform plan of 5,000 resources and about 20 MB for [`PLANNED`], with 50 new policies on
/// its 20 units and everything else from elsewhere.
#[must_use]
pub fn plan(names: Names) -> String {
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
            Names::Alone => json!([format!("{own}.id"), own, format!("{kind}.p")]),
            Names::Any => json!([format!("{kind}.p"), "var.uses"]),
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
#[must_use]
pub fn full_access() -> Value {
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
