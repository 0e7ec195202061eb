//! The binary's `check-config`, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

fn signer_manager(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signer-manager"));
    command.args(arguments).env_remove("KUBECONFIG").env("HOME", "/nonexistent").output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn file(directory: &Path, content: &str) -> String {
    let path = directory.join("signers.yaml");
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

const DESIGN_EXAMPLE: &str = "\
clusterDomain: cluster.local
signers:
  - name: row-major.net/service-dns
    kind: service-dns
    caPool: {file: /run/ca-state/service-dns-pool.json}
  - name: row-major.net/spiffe
    kind: spiffe
    trustDomain: cluster.local
    caPool: {file: /run/ca-state/spiffe-pool.json}
  - name: coolcert.example.com/foo
    kind: annotation
    caPool: {certFile: /run/ca/tls.crt, keyFile: /run/ca/tls.key}
    grants: []
";

const DESIGN_EXAMPLE_SUMMARY: &str = "\
FILE is valid: 3 signers, cluster domain cluster.local

row-major.net/service-dns  (service-dns)
  names         <service>.<namespace>.svc
                a pod that no Service selects waits for one
  lifetime      24h at most, refreshed after 50%, backdated 2m
  key types     all
  used by       every pod
  CA pool       /run/ca-state/service-dns-pool.json
  trust bundle  row-major.net:service-dns:primary-bundle

row-major.net/spiffe  (spiffe)
  names         spiffe://cluster.local/ns/<namespace>/sa/<service account>
  lifetime      24h at most, refreshed after 50%, backdated 2m
  key types     all
  used by       every pod
  CA pool       /run/ca-state/spiffe-pool.json
  trust bundle  row-major.net:spiffe:primary-bundle

coolcert.example.com/foo  (annotation)
  names         what annotations coolcert.example.com/foo-<item> of the volume, or without those of the pod, ask for:
                the pod's own names, and those granted
                common name by default: the pod's name
                <pod>.<namespace>.svc.cluster.local while no Service has that name
  grants        none
  lifetime      24h at most, refreshed 1h before expiry unless annotated, backdated 2m
  key types     all
  used by       every pod
  CA pool       /run/ca/tls.crt
                key /run/ca/tls.key
  trust bundle  coolcert.example.com:foo:primary-bundle
";

#[test]
fn a_valid_configuration_is_summed_up_on_stdout() {
    let directory = tempfile::tempdir().unwrap();
    let file = file(directory.path(), DESIGN_EXAMPLE);
    let output = signer_manager(&["check-config", &file]);
    assert_eq!(text(&output.stdout), DESIGN_EXAMPLE_SUMMARY.replace("FILE", &file));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

const EVERYTHING: &str = "\
signers:
  - name: example.com/web
    kind: service-dns
    caPool: {certFile: tls.crt, keyFile: tls.key, rootFile: ca.crt}
    dnsSuffixes: [svc, svc.cluster.test]
    podNames: true
    noServices: deny
    keyTypes: [ED25519, ECDSAP256]
    maxLifetime: 1h30m
    refreshAt: 30m
    clockSkew: 0s
    allow:
      - {namespaces: [web, shop], serviceAccounts: ['*']}
      - {namespaces: [ops], serviceAccounts: [prometheus]}
      - {namespaces: ['*'], serviceAccounts: [a, b]}
  - name: example.com/free
    kind: annotation
    caPool: {file: pool.json}
    annotationsFrom: volume
    commonName: none
    podServiceNames: false
    trustDomain: example.com
    allow: []
    grants:
      - {namespaces: ['*'], serviceAccounts: ['*'], dnsNames: ['*'], uris: ['*'], ips: ['*'], usages: ['*'], wildcards: true}
      - {namespaces: [web], serviceAccounts: [server], dnsNames: [example.com, '*.example.com']}
";

const EVERYTHING_SUMMARY: &str = "\
FILE is valid: 2 signers, cluster domain cluster.local

example.com/web  (service-dns)
  names         <service>.<namespace>.svc
                <service>.<namespace>.svc.cluster.test
                <hostname>.<subdomain>.<namespace>.svc
                <hostname>.<subdomain>.<namespace>.svc.cluster.test
                a pod that no Service selects is denied
  lifetime      1h30m at most, refreshed 30m before expiry, backdated 0s
  key types     ECDSAP256, ED25519
  used by       every pod of namespaces web, shop
                service account prometheus of namespace ops
                service accounts a, b of every namespace
  CA pool       tls.crt
                key tls.key
                root ca.crt
  trust bundle  example.com:web:primary-bundle

example.com/free  (annotation)
  names         what annotations example.com/free-<item> of the volume ask for:
                the pod's own names, and those granted
                common name by default: none
                SPIFFE IDs in trust domain example.com
  grants        every pod: dnsNames (1), uris (1), ips (1), usages (1), wildcards
                service account server of namespace web: dnsNames (2)
  lifetime      24h at most, refreshed 1h before expiry unless annotated, backdated 2m
  key types     all
  used by       nobody: allow is an empty list
  CA pool       pool.json
  trust bundle  example.com:free:primary-bundle
";

#[test]
fn every_field_shows_in_the_summary() {
    let directory = tempfile::tempdir().unwrap();
    let file = file(directory.path(), EVERYTHING);
    let output = signer_manager(&["check-config", &file]);
    assert_eq!(text(&output.stdout), EVERYTHING_SUMMARY.replace("FILE", &file), "{}", text(&output.stderr));
}

fn allow(file: &Path, mode: u32) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A CA that may sign names under this domain alone, as PEM files.
fn constrained_ca(directory: &Path, permitted: &str) -> String {
    let permitted = rcgen::GeneralSubtree::DnsName(permitted.to_owned());
    pem_ca(directory, |params| {
        params.name_constraints =
            Some(rcgen::NameConstraints { permitted_subtrees: vec![permitted], excluded_subtrees: vec![] });
    })
}

/// A CA as PEM files.
fn pem_ca(directory: &Path, change: impl FnOnce(&mut rcgen::CertificateParams)) -> String {
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    change(&mut params);
    let key = rcgen::KeyPair::generate().unwrap();
    let (cert_file, key_file) = (directory.join("tls.crt"), directory.join("tls.key"));
    std::fs::write(&cert_file, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    allow(&key_file, 0o600);
    format!("{{certFile: {}, keyFile: {}}}", cert_file.display(), key_file.display())
}

#[test]
fn a_ca_whose_constraints_forbid_what_its_signer_issues_is_an_error_and_a_part_of_it_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let check = |permitted: &str| {
        let pool = constrained_ca(directory.path(), permitted);
        let signer = format!(
            "signers:\n- {{name: example.com/web, kind: service-dns, dnsSuffixes: [svc.cluster.test], caPool: {pool}}}\n"
        );
        signer_manager(&["check-config", &file(directory.path(), &signer)])
    };
    let output = check("corp.example.com");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), stdout), (Some(2), ""));
    assert!(stderr.contains("signers.yaml: signers[0].caPool: CA \""), "{stderr}");
    let why = "carry DNS:any-example.any-example.svc.cluster.test: it permits DNS:corp.example.com alone";
    assert!(stderr.contains("can sign nothing that this signer issues") && stderr.contains(why), "{stderr}");

    let output = check("shop.svc.cluster.test");
    let stdout = text(&output.stdout);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert!(stdout.contains("  warning       CA \"") && stdout.contains("can't sign all"), "{stdout}");

    let output = check("cluster.test");
    assert_eq!(output.status.code(), Some(0));
    assert!(!text(&output.stdout).contains("warning"), "{}", text(&output.stdout));
}

