//! The function `fetch-scps`: Organizations in, a snapshot out.

use aws::environment::{self, Environment};
use aws::function::{Failed, Invocation, RuntimeError, run, seed, serve};
use aws::permissions::FETCH_SCPS;
use aws::{Outside, SystemClock, settings};
use pipeline::fetch::{self, FetchPorts};

fn main() -> Result<(), RuntimeError> {
    run(answer)
}

async fn answer() -> Result<(), RuntimeError> {
    let outside = Outside::from_environment(FETCH_SCPS.calls).await;
    let organizations = outside.organizations();
    let setup = settings::fetch_scps(&Environment::new(&environment::process), seed())
        .map(|settings| (outside.bucket(&settings.bucket), settings.fetch));
    serve(FETCH_SCPS, async |invocation: Invocation| {
        let (bucket, settings) = setup.as_ref().map_err(|error| Failed::from(error.clone()))?;
        let ports =
            FetchPorts { organizations: &organizations, objects: bucket, clock: &SystemClock };
        let input = invocation.parse()?;
        Ok(fetch::run(ports, settings, input, invocation.deadline).await?)
    })
    .await
}
