//! OpenSSL's rules for CAs. First `openssl verify -x509_strict`, which Python's `ssl` has on by default since
//! 3.13: what RFC 5280 asks of a CA, and verifiers usually don't.

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

/// What is to be told of a certificate for any purpose: OpenSSL asks a CA for the purpose by name.
pub(super) fn any_purpose(certificate: &CaCertificate) -> Option<String> {
    let usages = certificate.extended_key_usages()?;
    let lacks = [(rfc5280::ID_KP_SERVER_AUTH, "servers"), (rfc5280::ID_KP_CLIENT_AUTH, "clients")];
    let lacks = lacks.into_iter().filter(|(usage, _)| !usages.contains(usage));
    let lacks: Vec<&str> = lacks.map(|(_, purpose)| purpose).collect();
    (usages.contains(&rfc5280::ANY_EXTENDED_KEY_USAGE) && !lacks.is_empty()).then(|| {
        format!(
            "OpenSSL (nginx, PostgreSQL, Python) refuses every certificate of {} below {certificate}: its extendedKeyUsage has anyExtendedKeyUsage, which OpenSSL \
             doesn't take for theirs. Use a CA without the extension, or with serverAuth and clientAuth",
            lacks.join(" and ")
        )
    })
}
