//! Why a plan is refused.

use policy::refusal::Kind;
pub(super) use policy::refusal::Problems;
pub use policy::refusal::{Problem as PlanProblem, Refusal as PlanError};

pub(super) const PLAN: Kind = Kind { code: "changes::plan", noun: "the plan" };
