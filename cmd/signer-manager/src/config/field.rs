//! Reading typed values out of the tree.

use std::{fmt, str::FromStr};

use super::{
    error::{ConfigError, Position, Problems},
    yaml::{Key, Node, Value},
};

/// A node and its path.
#[derive(Clone, Debug)]
pub(super) struct Field<'a> {
    path: String,
    node: &'a Node,
}

/// A mapping and its path.
#[derive(Clone, Debug)]
pub(super) struct Mapping<'a> {
    path: String,
    position: Position,
    entries: &'a [(Key, Node)],
}

impl<'a> Field<'a> {
    /// The whole document.
    pub(super) fn root(node: &'a Node) -> Self {
        Self { path: String::new(), node }
    }

    /// An error about this field.
    pub(super) fn error(&self, message: impl Into<String>) -> ConfigError {
        ConfigError { position: Some(self.node.position), field: self.path.clone(), message: message.into() }
    }

    /// Its path, such as `signers[0].name`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn position(&self) -> Position {
        self.node.position
    }

    /// Its text. `accepted` says what may stand there: "a name such as …".
    pub(super) fn text(&self, accepted: &str) -> Result<&'a str, ConfigError> {
        match &self.node.value {
            Value::Text(text) if text.is_empty() => Err(self.error(format!("is empty; write {accepted}"))),
            Value::Text(text) if is_content(text) => Err(self.error(format!(
                "holds what a file should hold, which isn't shown here, as it may be a key; write {accepted}"
            ))),
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong_type(accepted)),
        }
    }

    /// Its text, parsed.
    pub(super) fn parse<T: FromStr<Err: fmt::Display>>(&self, accepted: &str) -> Result<T, ConfigError> {
        self.text(accepted)?.parse().map_err(|error: T::Err| self.error(error.to_string()))
    }

    /// Its text, read by this parser.
    pub(super) fn parse_by<T, E: fmt::Display>(
        &self,
        accepted: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        parse(self.text(accepted)?).map_err(|error| self.error(error.to_string()))
    }

    /// Its truth value.
    pub(super) fn flag(&self) -> Result<bool, ConfigError> {
        match self.node.value {
            Value::Bool(flag) => Ok(flag),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    /// Its choice among words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let names = alternatives(choices.iter().map(|(name, _)| *name));
        let text = self.text(&names)?;
        let chosen = choices.iter().find(|(name, _)| *name == text);
        chosen
            .map(|(_, value)| *value)
            .ok_or_else(|| self.error(format!("{} is not known; write {names}", quoted(text))))
    }

    /// The items of its list, each read in this way; those that can't be read are problems, and left out.
    pub(super) fn list<T>(
        &self,
        accepted: &str,
        problems: &mut Problems,
        mut read: impl FnMut(&Field<'a>, &mut Problems) -> Option<T>,
    ) -> Vec<T> {
        let items = problems.ok(self.items(accepted)).unwrap_or_default();
        items.iter().filter_map(|item| read(item, problems)).collect()
    }

    /// What stands there.
    pub(super) fn value(&self) -> &'a Value {
        &self.node.value
    }

    /// Whether nothing stands there.
    pub(super) fn is_nothing(&self) -> bool {
        self.node.value == Value::Nothing
    }

    /// Whether it is `[]`.
    pub(super) fn is_empty_list(&self) -> bool {
        matches!(&self.node.value, Value::List(items) if items.is_empty())
    }

    /// The items of its list.
    pub(super) fn items(&self, accepted: &str) -> Result<Vec<Field<'a>>, ConfigError> {
        let Value::List(items) = &self.node.value else { return Err(self.wrong_type(accepted)) };
        let item = |(i, node)| Field { path: format!("{}[{i}]", self.path), node };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// Its fields.
    pub(super) fn mapping(&self, accepted: &str) -> Result<Mapping<'a>, ConfigError> {
        match &self.node.value {
            Value::Mapping(entries) => {
                Ok(Mapping { path: self.path.clone(), position: self.node.position, entries })
            }
            _ => Err(self.wrong_type(accepted)),
        }
    }

    fn wrong_type(&self, accepted: &str) -> ConfigError {
        let what = match &self.node.value {
            Value::Nothing => "is empty".to_owned(),
            Value::Bool(flag) => format!("{flag} is a truth value"),
            Value::Number(number) => format!("{number} is a number"),
            Value::Text(text) => format!("{} is a text", quoted(text)),
            Value::List(_) => "is a list".to_owned(),
            Value::Mapping(_) => "is a mapping".to_owned(),
        };
        self.error(format!("{what}; write {accepted}"))
    }
}

impl<'a> Mapping<'a> {
    /// The field of this name, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<Field<'a>> {
        let (_, node) = self.entries.iter().find(|(key, _)| key.name == name)?;
        Some(Field { path: self.path_of(name), node })
    }

    /// The field of this name. `accepted` says what is to be written.
    pub(super) fn required(&self, name: &str, accepted: &str) -> Result<Field<'a>, ConfigError> {
        self.get(name).ok_or_else(|| ConfigError {
            position: Some(self.position),
            field: self.path_of(name),
            message: format!("is missing; write {accepted}"),
        })
    }

    /// The field of this name, read in this way.
    pub(super) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Field<'a>) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(name).map(|field| read(&field)).transpose()
    }

    /// All fields, by name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        let field =
            |(key, node): &'a (Key, Node)| (key.name.as_str(), Field { path: self.path_of(&key.name), node });
        self.entries.iter().map(field)
    }

    /// An error about the mapping as a whole.
    pub(super) fn error(&self, message: impl Into<String>) -> ConfigError {
        ConfigError { position: Some(self.position), field: self.path.clone(), message: message.into() }
    }

    /// An error for each field that isn't known. `why` tells about a name that isn't.
    pub(super) fn unknown(&self, known: &[&str], why: impl Fn(&str) -> String) -> Vec<ConfigError> {
        let unknown = self.entries.iter().filter(|(key, _)| !known.contains(&key.name.as_str()));
        unknown
            .map(|(key, _)| ConfigError {
                position: Some(key.position),
                field: self.path_of(&key.name),
                message: why(&key.name),
            })
            .collect()
    }

    fn path_of(&self, name: &str) -> String {
        let name: String = name.chars().take(LONGEST_QUOTE).collect::<String>().escape_debug().to_string();
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }
}

/// Whether a text is what a file holds, and so may be a key: PEM, base64 of PEM, or JSON.
fn is_content(text: &str) -> bool {
    let text = text.trim_start();
    text.contains("-----BEGIN") || text.contains("LS0tLS1CRUdJTi") || text.starts_with('{')
}

/// A text of the file in a message: in quotes, and cut where it is long. One that may be a key isn't shown.
pub(super) fn quoted(text: &str) -> String {
    if is_content(text) {
        return "what stands here (not shown, as it may hold a key)".to_owned();
    }
    format!("{:?}", text.chars().take(LONGEST_QUOTE).collect::<String>())
}

/// "a, b or c".
pub(super) fn alternatives<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Characters of a text that a message shows: a DNS name fits.
const LONGEST_QUOTE: usize = 253;
