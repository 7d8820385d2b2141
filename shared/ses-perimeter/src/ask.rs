//! Asking about one path of a control.

use std::collections::BTreeSet;

use organization::{AccountId, Organization};
use policy::arn::{Arn, is_account};
use policy::evaluate::Stack;
use policy::keys::KeyCatalog;
use policy::model::Template;
use policy::request::ContextValue;
use prover::applicable::Applicable;
use prover::language::{Class, Sequence};
use prover::question::{KeyModel, KeyModels, Question, ResourceModel, TextDomain, account_outside};
use prover::{Obstacle, Prover, Verdict, Witness};

use crate::control::{Path, RequestDetail};
use crate::facts::AccountFacts;
use crate::facts::regions::{self, RegionForm};
use crate::model::{self, Owner, RequestModel};
use crate::perimeter::{Perimeter, SelectorKind, Undocumented};
use crate::table::Api;

/// How often a question is asked again with an account more left out.
const MOST_ROUNDS: usize = 16;
/// How many other accounts of the organization are tried one by one.
const MOST_MEMBERS: usize = 8;

/// Who asks, and against which perimeter.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The account whose principals ask.
    pub facts: &'a AccountFacts,
    /// Which other accounts belong to the organization.
    pub members: AccountsInside<'a>,
    /// The perimeter.
    pub perimeter: &'a Perimeter,
    /// The selectors whose principals are left out.
    pub left_out: &'a [&'a SelectorKind],
    /// The keys with their types.
    pub catalog: &'a KeyCatalog,
    /// When they ask at the earliest, in epoch seconds.
    pub moment: i64,
    /// How points are settled on which AWS is silent.
    pub undocumented: Undocumented,
}

/// The accounts of the organization.
#[derive(Debug, Clone, Copy)]
pub enum AccountsInside<'a> {
    /// Only the one that asks is known.
    OnlyOwn,
    /// Those of this organization.
    Of(&'a Organization),
}

impl<'a> AccountsInside<'a> {
    fn organization(self) -> Option<&'a Organization> {
        match self {
            Self::OnlyOwn => None,
            Self::Of(organization) => Some(organization),
        }
    }

    /// Whether `account` is one of them, beside the one that asks.
    fn contains(self, account: &str) -> bool {
        self.organization().is_some_and(|organization| {
            account.parse().is_ok_and(|id: AccountId| {
                organization.find_account(id).is_some() || id == organization.management_account
            })
        })
    }

    /// Each account with its path in the organization.
    fn all(self) -> impl Iterator<Item = (String, String)> + 'a {
        self.organization().into_iter().flat_map(|o| {
            let listed = o.accounts().map(|(_, account)| account.id);
            let missing = o.find_account(o.management_account).is_none();
            let ids = listed.chain(missing.then_some(o.management_account));
            ids.filter_map(move |id| Some((id.to_string(), path_of(o, id)?)))
        })
    }

    /// The path of an account in the organization.
    fn org_path(self, account: &str) -> Option<String> {
        path_of(self.organization()?, account.parse().ok()?)
    }
}

/// The path of an account of the organization, the management account among them even where the
/// snapshot does not list it.
fn path_of(organization: &Organization, id: AccountId) -> Option<String> {
    match organization.find_account(id) {
        Some(index) => Some(organization.org_path(index)),
        None => (id == organization.management_account).then(|| organization.root_path()),
    }
}

/// Decides whether `stack` stops every request of `path`.
///
/// `applicable` holds the statements of `stack` that are about the path's action; `steps` is
/// what the question may take.
pub fn decide_path(
    prover: &mut Prover,
    stack: &Stack<'_>,
    applicable: &Applicable<'_>,
    path: &Path,
    circumstances: Circumstances<'_>,
    steps: u64,
) -> Verdict {
    let asking = Asking { stack, applicable, path, circumstances, steps };
    if path.special == RequestDetail::Foreign {
        return asking.outside(prover);
    }
    if !path.any_identity || asking.names_own_resources() {
        return asking.decide(prover, Owner::Own);
    }
    if !asking.mentions_organizations() {
        return asking.decide(prover, Owner::Anyone);
    }
    // Most often it does not matter that the keys of the resource's organization hang on its
    // account; otherwise each sort of account is asked about by itself.
    match asking.decide(prover, Owner::Anyone) {
        Verdict::Refuted(witness) if !asking.is_consistent(&witness) => {}
        settled @ (Verdict::Proved(_) | Verdict::Refuted(_)) => return settled,
        Verdict::Undecided(_) => {}
    }
    let each = [Asking::own, Asking::members, Asking::outside];
    every(each.into_iter().map(|ask| ask(&asking, prover)))
}

