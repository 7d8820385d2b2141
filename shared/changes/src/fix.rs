//! The change that makes failed controls pass, proved before anybody sees it.
//!
//! Statements are only added, never taken away, so no request gets through that did not before.
//! They go where the fewest targets change: into a policy that is about SES already and meets
//! chosen accounts only, or else into a new one.

pub mod document;
mod placement;
mod statements;

use std::collections::{BTreeMap, BTreeSet};

use organization::{
    AccountIdx, Document, Edit, EditError, Organization, OwnedTargetId, PolicyId, PolicyIdx,
    TargetIdx, unused_id,
};
use policy::model::{Actions, Policy, Version};
use ses_perimeter::check::{Now, Options, Progress, check};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::{Report, Status, Verdict, Why};

use crate::compare::{self, CellChange, Direction, MailLoss, Side};
use crate::quota::{self, Quotas};
use document::characters;
use placement::Placement;
use statements::Deny;

/// A document of this many characters fits everywhere, whatever the quota is by now.
const PREFERRED_CHARACTERS: usize = 5_120;
/// What a new policy is called; a number follows where the name is taken.
const NAME: &str = "ses-perimeter";

/// What is to pass.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The accounts; all but those that the perimeter lets mail anyone where empty.
    pub accounts: BTreeSet<AccountIdx>,
    /// The controls; all that are enabled where empty.
    pub controls: BTreeSet<ControlId>,
}

/// All that a fix is made from.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// The organization.
    pub organization: &'a Organization,
    /// The perimeter.
    pub perimeter: &'a Perimeter,
    /// The moment; exemptions expire against it.
    pub now: Now,
    /// Steps for each question.
    pub budget: u64,
    /// What fits.
    pub quotas: Quotas,
}

/// A policy that is made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedPolicy {
    /// Its id; one that stands for the real one where it is new.
    pub id: PolicyId,
    /// Its name.
    pub name: String,
    /// The document before; none where it is new.
    pub before: Option<String>,
    /// The document after.
    pub after: String,
    /// The targets that it is newly attached to.
    pub attach: Vec<OwnedTargetId>,
    /// The targets that it is attached to already.
    pub attached: Vec<OwnedTargetId>,
    /// The controls that its new statements close.
    pub controls: BTreeSet<ControlId>,
}

/// A chosen control that does not pass after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The account.
    pub account: AccountIdx,
    /// The control.
    pub control: ControlId,
    /// Why; a sentence without a stop.
    pub why: String,
}

/// A proved change.
#[derive(Debug)]
pub struct Proposal {
    /// The policies.
    pub policies: Vec<ProposedPolicy>,
    /// The same as edits.
    pub edits: Vec<Edit>,
    /// The organization with the change in it.
    pub organization: Organization,
    /// The verdicts without it.
    pub before: Report,
    /// The verdicts with it.
    pub after: Report,
    /// Chosen cells that pass now.
    pub closed: Vec<(AccountIdx, ControlId)>,
    /// Chosen cells that do not.
    pub left: Vec<Left>,
    /// All verdicts that differ, none of them for the worse.
    pub changes: Vec<CellChange>,
    /// Mail to trusted recipients that is lost with it.
    pub losses: Vec<MailLoss>,
}

/// Why there is no proposal.
#[derive(Debug, thiserror::Error)]
pub enum FixError {
    /// An edit cannot be made.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The change would make these verdicts worse, so it is withheld.
    #[error("the change would make {} verdicts worse, so it is withheld", .0.len())]
    Worse(Vec<CellChange>),
}

