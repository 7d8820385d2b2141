//! Deciding what resource-based policies let principals of one side do.
//!
//! Each class of principals ([`crate::candidates`]) sees some statements of the policies; those
//! are the one level of a stack, and the prover decides it. Where the account of a class is free,
//! the prover works on a larger set of accounts than the class has, so that a proof holds; what it
//! finds is checked account by account, and pinned to one account where it does not stand.
//!
//! # Source
//! Clauses 40 to 52 of `docs/exposure.md`.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use policy::arn::{Arn, is_account};
use policy::evaluate::{Stack, action_matches, permitted_for_certain};
use policy::keys::KeyCatalog;
use policy::model::{Effect, Policy};
use policy::parse::{Dialect, Limits, parse_as};
use policy::principal::{Requester, addressed_to};
use policy::request::ContextValue;
use prover::applicable::Applicable;
use prover::language::Sequence;
use prover::question::{KeyModel, Question, ResourceModel, ResourceOwner};
use prover::{Prover, Witness};
use ses_perimeter::control::Path;
use ses_perimeter::facts::AccountFacts;
use ses_perimeter::model::{self, Owner, RequestModel};
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::{Caller, Permitted};
use ses_perimeter::table;

use crate::candidates::{Candidate, Named, PerimeterSide};
use crate::inside::Inside;
use crate::question::{self, Account, Keys};

/// How often a question is asked again with an account more left out.
const MOST_ROUNDS: usize = 24;
/// How many accounts a question is pinned to.
const MOST_PINS: usize = 64;
/// How many budgets of a question the policies of one account may take together: whoever can write
/// the policies of an identity must not be able to keep everybody else waiting.
const BUDGETS_OF_ACCOUNT: u64 = 16;
/// Why the rest of an account is undecided.
const SPENT: &str = "the steps for the policies of one account were spent, so the rest was not \
                     looked at; shorter policies, or a larger --budget, would settle it";
/// From so many accounts on it is worth while to try them together first.
const FEWEST_ALIKE: usize = 2;

/// A readable resource-based policy with its name.
#[derive(Debug, Clone)]
pub struct NamedPolicy {
    /// Its name, for reasons.
    pub name: String,
    /// The document.
    pub text: String,
    /// What it means.
    pub policy: Policy,
}

impl NamedPolicy {
    /// Reads a policy.
    ///
    /// # Errors
    /// Why it cannot be read; a sentence without a stop.
    pub fn read(name: &str, text: &str) -> Result<Self, String> {
        match parse_as(Dialect::ResourceBased, text, &Limits::default()) {
            Ok(parsed) => {
                let (name, text) = (name.to_owned(), text.to_owned());
                Ok(Self { name, text, policy: parsed.policy })
            }
            Err(error) => Err(format!("policy `{name}` is unreadable: {error}")),
        }
    }
}

/// Whether the plain evaluator permits the request under every reading, the principal elements
/// of `policies` applied to the very principal that makes it.
#[must_use]
pub fn replays(permitted: &Permitted, policies: &[NamedPolicy], catalog: &KeyCatalog) -> bool {
    let requester = match &permitted.by {
        Caller::Aws { account, arn, session } => {
            Requester::Aws { account, arn, session: session.as_deref() }
        }
        Caller::Service { name, .. } => Requester::Service(name),
    };
    let addressed: Vec<Policy> =
        policies.iter().map(|named| addressed_to(&named.policy, requester)).collect();
    let stack = Stack { levels: vec![addressed.iter().collect()] };
    permitted.witness.requests().all(|request| permitted_for_certain(&stack, &request, catalog))
}

/// Why a question about a policy is undecided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UndecidedReason {
    /// The policy and the position of the statement in it, where it is one statement.
    pub statement: Option<(String, usize)>,
    /// A sentence without a stop.
    pub message: String,
}

impl UndecidedReason {
    fn plain(message: impl Into<String>) -> Self {
        Self { statement: None, message: message.into() }
    }
}

impl fmt::Display for UndecidedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.statement {
            Some((policy, statement)) => {
                write!(f, "statement {statement} of policy `{policy}`: {}", self.message)
            }
            None => f.write_str(&self.message),
        }
    }
}

