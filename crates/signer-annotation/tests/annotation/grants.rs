//! What grants give, and to whom.

use signer_annotation::{AnnotationSignerConfig, Grant};
use signer_core::{
    Decision, Grounds,
    cluster::{LabelSelector, WorkloadSelector},
    reasons,
};

use crate::scenario::{asking, assert_denied, config, decide, grant, granting, issued, texts};

const NOT_GRANTED: (signer_core::Reason, Grounds) = (reasons::IDENTITY_NOT_GRANTED, Grounds::Changeable);

fn is_issued(config: &AnnotationSignerConfig, item: &str, value: &str) -> bool {
    matches!(decide(config, asking(item, value)), Decision::Issue(_))
}

/// DESIGN.md's example, for the pod's namespace.
fn example() -> AnnotationSignerConfig {
    let example = Grant {
        dns_names: vec!["example.com".parse().unwrap(), "*.example.com".parse().unwrap()],
        uris: vec!["https://example.com/**".parse().unwrap()],
        ips: vec!["192.0.2.0/24".parse().unwrap()],
        ..Grant::to(WorkloadSelector::new(["shop"], ["*"]))
    };
    AnnotationSignerConfig { grants: vec![example], ..config() }
}

#[test]
fn the_example_gives_what_it_says() {
    for (item, value, given) in [
        ("san", "example.com", true),
        ("san", "www.example.com", true),
        ("cn", "www.example.com", true),
        ("san", "a.b.example.com", false),
        ("san", "*.example.com", false),
        ("san", "example.org", false),
        ("uris", "https://example.com/a/b", true),
        ("uris", "https://example.com.evil/a", false),
        ("uris", "spiffe://example.com/a", false),
        ("ips", "192.0.2.255", true),
        ("ips", "192.0.3.1", false),
        ("ips", "2001:db8::1", false),
    ] {
        assert_eq!(is_issued(&example(), item, value), given, "{item} {value}");
    }
}

#[test]
fn a_grant_is_for_its_workloads_alone() {
    for (namespaces, service_accounts, given) in [
        (["shop"], ["server"], true),
        (["*"], ["server"], true),
        (["shop"], ["*"], true),
        (["web"], ["*"], false),
        (["shop"], ["admin"], false),
    ] {
        let mut config = granting(&["example.com"]);
        config.grants[0].workloads = WorkloadSelector::new(namespaces, service_accounts);
        assert_eq!(is_issued(&config, "san", "example.com"), given, "{namespaces:?} {service_accounts:?}");
    }
    let mut nobody = granting(&["example.com"]);
    nobody.grants[0].workloads = WorkloadSelector::new([""; 0], ["*"]);
    assert!(!is_issued(&nobody, "san", "example.com"));
}

#[test]
fn a_grant_by_labels_is_for_the_namespaces_that_have_them() {
    let labelled = LabelSelector::new([("team".to_owned(), "web".to_owned())], []);
    let mut config = granting(&["example.com"]);
    config.grants[0].workloads = WorkloadSelector::new(["*"], ["*"]).with_namespace_selector(labelled);
    for (team, given) in [("web", true), ("shop", false)] {
        let request = asking("san", "example.com").namespace_label("team", team);
        assert_eq!(matches!(decide(&config, request), Decision::Issue(_)), given, "{team}");
    }
    assert!(!is_issued(&config, "san", "example.com"), "a namespace without labels");
    let signer = signer_annotation::AnnotationSigner::new(config).unwrap();
    assert!(signer_core::Signer::reads_namespaces(&signer));
}

#[test]
fn several_grants_give_together() {
    let mut config = granting(&["a.example"]);
    config.grants.extend(granting(&["b.example"]).grants);
    assert!(is_issued(&config, "san", "a.example, b.example"));
    assert_denied(
        &config,
        asking("san", "a.example, c.example, b.example"),
        NOT_GRANTED,
        &["\"c.example\" is not the pod's own"],
    );
}

#[test]
fn a_wildcard_needs_a_pattern_that_covers_it_and_the_word_for_it() {
    for (pattern, name, wildcards, given) in [
        ("*.example.com", "*.example.com", true, true),
        ("*", "*.example.com", true, true),
        ("*.example.com", "*.example.com", false, false),
        ("*", "*.example.com", false, false),
        ("*.example.com", "*.a.example.com", true, false),
        ("example.com", "*.example.com", true, false),
        ("*.example.com", "www.example.com", true, true),
    ] {
        let mut config = granting(&[pattern]);
        config.grants[0].wildcards = wildcards;
        for item in ["san", "cn"] {
            assert_eq!(is_issued(&config, item, name), given, "{pattern} {name} {wildcards}");
        }
    }
    assert_denied(
        &granting(&["*"]),
        asking("san", "*.example.com"),
        NOT_GRANTED,
        &["dnsNames (and `wildcards: true` for wildcards)"],
    );
}

#[test]
fn the_word_for_wildcards_holds_for_its_own_grant_alone() {
    let mut config = granting(&["*.example.com"]);
    config.grants.push(Grant { wildcards: true, ..grant() });
    assert!(!is_issued(&config, "san", "*.example.com"));
}

#[test]
fn a_spiffe_uri_needs_an_exact_grant_or_that_of_everything() {
    let id = "spiffe://cluster.local/ns/web/sa/admin";
    for (patterns, given) in [
        (vec![id], true),
        (vec!["*"], true),
        (vec!["https://cluster.local/**"], false),
        (vec!["spiffe://cluster.local/ns/web/sa/other"], false),
    ] {
        let uris = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        let config = AnnotationSignerConfig { grants: vec![Grant { uris, ..grant() }], ..config() };
        assert_eq!(is_issued(&config, "uris", id), given, "{patterns:?}");
    }
    assert_denied(&config(), asking("uris", id), NOT_GRANTED, &["uris (a spiffe: URI without wildcards)"]);
}

#[test]
fn the_permissive_signer_gives_whatever_is_well_formed() {
    let mut config = granting(&["*"]);
    config.grants[0].uris = vec!["*".parse().unwrap()];
    config.grants[0].ips = vec!["*".parse().unwrap()];
    let request = asking("cn", "some-epic-name.com")
        .user_annotation(
            "coolcert.example.com/foo-san",
            "example.com, www.example.com, anotherexample.com.cy",
        )
        .user_annotation(
            "coolcert.example.com/foo-uris",
            "https://example.com, spiffe://cluster.local/ns/default/sa/my-service",
        )
        .user_annotation("coolcert.example.com/foo-ips", "192.0.2.1, 2001:db8::1");
    let leaf = issued(&config, request);
    assert_eq!(texts(&leaf.dns_names), ["example.com", "www.example.com", "anotherexample.com.cy"]);
    assert_eq!((leaf.names(), leaf.uris.len(), leaf.ip_addresses.len()), (8, 2, 2));
    assert!(!is_issued(&config, "san", "not a name"));
}

#[test]
fn a_grant_of_one_kind_gives_no_other() {
    let config = granting(&["*"]);
    for (item, value) in
        [("uris", "https://example.com/"), ("ips", "192.0.2.1"), ("usages", "server auth, code signing")]
    {
        assert!(!is_issued(&config, item, value), "{item}");
    }
}
