//! The name of a signer, as pods and `PodCertificateRequest`s give it.

use std::{fmt, str::FromStr};

use super::is_dns_label;

/// The name of a signer: `<domain>/<path>`, for example `row-major.net/service-dns`.
///
/// The API server's rule: the domain is a DNS subdomain of two labels at least, the path a DNS subdomain.
/// Names under `kubernetes.io` are Kubernetes' own and are refused.
///
/// ```
/// use ca_pool::SignerName;
///
/// let name: SignerName = "row-major.net/service-dns".parse()?;
/// assert_eq!(name.label_key("canarying"), "service-dns.row-major.net/canarying");
/// assert_eq!(name.bundle_name(), "row-major.net:service-dns:primary-bundle");
/// assert!("service-dns".parse::<SignerName>().is_err());
/// # Ok::<(), ca_pool::SignerNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignerName {
    name: String,
    slash: usize,
}

/// Why a text is not a valid signer name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signer name {name:?}: {rule}")]
pub struct SignerNameError {
    name: String,
    rule: &'static str,
}

const LONGEST_SUBDOMAIN: usize = 253;

impl SignerName {
    /// The whole name, as it stands in `spec.signerName`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The part in front of the slash.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.name[..self.slash]
    }

    /// The part behind the slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.name[self.slash + 1..]
    }

    /// The label `<path>.<domain>/<item>` by which workloads select this signer's trust bundles.
    #[must_use]
    pub fn label_key(&self, item: &str) -> String {
        format!("{}.{}/{item}", self.path(), self.domain())
    }

    /// The key `<signer name>-<item>` of an annotation that is meant for this signer.
    #[must_use]
    pub fn annotation_key(&self, item: &str) -> String {
        format!("{}-{item}", self.name)
    }

    /// The name of the `ClusterTrustBundle` that carries this signer's trust anchors. The API server demands
    /// that a bundle with a signer name starts with that name, `/` written as `:`.
    #[must_use]
    pub fn bundle_name(&self) -> String {
        format!("{}:{}:primary-bundle", self.domain(), self.path())
    }
}

impl FromStr for SignerName {
    type Err = SignerNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let error = |rule| SignerNameError { name: name.chars().take(300).collect(), rule };
        let (domain, path) = name
            .split_once('/')
            .ok_or(error("has no '/'; write <domain>/<path>, for example example.com/web"))?;
        if !is_subdomain(domain) || !domain.contains('.') {
            return Err(error(
                "the part before '/' must be a domain of two lowercase labels at least, such as example.com",
            ));
        }
        if !is_subdomain(path) {
            return Err(error("the part after '/' must be lowercase letters, digits, '-' and '.'"));
        }
        if domain == "kubernetes.io" || domain.ends_with(".kubernetes.io") {
            return Err(error("names under kubernetes.io are Kubernetes' own; use a domain of yours"));
        }
        if domain.len() + 1 + path.len() > LONGEST_SUBDOMAIN {
            return Err(error(
                "is too long; 253 bytes at most, since labels and bundle names are made of it",
            ));
        }
        Ok(Self { name: name.to_owned(), slash: domain.len() })
    }
}

impl fmt::Display for SignerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn is_subdomain(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_SUBDOMAIN && text.split('.').all(is_dns_label)
}

#[cfg(test)]
mod tests;
