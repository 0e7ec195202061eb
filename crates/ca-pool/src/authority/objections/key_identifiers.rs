//! Key identifiers: OpenSSL finds an issuer by them, where others take them for hints.

use super::contents::Contents;
use crate::authority::{CaCertificate, CertificateAuthority, SigningKeyType};

impl CertificateAuthority {
    /// By which identifier the certificate below the root (a leaf, or the last intermediate) names the root's
    /// key, if it does.
    fn names_root_by(&self) -> Option<Vec<u8>> {
        match self.intermediates().last() {
            None => Some(self.root().key_identifier()),
            Some(top) => key_identifier_of_issuer(&Contents::of(top)?),
        }
    }

    /// Whether OpenSSL takes an anchor for the issuer of what stands below the root: its subject is that of
    /// the root, and its key identifier, where it has one, isn't another than the one that is named.
    #[must_use]
    pub fn finds_issuer_in(&self, anchor: &CaCertificate) -> bool {
        let is_named = || match (own_key_identifier(anchor), self.names_root_by()) {
            (Some(own), Some(named)) => own == named,
            _ => true,
        };
        anchor.subject_der() == self.root().subject_der() && is_named()
    }

    /// Whether OpenSSL takes an anchor for the issuer of what stands below the root though it has another
    /// key. It looks at the kind of key too.
    pub(crate) fn is_mistaken_for_one_under(&self, anchor: &CaCertificate) -> bool {
        let kind = |certificate: &CaCertificate| match certificate.key_type() {
            SigningKeyType::Rsa(_) => "RSA",
            SigningKeyType::Ed25519 => "Ed25519",
            _ => "ECDSA",
        };
        anchor.spki_der() != self.root().spki_der()
            && kind(anchor) == kind(self.root())
            && self.finds_issuer_in(anchor)
    }
}

/// What is to be told of a certificate that names another key, or another certificate, than that of its
/// issuer.
pub(super) fn mismatch(
    (certificate, contents): (&CaCertificate, &Contents),
    (issuer, of_issuer): (&CaCertificate, &Contents),
    is_root: bool,
) -> Option<String> {
    let named = contents.authority_key_identifier()?;
    let other_key = match (&named.key_identifier, own_key_identifier(issuer)) {
        (Some(named), Some(own)) => named.as_bytes() != own,
        _ => false,
    };
    let other_serial =
        named.authority_cert_serial_number.is_some_and(|serial| serial.as_bytes() != of_issuer.serial);
    let other_issuer =
        contents.named_authority_issuer().is_some_and(|named| [&named[..]] != [issuer.issuer_der()]);
    let what = match (other_key, other_serial, other_issuer) {
        (true, ..) => "key identifier",
        (false, true, _) => "serial number",
        (false, false, true) => "issuer (authorityCertIssuer)",
        (false, false, false) => return None,
    };
    let whose = if is_root { "its own".to_owned() } else { format!("that of {issuer}") };
    Some(format!(
        "OpenSSL (nginx, PostgreSQL, Python) refuses every certificate below {certificate}: its authorityKeyIdentifier names a {what} that isn't {whose}. Issue it anew"
    ))
}

fn key_identifier_of_issuer(contents: &Contents) -> Option<Vec<u8>> {
    Some(contents.authority_key_identifier()?.key_identifier?.as_bytes().to_vec())
}

fn own_key_identifier(certificate: &CaCertificate) -> Option<&[u8]> {
    certificate.extensions.subject_key_identifier.as_deref()
}
