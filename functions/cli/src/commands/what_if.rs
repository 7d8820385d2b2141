//! `ses-perimeter what-if`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use changes::compare::{Side, changes, judge_new, lost_mail};
use changes::perimeters::differences;
use changes::plan::{Choice, Parameters, Plan, Unknown};
use changes::quota::{self, Quotas};
use changes::worlds::{Ways, lost_in_all, merged, worlds};
use findings::names::named;
use miette::{Report, miette};
use organization::{
    AccountId, Edit, EditError, Organization, OwnedTargetId, PolicyId, PolicyIdx, TargetId,
    unused_id,
};
use policy::parse::Limits;
use ses_perimeter::check::{Checker, Now, Options, check};
use ses_perimeter::lint::{LintFinding, Severity, lint_together};
use ses_perimeter::perimeter::Perimeter;
use text::clipped::Clipped;

use crate::args::WhatIfArgs;
use crate::change::refused_edit;
use crate::comparison::{Comparison, Renewed, Worlds, stand_ins};
use crate::deciding::progress;
use crate::emit::emit;
use crate::input::{self, CheckInput};

/// Runs the command and returns the exit code.
///
/// # Errors
/// When the input is unusable, or Organizations would refuse the change.
pub fn run(args: &WhatIfArgs, quiet: bool) -> miette::Result<u8> {
    let input = input::read(&args.input, quiet)?;
    if !quiet {
        input.warnings.iter().for_each(crate::output::say);
    }
    let proposed_perimeter = proposed_perimeter(args, quiet)?;
    let limits = Limits { quota_characters: args.input.quota_characters, ..Limits::default() };
    let Proposed { edits: proposed, mut notes, mistakes, mut unknown, mut choices } =
        proposed(args, &input, &limits, quiet)?;
    if proposed.is_empty() && args.plan.is_none() && proposed_perimeter.is_none() {
        return Err(miette!(
            help = "say what would change: --policy, --new-policy, --attach, --detach, --move, \
                    --plan or --new-perimeter",
            "no change is given"
        ));
    }
    let places: Vec<Edit> = proposed.iter().filter(|edit| makes_target(edit)).cloned().collect();
    let fresh = new_accounts(&proposed);
    let about_new = |unknown: &Unknown| {
        let Some(OwnedTargetId::Account(account)) = &unknown.target else { return false };
        fresh.contains(account)
    };
    if args.plan.is_some()
        && proposed.len() == places.len()
        && choices.is_empty()
        && unknown.iter().all(about_new)
    {
        notes.insert(0, "the plan changes nothing about service control policies".to_owned());
    }
    let settled = edited(&input.organization, &proposed)?;
    let mut ways = worlds(&choices, &settled);
    if ways == Ways::TooMany {
        unknown.extend(std::mem::take(&mut choices).into_iter().map(Unknown::from));
        ways = Ways::All(vec![Vec::new()]);
    }
    let mut organizations = Vec::new();
    for way in ways.attachments() {
        organizations.push(edited(&settled, way)?);
    }
    if choices.len() + unknown.len() > 0 {
        let open = unknown.iter().map(|unknown| &unknown.why);
        notes.extend(open.chain(choices.iter().map(|choice| &choice.why)).cloned());
        match &ways {
            Ways::All(all) if all.len() > 1 => {
                notes.push(format!("{} ways in which this may come out were decided", all.len()));
            }
            Ways::All(_) | Ways::TooMany => {}
            Ways::Bounds(_) => notes.push(
                "these are more ways than are looked at; as what may be attached only denies, it \
                 was decided with all of it and without it, and what is the same in both is so in \
                 every way"
                    .to_owned(),
            ),
        }
    }
    let quotas = Quotas {
        characters: args.input.quota_characters,
        policies_per_target: args.quota.quota_policies,
    };
    // Where some way fits, AWS may take the change.
    let refusals =
        organizations.iter().map(|after| quota::refusals(&input.organization, after, quotas));
    let fewest = refusals.min_by_key(Vec::len).unwrap_or_default();
    if let Some((last, rest)) = fewest.split_last() {
        rest.iter().map(refused_edit).for_each(|report| crate::output::say(&report));
        return Err(refused_edit(last));
    }
    let options = Options { budget: args.input.budget, ..Options::default() };
    for after in &organizations {
        let checker = || Checker::new(after, &input.perimeter, input.now, &options);
        for open in hanging_on_new_ids(after, &proposed, checker) {
            if !unknown.contains(&open) {
                notes.push(open.why.clone());
                unknown.push(open);
            }
        }
    }
    let decide = |organization: &Organization, perimeter: &Perimeter| {
        progress(quiet, |tell| check(organization, perimeter, input.now, &options, tell))
    };
    let before = decide(&input.organization, &input.perimeter);
    let reports = organizations.iter().map(|after| decide(after, &input.perimeter)).collect();
    let losses = organizations.iter().map(|after| {
        lost_mail(&input.organization, after, &input.perimeter, input.now, args.input.budget)
    });
    let losses = lost_in_all(losses.collect());
    let organization = organizations.first().unwrap_or(&settled);
    let after = merged(organization, reports, &choices, &unknown, &ways);
    let sides = (
        Side { organization: &input.organization, report: &before },
        Side { organization, report: &after },
    );
    let renewed = proposed_perimeter.map(|perimeter| {
        let reports = organizations.iter().map(|after| decide(after, &perimeter)).collect();
        (merged(organization, reports, &choices, &unknown, &ways), perimeter)
    });
    let renewed = renewed.as_ref().map(|(report, perimeter)| Renewed {
        says: differences(&input.perimeter, perimeter),
        changes: changes(sides.1, Side { organization, report }),
        perimeter,
        report,
    });
    let mut differing = changes(sides.0, sides.1);
    if !fresh.is_empty() {
        let bare = edited(&input.organization, &places)?;
        let open: Vec<Unknown> = unknown.iter().filter(|it| about_new(it)).cloned().collect();
        let report = decide(&bare, &input.perimeter);
        let report = merged(&bare, vec![report], &[], &open, &Ways::All(vec![Vec::new()]));
        judge_new(&mut differing, Side { organization: &bare, report: &report });
    }
    let stand_ins = stand_ins(organization, &fresh);
    let told = |edit| stand_ins.hide(&told(organization, &input.organization, edit));
    let edits = proposed.iter().map(told).collect();
    let comparison = Comparison {
        worlds: Worlds {
            before: sides.0,
            after: sides.1,
            evaluated_at: &input.evaluated_at,
            perimeter: &input.perimeter,
            snapshot: args.input.snapshot.as_deref(),
            now: input.now,
            files: files(args, organization),
        },
        second: None,
        renewed,
        notes,
        mistakes,
        new_accounts: fresh,
        fail_on: args.fail_on,
        edits,
        changes: differing,
        reasons: Default::default(),
        losses,
    };
    emit(&comparison, args.format, args.out.as_deref())?;
    Ok(comparison.exit_code())
}

