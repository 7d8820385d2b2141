//! Imports, in batches.

use std::collections::{BTreeMap, BTreeSet};

use findings::asff::MOST_BYTES;
use findings::lifecycle::{Plan, Write};
use serde_json::Value;

use super::base::{HubOff, Job, PublishError, Publisher};
use super::book::is_refusal_code;
use super::limits::{HubOperation, Limits};
use crate::ports::{CallError, Clock, Events, Hub, Mailer, Objects, Refused};
use crate::wire::FailedItem;

/// The most findings of one call.
const MOST_FINDINGS: usize = 100;
/// The most bytes of one call; a limit of the past that nobody took back.
const MOST_CALL_BYTES: usize = 5_500_000;
/// How often a refused finding is sent again, alone.
const ALONE: usize = 2;

/// What became of the planned writes.
#[derive(Default)]
pub struct Sent {
    /// Ids with their `UpdatedAt`.
    pub accepted: Vec<(String, String)>,
    /// What was refused, even alone.
    pub failed: Vec<FailedItem>,
    /// What the holders made of it.
    pub members: Members,
    /// Whether the time was up before everything was sent.
    pub left: bool,
    /// Why it ended early.
    pub error: Option<PublishError>,
}

/// Who took calls and who refused them.
#[derive(Default)]
pub struct Members {
    /// Members that refuse to hold findings, and how they said so.
    pub refused: BTreeMap<String, HubOff>,
    /// Those that took a call.
    pub answered: BTreeSet<String>,
}

impl Members {
    pub(super) fn answered(&mut self, holder: &str) {
        self.answered.insert(holder.to_owned());
    }
}

/// What became of one call.
enum Batch {
    /// Each finding was accepted or refused.
    Told(Vec<Refused>),
    /// The hub refuses the caller.
    Off(HubOff),
    /// The call failed.
    Failed(CallError),
    /// The time is up.
    Cut,
}

/// One finding ready to be sent.
struct Item<'a> {
    write: &'a Write,
    value: Value,
    bytes: usize,
}

