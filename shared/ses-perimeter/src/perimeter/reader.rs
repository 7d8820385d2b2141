//! Typed access to the TOML tree that keeps places and collects every problem.

use text::diagnostic::Diagnostic;
pub(super) use text::fields::Text;
use text::span::Span;
use text::words::{did_you_mean, listed, nearest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Every section and the keys it takes.
pub(super) const SECTIONS: [(&str, &[&str]); 11] = [
    (
        "",
        &[
            "trusted",
            "exemptions",
            "administrators",
            "allowed_targets",
            "assumptions",
            "controls",
            "exposure",
        ],
    ),
    ("trusted", &["recipients", "networks"]),
    ("trusted.networks", &["vpce_org", "vpcs", "cidrs"]),
    ("exemptions", &["principal_tag", "principal_arn", "reason", "owner", "expires"]),
    ("administrators", &["principal_tag", "principal_arn", "reason", "owner", "expires"]),
    ("principal_tag", &["key", "value"]),
    ("allowed_targets", &["id", "reason"]),
    ("assumptions", &["undocumented"]),
    ("controls", &["disabled", "severity"]),
    ("exposure", &["trusted_hosts", "disabled_regions", "without_mail_manager", "severity"]),
    ("exposure.severity", &["NOT_IN_USE", "PAUSED", "SANDBOX", "PRODUCTION", "SENDING"]),
];

/// Problems and warnings found so far.
#[derive(Default)]
pub(super) struct Reader {
    pub problems: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
}

/// A table together with its name for messages.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub table: &'a DeTable<'a>,
    pub name: &'static str,
    pub span: Span,
}

pub(super) fn span_of<T>(value: &Spanned<T>) -> Span {
    let range = value.span();
    Span::new(range.start, range.end)
}

/// How messages name a section: `[trusted]`, `[[exemptions]]`, the top level.
fn title(name: &str) -> String {
    match name {
        "" => "the top level".to_owned(),
        "exemptions" | "administrators" | "allowed_targets" => format!("`[[{name}]]`"),
        "principal_tag" => "`principal_tag`".to_owned(),
        _ => format!("`[{name}]`"),
    }
}

fn article(kind: &str) -> String {
    match kind {
        "array" | "integer" => format!("an {kind}"),
        "datetime" => "a date".to_owned(),
        _ => format!("a {kind}"),
    }
}

/// A key as TOML wants it written: with quotes where it contains a dot.
fn quoted(key: &str) -> String {
    if key.contains('.') { format!("\"{key}\"") } else { key.to_owned() }
}

/// The keys that a section takes.
fn keys_of(section: &str) -> &'static [&'static str] {
    SECTIONS.iter().find(|(name, _)| *name == section).map_or(&[], |(_, keys)| keys)
}

/// What a character is, for a message that refuses it.
pub(super) fn describe(odd: char) -> String {
    match odd {
        ' ' => "a space".to_owned(),
        odd if odd.is_control() => format!("the control character U+{:04X}", u32::from(odd)),
        odd => format!("the character `{odd}`"),
    }
}

impl<'a> Section<'a> {
    pub fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    fn path(&self, key: &str) -> String {
        let key = quoted(key);
        if self.name.is_empty() { key } else { format!("{}.{key}", self.name) }
    }
}

