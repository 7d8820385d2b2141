//! Texts freed of what is an account's own, so that accounts with the same verdicts for the same
//! reasons share them.

use organization::{AccountIdx, Organization};

/// Stands for the account's id.
const ID: char = '\u{e000}';
/// Stands for the value of `aws:PrincipalOrgPaths`.
const PATH: char = '\u{e001}';

/// What an account's texts are to be freed of.
#[derive(Debug, Clone)]
pub struct Own {
    id: String,
    path: String,
}

impl Own {
    /// That of `account`.
    pub fn of(organization: &Organization, account: AccountIdx) -> Self {
        let id = organization.account(account).map(|found| found.id.to_string());
        Self { id: id.unwrap_or_default(), path: organization.org_path(account) }
    }

    /// `text` with the characters that stand for the account.
    pub fn hide(&self, text: &str) -> String {
        // Such a character from outside would be taken for one of ours.
        let text = text.replace([ID, PATH], "\u{fffd}");
        text.replace(&self.path, &PATH.to_string()).replace(&self.id, &ID.to_string())
    }

    /// `text` in the account's own words.
    pub fn show(&self, text: &str) -> String {
        called(text, &self.id, &self.path)
    }
}

/// A text in which `id` and `path` stand for what was hidden.
pub fn called(text: &str, id: &str, path: &str) -> String {
    text.replace(PATH, path).replace(ID, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_comes_back_and_foreign_marks_do_not_pass() {
        let own = Own { id: "222222222222".to_owned(), path: "o-a/r-b/ou-c/".to_owned() };
        let text = "role of 222222222222 in o-a/r-b/ou-c/ of 333333333333";
        assert_eq!(own.show(&own.hide(text)), text);
        assert!(!own.hide(text).contains("222222222222"));
        assert_eq!(own.show(&own.hide("a\u{e000}b")), "a\u{fffd}b");
    }
}
