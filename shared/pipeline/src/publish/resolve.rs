//! Workflows of findings that recovered.

use std::collections::BTreeMap;
use std::time::Duration;

use findings::asff::account_of;
use jiff::Timestamp;

use super::base::{Job, Publisher};
use super::book::StoredRecord;
use super::limits::{HubOperation, Limits, endless};
use super::send::Members;
use crate::collect::pages::{Pages, Repeated};
use crate::ports::{
    CallError, Clock, Events, FindingQuery, Hub, Mailer, Objects, PublishedFinding,
};

/// The most ids that GetFindings takes.
const MOST_IDS: usize = 20;
/// The most findings that BatchUpdateFindings takes.
const MOST_UPDATES: usize = 100;
/// How often to look while Security Hub still shows an older state.
const LOOKS: u32 = 5;
/// The first pause between looks; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(2);

/// What became of the workflows.
#[derive(Default)]
pub struct ResolvedWorkflows {
    /// Set to RESOLVED.
    pub ours: u64,
    /// Still to be looked at, by this input again or by the next run.
    pub left: u64,
    /// Whether the time was up before anything was looked at.
    pub cut: bool,
}

impl<O: Objects, H: Hub, E: Events, M: Mailer, C: Clock> Publisher<'_, O, H, E, M, C> {
    /// Resolves the workflow of findings that recovered, where it is ours to resolve: NEW or
    /// NOTIFIED, as Security Hub shows it after the recovery. What a customer suppressed stays.
    ///
    /// A failure is no error: the verdicts are right, and the record remembers.
    pub(super) async fn resolve(
        &self,
        job: &Job<'_>,
        book: &mut StoredRecord,
        members: &mut Members,
    ) -> ResolvedWorkflows {
        let before = book.record.tally.resolved;
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for id in book.record.to_resolve() {
            let Some(account) = account_of(&id, &job.facts.organization_id) else { continue };
            groups.entry(self.settings.lifecycle.target(account).account).or_default().push(id);
        }
        let mut cut = false;
        for (holder, ids) in groups {
            if members.refused.contains_key(&holder) {
                continue;
            }
            if tokio::time::Instant::now() >= job.deadline {
                cut = true;
                break;
            }
            let work = self.resolve_in(book, &holder, ids);
            match tokio::time::timeout_at(job.deadline, work).await {
                Err(_) => break,
                Ok(Ok(())) => members.answered(&holder),
                Ok(Err(error)) if self.is_member_off(&error) => {
                    members.refused.insert(holder.clone(), self.off_by(&holder, &error));
                }
                Ok(Err(error)) => tracing::warn!(
                    run_id = job.shard.run_id,
                    account = holder,
                    %error,
                    "recovered findings could not be resolved yet"
                ),
            }
        }
        let left = u64::try_from(book.record.to_resolve().len()).unwrap_or(u64::MAX);
        ResolvedWorkflows { ours: book.record.tally.resolved.saturating_sub(before), left, cut }
    }

    async fn resolve_in(
        &self,
        book: &mut StoredRecord,
        holder: &str,
        mut ids: Vec<String>,
    ) -> Result<(), CallError> {
        let limits = Limits::new(&self.settings.pace);
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(PAUSE * 2_u32.pow(look - 1)).await;
            }
            let mut ours = Vec::new();
            for some in ids.chunks(MOST_IDS) {
                for found in self.look(holder, some, &limits).await? {
                    match judge(book, &found) {
                        Judged::Ours => ours.push((found.id, found.product_arn)),
                        Judged::Theirs => book.record.resolved(&found.id, false),
                        Judged::Old => {}
                    }
                }
            }
            for some in ours.chunks(MOST_UPDATES) {
                let refused =
                    limits.call(HubOperation::Update, || self.hub.resolve(holder, some)).await?;
                for (id, _) in some {
                    if !refused.iter().any(|refused| refused.id == *id) {
                        book.record.resolved(id, true);
                    }
                }
            }
            let left = book.record.to_resolve();
            ids.retain(|id| left.binary_search(id).is_ok());
            if ids.is_empty() {
                break;
            }
        }
        Ok(())
    }

    async fn look(
        &self,
        holder: &str,
        ids: &[String],
        limits: &Limits<'_>,
    ) -> Result<Vec<PublishedFinding>, CallError> {
        let mut all = Vec::new();
        let mut pages = Pages::default();
        while !pages.is_done() {
            let next = pages.token();
            let call = || self.hub.find(holder, FindingQuery::WithIds(ids), next.as_deref());
            let page = limits.call(HubOperation::Find, call).await?;
            all.extend(page.items.into_iter().filter(|found| found.aws_account_id == holder));
            pages.advance(page.next).map_err(|Repeated| endless())?;
        }
        Ok(all)
    }
}

/// What a finding looks like after its recovery.
enum Judged {
    /// Open, and ours to resolve.
    Ours,
    /// Resolved already, or a customer's.
    Theirs,
    /// Security Hub does not show the recovery yet.
    Old,
}

fn judge(book: &StoredRecord, found: &PublishedFinding) -> Judged {
    let entry = book.record.findings.get(&found.id);
    let Some(settled) = entry.and_then(|entry| entry.settled.as_ref()) else { return Judged::Old };
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let shown = time(&found.updated_at).is_some_and(|at| Some(at) >= time(&settled.updated_at));
    if !shown || found.compliance.as_deref() != Some("PASSED") || found.record_state != "ACTIVE" {
        return Judged::Old;
    }
    match found.workflow.as_str() {
        "NEW" | "NOTIFIED" => Judged::Ours,
        _ => Judged::Theirs,
    }
}
