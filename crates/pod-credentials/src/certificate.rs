//! What stands in a certificate.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use der::{Decode, Encode};
use x509_cert::{
    ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName, name::GeneralName},
    time::Time,
};

/// What a certificate says: for people, for logs, and for rules about peers. That it parses doesn't mean that
/// anybody trusts it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// The subject as RFC 4514 writes it; empty if it has none, as certificates of pods mostly do.
    pub subject: String,
    /// The issuer as RFC 4514 writes it.
    pub issuer: String,
    /// The serial number, in lowercase hexadecimal.
    pub serial: String,
    /// The first second of its validity.
    pub not_before: SystemTime,
    /// The last second of its validity.
    pub not_after: SystemTime,
    /// The DNS names, in its order. Control characters are replaced, so that a name can't forge a line in a
    /// log.
    pub dns_names: Vec<String>,
    /// The URIs, in its order, likewise.
    pub uris: Vec<String>,
    /// The IP addresses, in its order.
    pub ip_addresses: Vec<IpAddr>,
    /// Whether it is the certificate of a CA.
    pub is_ca: bool,
    /// Whether its key may sign certificates or revocation lists.
    pub(crate) may_certify: bool,
}

/// Why some bytes are no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no X.509 certificate that this program can read: {0}")]
pub struct CertificateError(String);

/// The longest certificate that is looked at. With the 100 names that our signers give at most, one has 30
/// KiB.
const LONGEST: usize = 64 * 1024;

impl Certificate {
    /// Reads a DER-encoded certificate.
    ///
    /// # Errors
    /// If it is none, or longer than 64 KiB.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > LONGEST {
            return Err(CertificateError(format!("{} bytes, {LONGEST} are the most", der.len())));
        }
        Self::read(der).map_err(|error| CertificateError(error.to_string()))
    }

    fn read(der: &[u8]) -> Result<Self, der::Error> {
        let parsed = x509_cert::Certificate::from_der(der)?;
        let tbs = parsed.tbs_certificate();
        let serial = tbs.serial_number().as_bytes();
        let mut certificate = Self {
            subject: printable(&tbs.subject().to_string()),
            issuer: printable(&tbs.issuer().to_string()),
            // DER puts a zero in front where the number would else be negative
            serial: hex(serial.strip_prefix(&[0]).unwrap_or(serial)),
            not_before: system_time(tbs.validity().not_before),
            not_after: system_time(tbs.validity().not_after),
            dns_names: Vec::new(),
            uris: Vec::new(),
            ip_addresses: Vec::new(),
            is_ca: tbs.get_extension::<BasicConstraints>()?.is_some_and(|(_, basic)| basic.ca),
            may_certify: tbs
                .get_extension::<KeyUsage>()?
                .is_some_and(|(_, usage)| usage.key_cert_sign() || usage.crl_sign()),
        };
        for name in tbs.get_extension::<SubjectAltName>()?.map(|(_, names)| names.0).unwrap_or_default() {
            certificate.add(&name);
        }
        Ok(certificate)
    }

    fn add(&mut self, name: &GeneralName) {
        match name {
            GeneralName::DnsName(name) => self.dns_names.push(printable(name.as_str())),
            GeneralName::UniformResourceIdentifier(uri) => self.uris.push(printable(uri.as_str())),
            GeneralName::IpAddress(bytes) => {
                let v4 = <[u8; 4]>::try_from(bytes.as_bytes()).map(IpAddr::from);
                let v6 = || <[u8; 16]>::try_from(bytes.as_bytes()).map(IpAddr::from);
                self.ip_addresses.extend(v4.or_else(|_| v6()));
            }
            _ => {}
        }
    }

    /// What to call it in messages: its subject, or its serial number where that is empty.
    pub(crate) fn called(&self) -> String {
        if self.subject.is_empty() { format!("serial {}", self.serial) } else { self.subject.clone() }
    }

    /// All names, for people: DNS names, then URIs, then IP addresses.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let addresses = self.ip_addresses.iter().map(IpAddr::to_string);
        self.dns_names.iter().chain(&self.uris).cloned().chain(addresses).collect()
    }
}

/// The end of a certificate's public key, to compare it with another's.
pub(crate) fn subject_public_key(der: &[u8]) -> Option<Vec<u8>> {
    x509_cert::Certificate::from_der(der).ok()?.tbs_certificate().subject_public_key_info().to_der().ok()
}

fn system_time(time: Time) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.to_unix_duration().as_secs())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A time as messages show it: `2026-11-22T05:20:00Z`.
pub(crate) fn utc(time: SystemTime) -> String {
    der::DateTime::from_system_time(time)
        .map_or_else(|_| "a time before 1970".into(), |time| time.to_string())
}
