//! The fields of an entry. `null`, and a text, list or mapping without content, count as absent: client-go
//! tests lengths, and tools fill what they don't have with "".

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{Error, document::Entry};

/// Reads fields. An error names entry, file and field, never the value: it may be a secret.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// Such as `user`.
    pub(crate) kind: &'static str,
    pub(crate) entry: &'a Entry,
    map: &'a Map<String, Value>,
}

/// Where the content of a certificate or key is.
#[derive(Clone)]
pub(crate) enum Content {
    Data(Zeroizing<Vec<u8>>),
    File(PathBuf),
}

impl<'a> Fields<'a> {
    pub(crate) fn new(kind: &'static str, entry: &'a Entry) -> Self {
        Self { kind, entry, map: &entry.fields }
    }

    /// Those of a mapping within.
    pub(crate) fn within(&self, field: &str) -> Result<Option<Self>, Error> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self { map, ..*self })),
            Some(_) => Err(self.wrong(&format!("`{field}` must be a mapping"))),
        }
    }

    fn value(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn wrong(&self, problem: &str) -> Error {
        Error::Entry { entry: self.name(), problem: problem.to_owned() }
    }

    /// The entry and its file, for messages.
    pub(crate) fn name(&self) -> String {
        format!("{} {:?} of {}", self.kind, self.entry.name, self.entry.file.display())
    }

    pub(crate) fn text(&self, field: &str) -> Result<Option<&'a str>, Error> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong(&format!("`{field}` must be a text; put it in quotes"))),
        }
    }

    pub(crate) fn secret(&self, field: &str) -> Result<Option<Zeroizing<String>>, Error> {
        Ok(self.text(field)?.map(|text| Zeroizing::new(text.to_owned())))
    }

    /// `yes` and `on` are true for kubectl's YAML 1.1.
    pub(crate) fn flag(&self, field: &str) -> Result<bool, Error> {
        match self.value(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text.is_empty() => Ok(false),
            Some(Value::String(text)) => match text.to_ascii_lowercase().as_str() {
                "yes" | "y" | "on" => Ok(true),
                "no" | "n" | "off" => Ok(false),
                _ => Err(self.wrong(&format!("`{field}` must be true or false"))),
            },
            Some(_) => Err(self.wrong(&format!("`{field}` must be true or false"))),
        }
    }

    pub(crate) fn texts(&self, field: &str) -> Result<Vec<String>, Error> {
        let wrong = || self.wrong(&format!("`{field}` must be a list of texts"));
        match self.value(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => {
                list.iter().map(|item| item.as_str().map(ToOwned::to_owned).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    /// A mapping of texts to lists of texts.
    pub(crate) fn lists(&self, field: &str) -> Result<Vec<(String, Vec<String>)>, Error> {
        let Some(within) = self.within(field)? else { return Ok(Vec::new()) };
        within.map.keys().map(|key| Ok((key.clone(), within.texts(key)?))).collect()
    }

    /// A list of mappings with `name` and `value`.
    pub(crate) fn pairs(&self, field: &str) -> Result<Vec<(String, String)>, Error> {
        let wrong = || self.wrong(&format!("`{field}` must be a list of entries with `name` and `value`"));
        let list = match self.value(field) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(wrong()),
        };
        let text = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        list.iter()
            .map(|item| {
                let name = text(item, "name").filter(|name| !name.is_empty()).ok_or_else(wrong)?;
                Ok((name, text(item, "value").unwrap_or_default()))
            })
            .collect()
    }

    /// The value of a named extension.
    pub(crate) fn extension(&self, name: &str) -> Option<&'a Value> {
        let list = self.value("extensions")?.as_array()?;
        list.iter().find(|item| item.get("name").and_then(Value::as_str) == Some(name))?.get("extension")
    }

    /// Relative to the directory of the kubeconfig that says so.
    pub(crate) fn path(&self, field: &str) -> Result<Option<PathBuf>, Error> {
        Ok(self.text(field)?.map(|path| self.relative(path)))
    }

    pub(crate) fn relative(&self, path: &str) -> PathBuf {
        self.entry.file.parent().map_or_else(|| PathBuf::from(path), |directory| directory.join(path))
    }

    /// `<field>-data` or the file in `<field>`; both together kubectl refuses.
    pub(crate) fn content(&self, field: &str) -> Result<Option<Content>, Error> {
        let data_field = format!("{field}-data");
        let data = self.text(&data_field)?.map(|text| self.base64(&data_field, text)).transpose()?;
        match (data, self.path(field)?) {
            (Some(_), Some(_)) => Err(self.wrong(&format!(
                "`{data_field}` and `{field}` are both given; keep one of them, as kubectl demands"
            ))),
            (Some(data), None) => Ok(Some(data).filter(|data| !data.is_empty()).map(Content::Data)),
            (None, file) => Ok(file.map(Content::File)),
        }
    }

    /// With line breaks, as `base64` writes it.
    fn base64(&self, field: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut joined = Zeroizing::new(Vec::with_capacity(text.len()));
        joined.extend(text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
        let mut data = Zeroizing::new(vec![0; joined.len()]);
        let length = STANDARD.decode_slice(&*joined, &mut data).map_err(|_| {
            self.wrong(&format!(
                "`{field}` isn't base64; it must be the whole PEM file in base64 (`base64 -w0 FILE`)"
            ))
        })?;
        data.truncate(length);
        Ok(data)
    }
}
