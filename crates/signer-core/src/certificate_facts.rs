//! What stands in a certificate, for people to read: in the audit log, and in `signerctl explain`.

use const_oid::{
    AssociatedOid, ObjectIdentifier,
    db::{rfc4519, rfc5280},
};
use der::{Decode, Encode};
use jiff::Timestamp;
use x509_cert::{
    Certificate,
    ext::pkix::{AuthorityKeyIdentifier, ExtendedKeyUsage, KeyUsage, SubjectAltName, name::GeneralName},
    time::Time,
};

use ca_pool::{PublicKey, fingerprint};

/// A public key: its type, and the SHA-256 of its SubjectPublicKeyInfo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// As a pod's `keyType` names it.
    pub key_type: Option<&'static str>,
    /// In hexadecimal, with colons.
    pub spki_sha256: Option<String>,
}

impl KeyFacts {
    /// Those of a key.
    #[must_use]
    pub fn of(key: &PublicKey) -> Self {
        let key_type = Some(key.key_type().as_str());
        Self { key_type, spki_sha256: Some(fingerprint(key.spki_der())) }
    }
}

/// A certificate: its names and usages, as it has them, and its key.
/// [`MAX_CHAIN_BYTES`](ca_pool::MAX_CHAIN_BYTES) bounds them where it was issued here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// In hexadecimal, with colons.
    pub serial: String,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// DNS names.
    pub dns_names: Vec<String>,
    /// URIs.
    pub uris: Vec<String>,
    /// IP addresses.
    pub ip_addresses: Vec<String>,
    /// Key usages and extended ones, by Kubernetes' names where they have one.
    pub usages: Vec<String>,
    /// Its key.
    pub key: KeyFacts,
    /// The issuer, as RFC 4514 writes it.
    pub issuer: String,
    /// The first second of its validity.
    pub not_before: Timestamp,
    /// The last second of its validity.
    pub not_after: Timestamp,
    /// The identifier of the issuer's key (RFC 5280 §4.2.1.1).
    pub authority_key_identifier: Option<Vec<u8>>,
}

impl CertificateFacts {
    /// Reads a certificate; what isn't one has no facts.
    #[must_use]
    pub fn of_der(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let tbs = certificate.tbs_certificate();
        let names = extension::<SubjectAltName>(&certificate).map(|names| names.0).unwrap_or_default();
        let spki = tbs.subject_public_key_info().to_der().ok();
        let key = spki.and_then(|spki| PublicKey::from_pkix(&spki).ok());
        let authority = extension::<AuthorityKeyIdentifier>(&certificate);
        let serial = tbs.serial_number().as_bytes().iter();
        // the zero that makes it positive isn't one of its digits
        let serial = serial.skip_while(|byte| **byte == 0).map(|byte| format!("{byte:02x}"));
        Some(Self {
            serial: serial.collect::<Vec<_>>().join(":"),
            common_name: common_name(&certificate),
            dns_names: names.iter().filter_map(dns_name).collect(),
            uris: names.iter().filter_map(uri).collect(),
            ip_addresses: names.iter().filter_map(ip_address).collect(),
            usages: usages(&certificate),
            key: key.map(|key| KeyFacts::of(&key)).unwrap_or_default(),
            issuer: tbs.issuer().to_string(),
            not_before: timestamp(tbs.validity().not_before),
            not_after: timestamp(tbs.validity().not_after),
            authority_key_identifier: authority
                .and_then(|authority| Some(authority.key_identifier?.as_bytes().to_vec())),
        })
    }

    /// All its names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let others = [&self.dns_names, &self.uris, &self.ip_addresses].into_iter().flatten();
        self.common_name.iter().chain(others).map(String::as_str)
    }
}

fn extension<T: AssociatedOid + for<'a> Decode<'a>>(certificate: &Certificate) -> Option<T> {
    let mut extensions = certificate.tbs_certificate().extensions()?.iter();
    let extension = extensions.find(|extension| extension.extn_id == T::OID)?;
    T::from_der(extension.extn_value.as_bytes()).ok()
}

/// X.509 ends with the year 9999, as `Timestamp` does.
fn timestamp(time: Time) -> Timestamp {
    i64::try_from(time.to_unix_duration().as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::MAX)
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