/// Whether an edit makes a unit or an account, which changes no policy over anything that is there.
const fn makes_target(edit: &Edit) -> bool {
    matches!(edit, Edit::CreateUnit { .. } | Edit::CreateAccount { .. })
}

/// The accounts that are new.
fn new_accounts(edits: &[Edit]) -> BTreeSet<AccountId> {
    let made = edits.iter().filter_map(|edit| match edit {
        Edit::CreateAccount { account, .. } => Some(*account),
        Edit::Create { .. }
        | Edit::Replace { .. }
        | Edit::Delete { .. }
        | Edit::Attach { .. }
        | Edit::Detach { .. }
        | Edit::CreateUnit { .. }
        | Edit::Move { .. } => None,
    });
    made.collect()
}

/// Accounts whose verdicts could hang on an id that nobody has yet: their own, or that of a new
/// unit.
fn hanging_on_new_ids<'o>(
    organization: &'o Organization,
    edits: &[Edit],
    checker: impl FnOnce() -> Checker<'o>,
) -> Vec<Unknown> {
    let accounts = new_accounts(edits);
    let is_new_unit = |id: TargetId<'_>| {
        let is = |made: &Edit| matches!(made, Edit::CreateUnit { unit, .. } if TargetId::Unit(unit) == id);
        edits.iter().any(is)
    };
    let makes_units = edits.iter().any(|edit| matches!(edit, Edit::CreateUnit { .. }));
    if accounts.is_empty() && !makes_units {
        return Vec::new();
    }
    let mut checker = checker();
    let mut open = Vec::new();
    for (index, account) in organization.accounts() {
        let own = accounts.contains(&account.id);
        let mut path = organization.path(index).into_iter();
        let units = path.any(|target| is_new_unit(target.id));
        if !own && !units {
            continue;
        }
        let matters = checker.ids_matter(index);
        if own && matters.account || units && matters.units {
            let why = format!(
                "what is said of {} could hang on an id that is known only after apply, as policies \
                 or the perimeter look at parts of such ids",
                account.name
            );
            let target = Some(OwnedTargetId::Account(account.id));
            open.push(Unknown { policy: None, target, why });
        }
    }
    open
}

