//! Checking every control for every account of an organization.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use organization::{AccountIdx, DocumentIdx, Organization, TargetIdx};
use policy::condition::{Judge, Readings, Truth};
use policy::evaluate::{Place, Stack, matches_beside_action, permitted_for_certain};
use policy::keys::KeyCatalog;
use policy::model::{Effect, Statement};
use policy::request::Request;
use prover::{Decider, Prover, Witness};
use rustc_hash::FxHashMap;

use crate::ask::{AccountsInside, Circumstances, decide_path, may_be_a_set};
use crate::assumptions::{reading_note, silent_points, trusts_everybody};
use crate::control::{self, ControlId, Path, Recipients, RequestDetail};
use crate::documents::{ContentId, Documents, KeyNumber, Said, Sayings, Stop};
use crate::facts::{AccountFacts, regions};
use crate::memory::{Memory, QuestionKind, Refutation};
use crate::model;
use crate::perimeter::{AllowedTarget, Perimeter, SelectorKind, Undocumented};
use crate::report::{Cell, GroupId, Mail, Report, Row, Status, StoppedBy, Verdict, Why};
use crate::sensitivity::Distinctions;
use crate::table;

/// What a question may take, in steps, unless the caller says otherwise.
pub const DEFAULT_STEPS: u64 = prover::DEFAULT_BUDGET;

/// When a check takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// In seconds since 1970.
    pub epoch_seconds: i64,
    /// The day in UTC, against which exemptions expire.
    pub today: jiff::civil::Date,
}

impl Now {
    /// The moment of this many seconds since 1970.
    #[must_use]
    pub fn from_epoch_seconds(epoch_seconds: i64) -> Option<Self> {
        let at = jiff::Timestamp::from_second(epoch_seconds).ok()?;
        Some(Self { epoch_seconds, today: at.to_zoned(jiff::tz::TimeZone::UTC).date() })
    }
}

/// What to check, and with how much effort.
#[derive(Debug, Clone)]
pub struct Options {
    /// Only these controls; all that the perimeter leaves enabled where empty.
    pub controls: BTreeSet<ControlId>,
    /// Only these accounts; all where empty.
    pub accounts: BTreeSet<AccountIdx>,
    /// Steps for each question.
    pub budget: u64,
    /// Whether what was learned from one stack may answer for another. The verdicts are the same
    /// without; which proof and which request are shown can depend on the accounts before.
    pub memory: bool,
    /// Whether one account may ask for all others that nothing tells apart from it. The verdicts
    /// are the same without.
    pub stand_in: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            controls: BTreeSet::new(),
            accounts: BTreeSet::new(),
            budget: DEFAULT_STEPS,
            memory: true,
            stand_in: true,
        }
    }
}

impl Options {
    /// The controls to decide, in order: those chosen that the perimeter leaves enabled.
    pub fn decided(&self, perimeter: &Perimeter) -> impl Iterator<Item = ControlId> {
        ControlId::all()
            .filter(|control| self.controls.is_empty() || self.controls.contains(control))
            .filter(|control| !perimeter.disabled.contains(control))
    }
}

/// Which accounts are left out of every control, and why.
#[derive(Debug)]
pub struct Exclusions<'o> {
    organization: &'o Organization,
    /// The allowed targets that the organization has.
    allowed: Vec<(TargetIdx, &'o AllowedTarget)>,
    has_ses: bool,
}

impl<'o> Exclusions<'o> {
    /// The scope of one organization and perimeter.
    #[must_use]
    pub fn new(organization: &'o Organization, perimeter: &'o Perimeter) -> Self {
        Self {
            organization,
            allowed: perimeter
                .allowed_targets
                .iter()
                .filter_map(|allowed| Some((organization.target(&allowed.id)?, allowed)))
                .collect(),
            has_ses: regions::ses(&organization.partition).is_some_and(|all| !all.is_empty()),
        }
    }

    /// Why no control applies to `account`; a sentence without a stop.
    #[must_use]
    pub fn left_out(&self, account: AccountIdx) -> Option<String> {
        let found = self.organization.account(account)?;
        if !found.state.can_send() {
            return Some(format!("the account is {} and cannot send", found.state.name()));
        }
        if !self.has_ses {
            return Some(format!(
                "SES has no endpoint in the partition {}",
                self.organization.partition
            ));
        }
        let path = self.organization.path(account);
        path.iter().find_map(|target| {
            let (_, allowed) = self.allowed.iter().find(|(index, _)| *index == target.index)?;
            Some(format!("{} is allowed to mail anyone: {}", allowed.id, allowed.reason))
        })
    }
}

/// Tells how far a check is: accounts done, accounts in all.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize);

/// Decides every control for every account (invariant WHOLE-REPORT).
pub fn check(
    organization: &Organization,
    perimeter: &Perimeter,
    now: Now,
    options: &Options,
    progress: Progress<'_>,
) -> Report {
    let mut checker = Checker::new(organization, perimeter, now, options);
    let accounts: Vec<AccountIdx> = organization
        .accounts()
        .map(|(index, _)| index)
        .filter(|index| options.accounts.is_empty() || options.accounts.contains(index))
        .collect();
    let total = accounts.len();
    let rows = accounts
        .into_iter()
        .enumerate()
        .map(|(done, account)| {
            progress(done, total);
            checker.row(account)
        })
        .collect();
    progress(total, total);
    Report { controls: checker.controls, rows }
}

