//! How far SES is in use in an account: one level, and what it rests on.
//!
//! # Source
//! Clauses 20 to 28 of `docs/exposure.md`.

use ses_perimeter::severity::{Level, Standing};

use crate::model::{
    AccountExposure, Enforcement, MailManager, Part, RegionFacts, RegionStatus, RuleActionKind,
};

/// The level of an account.
///
/// `account` is its entry in the exposure section, if it has one; `regions` are the Regions of the
/// partition in which SES has an endpoint. Mail that flows in one Region makes the account
/// [`Level::Sending`] whatever the gaps; otherwise one gap makes it [`Level::Unknown`].
#[must_use]
pub fn standing(account: Option<&AccountExposure>, regions: &[&str]) -> Standing {
    let Some(account) = account else {
        return Standing {
            level: Level::Unknown,
            because: vec!["the account is not in the exposure section".to_owned()],
        };
    };
    let mut found = Vec::new();
    for region in &account.regions {
        if let RegionStatus::Read(facts) = &region.status {
            let (level, why) = level_of(facts);
            found.push((level, format!("{}: {why}", region.region)));
        }
    }
    let top = found.iter().map(|(level, _)| *level).max().unwrap_or(Level::NotInUse);
    let gaps = level_gaps(account, regions);
    if top != Level::Sending && !gaps.is_empty() {
        return Standing { level: Level::Unknown, because: gaps };
    }
    let mut because: Vec<String> =
        found.into_iter().filter(|(level, _)| *level == top).map(|(_, why)| why).collect();
    if top == Level::NotInUse {
        because = vec!["no Region has identities, Mail Manager, endpoints or mail".to_owned()];
    }
    Standing { level: top, because }
}

/// What stands in the way of telling the level. A Region that is switched off is no gap here: no
/// principal of the account can send from it.
fn level_gaps(account: &AccountExposure, regions: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for region in &account.regions {
        if let RegionStatus::Read(facts) = &region.status {
            found.extend(facts.gaps().map(|gap| format!("{}: {gap}", region.region)));
        }
    }
    found.extend(region_gaps(account, regions, false));
    found
}

/// The Regions that were not read, with the reasons; one that is switched off counts where
/// `switched_off` says so.
pub(crate) fn region_gaps(
    account: &AccountExposure,
    regions: &[&str],
    switched_off: bool,
) -> Vec<String> {
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    let mut add =
        |reason: String, region| match found.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, regions)) => regions.push(region),
            None => found.push((reason, vec![region])),
        };
    for region in &account.regions {
        let reason = match &region.status {
            RegionStatus::Read(_) | RegionStatus::NotOptedIn => continue,
            RegionStatus::RegionDisabled if !switched_off => continue,
            RegionStatus::RegionDisabled => {
                "the Region is switched off, and what was set up there \
                                             before cannot be read"
                    .to_owned()
            }
            RegionStatus::RoleMissing => "the role that reads is not in the account".to_owned(),
            RegionStatus::Denied { call } if call == ASSUME => {
                format!("`{call}` was denied: the role is not there or does not trust the checker")
            }
            RegionStatus::Denied { call } => format!("`{call}` was denied"),
            RegionStatus::Failed { reason } => reason.clone(),
        };
        add(reason, &region.region);
    }
    for region in missing(account, regions) {
        add("the Region was not read".to_owned(), region);
    }
    let all = account.regions.len() + missing(account, regions).count();
    found
        .into_iter()
        .map(|(reason, regions)| match regions.as_slice() {
            [region] => format!("{region}: {reason}"),
            many if many.len() == all => format!("in every Region: {reason}"),
            many => format!("{}: {reason}", named(many)),
        })
        .collect()
}

/// STS says the same of a role that is missing as of one that trusts another.
const ASSUME: &str = "sts:AssumeRole";

/// The names of Regions, the first few of many.
fn named(regions: &[&str]) -> String {
    const SHOWN: usize = 3;
    match regions.split_at_checked(SHOWN) {
        Some((shown, rest)) if rest.len() > 1 => {
            format!("{} and {} more Regions", shown.join(", "), rest.len())
        }
        _ => regions.join(", "),
    }
}

/// The Regions that the section leaves out.
fn missing<'r>(account: &AccountExposure, regions: &[&'r str]) -> impl Iterator<Item = &'r str> {
    let there = |name: &str| account.regions.iter().any(|region| region.region == name);
    regions.iter().copied().filter(move |name| !there(name))
}

