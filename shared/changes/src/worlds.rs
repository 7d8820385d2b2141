//! Every way in which a plan that leaves attachments open may come out, and the verdicts that are
//! the same in all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use organization::{Document, Edit, Organization, OwnedTargetId, PolicyId, TargetIdx};
use policy::model::Effect;
use ses_perimeter::report::{Cell, GroupId, Report, Row, Status, Verdict, Why};

use crate::compare::MailLoss;
use crate::plan::{Choice, Unknown};

/// The most ways that are looked at. What leaves more open is undecided.
const MOST_WORLDS: usize = 64;

/// The most combinations of policies on one target that are told apart.
const MOST_ON_TARGET: usize = 4_096;

/// The most attachments that are made at once to see what holds with all of them.
const MOST_AT_ONCE: usize = 4_096;

/// The ways in which choices may come out.
#[derive(Debug, PartialEq, Eq)]
pub enum Ways {
    /// The attachments of each way; every combination on every path from the root to an account
    /// is among them. Never empty.
    All(Vec<Vec<Edit>>),
    /// There are more than are looked at, and the policies only deny: all that may be attached, and
    /// nothing of it. What gets through with all of it gets through in every way, and what does not
    /// get through without it does so in none.
    Bounds(Vec<Vec<Edit>>),
    /// There are more than are looked at, or none that AWS would make.
    TooMany,
}

impl Ways {
    /// The attachments of each way that is looked at.
    #[must_use]
    pub fn attachments(&self) -> &[Vec<Edit>] {
        match self {
            Self::All(ways) | Self::Bounds(ways) => ways,
            Self::TooMany => &[],
        }
    }
}

/// What the choices come to in `organization`, which has everything else of the change made.
#[must_use]
pub fn worlds(choices: &[Choice], organization: &Organization) -> Ways {
    let mut by_target: BTreeMap<TargetIdx, Vec<&Choice>> = BTreeMap::new();
    for choice in choices {
        let Some(target) = organization.find_target(choice.target.borrowed()) else {
            return Ways::TooMany;
        };
        // Nobody is judged below it.
        if organization.targets_under(target).is_empty() {
            continue;
        }
        by_target.entry(target).or_default().push(choice);
    }
    let mut options: BTreeMap<TargetIdx, Vec<BTreeSet<&PolicyId>>> = BTreeMap::new();
    for (target, choices) in &by_target {
        match combinations(choices, organization) {
            Some(found) if found.is_empty() => return Ways::TooMany,
            Some(found) => options.insert(*target, found),
            None => return bounds(&by_target, organization),
        };
    }
    // Targets on one path are combined; those beside each other go through their options at once.
    let rank = |target: TargetIdx| {
        let above =
            std::iter::successors(organization.parent(target), |at| organization.parent(*at));
        above.filter(|at| options.contains_key(at)).count()
    };
    let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
    for (target, found) in &options {
        let width = widths.entry(rank(*target)).or_default();
        *width = (*width).max(found.len());
    }
    let mut total: usize = 1;
    for width in widths.values() {
        total = total.saturating_mul(*width);
    }
    if total > MOST_WORLDS {
        return bounds(&by_target, organization);
    }
    let world = |number: usize| {
        let mut attached = Vec::new();
        for (target, found) in &options {
            let rank = rank(*target);
            let below: usize = widths.range(..rank).map(|(_, width)| *width).product();
            let digit = number / below % widths.get(&rank).copied().unwrap_or(1);
            let chosen = found.get(digit.min(found.len().saturating_sub(1)));
            let target = *target;
            let chosen = chosen.into_iter().flatten();
            attached.extend(chosen.map(|policy| attach(organization, policy, target)));
        }
        attached
    };
    Ways::All((0..total).map(world).collect())
}

fn attach(organization: &Organization, policy: &PolicyId, target: TargetIdx) -> Edit {
    let target = organization.target_ref(target).id.into();
    Edit::Attach { policy: policy.clone(), target }
}

/// What lies on both sides of every way, where the policies only deny.
fn bounds(by_target: &BTreeMap<TargetIdx, Vec<&Choice>>, organization: &Organization) -> Ways {
    let mut all: BTreeSet<(&PolicyId, TargetIdx)> = BTreeSet::new();
    for (target, choices) in by_target {
        let policies = choices.iter().flat_map(|choice| choice.policies.iter().flatten());
        all.extend(policies.map(|policy| (policy, *target)));
    }
    let only_denies = |policy: &PolicyId| {
        let found =
            organization.find_policy(policy.as_str()).and_then(|it| organization.policy(it));
        match found.and_then(|found| organization.document(found.document)) {
            Some(Document::Readable { policy, .. }) => {
                policy.statements.iter().all(|statement| statement.effect == Effect::Deny)
            }
            Some(Document::Unreadable { .. } | Document::Foreign { .. }) | None => false,
        }
    };
    let policies: BTreeSet<&PolicyId> = all.iter().map(|(policy, _)| *policy).collect();
    if all.len() > MOST_AT_ONCE || !policies.into_iter().all(only_denies) {
        return Ways::TooMany;
    }
    let there = |(policy, target): &(&PolicyId, TargetIdx)| {
        let policy = organization.find_policy(policy.as_str());
        organization.scps_on(*target).iter().any(|scp| Some(scp.policy) == policy)
    };
    // All of it first: a request that gets through all of it is one of every way.
    let all = all.into_iter().filter(|pair| !there(pair));
    let all = all.map(|(policy, target)| attach(organization, policy, target)).collect();
    Ways::Bounds(vec![all, Vec::new()])
}

