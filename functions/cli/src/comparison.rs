//! Two states of an organization side by side, on paper: for `what-if` and `diff`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

use changes::compare::{CellChange, Direction, MailLoss, Side};
use findings::names::{self, Names, count, list};
use findings::results::{self, ResultBuilder, ResultEntry, WitnessEntry};
use findings::stand_ins::StandIns;
use organization::{AccountId, AccountIdx, Organization, PolicyIdx};
use reports::Checked;
use serde::Serialize;
use ses_perimeter::check::Now;
use ses_perimeter::control::ControlId;
use ses_perimeter::model;
use ses_perimeter::perimeter::Perimeter;
use ses_perimeter::report::{GroupId, Report, Row, Status};

use crate::args::FailOn;
use crate::change::{CellOut, ChangeHead, LostOut, losses};
use crate::text::paint::{BAD, BOLD, DIM, GOOD, OPEN, Paragraph};
use crate::text::{Origin, heading};

/// Accounts that a line names before it counts the rest.
const NAMED: usize = 5;
/// Reasons of one turn that are told before the rest is counted.
const REASONS: usize = 5;

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
    /// The perimeter, where another one is proposed.
    pub renewed: Option<Renewed<'a>>,
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

/// A proposed perimeter, and the verdicts after under it.
pub struct Renewed<'a> {
    /// It.
    pub perimeter: &'a Perimeter,
    /// What it says differently; sentences without a stop, none where it says the same.
    pub says: Vec<String>,
    /// The verdicts after under it.
    pub report: &'a Report,
    /// The verdicts after that are others under it.
    pub changes: Vec<CellChange>,
}

impl Renewed<'_> {
    /// What it does, in a sentence without a stop; none where it says the same.
    pub fn headline(&self) -> Option<String> {
        if self.says.is_empty() {
            return None;
        }
        let mut turns: BTreeMap<String, usize> = BTreeMap::new();
        for change in &self.changes {
            *turns.entry(turn(change.before, change.after)).or_default() += 1;
        }
        // Neither way is good or bad: who trusts everybody has no failed control.
        let under = if turns.is_empty() {
            "under the proposed one every verdict is the same".to_owned()
        } else {
            let turns = turns.iter().map(|(turn, number)| format!("{number} from {turn}"));
            let turns: Vec<String> = turns.collect();
            let verb = if self.changes.len() == 1 { "differs" } else { "differ" };
            let verdicts = count(self.changes.len(), "verdict");
            format!("under the proposed one {verdicts} {verb}: {}", list(&turns))
        };
        Some(format!("The perimeter changes. Verdicts here are those of the present one; {under}"))
    }
}

impl Comparison<'_> {
    /// 1 where something is there that fails, 3 where that is not so and a verdict is UNDECIDED
    /// that was not.
    pub fn exit_code(&self) -> u8 {
        let after = |wanted: &[Status]| {
            let rows = &self.worlds.after.report.rows;
            rows.iter().flat_map(Row::all).any(|cell| wanted.contains(&cell.status()))
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
            rows.iter().flat_map(Row::all).filter(|cell| cell.status() == wanted).count()
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

/// Accounts whose verdicts changed in the same way, for the same reason now.
pub struct ChangedGroup {
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
    /// How many reasons the accounts have, where they are too many to be told.
    pub others: usize,
}

impl ChangedGroup {
    /// `PASSED to FAILED`.
    pub fn turn(&self) -> String {
        turn(self.before, self.after)
    }

    /// Why the verdict after is not good: the witness and the cause, or the obstacles.
    pub fn why(&self) -> Option<String> {
        if self.others > 0 {
            let others = count(self.others, "other reason");
            return Some(format!("{others}; `--format json` has them."));
        }
        match self.witnessed() {
            Some((request, cause)) => Some(format!("{request} Why: {cause}.")),
            None => {
                let open = self.shown.as_ref().map(obstacles).filter(|open| !open.is_empty());
                open.map(|open| format!("Undecided: {open}."))
            }
        }
    }

    /// The request that gets through, in sentences with stops, and why nothing stops it, in one
    /// without.
    pub fn witnessed(&self) -> Option<(&str, &str)> {
        let shown = self.shown.as_ref().filter(|_| self.others == 0)?;
        Some((shown.witness_text.as_deref()?, shown.cause.as_deref().unwrap_or_default()))
    }
}

fn turn(before: Option<Status>, after: Option<Status>) -> String {
    let name = |status: Option<Status>| status.map_or("none", Status::name);
    format!("{} to {}", name(before), name(after))
}

/// What tells the reason of a verdict from that of another account; the own digits aside.
fn reason(entry: &ResultEntry) -> String {
    let cause = entry.cause.clone().unwrap_or_else(|| obstacles(entry));
    cause.replace(&entry.account_id, "")
}

fn obstacles(entry: &ResultEntry) -> String {
    let messages: Vec<&str> =
        entry.obstacles.iter().map(|obstacle| obstacle.message.as_str()).collect();
    messages.join("; ")
}

/// What accounts are called: as after, or as before where one of them is gone.
pub struct Called<'a> {
    sides: [(&'a Organization, Names<'a>); 2],
}

impl Called<'_> {
    /// `3 accounts: shop, billing and data`.
    pub fn who(&self, accounts: &[AccountId]) -> String {
        let [after, before] = &self.sides;
        let known = |organization: &Organization| -> Vec<AccountIdx> {
            accounts.iter().filter_map(|id| organization.find_account(*id)).collect()
        };
        let found = known(after.0);
        if found.len() == accounts.len() {
            return after.1.counted(&found, NAMED);
        }
        before.1.counted(&known(before.0), NAMED)
    }
}

