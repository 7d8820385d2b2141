//! Exposure: SES in the accounts of the organization.
//!
//! One call a method and no retries: `pipeline` paces, retries and counts. What an answer lacks is
//! an error, never nothing.

mod body;
mod cbor;
mod endpoints;
mod sessions;
mod shapes;

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use pipeline::ports::{CallError, Failure, Page};
use pipeline::reading::{
    AccountAnswer, AccountRegion, DataPoint, EndpointItem, InRegion, IngressPointItem, Opened,
    QuotaItem, RegionItem, RegionState, RelayItem, RuleSetItem, SesReader, VerifiedItem,
};

use crate::call::Call;
use crate::gate::Gate;
use crate::permissions::EXPOSURE_ROLE;
use body::{Body, incomplete};
use endpoints::Endpoints;
pub use sessions::ExposureAccess;
use sessions::{FOR_A_CALL, FOR_AN_INVOCATION, Sessions};
use shapes::{
    AccountOutput, Identities, IngressPoints, RelayOutput, Relays, RuleSetOutput, RuleSets,
};

/// The most that ListRegions puts on a page.
const REGIONS_A_PAGE: i32 = 50;
/// The most that ListEmailIdentities puts on a page.
const IDENTITIES_A_PAGE: i32 = 1_000;
/// The most that Mail Manager puts on a page.
const ITEMS_A_PAGE: i32 = 50;

/// Connections that are kept for each of a hundred hosts. The default is any number, and Lambda
/// lets a function open 1,024 files.
const IDLE_CONNECTIONS: usize = 4;

/// SES in the accounts of the organization, each as its role; also the caller's own account.
///
/// The clients are shared by all accounts and Regions: each call brings its credentials and its
/// Region.
#[derive(Debug)]
pub struct ExposureReader {
    sessions: Sessions,
    gate: Gate,
    /// Account Management has one endpoint in the partition.
    home: Option<Region>,
    accounts: aws_sdk_account::Client,
    ses: aws_sdk_ses::Client,
    ses_v2: aws_sdk_sesv2::Client,
    mail_manager: aws_sdk_mailmanager::Client,
    endpoints: Endpoints,
}

impl ExposureReader {
    /// `gate` is for the caller's own calls.
    pub(crate) fn new(config: &SdkConfig, gate: Gate, access: ExposureAccess) -> Self {
        let client = config.http_client().unwrap_or_else(http_client);
        let config = config
            .to_builder()
            .retry_config(RetryConfig::disabled())
            .http_client(client.clone())
            .build();
        let members = Gate(EXPOSURE_ROLE.calls);
        let endpoints = Endpoints::new(&config, client, members, &access.partition);
        // The endpoint of a Region, unlike the global one, gives sessions that are good in every
        // Region; the SDK uses that of the configured Region.
        let sts = aws_sdk_sts::Client::new(&config);
        Self {
            sessions: Sessions::new(sts, gate, access),
            gate: members,
            home: config.region().cloned(),
            accounts: aws_sdk_account::Client::new(&config),
            ses: aws_sdk_ses::Client::new(&config),
            ses_v2: aws_sdk_sesv2::Client::new(&config),
            mail_manager: aws_sdk_mailmanager::Client::new(&config),
            endpoints,
        }
    }
}

fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https()
}

/// Sends a request in an account and Region; gives the SDK's answer and its body.
///
/// A macro, since every client has types of its own for this.
macro_rules! send {
    ($reader:expr, $account:expr, $region:expr, $call:expr, $sdk:ident, $request:expr $(,)?) => {
        match $reader.sessions.of($account, FOR_A_CALL).await {
            Ok(credentials) => {
                let body = Body::default();
                // The credentials do not change, and one account's must never serve another.
                let config = $sdk::config::Builder::new()
                    .region($region)
                    .credentials_provider(credentials)
                    .identity_cache(IdentityCache::no_cache());
                let request = $request.customize().config_override(config);
                let request = request.interceptor(body.clone());
                $reader.gate.send($call, request.send()).await.map(|answer| (answer, body))
            }
            Err(error) => Err(error),
        }
    };
}

macro_rules! send_to {
    ($reader:expr, $place:expr, $call:expr, $sdk:ident, $request:expr $(,)?) => {{
        let region = Region::new($place.region.clone());
        send!($reader, &$place.account, region, $call, $sdk, $request)
    }};
}

