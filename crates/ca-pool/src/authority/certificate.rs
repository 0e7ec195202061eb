//! A CA certificate: a root, or an intermediate on the way to one.

use std::fmt;

use aws_lc_rs::digest;
use der::{
    Decode, Encode, Tag,
    asn1::{AnyRef, IntRef},
};
use jiff::Timestamp;
use x509_cert::{
    ext::pkix::{SubjectAltName, name::GeneralName},
    time::Time,
};

use super::{
    AuthorityError, NameConstraints, SigningKeyType,
    asn1::{Certificate, TbsCertificate, VERSION_3},
    distinguished_name,
    extensions::{self, CaExtensions},
    verifying_key::{Unverified, VerifyingKey},
};
use crate::names::Uri;

/// A parsed certificate that stands in a CA pool. Whether it is a CA, and whose, is judged when a
/// [`CertificateAuthority`](super::CertificateAuthority) is made of it.
#[derive(Clone)]
pub struct CaCertificate {
    origin: String,
    der: Vec<u8>,
    signed: Signed,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    not_before: Timestamp,
    not_after: Timestamp,
    spki: Vec<u8>,
    version: u8,
    pub(super) key: VerifyingKey,
    pub(super) extensions: CaExtensions,
}

/// What is signed, how, and the signature.
#[derive(Clone)]
struct Signed {
    tbs: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl CaCertificate {
    /// The longest certificate that is looked at, in bytes.
    pub const MAX_DER_BYTES: usize = 16 * 1024;

    /// Reads a DER-encoded certificate. `origin` says where it stands, for messages:
    /// `certFile, certificate 2`.
    ///
    /// # Errors
    /// If it is too long, no certificate, or its key can't sign certificates.
    pub fn from_der(origin: impl Into<String>, der: &[u8]) -> Result<Self, AuthorityError> {
        let origin = origin.into();
        if der.len() > Self::MAX_DER_BYTES {
            return Err(AuthorityError::TooLong { origin, length: der.len() });
        }
        let malformed = |source| AuthorityError::Malformed { origin: origin.clone(), source };
        let outer = Certificate::from_der(der).map_err(malformed)?;
        let tbs: TbsCertificate<'_> = outer.tbs.decode_as().map_err(malformed)?;
        if tbs.signature != outer.signature_algorithm {
            return Err(malformed(Tag::Sequence.value_error().into()));
        }
        let serial: IntRef<'_> = tbs.serial_number.decode_as().map_err(malformed)?;
        if serial.as_bytes().first().is_some_and(|first| first & 0x80 != 0) {
            return Err(AuthorityError::NegativeSerial { origin });
        }
        let extensions = tbs.extensions.as_deref().unwrap_or_default();
        if let Some(oid) = extensions::duplicate(extensions) {
            return Err(AuthorityError::DuplicateExtension { origin, oid: oid.to_string() });
        }
        let spki = tbs.subject_public_key_info.to_der().map_err(malformed)?;
        let key = VerifyingKey::from_spki(&spki)
            .map_err(|found| AuthorityError::UnsupportedKey { origin: origin.clone(), found })?;
        Ok(Self {
            der: der.to_vec(),
            signed: Signed::read(&outer).map_err(malformed)?,
            issuer: tbs.issuer.to_der().map_err(malformed)?,
            subject: tbs.subject.to_der().map_err(malformed)?,
            not_before: timestamp(tbs.validity.not_before),
            not_after: timestamp(tbs.validity.not_after),
            extensions: CaExtensions::read(extensions).map_err(malformed)?,
            version: tbs.version,
            spki,
            key,
            origin,
        })
    }

    /// The certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as one PEM block: 64 columns, LF.
    #[must_use]
    pub fn to_pem(&self) -> String {
        super::pem::certificate(&self.der)
    }

    /// The DER-encoded subject, byte for byte.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.subject
    }

    /// The subject for people: `O=Example, CN=root`.
    #[must_use]
    pub fn subject(&self) -> String {
        distinguished_name::to_text(&self.subject)
    }

    /// The URIs among its subject alternative names, as far as they are legal ones.
    #[must_use]
    pub fn uris(&self) -> Vec<Uri> {
        let Ok(certificate) = x509_cert::Certificate::from_der(&self.der) else { return Vec::new() };
        let names = certificate.tbs_certificate().get_extension::<SubjectAltName>().ok().flatten();
        let names = names.map(|(_, SubjectAltName(names))| names).unwrap_or_default();
        let uri = |name: &GeneralName| match name {
            GeneralName::UniformResourceIdentifier(uri) => uri.as_str().parse().ok(),
            _ => None,
        };
        names.iter().filter_map(uri).collect()
    }

    pub(super) fn issuer_der(&self) -> &[u8] {
        &self.issuer
    }

