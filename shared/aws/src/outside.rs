//! The clients of one function, made when first asked for.

use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::time::Duration;

use crate::call::CallGroups;
use crate::gate::Gate;
use crate::{
    Addresses, Bucket, Bus, ExposureAccess, ExposureReader, HubAccess, OrganizationsApi,
    SecurityHub, SesMailer, StateMachine,
};

/// How often a call is sent before its error counts, where we do not count ourselves.
const ATTEMPTS: u32 = 4;

/// AWS, as far as one function may call it.
#[derive(Debug, Clone)]
pub struct Outside {
    config: SdkConfig,
    gate: Gate,
}

impl Outside {
    /// AWS as the environment describes it: the default chains for credentials and Region,
    /// `AWS_PROFILE` and `AWS_ENDPOINT_URL` included.
    ///
    /// In a function this makes no network call, since its environment names Region and
    /// credentials.
    pub async fn from_environment(calls: CallGroups) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(20))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts);
        if let Ok(name) = AppName::new("ses-perimeter") {
            loader = loader.app_name(name);
        }
        Self::new(loader.load().await, calls)
    }

    /// AWS through this configuration.
    #[must_use]
    pub const fn new(config: SdkConfig, calls: CallGroups) -> Self {
        Self { config, gate: Gate(calls) }
    }

    /// The Region, where one is configured.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(AsRef::as_ref)
    }

    /// Organizations.
    #[must_use]
    pub fn organizations(&self) -> OrganizationsApi {
        let config = aws_sdk_organizations::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled());
        let client = aws_sdk_organizations::Client::from_conf(config.build());
        OrganizationsApi::new(client, self.gate)
    }

    /// A bucket.
    #[must_use]
    pub fn bucket(&self, name: &str) -> Bucket {
        // An endpoint of one's own seldom knows a host name for each bucket.
        let path_style = self.config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(path_style);
        let once = config.clone().retry_config(RetryConfig::disabled()).build();
        let client = aws_sdk_s3::Client::from_conf(config.build());
        Bucket::new(client, aws_sdk_s3::Client::from_conf(once), self.gate, name.to_owned())
    }

    /// A state machine.
    #[must_use]
    pub fn state_machine(&self, arn: &str) -> StateMachine {
        StateMachine::new(aws_sdk_sfn::Client::new(&self.config), self.gate, arn.to_owned())
    }

    /// Security Hub in the configured Region.
    #[must_use]
    pub fn security_hub(&self, access: HubAccess) -> SecurityHub {
        let sts = aws_sdk_sts::Client::new(&self.config);
        SecurityHub::new(self.config.clone(), sts, self.gate, access)
    }

    /// SES in the accounts of the organization.
    #[must_use]
    pub fn exposure(&self, access: ExposureAccess) -> ExposureReader {
        ExposureReader::new(&self.config, self.gate, access)
    }

    /// The default event bus.
    #[must_use]
    pub fn bus(&self) -> Bus {
        Bus::new(aws_sdk_eventbridge::Client::new(&self.config), self.gate)
    }

    /// Mail through Amazon SES; without addresses nothing is sent.
    #[must_use]
    pub fn mailer(&self, addresses: Option<Addresses>) -> SesMailer {
        SesMailer::new(aws_sdk_ses::Client::new(&self.config), self.gate, addresses)
    }

    pub(crate) const fn gate(&self) -> Gate {
        self.gate
    }

    pub(crate) const fn config(&self) -> &SdkConfig {
        &self.config
    }
}
