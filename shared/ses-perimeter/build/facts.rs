//! Checks and compiles the lists that are not about actions: condition keys, prefixes of
//! services, Regions.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Deserialize;

use super::report::{Report, Source, date_rust};

/// The condition keys, relative to the crate.
pub const KEYS: &str = "data/condition-keys.json";
/// The prefixes of all services, relative to the crate.
pub const PREFIXES: &str = "data/service-prefixes.json";
/// The Regions, relative to the crate.
pub const REGIONS: &str = "data/regions.json";

/// What is known about AWS Organizations, relative to the crate.
pub const ORGANIZATIONS: &str = "data/organizations.json";

/// Where a key occurs, each word with its Rust variant.
const OCCURRENCES: [(&str, &str); 5] = [
    ("always", "Always"),
    ("free", "Free"),
    ("never", "Never"),
    ("open", "Open"),
    ("listed", "Listed"),
];

/// Kinds of networks, each with its Rust variant.
const NETWORKS: [(&str, &str); 2] = [("internet", "Internet"), ("endpoint", "Endpoint")];

/// Partitions that must be listed, even where SES has no Region.
const PARTITIONS: [&str; 4] = ["aws", "aws-us-gov", "aws-eusc", "aws-cn"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyList {
    date: String,
    sources: Vec<Source>,
    keys: Vec<Key>,
    identity_providers: Vec<Provider>,
    claims: Vec<Claim>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    multivalued: bool,
    ses: Settled,
    iam: Settled,
    sts: Settled,
    #[serde(default)]
    session: bool,
    network: Option<String>,
    #[serde(default)]
    source: String,
}

/// The same under both settings of `undocumented`, or one word for each.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Settled {
    Both(String),
    #[serde(rename_all = "camelCase")]
    Each {
        documented: String,
        worst_case: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    prefix: String,
    #[serde(default)]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    multivalued: bool,
    session: String,
    #[serde(default)]
    source: String,
}

/// The Rust statics for the keys in `text`, and the names of the keys.
pub fn keys(text: &str) -> Result<(String, Vec<String>), Vec<String>> {
    let mut report = Report::of(KEYS);
    let list: KeyList = report.read(text)?;
    let mut rust = date_rust(&list.date, report.day("the list", &list.date));
    let used = (list.keys.iter().map(|k| (format!("key `{}`", k.name), k.source.as_str())))
        .chain(list.identity_providers.iter().map(|p| (provider_entry(p), p.source.as_str())))
        .chain(list.claims.iter().map(|c| (format!("claim `{}`", c.name), c.source.as_str())));
    report.sources(&list.sources, used);
    write_keys(&list.keys, &mut report, &mut rust);
    report.sorted("claims", list.claims.iter().map(|claim| claim.name.as_str()));
    rust += "static CLAIMS: &[Claim] = &[\n";
    for claim in &list.claims {
        let entry = format!("claim `{}`", claim.name);
        let kind = report.kind(&entry, &claim.kind);
        let session = occurrence(&entry, &claim.session, &mut report);
        // Writing to a String cannot fail.
        let _ = writeln!(
            rust,
            "Claim {{ name: {:?}, kind: KeyKind::{kind}, multivalued: {}, session: {session} }},",
            claim.name, claim.multivalued,
        );
    }
    report.sorted("identityProviders", list.identity_providers.iter().map(|p| p.prefix.as_str()));
    rust += "];\nstatic PROVIDERS: &[Provider] = &[\n";
    for provider in &list.identity_providers {
        if !provider.prefix.contains('.') || provider.prefix.contains(':') {
            report.say(&provider_entry(provider), "must be the prefix of a key, with a dot");
        }
        let pattern = pattern(&provider.prefix);
        let _ =
            writeln!(rust, "Provider {{ prefix: {:?}, pattern: {pattern:?} }},", provider.prefix);
    }
    rust += "];\n";
    let names = list.keys.into_iter().map(|key| key.name).collect();
    if report.problems.is_empty() { Ok((rust, names)) } else { Err(report.problems) }
}

fn provider_entry(provider: &Provider) -> String {
    format!("identity provider `{}`", provider.prefix)
}

fn write_keys(keys: &[Key], report: &mut Report, rust: &mut String) {
    report.sorted("keys", keys.iter().map(|key| key.name.as_str()));
    let (mut single, mut families) = (Vec::new(), Vec::new());
    for key in keys {
        let entry = format!("key `{}`", key.name);
        let (name, family) = match key.name.split_once("${") {
            Some((name, _)) => (name, true),
            None => (key.name.as_str(), false),
        };
        let whole = if family { name.ends_with('/') && key.name.ends_with('}') } else { true };
        if !name.contains(':') || !whole {
            report.say(&entry, "write it like `aws:SourceIp` or `aws:PrincipalTag/${TagKey}`");
        }
        let network = match &key.network {
            None => "None".to_owned(),
            Some(network) => {
                let found = NETWORKS.iter().find(|(name, _)| name == network);
                if found.is_none() {
                    report.say(
                        &entry,
                        format!("unknown network `{network}`; use internet, endpoint"),
                    );
                }
                format!("Some(Side::{})", found.map_or("", |(_, variant)| variant))
            }
        };
        let kind = report.kind(&entry, &key.kind);
        let [ses, iam, sts] =
            [&key.ses, &key.iam, &key.sts].map(|settled| settled_rust(&entry, settled, report));
        let row = format!(
            "KeyFact {{ name: {name:?}, kind: KeyKind::{kind}, multivalued: {}, family: {family}, ses: {ses}, iam: {iam}, sts: {sts}, session: {}, network: {network} }},\n",
            key.multivalued, key.session,
        );
        if family { &mut families } else { &mut single }.push((name.to_ascii_lowercase(), row));
    }
    for (family, _) in &families {
        for (name, _) in single.iter().filter(|(name, _)| name.starts_with(family)) {
            report.say(&format!("key `{name}`"), format!("belongs to the family `{family}`"));
        }
    }
    // The order in which `policy::keys::find` looks.
    single.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    for (name, rows) in [("SINGLE", &single), ("FAMILIES", &families)] {
        let _ = writeln!(rust, "static {name}: &[KeyFact] = &[");
        rust.extend(rows.iter().map(|(_, row)| row.as_str()));
        *rust += "];\n";
    }
}

fn settled_rust(entry: &str, settled: &Settled, report: &mut Report) -> String {
    let (documented, worst_case) = match settled {
        Settled::Both(word) => (word, word),
        Settled::Each { documented, worst_case } => (documented, worst_case),
    };
    format!(
        "Settled {{ documented: {}, worst_case: {} }}",
        occurrence(entry, documented, report),
        occurrence(entry, worst_case, report)
    )
}

fn occurrence(entry: &str, word: &str, report: &mut Report) -> String {
    let found = OCCURRENCES.iter().find(|(name, _)| *name == word);
    if found.is_none() {
        let words: Vec<&str> = OCCURRENCES.iter().map(|(name, _)| *name).collect();
        report.say(entry, format!("unknown occurrence `{word}`; use {}", words.join(", ")));
    }
    format!("Occurrence::{}", found.map_or("", |(_, variant)| variant))
}

/// `a.${B}.c` with a wildcard for what differs.
fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        pattern.push_str(before);
        pattern.push('*');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    pattern + rest
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrefixList {
    date: String,
    sources: Vec<Source>,
    #[serde(default)]
    source: String,
    prefixes: Vec<String>,
}

/// The Rust statics for the prefixes in `text`.
pub fn prefixes(text: &str) -> Result<String, Vec<String>> {
    let mut report = Report::of(PREFIXES);
    let list: PrefixList = report.read(text)?;
    let mut rust = date_rust(&list.date, report.day("the list", &list.date));
    report.sources(&list.sources, [("the list".to_owned(), list.source.as_str())]);
    report.sorted("prefixes", list.prefixes.iter().map(String::as_str));
    for prefix in &list.prefixes {
        let part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if prefix.is_empty() || !prefix.bytes().all(part) {
            report.say(
                &format!("prefix `{prefix}`"),
                "use lower-case letters, digits, hyphens, as in `ses`",
            );
        }
    }
    let _ = writeln!(rust, "static PREFIXES: &[&str] = &{:?};", list.prefixes);
    if report.problems.is_empty() { Ok(rust) } else { Err(report.problems) }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionList {
    date: String,
    sources: Vec<Source>,
    partitions: Vec<Partition>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Partition {
    name: String,
    all: Names,
    ses: Names,
    smtp: Names,
    iam: Home,
    form: Form,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    regions: Vec<String>,
    #[serde(default)]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Home {
    region: String,
    #[serde(default)]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    start: String,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    source: String,
}

/// The Rust statics for the Regions in `text`.
pub fn regions(text: &str) -> Result<String, Vec<String>> {
    let mut report = Report::of(REGIONS);
    let list: RegionList = report.read(text)?;
    let mut rust = date_rust(&list.date, report.day("the list", &list.date));
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
    report.sources(&list.sources, used);
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
    rust += "static PARTITIONS: &[Partition] = &[\n";
    for partition in &list.partitions {
        check_partition(partition, &mut report);
        let _ = writeln!(
            rust,
            "Partition {{ name: {:?}, all: &{:?}, ses: &{:?}, smtp: &{:?}, iam: {:?}, form: RegionForm {{ start: {:?}, never: &{:?} }} }},",
            partition.name,
            partition.all.regions,
            partition.ses.regions,
            partition.smtp.regions,
            partition.iam.region,
            partition.form.start,
            partition.form.never,
        );
    }
    rust += "];\n";
    if report.problems.is_empty() { Ok(rust) } else { Err(report.problems) }
}

fn check_partition(partition: &Partition, report: &mut Report) {
    let entry = format!("partition `{}`", partition.name);
    if !PARTITIONS.contains(&partition.name.as_str()) {
        report.say(&entry, "unknown partition; correct it or teach build/facts.rs its name");
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

/// Checks the list of what `make facts` watches in AWS Organizations; no code comes of it.
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
    report.sources(&list.sources, used);
    for (part, rows, treated) in parts {
        report.sorted(part, rows.iter().map(|row| row.name.as_str()));
        for row in rows {
            if row.treatment.is_some() != treated {
                let wanted = if treated { "say" } else { "leave out" };
                report.say(&format!("`{}` in `{part}`", row.name), format!("{wanted} `treatment`"));
            }
        }
    }
    if report.problems.is_empty() { Ok(()) } else { Err(report.problems) }
}
