//! Answers in CBOR, which Mail Manager gives.

use std::fmt;

use aws_smithy_cbor::Decoder;
use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use serde_json::{Map, Value};

/// The deepest nesting; a rule set has twelve levels.
const DEEPEST: u32 = 64;

/// Why an answer cannot be read.
#[derive(Debug)]
pub(super) enum CborError {
    Shape(DeserializeError),
    Deep,
}

impl fmt::Display for CborError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::Deep => f.write_str("it is nested too deeply"),
        }
    }
}

impl From<DeserializeError> for CborError {
    fn from(error: DeserializeError) -> Self {
        Self::Shape(error)
    }
}

/// The texts, whole numbers, flags, lists and maps of an answer. Everything else, for instance a
/// moment, is null.
pub(super) fn read(bytes: &[u8]) -> Result<Value, CborError> {
    value(&mut Decoder::new(bytes), 0)
}

fn value(decoder: &mut Decoder<'_>, depth: u32) -> Result<Value, CborError> {
    if depth == DEEPEST {
        return Err(CborError::Deep);
    }
    Ok(match decoder.datatype()? {
        Type::Bool => decoder.boolean()?.into(),
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64
        | Type::Int => decoder.long()?.into(),
        Type::String | Type::StringIndef => decoder.str()?.into(),
        Type::Array | Type::ArrayIndef => {
            let mut left = decoder.list()?;
            let mut items = Vec::new();
            while more(decoder, &mut left)? {
                items.push(value(decoder, depth + 1)?);
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let mut left = decoder.map()?;
            let mut members = Map::new();
            while more(decoder, &mut left)? {
                let name = decoder.string()?;
                members.insert(name, value(decoder, depth + 1)?);
            }
            Value::Object(members)
        }
        Type::Null
        | Type::Undefined
        | Type::F16
        | Type::F32
        | Type::F64
        | Type::Simple
        | Type::Bytes
        | Type::BytesIndef
        | Type::Tag
        | Type::Break
        | Type::Unknown(_) => {
            decoder.skip()?;
            Value::Null
        }
    })
}

/// Whether a list or map goes on; one of unknown length ends with a break.
fn more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, CborError> {
    match left {
        Some(0) => Ok(false),
        Some(count) => {
            *count -= 1;
            Ok(true)
        }
        None if decoder.datatype()? == Type::Break => {
            decoder.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}
