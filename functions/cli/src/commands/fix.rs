//! `ses-perimeter fix`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use changes::fix::{Problem, Proposal, ProposedPolicy, Selection, propose};
use changes::quota::Quotas;
use changes::render::{self, AttachmentOut, PolicyOut};
use findings::names::{self, Names, count, list};
use organization::{AccountIdx, Organization, OwnedTargetId};
use reports::Fix;
use serde::Serialize;
use ses_perimeter::check::Options;
use ses_perimeter::control::ControlId;

use crate::args::{FixArgs, FixFormat};
use crate::change::{self, CellOut, ChangeHead, LostOut, losses};
use crate::deciding::progress;
use crate::input::{self, CheckInput};
use crate::output::page;
use crate::text::paint::{BAD, BOLD, DIM, GOOD, OPEN, Paragraph};
use crate::text::{Origin, heading};

/// Accounts that a line names before it counts the rest.
const NAMED: usize = 5;

/// Runs the command and returns the exit code.
///
/// # Errors
/// When the input or the place for the change is unusable, or a change cannot be made.
pub fn run(args: &FixArgs, quiet: bool) -> miette::Result<u8> {
    let input = input::read(&args.input, quiet)?;
    if !quiet {
        input.warnings.iter().for_each(crate::output::say);
    }
    let mut selection = Selection::default();
    for target in &args.targets {
        selection.accounts.extend(input::below(&input.organization, target)?);
    }
    for control in &args.controls {
        let control = input::control(control)?;
        if control.is_about_exposure() {
            return Err(miette::miette!(
                help = control.entry().remediation,
                "no service control policy closes {control}: it is about what is set up in the \
                 accounts"
            ));
        }
        selection.controls.insert(control);
    }
    if !args.targets.is_empty() && selection.accounts.is_empty() {
        return Err(miette::miette!("no account is below {}", args.targets.join(", ")));
    }
    let quotas = Quotas {
        characters: args.input.quota_characters,
        policies_per_target: args.quota.quota_policies,
    };
    let problem = problem(&input, args.input.budget, quotas);
    let proposal = progress(quiet, |tell| propose(problem, &selection, tell))
        .map_err(|error| change::refused(&input.organization, &error))?;
    let write = |out: &mut dyn Write, width: usize| write(out, args, &input, &proposal, width);
    page(args.out.as_deref(), "change", write)?;
    Ok(u8::from(!proposal.left.is_empty()))
}

/// The proved change for the failed controls of a check, as reports show it; none where there is
/// none, which only `fix` explains.
pub fn proved(input: &CheckInput, options: &Options, quiet: bool) -> Vec<Fix> {
    let selection =
        Selection { accounts: options.accounts.clone(), controls: options.controls.clone() };
    let problem = problem(input, options.budget, Quotas::default());
    let proposal = progress(quiet, |tell| propose(problem, &selection, tell));
    let policies = proposal.map(|proposal| proposal.policies).unwrap_or_default();
    policies
        .iter()
        .map(|policy| Fix {
            controls: policy.controls.iter().copied().collect(),
            title: format!("{}. {}", title(policy), places(&input.organization, policy)),
            diff: render::diff(policy),
        })
        .collect()
}

fn problem(input: &CheckInput, budget: u64, quotas: Quotas) -> Problem<'_> {
    Problem {
        organization: &input.organization,
        perimeter: &input.perimeter,
        now: input.now,
        budget,
        quotas,
    }
}

/// `New policy ses-perimeter, 830 characters`.
fn title(policy: &ProposedPolicy) -> String {
    let size = format!("{} characters", policy.after.chars().count());
    if policy.before.is_some() {
        format!("Change {} ({}), {size}", policy.name, policy.id)
    } else {
        format!("New policy {}, {size}", policy.name)
    }
}

/// Where it is, or where it goes.
fn places(organization: &Organization, policy: &ProposedPolicy) -> String {
    let named = |ids: &[OwnedTargetId]| -> Vec<String> {
        ids.iter().map(|id| target(organization, id)).collect()
    };
    if policy.before.is_some() {
        format!("It stays attached to {}.", list(&named(&policy.attached)))
    } else {
        let at = count(policy.attach.len(), "target");
        format!("Attach it to {at}: {}.", list(&named(&policy.attach)))
    }
}

fn write(
    out: &mut dyn Write,
    args: &FixArgs,
    input: &CheckInput,
    proposal: &Proposal,
    width: usize,
) -> io::Result<()> {
    let policies = &proposal.policies;
    match args.format {
        FixFormat::Text => FixPage { input, proposal, args, width }.write(out),
        FixFormat::Json => json(out, input, proposal),
        FixFormat::Terraform => out.write_all(render::terraform(policies).as_bytes()),
        FixFormat::Cloudformation => out.write_all(render::cloudformation(policies).as_bytes()),
        FixFormat::AwsCli => out.write_all(render::aws_cli(policies).as_bytes()),
    }
}

