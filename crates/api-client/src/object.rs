//! Objects of the API, each parsed by itself, in forms that hold only what counts. What isn't asked for is
//! skipped unread, `managedFields` above all: any tenant may write there what other languages' types can't
//! hold.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::api::ObjectMeta;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

use super::answer::SizeClass;

/// An object of the API, as it is read.
pub trait ApiObject: Sized + Send + 'static {
    /// What is read of its JSON.
    type Wire: DeserializeOwned;
    /// As its `kind` is written.
    const KIND: &'static str;
    /// What large ones count as.
    const SIZE_CLASS: SizeClass;

    /// The object, unless it breaks a bound; then which one.
    fn from_wire(wire: Self::Wire) -> Result<Self, String>;

    /// No more of it than its name: it is gone.
    fn gone(identity: Identity) -> Self;
}

/// Names an object; the namespace is empty for one of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Empty for an object of the cluster.
    pub namespace: String,
    /// Empty if it can't be read.
    pub name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.namespace.as_str(), self.name.as_str()) {
            (_, "") => f.write_str("without a readable name"),
            ("", name) => f.write_str(name),
            (namespace, name) => write!(f, "{namespace}/{name}"),
        }
    }
}

/// An object that can't be read. Its body is in none of the texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {name} can't be read: {reason}")]
pub struct Unreadable {
    /// Its kind.
    pub kind: &'static str,
    /// Its name, as far as it can be read.
    pub name: ObjectName,
    /// Empty if that can't be read either.
    pub resource_version: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl Unreadable {
    /// The object that couldn't be read, if it was that.
    pub fn of<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
    }
}

impl From<Unreadable> for kube::Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::Service(Box::new(unreadable))
    }
}

/// Who an object is: its metadata without what people write into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Identity {
    /// `metadata.name`.
    pub name: Option<String>,
    /// `metadata.namespace`; none for an object of the cluster.
    pub namespace: Option<String>,
    /// `metadata.uid`.
    pub uid: Option<String>,
    /// `metadata.resourceVersion`.
    pub resource_version: Option<String>,
    /// `metadata.creationTimestamp`.
    #[serde(deserialize_with = "time")]
    pub creation_timestamp: Option<Timestamp>,
    /// Whether it is being deleted.
    #[serde(rename = "deletionTimestamp", deserialize_with = "is_set")]
    pub is_terminating: bool,
}

/// An object without a name is nobody's, and of one without its namespace nobody knows whose it is.
///
/// # Errors
/// If one of them is missing.
pub fn require_names(name: Option<&str>, namespace: Option<&str>) -> Result<(), String> {
    match (name, namespace) {
        (None | Some(""), _) => {
            Err("it has no metadata.name; look for what answers in the API server's place".to_owned())
        }
        (_, Some("")) => {
            Err("it has no metadata.namespace; look for what answers in the API server's place".to_owned())
        }
        _ => Ok(()),
    }
}

/// What an entry of a map costs in memory, beside its texts: two strings and their place in a tree.
pub const ENTRY: usize = 128;

/// What a map costs in memory, about.
pub fn map_size(map: &BTreeMap<String, String>) -> usize {
    map.iter().map(|(key, value)| key.len() + value.len() + ENTRY).sum()
}

impl Identity {
    /// # Errors
    /// If its name or its namespace is missing.
    pub fn require_names(&self) -> Result<(), String> {
        require_names(self.name.as_deref(), Some(self.namespace.as_deref().unwrap_or_default()))
    }
}

impl From<Identity> for ObjectMeta {
    fn from(identity: Identity) -> Self {
        // when it will be deleted, nobody asks
        let deletion = identity.is_terminating.then_some(Time(Timestamp::UNIX_EPOCH));
        Self {
            name: identity.name,
            namespace: identity.namespace,
            uid: identity.uid,
            resource_version: identity.resource_version,
            creation_timestamp: identity.creation_timestamp.map(Time),
            deletion_timestamp: deletion,
            ..Self::default()
        }
    }
}

/// Metadata with what people write into it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    #[serde(deserialize_with = "time")]
    creation_timestamp: Option<Timestamp>,
    #[serde(rename = "deletionTimestamp", deserialize_with = "is_set")]
    is_terminating: bool,
    /// `metadata.labels`.
    pub labels: Option<BTreeMap<String, String>>,
    /// `metadata.annotations`.
    pub annotations: Option<BTreeMap<String, String>>,
    /// `metadata.finalizers`.
    pub finalizers: Option<Vec<String>>,
    /// `metadata.ownerReferences`.
    pub owner_references: Option<Vec<OwnerReference>>,
}

