//! Two snapshots of one organization: what differs between them, and which difference explains
//! which verdict.

use std::collections::{BTreeMap, BTreeSet};

use organization::{
    Account, AccountId, AccountIdx, Document, Edit, Organization, OwnedTargetId, ParentId,
    PolicyId, TargetId, TargetIdx,
};
use ses_perimeter::check::{Now, Options, check};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::{Perimeter, Selector, SelectorKind};
use ses_perimeter::report::Status;

use crate::compare::CellChange;

/// Differences that are tried alone; with more of them, all that touch an account are told.
const TRIED: usize = 60;

/// One of two snapshots.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The organization.
    pub organization: &'a Organization,
    /// The moment of its evaluation.
    pub now: Now,
}

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// A policy has another document.
    Edited {
        /// Its id.
        policy: PolicyId,
    },
    /// A policy is attached to a target.
    Attached {
        /// Its id.
        policy: PolicyId,
        /// The target's id.
        target: OwnedTargetId,
    },
    /// A policy is not attached to a target any more.
    Detached {
        /// Its id.
        policy: PolicyId,
        /// The target's id.
        target: OwnedTargetId,
    },
    /// An account, or a unit, is in another root or unit.
    Moved {
        /// Its id.
        target: OwnedTargetId,
        /// The id of what it was in.
        from: ParentId,
        /// The id of what it is in.
        to: ParentId,
    },
    /// An account's state is another.
    State {
        /// Its id.
        account: AccountId,
        /// Before.
        from: &'static str,
        /// After.
        to: &'static str,
    },
    /// An account is new.
    Joined {
        /// Its id.
        account: AccountId,
    },
    /// An account is gone.
    Left {
        /// Its id.
        account: AccountId,
    },
    /// SCPs are in force, or not any more.
    Enforced {
        /// Whether they are.
        now: bool,
    },
    /// Something could not be read that could before, or the other way round.
    Gaps,
    /// An exemption or administrator does not count any more.
    Expired {
        /// What the selector matches.
        who: String,
        /// Its last day.
        day: String,
    },
}

/// What differs between two snapshots.
#[must_use]
pub fn differences(before: Taken<'_>, after: Taken<'_>, perimeter: &Perimeter) -> Vec<Difference> {
    let (old, new) = (before.organization, after.organization);
    let mut found = BTreeSet::new();
    if old.scp_enabled != new.scp_enabled {
        found.insert(Difference::Enforced { now: new.scp_enabled });
    }
    if old.gaps() != new.gaps() {
        found.insert(Difference::Gaps);
    }
    for (_, policy) in old.policies() {
        let other = new.find_policy(policy.id.as_str()).and_then(|index| new.policy(index));
        let text = |organization: &'_ Organization, document| {
            organization.document(document).and_then(Document::text).map(str::to_owned)
        };
        if let Some(other) = other
            && text(old, policy.document) != text(new, other.document)
        {
            found.insert(Difference::Edited { policy: policy.id.clone() });
        }
    }
    let (had, has) = (attachments(old), attachments(new));
    let pair = |(policy, target): &(PolicyId, OwnedTargetId)| (policy.clone(), target.clone());
    found.extend(
        has.difference(&had)
            .map(pair)
            .map(|(policy, target)| Difference::Attached { policy, target }),
    );
    found.extend(
        had.difference(&has)
            .map(pair)
            .map(|(policy, target)| Difference::Detached { policy, target }),
    );
    for target in old.targets() {
        let Some(other) = new.find_target(target.id) else { continue };
        let parent = |organization: &Organization, at: TargetIdx| {
            organization.target_ref(organization.parent(at)?).id.as_parent()
        };
        if let (Some(from), Some(to)) = (parent(old, target.index), parent(new, other))
            && from != to
        {
            found.insert(Difference::Moved { target: target.id.into(), from, to });
        }
    }
    let accounts = |organization: &Organization| -> BTreeMap<AccountId, Account> {
        organization.accounts().map(|(_, account)| (account.id, account.clone())).collect()
    };
    let (had, has) = (accounts(old), accounts(new));
    for (id, account) in &had {
        match has.get(id) {
            None => {
                found.insert(Difference::Left { account: *id });
            }
            Some(other) if other.state != account.state => {
                let (from, to) = (account.state.name(), other.state.name());
                found.insert(Difference::State { account: *id, from, to });
            }
            Some(_) => {}
        }
    }
    let joined = has.keys().filter(|id| !had.contains_key(id));
    found.extend(joined.map(|id| Difference::Joined { account: *id }));
    found.extend(expired(before.now, after.now, perimeter));
    found.into_iter().collect()
}

