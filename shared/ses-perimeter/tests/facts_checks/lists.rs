//! Condition keys, prefixes of services, Regions, and what is watched in AWS Organizations.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{sorted, sources};
use crate::build::facts::{
    KEYS, KeyList, PREFIXES, Partition, PrefixList, Provider, REGIONS, RegionList,
};
use crate::build::report::{Report, Source};

/// What is known about AWS Organizations, relative to the crate.
const ORGANIZATIONS: &str = "data/organizations.json";

/// Partitions that must be listed, even where SES has no Region.
const PARTITIONS: [&str; 4] = ["aws", "aws-us-gov", "aws-eusc", "aws-cn"];

/// What is wrong with the condition keys in `text`; else their names.
pub fn keys(text: &str) -> Result<Vec<String>, Vec<String>> {
    let mut report = Report::of(KEYS);
    let list: KeyList = report.read(text)?;
    let used = (list.keys.iter().map(|k| (format!("key `{}`", k.name), k.source.as_str())))
        .chain(list.identity_providers.iter().map(|p| (provider_entry(p), p.source.as_str())))
        .chain(list.claims.iter().map(|c| (format!("claim `{}`", c.name), c.source.as_str())));
    sources(&mut report, &list.sources, used);
    sorted(&mut report, "keys", list.keys.iter().map(|key| key.name.as_str()));
    sorted(&mut report, "claims", list.claims.iter().map(|claim| claim.name.as_str()));
    sorted(
        &mut report,
        "identityProviders",
        list.identity_providers.iter().map(|p| p.prefix.as_str()),
    );
    let (mut single, mut families) = (Vec::new(), Vec::new());
    for key in &list.keys {
        let (name, family) = match key.name.split_once("${") {
            Some((name, _)) => (name, true),
            None => (key.name.as_str(), false),
        };
        let whole = !family || (name.ends_with('/') && key.name.ends_with('}'));
        if !name.contains(':') || !whole {
            let entry = format!("key `{}`", key.name);
            report.say(&entry, "write it like `aws:SourceIp` or `aws:PrincipalTag/${TagKey}`");
        }
        if family { &mut families } else { &mut single }.push(name.to_ascii_lowercase());
    }
    for family in &families {
        for name in single.iter().filter(|name| name.starts_with(family)) {
            report.say(&format!("key `{name}`"), format!("belongs to the family `{family}`"));
        }
    }
    for provider in &list.identity_providers {
        if !provider.prefix.contains('.') || provider.prefix.contains(':') {
            report.say(&provider_entry(provider), "must be the prefix of a key, with a dot");
        }
    }
    report.end(list.keys.into_iter().map(|key| key.name).collect())
}

fn provider_entry(provider: &Provider) -> String {
    format!("identity provider `{}`", provider.prefix)
}

/// What is wrong with the prefixes in `text`.
pub fn prefixes(text: &str) -> Result<(), Vec<String>> {
    let mut report = Report::of(PREFIXES);
    let list: PrefixList = report.read(text)?;
    sources(&mut report, &list.sources, [("the list".to_owned(), list.source.as_str())]);
    sorted(&mut report, "prefixes", list.prefixes.iter().map(String::as_str));
    for prefix in &list.prefixes {
        let part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if prefix.is_empty() || !prefix.bytes().all(part) {
            report.say(
                &format!("prefix `{prefix}`"),
                "use lower-case letters, digits, hyphens, as in `ses`",
            );
        }
    }
    report.end(())
}

