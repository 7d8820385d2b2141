//! The example account in which a document is tried out.

use std::collections::{BTreeMap, BTreeSet};

use policy::condition::Truth;
use policy::evaluate::{Stack, action_matches};
use policy::keys::KeyCatalog;
use policy::model::{
    ActionPattern, Actions, Effect, Policy, ResourcePattern, Resources, Statement, Template,
    Version,
};
use prover::applicable::Applicable;
use prover::question::{KeyModel, KeyModels};
use prover::{Prover, Verdict};
use text::span::Span;

use crate::ask::{AccountsInside, Circumstances, decide_path};
use crate::check::Now;
use crate::control::{self, ControlId, Path};
use crate::facts::AccountFacts;
use crate::model::{self, Owner, RequestModel};
use crate::perimeter::{ExposureSettings, Perimeter, SelectorKind, Undocumented};

use super::repair;
use super::slips::{Probe, SlipsThrough};

/// Steps for each question; a lint is to be quick.
const BUDGET: u64 = 2_000_000;
/// Questions about one document; beyond that findings stay without a request.
const MOST_QUESTIONS: usize = 4_000;
/// The controls whose paths are tried, most telling first.
const TRIED: [ControlId; 14] = [
    ControlId::Smtp,
    ControlId::V2Send,
    ControlId::V1Send,
    ControlId::V1Raw,
    ControlId::V1Templated,
    ControlId::V1Bulk,
    ControlId::PinpointEmail,
    ControlId::V2Bulk,
    ControlId::V1CustomVerification,
    ControlId::V2CustomVerification,
    ControlId::VerificationMail,
    ControlId::Bounce,
    ControlId::MailManager,
    ControlId::SendingAuthorization,
];

/// What the documents themselves mean to let through.
pub(super) struct Meant {
    /// Patterns of recipients, of the document.
    pub(super) trusted: Vec<String>,
    /// Principals, of all documents that are meant to be attached together.
    pub(super) exempt: Vec<SelectorKind>,
}

/// A document, tried out as the only one of a plain account, beside one that allows everything.
pub(super) struct World<'a> {
    /// The document.
    pub(super) document: &'a Policy,
    /// The documents that it is linted with, itself included.
    pub(super) together: Vec<&'a Policy>,
    /// The perimeter, made of the document where none was given.
    pub(super) perimeter: Perimeter,
    /// Whether it was given.
    pub(super) perimeter_given: bool,
    /// The keys with their types.
    pub(super) catalog: KeyCatalog,
    /// The paths that are tried.
    pub(super) paths: Vec<Path>,
    exempt: Vec<SelectorKind>,
    everything: Policy,
    facts: AccountFacts,
    prover: Prover,
    moment: i64,
    questions: usize,
}

