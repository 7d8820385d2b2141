//! The function `publish-findings`: verdicts in, findings in Security Hub out.

use std::cell::OnceCell;

use aws::answers::PublishAnswer;
use aws::environment::{self, Environment};
use aws::function::{Failed, Invocation, RuntimeError, run, serve};
use aws::permissions::PUBLISH_FINDINGS;
use aws::{Outside, SystemClock, settings};
use pipeline::publish::Publisher;
use pipeline::wire::PublishInput;

fn main() -> Result<(), RuntimeError> {
    run(answer)
}

async fn answer() -> Result<(), RuntimeError> {
    let outside = Outside::from_environment(PUBLISH_FINDINGS.calls).await;
    let setup = settings::publish_findings(&Environment::new(&environment::process))
        .map(|settings| (outside.bucket(&settings.bucket), settings));
    let (bus, hub) = (outside.bus(), OnceCell::new());
    serve(PUBLISH_FINDINGS, async |invocation: Invocation| {
        let (bucket, settings) = setup.as_ref().map_err(|error| Failed::from(error.clone()))?;
        let input: PublishInput = invocation.parse_bare()?;
        let home = invocation.home()?;
        let publisher = Publisher {
            objects: bucket,
            hub: hub.get_or_init(|| outside.security_hub(settings.access(&home))),
            events: &bus,
            mailer: &outside.mailer(settings.digest.clone()),
            clock: &SystemClock,
            settings: &settings.publishing(&home),
        };
        let published = publisher.publish(&input, invocation.until()).await?;
        Ok(PublishAnswer { published, is_report: matches!(input, PublishInput::Report(_)) })
    })
    .await
}
