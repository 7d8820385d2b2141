//! Metrics in CloudWatch's embedded metric format: a line of JSON in the log becomes metrics.
//!
//! The crates for this keep values between flushes, so that a warm function would repeat what an
//! earlier invocation measured. A line here has what its invocation measured and nothing else.
//!
//! # Source
//! CloudWatch User Guide, "Specification: Embedded metric format".

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// The namespace of every metric.
pub const NAMESPACE: &str = "SesPerimeter";

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum MetricUnit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
}

/// One measured value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Its name, in words that start with capitals.
    pub name: &'static str,
    /// Its unit.
    pub unit: MetricUnit,
    /// Its value.
    pub value: f64,
}

impl Metric {
    /// A number of things.
    #[must_use]
    pub fn count(name: &'static str, value: u64) -> Self {
        // CloudWatch keeps doubles; no count here comes near their limit.
        #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
        let value = value as f64;
        Self { name, unit: MetricUnit::Count, value }
    }

    /// A duration.
    #[must_use]
    pub const fn seconds(name: &'static str, value: f64) -> Self {
        Self { name, unit: MetricUnit::Seconds, value }
    }
}

#[derive(Serialize)]
struct MetricsDocument<'d> {
    #[serde(rename = "_aws")]
    aws: Metadata,
    #[serde(rename = "runId")]
    run_id: &'d str,
    function: &'d str,
    #[serde(flatten)]
    values: BTreeMap<&'static str, f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: i64,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [[&'static str; 0]; 1],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: MetricUnit,
}

/// The line for these metrics; none where nothing was measured.
#[must_use]
pub fn line(now: Timestamp, function: &str, run_id: &str, metrics: &[Metric]) -> Option<String> {
    if metrics.is_empty() {
        return None;
    }
    let definitions =
        metrics.iter().map(|metric| Definition { name: metric.name, unit: metric.unit });
    let document = MetricsDocument {
        aws: Metadata {
            timestamp: now.as_millisecond(),
            cloud_watch_metrics: [Directive {
                namespace: NAMESPACE,
                dimensions: [[]],
                metrics: definitions.collect(),
            }],
        },
        run_id,
        function,
        values: metrics.iter().map(|metric| (metric.name, metric.value)).collect(),
    };
    serde_json::to_string(&document).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_line_has_the_embedded_metric_format() {
        let now = Timestamp::from_millisecond(1_795_392_000_123).unwrap();
        let metrics = [Metric::count("Failed", 3), Metric::seconds("AgeOfLastRun", 12.5)];
        let text = line(now, "evaluate-scps", "run-1", &metrics).unwrap();
        assert!(!text.contains('\n'));
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({
                "_aws": {
                    "Timestamp": 1_795_392_000_123_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "SesPerimeter",
                        "Dimensions": [[]],
                        "Metrics": [
                            {"Name": "Failed", "Unit": "Count"},
                            {"Name": "AgeOfLastRun", "Unit": "Seconds"},
                        ],
                    }],
                },
                "runId": "run-1",
                "function": "evaluate-scps",
                "Failed": 3.0,
                "AgeOfLastRun": 12.5,
            })
        );
    }

    #[test]
    fn nothing_measured_is_no_line() {
        assert_eq!(line(Timestamp::UNIX_EPOCH, "start-check", "", &[]), None);
    }
}