/// The perimeter that is proposed, with its warnings told.
fn proposed_perimeter(args: &WhatIfArgs, quiet: bool) -> miette::Result<Option<Perimeter>> {
    let Some(path) = &args.new_perimeter else { return Ok(None) };
    let (perimeter, warnings) = input::read_perimeter(path)?;
    if !quiet {
        warnings.iter().for_each(crate::output::say);
    }
    Ok(Some(perimeter))
}

/// A change as it was asked for.
struct Proposed {
    /// What is done, in an order in which it can be.
    edits: Vec<Edit>,
    /// What was passed over and what was assumed.
    notes: Vec<String>,
    /// Errors in its documents.
    mistakes: Vec<String>,
    /// What nobody knows until it is made.
    unknown: Vec<Unknown>,
    /// Attachments that are open.
    choices: Vec<Choice>,
}

/// The files of policies that were given as files.
fn files(args: &WhatIfArgs, organization: &Organization) -> BTreeMap<PolicyIdx, String> {
    let given = args.policies.iter().chain(&args.new_policies);
    given
        .filter_map(|(policy, file)| {
            let id = policy_of(organization, policy).ok()?;
            Some((organization.find_policy(id.as_str())?, file.clone()))
        })
        .collect()
}

/// The organization with edits made.
fn edited(organization: &Organization, edits: &[Edit]) -> miette::Result<Organization> {
    organization.edited(edits).map_err(|error| refused_edit(&error))
}

/// The edits that the arguments ask for, in the order in which they can be made.
fn proposed(
    args: &WhatIfArgs,
    input: &CheckInput,
    limits: &Limits,
    quiet: bool,
) -> miette::Result<Proposed> {
    let organization = &input.organization;
    let (mut edits, mut notes) = (Vec::new(), Vec::new());
    let (mut unknown, mut choices) = (Vec::new(), Vec::new());
    if let Some(path) = &args.plan {
        let plan = planned(path, &parameters(args)?, organization)?;
        unknown = plan.unknown;
        choices = plan.choices;
        for edit in &plan.edits {
            if is_unknown(&unknown, edit) {
                continue;
            }
            readable(path, organization, edit, limits, quiet)?;
        }
        edits.extend(plan.edits);
        notes.extend(plan.notes);
    }
    let documents = |files: &[(String, String)]| -> miette::Result<Vec<String>> {
        files.iter().map(|(_, file)| document(Path::new(file), limits, quiet)).collect()
    };
    let (replaced, created) = (documents(&args.policies)?, documents(&args.new_policies)?);
    edits.extend(asked(args, organization, replaced, created).map_err(|it| refused_edit(&it))?);
    let written: Vec<&Edit> = edits.iter().filter(|edit| !is_unknown(&unknown, edit)).collect();
    let mistakes = mistakes(organization, &written, &input.perimeter, limits, input.now);
    Ok(Proposed { edits, notes, mistakes, unknown, choices })
}

