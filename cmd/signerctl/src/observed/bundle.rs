//! The published trust bundle of a signer.

use api_client::ClusterTrustBundle;
use signer_core::SignerName;

use super::request::api;
use crate::{error::Error, store::cluster::Cluster};

/// The anchors of a signer's bundle, in DER; none if there is no bundle.
pub(crate) fn anchors(cluster: &Cluster, signer: &SignerName) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let resource = api(cluster)?.bundles;
    let path = format!("/apis/{}/{}", resource.api_version, resource.plural);
    let bundle = cluster.get::<ClusterTrustBundle>(&path, &signer.bundle_name())?;
    Ok(bundle.map(|bundle| {
        let blocks = pem_blocks::blocks(bundle.spec.trust_bundle.as_bytes()).unwrap_or_default();
        blocks.into_iter().map(|block| block.der.to_vec()).collect()
    }))
}