/// Checks accounts one after the other and remembers what it learned on the way.
pub struct Checker<'o> {
    organization: &'o Organization,
    perimeter: &'o Perimeter,
    now: Now,
    /// The controls that are checked, in order.
    pub controls: Vec<ControlId>,
    catalog: KeyCatalog,
    prover: RefCell<Prover>,
    budget: u64,
    documents: Documents<'o>,
    scope: Exclusions<'o>,
    exempt: Vec<&'o SelectorKind>,
    exempt_and_administrators: Vec<&'o SelectorKind>,
    paths: FxHashMap<(ControlId, bool), Paths>,
    perimeter_distinctions: Distinctions,
    told_apart: FxHashMap<Vec<Vec<DocumentIdx>>, Rc<Distinctions>>,
    groups: FxHashMap<GroupKey, (Rc<Vec<Cell>>, AccountIdx, GroupId)>,
    /// The number of the next group.
    next_group: u32,
    mail: FxHashMap<GroupKey, Rc<Vec<(&'static str, Mail)>>>,
    answers: FxHashMap<AnswerKey, Answered>,
    /// What holds of stacks with other statements, too; none where the caller wants none.
    memory: Option<Memory>,
    /// Whether the requests of a kind may give a key several values where a statement takes it for
    /// a set, and one elsewhere.
    doubts: FxHashMap<(u32, Undocumented, KeyNumber), bool>,
    shapes: FxHashMap<Shape, u32>,
    carried: FxHashMap<Carried, u32>,
    carried_by: FxHashMap<(&'static str, table::Api), u32>,
    /// The account that asks for all others that nothing tells apart from it.
    stand_in: Option<AccountFacts>,
    effort: Effort,
    /// A pattern that trusts everybody.
    everybody: OnceCell<Option<String>>,
}

/// How questions were answered, and what that took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Questions about one path of one group of accounts.
    pub asked: u64,
    /// Of these, those that were answered by a proof of another stack.
    pub by_proof: u64,
    /// Those that were answered by a request of another stack.
    pub by_request: u64,
    /// Those that were searched; an equal one had answered all others.
    pub searched: u64,
    /// The steps of all searches.
    pub steps: u64,
}

/// Which ids could turn the verdicts of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdsMatter {
    /// Its own.
    pub account: bool,
    /// Those of the units it is in.
    pub units: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct GroupKey {
    levels: Vec<Vec<DocumentIdx>>,
    enforced: bool,
    account: Option<AccountIdx>,
    parent: Option<TargetIdx>,
}

/// All that distinguishes the requests of one path from those of another, the action aside:
/// that only picks the statements.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shape {
    path: Path,
    /// The number of what the action carries.
    carried: u32,
}

/// What a request of an action carries through an interface.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Carried {
    keys: Vec<&'static str>,
    required: Vec<&'static str>,
    asks: Asks,
    /// Whether AWS says nothing about tags of its resource.
    silent_tags: bool,
}

/// What an interface says about who asks, where, and with which keys of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Asks {
    Smtp,
    V1,
    Ses,
    Iam,
    Sts,
}

impl Asks {
    const fn of(api: table::Api) -> Self {
        match api {
            table::Api::Smtp => Self::Smtp,
            table::Api::V1 => Self::V1,
            table::Api::V2 | table::Api::MailManager | table::Api::PinpointEmail => Self::Ses,
            table::Api::Iam => Self::Iam,
            table::Api::Sts => Self::Sts,
        }
    }
}

/// A path with the number of its shape.
type Shaped = (Path, u32);

/// The paths of a control, or why it does not apply.
type Paths = Rc<Result<Vec<Shaped>, String>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AnswerKey {
    shape: u32,
    /// Whether silent points are settled for the worst, where that matters.
    worst: bool,
    /// What the stack says.
    said: Rc<Sayings>,
    account: Option<AccountIdx>,
    parent: Option<TargetIdx>,
}

#[derive(Debug, Clone)]
enum PathAnswer {
    Proved(Vec<StoppedBy>),
    Refuted(Rc<Witness>),
    Undecided(Vec<Why>),
}

impl PathAnswer {
    fn ran_out(&self) -> bool {
        matches!(self, Self::Undecided(why) if why.iter().any(|w| matches!(w, Why::Budget { .. })))
    }
}

/// An answer as it is kept for others.
#[derive(Debug)]
enum Answered {
    Proved(Rc<[Stop]>),
    Refuted(Rc<Refutation>),
    /// Once for each set of statements that say the same, as reasons name places.
    Undecided(Vec<OpenAnswer>),
}

/// Why a question is undecided.
#[derive(Debug)]
struct OpenAnswer {
    statements: Box<[(DocumentIdx, u32)]>,
    reasons: Vec<Why>,
    /// The action of whoever asked first, which a reason may name.
    action: &'static str,
}

