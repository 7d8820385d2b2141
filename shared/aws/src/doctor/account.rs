//! Calls that only `doctor` makes.

use pipeline::ports::{CallError, Failure};
use serde::Serialize;

use crate::Outside;
use crate::call::Call;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// The role or user.
    pub arn: String,
}

/// GetCallerIdentity.
pub(super) async fn caller(outside: &Outside) -> Result<Caller, CallError> {
    let call = Call::GetCallerIdentity;
    let client = aws_sdk_sts::Client::new(outside.config());
    let answer = outside.gate().send(call, client.get_caller_identity().send()).await?;
    match (answer.account(), answer.arn()) {
        (Some(account), Some(arn)) => {
            Ok(Caller { account: account.to_owned(), arn: arn.to_owned() })
        }
        (None, _) | (_, None) => {
            Err(call.error(Failure::Other, "IncompleteAnswer", "the answer lacks the caller"))
        }
    }
}

/// DescribeHub: the hub's ARN.
pub(super) async fn hub(outside: &Outside) -> Result<String, CallError> {
    let client = aws_sdk_securityhub::Client::new(outside.config());
    let answer = outside.gate().send(Call::DescribeHub, client.describe_hub().send()).await?;
    Ok(answer.hub_arn().unwrap_or_default().to_owned())
}

/// GetIdentityVerificationAttributes: the identity that lets `address` send, if one does.
pub(super) async fn sender(outside: &Outside, address: &str) -> Result<Option<String>, CallError> {
    let client = aws_sdk_ses::Client::new(outside.config());
    let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let identities: Vec<String> = std::iter::once(address.to_owned()).chain(domain).collect();
    let request =
        client.get_identity_verification_attributes().set_identities(Some(identities.clone()));
    let call = Call::GetIdentityVerificationAttributes;
    let answer = outside.gate().send(call, request.send()).await?;
    let verified = |identity: &String| {
        answer
            .verification_attributes()
            .get(identity)
            .is_some_and(|found| found.verification_status().as_str() == "Success")
    };
    Ok(identities.into_iter().find(verified))
}

/// GetSendQuota: mails in 24 hours, `unlimited` for -1.
pub(super) async fn quota(outside: &Outside) -> Result<String, CallError> {
    let client = aws_sdk_ses::Client::new(outside.config());
    let answer = outside.gate().send(Call::GetSendQuota, client.get_send_quota().send()).await?;
    let most = answer.max24_hour_send();
    Ok(if most < 0.0 { "unlimited".to_owned() } else { format!("{most}") })
}