type GroupKey = (ControlId, Option<Status>, Option<Status>, Vec<String>);

impl Comparison<'_> {
    /// The changes of one direction, grouped; no group has two reasons. Controls stand together
    /// where accounts and reason are the same, so one that fails now stands alone with its request.
    pub fn groups(&self, direction: Direction) -> Vec<ChangedGroup> {
        self.grouped(&self.changes, direction, self.worlds.perimeter, self.worlds.after)
    }

    /// The same for what a proposed perimeter changes.
    pub fn renewed_groups(&self, renewed: &Renewed<'_>, direction: Direction) -> Vec<ChangedGroup> {
        let Worlds { after: Side { organization, .. }, .. } = self.worlds;
        let side = Side { organization, report: renewed.report };
        self.grouped(&renewed.changes, direction, renewed.perimeter, side)
    }

    fn grouped(
        &self,
        changes: &[CellChange],
        direction: Direction,
        perimeter: &Perimeter,
        after: Side<'_>,
    ) -> Vec<ChangedGroup> {
        // Why nobody can say any more is another reason for each control.
        let told_alone =
            |after: Option<Status>| matches!(after, Some(Status::Failed | Status::Undecided));
        let catalog = model::catalog();
        let mut maker = ResultBuilder::new(after.organization, perimeter, &catalog);
        let rows = after.by_account();
        // Accounts with the same cells and the same policies have the same reason.
        let mut known: BTreeMap<(GroupId, Vec<PolicyIdx>, ControlId), String> = BTreeMap::new();
        let mut groups: BTreeMap<GroupKey, BTreeMap<String, Vec<AccountId>>> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.direction == direction) {
            let CellChange { account, control, before, after: turned, .. } = *change;
            let why = rows.get(&account).filter(|_| told_alone(turned)).map(|row| {
                let levels = after.organization.levels(row.account);
                let policies = levels.iter().flat_map(|level| level.scps).map(|scp| scp.policy);
                let key = (row.group, policies.collect(), control);
                let mut make = || entry(&mut maker, &rows, account, control).as_ref().map(reason);
                known.entry(key).or_insert_with(|| make().unwrap_or_default()).clone()
            });
            let reasons = self.reasons.get(&(account, control)).cloned().unwrap_or_default();
            let group = groups.entry((control, before, turned, reasons)).or_default();
            group.entry(why.unwrap_or_default()).or_default().push(account);
        }
        let stand_ins = self.stand_ins();
        let mut found = Vec::new();
        for ((control, before, after, reasons), by_reason) in groups {
            let mut by_reason: Vec<Vec<AccountId>> = by_reason.into_values().collect();
            by_reason.sort_by_key(|accounts| Reverse(accounts.len()));
            let rest = by_reason.split_off(by_reason.len().min(REASONS));
            let group = |accounts: Vec<AccountId>, shown, others| ChangedGroup {
                controls: [control].into(),
                before,
                after,
                reasons: reasons.clone(),
                accounts,
                shown,
                others,
            };
            for accounts in by_reason {
                let first = accounts.first().copied().filter(|_| told_alone(after));
                let shown = first.and_then(|account| entry(&mut maker, &rows, account, control));
                let shown = shown.map(|entry| stand_ins.hide_in(entry));
                found.push(group(accounts, shown, 0));
            }
            if !rest.is_empty() {
                let others = rest.len();
                found.push(group(rest.into_iter().flatten().collect(), None, others));
            }
        }
        let mut merged: Vec<ChangedGroup> = Vec::new();
        for group in found {
            let same = merged.iter_mut().find(|other| {
                (other.before, other.after) == (group.before, group.after)
                    && other.accounts == group.accounts
                    && other.reasons == group.reasons
                    && other.why() == group.why()
            });
            match same {
                Some(other) => other.controls.extend(group.controls),
                None => merged.push(group),
            }
        }
        merged
    }

    /// What is shown in place of the digits of accounts that have no id yet.
    fn stand_ins(&self) -> StandIns {
        stand_ins(self.worlds.after.organization, &self.new_accounts)
    }

    /// The verdicts of every account that has no id yet, in a sentence without a stop.
    pub fn about_new(&self) -> Vec<String> {
        if self.new_accounts.is_empty() {
            return Vec::new();
        }
        let organization = self.worlds.after.organization;
        let names = Names::new(organization);
        let rows = self.worlds.after.by_account();
        let told = |id: &AccountId| {
            let row = rows.get(id)?;
            let parent = organization.parent(organization.target_of(row.account))?;
            let mut by_status: BTreeMap<Status, Vec<ControlId>> = BTreeMap::new();
            for cell in row.all() {
                by_status.entry(cell.status()).or_default().push(cell.control);
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

    /// How many verdicts of each kind new accounts start with, in a sentence without a stop, and
    /// whether some of them are bad.
    pub fn starts(&self) -> Option<(String, bool)> {
        if self.new_accounts.is_empty() {
            return None;
        }
        let rows = self.worlds.after.by_account();
        let cells = || self.new_accounts.iter().filter_map(|id| rows.get(id)).flat_map(|r| r.all());
        let of = |wanted: Status| cells().filter(|cell| cell.status() == wanted).count();
        let statuses = [Status::Failed, Status::Undecided, Status::Passed, Status::NotApplicable];
        let told: Vec<String> = statuses
            .into_iter()
            .filter(|status| of(*status) > 0)
            .map(|status| format!("{} {}", names::number(of(status)), status.name()))
            .collect();
        let verb = if self.new_accounts.len() == 1 { "starts" } else { "start" };
        let accounts = count(self.new_accounts.len(), "new account");
        let bad = of(Status::Failed) + of(Status::Undecided) > 0;
        Some((format!("{accounts} {verb} with {}", list(&told)), bad))
    }

    /// How many verdicts went each way: worse, better, neither.
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |wanted| self.changes.iter().filter(|c| c.direction == wanted).count();
        (of(Direction::Worse), of(Direction::Better), of(Direction::Other))
    }

    /// The first sentence.
    pub fn headline(&self) -> String {
        let (worse, better, other) = self.counts();
        // What new accounts start with is told apart, unless the change makes it worse.
        let is_new = |change: &&CellChange| self.new_accounts.contains(&change.account);
        let starting = self.changes.iter().filter(is_new);
        let other = other - starting.filter(|c| c.direction == Direction::Other).count();
        let changed = worse + better + other;
        if changed == 0 {
            return "No verdict changes".to_owned();
        }
        let mut parts = Vec::new();
        for (number, what) in
            [(worse, "worse"), (better, "better"), (other, "neither better nor worse")]
        {
            if number > 0 {
                parts.push(format!("{} {what}", names::number(number)));
            }
        }
        let verb = if changed == 1 { "changes" } else { "change" };
        format!("{} {verb}: {}", count(changed, "verdict"), parts.join(", "))
    }

    pub fn text(&self, out: &mut dyn Write, width: usize) -> io::Result<()> {
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
        if let Some((starts, bad)) = self.starts() {
            let style = if bad { OPEN } else { GOOD };
            Paragraph { style, ..Paragraph::of(&starts) }.write(out, width)?;
        }
        if let Some(headline) = self.renewed.as_ref().and_then(Renewed::headline) {
            Paragraph { style: OPEN, ..Paragraph::of(&headline) }.write(out, width)?;
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
        let called = self.called();
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
                Self::group(out, &called, &group, width)?;
            }
        }
        if let Some(renewed) = self.renewed.as_ref().filter(|renewed| !renewed.says.is_empty()) {
            heading(out, "The perimeter changes")?;
            for says in &renewed.says {
                Paragraph { indent: 2, ..Paragraph::of(says) }.write(out, width)?;
            }
            for direction in [Direction::Worse, Direction::Better, Direction::Other] {
                for group in self.renewed_groups(renewed, direction) {
                    Self::group(out, &called, &group, width)?;
                }
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

    fn group(
        out: &mut dyn Write,
        called: &Called<'_>,
        group: &ChangedGroup,
        width: usize,
    ) -> io::Result<()> {
        let head = format!("{} {}", names::controls(group.controls.iter().copied()), group.turn());
        let text = called.who(&group.accounts);
        Paragraph { head: &head, style: BOLD, text: &text, indent: 2 }.write(out, width)?;
        if let Some(why) = group.why() {
            Paragraph { indent: 4, ..Paragraph::of(&why) }.write(out, width)?;
        }
        for reason in &group.reasons {
            Paragraph { head: "because", style: DIM, text: reason, indent: 4 }.write(out, width)?;
        }
        Ok(())
    }

    /// What accounts are called; made once for a page.
    pub fn called(&self) -> Called<'_> {
        let sides = [self.worlds.after.organization, self.worlds.before.organization];
        Called { sides: sides.map(|organization| (organization, Names::new(organization))) }
    }

    pub fn sarif(&self, out: &mut dyn Write) -> io::Result<()> {
        let Worlds { after, evaluated_at, perimeter, snapshot, now, ref files, .. } = self.worlds;
        let (evaluated_at, snapshot) = match &self.second {
            Some(second) => (second.evaluated_at, Some(second.snapshot)),
            None => (evaluated_at, snapshot),
        };
        let snapshot = snapshot.map(|path| path.display().to_string());
        let mistakes = self.mistakes.iter().cloned();
        let checked = Checked {
            organization: after.organization,
            perimeter,
            catalog: &model::catalog(),
            report: after.report,
            origin: results::Origin { version: env!("CARGO_PKG_VERSION"), evaluated_at },
            now,
            snapshot: snapshot.as_deref(),
            perimeter_file: None,
            width: 80,
            files: files.clone(),
            fixes: Vec::new(),
            warnings: self.renewed.iter().filter_map(Renewed::headline).chain(mistakes).collect(),
            notes: self.notes.clone(),
            stand_ins: self.stand_ins(),
        };
        reports::sarif::write(out, &checked)
    }

    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let Worlds { before, after, evaluated_at, perimeter, .. } = self.worlds;
        let sides = (before.organization, after.organization);
        let catalog = model::catalog();
        let mut maker = ResultBuilder::new(after.organization, perimeter, &catalog);
        let rows = after.by_account();
        let stand_ins = self.stand_ins();
        let cells: Vec<ChangedOut> = self
            .changes
            .iter()
            .map(|change| {
                let told = matches!(change.after, Some(Status::Failed | Status::Undecided));
                let entry = told.then(|| entry(&mut maker, &rows, change.account, change.control));
                let entry = entry.flatten().map(|entry| stand_ins.hide_in(entry));
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
            head: ChangeHead::new(before.organization, evaluated_at),
            summary: SummaryOut { worse, better, other },
            snapshots: self.second.as_ref().map(|second| SnapshotsOut {
                before: SnapshotOut::of(before.organization, evaluated_at),
                after: SnapshotOut::of(after.organization, second.evaluated_at),
            }),
            perimeter: self.renewed.as_ref().map(|renewed| RenewedOut {
                says: &renewed.says,
                changed: renewed
                    .changes
                    .iter()
                    .map(|change| {
                        CellOut::new(
                            (after.organization, after.organization),
                            change,
                            &self.new_accounts,
                        )
                    })
                    .collect(),
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
    head: ChangeHead<'a>,
    summary: SummaryOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshots: Option<SnapshotsOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    perimeter: Option<RenewedOut<'a>>,
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
}

impl<'a> NewOut<'a> {
    fn of(organization: &'a Organization, id: AccountId) -> Option<Self> {
        let account = organization.account(organization.find_account(id)?)?;
        let parent_id = organization.target_ref(account.parent).id.to_string();
        Some(Self { account_name: &account.name, parent_id })
    }
}

/// What a proposed perimeter says differently, and the verdicts that it changes.
#[derive(Serialize)]
struct RenewedOut<'a> {
    says: &'a [String],
    changed: Vec<CellOut>,
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

/// What is shown in place of the digits of accounts that have no id yet.
pub fn stand_ins(organization: &Organization, made: &BTreeSet<AccountId>) -> StandIns {
    let name = |id: &AccountId| {
        let account = organization.account(organization.find_account(*id)?)?;
        Some((*id, &*account.name))
    };
    StandIns::new(made.iter().filter_map(name))
}

/// The verdict of an account.
fn entry(
    maker: &mut ResultBuilder<'_>,
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
