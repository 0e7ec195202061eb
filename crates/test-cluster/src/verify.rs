//! Others' verifiers, which judge a chain as a peer would.

mod openssl;
mod webpki;

use rustls_pki_types::CertificateDer;

pub use self::{openssl::verify as openssl, webpki::verify as webpki, webpki::verify_at as webpki_at};
use crate::{Certificate, Error};

/// What a chain is to be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// A TLS server whom clients know by that DNS name.
    ServerNamed(&'a str),
    /// A TLS server of whatever name, such as a SPIFFE workload.
    Server,
    /// A TLS client.
    Client,
}

/// A chain as a TLS peer presents it, with the anchors that the other side trusts.
#[derive(Debug, Clone)]
pub struct Chain {
    leaf: Certificate,
    intermediates: Vec<Certificate>,
    anchors: Vec<Certificate>,
}

/// A verifier's refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{verifier} refuses the chain: {why}")]
pub struct Refusal {
    /// Who refuses.
    pub verifier: &'static str,
    /// In its own words.
    pub why: String,
}

impl Chain {
    /// A chain (the leaf first) and the trust anchors, both PEM.
    ///
    /// # Errors
    /// [`Error::Unexpected`] if either holds none, or a malformed certificate.
    pub fn new(chain_pem: &str, anchors_pem: &str) -> Result<Self, Error> {
        let mut chain = Certificate::all(chain_pem)?;
        let leaf = chain.remove(0);
        Ok(Self { leaf, intermediates: chain, anchors: Certificate::all(anchors_pem)? })
    }

    /// The pod's own certificate.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// What is between the leaf and the anchor.
    pub fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// Asks each verifier: rustls-webpki and openssl. Returns their names.
    ///
    /// # Errors
    /// The first refusal; without an `openssl` in the search path, that it can't be run.
    pub fn verify(&self, purpose: Purpose<'_>) -> Result<Vec<&'static str>, Refusal> {
        webpki(self, purpose)?;
        openssl(self, purpose)?;
        Ok(vec![webpki::NAME, openssl::NAME])
    }

    fn intermediate_ders(&self) -> Vec<CertificateDer<'static>> {
        self.intermediates.iter().map(|certificate| certificate.der().clone()).collect()
    }
}

#[cfg(test)]
mod tests;