/// The change that makes the chosen controls of the chosen accounts pass, as far as there is one.
///
/// The organization with the change in it is decided again: `closed` passed there, and no verdict of
/// any account is worse.
///
/// # Errors
/// [`FixError`].
pub fn propose(
    problem: Problem<'_>,
    selection: &Selection,
    progress: Progress<'_>,
) -> Result<Proposal, FixError> {
    let Problem { organization, perimeter, now, budget, quotas } = problem;
    let options = Options { budget, ..Options::default() };
    let before = check(organization, perimeter, now, &options, progress);
    let chosen = chosen(organization, perimeter, selection);
    let (wanted, mut left) = wanted(organization, &before, &chosen, selection);
    let mut work = Placing::new(problem, &chosen);
    work.place(&wanted);
    let edits = work.edits();
    let changed = organization.edited(&edits)?;
    if let Some(refusal) = quota::refusals(organization, &changed, quotas).into_iter().next() {
        return Err(refusal.into());
    }
    let after = check(&changed, perimeter, now, &options, progress);
    let sides =
        (Side { organization, report: &before }, Side { organization: &changed, report: &after });
    let changes = compare::changes(sides.0, sides.1);
    let worse: Vec<CellChange> =
        changes.iter().filter(|change| change.direction == Direction::Worse).copied().collect();
    if !worse.is_empty() {
        return Err(FixError::Worse(worse));
    }
    let mut closed = Vec::new();
    for row in &after.rows {
        for cell in row.cells.iter() {
            let key = (row.account, cell.control);
            if !wanted.contains(&key) {
                continue;
            }
            if cell.status() == Status::Passed {
                closed.push(key);
            } else {
                let why = work.why_not(row.account).unwrap_or_else(|| still(cell.status()));
                left.push(Left { account: row.account, control: cell.control, why });
            }
        }
    }
    let losses = compare::lost_mail(organization, &changed, perimeter, now, budget);
    Ok(Proposal {
        policies: work.policies,
        edits,
        organization: changed,
        before,
        after,
        closed,
        left,
        changes,
        losses,
    })
}

fn still(status: Status) -> String {
    match status {
        Status::Undecided => "it is undecided even with every request stopped that it asks about",
        Status::Failed | Status::Passed | Status::NotApplicable => {
            "the statements that close it elsewhere do not close it here"
        }
    }
    .to_owned()
}

/// The accounts that may get more restricted.
fn chosen(
    organization: &Organization,
    perimeter: &Perimeter,
    selection: &Selection,
) -> BTreeSet<AccountIdx> {
    let allowed: Vec<TargetIdx> = perimeter
        .allowed_targets
        .iter()
        .filter_map(|allowed| organization.target(&allowed.id))
        .collect();
    let free = |account: AccountIdx| {
        organization.path(account).iter().any(|target| allowed.contains(&target.index))
    };
    organization
        .accounts()
        .map(|(index, _)| index)
        .filter(|index| selection.accounts.is_empty() || selection.accounts.contains(index))
        .filter(|index| !free(*index))
        .collect()
}

type Wanted = BTreeSet<(AccountIdx, ControlId)>;

/// The chosen cells that statements can make pass, and those that they cannot.
fn wanted(
    organization: &Organization,
    before: &Report,
    chosen: &BTreeSet<AccountIdx>,
    selection: &Selection,
) -> (Wanted, Vec<Left>) {
    let (mut wanted, mut left) = (Wanted::new(), Vec::new());
    for row in before.rows.iter().filter(|row| chosen.contains(&row.account)) {
        for cell in row.cells.iter() {
            let control = cell.control;
            if !selection.controls.is_empty() && !selection.controls.contains(&control) {
                continue;
            }
            let unread = match &cell.verdict {
                Verdict::Passed(_)
                | Verdict::NotApplicable(_)
                | Verdict::InOrder(_)
                | Verdict::Faults(_) => continue,
                Verdict::Failed { .. } => None,
                Verdict::Undecided(why) => why.iter().find_map(|why| match why {
                    Why::Unread(_, _, text) => Some(text.clone()),
                    Why::Statement(..)
                    | Why::Budget { .. }
                    | Why::Incomplete { .. }
                    | Why::Disagreement { .. }
                    | Why::InAccount(_)
                    | Why::Defect(_) => None,
                }),
            };
            let account = row.account;
            if let Some(text) = unread {
                let why = format!("{text}; what is there has to be known first");
                left.push(Left { account, control, why });
            } else if organization.scp_enabled {
                wanted.insert((account, control));
            } else {
                let why = "no SCP is in force: enable the policy type \
                           SERVICE_CONTROL_POLICY on the root first"
                    .to_owned();
                left.push(Left { account, control, why });
            }
        }
    }
    (wanted, left)
}

/// Finding places for the statements.
struct Placing<'a> {
    problem: Problem<'a>,
    placement: Placement<'a>,
    policies: Vec<ProposedPolicy>,
    /// Accounts that no place was found for.
    homeless: BTreeMap<AccountIdx, String>,
    /// Policies attached to targets that were added to.
    added: BTreeMap<TargetIdx, usize>,
}

