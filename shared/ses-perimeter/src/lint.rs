//! What is wrong or suspicious in a policy document, each near miss with a request that slips
//! through it.
//!
//! A near miss is a statement that comes close to stopping something and does not. Whether that
//! is so is decided, not guessed: the statement is repaired, and the procedure looks for a
//! request that the document lets through although the repaired statement is about it. Only such
//! a request is shown.

use policy::model::{Effect, Policy, Statement};
use policy::parse::{Limits, Parsed, parse};

use crate::check::Now;
use crate::perimeter::Perimeter;

mod finding;
mod foreign;
mod names;
mod never;
mod operators;
mod recipients;
mod repair;
mod slips;
mod tags;
mod values;
mod version;
mod words;
mod world;

pub use finding::LintFinding;
pub use slips::SlipsThrough;
use text::diagnostic::Diagnostic;
pub use text::diagnostic::Severity;
use text::span::Span;
use world::{Meant, World};

/// What is wrong or suspicious in one document, in the order of the text.
///
/// `text` is the document as Organizations stores it. Without a perimeter the trusted recipients
/// are those that the document itself means to leave out.
#[must_use]
pub fn lint(
    text: &str,
    limits: &Limits,
    perimeter: Option<&Perimeter>,
    now: Now,
) -> Vec<LintFinding> {
    lint_together(&[text], limits, perimeter, now).pop().unwrap_or_default()
}

/// The findings of several documents that are meant to be attached together, one list for each.
///
/// A tag that one document relies on may be protected by another of them.
#[must_use]
pub fn lint_together(
    texts: &[&str],
    limits: &Limits,
    perimeter: Option<&Perimeter>,
    now: Now,
) -> Vec<Vec<LintFinding>> {
    let parsed: Vec<_> = texts.iter().map(|text| parse(text, limits)).collect();
    let readable: Vec<&Policy> =
        parsed.iter().filter_map(|one| one.as_ref().ok()).map(|one| &one.policy).collect();
    texts
        .iter()
        .zip(&parsed)
        .map(|(text, parsed)| {
            let mut findings = match parsed {
                Ok(parsed) => document(text, limits, parsed, &readable, perimeter, now),
                Err(unreadable) => foreign::unreadable(text, limits, unreadable),
            };
            findings.sort_by_key(|finding| (finding.diagnostic.span, finding.code()));
            findings
        })
        .collect()
}

fn document(
    text: &str,
    limits: &Limits,
    parsed: &Parsed,
    together: &[&Policy],
    perimeter: Option<&Perimeter>,
    now: Now,
) -> Vec<LintFinding> {
    let policy = &parsed.policy;
    let obstacles = policy.statements.iter().flat_map(|statement| &statement.obstacles);
    let mut findings: Vec<LintFinding> =
        obstacles.map(|obstacle| LintFinding::from(Diagnostic::from(obstacle))).collect();
    findings.extend(parsed.warnings.iter().cloned().map(LintFinding::from));
    findings.extend(size(text, limits));
    let meant = Meant {
        trusted: recipients::meant_to_be_trusted(policy),
        exempt: together.iter().flat_map(|policy| tags::exemptions(policy)).collect(),
    };
    let mut world = World::new(policy, together, perimeter, meant, now);
    values::placeholders(policy, &mut findings);
    for statement in &policy.statements {
        names::actions(&mut world, statement, &mut findings);
        names::keys(&mut world, statement, &mut findings);
        values::literal_wildcards(&mut world, statement, &mut findings);
        if statement.effect == Effect::Deny {
            denies(&mut world, statement, &mut findings);
        }
        never::never_matches(&mut world, statement, &mut findings);
    }
    version::unversioned(&mut world, &mut findings);
    tags::unprotected(&mut world, &mut findings);
    findings
}

/// The checks of one Deny statement.
fn denies(world: &mut World<'_>, statement: &Statement, findings: &mut Vec<LintFinding>) {
    operators::all_values(world, statement, findings);
    operators::no_set_operator(world, statement, findings);
    recipients::loose_patterns(world, statement, findings);
    recipients::block_list(world, statement, findings);
    version::split(world, statement, findings);
    tags::inverted(world, statement, findings);
    never::keys_not_carried(world, statement, findings);
    never::always_holds(world, statement, findings);
}

/// Advice where a document has little room left.
fn size(text: &str, limits: &Limits) -> Option<LintFinding> {
    let count = text.chars().count();
    let quota = limits.quota_characters;
    let near = count <= quota && count.saturating_mul(10) > quota.saturating_mul(9);
    near.then(|| {
        let start = text.find(|c: char| !c.is_whitespace()).unwrap_or_default();
        LintFinding::new(
            Severity::Advice,
            "lint::size",
            Span::new(start, (start + 1).min(text.len())),
            format!("the document has {count} characters of the {quota} that Organizations allows"),
            "this document",
        )
        .help("white space counts: minify the document, or split it before it grows")
    })
}

#[cfg(test)]
mod tests;
