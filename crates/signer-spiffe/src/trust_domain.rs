//! The trust domain: whose identities a signer vouches for.

use std::{fmt, str::FromStr};

use signer_core::TrustDomainError as IllegalTrustDomain;

/// A SPIFFE trust domain (SPIFFE-ID §2.1) that is a Kubernetes label value too, since trust bundles are found by it: lowercase letters, digits, `.`, `-`
/// and `_`, 63 bytes at most (not 255), starting and ending with a letter or digit.
///
/// ```
/// use signer_spiffe::TrustDomain;
///
/// let trust_domain: TrustDomain = "cluster.local".parse()?;
/// assert_eq!(trust_domain.as_str(), "cluster.local");
/// assert!("Cluster.local".parse::<TrustDomain>().is_err(), "it is never normalised");
/// # Ok::<(), signer_spiffe::TrustDomainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrustDomain(signer_core::TrustDomain);

/// Why a text is no trust domain of a signer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustDomainError {
    /// It is no trust domain at all.
    #[error("{0}; write a name of your own in lowercase, such as prod.example.com")]
    Illegal(#[from] IllegalTrustDomain),
    /// It is one, but no label value.
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

impl TrustDomain {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for TrustDomain {
    type Err = TrustDomainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trust_domain: signer_core::TrustDomain = text.parse()?;
        let is_end = |c: char| c.is_ascii_alphanumeric();
        if text.len() > LONGEST || !text.starts_with(is_end) || !text.ends_with(is_end) {
            return Err(TrustDomainError::NoLabel { trust_domain: text.to_owned() });
        }
        Ok(Self(trust_domain))
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
