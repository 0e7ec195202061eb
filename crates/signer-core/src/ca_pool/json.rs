//! The JSON format of pools: the one of the Go original, so that its Secrets work as they are.

use std::{io, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, error::Category};
use zeroize::Zeroizing;

use super::{CaPool, LONGEST_LEAF, Member, PoolEntry, PoolError, check_count, compromise::check_revocation};
use crate::{
    authority::{CaCertificate, CertificateAuthority, SigningKey, SigningKeyError},
    issue::Terms,
};

#[derive(Deserialize, Serialize)]
struct Document {
    #[serde(rename = "CAs")]
    authorities: Option<Vec<Entry>>,
    #[serde(rename = "Generation", default, skip_serializing_if = "is_zero")]
    generation: u64,
    #[serde(flatten)]
    further: Map<String, Value>,
}

/// Go writes an absent list as null, and leaves out nothing; a missing ID is an empty one.
#[derive(Deserialize, Serialize)]
struct Entry {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "SigningKeyPKCS8", default)]
    signing_key: Secret,
    #[serde(rename = "RootCertificateDER", default)]
    root: String,
    #[serde(rename = "IntermediateCertificatesDER", default)]
    intermediates: Option<Vec<String>>,
    #[serde(rename = "SignsFrom", default, skip_serializing_if = "Option::is_none")]
    signs_from: Option<Value>,
    #[serde(rename = "LongestLeafSeconds", default, skip_serializing_if = "Option::is_none")]
    longest_leaf_seconds: Option<u64>,
    #[serde(flatten)]
    further: Map<String, Value>,
}

fn is_zero(generation: &u64) -> bool {
    *generation == 0
}

/// Measures what is written, and keeps nothing of it.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A text that is wiped when it is dropped.
#[derive(Default)]
struct Secret(Zeroizing<String>);

impl CaPool {
    /// Reads a pool in JSON.
    ///
    /// # Errors
    /// If it isn't one, or one of its entries makes no certificate authority.
    pub fn from_json(json: &[u8]) -> Result<Self, PoolError> {
        if json.len() > Self::MAX_INPUT_BYTES {
            return Err(PoolError::TooLong { input: "the pool", length: json.len() });
        }
        let document: Document = serde_json::from_slice(json).map_err(|error| not_json(&error))?;
        check_revocation(&document.further)?;
        let entries = document.authorities.unwrap_or_default();
        check_count(entries.len())?;
        let members = entries
            .into_iter()
            .enumerate()
            .map(|(index, entry)| entry.into_member(index))
            .collect::<Result<_, _>>()?;
        Self::of_members(members, document.generation, document.further)
    }

    /// Writes the pool in JSON, keys included. The buffer is wiped when it is dropped.
    ///
    /// # Errors
    /// If the cryptographic library can't encode a key.
    pub fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
        let entries = self.members.iter().map(Entry::of_member).collect::<Result<Vec<_>, _>>()?;
        let document = Document {
            authorities: Some(entries),
            generation: self.generation,
            further: self.further.clone(),
        };
        let failed = |_: serde_json::Error| self.signing().key().failed("write down");
        // Room enough from the start: a buffer that grows leaves copies behind.
        let mut length = Length(1);
        serde_json::to_writer_pretty(&mut length, &document).map_err(failed)?;
        let mut json = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer_pretty(&mut *json, &document).map_err(failed)?;
        json.push(b'\n');
        Ok(json)
    }
}

