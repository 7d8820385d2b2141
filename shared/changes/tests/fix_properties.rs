//! Whatever the organization, a fix closes what it says, touches nobody else and fits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use changes::fix::{FixError, Problem, Proposal, Selection, propose};
use changes::quota::Quotas;
use changes::render;
use common::{PERIMETERS, account_id, snapshot, unit_id};
use organization::{AccountIdx, Document, Organization, TargetIdx};
use policy::parse::Limits;
use proptest::prelude::*;
use serde_json::Value;
use ses_perimeter::check::{Checker, Now, Options, check};
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::{self, Perimeter};
use ses_perimeter::report::{Mail, Report, Status};

fn now() -> Now {
    let at: jiff::Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    Now::from_epoch_seconds(at.as_second()).unwrap()
}

fn decide(organization: &Organization, perimeter: &Perimeter) -> Report {
    check(organization, perimeter, now(), &Options::default(), &mut |_, _| {})
}

type Cells = BTreeMap<(String, ControlId), Status>;

fn cells(organization: &Organization, report: &Report) -> Cells {
    let mut cells = Cells::new();
    for row in &report.rows {
        let id = organization.account(row.account).unwrap().id.to_string();
        cells.extend(row.cells.iter().map(|cell| ((id.clone(), cell.control), cell.status())));
    }
    cells
}

/// The snapshot with the parts that scripts get put into it, without any code of the crate.
fn applied(snapshot: &Value, proposal: &Proposal) -> Organization {
    let (policies, attachments) = render::parts(&proposal.policies);
    let mut snapshot = snapshot.clone();
    for policy in serde_json::to_value(policies).unwrap().as_array().unwrap() {
        let all = snapshot["policies"].as_array_mut().unwrap();
        all.retain(|other| other["id"] != policy["id"]);
        all.push(policy.clone());
    }
    let attachments = serde_json::to_value(attachments).unwrap();
    let all = snapshot["attachments"].as_array_mut().unwrap();
    all.extend(attachments.as_array().unwrap().iter().cloned());
    organization::read(&snapshot.to_string(), &Limits::default()).unwrap()
}

/// Which mail to trusted recipients is permitted, by account and send path.
fn mail(organization: &Organization, perimeter: &Perimeter) -> BTreeSet<(String, &'static str)> {
    let mut checker = Checker::new(organization, perimeter, now(), &Options::default());
    let mut permitted = BTreeSet::new();
    for (index, account) in organization.accounts() {
        for (path, mail) in checker.mail(index).iter().flat_map(|all| all.iter()) {
            if matches!(mail, Mail::Permitted(_)) {
                permitted.insert((account.id.to_string(), *path));
            }
        }
    }
    permitted
}

fn badness(status: Status) -> u8 {
    match status {
        Status::Failed => 2,
        Status::Undecided => 1,
        Status::Passed | Status::NotApplicable => 0,
    }
}

/// Whether `chosen` may be touched at everything below a target.
fn open(organization: &Organization, target: TargetIdx, chosen: &BTreeSet<AccountIdx>) -> bool {
    organization.targets_under(target).iter().all(|account| {
        chosen.contains(account)
            || organization.account(*account).unwrap().id == organization.management_account
    })
}

#[derive(Debug, Clone)]
struct Case {
    snapshot: Value,
    perimeter: usize,
    /// A unit or an account; everything where it is not there.
    target: Option<String>,
    controls: BTreeSet<ControlId>,
    quotas: Quotas,
}