/// The sets of policies that a target may get, of those with the same documents one.
fn combinations<'c>(
    choices: &[&'c Choice],
    organization: &Organization,
) -> Option<Vec<BTreeSet<&'c PolicyId>>> {
    let text = |policy: &PolicyId| {
        let found = organization.policy(organization.find_policy(policy.as_str())?)?;
        organization.document(found.document).and_then(Document::text)
    };
    let mut found: Vec<BTreeSet<&PolicyId>> = vec![BTreeSet::new()];
    for choice in choices {
        let mut next: BTreeMap<Vec<Option<&str>>, BTreeSet<&PolicyId>> = BTreeMap::new();
        let mut count = 0_usize;
        for before in &found {
            for policy in &choice.policies {
                count += 1;
                if count > MOST_ON_TARGET {
                    return None;
                }
                let mut all = before.clone();
                // AWS refuses to attach a policy twice.
                if policy.as_ref().is_some_and(|policy| !all.insert(policy)) {
                    continue;
                }
                let mut documents: Vec<Option<&str>> = all.iter().map(|it| text(it)).collect();
                documents.sort_unstable();
                next.entry(documents).or_insert(all);
            }
        }
        found = next.into_values().collect();
    }
    Some(found)
}

/// What rows have in common: their cells in every world, and why some are undecided, in any case
/// or where they differ.
type SharedInWorlds = (Vec<GroupId>, Vec<Why>, bool);

/// The verdicts of all worlds as one: those that differ are undecided, because of the choices on
/// the account's path, and whatever something unknown touches is undecided. `organization` and the
/// first report are those of the first of `ways`.
#[must_use]
pub fn merged(
    organization: &Organization,
    reports: Vec<Report>,
    choices: &[Choice],
    unknown: &[Unknown],
    ways: &Ways,
) -> Report {
    let mut reports = reports.into_iter();
    let Some(mut first) = reports.next() else {
        return Report { controls: Vec::new(), rows: Vec::new() };
    };
    let others: Vec<Report> = reports.collect();
    // Rows of equal accounts share their cells, before and after.
    let mut known: BTreeMap<SharedInWorlds, (Rc<Vec<Cell>>, GroupId)> = BTreeMap::new();
    let free = first.rows.iter().map(|row| row.group.0 + 1).max().unwrap_or(0);
    for (position, row) in first.rows.iter_mut().enumerate() {
        let same = |other: &&Row| other.account == row.account;
        let beside: Vec<&Row> =
            others.iter().filter_map(|it| it.rows.get(position).filter(same)).collect();
        let own = organization.target_of(row.account);
        let path: Vec<TargetIdx> =
            std::iter::successors(Some(own), |at| organization.parent(*at)).collect();
        let on_path = |id: &OwnedTargetId| {
            organization.find_target(id.borrowed()).filter(|found| path.contains(found))
        };
        let mut whys: Vec<Why> = unknown
            .iter()
            .filter(|_| organization.scp_enabled)
            .filter_map(|unknown| match (&unknown.target, &unknown.policy) {
                (Some(target), _) => Some(Why::Unread(on_path(target)?, None, unknown.why.clone())),
                (None, Some(policy)) => {
                    let policy = organization.find_policy(policy.as_str())?;
                    let has = |at: &&TargetIdx| {
                        organization.scps_on(**at).iter().any(|scp| scp.policy == policy)
                    };
                    let target = *path.iter().find(has)?;
                    Some(Why::Unread(target, Some(policy), unknown.why.clone()))
                }
                (None, None) => Some(Why::Unread(own, None, unknown.why.clone())),
            })
            .collect();
        if beside.len() < others.len() {
            whys.push(Why::Defect("an account is missing in one of the ways a plan may come out"));
        }
        let forced = !whys.is_empty();
        if !forced {
            whys.extend(choices.iter().filter_map(|choice| {
                Some(Why::Unread(on_path(&choice.target)?, None, differing(choice, ways)))
            }));
        }
        if whys.is_empty() {
            continue;
        }
        let groups: Vec<GroupId> =
            std::iter::once(row.group).chain(beside.iter().map(|row| row.group)).collect();
        let next = GroupId(free + known.len() as u32);
        let (cells, group) =
            known.entry((groups, whys, forced)).or_insert_with_key(|(_, whys, _)| {
                let cells = row.cells.iter().enumerate().map(|(at, cell)| {
                    let same = beside.iter().all(|row| {
                        row.cells.get(at).is_some_and(|it| it.status() == cell.status())
                    });
                    let applies = cell.status() != Status::NotApplicable;
                    if same && !(forced && applies) {
                        cell.clone()
                    } else {
                        undecided(cell, whys.clone())
                    }
                });
                (Rc::new(cells.collect()), next)
            });
        row.cells = Rc::clone(cells);
        row.group = *group;
    }
    first
}

fn differing(choice: &Choice, ways: &Ways) -> String {
    let how = match ways {
        Ways::All(_) => "the verdict differs between them",
        Ways::Bounds(_) | Ways::TooMany => {
            "these are more ways than are looked at, and with all that may be attached the verdict \
             is another than without it"
        }
    };
    format!("{}; {how}", choice.why)
}

fn undecided(cell: &Cell, whys: Vec<Why>) -> Cell {
    Cell { control: cell.control, verdict: Verdict::undecided(whys), assumptions: Vec::new() }
}

/// The mail that is lost in every world.
#[must_use]
pub fn lost_in_all(losses: Vec<Vec<MailLoss>>) -> Vec<MailLoss> {
    let mut losses = losses.into_iter();
    let mut common = losses.next().unwrap_or_default();
    for other in losses {
        common.retain_mut(|loss| {
            let same = other.iter().find(|it| it.account == loss.account);
            loss.paths.retain(|(path, _)| {
                same.is_some_and(|it| it.paths.iter().any(|(found, _)| found == path))
            });
            !loss.paths.is_empty()
        });
    }
    common
}
