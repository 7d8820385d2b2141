//! Single changes of an organization, and what is left when they are made.

use std::collections::BTreeMap;

use organization::{Organization, PolicyId};
use serde_json::{Value, json};

const SCP: &str = "SERVICE_CONTROL_POLICY";

/// The policy that AWS attaches to every new unit and account while SCPs are enabled.
pub(crate) const FULL_ACCESS: &str = "p-FullAWSAccess";

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
    /// CreateOrganizationalUnit; AWS attaches FullAWSAccess to it.
    CreateUnit {
        /// What other edits call it: its id once it is there. A valid id of a unit.
        unit: String,
        /// Its name.
        name: String,
        /// The id of the root or unit that it is in.
        parent: String,
    },
    /// CreateAccount, and MoveAccount to its parent; AWS attaches FullAWSAccess to it.
    CreateAccount {
        /// What other edits call it: twelve digits that stand for its id.
        account: String,
        /// Its name.
        name: String,
        /// The id of the root or unit that it is in.
        parent: String,
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
    units: Vec<Value>,
    accounts: Vec<Value>,
    policies: Vec<Value>,
    attachments: Vec<Value>,
    gaps: Vec<Value>,
    /// Everything else.
    rest: serde_json::Map<String, Value>,
    /// Positions of the policies by id.
    by_id: BTreeMap<String, usize>,
    /// Units and accounts that are new, and whether they are accounts.
    made: BTreeMap<String, bool>,
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
            units: list("organizationalUnits"),
            accounts: list("accounts"),
            policies: list("policies"),
            attachments: list("attachments"),
            gaps: list("gaps"),
            rest,
            by_id: BTreeMap::new(),
            made: BTreeMap::new(),
        };
        draft.index();
        Ok(draft)
    }

    /// The text of the snapshot as it stands.
    #[must_use]
    pub fn into_text(self) -> String {
        let mut snapshot = self.rest;
        for (name, items) in [
            ("organizationalUnits", self.units),
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
                self.is_account(target)?;
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
                self.is_account(target)?;
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
            Edit::CreateUnit { unit, name, parent } => {
                self.create_target(unit, name, parent, false)?;
            }
            Edit::CreateAccount { account, name, parent } => {
                self.create_target(account, name, parent, true)?;
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

    fn create_target(
        &mut self,
        id: &str,
        name: &str,
        parent: &str,
        is_account: bool,
    ) -> Result<(), EditError> {
        self.container(parent)?;
        if self.is_account(id).is_ok() {
            return Err(EditError::new(
                format!("the organization has a root, unit or account `{id}` already"),
                "choose another id",
            ));
        }
        let mut made = json!({"id": id, "name": name, "parentId": parent});
        if let (true, Value::Object(made)) = (is_account, &mut made) {
            made.insert("state".to_owned(), Value::from("ACTIVE"));
        }
        if is_account { &mut self.accounts } else { &mut self.units }.push(made);
        self.made.insert(id.to_owned(), is_account);
        if self.organization.scp_enabled && self.by_id.contains_key(FULL_ACCESS) {
            self.attachments.push(json!({"policyId": FULL_ACCESS, "targetId": id}));
        }
        Ok(())
    }

    fn move_account(&mut self, account: &str, parent: &str) -> Result<(), EditError> {
        if !self.is_account(account)? {
            return Err(EditError::new(
                format!("`{account}` is no account"),
                "only accounts can be moved; to move a unit, move its accounts",
            ));
        }
        self.container(parent)?;
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

    /// Whether a target is an account.
    fn is_account(&self, id: &str) -> Result<bool, EditError> {
        if let Some(is_account) = self.made.get(id) {
            return Ok(*is_account);
        }
        let organization = self.organization;
        let target = organization.target(id).ok_or_else(|| EditError {
            message: format!("the organization has no root, unit or account `{id}`"),
            help: organization.suggest(id).map(|nearest| format!("did you mean {nearest}?")),
        })?;
        Ok(organization.account_at(target).is_some())
    }

    /// That a target is no account.
    fn container(&self, id: &str) -> Result<(), EditError> {
        if self.is_account(id)? {
            return Err(EditError::new(
                format!("`{id}` is an account, and nothing can be in it"),
                "name the root or a unit",
            ));
        }
        Ok(())
    }
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str)
}