/// The edits that the arguments name one by one, with the documents that they bring.
fn asked(
    args: &WhatIfArgs,
    organization: &Organization,
    replaced: Vec<String>,
    created: Vec<String>,
) -> Result<Vec<Edit>, EditError> {
    let mut edits = Vec::new();
    for ((policy, _), content) in args.policies.iter().zip(replaced) {
        edits.push(Edit::Replace { policy: policy_of(organization, policy)?, content });
    }
    let mut made: Vec<(&str, PolicyId)> = Vec::new();
    for ((name, _), content) in args.new_policies.iter().zip(created) {
        let taken = |id: &PolicyId| {
            organization.find_policy(id.as_str()).is_some() || made.iter().any(|(_, it)| it == id)
        };
        let policy = unused_id(|n| format!("p-whatifnew{n}"), taken);
        made.push((name, policy.clone()));
        edits.push(Edit::Create { policy, name: name.clone(), content });
    }
    let policy = |text: &String| {
        let new = made.iter().find(|(name, _)| name == text);
        new.map_or_else(|| policy_of(organization, text), |(_, id)| Ok(id.clone()))
    };
    let target = |text: &String| organization.target_of_edit(&target_of(organization, text));
    for (one, other) in &args.attachments {
        edits.push(Edit::Attach { policy: policy(one)?, target: target(other)? });
    }
    for (one, other) in &args.detachments {
        edits.push(Edit::Detach { policy: policy(one)?, target: target(other)? });
    }
    for (account, parent) in &args.moves {
        edits.push(Edit::Move {
            account: organization.account_of_edit(&target_of(organization, account))?,
            parent: organization.parent_of_edit(&target_of(organization, parent))?,
        });
    }
    Ok(edits)
}

/// What `lint` calls an error in the documents that are new; sentences without a stop.
fn mistakes(
    organization: &Organization,
    edits: &[&Edit],
    perimeter: &Perimeter,
    limits: &Limits,
    now: Now,
) -> Vec<String> {
    let documents: Vec<(String, &str)> =
        edits.iter().filter_map(|edit| document_of(organization, edit)).collect();
    let texts: Vec<&str> = documents.iter().map(|(_, text)| *text).collect();
    let found = lint_together(&texts, limits, Some(perimeter), now);
    let of = |((name, text), findings): (&(String, &str), Vec<LintFinding>)| {
        let found = findings.into_iter().map(|finding| finding.diagnostic);
        let errors = found.filter(|found| found.severity == Severity::Error);
        let told = |found: text::diagnostic::Diagnostic| {
            let place = found.span.line_column(text);
            format!("{name}, at {place}: {}", found.message)
        };
        errors.map(told).collect::<Vec<_>>()
    };
    documents.iter().zip(found).flat_map(of).collect()
}

/// Whether nobody knows the document that an edit brings.
fn is_unknown(unknown: &[Unknown], edit: &Edit) -> bool {
    edit.document().is_some_and(|(policy, _)| {
        unknown.iter().any(|unknown| unknown.policy.as_ref() == Some(policy))
    })
}

/// The document that an edit brings, and what its policy is called.
fn document_of<'e>(organization: &Organization, edit: &'e Edit) -> Option<(String, &'e str)> {
    let (policy, content) = edit.document()?;
    let found = organization.find_policy(policy.as_str());
    let stored = found.and_then(|index| organization.policy(index));
    let name = match (edit, stored) {
        (Edit::Create { name, .. }, _) => name.as_str(),
        (_, Some(stored)) => &stored.name,
        (_, None) => policy.as_str(),
    };
    Some((format!("the policy {name}"), content))
}

/// A document in a plan that nobody could read is an error, as in a file.
fn readable(
    plan: &Path,
    organization: &Organization,
    edit: &Edit,
    limits: &Limits,
    quiet: bool,
) -> miette::Result<()> {
    let Some((name, text)) = document_of(organization, edit) else { return Ok(()) };
    parsed(text, &format!("{}, {name}", plan.display()), limits, quiet)
}

