//! What the organization has decided, what the verdicts rest on, and how they were made.

use std::collections::{BTreeMap, BTreeSet};

use findings::asff;
use findings::names::{count, list, number, sid_text};
use organization::AccountIdx;
use ses_perimeter::control::ControlId;
use ses_perimeter::notes;
use ses_perimeter::perimeter::{Selector, SelectorKind, Undocumented};

use super::cells::{CellData, Letter, ObstacleData};
use super::escape::{Piece, pieces};
use super::survey::Survey;
use super::table::{Mark, mark};
use crate::checked::Checked;

/// Gaps and notes before the rest is counted.
const LISTED: usize = 20;
/// Reasons before the rest is counted.
const REASONS: usize = 40;
/// Accounts that a reason names.
const NAMED: usize = 6;
/// Exemptions that end within so many days are marked.
const SOON: i32 = 30;

/// Principals or accounts that the organization leaves outside.
pub struct Exception<'a> {
    /// `Exemption`, `Administrator` or `Allowed target`.
    pub kind: &'static str,
    /// Whom it names.
    pub who: String,
    /// More about that, where there is more.
    pub name: String,
    /// Why, in the words of the file.
    pub reason: &'a str,
    /// Who answers for it.
    pub owner: Option<&'a str>,
    /// The last day.
    pub expires: Option<String>,
    /// Whether it counts.
    pub mark: Mark,
}

/// A line about the report.
pub struct Fact {
    /// What it is about.
    pub term: &'static str,
    /// What it says; each a sentence part.
    pub texts: Vec<Vec<Piece>>,
}

/// A sentence behind verdicts.
pub struct Reason {
    /// The status of the verdicts.
    pub mark: Mark,
    /// The statement or policy that it is about, where there is one.
    pub place: String,
    /// The sentence.
    pub text: Vec<Piece>,
    /// The controls.
    pub controls: String,
    /// The accounts.
    pub accounts: String,
}

fn fact(term: &'static str, texts: impl IntoIterator<Item = String>) -> Fact {
    Fact { term, texts: texts.into_iter().map(|text| pieces(&text)).collect() }
}

/// The exemptions, administrators and allowed targets in the order of the file.
pub fn exceptions<'a>(checked: &Checked<'a>) -> Vec<Exception<'a>> {
    let perimeter = checked.perimeter;
    let selectors = |kind, all: &'a [Selector]| {
        all.iter().map(move |selector| {
            let (who, name) = match &selector.matches {
                SelectorKind::PrincipalTag { key, value } => {
                    (format!("{key} = {value}"), "principals with this tag".to_owned())
                }
                SelectorKind::PrincipalArn(arn) => (arn.clone(), String::new()),
            };
            let (expires, mark) = expiry(checked, selector);
            Exception {
                kind,
                who,
                name,
                reason: selector.reason.as_str(),
                owner: selector.owner.as_deref(),
                expires,
                mark,
            }
        })
    };
    let targets = perimeter.allowed_targets.iter().map(|allowed| {
        let found = checked.organization.target(&allowed.id);
        let name = found.map(|target| checked.organization.target_ref(target).name.to_owned());
        let mark = if found.is_some() {
            IN_FORCE
        } else {
            Mark { tone: "open", mark: "?", word: "not in this organization" }
        };
        Exception {
            kind: "Allowed target",
            who: allowed.id.clone(),
            name: name.unwrap_or_default(),
            reason: allowed.reason.as_str(),
            owner: None,
            expires: None,
            mark,
        }
    });
    selectors("Exemption", &perimeter.exemptions)
        .chain(selectors("Administrator", &perimeter.administrators))
        .chain(targets)
        .collect()
}

const IN_FORCE: Mark = Mark { tone: "good", mark: "✓", word: "in force" };

fn expiry(checked: &Checked<'_>, selector: &Selector) -> (Option<String>, Mark) {
    let today = checked.now.today;
    let Some(last) = selector.expires else { return (None, IN_FORCE) };
    let mark = if !selector.in_force(today) {
        Mark { tone: "bad", mark: "✗", word: "expired" }
    } else if today.until(last).is_ok_and(|left| left.get_days() <= SOON) {
        Mark { tone: "open", mark: "!", word: "ends soon" }
    } else {
        IN_FORCE
    };
    (Some(last.to_string()), mark)
}

