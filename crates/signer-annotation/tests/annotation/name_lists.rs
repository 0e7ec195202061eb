//! The lists `san`, `uris` and `ips`, and the common name: what is well-formed.

use std::net::IpAddr;

use signer_annotation::{AnnotationSignerConfig, Grant};
use signer_core::{Grounds, Uri, reasons, testing::RequestBuilder};

use crate::scenario::{SIGNER, asking, assert_denied, grant, granting, issued, texts};

const MALFORMED: (signer_core::Reason, Grounds) =
    (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Fixed);

fn permissive() -> AnnotationSignerConfig {
    let everything = Grant { uris: vec!["*".parse().unwrap()], ips: vec!["*".parse().unwrap()], ..grant() };
    AnnotationSignerConfig { grants: vec![everything], ..granting(&["*"]) }
}

#[test]
fn lists_keep_their_order_and_lose_their_white_space() {
    let folded = "\n  b.example,\r\n\ta.example ,\n  c.example\n";
    let leaf = issued(&granting(&["*"]), asking("san", folded));
    assert_eq!(texts(&leaf.dns_names), ["b.example", "a.example", "c.example"]);
    let leaf = issued(&granting(&["*"]), asking("san", " b.example ,a.example,  c.example"));
    assert_eq!(texts(&leaf.dns_names), ["b.example", "a.example", "c.example"]);
}

#[test]
fn what_is_listed_twice_is_there_once() {
    let leaf =
        issued(&granting(&["*"]), asking("san", "web-0.example, b.example, ${pod.name}.example, b.example"));
    assert_eq!(texts(&leaf.dns_names), ["web-0.example", "b.example"]);
    let leaf = issued(&permissive(), asking("ips", "2001:db8::1, 2001:DB8:0::1"));
    assert_eq!(leaf.ip_addresses, ["2001:db8::1".parse::<IpAddr>().unwrap()]);
}

#[test]
fn a_malformed_entry_is_refused_with_its_rule() {
    for (item, value, rule) in [
        ("san", "a.example,", "entry 2 of \"a.example,\" is empty"),
        ("san", ",a.example", "entry 1 of"),
        ("san", "a.example, ,b.example", "entry 2 of"),
        ("san", "a.example b.example", "\"a.example b.example\" is not a valid DNS name"),
        ("san", "a.example;b.example", "is not a valid DNS name"),
        ("san", "A.example", "write it in lowercase"),
        ("san", "192.0.2.1", "reads as an IP address"),
        ("san", "a_b.example", "each label must be"),
        ("san", "a.example\u{a0}", "is not a valid DNS name"),
        ("san", "a.\nexample", "\"a.\\nexample\" is not a valid DNS name"),
        ("san", "a.example,\n", "entry 2 of"),
        ("uris", "example.com", "isn't absolute"),
        ("uris", "HTTPS://example.com/", "scheme"),
        ("uris", "https://user@example.com/", "userinfo"),
        ("uris", "https://example.com/../a", "'..' segment"),
        ("uris", "https://ex%61mple.com/", "percent-encoded"),
        ("ips", "192.0.2.256", "\"192.0.2.256\" is not a valid IP address; write one such as 192.0.2.1"),
        ("ips", "192.0.2.0/24", "is not a valid IP address"),
        ("ips", "192.0.2.01", "is not a valid IP address"),
        ("ips", "fe80::1%eth0", "is not a valid IP address"),
        ("ips", "localhost", "is not a valid IP address"),
        ("ips", "[2001:db8::1]", "is not a valid IP address"),
        ("ips", "::ffff:192.0.2.1", "is an IPv4 address in IPv6; write 192.0.2.1"),
    ] {
        assert_denied(&permissive(), asking(item, value), MALFORMED, &[&format!("{SIGNER}-{item}: "), rule]);
    }
}

#[test]
fn uris_are_never_normalised() {
    let value = "https://example.com:443/a//b/%7Ec?d#e";
    let leaf = issued(&permissive(), asking("uris", value));
    assert_eq!(leaf.uris.iter().map(Uri::as_str).collect::<Vec<_>>(), [value]);
}

fn names(item: &str, count: usize) -> RequestBuilder {
    asking(item, &(0..count).map(|i| format!("n{i}.example")).collect::<Vec<_>>().join(","))
}

#[test]
fn a_certificate_carries_a_hundred_names_and_no_more() {
    let config = AnnotationSignerConfig {
        common_name: signer_annotation::CommonNameDefault::None,
        ..granting(&["*"])
    };
    assert_eq!(issued(&config, names("san", 100)).names(), 100);
    assert_denied(
        &config,
        names("san", 101),
        MALFORMED,
        &["foo-san: it lists 101 entries; 100 are the most"],
    );
    let with_common_name = names("san", 100).user_annotation(&format!("{SIGNER}-cn"), "web-0");
    assert_denied(&config, with_common_name, MALFORMED, &["would carry 101 names", "100 are the most"]);
}

#[test]
fn defaults_count_but_come_and_go() {
    let too_many_today = (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Changeable);
    assert_denied(
        &granting(&["*"]),
        names("san", 100),
        too_many_today,
        &["would carry 101 names, defaults included"],
    );
    assert_eq!(issued(&granting(&["*"]), names("san", 99)).names(), 100);
}

#[test]
fn a_common_name_is_the_pods_name_or_a_dns_name() {
    let common_name = |value: &str| issued(&granting(&["*"]), asking("cn", value)).common_name.unwrap();
    for name in ["web-0", "web-0.shop.svc.cluster.local", "example.com"] {
        assert_eq!(common_name(name).as_str(), name);
    }
    let dotted = asking("cn", "web.0").pod(|pod| pod.name = "web.0".into());
    assert_denied(&granting(&["*"]), dotted, MALFORMED, &["foo-cn", "where that is a single label"]);
    let long = format!("{}.example", "a".repeat(57));
    for (value, rule) in [
        (long.as_str(), "longer than 64 characters"),
        (
            "My Shop",
            "a common name is the pod's name (\"web-0\") where that is a single label, or a DNS name",
        ),
        ("web-0 ", "or a DNS name"),
        ("example.com, example.org", "or a DNS name"),
        ("a\u{0}b", "control character"),
    ] {
        assert_denied(&granting(&["*"]), asking("cn", value), MALFORMED, &["foo-cn", rule]);
    }
    assert_eq!(common_name(&long[1..]).as_str().len(), 64);
}
