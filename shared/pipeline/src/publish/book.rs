//! The record of a shard in the bucket, and how it is rebuilt where it is lost.

use std::collections::BTreeSet;

use findings::asff::{PRODUCT, account_of, fields};
use findings::lifecycle::{Adopted, Record};
use findings::results::StatusEntry;
use findings::slots::{shard_of, slots_of};

use super::base::{HubOff, Job, PublishError, Publisher};
use super::limits::{HubOperation, Limits, endless};
use crate::collect::pages::{Pages, Repeated};
use crate::objects;
use crate::ports::{
    CallError, Clock, Condition, Events, Failure, FindingQuery, Hub, Mailer, Objects, Page,
    PublishedFinding, Written,
};
use crate::wire::{Shard, digest};

/// The record with the version that it was read from.
pub struct StoredRecord {
    key: String,
    /// The record.
    pub record: Record,
    /// The digest of the version in the bucket.
    saved: Option<String>,
    tag: Option<String>,
}

/// What opening the record came to.
pub enum Opened {
    /// It is there.
    StoredRecord(Box<StoredRecord>),
    /// It was lost, and rebuilding it takes longer than this invocation may.
    Rebuilding,
    /// Somebody else wrote it meanwhile.
    Conflict,
}

impl StoredRecord {
    /// The key of the record of a shard.
    pub fn key(shard: &Shard) -> String {
        objects::record(shard.shards, shard.shard)
    }

    /// Whether it is in the bucket in some version.
    pub const fn is_kept(&self) -> bool {
        self.tag.is_some()
    }

    fn bytes(&self) -> Result<Vec<u8>, PublishError> {
        self.record.to_bytes().map_err(|source| PublishError::Unreadable {
            key: self.key.clone(),
            source: source.into(),
        })
    }

    /// Writes it over the version that it was read from. `false` where another one is there.
    pub async fn save(&mut self, store: &impl Objects) -> Result<bool, PublishError> {
        let bytes = self.bytes()?;
        let digest = digest(&bytes);
        self.write(store, bytes, digest).await
    }

    /// Writes it where it differs from the version in the bucket. `false` where that is another
    /// one than it was read from.
    pub async fn save_changes(&mut self, store: &impl Objects) -> Result<bool, PublishError> {
        let bytes = self.bytes()?;
        let digest = digest(&bytes);
        if self.saved.as_ref() == Some(&digest) {
            return Ok(true);
        }
        self.write(store, bytes, digest).await
    }

    async fn write(
        &mut self,
        store: &impl Objects,
        bytes: Vec<u8>,
        digest: String,
    ) -> Result<bool, PublishError> {
        let condition = match &self.tag {
            Some(tag) => Condition::IfTag(tag),
            None => Condition::IfAbsent,
        };
        let written =
            store.put(&self.key, bytes, condition).await.map_err(|source| PublishError::Call {
                doing: "the record of what was published cannot be written",
                source,
            })?;
        match written {
            Written::Yes(tag) => {
                self.tag = Some(tag);
                self.saved = Some(digest);
                Ok(true)
            }
            Written::Conflict => Ok(false),
        }
    }
}

