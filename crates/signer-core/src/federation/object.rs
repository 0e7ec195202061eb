//! The `ClusterTrustBundle` of a foreign trust domain: one for each, under a signer name of their own, since kubelet
//! puts together whatever a volume's selector matches.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use bounded_text::hex;
use ca_pool::{CaCertificate, names::SignerName};
use kube::api::ApiResource;
use spiffe_bundle::SpiffeBundle;
use spiffe_id::TrustDomain;

use super::domain::from_pem;
use crate::api::{ClusterTrustBundle, ClusterTrustBundleSpec};

/// Where a bundle says how its author has counted.
const SEQUENCE: &str = "spiffe-sequence";

/// The signer name under which the bundles of foreign domains are published: `<name>-federation`.
#[must_use]
pub fn federation_signer_name(signer: &SignerName) -> Option<SignerName> {
    format!("{signer}-federation").parse().ok()
}

/// The name of the object of a domain.
#[must_use]
pub fn federated_bundle_name(federation: &SignerName, domain: &TrustDomain) -> String {
    let name = domain.as_str();
    // a trust domain may have '_', which no object's name may
    let fits = !name.contains('_') && name.split('.').all(ca_pool::names::is_dns_label);
    let suffix = if fits {
        name.to_owned()
    } else {
        let hash = digest::digest(&digest::SHA256, name.as_bytes());
        format!("td-{}", hex(&hash.as_ref()[..16]))
    };
    format!("{}:{}:{suffix}", federation.domain(), federation.path())
}

/// The labels of SPIFFE's draft for Filesystem Delivery: who loads the bundle, and whom it verifies. Never the label by
/// which pods select the signer's own anchors.
pub(super) fn labels(own: &TrustDomain, domain: &TrustDomain) -> BTreeMap<String, String> {
    let domains = [("workload-trust-domain", own), ("peer-trust-domain", domain)];
    // longer ones can't be labels; their bundles are chosen by name
    let domains = domains.into_iter().filter(|(_, domain)| domain.as_str().len() <= 63);
    let domains = domains.map(|(item, domain)| (item, domain.as_str()));
    std::iter::once(("canarying", "live"))
        .chain(domains)
        .map(|(item, value)| (format!("k8s.spiffe.io/{item}"), value.to_owned()))
        .collect()
}

/// The object as it should be. What others have added to its metadata stays.
pub(super) fn desired(
    current: Option<&ClusterTrustBundle>,
    resource: &ApiResource,
    federation: &SignerName,
    own: &TrustDomain,
    domain: &TrustDomain,
    anchors: &[&CaCertificate],
    sequence: Option<u64>,
) -> ClusterTrustBundle {
    let mut pem: Vec<String> = anchors.iter().map(|anchor| anchor.to_pem()).collect();
    pem.sort_unstable();
    let spec = ClusterTrustBundleSpec { signer_name: federation.to_string(), trust_bundle: pem.concat() };
    let mut object = match current {
        Some(current) => ClusterTrustBundle { spec, ..current.clone() },
        None => ClusterTrustBundle::new(&federated_bundle_name(federation, domain), resource, spec),
    };
    object.metadata.labels.get_or_insert_default().extend(labels(own, domain));
    let annotations = object.metadata.annotations.get_or_insert_default();
    let key = federation.label_key(SEQUENCE);
    match sequence {
        Some(sequence) => _ = annotations.insert(key, sequence.to_string()),
        None => _ = annotations.remove(&key),
    }
    object
}

/// What an object that another replica, or this process before a restart, has written tells of a domain.
pub(super) fn known(object: &ClusterTrustBundle, federation: &SignerName) -> Option<SpiffeBundle> {
    let anchors = from_pem(object.spec.trust_bundle.as_bytes()).ok()?;
    let annotations = object.metadata.annotations.as_ref();
    let sequence = annotations.and_then(|all| all.get(&federation.label_key(SEQUENCE))?.parse().ok());
    Some(SpiffeBundle { anchors, sequence, refresh_hint: None })
}

#[cfg(test)]
mod tests;