/// What the verdicts rest on.
pub fn assumptions(checked: &Checked<'_>) -> Vec<Fact> {
    let (organization, perimeter) = (checked.organization, checked.perimeter);
    let quoted = |texts: &[String]| -> String {
        list(&texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>())
    };
    let setting = match perimeter.undocumented {
        Undocumented::Documented => {
            "`documented`: where AWS's sources are silent or disagree, the service authorization \
             reference counts first, then the developer guide"
        }
        Undocumented::WorstCase => {
            "`worst-case`: where AWS's sources are silent or disagree, whichever reading lets the \
             request through"
        }
    };
    let trusted = if perimeter.trusted_recipients.is_empty() {
        "nobody".to_owned()
    } else {
        quoted(&perimeter.trusted_recipients)
    };
    let mut facts = vec![
        fact("Undocumented facts", [setting.to_owned()]),
        fact("Trusted recipients", [trusted]),
        fact("Trusted networks", [networks(checked)]),
    ];
    if !organization.scp_enabled {
        let text = "the SCP policy type is not enabled on the root, so no SCP is in force";
        facts.push(fact("Policy type", [text.to_owned()]));
    }
    let disabled: Vec<String> =
        perimeter.disabled.iter().map(|control| format!("{control} {}", control.title())).collect();
    if !disabled.is_empty() {
        facts.push(fact("Disabled controls", disabled));
    }
    let gaps: Vec<String> = organization.gaps().iter().map(ToString::to_string).collect();
    facts.extend(listed("Gaps of the snapshot", gaps));
    facts.extend(listed("Notes on the snapshot", organization.warnings.clone()));
    let told = notes::notes(organization, checked.origin.evaluated_at);
    facts.extend(listed("Notes on the policies and the facts", told));
    facts
}

fn networks(checked: &Checked<'_>) -> String {
    let Some(networks) = &checked.perimeter.networks else {
        return "none set, so SESDP.18 does not apply".to_owned();
    };
    let mut parts: Vec<String> = networks.cidrs.iter().map(|cidr| format!("`{cidr}`")).collect();
    parts.extend(networks.vpcs.iter().map(|vpc| format!("`{vpc}`")));
    if networks.vpce_org {
        parts.push("VPC endpoints of the organization".to_owned());
    }
    if parts.is_empty() { "none".to_owned() } else { list(&parts) }
}

fn listed(term: &'static str, mut texts: Vec<String>) -> Option<Fact> {
    if texts.is_empty() {
        return None;
    }
    let more = texts.len().saturating_sub(LISTED);
    texts.truncate(LISTED);
    if more > 0 {
        texts.push(format!("and {} more", number(more)));
    }
    Some(fact(term, texts))
}

/// How the report was made.
pub fn made(checked: &Checked<'_>) -> Vec<Fact> {
    let organization = checked.organization;
    let of = |some: usize, all: usize, what: &str| {
        if some == all {
            format!("all {}", count(all, what))
        } else {
            format!("{some} of {}", count(all, what))
        }
    };
    let accounts = of(checked.report.rows.len(), organization.accounts().len(), "account");
    let controls = of(checked.report.controls.len(), ControlId::ALL.len(), "control");
    let mut facts = vec![
        fact("Program", [format!("ses-perimeter {}", checked.origin.version)]),
        fact("Evaluated at", [checked.origin.evaluated_at.to_owned()]),
        fact(
            "Organization",
            [format!(
                "`{}` in partition `{}`, management account `{}`",
                organization.id, organization.partition, organization.management_account
            )],
        ),
        fact("Snapshot", checked.snapshot.map(|path| format!("`{path}`"))),
        fact("Snapshot digest", [format!("`{}`", organization.digest)]),
        fact(
            "Fetched at",
            [organization
                .fetched_at
                .clone()
                .unwrap_or_else(|| "the snapshot does not say".to_owned())],
        ),
        fact("Checked", [format!("{accounts}, {controls}")]),
    ];
    facts.retain(|fact| !fact.texts.is_empty());
    let files = checked.files.iter().filter_map(|(policy, path)| {
        Some(format!("`{path}` as {}", organization.policy(*policy)?.name))
    });
    facts.extend(listed("Policies from files", files.collect()));
    facts
}

/// The verdicts behind one sentence.
#[derive(Default)]
struct Behind {
    controls: BTreeSet<ControlId>,
    accounts: Vec<AccountIdx>,
}