/// The answer to a question about policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyAnswer {
    /// No principal of the side gets such a request through, under any reading.
    Proved,
    /// This one does, under every reading; the plain evaluator has confirmed it.
    Refuted(Rc<Permitted>),
    /// Neither could be shown.
    Undecided(BTreeSet<UndecidedReason>),
}

/// The resource of the requests.
#[derive(Debug, Clone)]
pub(crate) enum Target<'q> {
    /// The identity of this name, of the account that owns it.
    Identity(&'q str),
    /// Whatever the path names, of any account.
    Any,
    /// Whatever the path names, its first resource of an account outside.
    Foreign,
}

/// One question about policies.
pub(crate) struct Ask<'q> {
    /// Who asks.
    pub(crate) side: PerimeterSide,
    /// Whether AWS services are among them.
    pub(crate) services: bool,
    /// What they ask for.
    pub(crate) paths: &'q [Path],
    /// The Region.
    pub(crate) region: &'q str,
    /// The account to which what carries the policies belongs.
    pub(crate) owner: &'q str,
    /// The resource.
    pub(crate) target: Target<'q>,
    /// Keys that are the same whoever asks.
    pub(crate) keys: Vec<(&'static str, KeyModel)>,
}

/// Asks questions about resource-based policies.
pub struct Asker<'a> {
    pub(crate) inside: &'a Inside,
    pub(crate) perimeter: &'a Perimeter,
    catalog: KeyCatalog,
    prover: Prover,
    moment: i64,
    /// Steps for one question.
    budget: u64,
    /// Steps that are left for the account; none before [`Asker::begin_account`].
    left: u64,
}

/// What all classes of one question share.
#[derive(Clone, Copy)]
struct AskedClasses<'c> {
    ask: &'c Ask<'c>,
    policies: &'c [NamedPolicy],
    named: &'c Named,
    /// Every account of which the policies speak, wherever.
    mentioned: &'c BTreeSet<String>,
}

/// One class of principals and one path.
struct Case<'c> {
    book: AskedClasses<'c>,
    stack: &'c Stack<'c>,
    applicable: &'c Applicable<'c>,
    candidate: &'c Candidate,
    path: &'c Path,
}

/// What asking about one class came to.
enum ClassAnswer {
    Proved,
    Request(Rc<Permitted>),
    Undecided(BTreeSet<UndecidedReason>),
    /// A request that no principal could make as it stands.
    Inconsistent(Box<Witness>),
}

impl<'a> Asker<'a> {
    /// An asker that spends up to `budget` steps on each question; `moment` is a plain moment for
    /// witnesses, in epoch seconds.
    #[must_use]
    pub fn new(inside: &'a Inside, perimeter: &'a Perimeter, moment: i64, budget: u64) -> Self {
        let catalog = model::catalog();
        let prover = Prover::new(catalog.clone(), budget);
        Self { inside, perimeter, catalog, prover, moment, budget, left: 0 }
    }

    /// The keys whose types it knows.
    #[must_use]
    pub const fn catalog(&self) -> &KeyCatalog {
        &self.catalog
    }

