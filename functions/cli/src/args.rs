//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Find what is wrong or suspicious in policy documents.
    #[command(after_help = LINT_EXIT_CODES)]
    Lint(LintArgs),
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
    #[arg(long, value_enum, default_value_t = Format::Text)]
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

/// Arguments of `fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// Where the snapshot is saved.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How the organization is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
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
}

/// Formats of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
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
