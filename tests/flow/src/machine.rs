//! The functions, called as the state machine calls them, by callers that crash.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use findings::lifecycle;
use pipeline::evaluate::{self, EvaluateError, EvaluateSettings};
use pipeline::fetch::{self, FetchError, FetchPorts, FetchSettings, Input};
use pipeline::pace::PaceSettings;
use pipeline::ports::{CallError, Clock, Events, Hub, Mail, Mailer, Objects, Organizations};
use pipeline::publish::{PublishError, PublishSettings, Publisher};
use pipeline::start::{self, StartError, StartSettings, Started};
use pipeline::stored::StoredError;
use pipeline::wire::{EvaluateInput, Evaluated, Fetched, PublishInput, RunRef, VerdictChange};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::clock::FakeClock;
use crate::crash::crashing;
use crate::executions::FakeExecutions;
use crate::faults::Random;

/// The account that holds the findings.
pub const CHECKER: &str = "999999999999";
/// Its Region.
pub const REGION: &str = "us-east-1";

/// The bus, which keeps what it is given.
#[derive(Debug, Default)]
pub struct Tap {
    /// The changes in the order of their arrival.
    pub changes: RefCell<Vec<VerdictChange>>,
}

impl Events for Tap {
    async fn put(&self, _detail_type: &str, details: &[String]) -> Result<usize, CallError> {
        sleep(Duration::from_millis(5)).await;
        let read = details.iter().filter_map(|detail| serde_json::from_str(detail).ok());
        self.changes.borrow_mut().extend(read);
        Ok(0)
    }
}

/// A mailer without recipients.
#[derive(Debug, Default)]
pub struct Outbox {
    /// How many digests were sent.
    pub sent: Cell<usize>,
}

impl Mailer for Outbox {
    async fn send(&self, _mail: &Mail) -> Result<(), CallError> {
        sleep(Duration::from_millis(5)).await;
        self.sent.set(self.sent.get() + 1);
        Ok(())
    }
}

/// What the functions are told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Of `fetch-scps`.
    pub fetch: FetchSettings,
    /// Of `evaluate-scps`.
    pub evaluate: EvaluateSettings,
    /// Of `publish-findings`.
    pub publish: PublishSettings,
    /// Of `start-check`.
    pub start: StartSettings,
}

impl Default for Settings {
    fn default() -> Self {
        let pace = PaceSettings { share: 1.0, ..PaceSettings::default() };
        Self {
            fetch: FetchSettings {
                pace: pace.clone(),
                margin: Duration::from_secs(2),
                ..FetchSettings::default()
            },
            evaluate: EvaluateSettings {
                bucket: "bucket".to_owned(),
                shards: 3,
                trusted_recipients: vec!["*@example.com".to_owned()],
                tool_version: "0.0.0".to_owned(),
                exposure_hours: None,
                steps: evaluate::DEFAULT_STEPS,
            },
            publish: PublishSettings {
                lifecycle: lifecycle::Settings {
                    holder: Some(CHECKER.to_owned()),
                    region: REGION.to_owned(),
                    refresh_days: lifecycle::Settings::REFRESH_DAYS,
                },
                pace,
                digest: true,
            },
            start: StartSettings { debounce_seconds: 10 },
        }
    }
}

/// How functions come to grief.
#[derive(Debug)]
pub struct Chaos {
    /// Where chance comes from.
    pub random: RefCell<Random>,
    /// How many invocations of a hundred crash at some await.
    pub crash_percent: Cell<usize>,
    /// The longest an invocation may take; shorter ones are drawn.
    pub longest: Cell<Duration>,
}

impl Chaos {
    /// Nothing happens.
    #[must_use]
    pub fn none() -> Self {
        Self {
            random: RefCell::new(Random::new(0)),
            crash_percent: Cell::new(0),
            longest: Cell::new(Duration::from_secs(900)),
        }
    }

    fn crash(&self) -> Option<usize> {
        let mut random = self.random.borrow_mut();
        random.chance(self.crash_percent.get()).then(|| 1 + random.below(120))
    }

    fn deadline(&self) -> Instant {
        let longest = self.longest.get();
        let part = 3 + self.random.borrow_mut().below(8);
        Instant::now() + longest.mul_f64(part as f64 / 10.0)
    }
}

/// A failure, and whether the state machine repeats the invocation.
pub struct Failed {
    message: String,
    retryable: bool,
}

macro_rules! failed {
    ($($error:ident: $call:pat => $test:expr),+ $(,)?) => { $(
        impl From<$error> for Failed {
            fn from(error: $error) -> Self {
                let retryable = match &error { $call => $test, _ => false };
                let mut message = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(inner) = cause {
                    message.push_str(&format!(": {inner}"));
                    cause = inner.source();
                }
                Self { message, retryable }
            }
        }
    )+ };
}

failed! {
    StartError: StartError::Call(call) => call.is_retryable(),
    FetchError: FetchError::Bucket(call) => call.is_retryable(),
    EvaluateError: EvaluateError::Stored(StoredError::Call(call)) => call.is_retryable(),
}

impl From<PublishError> for Failed {
    fn from(error: PublishError) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let retryable = error.is_retryable();
        Self { message: format!("{error}: {}", cause.unwrap_or_default()), retryable }
    }
}

