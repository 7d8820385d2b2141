//! What an error of the SDK means for what to do next.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use pipeline::ports::{CallError, Failure};

use crate::call::Call;

/// The code of an error where no credentials were found, or those found are unusable.
pub const NO_CREDENTIALS: &str = "NoCredentials";

/// What to do where no Region is configured.
pub const REGION_HELP: &str = "set AWS_REGION, or `region` in the profile that AWS_PROFILE names";

/// What to do where a call failed that anybody may make, or that the caller should be able to.
#[must_use]
pub fn access_help(error: &CallError) -> &'static str {
    if error.code == NO_CREDENTIALS {
        return "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    }
    match error.failure {
        Failure::Denied => {
            "`ses-perimeter doctor` tries every permission and says what to grant where"
        }
        Failure::Throttled | Failure::Concurrent | Failure::Unavailable | Failure::Unreachable => {
            "see that AWS can be reached from here, and that AWS_ENDPOINT_URL is right where it is \
             set; else try again in a minute"
        }
        Failure::NotFound | Failure::Other => {
            "see that the credentials are those of the management account or of a delegated \
             administrator, and that the Region is right"
        }
    }
}

/// Turns an error of the SDK into one of ours.
pub(crate) fn call_error<E>(call: Call, error: &SdkError<E, HttpResponse>) -> CallError
where
    E: Error + ProvideErrorMetadata + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            let answer = context.err();
            match answer.code() {
                Some(code) => call.error(
                    by_code(code).unwrap_or_else(|| by_status(status)),
                    code,
                    answer.message().unwrap_or_default(),
                ),
                None => unreadable(call, status),
            }
        }
        SdkError::ResponseError(context) => unreadable(call, context.raw().status().as_u16()),
        SdkError::TimeoutError(_) => {
            call.error(Failure::Unavailable, "Timeout", "there was no answer in time")
        }
        SdkError::DispatchFailure(_) => unsent(call, error),
        SdkError::ConstructionFailure(_) => {
            call.error(Failure::Other, "InvalidRequest", causes(error))
        }
        _ => call.error(Failure::Other, "Unknown", causes(error)),
    }
}

/// An answer that is not in the service's format, for instance a page in HTML.
fn unreadable(call: Call, status: u16) -> CallError {
    // A success that nobody can read comes from something in between.
    let failure = if status < 400 { Failure::Unavailable } else { by_status(status) };
    call.error(failure, format!("HTTP {status}"), "the answer is not in the service's format")
}

/// A request that did not get out, or whose answer did not come in.
fn unsent<E: Error + 'static>(call: Call, error: &E) -> CallError {
    let credentials = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
    match credentials {
        Some(CredentialsError::ProviderTimedOut(_)) => {
            call.error(Failure::Unavailable, NO_CREDENTIALS, causes(error))
        }
        Some(CredentialsError::CredentialsNotLoaded(_)) => {
            call.error(Failure::Other, NO_CREDENTIALS, "no AWS credentials were found")
        }
        Some(_) => call.error(
            Failure::Other,
            NO_CREDENTIALS,
            format!("the AWS credentials are unusable: {}", causes(error)),
        ),
        None => call.error(Failure::Unreachable, "Unreachable", causes(error)),
    }
}

/// The kind of an error code of any service that we call.
fn by_code(code: &str) -> Option<Failure> {
    // Codes of the query protocol may come without the suffix, newer ones with it.
    let code = code.strip_suffix("Exception").unwrap_or(code);
    Some(match code {
        "TooManyRequests"
        | "Throttling"
        | "Throttled"
        | "RequestThrottled"
        | "LimitExceeded"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "ExecutionLimitExceeded"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "KMS.Throttling" => Failure::Throttled,
        "ConcurrentModification" | "PolicyChangesInProgress" | "ConcurrentUpdateError" => {
            Failure::Concurrent
        }
        "Internal"
        | "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "InternalServer"
        | "Service"
        | "ServiceUnavailable"
        | "RequestTimeout" => Failure::Unavailable,
        "PolicyNotFound"
        | "TargetNotFound"
        | "AccountNotFound"
        | "ParentNotFound"
        | "ChildNotFound"
        | "OrganizationalUnitNotFound"
        | "RootNotFound" => Failure::NotFound,
        "AccessDenied"
        | "AccessDeniedForDependency"
        | "AllAccessDisabled"
        | "AuthFailure"
        | "AuthorizationError"
        | "ExpiredToken"
        | "IncompleteSignature"
        | "InvalidAccess"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidSignature"
        | "InvalidToken"
        | "MissingAuthenticationToken"
        | "NotAuthorized"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "UnauthorizedOperation"
        | "UnrecognizedClient" => Failure::Denied,
        _ if code.starts_with("Throttling") => Failure::Throttled,
        _ => return None,
    })
}

/// The kind of an answer whose code says nothing.
const fn by_status(status: u16) -> Failure {
    match status {
        401 | 403 => Failure::Denied,
        408 | 500..=599 => Failure::Unavailable,
        429 => Failure::Throttled,
        _ => Failure::Other,
    }
}

pub(crate) fn chain<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// The causes of an error, outermost first, without the SDK's own word for the kind.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in chain(error).skip(1) {
        let text = cause.to_string();
        if texts.last().is_none_or(|last| !last.ends_with(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}
