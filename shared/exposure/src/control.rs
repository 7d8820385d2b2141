//! The controls about what is exposed: SESDP.19 to SESDP.23.
//!
//! # Source
//! Clauses 60 to 70 of `docs/exposure.md`.

use policy::keys::KeyCatalog;
use ses_perimeter::control::{self, ControlId, Path, Recipients, RequestDetail, Version};
use ses_perimeter::perimeter::{DisabledRegions, Perimeter, TrustedNetworks, Undocumented};
use ses_perimeter::report::{Fault, Verdict, Why};
use ses_perimeter::severity::Level;
use ses_perimeter::table;

use crate::candidates::PerimeterSide;
use crate::inside::Inside;
use crate::level::{in_use, region_gaps, standing};
use crate::model::{
    AccountExposure, Endpoint, MailManager, Part, RegionFacts, RegionStatus, RuleActionKind,
};
use crate::question;
use crate::resource_policy::{Ask, Asker, NamedPolicy, PolicyAnswer, Target};
use crate::trusted_hosts::TrustedHosts;

/// A control about what is exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExposureControl {
    /// SESDP.19.
    IdentityPolicies,
    /// SESDP.20.
    EndpointPrincipals,
    /// SESDP.21.
    EndpointResources,
    /// SESDP.22.
    MailManagerHosts,
    /// SESDP.23.
    ManagementAccount,
}

impl ExposureControl {
    /// All of them in order.
    pub const ALL: [Self; 5] = [
        Self::IdentityPolicies,
        Self::EndpointPrincipals,
        Self::EndpointResources,
        Self::MailManagerHosts,
        Self::ManagementAccount,
    ];

    /// Its id.
    #[must_use]
    pub const fn id(self) -> ControlId {
        match self {
            Self::IdentityPolicies => ControlId::IdentityPolicies,
            Self::EndpointPrincipals => ControlId::EndpointPrincipals,
            Self::EndpointResources => ControlId::EndpointResources,
            Self::MailManagerHosts => ControlId::MailManagerHosts,
            Self::ManagementAccount => ControlId::ManagementAccount,
        }
    }

    /// The control of this id, if it is about exposure.
    #[must_use]
    pub fn of(id: ControlId) -> Option<Self> {
        Self::ALL.into_iter().find(|control| control.id() == id)
    }

    /// What must hold, in a sentence.
    #[must_use]
    pub const fn requirement(self) -> &'static str {
        match self {
            Self::IdentityPolicies => {
                "No sending authorization policy of an identity lets a principal outside the \
                 organization send; resource control policies do not cover SES, so nothing else \
                 would stop it."
            }
            Self::EndpointPrincipals => {
                "The policy of every VPC endpoint for SES admits principals of the organization \
                 only."
            }
            Self::EndpointResources => {
                "The policy of every VPC endpoint for SES admits resources of the organization \
                 only."
            }
            Self::MailManagerHosts => {
                "No relay or send rule of Mail Manager leads to an untrusted host or recipient."
            }
            Self::ManagementAccount => {
                "SES is not in use in the management account, which service control policies do \
                 not bind."
            }
        }
    }
}

impl std::fmt::Display for ExposureControl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.id().fmt(f)
    }
}

/// Checks the controls about what is exposed, account after account.
pub struct Checker<'a> {
    asker: Asker<'a>,
    hosts: TrustedHosts,
    regions: &'a [&'a str],
    /// The account that was asked about last.
    account: String,
}

/// What was found about one control so far.
#[derive(Default)]
struct Tally {
    failures: Vec<Fault>,
    reasons: Vec<String>,
    checked: usize,
}

impl Tally {
    /// One failure is enough; a pass needs that nothing is open. `things` is one and many of what
    /// was checked.
    fn verdict(self, things: [&str; 2]) -> Verdict {
        if !self.failures.is_empty() {
            return Verdict::faults(self.failures);
        }
        if !self.reasons.is_empty() {
            return undecided(self.reasons);
        }
        let [one, many] = things;
        Verdict::InOrder(match self.checked {
            0 => format!("there is no {one} in any Region"),
            1 => format!("the only {one} stays inside the organization"),
            count => format!("all {count} {many} stay inside the organization"),
        })
    }
}

