//! What counts of a namespace.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::api::{
    answer::SizeClass,
    object::{ApiObject, Identity, Metadata},
};

/// A namespace, reduced to its metadata. Comes from a read of the API server, so all of it is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Namespace {
    /// `metadata.name`
    pub name: String,
    /// `metadata.uid`: another one for a namespace that was deleted and made anew.
    pub uid: String,
    /// `metadata.labels`: chosen by whoever may update the namespace.
    pub labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NamespaceWire {
    metadata: Metadata,
}

impl ApiObject for Namespace {
    type Wire = NamespaceWire;
    const KIND: &'static str = "Namespace";
    const SIZE_CLASS: SizeClass = SizeClass::Others;

    fn from_wire(NamespaceWire { mut metadata }: NamespaceWire) -> Result<Self, String> {
        metadata.require_names(false)?;
        let labels = metadata.labels.take().unwrap_or_default();
        Ok(Self { labels, ..Self::gone(metadata.identity()) })
    }

    fn gone(identity: Identity) -> Self {
        Self {
            name: identity.name.unwrap_or_default(),
            uid: identity.uid.unwrap_or_default(),
            labels: BTreeMap::new(),
        }
    }
}
