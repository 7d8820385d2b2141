//! The end of a run: what it did, in figures and by mail.

use askama::Template;
use findings::asff::id;
use findings::lifecycle::GivenUp;
use serde::{Deserialize, Serialize};
use ses_perimeter::control::ControlId;

use super::base::{Job, PublishError, Publisher};
use super::book::StoredRecord;
use super::inputs;
use super::limits::{HubOperation, Limits};
use crate::objects;
use crate::ports::{Clock, Condition, Events, FindingQuery, Hub, Mail, Mailer, Objects};
use crate::wire::{FailedItem, GivenUpAccount, Published, RunRef, SCHEMA_VERSION, VerdictChange};

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
    /// Accounts that refuse to hold their findings.
    #[serde(default)]
    pub given_up: Vec<GivenUpAccount>,
    /// Whether any account took findings in the last invocation.
    #[serde(default)]
    pub answered: bool,
    /// Open accounts that nobody asked, where none took findings and some refused: whether they
    /// take a call tells whose fault that is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// Verdicts that changed.
    pub changes: Vec<VerdictChange>,
}

/// Changes of a run as far as a mail may tell them: a first run has one for every verdict, and a
/// large organization's would not fit into the memory.
#[derive(Default)]
struct Changes {
    worse: Vec<VerdictChange>,
    better: Vec<VerdictChange>,
    gone: Vec<VerdictChange>,
    /// How many there are, told or not.
    count: usize,
}

impl Changes {
    fn add(&mut self, change: VerdictChange) {
        self.count += 1;
        let list = match change.after.as_str() {
            "FAILED" | "UNDECIDED" => &mut self.worse,
            "PASSED" | "NOT_APPLICABLE" => &mut self.better,
            "ARCHIVED" => &mut self.gone,
            _ => return,
        };
        if list.len() < TOLD {
            list.push(change);
        }
    }
}

/// What the mail shows; rendered as text and as HTML.
struct MailPage<'a> {
    organization: &'a str,
    run: &'a str,
    evaluated_at: &'a str,
    worse: Vec<&'a VerdictChange>,
    better: Vec<&'a VerdictChange>,
    gone: Vec<&'a VerdictChange>,
    more: usize,
    failed: usize,
    given_up: &'a [GivenUpAccount],
}

#[derive(Template)]
#[template(path = "digest.txt", escape = "none")]
struct RefusalText<'a> {
    page: &'a MailPage<'a>,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct Html<'a> {
    page: &'a MailPage<'a>,
}

/// How many accounts a shard names that nobody asked.
const OTHERS: usize = 3;
/// How many of them the report asks.
const MOST_ASKED: usize = 20;

/// The accounts of a shard that refuse to hold their findings.
pub(super) fn given_up(book: &StoredRecord, run_id: &str) -> Vec<GivenUpAccount> {
    let account = |(account, refused): (&String, &GivenUp)| GivenUpAccount {
        account_id: account.clone(),
        closed: refused.closed,
        new: refused.run_id == run_id,
        since: refused.since.clone(),
        code: refused.code.clone(),
        reason: refused.reason.clone(),
    };
    book.record.given_up.iter().map(account).collect()
}

