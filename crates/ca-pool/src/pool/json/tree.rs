//! A JSON document as it stands, with every field of an object, also those that are there twice. Texts may be
//! keys, so they are wiped.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, error::Category};
use zeroize::Zeroizing;

use super::super::{PoolError, foreign::foreign_json};

/// A value.
pub(super) enum Tree {
    Null,
    Truth(bool),
    Number(Number),
    Text(Zeroizing<String>),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads a document. No message has a part of it.
    pub(super) fn read(json: &[u8]) -> Result<Self, PoolError> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let tree = Self::deserialize(&mut reader).map_err(|error| not_json(&error, problem(&error)))?;
        reader.end().map_err(|error| not_json(&error, "something stands behind the document"))?;
        match &tree {
            Self::Object(_) => {}
            _ => return Err(PoolError::NotAnObject { found: tree.kind() }),
        }
        Ok(tree)
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Truth(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// For what is kept and isn't read.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Truth(truth) => Value::Bool(truth),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::String(text.to_string()),
            Self::List(list) => list.into_iter().map(Self::into_value).collect(),
            Self::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, value.into_value()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }
}

/// Why text is no JSON, where it is known what it is instead.
pub(super) fn check_is_no_other(json: &[u8]) -> Result<(), PoolError> {
    match foreign_json(json) {
        Some(problem) => Err(PoolError::ForeignJson { problem }),
        None => Ok(()),
    }
}

fn problem(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Syntax | Category::Data => "a syntax error",
        Category::Eof => "it ends too early",
        Category::Io => "a read error",
    }
}

/// serde_json's own message quotes the value that it doesn't like, and that may be a key.
fn not_json(error: &serde_json::Error, problem: &'static str) -> PoolError {
    PoolError::NotJson { problem, line: error.line(), column: error.column() }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Tree, E> {
        Ok(Tree::Truth(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Number::from_f64(number).map_or(Tree::Null, Tree::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Tree::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = object.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Object(fields))
    }
}
