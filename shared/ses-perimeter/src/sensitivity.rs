//! Which accounts a policy can tell apart.
//!
//! Accounts with the same stack differ only in their twelve digits. If no pattern of the stack
//! can tell one account's digits from another's, exchanging the two turns every request of the
//! one into a request of the other with the same outcome, so one decision serves both.

use std::collections::BTreeSet;

use policy::arn::ACCOUNT_DIGITS;
use policy::model::{Family, Piece, Resources, Statement, Template};

/// How patterns depend on account digits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sensitivity {
    /// Accounts that are named in full.
    named: BTreeSet<String>,
    /// Whether some digits beside a wildcard could be part of any account in an ARN.
    partial: bool,
    /// Whether they could be part of an account with any text beside it.
    partial_in_text: bool,
}

impl Sensitivity {
    /// Takes in a pattern.
    pub fn add(&mut self, template: &Template) {
        let mut run = String::new();
        let mut before = Edge::Open;
        for piece in template.pieces.iter().map(Some).chain([None]) {
            if let Some(Piece::Char(c)) = piece
                && c.is_ascii_digit()
            {
                run.push(*c);
                continue;
            }
            let after = match piece {
                None | Some(Piece::Char(':')) => Edge::Boundary,
                Some(Piece::Char(_)) => Edge::Closed,
                Some(Piece::Star | Piece::Question | Piece::Variable { .. }) => Edge::Open,
            };
            if !run.is_empty() {
                self.run(&run, before, after);
                run.clear();
            }
            before = after;
        }
    }

    /// Takes in text in which `*` and `?` are wildcards.
    pub fn add_text(&mut self, text: &str) {
        self.add(&Template::plain(text));
    }

    /// A run of twelve digits or more names the accounts in it. A shorter one can lie in an
    /// account only where a wildcard stands beside it; and as the digits of an ARN's account
    /// have nothing but a colon beside them, no other character may stand on the other side.
    fn run(&mut self, digits: &str, before: Edge, after: Edge) {
        if digits.len() >= ACCOUNT_DIGITS {
            let windows = 0..=digits.len() - ACCOUNT_DIGITS;
            self.named.extend(
                windows.filter_map(|at| digits.get(at..at + ACCOUNT_DIGITS)).map(str::to_owned),
            );
        } else if before == Edge::Open || after == Edge::Open {
            self.partial_in_text = true;
            self.partial |= before != Edge::Closed && after != Edge::Closed;
        }
    }

    /// Notes that the digits are compared in a way that no look at the pattern can follow.
    pub fn add_everything(&mut self) {
        self.partial = true;
        self.partial_in_text = true;
    }

    /// Takes in another.
    pub fn merge(&mut self, other: &Self) {
        self.named.extend(other.named.iter().cloned());
        self.partial |= other.partial;
        self.partial_in_text |= other.partial_in_text;
    }

    /// Whether some pattern holds the digits of `account`.
    fn names(&self, account: &str) -> bool {
        self.named.contains(account)
    }

    /// Whether an ARN or a key that is just an account may be treated unlike those of accounts
    /// that no pattern names.
    #[must_use]
    pub fn singles_out(&self, account: &str) -> bool {
        self.partial || self.names(account)
    }

    /// The same for a text in which an account may stand beside anything.
    #[must_use]
    pub fn singles_out_in_text(&self, account: &str) -> bool {
        self.partial_in_text || self.names(account)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// The start of the text counts as a wildcard: the text may be part of a longer value.
    Open,
    Boundary,
    Closed,
}

/// What a statement can tell apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distinctions {
    /// By the keys and resources that hold an account.
    pub by_account_keys: Sensitivity,
    /// By any key.
    pub by_any_key: Sensitivity,
    /// Whether a policy variable could carry an account into any other key.
    pub has_variable: bool,
    /// Whether it looks at the path of organizational units.
    pub by_org_path: bool,
}

impl Distinctions {
    /// Takes in a statement.
    pub fn add(&mut self, statement: &Statement) {
        let (Resources::Listed(patterns) | Resources::AllExcept(patterns)) = &statement.resources;
        for pattern in patterns {
            self.by_account_keys.add(&pattern.template);
            self.by_any_key.add(&pattern.template);
            self.has_variable |= pattern.template.has_variable();
        }
        for condition in &statement.conditions {
            let key = condition.key_folded();
            self.by_org_path |=
                matches!(key.as_str(), "aws:principalorgpaths" | "aws:resourceorgpaths");
            let holds_account = matches!(
                key.as_str(),
                "aws:principalarn" | "aws:principalaccount" | "aws:resourceaccount"
            );
            if matches!(condition.operator.test.family(), Family::Number(_) | Family::Date(_)) {
                self.by_any_key.add_everything();
                if holds_account {
                    self.by_account_keys.add_everything();
                }
            }
            for value in &condition.values {
                self.by_any_key.add(&value.template);
                if holds_account {
                    self.by_account_keys.add(&value.template);
                }
                // Whether an account is one's own is true or false of all alike.
                let own = holds_account && is_own_account(&value.template);
                self.has_variable |= value.template.has_variable() && !own;
            }
        }
    }

    /// Takes in another.
    pub fn merge(&mut self, other: &Self) {
        self.by_account_keys.merge(&other.by_account_keys);
        self.by_any_key.merge(&other.by_any_key);
        self.has_variable |= other.has_variable;
        self.by_org_path |= other.by_org_path;
    }

