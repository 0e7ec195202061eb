//! `ClusterTrustBundle` on the wire, in one shape for all its versions.

use kube::core::{NotUsed, Object};
use serde::{Deserialize, Serialize};

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
