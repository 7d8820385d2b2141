//! `start-check`: events and requests in, one execution out.
//!
//! Every wish for a check is written down before anything else, and stays until a run has
//! answered it. One run holds `state/run.json` at a time. Whoever writes a wish looks at the
//! holder afterwards, and whoever ends a run looks for wishes after letting go: whichever comes
//! last sees the other, so no wish is left behind.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::objects;
use crate::ports::{CallError, Clock, Condition, ExecutionStatus, Executions, Objects, Written};
use crate::wire::{FetchInput, Finish, Request, RunClaim, SCHEMA_VERSION, digest};

pub mod events;
mod trigger;

pub use trigger::{Trigger, Wish, parse};

/// How often a lost race for the holder is run again before giving up.
const MOST_RACES: usize = 20;

/// What `start-check` is told at deployment.
#[derive(Debug, Clone)]
pub struct StartSettings {
    /// How long an execution waits for further changes before it reads, in seconds.
    pub debounce_seconds: u64,
}

/// Why `start-check` could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The input is of no known shape.
    #[error("{0}")]
    Input(String),
    /// The input is of another version.
    #[error("the input has version {0}, and this function understands version {SCHEMA_VERSION}")]
    Version(u32),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Something in the bucket is not what this program wrote.
    #[error("`{key}` in the bucket is damaged: {reason}; remove it to start afresh")]
    Damaged {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Others kept changing the holder.
    #[error("`{}` changed {MOST_RACES} times while it was looked at; try again", objects::RUN)]
    Races,
}

/// What an invocation of `start-check` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Started {
    /// An execution was started.
    #[serde(rename_all = "camelCase")]
    Started {
        /// Its name, and the run's.
        run_id: String,
    },
    /// A run is under way; another follows it, or it has not begun to read yet.
    #[serde(rename_all = "camelCase")]
    Waiting {
        /// The run under way.
        run_id: String,
    },
    /// Nothing was to be done.
    #[serde(rename_all = "camelCase")]
    Ignored {
        /// Why.
        reason: String,
    },
    /// A run is over, and no other is needed.
    Finished,
}

/// Which run is under way, as `state/run.json` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// 1.
    pub schema_version: u32,
    /// The run; none between runs.
    pub run_id: Option<String>,
    /// Since when, RFC 3339.
    pub since: String,
}

/// Does what one invocation of `start-check` asks for.
///
/// # Errors
/// [`StartError`]; a wish that was written down stays so, and the same input may be given again.
pub async fn run(
    objects: &impl Objects,
    executions: &impl Executions,
    clock: &impl Clock,
    settings: &StartSettings,
    input: &Value,
) -> Result<Started, StartError> {
    let starter = Starter { objects, executions, clock, settings };
    match parse(input)? {
        Trigger::Check(wish) => starter.check(wish, input).await,
        Trigger::DryRun { scope, full } => {
            let run_id = starter.new_run(input);
            let fetch = FetchInput {
                run_id: run_id.clone(),
                full,
                dry_run: true,
                accounts: scope.accounts,
                controls: scope.controls,
                ..FetchInput::default()
            };
            starter.execute(&run_id, &fetch).await?;
            Ok(Started::Started { run_id })
        }
        Trigger::Finish(finish) => starter.finish(&finish).await,
        Trigger::Ignored(reason) => Ok(Started::Ignored { reason }),
    }
}

struct Starter<'p, O, E, C> {
    objects: &'p O,
    executions: &'p E,
    clock: &'p C,
    settings: &'p StartSettings,
}

