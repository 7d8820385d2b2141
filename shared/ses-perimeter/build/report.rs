//! What the checks of all data files share.

use std::collections::BTreeSet;

use serde::Deserialize;

/// Value types of condition keys, each with its Rust variant.
pub const KINDS: [(&str, &str); 6] = [
    ("String", "String"),
    ("ARN", "Arn"),
    ("Bool", "Bool"),
    ("Numeric", "Number"),
    ("Date", "Date"),
    ("IPAddress", "Ip"),
];

/// Where facts are from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    date: String,
    url: Option<String>,
}

/// Collects what is wrong; each message names the file and the row.
pub struct Report {
    file: &'static str,
    /// The messages so far.
    pub problems: Vec<String>,
}

impl Report {
    /// Nothing wrong in `file` so far.
    pub fn of(file: &'static str) -> Self {
        Self { file, problems: Vec::new() }
    }

    /// Reads the file; what is no JSON of its shape is the only problem then.
    pub fn read<'t, T: Deserialize<'t>>(&self, text: &'t str) -> Result<T, Vec<String>> {
        serde_json::from_str(text).map_err(|error| {
            vec![format!("{}: {error}; write the entry in the shape of its neighbours", self.file)]
        })
    }

    /// Takes down what is wrong with an entry.
    pub fn say(&mut self, entry: &str, message: impl AsRef<str>) {
        self.problems.push(format!("{}: {entry}: {}", self.file, message.as_ref()));
    }

    /// Names must be unique and sorted without regard to case.
    pub fn sorted<'a>(&mut self, entry: &str, names: impl IntoIterator<Item = &'a str>) {
        let mut previous: Option<&str> = None;
        for name in names {
            if let Some(before) = previous {
                match before.to_ascii_lowercase().cmp(&name.to_ascii_lowercase()) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal => {
                        self.say(entry, format!("`{name}` is listed twice; keep one"));
                    }
                    std::cmp::Ordering::Greater => {
                        self.say(entry, format!("`{name}` stands after `{before}`; sort by name"));
                    }
                }
            }
            previous = Some(name);
        }
    }

    /// A name must be among the known ones.
    pub fn known(&mut self, entry: &str, what: &str, name: &str, known: &BTreeSet<&str>) {
        if !known.contains(name) {
            self.say(entry, format!("unknown {what} `{name}`; correct it or list it in the file"));
        }
    }

    /// The Rust variant of a type.
    pub fn kind(&mut self, entry: &str, kind: &str) -> &'static str {
        if let Some((_, variant)) = KINDS.iter().find(|(name, _)| *name == kind) {
            return variant;
        }
        let kinds: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        self.say(entry, format!("unknown type `{kind}`; use {}", kinds.join(", ")));
        ""
    }

    /// The day of the whole list, in days since 1970.
    pub fn day(&mut self, entry: &str, date: &str) -> i64 {
        epoch_day(date).unwrap_or_else(|| {
            self.say(entry, format!("`{date}` is no date; write it like `2026-11-28`"));
            0
        })
    }

    /// Sources are complete and used, and every use (row, id of a source) has one.
    pub fn sources<'a>(
        &mut self,
        sources: &'a [Source],
        used: impl IntoIterator<Item = (String, &'a str)>,
    ) {
        let mut ids = BTreeSet::new();
        for source in sources {
            let entry = format!("source `{}`", source.id);
            if !ids.insert(source.id.as_str()) {
                self.say(&entry, "is listed twice; keep one");
            }
            if source.name.trim().is_empty() {
                self.say(&entry, "no name; say what it is");
            }
            if source.version.trim().is_empty() {
                self.say(&entry, "no version; name the version or commit, or `page`");
            }
            if source.date.trim().is_empty() {
                self.say(&entry, "no date; name its day, or the day when it was read");
            } else {
                self.day(&entry, &source.date);
            }
            if source.url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
                self.say(&entry, "the url must begin with `https://`");
            }
        }
        let used: BTreeSet<(String, &str)> = used.into_iter().collect();
        for (entry, id) in &used {
            if id.is_empty() {
                self.say(entry, "no source; name the `id` of the one it is from");
            } else {
                self.known(entry, "source", id, &ids);
            }
        }
        for id in ids {
            if !used.iter().any(|(_, used)| *used == id) {
                self.say(&format!("source `{id}`"), "nothing refers to it; remove it");
            }
        }
    }
}

/// `2026-11-28` in days since 1970.
pub fn epoch_day(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let mut number = |length: usize| {
        let part = parts.next()?;
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse::<i64>().ok() } else { None }
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = lengths.get(usize::try_from(month - 1).ok()?)?;
    if parts.next().is_some() || year < 1970 || day < 1 || day > *length {
        return None;
    }
    let before: i64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    let last = year - 1;
    let leap_days = (last / 4 - last / 100 + last / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
    Some((year - 1970) * 365 + leap_days + before + day - 1)
}

/// A date of a list as Rust.
pub fn date_rust(text: &str, day: i64) -> String {
    format!("pub(super) const DATE: Date = Date {{ text: {text:?}, epoch_day: {day} }};\n")
}