impl<'a> Placing<'a> {
    fn new(problem: Problem<'a>, chosen: &BTreeSet<AccountIdx>) -> Self {
        Self {
            problem,
            placement: Placement::new(problem.organization, chosen),
            policies: Vec::new(),
            homeless: BTreeMap::new(),
            added: BTreeMap::new(),
        }
    }

    fn why_not(&self, account: AccountIdx) -> Option<String> {
        self.homeless.get(&account).cloned()
    }

    fn place(&mut self, wanted: &Wanted) {
        if wanted.is_empty() {
            return;
        }
        let accounts: BTreeSet<AccountIdx> = wanted.iter().map(|(account, _)| *account).collect();
        let controls: BTreeSet<ControlId> = wanted.iter().map(|(_, control)| *control).collect();
        let denies = self.statements(&controls);
        let roomy = self.problem.quotas.characters;
        let (denies, long): (Vec<Deny>, Vec<Deny>) =
            denies.into_iter().partition(|deny| size(deny) <= roomy);
        if let Some(largest) = long.iter().max_by_key(|deny| size(deny)) {
            let why = format!(
                "statement {} alone takes a document of {} characters, {} more than the quota; \
                 shorten the lists of the perimeter",
                largest.sid,
                size(largest),
                size(largest).saturating_sub(roomy)
            );
            self.homeless.extend(accounts.iter().map(|account| (*account, why.clone())));
        }
        if denies.is_empty() {
            return;
        }
        let tight = roomy.min(PREFERRED_CHARACTERS);
        for limit in [tight, roomy] {
            if let Some(found) = self.extendable(&accounts, &denies, limit, true) {
                self.policies.push(found);
                return;
            }
            if self.make_new(&accounts, &denies, limit, wanted) {
                return;
            }
        }
    }

    fn statements(&self, controls: &BTreeSet<ControlId>) -> Vec<Deny> {
        let Problem { organization, perimeter, now, .. } = self.problem;
        statements::statements(organization, perimeter, now.today, controls)
    }

    /// The best policy that can take the statements for all these accounts and meets none that
    /// must not be touched.
    fn extendable(
        &self,
        accounts: &BTreeSet<AccountIdx>,
        denies: &[Deny],
        limit: usize,
        about_ses: bool,
    ) -> Option<ProposedPolicy> {
        let organization = self.problem.organization;
        let mut places: BTreeMap<PolicyIdx, Vec<TargetIdx>> = BTreeMap::new();
        for target in organization.targets() {
            for scp in organization.scps_on(target.index) {
                places.entry(scp.policy).or_default().push(target.index);
            }
        }
        let above = |account: &AccountIdx, targets: &[TargetIdx]| {
            organization.path(*account).iter().any(|target| targets.contains(&target.index))
        };
        let mut best: Option<ProposedPolicy> = None;
        for (index, targets) in places {
            let open = targets.iter().all(|target| self.placement.is_open(*target));
            if !open || !accounts.iter().all(|account| above(account, &targets)) {
                continue;
            }
            let Some(found) = self.extended(index, &targets, denies, limit, about_ses) else {
                continue;
            };
            let size = |proposed: &ProposedPolicy| characters(&proposed.after);
            if best.as_ref().is_none_or(|best| size(&found) < size(best)) {
                best = Some(found);
            }
        }
        best
    }

    fn extended(
        &self,
        index: PolicyIdx,
        targets: &[TargetIdx],
        denies: &[Deny],
        limit: usize,
        about_ses: bool,
    ) -> Option<ProposedPolicy> {
        let organization = self.problem.organization;
        let stored = organization.policy(index).filter(|stored| !stored.aws_managed)?;
        let Document::Readable { text, policy, .. } = organization.document(stored.document)?
        else {
            return None;
        };
        // Where the language is the older one, `${` would be plain text.
        if policy.version != Version::V2012 || (about_ses && !names_ses(policy)) {
            return None;
        }
        let denies = renamed(denies, policy);
        let long = document::extended(text, policy, &denies)?;
        let after = [document::compact(&long), long].into_iter().rev();
        let after = after.into_iter().find(|text| characters(text) <= limit)?;
        Some(ProposedPolicy {
            id: stored.id.clone(),
            name: stored.name.to_string(),
            before: Some(text.to_string()),
            after,
            attach: Vec::new(),
            attached: targets
                .iter()
                .map(|target| organization.target_ref(*target).id.into())
                .collect(),
            controls: denies.iter().flat_map(|deny| deny.controls.iter().copied()).collect(),
        })
    }