/// What is wrong with the Regions in `text`.
pub fn regions(text: &str) -> Result<(), Vec<String>> {
    let mut report = Report::of(REGIONS);
    let list: RegionList = report.read(text)?;
    let used = list.partitions.iter().flat_map(|p| {
        let named = |what: &str| format!("`{what}` of partition `{}`", p.name);
        [
            (named("all"), p.all.source.as_str()),
            (named("ses"), p.ses.source.as_str()),
            (named("smtp"), p.smtp.source.as_str()),
            (named("iam"), p.iam.source.as_str()),
            (named("form"), p.form.source.as_str()),
        ]
    });
    sources(&mut report, &list.sources, used);
    for partition in PARTITIONS {
        match list.partitions.iter().filter(|p| p.name == partition).count() {
            0 => report.say(
                &format!("partition `{partition}`"),
                "is missing; list it, even without a Region",
            ),
            1 => {}
            _ => report.say(&format!("partition `{partition}`"), "is listed twice; keep one"),
        }
    }
    list.partitions.iter().for_each(|partition| check_partition(partition, &mut report));
    report.end(())
}

fn check_partition(partition: &Partition, report: &mut Report) {
    let entry = format!("partition `{}`", partition.name);
    if !PARTITIONS.contains(&partition.name.as_str()) {
        report.say(&entry, "unknown partition; correct it or teach tests/facts_checks its name");
    }
    for names in [&partition.all, &partition.ses, &partition.smtp] {
        let mut seen = BTreeSet::new();
        for name in &names.regions {
            if !is_region(name) {
                report.say(&entry, format!("`{name}` is no Region; write it like `us-east-1`"));
            }
            if !seen.insert(name) {
                report.say(&entry, format!("`{name}` is listed twice; keep one"));
            }
        }
    }
    let within = [
        ("all", &partition.all.regions, "ses", &partition.ses.regions),
        ("ses", &partition.ses.regions, "smtp", &partition.smtp.regions),
        ("all", &partition.all.regions, "iam", &vec![partition.iam.region.clone()]),
    ];
    for (outer, all, inner, some) in within {
        for name in some.iter().filter(|name| !all.contains(name)) {
            report.say(&entry, format!("`{name}` is in `{inner}`, not in `{outer}`; fix one"));
        }
    }
    let form = &partition.form;
    for name in &partition.all.regions {
        let other = form.never.iter().any(|start| name.starts_with(start));
        if !name.starts_with(&form.start) || other {
            report.say(&entry, format!("`{name}` is not of the partition's `form`; fix one"));
        }
    }
    if partition.name == "aws" && partition.ses.regions.first().is_none_or(|n| n != "us-east-1") {
        report.say(&entry, "`us-east-1` must come first in `ses`: witnesses prefer it");
    }
}

/// `us-east-1`: words of lower-case letters, then a number, joined by hyphens.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words.iter().all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Organizations {
    date: String,
    sources: Vec<Source>,
    policy_types: Vec<Named>,
    account_states: Vec<Named>,
    resource_control_policies: Vec<Named>,
    operations: Vec<Named>,
    account_actions: Vec<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    treatment: Option<String>,
    #[serde(default)]
    source: String,
}

/// Checks the list of what `make facts` watches in AWS Organizations.
pub fn organizations(text: &str) -> Result<(), Vec<String>> {
    let mut report = Report::of(ORGANIZATIONS);
    let list: Organizations = report.read(text)?;
    report.day("the list", &list.date);
    let parts = [
        ("policyTypes", &list.policy_types, true),
        ("accountStates", &list.account_states, false),
        ("resourceControlPolicies", &list.resource_control_policies, true),
        ("operations", &list.operations, false),
        ("accountActions", &list.account_actions, false),
    ];
    let used = parts.iter().flat_map(|(part, rows, _)| {
        rows.iter().map(move |row| (format!("`{}` in `{part}`", row.name), row.source.as_str()))
    });
    sources(&mut report, &list.sources, used);
    for (part, rows, treated) in parts {
        sorted(&mut report, part, rows.iter().map(|row| row.name.as_str()));
        for row in rows {
            if row.treatment.is_some() != treated {
                let wanted = if treated { "say" } else { "leave out" };
                report.say(&format!("`{}` in `{part}`", row.name), format!("{wanted} `treatment`"));
            }
        }
    }
    report.end(())
}
