//! The body of an answer, beside what the SDK makes of it.
//!
//! The SDK reads a number that is missing as 0, a flag as false and a list as empty. Here those
//! would say that nothing was sent, that sending is paused and that nothing is there, so what
//! must be in an answer is looked up in its body.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use pipeline::ports::{CallError, Failure};
use serde::de::DeserializeOwned;

use super::cbor;
use crate::call::Call;

/// Keeps the body of the answer to one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Body(Arc<Mutex<Vec<u8>>>);

#[dyn_dispatch_hint]
impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let bytes = context.response().body().bytes().unwrap_or_default().to_vec();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        Ok(())
    }
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads an answer in JSON; what `T` asks for must be there.
    pub(super) fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T, CallError> {
        serde_json::from_slice(&self.bytes()).map_err(|error| incomplete(call, error))
    }

    /// Reads an answer in CBOR; what `T` asks for must be there.
    pub(super) fn cbor<T: DeserializeOwned>(&self, call: Call) -> Result<T, CallError> {
        let value = cbor::read(&self.bytes()).map_err(|error| incomplete(call, error))?;
        serde_json::from_value(value).map_err(|error| incomplete(call, error))
    }

    /// Looks into an answer in XML, which must be whole.
    pub(super) fn xml(&self, call: Call) -> Result<Xml, CallError> {
        let text = String::from_utf8_lossy(&self.bytes()).into_owned();
        if is_whole(&text) { Ok(Xml { call, text }) } else { Err(incomplete(call, "missing end")) }
    }
}

/// An answer in XML.
pub(super) struct Xml {
    call: Call,
    text: String,
}

impl Xml {
    /// Checks that the answer has an element of each of these names, so many times.
    pub(super) fn has(&self, names: &[&str], times: usize) -> Result<(), CallError> {
        let lacks = |name: &&&str| self.count(name) != times;
        match names.iter().find(lacks) {
            None => Ok(()),
            Some(name) => Err(incomplete(self.call, format!("missing element `{name}`"))),
        }
    }

    /// In text a `<` is written `&lt;`, so this counts elements.
    fn count(&self, name: &str) -> usize {
        let ends = |rest: &&str| rest.starts_with(['>', '/', ' ', '\n', '\r', '\t']);
        let starts = self.text.split('<').skip(1);
        starts.filter_map(|start| start.strip_prefix(name)).filter(ends).count()
    }
}

/// Whether an answer in XML ends with its root element. The SDK's reader takes the end of the
/// text for the end of a list.
pub(super) fn is_whole(text: &str) -> bool {
    let names = text.split('<').skip(1).map(|start| start.split(['>', '/', ' ', '\n']).next());
    let root = names.flatten().find(|name| !name.starts_with(['?', '!']));
    root.is_some_and(|root| text.trim_end().ends_with(&format!("</{root}>")))
}

/// An answer without something that must be in it.
pub(super) fn incomplete(call: Call, what: impl fmt::Display) -> CallError {
    call.error(Failure::Other, "IncompleteAnswer", format!("the answer is incomplete: {what}"))
}