impl<'a> World<'a> {
    pub(super) fn new(
        document: &'a Policy,
        together: &[&'a Policy],
        given: Option<&Perimeter>,
        meant: Meant,
        now: Now,
    ) -> Self {
        let catalog = model::catalog();
        let perimeter = given.cloned().unwrap_or_else(|| Perimeter {
            trusted_recipients: meant.trusted,
            networks: None,
            exemptions: Vec::new(),
            administrators: Vec::new(),
            allowed_targets: Vec::new(),
            undocumented: Undocumented::Documented,
            disabled: BTreeSet::new(),
            severity: BTreeMap::new(),
            exposure: ExposureSettings::default(),
            warnings: Vec::new(),
        });
        let mut exempt: Vec<SelectorKind> = perimeter
            .exemptions
            .iter()
            .chain(&perimeter.administrators)
            .filter(|selector| selector.in_force(now.today))
            .map(|selector| selector.matches.clone())
            .collect();
        exempt.extend(meant.exempt);
        let mut world = Self {
            document,
            together: together.to_vec(),
            perimeter,
            perimeter_given: given.is_some(),
            prover: Prover::new(catalog.clone(), BUDGET),
            catalog,
            paths: Vec::new(),
            exempt,
            everything: everything(),
            facts: AccountFacts {
                partition: "aws".to_owned(),
                organization: "o-exampleorgid".to_owned(),
                account: "222222222222".to_owned(),
                org_path: "o-exampleorgid/r-exam/ou-exam-workload/".to_owned(),
            },
            moment: now.epoch_seconds,
            questions: 0,
        };
        world.paths = world.paths_under(Undocumented::Documented);
        world
    }

    /// The paths that are tried when undocumented facts are settled in this way.
    pub(super) fn paths_under(&self, undocumented: Undocumented) -> Vec<Path> {
        TRIED
            .into_iter()
            .filter_map(|control| control::paths(control, &self.perimeter, &[], undocumented).ok())
            .flatten()
            .collect()
    }

    /// The paths that set a tag.
    pub(super) fn tagging_paths(&self, key: &str, value: &str) -> Vec<Path> {
        let selector = SelectorKind::PrincipalTag { key: key.to_owned(), value: value.to_owned() };
        let (control, undocumented) = (ControlId::ExemptionTags, Undocumented::Documented);
        control::paths(control, &self.perimeter, &[&selector], undocumented).unwrap_or_default()
    }

    /// Looks for a request that the document lets through although `repaired` matches it, on any
    /// of the paths that `wanted` picks.
    ///
    /// `original` is the statement as it stands; its condition keys are named with the request.
    pub(super) fn first_slip(
        &mut self,
        original: &Statement,
        repaired: &Statement,
        wanted: impl Fn(&Path) -> bool,
    ) -> Probe {
        let tagging = original.conditions.iter().any(|condition| {
            let key = condition.key_folded();
            key == "aws:tagkeys" || key.starts_with("aws:requesttag/")
        });
        let mut paths = self.paths.clone();
        if tagging {
            paths.extend(self.tagging_paths("example", "x"));
        }
        let mut result = Probe::NotAsked;
        for path in paths.iter().filter(|path| wanted(path)) {
            match self.slip(original, repaired, path) {
                slips @ Probe::Slips(_) => return slips,
                Probe::Unknown => result = Probe::Unknown,
                Probe::Stopped if result == Probe::NotAsked => result = Probe::Stopped,
                Probe::Stopped | Probe::NotAsked => {}
            }
        }
        result
    }

    /// The same for one path.
    pub(super) fn slip(
        &mut self,
        original: &Statement,
        repaired: &Statement,
        path: &Path,
    ) -> Probe {
        if action_matches(repaired, path.action) == Truth::No {
            return Probe::NotAsked;
        }
        let wanted = repair::allowing(repaired);
        let everything = self.everything.clone();
        let document = self.document;
        // The second level lets through just what the repaired statement matches.
        let levels = vec![vec![&everything, document], vec![&wanted]];
        self.ask(&Stack { levels }, original, path, true)
    }

    /// Whether the documents together let a request of `path` through.
    pub(super) fn slips_together(&mut self, path: &Path) -> Probe {
        let everything = self.everything.clone();
        let mut level = vec![&everything];
        level.extend(&self.together);
        let nothing = everything_statement();
        self.ask(&Stack { levels: vec![level] }, &nothing, path, true)
    }

    /// Whether no request of `path` carries the key, for all that is known.
    pub(super) fn lacks(&self, path: &Path, folded: &str) -> bool {
        let model = RequestModel {
            facts: &self.facts,
            path,
            perimeter: &self.perimeter,
            left_out: &[],
            catalog: &self.catalog,
            moment: self.moment,
            undocumented: Undocumented::WorstCase,
            owner: Owner::Anyone,
        };
        matches!(model.key(folded), KeyModel::Absent)
    }

    /// Whether `statement` matches no request of `path` at all.
    pub(super) fn never_on(&mut self, statement: &Statement, path: &Path) -> Option<bool> {
        let only = repair::allowing(statement);
        match self.ask(&Stack { levels: vec![vec![&only]] }, statement, path, false) {
            Probe::Stopped => Some(true),
            Probe::Slips(_) => Some(false),
            Probe::Unknown | Probe::NotAsked => None,
        }
    }

    fn ask(
        &mut self,
        stack: &Stack<'_>,
        original: &Statement,
        path: &Path,
        without_exempt: bool,
    ) -> Probe {
        self.questions += 1;
        if self.questions > MOST_QUESTIONS {
            return Probe::Unknown;
        }
        let left_out: Vec<&SelectorKind> =
            if without_exempt { self.exempt.iter().collect() } else { Vec::new() };
        let applicable = Applicable::of(stack, path.action);
        let circumstances = Circumstances {
            facts: &self.facts,
            perimeter: &self.perimeter,
            left_out: &left_out,
            catalog: &self.catalog,
            members: AccountsInside::OnlyOwn,
            moment: self.moment,
            undocumented: self.perimeter.undocumented,
        };
        match decide_path(&mut self.prover, stack, &applicable, path, circumstances, BUDGET) {
            Verdict::Refuted(witness) => Probe::Slips(Box::new(SlipsThrough {
                path: path.clone(),
                witness: *witness,
                mentioned: original.conditions.iter().map(|c| c.key_folded()).collect(),
            })),
            Verdict::Proved(_) => Probe::Stopped,
            Verdict::Undecided(_) => Probe::Unknown,
        }
    }
}

fn everything_statement() -> Statement {
    let star = "*".to_owned();
    Statement {
        index: 0,
        sid: None,
        effect: Effect::Allow,
        principals: None,
        actions: Actions::Listed(vec![ActionPattern { text: star.clone(), span: Span::default() }]),
        resources: Resources::Listed(vec![ResourcePattern {
            template: Template::plain(&star),
            text: star,
            span: Span::default(),
        }]),
        conditions: Vec::new(),
        obstacles: Vec::new(),
        span: Span::default(),
    }
}

/// What AWS attaches everywhere until somebody detaches it.
fn everything() -> Policy {
    Policy { version: Version::V2012, statements: vec![everything_statement()] }
}
