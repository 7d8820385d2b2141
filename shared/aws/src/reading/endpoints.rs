//! VPC endpoints: EC2 DescribeVpcEndpoints.
//!
//! The SDK's own client for EC2 takes more than ten minutes and seven gigabytes to build, for one
//! call of some seven hundred. So the call is put together here, from the parts that all clients
//! of the SDK are made of: the same connections, signatures, time limits and errors.

use std::time::SystemTime;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use aws_types::service_config::ServiceConfigKey;
use pipeline::ports::{CallError, Failure, Page};
use pipeline::reading::EndpointItem;

use super::body::{incomplete, is_whole};
use crate::call::Call;
use crate::gate::Gate;

/// The most that is put on a page.
const PAGE: &str = "1000";

/// The version of the API, which an answer depends on.
const VERSION: &str = "2016-11-15";

/// Where the endpoints of a partition are.
///
/// # Source
/// `partitions.json` of botocore 1.43.11.
const SUFFIXES: [(&str, &str); 4] = [
    ("aws", "amazonaws.com"),
    ("aws-us-gov", "amazonaws.com"),
    ("aws-cn", "amazonaws.com.cn"),
    ("aws-eusc", "amazonaws.eu"),
];

/// The services of SES in a filter of EC2, where `*` stands for anything:
/// `com.amazonaws.REGION.email`, `email-fips`, `email-smtp`, `mail-manager`,
/// `mail-manager-smtp.open` and so on, in any partition and of any Region.
const SERVICES: [&str; 4] = ["*.email", "*.email-*", "*.mail-manager", "*.mail-manager-*"];

/// EC2, as far as endpoints go.
#[derive(Debug)]
pub(super) struct Endpoints {
    gate: Gate,
    client: SharedHttpClient,
    timeouts: TimeoutConfig,
    /// `None` for a partition whose endpoints nobody knows.
    suffix: Option<&'static str>,
    /// In place of EC2's own.
    endpoint: Option<String>,
}

impl Endpoints {
    pub(super) fn new(
        config: &SdkConfig,
        client: SharedHttpClient,
        gate: Gate,
        partition: &str,
    ) -> Self {
        let suffix = SUFFIXES.iter().find(|(name, _)| *name == partition);
        Self {
            gate,
            client,
            timeouts: config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled),
            suffix: suffix.map(|(_, suffix)| *suffix),
            endpoint: own_endpoint(config).or_else(|| config.endpoint_url().map(str::to_owned)),
        }
    }

    /// The endpoints for SES in a Region.
    pub(super) async fn describe(
        &self,
        credentials: Credentials,
        region: &Region,
        next: Option<&str>,
    ) -> Result<Page<EndpointItem>, CallError> {
        let call = Call::DescribeVpcEndpoints;
        let url = match (&self.endpoint, self.suffix) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, Some(suffix)) => format!("https://ec2.{region}.{suffix}"),
            (None, None) => {
                let what = "the endpoints of EC2 in this partition are not known";
                return Err(call.error(Failure::Other, "UnknownPartition", what));
            }
        };
        let (host, region) = (url.clone(), region.clone());
        let operation = Operation::builder()
            .service_name("EC2")
            .operation_name("DescribeVpcEndpoints")
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.client.clone())
            .endpoint_url(&url)
            .timeout_config(self.timeouts.clone())
            .no_auth()
            .no_retry()
            .with_connection_poisoning()
            .serializer(move |body: String| signed(&host, &region, &credentials, body))
            .deserializer(answer)
            .build();
        let page = self.gate.send(call, operation.invoke(form(next))).await?;
        let mut items = Vec::new();
        for found in page.items {
            let lacks = |field: &str| incomplete(call, format!("an endpoint without `{field}`"));
            let service = found.service.ok_or_else(|| lacks("serviceName"))?;
            if is_ses(&service) {
                items.push(EndpointItem {
                    id: found.id.ok_or_else(|| lacks("vpcEndpointId"))?,
                    service,
                    vpc: found.vpc.ok_or_else(|| lacks("vpcId"))?,
                    state: found.state.ok_or_else(|| lacks("state"))?,
                    policy: found.policy,
                });
            }
        }
        Ok(Page { items, next: page.next })
    }
}

/// The address that is set for EC2 alone, by `AWS_ENDPOINT_URL_EC2` or in the profile, as the
/// SDK's own clients look it up.
fn own_endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("EC2")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    config.service_config()?.load_config(key.ok()?)
}

