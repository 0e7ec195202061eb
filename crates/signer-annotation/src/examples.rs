//! Examples of what the signer issues, as far as its configuration says it.

use signer_core::{ANY_LABEL, DnsName, ExtendedKeyUsage, Leaf};

use crate::{
    config::{AnnotationSignerConfig, CommonNameDefault},
    usage::Usage,
};

/// The default leaf; then leaves with single names, since a pod may ask for each alone, and for no usages;
/// then usages that are granted. (A pod whose name is no label has no common name by default. It is passed
/// over here.)
pub(crate) fn examples(config: &AnnotationSignerConfig) -> Vec<Leaf> {
    let AnnotationSignerConfig { cluster_domain, common_name, trust_domain, grants, .. } = config;
    let under = |domain: &str| format!("{ANY_LABEL}.{ANY_LABEL}.{domain}").parse::<DnsName>().ok();
    let of_pods = under(&format!("pod.{cluster_domain}"));
    let of_services = under(&format!("svc.{cluster_domain}"));
    let default_names = of_pods.iter().chain(of_services.iter().filter(|_| config.pod_service_names));
    let with_common_name = |leaf: Leaf| match (common_name, ANY_LABEL.parse()) {
        (CommonNameDefault::PodName, Ok(name)) => leaf.common_name(name),
        (CommonNameDefault::PodName | CommonNameDefault::None, _) => leaf,
    };
    let default = Leaf::new([ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]);
    let default = default_names.cloned().fold(with_common_name(default), Leaf::dns_name);

    let own_id = trust_domain.iter().filter_map(|domain| {
        Some(Leaf::default().uri(format!("spiffe://{domain}/ns/{ANY_LABEL}/sa/{ANY_LABEL}").parse().ok()?))
    });
    let own = of_pods.iter().cloned().chain(of_services).chain(under("svc"));
    let own = own.map(|name| Leaf::default().dns_name(name)).chain(own_id);
    let mut single: Vec<Leaf> = Vec::new();
    for leaf in own.chain(grants.iter().flat_map(crate::Grant::examples)) {
        if !single.contains(&leaf) {
            single.push(leaf);
        }
    }

    let is_granted = |usage: &Usage| grants.iter().any(|grant| grant.gives_usage(*usage));
    let granted = Usage::all().filter(|usage| !usage.is_free() && is_granted(usage));
    let granted = granted.filter_map(|usage| match usage {
        Usage::Extended(usage) => Some(Leaf::new([usage]).dns_name(of_pods.clone()?)),
        Usage::DigitalSignature | Usage::Key(_) => None,
    });
    [default].into_iter().chain(single.into_iter().map(with_common_name)).chain(granted).collect()
}

#[cfg(test)]
mod tests;
