//! Values that stand for all others: for numbers, moments and addresses the policies only
//! draw boundaries, so the values on and beside each boundary are enough.

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
const EARLIEST: i64 = 100_000;

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

fn texts<'a>(conditions: &'a [&Condition]) -> impl Iterator<Item = &'a str> {
    conditions.iter().flat_map(|c| &c.values).map(|value| value.text.as_str())
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
    let named: BTreeSet<i128> = texts(conditions).filter_map(value::number).collect();
    let unit = value::number("1").unwrap_or(1);
    let mut all: BTreeSet<i128> = named.clone();
    for (low, high) in named.iter().zip(named.iter().skip(1)) {
        all.insert(low + (high - low) / 2);
    }
    if let (Some(first), Some(last)) = (named.first(), named.last()) {
        all.extend([first - unit, last + unit]);
    }
    let mut spelled: BTreeSet<String> = all.into_iter().map(value::number_text).collect();
    spelled.extend(texts(conditions).filter(|t| value::number(t).is_some()).map(str::to_owned));
    finish(vec![plain.to_owned()], spelled, conditions)
}

/// Whole seconds on and beside the moments that the conditions name.
pub(crate) fn moments(plain: i64, conditions: &[&Condition]) -> Domain {
    let mut all: BTreeSet<i64> = BTreeSet::from([EARLIEST]);
    let mut exact = true;
    for text in texts(conditions) {
        let nanos = value::moment(text).or_else(|| value::number(text).map(|n| n / 1000));
        let Some(nanos) = nanos else { continue };
        let Ok(seconds) = i64::try_from(nanos.div_euclid(NANOS)) else { continue };
        exact &= nanos.rem_euclid(NANOS) == 0;
        all.extend((-1..=2).map(|step| seconds.saturating_add(step)));
    }
    // The latest moment that ISO 8601 spells with four digits for the year.
    let representable = |seconds: &i64| (EARLIEST..=253_402_300_799).contains(seconds);
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
    for network in texts(conditions).filter_map(value::network).chain(outside.iter().copied()) {
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
                .map(str::to_owned),
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
