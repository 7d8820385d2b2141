//! Names of actions and keys that nobody knows.

use policy::glob;
use policy::model::{ActionPattern, Actions, Effect, Statement};
use text::words::nearest_within;

use super::finding::LintFinding;
use super::never::needs_key;
use super::repair;
use super::slips::Probe;
use super::words::{nearest, quote};
use super::world::World;
use crate::{facts, model, table};

/// Prefixes that people write for SES and that no IAM action has.
const WRONG_PREFIXES: [&str; 8] = [
    "sesv2",
    "ses-v2",
    "ses2",
    "email",
    "pinpoint-email",
    "mailmanager",
    "mail-manager",
    "ses-mail-manager",
];

/// What an action pattern should be.
struct Correction {
    code: &'static str,
    message: String,
    label: &'static str,
    help: String,
    /// The action that was probably meant.
    meant: Option<String>,
}

/// Actions of SES that do not exist.
pub(super) fn actions(
    world: &mut World<'_>,
    statement: &Statement,
    findings: &mut Vec<LintFinding>,
) {
    let (Actions::Listed(patterns) | Actions::AllExcept(patterns)) = &statement.actions;
    for pattern in patterns {
        if statement.obstacle_within(pattern.span).is_some() {
            continue;
        }
        let Some(Correction { code, message, label, help, meant }) = correction(pattern) else {
            continue;
        };
        let listed = matches!(statement.actions, Actions::Listed(_));
        let probe = match meant {
            Some(meant) if statement.effect == Effect::Deny && listed => {
                let repaired = repair::actions(statement, std::slice::from_ref(&meant));
                world.first_slip(statement, &repaired, |_| true)
            }
            _ => Probe::NotAsked,
        };
        findings.push(
            LintFinding::warning(code, pattern.span, message, label).help(help).weighed(probe),
        );
    }
}

fn correction(pattern: &ActionPattern) -> Option<Correction> {
    let (prefix, name) = pattern.text.split_once(':')?;
    let written = quote(&pattern.text);
    if WRONG_PREFIXES.iter().any(|wrong| prefix.eq_ignore_ascii_case(wrong)) {
        let right = format!("ses:{name}");
        let meant = if known(&right) {
            Some(right)
        } else {
            nearest(&right, ses_actions()).map(str::to_owned)
        };
        let help = match &meant {
            Some(meant) => format!("write {}", quote(meant)),
            None => "write `ses:` before the name of the action".to_owned(),
        };
        return Some(Correction {
            code: "lint::service-prefix",
            message: format!(
                "{written} is no action: every interface of SES has the prefix `ses:`"
            ),
            label: "covers nothing",
            help,
            meant,
        });
    }
    if !prefix.eq_ignore_ascii_case("ses") || known(&pattern.text) {
        return None;
    }
    let wildcard = name.contains(['*', '?']);
    let meant = if wildcard { None } else { nearest(&pattern.text, ses_actions()) };
    let help = match meant {
        Some(meant) => format!("did you mean {}?", quote(meant)),
        None => "see the actions of SES in the service authorization reference".to_owned(),
    };
    Some(Correction {
        code: "lint::unknown-action",
        message: if wildcard {
            format!("{written} covers no known action of SES")
        } else {
            format!("{written} is not a known action of SES")
        },
        label: "covers nothing",
        help,
        meant: meant.map(str::to_owned),
    })
}

fn ses_actions() -> impl Iterator<Item = &'static str> {
    table::actions().iter().map(|action| action.name).filter(|name| name.starts_with("ses:"))
}

/// Whether the pattern covers some action of SES.
fn known(pattern: &str) -> bool {
    table::action(pattern).is_some()
        || ses_actions().any(|action| glob::matches_ignoring_case(pattern, action))
}

/// A name that differs in more than one character of so many is no misspelling of another: AWS
/// gives new keys names like those of old ones.
const ONE_IN: usize = 8;

/// Condition keys that nobody knows.
pub(super) fn keys(world: &mut World<'_>, statement: &Statement, findings: &mut Vec<LintFinding>) {
    for (index, condition) in statement.conditions.iter().enumerate() {
        let key = condition.key.as_str();
        let folded = condition.key_folded();
        if world.catalog.get(key).is_some() || super::values::placeholder_in_key(key).is_some() {
            continue;
        }
        let service = table::service_keys().iter().map(|known| known.name);
        let global = facts::keys::keys().filter(|known| !known.family).map(|known| known.name);
        let near =
            nearest_within(ONE_IN, key, service.chain(global).filter(|name| !name.contains("${")));
        let family = facts::keys::keys().filter(|known| known.family).find_map(|known| {
            let (prefix, tag) = key.split_once('/')?;
            let name = nearest(prefix, [known.name.trim_end_matches('/')])?;
            Some(format!("{name}/{tag}"))
        });
        let bare_family = facts::keys::keys()
            .find(|known| {
                known.family && folded == known.name.trim_end_matches('/').to_ascii_lowercase()
            })
            .map(|known| format!("{}KEY", known.name));
        let meant = family.or_else(|| near.map(str::to_owned));
        if model::knows_key(key) && bare_family.is_none() {
            continue;
        }
        let date = facts::keys::date();
        let help = match (&bare_family, &meant) {
            (Some(whole), _) => format!("the tag key follows: `{whole}`"),
            (None, Some(meant)) => format!(
                "did you mean {}? If AWS has added the key since {date}, update ses-perimeter",
                quote(meant)
            ),
            (None, None) => {
                "if AWS has added it since, update ses-perimeter; verdicts that depend \
                             on it are UNDECIDED until then"
                    .to_owned()
            }
        };
        let consequence = "newer than that, or misspelled: nobody knows which requests carry it";
        let probe = match &meant {
            // Where the condition always holds, the statement stops too much rather than too little.
            Some(meant) if statement.effect == Effect::Deny && needs_key(condition) => {
                let repaired = repair::condition(statement, index, |condition| {
                    condition.key.clone_from(meant);
                });
                world.first_slip(statement, &repaired, |_| true)
            }
            _ => Probe::NotAsked,
        };
        findings.push(
            LintFinding::warning(
                "lint::unknown-key",
                condition.key_span,
                format!("{} is not among the condition keys known on {date}", quote(key)),
                consequence,
            )
            .help(help)
            .weighed(probe),
        );
    }
}

#[cfg(test)]
mod tests {
    use text::span::Span;

    use super::*;

    fn meant(text: &str) -> Option<Option<String>> {
        correction(&ActionPattern { text: text.to_owned(), span: Span::default() })
            .map(|found| found.meant)
    }

    #[test]
    fn actions_and_patterns_that_cover_one_are_known_in_any_case() {
        for text in ["ses:SendEmail", "SES:sendemail", "ses:*", "ses:Send*", "*", "s3:GetObject"] {
            assert!(meant(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_nearest_action_is_suggested() {
        let some = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(meant("ses:SendMail"), some("ses:SendEmail"));
        assert_eq!(meant("ses:SendRawEmails"), some("ses:SendRawEmail"));
        assert_eq!(meant("sesv2:SendBulkEmail"), some("ses:SendBulkEmail"));
        assert_eq!(meant("email:*"), some("ses:*"));
        assert_eq!(meant("ses:FlyToTheMoon"), Some(None));
        assert_eq!(meant("ses:Sned*"), Some(None));
    }
}