impl<'a> Checker<'a> {
    /// A checker.
    ///
    /// `regions` are the Regions of the partition in which SES has an endpoint; all must have been
    /// read for a control to pass. `moment` is a plain moment for witnesses in epoch seconds,
    /// `budget` the steps for each question.
    #[must_use]
    pub fn new(
        inside: &'a Inside,
        perimeter: &'a Perimeter,
        regions: &'a [&'a str],
        moment: i64,
        budget: u64,
    ) -> Self {
        let hosts =
            TrustedHosts::new(&perimeter.trusted_recipients, &perimeter.exposure.trusted_hosts);
        let asker = Asker::new(inside, perimeter, moment, budget);
        Self { asker, hosts, regions, account: String::new() }
    }

    /// The keys whose types it knows, for replays.
    #[must_use]
    pub const fn catalog(&self) -> &KeyCatalog {
        self.asker.catalog()
    }

    /// How `control` stands for the account with the id `account`, whose entry in the exposure
    /// section is `exposure`, if it has one.
    pub fn check(
        &mut self,
        control: ExposureControl,
        account: &str,
        exposure: Option<&AccountExposure>,
    ) -> Verdict {
        if self.regions.is_empty() {
            return Verdict::NotApplicable("SES has no endpoint in the partition".to_owned());
        }
        if exposure.is_some_and(|exposure| exposure.account.to_string() != account) {
            return undecided(vec!["the entry is another account's".to_owned()]);
        }
        if control == ExposureControl::ManagementAccount {
            return self.management_account(account, exposure);
        }
        let Some(exposure) = exposure else {
            return undecided(vec!["the account is not in the exposure section".to_owned()]);
        };
        if self.account != account {
            account.clone_into(&mut self.account);
            self.asker.begin_account();
        }
        let mut tally = Tally::default();
        for region in &exposure.regions {
            if let RegionStatus::Read(facts) = &region.status {
                let region = region.region.as_str();
                match control {
                    ExposureControl::IdentityPolicies => {
                        self.identities(account, region, facts, &mut tally);
                    }
                    ExposureControl::EndpointPrincipals | ExposureControl::EndpointResources => {
                        self.endpoints(control, account, region, facts, &mut tally);
                    }
                    ExposureControl::MailManagerHosts => {
                        self.mail_manager(region, facts, &mut tally);
                    }
                    ExposureControl::ManagementAccount => {}
                }
            }
        }
        let perimeter = self.asker.perimeter;
        let empty = perimeter.exposure.disabled_regions == DisabledRegions::Empty;
        tally.reasons.extend(region_gaps(exposure, self.regions, !empty));
        tally.verdict(match control {
            ExposureControl::IdentityPolicies => ["identity", "identities"],
            ExposureControl::EndpointPrincipals | ExposureControl::EndpointResources => {
                ["VPC endpoint for SES", "VPC endpoints for SES"]
            }
            ExposureControl::MailManagerHosts => {
                ["Mail Manager relay or send rule", "Mail Manager relays and rules"]
            }
            ExposureControl::ManagementAccount => ["use of SES", "uses of SES"],
        })
    }

    fn identities(&mut self, account: &str, region: &str, facts: &RegionFacts, tally: &mut Tally) {
        let identities = match &facts.identities {
            Part::Read(identities) => identities,
            Part::Gap(gap) => return tally.reasons.push(format!("{region}: {gap}")),
        };
        for identity in identities {
            tally.checked += 1;
            let name = &identity.name;
            let policies = match &identity.policies {
                Part::Read(policies) => policies,
                Part::Gap(gap) => {
                    tally.reasons.push(format!("{region}, identity `{name}`: {gap}"));
                    continue;
                }
            };
            // All policies of an identity together decide, so one that cannot be read may deny
            // what another allows.
            let mut readable = Vec::new();
            let known = tally.reasons.len();
            for policy in policies {
                match NamedPolicy::read(&policy.name, &policy.text) {
                    Ok(policy) => readable.push(policy),
                    Err(why) => tally.reasons.push(format!("{region}, identity `{name}`: {why}")),
                }
            }
            if tally.reasons.len() > known || readable.is_empty() {
                continue;
            }
            let paths = sending_paths(self.asker.perimeter);
            let ask = Ask {
                side: PerimeterSide::Outside,
                services: true,
                paths: &paths,
                region,
                owner: account,
                target: Target::Identity(name),
                keys: question::own_resource(self.asker.inside).into(),
            };
            match self.asker.decide(&readable, &ask) {
                PolicyAnswer::Proved => {}
                PolicyAnswer::Refuted(request) => tally.failures.push(Fault {
                    region: region.to_owned(),
                    subject: name.clone(),
                    message: format!(
                        "{} can send from identity `{name}` ({}): its policy admits it, and \
                         resource control policies do not cover SES",
                        request.by, request.witness.action
                    ),
                    request: Some(request),
                }),
                PolicyAnswer::Undecided(reasons) => tally.reasons.extend(
                    reasons.iter().map(|reason| format!("{region}, identity `{name}`: {reason}")),
                ),
            }
        }
    }

    fn endpoints(
        &mut self,
        control: ExposureControl,
        account: &str,
        region: &str,
        facts: &RegionFacts,
        tally: &mut Tally,
    ) {
        let endpoints = match &facts.endpoints {
            Part::Read(endpoints) => endpoints,
            Part::Gap(gap) => return tally.reasons.push(format!("{region}: {gap}")),
        };
        for endpoint in endpoints {
            tally.checked += 1;
            self.endpoint(control, account, region, endpoint, tally);
        }
    }

    fn endpoint(
        &mut self,
        control: ExposureControl,
        account: &str,
        region: &str,
        endpoint: &Endpoint,
        tally: &mut Tally,
    ) {
        let Endpoint { id, vpc, .. } = endpoint;
        let text = endpoint.policy.as_deref().unwrap_or(FULL_ACCESS);
        let policy = match NamedPolicy::read("endpoint policy", text) {
            Ok(policy) => policy,
            Err(why) => return tally.reasons.push(format!("{region}, endpoint `{id}`: {why}")),
        };
        let inside = self.asker.inside;
        let principals = control == ExposureControl::EndpointPrincipals;
        let paths = if principals {
            admitted_paths(self.asker.perimeter)
        } else {
            foreign_paths(self.asker.perimeter)
        };
        let ask = Ask {
            side: if principals { PerimeterSide::Outside } else { PerimeterSide::Inside },
            services: false,
            paths: &paths,
            region,
            owner: account,
            target: if principals { Target::Any } else { Target::Foreign },
            keys: question::through_endpoint(id, vpc, inside).into(),
        };
        let default =
            if endpoint.policy.is_none() { ", which has no policy of its own" } else { "" };
        match self.asker.decide(&[policy], &ask) {
            PolicyAnswer::Proved => {}
            PolicyAnswer::Refuted(request) => {
                let action = &request.witness.action;
                let message = if principals {
                    format!("{} can call {action} through endpoint `{id}`{default}", request.by)
                } else {
                    format!(
                        "{} can call {action} with {} through endpoint `{id}`{default}",
                        request.by, request.witness.resource
                    )
                };
                tally.failures.push(Fault {
                    region: region.to_owned(),
                    subject: id.clone(),
                    message,
                    request: Some(request),
                });
            }
            PolicyAnswer::Undecided(reasons) => tally.reasons.extend(
                reasons.iter().map(|reason| format!("{region}, endpoint `{id}`: {reason}")),
            ),
        }
    }

    fn mail_manager(&self, region: &str, facts: &RegionFacts, tally: &mut Tally) {
        let (relays, rule_sets) = match &facts.mail_manager {
            Part::Read(MailManager::Unavailable) => return,
            Part::Read(MailManager::Available { relays, rule_sets, .. }) => (relays, rule_sets),
            Part::Gap(gap) => return tally.reasons.push(format!("{region}: {gap}")),
        };
        let mut fail = |subject: &str, message: String| {
            let (region, subject) = (region.to_owned(), subject.to_owned());
            tally.failures.push(Fault { region, subject, message, request: None });
        };
        let mut open = Vec::new();
        tally.checked += relays.len();
        for relay in relays {
            if !self.hosts.trusts(&relay.server_name) {
                let message = format!(
                    "relay `{}` (`{}`) hands mail to `{}`, port {}, which is under no trusted \
                     domain and not a trusted host",
                    relay.name, relay.id, relay.server_name, relay.server_port
                );
                fail(&relay.id, message);
            }
        }
        for rule_set in rule_sets {
            for action in &rule_set.actions {
                tally.checked += 1;
                let place = format!("rule `{}` of rule set `{}`", action.rule, rule_set.name);
                match &action.kind {
                    // A relay that is there has been judged by itself.
                    RuleActionKind::Relay { relay } => {
                        if !relays.iter().any(|known| known.id == *relay) {
                            open.push(format!(
                                "{region}: {place} hands mail to relay `{relay}`, which was not read"
                            ));
                        }
                    }
                    RuleActionKind::Send { recipients: None } => {
                        fail(&rule_set.id, format!("{place} sends to whomever the mail names"));
                    }
                    RuleActionKind::Send { recipients: Some(recipients) } => {
                        let untrusted =
                            recipients.iter().find(|recipient| !self.trusts_recipient(recipient));
                        if let Some(recipient) = untrusted {
                            let message =
                                format!("{place} sends to `{recipient}`, who is not trusted");
                            fail(&rule_set.id, message);
                        }
                    }
                }
            }
        }
        tally.reasons.extend(open);
    }

    /// Whether a pattern of trusted recipients matches the address, ignoring ASCII case.
    fn trusts_recipient(&self, address: &str) -> bool {
        self.asker
            .perimeter
            .trusted_recipients
            .iter()
            .any(|pattern| policy::glob::matches_ignoring_case(pattern, address))
    }

    fn management_account(&self, account: &str, exposure: Option<&AccountExposure>) -> Verdict {
        if account != self.asker.inside.management_account {
            return Verdict::NotApplicable(
                "the account is not the management account of the organization".to_owned(),
            );
        }
        let standing = standing(exposure, self.regions);
        let used = exposure.map(in_use).unwrap_or_default();
        if used.is_empty() && standing.level == Level::NotInUse {
            return Verdict::InOrder("SES is not in use in the management account".to_owned());
        }
        if used.is_empty() {
            return undecided(standing.because);
        }
        let failures = used.into_iter().map(|(region, used)| {
            let message = format!(
                "SES is in use, and service control policies do not bind the account: {used}"
            );
            Fault { region, subject: account.to_owned(), message, request: None }
        });
        Verdict::faults(failures.collect())
    }
}