impl<O: Objects, E: Executions, C: Clock> Starter<'_, O, E, C> {
    async fn check(&self, wish: Wish, input: &Value) -> Result<Started, StartError> {
        let now = self.clock.now();
        // Duplicates of an event have its time and id, and so the same key.
        let (time, id) = wish.event.clone().unwrap_or_else(|| {
            let id = digest(format!("{now}{input}").as_bytes());
            (now.to_string(), id.replace("sha256:", ""))
        });
        let time = time.parse::<Timestamp>().unwrap_or(now);
        let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        let request = Request {
            schema_version: SCHEMA_VERSION,
            source: wish.source,
            received_at: now.to_string(),
            scope: wish.scope,
            full: wish.full,
            changes: wish.changes,
        };
        let bytes = json!(request).to_string().into_bytes();
        let key = objects::request(&compact(time), &id);
        self.objects.put(&key, bytes, Condition::IfAbsent).await?;
        self.begin(&id).await
    }

    /// Starts a run unless one is under way.
    async fn begin(&self, salt: &str) -> Result<Started, StartError> {
        for _ in 0..MOST_RACES {
            let (holder, tag) = self.holder().await?;
            if let Some(held) = holder {
                match self.executions.status(&held).await? {
                    ExecutionStatus::Running => return Ok(Started::Waiting { run_id: held }),
                    // Whoever took the place has not started the execution, or never will.
                    ExecutionStatus::Unknown => {
                        self.execute(&held, &answering(&held)).await?;
                        return Ok(Started::Started { run_id: held });
                    }
                    // It ended without letting go.
                    ExecutionStatus::Ended => {}
                }
            }
            let run_id = self.new_run(&json!([salt, tag]));
            if self.hold(Some(&run_id), tag.as_deref()).await? {
                self.execute(&run_id, &answering(&run_id)).await?;
                return Ok(Started::Started { run_id });
            }
        }
        Err(StartError::Races)
    }

    /// Lets go of the place, and starts the next run where wishes are left.
    async fn finish(&self, finish: &Finish) -> Result<Started, StartError> {
        let claimed = self.claimed(&finish.run_id).await?;
        if finish.succeeded {
            for key in &claimed {
                self.objects.delete(key).await?;
            }
        }
        for _ in 0..MOST_RACES {
            let (holder, tag) = self.holder().await?;
            if holder.as_deref() != Some(&finish.run_id) || self.hold(None, tag.as_deref()).await? {
                // What a failed run claimed waits for the next trigger, or the same failure
                // would start over and over.
                let waiting = self.objects.list(objects::REQUESTS).await?;
                if waiting.iter().any(|key| !claimed.contains(key)) {
                    return self.begin(&finish.run_id).await;
                }
                return Ok(Started::Finished);
            }
        }
        Err(StartError::Races)
    }

    /// The requests that a run answers; none where it did not get so far.
    async fn claimed(&self, run_id: &str) -> Result<Vec<String>, StartError> {
        let key = objects::of_run(run_id, "claim.json");
        let Some(object) = self.objects.get(&key).await? else { return Ok(Vec::new()) };
        let claim: RunClaim = serde_json::from_slice(&object.bytes)
            .map_err(|error| StartError::Damaged { key, reason: error.to_string() })?;
        Ok(claim.requests)
    }

    /// The run that holds the place, and the version of the object that says so.
    async fn holder(&self) -> Result<(Option<String>, Option<String>), StartError> {
        let Some(object) = self.objects.get(objects::RUN).await? else { return Ok((None, None)) };
        let holder: Holder = serde_json::from_slice(&object.bytes).map_err(|error| {
            StartError::Damaged { key: objects::RUN.to_owned(), reason: error.to_string() }
        })?;
        Ok((holder.run_id, Some(object.tag)))
    }

    /// Writes down who holds the place; `false` where somebody else was faster.
    async fn hold(&self, run_id: Option<&str>, tag: Option<&str>) -> Result<bool, StartError> {
        let holder = Holder {
            schema_version: SCHEMA_VERSION,
            run_id: run_id.map(str::to_owned),
            since: self.clock.now().to_string(),
        };
        let bytes = json!(holder).to_string().into_bytes();
        let condition = tag.map_or(Condition::IfAbsent, Condition::IfTag);
        Ok(self.objects.put(objects::RUN, bytes, condition).await? != Written::Conflict)
    }

    async fn execute(&self, run_id: &str, fetch: &FetchInput) -> Result<(), StartError> {
        let debounce = if fetch.dry_run { 0 } else { self.settings.debounce_seconds };
        let input = json!({"debounceSeconds": debounce, "fetch": fetch}).to_string();
        Ok(self.executions.start(run_id, &input).await?)
    }

    /// A name for a run that sorts by time and is another for each trigger.
    fn new_run(&self, salt: &Value) -> String {
        let now = self.clock.now();
        let salt = digest(format!("{now}{salt}").as_bytes());
        let salt: String = salt.chars().skip("sha256:".len()).take(8).collect();
        format!("{}-{salt}", compact(now))
    }
}

/// The input of a run that answers the waiting requests.
fn answering(run_id: &str) -> FetchInput {
    FetchInput { run_id: run_id.to_owned(), answers_requests: true, ..FetchInput::default() }
}

/// A moment that may stand in keys and names of executions, and sorts.
fn compact(moment: Timestamp) -> String {
    moment.strftime("%Y%m%dT%H%M%S%3fZ").to_string()
}
