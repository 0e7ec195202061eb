//! `--bundle-endpoint`: which trust domains are served, and with which certificate.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use signer_core::{
    Leaf, PoolSource,
    manager::{BUNDLE_REFRESH_HINT, BundleEndpoint, ServingCertificate},
};
use signer_spiffe::SpiffeConfig;
use spiffe_id::SpiffeId;

use crate::config::{Config, SignerConfig, SignerKind};

/// What the command line says of it.
#[derive(Clone, Debug, Default)]
pub struct BundleEndpointOptions {
    /// The address.
    pub bind: Option<SocketAddr>,
    /// Certificate and key, in PEM files.
    pub files: Option<(PathBuf, PathBuf)>,
    /// The SPIFFE ID of a certificate that is issued in this process.
    pub spiffe_id: Option<SpiffeId>,
}

/// The endpoint can't be as the command line has it.
#[derive(Debug, thiserror::Error)]
pub enum BundleEndpointError {
    /// Nothing says which certificate it has.
    #[error(
        "--bundle-endpoint needs a certificate: give --bundle-endpoint-spiffe-id to have a spiffe signer issue it, or --bundle-endpoint-cert-file and \
         --bundle-endpoint-key-file"
    )]
    NoCertificate,
    /// There is nothing to serve.
    #[error("--bundle-endpoint serves the bundles of spiffe signers, and the configuration has none")]
    NoTrustDomain,
    /// One bundle would lack the other's anchors.
    #[error(
        "--bundle-endpoint: {0} is the trust domain of two signers, so neither's bundle has all of its anchors; give each signer a trust domain of its own"
    )]
    TwoSigners(String),
    /// Nobody could issue its certificate.
    #[error("--bundle-endpoint-spiffe-id {0}: the configuration has no spiffe signer of its trust domain")]
    ForeignId(SpiffeId),
    /// A pod's service account could have the same ID.
    #[error(
        "--bundle-endpoint-spiffe-id {id}: a service account may have this ID, as IDs are {path}; take a path of another form, such as /bundle-endpoint"
    )]
    IdOfPods {
        /// The ID.
        id: SpiffeId,
        /// How the signer makes paths.
        path: String,
    },
    /// Others would learn of a new root too late.
    #[error(
        "--bundle-endpoint: the caPool of {signer} signs with a new CA {} after it is published, and others may fetch it as late as {} after; set propagation \
         to that at least",
        signer_core::ca_pool::format_duration(*.propagation),
        signer_core::ca_pool::format_duration(BUNDLE_REFRESH_HINT * 5)
    )]
    Propagation {
        /// Whose pool it is.
        signer: String,
        /// As it is configured.
        propagation: std::time::Duration,
    },
}

impl BundleEndpointOptions {
    /// The endpoint for the signers of a configuration.
    ///
    /// # Errors
    /// If it has no certificate, nothing to serve, or an ID that a pod may have.
    pub fn endpoint(&self, config: &Config) -> Result<Option<BundleEndpoint>, BundleEndpointError> {
        let Some(bind) = self.bind else { return Ok(None) };
        let spiffe = |signer: &'_ SignerConfig| match &signer.kind {
            SignerKind::Spiffe(config) => Some(config.clone()),
            _ => None,
        };
        let signers: Vec<SpiffeConfig> = config.signers.iter().filter_map(spiffe).collect();
        if signers.is_empty() {
            return Err(BundleEndpointError::NoTrustDomain);
        }
        let mut trust_domains = BTreeMap::new();
        for signer in &signers {
            let domain = signer.trust_domain().to_string();
            if trust_domains.insert(domain.clone(), signer.name().clone()).is_some() {
                return Err(BundleEndpointError::TwoSigners(domain));
            }
        }
        config.signers.iter().filter(|signer| spiffe(signer).is_some()).try_for_each(in_time)?;
        let certificate = match (self.files.clone(), &self.spiffe_id) {
            (Some((cert, key)), _) => ServingCertificate::Files { cert, key },
            (None, Some(id)) => issued(id, &signers)?,
            (None, None) => return Err(BundleEndpointError::NoCertificate),
        };
        Ok(Some(BundleEndpoint { bind, certificate, trust_domains }))
    }
}

fn issued(id: &SpiffeId, signers: &[SpiffeConfig]) -> Result<ServingCertificate, BundleEndpointError> {
    let foreign = || BundleEndpointError::ForeignId(id.clone());
    let signer =
        signers.iter().find(|signer| signer.trust_domain() == id.trust_domain()).ok_or_else(foreign)?;
    if signer.path().may_give(id) {
        return Err(BundleEndpointError::IdOfPods { id: id.clone(), path: signer.path().to_string() });
    }
    let uri = id.to_string().parse().map_err(|_| foreign())?;
    let leaf = Box::new(Leaf::server().uri(uri));
    Ok(ServingCertificate::Issued { signer: signer.name().clone(), leaf })
}

/// New keys are at the endpoint long enough before they are used (SPIFFE Federation §5.3: three to five refresh hints).
fn in_time(signer: &SignerConfig) -> Result<(), BundleEndpointError> {
    let PoolSource::Secret(secret) = &signer.ca_pool else { return Ok(()) };
    match &secret.automatic_rotation {
        Some(rotation) if rotation.propagation < BUNDLE_REFRESH_HINT * 5 => {
            Err(BundleEndpointError::Propagation {
                signer: signer.name().to_string(),
                propagation: rotation.propagation,
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
