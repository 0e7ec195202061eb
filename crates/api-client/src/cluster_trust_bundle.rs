//! `ClusterTrustBundle` on the wire, in one shape for all its versions.

use kube::core::{NotUsed, Object};
use serde::{Deserialize, Serialize};

use super::{
    answer::SizeClass,
    object::{ApiObject, Identity, Metadata},
};

/// A `ClusterTrustBundle` of any served version. Which one, the dynamic type says.
pub type ClusterTrustBundle = Object<ClusterTrustBundleSpec, NotUsed>;

/// Whose trust anchors, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterTrustBundleSpec {
    /// The signer whose certificates the anchors verify. Immutable.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signer_name: String,
    /// The anchors: PEM blocks of type CERTIFICATE.
    pub trust_bundle: String,
}

/// A bundle, with all of its metadata that a PUT must hold in order to leave it as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct BundleWire {
    metadata: Metadata,
    spec: Option<ClusterTrustBundleSpec>,
}

impl ApiObject for ClusterTrustBundle {
    type Wire = BundleWire;
    const KIND: &'static str = "ClusterTrustBundle";
    const SIZE_CLASS: SizeClass = SizeClass::Others;

    fn from_wire(wire: BundleWire) -> Result<Self, String> {
        wire.metadata.require_names(false)?;
        let spec = wire.spec.unwrap_or_default();
        Ok(Self { types: None, metadata: wire.metadata.into(), spec, status: None })
    }

    fn gone(identity: Identity) -> Self {
        Self { types: None, metadata: identity.into(), spec: ClusterTrustBundleSpec::default(), status: None }
    }
}