/// The sentences that `of` finds in cells, each with the verdicts behind it.
fn reasons(
    checked: &Checked<'_>,
    survey: &Survey<'_>,
    mut of: impl FnMut(AccountIdx, &CellData) -> Vec<(String, String)>,
) -> Vec<Reason> {
    let mut all: BTreeMap<(Letter, (String, String)), Behind> = BTreeMap::new();
    for member in &survey.members {
        for (control, cell) in checked.report.controls.iter().zip(survey.row(member.row)) {
            for text in of(member.account, cell) {
                let behind = all.entry((cell.status, text)).or_default();
                behind.controls.insert(*control);
                if behind.accounts.last() != Some(&member.account) {
                    behind.accounts.push(member.account);
                }
            }
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, behind)| std::cmp::Reverse(behind.accounts.len() * behind.controls.len()));
    let more = all.len().saturating_sub(REASONS);
    let mut reasons: Vec<Reason> = all
        .into_iter()
        .take(REASONS)
        .map(|((letter, (place, text)), behind)| {
            let some: Vec<ControlId> = behind.controls.into_iter().collect();
            let every = some.len() == checked.report.controls.len() && some.len() > 1;
            Reason {
                mark: mark(letter),
                place,
                text: pieces(&text),
                controls: if every {
                    format!("all {} controls", some.len())
                } else {
                    super::causes::spelled(&some)
                },
                accounts: survey.names.counted(&behind.accounts, NAMED),
            }
        })
        .collect();
    if more > 0 {
        reasons.push(Reason {
            mark: mark(Letter::N),
            place: String::new(),
            text: pieces(&format!("and {}", count(more, "more reason"))),
            controls: String::new(),
            accounts: String::new(),
        });
    }
    reasons
}

/// Why verdicts are undecided.
pub fn undecided(checked: &Checked<'_>, survey: &Survey<'_>) -> Vec<Reason> {
    reasons(checked, survey, |account, cell| {
        let words = |obstacle: &ObstacleData| {
            let place = obstacle_place(checked, survey, obstacle);
            (place, survey.text(checked, account, obstacle.text))
        };
        cell.obstacles.iter().map(words).collect()
    })
}

fn obstacle_place(checked: &Checked<'_>, survey: &Survey<'_>, obstacle: &ObstacleData) -> String {
    let policy = obstacle.policy.and_then(|at| survey.tables.policies.list().get(at));
    let Some(policy) = policy else { return String::new() };
    let name = survey.names.policy(*policy);
    match obstacle.statement {
        Some(index) => {
            let found = ses_perimeter::view::statement_at(checked.organization, *policy, index);
            let sid = found.and_then(|statement| statement.sid.as_deref());
            format!("{} of SCP {name}", sid_text(sid, index))
        }
        None => format!("SCP {name}"),
    }
}

/// Why no verdict was asked for.
pub fn outside(checked: &Checked<'_>, survey: &Survey<'_>) -> Vec<Reason> {
    let mut all = reasons(checked, survey, |account, cell| {
        let text = |reason: &usize| (String::new(), survey.text(checked, account, *reason));
        cell.reason.iter().filter(|_| cell.status == Letter::N).map(text).collect()
    });
    if checked.report.is_about_exposure() {
        let (field, reason) = notes::UNCHECKED_FIELD;
        all.push(Reason {
            mark: mark(Letter::N),
            place: String::new(),
            text: pieces(reason),
            controls: field.to_owned(),
            accounts: "everywhere".to_owned(),
        });
    }
    all
}

/// What is set up in accounts and fails a control.
pub fn faults(checked: &Checked<'_>, survey: &Survey<'_>) -> Vec<Reason> {
    reasons(checked, survey, |account, cell| {
        let text = |(region, fault)| {
            let [region, fault] = [region, fault].map(|text| survey.text(checked, account, text));
            (region, fault)
        };
        cell.faults().map(text).collect()
    })
}

/// How far SES is in use in the accounts, and what that does to the severity of a failure.
pub fn levels(checked: &Checked<'_>, survey: &Survey<'_>) -> Vec<Fact> {
    let facts = asff::levels(checked.perimeter, checked.report).into_iter().map(|of| {
        let accounts = survey.names.counted(&of.accounts, NAMED);
        fact(of.level.name(), [accounts].into_iter().chain(of.rule))
    });
    facts.collect()
}

/// What verdicts hang on.
pub fn hanging(checked: &Checked<'_>, survey: &Survey<'_>) -> Vec<Reason> {
    reasons(checked, survey, |account, cell| {
        let text = |text: &usize| (String::new(), survey.text(checked, account, *text));
        cell.assumptions.iter().map(text).collect()
    })
}
