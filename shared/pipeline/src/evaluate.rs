//! `evaluate-scps`: a snapshot to results, and what changed since the last run.

use std::collections::{BTreeMap, BTreeSet};

use exposure::{AccountExposure, Age, Finder, Inside};
use findings::results::{ResultBuilder, ShardHeader, Summary, write_shard};
use findings::run::{RunFacts, RunOrigin};
use findings::slots::{shard_of, slot_of};
use jiff::Timestamp;
use organization::{AccountIdx, Organization};
use serde_json::json;
use ses_perimeter::check::{Checker, Now, Options};
use ses_perimeter::control::ControlId;
use ses_perimeter::facts::{self, regions};
use ses_perimeter::perimeter::{self, Perimeter};
use ses_perimeter::report::Row;
use ses_perimeter::{model, notes};

use crate::defect::{Defect, to_json};
use crate::objects;
use crate::ports::{CallError, Clock, Condition, Objects, Written};
use crate::reading::{PartError, read_part};
use crate::start::Holder;
use crate::stored::{StoredError, read_optional, read_snapshot, read_verified};
use crate::wire::{
    EvaluateInput, Evaluated, Fetched, Latest, Pointer, SCHEMA_VERSION, Scope, Shard, StatusCounts,
    digest,
};

mod statuses;

pub use statuses::{ChangedCell, Statuses};

/// Up to this many shards are handed on in the output itself; more through the manifest alone,
/// for a state's output has a limit.
const MOST_INLINE_SHARDS: usize = 40;

/// What `evaluate-scps` is told at deployment.
#[derive(Debug, Clone)]
pub struct EvaluateSettings {
    /// The bucket's name, for the state machine's map.
    pub bucket: String,
    /// How many shards findings are published in. Another number than before makes the record
    /// of what was published start afresh from Security Hub.
    pub shards: u32,
    /// Whom to trust where there is no `config/perimeter.toml`.
    pub trusted_recipients: Vec<String>,
    /// The version of the program.
    pub tool_version: String,
    /// After how many hours what was read in an account does not count any more; none where
    /// nobody reads accounts, and so no control about what is set up there is decided.
    pub exposure_hours: Option<u32>,
    /// What one question may take, in steps; where it is spent, the control is undecided.
    pub steps: u64,
}

/// What a question may take where nobody says otherwise.
pub const DEFAULT_STEPS: u64 = ses_perimeter::check::DEFAULT_STEPS;

