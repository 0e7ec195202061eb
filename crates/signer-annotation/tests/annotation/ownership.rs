//! Who owns which name: a model of its own, which reads names label by label and knows nothing of the
//! signer's code. It has two opinions on a DNS name: what the contract gives the pod, and what cluster DNS
//! gives to others, which no contract may give away.

use std::net::IpAddr;

use signer_core::{ExtendedKeyUsage, ca_pool::KeyUsage};

use crate::adversary::{GrantFacts, PodFacts, ServiceFacts, World};

/// Where a name leads in the cluster: the labels in front of `<namespace>.pod` or `<namespace>.svc`.
struct Place<'n> {
    host: Vec<&'n str>,
    kind: &'n str,
    is_short: bool,
}

impl World {
    /// Whether the pod may have this DNS name, by the contract.
    pub(crate) fn owns_dns_name(&self, name: &str) -> bool {
        let owns = |place: Place<'_>| match (place.kind, &place.host[..]) {
            ("pod", host) => host.join(".") == self.pod.name && !reads_as_address(host),
            ("svc", [service]) if self.is_selected_by(service) => true,
            ("svc", [hostname, service]) if self.is_member(hostname, service) => true,
            ("svc", _) => self.rests_on_absence(&place).is_some(),
            _ => false,
        };
        self.grants_dns_name(name) || self.places(name).into_iter().any(owns)
    }

    /// The Services that must not exist if the pod is to have this name, which nothing else gives it.
    pub(crate) fn absent_service(&self, name: &str) -> Option<String> {
        let places = if self.grants_dns_name(name) { vec![] } else { self.places(name) };
        places.into_iter().find_map(|place| self.rests_on_absence(&place))
    }

    fn rests_on_absence(&self, place: &Place<'_>) -> Option<String> {
        let service = *place.host.last()?;
        let is_own = self.settings.pod_service_names
            && place.kind == "svc"
            && !place.is_short
            && place.host.join(".") == self.pod.name
            && !reads_as_address(&place.host)
            && !self.services.contains_key(service);
        is_own.then(|| service.to_owned())
    }

    fn is_selected_by(&self, service: &str) -> bool {
        self.services.get(service).is_some_and(|service| service.app.as_ref() == Some(&self.pod.app))
    }

    fn is_member(&self, hostname: &str, service: &str) -> bool {
        let PodFacts { name, hostname: own, subdomain, .. } = &self.pod;
        name == hostname
            && own.as_deref() == Some(hostname)
            && subdomain.as_deref() == Some(service)
            && self.services.get(service).is_some_and(|service| service.is_headless)
            && self.is_selected_by(service)
            && !reads_as_address(&[hostname])
    }

    /// Whether cluster DNS gives this name to others, as `CoreDNS` reads it: of a pod's name, the label next
    /// to the namespace as an address; of a Service's name, that Service's endpoints, of which those without
    /// a hostname go by their address.
    pub(crate) fn dns_gives_to_others(&self, name: &str) -> bool {
        self.places(name).iter().any(|place| match (place.kind, place.host.split_last()) {
            ("pod", Some((label, _))) => reads_as_address(&[label]),
            ("svc", Some((service, endpoint))) => {
                let facts: Option<&ServiceFacts> = self.services.get(*service);
                let is_selected = self.is_selected_by(service);
                facts.is_some_and(|_| !is_selected || endpoint.iter().any(|label| reads_as_address(&[label])))
            }
            _ => false,
        })
    }

    /// The places in the pod's namespace that a name may stand for: under the cluster's domain, or short.
    fn places<'n>(&'n self, name: &'n str) -> Vec<Place<'n>> {
        let labels: Vec<&str> = name.split('.').collect();
        let domain: Vec<&str> = self.settings.cluster_domain.split('.').collect();
        let read = |rest: &[&'n str], is_short: bool| match rest {
            [host @ .., namespace, kind @ ("pod" | "svc")]
                if *namespace == self.pod.namespace && !host.is_empty() && !(is_short && *kind == "pod") =>
            {
                Some(Place { host: host.to_vec(), kind, is_short })
            }
            _ => None,
        };
        let full = labels.strip_suffix(&domain[..]).and_then(|rest| read(rest, false));
        full.into_iter().chain(read(&labels, true)).collect()
    }

    /// A common name is the pod's name if that is a single label; otherwise a DNS name.
    pub(crate) fn owns_common_name(&self, name: &str) -> bool {
        (name == self.pod.name && !name.contains('.')) || self.owns_dns_name(name)
    }

    fn mine(&self) -> impl Iterator<Item = &GrantFacts> {
        let PodFacts { namespace, account, .. } = &self.pod;
        self.grants.iter().filter(move |grant| {
            (grant.namespace == "*" || grant.namespace == *namespace)
                && (grant.account == "*" || grant.account == *account)
        })
    }

    fn grants_dns_name(&self, name: &str) -> bool {
        let covers = |pattern: &String| match pattern.strip_prefix("*.") {
            _ if pattern == "*" => true,
            Some(domain) => name.split_once('.').is_some_and(|(_, rest)| rest == domain),
            None => name == pattern,
        };
        self.mine()
            .any(|grant| (grant.wildcards || !name.contains('*')) && grant.dns_names.iter().any(covers))
    }

    /// Whether a URI may be had. Rather than by the patterns' rules: by what it must never be.
    pub(crate) fn owns_uri(&self, uri: &str) -> bool {
        let covers = |pattern: &String| {
            pattern == "*"
                || pattern == uri
                || (pattern.contains('*') && uri.starts_with("https://x/") && !uri.contains(['%', '*', '?']))
        };
        let PodFacts { namespace, account, .. } = &self.pod;
        let own = self
            .settings
            .trust_domain
            .as_ref()
            .map(|domain| format!("spiffe://{domain}/ns/{namespace}/sa/{account}"));
        own.as_deref() == Some(uri) || self.mine().any(|grant| grant.uris.iter().any(covers))
    }

    pub(crate) fn owns_ip_address(&self, address: IpAddr) -> bool {
        let covers = |range: &String| match (address, range.strip_prefix("192.0.2.0/")) {
            _ if range == "*" => true,
            (IpAddr::V4(v4), Some(prefix)) => {
                let size = 1_u32 << (32 - prefix.parse::<u32>().unwrap());
                v4.octets()[..3] == [192, 0, 2] && u32::from(v4.octets()[3]) < size
            }
            (IpAddr::V4(v4), None) => v4.octets() == [192, 0, 2, 1],
            (IpAddr::V6(_), _) => false,
        };
        self.mine().any(|grant| grant.ips.iter().any(covers))
    }

    pub(crate) fn owns_usage(&self, usage: ExtendedKeyUsage) -> bool {
        match usage {
            ExtendedKeyUsage::ServerAuth | ExtendedKeyUsage::ClientAuth => true,
            ExtendedKeyUsage::CodeSigning => self.grants_usage("code signing"),
            _ => false,
        }
    }

    pub(crate) fn owns_key_usage(&self, usage: KeyUsage) -> bool {
        usage == KeyUsage::KeyAgreement && self.grants_usage("key agreement")
    }

    fn grants_usage(&self, name: &str) -> bool {
        self.mine().any(|grant| grant.usages.iter().any(|usage| usage == "*" || usage == name))
    }
}

/// Whether one of these labels reads as an address to DNS. Go's older parsers took leading zeros.
fn reads_as_address(labels: &[&str]) -> bool {
    labels.iter().any(|label| {
        let groups = label.split('-').map(|group| match group.trim_start_matches('0') {
            "" if !group.is_empty() => "0",
            digits => digits,
        });
        let groups: Vec<&str> = groups.collect();
        [".", ":"].iter().any(|by| groups.join(by).parse::<IpAddr>().is_ok())
    })
}
