//! What batches read, into the parts.

use std::collections::BTreeSet;

use organization::AccountId;

use super::{CONFLICTS, Function, MergeInput, Merged, ReadExposureError, check};
use crate::defect::Defect;
use crate::objects;
use crate::ports::{Clock, Condition, Objects, Written};
use crate::reading::merge::{BatchOutcome, Reading, merge};
use crate::reading::parts::{PARTS, PartAccounts, PartError, Stored, groups, to_bytes};
use crate::reading::plan::is_complete;
use crate::reading::run::outcome;
use crate::reading::wire::Batch;
use crate::wire::SCHEMA_VERSION;

/// Batches with what became of them.
type Done = Vec<(Batch, BatchOutcome)>;

impl<S: Objects, C: Clock> Function<'_, S, C> {
    /// Brings the parts from `input.part` on up to date, as many as the time allows and at least
    /// one.
    pub(super) async fn merge(&self, input: &MergeInput) -> Result<Merged, ReadExposureError> {
        check(input.schema_version, SCHEMA_VERSION, &input.run_id)?;
        if input.part > PARTS {
            let message = format!("there are {PARTS} parts, and no part {}", input.part);
            return Err(ReadExposureError::Input(message));
        }
        let mut merged = Merged {
            schema_version: SCHEMA_VERSION,
            run_id: input.run_id.clone(),
            done: false,
            part: input.part,
            accounts: 0,
            regions: 0,
            gaps: 0,
            notes: Vec::new(),
        };
        let manifest = self.manifest(&input.run_id).await?;
        let no_manifest = || ReadExposureError::NoManifest { key: objects::batches(&input.run_id) };
        let (batches, _) = manifest.ok_or_else(no_manifest)?;
        let places = self.places().await?;
        for mut group in groups(&places.accounts) {
            group.retain(|part| part.part >= input.part);
            if group.is_empty() {
                continue;
            }
            if merged.part > input.part && self.is_late() {
                return Ok(merged);
            }
            let done = self.outcomes(&batches, &group).await?;
            for part in &group {
                if merged.part > input.part && self.is_late() {
                    return Ok(merged);
                }
                self.merge_part(part, &places.regions, &done, &mut merged).await?;
                merged.part = part.part + 1;
            }
        }
        merged.done = true;
        Ok(merged)
    }

    /// What became of the batches that had to read an account of the group.
    async fn outcomes(
        &self,
        batches: &[Batch],
        group: &[PartAccounts],
    ) -> Result<Done, ReadExposureError> {
        let ids: BTreeSet<String> =
            group.iter().flat_map(|part| &part.accounts).map(ToString::to_string).collect();
        let mut done = Vec::new();
        for batch in batches {
            if batch.accounts.iter().any(|account| ids.contains(&account.account)) {
                done.push((batch.clone(), outcome(self.objects, batch).await?));
            }
        }
        Ok(done)
    }

    async fn merge_part(
        &self,
        part: &PartAccounts,
        regions: &[String],
        done: &[(Batch, BatchOutcome)],
        merged: &mut Merged,
    ) -> Result<(), ReadExposureError> {
        let planned = done.iter().flat_map(|(batch, _)| &batch.accounts);
        let planned: BTreeSet<&str> = planned.map(|account| account.account.as_str()).collect();
        let key = objects::exposure_part(part.part);
        for _ in 0..CONFLICTS {
            let stored = Stored::load(self.objects, part.part).await?;
            let (last, damage) = match stored.reading {
                Ok(last) => (last, None),
                Err(error @ PartError::Damaged { .. }) => {
                    (Reading::default(), Some(error.to_string()))
                }
                Err(PartError::Call(error)) => return Err(error.into()),
            };
            let known: BTreeSet<AccountId> =
                last.exposure.accounts.iter().map(|account| account.account).collect();
            // Of the others nothing is known, and nobody asked: they stay out, as not read.
            let accounts: Vec<AccountId> = part
                .accounts
                .iter()
                .filter(|id| known.contains(id) || planned.contains(id.to_string().as_str()))
                .copied()
                .collect();
            let next = merge(&accounts, regions, &last, done, self.clock.now());
            if damage.is_some() && next.exposure.accounts.is_empty() {
                // Nothing to put in its place: it stays for whoever looks into it.
                merged.notes.extend(damage);
                return Ok(());
            }
            if self.put_part(part.part, &next, stored.object.as_ref()).await? {
                merged.notes.extend(damage);
                count(&next, merged);
                return Ok(());
            }
        }
        Err(ReadExposureError::Contended { key })
    }

    /// Writes a part over the version that was read; `false` where somebody else was faster.
    async fn put_part(
        &self,
        part: u32,
        next: &Reading,
        before: Option<&crate::ports::Object>,
    ) -> Result<bool, ReadExposureError> {
        let key = objects::exposure_part(part);
        let bytes = to_bytes(part, next).map_err(|error| Defect::unwritable(&key, &error))?;
        let condition = match before {
            Some(before) if before.bytes == bytes => return Ok(true),
            Some(before) => Condition::IfTag(&before.tag),
            None if next.exposure.accounts.is_empty() => return Ok(true),
            None => Condition::IfAbsent,
        };
        Ok(self.objects.put(&key, bytes, condition).await? != Written::Conflict)
    }
}

fn count(reading: &Reading, merged: &mut Merged) {
    for account in &reading.exposure.accounts {
        merged.accounts += 1;
        merged.regions += account.regions.len() as u64;
        let gaps = account.regions.iter().filter(|region| !is_complete(&region.status));
        merged.gaps += gaps.count() as u64;
    }
}
