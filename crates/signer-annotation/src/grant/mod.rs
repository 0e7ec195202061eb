//! Which pods may have names and usages beyond their own.

mod dns_pattern;
mod error;
mod ip_range;
mod uri_pattern;

use std::net::IpAddr;

pub use dns_pattern::DnsPattern;
pub use error::PatternError;
pub use ip_range::IpRange;
use signer_core::{DnsName, Leaf, Uri, cluster::WorkloadSelector};
pub use uri_pattern::UriPattern;

use crate::usage::{Usage, UsagePattern};

/// What the operator gives to some workloads beyond the names that are their own. In each list, `*` stands
/// for everything.
///
/// ```
/// use signer_annotation::Grant;
/// use signer_core::cluster::WorkloadSelector;
///
/// let grant = Grant {
///     dns_names: vec!["example.com".parse()?, "*.example.com".parse()?],
///     uris: vec!["https://example.com/**".parse()?],
///     ips: vec!["192.0.2.0/24".parse()?],
///     ..Grant::to(WorkloadSelector::new(["web"], ["*"]))
/// };
/// assert!(grant.gives_dns_name(&"www.example.com".parse()?));
/// assert!(!grant.gives_dns_name(&"a.www.example.com".parse()?), "one label");
/// assert!(!grant.gives_dns_name(&"*.example.com".parse()?), "a literal wildcard needs `wildcards: true`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who has it: namespaces and service accounts.
    pub workloads: WorkloadSelector,
    /// DNS names (`dnsNames`), for subject alternative names and the common name.
    pub dns_names: Vec<DnsPattern>,
    /// URIs (`uris`).
    pub uris: Vec<UriPattern>,
    /// IP addresses (`ips`).
    pub ips: Vec<IpRange>,
    /// Whether the DNS names may be literal wildcards, such as `*.example.com`, where a pattern covers them
    /// (`wildcards`).
    pub wildcards: bool,
    /// Usages beyond server auth and client auth (`usages`).
    pub usages: Vec<UsagePattern>,
}

impl Grant {
    /// A grant of nothing, to these workloads.
    #[must_use]
    pub fn to(workloads: WorkloadSelector) -> Self {
        Self { workloads, dns_names: vec![], uris: vec![], ips: vec![], wildcards: false, usages: vec![] }
    }

    /// A leaf for an example of each kind of names that it gives.
    pub(crate) fn examples(&self) -> impl Iterator<Item = Leaf> {
        let dns_names = self.dns_names.iter().filter_map(DnsPattern::example);
        let uris = self.uris.iter().filter_map(UriPattern::example);
        let addresses = self.ips.iter().flat_map(IpRange::examples);
        let dns_names = dns_names.map(|name| Leaf::default().dns_name(name));
        let uris = uris.map(|uri| Leaf::default().uri(uri));
        dns_names.chain(uris).chain(addresses.map(|address| Leaf::default().ip_address(address)))
    }

    /// Whether it gives its workloads this DNS name.
    #[must_use]
    pub fn gives_dns_name(&self, name: &DnsName) -> bool {
        (self.wildcards || !name.is_wildcard()) && self.dns_names.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether it gives its workloads this URI.
    #[must_use]
    pub fn gives_uri(&self, uri: &Uri) -> bool {
        self.uris.iter().any(|pattern| pattern.matches(uri))
    }

    /// Whether it gives its workloads this IP address.
    #[must_use]
    pub fn gives_ip_address(&self, address: IpAddr) -> bool {
        self.ips.iter().any(|range| range.contains(address))
    }

    /// Whether it gives its workloads this usage.
    #[must_use]
    pub fn gives_usage(&self, usage: Usage) -> bool {
        self.usages.iter().any(|pattern| pattern.matches(usage))
    }
}