impl RegionFacts {
    /// Every part that could not be read, in words; the policies of an identity are not parts.
    pub fn gaps(&self) -> impl Iterator<Item = String> + '_ {
        let whole = [
            self.sending.gap(),
            self.sent_last_two_weeks.gap(),
            self.identities.gap(),
            self.mail_manager.gap(),
            self.endpoints.gap(),
        ];
        whole.into_iter().flatten().map(ToString::to_string)
    }
}

/// The level that one Region shows, and why. Parts that are gaps show nothing.
fn level_of(facts: &RegionFacts) -> (Level, String) {
    let sending = facts.sending.read();
    let paused = sending.and_then(|sending| {
        if !sending.enabled {
            Some("sending is switched off")
        } else if sending.enforcement == Enforcement::Shutdown {
            Some("AWS has shut sending down")
        } else {
            None
        }
    });
    let counted = facts.sent_last_two_weeks.read().copied().unwrap_or(0);
    let today = sending.map_or(0.0, |sending| sending.quota.sent_last_24_hours);
    let sent = (counted > 0 || today > 0.0).then(|| {
        if counted > 0 {
            format!("{counted} delivery attempts in two weeks")
        } else {
            format!("{today} messages in 24 hours")
        }
    });
    let production = sending.is_some_and(|sending| sending.production_access);
    let set_up = set_up(facts);
    if let (None, Some(sent)) = (paused, &sent) {
        return (Level::Sending, sent.clone());
    }
    if relays_out(facts) {
        let why = "a Mail Manager rule relays mail, which neither the sandbox nor a pause holds";
        return (Level::Production, why.to_owned());
    }
    if production && paused.is_none() {
        return (Level::Production, "production access, and no mail counted".to_owned());
    }
    if let Some(paused) = paused
        && (production || sent.is_some() || set_up.is_some())
    {
        return (Level::Paused, paused.to_owned());
    }
    match set_up {
        Some(what) => (Level::Sandbox, format!("{what}, and the account is in the sandbox")),
        None => (Level::NotInUse, "nothing is set up".to_owned()),
    }
}

/// What is set up in the Region, in words; `None` where nothing is.
fn set_up(facts: &RegionFacts) -> Option<String> {
    let mut found = Vec::new();
    let mut count = |number: usize, one: &str, many: &str| {
        if number > 0 {
            found.push(format!("{number} {}", if number == 1 { one } else { many }));
        }
    };
    if let Part::Read(identities) = &facts.identities {
        count(identities.len(), "identity", "identities");
    }
    if let Part::Read(MailManager::Available { relays, rule_sets, ingress_points }) =
        &facts.mail_manager
    {
        count(relays.len(), "Mail Manager relay", "Mail Manager relays");
        count(rule_sets.len(), "Mail Manager rule set", "Mail Manager rule sets");
        count(ingress_points.len(), "Mail Manager ingress point", "Mail Manager ingress points");
    }
    if let Part::Read(endpoints) = &facts.endpoints {
        count(endpoints.len(), "VPC endpoint", "VPC endpoints");
    }
    (!found.is_empty()).then(|| found.join(", "))
}

/// Whether mail that comes in through an ingress point can be relayed.
fn relays_out(facts: &RegionFacts) -> bool {
    let Part::Read(MailManager::Available { rule_sets, ingress_points, .. }) = &facts.mail_manager
    else {
        return false;
    };
    let mut actions = rule_sets.iter().flat_map(|rule_set| &rule_set.actions);
    !ingress_points.is_empty()
        && actions.any(|action| matches!(action.kind, RuleActionKind::Relay { .. }))
}

/// What is in use in an account: Regions, each with what is in use there in words.
pub(crate) fn in_use(account: &AccountExposure) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for region in &account.regions {
        if let RegionStatus::Read(facts) = &region.status {
            let (level, why) = level_of(facts);
            if level != Level::NotInUse {
                // A finding must not change with every message.
                let why = if level == Level::Sending { "mail was sent".to_owned() } else { why };
                // What the sandbox holds is told with it.
                let what = set_up(facts).filter(|_| level != Level::Sandbox);
                let what = what.map_or_else(String::new, |what| format!(" ({what})"));
                found.push((region.region.clone(), format!("{why}{what}")));
            }
        }
    }
    found
}
