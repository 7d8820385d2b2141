//! Findings in Security Hub.

use std::cell::RefCell;
use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::config::SharedCredentialsProvider;
use aws_sdk_securityhub::types::{
    AwsSecurityFinding, AwsSecurityFindingFilters, AwsSecurityFindingIdentifier, MapFilter,
    MapFilterComparison, StringFilter, StringFilterComparison, WorkflowStatus, WorkflowUpdate,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use findings::asff::fields;
use jiff::{SignedDuration, Timestamp};
use pipeline::ports::{CallError, Failure, FindingQuery, Hub, Page, PublishedFinding, Refused};
use serde_json::json;

use crate::assume::assume;
use crate::call::Call;
use crate::gate::Gate;

/// The most that GetFindings puts on a page.
const PAGE: i32 = 100;
/// How long a session in a member must last, to be used for another call.
const SPARE: SignedDuration = SignedDuration::from_mins(5);

/// As whom findings are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubAccess {
    /// As the function itself: all findings are of its own account.
    Central,
    /// As a role in the account that a finding is about.
    Members {
        /// `arn:PARTITION:iam::` comes before, `:role/ROLE` after the account.
        partition: String,
        /// The role's name, with its path where it has one.
        role: String,
        /// What the role's trust policy asks for, if anything.
        external_id: Option<String>,
    },
}

/// Security Hub in one Region.
#[derive(Debug)]
pub struct SecurityHub {
    config: SdkConfig,
    client: Client,
    sts: aws_sdk_sts::Client,
    gate: Gate,
    access: HubAccess,
    members: RefCell<BTreeMap<String, HubMember>>,
}

#[derive(Debug, Clone)]
struct HubMember {
    client: Client,
    expires: Timestamp,
}

impl SecurityHub {
    pub(crate) fn new(
        config: SdkConfig,
        sts: aws_sdk_sts::Client,
        gate: Gate,
        access: HubAccess,
    ) -> Self {
        let client = client(&config);
        Self { config, client, sts, gate, access, members: RefCell::new(BTreeMap::new()) }
    }

    /// The client for the findings of an account.
    async fn client(&self, account: &str) -> Result<Client, CallError> {
        let HubAccess::Members { partition, role, external_id } = &self.access else {
            return Ok(self.client.clone());
        };
        let good = |member: &HubMember| member.expires > Timestamp::now() + SPARE;
        let known = self.members.borrow().get(account).filter(|member| good(member)).cloned();
        if let Some(member) = known {
            return Ok(member.client);
        }
        let arn = format!("arn:{partition}:iam::{account}:role/{role}");
        let member = self.assume(&arn, external_id.clone()).await?;
        let client = member.client.clone();
        self.members.borrow_mut().insert(account.to_owned(), member);
        Ok(client)
    }

    async fn assume(&self, arn: &str, external_id: Option<String>) -> Result<HubMember, CallError> {
        let session = assume(&self.sts, self.gate, arn, "ses-perimeter", external_id).await?;
        // A cache of its own: one account's credentials must never serve another.
        let config = self
            .config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(session.credentials))
            .identity_cache(IdentityCache::no_cache())
            .build();
        Ok(HubMember { client: client(&config), expires: session.expires })
    }
}