/// An answer of the prover.
enum Decided {
    Proved(Rc<[Stop]>),
    Refuted(Rc<Refutation>),
    Undecided(Vec<Why>),
}

/// After a spent budget the other paths of the control get this part of it each.
const REDUCED: u64 = 16;

/// What the prover names is a place of the stack that it was given.
const OUTSIDE: &str = "a statement that was named is not in the stack";

/// What a group of accounts has in common.
struct AccountGroup<'o> {
    facts: AccountFacts,
    /// Who asks in its place: the same account for all groups that can be told apart by nothing
    /// but their policies, so that what was worked out for one serves the others.
    stand_in: AccountFacts,
    stack: Stack<'o>,
    documents: Vec<Vec<DocumentIdx>>,
    account: Option<AccountIdx>,
    parent: Option<TargetIdx>,
    /// What the documents say, by action.
    said: RefCell<FxHashMap<&'static str, Rc<Said<'o>>>>,
}

impl<'o> AccountGroup<'o> {
    /// What stops every request, where it stands in the group's own documents.
    fn stopped(&self, said: &Said<'o>, stops: &[Stop]) -> PathAnswer {
        let stops = stops.iter().map(|stop| match stop {
            Stop::Deny(position) => {
                let place = said.place(*position)?;
                let document = document_at(&self.documents, place)?;
                Some(StoppedBy::Statement(document, place.statement))
            }
            Stop::Level(level) => Some(StoppedBy::Level(*level)),
        });
        match stops.collect() {
            Some(stops) => PathAnswer::Proved(stops),
            None => PathAnswer::Undecided(vec![Why::Defect(OUTSIDE)]),
        }
    }
}