/// An extension with the content of the nameConstraints that `openssl` makes of
/// `permitted;URI:cluster.local`.
fn uri_constraints() -> rcgen::CustomExtension {
    let content = [&[0x30, 0x13, 0xa0, 0x11, 0x30, 0x0f, 0x86, 0x0d][..], b"cluster.local"].concat();
    rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 30], content)
}

#[test]
fn what_verifiers_refuse_of_a_ca_is_a_warning_that_names_them() {
    let directory = tempfile::tempdir().unwrap();
    let check = |pool: &str| {
        let signer = "kind: spiffe, trustDomain: cluster.local";
        let config = format!("signers:\n- {{name: example.com/id, {signer}, caPool: {pool}}}\n");
        let output = signer_manager(&["check-config", &file(directory.path(), &config)]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let words = check(&pem_ca(directory.path(), |params| params.custom_extensions = vec![uri_constraints()]));
    let why = "rustls (webpki) refuses certificates with URI names (such as spiffe://cluster.local/ns/any-example/sa/any-example): NameConstraintViolation";
    assert!(words.contains("warning CA \"") && words.contains(why), "{words}");
    let words = check(&pem_ca(directory.path(), |params| params.key_usages.clear()));
    assert!(words.contains("warning strict verifiers (Python from 3.13 on"), "{words}");
    let words = check(&pem_ca(directory.path(), |_| {}));
    assert!(!words.contains("warning"), "{words}");
}

#[test]
fn a_ca_that_the_api_server_can_not_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let pool = pem_ca(directory.path(), |params| {
        let mut access =
            rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], vec![0x30, 0]);
        access.set_criticality(true);
        params.custom_extensions = vec![access];
    });
    let config = format!("signers:\n- {{name: example.com/web, kind: service-dns, caPool: {pool}}}\n");
    let output = signer_manager(&["check-config", &file(directory.path(), &config)]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("the API server can't use certFile, certificate 1"), "{stderr}");
}

