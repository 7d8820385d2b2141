//! Values that stand for all others: for numbers, moments and addresses the policies only
//! draw boundaries, so the values on and beside each boundary are enough.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use ipnet::IpNet;
use policy::model::{Condition, Family, Piece};
use policy::value;

use crate::literal::Domain;

/// More boundaries than this are not looked at; the domain is then not complete.
const MOST_VALUES: usize = 4000;
const NANOS: i128 = 1_000_000_000;
/// A moment on 2 January 1970; four digits alone would read as a year.
pub(crate) const EARLIEST: i64 = 100_000;

/// How a stored value reads under the key `folded`.
pub(crate) fn view(folded: &str, stored: &str) -> String {
    let is_moment = matches!(folded, "aws:currenttime" | "aws:tokenissuetime");
    if !is_moment {
        return stored.to_owned();
    }
    stored.parse::<i64>().ok().and_then(value::moment_text).unwrap_or_else(|| stored.to_owned())
}

/// Whether text comparisons on a key of another type leave the representatives complete: they
/// do where each names single values.
fn text_is_literal(condition: &Condition) -> bool {
    match condition.operator.test.family() {
        Family::Number(_) | Family::Date(_) | Family::Ip | Family::Null => true,
        Family::Text { wildcards, .. } => condition.values.iter().all(|value| {
            value.template.pieces.iter().all(|piece| match piece {
                Piece::Char(_) => true,
                Piece::Star | Piece::Question => !wildcards,
                Piece::Variable { .. } => false,
            })
        }),
        Family::Arn | Family::Bool | Family::Binary => false,
    }
}

/// What stands for the stars of a pattern, so that it may name a number, a moment or an address.
const FILLS: [&str; 8] = ["", "1", "0.1", "0.0.1", "1.0.0.1", ":1", "::1", "-01-01T00:00:00Z"];

/// The values as they are written, and some texts that those with wildcards match.
fn texts<'a>(conditions: &'a [&Condition]) -> impl Iterator<Item = Cow<'a, str>> {
    conditions.iter().flat_map(|c| &c.values).flat_map(|value| {
        let wild = value.text.contains(['*', '?']);
        let filled = FILLS.iter().filter(move |_| wild).map(|fill| {
            let text = value.text.replace('*', fill).replace('?', "1");
            Cow::Owned(text)
        });
        std::iter::once(Cow::Borrowed(value.text.as_str())).chain(filled)
    })
}

fn finish(plain: Vec<String>, others: BTreeSet<String>, conditions: &[&Condition]) -> Domain {
    let complete = others.len() <= MOST_VALUES && conditions.iter().all(|c| text_is_literal(c));
    let mut values = plain;
    for other in others.into_iter().take(MOST_VALUES) {
        if !values.contains(&other) {
            values.push(other);
        }
    }
    let values = values.iter().map(|text| Rc::from(text.as_str())).collect();
    Domain::Finite { values, complete }
}

/// Numbers on, between and beyond those that the conditions name.
pub(crate) fn numbers(plain: &str, conditions: &[&Condition]) -> Domain {
    let named: BTreeSet<i128> = texts(conditions).filter_map(|text| value::number(&text)).collect();
    let unit = value::number("1").unwrap_or(1);
    let mut all: BTreeSet<i128> = named.clone();
    if !conditions.iter().all(|condition| text_is_literal(condition)) {
        // Long ones, which few patterns of texts match.
        all.extend(["31415.926", "-27182.8"].into_iter().filter_map(value::number));
    }
    for (low, high) in named.iter().zip(named.iter().skip(1)) {
        all.insert(low + (high - low) / 2);
    }
    if let (Some(first), Some(last)) = (named.first(), named.last()) {
        all.extend([first - unit, last + unit]);
    }
    let mut spelled: BTreeSet<String> = all.into_iter().map(value::number_text).collect();
    spelled.extend(texts(conditions).filter(|t| value::number(t).is_some()).map(Cow::into_owned));
    finish(vec![plain.to_owned()], spelled, conditions)
}

/// Whole seconds on and beside the moments that the conditions name, none before `earliest`.
pub(crate) fn moments(plain: i64, earliest: i64, conditions: &[&Condition]) -> Domain {
    let earliest = earliest.max(EARLIEST);
    let mut all: BTreeSet<i64> = BTreeSet::from([earliest]);
    let mut exact = true;
    for text in texts(conditions) {
        let nanos = value::moment(&text).or_else(|| value::number(&text).map(|n| n / 1000));
        let Some(nanos) = nanos else { continue };
        let Ok(seconds) = i64::try_from(nanos.div_euclid(NANOS)) else { continue };
        exact &= nanos.rem_euclid(NANOS) == 0;
        all.extend((-1..=2).map(|step| seconds.saturating_add(step)));
    }
    // The latest moment that ISO 8601 spells with four digits for the year.
    let representable = |seconds: &i64| (earliest..=253_402_300_799).contains(seconds);
    let spelled = all.iter().filter(|s| representable(s)).map(i64::to_string).collect();
    match finish(vec![plain.to_string()], spelled, conditions) {
        Domain::Finite { values, complete } => {
            Domain::Finite { values, complete: complete && exact }
        }
        other @ (Domain::Text(_) | Domain::Set { .. }) => other,
    }
}

