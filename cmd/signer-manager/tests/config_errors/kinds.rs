//! What is wrong with the fields of one kind of signer.

use super::{assert_errors, signer};

#[test]
fn service_dns_suffixes_are_domains_and_each_there_once() {
    let accepted = "write svc or a domain of two lowercase labels at least, such as svc.cluster.local";
    for (list, errors) in [
        ("[]", vec!["5:16: signers[0].dnsSuffixes: there is no suffix, so there would be no names; leave the list out for svc alone".to_owned()]),
        ("svc", vec!["5:16: signers[0].dnsSuffixes: \"svc\" is a text; write a list such as [svc, svc.cluster.local]".to_owned()]),
        ("[svc, svc]", vec!["5:16: signers[0].dnsSuffixes: svc is there twice; write each suffix once".to_owned()]),
        (
            "[local, .svc]",
            vec![
                format!("5:17: signers[0].dnsSuffixes[0]: \"local\" is not a suffix for Services: names would end in a top-level domain; {accepted}"),
                format!("5:24: signers[0].dnsSuffixes[1]: \".svc\" is not a suffix for Services: the dot in front of it is added anyway; {accepted}"),
            ],
        ),
    ] {
        let text = signer("service-dns", &format!("dnsSuffixes: {list}"));
        assert_errors(&text, &errors.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn service_dns_names_mean_one_thing() {
    assert_errors(
        &signer("service-dns", "podNames: true\ndnsSuffixes: [example.com, svc.example.com]"),
        &[
            "6:16: signers[0].dnsSuffixes: a pod's name under example.com can be the name of another namespace's Service under svc.example.com, which is \
           example.com with one label more; with pod names, leave one of the two out",
        ],
    );
}

#[test]
fn service_dns_switches_take_their_words() {
    assert_errors(
        &signer("service-dns", "podNames: yes\nnoServices: Deny"),
        &[
            "5:13: signers[0].podNames: \"yes\" is a text; write true or false",
            "6:15: signers[0].noServices: \"Deny\" is not known; write wait or deny",
        ],
    );
}

#[test]
fn spiffe_has_a_trust_domain() {
    assert_errors(
        &signer("spiffe", ""),
        &["2:3: signers[0].trustDomain: is missing; write the SPIFFE trust domain, such as prod.example.com"],
    );
    for (value, error) in [
        (
            "spiffe://example.com",
            "is not a valid trust domain: it may hold lowercase letters, digits, '.', '_' and '-' alone; write a name of your own in lowercase, such as \
             prod.example.com",
        ),
        (
            "example-",
            "is a label of the trust bundle, so it must have 63 bytes at most, and start and end with a letter or digit; write a shorter name, such as \
             prod.example.com",
        ),
    ] {
        assert_errors(
            &signer("spiffe", &format!("trustDomain: {value}")),
            &[&format!("5:16: signers[0].trustDomain: \"{value}\" {error}")],
        );
    }
}

#[test]
fn pod_identity_has_an_oid_in_one_format_alone() {
    assert_errors(
        &signer("pod-identity", "format: KEP"),
        &["5:11: signers[0].format: \"KEP\" is not known; write kep or apiserver"],
    );
    assert_errors(
        &signer("pod-identity", "oid: 2.5.29.17"),
        &[
            "5:8: signers[0].oid: extension \"2.5.29.17\": the core writes this extension itself, or it is one of CAs alone",
        ],
    );
    assert_errors(
        &signer("pod-identity", "format: apiserver\noid: 1.2.3.4"),
        &["6:8: signers[0].oid: belongs to format kep, whose extension it names; leave it out"],
    );
}

#[test]
fn spiffe_paths_have_namespace_and_service_account() {
    let spiffe = |field: &str| signer("spiffe", &format!("trustDomain: example.com\n{field}"));
    for (path, error) in [
        (
            "/ns/${pod.namespace}",
            "${pod.serviceAccountName} must be in it, or two service accounts would have one ID; write it as /ns/${pod.namespace}/sa/${pod.serviceAccountName}",
        ),
        (
            "/${cluster.name}/${pod.namespace}/${pod.serviceAccountName}",
            "${cluster.name} has no value; set clusterName, beside signers",
        ),
    ] {
        let expected = format!("6:9: signers[0].path: \"{path}\": {error}");
        assert_errors(&spiffe(&format!("path: \"{path}\"")), &[&expected]);
    }
    assert_errors(
        &spiffe("dnsSuffixes: [svc]"),
        &[
            "6:16: signers[0].dnsSuffixes: has no effect without serviceNames: true; add that, or leave it out",
        ],
    );
}

#[test]
fn annotation_common_names_are_the_pods_or_none() {
    assert_errors(
        &signer("annotation", "commonName: pod"),
        &["5:15: signers[0].commonName: \"pod\" is not known; write none or podName"],
    );
}

#[test]
fn annotations_come_from_the_volume_the_pod_or_either() {
    assert_errors(
        &signer("annotation", "annotationsFrom: both"),
        &["5:20: signers[0].annotationsFrom: \"both\" is not known; write volume, pod or either"],
    );
    assert_errors(
        &signer("annotation", "podServiceNames: no"),
        &["5:20: signers[0].podServiceNames: \"no\" is a text; write true or false"],
    );
}

#[test]
fn annotation_keys_fit_into_the_apis_limit() {
    let name = format!("example.com/{}", "a".repeat(60));
    assert_errors(
        &format!("signers:\n- kind: annotation\n  name: {name}\n  caPool: {{file: a}}"),
        &[&format!(
            "3:9: signers[0].name: {name} can't be an annotation signer: the part behind '/' has more than 54 characters, so that keys such as \
             {name}-duration are longer than Kubernetes lets an annotation's key be"
        )],
    );
}

#[test]
fn annotation_grants_give_something_to_somebody() {
    assert_errors(
        &signer(
            "annotation",
            "grants: [{namespaces: [web], serviceAccounts: [server]}, {namespaces: [web], dnsNames: [a.b], dns: [a.b]}, x]",
        ),
        &[
            "5:12: signers[0].grants[0]: grants nothing; write one of dnsNames, uris, ips, usages at least",
            "5:60: signers[0].grants[1].serviceAccounts: is missing; write a list of service accounts, such as [server], or [\"*\"] for all",
            "5:97: signers[0].grants[1].dns: is not known here; a grant has namespaces, namespaceSelector, serviceAccounts, dnsNames, uris, ips, usages, wildcards",
            "5:110: signers[0].grants[2]: \"x\" is a text; write {namespaces: [...], serviceAccounts: [...], dnsNames: [...]}",
        ],
    );
}

#[test]
fn annotation_patterns_are_legal() {
    for (field, error) in [
        (
            "dnsNames: [a*]",
            "8:16: signers[0].grants[0].dnsNames[0]: \"a*\" is not a valid DNS name: '*' may only be the whole first label, with a domain behind it; grant a name, \
             *.<domain> for one label in front of a domain, or * for everything",
        ),
        (
            "uris: [web]",
            "8:12: signers[0].grants[0].uris[0]: \"web\" is no URI for a certificate: it isn't absolute; write <scheme>://<host>/<path>; grant a URI, one \
             that ends in /** for all below it, or * for everything",
        ),
        (
            "ips: [192.0.2.7/24]",
            "8:11: signers[0].grants[0].ips[0]: \"192.0.2.7/24\" grants no IP addresses: it has bits behind its prefix; the range is 192.0.2.0/24; grant \
             a range such as 192.0.2.0/24, an address, or * for everything",
        ),
        (
            "ips: [5]",
            "8:11: signers[0].grants[0].ips[0]: 5 is a number; write a pattern such as 192.0.2.0/24",
        ),
        (
            "dnsNames: [a.b]\n  wildcards: 1",
            "9:16: signers[0].grants[0].wildcards: 1 is a number; write true or false",
        ),
    ] {
        let grant = format!("grants:\n- namespaces: [web]\n  serviceAccounts: [\"*\"]\n  {field}");
        assert_errors(&signer("annotation", &grant), &[error]);
    }
}

#[test]
fn annotation_usages_are_those_of_leaves() {
    let text =
        signer("annotation", "grants: [{namespaces: [web], serviceAccounts: [a], usages: [cert sign]}]");
    let errors = signer_manager::Config::parse(&text, "f.yaml").unwrap_err().to_string();
    assert!(
        errors.starts_with("f.yaml:5:63: signers[0].grants[0].usages[0]: usage \"cert sign\" is never given"),
        "{errors}"
    );
}

#[test]
fn a_foreign_trust_domain_is_known_by_one_way() {
    let at = "6:16: signers[0].federation[0]";
    let profile = "{type: https_web} and, where the system's CAs don't count, caFile: <path>; or {type: https_spiffe, endpointSPIFFEID: <SPIFFE ID>}";
    let url = "bundleEndpointURL: \"https://p.example/b\"";
    for (fields, errors) in [
        (
            "trustDomain: p.example".to_owned(),
            vec![format!(
                "{at}: says nothing of where its bundle is; write {{trustDomain: <domain>}} with bundleEndpointURL and bundleEndpointProfile, or with \
                 trustBundle: {{file: <path>}}"
            )],
        ),
        (
            format!("trustDomain: p.example, {url}"),
            vec![format!("6:60: signers[0].federation[0].bundleEndpointURL: is of no use without bundleEndpointProfile; add it: {profile}")],
        ),
        (
            "trustDomain: p.example, bundleEndpointURL: \"http://p.example/b\", bundleEndpointProfile: {type: https_web}".to_owned(),
            vec![
                "6:60: signers[0].federation[0].bundleEndpointURL: not the URL of a bundle endpoint: its scheme isn't https; \
                 write https://HOST[:PORT]/PATH"
                    .to_owned(),
            ],
        ),
        (
            format!("trustDomain: p.example, {url}, bundleEndpointProfile: {{type: https_spiffe, endpointSPIFFEID: \"spiffe://p.example/s\"}}"),
            vec![format!(
                "{at}: its server is verified by the bundle of its trust domain, and the first one must be known: add trustBundle: {{file: <path>}}"
            )],
        ),
        (
            format!("trustDomain: p.example, {url}, bundleEndpointProfile: {{type: https_web, endpointSPIFFEID: \"spiffe://p.example/s\"}}"),
            vec![format!(
                "6:142: signers[0].federation[0].bundleEndpointProfile.endpointSPIFFEID: has no effect with this type; leave it out, or write {profile}"
            )],
        ),
        (
            "trustDomain: own.example, trustBundle: {file: /a}".to_owned(),
            vec![
                "6:30: signers[0].federation[0].trustDomain: own.example is a trust domain of this configuration, and not a foreign one; its anchors are \
                 published by its own signer"
                    .to_owned(),
            ],
        ),
    ] {
        let text = signer("spiffe", &format!("trustDomain: own.example\nfederation: [{{{fields}}}]"));
        assert_errors(&text, &errors.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let twice = "{trustDomain: p.example, trustBundle: {file: /a}}";
    assert_errors(
        &signer("spiffe", &format!("trustDomain: own.example\nfederation: [{twice}, {twice}]")),
        &["6:15: signers[0].federation: has p.example twice; write it once"],
    );
}