    /// Whether `policies`, which together hang on one thing, permit any request of `ask`.
    pub(crate) fn decide(&mut self, policies: &[NamedPolicy], ask: &Ask<'_>) -> PolicyAnswer {
        let spent = || PolicyAnswer::Undecided(BTreeSet::from([UndecidedReason::plain(SPENT)]));
        if self.left == 0 {
            return spent();
        }
        let parsed: Vec<&Policy> = policies.iter().map(|named| &named.policy).collect();
        let named = Named::of(&parsed);
        let mentioned: BTreeSet<String> =
            policies.iter().flat_map(|named| accounts_in(&named.text)).collect();
        let book = AskedClasses { ask, policies, named: &named, mentioned: &mentioned };
        let mut classes: Vec<(Candidate, Vec<Policy>)> = Vec::new();
        for candidate in named.candidates(ask.side, self.inside) {
            if !ask.services && matches!(candidate, Candidate::Service(_) | Candidate::AnyService) {
                continue;
            }
            let requester = candidate.requester();
            let addressed: Vec<Policy> =
                parsed.iter().map(|policy| addressed_to(policy, requester)).collect();
            let mut statements = addressed.iter().flat_map(|policy| &policy.statements);
            if statements.any(|statement| statement.effect == Effect::Allow) {
                classes.push((candidate, addressed));
            }
        }
        self.leave_out_alike(&book, &mut classes);
        let mut reasons = BTreeSet::new();
        for (candidate, addressed) in &classes {
            let stack = Stack { levels: vec![addressed.iter().collect()] };
            for path in different(&stack, ask.paths) {
                let applicable = Applicable::of(&stack, path.action);
                let case = Case { book, stack: &stack, applicable: &applicable, candidate, path };
                match self.case(&case) {
                    PolicyAnswer::Proved => {}
                    PolicyAnswer::Refuted(request) => return PolicyAnswer::Refuted(request),
                    PolicyAnswer::Undecided(more) => reasons.extend(more),
                }
                if self.left == 0 {
                    // Which questions came before is chance; that there were too many is not.
                    return spent();
                }
            }
        }
        if reasons.is_empty() { PolicyAnswer::Proved } else { PolicyAnswer::Undecided(reasons) }
    }

    /// Begins with the policies of another account.
    pub(crate) const fn begin_account(&mut self) {
        self.left = self.budget.saturating_mul(BUDGETS_OF_ACCOUNT);
    }

    /// Leaves out classes that are proved together: a policy may name hundreds of accounts and
    /// roles, and for most of them its statements are the same.
    fn leave_out_alike(
        &mut self,
        book: &AskedClasses<'_>,
        classes: &mut Vec<(Candidate, Vec<Policy>)>,
    ) {
        let mut groups: Vec<(Vec<Policy>, usize)> = Vec::new();
        for (candidate, addressed) in classes.iter() {
            if !names_account(candidate, &self.inside.partition) {
                continue;
            }
            match groups.iter_mut().find(|(known, _)| known == addressed) {
                Some((_, count)) => *count += 1,
                None => groups.push((addressed.clone(), 1)),
            }
        }
        for (addressed, _) in groups.iter().filter(|(_, count)| *count >= FEWEST_ALIKE) {
            if self.proves_for_any_account(book, addressed) {
                let partition = &self.inside.partition;
                classes.retain(|(candidate, own)| {
                    !names_account(candidate, partition) || own != addressed
                });
            }
        }
    }

    /// Whether these statements permit nothing to any principal of any account whatever: that
    /// covers every class for which the statements are these, as every ARN that can be named is
    /// one of [`question::kinds`].
    fn proves_for_any_account(&mut self, book: &AskedClasses<'_>, addressed: &[Policy]) -> bool {
        let stack = Stack { levels: vec![addressed.iter().collect()] };
        let free = Account::NoneOf { out: Vec::new(), plain: book.ask.owner.to_owned() };
        different(&stack, book.ask.paths).into_iter().all(|path| {
            let applicable = Applicable::of(&stack, path.action);
            let candidate = &Candidate::Stranger;
            let case =
                Case { book: *book, stack: &stack, applicable: &applicable, candidate, path };
            let owners = self.owners(&case);
            matches!(self.ask(&case, &free, &owners), prover::Verdict::Proved(_))
        })
    }

    /// The accounts of the organization whose resources are left out where only foreign ones
    /// count, before any was found.
    fn owners(&self, case: &Case<'_>) -> BTreeSet<String> {
        let mentioned = case.book.mentioned.iter().filter(|account| self.inside.has(account));
        mentioned.cloned().chain([case.book.ask.owner.to_owned()]).collect()
    }

