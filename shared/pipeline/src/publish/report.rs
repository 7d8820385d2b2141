//! The end of a run: what it did, in figures and by mail.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::{PublishError, Publisher, inputs};
use crate::objects;
use crate::ports::{Clock, Condition, Events, Hub, Mail, Mailer, Objects};
use crate::wire::{FailedItem, Published, RunRef, SCHEMA_VERSION, VerdictChange};

/// Changes that a mail tells before it counts the rest.
const TOLD: usize = 200;

/// What publishing one shard did: `runs/RUN/published/NNN.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outcome {
    /// 1.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// The shard.
    pub shard: u32,
    /// Findings written.
    pub written: u64,
    /// Findings archived.
    pub archived: u64,
    /// Findings whose workflow was resolved.
    pub resolved: u64,
    /// Findings that needed nothing.
    pub unchanged: u64,
    /// Findings that could not be written.
    pub failed: Vec<FailedItem>,
    /// Verdicts that changed.
    pub changes: Vec<VerdictChange>,
}

/// What the mail shows; rendered as text and as HTML.
struct Page<'a> {
    organization: &'a str,
    run: &'a str,
    evaluated_at: &'a str,
    worse: Vec<&'a VerdictChange>,
    better: Vec<&'a VerdictChange>,
    gone: Vec<&'a VerdictChange>,
    more: usize,
    failed: usize,
}

#[derive(Template)]
#[template(path = "digest.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

impl<O: Objects, H: Hub, E: Events, M: Mailer, C: Clock> Publisher<'_, O, H, E, M, C> {
    pub(super) async fn report(&self, run: &RunRef) -> Result<Published, PublishError> {
        let facts = inputs::facts(self.objects, &run.run_id).await?;
        let prefix = objects::of_run(&run.run_id, "published/");
        let listed = self.objects.list(&prefix).await.map_err(|source| PublishError::Call {
            doing: "what was done cannot be listed",
            source,
        })?;
        let mut published = Published {
            schema_version: SCHEMA_VERSION,
            run_id: run.run_id.clone(),
            done: true,
            ..Published::default()
        };
        let mut changes: Vec<VerdictChange> = Vec::new();
        for key in listed {
            let bytes = inputs::required(self.objects, &key).await?;
            let outcome: Outcome = serde_json::from_slice(&bytes)
                .map_err(|source| PublishError::Unreadable { key, source: source.into() })?;
            published.written += outcome.written;
            published.archived += outcome.archived;
            published.resolved += outcome.resolved;
            published.unchanged += outcome.unchanged;
            published.failed.extend(outcome.failed);
            changes.extend(outcome.changes);
        }
        if self.settings.digest && !changes.is_empty() {
            let page = page(
                &facts.organization_id,
                &run.run_id,
                &facts.evaluated_at,
                &changes,
                published.failed.len(),
            );
            self.mail(&run.run_id, &page).await;
        }
        Ok(published)
    }

    /// Sends the digest unless it was sent already. It may be stopped by the very policies that
    /// it reports on, so a failure is told and nothing more.
    async fn mail(&self, run: &str, page: &Page<'_>) {
        let sent = objects::of_run(run, "digest-sent.json");
        if matches!(self.objects.get(&sent).await, Ok(Some(_))) {
            return;
        }
        let rendered = Text { page }.render().and_then(|text| Ok((text, Html { page }.render()?)));
        let mail = match rendered {
            Ok((text, html)) => Mail { subject: subject(page), text, html },
            Err(error) => {
                tracing::warn!(run_id = run, %error, "the digest could not be rendered");
                return;
            }
        };
        if let Err(error) = self.mailer.send(&mail).await {
            tracing::warn!(run_id = run, %error, "the digest could not be sent");
            return;
        }
        // Should this be lost, the digest comes twice at worst.
        if let Err(error) = self.objects.put(&sent, b"{}".to_vec(), Condition::Always).await {
            tracing::warn!(run_id = run, %error, "that the digest was sent could not be noted");
        }
    }
}

fn page<'a>(
    organization: &'a str,
    run: &'a str,
    evaluated_at: &'a str,
    changes: &'a [VerdictChange],
    failed: usize,
) -> Page<'a> {
    let of = |wanted: &[&str]| {
        let changes = changes.iter().filter(|change| wanted.contains(&change.after.as_str()));
        changes.collect::<Vec<_>>()
    };
    let mut room = TOLD;
    let mut cut = |mut list: Vec<&'a VerdictChange>| {
        list.truncate(room);
        room -= list.len();
        list
    };
    let worse = cut(of(&["FAILED", "UNDECIDED"]));
    let better = cut(of(&["PASSED", "NOT_APPLICABLE"]));
    let gone = cut(of(&["ARCHIVED"]));
    let more = changes.len() - worse.len() - better.len() - gone.len();
    Page { organization, run, evaluated_at, worse, better, gone, more, failed }
}

fn subject(page: &Page<'_>) -> String {
    let count = page.worse.len() + page.better.len() + page.gone.len() + page.more;
    let verdicts = if count == 1 { "verdict" } else { "verdicts" };
    format!("SES data perimeter of {}: {count} {verdicts} changed", page.organization)
}
