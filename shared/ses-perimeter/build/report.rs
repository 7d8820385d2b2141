//! What all data files share: where facts are from, words and days.
#![allow(
    dead_code,
    missing_docs,
    reason = "the fields are those of the files, and the checks read some alone"
)]

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
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub date: String,
    pub url: Option<String>,
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

    /// The Rust variant of one of a few words.
    pub fn word(
        &mut self,
        entry: &str,
        what: &str,
        word: &str,
        words: &[(&str, &'static str)],
    ) -> &'static str {
        if let Some((_, variant)) = words.iter().find(|(name, _)| *name == word) {
            return variant;
        }
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        self.say(entry, format!("unknown {what} `{word}`; use {}", names.join(", ")));
        ""
    }

    /// The day of the whole list, in days since 1970.
    pub fn day(&mut self, entry: &str, date: &str) -> i64 {
        epoch_day(date).unwrap_or_else(|| {
            self.say(entry, format!("`{date}` is no date; write it like `2026-11-28`"));
            0
        })
    }

    /// What was made, unless something is wrong.
    pub fn end<T>(self, made: T) -> Result<T, Vec<String>> {
        if self.problems.is_empty() { Ok(made) } else { Err(self.problems) }
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