/// The request, in the form that EC2 takes.
fn form(next: Option<&str>) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("Action", "DescribeVpcEndpoints");
    body.append_pair("Version", VERSION);
    body.append_pair("MaxResults", PAGE);
    body.append_pair("Filter.1.Name", "service-name");
    for (index, service) in SERVICES.iter().enumerate() {
        body.append_pair(&format!("Filter.1.Value.{}", index + 1), service);
    }
    if let Some(token) = next {
        body.append_pair("NextToken", token);
    }
    body.finish()
}

/// A request with its signature.
fn signed(
    url: &str,
    region: &Region,
    credentials: &Credentials,
    body: String,
) -> Result<HttpRequest, BoxError> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_ref())
        .name("ec2")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?;
    // The orchestrator puts the endpoint before the path.
    let whole = format!("{}/", url.trim_end_matches('/'));
    let headers = [("content-type", FORM)];
    let signable = SignableRequest::new(
        "POST",
        whole,
        headers.into_iter(),
        SignableBody::Bytes(body.as_bytes()),
    )?;
    let (instructions, _) = sign(signable, &params.into())?.into_parts();
    let mut request = http::Request::builder()
        .method("POST")
        .uri("/")
        .header("content-type", FORM)
        .header("content-length", body.len())
        .header("user-agent", "ses-perimeter")
        .body(SdkBody::from(body))?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(request.try_into()?)
}

/// An endpoint as the answer has it.
#[derive(Debug, Default)]
struct EndpointElement {
    id: Option<String>,
    service: Option<String>,
    vpc: Option<String>,
    state: Option<String>,
    policy: Option<String>,
}

fn answer(
    response: &HttpResponse,
) -> Result<Page<EndpointElement>, OrchestratorError<ErrorMetadata>> {
    let text = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    if response.status().is_success() {
        return page(&text).map_err(|error| OrchestratorError::response(error.into()));
    }
    // An error without a code is one that is not in the service's format.
    Err(OrchestratorError::operation(fault(&text).unwrap_or_default()))
}

fn page(text: &str) -> Result<Page<EndpointElement>, XmlDecodeError> {
    let lacks = |what: &str| XmlDecodeError::custom(format!("it lacks {what}"));
    if !is_whole(text) {
        return Err(lacks("its end"));
    }
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    let (mut items, mut next) = (None, None);
    while let Some(mut part) = root.next_tag() {
        if part.start_el().matches("vpcEndpointSet") {
            items = Some(found(&mut part)?);
        } else if part.start_el().matches("nextToken") {
            // EC2 writes its null as an empty element, and no token is empty.
            next = Some(try_data(&mut part)?.into_owned()).filter(|token| !token.is_empty());
        }
    }
    Ok(Page { items: items.ok_or_else(|| lacks("`vpcEndpointSet`"))?, next })
}

fn found(list: &mut ScopedDecoder<'_, '_>) -> Result<Vec<EndpointElement>, XmlDecodeError> {
    let mut items = Vec::new();
    while let Some(mut item) = list.next_tag() {
        let mut found = EndpointElement::default();
        while let Some(mut field) = item.next_tag() {
            let place = match field.start_el().local() {
                "vpcEndpointId" => &mut found.id,
                "serviceName" => &mut found.service,
                "vpcId" => &mut found.vpc,
                "state" => &mut found.state,
                "policyDocument" => &mut found.policy,
                _ => continue,
            };
            *place = Some(try_data(&mut field)?.into_owned());
        }
        items.push(found);
    }
    Ok(items)
}

/// `<Response><Errors><Error><Code>...`.
fn fault(text: &str) -> Option<ErrorMetadata> {
    let mut document = Document::new(text);
    let mut root = document.root_element().ok()?;
    let mut errors = root.next_tag()?;
    let mut error = errors.next_tag()?;
    let mut found = ErrorMetadata::builder();
    while let Some(mut field) = error.next_tag() {
        found = match field.start_el().local() {
            "Code" => found.code(try_data(&mut field).ok()?),
            "Message" => found.message(try_data(&mut field).ok()?),
            _ => continue,
        };
    }
    Some(found.build())
}

/// Whether a service is one of SES's.
fn is_ses(service: &str) -> bool {
    let of = |label: &str, name: &str| {
        label.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    service.split('.').any(|label| of(label, "email") || of(label, "mail-manager"))
}
