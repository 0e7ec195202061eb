use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use k8s_openapi::ByteString;
use rcgen::{KeyPair, PublicKeyData as _};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::{
    api::{PodCertificateRequest, PodCertificateRequestSpec},
    health::{EndedTasks, Health},
    metrics::Metrics,
};
use ca_pool::{
    CertificateAuthority, ExtendedKeyUsage, KeyUsage, Leaf, PublicKey, SerialNumber, Terms, fingerprint,
    issue, testing::TestCa,
};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The record of what is recorded for this request, in JSON, but for when it was.
fn record(spki: &[u8], record: impl FnOnce(Records<'_, PodCertificateRequest>)) -> Value {
    let spec = PodCertificateRequestSpec {
        pod_name: "web-0".into(),
        pod_uid: "u".into(),
        service_account_name: "web".into(),
        node_name: "node-1".into(),
        pkix_public_key: Some(ByteString(spki.to_vec())),
        ..Default::default()
    };
    let request = json!({"metadata": {"name": "r", "namespace": "shop"}, "spec": spec});
    let request: PodCertificateRequest = serde_json::from_value(request).unwrap();
    let signer = "example.com/a".parse().unwrap();
    let metrics = Metrics::new(Health::default(), EndedTasks::default(), |_| {}).of(&signer);
    let decisions = DecisionLog::default();
    let written = Written::default();
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(written.clone()).finish();
    tracing::subscriber::with_default(log, || {
        let now = Timestamp::UNIX_EPOCH;
        record(Records { metrics: &metrics, signer: &signer, decisions: &decisions, request: &request, now });
    });
    let shown = decisions.latest();
    assert_eq!((shown.len(), shown[0].namespace.as_str(), shown[0].pod.as_str()), (1, "shop", "web-0"));
    let mut record: Value = serde_json::from_slice(&written.0.lock().unwrap()).unwrap();
    record.as_object_mut().unwrap().remove("timestamp");
    record
}

fn spki() -> Vec<u8> {
    KeyPair::generate().unwrap().subject_public_key_info()
}

fn authority() -> CertificateAuthority {
    let root = TestCa::root("root");
    root.authority(&[], &root).with_id("7")
}

fn issued(leaf: &Leaf, spki: &[u8], authority: &CertificateAuthority) -> IssuedCertificate {
    let (key, serial) = (PublicKey::from_pkix(spki).unwrap(), SerialNumber::from_random([0x8f; 16]));
    issue(leaf, &key, &Terms::default(), authority, serial, jiff::Timestamp::now()).unwrap()
}

#[test]
fn a_certificate_is_recorded_with_all_that_it_says_and_who_signed_it() {
    let (spki, authority) = (spki(), authority());
    let mut leaf = Leaf::new([ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::IpsecUser])
        .dns_name("a.example.com".parse().unwrap())
        .dns_name("*.b.example.com".parse().unwrap())
        .uri("spiffe://example.com/ns/shop/sa/web".parse().unwrap())
        .uri("https://example.com/a,b".parse().unwrap())
        .ip_address("10.0.0.1".parse().unwrap())
        .ip_address("fd00::1".parse().unwrap())
        .common_name("web-0".parse().unwrap());
    leaf.further_key_usages.insert(KeyUsage::KeyAgreement);
    let certificate = issued(&leaf, &spki, &authority);
    let expected = |outcome: &str| {
        json!({
            "level": "INFO", "target": "audit", "outcome": outcome, "signer": "example.com/a", "namespace": "shop",
            "request": "r", "pod": "web-0", "pod_uid": "u", "service_account": "web", "node": "node-1",
            "common_name": "web-0", "dns_names": "a.example.com *.b.example.com",
            "uris": "spiffe://example.com/ns/shop/sa/web https://example.com/a,b", "ip_addresses": "10.0.0.1 fd00::1",
            "usages": "digital signature, key agreement, server auth, 1.3.6.1.5.5.7.3.7",
            "key_type": "ECDSAP256", "spki_sha256": fingerprint(&spki), "serial": certificate.serial.to_string(),
            "not_before": certificate.not_before.to_string(), "not_after": certificate.not_after.to_string(),
            "ca": "7", "ca_sha256": authority.issuer().fingerprint(),
        })
    };
    let record_of = |unconfirmed: bool| {
        record(&spki, |records| match unconfirmed {
            true => records.unconfirmed(&certificate),
            false => records.issued(&certificate, Duration::ZERO, None),
        })
    };
    assert_eq!(record_of(false), expected("Issued"));
    assert_eq!(record_of(true), expected("Unconfirmed"));
}

#[test]
fn names_that_a_certificate_lacks_are_absent() {
    let spki = spki();
    let leaf = Leaf::client().uri("spiffe://example.com/a".parse().unwrap());
    let certificate = issued(&leaf, &spki, &authority());
    let record = record(&spki, |records| records.issued(&certificate, Duration::ZERO, None));
    for absent in ["common_name", "dns_names", "ip_addresses"] {
        assert_eq!(record.get(absent), None, "{record}");
    }
    assert_eq!(record["uris"], "spiffe://example.com/a");
}

#[test]
fn a_denial_is_recorded_with_the_key_of_its_request() {
    let spki = spki();
    let denied = record(&spki, |records| records.recorded("Denied", "IdentityNotGranted", "why"));
    assert_eq!(denied["spki_sha256"], fingerprint(&spki));
    assert_eq!((&denied["key_type"], &denied["message"]), (&json!("ECDSAP256"), &json!("why")));
    let denied = record(b"no key", |records| records.recorded("Denied", "UnsupportedKeyType", "why"));
    assert_eq!(denied.get("key_type"), None);
}
