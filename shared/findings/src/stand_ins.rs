//! Accounts that have no id yet: digits stand for it where a request is made up, and nobody sees
//! them.

use std::collections::BTreeMap;

use organization::AccountId;
use serde_json::Value;

use crate::results::ResultEntry;

/// Digits that stand for ids, each with what is shown in their place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandIns(BTreeMap<String, String>);

impl StandIns {
    /// For accounts with their names.
    pub fn new<'n>(accounts: impl IntoIterator<Item = (AccountId, &'n str)>) -> Self {
        let named = accounts.into_iter().map(|(id, name)| (id.to_string(), name.to_owned()));
        Self(named.collect())
    }

    /// Whether an id is none.
    #[must_use]
    pub fn stand_for(&self, account_id: &str) -> bool {
        self.0.contains_key(account_id)
    }

    /// A text with `<NAME>` for the digits, and with nothing where they stand behind the name.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        for (digits, name) in &self.0 {
            if hidden.contains(digits) {
                hidden = hidden
                    .replace(&format!(" ({digits})"), "")
                    .replace(digits, &format!("<{name}>"));
            }
        }
        hidden
    }

    /// The same for every text of a verdict; its account's id becomes the name.
    #[must_use]
    pub fn hide_in(&self, entry: ResultEntry) -> ResultEntry {
        if self.0.is_empty() {
            return entry;
        }
        let Ok(mut whole) = serde_json::to_value(&entry) else { return entry };
        self.walk(&mut whole);
        let own = self.0.get(&entry.account_id).cloned();
        let mut hidden: ResultEntry = serde_json::from_value(whole).unwrap_or(entry);
        if let Some(name) = own {
            hidden.account_id = name;
        }
        hidden
    }

    fn walk(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hide(text),
            Value::Array(elements) => elements.iter_mut().for_each(|it| self.walk(it)),
            Value::Object(members) => members.values_mut().for_each(|it| self.walk(it)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_of_a_verdict_keeps_the_digits() {
        let digits = "000000000007";
        let entry: ResultEntry = serde_json::from_value(json!({
            "accountId": digits, "accountName": "new account shop",
            "path": ["r-exam", digits], "controlId": "SESDP.8", "status": "FAILED",
            "witness": {"action": "ses:SendEmail",
                "resource": format!("arn:aws:ses:us-east-1:{digits}:identity/a"),
                "principalArn": format!("arn:aws:iam::{digits}:role/app"),
                "context": {"aws:PrincipalAccount": digits, "aws:PrincipalOrgPaths": [digits]},
                "sendPath": "smtp"},
            "witnessText": format!("On {digits}."), "cause": format!("needs `{digits}`"),
            "decidedBy": [], "assumptions": [format!("at new account shop ({digits})")],
            "obstacles": [{"message": digits}],
        }))
        .unwrap();
        let stand_ins = StandIns::new([(digits.parse().unwrap(), "new account shop")]);
        let hidden = stand_ins.hide_in(entry.clone());
        let text = serde_json::to_string(&hidden).unwrap();
        assert!(!text.contains(digits), "{text}");
        assert_eq!(hidden.account_id, "new account shop");
        assert_eq!(hidden.assumptions, ["at new account shop"]);
        assert_eq!(hidden.cause.as_deref(), Some("needs `<new account shop>`"));
        assert_eq!(StandIns::default().hide_in(entry.clone()), entry);
    }
}
