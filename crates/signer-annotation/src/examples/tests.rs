use signer_core::cluster::WorkloadSelector;

use super::*;
use crate::Grant;

fn config() -> AnnotationSignerConfig {
    AnnotationSignerConfig::new("coolcert.example.com/foo".parse().unwrap(), "cluster.local".parse().unwrap())
}

fn told(config: &AnnotationSignerConfig) -> Vec<String> {
    let told = |leaf: &Leaf| {
        let names = leaf.common_name.iter().map(|name| format!("CN={name}"));
        let names = names.chain(leaf.dns_names.iter().map(ToString::to_string));
        let names = names.chain(leaf.uris.iter().map(ToString::to_string));
        let names = names.chain(leaf.ip_addresses.iter().map(ToString::to_string));
        names.chain(leaf.extended_key_usages.iter().map(|usage| format!("{usage:?}"))).collect()
    };
    let text = |parts: Vec<String>| parts.join(" + ").replace("any-example", "<any>");
    examples(config).iter().map(told).map(text).collect()
}

#[test]
fn the_default_leaf_comes_first_then_each_name_that_a_pod_may_ask_for_alone() {
    let expected = [
        "CN=<any> + <any>.<any>.pod.cluster.local + <any>.<any>.svc.cluster.local + ServerAuth + ClientAuth",
        "CN=<any> + <any>.<any>.pod.cluster.local",
        "CN=<any> + <any>.<any>.svc.cluster.local",
        "CN=<any> + <any>.<any>.svc",
    ];
    assert_eq!(told(&config()), expected);
}

#[test]
fn a_default_leaf_without_the_name_of_service_form_needs_no_such_names() {
    let without = AnnotationSignerConfig { pod_service_names: false, ..config() };
    let expected = "CN=<any> + <any>.<any>.pod.cluster.local + ServerAuth + ClientAuth";
    assert_eq!((told(&without)[0].as_str(), &told(&without)[1..]), (expected, &told(&config())[1..]));
}

#[test]
fn grants_and_the_trust_domain_are_in_it() {
    let grant = Grant {
        dns_names: ["example.com", "*.example.com", "*"].map(|name| name.parse().unwrap()).to_vec(),
        uris: ["https://a.test/x", "https://a.test:8443/**", "*"].map(|uri| uri.parse().unwrap()).to_vec(),
        ips: ["192.0.2.0/24", "*"].map(|range| range.parse().unwrap()).to_vec(),
        usages: ["code signing", "client auth", "key agreement"].map(|usage| usage.parse().unwrap()).to_vec(),
        ..Grant::to(WorkloadSelector::new(["*"], ["*"]))
    };
    let config = AnnotationSignerConfig {
        common_name: CommonNameDefault::None,
        trust_domain: Some("example.org".parse().unwrap()),
        grants: vec![grant],
        ..config()
    };
    let expected = [
        "<any>.<any>.pod.cluster.local + <any>.<any>.svc.cluster.local + ServerAuth + ClientAuth",
        "<any>.<any>.pod.cluster.local",
        "<any>.<any>.svc.cluster.local",
        "<any>.<any>.svc",
        "spiffe://example.org/ns/<any>/sa/<any>",
        "example.com",
        "<any>.example.com",
        "<any>",
        "https://a.test/x",
        "https://a.test:8443/",
        "https://<any>/",
        "192.0.2.0",
        "0.0.0.0",
        "::",
        "<any>.<any>.pod.cluster.local + CodeSigning",
    ];
    assert_eq!(told(&config), expected);
}