impl<'o> Checker<'o> {
    /// A checker for one organization.
    #[must_use]
    pub fn new(
        organization: &'o Organization,
        perimeter: &'o Perimeter,
        now: Now,
        options: &Options,
    ) -> Self {
        let controls: Vec<ControlId> =
            options.decided(perimeter).filter(|control| !control.is_about_exposure()).collect();
        let in_force = |selectors: &'o [crate::perimeter::Selector]| {
            selectors.iter().filter(move |s| s.in_force(now.today)).map(|s| &s.matches)
        };
        let exempt: Vec<&SelectorKind> = in_force(&perimeter.exemptions).collect();
        let exempt_and_administrators: Vec<&SelectorKind> =
            exempt.iter().copied().chain(in_force(&perimeter.administrators)).collect();
        let mut perimeter_distinctions = Distinctions::default();
        for selector in &exempt_and_administrators {
            match selector {
                SelectorKind::PrincipalArn(pattern) => {
                    perimeter_distinctions.by_account_keys.add_text(pattern);
                    perimeter_distinctions.by_any_key.add_text(pattern);
                }
                SelectorKind::PrincipalTag { value, .. } => {
                    perimeter_distinctions.by_any_key.add_text(value);
                }
            }
        }
        for pattern in &perimeter.trusted_recipients {
            perimeter_distinctions.by_any_key.add_text(pattern);
        }
        let catalog = model::catalog();
        Self {
            organization,
            perimeter,
            now,
            controls,
            prover: RefCell::new(Prover::new(catalog.clone(), options.budget)),
            catalog,
            budget: options.budget,
            documents: Documents::new(organization),
            scope: Exclusions::new(organization, perimeter),
            exempt,
            exempt_and_administrators,
            paths: FxHashMap::default(),
            perimeter_distinctions,
            told_apart: FxHashMap::default(),
            groups: FxHashMap::default(),
            next_group: 0,
            mail: FxHashMap::default(),
            answers: FxHashMap::default(),
            memory: options.memory.then(Memory::default),
            doubts: FxHashMap::default(),
            shapes: FxHashMap::default(),
            carried: FxHashMap::default(),
            carried_by: FxHashMap::default(),
            effort: Effort::default(),
            stand_in: organization
                .accounts()
                .filter(|_| options.stand_in)
                .filter(|(_, account)| account.id != organization.management_account)
                .min_by_key(|(_, account)| account.id)
                .and_then(|(index, _)| AccountFacts::of(organization, index)),
            everybody: OnceCell::new(),
        }
    }

    /// The paths of a control under a setting of `undocumented`.
    fn paths_of(&mut self, control: ControlId, worst: bool) -> Paths {
        if let Some(known) = self.paths.get(&(control, worst)) {
            return Rc::clone(known);
        }
        let undocumented = if worst { Undocumented::WorstCase } else { Undocumented::Documented };
        let all = &self.exempt_and_administrators;
        let paths = control::paths(control, self.perimeter, all, undocumented);
        let shaped = |paths: Vec<Path>| paths.into_iter().map(|path| self.shaped(path)).collect();
        let paths = Rc::new(paths.map(shaped));
        self.paths.insert((control, worst), Rc::clone(&paths));
        paths
    }

    /// The selectors in force whose principals a path leaves out.
    fn left_out(&self, path: &Path) -> &[&'o SelectorKind] {
        if path.skip_administrators { &self.exempt_and_administrators } else { &self.exempt }
    }

    /// What all questions so far took.
    #[must_use]
    pub fn effort(&self) -> Effort {
        Effort { steps: self.prover.borrow().spent(), ..self.effort }
    }

    /// The results of one account.
    pub fn row(&mut self, account: AccountIdx) -> Row {
        if let Some(reason) = self.not_applicable(account) {
            return self.everywhere(account, &Verdict::NotApplicable(reason));
        }
        let enforced = self.organization.scp_enabled;
        if enforced {
            let unread = self.unread(account);
            if !unread.is_empty() {
                return self.everywhere(account, &Verdict::undecided(unread));
            }
        }
        let missing = Verdict::undecided(vec![Why::Defect(
            "the account, or a policy on its path, is not in the snapshot",
        )]);
        let Some(key) = self.key(account) else { return self.everywhere(account, &missing) };
        if let Some((cells, shown, group)) = self.groups.get(&key) {
            let (cells, shown, group) = (Rc::clone(cells), *shown, *group);
            return Row { account, cells, shown, group, found: None };
        }
        let Some(group) = self.group(account, &key) else {
            return self.everywhere(account, &missing);
        };
        let cells: Vec<Cell> = self
            .controls
            .clone()
            .into_iter()
            .map(|control| self.cell(control, &group, enforced))
            .collect();
        let cells = Rc::new(cells);
        let group = self.number();
        self.groups.insert(key, (Rc::clone(&cells), account, group));
        Row { account, cells, shown: account, group, found: None }
    }

    /// The number of a new group.
    fn number(&mut self) -> GroupId {
        let group = GroupId(self.next_group);
        self.next_group += 1;
        group
    }

    /// Whether another id of an account, or of the units it is in, could turn its verdicts: what
    /// is said of an account that has no id yet holds only where neither could.
    pub fn ids_matter(&mut self, account: AccountIdx) -> IdsMatter {
        let documents = self.documents_over(account);
        let units = self.distinctions(&documents).by_org_path;
        let own = self.key(account).is_none_or(|key| key.account.is_some());
        IdsMatter { account: own, units }
    }

    /// The documents of each level above an account, where they are in force.
    fn documents_over(&self, account: AccountIdx) -> Vec<Vec<DocumentIdx>> {
        let enforced = self.organization.scp_enabled;
        let levels = if enforced { self.organization.levels(account) } else { Vec::new() };
        levels.iter().map(|level| level.scps.iter().map(|scp| scp.document).collect()).collect()
    }

    /// What accounts have in common whose verdicts are the same.
    fn key(&mut self, account: AccountIdx) -> Option<GroupKey> {
        let enforced = self.organization.scp_enabled;
        let documents = self.documents_over(account);
        let distinctions = self.distinctions(&documents);
        let digits = self.organization.account(account)?.id.to_string();
        let singled_out = tells_apart(&distinctions, &digits);
        Some(GroupKey {
            levels: documents,
            enforced,
            account: singled_out.then_some(account),
            parent: distinctions
                .by_org_path
                .then(|| self.organization.parent(self.organization.target_of(account)))
                .flatten(),
        })
    }

    /// The group of `key`, asking as `account`.
    fn group(&mut self, account: AccountIdx, key: &GroupKey) -> Option<AccountGroup<'o>> {
        let facts = AccountFacts::of(self.organization, account)?;
        let distinctions = self.distinctions(&key.levels);
        // Where a policy looks at paths, it matters which other accounts there are in which unit.
        let exchangeable = |other: &&AccountFacts| {
            key.account.is_none()
                && !distinctions.by_org_path
                && !tells_apart(&distinctions, &other.account)
        };
        let stand_in = self.stand_in.as_ref().filter(exchangeable).unwrap_or(&facts).clone();
        Some(AccountGroup {
            said: RefCell::default(),
            facts,
            stand_in,
            stack: self.documents.stack(&key.levels)?,
            documents: key.levels.clone(),
            account: key.account,
            parent: key.parent,
        })
    }

    /// Which mail to trusted recipients gets past the SCPs of an account, for each of
    /// [`control::trusted_mail`]; none where no control applies to it.
    pub fn mail(&mut self, account: AccountIdx) -> Option<Rc<Vec<(&'static str, Mail)>>> {
        if self.not_applicable(account).is_some() {
            return None;
        }
        let paths = control::trusted_mail();
        if self.organization.scp_enabled && !self.unread(account).is_empty() {
            return Some(Rc::new(paths.iter().map(|path| (path.name, Mail::Undecided)).collect()));
        }
        let key = self.key(account)?;
        if let Some(known) = self.mail.get(&key) {
            return Some(Rc::clone(known));
        }
        let group = self.group(account, &key)?;
        let worst = self.perimeter.undocumented;
        let found = paths.into_iter().map(|path| {
            let shaped = self.shaped(path);
            let path = &shaped.0;
            let mail = match self.answer(&shaped, &group, worst, self.budget) {
                PathAnswer::Refuted(witness) => Mail::Permitted(witness),
                PathAnswer::Proved(_) => Mail::Stopped,
                PathAnswer::Undecided(_) => Mail::Undecided,
            };
            (path.name, mail)
        });
        let found = Rc::new(found.collect::<Vec<_>>());
        self.mail.insert(key, Rc::clone(&found));
        Some(found)
    }

    /// What these documents and the perimeter can tell apart.
    fn distinctions(&mut self, documents: &[Vec<DocumentIdx>]) -> Rc<Distinctions> {
        if let Some(known) = self.told_apart.get(documents) {
            return Rc::clone(known);
        }
        let mut distinctions = self.perimeter_distinctions.clone();
        for document in documents.iter().flatten() {
            distinctions.merge(self.documents.distinctions(*document));
        }
        let distinctions = Rc::new(distinctions);
        self.told_apart.insert(documents.to_vec(), Rc::clone(&distinctions));
        distinctions
    }

    /// The same verdict on every control that applies to `account`.
    fn everywhere(&mut self, account: AccountIdx, verdict: &Verdict) -> Row {
        let facts = AccountFacts::of(self.organization, account);
        let cells: Vec<Cell> = self
            .controls
            .clone()
            .into_iter()
            .map(|control| {
                let paths = self.paths_of(control, self.worst());
                let own = facts.as_ref().map(|facts| asked(&paths, facts));
                let verdict = match own {
                    Some(Err(reason)) if verdict.status() != Status::NotApplicable => {
                        Verdict::NotApplicable(reason)
                    }
                    Some(_) | None => verdict.clone(),
                };
                Cell { control, verdict, assumptions: Vec::new() }
            })
            .collect();
        Row { account, cells: Rc::new(cells), shown: account, group: self.number(), found: None }
    }

    fn worst(&self) -> bool {
        self.perimeter.undocumented == Undocumented::WorstCase
    }

    /// Why no control applies to `account`.
    fn not_applicable(&self, account: AccountIdx) -> Option<String> {
        let found = self.organization.account(account)?;
        if found.id == self.organization.management_account {
            return Some("service control policies do not bind the management account".to_owned());
        }
        self.scope.left_out(account)
    }

    /// What could not be read on the path of `account`.
    fn unread(&self, account: AccountIdx) -> Vec<Why> {
        let own = self.organization.target_of(account);
        let mut all: Vec<Why> = self
            .organization
            .gaps_on(account)
            .into_iter()
            .map(|gap| {
                let target = gap.target.as_deref().and_then(|id| self.organization.target(id));
                Why::Unread(target.unwrap_or(own), None, gap.to_string())
            })
            .collect();
        all.extend(self.organization.unreadable_on(account).into_iter().map(|scp| {
            Why::Unread(
                scp.target,
                Some(scp.policy),
                format!("the policy is unreadable: {}", scp.message),
            )
        }));
        all
    }

    fn cell(&mut self, control: ControlId, group: &AccountGroup<'o>, enforced: bool) -> Cell {
        let worst = self.worst();
        let paths = self.paths_of(control, worst);
        let paths = match asked(&paths, &group.facts) {
            Ok(paths) => paths,
            Err(reason) => {
                let verdict = Verdict::NotApplicable(reason);
                return Cell { control, verdict, assumptions: Vec::new() };
            }
        };
        let own = self.perimeter.undocumented;
        let verdict = self.paths(&paths, group, own);
        let status = verdict.status();
        let mut assumptions = Vec::new();
        if status == Status::Passed {
            assumptions.extend(self.trusts_everybody(control));
        }
        // Every request of the documented setting is one of the other.
        let settled = match own {
            Undocumented::Documented => status == Status::Failed,
            Undocumented::WorstCase => status == Status::Passed,
        };
        let other = if settled { None } else { Some(self.paths_of(control, !worst)) };
        if let Some(Ok(others)) = other.as_ref().map(|other| asked(other, &group.facts))
            && (others != paths
                || paths
                    .iter()
                    .any(|(path, _)| self.said(group, path.action).silence.matters(path)))
        {
            let setting = if worst { Undocumented::Documented } else { Undocumented::WorstCase };
            let other = self.paths(&others, group, setting);
            if other.status() != status {
                let request = if worst { &verdict } else { &other }.request();
                let points = request.map_or_else(Vec::new, |(path, witness)| {
                    silent_points(path, witness, &group.facts.partition)
                });
                assumptions.push(reading_note(worst, &other, &points));
            }
        }
        if !enforced {
            assumptions.push(
                "the SCP policy type is not enabled on the root, so no SCP is in force".to_owned(),
            );
        }
        if status == Status::Passed && group.documents.iter().any(Vec::is_empty) {
            assumptions.push(
                "some target on the path has no SCP attached, and so allows nothing; Organizations \
                 keeps at least one attached, so the snapshot may be incomplete"
                    .to_owned(),
            );
        }
        Cell { control, verdict, assumptions }
    }

    /// All paths of a control: it passes when every one is stopped.
    fn paths(
        &mut self,
        paths: &[&Shaped],
        group: &AccountGroup<'o>,
        undocumented: Undocumented,
    ) -> Verdict {
        let mut stopped_by = BTreeSet::new();
        let mut open = BTreeSet::new();
        let mut budget = self.budget;
        for shaped in paths {
            let path = &shaped.0;
            let answer = self.answer(shaped, group, undocumented, budget);
            if answer.ran_out() {
                // Some path may still fail at once, but the control is undecided at best, and
                // a hundred paths must not cost a hundred budgets.
                budget = self.budget / REDUCED;
            }
            match answer {
                PathAnswer::Refuted(witness) => {
                    debug_assert!(witness.principal_arn().contains(&group.facts.account));
                    return Verdict::Failed { path: path.name, witness };
                }
                PathAnswer::Proved(deciders) => stopped_by.extend(deciders),
                PathAnswer::Undecided(reasons) => open.extend(reasons),
            }
        }
        if open.is_empty() {
            Verdict::Passed(stopped_by.into_iter().collect())
        } else {
            Verdict::undecided(open.into_iter().collect())
        }
    }

    fn answer(
        &mut self,
        (path, shape): &Shaped,
        group: &AccountGroup<'o>,
        undocumented: Undocumented,
        budget: u64,
    ) -> PathAnswer {
        self.effort.asked += 1;
        let said = self.said(group, path.action);
        let worst = undocumented == Undocumented::WorstCase && said.silence.matters(path);
        let (account, parent) = (group.account, group.parent);
        let sayings = Rc::clone(&said.sayings);
        let key = AnswerKey { shape: *shape, worst, said: sayings, account, parent };
        match self.answers.get(&key) {
            Some(Answered::Proved(stops)) => return group.stopped(&said, stops),
            Some(Answered::Refuted(known)) => {
                if let Some(witness) = self.moved(known, path, group, &said) {
                    return PathAnswer::Refuted(witness);
                }
            }
            Some(Answered::Undecided(all)) => {
                let own = |known: &&OpenAnswer| {
                    known.statements == said.statements
                        && (known.action == path.action
                            || !known.reasons.iter().any(|why| why.names(known.action)))
                };
                if let Some(known) = all.iter().find(own) {
                    let about = |why: &Why| why.clone().about(path.action, path.name);
                    return PathAnswer::Undecided(known.reasons.iter().map(about).collect());
                }
            }
            None => {}
        }
        let kind = QuestionKind { shape: *shape, undocumented, account, parent };
        let several =
            self.memory.is_some().then(|| self.several(&kind, path, group, &said.sayings));
        if let Some(several) = &several
            && let Some(answer) = self.remembered(&kind, path, group, &said, several)
        {
            match answer {
                PathAnswer::Refuted(_) => self.effort.by_request += 1,
                PathAnswer::Proved(_) | PathAnswer::Undecided(_) => self.effort.by_proof += 1,
            }
            return answer;
        }
        self.effort.searched += 1;
        let mut decided = self.decide(path, group, &group.stand_in, &said, undocumented, budget);
        let mut own = None;
        if let Decided::Refuted(known) = &decided {
            own = self.moved(known, path, group, &said);
            if own.is_none() {
                // What the other account asks cannot be turned into a request of this one.
                decided = self.decide(path, group, &group.facts, &said, undocumented, budget);
            }
        }
        let answer = match &decided {
            Decided::Proved(stops) => group.stopped(&said, stops),
            Decided::Refuted(known) => {
                PathAnswer::Refuted(own.unwrap_or_else(|| Rc::clone(&known.witness)))
            }
            Decided::Undecided(reasons) => PathAnswer::Undecided(reasons.clone()),
        };
        if budget < self.budget && answer.ran_out() {
            return answer;
        }
        match decided {
            Decided::Proved(stops) => {
                if let (Some(memory), Some(several)) = (&mut self.memory, several) {
                    memory.learn_proof(kind, &stops, &said.sayings, several);
                }
                self.answers.insert(key, Answered::Proved(stops));
            }
            Decided::Refuted(known) => {
                if self.is_plain(path, &known.witness, group)
                    && let Some(memory) = &mut self.memory
                {
                    memory.learn_witness(kind, &known);
                }
                self.answers.insert(key, Answered::Refuted(known));
            }
            Decided::Undecided(reasons) => {
                let statements = said.statements.clone();
                let open = OpenAnswer { statements, reasons, action: path.action };
                match self.answers.entry(key).or_insert(Answered::Undecided(Vec::new())) {
                    Answered::Undecided(all) => all.push(open),
                    Answered::Proved(_) | Answered::Refuted(_) => {}
                }
            }
        }
        answer
    }

    /// What the documents of a group say about an action.
    fn said(&mut self, group: &AccountGroup<'o>, action: &'static str) -> Rc<Said<'o>> {
        if let Some(said) = group.said.borrow().get(action) {
            return Rc::clone(said);
        }
        let said = Rc::new(self.documents.said(&group.documents, action));
        group.said.borrow_mut().insert(action, Rc::clone(&said));
        said
    }

    /// The answer that follows from what other stacks were found to stop or to let through.
    fn remembered(
        &self,
        kind: &QuestionKind,
        path: &Path,
        group: &AccountGroup<'o>,
        said: &Said<'o>,
        several: &[KeyNumber],
    ) -> Option<PathAnswer> {
        let memory = self.memory.as_ref()?;
        if let Some(stops) = memory.proof(kind, &said.sayings, several) {
            return Some(group.stopped(said, &stops));
        }
        let lets = |known: &Refutation, content| self.content_lets(content, known.requests());
        let known = memory.witness(kind, &said.sayings, &lets)?;
        let witness = self.moved(known, path, group, said)?;
        self.is_plain(path, &witness, group).then_some(PathAnswer::Refuted(witness))
    }

    /// Whether the request rests on at most one point that only the worst case leaves room for:
    /// with those it is told what a verdict rests on, so none is to name more than it must.
    fn is_plain(&self, path: &Path, witness: &Witness, group: &AccountGroup<'o>) -> bool {
        silent_points(path.name, witness, &group.facts.partition).len() <= 1
    }

    /// A known request as one of the group's account through `path`, with the keys that its
    /// statements ask about; `None` where it does not replay so.
    fn moved(
        &self,
        known: &Refutation,
        path: &Path,
        group: &AccountGroup<'o>,
        said: &Said<'o>,
    ) -> Option<Rc<Witness>> {
        let said = &said.sayings;
        let is_own = known.account == group.facts.account;
        if is_own && known.witness.action == path.action && known.is_about(said) {
            return Some(Rc::clone(&known.witness));
        }
        let mut moved = if is_own {
            Witness::clone(&known.witness)
        } else if known.names(&group.facts.account) {
            // Exchanging the accounts would make a request of another sort.
            return None;
        } else {
            exchanged(&known.witness, &known.account, &group.facts)
        };
        path.action.clone_into(&mut moved.action);
        known.forget_others(&mut moved, said, &self.documents);
        let requests: Vec<Request> = moved.requests().collect();
        let permitted = said.let_through(|content| self.content_lets(content, &requests));
        debug_assert!(!permitted || permitted_by(&group.stack, &moved, &self.catalog));
        permitted.then(|| Rc::new(moved))
    }

    /// Whether statements that say `content` let the requests through.
    fn content_lets(&self, content: ContentId, requests: &[Request]) -> bool {
        let statement = self.documents.saying(content);
        statement.is_some_and(|statement| lets(statement, requests, &self.catalog))
    }

    /// The keys that requests may give several values because a statement takes them for sets: of
    /// a stack in which others are, a proof says nothing.
    fn several(
        &mut self,
        kind: &QuestionKind,
        path: &Path,
        group: &AccountGroup<'o>,
        said: &Sayings,
    ) -> Box<[KeyNumber]> {
        let mut hangs = |key: &KeyNumber| {
            let place = (kind.shape, kind.undocumented, *key);
            if let Some(known) = self.doubts.get(&place) {
                return *known;
            }
            let circumstances = self.circumstances(path, &group.stand_in, kind.undocumented);
            let hangs = may_be_a_set(path, circumstances, self.documents.key_name(*key));
            self.doubts.insert(place, hangs);
            hangs
        };
        said.sets.iter().copied().filter(|key| hangs(key)).collect()
    }

    fn circumstances<'q>(
        &'q self,
        path: &Path,
        facts: &'q AccountFacts,
        undocumented: Undocumented,
    ) -> Circumstances<'q> {
        Circumstances {
            facts,
            perimeter: self.perimeter,
            left_out: self.left_out(path),
            catalog: &self.catalog,
            members: AccountsInside::Of(self.organization),
            moment: self.now.epoch_seconds,
            undocumented,
        }
    }

    /// The path with the number of what distinguishes its requests.
    fn shaped(&mut self, path: Path) -> Shaped {
        let carried = self.carried(&path);
        let mut shape = Shape { path: path.clone(), carried };
        shape.path.action = "";
        shape.path.name = "";
        // Beside that, the interface only picks the keys and the resources, which are there.
        shape.path.api = table::Api::V1;
        let next = self.shapes.len() as u32;
        let number = *self.shapes.entry(shape).or_insert(next);
        (path, number)
    }

    /// The number of what a request of the path's action carries: the same for all that carry the
    /// same.
    fn carried(&mut self, path: &Path) -> u32 {
        let (action, api) = (path.action, path.api);
        if let Some(known) = self.carried_by.get(&(action, api)) {
            return *known;
        }
        let needs = table::action(action).map(|info| info.requirements(api));
        let carried = Carried {
            keys: table::condition_keys(action, api).collect(),
            required: needs.map(|n| n.required_resource_types.to_vec()).unwrap_or_default(),
            asks: Asks::of(api),
            silent_tags: path.is_silent_about_resource_tags(),
        };
        let next = self.carried.len() as u32;
        let number = *self.carried.entry(carried).or_insert(next);
        self.carried_by.insert((action, api), number);
        number
    }

    fn decide(
        &self,
        path: &Path,
        group: &AccountGroup<'o>,
        asking: &AccountFacts,
        said: &Said<'o>,
        undocumented: Undocumented,
        budget: u64,
    ) -> Decided {
        let circumstances = self.circumstances(path, asking, undocumented);
        let mut prover = self.prover.borrow_mut();
        let verdict =
            decide_path(&mut prover, &group.stack, &said.applicable, path, circumstances, budget);
        match verdict {
            prover::Verdict::Proved(deciders) => {
                let stops = deciders.into_iter().map(|decider| match decider {
                    Decider::Deny(place) => said.position(place).map(Stop::Deny),
                    Decider::Level(level) => Some(Stop::Level(level)),
                });
                match stops.collect::<Option<Vec<_>>>() {
                    Some(stops) => Decided::Proved(stops.into()),
                    None => Decided::Undecided(vec![Why::Defect(OUTSIDE)]),
                }
            }
            prover::Verdict::Refuted(witness) => Decided::Refuted(Rc::new(Refutation::new(
                &Rc::from(witness),
                &asking.account,
                &said.sayings,
            ))),
            prover::Verdict::Undecided(obstacles) => Decided::Undecided(
                obstacles
                    .into_iter()
                    .map(|obstacle| match obstacle {
                        prover::Obstacle::Open(place, open) => {
                            match document_at(&group.documents, place) {
                                Some(document) => Why::Statement(document, place.statement, open),
                                None => Why::Defect(OUTSIDE),
                            }
                        }
                        prover::Obstacle::Budget => {
                            Why::Budget { action: path.action, path: path.name }
                        }
                        prover::Obstacle::Incomplete(key) => {
                            Why::Incomplete { key, action: path.action, path: path.name }
                        }
                        prover::Obstacle::Disagreement => {
                            Why::Disagreement { action: path.action, path: path.name }
                        }
                    })
                    .collect(),
            ),
        }
    }

    /// That no recipient is untrusted, where the control is about untrusted recipients.
    fn trusts_everybody(&mut self, control: ControlId) -> Option<String> {
        let paths = self.paths_of(control, self.worst());
        let everybody = self.everybody.get_or_init(|| trusts_everybody(self.perimeter)).as_ref()?;
        let depends = paths.as_ref().as_ref().ok()?.iter().any(|(path, _)| {
            matches!(path.recipients, Recipients::Untrusted | Recipients::UntrustedOrAbsent)
                || path.special == RequestDetail::Feedback
        });
        depends.then(|| {
            format!("the perimeter trusts everybody (`{everybody}`), so no recipient is untrusted")
        })
    }
}

