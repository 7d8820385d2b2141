//! Single changes of an organization, and what is left when they are made.

use std::collections::BTreeMap;

use organization::{Organization, PolicyId};
use serde_json::{Value, json};

const SCP: &str = "SERVICE_CONTROL_POLICY";

/// A change of an organization, in the terms of Organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// UpdatePolicy: the policy gets this document.
    Replace {
        /// Its id.
        policy: String,
        /// The new document.
        content: String,
    },
    /// CreatePolicy: a service control policy of this name, attached nowhere yet.
    Create {
        /// What other edits call it: its id once it is there. A valid policy id.
        policy: String,
        /// Its name.
        name: String,
        /// Its document.
        content: String,
    },
    /// DeletePolicy: the policy, which is attached nowhere any more.
    Delete {
        /// Its id.
        policy: String,
    },
    /// AttachPolicy.
    Attach {
        /// The policy's id.
        policy: String,
        /// The id of the root, unit or account.
        target: String,
    },
    /// DetachPolicy.
    Detach {
        /// The policy's id.
        policy: String,
        /// The id of the root, unit or account.
        target: String,
    },
    /// MoveAccount.
    Move {
        /// The account's id.
        account: String,
        /// The id of the root or unit that it moves to.
        parent: String,
    },
}

/// Why an edit cannot be made; Organizations would refuse it too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EditError {
    /// A sentence without a stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl EditError {
    pub(crate) fn new(message: String, help: impl Into<String>) -> Self {
        Self { message, help: Some(help.into()) }
    }
}

/// A snapshot in the making.
#[derive(Debug, Clone)]
pub struct Draft<'o> {
    organization: &'o Organization,
    accounts: Vec<Value>,
    policies: Vec<Value>,
    attachments: Vec<Value>,
    gaps: Vec<Value>,
    /// Everything else.
    rest: serde_json::Map<String, Value>,
    /// Positions of the policies by id.
    by_id: BTreeMap<String, usize>,
}

impl<'o> Draft<'o> {
    /// From the text that `organization` was read from.
    ///
    /// # Errors
    /// The text is another one, and cannot be read.
    pub fn new(organization: &'o Organization, text: &str) -> Result<Self, EditError> {
        let mut rest: serde_json::Map<String, Value> =
            serde_json::from_str(text).map_err(|error| {
                let message = format!("the snapshot cannot be read again: {error}");
                EditError::new(message, "read it anew")
            })?;
        let mut list = |name: &str| match rest.remove(name) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let mut draft = Self {
            organization,
            accounts: list("accounts"),
            policies: list("policies"),
            attachments: list("attachments"),
            gaps: list("gaps"),
            rest,
            by_id: BTreeMap::new(),
        };
        draft.index();
        Ok(draft)
    }

    /// The text of the snapshot as it stands.
    #[must_use]
    pub fn into_text(self) -> String {
        let mut snapshot = self.rest;
        for (name, items) in [
            ("accounts", self.accounts),
            ("policies", self.policies),
            ("attachments", self.attachments),
            ("gaps", self.gaps),
        ] {
            snapshot.insert(name.to_owned(), Value::Array(items));
        }
        Value::Object(snapshot).to_string()
    }

    fn index(&mut self) {
        let policies = self.policies.iter().enumerate();
        self.by_id = policies
            .filter_map(|(position, policy)| Some((text(policy, "id")?.to_owned(), position)))
            .collect();
    }

    /// Makes one edit.
    ///
    /// # Errors
    /// What it names is not there, or is there already.
    pub fn make(&mut self, edit: &Edit) -> Result<(), EditError> {
        match edit {
            Edit::Replace { policy, content } => {
                let position = self.own_policy(policy)?;
                if let Some(Value::Object(found)) = self.policies.get_mut(position) {
                    found.insert("content".to_owned(), Value::String(content.clone()));
                }
                // What could not be read before is known now; where it is attached may still not be.
                self.gaps.retain(|gap| {
                    text(gap, "policyId") != Some(policy)
                        || text(gap, "operation") != Some("DescribePolicy")
                        || text(gap, "targetId").is_some()
                });
            }
            Edit::Create { policy, name, content } => self.create(policy, name, content)?,
            Edit::Delete { policy } => {
                let position = self.own_policy(policy)?;
                if let Some(target) = self.attached_to(policy).into_iter().next() {
                    return Err(EditError::new(
                        format!(
                            "policy `{policy}` cannot be deleted while it is attached to `{target}`"
                        ),
                        "detach it first",
                    ));
                }
                self.policies.remove(position);
                self.index();
            }
            Edit::Attach { policy, target } => {
                self.scp(policy)?;
                self.target(target)?;
                if self.attached_to(policy).iter().any(|found| found == target) {
                    return Err(EditError::new(
                        format!("policy `{policy}` is attached to `{target}` already"),
                        "leave this attachment out",
                    ));
                }
                self.attachments.push(json!({"policyId": policy, "targetId": target}));
            }
            Edit::Detach { policy, target } => {
                self.scp(policy)?;
                self.target(target)?;
                if !self.attached_to(policy).iter().any(|found| found == target) {
                    let places = self.attached_to(policy);
                    let help = if places.is_empty() {
                        "it is attached nowhere".to_owned()
                    } else {
                        format!("it is attached to {}", places.join(", "))
                    };
                    return Err(EditError::new(
                        format!("policy `{policy}` is not attached to `{target}`"),
                        help,
                    ));
                }
                self.attachments.retain(|attachment| {
                    (text(attachment, "policyId"), text(attachment, "targetId"))
                        != (Some(policy), Some(target))
                });
            }
            Edit::Move { account, parent } => self.move_account(account, parent)?,
        }
        Ok(())
    }

