//! Organizations of any size, from a seed.

use super::FakeOrganizations;
use super::state::{Document, FULL, MANAGEMENT, Member, ROOT, State};
use crate::faults::Random;

/// How large an organization is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Accounts, the management account included; at least 1.
    pub accounts: usize,
    /// Units.
    pub units: usize,
    /// Service control policies, FullAWSAccess included; at least 1.
    pub policies: usize,
    /// Targets of each policy but FullAWSAccess, which is everywhere.
    pub targets: usize,
}

impl Size {
    /// A small organization for tests of one thing.
    pub const SMALL: Self = Self { accounts: 45, units: 8, policies: 6, targets: 4 };
}

/// A content that is different for each version, and so are some of the verdicts.
pub(super) fn content(version: u64) -> String {
    let action = match version % 4 {
        0 => "ses:SendEmail",
        1 => "ses:SendRawEmail",
        2 => "ses:SendBulkEmail",
        _ => "ses:*",
    };
    format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"V{version}\",\"Effect\":\"Deny\",\
         \"Action\":\"{action}\",\"Resource\":\"*\"}}]}}"
    )
}

impl FakeOrganizations {
    /// An organization of this size.
    #[must_use]
    pub fn new(size: Size, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut state = State { scp_enabled: true, ..State::default() };
        state.policies.insert(
            FULL.to_owned(),
            Document {
                name: "FullAWSAccess".to_owned(),
                aws_managed: true,
                content: "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\
                          \"Action\":\"*\",\"Resource\":\"*\"}]}"
                    .to_owned(),
            },
        );
        state.attach(FULL, ROOT);
        add_units(&mut state, &mut random, size.units);
        add_accounts(&mut state, &mut random, size.accounts);
        let targets = state.targets();
        for _ in 1..size.policies {
            let policy = state.new_policy();
            for _ in 0..size.targets {
                let target = &targets[random.below(targets.len())];
                if state.policies_on(target, None).count() < 10 {
                    state.attach(&policy, target);
                }
            }
        }
        Self::around(state, seed)
    }
}

fn add_units(state: &mut State, random: &mut Random, count: usize) {
    let mut places = vec![(ROOT.to_owned(), 0)];
    for _ in 0..count {
        let (parent, depth) = places[random.below(places.len())].clone();
        let id = state.new_unit(&parent);
        if depth < 4 {
            places.push((id, depth + 1));
        }
    }
}

fn add_accounts(state: &mut State, random: &mut Random, count: usize) {
    let mut parents: Vec<String> = state.units.keys().cloned().collect();
    parents.push(ROOT.to_owned());
    let member = |name: &str, parent: &str| Member {
        name: name.to_owned(),
        state: "ACTIVE",
        parent: parent.to_owned(),
    };
    state.put_account(MANAGEMENT, member("management", ROOT));
    state.attach(FULL, MANAGEMENT);
    for _ in 1..count {
        let id = state.next_account();
        state.put_account(
            &id,
            member(&format!("account {id}"), &parents[random.below(parents.len())]),
        );
        state.attach(FULL, &id);
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(super) fn next_account(&mut self) -> String {
        format!("{:012}", 200_000_000_000 + self.next())
    }

    /// A unit with FullAWSAccess on it, as AWS makes it.
    pub(super) fn new_unit(&mut self, parent: &str) -> String {
        let number = self.next();
        let id = format!("ou-exam-{number:08}");
        self.units.insert(id.clone(), (format!("Unit {number}"), parent.to_owned()));
        if self.scp_enabled {
            self.attach(FULL, &id);
        }
        id
    }

    pub(super) fn new_policy(&mut self) -> String {
        let number = self.next();
        let id = format!("p-{number:08}");
        let name = format!("Policy {number}");
        let policy = Document { name, aws_managed: false, content: content(number) };
        self.policies.insert(id.clone(), policy);
        id
    }
}