impl Metadata {
    /// # Errors
    /// If its name is missing, or its namespace where the kind has one.
    pub fn require_names(&self, is_namespaced: bool) -> Result<(), String> {
        let namespace = is_namespaced.then(|| self.namespace.as_deref().unwrap_or_default());
        require_names(self.name.as_deref(), namespace)
    }

    /// Takes out who it is.
    pub fn identity(&mut self) -> Identity {
        Identity {
            name: self.name.take(),
            namespace: self.namespace.take(),
            uid: self.uid.take(),
            resource_version: self.resource_version.take(),
            creation_timestamp: self.creation_timestamp,
            is_terminating: self.is_terminating,
        }
    }
}

impl From<Metadata> for ObjectMeta {
    fn from(mut metadata: Metadata) -> Self {
        Self {
            labels: metadata.labels.take(),
            annotations: metadata.annotations.take(),
            finalizers: metadata.finalizers.take(),
            owner_references: metadata.owner_references.take(),
            ..metadata.identity().into()
        }
    }
}

/// A time; none for one that can't be held, which no decision rests on.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

fn is_set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<IgnoredAny>::deserialize(deserializer)?.is_some())
}

/// Parses one object.
pub fn read_object<K: ApiObject>(json: &[u8]) -> Result<K, Unreadable> {
    serde_json::from_slice::<K::Wire>(json)
        .map_err(|error| wrong_form(&error))
        .and_then(K::from_wire)
        .map_err(|reason| unreadable::<K>(json, reason))
}

/// An object that is too large to be parsed, of which this is the beginning.
pub fn oversized<K: ApiObject>(beginning: &[u8]) -> Unreadable {
    unreadable::<K>(beginning, too_large())
}

/// The same, of one that was asked for by its name.
pub fn oversized_at<K: ApiObject>(name: ObjectName) -> Unreadable {
    Unreadable { kind: K::KIND, name, resource_version: String::new(), reason: too_large() }
}

fn too_large() -> String {
    let most = super::answer::LARGEST_OBJECT / 1024 / 1024;
    format!("its JSON is larger than {most} MiB; make it smaller or delete it")
}

/// serde's own text may quote the body.
pub fn wrong_form(error: &serde_json::Error) -> String {
    let what =
        if error.is_data() { "a field isn't of the type that the API defines" } else { "it isn't JSON" };
    format!("{what} (at byte {} of its JSON); correct or delete it", error.column())
}

/// An object of this kind that can't be read, named as far as its JSON allows.
pub fn unreadable<K: ApiObject>(json: &[u8], reason: String) -> Unreadable {
    let found = Found::of(json);
    let name = ObjectName { namespace: found.namespace, name: found.name };
    Unreadable { kind: K::KIND, name, resource_version: found.resource_version, reason }
}

/// What can be found of an object that can't be parsed, or of which only the beginning is there: the API
/// server writes metadata first.
#[derive(Debug, Default)]
struct Found {
    namespace: String,
    name: String,
    resource_version: String,
}

impl Found {
    fn of(json: &[u8]) -> Self {
        let mut found = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        // it fails sooner or later; what was found by then counts
        let _ = Finder { found: &mut found, path: Path::Object }.deserialize(&mut deserializer);
        found
    }
}

/// Where the finder is.
#[derive(Clone, Copy, PartialEq)]
enum Path {
    /// An object, or a watch's line that holds one.
    Object,
    Metadata,
}

struct Finder<'a> {
    found: &'a mut Found,
    path: Path,
}

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { found, path } = self;
        while let Some(key) = map.next_key::<String>()? {
            match (path, key.as_str()) {
                (Path::Object, "object") => map.next_value_seed(Finder { found, path })?,
                (Path::Object, "metadata") => {
                    map.next_value_seed(Finder { found, path: Path::Metadata })?;
                }
                (Path::Metadata, "name") => found.name = short(map.next_value()?),
                (Path::Metadata, "namespace") => found.namespace = short(map.next_value()?),
                (Path::Metadata, "resourceVersion") => found.resource_version = short(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// No name of Kubernetes is longer.
fn short(text: String) -> String {
    if text.len() <= 253 { text } else { String::new() }
}

#[cfg(test)]
mod tests;
