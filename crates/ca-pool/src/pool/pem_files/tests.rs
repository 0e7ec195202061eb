//! PEM files of others' making: what is read, and what is refused.

use super::super::{CaPool, PemNames, PoolError};
use crate::testing::{TestCa, data};

fn pem(of: &[&TestCa]) -> String {
    of.iter().map(|ca| ca.certificate().to_pem()).collect()
}

fn read_pem(cert: &str, key: &[u8], root: Option<&str>) -> Result<CaPool, PoolError> {
    CaPool::from_pem(cert.as_bytes(), key, root.map(str::as_bytes))
}

#[test]
fn pem_chain_may_bring_its_root_or_have_it_beside() {
    let root = TestCa::root("root");
    let upper = root.issue("upper");
    let lower = upper.issue("lower");
    let key = lower.key_pem().into_bytes();
    for (cert, beside, anchors) in [
        (pem(&[&lower, &upper, &root]), None, 1),
        (pem(&[&root, &upper, &lower]), None, 1),
        (pem(&[&lower, &upper]), Some(pem(&[&root])), 1),
        (pem(&[&upper, &lower, &root]), Some(pem(&[&TestCa::root("unrelated"), &root])), 2),
    ] {
        let pool = read_pem(&cert, &key, beside.as_deref()).unwrap();
        let signing = pool.signing();
        assert_eq!(
            (signing.issuer().subject(), signing.root().subject()),
            ("CN=lower".into(), "CN=root".into())
        );
        assert_eq!((signing.intermediates().len(), pool.roots().len()), (2, anchors));
        let fingerprint = signing.issuer().fingerprint().replace(':', "").to_ascii_lowercase();
        assert_eq!(signing.id(), &fingerprint[..8]);
    }
    let itself = read_pem(&pem(&[&root]), root.key_pem().as_bytes(), None).unwrap();
    assert!(itself.signing().intermediates().is_empty());
}

#[test]
fn intermediate_is_never_published_as_an_anchor() {
    let root = TestCa::root("root");
    let issuing = root.issue("issuing");
    let error = read_pem(&pem(&[&issuing]), issuing.key_pem().as_bytes(), None).unwrap_err().to_string();
    assert!(error.contains("certFile, certificate 1 (CN=issuing) is issued by CN=root"), "{error}");
    assert!(error.contains("set rootFile"), "{error}");
    let error = read_pem(&pem(&[&issuing]), issuing.key_pem().as_bytes(), Some(&pem(&[&issuing])));
    assert!(error.unwrap_err().to_string().contains("is not a root"));
}

#[test]
fn files_of_openssl_are_read() {
    for (cert, key, subject) in [
        ("root-p256.pem", "sec1-p256.pem", "O=Example, serialNumber=7+OU=a+OU=b, OU=b, OU=a, CN=odd root"),
        ("root-t61.pem", "sec1-p384.pem", "O=Müller, CN=t61 root"),
        ("root-rsa2048.pem", "pkcs1-rsa2048.pem", "CN=rsa root"),
        ("root-pss.pem", "pkcs1-rsa2048.pem", "CN=pss root"),
    ] {
        let pool = CaPool::from_pem(&data(cert), &data(key), None).unwrap();
        assert_eq!(pool.signing().issuer().subject(), subject);
        assert_eq!(pool.signing().id().len(), 8);
    }
}

#[test]
fn pem_files_are_refused_with_what_they_are() {
    let root = TestCa::root("root");
    let (cert, key) = (pem(&[&root]), root.key_pem());
    let openssl = |file: &str| String::from_utf8(data(file)).unwrap();
    let two_keys = format!("{key}{key}");
    for (cert, key, root, message) in [
        (key.as_str(), cert.as_str(), None, "certFile has no CERTIFICATE block; it has PRIVATE KEY"),
        ("", &key, None, "certFile has no CERTIFICATE block; it has no PEM block at all"),
        (&cert, &key, Some(""), "rootFile has no CERTIFICATE block"),
        (&cert, &cert, None, "keyFile must hold one private key"),
        (&cert, &two_keys, None, "it has PRIVATE KEY, PRIVATE KEY"),
        (&cert, &openssl("encrypted-pkcs8.pem"), None, "the private key in keyFile is encrypted"),
        (&cert, &openssl("encrypted-sec1.pem"), None, "the private key in keyFile is encrypted"),
        (
            &cert,
            &openssl("sec1-secp256k1.pem"),
            None,
            "keyFile: the private key is ECDSA on the curve 1.3.132.0.10",
        ),
        (
            &cert,
            &openssl("sec1-p256.pem"),
            None,
            "belongs to none of the certificates: certFile, certificate 1 (CN=root)",
        ),
        (
            &openssl("not-a-ca.pem"),
            &openssl("sec1-p521.pem"),
            None,
            "is not a CA certificate: its basicConstraints say CA:FALSE",
        ),
        (&cert[..100], &key, None, "certFile, line 1: the block that begins here has no end"),
        (
            &cert.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
            &key,
            None,
            "certFile, line 1: the block that begins here is a certificate in OpenSSL's own form",
        ),
    ] {
        let error = read_pem(cert, key.as_bytes(), root).unwrap_err().to_string();
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn inputs_are_called_what_the_caller_calls_them() {
    let root = TestCa::root("root");
    let lower = root.issue("lower");
    let names = PemNames { cert: "--cert-file", key: "--key-file", root: "--root-file" };
    let key = lower.key_pem();
    for (cert, key) in
        [("", key.as_str()), (pem(&[&lower]).as_str(), key.as_str()), (pem(&[&root]).as_str(), "")]
    {
        let error =
            CaPool::from_named_pem(cert.as_bytes(), key.as_bytes(), None, names).unwrap_err().to_string();
        let configured = ["certFile", "keyFile", "rootFile"];
        assert!(error.contains("--") && configured.iter().all(|name| !error.contains(name)), "{error}");
    }
}
