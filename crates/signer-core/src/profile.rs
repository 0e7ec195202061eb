//! What a signer issues, as far as that is known before any pod asks.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use crate::{leaf::ExtendedKeyUsage, names::DnsName};

/// A kind of leaf that a signer issues: each such leaf has a name within each of these scopes, and these usages. It is what a CA's constraints can be held against before the
/// CA signs.
///
/// ```
/// use signer_core::{ExtendedKeyUsage, LeafProfile, NameScope};
///
/// let profile = LeafProfile::new([ExtendedKeyUsage::ServerAuth]).name(NameScope::DnsUnder("svc.cluster.local".parse()?));
/// assert_eq!(profile.names[0].to_string(), "DNS names under svc.cluster.local");
/// # Ok::<(), signer_core::DnsNameError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeafProfile {
    /// Its names. A scope may be wider than what is really issued, never narrower.
    pub names: Vec<NameScope>,
    /// What its key may be used for.
    pub extended_key_usages: BTreeSet<ExtendedKeyUsage>,
}

/// Names of which some are issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameScope {
    /// A subject with a common name, whatever that is.
    AnyCommonName,
    /// This DNS name.
    Dns(DnsName),
    /// DNS names with one more label or several in front of this one.
    DnsUnder(DnsName),
    /// DNS names of all kinds.
    AnyDns,
    /// URIs with this host: a trust domain, say.
    UriHost(String),
    /// URIs of all kinds.
    AnyUri,
    /// IP addresses that begin with the same bits.
    Ip {
        /// The first of them.
        network: IpAddr,
        /// How many bits they have in common.
        prefix_length: u8,
    },
}

impl LeafProfile {
    /// A leaf without names.
    #[must_use]
    pub fn new(usages: impl IntoIterator<Item = ExtendedKeyUsage>) -> Self {
        Self { names: Vec::new(), extended_key_usages: usages.into_iter().collect() }
    }

    /// Adds a name.
    #[must_use]
    pub fn name(mut self, scope: NameScope) -> Self {
        self.names.push(scope);
        self
    }
}

impl fmt::Display for NameScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyCommonName => f.write_str("a subject CN=<any>"),
            Self::Dns(name) => write!(f, "DNS:{name}"),
            Self::DnsUnder(suffix) => write!(f, "DNS names under {suffix}"),
            Self::AnyDns => f.write_str("DNS names of all kinds"),
            Self::UriHost(host) => write!(f, "URIs of the host {host}"),
            Self::AnyUri => f.write_str("URIs of all kinds"),
            Self::Ip { network, prefix_length } => write!(f, "IP addresses of {network}/{prefix_length}"),
        }
    }
}
