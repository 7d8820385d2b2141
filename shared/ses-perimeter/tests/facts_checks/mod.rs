//! What must hold of the facts in `data/` beside their shape, which the build sees to: a mistake in
//! them could turn a leak into a pass. Each message names the file, the entry and the remedy.
#![allow(dead_code, reason = "either test uses a part")]

use std::collections::BTreeSet;

use crate::build::report::{Report, Source};

pub mod lists;
pub mod table;

/// Names must be unique and sorted without regard to case.
fn sorted<'a>(report: &mut Report, entry: &str, names: impl IntoIterator<Item = &'a str>) {
    let mut previous: Option<&str> = None;
    for name in names {
        if let Some(before) = previous {
            match before.to_ascii_lowercase().cmp(&name.to_ascii_lowercase()) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => {
                    report.say(entry, format!("`{name}` is listed twice; keep one"));
                }
                std::cmp::Ordering::Greater => {
                    report.say(entry, format!("`{name}` stands after `{before}`; sort by name"));
                }
            }
        }
        previous = Some(name);
    }
}

/// A name must be among the known ones.
fn known(report: &mut Report, entry: &str, what: &str, name: &str, known: &BTreeSet<&str>) {
    if !known.contains(name) {
        report.say(entry, format!("unknown {what} `{name}`; correct it or list it in the file"));
    }
}

/// Sources are complete and used, and every use (row, id of a source) has one.
fn sources<'a>(
    report: &mut Report,
    sources: &'a [Source],
    used: impl IntoIterator<Item = (String, &'a str)>,
) {
    let mut ids = BTreeSet::new();
    for source in sources {
        let entry = format!("source `{}`", source.id);
        if !ids.insert(source.id.as_str()) {
            report.say(&entry, "is listed twice; keep one");
        }
        if source.name.trim().is_empty() {
            report.say(&entry, "no name; say what it is");
        }
        if source.version.trim().is_empty() {
            report.say(&entry, "no version; name the version or commit, or `page`");
        }
        if source.date.trim().is_empty() {
            report.say(&entry, "no date; name its day, or the day when it was read");
        } else {
            report.day(&entry, &source.date);
        }
        if source.url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
            report.say(&entry, "the url must begin with `https://`");
        }
    }
    let used: BTreeSet<(String, &str)> = used.into_iter().collect();
    for (entry, id) in &used {
        if id.is_empty() {
            report.say(entry, "no source; name the `id` of the one it is from");
        } else {
            known(report, entry, "source", id, &ids);
        }
    }
    for id in ids {
        if !used.iter().any(|(_, used)| *used == id) {
            report.say(&format!("source `{id}`"), "nothing refers to it; remove it");
        }
    }
}