/// How many days old the oldest list of facts is, and a sentence for each list that is too old.
#[must_use]
pub fn age_of_facts(now: Timestamp) -> (u64, Vec<String>) {
    let seconds = now.as_second();
    let days = u64::try_from(facts::age_days(seconds)).unwrap_or_default();
    (days, facts::outdated(seconds))
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The input cannot be used.
    #[error("{0}")]
    Input(String),
    /// The perimeter cannot be read.
    #[error("the perimeter `{key}` is unusable: {problems}")]
    Perimeter {
        /// Where it stands.
        key: String,
        /// Each problem with its place.
        problems: String,
    },
    /// Another run took this one's place meanwhile.
    #[error("run `{run}` does not hold `{key}` any more; the run that does decides", key = objects::RUN)]
    Superseded {
        /// This run.
        run: String,
    },
    /// Something in the bucket cannot be used.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// Our own mistake.
    #[error(transparent)]
    Defect(#[from] Defect),
}

impl From<CallError> for EvaluateError {
    fn from(error: CallError) -> Self {
        Self::Stored(error.into())
    }
}

/// Decides what `input` asks for and writes the results to the bucket.
///
/// # Errors
/// [`EvaluateError`]; then the latest results stay the latest.
pub async fn run(
    objects: &impl Objects,
    clock: &impl Clock,
    settings: &EvaluateSettings,
    input: EvaluateInput,
) -> Result<Evaluated, EvaluateError> {
    let latest: Option<(Latest, String)> = read_optional(objects, objects::LATEST).await?;
    let now = clock.now();
    let fetched = match input {
        EvaluateInput::Fetched(fetched) => fetched,
        EvaluateInput::ByHand(scope) => {
            let Some((latest, _)) = &latest else {
                return Err(StoredError::missing_latest().into());
            };
            by_hand(latest, scope, now)
        }
    };
    let Some(pointer) = fetched.snapshot.clone().filter(|_| fetched.done) else {
        return Err(EvaluateError::Input(
            "the input names no snapshot: fetch-scps has not finished; call it again with this \
             input until `done` is true"
                .to_owned(),
        ));
    };
    let organization = read_snapshot(objects, &pointer).await?;
    let perimeter = read_perimeter(objects, &settings.trusted_recipients).await?;
    let mut evaluation = Evaluation::new(&organization, &perimeter, &fetched, settings, now)?;
    evaluation.expose(objects, now).await?;

    let mut statuses = match latest.as_ref().and_then(|(latest, _)| latest.statuses.as_ref()) {
        // What changed is a courtesy; without the last statuses everything is new.
        Some(pointer) => read_verified(objects, pointer)
            .await
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default(),
        None => Statuses::default(),
    };
    let (changed, cells) = evaluation.compare(&mut statuses);
    let run = &fetched.run_id;
    put(objects, &objects::of_run(run, "changed.json"), &cells).await?;
    let facts = put(objects, &objects::facts(run), &evaluation.facts).await?;
    let (shards, summary) = evaluation.write(objects, &facts.digest).await?;
    let manifest = put(objects, &objects::of_run(run, "manifest.json"), &shards).await?;
    let statuses = put(objects, &objects::of_run(run, "statuses.json"), &statuses).await?;
    if fetched.answers_requests && !fetched.dry_run {
        let next = Latest {
            schema_version: SCHEMA_VERSION,
            run_id: run.clone(),
            snapshot: pointer,
            full_walk_at: fetched.full_walk_at.clone().unwrap_or_default(),
            evaluated_at: now.to_string(),
            statuses: Some(statuses),
        };
        become_latest(objects, &next, latest.map(|(_, tag)| tag)).await?;
    }
    let shard_count = u32::try_from(shards.len()).unwrap_or(u32::MAX);
    let unknown = notes::unknown_actions(&organization);
    Ok(Evaluated {
        schema_version: SCHEMA_VERSION,
        run_id: fetched.run_id,
        dry_run: fetched.dry_run,
        scope: fetched.scope,
        manifest,
        bucket: settings.bucket.clone(),
        shard_count,
        shards: if shards.len() <= MOST_INLINE_SHARDS { shards } else { Vec::new() },
        summary,
        changed,
        unknown_action_count: unknown.len() as u64,
        unknown_actions: shown(unknown.into_keys()),
        facts_age_days: age_of_facts(now).0,
    })
}

/// Actions that an answer names, and characters of each.
const MOST_ACTIONS: usize = 50;
const MOST_OF_ACTION: usize = 80;

/// The first of these, cut where they are long: anybody who writes a policy chooses them.
fn shown(actions: impl Iterator<Item = String>) -> Vec<String> {
    let cut = |action: String| match action.char_indices().nth(MOST_OF_ACTION) {
        Some((at, _)) => format!("{}…", action.get(..at).unwrap_or_default()),
        None => action,
    };
    actions.take(MOST_ACTIONS).map(cut).collect()
}

/// An evaluation of the latest snapshot that becomes nothing but results.
fn by_hand(latest: &Latest, scope: Scope, now: Timestamp) -> Fetched {
    Fetched {
        schema_version: SCHEMA_VERSION,
        run_id: format!("hand-{}", now.strftime("%Y%m%dT%H%M%S%3fZ")),
        done: true,
        dry_run: false,
        scope,
        snapshot: Some(latest.snapshot.clone()),
        mode: None,
        full_walk_at: None,
        answers_requests: false,
        calls: 0,
        throttled: 0,
        gaps: 0,
        notes: Vec::new(),
    }
}

/// What a run decides, ready to be written.
struct Evaluation<'o> {
    organization: &'o Organization,
    perimeter: &'o Perimeter,
    facts: RunFacts,
    settings: &'o EvaluateSettings,
    scope: &'o Scope,
    options: Options,
    moment: Now,
    /// One for each account in scope that the organization has.
    rows: Vec<(String, Row)>,
}