impl<O: Objects, H: Hub, E: Events, M: Mailer, C: Clock> Publisher<'_, O, H, E, M, C> {
    /// Sends what is planned, one holder after the other.
    pub(super) async fn send(&self, job: &Job<'_>, plan: &Plan) -> Sent {
        let mut groups: BTreeMap<String, Vec<&Write>> = BTreeMap::new();
        for write in &plan.writes {
            let holder = self.settings.lifecycle.target(&write.account).account;
            groups.entry(holder).or_default().push(write);
        }
        let mut sent = Sent::default();
        for (holder, writes) in groups {
            // Each holder has buckets of its own.
            let limits = Limits::new(&self.settings.pace);
            self.send_to(job, &holder, &writes, &limits, &mut sent).await;
            if sent.left || sent.error.is_some() {
                break;
            }
        }
        sent
    }

    async fn send_to(
        &self,
        job: &Job<'_>,
        holder: &str,
        writes: &[&Write],
        limits: &Limits<'_>,
        sent: &mut Sent,
    ) {
        let mut rest = writes.iter().copied().peekable();
        while rest.peek().is_some() {
            let (batch, unfit) = self.batch(job, &mut rest);
            sent.failed.extend(unfit);
            if batch.is_empty() {
                continue;
            }
            let told = self.import(job, holder, &batch, limits).await;
            let refused = match told {
                Batch::Told(refused) => refused,
                Batch::Cut => {
                    sent.left = true;
                    return;
                }
                Batch::Off(off) if self.settings.lifecycle.holder.is_some() => {
                    sent.error = Some(PublishError::Hub(off));
                    return;
                }
                Batch::Failed(source) if self.settings.lifecycle.holder.is_some() => {
                    sent.error = Some(self.explained(holder, source));
                    return;
                }
                // One member must not stop the others, and trying again soon would not help it.
                Batch::Off(off) => {
                    sent.members.refused.insert(holder.to_owned(), off);
                    return;
                }
                // This passes, so the run fails over it, and the next one tries again.
                Batch::Failed(error) => {
                    let unsent = batch.iter().map(|item| item.write).chain(rest);
                    sent.failed.extend(unsent.map(|write| failed(write, &error.code, &error)));
                    return;
                }
            };
            sent.members.answered(holder);
            self.alone(job, holder, &batch, refused, limits, sent).await;
        }
    }

    /// Sends refused findings alone and notes what became of the batch.
    async fn alone(
        &self,
        job: &Job<'_>,
        holder: &str,
        batch: &[Item<'_>],
        refused: Vec<Refused>,
        limits: &Limits<'_>,
        sent: &mut Sent,
    ) {
        let mut open: BTreeMap<String, Refused> =
            refused.into_iter().map(|refused| (refused.id.clone(), refused)).collect();
        for item in batch {
            for _ in 0..ALONE {
                if !open.contains_key(&item.write.id) {
                    break;
                }
                match self.import(job, holder, std::slice::from_ref(item), limits).await {
                    Batch::Told(refused) => match refused.into_iter().next() {
                        Some(again) => {
                            open.insert(item.write.id.clone(), again);
                        }
                        None => {
                            open.remove(&item.write.id);
                        }
                    },
                    // It stays refused; the next batch tells what is the matter with the hub.
                    Batch::Off(_) | Batch::Failed(_) => break,
                    Batch::Cut => {
                        sent.left = true;
                        break;
                    }
                }
            }
        }
        for item in batch {
            match open.remove(&item.write.id) {
                Some(refused) => {
                    sent.failed.push(failed(item.write, &refused.code, &refused.message));
                }
                None => sent
                    .accepted
                    .push((item.write.id.clone(), item.write.intent.state.updated_at.clone())),
            }
        }
    }

    async fn import(
        &self,
        job: &Job<'_>,
        holder: &str,
        batch: &[Item<'_>],
        limits: &Limits<'_>,
    ) -> Batch {
        if tokio::time::Instant::now() >= job.deadline {
            return Batch::Cut;
        }
        let findings: Vec<Value> = batch.iter().map(|item| item.value.clone()).collect();
        let call = limits.call(HubOperation::Import, || self.hub.import(holder, &findings));
        let refused = match tokio::time::timeout_at(job.deadline, call).await {
            Err(_) => return Batch::Cut,
            Ok(Err(error)) if is_refusal_code(&error.code) => {
                return Batch::Off(self.off(holder, &error.code, &error.message));
            }
            Ok(Err(error)) => return Batch::Failed(error),
            Ok(Ok(refused)) => refused,
        };
        let ids: BTreeSet<&str> = refused.iter().map(|refused| refused.id.as_str()).collect();
        match refused.first() {
            // All of them, and not because of what they say.
            Some(first)
                if batch.iter().all(|item| ids.contains(item.write.id.as_str()))
                    && refused.iter().all(|refused| is_refusal_code(&refused.code)) =>
            {
                Batch::Off(self.off(holder, &first.code, &first.message))
            }
            Some(_) | None => Batch::Told(refused),
        }
    }

    /// As many findings as fit into a call, and those that fit into none.
    fn batch<'p>(
        &self,
        job: &Job<'_>,
        rest: &mut std::iter::Peekable<impl Iterator<Item = &'p Write>>,
    ) -> (Vec<Item<'p>>, Vec<FailedItem>) {
        let (mut batch, mut unfit, mut bytes) = (Vec::new(), Vec::new(), 0);
        while batch.len() < MOST_FINDINGS
            && let Some(write) = rest.peek().copied()
        {
            let item = match self.item(job, write) {
                Ok(item) => item,
                Err(why) => {
                    unfit.push(failed(write, "Unfit", &why));
                    rest.next();
                    continue;
                }
            };
            if !batch.is_empty() && bytes + item.bytes > MOST_CALL_BYTES {
                break;
            }
            bytes += item.bytes;
            batch.push(item);
            rest.next();
        }
        (batch, unfit)
    }

    fn item<'p>(&self, job: &Job<'_>, write: &'p Write) -> Result<Item<'p>, String> {
        let finding = write
            .render(&job.results, &job.facts, &self.settings.lifecycle, &job.catalog)
            .ok_or_else(|| "its result is missing".to_owned())?;
        let value = serde_json::to_value(&finding).map_err(|error| error.to_string())?;
        let bytes = value.to_string().len();
        if bytes > MOST_BYTES {
            return Err(format!("it has {bytes} bytes, and {MOST_BYTES} is the most"));
        }
        Ok(Item { write, value, bytes })
    }
}

fn failed(write: &Write, code: &str, message: &impl ToString) -> FailedItem {
    FailedItem { id: write.id.clone(), code: code.to_owned(), message: message.to_string() }
}