/// Nobody can say, for these reasons: sentences without a stop.
fn undecided(reasons: Vec<String>) -> Verdict {
    Verdict::undecided(reasons.into_iter().map(Why::InAccount).collect())
}

/// What AWS attaches to an endpoint that is given no policy.
const FULL_ACCESS: &str = r#"{"Statement": [
    {"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}
]}"#;

/// Mail from an identity, whoever it goes to.
fn sending_paths(perimeter: &Perimeter) -> Vec<Path> {
    let worst = perimeter.undocumented == Undocumented::WorstCase;
    let mut paths = control::trusted_mail();
    for path in &mut paths {
        let always = path.action == "ses:SendEmail" || path.name == "smtp";
        path.recipients = match path.recipients {
            Recipients::Absent => Recipients::Absent,
            Recipients::Untrusted
            | Recipients::UntrustedOrAbsent
            | Recipients::Anyone
            | Recipients::Someone
            | Recipients::Trusted => {
                if always || !worst {
                    Recipients::Someone
                } else {
                    Recipients::Anyone
                }
            }
        };
        if worst && matches!(path.name, "v2-raw" | "v2-template" | "pinpoint-email-send") {
            path.version = Version::Free;
        }
    }
    // The plainest first: its request is the one that is shown.
    paths.sort_by_key(|path| path.name != "v2-simple");
    let more =
        [ControlId::V1CustomVerification, ControlId::V2CustomVerification, ControlId::Bounce];
    for control in more {
        paths.extend(asked(control, perimeter));
    }
    paths.retain(|path| {
        let info = table::action(path.action);
        info.is_some_and(|info| info.requirements(path.api).resource_types.contains(&"identity"))
    });
    paths
}

