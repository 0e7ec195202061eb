use super::*;
use crate::{KeyType, PodKey};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType};

#[test]
fn shows_names_usages_and_times() {
    let mut params = CertificateParams::new(vec!["a.example".into(), "192.0.2.1".into()]).unwrap();
    params.subject_alt_names.push(SanType::URI("spiffe://a/b".try_into().unwrap()));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    let pem = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    let certificate = &Certificate::all(&pem).unwrap()[0];
    assert_eq!(certificate.dns_names(), ["a.example"]);
    assert_eq!(certificate.uris(), ["spiffe://a/b"]);
    assert_eq!(certificate.ip_addresses(), ["192.0.2.1".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(certificate.alternative_name_count(), 3);
    assert_eq!(certificate.key_usages(), ["digitalSignature"]);
    assert_eq!(certificate.extended_key_usages(), ["serverAuth"]);
    assert_eq!(certificate.not_before().to_string(), "2026-01-01T00:00:00Z");
    assert!(!certificate.is_ca());
}

#[test]
fn key_types_are_told_by_name_and_size() {
    for (key_type, name) in KeyType::ALL.into_iter().zip([
        "RSA 3072",
        "RSA 4096",
        "ECDSA P-256",
        "ECDSA P-384",
        "ECDSA P-521",
        "Ed25519",
    ]) {
        let key = KeyPair::from_pem(&PodKey::of(key_type).unwrap().private_key_pem()).unwrap();
        let pem = CertificateParams::default().self_signed(&key).unwrap().pem();
        assert_eq!(Certificate::all(&pem).unwrap()[0].public_key_type(), name);
    }
}

#[test]
fn a_text_without_certificate_is_an_error() {
    Certificate::all("nothing here").unwrap_err();
}