impl SesReader for ExposureReader {
    async fn open(&self, account: &str) -> Result<Opened, CallError> {
        self.sessions.of(account, FOR_AN_INVOCATION).await.map(|_| Opened::Open)
    }

    async fn regions(
        &self,
        account: &str,
        next: Option<&str>,
    ) -> Result<Page<RegionItem>, CallError> {
        let call = Call::ListRegions;
        let request = self
            .accounts
            .list_regions()
            .max_results(REGIONS_A_PAGE)
            .set_next_token(next.map(str::to_owned));
        let home = self.home.clone();
        let (_, body) = send!(self, account, home, call, aws_sdk_account, request)?;
        let page: shapes::Regions = body.json(call)?;
        let items = page.regions.into_iter().map(|region| {
            let state = match region.region_opt_status.as_str() {
                "ENABLED" | "ENABLED_BY_DEFAULT" | "ENABLING" | "DISABLING" => RegionState::Enabled,
                "DISABLED" => RegionState::Disabled,
                other => {
                    let name = &region.region_name;
                    let what = format!("Region `{name}` has the unknown status `{other}`");
                    return Err(call.error(Failure::Other, "UnknownStatus", what));
                }
            };
            Ok(RegionItem { name: region.region_name, state })
        });
        Ok(Page { items: items.collect::<Result<_, _>>()?, next: page.next_token })
    }

    async fn account(&self, place: &AccountRegion) -> Result<AccountAnswer, CallError> {
        let call = Call::GetAccount;
        let request = self.ses_v2.get_account();
        let (_, body) = send_to!(self, place, call, aws_sdk_sesv2, request)?;
        body.json::<AccountOutput>(call).map(Into::into)
    }

    async fn sending_enabled(&self, place: &AccountRegion) -> Result<bool, CallError> {
        let call = Call::GetAccountSendingEnabled;
        let request = self.ses.get_account_sending_enabled();
        let (answer, body) = send_to!(self, place, call, aws_sdk_ses, request)?;
        body.xml(call)?.has(&["Enabled"], 1)?;
        Ok(answer.enabled())
    }

    async fn send_quota(&self, place: &AccountRegion) -> Result<QuotaItem, CallError> {
        let call = Call::GetSendQuota;
        let request = self.ses.get_send_quota();
        let (answer, body) = send_to!(self, place, call, aws_sdk_ses, request)?;
        body.xml(call)?.has(&["Max24HourSend", "MaxSendRate", "SentLast24Hours"], 1)?;
        Ok(QuotaItem {
            max_24_hour: answer.max24_hour_send(),
            max_send_rate: answer.max_send_rate(),
            sent_last_24_hours: answer.sent_last24_hours(),
        })
    }

    async fn send_statistics(&self, place: &AccountRegion) -> Result<Vec<DataPoint>, CallError> {
        let call = Call::GetSendStatistics;
        let request = self.ses.get_send_statistics();
        let (answer, body) = send_to!(self, place, call, aws_sdk_ses, request)?;
        let xml = body.xml(call)?;
        xml.has(&["SendDataPoints"], 1)?;
        let points = answer.send_data_points();
        xml.has(&["DeliveryAttempts"], points.len())?;
        let point = |attempts: i64| {
            let attempts = u64::try_from(attempts);
            attempts.map(|delivery_attempts| DataPoint { delivery_attempts })
        };
        let points = points.iter().map(|found| point(found.delivery_attempts()));
        points.collect::<Result<_, _>>().map_err(|error| incomplete(call, error))
    }