fn json(out: &mut dyn Write, input: &CheckInput, proposal: &Proposal) -> io::Result<()> {
    let (policies, attachments) = render::parts(&proposal.policies);
    let cell = |account: AccountIdx, control: ControlId, why: Option<&str>| {
        let found = input.organization.account(account);
        ChosenOut {
            account_id: found.map(|found| found.id.to_string()).unwrap_or_default(),
            account_name: found.map(|found| found.name.to_string()).unwrap_or_default(),
            control_id: control.to_string(),
            why: why.map(str::to_owned),
        }
    };
    let sides = (&input.organization, &proposal.organization);
    let closed = proposal.closed.iter();
    let left = proposal.left.iter();
    let document = FixOut {
        head: ChangeHead::new(&input.organization, &input.evaluated_at),
        policies,
        attachments,
        closed: closed.map(|(account, control)| cell(*account, *control, None)).collect(),
        left: left.map(|left| cell(left.account, left.control, Some(&left.why))).collect(),
        changed: proposal
            .changes
            .iter()
            .map(|found| CellOut::new(sides, found, &BTreeSet::new()))
            .collect(),
        lost_mail: proposal
            .losses
            .iter()
            .map(|loss| LostOut::new(&input.organization, loss))
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FixOut<'a> {
    #[serde(flatten)]
    head: ChangeHead<'a>,
    policies: Vec<PolicyOut<'a>>,
    attachments: Vec<AttachmentOut<'a>>,
    closed: Vec<ChosenOut>,
    left: Vec<ChosenOut>,
    changed: Vec<CellOut>,
    lost_mail: Vec<LostOut>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChosenOut {
    account_id: String,
    account_name: String,
    control_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

struct FixPage<'a> {
    input: &'a CheckInput,
    proposal: &'a Proposal,
    args: &'a FixArgs,
    width: usize,
}

impl FixPage<'_> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Proposal { policies, closed, left, losses: lost, .. } = self.proposal;
        let names = Names::new(&self.input.organization);
        let (style, text) = headline(closed.len(), left.len());
        Paragraph { style, ..Paragraph::of(&text) }.write(out, self.width)?;
        self.origin().write(out, self.width)?;
        self.cells(out, &names, "Closed, proved", closed.iter().map(|(a, c)| (*a, *c, "")))?;
        let left = left.iter().map(|left| (left.account, left.control, left.why.as_str()));
        self.cells(out, &names, "Not closed", left)?;
        for policy in policies {
            self.policy(out, policy)?;
        }
        if !policies.is_empty() {
            losses(out, &self.input.organization, &names, lost, self.width)?;
            heading(out, "Nothing was changed")?;
            let text = "--format terraform, cloudformation, aws-cli or json gives the change to \
                        apply; look at it with what-if first where the policies are shared.";
            Paragraph { style: DIM, indent: 2, ..Paragraph::of(text) }.write(out, self.width)?;
        }
        Ok(())
    }

    fn origin(&self) -> Origin<'_> {
        Origin {
            organization: &self.input.organization,
            evaluated_at: &self.input.evaluated_at,
            undocumented: self.input.perimeter.undocumented,
            snapshot: self.args.input.snapshot.as_deref(),
        }
    }

    /// Accounts with the same controls on one line.
    fn cells<'c>(
        &self,
        out: &mut dyn Write,
        names: &Names<'_>,
        title: &str,
        cells: impl Iterator<Item = (AccountIdx, ControlId, &'c str)>,
    ) -> io::Result<()> {
        let mut by_account: BTreeMap<(AccountIdx, &str), BTreeSet<ControlId>> = BTreeMap::new();
        for (account, control, why) in cells {
            by_account.entry((account, why)).or_default().insert(control);
        }
        let mut groups: BTreeMap<(BTreeSet<ControlId>, &str), Vec<AccountIdx>> = BTreeMap::new();
        for ((account, why), controls) in by_account {
            groups.entry((controls, why)).or_default().push(account);
        }
        if groups.is_empty() {
            return Ok(());
        }
        heading(out, title)?;
        for ((cells, why), accounts) in groups {
            let head = names.counted(&accounts, NAMED);
            let text = names::controls(cells.iter().copied());
            let text = if why.is_empty() { text } else { format!("{text}: {why}") };
            Paragraph { head: &head, style: BOLD, text: &text, indent: 2 }
                .write(out, self.width)?;
        }
        Ok(())
    }

    fn policy(&self, out: &mut dyn Write, policy: &ProposedPolicy) -> io::Result<()> {
        heading(out, &title(policy))?;
        let places = places(&self.input.organization, policy);
        Paragraph { indent: 2, ..Paragraph::of(&places) }.write(out, self.width)?;
        writeln!(out)?;
        change::diff(out, &render::diff(policy))
    }
}

fn headline(closed: usize, left: usize) -> (anstyle::Style, String) {
    match (closed, left) {
        (0, 0) => (GOOD, "Nothing is to be fixed: no chosen control fails".to_owned()),
        (closed, 0) => {
            (GOOD, format!("A change closes {}, proved", count(closed, "failed verdict")))
        }
        (0, left) => (BAD, format!("No change was found for {}", count(left, "failed verdict"))),
        (closed, left) => (
            OPEN,
            format!(
                "A change closes {}, proved; {} left",
                count(closed, "failed verdict"),
                if left == 1 { "one is".to_owned() } else { format!("{left} are") },
            ),
        ),
    }
}

/// A target's name and id.
fn target(organization: &Organization, id: &OwnedTargetId) -> String {
    let found = organization.find_target(id.borrowed());
    let found = found.map(|found| organization.target_ref(found));
    found
        .filter(|found| found.name != id.to_string())
        .map_or_else(|| id.to_string(), |found| format!("{} ({id})", found.name))
}
