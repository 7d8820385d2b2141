//! The function `evaluate-scps`: a snapshot in, verdicts out. It calls nothing but the bucket.

use aws::environment::{self, Environment};
use aws::function::{Failed, Invocation, RuntimeError, run, serve};
use aws::permissions::EVALUATE_SCPS;
use aws::{Outside, SystemClock, settings};
use pipeline::evaluate;

/// Most of the time of a large evaluation goes by in allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), RuntimeError> {
    run(answer)
}

async fn answer() -> Result<(), RuntimeError> {
    let outside = Outside::from_environment(EVALUATE_SCPS.calls).await;
    let setup = settings::evaluate_scps(&Environment::new(&environment::process))
        .map(|settings| (outside.bucket(&settings.bucket), settings));
    serve(EVALUATE_SCPS, async |invocation: Invocation| {
        let (bucket, settings) = setup.as_ref().map_err(|error| Failed::from(error.clone()))?;
        Ok(evaluate::run(bucket, &SystemClock, settings, invocation.parse()?).await?)
    })
    .await
}
