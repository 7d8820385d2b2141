//! Events of our own.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use pipeline::ports::{CallError, Events};
use pipeline::wire::EVENT_SOURCE;

use crate::call::Call;
use crate::gate::Gate;

/// The default event bus.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    gate: Gate,
}

impl Bus {
    pub(crate) const fn new(client: Client, gate: Gate) -> Self {
        Self { client, gate }
    }
}

impl Events for Bus {
    async fn put(&self, detail_type: &str, details: &[String]) -> Result<usize, CallError> {
        let entries = details.iter().map(|detail| {
            PutEventsRequestEntry::builder()
                .source(EVENT_SOURCE)
                .detail_type(detail_type)
                .detail(detail)
                .build()
        });
        let request = self.client.put_events().set_entries(Some(entries.collect()));
        let answer = self.gate.send(Call::PutEvents, request.send()).await?;
        for refused in answer.entries().iter().filter(|entry| entry.error_code().is_some()) {
            tracing::warn!(
                code = refused.error_code(),
                message = refused.error_message(),
                "an event was refused"
            );
        }
        Ok(usize::try_from(answer.failed_entry_count()).unwrap_or_default())
    }
}
