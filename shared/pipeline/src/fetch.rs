//! `fetch-scps`: from Organizations to a snapshot in the bucket.
//!
//! A run of the state machine claims the waiting requests before it reads anything, so that
//! every change they tell of is in what it reads. It brings the last snapshot up to date where
//! the requests name a few changes, and walks the whole organization otherwise. Near the deadline
//! it writes a checkpoint; the next invocation goes on there.

use std::cell::RefCell;

use jiff::SignedDuration;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::collect::calls::Calls;
use crate::collect::changes::NeedsWalk;
use crate::collect::contents::Contents;
use crate::collect::draft::Draft;
use crate::collect::mend::Mending;
use crate::collect::{CollectError, Collector};
use crate::defect::Defect;
use crate::objects;
use crate::pace::{CallTally, Pace, PaceSettings};
use crate::ports::{Clock, Condition, Objects, Organizations};
use crate::wire::{Change, FetchInput, FetchMode, Fetched, Pointer, SCHEMA_VERSION, digest};

mod base;
mod claim;
mod error;
mod latest;
mod plan;
mod store;

use base::Fetch;
pub use base::{FetchPorts, FetchSettings};
pub use error::FetchError;
use error::named;
pub(crate) use error::new_run_id;
use plan::RunPlan;
use store::{Checkpoint, Stage, Store};

/// What an invocation is given: a new run, or its own last answer where that was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Begin.
    Begin(FetchInput),
    /// Go on from the checkpoint.
    GoOn(Fetched),
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let read = if value.get("done").is_some() {
            Fetched::deserialize(value).map(Self::GoOn)
        } else {
            FetchInput::deserialize(value).map(Self::Begin)
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// Does what one invocation of `fetch-scps` is asked for. It ends, or stops with a checkpoint,
/// before `deadline`, as far as the bucket answers within the margin.
///
/// # Errors
/// [`FetchError`]; the same input may be given again.
pub async fn run<O: Organizations, S: Objects, C: Clock>(
    ports: FetchPorts<'_, O, S, C>,
    settings: &FetchSettings,
    input: Input,
    deadline: Instant,
) -> Result<Fetched, FetchError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left <= settings.margin {
        return Err(FetchError::NoTime { left, margin: settings.margin });
    }
    let cut = deadline.checked_sub(settings.margin).unwrap_or(deadline);
    let store = Store(ports.objects);
    let fetch = Fetch { ports, store, settings };
    let mut state = fetch.state(input).await?;
    fetch.go_on(&mut state, cut).await
}

impl<O: Organizations, S: Objects, C: Clock> Fetch<'_, O, S, C> {
    /// Where the run stands: at its checkpoint, or at the beginning.
    async fn state(&self, input: Input) -> Result<Checkpoint, FetchError> {
        match input {
            Input::GoOn(fetched) => {
                check_version(fetched.schema_version)?;
                if fetched.done {
                    let message = "the run has its snapshot already; give it to `evaluate-scps`";
                    return Err(FetchError::Input(message.to_owned()));
                }
                let key = objects::of_run(&named(&fetched.run_id)?, "checkpoint.json");
                let state = self.store.checkpoint(&key).await?;
                let state = state.ok_or(FetchError::NoCheckpoint(key))?;
                self.hold(&state.plan).await?;
                Ok(self.unless_old(state))
            }
            Input::Begin(input) => self.begin(input).await,
        }
    }

    async fn begin(&self, input: FetchInput) -> Result<Checkpoint, FetchError> {
        check_version(input.schema_version)?;
        let now = self.ports.clock.now();
        let plan = RunPlan::of(input, now)?;
        self.hold(&plan).await?;
        // The answer of an invocation that wrote a checkpoint may have been lost.
        let key = objects::of_run(&plan.run_id, "checkpoint.json");
        if let Some(state) = self.store.checkpoint(&key).await? {
            return Ok(self.unless_old(state));
        }
        let plan = if plan.answers_requests { self.claim(plan).await? } else { plan };
        let mut state = Checkpoint::new(plan);
        self.choose(&mut state).await?;
        Ok(state)
    }

    /// Begins anew where somebody takes up a run long after it stopped: what it had read then is
    /// worth nothing now.
    fn unless_old(&self, state: Checkpoint) -> Checkpoint {
        let now = self.ports.clock.now();
        let most = SignedDuration::try_from(self.settings.checkpoint_age);
        let age = now.duration_since(state.plan.started);
        if (SignedDuration::ZERO..=most.unwrap_or(SignedDuration::MAX)).contains(&age) {
            return state;
        }
        let why = format!("the run began at {}, too long ago to go on", state.plan.started);
        let mut anew = Checkpoint::new(RunPlan { started: now, ..state.plan });
        anew.notes.push(walks(&why));
        anew.tally = state.tally;
        anew
    }

    /// A run that answers requests must be the one that is under way.
    async fn hold(&self, plan: &RunPlan) -> Result<(), FetchError> {
        if !plan.answers_requests {
            return Ok(());
        }
        let holder = self.store.holder().await?;
        if holder.as_deref() == Some(plan.run_id.as_str()) {
            return Ok(());
        }
        let holder = holder.map_or_else(|| "no run".to_owned(), |run| format!("`{run}`"));
        Err(FetchError::NotHolder { run: plan.run_id.clone(), holder })
    }

    /// The last snapshot where it will do, else a full walk.
    async fn choose(&self, state: &mut Checkpoint) -> Result<(), FetchError> {
        let plan = &state.plan;
        let why = if plan.full || plan.changes.contains(&Change::Everything) {
            "everything was asked for".to_owned()
        } else if plan.changes.len() > self.settings.most_changes {
            format!("{} things changed", plan.changes.len())
        } else {
            match self.latest(plan.started).await? {
                Ok((updating, full_walk_at)) => {
                    state.full_walk_at = Some(full_walk_at);
                    state.stage = Stage::Update(updating(plan.changes.clone()));
                    return Ok(());
                }
                Err(why) => why,
            }
        };
        state.notes.push(walks(&why));
        Ok(())
    }

    async fn go_on(&self, state: &mut Checkpoint, cut: Instant) -> Result<Fetched, FetchError> {
        let contents = RefCell::new(std::mem::take(&mut state.read));
        let seed = self.settings.pace.seed ^ state.tally.calls;
        let pace = Pace::new(PaceSettings { seed, ..self.settings.pace.clone() });
        let collector = Collector {
            calls: Calls { source: self.ports.organizations, pace: &pace },
            clock: self.ports.clock,
            settings: &self.settings.collect,
            contents: &contents,
        };
        let ended = timeout_at(cut, collect(&collector, state)).await;
        state.read = contents.into_inner();
        state.add(pace.tally());
        match ended {
            Err(_) => {
                self.store.put_checkpoint(state).await?;
                Ok(state.fetched(None, None))
            }
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok((draft, mode))) => self.finish(state, draft, mode).await,
        }
    }

    /// Writes the snapshot.
    async fn finish(
        &self,
        state: &Checkpoint,
        draft: Draft,
        mode: FetchMode,
    ) -> Result<Fetched, FetchError> {
        let gaps = u64::try_from(draft.gaps.len()).unwrap_or(u64::MAX);
        let snapshot = draft.into_snapshot(state.plan.started.to_string(), &state.read);
        let refused =
            |why: String| Defect(format!("the collected snapshot cannot be evaluated: {why}"));
        let text = serde_json::to_string(&snapshot).map_err(|error| refused(error.to_string()))?;
        let digest = digest(text.as_bytes());
        let read = organization::read(&text, &policy::parse::Limits::default());
        let read = read.map_err(|error| refused(error.to_string()))?;
        if read.digest != digest {
            return Err(refused("its digest differs when it is read".to_owned()).into());
        }
        let key = objects::of_run(&state.plan.run_id, "snapshot.json");
        self.ports.objects.put(&key, text.into_bytes(), Condition::Always).await?;
        let mut fetched = state.fetched(Some(Pointer { key, digest }), Some(mode));
        fetched.gaps = gaps;
        Ok(fetched)
    }
}