    async fn identities(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<Page<VerifiedItem>, CallError> {
        let call = Call::ListEmailIdentities;
        let request = self
            .ses_v2
            .list_email_identities()
            .page_size(IDENTITIES_A_PAGE)
            .set_next_token(next.map(str::to_owned));
        let (_, body) = send_to!(self, place, call, aws_sdk_sesv2, request)?;
        let page: Identities = body.json(call)?;
        let items = page.email_identities.into_iter().map(shapes::IdentityOutput::item);
        let items = items.collect::<Option<_>>();
        let lacks = "missing fields `SendingEnabled` or `VerificationStatus`";
        let items = items.ok_or_else(|| incomplete(call, lacks))?;
        Ok(Page { items, next: page.next_token })
    }

    async fn policy_names(
        &self,
        place: &AccountRegion,
        identity: &str,
    ) -> Result<Vec<String>, CallError> {
        let call = Call::ListIdentityPolicies;
        let request = self.ses.list_identity_policies().identity(identity);
        let (answer, body) = send_to!(self, place, call, aws_sdk_ses, request)?;
        body.xml(call)?.has(&["PolicyNames"], 1)?;
        Ok(answer.policy_names)
    }

    async fn policies(
        &self,
        place: &AccountRegion,
        identity: &str,
        names: &[String],
    ) -> Result<Vec<(String, String)>, CallError> {
        let call = Call::GetIdentityPolicies;
        let request = self
            .ses
            .get_identity_policies()
            .identity(identity)
            .set_policy_names(Some(names.to_vec()));
        let (answer, body) = send_to!(self, place, call, aws_sdk_ses, request)?;
        body.xml(call)?.has(&["Policies"], 1)?;
        Ok(answer.policies.into_iter().collect())
    }

    /// Never unavailable: AWS publishes no list of the Regions without Mail Manager, so the call
    /// is made in every Region, and where there is no such endpoint it fails.
    async fn relays(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<InRegion<Page<String>>, CallError> {
        let call = Call::ListRelays;
        let request = self
            .mail_manager
            .list_relays()
            .page_size(ITEMS_A_PAGE)
            .set_next_token(next.map(str::to_owned));
        let (_, body) = send_to!(self, place, call, aws_sdk_mailmanager, request)?;
        let page: Relays = body.cbor(call)?;
        let items = page.relays.into_iter().map(|relay| relay.relay_id).collect();
        Ok(InRegion::Here(Page { items, next: page.next_token }))
    }

    async fn relay(&self, place: &AccountRegion, id: &str) -> Result<RelayItem, CallError> {
        let call = Call::GetRelay;
        let request = self.mail_manager.get_relay().relay_id(id);
        let sent = send_to!(self, place, call, aws_sdk_mailmanager, request);
        let (_, body) = sent.map_err(gone)?;
        body.cbor::<RelayOutput>(call).map(Into::into)
    }

    async fn rule_sets(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<InRegion<Page<String>>, CallError> {
        let call = Call::ListRuleSets;
        let request = self
            .mail_manager
            .list_rule_sets()
            .page_size(ITEMS_A_PAGE)
            .set_next_token(next.map(str::to_owned));
        let (_, body) = send_to!(self, place, call, aws_sdk_mailmanager, request)?;
        let page: RuleSets = body.cbor(call)?;
        let items = page.rule_sets.into_iter().map(|set| set.rule_set_id).collect();
        Ok(InRegion::Here(Page { items, next: page.next_token }))
    }

    async fn rule_set(&self, place: &AccountRegion, id: &str) -> Result<RuleSetItem, CallError> {
        let call = Call::GetRuleSet;
        let request = self.mail_manager.get_rule_set().rule_set_id(id);
        let sent = send_to!(self, place, call, aws_sdk_mailmanager, request);
        let (_, body) = sent.map_err(gone)?;
        body.cbor::<RuleSetOutput>(call).map(Into::into)
    }

    async fn ingress_points(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<InRegion<Page<IngressPointItem>>, CallError> {
        let call = Call::ListIngressPoints;
        let request = self
            .mail_manager
            .list_ingress_points()
            .page_size(ITEMS_A_PAGE)
            .set_next_token(next.map(str::to_owned));
        let (_, body) = send_to!(self, place, call, aws_sdk_mailmanager, request)?;
        let page: IngressPoints = body.cbor(call)?;
        let items = page.ingress_points.into_iter().map(Into::into).collect();
        Ok(InRegion::Here(Page { items, next: page.next_token }))
    }

    async fn endpoints(
        &self,
        place: &AccountRegion,
        next: Option<&str>,
    ) -> Result<Page<EndpointItem>, CallError> {
        let credentials = self.sessions.of(&place.account, FOR_A_CALL).await?;
        self.endpoints.describe(credentials, &Region::new(place.region.clone()), next).await
    }
}

/// What is gone between the list that named it and the call that describes it.
fn gone(mut error: CallError) -> CallError {
    if error.code == "ResourceNotFoundException" {
        error.failure = Failure::NotFound;
    }
    error
}
