//! Which files are taken, and what is said of the others.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::time::{Duration, SystemTime};

use pod_credentials::{CredentialFiles, Credentials, LoadError, TrustBundle, TrustFile};
use test_cluster::pod_volume::{Ca, Volume};

const HOUR: Duration = Duration::from_secs(3600);

fn bundle(content: impl Into<String>) -> Result<Credentials, LoadError> {
    bundle_at(content, SystemTime::now())
}

fn bundle_at(content: impl Into<String>, now: SystemTime) -> Result<Credentials, LoadError> {
    let volume = Volume::new();
    volume.write([("credentials.pem", content.into())]);
    Credentials::load(&CredentialFiles::bundle(volume.path("credentials.pem")), now)
}

fn roots(content: impl Into<String>) -> Result<TrustBundle, LoadError> {
    let volume = Volume::new();
    volume.write([("roots.pem", content.into())]);
    TrustBundle::load(&TrustFile::new(volume.path("roots.pem")))
}

/// Each message names the file, then the rule and the remedy, and nothing of a key.
fn assert_refused(error: &LoadError, said: &[&str], content: &str) {
    let text = error.to_string();
    assert!(text.starts_with(error.file().to_str().unwrap()), "{text}");
    for said in said {
        assert!(text.contains(said), "must say {said:?}: {text}");
    }
    let shown = format!("{text} {error:?}");
    for line in content.lines().filter(|line| line.len() > 20 && !line.contains("-----")) {
        assert!(!shown.contains(line), "shows a line of the file: {shown}");
    }
}

#[test]
fn a_bundle_is_the_key_and_then_the_chain() {
    let (ca, other) = (Ca::new("issuing"), Ca::new("root"));
    let leaf = ca.dns("web.shop.svc").and_uri("spiffe://cluster.local/ns/shop/sa/web");
    let credentials = bundle(leaf.bundle() + &other.root()).unwrap();
    assert_eq!(credentials.leaf().names(), ["web.shop.svc", "spiffe://cluster.local/ns/shop/sa/web"]);
    assert_eq!(credentials.leaf().issuer, "CN=issuing");
    assert_eq!(credentials.leaf().subject, "");
    assert_eq!(credentials.chain()[1].subject, "CN=root");
    assert_eq!(credentials.certified_key().cert.len(), 2);
}

#[test]
fn every_kind_of_key_that_kubelet_makes_is_taken() {
    let ca = Ca::new("test");
    let kinds = [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_ED25519,
    ];
    let rsa = |size| rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap();
    let keys = kinds.map(|kind| rcgen::KeyPair::generate_for(kind).unwrap()).into_iter();
    for key in keys.chain([rsa(rcgen::RsaKeySize::_3072), rsa(rcgen::RsaKeySize::_4096)]) {
        let mut leaf = ca.dns("web.shop.svc");
        leaf.key = key;
        bundle(leaf.bundle()).unwrap();
    }
}

#[test]
fn separate_files_are_as_good() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    let (one, other) = (ca.dns("a.svc"), ca.dns("a.svc"));
    let files = CredentialFiles::key_and_chain(volume.path("key.pem"), volume.path("chain.pem"));
    volume.write([("key.pem", one.key()), ("chain.pem", one.chain())]);
    assert_eq!(Credentials::load(&files, SystemTime::now()).unwrap().leaf().dns_names, ["a.svc"]);

    volume.write([("key.pem", one.key()), ("chain.pem", other.chain())]);
    let error = Credentials::load(&files, SystemTime::now()).unwrap_err();
    let key_file = volume.path("key.pem");
    assert_refused(
        &error,
        &["chain.pem", key_file.to_str().unwrap(), "in the middle of a renewal"],
        &one.key(),
    );

    volume.write([("key.pem", one.chain()), ("chain.pem", one.chain())]);
    let error = Credentials::load(&files, SystemTime::now()).unwrap_err();
    assert_refused(&error, &["key.pem", "has no private key (it has 1 certificate)", "`keyPath`"], "");

    volume.write([("key.pem", one.key()), ("chain.pem", one.key())]);
    let error = Credentials::load(&files, SystemTime::now()).unwrap_err();
    assert_refused(
        &error,
        &["chain.pem", "no certificate (it has 1 private key)", "`certificateChainPath`"],
        &one.key(),
    );
}

