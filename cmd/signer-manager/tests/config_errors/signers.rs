//! What is wrong with the entries of `signers`: names, kinds, CA pools, and what two of them have in common.

use signer_core::PoolSource;
use signer_manager::Config;

use super::{assert_errors, signer};

const CA_POOL: &str = "write {file: <pool.json>}, or {certFile: <tls.crt>, keyFile: <tls.key>} and, where the chain doesn't end in the root, \
                       rootFile: <ca.crt>, or {secret: {namespace: <namespace>, name: <name>}}";

#[test]
fn an_entry_has_name_kind_and_ca_pool() {
    assert_errors(
        "signers: [1]",
        &["1:11: signers[0]: 1 is a number; write {name: <domain>/<path>, kind: <kind>, caPool: {...}}"],
    );
    assert_errors(
        "signers:\n- clockSkew: 1m",
        &[
            "2:3: signers[0].kind: is missing; write service-dns, spiffe, annotation or pod-identity",
            "2:3: signers[0].name: is missing; write <domain>/<path>, such as example.com/web",
            &format!("2:3: signers[0].caPool: is missing; {CA_POOL}"),
        ],
    );
}

#[test]
fn a_name_is_a_domain_and_a_path_outside_kubernetes_own() {
    for (name, error) in [
        (
            "kubernetes.io/web",
            "signer name \"kubernetes.io/web\": names under kubernetes.io are Kubernetes' own; use a domain of yours",
        ),
        (
            "a.kubernetes.io/b",
            "signer name \"a.kubernetes.io/b\": names under kubernetes.io are Kubernetes' own; use a domain of yours",
        ),
        ("web", "signer name \"web\": has no '/'; write <domain>/<path>, for example example.com/web"),
        ("12", "12 is a number; write <domain>/<path>, such as example.com/web"),
        ("''", "is empty; write <domain>/<path>, such as example.com/web"),
    ] {
        let text = format!("signers:\n- name: {name}\n  kind: service-dns\n  caPool: {{file: a}}");
        assert_errors(&text, &[&format!("2:9: signers[0].name: {error}")]);
    }
}

#[test]
fn of_an_unknown_kind_no_field_but_the_unknown_ones_is_wrong() {
    assert_errors(
        &signer("spif", "trustDomain: example.com\nrefreshat: 1h"),
        &[
            "3:9: signers[0].kind: \"spif\" is not known; write service-dns, spiffe, annotation or pod-identity",
            "6:3: signers[0].refreshat: is not known here; every signer has name, kind, caPool, maxLifetime, refreshAt, clockSkew, keyTypes, allow, clusterIssuerURL, clusterIssuerOID, and \
             those of its kind",
        ],
    );
}

#[test]
fn fields_of_other_kinds_and_of_none_are_told_apart() {
    assert_errors(
        &signer("service-dns", "trustDomain: a.b\ngrants: []\nttl: 1h"),
        &[
            "5:3: signers[0].trustDomain: belongs to kind spiffe and annotation, not to service-dns; leave it out",
            "6:3: signers[0].grants: belongs to kind annotation, not to service-dns; leave it out",
            "7:3: signers[0].ttl: is not known here; a signer of kind service-dns has name, kind, caPool, maxLifetime, refreshAt, clockSkew, keyTypes, \
             allow, clusterIssuerURL, clusterIssuerOID, dnsSuffixes, noServices, podNames",
        ],
    );
}