impl Reader {
    pub fn refuse(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    pub fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning);
    }

    /// Refuses every key that the section does not take.
    pub fn refuse_unknown_keys(&mut self, section: Section<'_>) {
        let allowed = keys_of(section.name);
        for key in section.table.keys() {
            let name: &str = key.get_ref();
            if allowed.contains(&name) {
                continue;
            }
            let place = title(section.name);
            let mut homes = SECTIONS.iter().filter(|(_, keys)| keys.contains(&name));
            let help = match (nearest(name, allowed).copied(), homes.next(), homes.next()) {
                (Some(meant), _, _) => did_you_mean(meant),
                (None, Some((home, _)), None) => format!("`{name}` belongs to {}", title(home)),
                (None, _, _) => format!("{place} takes {}", listed(allowed, "and")),
            };
            self.refuse(
                Diagnostic::error(format!("unknown key `{}`", name.escape_debug()))
                    .label(span_of(key), format!("not a key of {place}"))
                    .help(help),
            );
        }
    }

    /// Refuses a word that is none of the known ones.
    pub fn refuse_choice(&mut self, text: &Text<'_>, what: &str, known: &[&str]) {
        let help = match nearest(text.text, known) {
            Some(meant) => did_you_mean(meant),
            None => format!("write {}", listed(known, "or")),
        };
        self.refuse(
            Diagnostic::error(format!("`{}` is no {what}", text.text.escape_debug()))
                .label(text.span, format!("expected {}", listed(known, "or")))
                .help(help),
        );
    }

    /// Whether `key` must be reported as missing: it is absent, and no unknown key of the
    /// section was already answered with it.
    pub fn lacks(&self, section: Section<'_>, key: &str) -> bool {
        let allowed = keys_of(section.name);
        let misspelt =
            |name: &str| !allowed.contains(&name) && nearest(name, allowed).copied() == Some(key);
        section.get(key).is_none() && !section.table.keys().any(|name| misspelt(name.get_ref()))
    }

    fn wrong_type(&mut self, path: &str, wanted: &str, found: &Spanned<DeValue<'_>>, help: &str) {
        let kind = article(found.get_ref().type_str());
        self.refuse(
            Diagnostic::error(format!("`{path}` must be {wanted}"))
                .label(span_of(found), format!("this is {kind}"))
                .help(help),
        );
    }

    /// The table under `key`; none where it is absent or refused.
    pub fn table<'a>(
        &mut self,
        parent: Section<'a>,
        key: &str,
        name: &'static str,
    ) -> Option<Section<'a>> {
        let value = parent.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            let help = match key {
                "principal_tag" => {
                    "write `principal_tag = { key = \"KEY\", value = \"VALUE\" }`".to_owned()
                }
                _ => format!("write it as a section `[{}]`", parent.path(key)),
            };
            self.wrong_type(&parent.path(key), "a table", value, &help);
            return None;
        };
        Some(Section { table, name, span: span_of(value) })
    }

    /// The tables of an array of tables `[[key]]`.
    pub fn tables<'a>(&mut self, parent: Section<'a>, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = parent.get(key) else { return Vec::new() };
        let help = format!("write each entry under its own `[[{key}]]`, in double brackets");
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, "an array of tables", value, &help);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(table) => {
                    sections.push(Section { table, name: key, span: span_of(item) });
                }
                None => self.wrong_type(key, "an array of tables", item, &help),
            }
        }
        sections
    }

    /// The string under `key`; none where it is absent or refused.
    pub fn text<'a>(&mut self, section: Section<'a>, key: &str) -> Option<Text<'a>> {
        let value = section.get(key)?;
        let text = value.get_ref().as_str().map(|text| Text { text, span: span_of(value) });
        if text.is_none() {
            let help = format!("write `{} = \"...\"`, in quotes", quoted(key));
            self.wrong_type(&section.path(key), "a string", value, &help);
        }
        text
    }

    /// The string under `key`, which must be there and say something.
    pub fn required_text<'a>(
        &mut self,
        section: Section<'a>,
        key: &str,
        why: &str,
    ) -> Option<Text<'a>> {
        if self.lacks(section, key) {
            self.refuse(
                Diagnostic::error(format!("{} lacks `{key}`", title(section.name)))
                    .label(section.span, format!("no `{key}` here"))
                    .help(format!("add `{key} = \"...\"`: {why}")),
            );
            return None;
        }
        let text = self.text(section, key)?;
        self.filled(text, key, why)
    }

    /// The text, unless it is blank.
    pub fn filled<'a>(&mut self, text: Text<'a>, key: &str, why: &str) -> Option<Text<'a>> {
        if text.text.trim().is_empty() {
            self.refuse(
                Diagnostic::error(format!("`{key}` is empty"))
                    .label(text.span, "says nothing")
                    .help(why.to_owned()),
            );
            return None;
        }
        Some(text)
    }

    /// The boolean under `key`; none where it is absent or refused.
    pub fn boolean(&mut self, section: Section<'_>, key: &str) -> Option<bool> {
        let value = section.get(key)?;
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            let help = "write `true` or `false`, without quotes";
            self.wrong_type(&section.path(key), "`true` or `false`", value, help);
        }
        boolean
    }

    /// The strings of the array under `key`; none where it is absent or no array. Items that
    /// are no strings are refused and left out.
    pub fn texts<'a>(&mut self, section: Section<'a>, key: &str) -> Option<Vec<Text<'a>>> {
        let value = section.get(key)?;
        let path = section.path(key);
        let Some(array) = value.get_ref().as_array() else {
            let help = format!("write `{key} = [\"...\"]`, even for one");
            self.wrong_type(&path, "an array of strings", value, &help);
            return None;
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Text { text, span: span_of(item) }),
                None => self.wrong_type(
                    &path,
                    "an array of strings",
                    item,
                    "write every entry in quotes",
                ),
            }
        }
        Some(texts)
    }

    /// The date under `key`; none where it is absent or refused.
    pub fn date(&mut self, section: Section<'_>, key: &str) -> Option<jiff::civil::Date> {
        let value = section.get(key)?;
        let help = format!("write a day alone, without quotes or a time: `{key} = 2027-06-30`");
        let Some(moment) = value.get_ref().as_datetime() else {
            self.wrong_type(&section.path(key), "a date", value, &help);
            return None;
        };
        let (Some(date), None, None) = (&moment.date, &moment.time, &moment.offset) else {
            self.refuse(
                Diagnostic::error(format!("`{}` must be a date", section.path(key)))
                    .label(span_of(value), "this carries a time")
                    .help(help),
            );
            return None;
        };
        let parts = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
        let (Ok(year), Ok(month), Ok(day)) = parts else { return self.no_such_day(value) };
        match jiff::civil::Date::new(year, month, day) {
            Ok(date) => Some(date),
            Err(_) => self.no_such_day(value),
        }
    }

    fn no_such_day(&mut self, value: &Spanned<DeValue<'_>>) -> Option<jiff::civil::Date> {
        self.refuse(
            Diagnostic::error("no such day in the calendar")
                .label(span_of(value), "this day does not exist")
                .help("write year, month and day of a real day: `2027-06-30`"),
        );
        None
    }
}
