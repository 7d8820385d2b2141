//! Accounts against controls, one mark for each verdict.

use std::collections::BTreeMap;
use std::io::{self, Write};

use findings::names::{Names, count, list, number};
use organization::{AccountIdx, Organization, TargetIdx};
use ses_perimeter::report::{Row, Status};

use super::page::{Page, heading};
use super::paint::{BOLD, DIM, columns, fit, mark, plain};

/// Lines of the matrix before equal rows of all units are folded together.
const BY_UNIT: usize = 60;
/// Lines of the matrix then.
const MOST: usize = 40;
/// Columns of one control.
const CELL: usize = 3;
/// Columns for names on the narrowest page.
const NARROWEST: usize = 14;
/// More columns for names than this only separate them from their marks.
const WIDEST: usize = 50;

type Marks = Vec<Status>;

/// Accounts with the same marks.
struct Folded {
    marks: Marks,
    accounts: Vec<AccountIdx>,
}

pub fn write(out: &mut dyn Write, page: &Page<'_>, names: &Names<'_>) -> io::Result<()> {
    heading(out, "Accounts and controls")?;
    let label =
        page.width.saturating_sub(2 + CELL * page.report.controls.len()).clamp(NARROWEST, WIDEST);
    let numbers: String =
        page.report.controls.iter().map(|control| format!("{:>CELL$}", control.number())).collect();
    writeln!(out, "  {}{DIM}{numbers}{DIM:#}", fit("", label))?;
    let units = by_unit(page);
    let lines: usize = units.iter().map(|(_, rows)| rows.len() + 1).sum();
    if lines <= BY_UNIT {
        for (unit, rows) in &units {
            writeln!(out, "{BOLD}{}{BOLD:#}", plain(&names.path(*unit)))?;
            for row in rows {
                line(out, page, row, names, label)?;
            }
        }
    } else {
        let everywhere = folded(page.report.rows.iter());
        let text = format!(
            "{} in {}, equal ones together",
            count(page.report.rows.len(), "account"),
            count(units.len(), "place")
        );
        writeln!(out, "{BOLD}{text}{BOLD:#}")?;
        for row in everywhere.iter().take(MOST) {
            line(out, page, row, names, label)?;
        }
        let left = everywhere.get(MOST..).unwrap_or_default();
        if !left.is_empty() {
            let accounts: usize = left.iter().map(|row| row.accounts.len()).sum();
            let text = format!(
                "and {} with other results; see one with --account",
                count(accounts, "account")
            );
            writeln!(out, "  {DIM}{text}{DIM:#}")?;
        }
    }
    legend(out, page)
}

fn marks(row: &Row) -> Marks {
    row.all().map(|cell| cell.status()).collect()
}

/// Equal rows together, in the order of the first of each.
fn folded<'r>(rows: impl Iterator<Item = &'r Row>) -> Vec<Folded> {
    let mut places: BTreeMap<Marks, usize> = BTreeMap::new();
    let mut all: Vec<Folded> = Vec::new();
    for row in rows {
        let marks = marks(row);
        match places.get(&marks).and_then(|place| all.get_mut(*place)) {
            Some(known) => known.accounts.push(row.account),
            None => {
                places.insert(marks.clone(), all.len());
                all.push(Folded { marks, accounts: vec![row.account] });
            }
        }
    }
    all
}

/// The root and the units that hold accounts directly, in the order of the tree.
fn by_unit(page: &Page<'_>) -> Vec<(TargetIdx, Vec<Folded>)> {
    let mut held: BTreeMap<TargetIdx, Vec<&Row>> = BTreeMap::new();
    for row in &page.report.rows {
        if let Some(account) = page.organization.account(row.account) {
            held.entry(account.parent).or_default().push(row);
        }
    }
    tree_order(page.organization)
        .into_iter()
        .filter_map(|target| Some((target, folded(held.get(&target)?.iter().copied()))))
        .collect()
}

/// The root and all units, each before those that it holds.
fn tree_order(organization: &Organization) -> Vec<TargetIdx> {
    let mut children: BTreeMap<TargetIdx, Vec<TargetIdx>> = BTreeMap::new();
    let containers = organization.targets().take(1 + organization.units().len());
    for target in containers.skip(1) {
        if let Some(parent) = organization.parent(target.index) {
            children.entry(parent).or_default().push(target.index);
        }
    }
    let mut ordered = Vec::new();
    let mut waiting = vec![TargetIdx::ROOT];
    while let Some(target) = waiting.pop() {
        ordered.push(target);
        waiting.extend(children.get(&target).into_iter().flatten().rev());
    }
    ordered
}

fn line(
    out: &mut dyn Write,
    page: &Page<'_>,
    row: &Folded,
    names: &Names<'_>,
    label: usize,
) -> io::Result<()> {
    write!(out, "  {}", fit(&labelled(page, row, names, label.saturating_sub(1)), label))?;
    for status in &row.marks {
        let (style, mark) = mark(*status);
        write!(out, "{:1$}{style}{mark}{style:#}", "", CELL - 1)?;
    }
    writeln!(out)
}

/// As many names as fit, and how many more there are.
fn labelled(page: &Page<'_>, row: &Folded, names: &Names<'_>, width: usize) -> String {
    let all = row.accounts.len();
    let short = |n: usize| {
        let mut shown: Vec<String> =
            row.accounts.iter().take(n).map(|account| plain(&names.account(*account))).collect();
        if all > n {
            shown.push(format!("{} more", number(all - n)));
        }
        list(&shown)
    };
    if let [only] = row.accounts.as_slice() {
        let found = page.organization.account(*only);
        let name = found.map(|found| plain(&found.name)).unwrap_or_default();
        let id = found.map(|found| found.id.to_string()).unwrap_or_default();
        let long = format!("{name}  {id}");
        return if name != id && columns(&long) <= width { long } else { short(1) };
    }
    // A name is a column wide at least, so no more than `width` of them can fit.
    let best = (2..=all.min(width)).rev().map(short).find(|text| columns(text) <= width);
    best.unwrap_or_else(|| {
        let rest = format!(" and {} more", number(all - 1));
        let first = row.accounts.first().map(|account| plain(&names.account(*account)));
        let room = width.saturating_sub(columns(&rest));
        fit(&first.unwrap_or_default(), room).trim_end().to_owned() + &rest
    })
}

fn legend(out: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    writeln!(out)?;
    for (status, meaning) in [
        (Status::Passed, "passed"),
        (Status::Failed, "failed"),
        (Status::Undecided, "undecided"),
        (Status::NotApplicable, "not applicable"),
    ] {
        let (style, mark) = mark(status);
        write!(out, "  {style}{mark}{style:#} {meaning}")?;
    }
    writeln!(out)?;
    let entries: Vec<String> = page
        .report
        .controls
        .iter()
        .map(|control| format!("{:>2} {}", control.number(), control.title()))
        .collect();
    let widest = entries.iter().map(|entry| columns(entry)).max().unwrap_or_default() + 2;
    let across = (page.width.saturating_sub(2) / widest).max(1);
    let down = entries.len().div_ceil(across);
    for line in 0..down {
        let texts: String =
            entries.iter().skip(line).step_by(down).map(|entry| fit(entry, widest)).collect();
        writeln!(out, "  {DIM}{}{DIM:#}", texts.trim_end())?;
    }
    Ok(())
}
