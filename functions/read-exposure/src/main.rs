//! The function `read-exposure`: accounts in, what they could send out.

use std::cell::OnceCell;

use aws::environment::{self, Environment};
use aws::function::{Failed, Invocation, RuntimeError, run, seed, serve};
use aws::permissions::READ_EXPOSURE;
use aws::{Outside, SystemClock, settings};
use pipeline::reading::{BatchPorts, function};

fn main() -> Result<(), RuntimeError> {
    run(answer)
}

async fn answer() -> Result<(), RuntimeError> {
    let outside = Outside::from_environment(READ_EXPOSURE.calls).await;
    let setup = settings::read_exposure(&Environment::new(&environment::process), seed())
        .map(|settings| (outside.bucket(&settings.exposure.bucket), settings));
    let reader = OnceCell::new();
    serve(READ_EXPOSURE, async |invocation: Invocation| {
        let (bucket, settings) = setup.as_ref().map_err(|error| Failed::from(error.clone()))?;
        let input = invocation.parse_bare()?;
        let home = invocation.home()?;
        let ports = BatchPorts {
            reader: reader.get_or_init(|| outside.exposure(settings.access(&home))),
            objects: bucket,
            clock: &SystemClock,
        };
        Ok(function::run(ports, &settings.exposure, input, invocation.deadline).await?)
    })
    .await
}