    /// Puts the statements into new policies of at most `limit` characters. `false` where one
    /// alone takes more.
    fn make_new(
        &mut self,
        accounts: &BTreeSet<AccountIdx>,
        denies: &[Deny],
        limit: usize,
        wanted: &Wanted,
    ) -> bool {
        let Some(documents) = packed(denies, limit) else { return false };
        let count = documents.len();
        if count > 1 && limit < self.problem.quotas.characters {
            // One large policy takes less room on its targets than two.
            return false;
        }
        let mut targets: Vec<TargetIdx> = Vec::new();
        let mut open = self.placement.cover(accounts);
        while let Some(target) = open.pop() {
            if let Some(spot) = self.spot(target, count) {
                *self.added.entry(spot).or_default() += count;
                targets.push(spot);
                continue;
            }
            let inside: BTreeSet<AccountIdx> = self
                .problem
                .organization
                .targets_under(target)
                .into_iter()
                .filter(|account| accounts.contains(account))
                .collect();
            // A full target may still have a policy with room for more statements.
            let quota = self.problem.quotas.characters;
            if let Some(found) = self.extendable(&inside, denies, quota, false) {
                self.add(found);
                continue;
            }
            let below = self.placement.below(target, &inside);
            if below.is_empty() {
                let why = self.full(target, count);
                self.homeless.extend(inside.iter().map(|account| (*account, why.clone())));
                self.next_best(target, &inside, wanted);
            }
            open.extend(below);
        }
        targets.sort_unstable();
        targets.dedup();
        if !targets.is_empty() {
            self.add_new(documents, &targets);
        }
        true
    }

    /// New policies with these documents at these targets.
    fn add_new(&mut self, documents: Vec<(String, BTreeSet<ControlId>)>, targets: &[TargetIdx]) {
        let organization = self.problem.organization;
        let ids: Vec<OwnedTargetId> =
            targets.iter().map(|at| organization.target_ref(*at).id.into()).collect();
        for (after, controls) in documents {
            let (id, name) = self.unused();
            self.policies.push(ProposedPolicy {
                id,
                name,
                before: None,
                after,
                attach: ids.clone(),
                attached: Vec::new(),
                controls,
            });
        }
    }

    /// The nearest target with room for `count` policies, from this one up as far as everything
    /// below may be touched.
    fn spot(&self, target: TargetIdx, count: usize) -> Option<TargetIdx> {
        let organization = self.problem.organization;
        let up = std::iter::successors(Some(target), |at| organization.parent(*at));
        up.take_while(|at| self.placement.is_open(*at)).find(|at| self.room(*at) >= count)
    }

    /// Adds to a policy unless that was done for others, who need the same.
    fn add(&mut self, found: ProposedPolicy) {
        if !self.policies.iter().any(|policy| policy.id == found.id) {
            self.policies.push(found);
        }
    }

    /// As many of the wanted controls as there is room for, in new policies or in one that is there.
    fn next_best(&mut self, target: TargetIdx, accounts: &BTreeSet<AccountIdx>, wanted: &Wanted) {
        let own = wanted.iter().filter(|(account, _)| accounts.contains(account));
        let controls: BTreeSet<ControlId> = own.map(|(_, control)| *control).collect();
        let quota = self.problem.quotas.characters;
        let mut kept = BTreeSet::new();
        let (mut fresh, mut extended) = (None, None);
        for control in controls {
            kept.insert(control);
            let denies = self.statements(&kept);
            let new = packed(&denies, quota)
                .and_then(|documents| Some((self.spot(target, documents.len())?, documents)));
            let old = self.extendable(accounts, &denies, quota, false);
            if new.is_none() && old.is_none() {
                kept.remove(&control);
            } else {
                (fresh, extended) = (new, old);
            }
        }
        if let Some((spot, documents)) = fresh {
            *self.added.entry(spot).or_default() += documents.len();
            self.add_new(documents, &[spot]);
        } else if let Some(found) = extended {
            self.add(found);
        }
    }

