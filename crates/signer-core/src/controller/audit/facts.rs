//! What the audit log says of a request's key and of a certificate, read from what was sent and what was
//! signed.

use const_oid::{
    AssociatedOid, ObjectIdentifier,
    db::{rfc4519, rfc5280},
};
use der::{Decode, Encode};
use x509_cert::{
    Certificate,
    ext::pkix::{ExtendedKeyUsage, KeyUsage, SubjectAltName, name::GeneralName},
};

use ca_pool::{IssuedCertificate, PublicKey, fingerprint};

/// A public key: its type, and the SHA-256 of its SubjectPublicKeyInfo.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct KeyFacts {
    pub(super) key_type: Option<&'static str>,
    pub(super) spki_sha256: Option<String>,
}

impl KeyFacts {
    pub(super) fn of(key: &PublicKey) -> Self {
        let key_type = Some(key.key_type().as_str());
        Self { key_type, spki_sha256: Some(fingerprint(key.spki_der())) }
    }
}

/// A certificate: its names and usages, as it has them, and its key. A list without entries is absent.
/// [`MAX_CHAIN_BYTES`](crate::MAX_CHAIN_BYTES) bounds them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CertificateFacts {
    pub(super) common_name: Option<String>,
    /// Separated by spaces, which none of these has in it.
    pub(super) dns_names: Option<String>,
    pub(super) uris: Option<String>,
    pub(super) ip_addresses: Option<String>,
    /// Key usages and extended ones, by Kubernetes' names where they have one; separated by commas.
    pub(super) usages: Option<String>,
    pub(super) key: KeyFacts,
}

impl CertificateFacts {
    pub(super) fn of(issued: &IssuedCertificate) -> Self {
        // it was encoded by us
        let Ok(certificate) = Certificate::from_der(&issued.leaf_der) else { return Self::default() };
        let tbs = certificate.tbs_certificate();
        let names = extension::<SubjectAltName>(&certificate).map(|names| names.0).unwrap_or_default();
        let spki = tbs.subject_public_key_info().to_der().ok();
        let key = spki.and_then(|spki| PublicKey::from_pkix(&spki).ok());
        Self {
            common_name: common_name(&certificate),
            dns_names: list(" ", names.iter().filter_map(dns_name)),
            uris: list(" ", names.iter().filter_map(uri)),
            ip_addresses: list(" ", names.iter().filter_map(ip_address)),
            usages: list(", ", usages(&certificate)),
            key: key.map(|key| KeyFacts::of(&key)).unwrap_or_default(),
        }
    }
}

fn list(separator: &str, entries: impl IntoIterator<Item = String>) -> Option<String> {
    let entries: Vec<String> = entries.into_iter().collect();
    if entries.is_empty() { None } else { Some(entries.join(separator)) }
}

fn extension<T: AssociatedOid + for<'a> Decode<'a>>(certificate: &Certificate) -> Option<T> {
    let mut extensions = certificate.tbs_certificate().extensions()?.iter();
    let extension = extensions.find(|extension| extension.extn_id == T::OID)?;
    T::from_der(extension.extn_value.as_bytes()).ok()
}

fn common_name(certificate: &Certificate) -> Option<String> {
    let subject = certificate.tbs_certificate().subject();
    let attribute = subject.iter().find(|attribute| attribute.oid == rfc4519::CN)?;
    String::from_utf8(attribute.value.value().to_vec()).ok()
}

fn dns_name(name: &GeneralName) -> Option<String> {
    if let GeneralName::DnsName(name) = name { Some(name.to_string()) } else { None }
}

fn uri(name: &GeneralName) -> Option<String> {
    if let GeneralName::UniformResourceIdentifier(uri) = name { Some(uri.to_string()) } else { None }
}

fn ip_address(name: &GeneralName) -> Option<String> {
    let GeneralName::IpAddress(bytes) = name else { return None };
    let bytes = bytes.as_bytes();
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| std::net::Ipv4Addr::from(bytes).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| std::net::Ipv6Addr::from(bytes).to_string())).ok()
}

fn usages(certificate: &Certificate) -> Vec<String> {
    let key = extension::<KeyUsage>(certificate);
    let basic = [
        ("digital signature", key.is_some_and(|usage| usage.digital_signature())),
        ("content commitment", key.is_some_and(|usage| usage.non_repudiation())),
        ("key encipherment", key.is_some_and(|usage| usage.key_encipherment())),
        ("data encipherment", key.is_some_and(|usage| usage.data_encipherment())),
        ("key agreement", key.is_some_and(|usage| usage.key_agreement())),
        ("encipher only", key.is_some_and(|usage| usage.encipher_only())),
        ("decipher only", key.is_some_and(|usage| usage.decipher_only())),
    ];
    let basic = basic.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_owned());
    let extended = extension::<ExtendedKeyUsage>(certificate).map(|usages| usages.0).unwrap_or_default();
    basic.chain(extended.iter().map(usage_name)).collect()
}

fn usage_name(oid: &ObjectIdentifier) -> String {
    match *oid {
        rfc5280::ID_KP_SERVER_AUTH => "server auth".to_owned(),
        rfc5280::ID_KP_CLIENT_AUTH => "client auth".to_owned(),
        rfc5280::ID_KP_CODE_SIGNING => "code signing".to_owned(),
        rfc5280::ID_KP_EMAIL_PROTECTION => "email protection".to_owned(),
        rfc5280::ID_KP_TIME_STAMPING => "timestamping".to_owned(),
        other => other.to_string(),
    }
}