/// The deployed checker.
pub struct Machine<'m, O, S, H> {
    /// Organizations.
    pub organizations: &'m O,
    /// The bucket.
    pub objects: &'m S,
    /// Security Hub.
    pub hub: &'m H,
    /// Step Functions.
    pub executions: &'m FakeExecutions,
    /// The bus.
    pub events: &'m Tap,
    /// Mail.
    pub mailer: &'m Outbox,
    /// The time.
    pub clock: FakeClock,
    /// Settings.
    pub settings: Settings,
    /// Crashes and deadlines.
    pub chaos: Chaos,
    /// What went wrong for good, for whoever wonders.
    pub failures: RefCell<Vec<String>>,
}

/// How often the state machine repeats an invocation, as `infra/statemachine.asl.json` says.
const RETRIES: usize = 5;

impl<O: Organizations, S: Objects, H: Hub> Machine<'_, O, S, H> {
    async fn invoke<T, E>(
        &self,
        retries: usize,
        call: impl AsyncFn(Instant) -> Result<T, E>,
    ) -> Result<T, String>
    where
        Failed: From<E>,
    {
        let mut pause = Duration::from_secs(5);
        let mut attempt = 0;
        loop {
            let outcome = crashing(call(self.chaos.deadline()), self.chaos.crash()).await;
            let failed = match outcome {
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(error)) => Failed::from(error),
                None => Failed { message: "it crashed".to_owned(), retryable: true },
            };
            if !failed.retryable || attempt == retries {
                self.failures.borrow_mut().push(failed.message.clone());
                return Err(failed.message);
            }
            attempt += 1;
            sleep(pause).await;
            pause *= 2;
        }
    }

    /// Hands a trigger to `start-check`, which Lambda tries three times.
    ///
    /// # Errors
    /// None of the three succeeded.
    pub async fn trigger(&self, input: &Value) -> Result<Started, String> {
        self.invoke(2, async |_| {
            start::run(self.objects, self.executions, &self.clock, &self.settings.start, input)
                .await
        })
        .await
    }

    /// Runs whatever executions are waiting, and those that follow from them.
    pub async fn drain(&self) {
        while let Some((name, input)) = self.executions.take() {
            self.execute(&name, &input).await;
        }
    }

    /// Runs one execution to its end.
    pub async fn execute(&self, name: &str, input: &str) {
        let input: Value = serde_json::from_str(input).unwrap_or_default();
        sleep(Duration::from_secs(input["debounceSeconds"].as_u64().unwrap_or_default())).await;
        let fetch = input["fetch"].clone();
        let dry = fetch["dryRun"] == json!(true);
        let outcome = self.run(fetch).await;
        if !dry || outcome.is_err() {
            let succeeded = outcome.is_ok();
            let finish = json!({"finish": {"runId": name, "succeeded": succeeded}});
            // Where even this fails, the next trigger finds that the execution has ended.
            let _ = self
                .invoke(8, async |_| {
                    let Self { objects, executions, clock, settings, .. } = self;
                    start::run(*objects, *executions, clock, &settings.start, &finish).await
                })
                .await;
        }
        self.executions.end(name);
    }

    async fn run(&self, fetch: Value) -> Result<(), String> {
        let mut payload = fetch;
        let fetched = loop {
            let fetched = self.fetch(&payload).await?;
            if fetched.done {
                break fetched;
            }
            payload = json!(fetched);
        };
        let evaluated = self.evaluate(&fetched).await?;
        if evaluated.dry_run {
            return Ok(());
        }
        let mut whole = true;
        for shard in evaluated.shards {
            let input = PublishInput::Shard(shard);
            whole &= loop {
                match self.publish(&input).await {
                    Ok(published) if !published.done => {}
                    Ok(published) => break published.failed.is_empty(),
                    Err(_) => break false,
                }
            };
        }
        self.publish(&PublishInput::Report(RunRef { run_id: evaluated.run_id })).await?;
        if whole { Ok(()) } else { Err("some shards failed".to_owned()) }
    }

    async fn fetch(&self, payload: &Value) -> Result<Fetched, String> {
        let input = || serde_json::from_value::<Input>(payload.clone());
        self.invoke(RETRIES, async |deadline| {
            let input = input().map_err(|error| FetchError::Input(error.to_string()))?;
            let ports = FetchPorts {
                organizations: self.organizations,
                objects: self.objects,
                clock: &self.clock,
            };
            fetch::run(ports, &self.settings.fetch, input, deadline).await
        })
        .await
    }

    async fn evaluate(&self, fetched: &Fetched) -> Result<Evaluated, String> {
        self.invoke(RETRIES, async |_| {
            let input = EvaluateInput::Fetched(fetched.clone());
            evaluate::run(self.objects, &self.clock, &self.settings.evaluate, input).await
        })
        .await
    }

    async fn publish(&self, input: &PublishInput) -> Result<pipeline::wire::Published, String> {
        let publisher = Publisher {
            objects: self.objects,
            hub: self.hub,
            events: self.events,
            mailer: self.mailer,
            clock: &self.clock,
            settings: &self.settings.publish,
        };
        self.invoke(RETRIES, async |deadline| publisher.publish(input, deadline).await).await
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }
}
