//! The perimeter file: what an organization calls trusted, and whom it leaves outside.
//!
//! [`parse`] reads the TOML text. Nothing is guessed: unknown keys and values are refused by
//! name, all at once, with their places; what is allowed but suspicious becomes a warning.

mod exposure;
mod networks;
mod reader;
mod recipients;
mod selectors;

use std::collections::{BTreeMap, BTreeSet};

use policy::arn::is_account;
use toml::de::DeTable;

use crate::control::ControlId;

pub use crate::severity::Severity;
pub use exposure::{DisabledRegions, ExposureSettings};
pub use networks::TrustedNetworks;
use reader::{Reader, Section, Text, span_of};
pub use selectors::{Selector, SelectorKind};
pub use text::diagnostic::Refusal as PerimeterError;
use text::diagnostic::{Diagnostic, Subject};
use text::span::Span;

/// What a perimeter file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Perimeter {
    /// Patterns of trusted recipients; `*` and `?` as in `StringLike`, case ignored.
    pub trusted_recipients: Vec<String>,
    /// Networks from which calls are expected; none where the file does not say.
    pub networks: Option<TrustedNetworks>,
    /// Principals left outside every control.
    pub exemptions: Vec<Selector>,
    /// Principals left outside the controls that say so.
    pub administrators: Vec<Selector>,
    /// Accounts, organizational units and roots that may mail anyone.
    pub allowed_targets: Vec<AllowedTarget>,
    /// How facts are settled on which the sources are silent or disagree.
    pub undocumented: Undocumented,
    /// Numbers of the controls that are left out.
    pub disabled: BTreeSet<ControlId>,
    /// Severities that differ from the built-in ones, by control number.
    pub severity: BTreeMap<ControlId, Severity>,
    /// What is said about the accounts themselves: how they are judged by what is set up in them.
    pub exposure: ExposureSettings,
    /// What is allowed but probably not meant, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

/// An account, organizational unit or root that may mail anyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedTarget {
    /// Its id: 12 digits, `ou-...` or `r-...`.
    pub id: String,
    /// Why, in the words of the file.
    pub reason: String,
    /// Where it stands in the file.
    pub span: Span,
}

/// How facts are settled on which AWS's own sources are silent or disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Undocumented {
    /// The service authorization reference's word first, then the developer guide's.
    #[default]
    Documented,
    /// Whichever reading lets the request through.
    WorstCase,
}

const PERIMETER: Subject =
    Subject { code: None, noun: "the perimeter file", again: "write the file again" };

/// Reads a perimeter file.
///
/// # Errors
/// Every problem of the text at once, each with its place: TOML that cannot be read, unknown or
/// missing keys, values of another type or outside their domain.
pub fn parse(text: &str) -> Result<Perimeter, PerimeterError> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if let Some(error) = PerimeterError::all(PERIMETER, syntax_problems(&errors)) {
        return Err(error);
    }
    let mut reader = Reader::default();
    let root = Section { table: root.get_ref(), name: "", span: span_of(&root) };
    let mut perimeter = read_root(&mut reader, root);
    if let Some(error) = PerimeterError::all(PERIMETER, reader.problems) {
        return Err(error);
    }
    reader.warnings.sort_by_key(|warning| warning.span);
    perimeter.warnings = reader.warnings;
    Ok(perimeter)
}

/// The parser's errors, one for each place: what it adds there follows from the first.
fn syntax_problems(errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut places = BTreeSet::new();
    errors
        .iter()
        .filter(|error| places.insert(error.span().map(|range| range.start)))
        .map(syntax_problem)
        .collect()
}

fn syntax_problem(error: &toml::de::Error) -> Diagnostic {
    let message = error.message();
    let help = if message.starts_with("duplicate key") {
        "set every key once, and open a section once; only `[[...]]` may repeat"
    } else if message.starts_with("invalid date") {
        "write a real day as year, month and day, such as `2027-06-30`"
    } else {
        "strings stand in quotes, lists in square brackets, sections begin with `[name]`"
    };
    let problem = Diagnostic::error("the perimeter file is not valid TOML").help(help);
    match error.span() {
        Some(range) => problem.label(Span::new(range.start, range.end), message),
        None => problem,
    }
}