fn attachments(organization: &Organization) -> BTreeSet<(PolicyId, OwnedTargetId)> {
    let mut all = BTreeSet::new();
    for target in organization.targets() {
        for scp in organization.scps_on(target.index) {
            if let Some(policy) = organization.policy(scp.policy) {
                all.insert((policy.id.clone(), target.id.into()));
            }
        }
    }
    all
}

fn expired(before: Now, after: Now, perimeter: &Perimeter) -> Vec<Difference> {
    let selectors = perimeter.exemptions.iter().chain(&perimeter.administrators);
    let ended = selectors.filter(|one| one.in_force(before.today) && !one.in_force(after.today));
    ended
        .map(|selector| Difference::Expired {
            who: matched(selector),
            day: selector.expires.map(|day| day.to_string()).unwrap_or_default(),
        })
        .collect()
}

/// Whom a selector selects.
pub(crate) fn matched(selector: &Selector) -> String {
    match &selector.matches {
        SelectorKind::PrincipalTag { key, value } => format!("tag {key}={value}"),
        SelectorKind::PrincipalArn(pattern) => pattern.clone(),
    }
}

/// For each changed verdict the differences that explain it: those that turn it alone, or else
/// all that touch the account. Never empty where something that differs touches the account.
#[must_use]
pub fn reasons(
    before: Taken<'_>,
    after: Taken<'_>,
    perimeter: &Perimeter,
    budget: u64,
    changes: &[CellChange],
) -> BTreeMap<(AccountId, ControlId), Vec<String>> {
    let all = differences(before, after, perimeter);
    let mut touching: BTreeMap<AccountId, Vec<&Difference>> = BTreeMap::new();
    for change in changes {
        touching.entry(change.account).or_insert_with(|| {
            let relevant = all.iter().filter(|one| touches(before, after, one, change.account));
            let (came, went) = (change.before.is_none(), change.after.is_none());
            // For an account that is new or gone, that is the reason.
            let relevant = relevant.filter(|one| {
                let arrival = matches!(one, Difference::Joined { .. } | Difference::Left { .. });
                arrival || !(came || went)
            });
            relevant.collect()
        });
    }
    let names = DiffNames { old: before.organization, new: after.organization };
    let mut alone: BTreeMap<&Difference, BTreeMap<(AccountId, ControlId), Status>> =
        BTreeMap::new();
    let several: BTreeSet<&Difference> =
        touching.values().filter(|some| some.len() > 1).flatten().copied().collect();
    if several.len() <= TRIED {
        for difference in several {
            let accounts = touching.iter().filter(|(_, some)| some.contains(&difference));
            let accounts = accounts.map(|(account, _)| *account).collect();
            if let Some(verdicts) = tried(before, after, perimeter, budget, difference, &accounts) {
                alone.insert(difference, verdicts);
            }
        }
    }
    let mut reasons = BTreeMap::new();
    for change in changes {
        let key = (change.account, change.control);
        let some = touching.get(&change.account).map(Vec::as_slice).unwrap_or_default();
        let turning: Vec<&Difference> = some
            .iter()
            .copied()
            .filter(|one| {
                let verdict = alone.get(one).and_then(|verdicts| verdicts.get(&key));
                verdict.is_some() && verdict.copied() == change.after
            })
            .collect();
        let told = if turning.is_empty() { some } else { &turning };
        reasons.insert(key, told.iter().map(|one| names.told(one)).collect());
    }
    reasons
}

/// Whether a difference can matter to an account: it is on its path, before or after.
fn touches(before: Taken<'_>, after: Taken<'_>, one: &Difference, account: AccountId) -> bool {
    let sides = [before.organization, after.organization];
    let on_path = |id: &OwnedTargetId| {
        sides.iter().any(|organization| {
            let index = organization.find_account(account);
            let path = index.map(|index| organization.path(index)).unwrap_or_default();
            path.iter().any(|target| target.id == id.borrowed())
        })
    };
    match one {
        Difference::Edited { policy } => sides.iter().any(|organization| {
            let index = organization.find_account(account);
            let levels = index.map(|index| organization.levels(index)).unwrap_or_default();
            let wanted = organization.find_policy(policy.as_str());
            levels.iter().flat_map(|level| level.scps).any(|scp| Some(scp.policy) == wanted)
        }),
        Difference::Attached { target, .. }
        | Difference::Detached { target, .. }
        | Difference::Moved { target, .. } => on_path(target),
        Difference::State { account: id, .. }
        | Difference::Joined { account: id }
        | Difference::Left { account: id } => *id == account,
        Difference::Enforced { .. } | Difference::Gaps | Difference::Expired { .. } => true,
    }
}

