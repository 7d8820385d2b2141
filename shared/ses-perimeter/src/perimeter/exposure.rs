//! The section `[exposure]`: how accounts are judged by what is set up in them.
//!
//! # Source
//! Clauses 28, 30 and 63 of `docs/exposure.md`.

use std::collections::BTreeSet;

use text::diagnostic::Diagnostic;
use text::words::{did_you_mean, nearest};

use super::reader::{Reader, Section, Text};
use crate::facts::regions;
use crate::severity::{Level, Rule, Severity, SeverityRules};

/// What `[exposure]` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExposureSettings {
    /// SMTP hosts to which Mail Manager may relay, beside those under the domains of trusted
    /// recipients: `mail.example.net`, or `*.example.net` for everything below it.
    pub trusted_hosts: Vec<String>,
    /// What Regions hold that an account has switched off.
    pub disabled_regions: DisabledRegions,
    /// Regions in which the organization says that there is no Mail Manager: no list of AWS says
    /// so for certain, and where it is not, nobody answers.
    pub without_mail_manager: BTreeSet<String>,
    /// What the level of an account does to the severity of a failed control.
    pub severity: SeverityRules,
}

/// What Regions hold that an account has switched off. AWS does not tell those that never were on
/// from those that were, and what was set up there is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DisabledRegions {
    /// Nobody knows: controls about what is set up are undecided.
    #[default]
    Unknown,
    /// Nothing: the organization says that they never were in use.
    Empty,
}

pub(super) fn read(reader: &mut Reader, root: Section<'_>) -> ExposureSettings {
    let mut settings = ExposureSettings::default();
    let Some(section) = reader.table(root, "exposure", "exposure") else { return settings };
    reader.refuse_unknown_keys(section);
    for host in reader.texts(section, "trusted_hosts").unwrap_or_default() {
        if !check_host(reader, &host) {
            continue;
        }
        if settings.trusted_hosts.iter().any(|known| known.eq_ignore_ascii_case(host.text)) {
            reader.warn(
                Diagnostic::warning(format!("trusted host `{}` is listed twice", host.text))
                    .label(host.span, "already listed above, case aside")
                    .help("remove one"),
            );
        } else {
            settings.trusted_hosts.push(host.text.to_owned());
        }
    }
    let known = regions::all_ses();
    for region in reader.texts(section, "without_mail_manager").unwrap_or_default() {
        if known.contains(region.text) {
            settings.without_mail_manager.insert(region.text.to_owned());
        } else {
            let all: Vec<&str> = known.iter().copied().collect();
            let help = match nearest(region.text, &all) {
                Some(meant) => did_you_mean(meant),
                None => "write Regions such as `us-east-1`".to_owned(),
            };
            reader.refuse(
                Diagnostic::error(format!("`{}` is no Region of SES", region.text.escape_debug()))
                    .label(region.span, "SES has no endpoint there")
                    .help(help),
            );
        }
    }
    match reader.text(section, "disabled_regions") {
        None | Some(Text { text: "unknown", .. }) => {}
        Some(Text { text: "empty", .. }) => settings.disabled_regions = DisabledRegions::Empty,
        Some(text) => {
            reader.refuse_choice(&text, "value of `disabled_regions`", &["unknown", "empty"]);
        }
    }
    if let Some(rules) = reader.table(section, "severity", "exposure.severity") {
        reader.refuse_unknown_keys(rules);
        read_rules(reader, rules, &mut settings.severity);
    }
    settings
}

/// A full host name, or one with `*.` before it.
fn check_host(reader: &mut Reader, host: &Text<'_>) -> bool {
    let name = host.text.strip_prefix("*.").unwrap_or(host.text);
    let name = name.strip_suffix('.').unwrap_or(name);
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let full = name.contains('.') && name.split('.').all(label);
    if !full {
        reader.refuse(
            Diagnostic::error(format!("`{}` is no host", host.text.escape_debug()))
                .label(host.span, "not a full host name")
                .help(
                    "write a host such as `mail.example.net`, or `*.example.net` for everything \
                     below it",
                ),
        );
    }
    full
}

fn read_rules(reader: &mut Reader, section: Section<'_>, rules: &mut SeverityRules) {
    const OWN: &str = "OWN";
    let mut known = vec![OWN];
    known.extend(Severity::ALL.map(Severity::name));
    for level in Level::ALL {
        let Some(text) = reader.text(section, level.name()) else { continue };
        let Some(rule) = rules.rule_mut(level) else { continue };
        *rule = match Severity::named(text.text) {
            Some(to) if level == Level::Sending => Rule::Raise { from: Severity::High, to },
            Some(most) => Rule::AtMost(most),
            None if text.text == OWN => Rule::Own,
            None => {
                reader.refuse_choice(&text, "severity", &known);
                continue;
            }
        };
    }
}
