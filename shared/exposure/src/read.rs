//! From the text of an exposure section to the model.

use std::collections::BTreeMap;

use organization::AccountId;
use text::diagnostic::{Diagnostic, Problems, Subject, label_span, short};
use text::fields::{self, FieldPlace, Object, wrong_type};
use text::json::{Kind, Value};
use text::span::Span;
use text::words::quote;

use crate::ExposureError;
use crate::model::{
    AccountExposure, Endpoint, Enforcement, Exposure, Gap, Identity, IdentityKind, IdentityPolicy,
    IngressPoint, MailManager, Part, Quota, RegionExposure, RegionFacts, RegionStatus, Relay,
    RuleAction, RuleActionKind, RuleSet, Sending,
};

const SECTION: Subject = Subject {
    code: Some("exposure::section"),
    noun: "the exposure section",
    again: "read the account again",
};
/// What to do about a section that cannot be read at all.
const AGAIN: &str = "read the accounts again, or correct the text by hand";

/// The deepest nesting that is read; the format has fewer levels.
const DEEPEST: usize = 32;
/// The same of a snapshot, which can hold policy documents.
const DEEPEST_SNAPSHOT: usize = 128;

/// What to do about a part that is missing.
const PART: &str = "read the account again; what cannot be read is written as `{\"gap\": {\"call\": \
                    \"...\", \"reason\": \"...\"}}`";

/// The words for the status of a Region.
const STATUSES: [&str; 6] =
    ["read", "regionDisabled", "notOptedIn", "roleMissing", "denied", "failed"];

/// Reads an exposure section.
///
/// `text` is the JSON of version 1 as `docs/exposure.md` describes it. Nothing is guessed:
/// unknown fields are refused by name.
///
/// # Errors
/// [`ExposureError`] with every problem at once: no JSON, another version, a field that is
/// missing, unknown, twice there or of the wrong type, a value outside its domain, an account or
/// Region listed twice. A part that nobody could read is no error: it is a [`Gap`].
pub fn read(text: &str) -> Result<Exposure, ExposureError> {
    let value = text::json::parse(text, DEEPEST)
        .map_err(|error| ExposureError::not_json(SECTION, &error, AGAIN))?;
    read_section(&value)
}

/// Reads the exposure section of a snapshot, its member `exposure`; `None` where it has none.
///
/// # Errors
/// As [`read`], with places in the text of the snapshot.
pub fn read_in_snapshot(text: &str) -> Result<Option<Exposure>, ExposureError> {
    let value = text::json::parse(text, DEEPEST_SNAPSHOT)
        .map_err(|error| ExposureError::not_json(SECTION, &error, AGAIN))?;
    let mut sections = value.members().iter().filter(|member| member.key == "exposure");
    let Some(section) = sections.next() else { return Ok(None) };
    if let Some(again) = sections.next() {
        let problem = Diagnostic::twice(
            "the snapshot has `exposure` twice",
            section.key_span,
            again.key_span,
        );
        return Err(ExposureError::one(SECTION, problem));
    }
    read_section(&section.value).map(Some)
}

fn read_section(value: &Value<'_>) -> Result<Exposure, ExposureError> {
    let mut problems = Problems::of(SECTION);
    // Another version may look different altogether, so nothing else is said about it.
    let exposure =
        if known_version(&mut problems, value) { top(&mut problems, value) } else { None };
    if let Some(error) = problems.into_refusal() {
        return Err(error);
    }
    // Without a problem there is a section; were there none, that would be our mistake.
    exposure.ok_or_else(|| {
        ExposureError::one(SECTION, Diagnostic::error("the exposure section could not be read"))
    })
}

