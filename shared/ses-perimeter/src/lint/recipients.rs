//! Patterns of recipients.

use policy::model::{Condition, Effect, Family, Operator, Policy, SetOperator, Statement};
use prover::budget::Budget;
use prover::language::{Grammar, Languages, Sequence};
use prover::pattern::glob;

use super::finding::LintFinding;
use super::repair;
use super::slips::Probe;
use super::values::placeholder_in;
use super::words::quote;
use super::world::World;
use crate::control::Recipients;

const RECIPIENTS: &str = "ses:recipients";

/// What is wrong with a pattern of trusted recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Flaw {
    /// Nothing stands between a wildcard and the domain's name.
    Lookalike(String),
    /// The end of the domain is open.
    OpenEnd,
    /// It names no domain, or one under which anyone can register.
    Everyone,
    /// No address matches.
    Nobody,
}

/// The flaw of a pattern, and the patterns that were probably meant.
fn flaw(pattern: &str) -> Option<(Flaw, Vec<String>)> {
    if pattern.contains("${") || placeholder_in(pattern).is_some() {
        return None;
    }
    let is_domain = |text: &str| {
        text.contains('.')
            && !text.starts_with('.')
            && !text.ends_with('.')
            && !text.contains(['*', '?', '@'])
    };
    let Some(last) = pattern.rfind(['*', '?']) else {
        let bare = pattern.strip_prefix('@').unwrap_or(pattern);
        let nobody = matches_no_address(pattern);
        let meant = if is_domain(bare) { vec![format!("*@{bare}")] } else { Vec::new() };
        return nobody.then_some((Flaw::Nobody, meant));
    };
    if matches_no_address(pattern) {
        return Some((Flaw::Nobody, Vec::new()));
    }
    let tail = pattern.get(last + 1..).unwrap_or_default();
    if tail.contains('@') {
        return None;
    }
    if pattern.bytes().all(|b| matches!(b, b'*' | b'?' | b'@' | b'.')) {
        return Some((Flaw::Everyone, Vec::new()));
    }
    if tail.is_empty() {
        let closed = pattern.trim_end_matches(['*', '?']);
        let domain = closed.rsplit_once('@').map(|(_, domain)| domain);
        let meant =
            if domain.is_some_and(is_domain) { vec![closed.to_owned()] } else { Vec::new() };
        return Some((Flaw::OpenEnd, meant));
    }
    if let Some(domain) = tail.strip_prefix('.') {
        return (!domain.contains('.')).then_some((Flaw::Everyone, Vec::new()));
    }
    let glued = matches!(pattern.get(..=last), Some("*" | "*@*"));
    let meant = if glued && is_domain(tail) {
        vec![format!("*@{tail}"), format!("*@*.{tail}")]
    } else {
        Vec::new()
    };
    Some((Flaw::Lookalike(tail.to_owned()), meant))
}

/// Enough for a pattern of any length that Organizations takes.
const STEPS: u64 = 1_000_000;

/// Whether no plain address, in whatever letter case, matches: regular expressions and escapes of
/// other tools are the usual reason.
fn matches_no_address(pattern: &str) -> bool {
    let mut languages = Languages::default();
    let both = [
        languages.intern(vec![Sequence::default().ending(Grammar::Address)]),
        languages.intern(vec![glob(pattern, true)]),
    ];
    languages.find(&both, &[], &mut Budget::new(STEPS)) == Ok(None)
}

/// Whether a condition of a Deny says whom mail may reach.
fn leaves_out_recipients(condition: &Condition) -> bool {
    condition.key_folded() == RECIPIENTS
        && condition.operator.test.is_negated()
        && matches!(condition.operator.test.family(), Family::Text { .. })
}

/// The recipients that the document means to trust.
pub(super) fn meant_to_be_trusted(policy: &Policy) -> Vec<String> {
    let mut trusted: Vec<String> = policy
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Deny)
        .flat_map(|statement| &statement.conditions)
        .filter(|condition| leaves_out_recipients(condition))
        .flat_map(|condition| &condition.values)
        .filter(|value| !value.template.has_variable())
        .flat_map(|value| match flaw(&value.text) {
            Some((_, meant)) => meant,
            None => vec![value.text.clone()],
        })
        .collect();
    trusted.sort_unstable();
    trusted.dedup();
    trusted
}

