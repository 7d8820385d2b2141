//! Snapshots of small organizations, as the reader takes them.

use std::fmt::{self, Display, Formatter};

use serde_json::{Value, json};

/// A snapshot in the making. What no method says is set in its JSON.
#[derive(Debug, Clone)]
pub struct Snapshot(pub Value);

/// A policy document with these statements: one object or a list.
#[must_use]
pub fn document(statements: impl Into<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements.into()})
}

/// A document that denies actions: one, or a list.
#[must_use]
pub fn deny(actions: impl Into<Value>) -> Value {
    document(json!([{"Effect": "Deny", "Action": actions.into(), "Resource": "*"}]))
}

/// The document of FullAWSAccess.
#[must_use]
pub fn everything() -> Value {
    document(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]))
}

impl Snapshot {
    /// Nothing but the root `r-exam` of `o-exampleorgid`, with the policy type enabled; the
    /// management account is `111111111111`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it has an id, which is no default")]
    pub fn new() -> Self {
        Self::of("o-exampleorgid", "r-exam", "111111111111")
    }

    /// The same with other ids of organization, root and management account.
    #[must_use]
    pub fn of(organization: &str, root: &str, management: &str) -> Self {
        let types = json!([{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]);
        Self(json!({
            "schemaVersion": 1,
            "fetchedAt": "2026-11-23T00:00:00Z",
            "partition": "aws",
            "organization": {
                "id": organization, "managementAccountId": management, "featureSet": "ALL",
            },
            "root": {"id": root, "name": "Root", "policyTypes": types},
            "organizationalUnits": [],
            "accounts": [],
            "policies": [],
            "attachments": [],
        }))
    }

    fn list(&mut self, name: &str) -> &mut Vec<Value> {
        self.0[name].as_array_mut().unwrap()
    }

    /// A unit in the root or in another unit.
    pub fn unit(&mut self, id: &str, name: &str, parent: &str) -> &mut Self {
        let unit = json!({"id": id, "name": name, "parentId": parent});
        self.list("organizationalUnits").push(unit);
        self
    }

    /// An active account.
    pub fn account(&mut self, id: &str, name: &str, parent: &str) -> &mut Self {
        let email = format!("{name}@example.com");
        self.list("accounts").push(json!({
            "id": id, "name": name, "email": email, "state": "ACTIVE", "parentId": parent,
        }));
        self
    }

    /// Another state for the account that came last.
    pub fn state(&mut self, state: &str) -> &mut Self {
        self.list("accounts").last_mut().unwrap()["state"] = state.into();
        self
    }

    /// An SCP, attached to these targets. Its document is an object or a text.
    pub fn policy(
        &mut self,
        id: &str,
        name: &str,
        document: impl Into<Value>,
        targets: &[&str],
    ) -> &mut Self {
        self.list("policies").push(json!({
            "id": id, "name": name, "type": "SERVICE_CONTROL_POLICY", "awsManaged": false,
            "content": document.into(),
        }));
        for target in targets {
            self.attach(id, target);
        }
        self
    }

    /// Attaches a policy once more.
    pub fn attach(&mut self, policy: &str, target: &str) -> &mut Self {
        self.list("attachments").push(json!({"policyId": policy, "targetId": target}));
        self
    }

    /// `p-FullAWSAccess`, attached to every target that is there by now.
    pub fn full_access(&mut self) -> &mut Self {
        let mut targets = vec![self.0["root"]["id"].clone()];
        for list in ["organizationalUnits", "accounts"] {
            targets.extend(self.list(list).iter().map(|target| target["id"].clone()));
        }
        let targets: Vec<&str> = targets.iter().map(|id| id.as_str().unwrap()).collect();
        self.policy("p-FullAWSAccess", "FullAWSAccess", everything(), &targets);
        self.list("policies").last_mut().unwrap()["awsManaged"] = true.into();
        self
    }
}

/// The text of the snapshot.
impl Display for Snapshot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
