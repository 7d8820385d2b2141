//! The command line.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::text;

/// Proves whether service control policies keep Amazon SES mail inside the data perimeter.
#[derive(Debug, Parser)]
#[command(name = "ses-perimeter", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colour; NO_COLOR is honoured.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Print results only, no progress and no warnings.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

const FIX_EXIT_CODES: &str = "Exit codes:
  0  with the change every chosen control passes
  1  some chosen control cannot be made to pass
  2  usage, unreadable input, no access: nothing was decided";

const WHAT_IF_EXIT_CODES: &str = "Exit codes:
  0  no verdict gets worse, and what --fail-on names is not there
  1  some verdict gets worse, or what --fail-on names is there
  2  usage, unreadable input, no access, a change that Organizations would refuse: nothing was decided
  3  nothing of that, but a failed verdict turns undecided, or a new account has an undecided one";

const DIFF_EXIT_CODES: &str = "Exit codes:
  0  no verdict got worse
  1  some verdict got worse
  2  usage, unreadable input: nothing was decided
  3  no verdict got worse, but a failed one is undecided now";

const LINT_EXIT_CODES: &str = "Exit codes:
  0  nothing but advice
  1  something is wrong or suspicious
  2  a file cannot be read";

const FETCH_EXIT_CODES: &str = "Exit codes:
  0  the snapshot was saved; warnings name what could not be read
  2  no access, or the file cannot be written: nothing was saved";

const DOCTOR_EXIT_CODES: &str = "Exit codes:
  0  nothing is missing
  1  something is missing
  2  no credentials, no Region, or no access at all";

const EXIT_CODES: &str = "Exit codes of check and explain:
  0  every control passed
  1  some control failed
  2  usage, unreadable input, no access: nothing was decided
  3  nothing failed, but something is undecided";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decide every control for every account.
    Check(CheckArgs),
    /// Explain the verdicts of one account: its path, its policies, what decided.
    Explain(ExplainArgs),
    /// Find the smallest change of the policies that makes failed controls pass; it is proved
    /// before it is printed, and nothing is applied.
    #[command(after_help = FIX_EXIT_CODES)]
    Fix(FixArgs),
    /// Show which verdicts a proposed change turns, before it is made.
    #[command(after_help = WHAT_IF_EXIT_CODES)]
    WhatIf(WhatIfArgs),
    /// Show the verdicts that differ between two snapshots, and the change that explains each.
    #[command(after_help = DIFF_EXIT_CODES)]
    Diff(DiffArgs),
    /// Find what is wrong or suspicious in policy documents.
    #[command(after_help = LINT_EXIT_CODES)]
    Lint(LintArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write one for each command into a folder.
    Man {
        /// The folder.
        #[arg(long, value_name = "DIRECTORY")]
        out: Option<PathBuf>,
    },
    /// Save the live organization as a snapshot.
    #[command(after_help = FETCH_EXIT_CODES)]
    Fetch(FetchArgs),
    /// Try every permission and setting that the live run needs, and name what is missing.
    #[command(after_help = DOCTOR_EXIT_CODES)]
    Doctor(DoctorArgs),
}

/// The input and the effort of a check.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// The saved organization; without it the live one is read.
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// The perimeter; perimeter.toml beside the snapshot, else in the working directory.
    #[arg(long, value_name = "FILE")]
    pub perimeter: Option<PathBuf>,
    /// The moment of the evaluation (RFC 3339); exemptions expire against it.
    #[arg(long, value_name = "TIME")]
    pub now: Option<jiff::Timestamp>,
    /// Steps that each question may take before it is undecided.
    #[arg(long, value_name = "STEPS", default_value_t = prover::DEFAULT_BUDGET)]
    pub budget: u64,
    /// Characters that Organizations allows in a policy document; longer ones are only warned of.
    #[arg(long, value_name = "N", default_value_t = 10_240)]
    pub quota_characters: usize,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The input.
    #[command(flatten)]
    pub input: InputArgs,
    /// Only this account (repeatable).
    #[arg(long = "account", value_name = "ID")]
    pub accounts: Vec<String>,
    /// Only this control (repeatable).
    #[arg(long = "control", value_name = "ID")]
    pub controls: Vec<String>,
    /// The format of the results.
    #[arg(long, value_enum, default_value_t = Format(&text::FORMAT))]
    pub format: Format,
    /// Write the results to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The account's id or name.
    pub account: String,
    /// Only this control, for instance SESDP.8.
    pub control: Option<String>,
    /// The input.
    #[command(flatten)]
    pub input: InputArgs,
}

