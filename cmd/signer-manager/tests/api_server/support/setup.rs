//! A configuration with its CAs, in a directory of its own.

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;

use super::ca::{PemCa, new_authority, write_pool};

/// A configuration that can be run, changed, and run again. Cheap to clone: clones see the same files.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) dir: Arc<TempDir>,
    signers: Vec<Entry>,
    deny: Option<String>,
}

#[derive(Clone)]
struct Entry {
    name: String,
    fields: String,
    pool: String,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self { dir: Arc::new(tempfile::tempdir().unwrap()), signers: Vec::new(), deny: None }
    }

    /// Adds a signer with a CA of its own. `fields` stand in the configuration as they are:
    /// `kind: spiffe, trustDomain: cluster.local`.
    pub(crate) fn signer(self, name: &str, fields: &str) -> Self {
        let path = self.pool_path(name);
        write_pool(&path, vec![new_authority("1")]);
        self.signer_without_pool(name, fields)
    }

    /// Adds a signer whose pool file isn't there.
    pub(crate) fn signer_without_pool(self, name: &str, fields: &str) -> Self {
        let pool = format!("file: {}", self.pool_path(name).display());
        self.with(name, fields, pool)
    }

    /// Adds a signer whose pool is in a Secret, with automatic rotation.
    pub(crate) fn signer_in_secret(self, name: &str, fields: &str, namespace: &str, secret: &str) -> Self {
        let pool = format!(
            "secret: {{namespace: {namespace}, name: {secret}}}, rotation: automatic, keyType: ED25519"
        );
        self.with(name, fields, pool)
    }

    /// Adds a signer with a CA of others' making.
    pub(crate) fn signer_of(self, name: &str, fields: &str, ca: &PemCa) -> Self {
        let pool = ca.write(self.dir.path(), &file_name(name));
        self.with(name, fields, pool)
    }

    /// Adds a signer with this `caPool`.
    pub(crate) fn with(mut self, name: &str, fields: &str, pool: String) -> Self {
        self.signers.push(Entry { name: name.into(), fields: fields.into(), pool });
        self
    }

    /// Follows deny rules: the fields of `deny`.
    pub(crate) fn deny(mut self, place: &str) -> Self {
        self.deny = Some(place.into());
        self
    }

    /// The same with other fields for a signer.
    pub(crate) fn changed(&self, name: &str, fields: &str) -> Self {
        let mut changed = self.clone();
        let entry = changed.signers.iter_mut().find(|entry| entry.name == name).unwrap();
        entry.fields = fields.into();
        changed
    }

    /// Where the pool of a signer is, or belongs.
    pub(crate) fn pool_path(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{}.json", file_name(name)))
    }

    /// Puts other files in the place of a signer's PEM files.
    pub(crate) fn replace_ca(&self, name: &str, ca: &PemCa) {
        ca.write(self.dir.path(), &file_name(name));
    }

    /// The configuration file's text.
    pub(crate) fn text(&self) -> String {
        let entry = |Entry { name, fields, pool }: &Entry| {
            format!("- {{name: {name}, {fields}, caPool: {{{pool}}}}}\n")
        };
        let deny = self.deny.iter().map(|place| format!("deny: {{{place}}}\n")).collect::<String>();
        format!("{deny}signers:\n{}", self.signers.iter().map(entry).collect::<String>())
    }
}

fn file_name(signer_name: &str) -> String {
    signer_name.replace('/', "_")
}
