//! Where the document of the rules is, and how it is read.

use std::{
    collections::HashMap,
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use kube::{Client, api::GetParams, core::Request};
use serde::{Deserialize, de::IgnoredAny};
use tokio::task::spawn_blocking;

use super::{DenyRules, ParseDenyRules};
use crate::api::{
    answer::{self, SizeClass},
    error::{describe, is_status},
    timeout::{DENY_RULES, within},
};
use bounded_text::{one_line, truncated};

/// Where the document of the rules is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DenySource {
    /// A file.
    File(PathBuf),
    /// A key of a ConfigMap, which the process reads itself: a mounted one changes a minute or two later.
    ConfigMap {
        /// The ConfigMap's namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The key of its data.
        key: String,
    },
}

/// Why the document can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DenySourceError {
    #[error("{0} doesn't exist; create it, empty if nobody is to be blocked")]
    NoFile(String),
    #[error("{0} isn't a regular file; write the rules into a file")]
    NotAFile(String),
    #[error("{path} can't be read: {source}")]
    File { path: String, source: io::Error },
    #[error("{0} changed while it was read; it is read again")]
    Changing(String),
    #[error("{0} is longer than {MAX_DENY_DOCUMENT_BYTES} bytes, the most that rules may have; remove rules")]
    TooLong(String),
    #[error("{0} isn't UTF-8; write the rules as UTF-8 text")]
    NotText(String),
    #[error("reading {0}: the thread that reads files ended early")]
    Thread(String),
    #[error(
        "there is no ConfigMap {namespace}/{name}; create it with `kubectl -n {namespace} create configmap {name}`, empty if nobody is to be blocked"
    )]
    NoConfigMap { namespace: String, name: String },
    #[error("reading {what}: {}{remedy}", describe(.source))]
    Call { what: String, source: kube::Error, remedy: &'static str },
    #[error("reading {what}: {problem}")]
    Answer { what: String, problem: &'static str },
    #[error(
        "{what}: the ConfigMap has no such key; it has {keys}. Rename the key, or remove all keys if nobody is to be blocked"
    )]
    NoKey { what: String, keys: String },
}

/// The longest document: thousands of rules fit.
pub const MAX_DENY_DOCUMENT_BYTES: usize = 256 * 1024;

/// Whoever writes a file in place has finished by then.
const WRITTEN_WITHIN: Duration = Duration::from_millis(50);
/// Of a ConfigMap's keys, so many bytes are shown.
const MAX_QUOTE: usize = 300;

impl DenySource {
    /// Reads and parses a file that is there. This blocks. What isn't there may be where the process runs.
    ///
    /// # Errors
    /// If the file can't be read, or its rules are wrong: what is wrong, for people.
    pub fn load(&self, parse: ParseDenyRules) -> Option<Result<DenyRules, String>> {
        let Self::File(path) = self else { return None };
        match read_file(path) {
            Ok(text) => Some(parse(&text, &self.to_string())),
            Err(DenySourceError::NoFile(_)) => None,
            Err(error) => Some(Err(error.to_string())),
        }
    }

    /// Reads the document.
    pub(super) async fn read(&self, client: &Client) -> Result<String, DenySourceError> {
        match self {
            Self::File(path) => {
                let (path, what) = (path.clone(), self.to_string());
                spawn_blocking(move || read_file(&path)).await.map_err(|_| DenySourceError::Thread(what))?
            }
            Self::ConfigMap { namespace, name, key } => {
                document(&self.get(client, namespace, name).await?, key, self)
            }
        }
    }

    /// The ConfigMap as the API server sends it, bounded, and neither parsed nor logged by kube's client.
    async fn get(&self, client: &Client, namespace: &str, name: &str) -> Result<Vec<u8>, DenySourceError> {
        let get = Request::new(format!("/api/v1/namespaces/{namespace}/configmaps"));
        let get = get.get(name, &GetParams::default()).map_err(kube::Error::BuildRequest);
        let answer = match get {
            Ok(get) => within(DENY_RULES, answer::call(client, get, SizeClass::Others)).await,
            Err(error) => Err(error),
        };
        answer.map(|answer| answer.bytes).map_err(|source| match is_status(&source, 404) {
            true => DenySourceError::NoConfigMap { namespace: namespace.into(), name: name.into() },
            false => {
                let remedy =
                    if is_status(&source, 403) { "; grant the verb get on this ConfigMap" } else { "" };
                DenySourceError::Call { what: self.to_string(), source, remedy }
            }
        })
    }

    fn unusable(&self, problem: &'static str) -> DenySourceError {
        DenySourceError::Answer { what: self.to_string(), problem }
    }
}

/// The part of a ConfigMap that counts.
#[derive(Deserialize)]
struct ConfigMap {
    data: Option<HashMap<String, String>>,
    #[serde(rename = "binaryData")]
    binary_data: Option<HashMap<String, IgnoredAny>>,
}

/// The document under a key. A ConfigMap without any key is one that nobody has filled yet: it is shipped so,
/// since applying it again then keeps the rules.
fn document(answer: &[u8], key: &str, source: &DenySource) -> Result<String, DenySourceError> {
    // serde's error quotes what it met
    let config_map: ConfigMap =
        serde_json::from_slice(answer).map_err(|_| source.unusable("the answer isn't a ConfigMap"))?;
    let mut data = config_map.data.unwrap_or_default();
    let others = config_map.binary_data.unwrap_or_default();
    match data.remove(key) {
        Some(text) if text.len() > MAX_DENY_DOCUMENT_BYTES => {
            Err(DenySourceError::TooLong(source.to_string()))
        }
        Some(text) => Ok(text),
        None if data.is_empty() && others.is_empty() => Ok(String::new()),
        None => {
            let mut keys: Vec<_> = data.into_keys().chain(others.into_keys()).collect();
            keys.sort();
            let keys = truncated(&one_line(&keys.join(", ")), MAX_QUOTE);
            Err(DenySourceError::NoKey { what: source.to_string(), keys })
        }
    }
}

/// Reads a file whose content stands still. This blocks.
fn read_file(path: &Path) -> Result<String, DenySourceError> {
    let bytes = read_once(path)?;
    std::thread::sleep(WRITTEN_WITHIN);
    let name = path.display().to_string();
    if read_once(path)? != bytes {
        return Err(DenySourceError::Changing(name));
    }
    String::from_utf8(bytes).map_err(|_| DenySourceError::NotText(name))
}

fn read_once(path: &Path) -> Result<Vec<u8>, DenySourceError> {
    let name = || path.display().to_string();
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => DenySourceError::NoFile(name()),
        _ => DenySourceError::File { path: name(), source },
    };
    // opening a FIFO would block
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(DenySourceError::NotAFile(name()));
    }
    let (mut bytes, bound) = (Vec::new(), MAX_DENY_DOCUMENT_BYTES as u64 + 1);
    File::open(path).and_then(|file| file.take(bound).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() > MAX_DENY_DOCUMENT_BYTES {
        return Err(DenySourceError::TooLong(name()));
    }
    Ok(bytes)
}

impl fmt::Display for DenySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::ConfigMap { namespace, name, key } => write!(f, "{key} of ConfigMap {namespace}/{name}"),
        }
    }
}

#[cfg(test)]
mod tests;