/// The paths of a control that are about the account, or why there are none. Accounts that share
/// a decision agree in this: a pattern that tells them apart keeps them apart.
fn asked<'p>(paths: &'p Paths, facts: &AccountFacts) -> Result<Vec<&'p Shaped>, String> {
    let own: Vec<&Shaped> = paths
        .as_ref()
        .as_ref()
        .map_err(String::clone)?
        .iter()
        .filter(|(path, _)| path.is_about(facts))
        .collect();
    if own.is_empty() { Err(control::NOBODY_SELECTED.to_owned()) } else { Ok(own) }
}

/// Whether an account needs decisions of its own.
fn tells_apart(distinctions: &Distinctions, digits: &str) -> bool {
    // Requests of the others may name the plainest account.
    distinctions.singles_out(digits) || digits == prover::question::account_outside(|_| false)
}

/// Whether every resource of the request gets past the stack, under every reading.
fn permitted_by(stack: &Stack<'_>, witness: &Witness, catalog: &KeyCatalog) -> bool {
    witness.requests().all(|request| permitted_for_certain(stack, &request, catalog))
}

fn document_at(documents: &[Vec<DocumentIdx>], place: Place) -> Option<DocumentIdx> {
    documents.get(place.level).and_then(|level| level.get(place.policy)).copied()
}

