//! The fields of an object by name, as Go's encoding/json finds them: in any case. Two differences keep it
//! from being ambiguous who signs: a field may be there once only, and one that isn't known and would say who
//! signs is refused. Others are kept for whoever knows them.

use std::collections::HashSet;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{super::PoolError, tree::Tree};

/// How the name of a field begins that is a note, whatever else it says.
const NOTE: &str = "x-";

/// What a name has in it that says something of who signs.
const PARTS: [&str; 15] = [
    "sign", "activ", "primary", "current", "default", "issu", "select", "prefer", "leader", "enabled",
    "disabled", "revok", "anchor", "delet", "suspend",
];

/// With what a word of such a name may begin.
const WORDS: [&str; 29] = [
    "use", "using", "usage", "role", "state", "status", "phase", "order", "priorit", "weight", "rank",
    "index", "main", "master", "head", "next", "turn", "chosen", "choice", "pick", "retire", "rotat", "live",
    "serving", "mode", "purpose", "only", "valid", "until",
];

/// Whether a field would say who signs, as far as its name tells.
fn says_who_signs(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    if lower.starts_with(NOTE) {
        return false;
    }
    PARTS.iter().any(|part| lower.contains(part))
        || words(name).iter().any(|word| WORDS.iter().any(|begin| word.starts_with(begin)))
}

/// `TrustDomain`, `trust_domain` and `trust-domain` are two words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (was_lower && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase();
    }
    words
}

/// Refuses a field of the pool that names one of its CAs, by ID or by position, and so says something of that
/// one alone.
pub(super) fn check_names_no_ca(further: &Map<String, Value>, ids: &[&str]) -> Result<(), PoolError> {
    let is_one = |value: &Value| match value {
        Value::Number(number) => {
            let index = number.as_u64().and_then(|index| usize::try_from(index).ok());
            index.is_some_and(|index| index < ids.len()) || ids.contains(&number.to_string().as_str())
        }
        _ => false,
    };
    let is_note = |name: &str| name.to_ascii_lowercase().starts_with(NOTE);
    let mut fields = further.iter().filter(|(name, _)| !is_note(name));
    match fields.find(|(_, value)| is_one(value) || has_id(value, ids)) {
        Some((name, _)) => Err(PoolError::UnknownField { place: "the pool".to_owned(), field: shown(name) }),
        None => Ok(()),
    }
}

/// Whether one of these IDs stands anywhere in a value, as text.
fn has_id(value: &Value, ids: &[&str]) -> bool {
    match value {
        Value::String(text) => ids.contains(&text.as_str()),
        Value::Array(values) => values.iter().any(|value| has_id(value, ids)),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| ids.contains(&name.as_str()) || has_id(value, ids))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Refuses a flag of a CA: whatever it is called, it says that one CA is another kind of CA than the next.
pub(super) fn check_has_no_flag(further: &Map<String, Value>, place: &str) -> Result<(), PoolError> {
    let mut fields = further.iter().filter(|(name, _)| !name.to_ascii_lowercase().starts_with(NOTE));
    match fields.find(|(_, value)| has_flag(value)) {
        Some((name, _)) => Err(PoolError::UnknownField { place: place.to_owned(), field: shown(name) }),
        None => Ok(()),
    }
}

fn has_flag(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Array(values) => values.iter().any(has_flag),
        Value::Object(fields) => fields.values().any(has_flag),
        Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

/// The names of fields, for messages.
pub(super) fn names(further: &Map<String, Value>) -> String {
    const NAMED: usize = 5;
    further.keys().take(NAMED).map(|name| shown(name)).collect::<Vec<_>>().join(", ")
}

/// An object's fields.
pub(super) struct Fields {
    /// What messages call the object.
    place: String,
    known: Vec<(&'static str, Tree)>,
    /// Those that aren't known.
    pub(super) further: Map<String, Value>,
}

impl Fields {
    /// Sorts the fields of an object into known ones and others.
    pub(super) fn of(tree: Tree, place: String, names: &[&'static str]) -> Result<Self, PoolError> {
        let object = match tree {
            Tree::Object(object) => object,
            other => {
                return Err(PoolError::WrongType {
                    field: place,
                    found: other.kind(),
                    expected: "an object",
                });
            }
        };
        let mut fields = Self { place, known: Vec::new(), further: Map::new() };
        let mut seen = HashSet::new();
        for (name, value) in object {
            if !seen.insert(folded(&name)) {
                return Err(PoolError::DuplicateField { place: fields.place, field: shown(&name) });
            }
            match names.iter().find(|known| folded(known) == folded(&name)) {
                Some(known) => fields.known.push((known, value)),
                None if says_who_signs(&name) => {
                    return Err(PoolError::UnknownField { place: fields.place, field: shown(&name) });
                }
                None => {
                    fields.further.insert(name, value.into_value());
                }
            }
        }
        Ok(fields)
    }

    /// A field's value; null counts as absent, as in Go.
    pub(super) fn take(&mut self, name: &str) -> Option<Tree> {
        let position = self.known.iter().position(|(known, _)| *known == name)?;
        Some(self.known.swap_remove(position).1).filter(|value| !matches!(value, Tree::Null))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Zeroizing<String>, PoolError> {
        match self.take(name) {
            None => Ok(Zeroizing::default()),
            Some(Tree::Text(text)) => Ok(text),
            Some(other) => Err(self.wrong(name, &other, "text in quotes")),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<u64>, PoolError> {
        match self.take(name) {
            None => Ok(None),
            Some(Tree::Number(number)) if number.is_u64() => Ok(number.as_u64()),
            Some(other) => Err(self.wrong(name, &other, "a whole number that isn't negative")),
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Tree>, PoolError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Tree::List(list)) => Ok(list),
            Some(other) => Err(self.wrong(name, &other, "a list")),
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<Zeroizing<String>>, PoolError> {
        let texts = self.list(name)?.into_iter().enumerate().map(|(index, value)| match value {
            Tree::Null => Ok(Zeroizing::default()),
            Tree::Text(text) => Ok(text),
            other => Err(self.wrong(&format!("{name}[{index}]"), &other, "text in quotes")),
        });
        texts.collect()
    }

    fn wrong(&self, name: &str, found: &Tree, expected: &'static str) -> PoolError {
        PoolError::WrongType { field: format!("{name} of {}", self.place), found: found.kind(), expected }
    }
}

/// As Go compares names: two letters outside ASCII count as those that they are the capital or old form of.
fn folded(name: &str) -> String {
    name.chars().map(|c| c.to_ascii_lowercase()).map(fold).collect()
}

fn fold(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other,
    }
}

/// A field's name, unless it could be anything else.
fn shown(name: &str) -> String {
    const LONGEST: usize = 40;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$');
    if !name.is_empty() && name.len() <= LONGEST && name.chars().all(is_name) {
        format!("{name:?}")
    } else {
        "(with an odd name, which isn't shown)".to_owned()
    }
}

#[cfg(test)]
mod tests;