/// A client that sends everything once: the pipeline paces and retries.
fn client(config: &SdkConfig) -> Client {
    let config =
        aws_sdk_securityhub::config::Builder::from(config).retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

impl Hub for SecurityHub {
    async fn import(
        &self,
        account: &str,
        findings: &[serde_json::Value],
    ) -> Result<Vec<Refused>, CallError> {
        let client = self.client(account).await?;
        // The findings are in the wire's own format. Sent as they are, no field is lost that the
        // SDK's types would have to know.
        let body = json!({ "Findings": findings }).to_string().into_bytes();
        let request = client.batch_import_findings().customize().mutate_request(move |request| {
            request.headers_mut().insert("content-length", body.len().to_string());
            *request.body_mut() = SdkBody::from(body.clone());
        });
        let answer = self.gate.send(Call::BatchImportFindings, request.send()).await?;
        let refused: Vec<Refused> = answer
            .failed_findings()
            .iter()
            .map(|item| refused(item.id(), item.error_code(), item.error_message()))
            .collect();
        let failed = answer.failed_count().and_then(|count| usize::try_from(count).ok());
        if failed.is_some_and(|failed| failed != refused.len()) {
            return Err(Call::BatchImportFindings.error(
                Failure::Unavailable,
                "IncompleteAnswer",
                "the answer does not name every finding that it refused",
            ));
        }
        Ok(refused)
    }

    async fn resolve(
        &self,
        account: &str,
        findings: &[(String, String)],
    ) -> Result<Vec<Refused>, CallError> {
        let client = self.client(account).await?;
        let ids = findings.iter().map(|(id, product_arn)| {
            AwsSecurityFindingIdentifier::builder().id(id).product_arn(product_arn).build()
        });
        let request = client
            .batch_update_findings()
            .set_finding_identifiers(Some(ids.collect()))
            .workflow(WorkflowUpdate::builder().status(WorkflowStatus::Resolved).build());
        let answer = self.gate.send(Call::BatchUpdateFindings, request.send()).await?;
        Ok(answer
            .unprocessed_findings()
            .iter()
            .map(|item| {
                let id = item.finding_identifier().and_then(|identifier| identifier.id());
                refused(id, item.error_code(), item.error_message())
            })
            .collect())
    }

    async fn find(
        &self,
        account: &str,
        wanted: FindingQuery<'_>,
        next: Option<&str>,
    ) -> Result<Page<PublishedFinding>, CallError> {
        let client = self.client(account).await?;
        let filters = AwsSecurityFindingFilters::builder().aws_account_id(equals(account));
        let filters = match wanted {
            FindingQuery::OfProduct { product, slots } => slots.iter().fold(
                filters.product_name(equals(product)).record_state(equals("ACTIVE")),
                |filters, slot| filters.product_fields(in_slot(*slot)),
            ),
            FindingQuery::WithIds(ids) => {
                filters.set_id(Some(ids.iter().map(|id| equals(id)).collect()))
            }
        };
        let request = client
            .get_findings()
            .filters(filters.build())
            .max_results(PAGE)
            .set_next_token(next.map(str::to_owned));
        let answer = self.gate.send(Call::GetFindings, request.send()).await?;
        Ok(Page {
            items: answer.findings().iter().map(published).collect(),
            next: answer.next_token().map(str::to_owned),
        })
    }
}

fn equals(value: &str) -> StringFilter {
    StringFilter::builder().value(value).comparison(StringFilterComparison::Equals).build()
}

/// Several of them on one key are alternatives.
fn in_slot(slot: u32) -> MapFilter {
    MapFilter::builder()
        .key(fields::SLOT)
        .value(slot.to_string())
        .comparison(MapFilterComparison::Equals)
        .build()
}

fn refused(id: Option<&str>, code: Option<&str>, message: Option<&str>) -> Refused {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Refused { id: text(id), code: text(code), message: text(message) }
}

fn published(finding: &AwsSecurityFinding) -> PublishedFinding {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let compliance = finding.compliance().and_then(|compliance| compliance.status());
    let workflow = finding.workflow().and_then(|workflow| workflow.status());
    PublishedFinding {
        id: text(finding.id()),
        product_arn: text(finding.product_arn()),
        aws_account_id: text(finding.aws_account_id()),
        created_at: text(finding.created_at()),
        updated_at: text(finding.updated_at()),
        first_observed_at: finding.first_observed_at().map(str::to_owned),
        compliance: compliance.map(|status| status.as_str().to_owned()),
        record_state: text(finding.record_state().map(|state| state.as_str())),
        workflow: text(workflow.map(|status| status.as_str())),
        product_fields: finding
            .product_fields()
            .map(|fields| fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
            .unwrap_or_default(),
    }
}
