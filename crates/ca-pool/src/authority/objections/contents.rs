//! What of a certificate matters to verifiers, beside what issuing reads of it.

use const_oid::{ObjectIdentifier, db::rfc5280};
use der::{Decode as _, Tag, TagNumber, asn1::AnyRef};
use x509_cert::ext::{Extension, pkix::AuthorityKeyIdentifier};

use crate::authority::{
    CaCertificate,
    asn1::{Certificate, TbsCertificate, elements},
};

pub(super) struct Contents {
    pub(super) version: u8,
    /// The content of the INTEGER.
    pub(super) serial: Vec<u8>,
    pub(super) extensions: Vec<Extension>,
}

impl Contents {
    /// A `CaCertificate` has been read once, so it can be read again.
    pub(super) fn of(certificate: &CaCertificate) -> Option<Self> {
        let outer = Certificate::from_der(certificate.der()).ok()?;
        let tbs: TbsCertificate<'_> = outer.tbs.decode_as().ok()?;
        let serial = tbs.serial_number.value().to_vec();
        Some(Self { version: tbs.version, serial, extensions: tbs.extensions.unwrap_or_default() })
    }

    pub(super) fn extension(&self, oid: ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.extn_id == oid)
    }

    pub(super) fn is_critical(&self, oid: ObjectIdentifier) -> bool {
        self.extension(oid).is_some_and(|extension| extension.critical)
    }

    pub(super) fn authority_key_identifier(&self) -> Option<AuthorityKeyIdentifier> {
        let extension = self.extension(rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER)?;
        AuthorityKeyIdentifier::from_der(extension.extn_value.as_bytes()).ok()
    }

    /// The distinguished name by which its authorityKeyIdentifier names who issued its issuer, byte for byte.
    pub(super) fn named_authority_issuer(&self) -> Option<Vec<u8>> {
        const AUTHORITY_CERT_ISSUER: Tag = Tag::ContextSpecific { number: TagNumber(1), constructed: true };
        const DIRECTORY_NAME: Tag = Tag::ContextSpecific { number: TagNumber(4), constructed: true };
        let extension = self.extension(rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER)?;
        let identifier = AnyRef::from_der(extension.extn_value.as_bytes()).ok()?;
        let fields = elements(identifier.value()).ok()?;
        let issuer = fields.iter().find(|field| field.header().tag() == AUTHORITY_CERT_ISSUER)?;
        let names = elements(issuer.value()).ok()?;
        let name = names.iter().find(|name| name.header().tag() == DIRECTORY_NAME)?;
        Some(name.value().to_vec())
    }

    /// RFC 5280 §4.1.2.2 allows 20 octets; those who insist on it allow one more, which may be the sign.
    pub(super) fn overlong_serial(&self, certificate: &CaCertificate) -> Option<String> {
        const LONGEST: usize = 20;
        let octets = self.serial.len();
        (octets > LONGEST + 1).then(|| {
            format!(
                "{certificate} has a serial number of {octets} octets; {LONGEST} are the most (RFC 5280 §4.1.2.2), and verifiers that keep to that, such as those on Rust's \
                 x509-cert, can't read it. Issue it anew with a shorter one"
            )
        })
    }
}

/// An extension for people: by its name, or its number.
pub(super) fn name_of(oid: &ObjectIdentifier) -> String {
    let known = const_oid::db::DB.by_oid(oid);
    known.map_or_else(
        || oid.to_string(),
        |name| format!("{} ({oid})", name.trim_start_matches("id-ce-").trim_start_matches("id-pe-")),
    )
}