#[test]
fn a_ca_pool_is_a_json_file_or_pem_files() {
    for (pool, errors) in [
        ("pool.json", vec![format!("4:11: signers[0].caPool: \"pool.json\" is a text; {CA_POOL}")]),
        ("{}", vec![format!("4:11: signers[0].caPool: names no files; {CA_POOL}")]),
        ("{file: a, keyFile: b}", vec![format!("4:11: signers[0].caPool: has both file and PEM files; {CA_POOL}")]),
        ("{certFile: a}", vec!["4:11: signers[0].caPool.keyFile: is missing; write the PEM file of the CA's private key".to_owned()]),
        (
            "{rootFile: a}",
            vec![
                "4:11: signers[0].caPool.certFile: is missing; write the PEM file of the CA's certificate chain".to_owned(),
                "4:11: signers[0].caPool.keyFile: is missing; write the PEM file of the CA's private key".to_owned(),
            ],
        ),
        ("{file: ''}", vec!["4:18: signers[0].caPool.file: is empty; write a path".to_owned()]),
        ("{file: 7}", vec!["4:18: signers[0].caPool.file: 7 is a number; write a path".to_owned()]),
        (
            "{file: \"a\\u001b\"}",
            vec!["4:18: signers[0].caPool.file: \"a\\u{1b}\" has a control character; write a path without".to_owned()],
        ),
        ("{file: a, folder: b}", vec![format!("4:21: signers[0].caPool.folder: is not known here; {CA_POOL}")]),
    ] {
        let text = format!("signers:\n- name: example.com/a\n  kind: service-dns\n  caPool: {pool}");
        assert_errors(&text, &errors.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn a_key_in_the_place_of_a_path_is_not_shown() {
    const KEY: &str = "MIGHAgEAMBMGByqGSM49";
    let pem = format!("-----BEGIN PRIVATE KEY-----\\n{KEY}\\n-----END PRIVATE KEY-----\\n");
    let json = format!("{{\\\"CAs\\\":[{{\\\"SigningKeyPKCS8\\\":\\\"{KEY}\\\"}}]}}");
    let base64 = format!("LS0tLS1CRUdJTi{KEY}");
    for content in [&pem, &json, &base64] {
        for pool in ["certFile: a, keyFile:", "file:"] {
            let text = format!(
                "signers:\n- name: example.com/a\n  kind: service-dns\n  maxLifetime: \"{content}\"\n  caPool: {{{pool} \"{content}\"}}\n"
            );
            let error = signer_manager::Config::parse(&text, "signers.yaml").unwrap_err().to_string();
            assert!(!error.contains(KEY) && !error.contains("LS0t"), "{error}");
            assert_eq!(error.matches("isn't shown here, as it may be a key; write a").count(), 2, "{error}");
        }
    }
}

#[test]
fn two_signers_share_neither_name_nor_ca_files() {
    assert_errors(
        "signers:\n\
         - {name: example.com/a, kind: service-dns, caPool: {file: /run/pool.json}}\n\
         - {name: example.com/a, kind: service-dns, caPool: {file: /run//./pool.json}}\n\
         - {name: example.com/b, kind: service-dns, caPool: {certFile: c.crt, keyFile: c.key, rootFile: ca.crt}}\n\
         - {name: example.com/c, kind: service-dns, caPool: {certFile: d.crt, keyFile: d.key, rootFile: ca.crt}}\n\
         - {name: example.com/d, kind: service-dns, caPool: {certFile: both.pem, keyFile: both.pem}}\n",
        &[
            "3:10: signers[1].name: \"example.com/a\" is the name of another signer (signers[0].name, line 2); give each signer its own",
            "3:59: signers[1].caPool.file: \"/run/pool.json\" is the place of a CA of another signer (signers[0].caPool.file, line 2); give each signer its own",
            "5:96: signers[3].caPool.rootFile: \"ca.crt\" is the place of a CA of another signer (signers[2].caPool.rootFile, line 4); give each signer its own",
        ],
    );
}

#[test]
fn all_errors_of_all_signers_are_told_at_once() {
    let text = "signers:\n\
                - {name: a, kind: spiffe, caPool: {file: x}, maxLifetime: 1d}\n\
                - {name: example.com/b, kind: annotation, caPool: {file: y}, clockSkew: 5m}\n";
    assert_errors(
        text,
        &[
            "2:3: signers[0].trustDomain: is missing; write the SPIFFE trust domain, such as prod.example.com",
            "2:10: signers[0].name: signer name \"a\": has no '/'; write <domain>/<path>, for example example.com/web",
            "2:59: signers[0].maxLifetime: \"1d\" is not a valid duration; write it as Kubernetes does, for example 24h, 90m or 1h30m",
            "3:73: signers[1].clockSkew: \"5m\" is out of bounds; write a duration from 0s to 4m, such as 2m",
        ],
    );
}

#[test]
fn a_pool_in_a_secret_has_a_place_and_says_whether_it_keeps_itself() {
    let pool =
        |pool: &str| format!("signers:\n- name: example.com/a\n  kind: service-dns\n  caPool: {pool}\n");
    let config = Config::parse(
        &pool(
            "{secret: {namespace: ca, name: a}, rotation: automatic, keyType: ED25519, validity: 720h, propagation: 48h}",
        ),
        "f.yaml",
    );
    let PoolSource::Secret(secret) = config.unwrap().signers.remove(0).ca_pool else {
        panic!("it is a Secret")
    };
    let automatic_rotation = secret.automatic_rotation.unwrap();
    assert_eq!(
        (automatic_rotation.validity.as_secs(), automatic_rotation.propagation.as_secs()),
        (720 * 3600, 48 * 3600)
    );
    for (text, expected) in [
        (
            "{secret: {namespace: ca}}",
            "4:20: signers[0].caPool.secret.name: is missing; write {namespace: <namespace>, name: <name>}",
        ),
        (
            "{secret: {namespace: ../x, name: a}}",
            "4:32: signers[0].caPool.secret.namespace: \"../x\" is no name of a Kubernetes object; write lowercase letters, digits, '-' and '.'",
        ),
        (
            "{secret: {namespace: ca, name: a}, rotation: sometimes}",
            "4:56: signers[0].caPool.rotation: \"sometimes\" is not known; write none or automatic",
        ),
        (
            "{secret: {namespace: ca, name: a}, validity: 720h}",
            "4:56: signers[0].caPool.validity: has an effect only with `rotation: automatic`; add that, or remove it",
        ),
        (
            "{secret: {namespace: ca, name: a}, file: a.json}",
            "4:46: signers[0].caPool.file: doesn't go with secret; a pool in a Secret has secret, rotation, keyType, validity, propagation",
        ),
        (
            "{secret: {namespace: ca, name: a}, propagation: 24h}",
            "4:59: signers[0].caPool.propagation: has an effect only with `rotation: automatic`; add that, or remove it",
        ),
        (
            "{secret: {namespace: ca, name: a}, rotation: automatic, propagation: 14m}",
            "4:80: signers[0].caPool.propagation: \"14m\" is out of bounds: pods need 15m, and a sixth of the CA's validity is the most; write 15m to 1460h, or a longer \
             validity",
        ),
        (
            "{secret: {namespace: ca, name: a}, rotation: automatic, validity: 168h, propagation: 48h}",
            "4:96: signers[0].caPool.propagation: \"48h\" is out of bounds: pods need 15m, and a sixth of the CA's validity is the most; write 15m to 28h, or a longer \
             validity",
        ),
        (
            "{secret: {namespace: ca, name: a}, rotation: automatic, propagation: 1d}",
            "4:80: signers[0].caPool.propagation: \"1d\" is not a valid duration; write it as Kubernetes does, for example 24h, 90m or 1h30m",
        ),
    ] {
        assert_errors(&pool(text), &[expected]);
    }
}
