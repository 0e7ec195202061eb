//! What a certificate of a CA must be to be used: RFC 5280's rules, and what verifiers insist on.

use super::{AuthorityError, CaCertificate, SigningKeyType, objections::broken_rule};

/// Whether a certificate may be published though no path needs it: it is a root, and verifiers could take it.
pub(super) fn check_listed(root: &CaCertificate) -> Result<(), AuthorityError> {
    if !root.is_self_issued() {
        return Err(AuthorityError::NoRoot { certificate: root.to_string(), issuer: root.issuer() });
    }
    check_ca(root, 0)?;
    if root.has_empty_subject() {
        return Err(AuthorityError::NoSubject { certificate: root.to_string() });
    }
    if let Some(rule) = broken_rule(root) {
        return Err(AuthorityError::NoAnchor { certificate: root.to_string(), rule });
    }
    check_signature(root, root)
}

/// The rules of RFC 5280 §6.1.4 for a certificate with `below` CA certificates under it. Self-issued ones
/// count too: the RFC leaves them out, webpki doesn't.
pub(super) fn check_ca(certificate: &CaCertificate, below: usize) -> Result<(), AuthorityError> {
    check_key_length(certificate)?;
    let name = || certificate.to_string();
    let not_a_ca = |found| Err(AuthorityError::NotACa { certificate: name(), found });
    let allowed = match &certificate.extensions.basic_constraints {
        None if !certificate.has_extensions() => {
            return not_a_ca("it is of X.509 version 1 or 2, which has no basicConstraints");
        }
        None => return not_a_ca("it has no basicConstraints"),
        Some(constraints) if !constraints.ca => return not_a_ca("its basicConstraints say CA:FALSE"),
        Some(constraints) => constraints.path_len_constraint,
    };
    if certificate.extensions.key_usage.is_some_and(|usage| !usage.key_cert_sign()) {
        return Err(AuthorityError::MayNotSign { certificate: name() });
    }
    // a root of mesh-example's meshtool; `objections::caveats` says what it is worth
    let signs_as_root = below == 0 && certificate.is_self_issued();
    if certificate.has_empty_subject() && !signs_as_root {
        return Err(AuthorityError::NoSubject { certificate: name() });
    }
    match allowed {
        Some(allowed) if allowed < below => {
            Err(AuthorityError::PathTooLong { certificate: name(), allowed, found: below })
        }
        _ => Ok(()),
    }
}

pub(super) fn check_key_length(certificate: &CaCertificate) -> Result<(), AuthorityError> {
    match certificate.key_type() {
        SigningKeyType::Rsa(bits) if usize::from(bits) < SigningKeyType::LEAST_RSA_BITS => {
            Err(AuthorityError::WeakKey { certificate: certificate.to_string(), bits })
        }
        _ => Ok(()),
    }
}

pub(super) fn check_signature(
    certificate: &CaCertificate,
    issuer: &CaCertificate,
) -> Result<(), AuthorityError> {
    check_key_length(issuer)?;
    certificate.verify_signature(issuer).map_err(|reason| AuthorityError::Unverified {
        certificate: certificate.to_string(),
        issuer: issuer.to_string(),
        reason: reason.to_string(),
    })
}
