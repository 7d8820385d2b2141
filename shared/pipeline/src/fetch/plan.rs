//! What a run is to do: its own input and the requests that it answers.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{FetchError, named, new_run_id};
use crate::collect::contents::moment;
use crate::wire::{Change, FetchInput, Request, Scope};

/// What a run is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunPlan {
    pub(super) run_id: String,
    pub(super) dry_run: bool,
    /// Whether requests are claimed; a dry run claims none.
    pub(super) answers_requests: bool,
    pub(super) scope: Scope,
    pub(super) full: bool,
    pub(super) changes: BTreeSet<Change>,
    #[serde(with = "moment")]
    pub(super) started: Timestamp,
    pub(super) notes: Vec<String>,
}

impl RunPlan {
    /// What the input alone asks for: everything, as somebody asked without naming a change.
    pub(super) fn of(input: FetchInput, now: Timestamp) -> Result<Self, FetchError> {
        let run_id = match input.run_id.as_str() {
            "" => new_run_id(now),
            given => named(given)?,
        };
        Ok(Self {
            run_id,
            dry_run: input.dry_run,
            answers_requests: input.answers_requests && !input.dry_run,
            scope: Scope { accounts: input.accounts, controls: input.controls },
            full: input.full,
            changes: BTreeSet::from([Change::Everything]),
            started: now,
            notes: Vec::new(),
        })
    }

    /// Adds what the claimed requests ask for.
    pub(super) fn answer(&mut self, requests: &[Request]) {
        if requests.is_empty() {
            return;
        }
        self.changes.clear();
        for request in requests {
            self.full |= request.full;
            self.changes.extend(request.changes.iter().cloned());
            if request.changes.is_empty() {
                self.changes.insert(Change::Everything);
            }
        }
        let scopes = requests.iter().map(|request| request.scope.clone());
        let asked = scopes.reduce(|all, scope| all.joined(&scope)).unwrap_or_default();
        self.scope = if self.scope.is_everything() { asked } else { self.scope.joined(&asked) };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::wire::CheckOrigin;

    fn plan(input: FetchInput) -> RunPlan {
        RunPlan::of(input, Timestamp::UNIX_EPOCH).unwrap()
    }

    fn request(changes: Vec<Change>, accounts: &[&str]) -> Request {
        Request {
            schema_version: 1,
            source: CheckOrigin::Organizations,
            received_at: String::new(),
            scope: Scope {
                accounts: accounts.iter().map(|&id| id.to_owned()).collect(),
                controls: Vec::new(),
            },
            full: false,
            changes,
        }
    }

    #[test]
    fn changes_are_united_and_scopes_joined() {
        let mut plan = plan(FetchInput::default());
        let policy = Change::Policy("p-aaaaaaaa".to_owned());
        let target = Change::Target("r-exam".to_owned());
        plan.answer(&[
            request(vec![policy.clone()], &["111111111111"]),
            request(vec![target.clone(), policy.clone()], &["222222222222"]),
        ]);
        assert_eq!(plan.changes, BTreeSet::from([policy, target]));
        assert_eq!(plan.scope.accounts, ["111111111111", "222222222222"]);
    }

    #[test]
    fn a_request_without_changes_asks_for_everything() {
        let mut plan = plan(FetchInput::default());
        plan.answer(&[request(vec![Change::Unit("ou-exam-aaaaaaaa".to_owned())], &[])]);
        assert!(!plan.changes.contains(&Change::Everything));
        plan.answer(&[request(Vec::new(), &[])]);
        assert!(plan.changes.contains(&Change::Everything));
    }

    #[test]
    fn one_request_for_all_accounts_widens_the_scope_to_all() {
        let given = FetchInput { accounts: vec!["111111111111".to_owned()], ..Default::default() };
        let mut plan = plan(given);
        plan.answer(&[request(Vec::new(), &["222222222222"]), request(Vec::new(), &[])]);
        assert!(plan.scope.is_everything());
    }

    #[test]
    fn a_run_without_a_name_is_named_for_the_time() {
        assert_eq!(plan(FetchInput::default()).run_id, "19700101T000000000Z");
        let given = FetchInput { run_id: "../state".to_owned(), ..Default::default() };
        assert!(RunPlan::of(given, Timestamp::UNIX_EPOCH).is_err());
    }

    #[test]
    fn a_dry_run_answers_no_requests() {
        let given = FetchInput { dry_run: true, answers_requests: true, ..FetchInput::default() };
        assert!(!plan(given).answers_requests);
    }
}