fn read_root(reader: &mut Reader, root: Section<'_>) -> Perimeter {
    reader.refuse_unknown_keys(root);
    let (trusted_recipients, networks) = read_trusted(reader, root);
    let (disabled, severity) = read_controls(reader, root);
    Perimeter {
        trusted_recipients,
        networks,
        exemptions: selectors::read_all(reader, root, "exemptions"),
        administrators: selectors::read_all(reader, root, "administrators"),
        allowed_targets: read_allowed_targets(reader, root),
        undocumented: read_undocumented(reader, root),
        disabled,
        severity,
        exposure: exposure::read(reader, root),
        warnings: Vec::new(),
    }
}

fn read_trusted(reader: &mut Reader, root: Section<'_>) -> (Vec<String>, Option<TrustedNetworks>) {
    let help = "say who is trusted: `recipients = [\"*@example.com\"]` under `[trusted]`";
    if root.get("trusted").is_none() {
        if reader.lacks(root, "trusted") {
            reader.refuse(
                Diagnostic::error("the perimeter file has no `[trusted]` section").help(help),
            );
        }
        return (Vec::new(), None);
    }
    let Some(section) = reader.table(root, "trusted", "trusted") else {
        return (Vec::new(), None);
    };
    reader.refuse_unknown_keys(section);
    if reader.lacks(section, "recipients") {
        reader.refuse(
            Diagnostic::error("`[trusted]` lacks `recipients`")
                .label(section.span, "no `recipients` here")
                .help(help),
        );
    }
    let recipients = read_recipients(reader, section);
    let networks = reader.table(section, "networks", "trusted.networks").map(|section| {
        reader.refuse_unknown_keys(section);
        networks::read(reader, section)
    });
    (recipients, networks)
}

fn read_recipients(reader: &mut Reader, section: Section<'_>) -> Vec<String> {
    let Some(value) = section.get("recipients") else { return Vec::new() };
    let Some(texts) = reader.texts(section, "recipients") else { return Vec::new() };
    if texts.is_empty() && value.get_ref().as_array().is_some_and(|array| array.is_empty()) {
        reader.warn(
            Diagnostic::warning("nobody is trusted").label(span_of(value), "no pattern").help(
                "every recipient counts as untrusted: only a policy that stops all mail passes",
            ),
        );
    }
    let mut patterns = Vec::new();
    let mut seen = BTreeSet::new();
    for text in &texts {
        let Some(pattern) = recipients::read(reader, text) else { continue };
        // Case is ignored, so patterns that differ in case alone are the same.
        if seen.insert(pattern.to_ascii_lowercase()) {
            patterns.push(pattern);
        } else {
            reader.warn(
                Diagnostic::warning(format!("trusted recipient `{pattern}` is listed twice"))
                    .label(text.span, "already listed above, case aside")
                    .help("remove one"),
            );
        }
    }
    patterns
}

fn read_allowed_targets(reader: &mut Reader, root: Section<'_>) -> Vec<AllowedTarget> {
    let mut targets: Vec<AllowedTarget> = Vec::new();
    for section in reader.tables(root, "allowed_targets") {
        reader.refuse_unknown_keys(section);
        let id = reader
            .required_text(section, "id", "an account, an organizational unit or the root")
            .filter(|id| check_target(reader, id));
        let reason = reader.required_text(section, "reason", "say why, for those who review it");
        let (Some(id), Some(reason)) = (id, reason) else { continue };
        if let Some(first) = targets.iter().find(|target| target.id == id.text) {
            reader.warn(
                Diagnostic::warning(format!("target `{}` is allowed twice", id.text))
                    .label(section.span, "the same target again")
                    .label(first.span, "first here")
                    .help("keep one, with its reason"),
            );
        } else if id.text.starts_with("r-") {
            reader.warn(
                Diagnostic::warning(format!("the whole root `{}` may mail anyone", id.text))
                    .label(id.span, "every account is below it")
                    .help("no control is decided for any account; name organizational units or accounts"),
            );
        }
        targets.push(AllowedTarget {
            id: id.text.to_owned(),
            reason: reason.text.to_owned(),
            span: section.span,
        });
    }
    targets
}

