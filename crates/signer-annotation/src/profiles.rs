//! What the signer issues, as far as its configuration says it.

use signer_core::{ExtendedKeyUsage, LeafProfile, NameScope};

use crate::{
    config::{AnnotationSignerConfig, CommonNameDefault},
    usage::Usage,
};

/// The default leaf; then leaves with single names, since a pod may ask for each alone, and for no usages; then usages that are granted. (A pod whose name is no label has no
/// common name by default. It is passed over here.)
pub(crate) fn profiles(config: &AnnotationSignerConfig) -> Vec<LeafProfile> {
    let AnnotationSignerConfig { cluster_domain, common_name, trust_domain, grants, .. } = config;
    let under = |domain: String| domain.parse().ok().map(NameScope::DnsUnder);
    let of_pods = under(format!("pod.{cluster_domain}"));
    let of_services = under(format!("svc.{cluster_domain}"));
    let default_names = of_pods.iter().chain(of_services.iter().filter(|_| config.pod_service_names));
    let with_common_name = |profile: LeafProfile| match common_name {
        CommonNameDefault::PodName => profile.name(NameScope::AnyCommonName),
        CommonNameDefault::None => profile,
    };
    let default = LeafProfile::new([ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]);
    let default = default_names.cloned().fold(with_common_name(default), LeafProfile::name);

    let own_id = trust_domain.iter().map(|domain| NameScope::UriHost(domain.to_string()));
    let own = of_pods.into_iter().chain(of_services).chain(under("svc".to_owned())).chain(own_id);
    let mut names: Vec<NameScope> = Vec::new();
    for scope in own.chain(grants.iter().flat_map(crate::Grant::scopes)) {
        if !names.contains(&scope) {
            names.push(scope);
        }
    }
    let single = names.into_iter().map(|name| with_common_name(LeafProfile::new([])).name(name));

    let is_granted = |usage: &Usage| grants.iter().any(|grant| grant.gives_usage(*usage));
    let granted = Usage::all().filter(|usage| !usage.is_free() && is_granted(usage));
    let granted = granted.filter_map(|usage| match usage {
        Usage::Extended(usage) => Some(LeafProfile::new([usage])),
        Usage::DigitalSignature | Usage::Key(_) => None,
    });
    [default].into_iter().chain(single).chain(granted).collect()
}

#[cfg(test)]
mod tests {
    use signer_core::WorkloadSelector;

    use super::*;
    use crate::Grant;

    fn config() -> AnnotationSignerConfig {
        AnnotationSignerConfig::new(
            "coolcert.example.com/foo".parse().unwrap(),
            "cluster.local".parse().unwrap(),
        )
    }

    fn told(config: &AnnotationSignerConfig) -> Vec<String> {
        let told = |profile: &LeafProfile| {
            let names = profile.names.iter().map(ToString::to_string);
            names.chain(profile.extended_key_usages.iter().map(|usage| format!("{usage:?}"))).collect()
        };
        profiles(config).iter().map(told).map(|parts: Vec<String>| parts.join(" + ")).collect()
    }

    #[test]
    fn the_default_leaf_comes_first_then_each_name_that_a_pod_may_ask_for_alone() {
        let expected = [
            "a subject CN=<any> + DNS names under pod.cluster.local + DNS names under svc.cluster.local + ServerAuth + ClientAuth",
            "a subject CN=<any> + DNS names under pod.cluster.local",
            "a subject CN=<any> + DNS names under svc.cluster.local",
            "a subject CN=<any> + DNS names under svc",
        ];
        assert_eq!(told(&config()), expected);
    }

    #[test]
    fn a_default_leaf_without_the_name_of_service_form_needs_no_such_names() {
        let without = AnnotationSignerConfig { pod_service_names: false, ..config() };
        let expected = "a subject CN=<any> + DNS names under pod.cluster.local + ServerAuth + ClientAuth";
        assert_eq!((told(&without)[0].as_str(), &told(&without)[1..]), (expected, &told(&config())[1..]));
    }

    #[test]
    fn grants_and_the_trust_domain_are_in_it() {
        let grant = Grant {
            dns_names: ["example.com", "*.example.com", "*"].map(|name| name.parse().unwrap()).to_vec(),
            uris: ["https://a.test/x", "https://a.test:8443/**", "*"]
                .map(|uri| uri.parse().unwrap())
                .to_vec(),
            ips: ["192.0.2.0/24", "*"].map(|range| range.parse().unwrap()).to_vec(),
            usages: ["code signing", "client auth", "key agreement"]
                .map(|usage| usage.parse().unwrap())
                .to_vec(),
            ..Grant::to(WorkloadSelector::new(["*"], ["*"]))
        };
        let config = AnnotationSignerConfig {
            common_name: CommonNameDefault::None,
            trust_domain: Some("example.org".parse().unwrap()),
            grants: vec![grant],
            ..config()
        };
        let expected = [
            "DNS names under pod.cluster.local + DNS names under svc.cluster.local + ServerAuth + ClientAuth",
            "DNS names under pod.cluster.local",
            "DNS names under svc.cluster.local",
            "DNS names under svc",
            "URIs of the host example.org",
            "DNS:example.com",
            "DNS names under example.com",
            "DNS names of all kinds",
            "URIs of the host a.test",
            "URIs of all kinds",
            "IP addresses of 192.0.2.0/24",
            "IP addresses of 0.0.0.0/0",
            "IP addresses of ::/0",
            "CodeSigning",
        ];
        assert_eq!(told(&config), expected);
    }
}
