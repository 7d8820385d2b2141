//! The body of an answer, beside what the SDK makes of it.
//!
//! The SDK reads a number that is missing as 0, a flag as false and a list as empty. Here those
//! would say that nothing was sent, that sending is paused and that nothing is there, so what
//! must be in an answer is looked up in its body.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use pipeline::ports::{CallError, Failure};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
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
        let counts = counted(&String::from_utf8_lossy(&self.bytes()));
        counts
            .map_or_else(|| Err(incomplete(call, "missing end")), |counts| Ok(Xml { call, counts }))
    }
}

/// An answer in XML.
pub(super) struct Xml {
    call: Call,
    counts: ElementCounts,
}

impl Xml {
    /// Checks that the answer has an element of each of these names, so many times.
    pub(super) fn has(&self, names: &[&str], times: usize) -> Result<(), CallError> {
        let lacks = |name: &&&str| self.counts.get(**name).copied().unwrap_or(0) != times;
        match names.iter().find(lacks) {
            None => Ok(()),
            Some(name) => Err(incomplete(self.call, format!("missing element `{name}`"))),
        }
    }
}

/// Elements by name.
type ElementCounts = BTreeMap<String, usize>;

/// How many elements of each name there are; `None` for what is not one element, whole, with
/// nothing behind it. The SDK's reader takes the end of the text for the end of a list.
fn counted(text: &str) -> Option<ElementCounts> {
    let mut reader = Reader::from_str(text);
    let mut counts = ElementCounts::new();
    // Elements that are open, and whether the root is over.
    let (mut depth, mut over) = (0_usize, false);
    let mut count = |element: &BytesStart<'_>| {
        let name = String::from_utf8_lossy(element.name().into_inner()).into_owned();
        *counts.entry(name).or_default() += 1;
    };
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) | Event::Empty(_) if over => return None,
            Event::Start(element) => {
                count(&element);
                depth += 1;
            }
            Event::Empty(element) => {
                count(&element);
                over = depth == 0;
            }
            // One that ends nothing is an error of the reader.
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                over = depth == 0;
            }
            Event::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => return None,
            Event::CData(_) | Event::GeneralRef(_) if depth == 0 => return None,
            Event::Eof => return over.then_some(counts),
            Event::Text(_)
            | Event::CData(_)
            | Event::GeneralRef(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

/// Whether an answer in XML is whole.
pub(super) fn is_whole(text: &str) -> bool {
    counted(text).is_some()
}

/// An answer without something that must be in it.
pub(super) fn incomplete(call: Call, what: impl fmt::Display) -> CallError {
    call.error(Failure::Other, "IncompleteAnswer", format!("the answer is incomplete: {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn elements_are_counted_and_what_only_looks_like_one_is_not() {
        let text = "<?xml version=\"1.0\"?>\n<!-- <A> --><R x=\"A\"><A/><A >&lt;A></A><AB/>\
                    <![CDATA[<A></A>]]></R>\n";
        let counts = counted(text).unwrap();
        let found: Vec<(&str, usize)> =
            counts.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(found, [("A", 2), ("AB", 1), ("R", 1)]);
        assert!(is_whole("<R/>"));
    }

    #[test]
    fn whatever_is_cut_or_more_than_one_element_is_not_whole() {
        let whole = "<?xml version=\"1.0\"?><R><A>text</A><B/></R>";
        assert!(is_whole(whole));
        for end in 0..whole.len() {
            assert!(!is_whole(&whole[..end]), "{}", &whole[..end]);
        }
        for other in
            ["", "text", "<R></S>", "<R></R></R>", "<R/><R/>", "<R/>rest", "rest<R/>", "<R>&"]
        {
            assert!(!is_whole(other), "{other}");
        }
    }
}