#[test]
fn what_is_no_bundle_is_refused_with_the_remedy() {
    let ca = Ca::new("test");
    let (leaf, other) = (ca.dns("a.svc"), ca.dns("a.svc"));
    let (key, chain) = (leaf.key(), leaf.chain());
    let whole = leaf.bundle();
    let broken = whole.replacen("MI", "M!", 1);
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let old_encrypted = format!(
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n{chain}"
    );
    let junk_key = format!("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n{chain}");
    let junk_certificate = format!("{key}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (content, said) in [
        (String::new(), ["no private key", "no PEM block at all"]),
        ("hello".into(), ["no private key", "`credentialBundlePath`"]),
        (chain.clone(), ["no private key (it has 1 certificate)", "`credentialBundlePath`"]),
        (key.clone(), ["no certificate (it has 1 private key)", "`credentialBundlePath`"]),
        (whole[..whole.len() - 40].into(), ["no complete PEM: line ", "has no end"]),
        (whole[..key.len() + 5].into(), ["no certificate", "the key, then the chain"]),
        (whole[..key.len() - 40].into(), ["no complete PEM", "read again"]),
        (broken, ["isn't base64", "next poll"]),
        (format!("{key}{whole}"), ["2 private keys", "exactly one"]),
        (format!("{}{chain}", other.key()), ["isn't that of the private key", "different volumes"]),
        (format!("{encrypted}{chain}"), ["is encrypted", "use one without"]),
        (old_encrypted, ["is encrypted", "use one without"]),
        (junk_key, ["private key is of no use", "ECDSA P-256"]),
        (junk_certificate, ["certificate 1", "no X.509 certificate"]),
    ] {
        assert_refused(&bundle(content.clone()).unwrap_err(), &said, &content);
    }
}

#[test]
fn the_certificate_of_a_ca_is_no_pods() {
    let ca = Ca::new("test");
    let mut leaf = ca.dns("a.svc");
    leaf.params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    assert_refused(&bundle(leaf.bundle()).unwrap_err(), &["that of a CA", "comes first"], &leaf.bundle());
}

#[test]
fn validity_is_judged_to_the_second() {
    let from = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let leaf = Ca::new("test").dns("a.svc").valid(from, HOUR).bundle();
    let second = Duration::from_secs(1);
    assert!(bundle_at(&leaf, from).is_ok() && bundle_at(&leaf, from + HOUR).is_ok());
    // the clock of a signer whose certificate isn't valid yet is the API server's: this one is slow, and
    // peers judge by theirs
    assert!(bundle_at(&leaf, from - HOUR).is_ok());
    let late = bundle_at(&leaf, from + HOUR + second).unwrap_err();
    assert_refused(&late, &["expired at 2030-03-17T18:46:40Z", "kubectl get podcertificaterequests"], &leaf);
}

#[test]
fn files_that_are_none_are_not_read() {
    let volume = Volume::new();
    volume.write([("long.pem", "x".repeat(CredentialFiles::MAX_BYTES + 1))]);
    let load = |path| Credentials::load(&CredentialFiles::bundle(path), SystemTime::now()).unwrap_err();
    assert_refused(&load(volume.path("no.pem")), &["no such file", "kubectl describe pod"], "");
    assert_refused(&load(volume.dir().into()), &["not a regular file", "name the file in the volume"], "");
    assert_refused(&load("/dev/zero".into()), &["not a regular file"], "");
    assert_refused(&load(volume.path("long.pem")), &["more than 131072 bytes"], "");
    volume.write([("long.pem", "x".repeat(TrustFile::MAX_BYTES + 1))]);
    let error = TrustBundle::load(&TrustFile::new(volume.path("long.pem"))).unwrap_err();
    assert_refused(&error, &["more than 4194304 bytes"], "");
}

#[test]
fn a_trust_bundle_has_no_order_and_no_duplicates() {
    let [a, b, c] = ["a", "b", "c"].map(|name| Ca::new(name).root());
    let one = roots(format!("{a}{b}{c}")).unwrap();
    let other = roots(format!("{c}{a}{b}{a}")).unwrap();
    assert_eq!(one.anchors().len(), 3);
    assert_eq!(one.anchors(), other.anchors());
}

#[test]
fn what_is_no_trust_bundle_is_refused_with_the_remedy() {
    let ca = Ca::new("test");
    let leaf = ca.dns("a.svc");
    let root = ca.root();
    for (content, said) in [
        (String::new(), ["no certificate (it has no PEM block at all)", "ClusterTrustBundle match"]),
        (leaf.bundle(), ["has a private key", "clusterTrustBundle volume"]),
        (leaf.chain(), ["certificate 1", "isn't that of a CA"]),
        (root[..root.len() - 30].to_owned(), ["no complete PEM", "next poll"]),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".into(),
            ["none of its certificates can be a trust anchor", "no X.509 certificate"],
        ),
    ] {
        assert_refused(&roots(content.clone()).unwrap_err(), &said, &leaf.key());
    }
}

#[test]
fn keys_are_never_shown() {
    let ca = Ca::new("test");
    let leaf = ca.dns("a.svc");
    let shown = format!("{:?}", bundle(leaf.bundle()).unwrap());
    assert!(shown.contains("a.svc"));
    for line in leaf.key().lines().filter(|line| !line.contains("-----")) {
        assert!(!shown.contains(line), "{shown}");
    }
}