#[test]
fn a_key_that_everybody_may_use_is_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let pool = constrained_ca(directory.path(), "svc");
    let signer = format!("signers:\n- {{name: example.com/web, kind: service-dns, caPool: {pool}}}\n");
    let file = file(directory.path(), &signer);
    for (mode, warns) in [(0o600, false), (0o640, false), (0o644, true)] {
        allow(&directory.path().join("tls.key"), mode);
        let output = signer_manager(&["check-config", &file]);
        // long lines are wrapped
        let words = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((output.status.code(), words.contains("its mode 0644")), (Some(0), warns), "{words}");
    }
}

#[test]
fn what_is_left_aside_of_a_pool_and_a_pool_that_cannot_be_used_are_warnings() {
    let directory = tempfile::tempdir().unwrap();
    let pool = constrained_ca(directory.path(), "svc");
    let signer = format!("signers:\n- {{name: example.com/web, kind: service-dns, caPool: {pool}}}\n");
    let file = file(directory.path(), &signer);
    let cert = std::fs::read_to_string(directory.path().join("tls.crt")).unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
    for (content, warning) in [
        (
            format!("{broken}{cert}"),
            "left aside: certFile, certificate 1 is not a valid DER-encoded X.509 certificate",
        ),
        (broken.to_owned(), "certFile, certificate 1 is not a valid DER-encoded X.509 certificate"),
        (cert.replace("-----END", "----END"), "certFile, line "),
    ] {
        std::fs::write(directory.path().join("tls.crt"), content).unwrap();
        let output = signer_manager(&["check-config", &file]);
        let words = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((output.status.code(), words.contains(warning)), (Some(0), true), "{warning}: {words}");
    }
}

/// Only what isn't there may be mounted later.
#[test]
fn files_that_are_there_and_can_not_be_read_are_warnings() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let pool = constrained_ca(directory.path(), "svc");
    std::fs::create_dir(path("directory")).unwrap();
    std::os::unix::fs::symlink(path("loop"), path("loop")).unwrap();
    std::fs::write(path("long"), vec![b'a'; 2 << 20]).unwrap();
    for (name, warning) in [
        ("directory", "is not a regular file"),
        ("loop", "can't be read"),
        ("long", "has more than 1048576 bytes"),
        ("missing", ""),
    ] {
        let pool = pool.replace("tls.key", name);
        let signer = format!("signers:\n- {{name: example.com/web, kind: service-dns, caPool: {pool}}}\n");
        let output = signer_manager(&["check-config", &file(directory.path(), &signer)]);
        let words = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(0), "{name}: {words}");
        assert_eq!(words.contains("warning"), !warning.is_empty(), "{name}: {words}");
        assert!(words.contains(warning), "{name}: {words}");
    }
}

#[test]
fn a_key_with_which_two_signers_sign_is_a_warning() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pool = constrained_ca(one.path(), "svc");
    for name in ["tls.crt", "tls.key"] {
        std::fs::copy(one.path().join(name), two.path().join(name)).unwrap();
    }
    let copy = pool.replace(one.path().to_str().unwrap(), two.path().to_str().unwrap());
    let own = constrained_ca(tempfile::tempdir().unwrap().path(), "svc");
    for (second, is_told) in [(copy, true), (own, false)] {
        let signers = [("a", &pool), ("b", &second)].map(|(name, pool)| {
            format!("- {{name: example.com/{name}, kind: service-dns, caPool: {pool}}}\n")
        });
        let config = format!("signers:\n{}", signers.concat());
        let output = signer_manager(&["check-config", &file(one.path(), &config)]);
        let words = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        let told = words.contains("it signs with a key that example.com/a signs with too");
        assert_eq!((output.status.code(), told), (Some(0), is_told), "{words}");
    }
}