/// Whether the key may have several values in requests of `path` where a statement takes it for a
/// set, and has one elsewhere.
pub(crate) fn may_be_a_set(path: &Path, circumstances: Circumstances<'_>, folded: &str) -> bool {
    let Circumstances { facts, perimeter, left_out, catalog, moment, undocumented, .. } =
        circumstances;
    let owner = Owner::Anyone;
    let model =
        RequestModel { facts, path, perimeter, left_out, catalog, moment, undocumented, owner };
    let KeyModel::Doubtful { possible, .. } = model.key(folded) else { return false };
    let [one, several] = &*possible;
    one != several
}

struct Asking<'q, 'a> {
    stack: &'q Stack<'a>,
    applicable: &'q Applicable<'a>,
    path: &'q Path,
    circumstances: Circumstances<'q>,
    steps: u64,
}

impl Asking<'_, '_> {
    fn model(&self, owner: Owner) -> RequestModel<'_> {
        let Circumstances { facts, perimeter, left_out, catalog, moment, undocumented, .. } =
            self.circumstances;
        let path = self.path;
        RequestModel { facts, path, perimeter, left_out, catalog, moment, undocumented, owner }
    }

    fn decide(&self, prover: &mut Prover, owner: Owner) -> Verdict {
        let Circumstances { facts, moment, undocumented, .. } = self.circumstances;
        let path = self.path;
        let model = self.model(owner);
        let kinds = RequestModel::kinds(facts);
        let (regions, others) = regions_of(path, &facts.partition, undocumented);
        let question = Question {
            action: path.action,
            principal: model.principal(&kinds),
            kinds: &kinds,
            regions: &regions,
            other_regions: others.as_ref(),
            resources: &model.resources(),
            keys: &model,
            present: &model::always_present(&model),
            moment,
            earliest: moment,
        };
        prover.decide_within(self.stack, self.applicable, &question, self.steps)
    }

    /// Whether the resource that requests of the path name first can only be the account's own.
    fn names_own_resources(&self) -> bool {
        let resources = self.model(Owner::Anyone).resources();
        let owner = resources.first().and_then(ResourceModel::fixed_owner);
        owner == Some(self.circumstances.facts.account.as_str())
    }

    /// Whether the keys of the resource's organization fit the account of the resource.
    fn is_consistent(&self, witness: &Witness) -> bool {
        let Circumstances { facts, members, .. } = self.circumstances;
        let Some(owner) = owner_of(witness) else { return false };
        let inside = if owner == facts.account {
            Some(facts.org_path.clone())
        } else {
            members.org_path(owner)
        };
        let own = format!("{}/", facts.organization);
        let id = witness.single("aws:ResourceOrgID");
        let paths = match witness.context.get("aws:ResourceOrgPaths") {
            Some(ContextValue::Many(paths)) => paths.as_slice(),
            Some(ContextValue::One(path)) => std::slice::from_ref(path),
            None => &[],
        };
        let fits = |path: &String| match &inside {
            Some(inside) => path == inside,
            None => !path.starts_with(&own),
        };
        id.is_none_or(|id| (id == facts.organization) == inside.is_some()) && paths.iter().all(fits)
    }

    fn own(&self, prover: &mut Prover) -> Verdict {
        self.decide(prover, Owner::Own)
    }

    /// A resource of an account outside of the organization.
    fn outside(&self, prover: &mut Prover) -> Verdict {
        let Circumstances { facts, members, .. } = self.circumstances;
        let mut not = vec![facts.account.clone()];
        not.extend(self.named_accounts().into_iter().filter(|account| members.contains(account)));
        for _ in 0..MOST_ROUNDS {
            // What is tried first is an account that the organization does not have.
            let plain =
                account_outside(|account| account == facts.account || members.contains(account));
            let tried = account_outside(|account| not.iter().any(|other| other == account));
            if tried != plain {
                not.push(tried);
                continue;
            }
            match self.decide(prover, Owner::Outside(not.clone())) {
                Verdict::Refuted(witness) => match owner_of(&witness) {
                    Some(owner) if members.contains(owner) => not.push(owner.to_owned()),
                    Some(_) | None => return Verdict::Refuted(witness),
                },
                settled @ (Verdict::Proved(_) | Verdict::Undecided(_)) => return settled,
            }
        }
        unsettled()
    }

    /// A resource of another account of the organization.
    fn members(&self, prover: &mut Prover) -> Verdict {
        let Circumstances { facts, members, .. } = self.circumstances;
        let (mut others, unnamed): (Vec<_>, Vec<_>) = {
            let named = self.named_accounts();
            let others = members.all().filter(|(id, _)| *id != facts.account);
            others.partition(|(id, _)| named.contains(id))
        };
        others.extend(unnamed);
        if others.is_empty() {
            return Verdict::Proved(BTreeSet::new());
        }
        // More accounts than the organization has: a proof holds of those it has.
        let mut not = vec![facts.account.clone()];
        not.extend(self.named_accounts().into_iter().filter(|account| !members.contains(account)));
        let open = match self.decide(prover, Owner::Members(not)) {
            Verdict::Refuted(witness) => {
                let member = owner_of(&witness).is_some_and(|owner| members.contains(owner));
                if member && self.is_consistent(&witness) {
                    return Verdict::Refuted(witness);
                }
                unsettled()
            }
            proved @ Verdict::Proved(_) => return proved,
            open @ Verdict::Undecided(_) => open,
        };
        let all = others.len() <= MOST_MEMBERS;
        let ask = |(account, org_path)| self.decide(prover, Owner::Member { account, org_path });
        match every(others.into_iter().take(MOST_MEMBERS).map(ask)) {
            Verdict::Proved(_) if !all => open,
            settled @ (Verdict::Proved(_) | Verdict::Refuted(_) | Verdict::Undecided(_)) => settled,
        }
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let statements = self.applicable.statements();
        statements.flat_map(|placed| placed.statement.templates()).map(|(template, _)| template)
    }

    fn mentions_organizations(&self) -> bool {
        let is_one = |key: &str| {
            ["aws:resourceorgid", "aws:resourceorgpaths"]
                .iter()
                .any(|own| own.eq_ignore_ascii_case(key))
        };
        let conditions = self.applicable.statements().flat_map(|p| &p.statement.conditions);
        conditions.into_iter().any(|condition| is_one(&condition.key))
            || self.templates().flat_map(|template| &template.pieces).any(|piece| match piece {
                policy::model::Piece::Variable { key, .. } => is_one(key),
                policy::model::Piece::Char(_)
                | policy::model::Piece::Star
                | policy::model::Piece::Question => false,
            })
    }

    /// The accounts that the statements name in full.
    fn named_accounts(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for template in self.templates() {
            let text: String = template
                .pieces
                .iter()
                .map(|piece| match piece {
                    policy::model::Piece::Char(c) => *c,
                    policy::model::Piece::Star
                    | policy::model::Piece::Question
                    | policy::model::Piece::Variable { .. } => '*',
                })
                .collect();
            let runs = text.split(|c: char| !c.is_ascii_digit());
            found.extend(runs.filter(|run| is_account(run)).map(str::to_owned));
        }
        found
    }
}