fn known_version(problems: &mut Problems, value: &Value<'_>) -> bool {
    if !value.is_object() {
        wrong_type(problems, "the exposure section", value, "an object");
        return false;
    }
    let Some(version) = value.get("exposureVersion") else {
        problems.push(|| {
            Diagnostic::error("the exposure section has no `exposureVersion`".to_owned())
                .label(label_span(value), "add `\"exposureVersion\": 1` to this object")
                .help("read the accounts with this program, which writes the version")
        });
        return false;
    };
    match version.kind {
        Kind::Number("1") => true,
        Kind::Number(other) => {
            problems.push(|| {
                Diagnostic::error(format!("unknown exposure version {}", quote(other)))
                    .label(label_span(version), "expected 1")
                    .help("read the accounts with this program, or use the program that wrote it")
            });
            false
        }
        Kind::Null | Kind::Bool(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => {
            wrong_type(problems, "`exposureVersion`", version, "the number 1");
            false
        }
    }
}

fn top(problems: &mut Problems, value: &Value<'_>) -> Option<Exposure> {
    let object =
        Object::closed(problems, value, FieldPlace::Top, &["exposureVersion", "accounts"])?;
    let list = object.list(problems, "accounts")?;
    let mut accounts = Vec::with_capacity(list.len());
    let mut seen: BTreeMap<AccountId, Span> = BTreeMap::new();
    for (index, value) in list.iter().enumerate() {
        let place = FieldPlace::Element("accounts", index);
        let Some((account, span)) = account(problems, value, place) else { continue };
        if let Some(first) = seen.insert(account.account, span) {
            twice(problems, &format!("account `{}`", account.account), first, span);
        }
        accounts.push(account);
    }
    Some(Exposure { accounts })
}

fn twice(problems: &mut Problems, what: &str, first: Span, second: Span) {
    problems.push(|| {
        Diagnostic::twice(format!("{what} is listed twice"), first, second)
            .help("remove one of the two entries")
    });
}

fn account(
    problems: &mut Problems,
    value: &Value<'_>,
    place: FieldPlace<'_>,
) -> Option<(AccountExposure, Span)> {
    let object = Object::closed(problems, value, place, &["account", "readAt", "regions"])?;
    let id = object.filled(problems, "account");
    let read_at = object.filled(problems, "readAt");
    let list = object.list(problems, "regions");
    let id = id.and_then(|id| match id.text.parse::<AccountId>() {
        Ok(account) => Some((account, id.span)),
        Err(error) => {
            problems.push(|| {
                Diagnostic::error(error.to_string())
                    .label(short(id.span), "this id")
                    .help("write the 12 digits as AWS Organizations shows them")
            });
            None
        }
    });
    let read_at = read_at.filter(|at| {
        let fits = is_moment(at.text);
        if !fits {
            problems.push(|| {
                Diagnostic::error(format!("{} is no moment", quote(at.text)))
                    .label(short(at.span), "expected ISO 8601 in UTC")
                    .help("write it like `2026-11-23T00:00:00Z`")
            });
        }
        fits
    });
    let path = object.path("regions");
    let mut regions = Vec::new();
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for (index, value) in list?.iter().enumerate() {
        let place = FieldPlace::Element(&path, index);
        let Some(region) = region(problems, value, place) else { continue };
        let span = label_span(value);
        if let Some(first) = seen.insert(region.region.clone(), span) {
            twice(
                problems,
                &format!("Region {} of {}", quote(&region.region), object.place()),
                first,
                span,
            );
        }
        regions.push(region);
    }
    let (account, span) = id?;
    Some((AccountExposure { account, read_at: read_at?.text.to_owned(), regions }, span))
}

/// Whether `text` looks like `2026-11-23T00:00:00Z`, perhaps with a fraction of a second.
fn is_moment(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let Some(head) = shape.strip_suffix('Z') else { return false };
    let (head, fraction) = head.split_once('.').unwrap_or((head, "0"));
    head == "0000-00-00T00:00:00" && !fraction.is_empty() && fraction.bytes().all(|b| b == b'0')
}

fn region(
    problems: &mut Problems,
    value: &Value<'_>,
    place: FieldPlace<'_>,
) -> Option<RegionExposure> {
    const READ: [&str; 7] = [
        "region",
        "status",
        "sending",
        "sentLastTwoWeeks",
        "identities",
        "mailManager",
        "vpcEndpoints",
    ];
    let any = [READ.as_slice(), &["call", "reason"]].concat();
    let word = value.get("status").and_then(Value::as_str);
    let known: &[&str] = match word {
        Some("read") => &READ,
        Some("denied") => &["region", "status", "call"],
        Some("failed") => &["region", "status", "reason"],
        Some("regionDisabled" | "notOptedIn" | "roleMissing") => &["region", "status"],
        // Without a status nobody knows which fields belong there.
        Some(_) | None => &any,
    };
    let object = Object::closed(problems, value, place, known)?;
    let name = object.filled(problems, "region");
    let status = match object.word(problems, "status", &STATUSES)? {
        "read" => RegionStatus::Read(Box::new(facts(problems, &object)?)),
        "regionDisabled" => RegionStatus::RegionDisabled,
        "notOptedIn" => RegionStatus::NotOptedIn,
        "roleMissing" => RegionStatus::RoleMissing,
        "denied" => RegionStatus::Denied { call: object.filled(problems, "call")?.text.to_owned() },
        _ => RegionStatus::Failed { reason: object.filled(problems, "reason")?.text.to_owned() },
    };
    Some(RegionExposure { region: name?.text.to_owned(), status })
}

fn facts(problems: &mut Problems, object: &Object<'_, '_, '_>) -> Option<RegionFacts> {
    let sending = part(problems, object, "sending", |problems, value, path| {
        sending(problems, value, FieldPlace::Member(path))
    });
    let sent = part(problems, object, "sentLastTwoWeeks", count);
    let identities = part(problems, object, "identities", |problems, value, path| {
        fields::elements(problems, value, path, identity)
    });
    let mail_manager = part(problems, object, "mailManager", |problems, value, path| {
        mail_manager(problems, value, FieldPlace::Member(path))
    });
    let endpoints = part(problems, object, "vpcEndpoints", |problems, value, path| {
        fields::elements(problems, value, path, endpoint)
    });
    Some(RegionFacts {
        sending: sending?,
        sent_last_two_weeks: sent?,
        identities: identities?,
        mail_manager: mail_manager?,
        endpoints: endpoints?,
    })
}

/// A field that holds what was read, or `{"gap": {"call": ..., "reason": ...}}`.
fn part<T>(
    problems: &mut Problems,
    object: &Object<'_, '_, '_>,
    name: &'static str,
    read: impl FnOnce(&mut Problems, &Value<'_>, &str) -> Option<T>,
) -> Option<Part<T>> {
    let value = object.required_or(problems, name, || PART.to_owned())?;
    let path = object.path(name);
    if value.get("gap").is_none() {
        return read(problems, value, &path).map(Part::Read);
    }
    let outer = Object::closed(problems, value, FieldPlace::Member(&path), &["gap"])?;
    let inner = outer.required(problems, "gap")?;
    let path = outer.path("gap");
    let gap = Object::closed(problems, inner, FieldPlace::Member(&path), &["call", "reason"])?;
    let (call, reason) = (gap.filled(problems, "call"), gap.filled(problems, "reason"));
    Some(Part::Gap(Gap { call: call?.text.to_owned(), reason: reason?.text.to_owned() }))
}

/// A whole number from 0 up.
fn count(problems: &mut Problems, value: &Value<'_>, path: &str) -> Option<u64> {
    let found = value.as_number().and_then(|digits| digits.parse().ok());
    if found.is_none() {
        problems.push(|| {
            Diagnostic::error(format!("`{path}` is not a whole number"))
                .label(label_span(value), "expected a whole number from 0 up")
                .help("sum up the delivery attempts, or write `{\"gap\": ...}` with the reason")
        });
    }
    found
}

/// A TCP port that must be there.
fn port(problems: &mut Problems, object: &Object<'_, '_, '_>, name: &str) -> Option<u16> {
    let value = object.required(problems, name)?;
    let found = value.as_number().and_then(|digits| digits.parse().ok()).filter(|port| *port > 0);
    if found.is_none() {
        problems.push(|| {
            Diagnostic::error(format!("`{}` is no TCP port", object.path(name)))
                .label(label_span(value), "expected 1 to 65535")
                .help("write the port that the relay connects to")
        });
    }
    found
}

fn sending(problems: &mut Problems, value: &Value<'_>, place: FieldPlace<'_>) -> Option<Sending> {
    let known = &["enabled", "productionAccess", "enforcementStatus", "quota"];
    let object = Object::closed(problems, value, place, known)?;
    let enabled = object.boolean(problems, "enabled");
    let production_access = object.boolean(problems, "productionAccess");
    let enforcement = object.filled(problems, "enforcementStatus").map(|word| match word.text {
        "HEALTHY" => Enforcement::Healthy,
        "PROBATION" => Enforcement::Probation,
        "SHUTDOWN" => Enforcement::Shutdown,
        other => Enforcement::Other(other.to_owned()),
    });
    let quota = object.required(problems, "quota").and_then(|value| {
        let known = &["max24Hour", "maxSendRate", "sentLast24Hours"];
        let path = object.path("quota");
        let quota = Object::closed(problems, value, FieldPlace::Member(&path), known)?;
        let numbers = known.map(|name| quota.number(problems, name));
        let [Some(max_24_hour), Some(max_send_rate), Some(sent_last_24_hours)] = numbers else {
            return None;
        };
        Some(Quota { max_24_hour, max_send_rate, sent_last_24_hours })
    });
    Some(Sending {
        enabled: enabled?,
        production_access: production_access?,
        enforcement: enforcement?,
        quota: quota?,
    })
}

fn identity(problems: &mut Problems, value: &Value<'_>, place: FieldPlace<'_>) -> Option<Identity> {
    let object = Object::closed(problems, value, place, &["name", "kind", "verified", "policies"])?;
    let name = object.filled(problems, "name");
    let kinds = ["DOMAIN", "EMAIL_ADDRESS", "MANAGED_DOMAIN"];
    let kind = object.word(problems, "kind", &kinds).map(|word| match word {
        "DOMAIN" => IdentityKind::Domain,
        "EMAIL_ADDRESS" => IdentityKind::EmailAddress,
        _ => IdentityKind::ManagedDomain,
    });
    let verified = object.boolean(problems, "verified");
    let policies = part(problems, &object, "policies", |problems, value, path| {
        fields::elements(problems, value, path, |problems, value, place| {
            let object = Object::closed(problems, value, place, &["name", "text"])?;
            let (name, text) = (object.filled(problems, "name"), object.filled(problems, "text"));
            Some(IdentityPolicy { name: name?.text.to_owned(), text: text?.text.to_owned() })
        })
    });
    Some(Identity {
        name: name?.text.to_owned(),
        kind: kind?,
        verified: verified?,
        policies: policies?,
    })
}

fn mail_manager(
    problems: &mut Problems,
    value: &Value<'_>,
    place: FieldPlace<'_>,
) -> Option<MailManager> {
    let known: &[&str] = match value.get("available").and_then(Value::as_bool) {
        Some(false) => &["available"],
        Some(true) | None => &["available", "relays", "ruleSets", "ingressPoints"],
    };
    let object = Object::closed(problems, value, place, known)?;
    if !object.boolean(problems, "available")? {
        return Some(MailManager::Unavailable);
    }
    let relays = object.elements(problems, "relays", |problems, value, place| {
        let object =
            Object::closed(problems, value, place, &["id", "name", "serverName", "serverPort"])?;
        let texts = ["id", "name", "serverName"].map(|name| object.filled(problems, name));
        let port = port(problems, &object, "serverPort");
        let [Some(id), Some(name), Some(server)] = texts else { return None };
        let [id, name, server_name] = [id, name, server].map(|text| text.text.to_owned());
        Some(Relay { id, name, server_name, server_port: port? })
    });
    let rule_sets = object.elements(problems, "ruleSets", rule_set);
    let ingress_points = object.elements(problems, "ingressPoints", |problems, value, place| {
        let object = Object::closed(problems, value, place, &["id", "name", "status"])?;
        let texts = ["id", "name", "status"].map(|name| object.filled(problems, name));
        let [Some(id), Some(name), Some(status)] = texts else { return None };
        let [id, name, status] = [id, name, status].map(|text| text.text.to_owned());
        Some(IngressPoint { id, name, status })
    });
    Some(MailManager::Available {
        relays: relays?,
        rule_sets: rule_sets?,
        ingress_points: ingress_points?,
    })
}

fn rule_set(problems: &mut Problems, value: &Value<'_>, place: FieldPlace<'_>) -> Option<RuleSet> {
    let object = Object::closed(problems, value, place, &["id", "name", "actions"])?;
    let (id, name) = (object.filled(problems, "id"), object.filled(problems, "name"));
    let actions = object.elements(problems, "actions", |problems, value, place| {
        let known: &[&str] = match value.get("action").and_then(Value::as_str) {
            Some("relay") => &["rule", "action", "relay"],
            Some("send") => &["rule", "action", "recipients"],
            Some(_) | None => &["rule", "action", "relay", "recipients"],
        };
        let object = Object::closed(problems, value, place, known)?;
        let rule = object.filled(problems, "rule");
        let kind = match object.word(problems, "action", &["relay", "send"])? {
            "relay" => {
                RuleActionKind::Relay { relay: object.filled(problems, "relay")?.text.to_owned() }
            }
            _ => RuleActionKind::Send {
                recipients: if object.optional("recipients").is_some() {
                    Some(object.elements(problems, "recipients", |problems, value, place| {
                        fields::string(problems, value, place).map(str::to_owned)
                    })?)
                } else {
                    None
                },
            },
        };
        Some(RuleAction { rule: rule?.text.to_owned(), kind })
    });
    Some(RuleSet { id: id?.text.to_owned(), name: name?.text.to_owned(), actions: actions? })
}

fn endpoint(problems: &mut Problems, value: &Value<'_>, place: FieldPlace<'_>) -> Option<Endpoint> {
    let known = &["id", "service", "vpc", "state", "policy"];
    let object = Object::closed(problems, value, place, known)?;
    let texts = ["id", "service", "vpc", "state"].map(|name| object.filled(problems, name));
    let policy = if object.optional("policy").is_some() {
        Some(object.filled(problems, "policy")?.text.to_owned())
    } else {
        None
    };
    let [Some(id), Some(service), Some(vpc), Some(state)] = texts else { return None };
    let [id, service, vpc, state] = [id, service, vpc, state].map(|text| text.text.to_owned());
    Some(Endpoint { id, service, vpc, state, policy })
}
