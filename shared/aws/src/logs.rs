//! Logs: one JSON object a line, each with the request and the run it belongs to.

use tracing::Span;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

/// Where the runtime logs every failed answer again, without the run it belongs to.
const TOLD_ALREADY: &str = "lambda_runtime::layers::panic";

/// The level that `AWS_LAMBDA_LOG_LEVEL` names; INFO where it names none.
#[must_use]
pub fn level(setting: Option<&str>) -> LevelFilter {
    match setting.unwrap_or_default().to_ascii_uppercase().as_str() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        // Lambda knows FATAL beside ERROR.
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

/// Sends what is logged from here on to standard output.
pub fn to_standard_output(level: LevelFilter) {
    let subscriber = subscriber(level, std::io::stdout);
    // One is set already only where a test has set it.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Writes JSON lines; the spans hold the request and the run.
fn subscriber<W>(level: LevelFilter, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'w> tracing_subscriber::fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false)
        .with_max_level(level)
        .with_writer(writer)
        .finish()
        .with(Targets::new().with_default(level).with_target(TOLD_ALREADY, LevelFilter::OFF))
}

/// The span of one invocation. A run that only the handler can name is recorded later.
#[must_use]
pub fn invocation(request_id: &str, run_id: Option<&str>) -> Span {
    let span =
        tracing::error_span!("invocation", requestId = request_id, runId = tracing::field::Empty);
    if let Some(run_id) = run_id {
        span.record("runId", run_id);
    }
    span
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LevelFilter, then: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(level, move || writer.clone()), then);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_names_the_run_at_every_level() {
        for wanted in ["DEBUG", "INFO", "WARN", "ERROR"] {
            let lines = logged(level(Some(wanted)), || {
                let _entered = invocation("request-1", Some("run-1")).entered();
                tracing::error!("first");
                tracing::info_span!("inner").in_scope(|| tracing::error!("second"));
            });
            assert_eq!(lines.len(), 2, "{wanted}");
            for line in lines {
                assert_eq!(line["spans"][0]["runId"], "run-1", "{wanted}");
                assert_eq!(line["spans"][0]["requestId"], "request-1", "{wanted}");
            }
        }
    }

    #[test]
    fn lines_below_the_level_are_left_out() {
        let lines = logged(level(Some("WARN")), || {
            tracing::info!("no");
            tracing::warn!("yes");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "yes");
    }

    #[test]
    fn the_runtime_does_not_tell_a_failure_again() {
        let lines = logged(level(None), || {
            tracing::error!(target: TOLD_ALREADY, "once more");
            tracing::error!(target: "lambda_runtime::layers::api_client", "new");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "new");
    }

    #[test]
    fn an_unknown_level_is_info() {
        assert_eq!(level(Some("LOUD")), LevelFilter::INFO);
        assert_eq!(level(None), LevelFilter::INFO);
    }
}