/// The values of a template's parameters.
fn parameters(args: &WhatIfArgs) -> miette::Result<Parameters> {
    let mut parameters = Parameters::default();
    if let Some(path) = &args.parameters_file {
        let text = input::text_of(path, "parameters")?;
        parameters.read(&text).map_err(|error| {
            let shown = Parameters::shown(&text);
            Report::new(error).with_source_code(Clipped::new(path.display().to_string(), shown))
        })?;
    }
    for assignment in &args.parameters {
        parameters.assign(assignment).map_err(|error| miette!(help = error.help(), "{error}"))?;
    }
    Ok(parameters)
}

/// The edits of a plan.
fn planned(
    path: &Path,
    parameters: &Parameters,
    organization: &Organization,
) -> miette::Result<Plan> {
    let text = input::text_of(path, "plan")?;
    changes::plan::read(&text, parameters, organization).map_err(|error| {
        let shown = changes::plan::shown(&text, &error);
        Report::new(error).with_source_code(Clipped::new(path.display().to_string(), shown))
    })
}

/// The document in a file.
///
/// What nobody could read decides nothing, so a mistake in it is an error here.
fn document(path: &Path, limits: &Limits, quiet: bool) -> miette::Result<String> {
    let text = input::text_of(path, "policy")?;
    parsed(&text, &path.display().to_string(), limits, quiet)?;
    Ok(text)
}

/// Says what is wrong with a document.
fn parsed(text: &str, name: &str, limits: &Limits, quiet: bool) -> miette::Result<()> {
    let source = || Clipped::new(name, text);
    let parsed = policy::parse::parse(text, limits)
        .map_err(|error| Report::new(error).with_source_code(source()))?;
    if !quiet {
        for warning in parsed.warnings {
            crate::output::say(&Report::new(warning).with_source_code(source()));
        }
    }
    Ok(())
}

/// The id of the policy that `text` names by id or by name; where it names none, that is told when
/// the edit is made.
fn policy_of(organization: &Organization, text: &str) -> Result<PolicyId, EditError> {
    let mut named = organization.policies().filter(|(_, policy)| &*policy.name == text);
    match (organization.find_policy(text), named.next(), named.next()) {
        (None, Some((_, only)), None) => Ok(only.id.clone()),
        _ => organization.policy_of_edit(text),
    }
}

/// The id of the root, unit or account that `text` names by id or by name; `text` where it names
/// none.
fn target_of(organization: &Organization, text: &str) -> String {
    let mut named = organization.targets().filter(|target| target.name == text);
    match (organization.target(text), named.next(), named.next()) {
        (None, Some(only), None) => only.id.to_string(),
        _ => text.to_owned(),
    }
}

/// An edit in words; names are those after it, of what is gone those before.
fn told(organization: &Organization, before: &Organization, edit: &Edit) -> String {
    let policy = |id: &PolicyId| {
        let id = id.as_str();
        let named = |all: &Organization| {
            let found = all.policy(all.find_policy(id)?)?;
            Some(if before.find_policy(id).is_none() {
                format!("new policy {}", found.name)
            } else {
                named(&found.name, id)
            })
        };
        named(organization).or_else(|| named(before)).unwrap_or_else(|| id.to_owned())
    };
    let target = |id: TargetId<'_>| {
        let found = organization.find_target(id).map(|index| organization.target_ref(index));
        let id = id.to_string();
        found.map_or_else(|| id.clone(), |found| named(found.name, &id))
    };
    match edit {
        Edit::Replace { policy: id, .. } => format!("{} gets a new document", policy(id)),
        Edit::Create { name, .. } => format!("new policy {name}"),
        Edit::Delete { policy: id } => format!("{} is deleted", policy(id)),
        Edit::Attach { policy: id, target: at } => {
            format!("{} is attached to {}", policy(id), target(at.borrowed()))
        }
        Edit::Detach { policy: id, target: at } => {
            format!("{} is detached from {}", policy(id), target(at.borrowed()))
        }
        Edit::CreateUnit { name, parent, .. } | Edit::CreateAccount { name, parent, .. } => {
            format!("{name} in {}", target(parent.as_target()))
        }
        Edit::Move { account, parent } => {
            format!(
                "{} moves to {}",
                target(TargetId::Account(*account)),
                target(parent.as_target())
            )
        }
    }
}