    fn case(&mut self, case: &Case<'_>) -> PolicyAnswer {
        let (candidate, side) = (case.candidate, case.book.ask.side);
        let account = match candidate {
            Candidate::OfAccount(account)
            | Candidate::Named { account, .. }
            | Candidate::Session { account, .. } => Some(account.clone()),
            Candidate::Stranger | Candidate::Service(_) | Candidate::AnyService => None,
        };
        if let Some(account) = account {
            return match self.rounds(case, Account::Is(account)) {
                ClassAnswer::Proved => PolicyAnswer::Proved,
                ClassAnswer::Request(request) => PolicyAnswer::Refuted(request),
                ClassAnswer::Undecided(reasons) => PolicyAnswer::Undecided(reasons),
                ClassAnswer::Inconsistent(_) => {
                    PolicyAnswer::Undecided(BTreeSet::from([inconsistent(case)]))
                }
            };
        }
        // Left out are accounts of the other side that the policies speak of, for precision, and
        // accounts that have classes of their own. Whatever else is left in, must be checked.
        let mut out: BTreeSet<String> = case
            .book
            .mentioned
            .iter()
            .filter(|account| self.inside.has(account) != (side == PerimeterSide::Inside))
            .cloned()
            .collect();
        if *candidate == Candidate::Stranger {
            out.extend(case.book.named.accounts.keys().cloned());
        }
        let Some(plain) = self.plain_account(case) else { return PolicyAnswer::Proved };
        let free = Account::NoneOf { out: out.into_iter().collect(), plain };
        let (mut reasons, hint) = match self.rounds(case, free) {
            ClassAnswer::Proved => return PolicyAnswer::Proved,
            ClassAnswer::Request(request) => return PolicyAnswer::Refuted(request),
            ClassAnswer::Undecided(reasons) => (reasons, None),
            ClassAnswer::Inconsistent(witness) => {
                (BTreeSet::from([inconsistent(case)]), Some(witness))
            }
        };
        let (pins, complete) = self.pins(case, hint.as_deref());
        let mut proved = true;
        for pin in pins {
            match self.rounds(case, Account::Is(pin)) {
                ClassAnswer::Proved => {}
                ClassAnswer::Request(request) => return PolicyAnswer::Refuted(request),
                ClassAnswer::Undecided(more) => {
                    proved = false;
                    reasons.extend(more);
                }
                ClassAnswer::Inconsistent(_) => proved = false,
            }
        }
        if proved && complete { PolicyAnswer::Proved } else { PolicyAnswer::Undecided(reasons) }
    }

    /// Accounts to pin a class to, and whether these are all that it has.
    fn pins(&self, case: &Case<'_>, hint: Option<&Witness>) -> (Vec<String>, bool) {
        let side = case.book.ask.side;
        let fits = |account: &String| {
            self.inside.has(account) == (side == PerimeterSide::Inside)
                && !has_own_class(case, account)
        };
        let mut pins: Vec<String> = hint.into_iter().flat_map(accounts_of).collect();
        pins.extend(case.book.mentioned.iter().cloned());
        pins.extend(self.plain_account(case));
        if side == PerimeterSide::Inside {
            pins.extend(self.inside.accounts.keys().cloned());
        }
        let mut seen = BTreeSet::new();
        pins.retain(|pin| fits(pin) && seen.insert(pin.clone()));
        let complete = side == PerimeterSide::Inside && pins.len() <= MOST_PINS;
        pins.truncate(MOST_PINS);
        (pins, complete)
    }

    /// A plain account of a class whose account is free; `None` where it has none.
    fn plain_account(&self, case: &Case<'_>) -> Option<String> {
        match case.book.ask.side {
            PerimeterSide::Outside => Some(prover::question::account_outside(|account| {
                self.inside.has(account) || has_own_class(case, account)
            })),
            PerimeterSide::Inside => {
                let owner = case.book.ask.owner;
                let own = self.inside.has(owner).then_some(owner);
                let others = self.inside.accounts.keys().map(String::as_str);
                own.into_iter()
                    .chain(others)
                    .find(|account| !has_own_class(case, account))
                    .map(str::to_owned)
            }
        }
    }

