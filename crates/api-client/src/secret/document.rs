//! A Secret's JSON, of which only what is asked for is parsed.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::SecretError;

/// A Secret's JSON.
#[derive(Clone)]
pub struct SecretDocument {
    json: Zeroizing<Vec<u8>>,
    version: String,
}

/// The fields of a JSON object, each as it stands there.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

impl SecretDocument {
    /// An empty one, to be created.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        let json = serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"namespace": namespace, "name": name},
        });
        Self { json: Zeroizing::new(json.to_string().into_bytes()), version: String::new() }
    }

    /// A Secret as the API server sends it.
    ///
    /// # Errors
    /// If it isn't one.
    pub fn parse(json: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        let metadata = fields(fields(&json)?.get("metadata").copied())?;
        let version = metadata.get("resourceVersion").map(|version| serde_json::from_str(version.get()));
        let Some(Ok(version)) = version else {
            return Err(SecretError::Unreadable("metadata.resourceVersion isn't a text".to_owned()));
        };
        Ok(Self { json, version })
    }

    /// The version that was read; empty if it wasn't.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The keys of `data`.
    ///
    /// # Errors
    /// If `data` isn't an object.
    pub fn keys(&self) -> Result<Vec<String>, SecretError> {
        Ok(fields(fields(&self.json)?.get("data").copied())?.into_keys().collect())
    }

    /// A value of `data`, decoded.
    ///
    /// # Errors
    /// If it isn't base64.
    pub fn value(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
        let data = fields(fields(&self.json)?.get("data").copied())?;
        let Some(value) = data.get(key) else { return Ok(None) };
        let unreadable = || SecretError::Unreadable(format!("data.{key} isn't base64"));
        // borrowed, so that there is no copy: base64 has nothing to escape
        let text: Option<&str> = serde_json::from_str(value.get()).map_err(|_| unreadable())?;
        let decoded = STANDARD.decode(text.unwrap_or_default()).map_err(|_| unreadable())?;
        Ok(Some(Zeroizing::new(decoded)))
    }

    /// The same with this value in `data`. All else stays as it is, but for `managedFields`, which the API
    /// server keeps where they aren't sent.
    ///
    /// # Errors
    /// If what was read isn't a Secret.
    pub fn with_value(&self, key: &str, value: &[u8]) -> Result<Self, SecretError> {
        let mut top = fields(&self.json)?;
        let mut metadata = fields(top.remove("metadata"))?;
        metadata.remove("managedFields");
        let mut data = fields(top.remove("data"))?;
        data.remove(key);
        // of its final size from the start: a buffer that grows leaves copies behind
        let length = self.json.len() + value.len().div_ceil(3) * 4 + 6 * key.len() + 64;
        let mut json = Zeroizing::new(String::with_capacity(length));
        json.push('{');
        write(&mut json, top);
        json.push_str("\"metadata\":{");
        write(&mut json, metadata);
        close(&mut json);
        json.push_str(",\"data\":{");
        write(&mut json, data);
        name(&mut json, key);
        json.push('"');
        STANDARD.encode_string(value, &mut json);
        json.push_str("\"}}");
        let json = Zeroizing::new(std::mem::take(&mut *json).into_bytes());
        Ok(Self { json, version: self.version.clone() })
    }

    /// As it is sent; wiped once it has been.
    pub fn body(&self) -> Bytes {
        Bytes::from_owner(self.json.clone())
    }
}

fn write(json: &mut String, fields: Fields<'_>) {
    for (field, value) in fields {
        name(json, &field);
        json.push_str(value.get());
        json.push(',');
    }
}

/// A field's name, and a colon.
fn name(json: &mut String, field: &str) {
    json.push_str(&serde_json::Value::from(field).to_string());
    json.push(':');
}

/// Ends an object whose fields have been written.
fn close(json: &mut String) {
    if json.ends_with(',') {
        json.pop();
    }
    json.push('}');
}

trait Json<'a> {
    fn bytes(self) -> &'a [u8];
}

impl<'a> Json<'a> for &'a Zeroizing<Vec<u8>> {
    fn bytes(self) -> &'a [u8] {
        self
    }
}

impl<'a> Json<'a> for Option<&'a RawValue> {
    fn bytes(self) -> &'a [u8] {
        self.map_or(b"null", |value| value.get().as_bytes())
    }
}

/// The fields of an object; none where it is missing or null. serde's messages quote what they read, so they
/// aren't passed on.
fn fields<'a>(json: impl Json<'a>) -> Result<Fields<'a>, SecretError> {
    let fields: Option<Fields<'a>> = serde_json::from_slice(json.bytes()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        SecretError::Unreadable(format!(
            "it, or its metadata or data, isn't a JSON object (line {line}, column {column})"
        ))
    })?;
    Ok(fields.unwrap_or_default())
}

impl fmt::Debug for SecretDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { json: _, version } = self;
        f.debug_struct("SecretDocument").field("version", version).finish_non_exhaustive()
    }
}
