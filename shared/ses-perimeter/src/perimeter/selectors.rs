//! Selectors of exempt principals and administrators.

use jiff::civil::Date;
use text::diagnostic::Diagnostic;
use text::span::Span;

use super::reader::{Reader, Section, Text, describe, span_of};

/// Principals that the organization leaves outside a control, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// Which principals.
    pub matches: SelectorKind,
    /// Why, in the words of the file.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which it counts.
    pub expires: Option<Date>,
    /// Where it stands in the file.
    pub span: Span,
}

/// How a selector picks principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectorKind {
    /// Principals that carry this tag: the key in any case, the value exactly.
    PrincipalTag {
        /// The tag key.
        key: String,
        /// The tag value.
        value: String,
    },
    /// Principals whose `aws:PrincipalArn` matches this `ArnLike` pattern.
    PrincipalArn(String),
}

impl Selector {
    /// Whether it counts on the day `today`; the day it expires on is its last.
    #[must_use]
    pub fn in_force(&self, today: Date) -> bool {
        self.expires.is_none_or(|last| today <= last)
    }
}

impl SelectorKind {
    fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::PrincipalTag { key, value }, Self::PrincipalTag { key: k, value: v }) => {
                key.eq_ignore_ascii_case(k) && value == v
            }
            (Self::PrincipalArn(arn), Self::PrincipalArn(a)) => arn == a,
            (Self::PrincipalTag { .. }, Self::PrincipalArn(_))
            | (Self::PrincipalArn(_), Self::PrincipalTag { .. }) => false,
        }
    }
}

/// Reads the selectors of `[[exemptions]]` or `[[administrators]]`.
pub(super) fn read_all(reader: &mut Reader, root: Section<'_>, key: &'static str) -> Vec<Selector> {
    let mut selectors: Vec<Selector> = Vec::new();
    for section in reader.tables(root, key) {
        reader.refuse_unknown_keys(section);
        let matches = read_kind(reader, section);
        let reason = reader.required_text(section, "reason", "say why, for those who review it");
        let owner = reader.text(section, "owner").and_then(|owner| {
            reader.filled(owner, "owner", "name who answers for it, or leave it out")
        });
        let expires = reader.date(section, "expires");
        let (Some(matches), Some(reason)) = (matches, reason) else { continue };
        if let Some(first) = selectors.iter().find(|s| s.matches.same_as(&matches)) {
            reader.warn(
                Diagnostic::warning(format!("two `[[{key}]]` select the same principals"))
                    .label(section.span, "the same selector again")
                    .label(first.span, "first here")
                    .help("keep one: while either is in force, the principals are selected"),
            );
        }
        selectors.push(Selector {
            matches,
            reason: reason.text.to_owned(),
            owner: owner.map(|owner| owner.text.to_owned()),
            expires,
            span: section.span,
        });
    }
    selectors
}

fn read_kind(reader: &mut Reader, section: Section<'_>) -> Option<SelectorKind> {
    match (section.get("principal_tag"), section.get("principal_arn")) {
        (None, None)
            if !reader.lacks(section, "principal_tag")
                || !reader.lacks(section, "principal_arn") =>
        {
            None
        }
        (None, None) => {
            reader.refuse(
                Diagnostic::error(format!("`[[{}]]` selects nobody", section.name))
                    .label(section.span, "neither `principal_tag` nor `principal_arn`")
                    .help("add `principal_arn = \"arn:aws:iam::*:role/NAME\"` or `principal_tag = { key = \"KEY\", value = \"VALUE\" }`"),
            );
            None
        }
        (Some(tag), Some(arn)) => {
            reader.refuse(
                Diagnostic::error(format!("`[[{}]]` has two selectors", section.name))
                    .label(span_of(tag), "one selector")
                    .label(span_of(arn), "and another")
                    .help("keep one; for principals that either selects, write two entries"),
            );
            None
        }
        (Some(_), None) => read_tag(reader, section),
        (None, Some(_)) => {
            let text = reader.text(section, "principal_arn")?;
            read_arn(reader, &text)
        }
    }
}

