//! Accounts that look random and are the same for the same seed.

use std::collections::BTreeMap;

use exposure::{
    Endpoint, Enforcement, Identity, IdentityKind, IdentityPolicy, IngressPoint, MailManager, Part,
    Quota, RegionFacts, RegionStatus, Relay, RuleAction, RuleActionKind, RuleSet, Sending,
};
use organization::AccountId;

use super::FakeSes;
use crate::faults::Random;

/// How an organization uses SES.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    /// Accounts.
    pub accounts: u32,
    /// Regions, of which one in five is switched off or was never on, where `all_on` does not say
    /// otherwise.
    pub regions: usize,
    /// Whether every account has every Region.
    pub all_on: bool,
    /// How many accounts of a hundred use SES.
    pub using_percent: usize,
    /// In how many Regions these do; in all where it is more than there are.
    pub used_regions: usize,
    /// The most identities of such a Region.
    pub identities: usize,
    /// How many Regions of a hundred have Mail Manager in use, of those with SES in use.
    pub mail_manager_percent: usize,
}

/// The account of this number.
///
/// # Panics
/// Never below 10^12.
#[must_use]
pub fn account_id(number: u32) -> String {
    format!("{:012}", 200_000_000_000_u64 + u64::from(number))
}

impl Mix {
    /// The ids of the accounts.
    #[must_use]
    pub fn account_ids(&self) -> Vec<AccountId> {
        (0..self.accounts).filter_map(|number| account_id(number).parse().ok()).collect()
    }

    /// The names of the Regions.
    #[must_use]
    pub fn region_names(&self) -> Vec<String> {
        (0..self.regions).map(|number| format!("xx-made-{number:02}")).collect()
    }

    /// What a Region holds in which SES is not in use.
    #[must_use]
    pub fn idle() -> RegionStatus {
        let quota = Quota { max_24_hour: 200.0, max_send_rate: 1.0, sent_last_24_hours: 0.0 };
        RegionStatus::Read(Box::new(RegionFacts {
            sending: Part::Read(Sending {
                enabled: true,
                production_access: false,
                enforcement: Enforcement::Healthy,
                quota,
            }),
            sent_last_two_weeks: Part::Read(0),
            identities: Part::Read(Vec::new()),
            mail_manager: Part::Read(MailManager::Available {
                relays: Vec::new(),
                rule_sets: Vec::new(),
                ingress_points: Vec::new(),
            }),
            endpoints: Part::Read(Vec::new()),
        }))
    }

    /// What each Region of an account holds; `number` is the account's.
    #[must_use]
    pub fn account(&self, seed: u64, number: u32) -> BTreeMap<String, RegionStatus> {
        let mut random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(number.into()));
        let uses = random.chance(self.using_percent);
        let first = random.below(self.regions);
        let mut found = BTreeMap::new();
        for (index, name) in self.region_names().into_iter().enumerate() {
            let used = uses && (index + self.regions - first) % self.regions < self.used_regions;
            let status = if !self.all_on && random.chance(20) {
                if random.chance(50) {
                    RegionStatus::RegionDisabled
                } else {
                    RegionStatus::NotOptedIn
                }
            } else if used {
                self.used(&mut random, &name)
            } else {
                Self::idle()
            };
            found.insert(name, status);
        }
        found
    }

    fn used(&self, random: &mut Random, region: &str) -> RegionStatus {
        let RegionStatus::Read(mut facts) = Self::idle() else { return Self::idle() };
        let production = random.chance(60);
        facts.sending = Part::Read(Sending {
            enabled: !random.chance(10),
            production_access: production,
            enforcement: match random.below(8) {
                0 => Enforcement::Probation,
                1 => Enforcement::Shutdown,
                2 => Enforcement::Other("NEW_WORD".to_owned()),
                _ => Enforcement::Healthy,
            },
            quota: Quota { max_24_hour: -1.0, max_send_rate: 14.0, sent_last_24_hours: 7.0 },
        });
        facts.sent_last_two_weeks = Part::Read(random.draw() % 1_000);
        let identities = (0..1 + random.below(self.identities)).map(|n| identity(random, n));
        facts.identities = Part::Read(identities.collect());
        facts.endpoints =
            Part::Read((0..random.below(5)).map(|n| endpoint(random, region, n)).collect());
        facts.mail_manager = Part::Read(if random.chance(self.mail_manager_percent) {
            mail_manager(random)
        } else if random.chance(30) {
            MailManager::Unavailable
        } else {
            MailManager::Available {
                relays: Vec::new(),
                rule_sets: Vec::new(),
                ingress_points: Vec::new(),
            }
        });
        RegionStatus::Read(facts)
    }
}

fn identity(random: &mut Random, number: usize) -> Identity {
    let policies = match random.below(12) {
        0 => 23,
        1..4 => 1 + random.below(3),
        _ => 0,
    };
    let text = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let policy = |n| IdentityPolicy { name: format!("policy-{n:02}"), text: text.to_owned() };
    let kinds = [IdentityKind::Domain, IdentityKind::EmailAddress, IdentityKind::ManagedDomain];
    Identity {
        name: format!("id{number:05}.example.com"),
        kind: kinds[random.below(kinds.len())],
        verified: random.chance(80),
        policies: Part::Read((0..policies).map(policy).collect()),
    }
}

fn endpoint(random: &mut Random, region: &str, number: usize) -> Endpoint {
    let service = if random.chance(50) { "email-smtp" } else { "email" };
    Endpoint {
        id: format!("vpce-{number:017}"),
        service: format!("com.amazonaws.{region}.{service}"),
        vpc: format!("vpc-{:017}", random.below(9)),
        state: "available".to_owned(),
        policy: random.chance(50).then(|| r#"{"Statement":[]}"#.to_owned()),
    }
}

fn mail_manager(random: &mut Random) -> MailManager {
    let relays = 1 + random.below(4);
    let relay = |n| Relay {
        id: format!("rl-{n:04}"),
        name: format!("relay {n}"),
        server_name: format!("smtp{n}.example.com"),
        server_port: 25,
    };
    let mut action = |n| RuleAction {
        rule: format!("rule {n}"),
        kind: match random.below(3) {
            0 => RuleActionKind::Relay { relay: format!("rl-{:04}", random.below(relays)) },
            1 => RuleActionKind::Send { recipients: None },
            _ => RuleActionKind::Send { recipients: Some(vec!["a@example.com".to_owned()]) },
        },
    };
    let rule_sets: Vec<RuleSet> = (0..2)
        .map(|n| RuleSet {
            id: format!("rs-{n:04}"),
            name: format!("rules {n}"),
            actions: (0..2).map(&mut action).collect(),
        })
        .collect();
    MailManager::Available {
        relays: (0..relays).map(relay).collect(),
        rule_sets,
        ingress_points: vec![IngressPoint {
            id: "inp-0001".to_owned(),
            name: "in".to_owned(),
            status: "ACTIVE".to_owned(),
        }],
    }
}

impl FakeSes {
    /// The accounts of a mix, by this seed.
    #[must_use]
    pub fn of(mix: &Mix, seed: u64) -> Self {
        let accounts = 0..mix.accounts;
        Self::around(accounts.map(|n| (account_id(n), mix.account(seed, n))).collect())
    }

    /// Some accounts of a mix, by their numbers.
    #[must_use]
    pub fn some(mix: &Mix, seed: u64, numbers: impl Iterator<Item = u32>) -> Self {
        Self::around(numbers.map(|n| (account_id(n), mix.account(seed, n))).collect())
    }
}