/// Arguments of `fix`.
#[derive(Debug, Args)]
pub struct FixArgs {
    /// Only these accounts, units or roots, by id or name; everything that may not mail anyone
    /// where none is given.
    #[arg(value_name = "ACCOUNT or OU")]
    pub targets: Vec<String>,
    /// Only this control (repeatable).
    #[arg(long = "control", value_name = "ID")]
    pub controls: Vec<String>,
    /// The input.
    #[command(flatten)]
    pub input: InputArgs,
    /// What fits.
    #[command(flatten)]
    pub quota: QuotaArgs,
    /// The format of the change.
    #[arg(long, value_enum, default_value_t = FixFormat::Text)]
    pub format: FixFormat,
    /// Write the change to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The snapshot before.
    #[arg(value_name = "A")]
    pub before: PathBuf,
    /// The snapshot after.
    #[arg(value_name = "B")]
    pub after: PathBuf,
    /// The perimeter; perimeter.toml beside B, else in the working directory.
    #[arg(long, value_name = "FILE")]
    pub perimeter: Option<PathBuf>,
    /// The moment of both evaluations (RFC 3339); without it each snapshot's own moment, so that
    /// exemptions that expired in between show.
    #[arg(long, value_name = "TIME")]
    pub now: Option<jiff::Timestamp>,
    /// Steps that each question may take before it is undecided.
    #[arg(long, value_name = "STEPS", default_value_t = prover::DEFAULT_BUDGET)]
    pub budget: u64,
    /// The format of the comparison.
    #[arg(long, value_enum, default_value_t = ChangeFormat::Text)]
    pub format: ChangeFormat,
    /// Write the comparison to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `what-if`.
#[derive(Debug, Args)]
pub struct WhatIfArgs {
    /// The policy gets the document in the file (repeatable).
    #[arg(long = "policy", value_name = "ID=FILE", value_parser = pair)]
    pub policies: Vec<(String, String)>,
    /// A new policy with the document in the file; --attach takes its name (repeatable).
    #[arg(long = "new-policy", value_name = "NAME=FILE", value_parser = pair)]
    pub new_policies: Vec<(String, String)>,
    /// The policy is attached to the root, unit or account (repeatable).
    #[arg(long = "attach", value_name = "POLICY=TARGET", value_parser = pair)]
    pub attachments: Vec<(String, String)>,
    /// The policy is detached from the root, unit or account (repeatable).
    #[arg(long = "detach", value_name = "POLICY=TARGET", value_parser = pair)]
    pub detachments: Vec<(String, String)>,
    /// The account moves to the root or unit (repeatable).
    #[arg(long = "move", value_name = "ACCOUNT=PARENT", value_parser = pair)]
    pub moves: Vec<(String, String)>,
    /// The change is in a Terraform plan in JSON, a CloudFormation template or a change set.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// The template's parameter has this value (repeatable).
    #[arg(long = "parameter", value_name = "NAME=VALUE", requires = "plan")]
    pub parameters: Vec<String>,
    /// The template's parameters are in the file, in a form that the AWS CLI takes.
    #[arg(long = "parameters", value_name = "FILE", requires = "plan")]
    pub parameters_file: Option<PathBuf>,
    /// The perimeter as it is proposed, too: what it changes is shown, and verdicts and exit code
    /// stay those of --perimeter.
    #[arg(long, value_name = "FILE")]
    pub new_perimeter: Option<PathBuf>,
    /// What ends with exit code 1, beside a verdict that gets worse: nothing, a control that fails
    /// with the change, or also one that is undecided.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = FailOn::Regression)]
    pub fail_on: FailOn,
    /// The input.
    #[command(flatten)]
    pub input: InputArgs,
    /// What fits.
    #[command(flatten)]
    pub quota: QuotaArgs,
    /// The format of the comparison.
    #[arg(long, value_enum, default_value_t = ChangeFormat::Text)]
    pub format: ChangeFormat,
    /// Write the comparison to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("it takes two parts with `=` between them".to_owned()),
    }
}

