//! Which annotations count, and what is taken from them.

use signer_annotation::{AnnotationSignerConfig, AnnotationsFrom};
use signer_core::{Grounds, Uri, reasons};

use crate::scenario::{SIGNER, annotated, asking, assert_denied, config, granting, issued, request, texts};

const USER: (signer_core::Reason, Grounds) = (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Fixed);
const POD: (signer_core::Reason, Grounds) = (reasons::INVALID_POD_ANNOTATIONS, Grounds::Changeable);

#[test]
fn user_annotations_come_first() {
    let config = granting(&["example.com", "example.org"]);
    let both = asking("san", "example.com").annotation(&format!("{SIGNER}-san"), "example.org");
    assert_eq!(texts(&issued(&config, both).dns_names), ["example.com"]);
}

#[test]
fn user_annotations_hide_all_of_the_pods() {
    let config = granting(&["example.com"]);
    let leaf = issued(&config, asking("duration", "2h").annotation(&format!("{SIGNER}-san"), "example.com"));
    assert!(!texts(&leaf.dns_names).contains(&"example.com"));
    issued(&config, asking("duration", "2h").annotation(&format!("{SIGNER}-bad"), ""));
}

#[test]
fn without_user_annotations_the_pods_count() {
    assert_eq!(
        texts(&issued(&granting(&["example.com"]), annotated("san", "example.com")).dns_names),
        ["example.com"]
    );
}

fn reading(from: AnnotationsFrom) -> AnnotationSignerConfig {
    let config = granting(&["example.com", "example.org"]);
    AnnotationSignerConfig { annotations_from: from, ..config }
}

#[test]
fn a_signer_that_reads_volumes_alone_is_deaf_to_whoever_rewrites_the_pods_annotations() {
    let config = reading(AnnotationsFrom::Volume);
    let default = issued(&config, request());
    for (item, value) in [("san", "example.org"), ("cn", "example.org"), ("usages", "any"), ("other", "")] {
        assert_eq!(issued(&config, annotated(item, value)), default, "{item}");
        let both = asking("san", "example.com").annotation(&format!("{SIGNER}-{item}"), value);
        assert_eq!(texts(&issued(&config, both).dns_names), ["example.com"]);
    }
    let unknown = request().user_annotation("coolcert.example.com/foo-bar", "x");
    assert_denied(&config, unknown, USER, &["is unknown"]);
}

#[test]
fn a_signer_that_reads_pods_alone_says_that_a_volumes_wishes_do_not_count() {
    let config = reading(AnnotationsFrom::Pod);
    assert_eq!(texts(&issued(&config, annotated("san", "example.com")).dns_names), ["example.com"]);
    let today = (USER.0, Grounds::Changeable);
    assert_denied(
        &config,
        asking("san", "example.com"),
        today,
        &["foo-san", "annotationsFrom: pod", "annotate the pod"],
    );
}

#[test]
fn an_unknown_user_annotation_is_refused_whoever_it_may_be_for() {
    for key in [
        "coolcert.example.com/foo-bar",
        "coolcert.example.com/foo-CN",
        "coolcert.example.com/foo",
        "example.org/cn",
        "cn",
        "",
    ] {
        let texts = ["user annotation", &format!("{key:?} is unknown"), "coolcert.example.com/foo-san"];
        assert_denied(&config(), request().user_annotation(key, "web-0"), USER, &texts);
        let beside_a_known_one = asking("cn", "web-0").user_annotation(key, "web-0");
        assert_denied(&config(), beside_a_known_one, USER, &texts);
    }
}

#[test]
fn an_unknown_item_in_the_pods_annotations_is_refused_and_others_annotations_are_not() {
    for key in ["coolcert.example.com/foo-bar", "coolcert.example.com/foo-CN", "coolcert.example.com/foo-"] {
        let texts = ["pod annotation", &format!("{key:?} is unknown"), "coolcert.example.com/foo-refresh"];
        assert_denied(&config(), request().annotation(key, "x"), POD, &texts);
    }
    for key in [
        "coolcert.example.com/foo",
        "coolcert.example.com/fo-cn",
        "coolcert.example.com/foobar-cn",
        "example.org/foo-cn",
        "cn",
    ] {
        issued(&config(), request().annotation(key, ""));
    }
}