    /// Asks until what is found stands, leaving out account after account that is on the wrong
    /// side.
    fn rounds(&mut self, case: &Case<'_>, mut account: Account) -> ClassAnswer {
        let mut owners = self.owners(case);
        for _ in 0..MOST_ROUNDS {
            let verdict = self.ask(case, &account, &owners);
            let witness = match verdict {
                prover::Verdict::Proved(_) => return ClassAnswer::Proved,
                prover::Verdict::Undecided(obstacles) => {
                    let reasons = obstacles.into_iter().map(|obstacle| reason(case, obstacle));
                    return ClassAnswer::Undecided(reasons.collect());
                }
                prover::Verdict::Refuted(witness) => witness,
            };
            let mut again = false;
            if let Account::NoneOf { out, .. } = &mut account {
                for found in accounts_of(&witness) {
                    let wrong =
                        self.inside.has(&found) != (case.book.ask.side == PerimeterSide::Inside);
                    if wrong && !out.contains(&found) {
                        out.push(found);
                        again = true;
                    }
                }
            }
            if matches!(case.book.ask.target, Target::Foreign)
                && let Some(owner) = account_in(&witness.resource)
                && self.inside.has(owner)
            {
                again |= owners.insert(owner.to_owned());
            }
            if !again {
                return self.confirmed(case, witness);
            }
        }
        ClassAnswer::Undecided(BTreeSet::from([UndecidedReason::plain(
            "too many accounts had to be told apart, one after the other",
        )]))
    }

    fn ask(
        &mut self,
        case: &Case<'_>,
        account: &Account,
        owners: &BTreeSet<String>,
    ) -> prover::Verdict {
        let Case { candidate, path, book: AskedClasses { ask, named, .. }, .. } = *case;
        let inside = self.inside;
        let own = match (&ask.target, account) {
            (Target::Identity(_), _) => ask.owner.to_owned(),
            (Target::Any | Target::Foreign, Account::Is(account)) => account.clone(),
            (Target::Any | Target::Foreign, Account::NoneOf { plain, .. }) => plain.clone(),
        };
        let facts = AccountFacts {
            partition: inside.partition.clone(),
            organization: inside.organization.clone(),
            account: own,
            org_path: format!("{}/", inside.organization),
        };
        let base = RequestModel {
            facts: &facts,
            path,
            perimeter: self.perimeter,
            left_out: &[],
            catalog: &self.catalog,
            moment: self.moment,
            undocumented: self.perimeter.undocumented,
            owner: match ask.target {
                Target::Foreign => Owner::Outside(owners.iter().cloned().collect()),
                Target::Identity(_) | Target::Any => Owner::Anyone,
            },
        };
        let service = matches!(candidate, Candidate::Service(_) | Candidate::AnyService);
        let mut replaced = question::who(candidate, account, ask.side, inside, named);
        replaced.extend(ask.keys.iter().cloned());
        if matches!(ask.target, Target::Foreign) {
            replaced.insert("aws:resourceorgpaths", question::other_paths(inside));
        }
        let keys = Keys { base: &base, replaced, service };
        let kinds = question::kinds(&inside.partition, account);
        let mut present = model::always_present(&base);
        if service {
            present.push("aws:PrincipalServiceName".to_owned());
        }
        let regions = [ask.region];
        let question = Question {
            action: path.action,
            principal: question::arns(candidate, account, &kinds, named, &inside.partition),
            kinds: &kinds,
            regions: &regions,
            resources: &resources(&ask.target, &base, account, owners),
            keys: &keys,
            present: &present,
            moment: self.moment,
            earliest: self.moment,
            other_regions: None,
        };
        let before = self.prover.spent();
        let steps = self.budget.min(self.left);
        let verdict = self.prover.decide_within(case.stack, case.applicable, &question, steps);
        self.left -= steps.min(self.prover.spent() - before);
        verdict
    }

    /// A request that was found, if a principal of the class could make it and it replays.
    fn confirmed(&self, case: &Case<'_>, witness: Box<Witness>) -> ClassAnswer {
        let Some(by) = self.caller(case, &witness) else {
            return ClassAnswer::Inconsistent(witness);
        };
        let path = match &by {
            Caller::Aws { account, .. } => self.inside.accounts.get(account),
            Caller::Service { .. } => None,
        };
        let Some(repaired) = repaired(&witness, path) else {
            return ClassAnswer::Inconsistent(witness);
        };
        let changed = repaired != *witness;
        let request = Permitted { by, path: case.path.name, witness: repaired };
        if replays(&request, case.book.policies, &self.catalog) {
            return ClassAnswer::Request(Rc::new(request));
        }
        if changed {
            return ClassAnswer::Inconsistent(witness);
        }
        ClassAnswer::Undecided(BTreeSet::from([UndecidedReason::plain(
            "a request was found that the plain evaluator does not permit; a defect of this program",
        )]))
    }

