//! What the pattern of an ARN selector can pick.

use policy::arn::ARN_COMPONENTS;
use policy::glob::{Glob, from_char, matches_by_component};
use prover::budget::Budget;
use prover::language::{Class, Languages, Sequence};
use prover::pattern::glob;

use super::named::{Named, SERVICE_LINKED};
use crate::facts::AccountFacts;

/// Enough for any pattern that a perimeter can hold; one that spends it counts as picking
/// somebody, so that its principals are asked about.
const STEPS: u64 = 1_000_000;

/// Whether the last part of the pattern matches some principal of this kind that SCPs bind.
pub(super) fn is_of_kind(pattern: &str, named: &Named) -> bool {
    let tails = named.tails();
    let Some(name) = pattern.splitn(ARN_COMPONENTS, ':').nth(ARN_COMPONENTS - 1) else {
        return false;
    };
    let mut languages = Languages::default();
    let both = [languages.intern(tails), languages.intern(vec![glob(name, false)])];
    let linked = Sequence::literal(SERVICE_LINKED).any(Class::Any);
    let unbound = [languages.intern(vec![linked])];
    languages.find(&both, &unbound, &mut Budget::new(STEPS)).map_or(true, |found| found.is_some())
}

/// Whether the other parts match the ARNs of IAM's principals in the account.
pub(super) fn is_of(pattern: &str, facts: &AccountFacts) -> bool {
    let mut parts: Vec<&str> = pattern.splitn(ARN_COMPONENTS, ':').collect();
    if let Some(name) = parts.get_mut(ARN_COMPONENTS - 1) {
        *name = "*";
    }
    let head: Vec<Glob> = parts.join(":").chars().map(from_char).collect();
    let arn: Vec<char> =
        format!("arn:{}:iam::{}:x", facts.partition, facts.account).chars().collect();
    matches_by_component(&head, &arn) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> bool {
        let facts = AccountFacts {
            partition: "aws".to_owned(),
            organization: "o-exampleorgid".to_owned(),
            account: "222222222222".to_owned(),
            org_path: "o-exampleorgid/r-exam/".to_owned(),
        };
        is_of(pattern, &facts)
    }

    #[test]
    fn a_pattern_is_about_an_account_where_all_but_its_last_part_match() {
        for pattern in [
            "arn:aws:iam::222222222222:role/x",
            "arn:aws:iam::*:role/x",
            "arn:*:*:*:2222222222??:user/*:y",
        ] {
            assert!(of(pattern), "{pattern}");
        }
        for pattern in [
            "arn:aws:iam::333333333333:role/x",
            "arn:aws-cn:iam::*:role/x",
            "arn:aws:sts::*:role/x",
            "arn:aws:iam:?:*:role/x",
            "arn:aws:iam::*",
        ] {
            assert!(!of(pattern), "{pattern}");
        }
    }

    #[test]
    fn a_kind_is_picked_where_a_name_that_iam_allows_matches() {
        for (pattern, role, user) in [
            ("arn:aws:iam::*:role/a/b", true, false),
            ("arn:aws:iam::*:*", true, true),
            ("arn:aws:iam::*:???r/?", false, true),
            ("arn:aws:iam::*:role/no space", false, false),
            ("arn:aws:iam::*:role/", false, false),
            ("arn:aws:iam::*:root", false, false),
            ("arn:aws:iam::*:role/aws-service-role/*", false, false),
            ("arn:aws:iam::*:role/aws-service-role*", true, false),
        ] {
            let kinds = [Named::Role, Named::User].map(|named| is_of_kind(pattern, &named));
            assert_eq!(kinds, [role, user], "{pattern}");
        }
    }
}