impl<O: Objects, H: Hub, E: Events, M: Mailer, C: Clock> Publisher<'_, O, H, E, M, C> {
    /// The record of the shard; rebuilt from Security Hub where there is none.
    pub(super) async fn open(&self, job: &Job<'_>) -> Result<Opened, PublishError> {
        let key = StoredRecord::key(job.shard);
        let organization = &job.facts.organization_id;
        let found = self.objects.get(&key).await.map_err(|source| PublishError::Call {
            doing: "the record of what was published cannot be read",
            source,
        })?;
        let mut book = match found {
            Some(object) => {
                let record = Record::read(&object.bytes, organization).map_err(|source| {
                    PublishError::Unreadable { key: key.clone(), source: source.into() }
                })?;
                StoredRecord {
                    key,
                    saved: Some(digest(&object.bytes)),
                    record,
                    tag: Some(object.tag),
                }
            }
            None => {
                let mut record = Record::new(organization);
                record.rebuilding = Some(String::new());
                StoredRecord { key, saved: None, record, tag: None }
            }
        };
        if book.record.rebuilding.is_none() || self.rebuild(job, &mut book.record).await? {
            return Ok(Opened::StoredRecord(Box::new(book)));
        }
        Ok(if book.save(self.objects).await? { Opened::Rebuilding } else { Opened::Conflict })
    }

    /// Fills the record with what Security Hub shows. `false` where the time is up.
    ///
    /// [`Record::rebuilding`] holds where to go on: an account and a page of its findings.
    async fn rebuild(&self, job: &Job<'_>, record: &mut Record) -> Result<bool, PublishError> {
        let limits = Limits::new(&self.settings.pace);
        let at = record.rebuilding.clone().unwrap_or_default();
        let (account, page) = at.split_once(' ').unwrap_or((&at, ""));
        let holders: BTreeSet<String> = match &self.settings.lifecycle.holder {
            Some(holder) => [holder.clone()].into(),
            None => job.results.header.accounts.keys().cloned().collect(),
        };
        let slots = slots_of(job.shard.shard, job.shard.shards);
        let mut start = Some(page.to_owned()).filter(|page| !page.is_empty());
        for holder in holders.range(account.to_owned()..) {
            let mut pages = Pages::at(start.take());
            while !pages.is_done() {
                let next = pages.token();
                if tokio::time::Instant::now() >= job.deadline {
                    let page = next.unwrap_or_default();
                    record.rebuilding = Some(format!("{holder} {page}"));
                    return Ok(false);
                }
                let wanted = FindingQuery::OfProduct { product: PRODUCT, slots: &slots };
                let found = limits
                    .call(HubOperation::Find, || {
                        self.hub.find(holder, wanted.clone(), next.as_deref())
                    })
                    .await;
                let page = match found {
                    Ok(page) => page,
                    // A member that cannot be reached has nothing that could be told.
                    Err(error) if self.is_member_off(&error) => {
                        Page { items: Vec::new(), next: None }
                    }
                    Err(source) => return Err(self.explained(holder, source)),
                };
                for finding in page.items {
                    self.adopt(job, record, finding);
                }
                pages.advance(page.next).map_err(|Repeated| self.explained(holder, endless()))?;
            }
        }
        record.rebuilding = None;
        Ok(true)
    }

    fn adopt(&self, job: &Job<'_>, record: &mut Record, finding: PublishedFinding) {
        let Some(account) = account_of(&finding.id, &job.facts.organization_id) else { return };
        let belongs = shard_of(account, job.shard.shards) == job.shard.shard
            && self.settings.lifecycle.target(account).account == finding.aws_account_id
            && finding.record_state == "ACTIVE";
        if !belongs {
            return;
        }
        let field = |name: &str| finding.product_fields.get(name).cloned();
        let status = field(fields::STATUS).unwrap_or_default();
        // A digest of nothing differs from every other: the finding is written anew.
        let (status, digest) = match status_of(&status) {
            Some(status) => (status, field(fields::CONTENT_DIGEST).unwrap_or_default()),
            None => (StatusEntry::Undecided, String::new()),
        };
        record.adopt(Adopted {
            account_name: field(fields::ACCOUNT_NAME).unwrap_or_else(|| account.to_owned()),
            status,
            digest,
            created_at: finding.created_at,
            updated_at: finding.updated_at,
            first_observed_at: finding.first_observed_at,
            open: matches!(finding.workflow.as_str(), "NEW" | "NOTIFIED"),
            id: finding.id,
        });
    }

    /// Whether a member's own hub is out of reach, which must not stop the others.
    pub(super) fn is_member_off(&self, error: &CallError) -> bool {
        self.settings.lifecycle.holder.is_none() && is_refusal(error)
    }

    /// The error of a call to Security Hub of `holder`.
    pub(super) fn explained(&self, holder: &str, source: CallError) -> PublishError {
        if is_refusal(&source) {
            return PublishError::Hub(self.off_by(holder, &source));
        }
        PublishError::Call { doing: "Security Hub did not answer as it should", source }
    }

    pub(super) fn off_by(&self, holder: &str, error: &CallError) -> HubOff {
        self.off(holder, &error.code, &error.message)
    }

    pub(super) fn off(&self, holder: &str, code: &str, message: &str) -> HubOff {
        HubOff {
            account: holder.to_owned(),
            region: self.settings.lifecycle.region.clone(),
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }
}

fn is_refusal(error: &CallError) -> bool {
    error.failure == Failure::Denied || is_refusal_code(&error.code)
}

/// Whether a code says that the hub refuses the caller, not the finding.
pub fn is_refusal_code(code: &str) -> bool {
    code.starts_with("InvalidAccess") || code.starts_with("AccessDenied")
}

fn status_of(name: &str) -> Option<StatusEntry> {
    [StatusEntry::Failed, StatusEntry::Undecided, StatusEntry::Passed, StatusEntry::NotApplicable]
        .into_iter()
        .find(|status| status.name() == name)
}