    /// Who makes the request; `None` where its keys do not go together, or where that is nobody
    /// of the class.
    fn caller(&self, case: &Case<'_>, witness: &Witness) -> Option<Caller> {
        let side = |account: &str| {
            self.inside.has(account) == (case.book.ask.side == PerimeterSide::Inside)
        };
        if matches!(case.book.ask.target, Target::Foreign)
            && account_in(&witness.resource).is_none_or(|owner| self.inside.has(owner))
        {
            return None;
        }
        if matches!(case.candidate, Candidate::Service(_) | Candidate::AnyService) {
            let name = witness.single("aws:PrincipalServiceName")?.to_owned();
            let listed = match witness.context.get("aws:PrincipalServiceNamesList") {
                Some(ContextValue::Many(names)) => names.contains(&name),
                Some(ContextValue::One(_)) => false,
                None => true,
            };
            let known = case.book.named.services.contains(&name);
            let account = witness.single("aws:SourceAccount");
            let source = witness.single("aws:SourceArn").and_then(account_in);
            let agree = match (account, source) {
                (Some(account), Some(source)) => account == source,
                (Some(_), None) | (None, Some(_) | None) => true,
            };
            let own = matches!(case.candidate, Candidate::Service(_)) == known;
            let account = account.or(source);
            return (listed && agree && own && account.is_none_or(side))
                .then(|| Caller::Service { name, account: account.map(str::to_owned) });
        }
        let arn = witness.principal_arn().to_owned();
        let account = account_in(&arn)?.to_owned();
        let agrees = witness.single("aws:PrincipalAccount") == Some(account.as_str());
        let stranger = *case.candidate == Candidate::Stranger;
        let own = !stranger || !case.book.named.accounts.contains_key(&account);
        let session = match case.candidate {
            Candidate::Session { session, .. } => Some(session.clone()),
            Candidate::Stranger
            | Candidate::OfAccount(_)
            | Candidate::Named { .. }
            | Candidate::Service(_)
            | Candidate::AnyService => None,
        };
        (agrees && own && side(&account)).then_some(Caller::Aws { account, arn, session })
    }
}

/// Whether a class is made of principals of one account, all of this partition.
fn names_account(candidate: &Candidate, partition: &str) -> bool {
    let here = |arn: &str| Arn::of(arn).is_some_and(|arn| arn.partition == partition);
    match candidate {
        Candidate::OfAccount(_) => true,
        Candidate::Named { arn, .. } => here(arn),
        Candidate::Session { arn, .. } => arn.as_deref().is_none_or(here),
        Candidate::Stranger | Candidate::Service(_) | Candidate::AnyService => false,
    }
}

/// Whether the account has a class of its own beside the class of the case.
fn has_own_class(case: &Case<'_>, account: &str) -> bool {
    *case.candidate == Candidate::Stranger && case.book.named.accounts.contains_key(account)
}

fn inconsistent(case: &Case<'_>) -> UndecidedReason {
    UndecidedReason::plain(format!(
        "for `{}` only requests were found whose keys contradict each other",
        case.path.action
    ))
}

fn reason(case: &Case<'_>, obstacle: prover::Obstacle) -> UndecidedReason {
    match obstacle {
        prover::Obstacle::Open(place, open) => {
            let statement = case.stack.statements().find(|(at, _)| *at == place);
            let policy = case.book.policies.get(place.policy);
            let statement = statement.zip(policy).map(|((_, s), p)| (p.name.clone(), s.index));
            UndecidedReason { statement, message: open.message }
        }
        prover::Obstacle::Budget => UndecidedReason::plain(format!(
            "the steps for `{}` were spent before an answer was found",
            case.path.action
        )),
        prover::Obstacle::Incomplete(key) => UndecidedReason::plain(format!(
            "`{key}` is compared in ways that cannot all be looked at together for `{}`",
            case.path.action
        )),
        prover::Obstacle::Disagreement => UndecidedReason::plain(format!(
            "the procedure and the evaluator disagree about `{}`; a defect of this program",
            case.path.action
        )),
    }
}