    /// Whether `account` needs a decision of its own.
    #[must_use]
    pub fn singles_out(&self, account: &str) -> bool {
        if self.has_variable {
            self.by_any_key.singles_out_in_text(account)
        } else {
            // A witness may hold the digits of any pattern, so accounts that some pattern names
            // keep to themselves even where that pattern is on another key.
            self.by_account_keys.singles_out(account) || self.by_any_key.names(account)
        }
    }
}

/// Whether the text is `${aws:PrincipalAccount}` and nothing else; that key is never missing.
fn is_own_account(template: &Template) -> bool {
    match template.pieces.as_slice() {
        [Piece::Variable { key, .. }] => key == "aws:principalaccount",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Sensitivity {
        let mut sensitivity = Sensitivity::default();
        sensitivity.add_text(text);
        sensitivity
    }

    #[test]
    fn an_account_named_in_full_stands_out_alone() {
        let named = of("arn:aws:iam::111122223333:role/*");
        assert!(named.singles_out("111122223333"));
        assert!(!named.singles_out("444455556666"));
    }

    #[test]
    fn digits_beside_a_wildcard_may_be_part_of_any_account() {
        for text in ["1111*", "*3", "arn:aws:iam::11112222333?:root", "arn:aws:iam::*1:root"] {
            assert!(of(text).singles_out("444455556666"), "{text}");
        }
    }

    #[test]
    fn digits_inside_words_tell_no_accounts_apart() {
        for text in ["arn:aws:iam::*:role/team1-*", "*@x1.example", "arn:aws:iam::*:role/a2b", "v3"]
        {
            assert!(!of(text).singles_out("444455556666"), "{text}");
        }
    }

    #[test]
    fn every_account_within_a_long_run_of_digits_stands_out() {
        let named = of("111122223333444455556666");
        assert!(named.singles_out("111122223333") && named.singles_out("444455556666"));
        assert!(named.singles_out("112222333344"));
        assert!(!named.singles_out("555566667777"));
    }

    #[test]
    fn beside_a_word_digits_may_be_part_of_an_account_in_text_alone() {
        for text in ["role/x1*", "*1x"] {
            assert!(!of(text).singles_out("444455556666"), "{text}");
            assert!(of(text).singles_out_in_text("444455556666"), "{text}");
        }
        assert!(!of("x1y").singles_out_in_text("444455556666"));
    }

    /// What a Deny statement with this resource and these conditions tells apart.
    fn told(resource: &str, conditions: &str) -> Distinctions {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Action": "ses:*",
                "Resource": "{resource}", "Condition": {conditions}}}]}}"#
        );
        let parsed = policy::parse::parse(&text, &policy::parse::Limits::default());
        let mut distinctions = Distinctions::default();
        for statement in parsed.iter().flat_map(|parsed| &parsed.policy.statements) {
            distinctions.add(statement);
        }
        distinctions
    }

    const PATHS: &str =
        r#"{"ForAnyValue:StringLike": {"AWS:PrincipalOrgPaths": "o-a/r-b/ou-c/*"}}"#;

    #[test]
    fn a_statement_about_paths_tells_units_apart() {
        assert!(told("*", PATHS).by_org_path);
        let of_resource = PATHS.replace("Principal", "Resource");
        assert!(told("*", &of_resource).by_org_path);
        assert!(!told("*", r#"{"StringLike": {"ses:FromAddress": "x"}}"#).by_org_path);
    }

    #[test]
    fn variables_count_in_resources_and_in_values() {
        let value = r#"{"StringLike": {"ses:FromAddress": "${aws:PrincipalAccount}"}}"#;
        assert!(told("*", value).has_variable);
        assert!(told("arn:aws:ses:*:*:identity/${aws:PrincipalAccount}", "{}").has_variable);
        assert!(!told("*", r#"{"StringLike": {"ses:FromAddress": "x"}}"#).has_variable);
        let with = |key: &str, value: &str| {
            told("*", &format!(r#"{{"StringNotEquals": {{"{key}": "{value}"}}}}"#)).has_variable
        };
        assert!(!with("aws:ResourceAccount", "${aws:PrincipalAccount}"));
        assert!(with("aws:ResourceAccount", "1${aws:PrincipalAccount}"));
        assert!(with("aws:ResourceAccount", "${aws:username}"));
        assert!(with("aws:ResourceOrgID", "${aws:PrincipalAccount}"));
        // Beside a variable, digits in any key may name an account.
        let both = r#"{"StringLike": {"ses:FromAddress": ["x1*", "${aws:PrincipalAccount}"]}}"#;
        assert!(told("*", both).singles_out("444455556666"));
    }

    #[test]
    fn numbers_and_dates_single_out_everybody() {
        let account = r#"{"NumericLessThan": {"aws:PrincipalAccount": "5"}}"#;
        assert!(told("*", account).singles_out("444455556666"));
        let other = r#"{"NumericLessThan": {"ses:X": "5"}}"#;
        assert!(!told("*", other).singles_out("444455556666"));
    }

    #[test]
    fn what_either_tells_apart_both_together_do() {
        let plain = told("*", "{}");
        let variable = told("arn:aws:ses:*:*:identity/${aws:PrincipalAccount}", "{}");
        for (one, other) in [(&plain, &told("*", PATHS)), (&told("*", PATHS), &plain)] {
            let mut both = one.clone();
            both.merge(other);
            assert!(both.by_org_path && !both.has_variable);
        }
        for (one, other) in [(&plain, &variable), (&variable, &plain)] {
            let mut both = one.clone();
            both.merge(other);
            assert!(both.has_variable && !both.by_org_path);
        }
    }
}
