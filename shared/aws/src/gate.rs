//! The gate that every call goes through.

use std::future::Future;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use pipeline::ports::{CallError, Failure};

use crate::call::{Call, CallGroups, NOT_DECLARED};
use crate::errors;

/// Lets the declared calls of a function through, and no other.
///
/// A call that is missing from the declaration fails in every test that makes it, rather than in
/// an account whose role lacks the permission.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate(pub(crate) CallGroups);

impl Gate {
    /// Makes a call; `request` must not have been sent before it is polled.
    pub(crate) async fn send<T, E>(
        self,
        call: Call,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, CallError>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        if !self.0.iter().any(|group| group.contains(&call)) {
            return Err(call.error(
                Failure::Other,
                NOT_DECLARED,
                "this function does not declare the call; see shared/aws/src/permissions.rs",
            ));
        }
        tracing::debug!(permission = call.permission(), "call");
        request.await.map_err(|error| errors::call_error(call, &error))
    }
}
