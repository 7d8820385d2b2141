//! `ses-perimeter lint`.

use std::io::{self, BufWriter, Write};

use miette::{Report, miette};
use policy::parse::Limits;
use reports::lint::{self, Linted, LintedFile};
use ses_perimeter::check::Now;
use ses_perimeter::lint::{LintFinding, Severity, lint_together};
use text::clipped::Clipped;

use crate::args::{LintArgs, LintFormat};
use crate::input;
use crate::output::{plain, unless_closed};

/// Something was found in a document.
const FOUND: u8 = 1;
/// A file could not be read.
const UNREAD: u8 = 2;

/// How many findings there are of each kind.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    files: usize,
    errors: usize,
    warnings: usize,
    advice: usize,
    slipping: usize,
}

/// Runs the command and returns the exit code.
///
/// # Errors
/// When the perimeter is unusable, or the findings cannot be printed.
pub fn run(args: &LintArgs, quiet: bool) -> miette::Result<u8> {
    let perimeter = match &args.perimeter {
        Some(path) => {
            let (perimeter, warnings) = input::read_perimeter(path)?;
            if !quiet {
                warnings.iter().for_each(crate::output::say);
            }
            Some(perimeter)
        }
        None => None,
    };
    let limits = Limits { quota_characters: args.quota_characters, ..Limits::default() };
    let now = jiff::Timestamp::now();
    let now = Now::from_epoch_seconds(now.as_second())
        .ok_or_else(|| miette!("the moment {now} is out of range"))?;
    let mut unread = Vec::new();
    let mut files = Vec::new();
    for path in &args.files {
        match input::text_of(path, "file") {
            Ok(text) => files.push((path.display().to_string(), text)),
            Err(report) => {
                crate::output::say(&report);
                unread.push(report.to_string());
            }
        }
    }
    let texts: Vec<&str> = files.iter().map(|(_, text)| text.as_str()).collect();
    let found = lint_together(&texts, &limits, perimeter.as_ref(), now);
    let mut count = Count { files: files.len(), ..Count::default() };
    found.iter().flatten().for_each(|finding| count.add(finding));
    let code = count.exit_code(!unread.is_empty());
    match args.format {
        LintFormat::Text => unless_closed(print_all(files, found))?,
        LintFormat::Json => {
            plain(|out| lint::write_json(out, &linted(&files, &found, unread)))?;
        }
        LintFormat::Sarif => {
            plain(|out| lint::write_sarif(out, &linted(&files, &found, unread)))?;
        }
    }
    if !quiet && count.files > 0 {
        anstream::eprintln!("{}", count.summary());
    }
    Ok(code)
}

fn linted<'a>(
    files: &'a [(String, String)],
    found: &'a [Vec<LintFinding>],
    unread: Vec<String>,
) -> Linted<'a> {
    let files = files.iter().zip(found);
    Linted {
        version: env!("CARGO_PKG_VERSION"),
        files: files.map(|((path, text), findings)| LintedFile { path, text, findings }).collect(),
        unread,
    }
}

fn print_all(files: Vec<(String, String)>, found: Vec<Vec<LintFinding>>) -> io::Result<()> {
    let mut out = BufWriter::new(anstream::stdout().lock());
    for ((name, text), findings) in files.into_iter().zip(found) {
        print(&mut out, &name, &text, findings)?;
    }
    out.flush()
}

fn print(
    out: &mut dyn Write,
    name: &str,
    text: &str,
    findings: Vec<LintFinding>,
) -> io::Result<()> {
    let source = Clipped::new(name, text);
    for finding in findings {
        let slips = finding.slips_through.as_ref().map(ToString::to_string);
        if finding.diagnostic.labels.is_empty() {
            // Nothing points into the file, so its name must be said.
            writeln!(out, "{name}:")?;
        }
        let report = Report::new(finding.diagnostic).with_source_code(source.clone());
        writeln!(out, "{report:?}")?;
        if let Some(slips) = slips {
            writeln!(out, "  slips through: {slips}\n")?;
        }
    }
    Ok(())
}

impl Count {
    fn add(&mut self, finding: &LintFinding) {
        match finding.diagnostic.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Advice => self.advice += 1,
        }
        self.slipping += usize::from(finding.slips_through.is_some());
    }

    fn summary(self) -> String {
        let files =
            if self.files == 1 { "1 file".to_owned() } else { format!("{} files", self.files) };
        let kinds: Vec<String> = [
            (self.errors, "error", "errors"),
            (self.warnings, "warning", "warnings"),
            (self.advice, "piece of advice", "pieces of advice"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
        if kinds.is_empty() {
            return format!("{files}: nothing found");
        }
        let slipping = match self.slipping {
            0 => String::new(),
            1 => "; 1 shows a request that slips through".to_owned(),
            many => format!("; {many} show a request that slips through"),
        };
        format!("{files}: {}{slipping}", kinds.join(", "))
    }

    const fn exit_code(self, unread: bool) -> u8 {
        if unread {
            UNREAD
        } else if self.errors + self.warnings > 0 {
            FOUND
        } else {
            0
        }
    }
}
