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
}

/// The input and the effort of a check.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// The saved organization.
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
