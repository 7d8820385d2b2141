//! What is due in all accounts, group by group.

use std::collections::BTreeSet;

use organization::AccountId;
use tokio::time::Instant;

use super::{Function, Places, PlanInput, Planned, ReadExposureError, check};
use crate::defect::Defect;
use crate::fetch::new_run_id;
use crate::objects;
use crate::ports::{Clock, Condition, Objects, Written};
use crate::reading::merge::Reading;
use crate::reading::parts::{PartAccounts, PartError, groups, read_part};
use crate::reading::plan::{number, plan_batches};
use crate::reading::wire::{Batch, Times};
use crate::wire::{Pointer, SCHEMA_VERSION, digest};

impl<S: Objects, C: Clock> Function<'_, S, C> {
    /// Writes the manifest of a run. One that is there already stands: its batches may be under
    /// way.
    pub(super) async fn plan(&self, input: PlanInput) -> Result<Planned, ReadExposureError> {
        let now = self.clock.now();
        let run_id = if input.run_id.is_empty() { new_run_id(now) } else { input.run_id };
        check(input.schema_version, SCHEMA_VERSION, &run_id)?;
        if let Some(planned) = self.planned_before(&run_id).await? {
            return Ok(planned);
        }
        let places = self.places().await?;
        let wanted = wanted(&input.accounts, &places)?;
        let mut notes = Vec::new();
        if places.regions.is_empty() {
            let partition = &places.partition;
            notes.push(format!("nothing is read: SES has no endpoint in `{partition}`"));
        }
        let mut batches = Vec::new();
        for group in groups(&places.accounts) {
            if self.is_late() {
                let left = self.cut.saturating_duration_since(Instant::now());
                return Err(ReadExposureError::NoTime { left, margin: self.settings.read.margin });
            }
            let group = limited(group, &wanted);
            let mut last = self.known(&group, &mut notes).await?;
            if input.full {
                // What has no time is due; what was found there still tells how long it takes.
                last.times = Times::default();
            }
            let accounts: Vec<AccountId> =
                group.into_iter().flat_map(|part| part.accounts).collect();
            let (read, plan) = (&self.settings.read, &self.settings.plan);
            let due = plan_batches(&run_id, &accounts, &places.regions, &last, now, read, plan);
            batches.extend(due);
        }
        number(&mut batches);
        let key = objects::batches(&run_id);
        let text = Batch::manifest(&batches).map_err(|error| Defect::unwritable(&key, &error))?;
        let manifest = Pointer { digest: digest(text.as_bytes()), key };
        let put = self.objects.put(&manifest.key, text.into_bytes(), Condition::IfAbsent).await?;
        match put {
            Written::Yes(_) => Ok(self.planned(run_id, manifest, &batches, notes)),
            // Another try of this run was faster; its plan is the one that will be read.
            Written::Conflict => {
                let planned = self.planned_before(&run_id).await?;
                planned.ok_or(ReadExposureError::NoManifest { key: manifest.key })
            }
        }
    }

    async fn planned_before(&self, run_id: &str) -> Result<Option<Planned>, ReadExposureError> {
        let manifest = self.manifest(run_id).await?;
        Ok(manifest.map(|(batches, pointer)| {
            let notes = vec!["the run was planned before, and keeps that plan".to_owned()];
            self.planned(run_id.to_owned(), pointer, &batches, notes)
        }))
    }

    fn planned(
        &self,
        run_id: String,
        manifest: Pointer,
        batches: &[Batch],
        notes: Vec<String>,
    ) -> Planned {
        let accounts = batches.iter().flat_map(|batch| &batch.accounts);
        Planned {
            schema_version: SCHEMA_VERSION,
            run_id,
            bucket: self.settings.bucket.clone(),
            manifest,
            batches: batches.len() as u64,
            regions: accounts.map(|account| account.regions.len() as u64).sum(),
            estimated_calls: batches.iter().map(|batch| batch.estimated_calls).sum(),
            estimated_seconds: batches.iter().map(|batch| batch.estimated_seconds).sum(),
            notes,
        }
    }

    /// What is known of a group. Of a damaged part nothing is, so all of it is due.
    async fn known(
        &self,
        group: &[PartAccounts],
        notes: &mut Vec<String>,
    ) -> Result<Reading, ReadExposureError> {
        let mut known = Reading::default();
        for part in group {
            match read_part(self.objects, part.part).await {
                Ok(part) => {
                    known.exposure.accounts.extend(part.exposure.accounts);
                    known.times.accounts.extend(part.times.accounts);
                }
                Err(error @ PartError::Damaged { .. }) => notes.push(error.to_string()),
                Err(PartError::Call(error)) => return Err(error.into()),
            }
        }
        Ok(known)
    }
}

/// The accounts that the input names; none where it names none.
fn wanted(
    ids: &[String],
    places: &Places,
) -> Result<Option<BTreeSet<AccountId>>, ReadExposureError> {
    if ids.is_empty() {
        return Ok(None);
    }
    let active: BTreeSet<AccountId> = places.accounts.iter().copied().collect();
    let mut wanted = BTreeSet::new();
    for text in ids {
        let id: AccountId =
            text.parse().map_err(|error| ReadExposureError::Input(format!("{error}")))?;
        if !active.contains(&id) {
            let why = match places.others.get(&id) {
                Some(state) => format!("is {}, and only ACTIVE accounts are read", state.name()),
                None => "is not in the latest snapshot".to_owned(),
            };
            return Err(ReadExposureError::Input(format!("account `{id}` {why}")));
        }
        wanted.insert(id);
    }
    Ok(Some(wanted))
}

/// The parts with accounts that are wanted, with these.
fn limited(
    mut group: Vec<PartAccounts>,
    wanted: &Option<BTreeSet<AccountId>>,
) -> Vec<PartAccounts> {
    if let Some(wanted) = wanted {
        group.iter_mut().for_each(|part| part.accounts.retain(|account| wanted.contains(account)));
    }
    group.retain(|part| !part.accounts.is_empty());
    group
}