/// Collects until there is a draft that fits.
async fn collect<O: Organizations, C: Clock>(
    collector: &Collector<'_, O, C>,
    state: &mut Checkpoint,
) -> Result<(Draft, FetchMode), CollectError> {
    loop {
        match &mut state.stage {
            Stage::Update(updating) => match collector.update(updating).await {
                Ok(()) => return Ok((updating.draft.clone(), FetchMode::Changes)),
                Err(NeedsWalk(why)) => {
                    state.notes.push(walks(&why));
                    state.full_walk_at = None;
                    state.stage = Stage::Walk(RefCell::default());
                }
            },
            Stage::Walk(walk) => {
                collector.walk(walk).await?;
                let settings = collector.settings;
                let draft = walk.borrow().draft(&collector.contents.borrow(), settings.unit_names);
                let draft = draft.ok_or(CollectError::NoRoot)?;
                state.stage = Stage::Mend(Mending::new(draft, settings.look_ups));
            }
            Stage::Mend(mending) => {
                collector.mend(mending).await?;
                return Ok((mending.draft.clone(), FetchMode::Full));
            }
        }
    }
}

impl Checkpoint {
    fn new(plan: RunPlan) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            notes: plan.notes.clone(),
            plan,
            stage: Stage::Walk(RefCell::default()),
            read: Contents::default(),
            full_walk_at: None,
            tally: CallTally::default(),
        }
    }

    const fn add(&mut self, tally: CallTally) {
        self.tally.calls += tally.calls;
        self.tally.throttled += tally.throttled;
    }

    fn fetched(&self, snapshot: Option<Pointer>, mode: Option<FetchMode>) -> Fetched {
        let walked = mode.map(|mode| match mode {
            FetchMode::Full => self.plan.started.to_string(),
            FetchMode::Changes => self.full_walk_at.clone().unwrap_or_default(),
        });
        Fetched {
            schema_version: SCHEMA_VERSION,
            run_id: self.plan.run_id.clone(),
            done: snapshot.is_some(),
            dry_run: self.plan.dry_run,
            scope: self.plan.scope.clone(),
            snapshot,
            mode,
            full_walk_at: walked,
            answers_requests: self.plan.answers_requests,
            calls: self.tally.calls,
            throttled: self.tally.throttled,
            gaps: 0,
            notes: self.notes.clone(),
        }
    }
}

/// The note that there is a full walk.
fn walks(why: &str) -> String {
    format!("the whole organization is read: {why}")
}

const fn check_version(version: u32) -> Result<(), FetchError> {
    if version == SCHEMA_VERSION { Ok(()) } else { Err(FetchError::Version(version)) }
}
