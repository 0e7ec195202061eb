//! What a certificate's extensions say.

use std::net::IpAddr;

use der::{Decode, oid::AssociatedOid};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier, name::GeneralName,
};

use super::{Certificate, hex, oid_name};

impl Certificate {
    /// DNS names among the subject alternative names, in their order.
    pub fn dns_names(&self) -> Vec<String> {
        self.alternative_names(|name| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            _ => None,
        })
    }

    /// URIs among the subject alternative names, in their order.
    pub fn uris(&self) -> Vec<String> {
        self.alternative_names(|name| match name {
            GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
            _ => None,
        })
    }

    /// IP addresses among the subject alternative names, in their order.
    pub fn ip_addresses(&self) -> Vec<IpAddr> {
        self.alternative_names(|name| match name {
            GeneralName::IpAddress(bytes) => match *bytes.as_bytes() {
                [a, b, c, d] => Some(IpAddr::from([a, b, c, d])),
                _ => <[u8; 16]>::try_from(bytes.as_bytes()).ok().map(IpAddr::from),
            },
            _ => None,
        })
    }

    /// How many subject alternative names there are of whatever kind: to see that there are no others.
    pub fn alternative_name_count(&self) -> usize {
        self.alternative_names(|_| Some(())).len()
    }

    /// Key usages by their names in RFC 5280 §4.2.1.3, such as `digitalSignature`, in its order.
    pub fn key_usages(&self) -> Vec<&'static str> {
        const NAMES: [(KeyUsages, &str); 9] = [
            (KeyUsages::DigitalSignature, "digitalSignature"),
            (KeyUsages::NonRepudiation, "nonRepudiation"),
            (KeyUsages::KeyEncipherment, "keyEncipherment"),
            (KeyUsages::DataEncipherment, "dataEncipherment"),
            (KeyUsages::KeyAgreement, "keyAgreement"),
            (KeyUsages::KeyCertSign, "keyCertSign"),
            (KeyUsages::CRLSign, "cRLSign"),
            (KeyUsages::EncipherOnly, "encipherOnly"),
            (KeyUsages::DecipherOnly, "decipherOnly"),
        ];
        let usages = self.extension::<KeyUsage>();
        let has = |usage: KeyUsages| usages.as_ref().is_some_and(|usages| usages.0.contains(usage));
        NAMES.into_iter().filter(|(usage, _)| has(*usage)).map(|(_, name)| name).collect()
    }

    /// Extended key usages by their names in RFC 5280 §4.2.1.12 (`serverAuth`), or their OIDs, in their
    /// order.
    pub fn extended_key_usages(&self) -> Vec<String> {
        let usages = self.extension::<ExtendedKeyUsage>().map(|usages| usages.0).unwrap_or_default();
        usages.into_iter().map(|oid| oid_name(oid).trim_start_matches("id-kp-").to_owned()).collect()
    }

    /// Whether it may sign certificates (basic constraints).
    pub fn is_ca(&self) -> bool {
        self.extension::<BasicConstraints>().is_some_and(|constraints| constraints.ca)
    }

    /// The dotted OIDs of its extensions, each with whether it is critical, in their order.
    pub fn extensions(&self) -> Vec<(String, bool)> {
        let all = self.parsed.tbs_certificate().extensions().into_iter().flatten();
        all.map(|extension| (extension.extn_id.to_string(), extension.critical)).collect()
    }

    /// The subject key identifier, in hexadecimal.
    pub fn subject_key_identifier(&self) -> Option<String> {
        self.extension::<SubjectKeyIdentifier>().map(|identifier| hex(identifier.0.as_bytes(), ":"))
    }

    /// The key identifier of its issuer, in hexadecimal.
    pub fn authority_key_identifier(&self) -> Option<String> {
        let identifier = self.extension::<AuthorityKeyIdentifier>()?.key_identifier?;
        Some(hex(identifier.as_bytes(), ":"))
    }

    fn alternative_names<T>(&self, wanted: impl Fn(&GeneralName) -> Option<T>) -> Vec<T> {
        let names = self.extension::<SubjectAltName>().map(|names| names.0).unwrap_or_default();
        names.iter().filter_map(wanted).collect()
    }

    fn extension<T: for<'a> Decode<'a> + AssociatedOid>(&self) -> Option<T> {
        self.parsed
            .tbs_certificate()
            .get_extension::<T>()
            .ok()
            .flatten()
            .map(|(_critical, extension)| extension)
    }
}
