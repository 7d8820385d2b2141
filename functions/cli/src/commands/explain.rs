//! `ses-perimeter explain`.

use std::io::{self, BufWriter, Write};

use findings::causes::{nothing_near, parted, telling};
use findings::names::{Names, count, number, sid};
use findings::results::{Summary, WitnessEntry, fault_text, permitted};
use findings::words;
use miette::miette;
use organization::AccountIdx;
use ses_perimeter::check::Options;
use ses_perimeter::explain::{Allows, ControlView, Explanation, LevelView, excerpt, explain};
use ses_perimeter::model;
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::Status;
use ses_perimeter::view::{CellView, StatementView, StopView};

use crate::args::ExplainArgs;
use crate::deciding::{decide, exit_code};
use crate::input;
use crate::output::unless_closed;
use crate::text::paint::{BOLD, DIM, Paragraph, columns, fit, mark, plain, width};
use crate::text::{self, Page, heading, obstacle_words};

/// Statements that came near, for each control where many are shown.
const NEAR: usize = 2;
/// The same where one control is shown.
const NEAR_ALONE: usize = 10;
/// Lines of a statement.
const EXCERPT: usize = 40;

/// Runs the command and returns the exit code.
///
/// # Errors
/// When the input is unusable, the account or control is not there, or the control is disabled.
pub fn run(args: &ExplainArgs, quiet: bool) -> miette::Result<u8> {
    let control = args.control.as_deref().map(input::control).transpose()?;
    let input = input::read(&args.input, quiet)?;
    if !quiet {
        input.warnings.iter().for_each(crate::output::say);
    }
    control.map_or(Ok(()), |control| input::decidable(&input, control))?;
    let account = input::account(&input.organization, &args.account)?;
    if let Some(control) = control
        && input.perimeter.disabled.contains(&control)
    {
        return Err(miette!(
            help = "take it out of `disabled` under `[controls]`, or use another perimeter",
            "{control} is disabled in the perimeter, so it is not checked"
        ));
    }
    let options = Options {
        controls: control.into_iter().collect(),
        accounts: [account].into(),
        budget: args.input.budget,
        ..Options::default()
    };
    let report = decide(&input, &options, quiet);
    let catalog = model::catalog();
    let page = Page {
        organization: &input.organization,
        catalog: &catalog,
        report: &report,
        evaluated_at: &input.evaluated_at,
        perimeter_settings: &input.perimeter,
        snapshot: args.input.snapshot.as_deref(),
        perimeter: args.input.perimeter.as_deref(),
        width: width(true),
    };
    let mut out = BufWriter::new(anstream::stdout().lock());
    let written = report
        .rows
        .first()
        .map_or(Ok(()), |row| {
            let told = explain(&input.organization, &catalog, row);
            let printer =
                Printer { page, names: Names::new(&input.organization), alone: control.is_some() };
            printer.write(&mut out, &told, &input.perimeter)
        })
        .and_then(|()| out.flush());
    unless_closed(written)?;
    Ok(exit_code(&Summary::of(&report)))
}

struct Printer<'a> {
    page: Page<'a>,
    names: Names<'a>,
    /// Whether one control was asked for, and so everything about it is shown.
    alone: bool,
}