    /// How many policies more a target takes.
    fn room(&self, target: TargetIdx) -> usize {
        let there = self.problem.organization.scps_on(target).len();
        let added = self.added.get(&target).copied().unwrap_or_default();
        self.problem.quotas.policies_per_target.saturating_sub(there + added)
    }

    fn full(&self, target: TargetIdx, count: usize) -> String {
        let found = self.problem.organization.target_ref(target);
        format!(
            "`{}` ({}) has {} of {} policies and none of them has room for the statements, so {} \
             too many would be attached; join two of them",
            found.id,
            found.name,
            self.problem.organization.scps_on(target).len(),
            self.problem.quotas.policies_per_target,
            count.saturating_sub(self.room(target)),
        )
    }

    /// An id and a name that no policy has.
    fn unused(&self) -> (PolicyId, String) {
        let organization = self.problem.organization;
        let taken_name = |name: &str| {
            organization.policies().any(|(_, policy)| &*policy.name == name)
                || self.policies.iter().any(|policy| policy.name == name)
        };
        let taken_id = |id: &PolicyId| {
            organization.find_policy(id.as_str()).is_some()
                || self.policies.iter().any(|policy| policy.id == *id)
        };
        let number = (1_u32..)
            .map(|n| if n == 1 { NAME.to_owned() } else { format!("{NAME}-{n}") })
            .find(|name| !taken_name(name));
        let id = unused_id(|n| format!("p-sesperimeter{n}"), taken_id);
        (id, number.unwrap_or_default())
    }

    fn edits(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for policy in &self.policies {
            let (id, content) = (policy.id.clone(), policy.after.clone());
            edits.push(match policy.before {
                Some(_) => Edit::Replace { policy: id, content },
                None => Edit::Create { policy: id, name: policy.name.clone(), content },
            });
        }
        for policy in &self.policies {
            edits.extend(
                policy.attach.iter().map(|target| Edit::Attach {
                    policy: policy.id.clone(),
                    target: target.clone(),
                }),
            );
        }
        edits
    }
}

/// Characters of the shortest document with this statement.
fn size(deny: &Deny) -> usize {
    characters(&document::compact(&document::new(std::slice::from_ref(deny))))
}

/// Whether some statement is about actions of SES by name.
fn names_ses(policy: &Policy) -> bool {
    policy.statements.iter().any(|statement| match &statement.actions {
        Actions::Listed(patterns) | Actions::AllExcept(patterns) => {
            patterns.iter().any(|pattern| pattern.text.to_ascii_lowercase().starts_with("ses:"))
        }
    })
}

/// The statements with names that the policy does not have.
fn renamed(denies: &[Deny], policy: &Policy) -> Vec<Deny> {
    let taken: BTreeSet<&str> =
        policy.statements.iter().filter_map(|statement| statement.sid.as_deref()).collect();
    let mut denies = denies.to_vec();
    for deny in &mut denies {
        let mut number = 2;
        let plain = deny.sid.clone();
        while taken.contains(deny.sid.as_str()) {
            deny.sid = format!("{plain}{number}");
            number += 1;
        }
    }
    denies
}

/// The statements in as few documents of at most `limit` characters as their order gives.
fn packed(denies: &[Deny], limit: usize) -> Option<Vec<(String, BTreeSet<ControlId>)>> {
    let fitting = |denies: &[Deny]| {
        let long = document::new(denies);
        let short = document::compact(&long);
        [long, short].into_iter().find(|text| characters(text) <= limit)
    };
    let controls = |denies: &[Deny]| {
        denies.iter().flat_map(|deny| deny.controls.iter().copied()).collect::<BTreeSet<_>>()
    };
    let mut documents = Vec::new();
    let mut start = 0;
    let mut end = 1;
    while let Some(part) = denies.get(start..end) {
        if fitting(part).is_some() {
            end += 1;
            continue;
        }
        let kept = denies.get(start..end - 1).filter(|kept| !kept.is_empty())?;
        documents.push((fitting(kept)?, controls(kept)));
        start = end - 1;
        end = start + 1;
    }
    let kept = denies.get(start..).filter(|kept| !kept.is_empty())?;
    documents.push((fitting(kept)?, controls(kept)));
    Some(documents)
}
