//! `ses-perimeter diff`.

use std::collections::BTreeMap;

use changes::compare::{Side, changes, lost_mail};
use changes::diff::{Taken, reasons};
use miette::miette;
use organization::Organization;
use policy::parse::Limits;
use ses_perimeter::check::{Now, Options, check};

use crate::args::{DiffArgs, FailOn};
use crate::comparison::{Comparison, Second, Worlds};
use crate::deciding::progress;
use crate::emit::emit;
use crate::input;

/// Runs the command and returns the exit code.
///
/// # Errors
/// When the input or the place for the comparison is unusable.
pub fn run(args: &DiffArgs, quiet: bool) -> miette::Result<u8> {
    let limits = Limits::default();
    let (old, _) = input::read_snapshot(&args.before, &limits)?;
    let (new, _) = input::read_snapshot(&args.after, &limits)?;
    let path = input::perimeter_path(args.perimeter.as_deref(), Some(&args.after))?;
    let (perimeter, warnings) = input::read_perimeter(&path)?;
    if !quiet {
        warnings.iter().for_each(crate::output::say);
        if old.id != new.id {
            crate::output::say(&miette!(
                severity = miette::Severity::Warning,
                help = "accounts are compared by their ids",
                "these are different organizations: {} and {}",
                old.id,
                new.id
            ));
        }
    }
    let (then, then_at) = moment(args, &old)?;
    let (now, evaluated_at) = moment(args, &new)?;
    let options = Options { budget: args.budget, ..Options::default() };
    let decide = |organization: &Organization, at: Now| {
        progress(quiet, |tell| check(organization, &perimeter, at, &options, tell))
    };
    let (before, after) = (decide(&old, then), decide(&new, now));
    let sides =
        (Side { organization: &old, report: &before }, Side { organization: &new, report: &after });
    let found = changes(sides.0, sides.1);
    let taken = (Taken { organization: &old, now: then }, Taken { organization: &new, now });
    let comparison = Comparison {
        worlds: Worlds {
            before: sides.0,
            after: sides.1,
            evaluated_at: &then_at,
            perimeter: &perimeter,
            snapshot: Some(&args.before),
            now,
            files: BTreeMap::new(),
        },
        second: Some(Second { snapshot: &args.after, evaluated_at: &evaluated_at }),
        renewed: None,
        edits: Vec::new(),
        notes: Vec::new(),
        mistakes: Vec::new(),
        new_accounts: Default::default(),
        fail_on: FailOn::Regression,
        reasons: reasons(taken.0, taken.1, &perimeter, args.budget, &found),
        changes: found,
        losses: lost_mail(&old, &new, &perimeter, now, args.budget),
    };
    emit(&comparison, args.format, args.out.as_deref())?;
    Ok(comparison.exit_code())
}

/// When a snapshot is evaluated: as asked, or when it was taken, or now.
fn moment(args: &DiffArgs, organization: &Organization) -> miette::Result<(Now, String)> {
    let taken = organization.fetched_at.as_deref().and_then(|text| text.parse().ok());
    let at: jiff::Timestamp = args.now.or(taken).unwrap_or_else(jiff::Timestamp::now);
    let now = Now::from_epoch_seconds(at.as_second())
        .ok_or_else(|| miette!("the moment {at} is out of range"))?;
    Ok((now, at.round(jiff::Unit::Second).unwrap_or(at).to_string()))
}