/// Addresses at both ends of the ranges that the conditions name and just outside them.
pub(crate) fn addresses(outside: &[IpNet], plain: &[String], conditions: &[&Condition]) -> Domain {
    let mut all: BTreeSet<IpAddr> = BTreeSet::from([
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(Ipv4Addr::BROADCAST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::from(u128::MAX)),
    ]);
    for network in
        texts(conditions).filter_map(|text| value::network(&text)).chain(outside.iter().copied())
    {
        let (first, last) = (network.network(), network.broadcast());
        all.extend([first, last]);
        all.extend(stepped(first, false));
        all.extend(stepped(last, true));
        // A second member, so that a text naming one of them leaves another.
        all.extend(stepped(first, true).filter(|second| network.contains(second)));
    }
    let allowed = |address: &IpAddr| !outside.iter().any(|network| network.contains(address));
    let mut preferred: Vec<String> = plain
        .iter()
        .filter(|text| value::address(text).is_some_and(|address| allowed(&address)))
        .cloned()
        .collect();
    let spelled: BTreeSet<String> = all
        .into_iter()
        .filter(|address| allowed(address))
        .map(|address| address.to_string())
        .chain(
            texts(conditions)
                .filter(|text| value::address(text).is_some_and(|address| allowed(&address)))
                .map(Cow::into_owned),
        )
        .collect();
    if preferred.is_empty() {
        preferred.extend(spelled.first().cloned());
    }
    finish(preferred, spelled, conditions)
}

