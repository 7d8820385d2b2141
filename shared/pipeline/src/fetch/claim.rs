//! Which requests a run answers.

use super::base::Fetch;
use super::error::FetchError;
use super::plan::RunPlan;
use crate::objects;
use crate::ports::{Clock, Condition, Objects, Organizations, Written};
use crate::wire::{Change, Request, RunClaim, SCHEMA_VERSION, Scope};

impl<O: Organizations, S: Objects, C: Clock> Fetch<'_, O, S, C> {
    /// Claims the waiting requests, or takes up the claim of an earlier try.
    pub(super) async fn claim(&self, mut plan: RunPlan) -> Result<RunPlan, FetchError> {
        let key = objects::of_run(&plan.run_id, "claim.json");
        let claim = match self.store.get::<RunClaim>(&key).await? {
            Some((claim, _)) => claim,
            None => self.new_claim(&key).await?,
        };
        let mut requests = Vec::with_capacity(claim.requests.len());
        for key in &claim.requests {
            requests.push(self.request(key, &mut plan.notes).await?);
        }
        plan.answer(&requests);
        // Only a start after the claim has seen everything that the requests tell of.
        plan.started = self.ports.clock.now();
        Ok(plan)
    }

    async fn new_claim(&self, key: &str) -> Result<RunClaim, FetchError> {
        let claim = RunClaim { requests: self.ports.objects.list(objects::REQUESTS).await? };
        let bytes = self.store.bytes(key, &claim)?;
        match self.ports.objects.put(key, bytes, Condition::IfAbsent).await? {
            Written::Yes(_) => Ok(claim),
            // Another try of this run was faster; its claim is the one that will be answered.
            Written::Conflict => {
                let found = self.store.get::<RunClaim>(key).await?;
                found.map(|(claim, _)| claim).ok_or_else(|| FetchError::Damaged {
                    key: key.to_owned(),
                    reason: "it vanished while it was read".to_owned(),
                    help: "start a new run",
                })
            }
        }
    }

    /// A request; one that cannot be read asks for everything, and is answered with that.
    async fn request(&self, key: &str, notes: &mut Vec<String>) -> Result<Request, FetchError> {
        let why = match self.ports.objects.get(key).await? {
            None => "it is not there any more".to_owned(),
            Some(object) => match serde_json::from_slice::<Request>(&object.bytes) {
                Ok(request) if request.schema_version == SCHEMA_VERSION => return Ok(request),
                Ok(request) => format!("it has version {}", request.schema_version),
                Err(error) => error.to_string(),
            },
        };
        notes.push(format!("the request `{key}` counts as one for everything: {why}"));
        Ok(Request {
            schema_version: SCHEMA_VERSION,
            source: crate::wire::CheckOrigin::Demand,
            received_at: String::new(),
            scope: Scope::default(),
            full: false,
            changes: vec![Change::Everything],
        })
    }
}