impl Entry {
    fn into_member(self, index: usize) -> Result<Member, PoolError> {
        if self.id.chars().count() > CaPool::MAX_ID_CHARACTERS || self.id.chars().any(char::is_control) {
            return Err(PoolError::BadId { index });
        }
        let entry = PoolEntry::new(index, &self.id);
        let signs_from = self.signs_from.map(|value| time(&entry, &value)).transpose()?;
        let longest_leaf =
            self.longest_leaf_seconds.map(|seconds| longest_leaf(&entry, seconds)).transpose()?;
        let key = Zeroizing::new(decode(&entry, "SigningKeyPKCS8", &self.signing_key.0)?);
        let key = SigningKey::from_pkcs8(&key)
            .map_err(|source| PoolError::Key { place: format!("SigningKeyPKCS8 of {entry}"), source })?;
        let root = certificate(&entry, "RootCertificateDER", &self.root)?;
        let intermediates = intermediates(&entry, self.intermediates.as_deref().unwrap_or_default())?;
        let authority = CertificateAuthority::new(self.id, key, intermediates, vec![root])
            .map_err(|source| PoolError::Authority { entry, source })?;
        Ok(Member { authority, signs_from, longest_leaf, further: self.further })
    }

    fn of_member(member: &Member) -> Result<Self, SigningKeyError> {
        let Member { authority, signs_from, longest_leaf, further } = member;
        let intermediates: Vec<String> =
            authority.intermediates().iter().map(|certificate| STANDARD.encode(certificate.der())).collect();
        Ok(Self {
            id: authority.id().to_owned(),
            signing_key: Secret(Zeroizing::new(STANDARD.encode(&*authority.key().to_pkcs8()?))),
            root: STANDARD.encode(authority.root().der()),
            intermediates: if intermediates.is_empty() { None } else { Some(intermediates) },
            signs_from: signs_from.map(|from| Value::String(from.to_string())),
            longest_leaf_seconds: longest_leaf.map(|longest| longest.as_secs()),
            further: further.clone(),
        })
    }
}

fn time(entry: &PoolEntry, value: &Value) -> Result<Timestamp, PoolError> {
    let time = value.as_str().and_then(|text| text.parse().ok());
    time.ok_or_else(|| PoolError::BadSignsFrom { entry: entry.clone() })
}

fn longest_leaf(entry: &PoolEntry, seconds: u64) -> Result<Duration, PoolError> {
    let longest = Duration::from_secs(seconds);
    if !(Terms::LEAST_LIFETIME..=LONGEST_LEAF).contains(&longest) {
        return Err(PoolError::BadLongestLeaf { entry: entry.clone(), seconds });
    }
    Ok(longest)
}

fn intermediates(entry: &PoolEntry, encoded: &[String]) -> Result<Vec<CaCertificate>, PoolError> {
    if encoded.len() > CaPool::MAX_CERTIFICATES {
        let place = format!("IntermediateCertificatesDER of {entry}");
        return Err(PoolError::TooManyCertificates { place, found: encoded.len() });
    }
    let field = |index| format!("IntermediateCertificatesDER[{index}]");
    encoded.iter().enumerate().map(|(index, text)| certificate(entry, &field(index), text)).collect()
}

fn certificate(entry: &PoolEntry, field: &str, text: &str) -> Result<CaCertificate, PoolError> {
    CaCertificate::from_der(field, &decode(entry, field, text)?)
        .map_err(|source| PoolError::Authority { entry: entry.clone(), source })
}

fn decode(entry: &PoolEntry, field: &str, text: &str) -> Result<Vec<u8>, PoolError> {
    if text.is_empty() {
        return Err(PoolError::Missing { entry: entry.clone(), field: field.to_owned() });
    }
    // The decoder's own message quotes what it stumbles over.
    STANDARD.decode(text).map_err(|_| PoolError::NotBase64 { entry: entry.clone(), field: field.to_owned() })
}

/// serde_json's own message quotes the value that it doesn't like, and that may be a key.
fn not_json(error: &serde_json::Error) -> PoolError {
    let problem = match error.classify() {
        Category::Syntax => "a syntax error",
        Category::Eof => "it ends too early",
        Category::Data => "a value of the wrong type, or a missing field",
        Category::Io => "a read error",
    };
    PoolError::NotJson { problem, line: error.line(), column: error.column() }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
