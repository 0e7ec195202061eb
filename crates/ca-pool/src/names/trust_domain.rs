//! SPIFFE trust domains.

use std::{fmt, str::FromStr};

use super::{Uri, UriError};

/// A SPIFFE trust domain: lowercase letters, digits, `.`, `_` and `-`, 255 bytes at most (SPIFFE-ID §2.1), no empty label.
///
/// ```
/// use ca_pool::TrustDomain;
///
/// let domain: TrustDomain = "cluster.local".parse()?;
/// let id = domain.service_account_id("web", "server").expect("names of Kubernetes objects are path segments");
/// assert_eq!(id.as_str(), "spiffe://cluster.local/ns/web/sa/server");
/// assert!("Cluster.local".parse::<TrustDomain>().is_err());
/// # Ok::<(), ca_pool::TrustDomainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrustDomain(String);

/// Why a text is no trust domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{domain:?} is no trust domain: {rule}")]
pub struct TrustDomainError {
    domain: String,
    rule: &'static str,
}

const LONGEST: usize = 255;

impl TrustDomain {
    /// The trust domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SPIFFE ID of a service account: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`.
    ///
    /// # Errors
    /// If the namespace or the service account has a name that the API server doesn't let pass.
    pub fn service_account_id(&self, namespace: &str, service_account: &str) -> Result<Uri, UriError> {
        format!("spiffe://{self}/ns/{namespace}/sa/{service_account}").parse()
    }
}

impl FromStr for TrustDomain {
    type Err = TrustDomainError;

    fn from_str(domain: &str) -> Result<Self, Self::Err> {
        let rule = if domain.is_empty() {
            "it is empty"
        } else if domain.len() > LONGEST {
            "it is longer than 255 bytes"
        } else if !domain.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        {
            "it may hold lowercase letters, digits, '.', '_' and '-' alone"
        } else if domain.split('.').any(str::is_empty) {
            "it may not start or end with '.', nor hold '..'"
        } else {
            return Ok(Self(domain.to_owned()));
        };
        Err(TrustDomainError { domain: domain.chars().take(300).collect(), rule })
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
