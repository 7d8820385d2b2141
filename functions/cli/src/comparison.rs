//! Two states of an organization side by side, on paper: for `what-if` and `diff`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use changes::compare::{CellChange, Direction, MailLoss, Side};
use findings::names::{self, Names, count};
use findings::results::{self, Maker, ResultEntry, WitnessEntry};
use organization::{AccountId, AccountIdx, Organization, PolicyIdx};
use reports::Checked;
use serde::Serialize;
use ses_perimeter::check::{Now, Row, Status};
use ses_perimeter::control::ControlId;
use ses_perimeter::model;
use ses_perimeter::perimeter::Perimeter;

use crate::args::{ChangeFormat, FailOn};
use crate::change::{CellOut, Head, LostOut, losses};
use crate::check::unless_closed;
use crate::output::to_file;
use crate::text::paint::{BAD, BOLD, DIM, GOOD, OPEN, Paragraph, width};
use crate::text::{Origin, heading};

/// Accounts that a line names before it counts the rest.
const NAMED: usize = 5;

/// What is compared.
pub struct Worlds<'a> {
    /// Before.
    pub before: Side<'a>,
    /// After.
    pub after: Side<'a>,
    /// The moment of the evaluation, of two the first, in RFC 3339.
    pub evaluated_at: &'a str,
    /// The perimeter.
    pub perimeter: &'a Perimeter,
    /// The snapshot's file, of two the first; none where the organization was read live.
    pub snapshot: Option<&'a Path>,
    /// The moment of the evaluation after.
    pub now: Now,
    /// The files of policies after that have one of their own.
    pub files: BTreeMap<PolicyIdx, String>,
}

/// A comparison with everything that is told of it.
pub struct Comparison<'a> {
    /// What is compared.
    pub worlds: Worlds<'a>,
    /// The snapshot after, where it is one of its own: its file, and when it is evaluated.
    pub second: Option<Second<'a>>,
    /// What changes, in words.
    pub edits: Vec<String>,
    /// What was passed over and what was assumed; sentences without a stop.
    pub notes: Vec<String>,
    /// Errors in proposed documents that verdicts do not show; sentences without a stop.
    pub mistakes: Vec<String>,
    /// Accounts that have no id yet: digits stand for it in the organization after.
    pub new_accounts: BTreeSet<AccountId>,
    /// What gives exit code 1.
    pub fail_on: FailOn,
    /// The verdicts that differ.
    pub changes: Vec<CellChange>,
    /// What explains a verdict's change, where that is looked for.
    pub reasons: BTreeMap<(AccountId, ControlId), Vec<String>>,
    /// Mail to trusted recipients that is lost.
    pub losses: Vec<MailLoss>,
}

/// The second of two snapshots that are compared; the first is that of [`Worlds`].
pub struct Second<'a> {
    /// Its file.
    pub snapshot: &'a Path,
    /// When it is evaluated, in RFC 3339.
    pub evaluated_at: &'a str,
}

impl Comparison<'_> {
    /// 1 where something is there that fails, 3 where that is not so and a verdict is UNDECIDED
    /// that was not.
    pub fn exit_code(&self) -> u8 {
        let after = |wanted: &[Status]| {
            let rows = &self.worlds.after.report.rows;
            rows.iter().flat_map(Row::all).any(|cell| wanted.contains(&cell.status))
        };
        let fails = match self.fail_on {
            FailOn::Regression => false,
            FailOn::Failed => after(&[Status::Failed]),
            FailOn::Undecided => after(&[Status::Failed, Status::Undecided]),
        };
        let worse = self.changes.iter().any(|change| change.direction == Direction::Worse);
        if fails || worse {
            1
        } else if self.changes.iter().any(|change| change.after == Some(Status::Undecided)) {
            3
        } else {
            0
        }
    }

    /// What `--fail-on` finds that no change shows.
    pub fn stands(&self) -> Option<String> {
        let rows = &self.worlds.after.report.rows;
        let of = |wanted: Status| {
            rows.iter().flat_map(Row::all).filter(|cell| cell.status == wanted).count()
        };
        let (failed, undecided) = (of(Status::Failed), of(Status::Undecided));
        let counted = match self.fail_on {
            FailOn::Regression => return None,
            FailOn::Failed if failed > 0 => format!("{failed} FAILED"),
            FailOn::Undecided if failed + undecided > 0 => {
                format!("{failed} FAILED and {undecided} UNDECIDED")
            }
            FailOn::Failed | FailOn::Undecided => return None,
        };
        Some(format!("With the change, {counted} verdicts stand"))
    }
}