fn read_tag(reader: &mut Reader, section: Section<'_>) -> Option<SelectorKind> {
    let tag = reader.table(section, "principal_tag", "principal_tag")?;
    reader.refuse_unknown_keys(tag);
    let why = "a tag is selected by key and value";
    let key = reader.required_text(tag, "key", why);
    let value = reader.required_text(tag, "value", why);
    let (key, value) = (key?, value?);
    let mut sound = true;
    for (name, text, longest) in [("key", &key, 128), ("value", &value, 256)] {
        let length = text.text.chars().count();
        if text.text.contains(['*', '?']) {
            reader.refuse(
                Diagnostic::error(format!(
                    "tag {name} `{}` contains a wildcard",
                    text.text.escape_debug()
                ))
                .label(text.span, "tags are compared as they stand")
                .help(format!("write the whole {name}; tags cannot contain `*` or `?`")),
            );
            sound = false;
        } else if text.text.chars().any(char::is_control) || length > longest {
            reader.refuse(
                Diagnostic::error(format!(
                    "tag {name} `{}` cannot exist",
                    text.text.escape_debug()
                ))
                .label(text.span, format!("at most {longest} characters, none a control character"))
                .help(format!("write the {name} as it is in IAM")),
            );
            sound = false;
        }
    }
    sound.then(|| SelectorKind::PrincipalTag {
        key: key.text.to_owned(),
        value: value.text.to_owned(),
    })
}

fn read_arn(reader: &mut Reader, text: &Text<'_>) -> Option<SelectorKind> {
    let arn = text.text;
    let example = "write it like `arn:aws:iam::*:role/NAME`; `*` and `?` stand for characters within one part";
    if let Some(odd) = arn.chars().find(|c| !c.is_ascii_graphic()) {
        reader.refuse(
            Diagnostic::error(format!(
                "principal ARN `{}` contains {}",
                arn.escape_debug(),
                describe(odd)
            ))
            .label(text.span, "only printable ASCII without spaces")
            .help(example),
        );
        return None;
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [scheme, _, service, region, account, resource] = parts.as_slice() else {
        reader.refuse(
            Diagnostic::error(format!("principal ARN `{arn}` is not complete"))
                .label(text.span, format!("{} of 6 parts, set apart by colons", parts.len()))
                .help(example),
        );
        return None;
    };
    if *scheme != "arn" {
        reader.refuse(
            Diagnostic::error(format!("principal ARN `{arn}` does not begin with `arn:`"))
                .label(text.span, "`ArnLike` compares part by part")
                .help(example),
        );
        return None;
    }
    warn_about_arn(reader, text, service, region, account, resource);
    Some(SelectorKind::PrincipalArn(arn.to_owned()))
}

fn has_wildcard(part: &str) -> bool {
    part.contains(['*', '?'])
}

/// Whether some text that begins with `prefix` (or is it, without a slash at its end) can match.
fn can_begin(pattern: &str, prefix: &str) -> bool {
    let fixed = pattern.find(['*', '?']).and_then(|at| pattern.get(..at));
    match fixed {
        Some(fixed) => fixed.starts_with(prefix) || prefix.starts_with(fixed),
        None if prefix.ends_with('/') => {
            pattern.strip_prefix(prefix).is_some_and(|name| !name.is_empty())
        }
        None => pattern == prefix,
    }
}

/// Warns about patterns that select nobody or everybody: both are allowed, neither is meant.
fn warn_about_arn(
    reader: &mut Reader,
    text: &Text<'_>,
    service: &str,
    region: &str,
    account: &str,
    resource: &str,
) {
    let iam = ["root", "user/", "role/"].iter().any(|kind| can_begin(resource, kind));
    let sts = can_begin(resource, "federated-user/");
    let kind_fits = match service {
        "iam" => iam,
        "sts" => sts,
        other => has_wildcard(other) && (iam || sts),
    };
    let nobody = if resource.starts_with("assumed-role/") {
        Some((
            "the ARN of a session",
            "`aws:PrincipalArn` of a role session is the ARN of the role: write `arn:aws:iam::ACCOUNT:role/NAME`",
        ))
    } else if !has_wildcard(service) && !matches!(service, "iam" | "sts") {
        Some(("principals belong to `iam` or `sts`", "write `iam` as the third part"))
    } else if !region.bytes().all(|b| b == b'*') {
        Some(("principals have no region", "leave the fourth part empty"))
    } else if !has_wildcard(account)
        && (account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()))
    {
        Some(("the fifth part is an account of 12 digits", "write the account, or `*` for all"))
    } else if !kind_fits {
        Some((
            "no principal has such a resource part",
            "write `role/NAME`, `user/NAME` or `root` for `iam`, `federated-user/NAME` for `sts`",
        ))
    } else {
        None
    };
    if let Some((label, help)) = nobody {
        reader.warn(
            Diagnostic::warning(format!("principal ARN `{}` matches nobody", text.text))
                .label(text.span, label)
                .help(help),
        );
    } else if matches!(resource, "*" | "role/*" | "user/*") {
        reader.warn(
            Diagnostic::warning(format!(
                "principal ARN `{}` matches far more than one principal",
                text.text
            ))
            .label(text.span, "every principal of that kind is selected")
            .help("name the principals: whoever is selected is left out of the proof"),
        );
    }
}