#[test]
fn a_configuration_that_is_not_valid_ends_with_2_and_its_errors_on_stderr() {
    let directory = tempfile::tempdir().unwrap();
    let file = file(directory.path(), "signers: []\nclusterdomain: a.b\n");
    let expected = format!(
        "{file}:1:10: signers: is empty, so there would be nothing to do; name one signer at least\n\
         {file}:2:1: clusterdomain: is not known here; a configuration has clusterDomain, clusterName, deny and signers\n"
    );
    for arguments in [vec!["check-config", &file], vec!["--config", &file]] {
        let output = signer_manager(&arguments);
        assert_eq!(
            (output.status.code(), text(&output.stdout), text(&output.stderr)),
            (Some(2), "", expected.as_str())
        );
    }
}

#[test]
fn a_file_that_is_not_there_ends_with_2() {
    let output = signer_manager(&["check-config", "/nonexistent.yaml"]);
    let expected = "/nonexistent.yaml: can't be read: No such file or directory (os error 2)\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), expected));
}

#[test]
fn a_command_line_that_is_wrong_ends_with_2_and_says_what_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = file(directory.path(), DESIGN_EXAMPLE);
    for (arguments, message) in [
        (vec![], "--config <FILE>"),
        (vec!["--config", &file, "--log", "a=b=c"], "--log \"a=b=c\" is not a filter; write a level"),
        (
            vec!["--config", &file, "--kubeconfig", "/nonexistent"],
            "--kubeconfig /nonexistent: failed to read kubeconfig",
        ),
        (vec!["--config", &file, "--http-bind", "8080"], "invalid value '8080'"),
    ] {
        let output = signer_manager(&arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
}

#[test]
fn without_a_cluster_it_ends_with_1_and_says_how_to_name_one() {
    let directory = tempfile::tempdir().unwrap();
    let output = signer_manager(&["--config", &file(directory.path(), DESIGN_EXAMPLE)]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("no cluster is configured; give a --kubeconfig"), "{stderr}");
}

/// The last lines of the summary, or the errors, of a configuration with deny rules.
fn deny_rules(place: &str, directory: &Path) -> (Option<i32>, String) {
    let signers = "signers: [{name: example.com/a, kind: service-dns, caPool: {file: a}}]";
    let file = file(directory, &format!("deny: {{{place}}}\n{signers}\n"));
    let output = signer_manager(&["check-config", &file]);
    let shown = text(&output.stdout).split_once("primary-bundle\n\n").map(|(_, deny)| deny);
    (output.status.code(), shown.unwrap_or(text(&output.stderr)).replace(directory.to_str().unwrap(), "DIR"))
}

#[test]
fn deny_rules_are_shown_and_checked_where_their_file_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let rules = directory.join("deny.yaml");
    let in_file = format!("file: {}", rules.display());
    let config_map = "deny rules  deny.yaml of ConfigMap ops/deny\n";
    assert_eq!(
        deny_rules("configMap: {namespace: ops, name: deny}", directory),
        (Some(0), config_map.into())
    );
    assert_eq!(
        deny_rules(&in_file, directory),
        (Some(0), "deny rules  DIR/deny.yaml\n  not found here, so not checked\n".into())
    );
    for (document, expected) in [
        ("", (Some(0), "deny rules  DIR/deny.yaml\n  none\n")),
        (
            "rules: [{namespaces: [evil], reason: INC-7}, {nodes: [n1]}]",
            (Some(0), "deny rules  DIR/deny.yaml\n  namespace evil (INC-7)\n  node n1 (no reason given)\n"),
        ),
        (
            "rules: [evil]",
            (
                Some(2),
                "DIR/signers.yaml: deny: DIR/deny.yaml:1:9: rules[0]: \"evil\" is a text; write a mapping such as {namespaces: [web], reason: INC-7}\n",
            ),
        ),
    ] {
        std::fs::write(&rules, document).unwrap();
        assert_eq!(deny_rules(&in_file, directory), (expected.0, expected.1.to_owned()));
    }
}