/// Writes the comparison.
///
/// # Errors
/// The place for it is unusable.
pub fn emit(
    comparison: &Comparison<'_>,
    format: ChangeFormat,
    out: Option<&Path>,
) -> miette::Result<()> {
    let write = |out: &mut dyn Write, width: usize| match format {
        ChangeFormat::Text => comparison.text(out, width),
        ChangeFormat::Json => comparison.json(out),
        ChangeFormat::Markdown => crate::comment::write(out, comparison),
        ChangeFormat::Sarif => comparison.sarif(out),
    };
    match out {
        Some(path) => to_file(path, "comparison", |out| {
            // A file keeps no colour, whatever --color says of the terminal.
            let mut plain = anstream::StripStream::new(Vec::new());
            write(&mut plain, width(false))?;
            out.write_all(&plain.into_inner())
        }),
        None => {
            let mut out = BufWriter::new(anstream::stdout().lock());
            unless_closed(write(&mut out, width(true)).and_then(|()| out.flush()))
        }
    }
}

/// Accounts whose verdicts changed in the same way for the same reasons.
pub struct Group {
    /// The controls.
    pub controls: BTreeSet<ControlId>,
    /// Before.
    pub before: Option<Status>,
    /// After.
    pub after: Option<Status>,
    /// What explains it.
    pub reasons: Vec<String>,
    /// Who.
    pub accounts: Vec<AccountId>,
    /// The verdict of the first account after, where it is there.
    pub shown: Option<ResultEntry>,
}

impl Group {
    /// `PASSED to FAILED`.
    pub fn turn(&self) -> String {
        let name = |status: Option<Status>| status.map_or("none", Status::name);
        format!("{} to {}", name(self.before), name(self.after))
    }

    /// Why the verdict after is not good: the witness and the cause, or the obstacles.
    pub fn why(&self) -> Option<String> {
        self.shown.as_ref().and_then(why)
    }
}

fn why(entry: &ResultEntry) -> Option<String> {
    if let Some(witness) = &entry.witness_text {
        let cause = entry.cause.as_deref().unwrap_or_default();
        return Some(format!("{witness} Why: {cause}."));
    }
    let obstacles: Vec<&str> =
        entry.obstacles.iter().map(|obstacle| obstacle.message.as_str()).collect();
    (!obstacles.is_empty()).then(|| format!("Undecided: {}.", obstacles.join("; ")))
}

type GroupKey = (ControlId, Option<Status>, Option<Status>, Vec<String>);