/// What a change must not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A verdict that gets worse.
    Regression,
    /// Also a control that fails, whether or not it did before.
    Failed,
    /// Also a control that is undecided.
    Undecided,
}

/// Formats of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChangeFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// A comment for a pull request.
    Markdown,
    /// What fails and is undecided after the change, with regions in the policy files given.
    Sarif,
}

/// Quotas that a change has to keep.
#[derive(Debug, Clone, Copy, Args)]
pub struct QuotaArgs {
    /// Service control policies that Organizations allows on one target.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub quota_policies: usize,
}

/// Formats of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FixFormat {
    /// For people, with a diff of each policy.
    Text,
    /// Policies and attachments as a snapshot has them, and what they do.
    Json,
    /// Terraform.
    Terraform,
    /// A CloudFormation template.
    Cloudformation,
    /// A shell script of AWS CLI calls.
    AwsCli,
}

/// Arguments of `fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// Where the snapshot is saved.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How the organization is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Whether and how exposure is read.
    #[command(flatten)]
    pub exposure: ExposureArgs,
}

/// How exposure is read.
#[derive(Debug, Clone, Args)]
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "there is nothing to read"))]
pub struct ExposureArgs {
    /// Also read how SES stands in every active account, as a role of the account; it is never
    /// changed.
    #[arg(long)]
    pub exposure: bool,
    /// The role that is assumed in each account.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "SesPerimeterReadExposure",
        requires = "exposure"
    )]
    pub read_role: String,
    /// The external id that the role's trust policy asks for.
    #[arg(long, value_name = "ID", requires = "exposure")]
    pub external_id: Option<String>,
    /// The Regions to read, between commas; by default all where SES has an endpoint.
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "exposure")]
    pub exposure_regions: Vec<String>,
}

/// How the live organization is read.
#[derive(Debug, Clone, Args)]
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "there is nothing to read"))]
pub struct ReadingArgs {
    /// The share of AWS's call rates to use, above 0 and at most 1; others use the same rates.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = share)]
    pub organizations_share: f64,
    /// Leave out the names of units, which cost a call for each unit.
    #[arg(long)]
    pub no_unit_names: bool,
}

impl Default for ReadingArgs {
    fn default() -> Self {
        Self { organizations_share: 0.5, no_unit_names: false }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let wrong = || "it must be a number above 0 and at most 1, for instance 0.5".to_owned();
    let share: f64 = text.parse().map_err(|_| wrong())?;
    if share > 0.0 && share <= 1.0 { Ok(share) } else { Err(wrong()) }
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "there is nothing to examine"))]
pub struct DoctorArgs {
    /// Also try the functions' bucket.
    #[arg(long, value_name = "NAME")]
    pub bucket: Option<String>,
    /// Also try whether the digest can be sent from this address.
    #[arg(long, value_name = "ADDRESS")]
    pub digest_from: Option<String>,
    /// The format of the report.
    #[arg(long, value_enum, default_value_t = DoctorFormat::Text)]
    pub format: DoctorFormat,
}

/// Formats of a doctor's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Arguments of `lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Policy documents in JSON.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A perimeter, for its trusted recipients and exemption tags.
    #[arg(long, value_name = "FILE")]
    pub perimeter: Option<PathBuf>,
    /// Characters that Organizations allows in a policy document.
    #[arg(long, value_name = "N", default_value_t = 10_240)]
    pub quota_characters: usize,
    /// The format of the findings.
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub format: LintFormat,
}

/// Formats of the findings of `lint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// A format of results, by its name.
#[derive(Debug, Clone, Copy)]
pub struct Format(pub &'static reports::Format);

/// Text first, which is the program's own.
static FORMATS: LazyLock<Vec<Format>> =
    LazyLock::new(|| std::iter::once(&text::FORMAT).chain(&reports::FORMATS).map(Format).collect());

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &FORMATS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name).help(self.0.about))
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On terminals.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
