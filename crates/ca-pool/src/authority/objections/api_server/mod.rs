//! What the API server can't read. It is written in Go, and reads each certificate of a ClusterTrustBundle
//! and of a request's status with Go's `x509.ParseCertificate`. The rules are those of that function where it
//! is stricter than [`CaCertificate::from_der`]; `tests/verifiers/readers.rs` holds them against Go itself.

mod extensions;
mod input;
mod names;
mod uri;

use const_oid::{
    ObjectIdentifier,
    db::{rfc5280, rfc5912, rfc8410},
};

use self::{
    extensions::{Unreadable, has_readable_number},
    input::{Input, NULL, SEQUENCE},
    names::is_distinguished_name,
};
use super::contents::{Contents, name_of};
use crate::authority::{CaCertificate, asn1::VERSION_3};

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
    of_names(certificate).or_else(|| of_key(certificate)).or_else(|| of_extensions(contents))
}

fn of_names(certificate: &CaCertificate) -> Option<String> {
    let names = [("subject", certificate.subject_der()), ("issuer", certificate.issuer_der())];
    let (which, _) = names.into_iter().find(|(_, name)| !is_distinguished_name(name).unwrap_or_default())?;
    Some(format!(
        "its {which} has characters that its string type doesn't have, or a string type or an attribute type that Go doesn't know"
    ))
}

/// RFC 3279 §2.3.1 and RFC 8410 §3.
fn of_key(certificate: &CaCertificate) -> Option<String> {
    let mut algorithm = Input(certificate.spki_der()).element(SEQUENCE)?.element(SEQUENCE)?;
    let algorithm_oid = ObjectIdentifier::from_bytes(algorithm.oid()?).ok()?;
    match algorithm_oid {
        rfc5912::RSA_ENCRYPTION if algorithm.0 != [NULL, 0] => {
            Some("the parameters of its RSA key aren't NULL (RFC 3279 §2.3.1)".to_owned())
        }
        rfc8410::ID_ED_25519 if !algorithm.is_empty() => {
            Some("its Ed25519 key has parameters (RFC 8410 §3)".to_owned())
        }
        _ => None,
    }
}

fn of_extensions(contents: &Contents) -> Option<String> {
    if let Some(oid) = NEVER_CRITICAL.into_iter().find(|oid| contents.is_critical(*oid)) {
        return Some(format!(
            "its extension {} is critical, which it must not be (RFC 5280 §4.2)",
            name_of(&oid)
        ));
    }
    let mut seen = Vec::new();
    for extension in &contents.extensions {
        let (oid, name) = (extension.extn_id, name_of(&extension.extn_id));
        if !has_readable_number(oid) {
            return Some(format!("its extension {name} has a number of 31 bits or more in its OID"));
        }
        if seen.contains(&oid) {
            return Some(format!("it has the extension {name} twice"));
        }
        seen.push(oid);
        match extensions::read(oid, extension.extn_value.as_bytes()) {
            Ok(()) => {}
            Err(Unreadable::Damaged) => {
                return Some(format!("its extension {name} is damaged (RFC 5280 §4.2)"));
            }
            Err(Unreadable::Because(reason)) => return Some(format!("its extension {name} {reason}")),
        }
    }
    None
}

#[cfg(test)]
mod tests;