    fn create(&mut self, policy: &str, name: &str, content: &str) -> Result<(), EditError> {
        if policy.parse::<PolicyId>().is_err() {
            return Err(EditError::new(
                format!("`{policy}` is no id of a policy"),
                "ids look like `p-` and eight or more letters and digits",
            ));
        }
        if self.by_id.contains_key(policy) {
            return Err(EditError::new(
                format!("the organization has a policy `{policy}` already"),
                "give its new document instead",
            ));
        }
        let same = self.policies.iter().find(|found| {
            text(found, "name") == Some(name) && text(found, "type").unwrap_or(SCP) == SCP
        });
        if let Some(id) = same.and_then(|found| text(found, "id")) {
            return Err(EditError::new(
                format!("the organization has an SCP named `{name}` already: `{id}`"),
                "choose another name, or give that policy a new document",
            ));
        }
        self.policies.push(json!({
            "id": policy, "name": name, "type": SCP, "awsManaged": false, "content": content,
        }));
        self.index();
        Ok(())
    }

    fn move_account(&mut self, account: &str, parent: &str) -> Result<(), EditError> {
        let organization = self.organization;
        let target = self.target(account)?;
        if organization.account_at(target).is_none() {
            return Err(EditError::new(
                format!("`{account}` is no account"),
                "only accounts can be moved; to move a unit, move its accounts",
            ));
        }
        let into = self.target(parent)?;
        if organization.account_at(into).is_some() {
            return Err(EditError::new(
                format!("`{parent}` is an account, and nothing can be in it"),
                "name the root or a unit",
            ));
        }
        for found in &mut self.accounts {
            if text(found, "id") != Some(account) {
                continue;
            }
            if text(found, "parentId") == Some(parent) {
                return Err(EditError::new(
                    format!("account `{account}` is in `{parent}` already"),
                    "leave this move out",
                ));
            }
            if let Value::Object(found) = found {
                found.insert("parentId".to_owned(), Value::String(parent.to_owned()));
            }
        }
        Ok(())
    }

    fn attached_to(&self, policy: &str) -> Vec<String> {
        let attachments = self.attachments.iter();
        let own = attachments.filter(|attachment| text(attachment, "policyId") == Some(policy));
        own.filter_map(|attachment| Some(text(attachment, "targetId")?.to_owned())).collect()
    }

    /// The position of a service control policy.
    fn scp(&self, policy: &str) -> Result<usize, EditError> {
        let Some(position) = self.by_id.get(policy).copied() else {
            let nearest = self.organization.suggest(policy);
            return Err(EditError {
                message: format!("the organization has no policy `{policy}`"),
                help: nearest.map(|nearest| format!("did you mean {nearest}?")),
            });
        };
        let found = self.policies.get(position);
        match found.and_then(|found| text(found, "type")) {
            Some(SCP) | None => Ok(position),
            Some(other) => Err(EditError::new(
                format!("policy `{policy}` is no service control policy but `{other}`"),
                "only service control policies decide about requests",
            )),
        }
    }

    /// The position of a service control policy that the organization itself maintains.
    fn own_policy(&self, policy: &str) -> Result<usize, EditError> {
        let position = self.scp(policy)?;
        let found = self.policies.get(position);
        let managed = found.and_then(|found| found.get("awsManaged")).and_then(Value::as_bool);
        if managed == Some(true) {
            return Err(EditError::new(
                format!("policy `{policy}` is maintained by AWS and cannot be changed"),
                "make a policy of your own",
            ));
        }
        Ok(position)
    }

    fn target(&self, id: &str) -> Result<organization::TargetIdx, EditError> {
        self.organization.target(id).ok_or_else(|| EditError {
            message: format!("the organization has no root, unit or account `{id}`"),
            help: self.organization.suggest(id).map(|nearest| format!("did you mean {nearest}?")),
        })
    }
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str)
}