impl Printer<'_> {
    fn write(
        &self,
        out: &mut dyn Write,
        told: &Explanation,
        perimeter: &Perimeter,
    ) -> io::Result<()> {
        self.account(out, told.account)?;
        text::origin(out, &self.page)?;
        heading(out, "Path and policies")?;
        for (depth, level) in told.levels.iter().enumerate() {
            self.level(out, depth, level)?;
        }
        for (status, title) in [
            (Status::Failed, "Failed"),
            (Status::Undecided, "Undecided"),
            (Status::Passed, "Passed"),
            (Status::NotApplicable, "Not applicable"),
        ] {
            let mut controls = told.controls.iter().filter(|c| c.cell.status == status).peekable();
            if controls.peek().is_some() && !self.alone {
                heading(out, title)?;
            }
            for control in controls {
                self.control(out, told, control)?;
            }
        }
        if !self.alone {
            self.disabled(out, perimeter)?;
            self.hint(out, told)?;
        }
        Ok(())
    }

    fn text(&self, out: &mut dyn Write, indent: usize, text: &str) -> io::Result<()> {
        Paragraph { indent, ..Paragraph::of(text) }.write(out, self.page.width)
    }

    fn account(&self, out: &mut dyn Write, account: AccountIdx) -> io::Result<()> {
        let Some(found) = self.page.organization.account(account) else { return Ok(()) };
        let text = format!("account {}, {}", found.id, found.state.name());
        Paragraph { head: &found.name, style: BOLD, text: &text, indent: 0 }
            .write(out, self.page.width)
    }

    fn level(&self, out: &mut dyn Write, depth: usize, level: &LevelView) -> io::Result<()> {
        let organization = self.page.organization;
        let target = organization.target_ref(level.target);
        let indent = 2 + 2 * depth;
        let allows = match level.allows {
            Allows::Everything => "allows everything that nothing denies",
            Allows::Part => "allows only what its Allow statements name",
            Allows::Nothing => "allows nothing",
            Allows::Unknown => "nobody can say what it allows: a policy cannot be read",
        };
        let head = plain(target.name);
        let id = target.id.to_string();
        let text = if head == id { allows.to_owned() } else { format!("{id}; {allows}") };
        Paragraph { head: &head, style: BOLD, text: &text, indent }.write(out, self.page.width)?;
        let policies: Vec<_> = level
            .scps
            .iter()
            .filter_map(|scp| Some((scp, organization.policy(scp.policy)?)))
            .collect();
        let names = policies.iter().map(|(_, policy)| columns(&plain(&policy.name)));
        let ids = policies.iter().map(|(_, policy)| columns(policy.id.as_str()));
        let (names, ids) = (names.max().unwrap_or_default().min(40), ids.max().unwrap_or_default());
        for (scp, policy) in policies {
            let size = scp.characters.map(|n| count(n, "character"));
            let statements = match scp.statements {
                Some(n) => count(n, "statement"),
                None => "unreadable".to_owned(),
            };
            let managed = policy.aws_managed.then(|| "AWS managed".to_owned());
            let facts: Vec<String> =
                [Some(statements), size, managed].into_iter().flatten().collect();
            let name = fit(&plain(&policy.name), names);
            let id = fit(policy.id.as_str(), ids);
            let facts = facts.join(", ");
            writeln!(out, "{:1$}{name}  {DIM}{id}  {facts}{DIM:#}", "", indent + 4)?;
        }
        Ok(())
    }

    fn control(
        &self,
        out: &mut dyn Write,
        told: &Explanation,
        control: &ControlView,
    ) -> io::Result<()> {
        let cell = &control.cell;
        let (style, mark) = mark(cell.status);
        let title = format!("{mark} {} {}", cell.control, cell.control.title());
        if !self.alone {
            return self.briefly(out, &title, style, told, control);
        }
        writeln!(out)?;
        Paragraph { head: &title, style, text: cell.status.name(), indent: 0 }
            .write(out, self.page.width)?;
        if cell.status != Status::Failed {
            self.text(out, 2, &format!("Can the account {}?", cell.control.summary()))?;
        }
        match cell.status {
            Status::Failed => self.failed(out, told, control)?,
            Status::Passed => self.passed(out, control)?,
            Status::Undecided => self.undecided(out, control)?,
            Status::NotApplicable => {
                self.text(out, 2, cell.reason.as_deref().unwrap_or("no reason is known"))?;
            }
        }
        for note in &cell.assumptions {
            self.text(out, 2, &format!("note: {note}"))?;
        }
        Ok(())
    }

    /// One control among others: no statements and no whole request.
    fn briefly(
        &self,
        out: &mut dyn Write,
        title: &str,
        style: anstyle::Style,
        told: &Explanation,
        control: &ControlView,
    ) -> io::Result<()> {
        let cell = &control.cell;
        let mut lines = Vec::new();
        match (&cell.witness, cell.status) {
            (Some((_, witness)), _) => {
                lines.push(words::request(self.page.organization, cell.control, witness));
                let telling = telling(&control.near, NEAR);
                if telling.is_empty() {
                    lines.push(self.unnamed(told, control));
                }
                for near in telling {
                    lines.push(format!("{}: {}", self.names.brief(&near.statement), parted(near)));
                }
            }
            (None, Status::Failed) => lines.extend(cell.faults.iter().map(fault_text)),
            (None, Status::Passed) => {
                lines.extend(cell.reason.clone());
                let stops = cell.decided_by.iter().map(|stop| match stop {
                    StopView::Statement(statement) => {
                        format!("stopped by {}", self.names.brief(statement))
                    }
                    StopView::ImplicitDeny(target) => {
                        format!("nothing allows it at {}", self.names.target(*target))
                    }
                });
                lines.extend(stops);
            }
            (None, Status::Undecided) => {
                for obstacle in &cell.obstacles {
                    let (place, message) = obstacle_words(&self.names, obstacle);
                    let place = match &obstacle.statement {
                        Some(statement) => self.names.brief(statement),
                        None => place,
                    };
                    lines.push(if place.is_empty() {
                        message
                    } else {
                        format!("{place}: {message}")
                    });
                }
            }
            (None, Status::NotApplicable) => lines.extend(cell.reason.clone()),
        }
        lines.extend(cell.assumptions.iter().map(|note| format!("note: {note}")));
        Paragraph { head: title, style, text: "", indent: 2 }.write(out, self.page.width)?;
        lines.iter().try_for_each(|line| self.text(out, 6, line))
    }

    /// Why no statement came near enough to be told.
    fn unnamed(&self, told: &Explanation, control: &ControlView) -> String {
        let general = control.near.iter().filter(|near| near.covers_action()).count();
        nothing_near(told.in_force, general, "this action")
    }

    fn failed(
        &self,
        out: &mut dyn Write,
        told: &Explanation,
        control: &ControlView,
    ) -> io::Result<()> {
        let Some((path, witness)) = &control.cell.witness else {
            return self.faults(out, &control.cell);
        };
        let organization = self.page.organization;
        self.text(out, 2, &words::sentence(organization, control.cell.control, path, witness))?;
        if telling(&control.near, NEAR).is_empty() {
            let mut why = self.unnamed(told, control);
            if let Some(first) = why.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            self.text(out, 2, &format!("{why}."))?;
        }
        self.near(out, control)?;
        self.allowed(out, control)?;
        self.json(out, "The request", &WitnessEntry::new(witness, path))
    }

    /// What is at fault in the account itself, with the requests that its policies permit.
    fn faults(&self, out: &mut dyn Write, cell: &CellView) -> io::Result<()> {
        for fault in &cell.faults {
            self.text(out, 2, &fault_text(fault))?;
        }
        for fault in &cell.faults {
            if let Some(request) = &fault.request {
                let title = format!("A request that {} in {} permits", fault.subject, fault.region);
                self.json(out, &title, &permitted(request))?;
            }
        }
        Ok(())
    }

    fn near(&self, out: &mut dyn Write, control: &ControlView) -> io::Result<()> {
        if control.near.is_empty() {
            return Ok(());
        }
        heading(out, "Deny statements that came near")?;
        for (rank, near) in control.near.iter().take(NEAR_ALONE).enumerate() {
            let score = format!("{} of {} elements match", near.matching(), near.elements.len());
            let place = format!(
                "SCP {} at {}; {score}",
                self.names.policy(near.statement.policy),
                self.names.target(near.statement.target)
            );
            Paragraph { head: &sid(&near.statement), style: BOLD, text: &place, indent: 2 }
                .write(out, self.page.width)?;
            self.text(out, 4, &parted(near))?;
            for open in near.open() {
                self.text(out, 4, &format!("open: {}", open.message))?;
            }
            if rank == 0 && near.covers_action() {
                self.excerpt(out, &near.statement)?;
            }
        }
        let left = control.near.len().saturating_sub(NEAR_ALONE);
        if left > 0 {
            self.text(out, 2, &format!("and {} less near", count(left, "statement")))?;
        }
        Ok(())
    }

    fn allowed(&self, out: &mut dyn Write, control: &ControlView) -> io::Result<()> {
        if control.allowed_by.is_empty() {
            return Ok(());
        }
        heading(out, "What allows the request at each level")?;
        for allow in &control.allowed_by {
            self.text(out, 2, &self.names.statement(allow))?;
        }
        Ok(())
    }

    fn json(&self, out: &mut dyn Write, title: &str, entry: &WitnessEntry) -> io::Result<()> {
        heading(out, title)?;
        let text = serde_json::to_string_pretty(entry)?;
        text.lines().try_for_each(|line| writeln!(out, "  {}", plain(line)))
    }

    fn passed(&self, out: &mut dyn Write, control: &ControlView) -> io::Result<()> {
        if let Some(reason) = &control.cell.reason {
            self.text(out, 2, reason)?;
        }
        for stop in &control.cell.decided_by {
            match stop {
                StopView::Statement(statement) => {
                    self.text(out, 2, &format!("stopped by {}", self.names.statement(statement)))?;
                    self.excerpt(out, statement)?;
                }
                StopView::ImplicitDeny(target) => {
                    let text = format!("nothing allows it at {}", self.names.target(*target));
                    self.text(out, 2, &text)?;
                }
            }
        }
        Ok(())
    }

    fn undecided(&self, out: &mut dyn Write, control: &ControlView) -> io::Result<()> {
        for obstacle in &control.cell.obstacles {
            let (place, message) = obstacle_words(&self.names, obstacle);
            let text = if place.is_empty() { message } else { format!("{place}: {message}") };
            self.text(out, 2, &text)?;
            if let Some(statement) = &obstacle.statement {
                self.excerpt(out, statement)?;
            }
        }
        Ok(())
    }

    fn excerpt(&self, out: &mut dyn Write, statement: &StatementView) -> io::Result<()> {
        let organization = self.page.organization;
        let Some(found) = excerpt(organization, statement.policy, statement.statement) else {
            return Ok(());
        };
        let from = match found.line {
            1 => "the statement:".to_owned(),
            line => format!("the statement, from line {} of the policy document:", number(line)),
        };
        Paragraph { style: DIM, indent: 4, ..Paragraph::of(&from) }.write(out, self.page.width)?;
        for line in found.lines.iter().take(EXCERPT) {
            writeln!(out, "    {DIM}|{DIM:#} {}", plain(line))?;
        }
        let left = found.lines.len().saturating_sub(EXCERPT);
        if left > 0 {
            writeln!(out, "    {DIM}| and {}{DIM:#}", count(left, "more line"))?;
        }
        Ok(())
    }

    fn disabled(&self, out: &mut dyn Write, perimeter: &Perimeter) -> io::Result<()> {
        let disabled: Vec<String> =
            perimeter.disabled.iter().map(|control| control.to_string()).collect();
        if disabled.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        let text = format!("not checked, since the perimeter disables it: {}", disabled.join(", "));
        Paragraph { style: DIM, ..Paragraph::of(&text) }.write(out, self.page.width)
    }

    fn hint(&self, out: &mut dyn Write, told: &Explanation) -> io::Result<()> {
        let first = |status: Status| told.controls.iter().find(|c| c.cell.status == status);
        let shown = first(Status::Failed).or_else(|| first(Status::Undecided));
        let shown = shown.or_else(|| first(Status::Passed));
        let (Some(control), Some(account)) = (shown, self.page.organization.account(told.account))
        else {
            return Ok(());
        };
        writeln!(out, "\nThe statements and the whole request of one control:")?;
        let files = text::files(&self.page);
        let control = control.cell.control;
        writeln!(out, "  {BOLD}ses-perimeter explain {} {control}{files}{BOLD:#}", account.id)
    }
}
