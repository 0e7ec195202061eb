//! Which anchors a peer's certificate is verified with.

use std::sync::Arc;

use rustls::OtherError;
use rustls_pki_types::CertificateDer;

use crate::{
    credential_folder::CredentialFolder,
    peer::{PeerError, peer_spiffe_id},
    trust_bundle::TrustBundle,
    watched::Watched,
};

/// Which anchors verify a peer's certificate: those of one trust bundle, or, of a [`CredentialFolder`], those of the
/// trust domain in the peer's SPIFFE ID.
#[derive(Clone, Debug)]
pub struct Trust(Anchors);

#[derive(Clone, Debug)]
enum Anchors {
    Bundle(Watched<TrustBundle>),
    ByTrustDomain(CredentialFolder),
}

impl From<&Watched<TrustBundle>> for Trust {
    fn from(bundle: &Watched<TrustBundle>) -> Self {
        Self(Anchors::Bundle(bundle.clone()))
    }
}

impl From<&CredentialFolder> for Trust {
    fn from(folder: &CredentialFolder) -> Self {
        Self(Anchors::ByTrustDomain(folder.clone()))
    }
}

impl Trust {
    /// The anchors for a peer's certificate, of which nothing has been verified yet.
    pub(crate) fn of_peer(&self, end_entity: &CertificateDer<'_>) -> Result<Arc<TrustBundle>, rustls::Error> {
        let bundle = match &self.0 {
            Anchors::Bundle(bundle) => bundle.clone(),
            Anchors::ByTrustDomain(folder) => {
                let id = peer_spiffe_id(Some(std::slice::from_ref(end_entity)))?;
                folder
                    .bundle(id.trust_domain())
                    .ok_or_else(|| PeerError::UnknownTrustDomain { known: folder.trust_domains(), id })?
            }
        };
        Ok(bundle.ready().map_err(|not_ready| OtherError(Arc::new(not_ready)))?)
    }
}
