//! The published trust bundle of a signer.

use api_client::ClusterTrustBundle;
use signer_core::SignerName;

use crate::{error::Error, store::cluster::Cluster};

/// A trust bundle, as the cluster has it.
pub(crate) struct PublishedBundle {
    pub(crate) pem: String,
    /// Greater for each write of the object.
    pub(crate) version: Option<u64>,
}

/// The bundle of a signer, if there is one.
pub(crate) fn published(cluster: &Cluster, signer: &SignerName) -> Result<Option<PublishedBundle>, Error> {
    let resource = &cluster.certificates_api()?.bundles;
    let path = format!("/apis/{}/{}", resource.api_version, resource.plural);
    let bundle = cluster.get::<ClusterTrustBundle>(&path, &signer.bundle_name())?;
    Ok(bundle.map(|bundle| PublishedBundle {
        pem: bundle.spec.trust_bundle,
        version: bundle.metadata.resource_version.and_then(|version| version.parse().ok()),
    }))
}

/// The anchors of a signer's bundle, in DER; none if there is no bundle.
pub(crate) fn anchors(cluster: &Cluster, signer: &SignerName) -> Result<Option<Vec<Vec<u8>>>, Error> {
    Ok(published(cluster, signer)?.map(|bundle| {
        let blocks = pem_blocks::blocks(bundle.pem.as_bytes()).unwrap_or_default();
        blocks.into_iter().map(|block| block.der.to_vec()).collect()
    }))
}