/// The answer to several questions together; none is asked behind one that finds a request.
fn every(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let mut deciders = BTreeSet::new();
    let mut obstacles = BTreeSet::new();
    for verdict in verdicts {
        match verdict {
            found @ Verdict::Refuted(_) => return found,
            Verdict::Proved(found) => deciders.extend(found),
            Verdict::Undecided(found) => obstacles.extend(found),
        }
    }
    if obstacles.is_empty() {
        Verdict::Proved(deciders)
    } else {
        Verdict::Undecided(obstacles.into_iter().collect())
    }
}

/// No request was found that is certain, and more accounts are left than were tried.
fn unsettled() -> Verdict {
    Verdict::Undecided(vec![Obstacle::Incomplete("aws:ResourceAccount".to_owned())])
}

/// The account of the resource that a request names.
fn owner_of(witness: &Witness) -> Option<&str> {
    Arn::of(&witness.resource).map(|arn| arn.account).filter(|owner| is_account(owner))
}

/// The Regions in which requests of a path are made, and the form of others that are possible.
fn regions_of(
    path: &Path,
    partition: &str,
    undocumented: Undocumented,
) -> (Vec<&'static str>, Option<TextDomain>) {
    let listed = |list: Option<&'static [&'static str]>| list.unwrap_or_default().to_vec();
    let others = || regions::form(partition).map(form);
    match path.api {
        Api::Smtp => (listed(regions::smtp(partition)), None),
        Api::Iam => (regions::iam(partition).into_iter().collect(), None),
        // Every Region has an endpoint of STS.
        Api::Sts => (listed(regions::all(partition)), others()),
        Api::V1 | Api::V2 | Api::MailManager | Api::PinpointEmail => {
            let worst = undocumented == Undocumented::WorstCase;
            (listed(regions::ses(partition)), if worst { others() } else { None })
        }
    }
}

/// All names of Regions of that form: words of letters and a digit.
fn form(form: RegionForm) -> TextDomain {
    let start = || {
        if form.start.is_empty() {
            Sequence::default().exactly(2, Class::Lower).then("-")
        } else {
            Sequence::literal(form.start)
        }
    };
    let words = |count: usize| {
        let name = (0..count).fold(start(), |name, _| name.some(Class::Lower).then("-"));
        name.exactly(1, Class::Digit)
    };
    let never = form.never.iter().map(|start| Sequence::literal(start).any(Class::Any)).collect();
    TextDomain {
        include: vec![vec![words(1), words(2)]],
        exclude: if form.never.is_empty() { Vec::new() } else { vec![never] },
        plain: Vec::new(),
    }
}