impl<'o> Evaluation<'o> {
    fn new(
        organization: &'o Organization,
        perimeter: &'o Perimeter,
        fetched: &'o Fetched,
        settings: &'o EvaluateSettings,
        now: Timestamp,
    ) -> Result<Self, EvaluateError> {
        let scope = &fetched.scope;
        let controls: Option<BTreeSet<ControlId>> =
            scope.controls.iter().map(|text| ControlId::parse(text)).collect();
        let Some(controls) = controls else {
            let all = scope.controls.join(", ");
            return Err(EvaluateError::Input(format!(
                "`controls` has `{all}`; they are {} to {}",
                ControlId::FIRST,
                ControlId::LAST
            )));
        };
        let moment = Now::from_epoch_seconds(now.as_second())
            .ok_or_else(|| EvaluateError::Input(format!("the moment {now} is out of range")))?;
        let about_exposure = controls.iter().find(|control| control.is_about_exposure());
        if let (Some(control), None) = (about_exposure, settings.exposure_hours) {
            return Err(EvaluateError::Input(format!(
                "{control} is decided by what is set up in the accounts, which nobody reads here; \
                 deploy the template with `Exposure` set to `on`"
            )));
        }
        // Findings of a run over some accounts must not differ from those of a run over all.
        let memory = false;
        let options = Options { controls, budget: settings.steps, memory, ..Options::default() };
        let mut checker = Checker::new(organization, perimeter, moment, &options);
        // An account that is not there any more has no rows; its findings end.
        let wanted = |index: &AccountIdx| {
            scope.accounts.is_empty()
                || organization
                    .account(*index)
                    .is_some_and(|account| scope.accounts.contains(&account.id.to_string()))
        };
        let rows = organization
            .accounts()
            .filter(|(index, _)| wanted(index))
            .map(|(index, account)| (account.id.to_string(), checker.row(index)))
            .collect();
        let facts = RunFacts::new(
            organization,
            perimeter,
            &RunOrigin {
                run_id: &fetched.run_id,
                dry_run: fetched.dry_run,
                evaluated_at: &now.to_string(),
                tool_version: &settings.tool_version,
                accounts: &scope.accounts,
                controls: &scope.controls,
                exposure: settings.exposure_hours.is_some(),
            },
        );
        Ok(Self { organization, perimeter, facts, settings, scope, options, moment, rows })
    }

    /// Adds what is set up in the accounts, part by part: the whole of it is too large to be held
    /// at once.
    async fn expose(
        &mut self,
        objects: &impl Objects,
        now: Timestamp,
    ) -> Result<(), EvaluateError> {
        let Some(hours) = self.settings.exposure_hours else { return Ok(()) };
        let inside = Inside::of(self.organization);
        let regions = regions::ses(&self.organization.partition).unwrap_or_default();
        let mut finder = Finder::new(
            self.organization,
            &inside,
            self.perimeter,
            regions,
            self.moment,
            Age::Hours(hours),
            &self.options,
        );
        let mut parts: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (position, (id, _)) in self.rows.iter().enumerate() {
            parts.entry(slot_of(id)).or_default().push(position);
        }
        for (part, positions) in parts {
            let (known, damage) = match read_part(objects, part).await {
                Ok(reading) => (reading.exposure.accounts, None),
                Err(PartError::Damaged { key, reason }) => {
                    (Vec::new(), Some(format!("`{key}` in the bucket is damaged: {reason}")))
                }
                Err(PartError::Call(error)) => return Err(error.into()),
            };
            let mut known: BTreeMap<String, AccountExposure> =
                known.into_iter().map(|entry| (entry.account.to_string(), entry)).collect();
            for position in positions {
                let Some((id, row)) = self.rows.get_mut(position) else { continue };
                let entry = match &damage {
                    Some(reason) => id.parse().ok().map(|account| {
                        AccountExposure::unread(account, &now.to_string(), regions, reason)
                    }),
                    None => known.remove(id),
                };
                row.found = Some(finder.found(row.account, entry.as_ref()));
            }
        }
        Ok(())
    }

    /// How many cells changed, new ones included, and those that had a status before.
    fn compare(&self, statuses: &mut Statuses) -> (u64, Vec<ChangedCell>) {
        let mut count = 0_u64;
        let mut known = Vec::new();
        for (account, row) in &self.rows {
            let changed = statuses.take(account, row);
            count += changed.len() as u64;
            known.extend(changed.into_iter().filter(|cell| cell.before.is_some()));
        }
        if self.facts.complete {
            let there: BTreeSet<String> =
                self.organization.accounts().map(|(_, account)| account.id.to_string()).collect();
            statuses.keep(|account| there.contains(account));
        }
        (count, known)
    }

