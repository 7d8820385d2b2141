//! A session in another account.

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use jiff::Timestamp;
use pipeline::ports::{CallError, Failure};

use crate::call::Call;
use crate::gate::Gate;

/// The credentials of a session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) credentials: Credentials,
    pub(crate) expires: Timestamp,
}

/// Assumes the role `arn` under the session name `name`, for an hour.
pub(crate) async fn assume(
    sts: &Client,
    gate: Gate,
    arn: &str,
    name: &str,
    external_id: Option<String>,
) -> Result<Session, CallError> {
    let call = Call::AssumeRole;
    let request =
        sts.assume_role().role_arn(arn).role_session_name(name).set_external_id(external_id);
    let answer = gate.send(call, request.send()).await.map_err(|mut error| {
        error.message = format!("`{arn}`: {}", error.message);
        error
    })?;
    let given = answer.credentials().ok_or_else(|| {
        call.error(Failure::Other, "IncompleteAnswer", "the answer lacks the credentials")
    })?;
    let expires = Timestamp::from_second(given.expiration().secs()).map_err(|error| {
        call.error(Failure::Other, "IncompleteAnswer", format!("the expiry: {error}"))
    })?;
    let credentials = Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        Some(expires.into()),
        "member role",
    );
    Ok(Session { credentials, expires })
}