impl<O: Objects, H: Hub, E: Events, M: Mailer, C: Clock> Publisher<'_, O, H, E, M, C> {
    /// Some open accounts of a shard that nobody asked, where each account holds its findings and
    /// none took any: whether these take a call tells whose fault it is that others refuse.
    pub(super) fn others(&self, job: &Job<'_>, book: &StoredRecord, answered: bool) -> Vec<String> {
        if answered || self.settings.lifecycle.holder.is_some() {
            return Vec::new();
        }
        let accounts = job.results.header.accounts.keys();
        let open = accounts.filter(|id| job.is_open(id) && !book.record.given_up.contains_key(*id));
        open.take(OTHERS).cloned().collect()
    }

    /// Fails where no open account takes findings: then the deployment is at fault and not single
    /// accounts, and nobody may be given up over it.
    async fn judge(
        &self,
        organization: &str,
        refused: &[GivenUpAccount],
        others: &[String],
    ) -> Result<(), PublishError> {
        let mut open = refused.iter().filter(|account| !account.closed);
        let Some(first) = open.next() else { return Ok(()) };
        for account in others.iter().take(MOST_ASKED) {
            let limits = Limits::new(&self.settings.pace);
            let ids = ControlId::all().take(1).map(|it| id(organization, account, &it.to_string()));
            let ids: Vec<String> = ids.collect();
            let call = || self.hub.find(account, FindingQuery::WithIds(&ids), None);
            match limits.call(HubOperation::Find, call).await {
                Ok(_) => return Ok(()),
                Err(error) if self.is_member_off(&error) => {}
                Err(source) => return Err(self.explained(account, source)),
            }
        }
        Err(PublishError::AllRefused {
            refused: 1 + open.count(),
            account: first.account_id.clone(),
            code: first.code.clone(),
            reason: first.reason.clone(),
        })
    }

    pub(super) async fn report(&self, run: &RunRef) -> Result<Published, PublishError> {
        let facts = inputs::facts(self.objects, &run.run_id).await?.facts;
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
        let mut changes = Changes::default();
        let (mut answered, mut others) = (false, Vec::new());
        for key in listed {
            let bytes = inputs::required(self.objects, &key).await?;
            let outcome: Outcome = serde_json::from_slice(&bytes)
                .map_err(|source| PublishError::Unreadable { key, source: source.into() })?;
            published.written += outcome.written;
            published.archived += outcome.archived;
            published.resolved += outcome.resolved;
            published.unchanged += outcome.unchanged;
            published.failed.extend(outcome.failed);
            published.given_up.extend(outcome.given_up);
            answered |= outcome.answered;
            others.extend(outcome.others);
            outcome.changes.into_iter().for_each(|change| changes.add(change));
        }
        let new: Vec<GivenUpAccount> =
            published.given_up.iter().filter(|account| account.new).cloned().collect();
        if self.settings.digest && (changes.count > 0 || !new.is_empty()) {
            let page = page(
                &facts.organization_id,
                &run.run_id,
                &facts.evaluated_at,
                &changes,
                published.failed.len(),
                &new,
            );
            self.mail(&run.run_id, &page).await;
        }
        // A run of some accounts has not asked enough of them.
        if !answered && facts.accounts.is_empty() {
            self.judge(&facts.organization_id, &published.given_up, &others).await?;
        }
        Ok(published)
    }

    /// Sends the digest unless it was sent already. It may be stopped by the very policies that
    /// it reports on, so a failure is told and nothing more.
    async fn mail(&self, run: &str, page: &MailPage<'_>) {
        let sent = objects::of_run(run, "digest-sent.json");
        if matches!(self.objects.get(&sent).await, Ok(Some(_))) {
            return;
        }
        let rendered =
            RefusalText { page }.render().and_then(|text| Ok((text, Html { page }.render()?)));
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
    changes: &'a Changes,
    failed: usize,
    given_up: &'a [GivenUpAccount],
) -> MailPage<'a> {
    let mut room = TOLD;
    let mut cut = |list: &'a [VerdictChange]| {
        let told: Vec<_> = list.iter().take(room).collect();
        room -= told.len();
        told
    };
    let worse = cut(&changes.worse);
    let better = cut(&changes.better);
    let gone = cut(&changes.gone);
    let more = changes.count - worse.len() - better.len() - gone.len();
    let given_up = given_up.get(..given_up.len().min(TOLD)).unwrap_or_default();
    MailPage { organization, run, evaluated_at, worse, better, gone, more, failed, given_up }
}

fn subject(page: &MailPage<'_>) -> String {
    let count = page.worse.len() + page.better.len() + page.gone.len() + page.more;
    let verdicts = if count == 1 { "verdict" } else { "verdicts" };
    format!("SES data perimeter of {}: {count} {verdicts} changed", page.organization)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(after: &str) -> VerdictChange {
        VerdictChange {
            schema_version: SCHEMA_VERSION,
            run_id: "run-1".to_owned(),
            account_id: "222222222222".to_owned(),
            account_name: "shop".to_owned(),
            control_id: "SESDP.8".to_owned(),
            before: None,
            after: after.to_owned(),
            title: String::new(),
            finding_id: String::new(),
        }
    }

    #[test]
    fn a_mail_tells_the_worst_first_and_counts_what_it_leaves_out() {
        let mut changes = Changes::default();
        for _ in 0..300 {
            changes.add(change("PASSED"));
        }
        for after in ["FAILED", "ARCHIVED", "UNDECIDED"] {
            (0..60).for_each(|_| changes.add(change(after)));
        }
        assert_eq!(changes.better.len(), TOLD, "no more is kept than a mail tells");
        let page = page("o-exampleorg1", "run-1", "2026-11-23T00:00:00Z", &changes, 0, &[]);
        assert_eq!((page.worse.len(), page.better.len(), page.gone.len()), (120, 80, 0));
        assert_eq!(page.more, 480 - 200);
    }
}