fn case() -> impl Strategy<Value = Case> {
    let target = prop_oneof![
        2 => Just(None),
        1 => (0usize..6).prop_map(|at| Some(account_id(at))),
        1 => (0usize..5).prop_map(|at| Some(unit_id(at))),
    ];
    let decided: Vec<ControlId> =
        ControlId::all().filter(|control| !control.is_about_exposure()).collect();
    let controls = prop_oneof![
        1 => Just(BTreeSet::new()),
        1 => prop::collection::btree_set(prop::sample::select(decided), 1..6),
    ];
    let quotas = prop_oneof![
        2 => Just(Quotas::default()),
        1 => (1usize..4, prop_oneof![Just(400usize), Just(900), Just(2_000)]).prop_map(
            |(policies_per_target, characters)| Quotas { characters, policies_per_target }
        ),
    ];
    (snapshot(), 0..PERIMETERS.len(), target, controls, quotas).prop_map(
        |(snapshot, perimeter, target, controls, quotas)| Case {
            snapshot,
            perimeter,
            target,
            controls,
            quotas,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_fix_closes_what_it_says_touches_nobody_else_and_fits(case in case()) {
        let text = case.snapshot.to_string();
        let organization = organization::read(&text, &Limits::default()).unwrap();
        let perimeter = perimeter::parse(PERIMETERS[case.perimeter]).unwrap();
        let target = case.target.as_ref().and_then(|id| organization.target(id));
        let selection = Selection {
            accounts: target.map(|at| organization.targets_under(at)).unwrap_or_default().into_iter().collect(),
            controls: case.controls.clone(),
        };
        let problem = Problem {
            organization: &organization,
            perimeter: &perimeter,
            now: now(),
            budget: prover::DEFAULT_BUDGET,
            quotas: case.quotas,
        };
        let proposal = match propose(problem, &selection, &mut |_, _| {}) {
            Ok(proposal) => proposal,
            Err(FixError::Edit(error)) => return Err(TestCaseError::fail(error.to_string())),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let changed = applied(&case.snapshot, &proposal);
        let before = cells(&organization, &decide(&organization, &perimeter));
        let after = cells(&changed, &decide(&changed, &perimeter));

        // What it says is closed passes; nothing is worse; what it does not name is not closed.
        let id = |account: AccountIdx| organization.account(account).unwrap().id.to_string();
        for (account, control) in &proposal.closed {
            prop_assert_eq!(after[&(id(*account), *control)], Status::Passed);
        }
        for (key, old) in &before {
            prop_assert!(badness(after[key]) <= badness(*old), "{:?} from {:?} to {:?}", key, old, after[key]);
        }

        // Accounts that were not chosen are as they were, mail and all.
        let allowed: Vec<TargetIdx> =
            perimeter.allowed_targets.iter().filter_map(|a| organization.target(&a.id)).collect();
        let chosen: BTreeSet<AccountIdx> = organization
            .accounts()
            .map(|(index, _)| index)
            .filter(|index| selection.accounts.is_empty() || selection.accounts.contains(index))
            .filter(|index| !organization.path(*index).iter().any(|t| allowed.contains(&t.index)))
            .collect();
        let (had, has) = (mail(&organization, &perimeter), mail(&changed, &perimeter));
        for (index, account) in organization.accounts() {
            if chosen.contains(&index) || account.id == organization.management_account {
                continue;
            }
            let new = changed.find_account(account.id).unwrap();
            let documents = |organization: &Organization, account| -> Vec<Vec<Option<String>>> {
                let levels = organization.levels(account).into_iter();
                levels.map(|level| level.scps.iter().map(|scp| {
                    organization.document(scp.document).and_then(|d| d.text()).map(str::to_owned)
                }).collect()).collect()
            };
            prop_assert_eq!(documents(&organization, index), documents(&changed, new));
        }

        // Mail to trusted recipients stays, or its loss is told. Only bulk calls, which show no
        // recipients, are lost, unless the network counts too.
        let lost: BTreeSet<(String, &str)> = had.difference(&has).cloned().collect();
        let told: BTreeSet<(String, &str)> = proposal
            .losses
            .iter()
            .flat_map(|loss| loss.paths.iter().map(|(path, _)| (loss.account.to_string(), *path)))
            .collect();
        prop_assert_eq!(&lost, &told);
        if perimeter.networks.is_none() {
            prop_assert!(lost.iter().all(|(_, path)| *path == "v2-bulk"), "{:?}", lost);
        }

        // It fits.
        for target in changed.targets() {
            let old = organization.target(&target.id.to_string()).unwrap();
            let (old, new) = (organization.scps_on(old).len(), changed.scps_on(target.index).len());
            prop_assert!(new == old || new <= case.quotas.policies_per_target);
        }
        for policy in &proposal.policies {
            prop_assert!(policy.after.chars().count() <= case.quotas.characters);
            policy::parse::parse(&policy.after, &Limits::default()).unwrap();
        }

        // Where nothing at all was found for an account, no place takes even one control of it.
        for left in &proposal.left {
            let (account, control) = (left.account, left.control);
            prop_assert!(!left.why.is_empty());
            let done = proposal.closed.iter().any(|(other, _)| *other == account);
            if done || !left.why.contains("policies and none of them has room") {
                continue;
            }
            let alone = Selection { accounts: [account].into(), controls: [control].into() };
            let roomy = Problem { quotas: Quotas::default(), ..problem };
            let wanted = propose(roomy, &alone, &mut |_, _| {}).unwrap();
            let statements: Vec<Value> = wanted.policies.iter().flat_map(|policy| {
                let document: Value = serde_json::from_str(&policy.after).unwrap();
                let all = document["Statement"].as_array().unwrap().clone();
                all.into_iter().filter(|s| s["Sid"].as_str().is_some_and(|sid| sid.starts_with("SesPerimeter")))
            }).collect();
            // Short documents: one control may take several.
            let quotas = Quotas { characters: case.quotas.characters, ..Quotas::default() };
            let packed = propose(Problem { quotas, ..problem }, &alone, &mut |_, _| {}).unwrap();
            let needed = packed.policies.iter().filter(|it| it.before.is_none()).count().max(1);
            let extra: usize = statements.iter().map(|s| s.to_string().chars().count() + 1).sum();
            for target in organization.path(account) {
                if !open(&organization, target.index, &chosen) {
                    continue;
                }
                let scps = organization.scps_on(target.index);
                let then = scps.len() + needed;
                prop_assert!(then > case.quotas.policies_per_target, "{} has room", target.id);
                for scp in scps {
                    let stored = organization.policy(scp.policy).unwrap();
                    let everywhere = organization.targets().filter(|t| {
                        organization.scps_on(t.index).iter().any(|other| other.policy == scp.policy)
                    });
                    let mut everywhere = everywhere;
                    if stored.aws_managed || !everywhere.all(|t| open(&organization, t.index, &chosen)) {
                        continue;
                    }
                    let Some(Document::Readable { text, policy, .. }) = organization.document(scp.document) else { continue };
                    if policy.version != policy::model::Version::V2012 {
                        continue;
                    }
                    let short = changes::fix::document::compact(text).chars().count();
                    prop_assert!(short + extra > case.quotas.characters, "{} has room", stored.id);
                }
            }
        }
    }
}