    /// Writes one file of results for each shard that the run may touch.
    async fn write(
        &self,
        objects: &impl Objects,
        facts_digest: &str,
    ) -> Result<(Vec<Shard>, StatusCounts), EvaluateError> {
        let count = self.settings.shards.max(1);
        let catalog = model::catalog();
        let mut maker = ResultBuilder::new(self.organization, self.perimeter, &catalog);
        let mut summary = Summary::default();
        let mut shards = Vec::new();
        for shard in 0..count {
            // Without accounts to go by, every shard may hold findings of some that vanished.
            let touched = self.scope.accounts.is_empty()
                || self.scope.accounts.iter().any(|id| shard_of(id, count) == shard);
            if !touched {
                continue;
            }
            let inside = |id: &str| shard_of(id, count) == shard;
            let header = ShardHeader {
                schema_version: findings::results::SCHEMA_VERSION,
                run_id: self.facts.run_id.clone(),
                shard,
                shards: count,
                facts_digest: facts_digest.to_owned(),
                accounts: self
                    .organization
                    .accounts()
                    .map(|(_, account)| (account.id.to_string(), account.state.name().to_owned()))
                    .filter(|(id, _)| inside(id))
                    .collect(),
            };
            let rows = self.rows.iter().filter(|(id, _)| inside(id)).map(|(_, row)| row);
            let mut bytes = Vec::new();
            let key = objects::results(&self.facts.run_id, shard);
            let written = write_shard(&mut bytes, &header, &mut maker, rows)
                .map_err(|error| Defect::unwritable(&key, &error))?;
            add(&mut summary, &written);
            let pointer = Pointer { digest: digest(&bytes), key };
            objects.put(&pointer.key, bytes, Condition::Always).await?;
            shards.push(Shard {
                run_id: self.facts.run_id.clone(),
                shard,
                shards: count,
                results: Some(pointer),
            });
        }
        let counts = StatusCounts {
            passed: summary.passed as u64,
            failed: summary.failed as u64,
            undecided: summary.undecided as u64,
            not_applicable: summary.not_applicable as u64,
        };
        Ok((shards, counts))
    }
}

fn add(sum: &mut Summary, part: &Summary) {
    sum.passed += part.passed;
    sum.failed += part.failed;
    sum.undecided += part.undecided;
    sum.not_applicable += part.not_applicable;
}

/// Makes this run the latest, unless another has taken its place meanwhile: then what it read
/// may be older than what the other read.
async fn become_latest(
    objects: &impl Objects,
    next: &Latest,
    tag: Option<String>,
) -> Result<(), EvaluateError> {
    let holder: Option<(Holder, String)> = read_optional(objects, objects::RUN).await?;
    let holds = holder.is_some_and(|(holder, _)| holder.run_id.as_deref() == Some(&next.run_id));
    let superseded = || EvaluateError::Superseded { run: next.run_id.clone() };
    if !holds {
        return Err(superseded());
    }
    let bytes = to_json(objects::LATEST, next)?;
    let condition = tag.as_deref().map_or(Condition::IfAbsent, Condition::IfTag);
    match objects.put(objects::LATEST, bytes, condition).await? {
        Written::Yes(_) => Ok(()),
        Written::Conflict => Err(superseded()),
    }
}

/// Writes a value as JSON.
async fn put(
    objects: &impl Objects,
    key: &str,
    value: &impl serde::Serialize,
) -> Result<Pointer, EvaluateError> {
    let bytes = to_json(key, value)?;
    let pointer = Pointer { key: key.to_owned(), digest: digest(&bytes) };
    objects.put(key, bytes, Condition::Always).await?;
    Ok(pointer)
}

/// The perimeter in the bucket, or one that trusts what the settings say.
async fn read_perimeter(
    objects: &impl Objects,
    trusted: &[String],
) -> Result<Perimeter, EvaluateError> {
    let (key, text) = match objects.get(objects::PERIMETER).await? {
        Some(object) => {
            let key = objects::PERIMETER.to_owned();
            match String::from_utf8(object.bytes) {
                Ok(text) => (key, text),
                Err(error) => {
                    let problems = format!("it is not UTF-8: {error}");
                    return Err(EvaluateError::Perimeter { key, problems });
                }
            }
        }
        // A string in JSON is one in TOML, too.
        None => {
            let text = format!("[trusted]\nrecipients = {}\n", json!(trusted));
            ("TRUSTED_RECIPIENTS".to_owned(), text)
        }
    };
    perimeter::parse(&text).map_err(|error| {
        let problems: Vec<String> = error
            .problems()
            .iter()
            .map(|problem| match problem.labels.first() {
                Some((span, _)) => format!("{}: {problem}", span.line_column(&text)),
                None => problem.to_string(),
            })
            .collect();
        EvaluateError::Perimeter { key, problems: problems.join("; ") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_few_actions_and_no_long_ones() {
        let long = format!("ses:{}", "ä".repeat(10_000));
        let shown = shown(std::iter::repeat_n(long, 1_000));
        assert_eq!(shown.len(), MOST_ACTIONS);
        assert!(shown.iter().all(|action| action.chars().count() == MOST_OF_ACTION + 1));
        assert_eq!(super::shown(["ses:New".to_owned()].into_iter()), ["ses:New"]);
    }
}
