//! Asking about one path of a control.

use policy::evaluate::Stack;
use policy::keys::KeyCatalog;
use prover::applicable::Applicable;
use prover::question::Question;
use prover::{Prover, Verdict};

use crate::control::Path;
use crate::facts::AccountFacts;
use crate::model::{self, RequestModel};
use crate::perimeter::{Perimeter, SelectorKind};

/// Who asks, and against which perimeter.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The account whose principals ask.
    pub facts: &'a AccountFacts,
    /// The perimeter.
    pub perimeter: &'a Perimeter,
    /// The selectors whose principals are left out.
    pub left_out: &'a [&'a SelectorKind],
    /// The keys with their types.
    pub catalog: &'a KeyCatalog,
    /// The Regions in which they ask, plainest first.
    pub regions: &'a [&'a str],
    /// A plain moment in epoch seconds.
    pub moment: i64,
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
    let Circumstances { facts, perimeter, left_out, catalog, regions, moment } = circumstances;
    let model = RequestModel { facts, path, perimeter, left_out, catalog, moment };
    let kinds = RequestModel::kinds(facts);
    let question = Question {
        action: path.action,
        principal: model.principal(&kinds),
        kinds: &kinds,
        regions,
        resources: &model.resources(),
        keys: &model,
        present: &model::always_present(&model),
        moment,
    };
    prover.decide_within(stack, applicable, &question, steps)
}
