//! The function `start-check`: triggers and ends of runs in, one execution at a time out.

use aws::answers::{Ended, StartAnswer, age_of_last_run};
use aws::environment::{self, Environment};
use aws::function::{Failed, Invocation, RuntimeError, run, serve};
use aws::permissions::START_CHECK;
use aws::{Outside, SystemClock, settings};
use pipeline::start;

fn main() -> Result<(), RuntimeError> {
    run(answer)
}

async fn answer() -> Result<(), RuntimeError> {
    let outside = Outside::from_environment(START_CHECK.calls).await;
    let setup = settings::start_check(&Environment::new(&environment::process)).map(|settings| {
        let bucket = outside.bucket(&settings.bucket);
        (bucket, outside.state_machine(&settings.state_machine), settings.start)
    });
    serve(START_CHECK, async |invocation: Invocation| {
        let (bucket, machine, settings) =
            setup.as_ref().map_err(|error| Failed::from(error.clone()))?;
        let input = &invocation.input;
        let started = start::run(bucket, machine, &SystemClock, settings, input).await?;
        let ended = Ended::of(input);
        let age_seconds = match ended {
            Some(_) => None,
            None => age_of_last_run(bucket, &SystemClock).await,
        };
        Ok(StartAnswer { started, ended, age_seconds })
    })
    .await
}