/// Patterns of trusted recipients that trust more, or less, than they seem to.
pub(super) fn loose_patterns(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    for (index, condition) in statement.conditions.iter().enumerate() {
        let wildcards =
            matches!(condition.operator.test.family(), Family::Text { wildcards: true, .. });
        if !leaves_out_recipients(condition) {
            continue;
        }
        for (at, value) in condition.values.iter().enumerate() {
            // Without wildcards a pattern is literal text; that is a finding of its own.
            let literal = value.text.contains(['*', '?']) && !wildcards;
            if literal || value.template.has_variable() {
                continue;
            }
            let Some((flaw, meant)) = flaw(&value.text) else { continue };
            let pattern = quote(&value.text);
            let written: Vec<String> = meant.iter().map(|text| format!("`{text}`")).collect();
            let (code, message, label, help) = match &flaw {
                Flaw::Lookalike(tail) => (
                    "lint::lookalike-domain",
                    format!("the recipient pattern {pattern} also trusts lookalike domains"),
                    format!("anyone can register another name that ends in {}", quote(tail)),
                    match written.as_slice() {
                        [domain, below] => {
                            format!("write {domain} for the domain and {below} for those below it")
                        }
                        _ => "let `@` or a dot and the whole domain follow the last wildcard"
                            .to_owned(),
                    },
                ),
                Flaw::OpenEnd => (
                    "lint::open-domain",
                    format!("the recipient pattern {pattern} leaves the end of the domain open"),
                    "also trusts the same beginning under any other domain".to_owned(),
                    match written.as_slice() {
                        [only] => format!("write {only}"),
                        _ => "write the domain to its end, such as `*@example.com`".to_owned(),
                    },
                ),
                Flaw::Everyone => (
                    "lint::trusts-everyone",
                    format!("the recipient pattern {pattern} trusts domains of anyone"),
                    "names no domain of your own".to_owned(),
                    "name the organization's own domains, such as `*@example.com`".to_owned(),
                ),
                Flaw::Nobody => (
                    "lint::matches-no-address",
                    format!("the recipient pattern {pattern} matches no address"),
                    "so mail that was to pass is denied".to_owned(),
                    match written.as_slice() {
                        [only] => format!("did you mean {only}?"),
                        _ => "write `local@domain`, such as `*@example.com`".to_owned(),
                    },
                ),
            };
            let probe = if flaw == Flaw::Nobody {
                Probe::NotAsked
            } else {
                let instead = if meant.is_empty() && world.perimeter_given {
                    world.perimeter.trusted_recipients.clone()
                } else if meant.is_empty() && flaw == Flaw::Everyone {
                    // No address is the empty text: nobody is trusted in its place.
                    vec![String::new()]
                } else {
                    meant.clone()
                };
                if instead.is_empty() {
                    Probe::NotAsked
                } else {
                    let repaired = repair::condition(statement, index, |condition| {
                        let span = value.span;
                        let new = instead.iter().map(|text| repair::value(text, span));
                        condition.values.splice(at..=at, new);
                    });
                    world.first_slip(statement, &repaired, |_| true)
                }
            };
            findings.push(
                LintFinding::warning(code, value.span, message, label).help(help).weighed(probe),
            );
        }
    }
}

/// A Deny for listed recipients lets everybody else get mail.
pub(super) fn block_list(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    for (index, condition) in statement.conditions.iter().enumerate() {
        if condition.key_folded() != RECIPIENTS {
            continue;
        }
        let Some(test) = repair::negated(condition.operator.test) else { continue };
        let without = repair::keeping(statement, |other, _| other != index);
        let probe = world.first_slip(statement, &without, |path| {
            matches!(path.recipients, Recipients::Untrusted | Recipients::UntrustedOrAbsent)
        });
        // Beside a statement that stops the others a list of blocked recipients is sound.
        let Probe::Slips(slips) = probe else { continue };
        let meant = Operator { set: Some(SetOperator::ForAnyValue), test, if_exists: false };
        let mut finding = LintFinding::warning(
            "lint::recipient-block-list",
            condition.operator_span,
            "mail is denied to the listed recipients and nobody else",
            "denies mail to these, lets all other mail through",
        )
        .help(format!(
            "if these are the trusted recipients, write `{meant}`; if they are to be blocked, a \
             statement must stop mail to everybody else who is untrusted"
        ));
        finding.slips_through = Some(*slips);
        findings.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(pattern: &str) -> Option<Flaw> {
        flaw(pattern).map(|(flaw, _)| flaw)
    }

    #[test]
    fn patterns_that_name_a_domain_to_its_end_have_no_flaw() {
        for pattern in
            ["*@example.com", "*@*.example.com", "*.example.com", "a@b.c", "sales-*@example.com"]
        {
            assert_eq!(kind(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn placeholders_and_variables_are_somebody_elses_finding() {
        for pattern in ["*@<domain>", "*<domain>", "*@${aws:PrincipalTag/domain}"] {
            assert_eq!(kind(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn lookalikes_open_ends_and_patterns_for_everyone_are_told_apart() {
        let tail = || Flaw::Lookalike("example.com".to_owned());
        for (pattern, wanted) in [
            ("*example.com", tail()),
            ("*@*example.com", tail()),
            ("*@mail?example.com", tail()),
            ("*@example.com*", Flaw::OpenEnd),
            ("*@example.*", Flaw::OpenEnd),
            ("*@example*", Flaw::OpenEnd),
            ("*", Flaw::Everyone),
            ("*@*", Flaw::Everyone),
            ("*@*.com", Flaw::Everyone),
            ("example.com", Flaw::Nobody),
            ("@example.com", Flaw::Nobody),
        ] {
            assert_eq!(kind(pattern), Some(wanted), "{pattern}");
        }
    }

    #[test]
    fn what_was_meant_is_a_whole_domain_or_unknown() {
        let meant = |pattern: &str| flaw(pattern).map(|(_, meant)| meant).unwrap_or_default();
        assert_eq!(meant("*example.com"), ["*@example.com", "*@*.example.com"]);
        assert_eq!(meant("*@example.com*"), ["*@example.com"]);
        assert_eq!(meant("@example.com"), ["*@example.com"]);
        assert!(meant("*@example.*").is_empty());
        assert!(meant("*@mail?example.com").is_empty());
    }
}
