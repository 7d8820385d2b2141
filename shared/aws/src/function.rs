//! The start-up of a function, and what surrounds each invocation.

use std::error::Error;
use std::fmt;
use std::io::Write;
use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use pipeline::ports::Clock;
use pipeline::wire::SCHEMA_VERSION;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument;

use crate::environment::SettingError;
use crate::metrics::{self, Metric};
use crate::permissions::Function;
use crate::settings::Home;
use crate::{SystemClock, environment, errors, logs};

/// What an invocation keeps for putting things away.
const SPARE: Duration = Duration::from_secs(20);

/// What goes wrong with the runtime itself.
pub use lambda_runtime::Error as RuntimeError;

/// The kind of a failure, as the state machine tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The input is of no known shape or version.
    Input,
    /// An environment variable is missing or unusable, or the perimeter is.
    Settings,
    /// The role lacks a permission.
    Permission,
    /// An object in the bucket is not what this program wrote.
    DamagedObject,
    /// Security Hub is off where findings should go.
    SecurityHubOff,
    /// The same may succeed later.
    Retryable,
    /// A call failed in a way that a repetition does not mend.
    Call,
    /// Another run took the place of this one.
    Superseded,
    /// Our own mistake.
    Defect,
}

impl FailureKind {
    /// The `errorType` of the function's answer.
    #[must_use]
    pub const fn error_type(self) -> &'static str {
        match self {
            Self::Input => "InputError",
            Self::Settings => "SettingsError",
            Self::Permission => "PermissionError",
            Self::DamagedObject => "DamagedObjectError",
            Self::SecurityHubOff => "SecurityHubOffError",
            Self::Retryable => "RetryableError",
            Self::Call => "CallError",
            Self::Superseded => "SupersededError",
            Self::Defect => "DefectError",
        }
    }
}

/// Why an invocation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The kind.
    pub kind: FailureKind,
    /// The whole chain, for a person.
    pub message: String,
}

impl Failed {
    /// A failure of this kind with everything that `error` says.
    pub fn new(kind: FailureKind, error: &(dyn Error + 'static)) -> Self {
        let mut message = error.to_string();
        for cause in errors::chain(error).skip(1) {
            let cause = cause.to_string();
            // Messages that already say what is below them say it once.
            if !message.ends_with(&cause) {
                message.push_str(": ");
                message.push_str(&cause);
            }
        }
        Self { kind, message }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<SettingError> for Failed {
    fn from(error: SettingError) -> Self {
        Self::new(FailureKind::Settings, &error)
    }
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        Self { error_type: failed.kind.error_type().to_owned(), error_message: failed.message }
    }
}

/// One invocation.
#[derive(Debug)]
pub struct Invocation {
    /// The event.
    pub input: Value,
    /// Until when it must have answered.
    pub deadline: Instant,
    /// The function, `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`.
    pub function_arn: String,
}

impl Invocation {
    /// Until when new work may begin: early enough to put away what was begun.
    #[must_use]
    pub fn until(&self) -> Instant {
        self.deadline.checked_sub(SPARE).unwrap_or(self.deadline)
    }

    /// Where the function runs.
    ///
    /// # Errors
    /// Its ARN is not that of a function.
    pub fn home(&self) -> Result<Home, Failed> {
        Home::of(&self.function_arn).ok_or_else(|| Failed {
            kind: FailureKind::Settings,
            message: format!(
                "`{}` is not the ARN of a function, so the account and the Region of the findings \
                 are unknown",
                self.function_arn
            ),
        })
    }

    /// The event in its shape.
    ///
    /// # Errors
    /// It has another version, an unknown field, or a field of the wrong type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Failed> {
        parse(&self.input)
    }

    /// The same for a shape that has no place for the version.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_bare<T: DeserializeOwned>(&self) -> Result<T, Failed> {
        parse::<Value>(&self.input)?;
        let mut bare = self.input.clone();
        if let Some(fields) = bare.as_object_mut() {
            fields.remove("schemaVersion");
        }
        parse(&bare)
    }
}

