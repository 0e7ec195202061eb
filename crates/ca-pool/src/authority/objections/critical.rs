//! Critical extensions that a verifier doesn't know: RFC 5280 §4.2 has it refuse the certificate.

use const_oid::{ObjectIdentifier, db::rfc5280};
use der::{Decode as _, Tag, asn1::AnyRef};
use x509_cert::ext::Extension;

use super::contents::{Contents, name_of};
use crate::authority::{CaCertificate, asn1::elements};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verifier {
    /// Of Rust; it ignores what a trust anchor says.
    Webpki,
    /// `crypto/x509`
    Go,
    OpenSsl,
}

/// Known to all three.
const COMMON: [ObjectIdentifier; 6] = [
    rfc5280::ID_CE_KEY_USAGE,
    rfc5280::ID_CE_SUBJECT_ALT_NAME,
    rfc5280::ID_CE_BASIC_CONSTRAINTS,
    rfc5280::ID_CE_NAME_CONSTRAINTS,
    rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS,
    rfc5280::ID_CE_EXT_KEY_USAGE,
];

/// Known to Go (since 1.24) and to OpenSSL.
const POLICIES: [ObjectIdentifier; 4] = [
    rfc5280::ID_CE_CERTIFICATE_POLICIES,
    rfc5280::ID_CE_POLICY_MAPPINGS,
    rfc5280::ID_CE_POLICY_CONSTRAINTS,
    rfc5280::ID_CE_INHIBIT_ANY_POLICY,
];

/// Known to OpenSSL: the Netscape certificate type, addresses and numbers of RFC 3779, proxy certificates.
const OF_OPENSSL: [&str; 4] =
    ["2.16.840.1.113730.1.1", "1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.8", "1.3.6.1.5.5.7.1.14"];

impl Verifier {
    fn knows(self, extension: &Extension, certificate: &CaCertificate) -> bool {
        let oid = extension.extn_id;
        match self {
            Self::Webpki => COMMON.contains(&oid),
            // to Go, an extension on names of kinds that it doesn't know is unknown
            Self::Go if oid == rfc5280::ID_CE_NAME_CONSTRAINTS => certificate
                .name_constraints()
                .is_none_or(|constraints| !constraints.has_kinds_unknown_to_go()),
            Self::Go if oid == rfc5280::ID_CE_SUBJECT_ALT_NAME => has_name_known_to_go(extension),
            Self::Go => COMMON.contains(&oid) || POLICIES.contains(&oid),
            Self::OpenSsl => {
                let is_its_own = || OF_OPENSSL.iter().any(|own| oid.to_string() == **own);
                COMMON.contains(&oid) || POLICIES.contains(&oid) || is_its_own()
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Webpki => "webpki",
            Self::Go => "Go's verifier",
            Self::OpenSsl => "OpenSSL (nginx, PostgreSQL, Python)",
        }
    }
}

/// What is to be told of a certificate.
pub(super) fn unknown(
    certificate: &CaCertificate,
    contents: &Contents,
    verifier: Verifier,
) -> Option<String> {
    let critical = contents.extensions.iter().filter(|extension| extension.critical);
    let unknown = critical.filter(|extension| !verifier.knows(extension, certificate));
    let names: Vec<String> = unknown
        .map(|extension| match extension.extn_id {
            oid @ rfc5280::ID_CE_NAME_CONSTRAINTS => {
                format!("{} on directory names or other kinds", name_of(&oid))
            }
            oid @ rfc5280::ID_CE_SUBJECT_ALT_NAME => {
                format!("{} with directory names or other kinds alone", name_of(&oid))
            }
            oid => name_of(&oid),
        })
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} refuses every certificate below {certificate}, which has critical extensions that it doesn't know: {}. Use a CA whose certificate doesn't have them, or not \
             as critical",
            verifier.name(),
            names.join(", ")
        )
    })
}

/// Go reads e-mail addresses, DNS names, URIs and IP addresses (RFC 5280 §4.2.1.6 has the tags).
fn has_name_known_to_go(extension: &Extension) -> bool {
    let is_known = |name: &AnyRef<'_>| matches!(name.header().tag(), Tag::ContextSpecific { number, .. } if [1, 2, 6, 7].contains(&number.value()));
    let names = AnyRef::from_der(extension.extn_value.as_bytes()).and_then(|names| elements(names.value()));
    names.is_ok_and(|names| names.iter().any(is_known))
}