    /// The issuer for people.
    #[must_use]
    pub fn issuer(&self) -> String {
        distinguished_name::to_text(&self.issuer)
    }

    /// The first second of its validity.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last second of its validity.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The type of its key. RSA keys of less than 2048 bits are refused when an authority is made of it.
    #[must_use]
    pub fn key_type(&self) -> SigningKeyType {
        self.key.key_type
    }

    /// Its DER-encoded SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The SHA-256 of the whole certificate, written as OpenSSL does: `AB:CD:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.der)
    }

    /// Whether issuer and subject are the same name, as they are in a root.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether it says that it is a CA's (RFC 5280 §4.2.1.9).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.version == VERSION_3
            && self.extensions.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca)
    }

    pub(super) fn has_empty_subject(&self) -> bool {
        AnyRef::from_der(&self.subject).is_ok_and(|name| name.value().is_empty())
    }

    /// The identifier of its key: its own word for it, or what this project computes where it has none.
    #[must_use]
    pub fn key_identifier(&self) -> Vec<u8> {
        match &self.extensions.subject_key_identifier {
            Some(identifier) => identifier.clone(),
            None => super::key_identifier(&self.spki),
        }
    }

    /// What it lets the certificates below it name and be used for, for people; nothing if it doesn't say.
    #[must_use]
    pub fn constraints(&self) -> Option<String> {
        let names = self.name_constraints().map(NameConstraints::describe);
        let usages = self.extended_key_usages().map(|usages| {
            let usages: Vec<String> = usages.iter().map(usage_name).collect();
            format!("for {} alone", usages.join(", "))
        });
        let both: Vec<String> = names.into_iter().chain(usages).filter(|text| !text.is_empty()).collect();
        (!both.is_empty()).then(|| both.join("; "))
    }

    /// What it lets the certificates below it name.
    pub(crate) fn name_constraints(&self) -> Option<&NameConstraints> {
        self.extensions.name_constraints.as_ref()
    }

    /// What it lets the certificates below it be used for. Verifiers read the extension on a CA as a
    /// constraint.
    pub(crate) fn extended_key_usages(&self) -> Option<&[der::asn1::ObjectIdentifier]> {
        self.extensions.extended_key_usages.as_deref()
    }

    /// From when until when it is valid.
    pub(super) fn validity(&self) -> (Timestamp, Timestamp) {
        (self.not_before, self.not_after)
    }

    /// X.509 versions 1 and 2 have no extensions, so nothing in such a certificate says that it is a CA's.
    pub(super) fn has_extensions(&self) -> bool {
        self.version == VERSION_3
    }

    /// Whether it stands for the same name and the same key as another: what either has issued, both verify.
    pub(super) fn vouches_for_the_same_as(&self, other: &Self) -> bool {
        self.subject == other.subject && self.spki == other.spki
    }

    /// Whether the key of `issuer` has signed it. Whether a signature on a message is one of this
    /// certificate's key, by the algorithm that its type has here.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm = self.key.key_type.signature_algorithm();
        self.key.verify(algorithm.as_ref(), message, signature).is_ok()
    }

    pub(super) fn verify_signature(&self, issuer: &Self) -> Result<(), Unverified> {
        let Signed { tbs, algorithm, signature } = &self.signed;
        if self == issuer {
            return issuer.key.verify_own(algorithm, tbs, signature);
        }
        issuer.key.verify(algorithm, tbs, signature)
    }
}

impl Signed {
    fn read(certificate: &Certificate<'_>) -> der::Result<Self> {
        Ok(Self {
            tbs: certificate.tbs.to_der()?,
            algorithm: certificate.signature_algorithm.value().to_vec(),
            signature: certificate.signature.as_bytes().ok_or_else(|| Tag::BitString.value_error())?.to_vec(),
        })
    }
}

impl PartialEq for CaCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for CaCertificate {}

impl fmt::Debug for CaCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CaCertificate").field(&self.to_string()).finish()
    }
}

/// As RFC 5280 §4.2.1.12 names it, or its number.
fn usage_name(usage: &der::asn1::ObjectIdentifier) -> String {
    let known = const_oid::db::DB.by_oid(usage);
    known.map_or_else(|| usage.to_string(), |name| name.trim_start_matches("id-kp-").to_owned())
}

/// SHA-256 of a certificate, as people and tools write it.
pub fn fingerprint(der: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digest = digest::digest(&digest::SHA256, der);
    let mut text = String::with_capacity(3 * digest.as_ref().len());
    for byte in digest.as_ref() {
        if !text.is_empty() {
            text.push(':');
        }
        text.extend([byte >> 4, byte & 0xf].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
    text
}

impl fmt::Display for CaCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.origin, self.subject())
    }
}

/// Years up to 9999 fit into a certificate, and all but the last day of them into a `Timestamp`.
fn timestamp(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
