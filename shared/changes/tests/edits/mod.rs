//! Random edits, made by hand as well.

use organization::Edit;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::common::{documents, policy_id};

/// One of so many ways to draw an edit, with two things that it is about.
pub type Wish = (u8, Index, Index);

/// A wish that may make no sense.
pub fn wish(ways: u8) -> impl Strategy<Value = Wish> {
    (0..ways, any::<Index>(), any::<Index>())
}

/// The edits of those wishes that make sense, and the snapshot with them made by hand.
pub fn made(mut snapshot: Value, wishes: &[Wish]) -> (Vec<Edit>, Value) {
    let edits = wishes.iter().filter_map(|wish| made_one(&mut snapshot, wish)).collect();
    (edits, snapshot)
}

fn made_one(snapshot: &mut Value, (kind, one, other): &Wish) -> Option<Edit> {
    let texts = documents();
    let ids = |list: &str| -> Vec<String> {
        let all = snapshot[list].as_array().unwrap().iter();
        all.map(|found| found["id"].as_str().unwrap().to_owned()).collect()
    };
    let (units, accounts, policies) =
        (ids("organizationalUnits"), ids("accounts"), ids("policies"));
    let parents: Vec<String> = units.iter().cloned().chain(["r-exam".to_owned()]).collect();
    let targets: Vec<String> = accounts.iter().chain(&parents).cloned().collect();
    let policy = policy_id(one.index(texts.len()));
    let target = other.get(&targets).clone();
    let parent = other.get(&parents).clone();
    let content = texts[other.index(texts.len())].1.clone();
    let attachment = json!({"policyId": policy, "targetId": target});
    let attachments = snapshot["attachments"].as_array().unwrap();
    let attached = attachments.contains(&attachment);
    let anywhere = attachments.iter().any(|found| found["policyId"] == *policy);
    let there = policies.contains(&policy);
    let list = |snapshot: &'_ mut Value, name: &str, change: &dyn Fn(&mut Vec<Value>)| {
        change(snapshot[name].as_array_mut().unwrap());
    };
    // What AWS attaches to what is new.
    let full_access = |snapshot: &mut Value, target: &str| {
        let attachment = json!({"policyId": "p-FullAWSAccess", "targetId": target});
        let enabled = snapshot["root"]["policyTypes"][0]["status"] == "ENABLED";
        if enabled && policies.iter().any(|id| id == "p-FullAWSAccess") {
            list(snapshot, "attachments", &|all| all.push(attachment.clone()));
        }
    };
    let id = policy.parse().unwrap();
    match kind {
        0 if there => {
            list(snapshot, "policies", &|all| {
                let found = all.iter_mut().find(|found| found["id"] == *policy).unwrap();
                found["content"] = content.clone().into();
            });
            if let Some(gaps) = snapshot.get_mut("gaps") {
                let only_content = json!({"policyId": policy, "operation": "DescribePolicy"});
                gaps.as_array_mut().unwrap().retain(|gap| *gap != only_content);
            }
            Some(Edit::Replace { policy: id, content })
        }
        1 if there && !attached => {
            list(snapshot, "attachments", &|all| all.push(attachment.clone()));
            Some(Edit::Attach { policy: id, target: target.parse().unwrap() })
        }
        2 if attached => {
            list(snapshot, "attachments", &|all| all.retain(|found| *found != attachment));
            Some(Edit::Detach { policy: id, target: target.parse().unwrap() })
        }
        3 => {
            let account = one.get(&accounts).clone();
            let all = snapshot["accounts"].as_array_mut().unwrap();
            let found = all.iter_mut().find(|found| found["id"] == *account)?;
            if found["parentId"] == *parent {
                return None;
            }
            found["parentId"] = parent.clone().into();
            Some(Edit::Move { account: account.parse().unwrap(), parent: parent.parse().unwrap() })
        }
        4 => {
            let number = policies.len();
            let (policy, name) = (format!("p-brandnew{number:02}"), format!("new {number}"));
            if policies.contains(&policy) {
                return None;
            }
            list(snapshot, "policies", &|all| {
                all.push(json!({"id": policy, "name": name, "type": "SERVICE_CONTROL_POLICY",
                    "content": content}));
            });
            Some(Edit::Create { policy: policy.parse().unwrap(), name, content })
        }
        5 if there && !anywhere => {
            list(snapshot, "policies", &|all| all.retain(|found| found["id"] != *policy));
            Some(Edit::Delete { policy: id })
        }
        6 => {
            let (unit, name) = (format!("ou-exam-new{:05}", units.len()), " ".to_owned());
            list(snapshot, "organizationalUnits", &|all| {
                all.push(json!({"id": unit, "name": name, "parentId": parent}));
            });
            full_access(snapshot, &unit);
            let (unit, parent) = (unit.parse().unwrap(), parent.parse().unwrap());
            Some(Edit::CreateUnit { unit, name, parent })
        }
        7 => {
            let account = format!("{:012}", accounts.len());
            let name = "new".to_owned();
            list(snapshot, "accounts", &|all| {
                all.push(
                    json!({"id": account, "name": name, "state": "ACTIVE", "parentId": parent}),
                );
            });
            full_access(snapshot, &account);
            let (account, parent) = (account.parse().unwrap(), parent.parse().unwrap());
            Some(Edit::CreateAccount { account, name, parent })
        }
        _ => None,
    }
}
