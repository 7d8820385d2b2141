//! The lists that are not about actions: condition keys, prefixes of services, Regions.
#![allow(
    dead_code,
    missing_docs,
    reason = "the fields are those of the files, and the checks read some alone"
)]

use std::fmt::Write as _;

use serde::Deserialize;

use super::report::{KINDS, Report, Source, date_rust};

/// The condition keys, relative to the crate.
pub const KEYS: &str = "data/condition-keys.json";
/// The prefixes of all services, relative to the crate.
pub const PREFIXES: &str = "data/service-prefixes.json";
/// The Regions, relative to the crate.
pub const REGIONS: &str = "data/regions.json";

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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyList {
    pub date: String,
    pub sources: Vec<Source>,
    pub keys: Vec<Key>,
    pub identity_providers: Vec<Provider>,
    pub claims: Vec<Claim>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub name: String,
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default)]
    pub multivalued: bool,
    pub ses: Settled,
    pub iam: Settled,
    pub sts: Settled,
    #[serde(default)]
    pub session: bool,
    pub network: Option<String>,
    #[serde(default)]
    pub source: String,
}

/// The same under both settings of `undocumented`, or one word for each.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Settled {
    Both(String),
    #[serde(rename_all = "camelCase")]
    Each {
        documented: String,
        worst_case: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub prefix: String,
    #[serde(default)]
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub name: String,
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default)]
    pub multivalued: bool,
    pub session: String,
    #[serde(default)]
    pub source: String,
}

/// The Rust statics for the keys in `text`.
pub fn keys(text: &str) -> Result<String, Vec<String>> {
    let mut report = Report::of(KEYS);
    let list: KeyList = report.read(text)?;
    let mut rust = date_rust(&list.date, report.day("the list", &list.date));
    write_keys(&list.keys, &mut report, &mut rust);
    rust += "static CLAIMS: &[Claim] = &[\n";
    for claim in &list.claims {
        let entry = format!("claim `{}`", claim.name);
        let kind = report.word(&entry, "type", &claim.kind, &KINDS);
        let session = occurrence(&entry, &claim.session, &mut report);
        // Writing to a String cannot fail.
        let _ = writeln!(
            rust,
            "Claim {{ name: {:?}, kind: KeyKind::{kind}, multivalued: {}, session: {session} }},",
            claim.name, claim.multivalued,
        );
    }
    rust += "];\nstatic PROVIDERS: &[Provider] = &[\n";
    for provider in &list.identity_providers {
        let pattern = pattern(&provider.prefix);
        let _ =
            writeln!(rust, "Provider {{ prefix: {:?}, pattern: {pattern:?} }},", provider.prefix);
    }
    rust += "];\n";
    report.end(rust)
}

fn write_keys(keys: &[Key], report: &mut Report, rust: &mut String) {
    let (mut single, mut families) = (Vec::new(), Vec::new());
    for key in keys {
        let entry = format!("key `{}`", key.name);
        let (name, family) = match key.name.split_once("${") {
            Some((name, _)) => (name, true),
            None => (key.name.as_str(), false),
        };
        let network = key.network.as_ref().map_or_else(
            || "None".to_owned(),
            |word| format!("Some(Side::{})", report.word(&entry, "network", word, &NETWORKS)),
        );
        let kind = report.word(&entry, "type", &key.kind, &KINDS);
        let [ses, iam, sts] =
            [&key.ses, &key.iam, &key.sts].map(|settled| settled_rust(&entry, settled, report));
        let row = format!(
            "KeyFact {{ name: {name:?}, kind: KeyKind::{kind}, multivalued: {}, family: {family}, ses: {ses}, iam: {iam}, sts: {sts}, session: {}, network: {network} }},\n",
            key.multivalued, key.session,
        );
        if family { &mut families } else { &mut single }.push((name.to_ascii_lowercase(), row));
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
    format!("Occurrence::{}", report.word(entry, "occurrence", word, &OCCURRENCES))
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
pub struct PrefixList {
    pub date: String,
    pub sources: Vec<Source>,
    #[serde(default)]
    pub source: String,
    pub prefixes: Vec<String>,
}

/// The Rust statics for the prefixes in `text`.
pub fn prefixes(text: &str) -> Result<String, Vec<String>> {
    let mut report = Report::of(PREFIXES);
    let list: PrefixList = report.read(text)?;
    let mut rust = date_rust(&list.date, report.day("the list", &list.date));
    let _ = writeln!(rust, "static PREFIXES: &[&str] = &{:?};", list.prefixes);
    report.end(rust)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionList {
    pub date: String,
    pub sources: Vec<Source>,
    pub partitions: Vec<Partition>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    pub name: String,
    pub all: Names,
    pub ses: Names,
    pub smtp: Names,
    pub iam: Home,
    pub form: Form,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    pub regions: Vec<String>,
    #[serde(default)]
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Home {
    pub region: String,
    #[serde(default)]
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    pub start: String,
    #[serde(default)]
    pub never: Vec<String>,
    #[serde(default)]
    pub source: String,
}

/// The Rust statics for the Regions in `text`.
pub fn regions(text: &str) -> Result<String, Vec<String>> {
    let mut report = Report::of(REGIONS);
    let list: RegionList = report.read(text)?;
    let mut rust = date_rust(&list.date, report.day("the list", &list.date));
    rust += "static PARTITIONS: &[Partition] = &[\n";
    for partition in &list.partitions {
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
    report.end(rust)
}