/// The paths of which no two have the same answer for certain.
fn different<'p>(stack: &Stack<'_>, paths: &'p [Path]) -> Vec<&'p Path> {
    let mut known = BTreeSet::new();
    paths.iter().filter(|path| known.insert(shape(stack, path))).collect()
}

/// What tells one path from another for a stack; equal shapes get equal answers.
fn shape(stack: &Stack<'_>, path: &Path) -> String {
    let covers: Vec<String> = stack
        .statements()
        .map(|(_, statement)| format!("{:?}", action_matches(statement, path.action)))
        .collect();
    let needs = table::action(path.action).map(|info| info.requirements(path.api));
    format!(
        "{covers:?} {:?} {:?} {:?} {:?} {:?} {}",
        needs.map(|needs| (needs.condition_keys, needs.required_resource_types)),
        path.version,
        path.recipients,
        path.named,
        path.special,
        path.any_identity,
    )
}

fn resources(
    target: &Target<'_>,
    base: &RequestModel<'_>,
    account: &Account,
    owners: &BTreeSet<String>,
) -> Vec<ResourceModel> {
    let own = &base.facts.account;
    if let Target::Identity(name) = target {
        let tail = format!("identity/{name}");
        return vec![ResourceModel::Arn {
            before: format!("arn:{}:ses:", base.facts.partition),
            regional: true,
            owner: ResourceOwner::Is(own.clone()),
            tails: vec![Sequence::literal(&tail)],
            within: Vec::new(),
            without: Vec::new(),
            plain: vec![tail],
        }];
    }
    let mut resources = base.resources();
    for (index, resource) in resources.iter_mut().enumerate() {
        let ResourceModel::Arn { owner, .. } = resource else { continue };
        if index == 0 && matches!(target, Target::Foreign) {
            *owner = ResourceOwner::NoneOf(owners.iter().cloned().collect());
        } else if matches!(owner, ResourceOwner::Is(is) if is == own)
            && matches!(account, Account::NoneOf { .. })
        {
            // The account is free, and so is what belongs to it.
            *owner = ResourceOwner::Any(own.clone());
        }
    }
    resources
}

/// The account in an ARN.
fn account_in(arn: &str) -> Option<&str> {
    Arn::of(arn).map(|arn| arn.account).filter(|account| is_account(account))
}

/// The accounts for which a request is made.
fn accounts_of(witness: &Witness) -> Vec<String> {
    let mut found = Vec::new();
    for key in ["aws:PrincipalArn", "aws:SourceArn"] {
        found.extend(witness.single(key).and_then(account_in));
    }
    for key in ["aws:PrincipalAccount", "aws:SourceAccount"] {
        found.extend(witness.single(key));
    }
    found.into_iter().map(str::to_owned).collect()
}

/// Every run of twelve digits in a text.
fn accounts_in(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|run| is_account(run))
        .map(str::to_owned)
        .collect()
}

/// Makes organization and organization paths of a request agree, where only the paths matter to
/// the policies, and gives an insider the `path` of its account; the replay tells whether that
/// holds. `None` where the paths are of several organizations.
fn repaired(witness: &Witness, path: Option<&String>) -> Option<Witness> {
    let mut witness = witness.clone();
    if let Some(path) = path {
        witness.context.set_many("aws:PrincipalOrgPaths", vec![path.clone()]);
    }
    for [id, paths] in [
        ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"],
        ["aws:SourceOrgID", "aws:SourceOrgPaths"],
        ["aws:ResourceOrgID", "aws:ResourceOrgPaths"],
    ] {
        let Some(ContextValue::Many(paths)) = witness.context.get(paths) else { continue };
        let organizations: BTreeSet<String> = paths
            .iter()
            .map(|path| path.split('/').next().unwrap_or_default().to_owned())
            .collect();
        let mut organizations = organizations.into_iter();
        match (organizations.next(), organizations.next()) {
            (Some(organization), None) => witness.context.set(id, organization),
            (Some(_) | None, _) => return None,
        }
    }
    Some(witness)
}
