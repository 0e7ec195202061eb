//! `openssl verify -x509_strict`, which Python's `ssl` has on by default since 3.13: what RFC 5280 asks of a
//! CA, and verifiers usually don't.

use const_oid::db::rfc5280;

use super::contents::Contents;
use crate::authority::CaCertificate;

/// What is to be told of a certificate: the rules of OpenSSL's `check_extensions` that it breaks.
pub(super) fn strict(certificate: &CaCertificate, contents: &Contents, is_root: bool) -> Option<String> {
    let has = |oid| contents.extension(oid).is_some();
    let names_issuer =
        contents.authority_key_identifier().is_some_and(|named| named.key_identifier.is_some());
    let broken = [
        (!contents.is_critical(rfc5280::ID_CE_BASIC_CONSTRAINTS), "its basicConstraints aren't critical"),
        (!has(rfc5280::ID_CE_KEY_USAGE), "it has no keyUsage"),
        (!has(rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER), "it has no subjectKeyIdentifier"),
        (!is_root && !names_issuer, "it has no authorityKeyIdentifier with a key identifier"),
    ];
    let broken: Vec<&str> =
        broken.into_iter().filter_map(|(is_broken, rule)| is_broken.then_some(rule)).collect();
    (!broken.is_empty()).then(|| {
        format!(
            "strict verifiers (Python from 3.13 on, openssl -x509_strict) refuse every certificate below {certificate}: {}. Issue it anew with these (RFC 5280 §4.2.1)",
            broken.join(", ")
        )
    })
}
