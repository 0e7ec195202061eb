//! What the API server can't read. It is written in Go, and reads each certificate of a ClusterTrustBundle
//! and of a request's status with Go's `x509.ParseCertificate`.

use const_oid::{ObjectIdentifier, db::rfc5280};
use der::{Decode as _, Tag, asn1::AnyRef};

use super::contents::{Contents, name_of};
use crate::authority::{
    CaCertificate,
    asn1::{VERSION_3, elements},
};

/// RFC 5280 has these never critical, and Go insists on it.
const NEVER_CRITICAL: [ObjectIdentifier; 3] = [
    rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER,
    rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER,
    rfc5280::ID_PE_AUTHORITY_INFO_ACCESS,
];

/// The rule that a certificate breaks, if it breaks one.
pub(super) fn broken_rule(certificate: &CaCertificate, contents: &Contents) -> Option<String> {
    if contents.version != VERSION_3 {
        return Some(format!(
            "it is an X.509 version {} certificate, whose extensions don't count, so it isn't a CA",
            contents.version + 1
        ));
    }
    if let Some(oid) = NEVER_CRITICAL.into_iter().find(|oid| contents.is_critical(*oid)) {
        return Some(format!(
            "its extension {} is critical, which it must not be (RFC 5280 §4.2)",
            name_of(&oid)
        ));
    }
    let mut seen = Vec::new();
    for extension in &contents.extensions {
        if seen.contains(&extension.extn_id) {
            return Some(format!("it has the extension {} twice", name_of(&extension.extn_id)));
        }
        seen.push(extension.extn_id);
    }
    if let Some(rule) = certificate.name_constraints().and_then(|constraints| constraints.unreadable_for_go())
    {
        return Some(format!("its name constraints {rule}"));
    }
    let is_legible = |name: &[u8]| is_legible(name).unwrap_or_default();
    (!is_legible(certificate.subject_der()))
        .then(|| "its subject has characters that its string type doesn't have, or a string type that Go doesn't know".to_owned())
}

/// Whether each attribute of a name is a string that Go reads (`parseASN1String`).
pub(super) fn is_legible(name: &[u8]) -> der::Result<bool> {
    for set in elements(AnyRef::from_der(name)?.value())? {
        for attribute in elements(set.value())? {
            let [_, value] = elements(attribute.value())?[..] else { return Ok(false) };
            if !is_legible_string(value) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn is_legible_string(value: AnyRef<'_>) -> bool {
    let bytes = value.value();
    match value.header().tag() {
        // T.61 is read as Latin-1
        Tag::TeletexString => true,
        Tag::PrintableString => {
            bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(byte))
        }
        Tag::Utf8String => std::str::from_utf8(bytes).is_ok(),
        Tag::Ia5String => bytes.is_ascii(),
        Tag::NumericString => bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '),
        Tag::BmpString => {
            let (units, rest) = bytes.as_chunks::<2>();
            let is_character = |unit: &[u8; 2]| {
                let unit = u16::from_be_bytes(*unit);
                !matches!(unit, 0xd800..=0xdfff | 0xfdd0..=0xfdef | 0xfffe | 0xffff)
            };
            rest.is_empty() && units.iter().all(is_character)
        }
        _ => false,
    }
}
