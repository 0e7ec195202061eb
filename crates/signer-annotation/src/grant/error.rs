//! Why a text of the configuration grants nothing.

use signer_core::ca_pool::{DnsNameError, UriError};

use crate::{quoted::Quoted, usage::UsageError};

/// Why a text of the configuration grants nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Of `dnsNames`.
    #[error("{0}; grant a name, *.<domain> for one label in front of a domain, or * for everything")]
    DnsName(#[from] DnsNameError),
    /// Of `uris`.
    #[error("{0}; grant a URI, one that ends in /** for all below it, or * for everything")]
    Uri(#[from] UriError),
    /// Of `uris`: a wildcard where none may be.
    #[error("{pattern} grants no URIs: {rule}")]
    UriWildcard {
        /// The text, quoted.
        pattern: String,
        /// What it breaks.
        rule: &'static str,
    },
    /// Of `ips`.
    #[error(
        "{range} grants no IP addresses: {rule}; grant a range such as 192.0.2.0/24, an address, or * for everything"
    )]
    IpRange {
        /// The text, quoted.
        range: String,
        /// What it breaks.
        rule: String,
    },
    /// Of `usages`.
    #[error(transparent)]
    Usage(#[from] UsageError),
}

impl PatternError {
    pub(super) fn uri_wildcard(pattern: &str, rule: &'static str) -> Self {
        Self::UriWildcard { pattern: Quoted(pattern).to_string(), rule }
    }

    pub(super) fn ip_range(range: &str, rule: impl Into<String>) -> Self {
        Self::IpRange { range: Quoted(range).to_string(), rule: rule.into() }
    }
}