impl Comparison<'_> {
    /// The changes of one direction, grouped. Each control that got worse is told alone, because
    /// its request is another one.
    pub fn groups(&self, direction: Direction) -> Vec<Group> {
        let mut groups: BTreeMap<GroupKey, Vec<AccountId>> = BTreeMap::new();
        for change in self.changes.iter().filter(|change| change.direction == direction) {
            let reasons = self.reasons.get(&(change.account, change.control));
            let key =
                (change.control, change.before, change.after, reasons.cloned().unwrap_or_default());
            groups.entry(key).or_default().push(change.account);
        }
        let catalog = model::catalog();
        let mut maker = Maker::new(self.worlds.after.organization, self.worlds.perimeter, &catalog);
        let rows = self.worlds.after.by_account();
        // Why nobody can say any more is another reason for each control.
        let told_alone = |after: Option<Status>| {
            direction == Direction::Worse
                || direction == Direction::Other && after == Some(Status::Undecided)
        };
        if direction == Direction::Worse {
            let group = |((control, before, after, reasons), accounts): (GroupKey, Vec<_>)| {
                let first = accounts.first().copied();
                let shown = first.and_then(|account| entry(&mut maker, &rows, account, control));
                Group { controls: [control].into(), before, after, reasons, accounts, shown }
            };
            return groups.into_iter().map(group).collect();
        }
        let mut merged: Vec<Group> = Vec::new();
        for ((control, before, after, reasons), accounts) in groups {
            let first = accounts.first().copied().filter(|_| told_alone(after));
            let shown = first.and_then(|account| entry(&mut maker, &rows, account, control));
            let why = shown.as_ref().and_then(why);
            let same = merged.iter_mut().find(|group| {
                (group.before, group.after) == (before, after)
                    && group.accounts == accounts
                    && group.reasons == reasons
                    && group.why() == why
            });
            match same {
                Some(group) => {
                    group.controls.insert(control);
                }
                None => {
                    let controls = [control].into();
                    let group = Group { controls, before, after, reasons, accounts, shown };
                    merged.push(group);
                }
            }
        }
        merged
    }

    /// The verdicts of every account that has no id yet, in a sentence without a stop.
    pub fn about_new(&self) -> Vec<String> {
        let organization = self.worlds.after.organization;
        let names = Names::new(organization);
        let rows = self.worlds.after.by_account();
        let told = |id: &AccountId| {
            let row = rows.get(id)?;
            let parent = organization.parent(organization.target_of(row.account))?;
            let mut by_status: BTreeMap<Status, Vec<ControlId>> = BTreeMap::new();
            for cell in row.all() {
                by_status.entry(cell.status).or_default().push(cell.control);
            }
            let of = |status: Status| {
                let controls = by_status.get(&status)?;
                Some(format!("{} ({})", status.name(), names::controls(controls.iter().copied())))
            };
            let statuses =
                [Status::Failed, Status::Undecided, Status::Passed, Status::NotApplicable];
            let parts: Vec<String> = statuses.into_iter().filter_map(of).collect();
            let name = organization.account(row.account).map(|it| &*it.name)?;
            Some(format!("{name} under {}: {}", names.target(parent), parts.join(", ")))
        };
        self.new_accounts.iter().filter_map(told).collect()
    }

    /// How many verdicts went each way: worse, better, neither.
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |wanted| self.changes.iter().filter(|c| c.direction == wanted).count();
        (of(Direction::Worse), of(Direction::Better), of(Direction::Other))
    }

    /// The first sentence.
    pub fn headline(&self) -> String {
        let (worse, better, other) = self.counts();
        if self.changes.is_empty() {
            return "No verdict changes".to_owned();
        }
        let changed = worse + better + other;
        let mut parts = Vec::new();
        for (number, what) in [(worse, "worse"), (better, "better"), (other, "neither")] {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        let verb = if changed == 1 { "changes" } else { "change" };
        format!("{} {verb}: {}", count(changed, "verdict"), parts.join(", "))
    }

    fn text(&self, out: &mut dyn Write, width: usize) -> io::Result<()> {
        let (worse, better, _) = self.counts();
        let style = if worse > 0 {
            BAD
        } else if better > 0 {
            GOOD
        } else {
            OPEN
        };
        Paragraph { style, ..Paragraph::of(&self.headline()) }.write(out, width)?;
        if let Some(stands) = self.stands() {
            Paragraph { style: BAD, ..Paragraph::of(&stands) }.write(out, width)?;
        }
        let Worlds { before, after, evaluated_at, perimeter, snapshot, .. } = self.worlds;
        let origin = Origin {
            organization: before.organization,
            evaluated_at,
            undocumented: perimeter.undocumented,
            snapshot,
        };
        match &self.second {
            None => origin.write(out, width)?,
            Some(second) => {
                for (name, organization, evaluated_at, snapshot) in [
                    ("Before", before.organization, evaluated_at, snapshot),
                    ("After", after.organization, second.evaluated_at, Some(second.snapshot)),
                ] {
                    Paragraph { style: DIM, ..Paragraph::of(&format!("{name}:")) }
                        .write(out, width)?;
                    Origin { organization, evaluated_at, snapshot, ..origin }.write(out, width)?;
                }
            }
        }
        if !self.edits.is_empty() {
            heading(out, "The change")?;
            for edit in &self.edits {
                Paragraph { indent: 2, ..Paragraph::of(edit) }.write(out, width)?;
            }
        }
        let about_new = self.about_new();
        if !about_new.is_empty() {
            heading(out, "New accounts")?;
            for sentence in &about_new {
                Paragraph { indent: 2, ..Paragraph::of(sentence) }.write(out, width)?;
            }
        }
        for (direction, title) in [
            (Direction::Worse, "Worse"),
            (Direction::Better, "Better"),
            (Direction::Other, "Neither better nor worse"),
        ] {
            let groups = self.groups(direction);
            if groups.is_empty() {
                continue;
            }
            heading(out, title)?;
            for group in groups {
                self.group(out, &group, width)?;
            }
        }
        for (title, sentences) in [
            ("Mistakes in the documents", &self.mistakes),
            ("Passed over and assumed", &self.notes),
        ] {
            if !sentences.is_empty() {
                heading(out, title)?;
            }
            for sentence in sentences {
                Paragraph { indent: 2, ..Paragraph::of(sentence) }.write(out, width)?;
            }
        }
        if !self.losses.is_empty() {
            let organization = before.organization;
            losses(out, organization, &Names::new(organization), &self.losses, width)?;
        }
        Ok(())
    }

    fn group(&self, out: &mut dyn Write, group: &Group, width: usize) -> io::Result<()> {
        let head = format!("{} {}", names::controls(group.controls.iter().copied()), group.turn());
        let text = self.who(&group.accounts);
        Paragraph { head: &head, style: BOLD, text: &text, indent: 2 }.write(out, width)?;
        if let Some(why) = group.why() {
            Paragraph { indent: 4, ..Paragraph::of(&why) }.write(out, width)?;
        }
        for reason in &group.reasons {
            Paragraph { head: "because", style: DIM, text: reason, indent: 4 }.write(out, width)?;
        }
        Ok(())
    }

    /// `3 accounts: shop, billing and data`.
    pub fn who(&self, accounts: &[AccountId]) -> String {
        let organization = self.worlds.after.organization;
        let known: Vec<AccountIdx> =
            accounts.iter().filter_map(|id| organization.find_account(*id)).collect();
        if known.len() == accounts.len() {
            return Names::new(organization).counted(&known, NAMED);
        }
        let organization = self.worlds.before.organization;
        let known: Vec<AccountIdx> =
            accounts.iter().filter_map(|id| organization.find_account(*id)).collect();
        Names::new(organization).counted(&known, NAMED)
    }

    fn sarif(&self, out: &mut dyn Write) -> io::Result<()> {
        let Worlds { after, evaluated_at, perimeter, snapshot, now, ref files, .. } = self.worlds;
        let (evaluated_at, snapshot) = match &self.second {
            Some(second) => (second.evaluated_at, Some(second.snapshot)),
            None => (evaluated_at, snapshot),
        };
        let snapshot = snapshot.map(|path| path.display().to_string());
        let checked = Checked {
            organization: after.organization,
            perimeter,
            catalog: &model::catalog(),
            report: after.report,
            origin: results::Origin { version: env!("CARGO_PKG_VERSION"), evaluated_at },
            now,
            snapshot: snapshot.as_deref(),
            files: files.clone(),
            fixes: Vec::new(),
        };
        reports::sarif::write(out, &checked)
    }

    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let Worlds { before, after, evaluated_at, perimeter, .. } = self.worlds;
        let sides = (before.organization, after.organization);
        let catalog = model::catalog();
        let mut maker = Maker::new(after.organization, perimeter, &catalog);
        let rows = after.by_account();
        let cells: Vec<ChangedOut> = self
            .changes
            .iter()
            .map(|change| {
                let told =
                    change.direction == Direction::Worse || change.after == Some(Status::Undecided);
                let entry = told.then(|| entry(&mut maker, &rows, change.account, change.control));
                let entry = entry.flatten();
                ChangedOut {
                    cell: CellOut::new(sides, change, &self.new_accounts),
                    because: self.reasons.get(&(change.account, change.control)).cloned(),
                    cause: entry.as_ref().and_then(|entry| entry.cause.clone()),
                    obstacles: entry
                        .as_ref()
                        .map(|e| e.obstacles.iter().map(|o| o.message.clone()).collect())
                        .unwrap_or_default(),
                    witness: entry.and_then(|entry| entry.witness),
                }
            })
            .collect();
        let lost: Vec<LostOut> =
            self.losses.iter().map(|loss| LostOut::new(before.organization, loss)).collect();
        let (worse, better, other) = self.counts();
        let document = ComparisonOut {
            head: Head::new(before.organization, evaluated_at),
            summary: SummaryOut { worse, better, other },
            snapshots: self.second.as_ref().map(|second| SnapshotsOut {
                before: SnapshotOut::of(before.organization, evaluated_at),
                after: SnapshotOut::of(after.organization, second.evaluated_at),
            }),
            edits: &self.edits,
            mistakes: &self.mistakes,
            notes: &self.notes,
            new_accounts: self
                .new_accounts
                .iter()
                .filter_map(|id| NewOut::of(after.organization, *id))
                .collect(),
            changed: cells,
            lost_mail: lost,
        };
        serde_json::to_writer_pretty(&mut *out, &document)?;
        out.write_all(b"\n")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ComparisonOut<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    summary: SummaryOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshots: Option<SnapshotsOut<'a>>,
    edits: &'a [String],
    mistakes: &'a [String],
    notes: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new_accounts: Vec<NewOut<'a>>,
    changed: Vec<ChangedOut>,
    lost_mail: Vec<LostOut>,
}