fn check_target(reader: &mut Reader, id: &Text<'_>) -> bool {
    let lower = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let account = is_account(id.text);
    let unit = id
        .text
        .strip_prefix("ou-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(root, unit)| lower(root) && lower(unit));
    let root = id.text.strip_prefix("r-").is_some_and(lower);
    let known = account || unit || root;
    if !known {
        reader.refuse(
            Diagnostic::error(format!("`{}` is no target", id.text.escape_debug()))
                .label(id.span, "neither an account, an organizational unit nor a root")
                .help("write an account of 12 digits, `ou-ROOT-UNIT` or `r-ROOT`, as Organizations shows it; names are no ids"),
        );
    }
    known
}

fn read_undocumented(reader: &mut Reader, root: Section<'_>) -> Undocumented {
    let Some(section) = reader.table(root, "assumptions", "assumptions") else {
        return Undocumented::default();
    };
    reader.refuse_unknown_keys(section);
    match reader.text(section, "undocumented") {
        None => Undocumented::default(),
        Some(Text { text: "documented", .. }) => Undocumented::Documented,
        Some(Text { text: "worst-case", .. }) => Undocumented::WorstCase,
        Some(text) => {
            reader.refuse_choice(&text, "value of `undocumented`", &["documented", "worst-case"]);
            Undocumented::default()
        }
    }
}

fn read_controls(
    reader: &mut Reader,
    root: Section<'_>,
) -> (BTreeSet<ControlId>, BTreeMap<ControlId, Severity>) {
    let mut disabled = BTreeSet::new();
    let mut severity = BTreeMap::new();
    let Some(section) = reader.table(root, "controls", "controls") else {
        return (disabled, severity);
    };
    reader.refuse_unknown_keys(section);
    for text in reader.texts(section, "disabled").unwrap_or_default() {
        let Some(control) = read_control(reader, &text) else { continue };
        if !disabled.insert(control) {
            reader.warn(
                Diagnostic::warning(format!("control `{}` is disabled twice", text.text))
                    .label(text.span, "already listed above")
                    .help("remove one"),
            );
        }
    }
    let Some(levels) = reader.table(section, "severity", "controls.severity") else {
        return (disabled, severity);
    };
    for key in levels.table.keys() {
        let id = Text { text: key.get_ref(), span: span_of(key) };
        let Some(control) = read_control(reader, &id) else { continue };
        let Some(level) = reader.text(levels, id.text) else { continue };
        match Severity::named(level.text) {
            Some(grade) => {
                severity.insert(control, grade);
            }
            None => reader.refuse_choice(&level, "severity", &Severity::ALL.map(Severity::name)),
        }
    }
    (disabled, severity)
}

/// The control that an id such as `SESDP.8` names.
fn read_control(reader: &mut Reader, id: &Text<'_>) -> Option<ControlId> {
    let control = ControlId::all().find(|control| id.text == control.to_string());
    if control.is_none() {
        let digits = id.text.trim_start_matches(|c: char| !c.is_ascii_digit() || c == '0');
        let meant = digits.parse().ok().and_then(ControlId::new);
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the controls are `{}` to `{}`", ControlId::FIRST, ControlId::LAST),
        };
        // Without quotes `SESDP.8 = ...` is TOML for a table `SESDP` with a key `8`.
        let (label, help) = if id.text == "SESDP" {
            ("cut off at the dot", "put the id in quotes: `\"SESDP.8\" = \"HIGH\"`".to_owned())
        } else {
            ("no such control", help)
        };
        reader.refuse(
            Diagnostic::error(format!("unknown control `{}`", id.text.escape_debug()))
                .label(id.span, label)
                .help(help),
        );
    }
    control
}