#[test]
fn a_key_of_another_program_is_refused_with_ours() {
    for (item, ours) in [
        ("ip-san", "foo-ips"),
        ("eku", "foo-usages, with \"server auth\" for server and \"client auth\" for client"),
        ("dns-names", "foo-san"),
        ("alt-names", "foo-san"),
        ("uri-sans", "foo-uris"),
        ("ip-sans", "foo-ips"),
        ("common-name", "foo-cn"),
        ("key-usages", "foo-usages"),
        ("renew-before", "foo-refresh"),
    ] {
        let ends = format!(". Instead of it, write coolcert.example.com/{ours}");
        let texts = [&format!("\"{SIGNER}-{item}\" is unknown"), ends.as_str()];
        assert_denied(&config(), asking(item, "server"), USER, &texts);
        assert_denied(&config(), annotated(item, "server"), POD, &texts);
        if item != "eku" && item != "ip-san" {
            let csi = request().user_annotation(&format!("csi.cert-manager.io/{item}"), "x");
            assert_denied(&config(), csi, USER, &[&ends]);
        }
    }
    let duration = request().user_annotation("csi.cert-manager.io/duration", "2h");
    assert_denied(&config(), duration, USER, &["write coolcert.example.com/foo-duration"]);
    // others' annotations of the pod are no business of this signer's
    issued(
        &config(),
        request().annotation("cert-manager.io/alt-names", "x").annotation("example.com/bar-eku", "x"),
    );
}

#[test]
fn a_key_that_fits_a_longer_signers_name_is_that_signers() {
    let key = "coolcert.example.com/foo-bar-cn";
    assert_denied(&config(), request().annotation(key, "x"), POD, &["is unknown"]);
    let other_signers = vec![SIGNER.parse().unwrap(), "coolcert.example.com/foo-bar".parse().unwrap()];
    let with_longer = AnnotationSignerConfig { other_signers, ..config() };
    issued(&with_longer, request().annotation(key, "x"));
    assert_denied(
        &with_longer,
        request().annotation("coolcert.example.com/foo-baz-cn", "x"),
        POD,
        &["is unknown"],
    );
    assert_denied(&with_longer, request().user_annotation(key, "x"), USER, &["is unknown"]);
}

#[test]
fn an_empty_value_is_no_default() {
    for item in ["cn", "san", "uris", "ips", "usages", "duration", "refresh"] {
        let texts = [item, "is empty", "leave it out for its default"];
        assert_denied(&config(), asking(item, ""), USER, &texts);
        assert_denied(&config(), annotated(item, ""), POD, &texts);
        assert_denied(&config(), asking(item, " "), USER, &[item]);
    }
}

#[test]
fn placeholders_stand_in_cn_san_and_uris() {
    let mut config = granting(&["*.example.com"]);
    config.grants[0].uris = vec!["https://example.com/**".parse().unwrap()];
    let request = asking("cn", "${pod.hostname}.example.com")
        .user_annotation(
            &format!("{SIGNER}-san"),
            "${pod.name}.${pod.namespace}.svc.${cluster.domain}, ${pod.serviceAccountName}.example.com",
        )
        .user_annotation(&format!("{SIGNER}-uris"), "https://example.com/${node.name}/${pod.uid}");
    let leaf = issued(&config, request);
    assert_eq!(leaf.common_name.unwrap().as_str(), "web-0.example.com");
    assert_eq!(texts(&leaf.dns_names), ["web-0.shop.svc.cluster.local", "server.example.com"]);
    let uris: Vec<&str> = leaf.uris.iter().map(Uri::as_str).collect();
    assert_eq!(uris, ["https://example.com/node-1/8a9ef1a5-6f3c-4c5d-9d07-000000000001"]);
}

#[test]
fn other_items_take_no_placeholders() {
    for item in ["ips", "usages", "duration", "refresh"] {
        assert_denied(&config(), asking(item, "${pod.name}"), USER, &[item, "\"${pod.name}\" is no"]);
    }
}

#[test]
fn a_bad_placeholder_is_refused_with_those_that_there_are() {
    for (item, value, rule) in [
        ("cn", "${pod.ip}", "\"${pod.ip}\" is not a placeholder"),
        ("san", "web-0.shop.svc.${cluster.domain}, ${pod.name", "\"${pod.name\" has a ${ without its }"),
        ("uris", "https://${pod}/", "\"${pod}\" is not a placeholder"),
    ] {
        assert_denied(&config(), annotated(item, value), POD, &[item, rule, "${pod.serviceAccountName}"]);
    }
    let dotted = asking("cn", "${pod.hostname}").pod(|pod| pod.name = "web.0".into());
    assert_denied(&config(), dotted, USER, &["foo-cn", "no spec.hostname", "set spec.hostname"]);
}

#[test]
fn an_expanded_name_is_validated() {
    let uppercase = asking("san", "${node.name}.example.com").pod(|pod| pod.node_name = "Node".into());
    assert_denied(
        &granting(&["*"]),
        uppercase,
        USER,
        &["foo-san", "\"Node.example.com\" is not a valid DNS name", "lowercase"],
    );
    let separators = asking("san", "${node.name}").pod(|pod| pod.node_name = "a.example,b.example".into());
    assert_denied(&granting(&["*"]), separators, USER, &["\"a.example,b.example\" is not a valid DNS name"]);
}
