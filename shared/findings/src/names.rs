//! What accounts, targets, policies and statements are called in text.

use std::collections::BTreeMap;

use organization::{AccountIdx, Organization, PolicyIdx, TargetIdx};
use ses_perimeter::control::ControlId;
use ses_perimeter::view::StatementView;

/// The names of one organization.
#[derive(Debug)]
pub struct Names<'a> {
    organization: &'a Organization,
    /// How many accounts have each name.
    same: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    /// The names of `organization`.
    #[must_use]
    pub fn new(organization: &'a Organization) -> Self {
        let mut same = BTreeMap::new();
        for (_, account) in organization.accounts() {
            *same.entry(&*account.name).or_insert(0) += 1;
        }
        Self { organization, same }
    }

    /// The account's name, with its id where others have the same name.
    #[must_use]
    pub fn account(&self, account: AccountIdx) -> String {
        let Some(found) = self.organization.account(account) else { return String::new() };
        let id = found.id.to_string();
        if *found.name == *id {
            id
        } else if self.same.get(&*found.name).is_some_and(|n| *n > 1) {
            format!("{} ({id})", found.name)
        } else {
            found.name.to_string()
        }
    }

    /// `3 accounts: shop, billing and data`, of which at most `most` are named.
    #[must_use]
    pub fn counted(&self, accounts: &[AccountIdx], most: usize) -> String {
        let head = count(accounts.len(), "account");
        // Counting a single account more costs as much as naming it.
        let named = if accounts.len() <= most + 1 { accounts.len() } else { most };
        let mut shown: Vec<String> =
            accounts.iter().take(named).map(|account| self.account(*account)).collect();
        if accounts.len() > named {
            shown.push(format!("{} more", number(accounts.len() - named)));
        }
        format!("{head}: {}", list(&shown))
    }

    /// A target's name and id.
    #[must_use]
    pub fn target(&self, target: TargetIdx) -> String {
        let found = self.organization.target_ref(target);
        named(found.name, &found.id.to_string())
    }

    /// A policy's name and id.
    #[must_use]
    pub fn policy(&self, policy: PolicyIdx) -> String {
        self.organization
            .policy(policy)
            .map(|found| named(&found.name, found.id.as_str()))
            .unwrap_or_default()
    }

    /// A statement with its policy and where that is attached.
    #[must_use]
    pub fn statement(&self, statement: &StatementView) -> String {
        format!("{} at {}", self.unplaced(statement), self.target(statement.target))
    }

    /// A statement with its policy.
    #[must_use]
    pub fn unplaced(&self, statement: &StatementView) -> String {
        format!("{} of SCP {}", sid(statement), self.policy(statement.policy))
    }

    /// The same without ids, for where they are listed already.
    #[must_use]
    pub fn brief(&self, statement: &StatementView) -> String {
        self.brief_at(statement, self.organization.target_ref(statement.target).name)
    }

    /// The same where the target is called `place`.
    #[must_use]
    pub fn brief_at(&self, statement: &StatementView, place: &str) -> String {
        let policy = self.organization.policy(statement.policy);
        let policy = policy.map(|found| &*found.name).unwrap_or_default();
        format!("{} of SCP {policy} at {place}", sid(statement))
    }

    /// The names from the root to a target.
    #[must_use]
    pub fn path(&self, target: TargetIdx) -> String {
        let mut path: Vec<String> =
            std::iter::successors(Some(target), |at| self.organization.parent(*at))
                .map(|at| self.organization.target_ref(at).name.to_owned())
                .collect();
        path.reverse();
        path.join(" / ")
    }
}

/// The statement's `Sid`, or its number from 1.
#[must_use]
pub fn sid(statement: &StatementView) -> String {
    sid_text(statement.sid.as_deref(), statement.statement)
}

/// The same for a statement by its `Sid` and its position from 0.
#[must_use]
pub fn sid_text(sid: Option<&str>, position: usize) -> String {
    match sid {
        Some(sid) if !sid.is_empty() => format!("statement {sid}"),
        _ => format!("statement {} (without Sid)", position + 1),
    }
}

/// `name (id)`, and the id alone where it is the name.
#[must_use]
pub fn named(name: &str, id: &str) -> String {
    if name == id { id.to_owned() } else { format!("{name} ({id})") }
}

/// `1 account`, `2 accounts`.
#[must_use]
pub fn count(n: usize, what: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {what}{ending}", number(n))
}

/// A number with a comma before every three digits.
#[must_use]
pub fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

/// `SESDP.8`, `SESDP.1 to 4 and 8`; in the order of `some`.
#[must_use]
pub fn controls(some: impl IntoIterator<Item = ControlId>) -> String {
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for number in some.into_iter().map(ControlId::number) {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => runs.push((number, number)),
        }
    }
    let spelled = runs.into_iter().flat_map(|(start, end)| match end - start {
        0 => vec![start.to_string()],
        1 => vec![start.to_string(), end.to_string()],
        _ => vec![format!("{start} to {end}")],
    });
    format!("SESDP.{}", list(&spelled.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
    }
}
