//! The trust domain: whose identities a signer vouches for.

use spiffe_id::{InvalidSpiffeId, TrustDomain};

/// A text can't be the trust domain of a signer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustDomainError {
    /// It isn't a trust domain at all.
    #[error("{0}; write a name of your own in lowercase, such as prod.example.com")]
    Illegal(#[from] InvalidSpiffeId),
    /// It is one, but not a label value.
    #[error(
        "{trust_domain:?} is a label of the trust bundle, so it must have 63 bytes at most, and start and end with a letter or digit; write a shorter name, \
         such as prod.example.com"
    )]
    NoLabel {
        /// The trust domain.
        trust_domain: String,
    },
}

/// A Kubernetes label value (apimachinery, `IsValidLabelValue`).
const LONGEST: usize = 63;

/// Parses a SPIFFE trust domain (SPIFFE-ID §2.1) that is a Kubernetes label value too, since trust bundles
/// are found by it.
///
/// ```
/// use signer_spiffe::parse_trust_domain;
///
/// assert_eq!(parse_trust_domain("cluster.local")?.as_str(), "cluster.local");
/// assert!(parse_trust_domain("Cluster.local").is_err(), "it is never normalised");
/// # Ok::<(), signer_spiffe::TrustDomainError>(())
/// ```
///
/// # Errors
/// If it isn't one.
pub fn parse_trust_domain(text: &str) -> Result<TrustDomain, TrustDomainError> {
    let trust_domain = spiffe_id::parse_trust_domain(text)?;
    check_label(&trust_domain)?;
    Ok(trust_domain)
}

pub(crate) fn check_label(trust_domain: &TrustDomain) -> Result<(), TrustDomainError> {
    let text = trust_domain.as_str();
    let is_end = |c: char| c.is_ascii_alphanumeric();
    if text.len() > LONGEST || !text.starts_with(is_end) || !text.ends_with(is_end) {
        return Err(TrustDomainError::NoLabel { trust_domain: text.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
