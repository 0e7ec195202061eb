//! The ASN.1 of a certificate (RFC 5280 §4.1), for reading those of CAs and for writing all that are issued.
//!
//! Names stay raw bytes. A typed distinguished name is a set, or sorts its sets: reading and writing one back
//! may change its bytes, and then the issuer of a leaf would no longer equal the subject of its CA.

use std::time::Duration;

use const_oid::{AssociatedOid, db::rfc4519};
use der::{
    DateTime, Decode, Encode, ErrorKind, Reader, SliceReader, Tag,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetString, Utf8StringRef},
};
use jiff::Timestamp;
use rustls_pki_types::AlgorithmIdentifier;
use x509_cert::{
    ext::Extension,
    time::{Time, Validity},
};

use super::{SigningKey, SigningKeyError};
use crate::{leaf::Leaf, names::CommonName};

/// `Certificate`.
#[derive(der::Sequence)]
pub(crate) struct Certificate<'a> {
    pub(crate) tbs: AnyRef<'a>,
    pub(crate) signature_algorithm: AnyRef<'a>,
    pub(crate) signature: BitStringRef<'a>,
}

/// `TBSCertificate`: all that the signature covers.
#[derive(der::Sequence)]
pub(crate) struct TbsCertificate<'a> {
    #[asn1(context_specific = "0", default = "version_1")]
    pub(crate) version: u8,
    pub(crate) serial_number: AnyRef<'a>,
    pub(crate) signature: AnyRef<'a>,
    pub(crate) issuer: AnyRef<'a>,
    pub(crate) validity: Validity,
    pub(crate) subject: AnyRef<'a>,
    pub(crate) subject_public_key_info: AnyRef<'a>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) issuer_unique_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) subject_unique_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) extensions: Option<Vec<Extension>>,
}

/// The version that has extensions.
pub(crate) const VERSION_3: u8 = 2;

fn version_1() -> u8 {
    0
}

/// An `AlgorithmIdentifier` as a whole SEQUENCE.
pub(crate) fn algorithm_identifier(algorithm: &AlgorithmIdentifier) -> der::Result<AnyRef<'_>> {
    AnyRef::new(Tag::Sequence, algorithm.as_ref())
}

/// A point in time, of which only the whole seconds count. Years up to 2049 become UTCTime when they are
/// written (RFC 5280 §4.1.2.5).
pub(crate) fn time(timestamp: Timestamp) -> der::Result<Time> {
    let seconds = u64::try_from(timestamp.as_second()).map_err(|_| ErrorKind::DateTime)?;
    Ok(Time::from(DateTime::from_unix_duration(Duration::from_secs(seconds))?))
}

/// An extension with the DER of its value.
pub(crate) fn extension<T: AssociatedOid + Encode>(critical: bool, value: &T) -> der::Result<Extension> {
    Ok(Extension { extn_id: T::OID, critical, extn_value: OctetString::new(value.to_der()?)? })
}

/// The content of a `Name`: an RDN for each attribute, as UTF8String (RFC 5280 §4.1.2.4).
pub(crate) fn subject(leaf: &Leaf) -> der::Result<Vec<u8>> {
    let common_name = leaf.common_name.iter().map(|name| (rfc4519::CN, name.as_str()));
    let others = leaf.subject_attributes.iter().map(|attribute| (attribute.oid, attribute.value.as_str()));
    let mut content = Vec::new();
    for (oid, value) in common_name.chain(others) {
        content.extend(rdn(oid, value)?);
    }
    Ok(content)
}

/// The content of a `Name` that has a common name alone.
pub(crate) fn common_name(name: &CommonName) -> der::Result<Vec<u8>> {
    rdn(rfc4519::CN, name.as_str())
}

fn rdn(oid: ObjectIdentifier, value: &str) -> der::Result<Vec<u8>> {
    /// `AttributeTypeAndValue`.
    #[derive(der::Sequence)]
    struct Attribute<'a> {
        oid: ObjectIdentifier,
        value: Utf8StringRef<'a>,
    }
    let attribute = Attribute { oid, value: Utf8StringRef::new(value)? }.to_der()?;
    AnyRef::new(Tag::Set, &attribute)?.to_der()
}

/// The elements of a SEQUENCE's or SET's content.
pub(crate) fn elements(content: &[u8]) -> der::Result<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(content)?;
    let mut elements = Vec::new();
    while !reader.is_finished() {
        elements.push(AnyRef::decode(&mut reader)?);
    }
    Ok(elements)
}

/// Why a certificate couldn't be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    #[error("the certificate can't be encoded: {0}")]
    Encoding(#[from] der::Error),
    #[error(transparent)]
    Signing(#[from] SigningKeyError),
}

/// Signs an encoded `TBSCertificate`, and gives the certificate.
pub(crate) fn sign(tbs: &[u8], key: &SigningKey) -> Result<Vec<u8>, SignError> {
    Ok(signed(tbs, &key.key_type().signature_algorithm(), &key.sign(tbs)?)?)
}

/// An encoded `TBSCertificate` with its signature.
pub(crate) fn signed(tbs: &[u8], algorithm: &AlgorithmIdentifier, signature: &[u8]) -> der::Result<Vec<u8>> {
    let certificate = Certificate {
        tbs: AnyRef::try_from(tbs)?,
        signature_algorithm: algorithm_identifier(algorithm)?,
        signature: BitStringRef::from_bytes(signature)?,
    };
    certificate.to_der()
}