/// An account that has no id yet.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewOut<'a> {
    account_name: &'a str,
    /// The root or unit; a new one has an id that stands for the real one.
    parent_id: String,
    /// The digits that stand for its id in requests.
    stand_in: String,
}

impl<'a> NewOut<'a> {
    fn of(organization: &'a Organization, id: AccountId) -> Option<Self> {
        let account = organization.account(organization.find_account(id)?)?;
        let parent_id = organization.target_ref(account.parent).id.to_string();
        Some(Self { account_name: &account.name, parent_id, stand_in: id.to_string() })
    }
}

/// Both snapshots, where there are two.
#[derive(Serialize)]
struct SnapshotsOut<'a> {
    before: SnapshotOut<'a>,
    after: SnapshotOut<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotOut<'a> {
    digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched_at: Option<&'a str>,
    evaluated_at: &'a str,
}

impl<'a> SnapshotOut<'a> {
    fn of(organization: &'a Organization, evaluated_at: &'a str) -> Self {
        let fetched_at = organization.fetched_at.as_deref();
        Self { digest: &organization.digest, fetched_at, evaluated_at }
    }
}

#[derive(Serialize)]
struct SummaryOut {
    worse: usize,
    better: usize,
    other: usize,
}

/// The verdict of an account.
fn entry(
    maker: &mut Maker<'_>,
    rows: &BTreeMap<AccountId, &Row>,
    account: AccountId,
    control: ControlId,
) -> Option<ResultEntry> {
    let row = rows.get(&account)?;
    let cell = row.cells.iter().find(|cell| cell.control == control)?;
    Some(maker.entry(row, cell))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangedOut {
    #[serde(flatten)]
    cell: CellOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    obstacles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<WitnessEntry>,
}
