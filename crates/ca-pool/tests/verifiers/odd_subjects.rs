//! CAs with subjects that typed distinguished names lose or change: repeated and multi-valued attributes, and
//! T61String.

use ca_pool::{CaPool, ExtendedKeyUsage, IssuedCertificate};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use crate::{Question, assert_accepted, issued, leaf, pods};

fn data(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The pools of the roots that OpenSSL made, with the bytes of their subjects cut out of the certificates by
/// hand.
fn pools() -> Vec<(CaPool, Vec<u8>)> {
    [
        ("root-p256.pem", "sec1-p256.pem"),
        ("root-t61.pem", "sec1-p384.pem"),
        ("root-pss.pem", "pkcs1-rsa2048.pem"),
        // an anchor whose own signature nobody looks at
        ("root-sha1.pem", "pkcs1-rsa2048.pem"),
    ]
    .map(|(cert, key)| {
        let der = CertificateDer::from_pem_slice(&data(cert)).unwrap();
        let pool = CaPool::from_pem(&data(cert), &data(key), None).unwrap();
        (pool, subject(&der).to_vec())
    })
    .into()
}

/// A DER element's whole length and that of its header.
fn element(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short if short < 0x80 => (2 + usize::from(short), 2),
        long => {
            let digits = usize::from(long & 0x7f);
            let length = der[2..2 + digits].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + digits + length, 2 + digits)
        }
    }
}

/// The elements of TBSCertificate: version, serial, signature, issuer, validity, subject, …
fn field(certificate: &[u8], index: usize) -> &[u8] {
    let tbs = &certificate[element(certificate).1..];
    let mut fields = &tbs[element(tbs).1..];
    for _ in 0..index {
        fields = &fields[element(fields).0..];
    }
    &fields[..element(fields).0]
}

fn issuer(certificate: &[u8]) -> &[u8] {
    field(certificate, 3)
}

fn subject(certificate: &[u8]) -> &[u8] {
    field(certificate, 5)
}

fn server(pool: &CaPool) -> IssuedCertificate {
    issued(pool, &leaf(ExtendedKeyUsage::ServerAuth), &pods::public(&pods::KEYS[2]))
}

#[test]
fn issuer_equals_the_subject_byte_for_byte() {
    for (pool, subject) in pools() {
        let issued = server(&pool);
        assert_eq!(issuer(&issued.leaf_der), subject, "{}", pool.signing());
        assert_accepted(&pool, &issued, Question::Server("server.web.svc"));
    }
}

#[test]
fn intermediate_with_an_odd_subject_is_kept_too() {
    let root_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    let root = params.self_signed(&root_key).unwrap();
    let (odd, odd_key) = (data("root-t61.pem"), data("sec1-p384.pem"));
    // The odd root's name and key, certified by another CA. rcgen can't write such a name, so the certificate
    // is made by OpenSSL.
    let issuer_key = Issuer::new(params, root_key);
    let directory = tempfile::TempDir::new().unwrap();
    let path = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let extensions = b"basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n";
    let crossed = std::process::Command::new("openssl")
        .args(["x509", "-sha256", "-days", "3650", "-set_serial", "7", "-in"])
        .arg(path("odd.pem", &odd))
        .arg("-CA")
        .arg(path("root.pem", root.pem().as_bytes()))
        .arg("-CAkey")
        .arg(path("root.key", issuer_key.key().serialize_pem().as_bytes()))
        .arg("-extfile")
        .arg(path("extensions", extensions))
        .output()
        .expect("these tests need the program openssl (3.0 or newer)");
    assert!(crossed.status.success(), "{crossed:?}");
    let pool = CaPool::from_pem(&crossed.stdout, &odd_key, Some(root.pem().as_bytes())).unwrap();
    let issued = server(&pool);
    let odd = CertificateDer::from_pem_slice(&odd).unwrap();
    assert_eq!(issuer(&issued.leaf_der), subject(&odd));
    assert_accepted(&pool, &issued, Question::Server("server.web.svc"));
}