/// The neighbour of an address in its family.
fn stepped(address: IpAddr, up: bool) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => {
            let bits = u32::from(v4);
            let next = if up { bits.checked_add(1) } else { bits.checked_sub(1) };
            next.map(|bits| IpAddr::V4(Ipv4Addr::from(bits)))
        }
        IpAddr::V6(v6) => {
            let bits = u128::from(v6);
            let next = if up { bits.checked_add(1) } else { bits.checked_sub(1) };
            next.map(|bits| IpAddr::V6(Ipv6Addr::from(bits)))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    /// The conditions of a Deny statement.
    fn conditions(text: &str) -> Vec<Condition> {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Action": "*",
                "Resource": "*", "Condition": {text}}}]}}"#
        );
        let limits = policy::parse::Limits::default();
        let mut policy = policy::parse::parse(&text, &limits).unwrap().policy;
        policy.statements.remove(0).conditions
    }

    /// The values of a domain, and whether they stand for all others.
    fn stand(domain: Domain) -> (Vec<String>, bool) {
        match domain {
            Domain::Finite { values, complete } => {
                (values.iter().map(|value| value.to_string()).collect(), complete)
            }
            Domain::Text(_) | Domain::Set { .. } => (Vec::new(), false),
        }
    }

    fn with<T>(text: &str, look: impl Fn(&[&Condition]) -> T) -> T {
        let all = conditions(text);
        look(&all.iter().collect::<Vec<_>>())
    }

    #[test]
    fn there_is_a_number_on_between_and_beyond_all_that_are_named() {
        let text = r#"{"NumericGreaterThan": {"k": ["3", "10"]}, "NumericLessThan": {"k": "3.000000000004"}}"#;
        let (values, complete) = with(text, |all| stand(numbers("0", all)));
        assert!(complete);
        assert_eq!(values[0], "0", "the plain one first");
        let found: BTreeSet<i128> =
            values.iter().map(|text| value::number(text).unwrap()).collect();
        let unit = value::number("1").unwrap();
        let (low, close, high) = (3 * unit, 3 * unit + 4, 10 * unit);
        for named in [low, close, high] {
            assert!(found.contains(&named));
        }
        for (after, before) in [(i128::MIN, low), (low, close), (close, high), (high, i128::MAX)] {
            assert!(found.iter().any(|n| after < *n && *n < before), "{after} to {before}");
        }
        // Beyond them on either side of zero, whatever the plain one is.
        for (named, plain) in [(["-5", "-2"], "-3"), (["2", "5"], "3")] {
            let text = format!(r#"{{"NumericEquals": {{"k": {named:?}}}}}"#);
            let (values, _) = with(&text, |all| stand(numbers(plain, all)));
            let [low, high] = named.map(|text| value::number(text).unwrap());
            let found: Vec<i128> = values.iter().filter_map(|text| value::number(text)).collect();
            assert!(found.iter().any(|n| *n < low), "{values:?}");
            assert!(found.iter().any(|n| *n > high), "{values:?}");
        }
        // As it was written, too.
        assert!(
            with(r#"{"NumericEquals": {"k": "03.0"}}"#, |all| stand(numbers("0", all)))
                .0
                .contains(&"03.0".to_owned())
        );
    }

    #[test]
    fn there_is_a_second_before_on_and_after_each_moment() {
        let at = 1_767_225_600_i64;
        for named in ["2026-01-01T00:00:00Z", "1767225600"] {
            let text = format!(r#"{{"DateLessThan": {{"k": "{named}"}}}}"#);
            let (values, complete) =
                with(&text, |all| stand(moments(1_700_000_000, EARLIEST, all)));
            assert!(complete, "{named}");
            assert_eq!(values[0], "1700000000");
            for second in [at - 1, at, at + 1, at + 2, EARLIEST] {
                assert!(values.contains(&second.to_string()), "{named}: {second}");
            }
        }
        let part = r#"{"DateLessThan": {"k": "2026-01-01T00:00:00.5Z"}}"#;
        assert!(
            !with(part, |all| stand(moments(0, EARLIEST, all))).1,
            "whole seconds cannot meet it"
        );
        let both = r#"{"DateLessThan": {"k": ["2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z"]}}"#;
        assert!(!with(both, |all| stand(moments(0, EARLIEST, all))).1, "in whichever order");
        let later = r#"{"DateLessThan": {"k": "2026-01-01T00:00:00Z"}}"#;
        let (values, complete) = with(later, |all| stand(moments(at + 9, at + 9, all)));
        assert_eq!(values, [(at + 9).to_string()], "nobody asks before the first moment");
        assert!(complete);
        // A number in milliseconds, where the same key is compared as a number.
        let number = r#"{"NumericLessThan": {"k": "5000000.000000001"}}"#;
        let (values, _) = with(number, |all| stand(moments(0, EARLIEST, all)));
        assert!(values.contains(&"5000000".to_owned()), "{values:?}");
    }

    #[test]
    fn there_is_an_address_at_both_ends_and_outside_of_each_range() {
        let text = r#"{"IpAddress": {"k": ["10.1.0.0/16", "2001:db8::/32"]}}"#;
        let plain = ["198.51.100.10".to_owned()];
        let (values, complete) = with(text, |all| stand(addresses(&[], &plain, all)));
        assert!(complete);
        assert_eq!(values[0], plain[0]);
        for address in [
            "10.0.255.255",
            "10.1.0.0",
            "10.1.0.1",
            "10.1.255.255",
            "10.2.0.0",
            "2001:db8::",
            "2001:db8::1",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db9::",
            "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
            "0.0.0.0",
            "255.255.255.255",
            "::",
        ] {
            assert!(values.contains(&address.to_owned()), "{address}");
        }
        let outside: [IpNet; 1] = ["10.1.0.0/16".parse().unwrap()];
        let (values, _) =
            with(text, |all| stand(addresses(&outside, &["10.1.2.3".to_owned()], all)));
        assert!(!values.iter().any(|address| address.starts_with("10.1.")), "{values:?}");
        assert!(!values.is_empty());
    }

    #[test]
    fn comparisons_as_text_leave_the_values_complete_where_each_names_one() {
        for (text, complete) in [
            (r#"{"StringEquals": {"k": "5*"}}"#, true),
            (r#"{"StringLike": {"k": "5"}}"#, true),
            (r#"{"StringLike": {"k": "5*"}}"#, false),
            (r#"{"StringLike": {"k": "5?"}}"#, false),
            (r#"{"StringEquals": {"k": "${aws:username}"}}"#, false),
            (r#"{"ArnLike": {"k": "a"}}"#, false),
            (r#"{"Bool": {"k": "true"}}"#, false),
            (r#"{"Null": {"k": "true"}}"#, true),
            (r#"{"NumericEquals": {"k": "5"}}"#, true),
        ] {
            assert_eq!(with(text, |all| stand(numbers("0", all)).1), complete, "{text}");
        }
    }

    #[test]
    fn a_pattern_of_texts_has_a_member_among_the_values() {
        let of = |text: &str| format!(r#"{{"StringLike": {{"k": "{text}"}}}}"#);
        for (pattern, member) in [("10.*", "10.0.0.1"), ("2001:db8::?*", "2001:db8::1")] {
            let (values, complete) = with(&of(pattern), |all| stand(addresses(&[], &[], all)));
            assert!(values.contains(&member.to_owned()), "{pattern}: {values:?}");
            assert!(!complete, "not every member is there");
        }
        assert!(with(&of("7.?"), |all| stand(numbers("0", all))).0.contains(&"7.1".to_owned()));
        let year = with(&of("2031*"), |all| stand(moments(0, EARLIEST, all))).0;
        let start = value::moment("2031-01-01T00:00:00Z").unwrap() / NANOS;
        assert!(year.contains(&start.to_string()), "{year:?}");
    }

    #[test]
    fn too_many_boundaries_are_not_looked_at_and_said_to_be() {
        let values: Vec<String> = (0..MOST_VALUES).map(|n| format!("\"{n}\"")).collect();
        let many = format!(r#"{{"NumericEquals": {{"k": [{}]}}}}"#, values.join(","));
        assert!(!with(&many, |all| stand(numbers("0", all)).1));
    }
}