/// Whether the statement lets a request through under every reading, resource by resource: a Deny
/// that does not match it, an Allow that does.
fn lets(statement: &Statement, requests: &[Request], catalog: &KeyCatalog) -> bool {
    requests.iter().all(|request| {
        let lets = |readings| {
            let judge = Judge { context: &request.context, readings, catalog };
            let truth = matches_beside_action(statement, &request.resource, &judge);
            match statement.effect {
                Effect::Deny => truth == Truth::No,
                Effect::Allow => truth == Truth::Yes,
            }
        };
        lets(Readings::default()) || Readings::every().all(lets)
    })
}

/// The witness of one account as a request of another that nothing tells apart from it.
fn exchanged(witness: &Witness, from: &str, to: &AccountFacts) -> Witness {
    let mut moved =
        witness.map(&|text| text.contains(from).then(|| text.replace(from, &to.account)));
    moved.context.set_many("aws:PrincipalOrgPaths", vec![to.org_path.clone()]);
    moved
}

/// The witness of `row`'s cell as a request of the row's own account, replayed against the
/// account's own stack (invariant REPLAYED).
///
/// `None` where it does not replay; that would be a defect, and the cell must then not be
/// reported as failed.
#[must_use]
pub fn own_witness(
    organization: &Organization,
    row: &Row,
    witness: &Rc<Witness>,
    catalog: &KeyCatalog,
) -> Option<Rc<Witness>> {
    if row.shown == row.account {
        return Some(Rc::clone(witness));
    }
    let shown = organization.account(row.shown)?.id.to_string();
    let facts = AccountFacts::of(organization, row.account)?;
    let moved = exchanged(witness, &shown, &facts);
    permitted_by(&organization.stack(row.account)?, &moved, catalog).then(|| Rc::new(moved))
}