/// The verdicts of these accounts with this difference alone; none where it cannot be made alone.
fn tried(
    before: Taken<'_>,
    after: Taken<'_>,
    perimeter: &Perimeter,
    budget: u64,
    difference: &Difference,
    accounts: &BTreeSet<AccountId>,
) -> Option<BTreeMap<(AccountId, ControlId), Status>> {
    let (old, new) = (before.organization, after.organization);
    let content = |policy: &PolicyId| {
        let found = new.policy(new.find_policy(policy.as_str())?)?;
        Some((found.name.to_string(), new.document(found.document)?.text()?.to_owned()))
    };
    let (edits, now) = match difference {
        Difference::Edited { policy } => {
            let (_, content) = content(policy)?;
            (vec![Edit::Replace { policy: policy.clone(), content }], before.now)
        }
        Difference::Attached { policy, target } => {
            let mut edits = Vec::new();
            if old.find_policy(policy.as_str()).is_none() {
                let (name, content) = content(policy)?;
                edits.push(Edit::Create { policy: policy.clone(), name, content });
            }
            edits.push(Edit::Attach { policy: policy.clone(), target: target.clone() });
            (edits, before.now)
        }
        Difference::Detached { policy, target } => {
            let edit = Edit::Detach { policy: policy.clone(), target: target.clone() };
            (vec![edit], before.now)
        }
        Difference::Moved { target: OwnedTargetId::Account(account), to, .. } => {
            (vec![Edit::Move { account: *account, parent: to.clone() }], before.now)
        }
        Difference::Expired { .. } => (Vec::new(), after.now),
        Difference::Moved { target: OwnedTargetId::Unit(_) | OwnedTargetId::Root(_), .. }
        | Difference::State { .. }
        | Difference::Joined { .. }
        | Difference::Left { .. }
        | Difference::Enforced { .. }
        | Difference::Gaps => return None,
    };
    let organization = old.edited(&edits).ok()?;
    let accounts: BTreeSet<AccountIdx> =
        accounts.iter().filter_map(|id| organization.find_account(*id)).collect();
    if accounts.is_empty() {
        return None;
    }
    let options = Options { accounts, budget, ..Options::default() };
    let report = check(&organization, perimeter, now, &options, &mut |_, _| {});
    let mut verdicts = BTreeMap::new();
    for row in &report.rows {
        let Some(account) = organization.account(row.account) else { continue };
        verdicts.extend(row.cells.iter().map(|cell| ((account.id, cell.control), cell.status())));
    }
    Some(verdicts)
}

struct DiffNames<'a> {
    old: &'a Organization,
    new: &'a Organization,
}

impl DiffNames<'_> {
    fn target(&self, id: TargetId<'_>) -> String {
        [self.new, self.old]
            .into_iter()
            .find_map(|organization| {
                let found = organization.target_ref(organization.find_target(id)?);
                (found.name != id.to_string()).then(|| format!("{} ({id})", found.name))
            })
            .unwrap_or_else(|| id.to_string())
    }

    fn policy(&self, id: &PolicyId) -> String {
        [self.new, self.old]
            .into_iter()
            .find_map(|organization| {
                let found = organization.policy(organization.find_policy(id.as_str())?)?;
                Some(format!("{} ({id})", found.name))
            })
            .unwrap_or_else(|| id.to_string())
    }

    fn told(&self, difference: &Difference) -> String {
        match difference {
            Difference::Edited { policy } => format!("policy {} was edited", self.policy(policy)),
            Difference::Attached { policy, target } => {
                format!(
                    "policy {} was attached to {}",
                    self.policy(policy),
                    self.target(target.borrowed())
                )
            }
            Difference::Detached { policy, target } => {
                format!(
                    "policy {} was detached from {}",
                    self.policy(policy),
                    self.target(target.borrowed())
                )
            }
            Difference::Moved { target, from, to } => format!(
                "{} moved from {} to {}",
                self.target(target.borrowed()),
                self.target(from.as_target()),
                self.target(to.as_target())
            ),
            Difference::State { account, from, to } => {
                format!(
                    "account {} was {from} and is {to}",
                    self.target(TargetId::Account(*account))
                )
            }
            Difference::Joined { account } => {
                format!("account {} is new", self.target(TargetId::Account(*account)))
            }
            Difference::Left { account } => {
                format!("account {} is gone", self.target(TargetId::Account(*account)))
            }
            Difference::Enforced { now: true } => "SCPs are in force now".to_owned(),
            Difference::Enforced { now: false } => "SCPs are not in force any more".to_owned(),
            Difference::Gaps => "what could not be read differs".to_owned(),
            Difference::Expired { who, day } => {
                format!("the selector for {who} expired on {day}")
            }
        }
    }
}
