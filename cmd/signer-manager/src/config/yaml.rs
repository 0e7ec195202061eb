//! YAML as a tree whose nodes know where they stand.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Error, Location, MessageFormatter, Spanned, UserMessageFormatter};

use super::{
    error::{ConfigError, Position},
    field::quoted,
};

/// A node of a YAML document. An alias stands where it is used.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) position: Position,
}

/// What stands there. Numbers are kept as text: no field takes one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nothing,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) position: Position,
}

/// Reads the one document of a YAML text. Aliases and merge keys work; what they expand to is bounded, as is
/// the depth.
pub(super) fn parse(text: &str) -> Result<Node, ConfigError> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| config_error(&error, text))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 32, max_nodes: 100_000, max_anchors: 1_000, max_aliases: 1_000 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000, max_replay_stack_depth: 8 },
        // YAML 1.2: `no` and `on` are texts, so that a namespace may have these names
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn config_error(error: &Error, text: &str) -> ConfigError {
    let position = error.location().and_then(position);
    let message = match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("{} is there twice in this mapping; leave one of them", quoted(key))
        }
        Error::MultipleDocuments { .. } => "a second YAML document begins here; the file may hold one".into(),
        Error::ExternalMessage { .. } | Error::UnknownAnchor { .. }
            if position.is_some_and(|position| is_star(text, position)) =>
        {
            format!(
                "{}: '*' begins an alias in YAML; write a text such as \"*\" in quotes",
                said_by_the_parser(error)
            )
        }
        other => said_by_the_parser(other),
    };
    ConfigError { position, field: String::new(), message }
}

fn said_by_the_parser(error: &Error) -> String {
    UserMessageFormatter.format_message(error).into_owned()
}

/// Whether a `*` stands there: mostly one that was to be a text.
fn is_star(text: &str, Position { line, column }: Position) -> bool {
    let index = |number: u64| usize::try_from(number).ok()?.checked_sub(1);
    let line = index(line).and_then(|line| text.lines().nth(line));
    line.zip(index(column)).is_some_and(|(line, column)| line.chars().nth(column) == Some('*'))
}

fn position(location: Location) -> Option<Position> {
    (location != Location::UNKNOWN).then(|| Position { line: location.line(), column: location.column() })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::deserialize(deserializer)?;
        Ok(Self { value, position: position(referenced).unwrap_or(START) })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::deserialize(deserializer)?;
        Ok(Self { name: value, position: position(referenced).unwrap_or(START) })
    }
}

/// Where an empty document is.
const START: Position = Position { line: 1, column: 1 };

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Value::Mapping(mapping))
    }
}