/// What a control asks about that hangs on no selector.
fn asked(control: ControlId, perimeter: &Perimeter) -> Vec<Path> {
    control::paths(control, perimeter, &[], perimeter.undocumented).unwrap_or_default()
}

/// Mail and every action of SES, whatever it names.
fn admitted_paths(perimeter: &Perimeter) -> Vec<Path> {
    let mut paths = sending_paths(perimeter);
    // This control asks about every action, but only where there are networks to speak of.
    let with_networks =
        Perimeter { networks: Some(TrustedNetworks::default()), ..perimeter.clone() };
    paths.extend(asked(ControlId::Networks, &with_networks));
    for path in &mut paths {
        path.special = RequestDetail::None;
        path.any_identity = true;
    }
    paths
}

/// Mail and every action that can name a resource, with one of another account.
fn foreign_paths(perimeter: &Perimeter) -> Vec<Path> {
    let mut paths = sending_paths(perimeter);
    paths.extend(asked(ControlId::ForeignResources, perimeter));
    for path in &mut paths {
        path.special = RequestDetail::Foreign;
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controls_that_the_catalogue_gives_to_the_setup_are_the_ones_decided_here() {
        let wanted: Vec<_> = ControlId::all().filter(|id| id.is_about_exposure()).collect();
        assert_eq!(ExposureControl::ALL.map(ExposureControl::id).to_vec(), wanted);
        for id in ControlId::all() {
            assert_eq!(
                ExposureControl::of(id).map(ExposureControl::id),
                wanted.contains(&id).then_some(id)
            );
        }
    }
}
