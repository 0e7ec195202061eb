//! The names of a pod that asks for none.

use signer_annotation::{AnnotationSignerConfig, CommonNameDefault};
use signer_core::{ExtendedKeyUsage, Grounds, reasons};

use crate::scenario::{
    asking, assert_denied, config, granting, issued, not_selecting, request, selecting, texts,
};

#[test]
fn a_pod_that_asks_for_nothing_gets_the_names_of_its_name() {
    let leaf = issued(&config(), request());
    assert_eq!(leaf.common_name.unwrap().as_str(), "web-0");
    assert_eq!(texts(&leaf.dns_names), ["web-0.shop.pod.cluster.local", "web-0.shop.svc.cluster.local"]);
    assert!(leaf.uris.is_empty() && leaf.ip_addresses.is_empty() && leaf.further_key_usages.is_empty());
    assert!(
        leaf.extended_key_usages.into_iter().eq([ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth])
    );
}

#[test]
fn an_item_has_its_default_when_others_are_set() {
    let leaf = issued(&granting(&["example.com"]), asking("san", "example.com"));
    assert_eq!(leaf.common_name.unwrap().as_str(), "web-0");
    let leaf = issued(&granting(&["example.com"]), asking("cn", "example.com"));
    assert_eq!(texts(&leaf.dns_names), ["web-0.shop.pod.cluster.local", "web-0.shop.svc.cluster.local"]);
}

#[test]
fn the_operator_can_turn_the_common_name_off() {
    let without = AnnotationSignerConfig { common_name: CommonNameDefault::None, ..config() };
    assert_eq!(issued(&without, request()).common_name, None);
    assert_eq!(issued(&without, asking("cn", "web-0")).common_name.unwrap().as_str(), "web-0");
}

#[test]
fn a_name_of_several_labels_is_no_default_common_name() {
    let leaf = issued(&config(), request().pod(|pod| pod.name = "web.0".into()));
    assert_eq!(leaf.common_name, None);
    assert_eq!(texts(&leaf.dns_names), ["web.0.shop.pod.cluster.local", "web.0.shop.svc.cluster.local"]);
}

#[test]
fn a_name_that_is_another_services_is_left_out() {
    for config in [config(), granting(&["*"])] {
        let leaf = issued(&config, request().services([not_selecting("web-0")]));
        assert_eq!(texts(&leaf.dns_names), ["web-0.shop.pod.cluster.local"]);
    }
    let leaf = issued(&config(), request().services([selecting("web-0")]));
    assert_eq!(leaf.dns_names.len(), 2);
}

#[test]
fn an_illegal_name_is_left_out() {
    let long_domain = ["a".repeat(61), "b".repeat(61), "c".repeat(61)].join(".").parse().unwrap();
    let config = AnnotationSignerConfig { cluster_domain: long_domain, ..config() };
    let leaf = issued(&config, request().pod(|pod| pod.name = "d".repeat(63)));
    assert_eq!(leaf.common_name.unwrap().as_str(), "d".repeat(63));
    assert!(leaf.dns_names.is_empty(), "{:?} have more than 253 bytes", leaf.dns_names);
}

#[test]
fn a_name_that_reads_as_another_pods_address_is_no_common_name() {
    let address = |pod: &mut signer_core::cluster::Pod| pod.name = "10-0-0-5".into();
    let today = (reasons::INVALID_POD_ANNOTATIONS, Grounds::Changeable);
    assert_denied(&config(), request().pod(address), today, &["\"10-0-0-5\"", "reads as an IP address"]);
    let leaf = issued(&granting(&["example.com"]), asking("san", "example.com").pod(address));
    assert_eq!((leaf.common_name, texts(&leaf.dns_names)), (None, vec!["example.com"]));
}

#[test]
fn a_certificate_without_any_name_is_not_issued() {
    let long = |pod: &mut signer_core::cluster::Pod| pod.name = "a".repeat(64);
    let today = (reasons::INVALID_POD_ANNOTATIONS, Grounds::Changeable);
    assert_denied(
        &config(),
        request().pod(long),
        today,
        &["has one name at least", "64 characters", "pod annotation coolcert.example.com/foo-san is not set"],
    );
    let leaf = issued(&granting(&["example.com"]), asking("san", "example.com").pod(long));
    assert_eq!((leaf.common_name, texts(&leaf.dns_names)), (None, vec!["example.com"]));
}
