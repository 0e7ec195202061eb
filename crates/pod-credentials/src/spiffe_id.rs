//! SPIFFE IDs and trust domains (SPIFFE-ID §2), parsed and never normalised.

use std::{fmt, str::FromStr};

/// A SPIFFE ID: `spiffe://<trust domain>/<path>`, the name of a workload.
///
/// ```
/// use pod_credentials::SpiffeId;
///
/// let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/web".parse()?;
/// assert_eq!(id.trust_domain().as_str(), "cluster.local");
/// assert_eq!(id.path(), "/ns/shop/sa/web");
/// assert_eq!(id.service_account(), Some(("shop", "web")));
/// assert!("spiffe://cluster.local/ns/../sa/web".parse::<SpiffeId>().is_err());
/// # Ok::<(), pod_credentials::SpiffeIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpiffeId {
    trust_domain: TrustDomain,
    path: String,
}

/// The name of a trust domain: whoever holds its trust anchors says who is who in it.
///
/// ```
/// let domain: pod_credentials::TrustDomain = "cluster.local".parse()?;
/// assert_eq!(domain.as_str(), "cluster.local");
/// # Ok::<(), pod_credentials::SpiffeIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrustDomain(String);

/// Why a text is no SPIFFE ID, or no trust domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}: {rule}")]
pub struct SpiffeIdError {
    text: String,
    what: &'static str,
    rule: &'static str,
}

/// SPIFFE-ID §2.3.
const LONGEST_ID: usize = 2048;
/// SPIFFE-ID §2.1.
const LONGEST_TRUST_DOMAIN: usize = 255;

impl SpiffeId {
    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The path, its first `/` included; empty if there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Namespace and service account, if the ID has the form `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` that
    /// signers of Kubernetes give.
    #[must_use]
    pub fn service_account(&self) -> Option<(&str, &str)> {
        let (namespace, account) = self.path.strip_prefix("/ns/")?.split_once("/sa/")?;
        (!namespace.contains('/') && !account.contains('/')).then_some((namespace, account))
    }
}

impl FromStr for SpiffeId {
    type Err = SpiffeIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let broken = |rule| broken(text, "SPIFFE ID", rule);
        if text.len() > LONGEST_ID {
            return Err(broken("it is longer than 2048 bytes"));
        }
        let rest = text
            .strip_prefix("spiffe://")
            .ok_or_else(|| broken("it looks like spiffe://cluster.local/ns/shop/sa/web"))?;
        let (domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let trust_domain = TrustDomain(trust_domain(domain).map_err(broken)?);
        for segment in path.split('/').skip(1) {
            path_segment(segment).map_err(broken)?;
        }
        Ok(Self { trust_domain, path: path.to_owned() })
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}{}", self.trust_domain, self.path)
    }
}

impl TrustDomain {
    /// The trust domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TrustDomain {
    type Err = SpiffeIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        trust_domain(text).map(Self).map_err(|rule| broken(text, "trust domain", rule))
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn trust_domain(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("the trust domain is empty")
    } else if text.len() > LONGEST_TRUST_DOMAIN {
        Err("the trust domain is longer than 255 bytes")
    } else if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b)) {
        Err("a trust domain has lowercase letters, digits, '.', '_' and '-' alone")
    } else {
        Ok(text.to_owned())
    }
}

fn path_segment(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("its path has an empty segment, or ends with '/'")
    } else if text == "." || text == ".." {
        Err("its path has a segment '.' or '..'")
    } else if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        Err("its path has letters, digits, '.', '_' and '-' alone, between '/'")
    } else {
        Ok(())
    }
}

fn broken(text: &str, what: &'static str, rule: &'static str) -> SpiffeIdError {
    SpiffeIdError { text: text.chars().take(300).collect(), what, rule }
}

#[cfg(test)]
mod tests;
