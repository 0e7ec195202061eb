//! What of a certificate decides whether Go takes it for something (Go's `crypto/x509`, `verify.go`).

use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use x509_cert::{
    Version,
    certificate::{CertificateInner, Profile},
    der::{Decode as _, Result, Tag, oid::db::rfc5280},
    ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage},
    serial_number::SerialNumber,
};

/// Go takes serial numbers of any length (RFC 5280 §4.1.2.2 has 20 octets for the most), but no negative
/// ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct AnyLength;

impl Profile for AnyLength {
    fn check_serial_number(serial: &SerialNumber<Self>) -> Result<()> {
        let is_negative = serial.as_bytes().first().is_some_and(|first| first & 0x80 != 0);
        if is_negative { Err(Tag::Integer.value_error().into()) } else { Ok(()) }
    }
}

/// A certificate, parsed as far as it counts here.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) subject: String,
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    /// Whether it may vouch for others. One of version 1 may, since it can't say that it mayn't.
    pub(crate) may_issue: bool,
    /// Whether it may be a server's own.
    pub(crate) may_serve: bool,
    /// The key, as its certificate has it.
    pub(crate) public_key: Vec<u8>,
}

impl Certificate {
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let certificate = CertificateInner::<AnyLength>::from_der(der).ok()?;
        let tbs = certificate.tbs_certificate();
        let constraints = tbs.get_extension::<BasicConstraints>().ok()?;
        let key_usage = tbs.get_extension::<KeyUsage>().ok()?;
        let usages = tbs.get_extension::<ExtendedKeyUsage>().ok()?;
        let may_sign = key_usage.is_none_or(|(_, usage)| usage.key_cert_sign());
        let is_authority = match constraints {
            Some((_, constraints)) => constraints.ca,
            None => tbs.version() != Version::V3,
        };
        let serves = [rfc5280::ID_KP_SERVER_AUTH, rfc5280::ANY_EXTENDED_KEY_USAGE];
        let at = |time: Duration| UnixTime::since_unix_epoch(time);
        Some(Self {
            der: CertificateDer::from(der.to_vec()),
            subject: tbs.subject().to_string(),
            not_before: at(tbs.validity().not_before.to_unix_duration()),
            not_after: at(tbs.validity().not_after.to_unix_duration()),
            may_issue: is_authority && may_sign,
            may_serve: usages.is_none_or(|(_, usages)| usages.0.iter().any(|usage| serves.contains(usage))),
            public_key: tbs.subject_public_key_info().subject_public_key.raw_bytes().to_vec(),
        })
    }

    pub(crate) fn is_valid(&self, now: UnixTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}
