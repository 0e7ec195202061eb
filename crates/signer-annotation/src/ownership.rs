//! The names that are a pod's own, as they follow from verified facts.

use signer_core::{
    DnsName, Uri,
    ca_pool::names::is_dashed_address,
    cluster::{Pod, Services},
};
use spiffe_id::{TrustDomain, service_account_id};

/// The names that are a pod's own. All lie in its namespace, under the cluster's domain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ownership<'r> {
    pub(crate) pod: &'r Pod,
    pub(crate) services: &'r Services,
    pub(crate) cluster_domain: &'r DnsName,
    pub(crate) pod_service_names: bool,
    pub(crate) trust_domain: Option<&'r TrustDomain>,
}

/// How a pod stands to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Own,
    /// It is the pod's own while this Service of its namespace doesn't exist.
    OwnUnlessService(String),
    /// It would follow from a Service of the pod's namespace that doesn't exist yet.
    MissingService(String),
    /// It belongs to a Service of the pod's namespace that doesn't select the pod.
    NotSelected(String),
    Foreign,
}

/// The pod's name if it is a label, as a hostname must be (RFC 1123 §2.1).
pub(crate) fn single_label(pod: &Pod) -> Option<&str> {
    let is_label = !pod.name.contains('.') && pod.name.len() <= 63;
    is_label.then_some(pod.name.as_str())
}

/// The pod's name where it may be a common name without a grant: a single label that doesn't read as the
/// address of another pod.
pub(crate) fn own_common_name(pod: &Pod) -> Option<&str> {
    single_label(pod).filter(|name| !is_dashed_address(name))
}

impl Ownership<'_> {
    /// How the pod stands to a DNS name.
    pub(crate) fn standing(&self, name: &DnsName) -> Standing {
        let name = name.as_str();
        if name == self.pod_name() && !self.reads_as_address() {
            return Standing::Own;
        }
        let (short, full) = (format!(".{}.svc", self.pod.namespace), self.service_suffix());
        let (host, is_full) = match (name.strip_suffix(&full), name.strip_suffix(&short)) {
            (Some(host), _) => (host, true),
            (None, Some(host)) => (host, false),
            (None, None) => return Standing::Foreign,
        };
        match (self.service_standing(host), self.absent_service(host)) {
            (Standing::MissingService(_) | Standing::Foreign, Some(service)) if is_full => {
                Standing::OwnUnlessService(service.to_owned())
            }
            (standing, _) => standing,
        }
    }

    /// How the pod stands to what is in front of `<namespace>.svc`.
    fn service_standing(&self, host: &str) -> Standing {
        if host.starts_with('*') {
            return Standing::Foreign;
        }
        let Some((hostname, subdomain)) = host.split_once('.') else {
            return match self.services.get(host) {
                // such a Service is hardly meant, and nobody has the name without it
                None if is_dashed_address(host) => Standing::Foreign,
                None => Standing::MissingService(host.to_owned()),
                Some(service) if service.selects(&self.pod.labels) => Standing::Own,
                Some(_) => Standing::NotSelected(host.to_owned()),
            };
        };
        if self.pod.stable_name(self.services) == Some(format!("{host}.{}", self.pod.namespace)) {
            return Standing::Own;
        }
        let is_ours = self.pod.name == hostname
            && self.pod.hostname.as_deref() == Some(hostname)
            && self.pod.subdomain.as_deref() == Some(subdomain);
        match self.services.get(subdomain) {
            None if is_ours => Standing::MissingService(subdomain.to_owned()),
            Some(service) if is_ours && !service.selects(&self.pod.labels) => {
                Standing::NotSelected(subdomain.to_owned())
            }
            _ => Standing::Foreign,
        }
    }

    /// The Service whose absence makes what is in front of `<namespace>.svc.<cluster domain>` the pod's own:
    /// it is the pod's name, and DNS doesn't give it to others. The name `web-0.db` of a pod reads like that
    /// of the member `web-0` of a Service `db`, so it is the pod's own as long as there is no such Service.
    fn absent_service<'h>(&self, host: &'h str) -> Option<&'h str> {
        let service = host.rsplit_once('.').map_or(host, |(_, service)| service);
        let is_own = self.pod_service_names && host == self.pod.name && !self.reads_as_address();
        (is_own && self.services.get(service).is_none()).then_some(service)
    }

    /// Whether DNS may read a part of the pod's name as an IP address. Names with it lead to the pod that has
    /// the address, whatever stands in front: `CoreDNS` looks at the label next to the namespace alone.
    fn reads_as_address(&self) -> bool {
        self.pod.name.split('.').any(is_dashed_address)
    }

    /// Whether a URI is the SPIFFE ID of the pod's service account.
    pub(crate) fn is_own_uri(&self, uri: &Uri) -> bool {
        self.spiffe_id().as_ref() == Some(uri)
    }

    /// The SPIFFE ID of the pod's service account, if the signer has a trust domain.
    fn spiffe_id(&self) -> Option<Uri> {
        let id = service_account_id(self.trust_domain?, &self.pod.namespace, &self.pod.service_account_name)
            .ok()?;
        id.to_string().parse().ok()
    }

    /// The DNS names of a pod that doesn't ask for any: those of its own name that are legal and its own.
    pub(crate) fn default_dns_names(&self) -> Vec<DnsName> {
        let candidates = [self.pod_name(), format!("{}{}", self.pod.name, self.service_suffix())];
        let legal = candidates.iter().filter_map(|name| name.parse().ok());
        legal
            .filter(|name| matches!(self.standing(name), Standing::Own | Standing::OwnUnlessService(_)))
            .collect()
    }

    /// The pod's own DNS names, for messages.
    pub(crate) fn describe_dns_names(&self) -> String {
        let own: String = self.default_dns_names().iter().map(|name| format!("{name}, ")).collect();
        let (namespace, suffix) = (&self.pod.namespace, self.service_suffix());
        let address = match self.reads_as_address() {
            true => " (none of its own name, which DNS reads as the IP address of another)",
            false => "",
        };
        format!("{own}<service>.{namespace}.svc and <service>{suffix} of Services that select it{address}")
    }

    /// The pod's own URIs, for messages.
    pub(crate) fn describe_uris(&self) -> String {
        self.spiffe_id().map_or("no URI, as the signer has no trustDomain".to_owned(), |id| id.to_string())
    }

    fn pod_name(&self) -> String {
        format!("{}.{}.pod.{}", self.pod.name, self.pod.namespace, self.cluster_domain)
    }

    fn service_suffix(&self) -> String {
        format!(".{}.svc.{}", self.pod.namespace, self.cluster_domain)
    }
}
