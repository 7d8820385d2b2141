//! Why a plan is refused.

use text::diagnostic::Subject;

pub(super) const PLAN: Subject =
    Subject { code: Some("changes::plan"), noun: "the plan", again: "make the plan again" };