fn parse<T: DeserializeOwned>(input: &Value) -> Result<T, Failed> {
    let fail = |message: String| Failed { kind: FailureKind::Input, message };
    match input.get("schemaVersion") {
        None => {}
        Some(version) if version.as_u64() == Some(u64::from(SCHEMA_VERSION)) => {}
        Some(version) => {
            return Err(fail(format!(
                "the input has version {version}, and this function understands version \
                 {SCHEMA_VERSION}; deploy all functions from one release"
            )));
        }
    }
    T::deserialize(input).map_err(|error| {
        fail(format!("the input is not what this function takes: {error}; see docs/functions.md"))
    })
}

/// What a function answers.
pub trait Answer: Serialize {
    /// The run it is about, where there is one.
    fn run_id(&self) -> Option<&str>;
    /// What is to be measured.
    fn metrics(&self) -> Vec<Metric>;
}

/// The stack of the thread that does the work, in bytes; memory is taken only where it is used.
const STACK: usize = 64 << 20;

/// Runs a function to its end, on a thread with a wide stack: the SDK's reader of findings takes
/// more than a main thread has, where it is not optimized.
///
/// # Errors
/// Those of `work`, and where there is no thread or no runtime to be had.
pub fn run(
    work: impl AsyncFnOnce() -> Result<(), RuntimeError> + Send + 'static,
) -> Result<(), RuntimeError> {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work())
    })?;
    thread.join().map_err(|_| RuntimeError::from("the function panicked"))?
}

/// Answers invocations until Lambda ends the process.
///
/// Logs go to standard output in JSON. A failure is logged once, here.
///
/// # Errors
/// The runtime's own; those of `handler` are answers.
pub async fn serve<A: Answer>(
    function: Function,
    handler: impl AsyncFn(Invocation) -> Result<A, Failed>,
) -> Result<(), RuntimeError> {
    logs::to_standard_output(logs::level(environment::process("AWS_LAMBDA_LOG_LEVEL").as_deref()));
    let handler = &handler;
    let service = service_fn(move |event: LambdaEvent<Event>| async move {
        answer(function, handler, event.payload, &event.context).await
    });
    lambda_runtime::Runtime::new(service).run().await
}

async fn answer<A: Answer>(
    function: Function,
    handler: &impl AsyncFn(Invocation) -> Result<A, Failed>,
    event: Event,
    context: &Context,
) -> Result<Value, Diagnostic> {
    let known = event.0.as_ref().ok().and_then(run_of).map(str::to_owned);
    let span = logs::invocation(&context.request_id, known.as_deref());
    let result = async {
        let input = event.0.map_err(|error| Failed {
            kind: FailureKind::Input,
            message: format!("the input is not JSON: {error}"),
        })?;
        let deadline = Instant::now() + left(context, SystemTime::now());
        let function_arn = context.invoked_function_arn.clone();
        // A handler's future is deep; boxed, it does not make the runtime's deeper still.
        Box::pin(handler(Invocation { input, deadline, function_arn })).await
    }
    .instrument(span.clone())
    .await;
    let _entered = span.enter();
    match result {
        Ok(answer) => {
            let run_id = answer.run_id().or(known.as_deref()).unwrap_or_default();
            span.record("runId", run_id);
            let line = metrics::line(SystemClock.now(), function.name, run_id, &answer.metrics());
            if let Some(line) = line {
                // A metric that cannot be written is no reason to fail.
                let _ = writeln!(std::io::stdout(), "{line}");
            }
            let answer = serde_json::to_value(&answer)
                .map_err(|error| Diagnostic::from(Failed::new(FailureKind::Call, &error)))?;
            tracing::info!(%answer, "done");
            Ok(answer)
        }
        Err(failed) => {
            tracing::error!(kind = failed.kind.error_type(), error = %failed, "failed");
            Err(failed.into())
        }
    }
}

/// A number that differs from process to process, for jitter.
#[must_use]
pub fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ (u64::from(std::process::id()) << 32)
}

/// How long the invocation may still take.
fn left(context: &Context, now: SystemTime) -> Duration {
    context.deadline().duration_since(now).unwrap_or_default()
}

/// The run that an event names.
fn run_of(event: &Value) -> Option<&str> {
    ["/runId", "/shard/runId", "/report/runId", "/finish/runId"]
        .iter()
        .find_map(|place| event.pointer(place).and_then(Value::as_str))
        .filter(|run| !run.is_empty())
}

/// An event, or why it is none: the runtime would answer with an error of its own.
struct Event(Result<Value, String>);

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Value::deserialize(deserializer).map_err(|error| error.to_string())))
    }
}

#[cfg(test)]
mod tests;
